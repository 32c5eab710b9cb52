"""The recorded seismograms that the book knows: real files to datasets, broken files to one line."""

import numpy as np
import pytest

from seisbook.catalogues import networks, openeew, ridgecrest_august, sources, uturuncu
from seisbook.datasets import library, recordings
from seisbook.datasets.graphs import EventDataset
from seisbook.datasets.known_recordings import SOURCES
from seisbook.errors import DataError, UserError

READERS = {
    "uturuncu": uturuncu.read_uturuncu,
    "ridgecrest-waveforms": ridgecrest_august.read_ridgecrest_august,
    "openeew": openeew.read_openeew,
}


def snr_of_p(dataset, least_s=1.3):
    """Ratio of the second after P to the second before it, on the vertical, of each P onset."""
    rate, found = dataset.sampling_rate_hz, []
    for event in (dataset[index] for index in range(len(dataset))):
        for trace, p in zip(event.x[:, 0].numpy(), event.onset[:, 0].numpy(), strict=True):
            if p > least_s * rate:
                p = int(p)
                noise = trace[p - int(1.2 * rate) : p - int(0.2 * rate)].std()
                found.append(trace[p : p + int(rate)].std() / max(noise, 1e-9))
    return np.array(found)


@pytest.mark.parametrize("reader", READERS.values())
def test_an_empty_folder_is_refused_in_one_line(tmp_path, reader):
    with pytest.raises((UserError, DataError), match=str(tmp_path)) as caught:
        reader(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_network_without_records_is_not_known():
    assert not recordings.are_known("colombia", "waveform")
    assert not recordings.are_known("uturuncu", "simulated")
    assert not recordings.are_known("uturuncu", "waveform", ["mine.xml"])
    assert recordings.are_known("uturuncu", "waveform")


def test_every_source_is_a_shipped_network_with_registered_files():
    for name in SOURCES:
        assert networks.load(name).name == name
        assert sources.network_files(name)


# ------------------------------------------------------------------------------------------------------------- Uturuncu


def test_uturuncu_is_read_whole(real_data):
    catalogue = uturuncu.read_uturuncu(real_data / "uturuncu")
    readings = catalogue.readings
    assert len(catalogue) == 50
    early = sum("before the origin time" in line for line in catalogue.skipped)
    far = sum("not within -2" in line for line in catalogue.skipped)
    assert (early, far) == (7, 1)
    assert readings.path_p_travel_s.notna().sum() + early + far == 575
    assert readings.path_s_travel_s.notna().sum() == 114
    assert (readings.trace_p_uncertainty_s[readings.path_p_travel_s.notna()] > 0).all()
    assert catalogue.events.source_magnitude.isna().all()


def test_uturuncu_becomes_displacement_with_p_on_its_onsets(tmp_path, real_data):
    dataset = EventDataset(recordings.build("uturuncu", tmp_path / "set", n_events=3, progress=False))
    assert len(dataset) == 3
    assert dataset.card["unit"] == "nm"
    assert np.median(snr_of_p(dataset)) > 5
    assert all(dataset[index].y[0, 3].isnan() for index in range(3))


@pytest.mark.parametrize("text", [b"", b"\x00\xff" * 100, b'NLLOC "x" "LOCATED" "ok"\nGEOGRAPHIC  nonsense\n'])
def test_a_broken_hyp_file_is_named_in_one_line(tmp_path, text):
    path = tmp_path / uturuncu.HYPOCENTRES / "broken.hyp"
    path.parent.mkdir()
    path.write_bytes(text)
    with pytest.raises(DataError, match=r"broken\.hyp") as caught:
        uturuncu.read_uturuncu(tmp_path)
    assert "\n" not in str(caught.value)


# ----------------------------------------------------------------------------------------------------------- Ridgecrest


def test_ridgecrest_in_august_is_read_whole(real_data):
    catalogue = ridgecrest_august.read_ridgecrest_august(real_data / "ridgecrest-waveforms")
    assert catalogue.events.source_magnitude.tolist() == [1.58, 0.99, 0.74, 0.68]
    assert catalogue.readings.path_p_travel_s.notna().sum() == 30
    assert catalogue.readings.path_s_travel_s.notna().sum() == 21
    assert catalogue.readings.path_p_travel_s.between(1.5, 11).all() or catalogue.readings.path_p_travel_s.isna().any()


def test_ridgecrest_in_august_becomes_displacement(tmp_path, real_data):
    dataset = EventDataset(recordings.build("ridgecrest_august", tmp_path / "set", n_events=1, progress=False))
    assert dataset[0].num_nodes == 16
    assert dataset.card["unit"] == "nm"
    assert dataset[0].y.isfinite().all()
    # magnitude 1.6: after two integrations, P stands out of an accelerometer's noise at the nearest stations only
    assert np.sort(snr_of_p(dataset))[-4:].min() > 3


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("label/1.npy", b"no array", "1.npy"),
        ("location/1.txt", b"1 eq l 2019/08/23 35.9\n", "1.txt:1"),
        ("stations.txt", b"CI|CCC|north|-117|670\n", "stations.txt:1"),
    ],
)
def test_a_broken_file_of_ridgecrest_is_named_in_one_line(tmp_path, name, content, place):
    files = {
        "location/1.txt": b"1 eq l 2019/08/23,08:07:30.260 35.9885 -117.5212 1.91 1.58 l 1.0\n",
        "stations.txt": b"CI|CCC|35.5|-117.4|670.0|Here||\n",
    }
    for path, text in (files | {name: content}).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(text)
    with pytest.raises(DataError, match=place) as caught:
        ridgecrest_august.read_ridgecrest_august(tmp_path)
    assert "\n" not in str(caught.value)


