"""Milliseconds of processor time for new events to be read, picked and located: `python benchmarks/locating.py`."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from seisbook.datasets import build
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


def rows(network, folder, events, repeats):
    """Steps of a batch, each in ms an event, and one event from disk to location."""
    model, card = robust_checkpoints.load(checkpoints.MODELS / f"{network}-robust-random-0")
    locator, dataset = card.locator(model), open_for(folder, card.config, card.ground.centre)
    read = [dataset[i] for i in range(len(dataset))]
    batch = Events.of_graphs(read, dataset.sampling_rate_hz)
    found = locator.read(batch)
    single = [dataset.source_ids[i] for i in range(min(events, 20))]
    everything, names = dataset.source_ids, iter(single)

    def one():
        dataset.source_ids = [next(names)]
        list(location.locate(locator, dataset, progress=False))
        dataset.source_ids = everything

    yield "reading from disk", timed(lambda: [dataset[i] for i in range(events)], repeats) / events
    yield "stem: onsets from seismograms", timed(lambda: locator.read(batch), repeats) / events
    yield "graph part: location from onsets", timed(lambda: locator.predict(batch, found), repeats) / events
    whole = timed(lambda: list(location.locate(locator, dataset, progress=False)), repeats) / events
    yield "all, with origin time and quality", whole
    yield "one event alone, from disk to location", timed(one, len(single))


def main():
    """Print a table for both networks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=256, help="of a batch (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="median of so many (default: %(default)s)")
    given = parser.parse_args()
    for network in ("colombia", "ridgecrest"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "new"
            build.build(network, "simulated", path, n_events=given.events, random_state=5, progress=False)
            print(f"\n{network}\n\n| step | ms an event | events/s |\n|---|---|---|")
            for name, ms in rows(network, path, given.events, given.repeats):
                print(f"| {name} | {ms:.2f} | {1000 / ms:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
