"""Datasets are opened in one way, whoever wrote them; what is damaged or refers elsewhere is refused in one line."""

import json
import re
import sys

import h5py
import numpy as np
import pandas as pd
import pytest
import seisbench.data
import torch

from seisbook.datasets import build, opening, store
from seisbook.datasets.events import Events
from seisbook.datasets.graphs import EventDataset
from seisbook.errors import DataError, UserError
from tests.datasets.test_store import CARD, RATE, record, records

FULL = {**CARD, "window_s": 10.0, "sampling_rate_hz": RATE, "skipped": ["one remark"]}


@pytest.fixture
def written(tmp_path):
    return store.write(records(), tmp_path / "set", FULL, RATE, progress=False)


def write_as_seisbench(
    folder, made, order="ZNE", dimensions="CW", chunk="", without=(), rate_of=lambda row: RATE, **format
):
    """Write events as SeisBench's own writer does; `order` names the components Z, N, E as the file has them."""
    folder.mkdir(exist_ok=True)
    rows = [("ZNE".index({"1": "N", "2": "E", "3": "Z"}.get(letter, letter))) for letter in order]
    files = folder / f"metadata{chunk}.csv", folder / f"waveforms{chunk}.hdf5"
    with seisbench.data.WaveformDataWriter(*files) as writer:
        writer.data_format = {"dimension_order": dimensions, "component_order": order, "sampling_rate": RATE, **format}
        for one in made:
            for row, waveform in zip(one.traces.to_dict("records"), one.waveforms, strict=True):
                row = {"trace_sampling_rate_hz": rate_of(row), **row}
                kept = {name: value for name, value in row.items() if name not in without}
                writer.add_trace(kept, waveform[rows] if dimensions == "CW" else waveform[rows].T)
    return folder


# ----------------------------------------------------------------------------------------------------------- our own


def refused(folder, match):
    """Both ways of looking into a dataset refuse it, in one line."""
    for look in (EventDataset, build.describe):
        with pytest.raises(DataError, match=match) as caught:
            look(folder)
        assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", store.FILES)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_changed_byte_is_noticed(written, name, share):
    content = bytearray((written / name).read_bytes())
    content[int(share * len(content))] ^= 1
    (written / name).write_bytes(content)
    named = "" if name == "dataset.json" else name  # a hash that was changed in the card is that of another file
    refused(written, rf"{named}: damaged \(.*\): build the dataset again")


@pytest.mark.parametrize("name", ["metadata.csv", "waveforms.hdf5"])
@pytest.mark.parametrize("content", [b"", b"\0" * 1000, b"\xff\xfe", slice(700)])
def test_a_damaged_file_is_named(written, name, content):
    whole = (written / name).read_bytes()
    (written / name).write_bytes(whole[content] if isinstance(content, slice) else content)
    refused(written, f"{name}: damaged .*: build the dataset again")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[]", "top level: .*dictionary"),
        ("{}", "network: Field required"),
        ("null", "top level"),
        ("", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("1" * 10_000, "not valid JSON"),
        ({"centre": [1.0, 2.0, 3.0]}, "centre: "),
        ({"centre": [91.0, 2.0]}, "centre.0: "),
        ({"n_events": -1}, "n_events: "),
        ({"window_s": float("inf")}, "window_s: "),
        ({"skipped": 3}, "skipped: "),
        ({"sha256": []}, "sha256: "),
        ({"unit": "counts"}, "not the content that was written"),
    ],
)
def test_a_damaged_card_is_named(written, content, reason):
    card = written / "dataset.json"
    card.write_text(content if isinstance(content, str) else json.dumps({**json.loads(card.read_text()), **content}))
    refused(written, rf"dataset\.json: damaged \(.*{reason}.*\): build the dataset again")


def test_a_lost_card_is_noticed(written):
    """The folder is not taken for another program's, whose datasets have no card."""
    (written / "dataset.json").unlink()
    refused(written, r"damaged \(dataset\.json is missing\): build the dataset again")


@pytest.mark.parametrize("name", ["n_events", "n_traces"])
def test_counts_of_card_and_file_are_compared(written, name):
    card = json.loads((written / "dataset.json").read_text())
    hashes = card.pop("sha256")
    del hashes["dataset.json"]
    card[name] += 1
    (written / "dataset.json").write_text(json.dumps(store._sealed(card, hashes)))
    refused(written, rf"metadata\.csv: damaged \({name} is")


