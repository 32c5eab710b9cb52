import pandas as pd
import pytest

from seisbook.errors import UserError
from seisbook.figures import peers_robust_stem
from seisbook.findings.peers_robust_stem import PAPER
from seisbook.measures.estimates import Estimate


def row(arm, value, over, network):
    spread = Estimate(value, 0.9 * value, 1.1 * value)
    return {"network": network, "arm": arm, "epicentral_km": spread, "over_paper": Estimate(over, over - 0.1, over)}


def test_arms_are_rows_and_marks_tell_what_is_decided():
    rows = [("robust", 1.0, 0.25), ("transformer", 3.6, 1.0), (PAPER, 4.0, 1.0)]
    table = pd.DataFrame([row(*values, network) for network in ("colombia", "ridgecrest") for values in rows])
    left, right = peers_robust_stem.forest(table).axes
    assert (left.get_title("left"), right.get_title("left")) == ("Colombia", "Ridgecrest")
    assert [text.get_text().split()[0] for text in left.get_yticklabels()] == ["robust", "transformer", "the"]
    filled = [line.get_markerfacecolor() != "white" for line in left.lines if line.get_marker() == "o"]
    assert filled == [True, False, False]
    assert left.lines[0].get_xdata()[0] == 4.0


def test_nothing_to_draw():
    with pytest.raises(UserError, match="nothing to draw"):
        peers_robust_stem.forest(pd.DataFrame())
