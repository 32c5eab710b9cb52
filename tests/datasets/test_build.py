import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import yaml

from seisbook import records
from seisbook.catalogues import networks
from seisbook.datasets import build, library, store
from seisbook.datasets.graphs import EventDataset
from seisbook.errors import DataError, UserError
from seisbook.measures import seismicity
from seisbook.paths import DATA


def build_simulated(out, **changes):
    options = {"network": "ridgecrest", "source": "simulated", "n_events": 30, "progress": False} | changes
    return build.build(out=out, **options)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    return build_simulated(tmp_path_factory.mktemp("built") / "one")


def test_same_bytes_whatever_the_number_of_workers(tmp_path, simulated):
    again = build_simulated(tmp_path / "two", n_jobs=2)
    for name in ("waveforms.hdf5", "metadata.csv"):
        assert (again / name).read_bytes() == (simulated / name).read_bytes(), name


def test_another_seed_gives_other_waveforms(tmp_path, simulated):
    other = build_simulated(tmp_path / "other", random_state=1)
    assert (other / "waveforms.hdf5").read_bytes() != (simulated / "waveforms.hdf5").read_bytes()


def test_metadata_are_seisbenchs_and_complete(simulated):
    table = pd.read_csv(simulated / "metadata.csv")
    needed = "source_id source_magnitude source_depth_km station_code station_latitude_deg trace_start_time trace_name"
    needed += " trace_sampling_rate_hz trace_p_arrival_sample trace_s_arrival_sample source_text source_text_kind"
    assert set(needed.split()) <= set(table.columns)
    assert table[["station_latitude_deg", "source_magnitude", "trace_amplitude_nm"]].notna().all(axis=None)
    assert set(table.trace_p_status) <= {"simulated", "predicted"}


def test_window_begins_a_random_lead_before_the_first_onset(simulated):
    table = pd.read_csv(simulated / "metadata.csv")
    first = table.groupby("source_id")[["trace_p_arrival_sample", "trace_s_arrival_sample"]].min().min(axis=1) / 50
    assert first.between(2 - 0.02, 5 + 0.02).all()
    assert first.std() > 0.5
    origin = pd.to_datetime(table.source_origin_time, format="ISO8601")
    start = pd.to_datetime(table.trace_start_time, format="ISO8601")
    before_origin = (start - origin).dt.total_seconds().groupby(table.source_id).first()
    assert before_origin.std() > 0.5, "the window tells the origin time"


def test_peak_of_the_trace_is_the_amplitude_of_its_metadata(simulated):
    dataset = EventDataset(simulated)
    within = 0
    for index in range(len(dataset)):
        rows = dataset.metadata.iloc[dataset.rows[dataset.source_ids[index]]]
        peaks = dataset[index].x.abs().amax(dim=(1, 2)).numpy()
        within += np.sum(np.abs(peaks / rows.trace_amplitude_nm - 1) < 0.01)
    assert within > 0.95 * len(dataset.metadata)


def test_description_says_what_is_there(simulated):
    text = build.describe(simulated)
    assert "ridgecrest, source simulated, 30 events" in text
    assert "unit nm" in text


def test_own_catalogue_on_own_network(tmp_path):
    """What a user does: one YAML file, one QuakeML file."""
    content = yaml.safe_load((DATA / "networks/ridgecrest.yaml").read_text())
    content |= {"name": "mine", "zones": []}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content))
    catalogue = build.read(networks.load("ridgecrest"), "simulated", 12)
    catalogue_to_quakeml(catalogue).write(str(tmp_path / "mine.xml"), format="QUAKEML")
    out = build_simulated(
        tmp_path / "set",
        network=tmp_path / "mine.yaml",
        source="bulletin",
        n_events=None,
        catalogue_files=[tmp_path / "mine.xml"],
    )
    made = pd.read_csv(out / "metadata.csv").drop_duplicates("source_id")
    assert len(made) == 12
    np.testing.assert_allclose(sorted(made.source_magnitude), sorted(catalogue.events.source_magnitude), atol=1e-6)


def test_an_event_of_two_files_is_kept_once(tmp_path):
    catalogue = build.read(networks.load("ridgecrest"), "simulated", 6)
    catalogue_to_quakeml(catalogue.head(4)).write(str(tmp_path / "a.xml"), format="QUAKEML")
    catalogue_to_quakeml(catalogue).write(str(tmp_path / "b.xml"), format="QUAKEML")
    files = [tmp_path / "a.xml", tmp_path / "b.xml"]
    joined = build.read(networks.load("ridgecrest"), "bulletin", files=files)
    assert len(joined) == 6
    assert not joined.readings.duplicated(["source_id", "station_code"]).any()
    assert sum("an earlier catalogue has it" in line for line in joined.skipped) == 4


def test_events_that_no_station_read_are_reported():
    network = networks.load("ridgecrest")
    catalogue = build.read(network, "simulated", 3)
    silent = catalogue.events.index[1]
    catalogue.readings = catalogue.readings[catalogue.readings.source_id != silent]
    assert len(list(build.rendered(catalogue, network))) == 2
    assert catalogue.skipped == [f"{silent}: event left out: no station of the network read it"]


def test_a_dataset_without_events_says_why(tmp_path):
    with pytest.raises(UserError, match=r"set\.v1: there is no event to write: another \(the last of 2 remarks\)"):
        store.write([], tmp_path / "set.v1", {"unit": "nm", "skipped": ["one thing", "another"]}, 50.0, progress=False)
    assert not list(tmp_path.iterdir())


