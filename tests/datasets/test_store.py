import json
import signal
import subprocess
import sys
import textwrap

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from torch_geometric.data import Batch

from seisbook.datasets import graphs, store
from seisbook.errors import DataError, UserError
from seisbook.paths import ROOT
from tests.breaking import killed

CARD = {"network": "test", "source": "simulated", "unit": "nm", "centre": [4.0, -74.0]}
RATE = 20.0


def record(number, n_stations, samples=200):
    """One event with recognisable waveforms: station `i` of event `number` peaks at 1 + i + 10 number."""
    waveforms = np.zeros((n_stations, 3, samples), dtype=np.float32)
    waveforms[:, 2, 50 + number] = 1 + np.arange(n_stations) + 10 * number
    traces = pd.DataFrame(
        {
            "source_id": f"e{number}",
            "source_latitude_deg": 4.5,
            "source_longitude_deg": -74.0,
            "source_depth_km": 10.0 + number,
            "source_magnitude": 2.0,
            "station_code": [f"S{i}" for i in range(n_stations)],
            "station_latitude_deg": 4.0 + 0.1 * np.arange(n_stations),
            "station_longitude_deg": -74.0,
            "station_elevation_m": 2000.0,
            "trace_start_time": "2018-02-01T00:00:00.000000Z",
            "trace_p_arrival_sample": 50.0 + number,
            "trace_s_arrival_sample": np.where(np.arange(n_stations) == 0, np.nan, 90.0),
        }
    )
    return store.EventRecord(f"e{number}", traces, waveforms)


def records(n=4):
    return [record(number, 2 + number) for number in range(n)]


@pytest.fixture
def written(tmp_path):
    return store.write(records(), tmp_path / "set", CARD, RATE, progress=False)


def test_round_trip_through_seisbench(written):
    import seisbench.data

    opened = seisbench.data.WaveformDataset(written)
    assert len(opened) == 2 + 3 + 4 + 5
    assert opened.data_format["component_order"] == "ZNE"
    waveform, metadata = opened.get_sample(2)
    assert metadata["source_id"] == "e1"
    assert metadata["station_code"] == "S0"
    assert waveform.shape == (3, 200)
    np.testing.assert_array_equal(waveform, record(1, 3).waveforms[0])


def test_events_are_ragged_graphs(written):
    dataset = graphs.EventDataset(written)
    assert repr(dataset) == "EventDataset(4 events, 14 traces)"
    event = dataset[2]
    assert event.source_id == "e2"
    assert event.x.shape == (4, 3, 200)
    torch.testing.assert_close(10**event.amplitude, torch.arange(21.0, 25.0))
    assert event.onset[1].tolist() == [52.0, 90.0]
    assert event.mask.tolist() == [[True, False]] + [[True, True]] * 3
    torch.testing.assert_close(event.pos[:, 2], torch.full((4,), 2.0))
    torch.testing.assert_close(event.pos[:, 1], 11.1195 * torch.arange(4.0), atol=1e-3, rtol=0)
    torch.testing.assert_close(event.y, torch.tensor([[0.0, 55.5975, 12.0, 2.0]]), atol=1e-3, rtol=0)
    batch = Batch.from_data_list([dataset[0], dataset[3]])
    assert batch.x.shape == (7, 3, 200)
    assert batch.y.shape == (2, 4)


def test_traces_with_their_own_start_times_share_one_time_axis(tmp_path):
    shifted = record(0, 2)
    shifted.traces.loc[1, "trace_start_time"] = "2018-02-01T00:00:01.500000Z"
    event = graphs.EventDataset(store.write([shifted], tmp_path / "set", CARD, RATE, progress=False))[0]
    assert event.x.shape == (2, 3, 230)
    assert event.x[0, 2].argmax() == 50
    assert event.x[1, 2].argmax() == 80
    assert event.onset[1].tolist() == [80.0, 120.0]


def test_opens_a_dataset_that_seisbench_wrote(tmp_path):
    import seisbench.data

    with seisbench.data.WaveformDataWriter(tmp_path / "metadata.csv", tmp_path / "waveforms.hdf5") as writer:
        writer.data_format = {"dimension_order": "CW", "component_order": "NEZ", "sampling_rate": RATE}
        for number in range(2):
            made = record(number, 3)
            for row, waveform in zip(made.traces.to_dict("records"), made.waveforms, strict=True):
                writer.add_trace({**row, "trace_sampling_rate_hz": RATE}, waveform[[1, 2, 0]])
    dataset = graphs.EventDataset(seisbench.data.WaveformDataset(tmp_path))
    assert len(dataset) == 2
    np.testing.assert_array_equal(dataset[1].x.numpy(), record(1, 3).waveforms)


