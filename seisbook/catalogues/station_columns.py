"""Station files with fixed columns: SEISAN's `STATION0.HYP`, whose lines HYPO71 shares, and Hypoinverse's."""

import re

from seisbook.catalogues.station_rows import Row
from seisbook.errors import DataError

# columns 2-6 code, then latitude and longitude as degrees and minutes; minutes of 60 and more do occur
SEISAN = re.compile(
    r"^ (?P<code>.{5})(?P<lat_deg>  | \d|\d\d)(?P<lat_min>[ \d]{2}\.[ \d]{2}|[ \d]{2}\d{3}|\d\.\d{3})(?P<ns>[NS])"
    r"(?P<lon_deg>   |  \d| \d\d|\d{3})(?P<lon_min>[ \d]{2}\.[ \d]{2}|[ \d]{2}\d{3}|\d\.\d{3})(?P<ew>[EW])"
    r"(?P<elevation> {0,3}[-+]?\d{1,4}(?!\d)| {4}| {0,3}$)",
    re.ASCII,
)
SEISAN_LAYER = re.compile(r"^ *(\d+\.\d*) +(\d+\.\d*)( +[A-Z])? *$", re.ASCII)
HYPOINVERSE = re.compile(
    r"^(?P<code>\S.{4}) (?P<network>.{2}) .{4} ."
    r"(?P<lat_deg>[ \d]{2}) (?P<lat_min>[ \d]{2}\.\d{2}[ \d]{2})(?P<ns>[NSns ])"
    r"(?P<lon_deg>[ \d]{3}) (?P<lon_min>[ \d]{2}\.\d{2}[ \d]{2})(?P<ew>[EWew ])(?P<elevation>.{0,4})",
    re.ASCII,
)


def is_seisan(lines) -> bool:
    """Whether a line is one of SEISAN's stations."""
    return any(SEISAN.match(line) for line in lines)


def is_hypoinverse(lines) -> bool:
    """Whether a line is one of Hypoinverse's stations."""
    return any(HYPOINVERSE.match(line) for line in lines)


def seisan_rows(path, lines):
    """Stations of a `STATION0.HYP`: what has the shape of a station before the velocity model.

    Minutes without a point are SEISAN's high accuracy: five digits are `MM.mmm`.

    Raises
    ------
    DataError
        If a line was a station and is damaged.
    """
    for number, line in enumerate(lines, 1):
        match = SEISAN.match(line)
        if match:
            latitude = _degrees(match["lat_deg"], _minutes(match["lat_min"]), match["ns"] == "S")
            longitude = _degrees(match["lon_deg"], _minutes(match["lon_min"]), match["ew"] == "W")
            elevation = float(match["elevation"].strip() or 0)
            yield Row(number, "", match["code"].strip(" "), latitude, longitude, elevation)
        elif SEISAN_LAYER.match(line):
            return
        elif _was_seisan(line):
            raise DataError(
                f"{path}:{number}: not a SEISAN station line; columns 2-6 hold the code, 7-14 the latitude as "
                "DDMM.mmN, 15-23 the longitude as DDDMM.mmW and 24-27 the elevation: correct the line or delete it"
            )


def _was_seisan(line):
    """Whether a line has two hemispheres after digits, or digits where latitude and longitude belong."""
    if line.startswith(("RESET", "*", "#")):
        return False
    digits = [sum(letter.isdigit() for letter in line[part]) for part in (slice(6, 13), slice(14, 22))]
    return bool(re.search(r"\d[NS].*\d[EW]", line)) or min(digits) >= 3


def _minutes(text):
    return float(text.replace(" ", "0")) if "." in text else float(text) / 1000


def _degrees(degrees, minutes, negative):
    value = float(degrees.strip() or 0) + minutes / 60
    return -value if negative else value


def hypoinverse_rows(path, lines, remarks):
    """Stations of a Hypoinverse file (format 2); a blank hemisphere is north, or west.

    Parameters
    ----------
    remarks : list of str
        Gets a line if there are stations without an elevation, which Hypoinverse itself does not read.

    Raises
    ------
    DataError
        If a line is damaged.
    """
    without = []
    for number, line in enumerate(lines, 1):
        match = HYPOINVERSE.match(line)
        if match and re.fullmatch(r" *-?\d* *", match["elevation"]):
            latitude = _degrees(match["lat_deg"], _minutes(match["lat_min"]), match["ns"] in "Ss")
            longitude = _degrees(match["lon_deg"], _minutes(match["lon_min"]), match["ew"] in "Ww ")
            elevation = match["elevation"].strip()
            without += [] if elevation else [number]
            names = match["network"].strip(" "), match["code"].strip(" ")
            yield Row(number, *names, latitude, longitude, float(elevation or 0))
        elif line.strip() and not line.startswith(("*", "#")):
            raise DataError(
                f"{path}:{number}: not a Hypoinverse station line; columns 1-5 hold the code, 16-26 the latitude as "
                "DD MM.mmmmN and 27-38 the longitude as DDD MM.mmmmW: correct the line or delete it"
            )
    if without:
        remarks.append(f"{path}:{without[0]}: {len(without)} stations have no elevation: 0 m is taken")
