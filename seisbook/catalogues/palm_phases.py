"""PALM's phase files (`.pha`), as its associator and its locators write them.

===========  ================================================================
event        `time,latitude,longitude,depth (km),magnitude` and perhaps more
reading      `NET.STA,P time,S time,S amplitude (m)` and perhaps more
===========  ================================================================

A time of -1 stands for an onset that was not picked.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from seisbook.catalogues.entries import said
from seisbook.catalogues.fields import number
from seisbook.catalogues.texts import lines_of

NAME = "PALM phase file"
TIME = r"\d{4}-\d\d-\d\dT[\d:.]+Z?"
EVENT = re.compile(rf"{TIME},[-+.\d ]+,[-+.\d ]+,[-+.\d ]+,")
READING = re.compile(rf"[\w-]+\.[\w-]+,({TIME}|-1),({TIME}|-1),")
NM_PER_M = 1e9


def recognise(lines: list[str]) -> bool:
    """Whether the first two lines that are not blank are an event and a reading."""
    first = [line for line in lines if line.strip()][:2]
    return len(first) == 2 and bool(EVENT.match(first[0]) and READING.match(first[1]))


def rows(path: str | Path, skipped: list[str]) -> list[tuple[dict, list[dict]]]:
    """Events and their readings, as `seisbook.catalogues.duplicates.assemble` takes them.

    ObsPy's events are left out on the way: an automatic catalogue has so many picks that they would take a minute.

    Parameters
    ----------
    path : str or Path
    skipped : list of str
        Gets a line for each event and each reading that cannot be read.
    """
    found, event = [], None
    for place, line in ((f"{path}:{i}", line) for i, line in enumerate(lines_of(path), 1) if line.strip()):
        is_event = line[:4].isdigit()
        try:
            if is_event:
                event = None
                event = _event(line, place)
                found.append((event, []))
            elif event is not None:
                found[-1][1].append(_reading(line, event["source_origin_time"]))
            else:
                skipped.append(f"{place}: reading left out: its event is not read")
        except ValueError as error:
            what = "event" if is_event else "reading"
            skipped.append(f"{place}: {what} left out: it cannot be read ({said(error)})")
    return found


def _event(line, place):
    time, latitude, longitude, depth, magnitude = [*line.split(","), ""][:5]
    origin = _time(time)
    return {
        "number": origin.strftime("%Y%m%d%H%M%S%f")[:-4],
        "source_origin_time": origin,
        "source_latitude_deg": number(latitude),
        "source_longitude_deg": number(longitude),
        "source_depth_km": number(depth),
        "source_magnitude": float(magnitude or "nan"),
        "source_magnitude_type": "",
        "source_type": "unknown",
        "place": place,
    }


def _reading(line, origin):
    code, p, s, amplitude = [*line.split(","), "nan"][:4]
    row = {"station_code": code.split(".")[-1].strip()}
    if not row["station_code"]:
        raise ValueError("no station code")
    for wave, time in (("p", p), ("s", s)):
        if time.strip() != "-1":
            row[f"path_{wave}_travel_s"] = round((_time(time) - origin).total_seconds(), 4)
            row |= {f"trace_{wave}_status": "automatic", f"trace_{wave}_weight": 1.0}
    value = NM_PER_M * float(amplitude)
    row["trace_amplitude_nm"] = value if np.isfinite(value) and value > 0 else np.nan
    return row


def _time(text):
    time = pd.Timestamp(text.strip())
    return time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")
