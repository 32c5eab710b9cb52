"""Events and picks of the phase associators GaMMA and PyOcto: two CSV tables in one folder.

The tables are recognised by their headers, whatever their names. Give the folder, or either of the two files.

==========  ======================================  =============================================================
column      of GaMMA                                of PyOcto
==========  ======================================  =============================================================
**events**  `gamma_events.csv`                      the `events` of `transform_events`, with latitude and longitude
number      `event_index`                           `idx`
time        `time` (ISO 8601, UTC)                  `time` (seconds since 1970, or ISO 8601)
place       `latitude`, `longitude`                 `latitude`, `longitude`
depth       `depth_km`, `z(km)` or `depth(m)`       `depth` or `z` (km)
magnitude   `magnitude` (999: none)
**picks**   `gamma_picks.csv`                       the `assignments`
number      `event_index` (negative: in no event)   `event_idx`
station     `station_id` or `id`                    `station`
phase       `phase_type` or `type`                  `phase`
time        `phase_time` or `timestamp`             `time`
residual                                            `residual` (s)
==========  ======================================  =============================================================

A station is `NET.STA.LOC.CHA`, its first parts, or `STA`. Picks are automatic and of full weight: the probability of a
picker is no analyst's weight. Amplitudes are not read, because the tables do not say their unit. Tables may also be
separated by tabs or semicolons.
"""

import csv
from pathlib import Path

import pandas as pd
from obspy import UTCDateTime

from seisbook.catalogues.entries import Entry, add_onset, new_event, said
from seisbook.catalogues.fields import YEARS, number
from seisbook.catalogues.texts import first_lines_of, lines_of
from seisbook.errors import DataError

NAME = "GaMMA or PyOcto pair of CSV files"
EVENTS = {
    "number": ("event_index", "event_idx", "idx"),
    "time": ("time",),
    "latitude": ("latitude",),
    "longitude": ("longitude",),
    "depth": ("depth_km", "depth(km)", "depth", "z(km)", "z", "depth(m)", "depth_m"),
}
PICKS = {
    "number": ("event_index", "event_idx"),
    "station": ("station_id", "station", "id"),
    "phase": ("phase_type", "phase", "type"),
    "time": ("phase_time", "timestamp", "time"),
}
ROLES = {"picks": PICKS, "events": EVENTS}
IN_METRES = ("depth(m)", "depth_m")
LARGEST_MAGNITUDE = 99.0  # GaMMA writes 999 where it had no amplitudes
SEPARATORS = ",\t;"


def recognise(lines: list[str]) -> bool:
    """Whether the first line is the header of a table of events or of picks."""
    return _role(lines) is not None


def read(path: str | Path, skipped: list[str]) -> list[Entry]:
    """Events with their picks; `skipped` gets a line for each row that cannot be read.

    Parameters
    ----------
    path : str or Path
        The folder of the pair, or one of the two files.
    skipped : list of str

    Raises
    ------
    DataError
        If the folder does not hold one table of events and one of picks.
    """
    of_events, of_picks = _pair(Path(path))
    entries = {}
    for place, row in _rows(of_events, EVENTS):
        name = _number(row["number"])
        try:
            if name in entries:
                raise ValueError(f"its number {name} is that of another event")
            entries[name] = Entry(_event(row), place, name)
        except (ValueError, OverflowError) as error:
            skipped.append(f"{place}: event left out: it cannot be read ({said(error)})")
    _add_picks(of_picks, entries, skipped)
    return list(entries.values())


def _separator(line):
    return max(SEPARATORS, key=line.count)


def _header(lines):
    line = next((line for line in lines if line.strip()), "")
    return [name.strip().strip('"').lower() for name in line.split(_separator(line))]


def _role(lines):
    """`picks` or `events`, whichever has all of its columns in the header; None if neither has."""
    names = set(_header(lines))
    return next(
        (role for role, columns in ROLES.items() if all(names & set(known) for known in columns.values())), None
    )


def _pair(path):
    """The tables of events and of picks: a file and its one partner, or the two of a folder."""
    folder = path if path.is_dir() else path.parent
    roles = {table: _role(first_lines_of(table)) for table in sorted(folder.glob("*.csv")) if table.is_file()}
    if path.is_file():
        roles = {table: role for table, role in roles.items() if role != (own := _role(first_lines_of(path)))}
        roles[path] = own
    for role, columns in ROLES.items():
        tables = [table for table in roles if roles[table] == role]
        if len(tables) != 1:
            found = ", ".join(table.name for table in tables) or "none"
            names = ", ".join(known[0] for known in columns.values())
            raise DataError(
                f"{path}: found {found} as the table of {role} of GaMMA or PyOcto in {folder}; "
                f"keep one there, with the columns {names}"
            )
    return tuple(next(table for table in roles if roles[table] == role) for role in ("events", "picks"))


def _rows(path, role):
    """Place and values of each row: the columns of its role by our names, and all others by theirs."""
    lines = lines_of(path)
    names = _header(lines)
    columns = {key: next(name for name in known if name in names) for key, known in role.items()}
    reader = csv.reader(lines, delimiter=_separator(next(line for line in lines if line.strip())))
    try:
        for fields in reader:
            if fields and [name.strip().lower() for name in fields] != names:
                row = dict(zip(names, fields, strict=False)) | {"depth column": columns.get("depth")}
                yield f"{path}:{reader.line_num}", row | {key: row.get(name, "") for key, name in columns.items()}
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}: not a CSV row ({said(error)}); export the table again") from None


def _number(text):
    """An event's number; tables that were joined hold `12.0` for `12`."""
    return text.strip().removesuffix(".0")


def _event(row):
    metres = row["depth column"] in IN_METRES
    magnitude = number(row["magnitude"]) if row.get("magnitude", "").strip() else LARGEST_MAGNITUDE
    return new_event(
        _time(row["time"]),
        number(row["latitude"]),
        number(row["longitude"]),
        number(row["depth"]) / (1000 if metres else 1),
        magnitude if abs(magnitude) < LARGEST_MAGNITUDE else None,
    )


def _time(text):
    """A time in seconds since 1970, or as ISO 8601."""
    try:
        time = pd.to_datetime(number(text), unit="s", utc=True)
    except ValueError:
        time = pd.to_datetime(text.strip(), format="ISO8601", utc=True)
    if time is pd.NaT or time.year not in YEARS:
        raise ValueError(f"'{text.strip()}' is no time from {YEARS.start} to {YEARS.stop - 1}")
    return UTCDateTime(ns=time.as_unit("ns").value)


def _add_picks(path, entries, skipped):
    free, lost = 0, 0
    for place, row in _rows(path, PICKS):
        name = _number(row["number"])
        if not name or name.startswith("-"):
            free += 1
        elif name not in entries:
            lost += 1
        else:
            try:
                _add_pick(entries[name].event, row)
            except (ValueError, OverflowError) as error:
                skipped.append(f"{place}: pick left out: it cannot be read ({said(error)})")
    if free:
        skipped.append(f"{path}: {free} picks left out: they belong to no event")
    if lost:
        skipped.append(f"{path}: {lost} picks left out: their events are not in the table of events")


def _add_pick(event, row):
    station = row["station"].strip().split(".")
    code = station[1] if len(station) > 1 else station[0]
    if not code:
        raise ValueError(f"'{row['station'].strip()}' names no station")
    residual = number(row["residual"]) if row.get("residual", "").strip() else None
    phase, time = row["phase"].strip(), _time(row["time"])
    add_onset(event, code, phase, time, residual_s=residual, evaluation_mode="automatic")
