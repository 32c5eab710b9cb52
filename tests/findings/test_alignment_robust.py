import numpy as np
import pytest

from seisbook.findings import alignment_robust as findings
from seisbook.findings import claims
from seisbook.measures.retrieval import balanced
from seisbook.studies.arms import PLAIN


def trials(recall, accuracy, classes=("tectonic", "induced"), n=200):
    """Trials of a corpus whose events find their text, and their class, with these shares."""
    rng = np.random.default_rng(0)
    found = []
    for masking in ("none", "numbers", "places"):
        for seed in range(2):
            rank = np.where(rng.random(n) < recall, 1.0, 50.0).tolist()
            truth = (np.arange(n) % 2).tolist()
            right = rng.random(n) < accuracy
            predicted = np.where(right, truth, 1 - np.array(truth)).tolist() if classes else None
            result = {"rank": rank, "truth": truth, "predicted": predicted, "classes": list(classes)}
            found.append({"trial": {**PLAIN, "masking": masking, "seed": seed}, "result": result})
    return found


def test_the_better_tower_is_found_event_by_event():
    rows = findings.compared(trials(0.8, 0.5), trials(0.5, 0.9))
    assert len(rows) == 6
    retrieval, zero_shot = ([row for row in rows if row["question"] == name] for name in findings.QUESTIONS)
    assert {row["verdict"] for row in retrieval} == {"supported"}
    assert {row["verdict"] for row in zero_shot} == {"not supported"}
    for row in rows:
        assert row["low"] < row["value"] < row["high"]
        assert row["value"] == pytest.approx(row["robust"] - row["paper"])


def test_the_same_tower_is_no_better():
    same = trials(0.7, 0.7)
    assert {(row["value"], row["verdict"]) for row in findings.compared(same, same)} == {(0.0, "inconclusive")}


def test_events_of_one_class_are_only_found():
    rows = findings.compared(trials(0.8, 0.5, ()), trials(0.5, 0.5, ()))
    assert {row["question"] for row in rows} == {"retrieval"}


def test_events_without_a_choice_of_texts_do_not_count():
    ours, theirs = trials(0.8, 0.5, ()), trials(0.5, 0.5, ())
    for record in [*ours, *theirs]:
        record["result"]["rank"][:20] = [None] * 20
    row = findings.compared(ours, theirs)[0]
    assert row["robust"] == pytest.approx(0.8, abs=0.1)
    assert row["low"] < row["value"] < row["high"]


def test_the_page_and_the_prose_show_each_question():
    corpus = {"network": "colombia", "compared": findings.compared(trials(0.8, 0.9), trials(0.5, 0.5))}
    page = findings.table({"corpora": {"colombia-bulletin": corpus}})
    assert len(page) == 6
    assert page.loc["Colombia", "retrieval: recall at 5", "in full"]["better tower"] == "supported"
    said = findings._differences({"corpora": {"colombia-bulletin": corpus}})
    assert said["robust-colombia-bulletin-better-retrieval-none"].startswith("0.3")
    assert said["robust-colombia-bulletin-tower-retrieval-none"] == "better than"


def test_balanced_differences_are_those_of_the_balanced_values():
    new, old = np.array([[0, 1.0], [0, 0.0], [1, 1.0]]), np.array([[0, 0.0], [0, 0.0], [1, 1.0]])
    assert balanced(new - [0, 1] * old) == balanced(new) - balanced(old)


def test_the_ledger_has_the_robust_tower_beside_the_papers():
    for name, rows in (("C9", 4), ("C10", 6)):
        measured = [claim.measured for claim in claims.claims(name)]
        robust = [text for text in measured if text.endswith(", robust model")]
        assert len(robust) >= rows
        assert len(measured) > len(robust)


def test_the_books_record_is_of_real_events():
    content = findings.load()
    assert {(one["network"], one["source"]) for one in content["corpora"].values()} == set(findings.BULLETINS)
    assert {row["question"] for one in content["corpora"].values() for row in one["compared"]} == set(
        findings.QUESTIONS
    )
