"""What the study of depth on fields says, from made-up records whose answer is known."""

import numpy as np
import pytest

from seisbook.figures import fields_depth as figures
from seisbook.findings import fields_depth


def records(factor=0.8, mad=0.5, diverged=False):
    """Records in which concatenation multiplies the errors at the greatest depth by a factor."""
    rng = np.random.default_rng(0)
    square = rng.exponential(1, 40)
    made = []
    for graph, readout in fields_depth.ARMS:
        for blocks in (1, 4):
            better = blocks == 4 and readout == "multiscale"
            alike = {name: list((mad if better else 0.3) + 0.01 * rng.random(40)) for name in fields_depth.SIMILARITY}
            result = {"channels": 8, "parameters": 100, "diverged": diverged and better}
            if not result["diverged"]:
                scores = {"square": list(square * (factor**2 if better else 1)), "count": [10.0] * 40}
                result |= {**scores, "similarity": alike}
            trial = {"graph": graph, "readout": readout, "blocks": blocks, "fold": 0}
            made.append({"trial": trial, "result": result})
    return made


@pytest.mark.parametrize(
    ("factor", "mad", "verdict"),
    [(0.8, 0.5, "supported"), (0.8, 0.2, "inconclusive"), (1.2, 0.5, "inconclusive"), (1.2, 0.2, "not supported")],
)
def test_the_verdict_needs_smaller_errors_and_states_that_differ_more(factor, mad, verdict):
    found = fields_depth.judged(records(factor, mad))
    assert found.value.tolist() == pytest.approx([factor] * 2)
    assert found.verdict.tolist() == [verdict] * 2
    assert set(found.blocks) == {4}


def test_a_model_that_diverged_decides_nothing():
    found = fields_depth.judged(records(diverged=True))
    assert found.verdict.tolist() == ["inconclusive"] * 2
    assert fields_depth.table(records(diverged=True)).rmse.isna().sum() == 2


def test_what_is_quoted_and_drawn():
    quoted = fields_depth.quoted(records())
    assert quoted["depth-dynamic-4-ratio"].startswith("0.800 [")
    assert quoted["depth-static-4-verdict"] == "supported"
    assert quoted["depth-static-1-verdict"] == "not supported"
    assert quoted["depth-events"] == "40"
    found = fields_depth.table(records())
    assert len(found) == 8
    lines = figures.depth(found).axes[1].lines
    assert [line.get_ydata()[-1] > 0.45 for line in lines] == [True, False, True, False]
