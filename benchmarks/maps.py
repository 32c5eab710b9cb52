"""Seconds of a map of 10,000 points, by the number of stations that it follows: `python benchmarks/maps.py`."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import platform
import time

import numpy as np
import pandas as pd

from seisbook.catalogues.geodesy import to_geographic
from seisbook.catalogues.ground_motion import MEASURES
from seisbook.catalogues.station_lists import Origin, StationList
from seisbook.measures import shaking
from seisbook.models import checkpoints, field_checkpoints

STATIONS = (0, 3, 10, 20, 43, 80, 100, 140, 280)


def listed(count, card, origin):
    """A list of stations about an epicentre, whose values the law and chance give."""
    rng = np.random.default_rng(count)
    distance, angle = 200 * np.sqrt(rng.random(count)), rng.uniform(0, 2 * np.pi, count)
    latitude, longitude = to_geographic(distance * np.sin(angle), distance * np.cos(angle), origin[:2])
    table = pd.DataFrame({"station": [f"XX.{number}" for number in range(count)]})
    table = table.assign(latitude=latitude, longitude=longitude)
    table[list(MEASURES)] = 1.5 - 1.5 * np.log10(distance + 5)[:, None] + 0.3 * rng.standard_normal((count, 5))
    return StationList("made", table, origin, [])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9, help="maps of each size (default: %(default)s)")
    repeats = parser.parse_args().repeats
    start = time.perf_counter()
    normal, card = field_checkpoints.load(checkpoints.MODELS / f"greece-{field_checkpoints.NAME}")
    read = time.perf_counter() - start
    print(f"{platform.machine()}, Python {platform.python_version()}, model read in {read:.2f} s")
    origin = Origin(*card.centre, 10.0, 5.5)
    cases = {count: listed(count, card, origin) for count in STATIONS}
    taken = {count: [] for count in STATIONS}
    for _ in range(repeats):
        for count, one in cases.items():
            start = time.process_time()
            found = shaking.shake(normal, card, one)
            taken[count].append(time.process_time() - start)
    assert found.mean.size == 5 * 10_000
    print("\n| stations | seconds | quartiles |\n|---|---|---|")
    for count, seconds in taken.items():
        low, middle, high = np.quantile(seconds, [0.25, 0.5, 0.75])
        print(f"| {count} | {middle:.3f} | {low:.3f}–{high:.3f} |")


if __name__ == "__main__":
    main()
