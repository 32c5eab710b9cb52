import pandas as pd
import pytest

from seisbook.errors import UserError
from seisbook.figures import peers_robust_stem
from seisbook.findings.peers_robust_stem import MAIN, PAPER
from seisbook.measures.estimates import Estimate


def row(arm, over, published, network):
    ratios = [None if value is None else Estimate(value, 0.9 * value, 1.1 * value) for value in (over, published)]
    return {"network": network, "arm": arm, **dict(zip(peers_robust_stem.MARKS, ratios, strict=True))}


def marks(axis, shape):
    return [line for line in axis.lines if line.get_marker() == shape]


def test_arms_are_rows_and_marks_tell_what_is_decided():
    rows = [(MAIN, 1.0, None), ("deep sets with feedback", 1.05, None), (PAPER, 0.25, 0.95)]
    table = pd.DataFrame([row(*values, network) for network in ("colombia", "ridgecrest") for values in rows])
    figure = peers_robust_stem.forest(table)
    left, right = figure.axes
    assert (left.get_title("left"), right.get_title("left")) == ("Colombia", "Ridgecrest")
    assert [text.get_text().split()[0] for text in left.get_yticklabels()] == ["deep", "the"]
    assert [mark.get_xdata()[0] for mark in marks(left, "o")] == [1.05, 0.25]
    assert [mark.get_markerfacecolor() != "white" for mark in marks(left, "o")] == [False, True]
    (system,) = marks(left, "D")
    assert (system.get_xdata()[0], system.get_markerfacecolor()) == (0.95, "white")
    assert marks(left, "o")[1].get_ydata()[0] < 1 < system.get_ydata()[0]  # beside each other, in one row
    assert left.lines[0].get_xdata()[0] == 1


def test_nothing_to_draw():
    with pytest.raises(UserError, match="nothing to draw"):
        peers_robust_stem.forest(pd.DataFrame())
