import pytest

from seisbook.findings import real
from seisbook.findings import real_eqtransformer as findings
from seisbook.measures.estimates import Estimate


@pytest.fixture(scope="module")
def compared():
    return findings.compare(findings.load(), real.load())


def test_all_methods_are_judged_on_the_same_events(compared):
    assert next(iter(compared.method)) == "robust model"
    assert compared.deciding.sum() == 1
    assert compared.located.max() == 27
    assert compared.ours_over.isna().sum() == 1
    assert compared.p_picks.notna().sum() == 3  # the classical pipelines beside it have no shares


def test_an_event_without_a_location_counts_with_the_largest_error():
    one = {"epicentral_km": [1.0] * 20 + [None] * 7, "depth_km": [0.0] * 27, "p_off_s": [0.1, None], "s_off_s": [0.9]}
    records = [{"trial": {"least_probability": 0.1}, "result": one}]
    row = findings.compare(records, real.load()).set_index("method").loc["classical, EQTransformer's picks from 0.1"]
    assert (row.located, row.p_picks, row.s_picks) == (20, 0.5, 0.0)
    assert row.epicentre_km.value == 1.0
    assert row.epicentre_km.high > 1 or row.ours_over.value > 0


@pytest.mark.parametrize(
    ("over", "word"), [((0.5, 0.4, 0.9), "ahead"), ((2, 1.1, 3), "behind"), ((1, 0.5, 2), "undecided")]
)
def test_the_verdict_follows_the_interval(compared, over, word):
    changed = compared.copy()
    changed["ours_over"] = [Estimate(*over) if deciding else None for deciding in compared.deciding]
    assert findings.verdict(changed) == word


def test_the_table_and_the_quotes(compared):
    assert len(findings.table(compared)) == len(compared)
    quotes = findings.quoted(compared)
    assert quotes["eqt-verdict"] == findings.verdict(compared)
    assert set(quotes) == {f"eqt-{name}" for name in ("verdict", "ratio", "located")}
