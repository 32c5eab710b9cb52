"""What the study of sensors that lie says, from made-up records whose answer is known."""

import numpy as np
import pytest

from seisbook.figures import fields_trouble as figures
from seisbook.findings import fields_trouble

GROWTH = {"law": 1.0, "event term": 1.3, "conditional normal": 1.1, "screened": 1.02}


def records(scatter=0.0):
    """Two folds in which trouble multiplies each method's errors by a factor."""
    made = []
    for fold in range(2):
        rng = np.random.default_rng(fold)
        square = rng.exponential(1, 40)
        result = {
            method: {
                kind: {
                    "square": list(square * (1 if kind == "clean" else one**2) * np.exp(scatter * rng.normal(size=40))),
                    "count": [10.0] * 40,
                }
                for kind in fields_trouble.KINDS
            }
            for method, one in GROWTH.items()
        }
        made.append({"trial": {"fold": fold}, "result": result})
    return made


def test_growth_and_words_are_those_that_were_made():
    found = fields_trouble.table(records())
    for method, one in GROWTH.items():
        assert found.growth[(method, "unit")] == pytest.approx(one)
        assert found.growth[(method, "clean")] == pytest.approx(1)
        assert found.word[(method, "dead")] == ("robust" if one < fields_trouble.ROBUST else "not robust")
    assert set(found.events) == {80}
    assert fields_trouble.table(records(2.0)).word[("screened", "unit")] == "open"


def test_the_second_screen_is_compared_with_the_same_trouble():
    found = fields_trouble.screens(records())
    assert found.ratio["misplaced"] == pytest.approx(1.02 / 1.1)
    assert found.verdict["misplaced"] == "supported"
    assert found.ratio["clean"] == pytest.approx(1)


def test_what_is_quoted_and_drawn():
    quoted = fields_trouble.quoted({"greece": records(), "italy": records()})
    assert quoted["trouble-unit-screened-growth"].startswith("1.020 [")
    assert quoted["trouble-events"] == "80 in Greece and 80 in Italy"
    figure = figures.growth({"Greece": fields_trouble.table(records()), "Italy": fields_trouble.table(records())})
    points = [
        line.get_xdata()[0] for line in figure.axes[0].lines if line.get_marker() == "^" and len(line.get_xdata())
    ]
    assert points == pytest.approx([1.02] * 3)
