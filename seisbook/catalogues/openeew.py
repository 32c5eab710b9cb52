"""OpenEEW: seventeen Mexican earthquakes on low-cost accelerometers, as JSON lines.

A line is a packet of 32 samples of x, y, z in gal, with the time of the device's clock (`device_t`), which is taken as
the time of the packet's last sample, and the time at which it arrived (`cloud_t`). The file says 31.25 Hz. The packets
come at 30.0 to 31.3 Hz, so the rate of each file is measured from its packets. A device whose clock is off by more than
`CLOCK_S` is set by the arrivals. Lost packets leave gaps. How the devices are turned is not known: x, y and z are
stored as E, N and Z.

There are no picks and no depths. The catalogue holds one predicted P onset an event, at the nearest device. It says
where the window of the event lies and is no label (status `predicted`, see `seisbook.datasets.recordings`).
"""

import json
from pathlib import Path

import numpy as np
import obspy
import pandas as pd

from seisbook.catalogues import accelerometers
from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.geodesy import distance_azimuth
from seisbook.catalogues.plausibility import possible_catalogue
from seisbook.catalogues.schema import Station
from seisbook.catalogues.texts import lines_of_given
from seisbook.errors import DataError, UserError

NAME = "mexico"
DEVICES, EVENTS = "devices/device_locations.json", "events.txt"
COUNTS_PER_M_S2 = 100.0  # a sample is in gal
CLOCK_S = 5.0
MINUTES = 5  # that a file holds; its name is its first minute
SPEED_KM_S, DEPTH_KM = 6.7, 20.0  # of the predicted onset
AXES = {"z": "Z", "y": "N", "x": "E"}
AGAIN = "download it again"


def read_openeew(folder) -> Catalogue:
    """Read the catalogue of the Mexican events: epicentres and magnitudes, depths are NaN.

    Parameters
    ----------
    folder : path
        `openeew` of the real data.

    Raises
    ------
    UserError
        If the folder holds no events.
    DataError
        If a file is missing or malformed; the message names it.
    """
    listed, stations = _listed(Path(folder) / EVENTS), {one.code: one for one in read_devices(folder)}
    events, readings = [], []
    for day in _days(folder):
        event = _event_of(day, listed)
        events.append({**event, "source_depth_km": 0.0, "source_type": "unknown"})
        readings.append(_predicted(event, [stations[code] for code in _codes(day) if code in stations]))
    catalogue = possible_catalogue(NAME, "waveform", events, readings)
    catalogue.events["source_depth_km"] = np.nan  # the gate asks for a depth, and the source has none
    return catalogue


def read_devices(folder) -> list[Station]:
    """The devices, at coordinates of two decimals; of one that is listed twice, the later entry."""
    path = Path(folder) / DEVICES
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
        found = [Station(_code(one["device_id"]), one["latitude"], one["longitude"], one["elev"]) for one in listed]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:100]
        raise DataError(f"{path}: not a list of devices with their places ({reason}): {AGAIN}") from None
    return list({one.code: one for one in found}.values())


def records(folder):
    """Yield the `source_id` and the traces of each event."""
    listed, stations = _listed(Path(folder) / EVENTS), {one.code: one for one in read_devices(folder)}
    for day in _days(folder):
        stream = obspy.Stream()
        for device in sorted(path for path in day.iterdir() if path.is_dir()):
            if _code(device.name) in stations:
                for path in sorted(device.glob("*.jsonl")):
                    stream += read_packets(path, stations[_code(device.name)])
        yield _event_of(day, listed)["source_id"], stream


