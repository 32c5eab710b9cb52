"""New events for a model: picks without hypocentres, files of events, continuous records; no label leaks."""

from dataclasses import replace

import numpy as np
import obspy
import pytest
from obspy.core import inventory as station_xml
from obspy.core.inventory import response

from seisbook.catalogues import networks, quakeml
from seisbook.catalogues.geodesy import distance_azimuth, path_geometry
from seisbook.datasets import new_events, picked_events, recorded_events
from seisbook.datasets.graphs import EventDataset
from seisbook.errors import DataError, UserError
from seisbook.measures import location
from seisbook.models import checkpoints, robust_checkpoints
from seisbook.physics import simulation

EVENTS = 10
RIDGECREST = networks.load("ridgecrest")


@pytest.fixture(scope="module")
def truth():
    return simulation.simulate(RIDGECREST, EVENTS, 78)


@pytest.fixture(scope="module")
def model():
    return robust_checkpoints.load(checkpoints.MODELS / "ridgecrest-robust-random-0")


def picks_alone(truth, path):
    """QuakeML of the picks and amplitudes, without origins and magnitudes."""
    quakeml.write(truth, path)
    events = obspy.read_events(str(path), format="QUAKEML")
    for event in events:
        event.origins, event.magnitudes, event.preferred_origin_id = [], [], None
    events.write(str(path), format="QUAKEML")
    return path


def located(model, inputs):
    trained, card = model
    with new_events.opened(inputs, RIDGECREST, card.config, card.ground.centre) as (dataset, notes):
        return list(location.locate(card.locator(trained), dataset, False, None, notes))


@pytest.fixture(scope="module")
def found(model, truth, tmp_path_factory):
    return located(model, [picks_alone(truth, tmp_path_factory.mktemp("new") / "picks.xml")])


def test_events_that_nobody_has_located_are_located_and_sized(found, truth):
    assert len(found) == EVENTS
    labels = truth.events.sort_values("source_origin_time")
    places = [one.latitude for one in found], [one.longitude for one in found]
    away, _ = distance_azimuth(labels.source_latitude_deg, labels.source_longitude_deg, *places)
    assert np.median(away) < 2.5
    assert np.median(np.abs([one.magnitude for one in found] - labels.source_magnitude)) < 0.3
    assert all("rendered from its picks" in one.remarks for one in found)


def test_the_answer_does_not_depend_on_a_hypocentre_in_the_file(model, truth, found, tmp_path):
    events = truth.events.assign(source_latitude_deg=35.0, source_longitude_deg=-118.5, source_depth_km=40.0)
    quakeml.write(replace(truth, events=events), tmp_path / "misled.xml")
    misled = located(model, [tmp_path / "misled.xml"])
    away = [
        float(distance_azimuth(one.latitude, one.longitude, other.latitude, other.longitude)[0])
        for one, other in zip(found, misled, strict=True)
    ]
    assert np.median(away) < 1.0  # the noise differs with the name of the event


def test_distances_follow_from_the_onsets(truth):
    rows = truth.readings[truth.readings.source_id == truth.events.index[0]].reset_index(drop=True)
    true = path_geometry(replace(truth, readings=rows), RIDGECREST).path_hyp_distance_km
    late = rows.assign(path_p_travel_s=rows.path_p_travel_s + 100, path_s_travel_s=rows.path_s_travel_s + 100)
    near = picked_events.distances_km(late, RIDGECREST.velocity_model)
    assert np.abs(np.log(near / true)).max() < 0.5


def test_without_amplitudes_it_is_said_what_the_magnitude_is(truth):
    rows = truth.readings[truth.readings.source_id == truth.events.index[0]].reset_index(drop=True)
    silent = rows.assign(trace_amplitude_nm=np.nan)
    assert picked_events.completed(rows, RIDGECREST, np.nan)[1] == []
    assert "means nothing" in picked_events.completed(silent, RIDGECREST, np.nan)[1][0]
    assert "repeats the catalogue" in picked_events.completed(silent, RIDGECREST, 2.5)[1][0]


def test_an_onset_that_was_not_read_stays_absent(truth):
    rows = truth.readings[truth.readings.source_id == truth.events.index[0]].reset_index(drop=True)
    rows.loc[0, "path_s_travel_s"] = np.nan
    made, _ = picked_events.completed(rows, RIDGECREST, np.nan)
    assert np.isnan(made.path_s_travel_s[0])
    assert np.isfinite(made.trace_amplitude_nm).all()


# ------------------------------------------------------------------------------------------------- recorded seismograms


def _stream(onsets, codes, length_s=600.0, rate=50.0):
    """Noise with a burst at each onset, later from station to station."""
    rng = np.random.default_rng(0)
    start = obspy.UTCDateTime(2019, 7, 4)
    stream = obspy.Stream()
    for i, code in enumerate(codes):
        for channel in ("HHZ", "HHN", "HHE"):
            data = rng.standard_normal(round(length_s * rate))
            for onset in onsets:
                first = round((onset + i) * rate)
                data[first : first + round(5 * rate)] += 50 * rng.standard_normal(round(5 * rate))
            header = {"station": code, "channel": channel, "sampling_rate": rate, "starttime": start, "network": "CI"}
            stream.append(obspy.Trace(data.astype("float32"), header))
    return stream


def test_events_in_continuous_records_are_found():
    codes = [one.code for one in RIDGECREST.stations[:6]]
    stream = _stream([100.0, 400.0], codes)
    found = recorded_events.starts(stream, RIDGECREST)
    first = stream[0].stats.starttime
    lead = np.mean(RIDGECREST.window.lead_s)
    assert np.allclose([start - first + lead for start in found], [102, 402], atol=3)


