"""From a stranger's files to located events by commands alone, timed and scored: `python benchmarks/stranger.py`.

The last tenth of a bulletin is kept back as new events before any command sees it. The rest goes through the commands
of the README. Nothing that the book ships about a network is used: each is described from its files.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import obspy
import pandas as pd

from seisbook.catalogues import bulletins, networks, quakeml, sources
from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.geodesy import distance_azimuth
from seisbook.models.classical import ClassicalLocator
from seisbook.physics import residuals, simulation
from seisbook.physics.traveltimes import TravelTimes
from seisbook.studies import own_bulletins, own_network

KEPT_BACK, MOST = 0.1, 100  # share of the events that are new, and their largest number
TWIN, TWIN_EVENTS, TWIN_SEED = "iceland", 500, 11  # its model is no model that a training begins with
COMMAND = Path(sys.executable).with_name("seisbook")
COLUMNS = (
    *("network", "events", "stations", "new", "describe (s)", "render (s)", "train (s)", "locate (s)", "memory (MB)"),
    *("epicentre (km)", "classical (km)", "in the ellipse (%)", "depth (km)", "magnitude"),
)


@dataclass
class Given:
    """What a stranger brings: a bulletin and, perhaps, a file of its stations.

    Parameters
    ----------
    known, new : Path
        Bulletin to describe and to train on, and the events that are kept back.
    stations : Path or None
    truth : DataFrame or None
        True hypocentres of the new events, like `Catalogue.events`; None of real ones.
    """

    known: Path
    new: Path
    stations: Path | None = None
    truth: pd.DataFrame | None = None


def of_file(path, folder, begins, stations=None) -> Given:
    """Cut a text file of events into those that are known and the last ones, which are new.

    Parameters
    ----------
    path : path
    folder : path
        Where both parts are written.
    begins : str
        Regular expression of the place where an event begins.
    stations : path, optional
    """
    text = Path(path).read_bytes().decode("latin-1")
    events = [part for part in re.split(begins, text, flags=re.M) if part.strip()]
    new = min(MOST, round(KEPT_BACK * len(events)))
    parts = []
    for name, chosen in (("known", events[:-new]), ("new", events[-new:])):
        parts.append(folder / f"{name}{Path(path).suffix}")
        parts[-1].write_bytes("".join(chosen).encode("latin-1"))
    return Given(*parts, stations and Path(stations))


def of_twin(folder) -> Given:
    """Bulletin of a simulated network whose site terms, delays and hypocentres nobody has told the commands.

    The bulletin has the hypocentres that a grid search finds in the scattered onsets without knowing the delays.
    """
    reality = own_network.as_it_is(networks.load(TWIN), TWIN_SEED)
    told = networks.load(TWIN)
    true, other = (simulation.simulate(reality, n, TWIN_SEED + i) for i, n in enumerate((TWIN_EVENTS, 100)))
    new = round(KEPT_BACK * len(true))
    bulletin = relocated(true, ClassicalLocator(told, station_corrections=False, progress=False).fit(other))
    rows = [f"{one.code},{one.latitude},{one.longitude},{one.elevation_m}" for one in told.stations]
    (folder / "stations.csv").write_text("\n".join(["code,latitude,longitude,elevation_m", *rows]))
    named = np.arange(len(true)) < len(true) - new
    paths = [quakeml.write(bulletin.select(part), folder / name) for part, name in _parts(named)]
    return Given(*paths, folder / "stations.csv", true.select(~named).events)


def _parts(known):
    return (known, "known.xml"), (~known, "new.xml")


def relocated(catalogue, locator) -> Catalogue:
    """A catalogue with the hypocentres, origin times and magnitudes that a locator finds."""
    found, events = locator.predict(catalogue), catalogue.events.copy()
    for name, unit in (("latitude", "_deg"), ("longitude", "_deg"), ("depth", "_km"), ("magnitude", "")):
        column = f"{name}_km" if name == "depth" else name
        events[f"source_{name}{unit}"] = found[column].to_numpy()
    guess = replace(catalogue, events=events)
    late = residuals.travel_time_residuals(guess, locator.network, TravelTimes(locator.network.velocity_model))
    late = late[["p_residual_s", "s_residual_s"]].mean(axis=1)
    shift = late.groupby(catalogue.readings.source_id).median().reindex(events.index).fillna(0.0)
    events["source_origin_time"] += pd.to_timedelta(shift, unit="s")
    readings = catalogue.readings.copy()
    for wave in "ps":
        readings[f"path_{wave}_travel_s"] -= readings.source_id.map(shift).to_numpy()
    return replace(guess, readings=readings)


def example_of_obspy() -> Path:
    """Bulletin of New Zealand's Southern Alps that ObsPy ships among the data of its tests."""
    return Path(obspy.__file__).parent / "io" / "nordic" / "tests" / "data" / "select.out"


BLANK_LINE, PALM_EVENT = r"(?<=\n)(?=[ \t]*\r?\n)", r"^(?=\d{4}-)"


def given(name, folder) -> Given:
    """Files of one of the five networks."""
    if name == "twin":
        return of_twin(folder)
    if name == "obspy":
        return of_file(example_of_obspy(), folder, BLANK_LINE)
    if name == "ridgecrest":
        files = ("eg_pal_ct_full.pha", "example_pal_format1.sta")
        path, stations = (sources.fetch(f"ridgecrest/{one}") for one in files)
        return of_file(path, folder, PALM_EVENT, stations)
    file = {"february": "rsnc-2018-02.out", "gaitan": "rsnc-puerto-gaitan-1997-2015.out"}[name]
    return of_file(sources.fetch(f"colombia/{file}"), folder, BLANK_LINE)


