import numpy as np
import pandas as pd
import pytest

from seisbook.errors import UserError
from seisbook.figures.transfer_robust import PALE, starts
from seisbook.findings.transfer_robust import PAPER, SIZES, TITLES
from seisbook.measures.estimates import Estimate


def table(factor=4.0):
    """Errors that fall with the number of events, those of the paper's model larger by a factor."""
    rows = []
    for i, start in enumerate(TITLES):
        for n in SIZES:
            km = (1 + i) * (1 + 10 / (10 + n))
            for name, value in ((start, km), (PAPER + start, factor * km)):
                row = {"network": "colombia", "start": name, "n_train": n, "quantity": "epicentral_km"}
                rows.append({**row, "estimate": Estimate(value, 0.9 * value, 1.1 * value)})
    return pd.DataFrame(rows)


def test_the_papers_model_is_a_pale_line_above():
    fig = starts(table())
    (axis,) = fig.axes
    robust, paper = axis.lines[::2], axis.lines[1::2]
    assert len(robust) == len(paper) == len(TITLES)
    for ours, theirs in zip(robust, paper, strict=True):
        assert np.allclose(theirs.get_ydata(), 4 * ours.get_ydata())
        assert (ours.get_alpha(), theirs.get_alpha()) == (None, PALE)
        assert ours.get_color() == theirs.get_color()


def test_nothing_is_not_drawn():
    with pytest.raises(UserError, match="nothing to draw"):
        starts(table().iloc[:0])
