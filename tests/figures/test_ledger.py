"""The ledger's picture: each measurement is drawn once, on the side that its verdict says."""

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest

from seisbook.errors import UserError
from seisbook.figures import ledger
from seisbook.findings import claims


@pytest.fixture(scope="module")
def tested(tested):
    return [claim for claim in tested if claim.verdict != claims.NOT_RUN]


def _points(figure):
    """Heights and distances of the marked points."""
    lines = [line for line in figure.axes[0].lines if line.get_marker() not in (None, "None", "")]
    return np.array([(line.get_ydata()[0], line.get_xdata()[0]) for line in lines])


def test_each_measurement_has_a_row_of_its_own(tested):
    heights = _points(ledger.forest(tested))[:, 0]
    assert len(heights) == len(set(np.round(heights, 6))) == len(tested)


def test_all_networks_and_claims_are_named(tested):
    figure = ledger.forest(tested)
    names = " ".join(label.get_text() for label in figure.axes[0].get_yticklabels())
    assert all(f"{claim.id}  " in names for claim in tested)
    titles = {text.get_text() for text in figure.axes[0].texts}
    sides = {"\N{LEFTWARDS ARROW} against the claim", "for the claim \N{RIGHTWARDS ARROW}"}
    assert titles - sides == {f"{claim.place}, {claim.signals}" for claim in tested}
    assert sides < titles


@pytest.mark.parametrize("name", ["C1", "C9"])
def test_the_right_half_is_the_side_of_the_claim(tested, name):
    claim = next(one for one in tested if (one.id, one.verdict) == (name, "supported"))
    turned = replace(claim, id="C9" if name == "C1" else "C1")
    assert _points(ledger.forest([claim]))[0, 1] > 1
    assert _points(ledger.forest([turned]))[0, 1] < -1


def test_what_lies_far_is_drawn_at_the_edge_and_an_open_interval_at_the_threshold(tested):
    far = replace(tested[0], estimate=0.0, ci_low=-0.001, ci_high=0.001, threshold=5.0)
    assert _points(ledger.forest([far]))[0, 1] == ledger.FAR
    assert _points(ledger.forest([replace(tested[0], ci_high=inf)]))[0, 1] == 0


def test_what_was_not_run_is_left_out(tested):
    waiting = replace(tested[0], verdict=claims.NOT_RUN, estimate=nan, ci_low=nan, ci_high=nan)
    assert len(_points(ledger.forest([tested[0], waiting]))) == 1


def test_without_claims_there_is_nothing_to_draw():
    with pytest.raises(UserError, match="nothing to draw"):
        ledger.forest([])
