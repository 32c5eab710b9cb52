import json
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from seisbook.errors import UserError
from seisbook.figures import variance as variance_figures
from seisbook.figures.variance import Dataset

COLOMBIA, TWIN = Dataset("colombia"), Dataset("ridgecrest", "simulated")
PARTS = {"data": 0.04, "seed": 0.01, "residual": 0.09}


@pytest.fixture(scope="module")
def runs():
    rng = np.random.default_rng(0)
    cells = [(arm, i, seed) for arm in ("dynamic", "static") for i in range(15) for seed in range(5)]
    table = pd.DataFrame(cells, columns=["arm", "partition", "seed"])
    table["epicentral_km"] = 8 + 0.2 * rng.normal(size=len(table))
    table["fold_epicentral_km"] = 8 + rng.normal(size=15)[table.partition] + 0.2 * rng.normal(size=len(table))
    return table


@pytest.fixture(scope="module")
def budget():
    values = {"squared_bias": 20.0, "data": 12.0, "seed": -1.0, "residual": 8.0}
    rows = [
        {"arm": arm, "quantity": name, **values}
        for arm in ("dynamic", "static")
        for name in ("epicentre", "depth", "magnitude")
    ]
    return pd.DataFrame(rows)


def test_both_tests_of_a_training_are_drawn(runs):
    figure = variance_figures.one_score({COLOMBIA: runs, TWIN: runs})
    assert len(figure.axes) == 2
    drawn = [line for line in figure.axes[0].lines if line.get_linestyle() == "None"]
    assert [len(line.get_xdata()) for line in drawn] == [75, 75]  # one arm, on its folds and on external events
    assert np.std(drawn[0].get_ydata()) > 2 * np.std(drawn[1].get_ydata())


def test_a_budget_adds_up(budget):
    figure = variance_figures.error_budget({COLOMBIA: budget, TWIN: budget})
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["epicentre", "depth", "magnitude"]
    for axis in figure.axes:
        ends = {}
        for bar in axis.patches:
            ends[bar.get_y()] = max(ends.get(bar.get_y(), 0), bar.get_x() + bar.get_width())
        np.testing.assert_allclose(list(ends.values()), 100)
        assert len(ends) == 4
    assert figure.axes[0].patches[0].get_width() == pytest.approx(50)  # what is below zero is no part of it


def test_more_partitions_help_where_data_matter():
    half = variance_figures.half_width(PARTS, [1, 4], 1)
    assert half[0] == pytest.approx(2 * variance_figures.half_width({**PARTS, "seed": 0.0}, 4, 1), rel=0.05)
    only_data = {"data": 1.0, "seed": -0.5, "residual": 0.0}
    assert variance_figures.half_width(only_data, 4, 1) == variance_figures.half_width(only_data, 4, 9)
    assert variance_figures.half_width(only_data, 4, 1) == pytest.approx(0.98, abs=0.01)


def test_precision_is_drawn_per_number_of_seeds():
    figure = variance_figures.precision({COLOMBIA: PARTS}, seeds=(1, 5))
    assert isinstance(figure, Figure)
    assert [line.get_label() for line in figure.axes[0].lines] == ["1 seed", "5 seeds"]


def test_the_explorer_needs_nothing_from_elsewhere():
    page = variance_figures.precision_explorer({COLOMBIA: {"dynamic": PARTS}}, {COLOMBIA: {"dynamic": 8.0}}).data
    assert "__" not in page
    assert not re.findall(r"https?://|\bsrc=|\bimport\b|\bfetch\b", page)
    (data,) = json.loads(re.search(r"const data = (.*?), unit", page).group(1))
    assert data["arms"] == [{"arm": "dynamic", "mean": 8.0, "parts": [0.04, 0.01, 0.09]}]


@pytest.mark.parametrize("draw", ["one_score", "error_budget", "precision", "learning_curves", "event_variances"])
def test_nothing_to_draw_is_said(draw):
    with pytest.raises(UserError, match="nothing to draw"):
        getattr(variance_figures, draw)({})
