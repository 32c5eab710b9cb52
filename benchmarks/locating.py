"""Milliseconds of processor time for new events to be read, picked and located: `python benchmarks/locating.py`."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import itertools
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from seisbook.datasets import build
from seisbook.datasets.event_blocks import open_blocks
from seisbook.datasets.events import Events
from seisbook.datasets.graphs import open_for
from seisbook.measures import location
from seisbook.models import checkpoints, robust_checkpoints


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


def memory(folder, network, events):
    """Peak memory in MB after a thousand events of a stream, and after more; they are those of a folder, repeated."""
    model, card = robust_checkpoints.load(checkpoints.MODELS / f"{network}-robust-random-0")
    dataset = open_blocks(folder, card.config, card.ground.centre)
    dataset.source_ids = list(itertools.islice(itertools.cycle(dataset.source_ids), events))
    for count, _ in enumerate(location.locate(card.locator(model), dataset, progress=False), 1):
        if count in (1000, events):
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{network}: {count:,} events, peak memory {peak:,.0f} MB", flush=True)
    table = dataset.metadata.memory_usage(deep=True).sum() / 1e6 / len(dataset.rows)
    print(f"{network}: table of traces, {table:.3f} MB for each event of a dataset")


def main():
    """Print a table for both networks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=256, help="of a batch (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="median of so many (default: %(default)s)")
    parser.add_argument("--onnx", action="store_true", help="time ONNX files, too (packages onnx and onnxruntime)")
    parser.add_argument("--stream", type=int, help="instead: peak memory of a stream of so many events of Ridgecrest")
    given = parser.parse_args()
    for network in ("ridgecrest",) if given.stream else ("colombia", "ridgecrest"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "new"
            build.build(network, "simulated", path, n_events=given.events, random_state=5, progress=False)
            if given.stream:
                memory(path, network, given.stream)
                continue
            print(f"\n{network}\n\n| step | ms an event | events/s |\n|---|---|---|")
            for name, ms in rows(network, path, given.events, given.repeats, given.onnx):
                print(f"| {name} | {ms:.2f} | {1000 / ms:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
