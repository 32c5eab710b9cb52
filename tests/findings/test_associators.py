import numpy as np
import pytest

from seisbook.errors import DataError
from seisbook.findings import associators
from seisbook.studies import associators as associators_study

N = 60
FACTORS = {
    "pyocto": 0.5,
    "pyocto with station terms": 1.0,
    "classical, terms chosen": 2.0,
    "dynamic": 1.0,
    "classical": 4.0,
}


def result(name, fold):
    """Errors of a fold's events, which a factor makes larger or smaller for all of them alike."""
    size = FACTORS[name] * np.random.default_rng(fold).uniform(1, 3, N)
    return {
        "source_id": [f"{fold}-{i}" for i in range(N)],
        "epicentral_km": size.tolist(),
        "depth_km": (-2 * size).tolist(),
        "found": [i > 5 for i in range(N)],
        "terms": fold > 2,
        "ms": 10.0 + fold,
    }


@pytest.fixture
def records():
    first = associators_study.trials("colombia", "bulletin", "paper")
    trials = [{**trial, "fold": fold} for fold in range(5) for trial in first if trial["fold"] == 0]
    return [{"trial": trial, "result": result(trial["arm"], trial["fold"])} for trial in trials]


def run_of(model, split, fold):
    """The run's events stand in another order than the study's."""
    errors = result(model, fold)
    return {"errors": {name: errors[name][::-1] for name in ("source_id", "epicentral_km", "depth_km")}}


def test_ratios_are_paired_by_event(records):
    table = associators.tabulate(records, run_of).set_index("arm")
    assert list(table.index) == [*associators.TITLES_OF_ARMS, *associators.COMPARED]
    assert (table.events == 5 * N).all()
    for arm, row in table.iterrows():
        assert row.over_dynamic == pytest.approx([FACTORS[arm]] * 3)
        assert row.over_classical == pytest.approx([FACTORS[arm] / 4] * 3)
    assert table.depth_km["pyocto"].value == pytest.approx(2 * table.epicentral_km["pyocto"].value)
    one = table.loc["pyocto"]
    assert (one.found, one.ms, one.with_terms) == (pytest.approx(0.9), 12.0, 2)


def test_other_events_are_refused(records):
    records[0]["result"]["source_id"][0] = "elsewhere"
    with pytest.raises(DataError, match="run the study again"):
        associators.tabulate(records, run_of)


def test_rules_look_at_intervals(records):
    quotes = associators.quoted({"colombia": associators.tabulate(records, run_of)})
    assert quotes["colombia-pyocto-against-dynamic"] == "ahead"
    assert quotes["colombia-pyocto-with-station-terms-against-dynamic"] == "level"
    assert quotes["colombia-classical-terms-chosen-against-dynamic"] == "behind"
    assert quotes["colombia-classical-terms-chosen-folds-with-terms"] == "2"
    assert quotes["colombia-classical-terms-chosen-over-classical"] == "0.50 [0.50, 0.50]"


def test_the_page_shows_what_there_is(records):
    table = associators.table(associators.tabulate(records, run_of))
    assert table.loc["PyOcto", "found (%)"] == "90.0"
    assert table.loc["PyOcto", "folds with terms"] == "2 of 5"
    assert table.loc["dynamic (ours)", ["found (%)", "over dynamic"]].tolist() == ["", ""]
    assert table.loc["classical", "over dynamic"] == "4.00 [4.00, 4.00]"
