import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from seisbook.errors import UserError
from seisbook.figures import variance as variance_figures
from seisbook.figures.variance import Dataset
from seisbook.measures import learning_curves, variance, variance_ratio
from seisbook.measures.estimates import Estimate
from tests.made_up import SIZES, compared, learnt, trainings, two_arms

HERE, TWIN = Dataset("colombia"), Dataset("ridgecrest", "simulated")


def component_rows():
    rows = [
        variance.anova_components(trainings(seed, of_seed=0))
        .table()
        .reset_index()
        .assign(network=one.network, source=one.source, arm=arm)
        for seed, (one, arm) in enumerate((one, arm) for one in (HERE, TWIN) for arm in ("dynamic", "static"))
    ]
    return pd.concat(rows)


def ratio_rows():
    rows = [(HERE, "epicentre", 0.7, 0.5, 0.9), (HERE, "depth", 0.9, 0.0, math.inf), (TWIN, "depth", 1.2, 0.95, 1.6)]
    return pd.DataFrame(
        {"network": d.network, "source": d.source, "quantity": q, "value": v, "low": low, "high": high,
         "verdict": variance_ratio.Ratio(v, low, high).verdict}
        for d, q, v, low, high in rows
    )  # fmt: skip


@pytest.fixture(scope="module")
def drawn():
    """Every figure, with the number of panels that it must have."""
    arms = two_arms(0)
    events = pd.DataFrame(
        {n: variance.event_components(y).data for n, y in zip(("dynamic", "static"), arms, strict=True)}
    )
    events.iloc[3] = [-0.1, 0.5]
    curve = learning_curves.fit_learning_curve(SIZES, learnt(), resamples=100)
    return {
        "variance_components": (variance_figures.variance_components(component_rows()), 2),
        "event_variances": (variance_figures.event_variances({HERE: events, TWIN: events}), 2),
        "ratio_forest": (variance_figures.ratio_forest(ratio_rows()), 2),
        "learning_curves": (variance_figures.learning_curves({HERE: curve}, {HERE: Estimate(2.5, 2.3, 2.7)}), 1),
        "score_maps": (variance_figures.score_maps(compared()), 3),
    }


NAMES = ["variance_components", "event_variances", "ratio_forest", "learning_curves", "score_maps"]


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_finite_labelled_and_nothing_is_cut_off(drawn, name):
    fig, panels = drawn[name]
    assert len(fig.axes) == panels
    assert fig.get_figwidth() == pytest.approx(7.4)
    renderer = FigureCanvasAgg(fig).get_renderer()
    for axis in fig.axes:
        assert axis.has_data()
        assert np.isfinite([*axis.get_xlim(), *axis.get_ylim()]).all()
        assert not axis.get_title() or name == "score_maps"
        texts = [axis.xaxis.label, axis.yaxis.label, *axis.texts, *axis.get_yticklabels(), *axis.get_xticklabels()]
        for text in (one for one in texts if one.get_text() and one.get_visible()):
            assert text.get_fontsize() >= 8
        for text in (axis.xaxis.label, axis.yaxis.label, *axis.texts):
            box = text.get_window_extent(renderer)
            assert not text.get_text() or (box.x0 >= -1 and box.x1 <= fig.bbox.x1 + 1), text.get_text()


def test_what_a_logarithmic_axis_cannot_show_is_an_arrow_and_not_left_out(drawn):
    axes = drawn["variance_components"][0].axes
    dots = [line for axis in axes for line in axis.lines if line.get_marker() not in ("None", "")]
    assert len(dots) == len(component_rows())
    arrows = sum(line.get_marker() == "<" for line in dots)
    assert arrows == (component_rows().value <= 0).sum() > 0
    axis = drawn["event_variances"][0].axes[0]
    points = sum(len(line.get_xdata()) for line in axis.lines if line.get_linestyle() == "None")
    assert points == 80


def test_forest_fills_the_points_that_decide_and_opens_infinite_intervals(drawn):
    axis, twin = drawn["ratio_forest"][0].axes
    filled = [_filled(line) for panel in (axis, twin) for line in panel.lines if line.get_marker() == "o"]
    assert filled == [verdict != "inconclusive" for verdict in ratio_rows().verdict] == [True, False, True]
    assert [text.get_text() for text in axis.texts] == ["0.70 [0.50, 0.90]", "0.90 [0.00, ∞]"]
    assert [line.get_marker() for line in axis.lines if line.get_marker() in ("<", ">")] == ["<", ">"]


def _filled(line):
    return line.get_markerfacecolor() == line.get_color()


def test_scores_of_two_arms_share_one_colour_scale(drawn):
    first, second = (axis.images[0] for axis in drawn["score_maps"][0].axes[:2])
    assert first.get_clim() == second.get_clim() == (compared().score.min(), compared().score.max())
    np.testing.assert_allclose(second.get_array(), trainings(0).score.to_numpy().reshape(10, 5).T)


def test_figures_of_nothing_are_refused():
    empty = pd.DataFrame(columns=["network", "source", "arm"])
    for draw in (variance_figures.variance_components, variance_figures.ratio_forest, variance_figures.score_maps):
        with pytest.raises(UserError, match="nothing to draw"):
            draw(empty)
    with pytest.raises(UserError, match="no event has a positive variance"):
        variance_figures.event_variances({HERE: pd.DataFrame({"dynamic": [-1.0], "static": [0.0]})})
