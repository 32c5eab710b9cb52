"""Milliseconds of processor time for new events to be read, picked and located: `python benchmarks/locating.py`."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import itertools
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from seisbook.catalogues import networks
from seisbook.datasets import build, store
from seisbook.datasets.event_blocks import open_blocks
from seisbook.datasets.events import Events
from seisbook.datasets.graphs import open_for
from seisbook.datasets.store import EventRecord
from seisbook.measures import location
from seisbook.models import checkpoints, robust_checkpoints

ONCE = 1000  # simulated events of a stream, whose seismograms are repeated
MARKS = 1000, 10_000, 50_000  # lines at which a stream's memory is read


def timed(work, repeats):
    """Median of the processor time of a function, in ms."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(1000 * (time.process_time() - start))
    return float(np.median(times))


def rows(network, folder, events, repeats, with_onnx):
    """Steps of a batch, each in ms an event, and one event from disk to location."""
    model, card = robust_checkpoints.load(checkpoints.MODELS / f"{network}-robust-random-0")
    ground = card.config, card.ground.centre
    locator, dataset, plain = card.locator(model), open_blocks(folder, *ground), open_for(folder, *ground)
    read = [dataset[i] for i in range(len(dataset))]
    batch = Events.of_graphs(read, dataset.sampling_rate_hz)
    found = locator.read(batch)
    single = [dataset.source_ids[i] for i in range(min(events, 20))]
    everything, names = dataset.source_ids, itertools.cycle(single)

    def one():
        dataset.source_ids = [next(names)]
        list(location.locate(locator, dataset, progress=False))
        dataset.source_ids = everything

    one()  # the first call of everything is slower
    yield "reading from disk, trace by trace", timed(lambda: [plain[i] for i in range(events)], repeats) / events
    yield "reading from disk, event by event", timed(lambda: [dataset[i] for i in range(events)], repeats) / events
    yield "stem: onsets from seismograms", timed(lambda: locator.read(batch), repeats) / events
    yield "graph part: location from onsets", timed(lambda: locator.predict(batch, found), repeats) / events
    if with_onnx:
        yield "the same two by the ONNX file", timed(onnx_of(model, card, batch), repeats) / events
    whole = timed(lambda: list(location.locate(locator, dataset, progress=False)), repeats) / events
    yield "all, with origin time and quality", whole
    yield "one event alone, from disk to location", timed(one, len(single))


def onnx_of(model, card, events):
    """A function that runs the exported model on all events, in batches of similar numbers of stations."""
    from seisbook.models import onnx_export
    from seisbook.studies import onnx_files

    session = onnx_files.session(onnx_export.exported(model, card))
    order = np.argsort(np.diff(events.start), kind="stable")
    inputs = [onnx_files.inputs_of(events, order[first : first + 32]) for first in range(0, len(order), 32)]
    named = [{name: value.numpy() for name, value in zip(onnx_export.INPUTS, one, strict=True)} for one in inputs]
    return lambda: [session.run(None, one) for one in named]


def stream(network, folder, events):
    """Peak memory of `seisbook locate --lines` at each mark and at the end, and of the same command given again.

    No event occurs twice in the dataset, but each thousand has the seismograms of the first one.
    """
    dataset, lines = repeated(network, folder / "new", events), folder / "located.jsonl"
    model = checkpoints.MODELS / f"{network}-robust-random-0"
    words = [Path(sys.executable).with_name("seisbook"), "locate", dataset, "--model", model, "--lines", lines]
    marks = sorted({n for n in MARKS if n < events} | {events})
    for count, seconds, peak in watched(words, lines, marks):
        print(
            f"{network}: {count:,} events, {seconds:,.0f} s of processor time, peak memory {peak:,.0f} MB", flush=True
        )
    whole = lines.read_bytes().splitlines(keepends=True)
    left = len(whole) // 20
    lines.write_bytes(b"".join(whole[:-left]) + whole[-left][:40])  # as if it had been killed
    *_, (count, seconds, peak) = watched(words, lines, [events])
    names = {json.loads(line)["source_id"] for line in lines.open()}
    print(f"{network}: given again for the last {left:,}: {seconds:,.0f} s, peak memory {peak:,.0f} MB")
    print(f"{network}: {count:,} lines, {len(names):,} events")


def repeated(network, out, events):
    """A dataset of simulated events: the first thousand, again and again under other names."""
    place = networks.load(network)
    catalogue = build.with_onsets(build.read(place, "simulated", min(events, ONCE), 5))
    once = list(build.rendered(catalogue, place, 5))

    def renamed(number):
        one = once[number % len(once)]
        name = f"{one.source_id}_{number // len(once)}"
        return EventRecord(name, one.traces.assign(source_id=name), one.waveforms)

    about = build.card(catalogue, place, 5)
    return store.write(map(renamed, range(events)), out, about, place.window.sampling_rate_hz, events, progress=False)


def watched(words, lines, marks):
    """Yield numbers of lines, and the processor time in s and peak memory in MB of a command when it has written them.

    The last mark is that of the command's end.
    """
    process, marks, count, read = subprocess.Popen(words, stderr=subprocess.DEVNULL), list(marks), 0, 0
    while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
        time.sleep(0.1)
        if len(marks) == 1 or not lines.is_file():
            continue
        now = usage(process.pid)
        with lines.open("rb") as file:
            file.seek(read)
            new = file.read()
        read, count = read + len(new), count + new.count(b"\n")
        while len(marks) > 1 and count >= marks[0]:
            yield marks.pop(0), *now
    _, status, used = ended
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}: exit {process.returncode}")
    yield lines.read_bytes().count(b"\n"), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def usage(pid):
    """Processor time in s and peak memory in MB of a running process so far; by Linux."""
    status, times = (Path(f"/proc/{pid}/{name}").read_text() for name in ("status", "stat"))
    ticks = sum(map(int, times.rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK"), int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024


def main():
    """Print a table for both networks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=256, help="of a batch (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="median of so many (default: %(default)s)")
    parser.add_argument("--onnx", action="store_true", help="time ONNX files, too (packages onnx and onnxruntime)")
    parser.add_argument(
        "--stream",
        type=int,
        help="instead: so many events of Ridgecrest by `seisbook locate --lines`, and their memory",
    )
    given = parser.parse_args()
    for network in ("ridgecrest",) if given.stream else ("colombia", "ridgecrest"):
        with tempfile.TemporaryDirectory() as folder:
            if given.stream:
                stream(network, Path(folder), given.stream)
                continue
            path = Path(folder) / "new"
            build.build(network, "simulated", path, n_events=given.events, random_state=5, progress=False)
            print(f"\n{network}\n\n| step | ms an event | events/s |\n|---|---|---|")
            for name, ms in rows(network, path, given.events, given.repeats, given.onnx):
                print(f"| {name} | {ms:.2f} | {1000 / ms:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