def catalogue_to_quakeml(catalogue):
    from obspy import UTCDateTime
    from obspy.core import event as qml

    events = []
    for source_id, row in catalogue.events.iterrows():
        time_ = UTCDateTime(ns=row.source_origin_time.as_unit("ns").value)
        origin = qml.Origin(
            time=time_,
            latitude=row.source_latitude_deg,
            longitude=row.source_longitude_deg,
            depth=1000 * row.source_depth_km,
        )
        event = qml.Event(origins=[origin], magnitudes=[qml.Magnitude(mag=row.source_magnitude, magnitude_type="ML")])
        for _, reading in catalogue.readings[catalogue.readings.source_id == source_id].iterrows():
            for phase in "PS":
                travel = reading[f"path_{phase.lower()}_travel_s"]
                if np.isfinite(travel):
                    stream = qml.WaveformStreamID(network_code="CI", station_code=reading.station_code)
                    pick = qml.Pick(time=time_ + travel, waveform_id=stream, phase_hint=phase)
                    event.picks.append(pick)
                    origin.arrivals.append(qml.Arrival(pick_id=pick.resource_id, phase=phase))
        events.append(event)
    return qml.Catalog(events)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"network": "atlantis"}, "choose one of colombia"),
        ({"catalogue_files": ["x.xml"]}, "not with simulated"),
        ({"source": "waveform"}, "--waveforms"),
        ({"network": "iceland", "source": "bulletin"}, "no bulletin of 'iceland'.*--catalogue"),
        ({"source": "bulletin", "waveform_folder": "."}, "not with bulletin"),
        ({"source": "waveform", "catalogue_files": ["x.xml"]}, "give the folder of its files with --waveforms"),
        ({"source": "waveform", "waveform_folder": "gone"}, "gone: no such folder"),
    ],
)
def test_what_cannot_be_built_is_said(tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        build_simulated(tmp_path / "set", **options)
    assert not (tmp_path / "set").exists()


def test_unreadable_inventory_is_named(tmp_path):
    (tmp_path / "stations.xml").write_text("nonsense")
    with pytest.raises(DataError, match=r"stations\.xml: not an inventory"):
        build._read_inventory(tmp_path / "stations.xml")


def test_killed_build_leaves_no_dataset(tmp_path):
    out = tmp_path / "set"
    command = [
        sys.executable,
        "-m",
        "seisbook.cli",
        "data",
        "build",
        "--network",
        "ridgecrest",
        "--source",
        "simulated",
    ]
    process = subprocess.Popen([*command, "--events", "3000", "--out", str(out)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".set.*.part/waveforms.hdf5.part")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    assert process.poll() is None, "the build ended before it could be killed"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()
    with pytest.raises(UserError):
        store.read_card(out)


def test_provenance_tells_real_from_simulated():
    catalogue = build.read(networks.load("ridgecrest"), "simulated", 5)
    assert "shows simulated data" in build.provenance([catalogue])
    catalogue.source = "bulletin"
    assert "5 real events" in build.provenance([catalogue])


def test_real_colombian_bulletin_is_kept_whole(tmp_path, real_data, bulletin):
    catalogue = bulletin("colombia", None)
    dropped = [line for line in catalogue.skipped if "left out" in line and "event" in line]
    assert len(catalogue) + len(dropped) == 1095
    out = build_simulated(tmp_path / "set", network="colombia", source="bulletin", n_events=40)
    dataset = EventDataset(out)
    assert len(dataset) == 40
    assert dataset[0].x.shape[1:] == (3, 2400)


def test_real_icelandic_waveforms_become_a_dataset(tmp_path, real_data):
    dataset = EventDataset(build_simulated(tmp_path / "set", network="iceland", source="waveform", n_events=None))
    assert len(dataset) == 27
    assert all(dataset[index].num_nodes == 12 for index in (0, 13, 26))
    assert dataset.card["unit"] == "counts"
    # a window that reached beyond the records, which are cut about the origin time, would tell it
    assert (dataset.metadata.trace_missing_share == 0).all()


def test_record_of_the_real_catalogues_is_current(real_data, bulletin):
    """The committed record is what the code computes from the real bulletins today."""
    from seisbook.physics.traveltimes import TravelTimes

    network = networks.load("ridgecrest")
    fresh = seismicity.summarise(bulletin("ridgecrest", None), network, TravelTimes(network.velocity_model))
    committed = seismicity.Summary.from_record(records.read(records.path_of("catalogues"))[1]["ridgecrest"])
    assert fresh.quoted() == committed.quoted()


def test_workers_that_need_the_same_events_build_them_once(tmp_path, monkeypatch, caplog):
    from concurrent.futures import ThreadPoolExecutor

    built, before = [], build.build

    def counted(*arguments, **options):
        built.append(arguments)
        return before(*arguments, **options)

    monkeypatch.setattr(library, "BUILD", tmp_path)
    monkeypatch.setattr(build, "build", counted)
    network = networks.load("ridgecrest")
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: library.load_events(network, "simulated", 4, 0, False), range(3)))
    assert [len(events) for events in found] == [4, 4, 4]
    assert len(built) == 1
    assert len(list((tmp_path / "data").iterdir())) == 1