def test_rewriting_replaces_the_earlier_dataset(written):
    store.write(records(2), written, CARD, RATE, progress=False)
    assert store.read_card(written)["n_events"] == 2
    assert [path.name for path in written.parent.iterdir()] == ["set"]


def test_same_records_same_bytes(tmp_path, written):
    again = store.write(records(), tmp_path / "again", CARD, RATE, progress=False)
    for name in store.FILES:
        assert (again / name).read_bytes() == (written / name).read_bytes(), name


def test_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(UserError, match="not a SeisBook dataset"):
        store.write(records(), tmp_path, CARD, RATE, progress=False)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_unwritable_output_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot be written .*choose another folder") as caught:
        store.write(records(), tmp_path / "file" / "set", CARD, RATE, progress=False)
    assert "\n" not in str(caught.value)


def test_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(h5py.Group, "create_dataset", full)
    with pytest.raises(UserError, match="No space left"):
        store.write(records(), tmp_path / "set", CARD, RATE, progress=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kilobytes", [4, 8, 64, 72, 100, 200, 300, 400])
def test_a_disk_that_is_full_at_any_point_is_one_line(small_disk, kilobytes):
    """HDF5 crashes when it closes a file on a full disk."""
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(small_disk)], check=True)
    with pytest.raises(UserError, match=r"No space left on device\): make room there") as caught:
        store.write(records(60), small_disk / "set", CARD, RATE, progress=False)
    assert "\n" not in str(caught.value)
    assert not list(small_disk.iterdir())


LIMITED = """
    import resource, sys
    import numpy as np
    import pandas as pd
    from seisbook.datasets import store
    from seisbook.errors import UserError

    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
    one = store.EventRecord("e", pd.DataFrame({"source_id": ["e"]}), np.ones((1, 3, 5000), "float32"))
    try:
        store.write([one], sys.argv[1], {"unit": "nm"}, 20.0, progress=False)
    except UserError as error:
        print(error)
"""


