"""hypoinverse's archive files (`.arc`) with four-digit years (Y2000): a summary line, its station lines, a terminator.

Columns that are read (Klein, 2002, *User's guide to HYPOINVERSE-2000*, USGS Open-File Report 02-171); numbers without a
point have the decimals that are given:

=========  =========================================================================================================
summary    1-4 year; 5-12 month, day, hour, minute; 13-16 seconds (.2); 17-18 latitude, 19 `S`, 20-23 minutes (.2);
           24-26 longitude, 27 `E`, 28-31 minutes (.2); 32-36 depth (.2); 86-89 and 90-93 horizontal and vertical error,
           km (.2); 137-146 number; magnitudes (.2): 147 and 148-150 preferred, 37-39 amplitude, 71-73 duration, with
           their weights (.1) in 151-154, 97-100, 101-104
station    1-5 code; 14-15 P remark; 16 first motion; 17 P weight code; 18-29 year to minute; 30-34 P seconds (.2);
           35-38 P residual (.2); 42-46 S seconds (.2); 47-48 S remark; 50 S weight code; 51-54 S residual (.2);
           55-61 amplitude
=========  =========================================================================================================

Latitudes are north and longitudes west unless a letter says otherwise. Weight codes 0 to 3 are weights 1, 0.75, 0.5,
0.25; 4 and above mean that the reading is not used. Amplitudes are not read: they are in mm of a record, or in counts.
Shadow lines (`$`) are passed over. Depths are kept as they are, below the surface that the velocity model refers to.
"""

import re
from pathlib import Path

import numpy as np
from obspy.core.event import QuantityError

from seisbook.catalogues.entries import ANALYST_WEIGHT, ONSET, POLARITY, Entry, add_onset, new_event, said
from seisbook.catalogues.fields import column, fixed, instant, minutes, optional
from seisbook.catalogues.geodesy import KM_PER_DEGREE
from seisbook.catalogues.texts import lines_of

NAME = "hypoinverse archive"
SUMMARY = re.compile(r"(1[789]|2[01])\d\d[ \d]{8}[ \d.]{4}[ \d]{2}[ NS][ \d.]{4}[ \d]{3}[ EW][ \d.]{4}[- \d.]{5}")
STATION = re.compile(r"\S.{4}.{12}(1[789]|2[01])\d\d[ \d]{8}")
MAGNITUDES = ((148, 151), (37, 97), (71, 101))  # columns of value and weight: preferred, amplitude, duration
TYPES = {"L": "ML", "W": "Mw", "D": "Md"}


def recognise(lines: list[str]) -> bool:
    """Whether the first line that is not blank is a summary, and a station line follows."""
    lines = [line for line in lines if line.strip() and not line.startswith("$")]
    return bool(lines) and bool(SUMMARY.match(lines[0])) and any(STATION.match(line) for line in lines[1:3])


def read(path: str | Path, skipped: list[str]) -> list[Entry]:
    """Events of an archive; `skipped` gets a line for each event and reading that cannot be read."""
    entries, event, amplitudes = [], None, 0
    for i, line in enumerate(lines_of(path), 1):
        if line.startswith("$"):
            continue
        if not line[:5].strip():  # a terminator
            event = None
            continue
        is_summary = bool(SUMMARY.match(line))
        try:
            if is_summary:
                event = None
                event = _event(line)
                entries.append(Entry(event, f"{path}:{i}", column(line, 137, 10).strip()))
            elif event is None:
                skipped.append(f"{path}:{i}: line left out: no summary line comes before it that can be read")
            else:
                _add_readings(event, line)
                amplitudes += (optional(line, 55, 7, 2) or 0) > 0
        except (ValueError, OverflowError) as error:
            what = "event" if is_summary else "reading"
            skipped.append(f"{path}:{i}: {what} left out: it cannot be read ({said(error)})")
    if amplitudes:
        skipped.append(f"{path}: {amplitudes} amplitudes not read: mm of a record, or counts, without a response")
    return entries


def _event(line):
    time = instant(
        *(column(line, *field) for field in ((1, 4), (5, 2), (7, 2), (9, 2), (11, 2))), fixed(line, 13, 4, 2)
    )
    latitude = minutes(fixed(line, 17, 2), fixed(line, 20, 4, 2), column(line, 19, 1) == "S")
    longitude = minutes(fixed(line, 24, 3), fixed(line, 28, 4, 2), column(line, 27, 1) != "E")
    event = new_event(time, latitude, longitude, fixed(line, 32, 5, 2), *_magnitude(line))
    origin, horizontal, vertical = event.origins[0], optional(line, 86, 4, 2), optional(line, 90, 4, 2)
    if horizontal:
        origin.latitude_errors = QuantityError(horizontal / KM_PER_DEGREE)
        origin.longitude_errors = QuantityError(horizontal / KM_PER_DEGREE / np.cos(np.radians(latitude)))
    if vertical:
        origin.depth_errors = QuantityError(1000 * vertical)
    return event


def _magnitude(line):
    """The first magnitude that has a value and a weight, and its type if it is the preferred one."""
    for start, weight in MAGNITUDES:
        value = optional(line, start, 3, 2)
        if value is not None and optional(line, weight, 4, 1) != 0:
            return value, TYPES.get(column(line, 147, 1).upper(), "") if start == MAGNITUDES[0][0] else ""
    return None, ""


def _add_readings(event, line):
    minute = instant(*(column(line, *field) for field in ((18, 4), (22, 2), (24, 2), (26, 2), (28, 2))))
    station = column(line, 1, 5).strip()
    if column(line, 14, 2).strip():  # without a remark, the P time does not count
        polarity = POLARITY.get(column(line, 16, 1).upper())
        _add(event, station, "P", minute, line, (30, 5), (14, 2), 17, (35, 4), polarity)
    if column(line, 47, 2).strip() or optional(line, 42, 5, 2):
        _add(event, station, "S", minute, line, (42, 5), (47, 2), 50, (51, 4), None)


def _add(event, station, phase, minute, line, seconds, remark, code, residual, polarity):
    weight = ANALYST_WEIGHT.get(column(line, code, 1).strip(), 0.0)
    onset = ONSET.get(column(line, *remark)[:1].upper())
    time, residual = minute + fixed(line, *seconds, 2), optional(line, *residual, 2)
    add_onset(event, station, phase, time, weight, residual, onset=onset, polarity=polarity)