def read_packets(path, station) -> obspy.Stream:
    """Traces of one file, a new one after each gap."""
    packets = [_packet(path, number, line) for number, line in enumerate(lines_of_given(path), 1) if line.strip()]
    if not packets:
        raise DataError(f"{path}: an empty file: {AGAIN}")
    last, arrival, data = (np.array(values) for values in zip(*packets, strict=True))
    if abs(off := float(np.median(arrival - last))) > CLOCK_S:
        last = last + off
    _, order = np.unique(last, return_index=True)
    last, data = last[order], data[order]
    step = float(np.median(np.diff(last))) if len(last) > 1 else data.shape[2] / 31.25
    rate = data.shape[2] / step
    pieces = np.split(np.arange(len(last)), np.flatnonzero(np.abs(np.diff(last) - step) > step / 2) + 1)
    stream = obspy.Stream()
    for piece in pieces:
        start = float(np.median(last[piece] - np.arange(len(piece)) * step)) - (data.shape[2] - 1) / rate
        for axis, component in enumerate(AXES.values()):
            stream += accelerometers.trace(station, component, start, rate, data[piece, axis].ravel())
    return stream


def _packet(path, number, line):
    """Times of a packet by both clocks, and its samples (3, 32)."""
    try:
        said = json.loads(line)
        samples = np.array([said[axis] for axis in AXES], float)
        times = float(said["device_t"]), float(said["cloud_t"])
        if samples.shape != (3, 32) or not np.isfinite(samples).all() or not np.isfinite(times).all():
            raise ValueError("its samples are not 3 times 32 numbers")
    except (ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:100]
        raise DataError(
            f"{path}:{number}: not a packet with x, y, z, device_t and cloud_t ({reason}): {AGAIN}"
        ) from None
    return *times, samples


def _code(device):
    """Station code of a device: its number alone would be read as one."""
    return f"D{device}"


def _days(folder):
    """Folders of the events, in the order of time."""
    days = sorted(
        (path for path in Path(folder).glob("20*_*_*") if path.is_dir()),
        key=lambda path: [int(part) for part in path.name.split("_")],
    )
    if not days:
        raise UserError(f"{folder}: holds no folder of an event such as 2018_2_16: name the folder of OpenEEW")
    return days


def _codes(day):
    return [_code(path.name) for path in sorted(day.iterdir()) if path.is_dir()]


def _listed(path):
    """The source's list of earthquakes."""
    blocks = "\n".join(lines_of_given(path)).split("-" * 44)
    rows = [dict(line.split(" = ", 1) for line in block.strip().splitlines() if " = " in line) for block in blocks]
    table = pd.DataFrame([row for row in rows if row])
    missing = {"time", "latitude", "longitude", "magnitude"} - set(table)
    if missing:
        raise DataError(f"{path}: no event with {', '.join(sorted(missing))}: {AGAIN}")
    table["time"] = pd.to_datetime(table.time, utc=True, errors="coerce", format="ISO8601")
    for name in ("latitude", "longitude", "magnitude"):
        table[name] = pd.to_numeric(table[name], errors="coerce")
    return table


def _event_of(day, listed):
    """The largest listed event of a day within the minutes of the files."""
    minutes = sorted({int(path.stem) for path in day.glob("*/*.jsonl") if path.stem.isdecimal()})
    date = pd.Timestamp(day.name.replace("_", "-"), tz="UTC")
    within = (listed.time.dt.floor("D") == date) & (listed.time.dt.minute // MINUTES * MINUTES).isin(minutes)
    if not within.any():
        raise DataError(f"{day}: no event of {EVENTS} lies within its files: {AGAIN}")
    one = listed.loc[listed[within].magnitude.idxmax()]
    return {
        "source_id": one.time.strftime("%Y%m%d%H%M%S"),
        "source_origin_time": one.time,
        "source_latitude_deg": one.latitude,
        "source_longitude_deg": one.longitude,
        "source_magnitude": one.magnitude,
    }


def _predicted(event, stations):
    """The predicted P onset of the nearest device."""
    places = np.array([(one.latitude, one.longitude) for one in stations]).T
    km, _ = distance_azimuth(event["source_latitude_deg"], event["source_longitude_deg"], *places)
    nearest = int(np.argmin(km))
    return {
        "source_id": event["source_id"],
        "station_code": stations[nearest].code,
        "path_p_travel_s": round(float(np.hypot(km[nearest], DEPTH_KM)) / SPEED_KM_S, 2),
        "trace_p_status": "predicted",
        "trace_p_weight": 0.0,
    }
