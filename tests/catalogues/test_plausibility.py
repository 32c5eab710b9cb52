"""What an earthquake cannot have does not come in, whatever the source, and is said."""

import ast

import numpy as np
import pandas as pd
import pytest

from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.plausibility import possible_catalogue
from tests import structure
from tests.made_up import event, reading


def gated(events, readings=()):
    return possible_catalogue("test", "bulletin", events, list(readings))


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("source_latitude_deg", -90.5, "latitude -90.5 is not within -90 to 90 degrees"),
        ("source_longitude_deg", 181.0, "longitude 181"),
        ("source_depth_km", 12000.0, "depth 12000 is not within -10 to 800 km"),
        ("source_depth_km", -11.0, "depth -11"),
        ("source_depth_km", np.nan, "depth nan"),
        ("source_depth_km", np.inf, "depth inf"),
        ("source_magnitude", 99.9, "magnitude 99.9 is not within -5 to 10"),
        ("source_magnitude", -np.inf, "magnitude -inf"),
        ("source_origin_time", None, "no origin time between 1677 and 2262"),
        ("source_origin_time", "0001-01-01T00:00:00Z", "no origin time"),
        ("source_origin_time", "yesterday", "no origin time"),
    ],
)
def test_an_impossible_event_is_left_out_with_its_readings(column, value, text):
    bad = event("bad", place="a.xml: event 7") | {column: value}
    catalogue = gated([bad, event("good", place="a.xml: event 8")], [reading("bad", "AAA"), reading("good", "AAA")])
    assert catalogue.events.index.tolist() == catalogue.readings.source_id.tolist() == ["good"]
    (remark,) = catalogue.skipped
    assert remark.startswith("a.xml: event 7 left out: ")
    assert text in remark
    assert "place" not in catalogue.events


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("source_latitude_deg", 90.0),
        ("source_longitude_deg", -180.0),
        ("source_depth_km", -2.5),
        ("source_depth_km", 735.0),
        ("source_magnitude", -1.8),
        ("source_magnitude", np.nan),
    ],
)
def test_a_rare_event_is_kept(column, value):
    assert len(gated([event("a") | {column: value}])) == 1


@pytest.mark.parametrize("travel", [-2.01, 601.0, 86404.0, -86396.0, np.inf, -np.inf])
def test_an_onset_of_another_time_is_left_out(travel):
    rows = [reading("a", "AAA", travel, path_s_travel_s=9.0, trace_p_status="manual", trace_p_polarity="positive")]
    catalogue = gated([event("a", place="b.out:12")], rows)
    row = catalogue.readings.iloc[0]
    assert np.isnan([row.path_p_travel_s, row.path_p_residual_s, row.trace_p_weight]).all()
    assert (row.trace_p_status, row.trace_p_polarity, row.path_s_travel_s) == ("", "", 9.0)
    assert catalogue.skipped[0].startswith(f"b.out:12: P at AAA left out: its travel time is {travel:g} s")


def test_a_late_origin_time_is_no_fault():
    rows = [reading("a", "AAA", -0.832, path_s_travel_s=-0.292)]
    assert not gated([event("a")], rows).skipped


def test_a_reading_of_which_nothing_remains_is_left_out():
    rows = [reading("a", "AAA", -500.0), reading("a", "BBB", -500.0, trace_amplitude_nm=3.0)]
    assert gated([event("a")], rows).readings.station_code.tolist() == ["BBB"]


@pytest.mark.parametrize(
    ("weights", "lost"), [((1.0, 1.0), "s"), ((1.0, 0.5), "s"), ((0.25, 1.0), "p"), ((1.0, np.nan), "s")]
)
def test_of_two_onsets_in_the_wrong_order_the_weaker_goes(weights, lost):
    rows = [reading("a", "AAA", 7.0, path_s_travel_s=4.0, trace_p_weight=weights[0], trace_s_weight=weights[1])]
    catalogue = gated([event("a")], rows)
    row = catalogue.readings.iloc[0]
    assert np.isnan(row[f"path_{lost}_travel_s"])
    assert np.isfinite(row[f"path_{'ps'.replace(lost, '')}_travel_s"])
    assert catalogue.skipped == [f"a: {lost.upper()} at AAA left out: S at 4 s is not after P at 7 s"]


@pytest.mark.parametrize("value", [-5.0, 0.0, np.inf, 1e12])
def test_an_impossible_amplitude_is_left_out(value):
    rows = [reading("a", "AAA", trace_amplitude_nm=value, trace_amplitude_period_s=0.5)]
    catalogue = gated([event("a")], rows)
    assert np.isnan(catalogue.readings.trace_amplitude_nm[0])
    assert np.isnan(catalogue.readings.trace_amplitude_period_s[0])
    assert "a: amplitude at AAA left out" in catalogue.skipped[0]


def test_nothing_is_changed_in_a_possible_catalogue():
    rows = [reading("a", "AAA", trace_amplitude_nm=5.0), reading("b", "AAA", path_s_travel_s=3.0)]
    events = [event("a"), event("b", quality="A")]
    left, right = gated(events, rows), Catalogue.from_rows("test", "bulletin", events, rows)
    pd.testing.assert_frame_equal(left.events, right.events)
    pd.testing.assert_frame_equal(left.readings, right.readings)


def test_an_empty_file_makes_an_empty_catalogue():
    catalogue = gated([])
    assert len(catalogue) == len(catalogue.readings) == 0


def test_every_reader_passes_the_gate():
    """A reader that builds its catalogue of rows would let everything in."""
    around = {
        module.name
        for module in structure.read().values()
        if module.floor in ("catalogues", "datasets") and module.name != "seisbook.catalogues.plausibility"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr == "from_rows"
    }
    assert not around, "build the catalogue with possible_catalogue"