def test_a_file_larger_than_allowed_is_one_line(tmp_path):
    command = [sys.executable, "-c", textwrap.dedent(LIMITED), str(tmp_path / "set")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0
    assert done.stdout.startswith(f"{tmp_path / 'set'}: cannot be written (File too large): raise")
    assert done.stdout.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_an_interruption_while_hdf5_writes_keeps_the_earlier_dataset(written, monkeypatch):
    write_all, calls = store._DiskFile._write_all, []

    def interrupted(self, data):
        calls.append(len(data))
        if len(calls) == at:
            raise KeyboardInterrupt
        write_all(self, data)

    at = 0
    monkeypatch.setattr(store._DiskFile, "_write_all", interrupted)
    store.write(records(2), written, CARD, RATE, progress=False)
    steps = len(calls)
    store.write(records(3), written, CARD, RATE, progress=False)
    for at in range(1, steps + 1):  # noqa: B007 (the function reads it)
        calls.clear()
        with pytest.raises(KeyboardInterrupt):
            store.write(records(2), written, CARD, RATE, progress=False)
        assert store.read_card(written)["n_events"] == 3
        assert [path.name for path in written.parent.iterdir()] == ["set"]


def test_a_dataset_is_old_or_new_wherever_the_run_is_killed(tmp_path, breaker):
    out = store.write(records(3), tmp_path / "set", CARD, RATE, progress=False)
    steps = breaker.stop(-1, None, lambda: store.write(records(3), out, CARD, RATE, progress=False))
    seen = set()
    for at in range(1, steps + 1):
        assert killed(breaker, at, lambda: store.write(records(2), out, CARD, RATE, progress=False))
        seen.add(len(graphs.EventDataset(out)))
        store.write(records(3), out, CARD, RATE, progress=False)
        assert [path.name for path in tmp_path.iterdir()] == ["set"]
    assert seen == {2, 3}


def test_a_second_build_of_the_same_folder_is_refused_before_its_work(tmp_path):
    def second():
        pytest.fail("it began to work")
        yield

    def first():
        yield record(0, 2)
        with pytest.raises(UserError, match="set: another run is writing it: wait"):
            store.write(second(), tmp_path / "set", CARD, RATE, progress=False)
        yield record(1, 3)

    assert store.read_card(store.write(first(), tmp_path / "set", CARD, RATE, progress=False))["n_events"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_link_to_a_dataset_stays(written):
    link = written.with_name("link")
    link.symlink_to(written)
    assert store.write(records(2), link, CARD, RATE, progress=False) == link
    assert link.is_symlink()
    assert store.read_card(written)["n_events"] == 2
    assert sorted(path.name for path in written.parent.iterdir()) == ["link", "set"]


def test_a_dataset_in_the_folder_that_one_is_in(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for n in (2, 3):
        assert store.read_card(store.write(records(n), ".", CARD, RATE, progress=False))["n_events"] == n
    assert store.read_card(tmp_path / "here")["n_events"] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_failing_source_keeps_the_earlier_dataset(written):
    def broken():
        yield record(0, 2)
        raise ValueError("bad event")

    with pytest.raises(ValueError, match="bad event"):
        store.write(broken(), written, CARD, RATE, progress=False)
    assert store.read_card(written)["n_events"] == 4
    assert [path.name for path in written.parent.iterdir()] == ["set"]


def test_no_event_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no event"):
        store.write([], tmp_path / "set", CARD, RATE, progress=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["no card", "no waveforms", "bad card"])
def test_incomplete_dataset_is_refused(written, damage):
    if damage == "bad card":
        (written / "dataset.json").write_text("{")
    else:
        (written / {"no card": "dataset.json", "no waveforms": "waveforms.hdf5"}[damage]).unlink()
    with pytest.raises((UserError, DataError), match="set"):
        graphs.EventDataset(written)


SLOW_BUILD = """
    import sys, time
    sys.path.insert(0, {root!r})
    from tests.datasets.test_store import CARD, RATE, record
    from seisbook.datasets import store

    def slow():
        for number in range(1000):
            yield record(number % 9, 3)
            print(number, flush=True)
            time.sleep(0.01)

    store.write(slow(), {out!r}, CARD, RATE, progress=False)
"""


def test_killed_build_leaves_nothing_that_opens(tmp_path):
    out = tmp_path / "set"
    script = textwrap.dedent(SLOW_BUILD.format(root=str(ROOT), out=str(out)))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if int(line) >= 20:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not out.exists()
    (left,) = tmp_path.glob(".*.part")
    for folder in [out, left]:
        with pytest.raises(UserError):
            graphs.EventDataset(folder)
        assert not (folder / "metadata.csv").exists()
    store.write(records(), out, CARD, RATE, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_memory_does_not_grow_with_events(tmp_path):
    """Peak memory of writing 120 events of 1.4 MB exceeds that of 20 by less than 40 of 140 MB more."""
    script = """
        import resource, sys
        sys.path.insert(0, {root!r})
        from tests.datasets.test_store import CARD, RATE, record
        from seisbook.datasets import store

        def full(i):
            one = record(i % 9, 12, 10_000)
            one.waveforms[:] += 1  # memory that is not touched is not taken
            return one

        for n in (20, 120):
            store.write((full(i) for i in range(n)), {out!r}, CARD, RATE, progress=False)
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    """
    text = textwrap.dedent(script.format(root=str(ROOT), out=str(tmp_path / "set")))
    result = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    before, after = map(float, result.stdout.split())
    assert after - before < 40, f"{before} and {after} MB"


def test_card_says_what_it_was_told(written):
    card = json.loads((written / "dataset.json").read_text())
    assert set(card.pop("sha256")) == set(store.FILES)
    assert card == {**CARD, "n_events": 4, "n_traces": 14}


@pytest.mark.parametrize("beside", ["thesis.txt", "sub"])
def test_a_folder_with_anything_else_in_it_is_not_replaced(tmp_path, beside):
    out = store.write([record(0, 3)], tmp_path / "set", CARD, RATE, progress=False)
    (out / beside).mkdir() if beside == "sub" else (out / beside).write_text("years of work")
    before = sorted(path.name for path in out.rglob("*"))
    with pytest.raises(UserError, match=f"not a SeisBook dataset alone, since it holds {beside}:"):
        store.write([record(1, 3)], out, CARD, RATE, progress=False)
    assert sorted(path.name for path in out.rglob("*")) == before


@pytest.mark.parametrize("card", ['{"made": "by another tool"}', "[]", "not JSON", "[" * 100_000])
def test_a_folder_with_another_tools_card_is_not_replaced(tmp_path, card):
    out = tmp_path / "theirs"
    out.mkdir()
    (out / "dataset.json").write_text(card)
    with pytest.raises(UserError, match="exists and is not a SeisBook dataset"):
        store.write([record(0, 3)], out, CARD, RATE, progress=False)
    assert (out / "dataset.json").read_text() == card