def test_lost_rows_of_a_dataset_without_hashes_are_noticed(written):
    """As those are that earlier versions wrote."""
    card = json.loads((written / "dataset.json").read_text())
    del card["sha256"]
    (written / "dataset.json").write_text(json.dumps(card))
    assert len(EventDataset(written)) == 4
    rows = (written / "metadata.csv").read_text().splitlines()
    (written / "metadata.csv").write_text("\n".join(rows[:-2]) + "\n")
    refused(written, r"metadata\.csv: damaged \(n_traces is 12, 14 in dataset\.json\)")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_not_written(tmp_path, value):
    bad = record(1, 3)
    bad.waveforms[2, 1, 7] = value
    with pytest.raises(DataError, match="event e1: the seismogram of station S2 is NaN or infinite"):
        store.write([record(0, 2), bad], tmp_path / "set", CARD, RATE, progress=False)
    for name in ("source_depth_km", *(["trace_p_arrival_sample"] if np.isinf(value) else [])):
        bad = record(1, 3)
        bad.traces.loc[1, name] = value
        with pytest.raises(DataError, match=f"event e1: {name} is missing or infinite"):
            store.write([record(0, 2), bad], tmp_path / "set", CARD, RATE, progress=False)
    assert not list(tmp_path.iterdir())


def test_no_dataset_at_all(tmp_path):
    for folder in (tmp_path, tmp_path / "gone"):
        with pytest.raises(UserError, match=r"not a SeisBook dataset .*make one with `seisbook data build`"):
            EventDataset(folder)


# ------------------------------------------------------------------------------------------------------------- hostile


def secret(tmp_path):
    """A file of somebody else, both as bytes and as HDF5."""
    (tmp_path / "secret").write_bytes(np.full(3000, 7.0, np.float32).tobytes())
    with h5py.File(tmp_path / "secret.hdf5", "w") as file:
        file["x"] = np.full((2, 3, 200), 7.0, np.float32)
    return tmp_path


def external_link(group, name, folder):
    group[name] = h5py.ExternalLink(folder / "secret.hdf5", "/x")


def soft_link(group, name, folder):
    group["other"] = np.zeros((2, 3, 200), np.float32)
    group[name] = h5py.SoftLink("/data/other")


def external_storage(group, name, folder):
    group.create_dataset(name, (2, 3, 200), "f4", external=[(folder / "secret", 0, 4800)])


def virtual(group, name, folder):
    layout = h5py.VirtualLayout((2, 3, 200), "f4")
    layout[:] = h5py.VirtualSource(folder / "secret.hdf5", "x", (2, 3, 200))
    group.create_virtual_dataset(name, layout)


def never_written(group, name, folder):
    group.create_dataset(name, (2, 3, 10**12), "f4", chunks=(1, 3, 1000))


def text(group, name, folder):
    group[name] = [["a", "b"]]


@pytest.mark.parametrize("made", [external_link, soft_link, external_storage, virtual, never_written, text])
@pytest.mark.parametrize("opened", [False, True])
def test_waveforms_that_lie_elsewhere_are_refused(tmp_path, made, opened):
    """Whether a folder is opened here, or SeisBench has opened it."""
    folder = write_as_seisbench(tmp_path / "set", [record(0, 2)])
    with h5py.File(folder / "waveforms.hdf5", "a") as file:
        (block,) = file["data"]
        del file["data"][block]
        made(file["data"], block, secret(tmp_path))
    dataset = seisbench.data.WaveformDataset(folder, component_order="ZNE") if opened else folder
    with pytest.raises(DataError, match=rf"waveforms\.hdf5: data/{block} (is|lies|claims)") as caught:
        EventDataset(dataset)
    assert "\n" not in str(caught.value)


def test_a_format_that_lies_elsewhere_is_not_followed(tmp_path):
    folder = write_as_seisbench(tmp_path / "set", [record(0, 2)])
    with h5py.File(folder / "waveforms.hdf5", "a") as file:
        del file["data_format/component_order"]
        file["data_format/component_order"] = h5py.ExternalLink(secret(tmp_path) / "secret.hdf5", "/x")
    refused(folder, "data_format/component_order is a link")


