"""Lists of stations of one earthquake, as ShakeMap reads and writes them, in XML and in JSON, and its origin.

=====================  =========================================================================================
file                       what is read
=====================  =========================================================================================
``event.xml``          an element `earthquake` with `lat`, `lon`, `mag`, and where they are known `depth`, `time`
``*_dat.xml``          elements `station`, `comp`, and `acc`, `vel`, `psa03`, `psa10`, `psa30` with `value`, `flag`
``stationlist.json``   features with `channels` of `amplitudes`; a list of felt reports in it is passed by
=====================  =========================================================================================

What a file is its content says, not its name. Accelerations are in %g, velocities in cm/s.

References
----------
C. B. Worden et al. (2020), ShakeMap Manual, doi:10.5066/F7D21VPQ.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from seisbook.catalogues.ground_motion import MEASURES, clean
from seisbook.catalogues.strong_motion import EVENT, LARGEST, _components, _elements
from seisbook.errors import DataError, UserError, brief
from seisbook.files import reason

NAMES = ("event.xml", "*_dat.xml", "*_dat.json", "stationlist.json")  # in a folder of ShakeMap's
AMPLITUDES = {"pga": "pga", "pgv": "pgv", "sa(0.3)": "psa03", "sa(1.0)": "psa10", "sa(3.0)": "psa30"}
UNITS = {"%g": 1.0, "pctg": 1.0, "g": 100.0, "cm/s": 1.0, "cms": 1.0}
COLUMNS = [
    *("source_id", "database", "station", "latitude", "longitude", "sensor", "component"),
    *(part for name in MEASURES for part in (name, f"{name}_flag")),
]
LISTED, ORIGIN = "stations", "origin"
ANY_TIME = "2000-01-01T00:00:00Z"
LONGEST_NAME = 60


class Origin(NamedTuple):
    """Where and how large an earthquake was: degrees, km (NaN if not known), magnitude; `time` is None if not given."""

    latitude: float
    longitude: float
    depth_km: float
    magnitude: float
    time: pd.Timestamp | None = None


@dataclass
class StationList:
    """One earthquake as some stations recorded it.

    Parameters
    ----------
    name : str
        What its origin calls the earthquake, or else the name of the first file.
    records : DataFrame
        `station`, `latitude`, `longitude`, and `MEASURES` in log10, NaN where there is no possible value.
    origin : Origin or None
        None if no file has one with a place and a magnitude.
    remarks : list of str
        What was left out, and why.
    """

    name: str
    records: pd.DataFrame
    origin: Origin | None
    remarks: list[str]


def read(*paths) -> StationList:
    """Read the files of one earthquake, or the folder that holds them.

    Parameters
    ----------
    *paths : path
        If a station is in several, the first of these has it: the database ESM, JSON, the database RRSM, other XML.

    Raises
    ------
    UserError
        If a file cannot be read, or a folder holds none of `NAMES`.
    DataError
        If a file is neither XML nor JSON of this form.
    """
    names, rows, said, remarks = [], [], [], []
    for path in _files(paths):
        name, origin, components = _read(path, remarks)
        names += [name] * bool(name)
        said += origin
        rows += components
    records, events, found = _cleaned(rows, said[:1])
    remarks += [text for text in found if not text.startswith("0 ")]
    name = (names or [Path(paths[0]).stem])[0]
    return StationList(_plain(name), records, _origin(events, said), remarks)


def _files(paths):
    """The files, with those of a folder in its place."""
    found = []
    for path in map(Path, paths):
        if not path.is_dir():
            found.append(path)
            continue
        inside = [file for name in NAMES for file in sorted(path.glob(name)) if file.is_file()]
        if not inside:
            raise UserError(f"{path}: holds none of {', '.join(NAMES)}: give a folder of ShakeMap's, or files")
        found += inside
    return found


def _read(path, remarks):
    """Name of the earthquake, its origin and the components of a file; at most one of the two lists is long."""
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"{path}: more than {LARGEST / 1e6:.0f} MB: no list of stations is so long")
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({reason(error)}): give a list of stations") from None
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    try:
        if start == b"{":
            return "", [], _features(json.loads(content), path, remarks)
        if start == b"<":
            return _xml(path, content)
    except (ValueError, RecursionError) as error:  # of JSON, of its encoding, and of the XML that is read here
        raise DataError(f"{path}: {brief(str(error))[1:-1]}: give a station list of ShakeMap's") from None
    raise DataError(f"{path}: neither XML nor JSON: give a station list of ShakeMap's, or an event.xml")


def _xml(path, content):
    elements = _elements(content)
    origin = [attributes for name, attributes in elements if name == "earthquake"][:1]
    if not origin and not any(name in ("stationlist", "station") for name, _ in elements):
        raise ValueError("no element 'earthquake' or 'stationlist'")
    database = next((name for name in ("ESM", "RRSM") if f"_{name}_" in path.name), "XML")
    name = next((attributes.get("id", "") for attributes in origin), "")
    return name, origin, _components(LISTED, database, content)


# ----------------------------------------------------------------------------------------------------------------- JSON


def _features(content, path, remarks):
    """Components of the instruments in a `stationlist.json`."""
    features = content.get("features")
    if not isinstance(features, list):
        raise ValueError("no list 'features'")
    rows, bare, felt = [], 0, 0
    for feature in features:
        properties, places = _dict(_dict(feature).get("properties")), _dict(_dict(feature).get("geometry"))
        if properties.get("station_type") == "macroseismic":
            felt += 1
            continue
        longitude, latitude = (*_list(places.get("coordinates")), "", "")[:2]
        code, network = str(properties.get("code", "")), str(properties.get("network", ""))
        station = (LISTED, "JSON", code if "." in code else f"{network}.{code}", str(latitude), str(longitude))
        found = [_component(station, _dict(channel)) for channel in _list(properties.get("channels"))]
        rows += found
        bare += not found
    remarks += [f"{path}: {felt} felt reports left out"] * bool(felt)
    remarks += [f"{path}: {bare} stations left out, without channels"] * bool(bare)
    return rows


def _component(station, channel):
    """A row as those of `seisbook.catalogues.strong_motion`."""
    name, values = str(channel.get("name", "")), dict.fromkeys(MEASURES, ("", ""))
    for amplitude in map(_dict, _list(channel.get("amplitudes"))):
        measure = AMPLITUDES.get(str(amplitude.get("name", "")).lower())
        unit = UNITS.get(str(amplitude.get("units", "")).lower())
        if measure and unit and ("cm" in str(amplitude["units"]).lower()) == (measure == "pgv"):
            flag = str(amplitude.get("flag", ""))
            values[measure] = _scaled(amplitude.get("value"), unit), flag if flag.strip() else "0"
    return (*station, name[:-1], name[-1:], *(part for pair in values.values() for part in pair))


def _scaled(value, unit):
    """Text of a value in the unit of its measure."""
    return str(value * unit) if isinstance(value, float | int) and abs(value) < 1e300 else str(value)


def _dict(value):
    return value if isinstance(value, dict) else {}


def _list(value):
    return value if isinstance(value, list) else []


# ------------------------------------------------------------------------------------------------------------- cleaning


def _cleaned(rows, said):
    """Possible values of the components, and the origin if it is one, by the rules of the archive."""
    stand_in = (LISTED, ANY_TIME, "0", "0", "0", "0")
    origin = [(ORIGIN, *(attributes.get(name, "") for name in EVENT)) for attributes in said]
    origin = [(name, time if _is_time(time) else ANY_TIME, *others) for name, time, *others in origin]
    events = pd.DataFrame([stand_in, *origin], columns=["source_id", *EVENT.values()])
    if not rows:
        rows = [(LISTED, "XML", "", *[""] * (len(COLUMNS) - 3))]  # a station without coordinates is left out
    motion = clean(events, pd.DataFrame(rows, columns=COLUMNS))
    records = motion.records.drop(columns="source_id").reset_index(drop=True)
    return records.assign(station=[_plain(code) for code in records.station]), motion.events, motion.remarks


def _origin(events, said):
    if ORIGIN not in events.index:
        return None
    row, has_time = events.loc[ORIGIN], _is_time(said[0].get("time", ""))
    place = (float(row[f"source_{name}"]) for name in ("latitude_deg", "longitude_deg", "depth_km", "magnitude"))
    return Origin(*place, row.source_origin_time if has_time else None)


def _is_time(text):
    return pd.notna(pd.to_datetime(text, utc=True, errors="coerce", format="ISO8601"))


def _plain(text):
    """A name as figures and files can hold it."""
    text = "".join(letter for letter in text if letter.isprintable() and letter not in "<>&\"'`${}\\")
    return " ".join(text.split())[:LONGEST_NAME] or "unnamed"
