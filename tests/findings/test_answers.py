"""The first page's answers: they say what most measurements say, and quote the records."""

from dataclasses import replace

import pytest

from seisbook.findings import answers, claims


def test_every_claim_is_in_the_answer_of_one_question(tested):
    named = [name for names, _ in answers.QUESTIONS.values() for name in names]
    assert len(named) == len(set(named))
    assert {claim.id for claim in tested} <= set(named)


@pytest.mark.parametrize(
    ("verdicts", "lead"),
    [
        (("supported", "supported"), "Yes, by every measurement (2 measurements: 2 supported)."),
        (("supported", "supported", "not supported"), "Mostly, yes"),
        (("not supported", "not supported", "supported"), "Mostly, no"),
        (("inconclusive", "inconclusive", "supported"), "Most measurements cannot decide"),
        (("supported", "inconclusive", "not supported", "supported"), "In part"),
    ],
)
def test_the_lead_follows_the_majority(tested, verdicts, lead):
    assert answers.said([replace(tested[0], verdict=verdict) for verdict in verdicts]).startswith(lead)


def test_a_question_whose_studies_were_not_run_waits(tested):
    waiting = [replace(claim, verdict=claims.NOT_RUN) if claim.id == "C10" else claim for claim in tested]
    assert "Does text correct bias?" in answers.answers(tested)
    assert "Does text correct bias?" not in answers.answers(waiting)


def test_errors_are_those_of_the_records(tested):
    text = answers.answers(tested)
    for network, place in answers.PLACES.items():
        for measured in (answers.LOCATED, answers.LOCATED + answers.ROBUST):
            (claim,) = (one for one in tested if (one.id, one.network, one.measured) == ("C1", network, measured))
            assert f"{claim.estimate:.2g} km by the" in text
        assert place in text


def test_an_answer_without_its_measurement_is_an_error(tested):
    others = [claim for claim in tested if claim.measured != answers.LOCATED]
    with pytest.raises(KeyError, match="median epicentral error"):
        answers.answers(others)
