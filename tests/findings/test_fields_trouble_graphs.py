"""What the study of graphs with sensors that lie says, from made-up records whose answer is known."""

import numpy as np
import pytest

from seisbook.findings import fields_trouble, fields_trouble_graphs

GROWTH = {"conditional normal": 1.2, "dynamic": 1.02, "static": 1.3, "none": 1.2}


def records():
    """Two folds of both studies; trouble multiplies each method's errors by a factor."""
    graphs, others = [], []
    for fold in range(2):
        square = np.random.default_rng(fold).exponential(1, 40)
        for method, growth in GROWTH.items():
            result = {
                kind: {"square": list(square * (1 if kind == "clean" else growth**2)), "count": [10.0] * 40}
                for kind in fields_trouble.KINDS
            }
            chosen = graphs if method in fields_trouble_graphs.GRAPHS else others
            chosen.append({"trial": {"fold": fold}, "result": {method: result}})
    return fields_trouble_graphs.joined(graphs, others)


def test_growth_and_ratio_are_those_that_were_made():
    found = fields_trouble_graphs.table(records())
    for method, growth in GROWTH.items():
        assert found.growth[method, "unit"].value == pytest.approx(growth)
        assert found.ratio[method, "dead"].value == pytest.approx(growth / 1.2)
        assert found.word[method, "unit"] == ("robust" if growth < 1.05 else "not robust")
    assert found.verdict["dynamic", "unit"] == "supported"
    assert found.verdict["static", "unit"] == "not supported"
    assert found.verdict["none", "unit"] == "inconclusive"


def test_what_is_quoted_and_printed():
    quoted = fields_trouble_graphs.quoted(records())
    found = fields_trouble_graphs.table(records())
    assert f"{found.growth['dynamic', 'unit']:.3f}".startswith("1.020 [")
    assert quoted["lying-dynamic-unit-ratio"] == f"{found.ratio['dynamic', 'unit']:.3f}"
    printed = fields_trouble_graphs.printed(fields_trouble_graphs.table(records()))
    assert printed.loc[(fields_trouble.KINDS["clean"], "conditional normal (ShakeMap)")].tolist() == ["", ""]
    assert len(printed) == 4 * len(GROWTH)