# --------------------------------------------------------------------------------------------------------------- Mexico


def test_mexico_is_read_whole(real_data):
    catalogue = openeew.read_openeew(real_data / "openeew")
    assert len(catalogue) == 17
    assert (catalogue.events.source_magnitude.min(), catalogue.events.source_magnitude.max()) == (4.1, 7.4)
    assert catalogue.events.source_depth_km.isna().all()
    assert (catalogue.readings.trace_p_status == "predicted").all()


def packets(seconds, step=1.0645, clock=0.0):
    """Lines of packets that arrive at these seconds."""
    import json

    line = {"x": [0.0] * 32, "y": [1.0] * 32, "z": [2.0] * 32}
    return [json.dumps({**line, "device_t": 1.5e9 + s * step - clock, "cloud_t": 1.5e9 + s * step}) for s in seconds]


STATION = networks.Station("D000", 19.33, -99.18, 0)


def test_lost_packets_leave_a_gap_and_repeated_ones_count_once(tmp_path):
    path = tmp_path / "00.jsonl"
    path.write_text("\n".join(packets([0, 1, 2, 2, 5, 6])))
    vertical = openeew.read_packets(path, STATION).select(component="Z")
    assert [trace.stats.npts for trace in vertical] == [96, 64]
    assert vertical[0].stats.sampling_rate == pytest.approx(32 / 1.0645)
    assert vertical[1].stats.starttime - vertical[0].stats.starttime == pytest.approx(5 * 1.0645)
    assert (vertical[0].data == 2.0).all()


def test_a_clock_that_is_minutes_off_is_set_by_the_arrivals(tmp_path):
    starts = []
    for clock in (0.0, 700.0):
        path = tmp_path / f"{clock:.0f}.jsonl"
        path.write_text("\n".join(packets(range(5), clock=clock)))
        starts.append(openeew.read_packets(path, STATION)[0].stats.starttime)
    assert starts[1] - starts[0] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(
    "line", ["{", '{"x": [1]}', '{"x": [1], "y": [1], "z": [1], "device_t": 0, "cloud_t": 0}', "[]"]
)
def test_a_broken_packet_is_named_in_one_line(tmp_path, line):
    path = tmp_path / "00.jsonl"
    path.write_text("\n".join([*packets([0, 1]), line]))
    with pytest.raises(DataError, match=r"00\.jsonl:3: .*download it again") as caught:
        openeew.read_packets(path, STATION)
    assert "\n" not in str(caught.value)


def test_a_predicted_onset_only_places_the_window(tmp_path, real_data):
    dataset = EventDataset(recordings.build("mexico", tmp_path / "set", n_events=1, progress=False))
    event = dataset[0]
    assert event.num_nodes >= 13
    assert event.onset.isnan().all()
    assert event.y[0, [0, 1, 3]].isfinite().all()
    assert library.in_memory(tmp_path / "set").y[:, 2].isnan().all()
    assert dataset.metadata.trace_missing_share.median() < 0.5  # its files end 77 s after the origin time
