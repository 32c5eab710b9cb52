"""Locations of new events: what a bulletin lists, QuakeML that ObsPy reads back, and reasons to doubt."""

import json
from dataclasses import replace

import numpy as np
import obspy
import pytest
from obspy.io.quakeml.core import _validate as valid_quakeml

from seisbook import cli
from seisbook.catalogues import located_quakeml
from seisbook.catalogues.geodesy import distance_azimuth
from seisbook.datasets import build
from seisbook.datasets.graphs import open_for
from seisbook.errors import UserError
from seisbook.measures import location
from seisbook.models import checkpoints, robust_checkpoints

MODEL = checkpoints.MODELS / "ridgecrest-robust-random-0"
EVENTS = 12


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """New simulated events, whose labels are exact."""
    folder = tmp_path_factory.mktemp("new") / "new"
    return build.build("ridgecrest", "simulated", folder, n_events=EVENTS, random_state=77, progress=False)


@pytest.fixture(scope="module")
def locator():
    model, card = robust_checkpoints.load(MODEL)
    return card.locator(model)


@pytest.fixture(scope="module")
def found(locator, dataset):
    return list(location.locate(locator, opened(dataset), progress=False))


def opened(dataset):
    """The dataset as the model asks for it."""
    _, card = robust_checkpoints.load(MODEL)
    return open_for(dataset, card.config, card.ground.centre)


def truth(dataset):
    return opened(dataset).metadata.drop_duplicates("source_id").set_index("source_id")


def test_events_are_where_and_when_they_were(found, dataset):
    labels = truth(dataset).loc[[one.source_id for one in found]]
    places = [one.latitude for one in found], [one.longitude for one in found]
    distance, _ = distance_azimuth(labels.source_latitude_deg, labels.source_longitude_deg, *places)
    assert np.median(distance) < 2.0
    late = [(one.time - time).total_seconds() for one, time in zip(found, _times(labels), strict=True)]
    assert np.median(np.abs(late)) < 0.3
    assert np.median(np.abs([one.magnitude for one in found] - labels.source_magnitude)) < 0.3


def _times(labels):
    import pandas as pd

    return pd.to_datetime(labels.source_origin_time, format="ISO8601", utc=True)


def test_labels_are_not_looked_at(locator, dataset, found):
    blank = opened(dataset)
    columns = ["source_latitude_deg", "source_longitude_deg", "source_depth_km", "source_magnitude"]
    blank.metadata = blank.metadata.assign(**dict.fromkeys(columns, np.nan))
    assert list(location.locate(locator, blank, progress=False)) == found


def test_a_stream_of_chunks_is_the_same(locator, dataset, found, monkeypatch):
    monkeypatch.setattr(location, "CHUNK", 5)
    again = list(location.locate(locator, opened(dataset), progress=False))
    assert [one.source_id for one in again] == [one.source_id for one in found]
    np.testing.assert_allclose([one.latitude for one in again], [one.latitude for one in found], atol=1e-4)


def test_ellipses_and_errors_are_lengths(found):
    for one in found:
        assert one.major_km >= one.minor_km > 0
        assert 0 <= one.azimuth_deg < 180
        assert one.depth_error_km > 0
        assert one.magnitude_error > 0
        assert one.onsets == len(one.arrivals)
        assert one.stations == len({arrival.station for arrival in one.arrivals})


def test_reasons_to_doubt_are_said():
    east = np.array([[50.0, 0.0], [60.0, 10.0], [500.0, 5.0]])
    said = location._geometry(east, np.array([True, True, False]), scale_km=20.0)
    assert said["stations"] == 2
    assert said["gap_deg"] > 300
    assert said["remarks"][0] == "only 2 stations"
    assert said["remarks"][1].startswith("azimuthal gap 3")
    assert said["remarks"][2] == "nearest station 50 km away"
    assert location._geometry(east, np.zeros(3, bool), 20.0)["gap_deg"] == 360.0


def test_quakeml_is_valid_and_read_back(found, tmp_path):
    doubted = [replace(found[0], remarks=("only \x07 2 stations",)), *found[1:]]
    path = located_quakeml.write(doubted, tmp_path / "located.xml", 90.0)
    assert valid_quakeml(str(path))
    catalogue = obspy.read_events(str(path), format="QUAKEML")
    assert len(catalogue) == EVENTS
    for event, one in zip(catalogue, found, strict=True):
        origin, magnitude = event.preferred_origin(), event.preferred_magnitude()
        assert origin.latitude == pytest.approx(one.latitude)
        assert origin.depth == pytest.approx(1000 * one.depth_km)
        assert origin.origin_uncertainty.max_horizontal_uncertainty == pytest.approx(1000 * one.major_km)
        assert origin.origin_uncertainty.confidence_level == 90
        assert origin.quality.used_phase_count == one.onsets == len(event.picks) == len(origin.arrivals)
        assert magnitude.mag == pytest.approx(one.magnitude)
        assert abs(origin.time.ns - one.time.value) < 1e4


def test_stations_are_known_wherever_the_origin_of_a_dataset_is(locator, dataset, found):
    """Station terms belong to places in the model's coordinates, not in the dataset's."""
    _, card = robust_checkpoints.load(MODEL)
    elsewhere = opened(dataset)
    assert elsewhere.centre == card.ground.centre
    elsewhere.centre = elsewhere.centre[0] + 0.5, elsewhere.centre[1]
    moved = list(location.locate(locator, elsewhere, progress=False))
    assert max(abs(one.latitude - other.latitude) for one, other in zip(moved, found, strict=True)) > 1e-4


def test_a_dataset_of_another_window_is_refused(locator, tmp_path):
    other = build.build("colombia", "simulated", tmp_path / "other", n_events=3, progress=False)
    with pytest.raises(UserError, match="window of the model's network"):
        list(location.locate(locator, opened(other), progress=False))


def test_a_model_without_travel_times_is_refused(locator, dataset):
    blind = replace(locator, config=replace(locator.config, physics=False))
    with pytest.raises(UserError, match="no travel times"):
        next(location.locate(blind, opened(dataset), progress=False))


def test_the_command_prints_a_table_or_lines_of_json_and_writes_quakeml(dataset, tmp_path, capsys):
    out = tmp_path / "located.xml"
    assert cli.main(["locate", str(dataset), "--model", str(MODEL), "--quakeml", str(out)]) == 0
    table = capsys.readouterr().out
    assert len(table.splitlines()) == EVENTS + 1
    assert out.is_file()
    assert cli.main(["locate", str(dataset), "--model", str(MODEL), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == EVENTS
    assert lines[0]["arrivals"][0]["phase"] in ("P", "S")


def test_the_command_refuses_a_model_of_the_comparison(dataset, capsys):
    other = checkpoints.MODELS / "ridgecrest-dynamic-random-0"
    assert cli.main(["locate", str(dataset), "--model", str(other)]) == 2
    assert "ridgecrest-dynamic-random-0" in capsys.readouterr().err
