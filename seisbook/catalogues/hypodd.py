"""HypoDD's phase files (`.pha`), the input of its `ph2dt`.

===========  ==============================================================================================
event        `#, YR, MO, DY, HR, MN, SC, LAT, LON, DEP, MAG, EH, EZ, RMS, ID`, separated by blanks
reading      `STA, TT, WGHT, PHA`: station, travel time (s), weight (0 to 1), phase
===========  ==============================================================================================

Latitude and longitude are in degrees, depth, EH and EZ in km. A negative weight means that the reading is always kept;
its size is the weight. ObsPy has a reader, but one damaged line costs it the file, and it drops the event's number.
"""

from pathlib import Path

import numpy as np
from obspy.core.event import QuantityError

from seisbook.catalogues.entries import Entry, add_onset, new_event, said
from seisbook.catalogues.fields import instant, number
from seisbook.catalogues.geodesy import KM_PER_DEGREE
from seisbook.catalogues.texts import lines_of

NAME = "HypoDD phase file"


def recognise(lines: list[str]) -> bool:
    """Whether the first line that is not blank begins with `#`, and one of the lines is an event."""
    first = next((line for line in lines if line.strip()), "")
    return first.startswith("#") and any(_is_event(line) for line in lines)


def read(path: str | Path, skipped: list[str]) -> list[Entry]:
    """Events of a phase file; `skipped` gets a line for each event and each reading that cannot be read."""
    entries, event = [], None
    for place, line in ((f"{path}:{i}", line) for i, line in enumerate(lines_of(path), 1) if line.strip()):
        try:
            if line.startswith("#"):
                event = None
                event, identifier = _event(line)
                entries.append(Entry(event, place, identifier))
            elif event is not None:
                _add_reading(event, line)
            else:
                skipped.append(f"{place}: reading left out: its event is not read")
        except (ValueError, OverflowError) as error:
            what = "event" if line.startswith("#") else "reading"
            skipped.append(f"{place}: {what} left out: it cannot be read ({said(error)})")
    return entries


def _is_event(line):
    try:
        _event(line)
        return line.startswith("#")
    except (ValueError, OverflowError):
        return False


def _event(line):
    fields = line[1:].split()
    if len(fields) != 14:
        raise ValueError(f"{len(fields)} fields instead of 14 after the '#'")
    *time, latitude, longitude, depth, magnitude, horizontal, vertical, _, identifier = fields
    latitude = number(latitude)
    event = new_event(
        instant(*time), latitude, number(longitude), number(depth), None if _is_nan(magnitude) else number(magnitude)
    )
    origin, horizontal, vertical = event.origins[0], number(horizontal), number(vertical)
    if horizontal > 0:  # 0 stands for an error that is not known
        origin.latitude_errors = QuantityError(horizontal / KM_PER_DEGREE)
        origin.longitude_errors = QuantityError(horizontal / KM_PER_DEGREE / np.cos(np.radians(latitude)))
    if vertical > 0:
        origin.depth_errors = QuantityError(1000 * vertical)
    return event, identifier


def _is_nan(text):
    return text.lower() == "nan"


def _add_reading(event, line):
    fields = line.split()
    if len(fields) != 4:
        raise ValueError(f"{len(fields)} fields instead of station, travel time, weight and phase")
    station, travel, weight, phase = fields
    time = event.origins[0].time + number(travel)
    add_onset(event, station, phase, time, weight=min(abs(number(weight)), 1.0))
