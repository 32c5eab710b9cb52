import copy

import pytest

from seisbook.findings import real
from seisbook.findings import real_full as findings
from seisbook.studies import real_full as study


@pytest.fixture(scope="module")
def others():
    return real.load()


@pytest.fixture
def records(others):
    """Arms of `real` under the names of this study; errors of the full twin are a tenth, those of onsets tenfold."""
    made = [{"trial": {"test": "hours", "axis": "none"}, "result": {"level": [-0.3, 0.0, 0.3], "daily_share": 0.04}}]
    taken = {**findings.SMALLER, findings.HOURLY: real.ZERO_SHOT}
    factors = {findings.FULL: 0.1, findings.HOURLY: 0.1, findings.ONSETS: 10.0}
    for arm, name in taken.items():
        for record in copy.deepcopy(real.of(others, "located", arm=name, axis="none")):
            errors = record["result"]["epicentral_km"]
            record["result"]["epicentral_km"] = [factors.get(arm, 1.0) * value for value in errors]
            made.append({"trial": {**record["trial"], "arm": arm}, "result": record["result"]})
    return made


def test_names_are_those_of_the_studies(others):
    assert set(findings.TITLES) == set(study.ARMS)
    assert set(findings.SMALLER.values()) <= {record["trial"]["arm"] for record in others}
    assert set(findings.RUNGS) | set(findings.RUNGS.values()) == set(study.ARMS)
    for arm, smaller in findings.SMALLER.items():
        assert study.ARMS[arm] == study.real.ARMS[smaller]


def test_an_ingredient_is_compared_with_the_arm_that_lacks_it(records, others):
    rows = findings.rungs(records, others).set_index(["arm", "over", "unit"])
    assert rows.verdict[findings.FULL, findings.RENDERED, "counts"] == "helps"
    assert rows.verdict[findings.ONSETS, findings.FULL, "counts"] == "harms"
    assert rows.ratio[findings.HOURLY, findings.FULL, "displacement"].value == pytest.approx(1.0)
    assert rows.verdict[findings.HOURLY, findings.FULL, "displacement"] == "undecided"


def test_more_events_are_compared_with_the_same_arm_of_the_smaller_study(records, others):
    rows = findings.rungs(records, others)
    more = rows[rows.over == findings.FEWER].set_index(["arm", "unit"])
    assert more.ratio[findings.RENDERED, "counts"] == (1.0, 1.0, 1.0)
    assert more.ratio[findings.FULL, "counts"].value == pytest.approx(0.1)
    assert more.ratio[findings.ONSETS, "displacement"].value == pytest.approx(10.0)


def test_everything_can_be_printed_and_quoted(records, others):
    assert len(findings.ladder_table(findings.ladder(records))) == 8
    assert len(findings.rungs_table(findings.rungs(records, others))) == 6
    assert findings.targets_table(findings.targets(records)).shape == (6, 4)
    quoted = findings.quoted(records)
    assert (quoted["full-hours"], quoted["full-hours-noisiest"]) == ("3", "2.0")
    rungs = findings.rungs(records, others).set_index(["arm", "over", "unit"])
    assert list(rungs.xs("counts", level="unit").loc[findings.FULL].verdict) == ["helps"] * 2
