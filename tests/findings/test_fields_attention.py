"""What the attention study on fields says, from made-up records whose answer is known."""

import numpy as np
import pytest

from seisbook.figures import fields_attention as figures
from seisbook.findings import fields_attention
from seisbook.findings.fields_attention import BEST, MEASURES, NULLS

WORTH = {BEST: 1.0, "selection": 0.8, "influence": 0.5, "nearest": 0.4, "central": 0.7, "untrained": 0.6, "random": 0.6}


def records(scatter=0.01):
    """One region whose orders have known efficiencies."""
    rng = np.random.default_rng(0)
    result = {
        order: {
            "efficiency": list(worth + scatter * rng.normal(size=60)),
            "square": list(rng.exponential(1, 60) / worth),
            "count": [10.0] * 60,
        }
        for order, worth in WORTH.items()
    }
    return [{"trial": {"network": "italy", "fold": 0}, "result": result}]


def test_measures_are_compared_with_the_best_null():
    assert fields_attention.best_null(records()) == "central"
    rows = {row["order"]: row for row in fields_attention.judged(records())}
    assert list(rows) == list(MEASURES)
    assert rows["selection"]["value"] == pytest.approx(0.1, abs=0.01)
    assert [row["verdict"] for row in rows.values()] == ["supported", "not supported"]
    assert {row["verdict"] for row in fields_attention.judged(records(3.0))} == {"inconclusive"}


def test_what_is_quoted_and_drawn():
    quoted = fields_attention.quoted({"italy": records()})
    assert quoted["listens-selection-gain"].endswith("(supported) in Italy")
    assert quoted["listens-null"] == f"“{NULLS['central']}” in Italy"
    tables = {"Italy": fields_attention.table(records())}
    assert tables["Italy"].ratio[BEST].value == tables["Italy"].random["random"].value == 1
    assert len(figures.orders(tables).axes) == 2