def test_chunks_of_other_folders_are_refused(tmp_path):
    folder = write_as_seisbench(tmp_path / "set", [record(0, 2)])
    (folder / "chunks").write_text("/../../other\n")
    refused(folder, "chunks: names files of other folders")


# ----------------------------------------------------------------------------------------------------- other programs'


@pytest.mark.parametrize(
    ("order", "dimensions"), [("NEZ", "CW"), ("ENZ", "WC"), ("Z12", "CW"), ("123", "CW"), ("321", "WC")]
)
@pytest.mark.parametrize("opened", [False, True])
def test_datasets_of_seisbench_are_read_whatever_their_order(tmp_path, order, dimensions, opened):
    made = [record(number, 3) for number in range(3)]
    for one in made:
        one.waveforms += np.arange(9, dtype=np.float32).reshape(3, 3, 1)
    folder = write_as_seisbench(tmp_path / "set", made, order, dimensions)
    dataset = EventDataset(seisbench.data.WaveformDataset(folder, component_order="ENZ") if opened else folder)
    assert len(dataset) == 3
    for number, one in enumerate(made):
        np.testing.assert_array_equal(dataset[number].x.numpy(), one.waveforms)
    assert dataset.card == {}


def test_an_opened_dataset_keeps_its_settings(tmp_path):
    folder = write_as_seisbench(tmp_path / "set", [record(0, 3)], "Z12")
    theirs = seisbench.data.WaveformDataset(folder, component_order="12Z", dimension_order="NWC")
    assert EventDataset(theirs)[0].x.shape == (3, 3, 200)
    assert theirs.component_order == "12Z"
    assert theirs.get_waveforms([0]).shape == (1, 200, 3)


def test_chunks_and_joined_datasets(tmp_path):
    for chunk, numbers in (("_a", (0, 1)), ("_b", (2,))):
        write_as_seisbench(tmp_path / "set", [record(number, 3) for number in numbers], "NEZ", chunk=chunk)
    dataset = EventDataset(tmp_path / "set")
    assert dataset.source_ids == ["e0", "e1", "e2"]
    other = write_as_seisbench(tmp_path / "other", [record(3, 2)], "EZN")
    parts = [seisbench.data.WaveformDataset(folder, component_order="ZNE") for folder in (tmp_path / "set", other)]
    joined = EventDataset(parts[0] + parts[1])
    for number, stations in enumerate((3, 3, 3, 2)):
        np.testing.assert_array_equal(joined[number].x.numpy(), record(number, stations).waveforms)


def test_components_that_are_not_there_are_noticed(tmp_path):
    """Three components in the file, one in the table: the second would pass for N."""
    folder = write_as_seisbench(tmp_path / "set", [record(0, 3)])
    table = pd.read_csv(folder / "metadata.csv")
    table["trace_component_order"] = "Z"
    table.to_csv(folder / "metadata.csv", index=False)
    refused(folder, r"waveforms\.hdf5: damaged \(trace .* is not there with components Z\)")


@pytest.mark.parametrize("name", ["bucket0$7,:3,:200", "bucket9$0,:3,:200", "bucket0$x", "bucket0$0,:3,500:600"])
def test_traces_that_are_not_there_are_noticed(tmp_path, name):
    folder = write_as_seisbench(tmp_path / "set", [record(0, 3)])
    table = pd.read_csv(folder / "metadata.csv")
    table.loc[1, "trace_name"] = name
    table.to_csv(folder / "metadata.csv", index=False)
    refused(folder, rf"waveforms\.hdf5: damaged \(.*{re.escape(name.split('$')[0])}")


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("source_magnitude", np.nan),
        ("station_elevation_m", 0.0),
        ("trace_s_arrival_sample", np.nan),
        ("station_code", ""),
    ],
)
def test_columns_that_may_be_absent(tmp_path, name, default):
    folder = write_as_seisbench(tmp_path / "set", records(2), without=[name])
    whole, dataset = EventDataset(write_as_seisbench(tmp_path / "whole", records(2))), EventDataset(folder)
    assert name not in pd.read_csv(folder / "metadata.csv")
    events, all_of_it = (Events.from_dataset(one, progress=False) for one in (dataset, whole))
    torch.testing.assert_close(events.x, all_of_it.x)
    if name == "source_magnitude":
        assert events.y[:, 3].isnan().all()
    elif name == "station_elevation_m":
        assert not events.pos[:, 2].any()
    elif name == "trace_s_arrival_sample":
        assert events.onset_s[:, 1].isnan().all()
    assert "by another program, 2 events, 5 traces" in build.describe(folder)


