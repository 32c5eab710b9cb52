"""What the imbalance study on fields says, from made-up records whose answer is known."""

import numpy as np
import pytest

from seisbook.figures import fields_imbalance as figures
from seisbook.findings import fields_imbalance
from seisbook.findings.fields import PEER
from seisbook.studies.fields_imbalance import ARMS

GROWTH = {"law": 1.1, "event term": 1.1, "inverse distance": 1.0, PEER: 1.2, "dynamic": 1.3, "alone": 1.4}
MODELS = ("dynamic", "alone")


def records(growth=GROWTH["dynamic"]):
    """Two folds in which each method's errors grow by a factor if large events are missing."""
    made = []
    for fold in range(2):
        square = np.random.default_rng(fold).exponential(1, 8)
        for arm, shares in ARMS.items():
            for kept in shares:
                methods = [arm] if arm in MODELS else [name for name in GROWTH if name not in MODELS]
                factors = {**GROWTH, "dynamic": growth} if kept < 1 else dict.fromkeys(GROWTH, 1.0)
                scores = {
                    name: {share: {"square": list(square * factors[name] ** 2), "count": [9.0] * 8} for share in "ab"}
                    for name in methods
                }
                trial = {"arm": arm, "kept": kept, "fold": fold}
                result = {"n_large": round(kept * (30 + 2 * fold)), "scores": scores}
                made.append({"trial": trial, "result": result})
    return made


def test_growth_and_ratio_are_those_that_were_made():
    found = fields_imbalance.table(records())
    for method, factor in GROWTH.items():
        assert found.growth[method, 0.2] == pytest.approx(factor)
        assert found.ratio[method, 0.2] == pytest.approx(factor / GROWTH[PEER])
    assert found.n_large["dynamic", 1.0] == 31
    assert set(found.events) == {16}
    assert ("dynamic", 0.0) not in found.index


@pytest.mark.parametrize(
    ("growth", "verdicts"),
    [(1.0, ["supported"] * 2), (1.1, ["not supported", "supported"]), (1.3, ["not supported"] * 2)],
)
def test_each_rule_has_its_own_limit(growth, verdicts):
    rows = fields_imbalance.judged(records(growth))
    assert [row["verdict"] for row in rows] == verdicts
    assert [row["n_runs"] for row in rows] == [4, 2]


def test_what_is_quoted_and_drawn():
    quoted = fields_imbalance.quoted(records())
    assert quoted["imbalance-dynamic-0.2-growth"].startswith("1.300 [")
    assert quoted["imbalance-0.2-large"] == "6"
    found = fields_imbalance.table(records())
    assert len(figures.large(found).axes) == 2
