"""Texts that a spreadsheet would run, in a dataset's table and back."""

import csv

import pandas as pd
import pytest

from seisbook.datasets import graphs, spreadsheets, store
from tests.datasets.test_store import CARD, RATE, record

FORMULAS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "@SUM(A1)",
    "+A1",
    "-A1",
    "-- felt in town",
    " =1",
    "\t=1",
    "＝1+1",
    "-1+1",
    "=",
    "-",
]
HARMLESS = ["felt -5 km away", "a=b", "-5", "+1.5e3", "-.5", "", "'quoted'", "'", "M 2.1, 3 km", "'s-Hertogenbosch"]
WITH_APOSTROPHES = ["'=1", "''=1", "' -A1"]
TEXTS = [*FORMULAS, *HARMLESS, *WITH_APOSTROPHES]


def test_no_text_begins_like_a_formula():
    guarded = spreadsheets.guarded(pd.DataFrame({"text": TEXTS}))["text"].tolist()
    assert guarded[len(FORMULAS) : -len(WITH_APOSTROPHES)] == HARMLESS
    assert all(text.startswith("'") for text in guarded[: len(FORMULAS)])
    assert len(set(guarded)) == len(TEXTS)


def test_every_text_comes_back_and_numbers_stay_numbers():
    values = [-1, -2.5, True, None, float("nan"), "-5", "=1"] + [1] * (len(TEXTS) - 7)
    times = pd.to_datetime(["2018-02-01"] * len(TEXTS), utc=True)
    table = pd.DataFrame({"text": TEXTS, "mixed": values, "number": -1.0, "time": times, "-name": 1})
    table.index = [0] * len(table)  # as after joining the rows of several events
    guarded = spreadsheets.guarded(table)
    assert guarded.dtypes.equals(table.dtypes)
    assert guarded.mixed.tolist()[:3] == [-1, -2.5, True]
    assert guarded.mixed.tolist()[5:7] == ["-5", "'=1"]
    pd.testing.assert_frame_equal(spreadsheets.restored(guarded), table)


def hostile(number, text):
    """An event whose bulletin and station say `text`."""
    one = record(number, 3)
    one.traces["source_text"] = text
    one.traces["station_code"] = [text, "AAA", "-5"]
    return one


@pytest.fixture
def written(tmp_path):
    events = [hostile(number, text) for number, text in enumerate(FORMULAS)]
    return store.write(events, tmp_path / "set", CARD, RATE, progress=False)


def test_no_cell_of_a_dataset_is_a_formula(written):
    with (written / "metadata.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    for cell in cells:
        assert not cell.strip().startswith(("=", "+", "@", "＝")), cell
        assert not cell.strip().startswith("-") or float(cell) < 0, cell


def test_a_dataset_gives_texts_back_as_they_were(written):
    metadata = graphs.EventDataset(written).metadata
    assert metadata.groupby("source_id", sort=False).source_text.first().tolist() == FORMULAS
    assert metadata.station_code.tolist()[::3] == FORMULAS
    assert metadata.source_longitude_deg.dtype.kind in "fi"
    assert (metadata.source_longitude_deg == -74).all()
