"""Velocity models from the files that locators keep them in.

- SEISAN's `STATION0.HYP`, whose model follows the stations;
- tables of one layer a line, with commas or blanks between the columns: with a header that names depth, Vp and perhaps
  Vs, or without one, as in HYPO71, hypoinverse and HypoDD: speed and depth of the layer's top.
"""

import re
from itertools import pairwise
from pathlib import Path

from pydantic import ValidationError

from seisbook.catalogues import station_columns
from seisbook.catalogues.schema import VelocityModel
from seisbook.catalogues.stations import read_seisan_velocity
from seisbook.catalogues.texts import lines_of
from seisbook.errors import DataError, UserError, brief

NAMES = {
    "depth": ("depth", "top", "z", "dep", "depth_km", "top_km"),
    "vp": ("vp", "p", "velocity", "speed", "vp_km_s", "v"),
    "vs": ("vs", "s", "vs_km_s"),
}
"""Names of columns, in lower case."""


def read_velocity(path: str | Path, vp_vs: float) -> VelocityModel:
    """Read a layered velocity model.

    Parameters
    ----------
    path : str or Path
    vp_vs : float
        Vp/Vs of a file that does not say it.

    Raises
    ------
    UserError
        If there is no such file.
    DataError
        If a line cannot be read, or the layers do not follow each other downwards; the message names file and line.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such velocity file: check the path")
    lines = lines_of(path)
    if path.suffix.lower() == ".hyp" or station_columns.is_seisan(lines):
        return read_seisan_velocity(path)
    rows, columns = _rows(path, lines)
    top, speed = ([row[columns[name]] for _, row in rows] for name in ("depth", "vp"))
    for (number, _), (above, below) in zip(rows[1:], pairwise(top), strict=True):
        if not below > above:
            raise DataError(f"{path}:{number}: depth {below:g} km does not lie below {above:g} km: order the layers")
    if "vs" in columns:
        vp_vs = sum(row[columns["vp"]] / row[columns["vs"]] for _, row in rows) / len(rows)
    try:
        return VelocityModel(top, speed, round(vp_vs, 3), path.name)
    except (ValidationError, ValueError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise DataError(f"{path}: no velocity model ({reason}): give depth in km and speed in km/s") from None


def _rows(path, lines):
    """Lines of numbers with their place in the file, and which column holds what."""
    rows, columns = [], {}
    for number, line in enumerate(lines, 1):
        fields = [field for field in re.split(r"[\s,;]+", line.split("#")[0].strip()) if field]
        try:
            values = [float(field) for field in fields]
        except ValueError:
            if rows:
                raise DataError(f"{path}:{number}: {brief(line)} holds no numbers: correct or delete it") from None
            columns = _named(fields) or columns
            continue
        if len(values) >= 2:
            rows.append((number, values))
    if not rows:
        raise DataError(f"{path}: no line with speed and depth of a layer: give one layer a line")
    width = min(len(values) for _, values in rows)
    columns = columns or _guessed([values for _, values in rows])
    if max(columns.values()) >= width or ("vs" in columns and any(v[columns["vs"]] <= 0 for _, v in rows)):
        raise DataError(f"{path}:{rows[0][0]}: fewer columns than its header names, or a speed of zero: correct it")
    return rows, columns


def _named(fields):
    """Columns that a header names; empty unless it names depth and Vp."""
    names = [re.sub(r"[(\[].*", "", field).lower() for field in fields]
    found = {key: names.index(name) for key, known in NAMES.items() for name in known if name in names}
    return found if {"depth", "vp"} <= found.keys() else {}


def _guessed(rows):
    """Speed first, as locators have it, unless only the first column can be a depth: no wave has a speed of zero."""
    first = [row[0] for row in rows]
    return {"depth": 0, "vp": 1} if min(first) <= 0 or max(first) > 15 else {"depth": 1, "vp": 0}