def test_short_records_are_events_and_gaps_part_them():
    codes = [one.code for one in RIDGECREST.stations[:3]]
    first, second = (_stream([5.0], codes, 40.0) for _ in range(2))
    for trace in second:
        trace.stats.starttime += 300
    found = recorded_events.starts(first + second, RIDGECREST)
    assert [start - found[0] for start in found] == [0, 300]


def test_the_window_of_a_file_begins_before_its_event():
    codes = [one.code for one in RIDGECREST.stations[:5]]
    stream = _stream([20.0], codes, 50.0)
    (start,) = recorded_events.starts(stream, RIDGECREST)
    shortest, longest = RIDGECREST.window.lead_s
    assert shortest - 1 < 20.0 - (start - stream[0].stats.starttime) < longest + 1


def test_two_stations_are_too_few_for_a_trigger():
    stream = _stream([100.0], [one.code for one in RIDGECREST.stations[:2]])
    with pytest.raises(DataError, match="one file for each event"):
        recorded_events.starts(stream, RIDGECREST)


def test_files_are_told_apart_by_what_they_hold(truth, tmp_path):
    _stream([5.0], ["CLC", "SRT", "NOWH"], 40.0).write(str(tmp_path / "a.mseed"), format="MSEED")
    quakeml.write(truth, tmp_path / "b.xml")
    (tmp_path / "readme.txt").write_text("words\n")
    kinds = new_events.by_kind([tmp_path])
    assert [path.name for path in kinds["waveform"]] == ["a.mseed"]
    assert [path.name for path in kinds["event"]] == ["b.xml"]
    with pytest.raises(UserError, match="one of the two"):
        new_events._build([tmp_path], RIDGECREST, tmp_path / "out")
    (tmp_path / "b.xml").unlink()
    remarks = []
    made = list(
        recorded_events.records([obspy.read(str(tmp_path / "a.mseed"), format="MSEED")], RIDGECREST, None, remarks)
    )
    assert made[0].traces.station_code.tolist() == ["CLC", "SRT"]
    assert made[0].waveforms.shape == (2, 3, RIDGECREST.window.samples)
    assert "NOWH" in remarks[0]


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match="no such file"), new_events.opened([tmp_path / "no"], RIDGECREST, None, None):
        pass
    with pytest.raises(UserError, match="neither a dataset nor"), new_events.opened([tmp_path], RIDGECREST, None, None):
        pass


def test_recorded_icelandic_events_are_located(real_data):
    """A swarm whose files overlap: the window of a file may hold another event than the one that it is named after."""
    trained, card = robust_checkpoints.load(checkpoints.MODELS / "iceland-robust-twin-0")
    files = sorted((real_data / "iceland").glob("*.m"))[:9]
    network = networks.load("iceland")
    with new_events.opened(files, network, card.config, card.ground.centre) as (dataset, _):
        found = list(location.locate(card.locator(trained), dataset, False))
    assert len(found) == len(files)
    away = []
    for path, one in zip(files, found, strict=True):
        label = path.with_suffix(".event").read_text().splitlines()[1].split(",")
        km, _ = distance_azimuth(one.latitude, one.longitude, float(label[3]), float(label[2]))
        away.append(float(km))
    assert np.median(away) < 3


def test_picks_of_a_national_bulletin_are_rendered(real_data, tmp_path):
    lines = (real_data / "colombia" / "rsnc-2018-02.out").read_text(encoding="latin-1").split("\n")
    ends = [i for i, line in enumerate(lines) if not line.strip()]
    (tmp_path / "few.out").write_text("\n".join(lines[: ends[4]]) + "\n\n", encoding="latin-1")
    network = networks.load("colombia")
    catalogue = picked_events.read(tmp_path / "few.out", network)
    notes = {}
    made = list(picked_events.records(catalogue, network, notes))
    assert len(made) == len(catalogue) == 5
    assert all(said[0] == "rendered from its picks" for said in notes.values())


def test_stationxml_gives_places_and_takes_the_responses_off(tmp_path):
    codes = ["CLC", "SRT", "WBM"]
    _stream([5.0], codes, 40.0).write(str(tmp_path / "a.mseed"), format="MSEED")
    _inventory(codes, 36.5).write(str(tmp_path / "stations.xml"), format="STATIONXML")
    new_events._build([tmp_path], RIDGECREST, tmp_path / "out")
    opened = EventDataset(tmp_path / "out")
    assert opened.unit == "nm"
    assert set(opened.metadata.station_latitude_deg) == {36.5}
    gain = 1e9 / 1e6  # counts to nm of a displacement whose velocity the instrument multiplies by a million
    assert 0 < np.abs(opened[0].x.numpy()).max() < 200 * gain


def _inventory(codes, latitude):
    """Stations whose instruments multiply velocity by a million at all frequencies."""
    flat = response.Response.from_paz([], [], stage_gain=1e6, input_units="M/S", output_units="COUNTS")
    place = {"latitude": latitude, "longitude": -117.5, "elevation": 700.0}
    stations = []
    for code in codes:
        channels = [
            station_xml.Channel(name, "", depth=0, sample_rate=50, response=flat, **place)
            for name in ("HHZ", "HHN", "HHE")
        ]
        stations.append(station_xml.Station(code, channels=channels, **place))
    return station_xml.Inventory([station_xml.Network("CI", stations)])
