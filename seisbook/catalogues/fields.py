"""Numbers and times in the fields of text formats; a field that holds no finite number is a `ValueError`, not a NaN."""

import math

from obspy import UTCDateTime

YEARS = range(1700, 2200)
"""Years whose nanoseconds fit into 64 bits, which is how tables keep times."""
PIVOT = 70  # two-digit years: 70 to 99 are of the last century


def number(text: str) -> float:
    """A finite number, as Python writes it."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"'{text.strip()}' is not a finite number")
    return value


def column(line: str, start: int, length: int) -> str:
    """Text of a field; columns count from 1, as in the descriptions of formats."""
    return line[start - 1 : start - 1 + length]


def optional(line: str, start: int, length: int, decimals: int = 0) -> float | None:
    """Number in a field, as Fortran reads it: without a point, its last digits are the decimals. None if it is blank.

    Parameters
    ----------
    line : str
    start, length : int
        Columns count from 1.
    decimals : int
        Digits after the point that is not printed.
    """
    text = column(line, start, length).strip()
    if not text:
        return None
    return number(text) if "." in text else int(text) / 10**decimals


def fixed(line: str, start: int, length: int, decimals: int = 0) -> float:
    """Number in a field that must not be blank, see `optional`."""
    value = optional(line, start, length, decimals)
    if value is None:
        raise ValueError(f"columns {start} to {start + length - 1} are blank")
    return value


def minutes(degrees: float, minutes_of_arc: float, is_negative: bool) -> float:
    """Degrees and minutes of arc as degrees."""
    return (-1 if is_negative else 1) * (degrees + minutes_of_arc / 60)


def instant(year, month, day, hour=0, minute=0, second=0.0) -> UTCDateTime:
    """A time; seconds, minutes and hours may go beyond the next full one, as locators print them.

    Raises
    ------
    ValueError
        If there is no such day, or its year is beyond `YEARS`.
    """
    year = int(year)
    if 0 <= year < 100:
        year += 1900 if year >= PIVOT else 2000
    if year not in YEARS:
        raise ValueError(f"year {year}: expected {YEARS.start} to {YEARS.stop - 1}")
    return UTCDateTime(year, int(month), int(day)) + 3600 * number(hour) + 60 * number(minute) + number(second)
