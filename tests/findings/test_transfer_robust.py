import numpy as np
import pytest

from seisbook.errors import DataError
from seisbook.findings import transfer_robust as findings
from seisbook.studies import transfer, transfer_robust

FIRST = {"other": 1.5, "twin": 1.0, "random": 9.0, "resampled": 30.0}  # the error without an event, over that of all
PAPER = 4.0  # the paper's model's errors over those of the robust model


def made(study, factor):
    """Errors that fall to those of all events, by event alike."""
    base = np.random.default_rng(0).uniform(1, 3, 150)
    found = []
    for trial in study.trials("colombia", "bulletin", "paper"):
        left = 0.0 if trial["n_train"] is study.ALL else 1 / (1 + trial["n_train"])
        size = factor * base * (1 + (FIRST[trial["start"]] - 1) * left)
        result = {"epicentral_km": size.tolist(), "depth_km": (-2 * size).tolist(), "magnitude": (0.1 * size).tolist()}
        found.append({"trial": trial, "result": result, "commit": "abc"})
    return found


@pytest.fixture
def both():
    return made(transfer_robust, 1.0), made(transfer, PAPER)


def test_first_answers_have_rules_of_their_own(both):
    table = findings.verdicts(*both).set_index("ratio")
    physics, good = (table.loc[name] for name in table.index[-2:])
    assert physics.found.value == pytest.approx(1 / PAPER)
    assert good.found.value == pytest.approx(FIRST["other"])
    assert (physics.verdict, good.verdict) == ("supported", "supported")
    assert len(table) == 5
    worse = findings.verdicts(both[0], made(transfer, 0.5)).set_index("ratio")
    assert worse.verdict[physics.name] == "not supported"
    assert worse.verdict[good.name] == "supported"


def test_a_bad_first_answer_is_said_to_be_bad(both, monkeypatch):
    monkeypatch.setitem(FIRST, "other", 3.0)
    table = findings.verdicts(made(transfer_robust, 1.0), both[1])
    assert table.verdict.iloc[-1] == "not supported"


def test_the_page_has_a_row_for_each_model_and_start(both):
    page = findings.table(findings.tabulate(*both))
    assert [*page.columns] == [*findings.SIZES, "all"]
    assert len(page) == 6
    own, papers = (page.loc["Colombia", "own twin", model] for model in ("robust", "paper's"))
    assert float(papers["all"].split()[0]) == pytest.approx(PAPER * float(own["all"].split()[0]), rel=0.1)
    assert page.loc["Colombia", "random weights", "robust"][50] == ""


def test_prose_quotes_the_table(both):
    texts = findings.quoted({"colombia": both[0]}, {"colombia": both[1]})
    assert texts["robust-colombia-transfer-physics"] == "0.25 [0.25, 0.25]"
    assert {"robust-colombia-twin-all", "robust-colombia-other-0-magnitude"} < set(texts)


def test_other_events_are_refused(both):
    short = [{**both[1][0], "result": {"epicentral_km": [1.0]}}]
    with pytest.raises(DataError, match="run both again"):
        findings.joined(both[0], short)
