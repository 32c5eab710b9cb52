import copy

import numpy as np
import pytest

from seisbook.errors import DataError
from seisbook.figures import robustness as robustness_figures
from seisbook.findings import robustness, robustness_peers
from seisbook.measures import perturbations
from seisbook.studies import robustness_peers as robustness_peers_study

CALM = np.random.default_rng(0).uniform(1, 3, 100)
SEVERE = [(axis, severity) for group in robustness.GROUPS.values() for axis in group for severity in (1, 2, 3)]


def study(models, growth, start, scatter=0.0):
    """Records in which the errors of these models begin at `start` and grow by `growth` at the middle severity."""
    draws = np.exp(scatter * np.random.default_rng(1).normal(size=len(CALM)))
    found = []
    for axis, severity in [("none", None), *SEVERE]:
        factor = {None: 1.0, 1: 1.0, 2: growth, 3: 1 + (growth - 1) / 2}[severity]
        errors = (start * factor * CALM * (1.0 if axis == "none" else draws)).tolist()
        trial = {"network": "colombia", "source": "bulletin", "profile": "paper", "axis": axis, "severity": severity}
        found.append({"trial": trial, "result": {name: {"epicentral_km": errors} for name in models}, "commit": "abc"})
    return found


def ours(growth, start=1.0, scatter=0.0):
    return study(("dynamic",), growth, start, scatter)


def theirs(growth, start=1.0):
    return study(robustness_peers_study.MODELS, growth, start)


def test_every_axis_is_in_one_group():
    assert sorted({axis for axis, _ in SEVERE}) == sorted(perturbations.AXES)


@pytest.mark.parametrize(
    ("growth", "start", "robust", "accurate"),
    [
        (4.0, 1.0, "supported", "supported"),
        (4.0, 0.4, "supported", "not supported"),  # it grows more, from less
        (1.5, 4.0, "not supported", "supported"),  # a growth flatters whoever starts from large errors
        (2.0, 1.0, "inconclusive", "inconclusive"),
    ],
)
def test_growths_and_errors_are_judged_apart(growth, start, robust, accurate):
    table = robustness_peers.compare(ours(2.0, scatter=0.01), theirs(growth, start))
    assert len(table) == len(robustness.GROUPS) * len(robustness_peers_study.MODELS)
    assert set(table.robust) == {robust}
    assert set(table.accurate) == {accurate}


def test_each_model_counts_at_its_own_worst_severity():
    table = robustness_peers.compare(ours(2.0), theirs(4.0, start=3.0))
    np.testing.assert_allclose(np.array(table.growth.tolist()), 0.5)  # all events grow alike: nothing to resample
    np.testing.assert_allclose(np.array(table.error.tolist()), 1 / 6)


def test_scattered_errors_say_neither():
    table = robustness_peers.compare(ours(2.0, scatter=2.0), theirs(2.1))
    assert set(table.robust) == {"inconclusive"}


def test_other_events_are_refused():
    other = theirs(2.0)
    other[0] = copy.deepcopy(other[0])
    other[0]["result"][robustness_peers_study.MODELS[0]]["epicentral_km"].pop()
    with pytest.raises(DataError, match="same events"):
        robustness_peers.compare(ours(2.0), other)
    with pytest.raises(DataError, match="same events"):
        robustness_peers.compare(ours(2.0), theirs(2.0)[:-1])


def test_counts_and_prose_follow():
    table = robustness_peers.compare(ours(2.0), theirs(4.0, start=0.4))
    counts = robustness_peers.counts(table)
    assert counts.index.tolist() == [("colombia", group) for group in robustness.GROUPS]
    assert counts["more robust"].tolist() == counts["less accurate"].tolist() == [5] * 4
    assert counts["less robust"].tolist() == counts["more accurate"].tolist() == [0] * 4
    texts = robustness_peers.quoted(table, {"colombia": theirs(4.0, start=0.4)})
    assert texts["peers-more-robust"] == texts["peers-peers"] == "20"
    assert texts["colombia-peers-spike-least"] == "4.0"
    assert texts["colombia-narrow-bands-gcn-growth"] == "0.50 [0.50, 0.50]"


def test_the_figure_fills_what_is_decided():
    table = robustness_peers.compare(ours(2.0, scatter=0.01), theirs(2.0, start=3.0))
    figure = robustness_figures.against_peers(table)
    growths, errors = figure.axes
    marks = [[line for line in axis.lines if line.get_marker() != "None"] for axis in (growths, errors)]
    assert len(marks[0]) == len(marks[1]) == len(table)
    assert {line.get_markerfacecolor() for line in marks[0]} == {"white"}
    assert "white" not in {line.get_markerfacecolor() for line in marks[1]}
    assert [text.get_text() for text in growths.get_yticklabels()] == list(robustness.GROUPS)
