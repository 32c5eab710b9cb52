"""Ridgecrest, 23 August 2019: four events with picks, recorded by 16 accelerometers (a sample of PLAN, Si et al.).

The source gives arrays: seismograms (16, 3, 4000) in counts, and labels (16, 2, 4000) with 10 at the P onset and -10 at
the S onset. A line of text gives the location of the Southern California Seismic Network. Three things were inferred
from the data, because the source does not say them:

- The records begin at the origin time. P of the nearest stations is in time then.
- The components are vertical, east, north. P is strongest on the first one. Where horizontal P motion is clear, it is
  in line with the epicentre in this order.
- The instruments are accelerometers (the source's continuous data are of channels HN). `COUNTS_PER_M_S2` is a nominal
  sensitivity, so that amplitudes have an unknown factor.
"""

import re
from pathlib import Path

import numpy as np
import obspy
import pandas as pd

from seisbook.catalogues import accelerometers
from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.plausibility import possible_catalogue
from seisbook.catalogues.schema import Station
from seisbook.catalogues.texts import lines_of_given
from seisbook.errors import DataError, UserError

NAME = "ridgecrest_august"
RATE_HZ, SAMPLES, COMPONENTS = 100.0, 4000, "ZEN"
COUNTS_PER_M_S2 = 2.14e5
"""A 4 g accelerometer (0.51 V per m/s2) before a digitiser of 419,430 counts per V."""
LOCATION = re.compile(r"\s*(\d+)\s+\w+\s+\w+\s+(\S+),(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)")
NUMBERS = ("source_latitude_deg", "source_longitude_deg", "source_depth_km", "source_magnitude")
AGAIN = "download it again"


def read_ridgecrest_august(folder) -> Catalogue:
    """Read the catalogue of the four events.

    Parameters
    ----------
    folder : path
        `ridgecrest-waveforms` of the real data.

    Raises
    ------
    UserError
        If the folder holds no locations.
    DataError
        If a file is missing or malformed; the message names it.
    """
    folder = Path(folder)
    paths = sorted((folder / "location").glob("*.txt"))
    if not paths:
        raise UserError(f"{folder / 'location'}: holds no .txt files: name the folder of the Ridgecrest seismograms")
    codes = [station.code for station in read_plan_stations(folder)]
    events, readings = [], []
    for path in paths:
        events.append(_event(path))
        labels = _array(folder / "label" / f"{path.stem}.npy", (len(codes), 2, SAMPLES))
        readings += [
            row for code, label in zip(codes, labels, strict=True) if (row := _reading(path.stem, code, label))
        ]
    return possible_catalogue(NAME, "waveform", events, readings)


def read_plan_stations(folder) -> list[Station]:
    """The stations, in the order of the arrays' rows."""
    path = Path(folder) / "stations.txt"
    stations = []
    for number, line in enumerate(lines_of_given(path), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            network, code, latitude, longitude, elevation = line.split("|")[:5]
            stations.append(Station(code, float(latitude), float(longitude), float(elevation), network))
        except ValueError:
            raise DataError(
                f"{path}:{number}: expected network|station|latitude|longitude|elevation: {AGAIN}"
            ) from None
    return stations


def records(folder):
    """Yield the `source_id` and the traces of each event."""
    folder = Path(folder)
    stations = read_plan_stations(folder)
    for path in sorted((folder / "location").glob("*.txt")):
        start = _event(path)["source_origin_time"].timestamp()
        data = _array(folder / "data" / f"{path.stem}.npy", (len(stations), 3, SAMPLES))
        yield (
            path.stem,
            obspy.Stream(
                accelerometers.trace(station, component, start, RATE_HZ, samples)
                for station, three in zip(stations, data, strict=True)
                for component, samples in zip(COMPONENTS, three, strict=True)
            ),
        )


def _event(path):
    line = next(iter(lines_of_given(path)), "")
    found = LOCATION.match(line)
    try:
        time = pd.Timestamp(f"{found[2].replace('/', '-')} {found[3]}", tz="UTC")
        numbers = dict(zip(NUMBERS, map(float, found.groups()[3:]), strict=True))
    except (TypeError, ValueError):
        raise DataError(f"{path}:1: expected 'id eq l date,time latitude longitude depth magnitude': {AGAIN}") from None
    return {
        "source_id": path.stem,
        "source_origin_time": time,
        **numbers,
        "source_magnitude_type": "ML",
        "source_type": "tectonic",
    }


def _reading(source_id, code, label):
    """The onsets of a station, or None if it has none."""
    row = {}
    for wave, onset in zip("ps", (label[0] > 0, label[1] < 0), strict=True):
        if onset.any():
            row[f"path_{wave}_travel_s"] = float(onset.argmax() / RATE_HZ)
            row |= {f"trace_{wave}_status": "manual", f"trace_{wave}_weight": 1.0}
    return {"source_id": source_id, "station_code": code, **row} if row else None


def _array(path, shape):
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        reason = " ".join(str(error).split())[:100]
        raise DataError(f"{path}: not an array that NumPy reads ({reason}): {AGAIN}") from None
    if array.shape != shape or array.dtype.kind not in "if":
        raise DataError(f"{path}: an array {array.shape} of {array.dtype}, expected {shape} of numbers: {AGAIN}")
    return array
