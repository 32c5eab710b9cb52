import pytest

from seisbook.errors import UserError
from seisbook.figures.alignment_robust import ROWS, towers
from seisbook.findings import alignment


def record(recall):
    """One corpus, in which texts in full are found by this share of the events, and one class is withheld."""
    retrieval = {**alignment.MAIN, "at5": [recall, recall - 0.1, recall + 0.1]}
    withheld = {"arm": "aligned", "masking": "none", "class": None, "auc": [0.7, 0.6, 0.8]}
    corpus = {"network": "colombia", "retrieval": [retrieval], "zero_shot": [], "withheld": [withheld]}
    return {"corpora": {"colombia-bulletin": corpus}}


def test_both_towers_stand_in_each_panel():
    fig = towers(record(0.4), record(0.6))
    retrieval, withheld = fig.axes  # no panel for a question that the corpus does not answer
    assert [text.get_text() for text in retrieval.get_yticklabels()] == list(ROWS)
    marks = [line.get_xdata()[0] for line in retrieval.lines if line.get_marker() != "None" and len(line.get_xdata())]
    assert marks == [0.4, 0.6]
    assert "ROC area" in withheld.get_title("left")


def test_nothing_is_not_drawn():
    with pytest.raises(UserError, match="nothing to draw"):
        towers(record(0.4), {"corpora": {}})