@pytest.mark.parametrize(
    "name",
    ["source_id", "source_latitude_deg", "source_depth_km", "station_longitude_deg", "trace_start_time", "trace_name"],
)
@pytest.mark.parametrize("empty", [False, True])
def test_columns_that_may_not_be_absent(tmp_path, name, empty):
    """Nor be there without a value."""
    folder = write_as_seisbench(tmp_path / "set", records(2))
    table = pd.read_csv(folder / "metadata.csv")
    (table.assign(**{name: np.nan}) if empty else table.drop(columns=name)).to_csv(folder / "metadata.csv", index=False)
    refused(folder, rf"metadata\.csv: no column '?{name}")


def test_a_sampling_rate_is_found_or_asked_for(tmp_path):
    """In a column of intervals, or once for all; a dataset that has neither is refused."""
    without = {"trace_sampling_rate_hz"}
    made = records(2)
    for one in made:
        one.traces["trace_dt_s"] = 0.05
    by_interval = write_as_seisbench(tmp_path / "a", made, without=without)
    assert EventDataset(by_interval).sampling_rate_hz == pytest.approx(20)
    assert EventDataset(write_as_seisbench(tmp_path / "b", records(2), without=without)).sampling_rate_hz == RATE
    unknown = write_as_seisbench(tmp_path / "c", records(2), without=without)
    with h5py.File(unknown / "waveforms.hdf5", "a") as file:
        del file["data_format/sampling_rate"]
    refused(unknown, r"metadata\.csv: no column trace_sampling_rate_hz")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("source_depth_km", np.nan),
        ("source_depth_km", 8000.0),
        ("source_magnitude", np.inf),
        ("source_latitude_deg", "here"),
        ("station_longitude_deg", -np.inf),
        ("trace_sampling_rate_hz", 0.0),
        ("trace_p_arrival_sample", "early"),
        ("trace_start_time", "yesterday"),
        ("trace_start_time", "2018-02-02T00:00:00Z"),
    ],
)
def test_values_that_cannot_be_are_refused_with_their_place(tmp_path, name, value):
    folder = write_as_seisbench(tmp_path / "set", records(2))
    table = pd.read_csv(folder / "metadata.csv").astype({name: object})
    table.loc[3, name] = value
    table.to_csv(folder / "metadata.csv", index=False)
    refused(folder, rf"metadata\.csv: row 4, trace bucket0\$3.*: {name} is {value}")


def test_samples_that_are_not_finite_are_refused(tmp_path):
    """A folder when it is opened, a dataset of SeisBench when the trace is read, on a line of its own."""
    made = records(2)
    made[1].waveforms[1, 2, 9] = np.nan
    folder = write_as_seisbench(tmp_path / "set", made)
    refused(folder, r"waveforms\.hdf5: block bucket0 has samples that are NaN or infinite")
    dataset = EventDataset(seisbench.data.WaveformDataset(folder, component_order="ZNE"))
    assert dataset[0].x.isfinite().all()
    with pytest.raises(DataError, match=r"trace bucket0\$3.* has samples that are NaN or infinite"):
        dataset[1]


def test_an_error_does_not_stick_to_the_progress_bar(tmp_path, monkeypatch, capsys):
    made = records(3)
    made[2].waveforms[0] = np.inf
    folder = write_as_seisbench(tmp_path / "set", made)
    dataset = EventDataset(seisbench.data.WaveformDataset(folder, component_order="ZNE"))
    capsys.readouterr()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with pytest.raises(DataError):
        Events.from_dataset(dataset)
    shown = capsys.readouterr().err
    assert "reading" in shown
    assert shown.endswith("\n")


