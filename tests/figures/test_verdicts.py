"""A chapter's verdicts: each measurement once, in its own unit, with its threshold and the side of the claim."""

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest

from seisbook.errors import UserError
from seisbook.figures import verdicts
from seisbook.findings import claims


@pytest.fixture(scope="module")
def tested(tested):
    return [claim for claim in tested if claim.verdict != claims.NOT_RUN]


def _points(figure):
    """Marked values, panel by panel, from the top down."""
    lines = [line for axis in figure.axes for line in axis.lines if line.get_marker() not in (None, "None", "")]
    return [float(line.get_xdata()[0]) for line in lines]


@pytest.mark.parametrize("name", sorted(claims.TESTS))
def test_each_measurement_is_drawn_once_and_said_in_digits(tested, name):
    rows = [claim for claim in tested if claim.id == name]
    figure = verdicts.forest(rows)
    np.testing.assert_allclose(sorted(_points(figure)), sorted(claim.drawn(claim.estimate) for claim in rows))
    said = [text.get_text() for axis in figure.axes for text in axis.texts]
    assert sorted(said) == sorted(claim.found for claim in rows)


def test_rows_say_the_place_and_the_signals_and_panels_the_claim_and_what_is_measured(tested):
    rows = [claim for claim in tested if claim.id in ("C2", "C4")]
    figure = verdicts.forest(rows)
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert titles[0] == "C2  magnitude RMSE"
    assert titles[1] == "C4  error with all blocks relative to the last one, change in %"
    labels = [" ".join(tick.get_text().split("\n")) for axis in figure.axes for tick in axis.get_yticklabels()]
    assert len(labels) == len(rows)
    assert all(any(label.startswith(f"{claim.place}, {claim.signals}") for label in labels) for claim in rows)


def test_panels_stand_in_the_order_of_the_claims_and_rows_in_that_of_the_places(tested):
    rows = [claim for claim in tested if claim.source == "measured"]
    panels = [axis for axis in verdicts.forest(rows).axes if axis.get_title(loc="left")]
    shown = [axis.get_title(loc="left").split()[0] for axis in panels]
    assert list(dict.fromkeys(shown)) == sorted(set(shown), key=list(claims.TESTS).index)
    for axis in panels:
        places = [tick.get_text().split(",")[0] for tick in axis.get_yticklabels()]
        assert places == sorted(places)


def test_rows_are_as_high_as_their_labels_in_every_panel(tested):
    rows = [claim for claim in tested if claim.source == "measured"]
    figure = verdicts.forest(rows)
    figure.canvas.draw()
    heights = [axis.get_position().height * figure.get_figheight() for axis in figure.axes]
    assert len(heights) > 3
    np.testing.assert_allclose(heights, [axis.get_ylim()[0] for axis in figure.axes], rtol=0.1)


@pytest.mark.parametrize(("name", "side"), [("C1", min), ("C9", max)])
def test_the_claim_s_side_is_shaded_from_the_threshold_on(tested, name, side):
    claim = next(one for one in tested if one.id == name)
    (axis,) = verdicts.forest([claim]).axes
    (shaded,) = axis.collections
    ends = shaded.get_paths()[0].vertices[:, 0]
    assert claim.threshold == pytest.approx({min: max, max: min}[side](ends))
    assert side(axis.get_xlim()) == pytest.approx(side(ends))


def test_an_open_interval_reaches_the_edge_and_changes_no_axis(tested):
    closed = next(one for one in tested if one.id == "C3" and one.ci_high < inf)
    (alone,) = verdicts.forest([closed]).axes
    (both,) = verdicts.forest([closed, replace(closed, ci_high=inf)]).axes
    assert both.get_xlim() == alone.get_xlim()
    ends = [line.get_xdata()[1] for line in both.lines if len(line.get_xdata()) == 2 and np.ptp(line.get_xdata())]
    assert max(ends) == both.get_xlim()[1]


def test_values_that_differ_much_share_a_logarithmic_axis(tested):
    one = next(claim for claim in tested if claim.id == "C1")
    near, far = replace(one, estimate=1.0, ci_low=0.9, ci_high=1.1, threshold=1.2), replace(one, threshold=90.0)
    assert verdicts.forest([near]).axes[0].get_xscale() == "linear"
    assert verdicts.forest([near, far]).axes[0].get_xscale() == "log"


def test_what_was_not_run_is_left_out_and_nothing_is_an_error(tested):
    waiting = replace(tested[0], verdict=claims.NOT_RUN, estimate=nan, ci_low=nan, ci_high=nan)
    assert len(_points(verdicts.forest([tested[0], waiting]))) == 1
    with pytest.raises(UserError, match="nothing to draw"):
        verdicts.forest([waiting])
