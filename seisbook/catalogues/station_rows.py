"""What the readers of station files share: how codes and numbers are written, and the rows that come of them."""

import re
from typing import NamedTuple

from seisbook.errors import DataError, brief

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,2})?", re.ASCII)
DEGREES_AND_MINUTES = re.compile(r"([-+]?)(\d{1,3}):(\d{1,2}(\.\d*)?)", re.ASCII)
PART = re.compile(r"[A-Za-z0-9_-]{0,8}")


class Row(NamedTuple):
    """One entry of a station file; `line` is 0 where the file has no lines."""

    line: int
    network: str
    code: str
    latitude: float
    longitude: float
    elevation_m: float


def number_of(text, decimal_comma=False) -> float | None:
    """A number, or degrees and minutes as in `37:23.09`; None if the text is neither."""
    text = text.strip().replace(",", ".") if decimal_comma else text.strip()
    if NUMBER.fullmatch(text):
        return float(text)
    match = DEGREES_AND_MINUTES.fullmatch(text)
    if not match or float(match[3]) >= 60:
        return None
    value = int(match[2]) + float(match[3]) / 60
    return -value if match[1] == "-" else value


def identity(path, line, text) -> tuple[str, str]:
    """Network and station code of `STA`, `NET.STA`, `NET.STA.LOC` or `NET.STA.LOC.CHA`.

    Raises
    ------
    DataError
        If it is none of these.
    """
    parts = text.split(".")
    if (
        len(parts) > 4
        or not all(PART.fullmatch(part) for part in parts)
        or (len(parts) > 1 and number_of(text) is not None)
    ):
        raise DataError(
            f"{path}:{line}: {brief(text)} is no station code: give up to 8 letters and digits, or NET.STA.LOC.CHA"
        )
    return ("", parts[0]) if len(parts) == 1 else (parts[0], parts[1])
