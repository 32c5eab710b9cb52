"""Station tables: one station a line, with commas, semicolons, tabs, bars or blanks between the columns.

FDSN text is such a table, and so is HypoDD's `station.dat`. Both are read here and not by ObsPy, so that a damaged line
is named.
"""

import csv
import re

from seisbook.catalogues.station_rows import Row, identity, number_of
from seisbook.errors import DataError, brief

SEPARATORS = ("|", ";", "\t", ",")
COLUMNS = {
    "code": ("code", "stationcode", "station", "sta", "stn", "id", "name"),
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "lon", "long"),
    "elevation": ("elevation", "elev", "ele", "elv", "altitude", "alt"),
    "network": ("network", "net", "network_code", "networkcode"),
}
"""Names of columns, the best first: a table with a code may have a name too."""
METRES = ("m", "metre", "metres", "meter", "meters", "masl", "m_asl", "m_a_s_l")
KILOMETRES = ("km", "kilometre", "kilometres", "kilometer", "kilometers")
SUMMIT_KM = 9  # no station stands higher; as metres, a network on the coast


def table_rows(path, lines, remarks):
    """Stations of a table, with or without a header.

    Parameters
    ----------
    path : Path
    lines : list of str
    remarks : list of str
        Gets a line where the unit of the elevations had to be guessed, or there are none.

    Returns
    -------
    list of Row

    Raises
    ------
    DataError
        If a line cannot be read.
    """
    separator = _separator(lines)
    table = [(number, _fields(path, number, line, separator)) for number, line in enumerate(lines, 1) if line.strip()]
    if not any("".join(fields) for _, fields in table):
        return []
    columns, metres_each, table = _columns(path, table, separator)
    rows, elevations = [], []
    for number, fields in table:
        if not "".join(fields) or fields[0].startswith("#"):
            continue
        rows.append(_row(path, number, fields, columns, separator != ","))
        elevations.append(fields[columns["elevation"]] if "elevation" in columns else "0")
    if "elevation" not in columns and rows:
        remarks.append(f"{path}: no column of elevations: 0 m is taken for all stations")
    factor = metres_each or _guessed_unit(path, elevations, remarks)
    return [row._replace(elevation_m=row.elevation_m * factor) for row in rows]


def _separator(lines):
    """The separator that most lines hold three times, else the one that there is at all; None for blanks."""
    counts = {separator: sum(line.count(separator) >= 3 for line in lines) for separator in SEPARATORS}
    best = max(SEPARATORS, key=counts.get)
    return best if counts[best] else next((one for one in SEPARATORS if any(one in line for line in lines)), None)


def _fields(path, number, line, separator):
    """Columns of one line; a quotation mark without its partner costs this line only."""
    if separator is None:
        return line.split()
    try:
        return [field.strip() for field in next(csv.reader([line], delimiter=separator))]
    except csv.Error as error:
        raise DataError(f"{path}:{number}: {error}: correct the line or delete it") from None


def _columns(path, table, separator):
    """Where the columns are, how many metres a unit of the elevations is (None: not said), and the stations' lines."""
    for i, (number, fields) in enumerate(table):
        header = fields[1:] if fields[0] == "#" else fields
        columns = _named(header)
        if {"latitude", "longitude"} <= columns.keys():
            _check_columns(path, number, columns)
            fdsn = separator == "|" and "network" in columns  # whose elevations are metres
            return columns, 1 if fdsn else _unit(header[columns["elevation"]]), table[i + 1 :]
        if fields[0].startswith("#"):
            continue
        start = _first_coordinate(fields, separator)
        if start:
            return _without_header(fields, start), 1 if separator == "|" else None, table[i:]
        _check_columns(path, number, columns)
    return {}, None, []


def _named(header):
    """Column of each thing that a header names."""
    names = [_name(field) for field in header]
    found = {key: [names.index(name) for name in known if name in names] for key, known in COLUMNS.items()}
    return {key: columns[0] for key, columns in found.items() if columns}


def _check_columns(path, number, columns):
    missing = [key for key in ("code", "latitude", "longitude", "elevation") if key not in columns]
    if missing:
        raise DataError(
            f"{path}:{number}: no column for {', '.join(missing)}; use the header code,latitude,longitude,elevation_m"
        )


def _normal(field):
    """A column's name in lower case, with `_` for all that is no letter or digit, and without a leading `station_`."""
    return re.sub(r"[^a-z0-9]+", "_", field.lower()).strip("_").removeprefix("station_")


def _name(field):
    """A column's name without its unit; a unit that is not known stays."""
    name, _, unit = _normal(field).partition("_")
    return name if unit in (*METRES, *KILOMETRES, "deg", "degree", "degrees", "decimal_degrees") else _normal(field)


def _unit(field):
    """Metres in one unit of a column; None if its name has none."""
    unit = _normal(field).partition("_")[2]
    return 1 if unit in METRES else 1000 if unit in KILOMETRES else None


def _first_coordinate(fields, separator):
    """Column of the latitude in a line without header, 0 if there is none: after `STA`, `NET STA` or `NET STA LOC CHA`.

    A network's code has one or two characters there: the first word of a longer name is none.
    """
    for possible in (True, False):
        for start in (2, 4) if separator == "|" else (1, 2, 4):
            values = [number_of(field, separator != ",") for field in fields[start : start + 2]]
            if len(values) < 2 or None in values or (start > 1 and not 1 <= len(fields[0]) <= 2):
                continue
            if not possible or (abs(values[0]) <= 90 and abs(values[1]) <= 360):
                return start
    return 0


def _without_header(fields, start):
    columns = {"code": min(start, 2) - 1, "latitude": start, "longitude": start + 1}
    if start > 1:
        columns["network"] = 0
    if len(fields) > start + 2:
        columns["elevation"] = start + 2
    return columns


def _row(path, number, fields, columns, decimal_comma):
    """One station; its elevation as the table has it."""
    try:
        code, network = fields[columns["code"]], fields[columns["network"]] if "network" in columns else ""
        values = [
            number_of(fields[columns[key]], decimal_comma)
            for key in ("latitude", "longitude", "elevation")
            if key in columns
        ]
    except IndexError:
        values = [None]
    if None in values:
        raise DataError(
            f"{path}:{number}: expected a station code, latitude, longitude and elevation; "
            f"found {brief(','.join(fields))}: correct the line or delete it"
        )
    of_code, station = identity(path, number, code)
    return Row(number, network or of_code, station, *values[:2], values[2] if len(values) > 2 else 0.0)


def _guessed_unit(path, elevations, remarks):
    """Metres in the unit of elevations whose header names none.

    They are metres. If all lie within 9 of 0, a network on the coast in metres and one in the mountains in kilometres
    look alike: those with two decimals or more are taken for kilometres, and a remark says what was taken.
    """
    values = [number_of(text, decimal_comma=True) for text in elevations]
    if not any(values) or any(abs(value) > SUMMIT_KM for value in values):
        return 1
    fine = any(re.search(r"[.,]\d+[1-9]", text) for text in elevations)
    remarks.append(
        f"{path}: elevations are taken for {'kilometres' if fine else 'metres'}: all lie within {SUMMIT_KM} of 0 and "
        "the header names no unit; call the column elevation_m or elevation_km"
    )
    return 1000 if fine else 1
