"""An event that several catalogues hold is one event, and two events of a swarm stay two."""

import pandas as pd
import pytest

from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.duplicates import joined
from tests.made_up import event, reading

START = pd.Timestamp("2018-02-01", tz="UTC")


def made(*events, readings=1):
    """A catalogue of events (name, seconds, degrees north, error in km) with so many readings each."""
    rows = [
        event(
            name,
            source_origin_time=START + pd.Timedelta(seconds, "s"),
            source_latitude_deg=4 + north,
            source_latitude_uncertainty_km=error,
        )
        for name, seconds, north, error in events
    ]
    stations = [reading(name, f"S{i}") for name, *_ in events for i in range(readings)]
    return Catalogue.from_rows("toy", "bulletin", rows, stations)


def names(*parts):
    return joined(parts, [f"{letter}.xml" for letter in "abc"[: len(parts)]]).events.index.tolist()


def test_the_same_event_of_two_agencies_is_one():
    whole = joined([made(("one", 0, 0, None)), made(("other", 1.8, 0.05, None))], ["a.xml", "b.out"])
    assert whole.events.index.tolist() == whole.readings.source_id.unique().tolist() == ["one"]
    assert whole.skipped == ["b.out: event other left out: an earlier catalogue has it (a.xml: one)"]
    assert "file" not in whole.events


def test_the_entry_with_more_readings_is_kept():
    whole = joined([made(("one", 0, 0, None)), made(("other", 1, 0, None), readings=4)], ["a.xml", "b.out"])
    assert whole.events.index.tolist() == ["other"]
    assert len(whole.readings) == 4
    (remark,) = whole.skipped
    assert remark == "a.xml: event one left out: a later catalogue has it with more readings (b.out: other)"


@pytest.mark.parametrize(
    ("seconds", "north", "error", "same"),
    [(2.5, 0.1, None, True), (5, 0, None, False), (0, 0.3, None, False), (5, 0.3, 15.0, True), (30, 0, 500.0, False)],
)
def test_how_far_apart_depends_on_the_stated_errors(seconds, north, error, same):
    found = names(made(("one", 0, 0, error)), made(("other", seconds, north, error)))
    assert found == ["one"] + ["other"] * (not same)


def test_a_swarm_is_paired_event_by_event():
    """Two events 2.5 s apart, the second of which the other catalogue has, with a third one."""
    assert names(made(("A", 0, 0, None), ("B", 2.5, 0, None)), made(("B'", 2.4, 0, None), ("C", 4.9, 0, None))) == [
        "A",
        "B",
        "C",
    ]


def test_different_events_of_one_name_are_both_kept():
    whole = joined([made(("one", 0, 0, None)), made(("one", 900, 0, None), readings=2)], ["a.xml", "b.xml"])
    assert whole.events.index.tolist() == ["one", "one_2"]
    assert whole.readings.source_id.tolist() == ["one", "one_2", "one_2"]
    assert not whole.skipped


def test_three_files_and_an_empty_one():
    assert names(made(("one", 0, 0, None)), made(), made(("two", 0.5, 0, None), ("three", 50, 0, None))) == [
        "one",
        "three",
    ]