NETWORKS = ("february", "gaitan", "ridgecrest", "obspy", "twin")


class Line:
    """The commands, one after the other, in a folder that keeps what they print.

    Attributes
    ----------
    seconds : dict of str to float
        Processor time of each step.
    peak_mb : float
        Largest memory of a command.
    """

    def __init__(self, folder):
        self.folder, self.seconds, self.peak_mb = folder, {}, 0.0

    def run(self, step, *words) -> str:
        """Run a command, and return what it prints."""
        words = [COMMAND, *map(str, words)]
        out, err = self.folder / f"{step}.out", self.folder / f"{step}.err"
        with out.open("w") as printed, err.open("w") as said:
            where = {"cwd": self.folder, "env": os.environ | {"OMP_NUM_THREADS": "1"}}
            process = subprocess.Popen(words, stdout=printed, stderr=said, **where)
            _, status, used = os.wait4(process.pid, 0)
        self.seconds[step] = used.ru_utime + used.ru_stime
        self.peak_mb = max(self.peak_mb, used.ru_maxrss / 1024)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(map(str, words))}\n{err.read_text()}exit {process.returncode}")
        return out.read_text()


def go(name, folder, profile) -> list[dict]:
    """The whole line on one network: a row of the table, and another one for each further truth."""
    files, line, yaml = given(name, folder), Line(folder), f"stranger_{name}.yaml"
    stations = ["--stations", files.stations] if files.stations else []
    line.run("describe", "network", "new", "--bulletin", files.known, *stations, "--out", yaml)
    network = networks.load(folder / yaml)
    known = bulletins.read_bulletin(network)
    dataset = []
    if len(known) >= own_bulletins.FEWEST:
        line.run("render", "data", "build", "--network", yaml, "--source", "bulletin", "--out", "mine")
        dataset = ["--dataset", "mine"]
    line.run("train", "train", "--network", yaml, *dataset, "--profile", profile)
    model = f"stranger_{name}-robust"
    lines = line.run("locate", "locate", files.new, "--model", model, "--json", "--check")
    found = [json.loads(one) for one in lines.splitlines()]
    seconds = [f"{line.seconds[step]:.0f}" if step in line.seconds else "" for step in STEPS]
    first = [f"{len(known):,}", len(network.stations), len(found), *seconds, f"{line.peak_mb:,.0f}"]
    against = {name: bulletins.read_catalogue(files.new, network).events}
    if files.truth is not None:
        own = np.median(
            [apart(one, nearest(one.source_origin_time, files.truth)) for one in against[name].itertuples()]
        )
        against[f"{name}, against the truth, from which the bulletin is {own:.1f} km away"] = files.truth
    return [dict(zip(COLUMNS, [head, *first, *scores(found, one)], strict=True)) for head, one in against.items()]


STEPS = ("describe", "render", "train", "locate")


def nearest(time, events):
    """The event whose origin time is nearest."""
    return events.iloc[(events.source_origin_time - time).abs().argmin()]


def apart(one, other) -> float:
    """Distance between two epicentres of a catalogue in km."""
    places = [(event.source_latitude_deg, event.source_longitude_deg) for event in (one, other)]
    return float(distance_azimuth(*places[0], *places[1])[0])


def scores(found, truth) -> list[str]:
    """Medians of the errors, and the share of the epicentres inside the ellipses that shall hold 90 % of them."""
    rows = []
    for one in found:
        near = nearest(pd.Timestamp(one["time"]), truth)
        place = near.source_latitude_deg, near.source_longitude_deg
        away, azimuth = distance_azimuth(one["latitude"], one["longitude"], *place)
        turned = np.radians(azimuth - one["azimuth_deg"])
        axes = away * np.array([np.cos(turned), np.sin(turned)]) / [one["major_km"], one["minor_km"]]
        classical = one["opinions"][0]
        beside = np.nan
        if classical["latitude"] is not None:
            beside = distance_azimuth(classical["latitude"], classical["longitude"], *place)[0]
        depth, size = one["depth_km"] - near.source_depth_km, one["magnitude"] - near.source_magnitude
        rows.append([away, beside, 100 * (np.hypot(*axes) <= 1), abs(depth), abs(size)])
    away, beside, inside, depth, size = np.array(rows, float).T
    middle = [f"{np.nanmedian(away):.1f}", f"{np.nanmedian(beside):.1f}", f"{inside.mean():.0f}"]
    return [*middle, f"{np.nanmedian(depth):.1f}", f"{np.nanmedian(size):.2f}"]


def main():
    """Print a row for each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=NETWORKS, metavar="NETWORK", help=", ".join(NETWORKS))
    parser.add_argument("--profile", choices=("quick", "paper"), default="quick", help="default: %(default)s")
    parser.add_argument("--keep", type=Path, help="folder to keep all files in, with what the commands said")
    asked = parser.parse_args()
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for name in asked.networks:
        folder = Path(tempfile.mkdtemp()) if asked.keep is None else asked.keep / name
        folder.mkdir(parents=True, exist_ok=True)
        for row in go(name, folder, asked.profile):
            print(f"| {' | '.join(map(str, row.values()))} |", flush=True)
        if asked.keep is None:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