def test_noise_without_an_event_is_left_out(tmp_path, caplog):
    noise = record(5, 2)
    noise.traces.loc[:, [name for name in noise.traces if name.startswith("source")]] = np.nan
    dataset = EventDataset(write_as_seisbench(tmp_path / "set", [*records(2), noise]))
    assert dataset.source_ids == ["e0", "e1"]
    assert "2 traces without source_id left out" in caplog.text


# ----------------------------------------------------------------------------------------------------- sampling rates


def sampled(rates, onset_s=4.0, length_s=10.0):
    """One event, with a wave of 2 Hz that begins at the same time at all stations, each with a rate of its own."""
    one = record(0, len(rates))
    one.waveforms = []
    for rate in rates:
        after = np.maximum(np.arange(round(length_s * rate)) / rate - onset_s, 0)
        one.waveforms.append(np.tile(np.sin(2 * np.pi * 2 * after) * np.exp(-after), (3, 1)).astype(np.float32))
    one.traces["trace_sampling_rate_hz"] = rates
    one.traces["trace_p_arrival_sample"] = onset_s * np.array(rates)
    one.traces["trace_s_arrival_sample"] = (onset_s + 1) * np.array(rates)
    return one


@pytest.mark.parametrize("wanted", [None, 25.0, 100.0])
def test_mixed_rates_are_resampled(tmp_path, wanted):
    """To the one that most traces have, or to the one that is asked for: waves and onsets stay where they were."""
    folder = write_as_seisbench(tmp_path / "set", [sampled([50.0, 100.0, 50.0, 40.0, 62.5])])
    dataset = EventDataset(folder, sampling_rate_hz=wanted)
    rate = wanted or 50.0
    assert dataset.sampling_rate_hz == rate
    events = Events.from_dataset(dataset, progress=False)
    np.testing.assert_allclose(events.onset_s, np.tile([4.0, 5.0], (5, 1)), atol=1e-4)
    x = dataset[0].x.numpy()
    assert x.shape == (5, 3, round(10 * rate))
    expected = sampled([rate]).waveforms[0]
    inside = slice(round(4.5 * rate), round(9 * rate))  # off the corner at the onset, which no resampling keeps
    np.testing.assert_allclose(x[:, :, inside], np.broadcast_to(expected[:, inside], x[:, :, inside].shape), atol=0.03)
    assert (np.abs(x[:, :, : round(3.8 * rate)]) < 0.03).all()


def test_a_rate_that_seisbench_was_asked_for_is_kept(tmp_path):
    folder = write_as_seisbench(tmp_path / "set", [sampled([50.0, 50.0])])
    theirs = seisbench.data.WaveformDataset(folder, component_order="ZNE", sampling_rate=25)
    dataset = EventDataset(theirs)
    assert dataset.sampling_rate_hz == 25
    assert dataset[0].onset[:, 0].tolist() == [100.0, 100.0]


def test_events_of_different_length_get_zeros(tmp_path):
    folder = write_as_seisbench(tmp_path / "set", [record(0, 2, 150), record(1, 2, 200)])
    events = Events.from_dataset(EventDataset(folder), progress=False)
    assert events.x.shape == (4, 3, 200)
    assert not events.x[:2, :, 150:].any()


@pytest.mark.parametrize(("samples", "first"), [(100, 40), (150, 35), (190, 10), (260, 0)])
def test_events_are_cut_to_a_window_before_their_first_onset(tmp_path, samples, first):
    """The first onset is at sample 50 of 200; a tenth of the window comes before it, if the record is long enough."""
    dataset = EventDataset(write_as_seisbench(tmp_path / "set", [record(0, 2)]))
    whole = dataset[0]
    dataset.samples = samples
    cut = dataset[0]
    kept = min(samples, 200)
    assert cut.x.shape == (2, 3, samples)
    torch.testing.assert_close(cut.x[:, :, :kept], whole.x[:, :, first : first + kept])
    torch.testing.assert_close(cut.onset, whole.onset - first, equal_nan=True)


def test_hashing_is_no_burden(tmp_path):
    """A file of 20 MB is hashed in well under a second."""
    import time

    path = tmp_path / "large"
    path.write_bytes(bytes(20_000_000))
    start = time.perf_counter()
    store._sha256(path)
    assert time.perf_counter() - start < 1
    assert opening.AGAIN.startswith("build the dataset again")
