"""SEISAN NORDIC bulletins: from the lines of a file to ObsPy's events, with a remark on everything that is left out.

An event begins with a line of type 1 (the type is in column 80). Blank lines separate events, but people put files
together by hand, and the blank line is then missing. So a line of type 1 also begins an event

- after readings or their titles, which are the last lines of an event;
- after other header lines, if its origin time is not that of the event. Other agencies' hypocentres of the same event
  follow on lines of type 1, too. They are taken for such if they lie within `OTHER_AGENCY_S`; a second line of the same
  agency within `SAME_AGENCY_S`, or without a time.
"""

import io
import re
import warnings
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
from obspy.geodetics import degrees2kilometers
from obspy.io.nordic.core import read_nordic as read_through_obspy
from tqdm import tqdm

from seisbook.catalogues.entries import Entry, reason
from seisbook.catalogues.texts import lines_of, printable
from seisbook.errors import DataError, UserError

PHASE_HEADER = " STAT SP IPHASW D HRMM SECON CODA AMPLIT PERI AZIMU VELO AIN AR TRES W  DIS CAZ7"  # codespell:ignore
ADMINISTRATION = re.compile(r" ?(ACTION|OLDACT|SPEC)")  # text-line tags that hold bookkeeping and spectra
HEADER = re.compile(r" \d{4} [ \d]{2}[ \d]{2}.{69}1")
OTHER_AGENCY_S, SAME_AGENCY_S = 60.0, 3.0
MOST_HEADERS = 100  # of an event: the time that ObsPy takes grows with their square
WIDTH = 80
TYPE = WIDTH - 1


def is_nordic(lines: list[str]) -> bool:
    """Whether one of the lines is a NORDIC header (type 1)."""
    return any(HEADER.fullmatch(line[:WIDTH]) and not line[WIDTH:].strip() for line in lines)


def read(path: str | Path, skipped: list[str]) -> list[Entry]:
    """Events of a NORDIC file, each with a header that ObsPy can read.

    Parameters
    ----------
    path : str or Path
    skipped : list of str
        Gets a line for everything that was left out or repaired.

    Returns
    -------
    list of Entry
        The texts are the lines of type 2 and 3, but for the administrative ones.

    Raises
    ------
    UserError
        If there is no such file.
    DataError
        If it holds no NORDIC event at all.
    """
    entries, without_readings, several = [], [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ObsPy warns of every header column that QuakeML has no place for
        blocks = _blocks(path, skipped)
        for block in tqdm(blocks, desc=Path(path).name, unit="event", leave=False, delay=2, disable=None):
            event = _event(path, block, skipped)
            if event is not None:
                entries.append(Entry(event, f"{path}:{block[0][0]}", text=_text(block)))
                if not any(line[TYPE] in " 4" for _, line in block):
                    without_readings.append(block[0][0])
                several += _other_hypocentres(block)
    if without_readings:
        skipped.append(
            f"{path}: {len(without_readings)} events are headers without readings ({_few(without_readings)})"
        )
    if several:
        skipped.append(f"{path}: {len(several)} further hypocentres not used: the first counts ({_few(several)})")
    return entries


def _other_hypocentres(block):
    """Line numbers of hypocentres (type 1, with a time and a latitude) after the first."""
    headers = [(number, line) for number, line in block if line[TYPE] == "1"]
    return [number for number, line in headers[1:] if line[11:20].strip() and line[23:30].strip()]


def reading_geometry(*paths: str | Path) -> pd.DataFrame:
    """Epicentre, and distance (km) and azimuth (degrees) to the station, of every reading of NORDIC files.

    Returns
    -------
    DataFrame
        Columns `station_code`, `latitude`, `longitude`, `distance_km`, `azimuth_deg`: what
        `seisbook.catalogues.stations.locate_from_readings` needs.
    """
    return geometry_of(entry.event for path in paths for entry in read(path, []))


def geometry_of(events) -> pd.DataFrame:
    """What `reading_geometry` returns, of events as ObsPy has them, whatever file they come from."""
    rows = [row for event in events if event.origins for row in _geometry_rows(event)]
    return pd.DataFrame(rows, columns=["station_code", "latitude", "longitude", "distance_km", "azimuth_deg"])


def _geometry_rows(event):
    origin = event.preferred_origin() or event.origins[0]
    if origin.latitude is None:
        return
    stations = {pick.resource_id.id: pick.waveform_id.station_code for pick in event.picks if pick.waveform_id}
    for arrival in origin.arrivals:
        code = stations.get(arrival.pick_id.id) if arrival.pick_id else None
        if code and arrival.distance is not None and arrival.azimuth is not None:
            yield code, origin.latitude, origin.longitude, degrees2kilometers(arrival.distance), arrival.azimuth


# ----------------------------------------------------------------------------------------------------- lines to blocks


def _blocks(path, skipped):
    """Event blocks of a file, each a list of (line number, line of 80 columns) that begins with a header."""
    if not Path(path).is_file():
        raise UserError(f"{path}: no such bulletin; check the path")
    blocks, block = [], None
    for number, line in enumerate(lines_of(path), 1):
        if not line.strip():
            block = None
        elif not line[:WIDTH].strip():
            skipped.append(f"{path}:{number}: line left out: its text lies beyond column {WIDTH}")
        else:
            line = line.ljust(WIDTH)[:WIDTH]
            if block is None or block.is_ended_by(line):
                block = _Block()
                blocks.append(block)
            block.add(number, line)
    if not any(block.has_header for block in blocks):
        raise DataError(f"{path}: no NORDIC event (an 80-column line that ends in '1'); use read_catalogue instead")
    return [block.lines for block in blocks if block.has_header or _without_header(path, block, skipped)]


class _Block:
    """Lines of one event while they are collected."""

    def __init__(self):
        self.lines, self.agencies = [], set()
        self.has_header = self.has_readings = False
        self.time = None

    def add(self, number, line):
        if line[TYPE] == "1":
            self.time = self.time if self.has_header else _origin_time(line)
            self.has_header = True
            self.agencies.add(_agency(line))
        self.has_readings |= line[TYPE] in " 47"
        self.lines.append((number, line))

    def is_ended_by(self, line):
        """Whether a line begins another event."""
        if line[TYPE] != "1":
            return False
        if self.has_readings:
            return True
        if not self.has_header or not line[11:20].strip():  # an extension of the header has a date and no time
            return False
        time = _origin_time(line)
        if self.time is None or time is None:
            return True
        most = SAME_AGENCY_S if _agency(line) in self.agencies else OTHER_AGENCY_S
        return abs((time - self.time).total_seconds()) > most


def _agency(header):
    return header[45:48]


def _origin_time(header):
    """Origin time of a line of type 1; None if it cannot be read."""
    try:
        day = datetime(int(header[1:5]), int(header[6:8]), int(header[8:10]))
        hours, minutes, seconds = (float(text.strip() or 0) for text in (header[11:13], header[13:15], header[16:20]))
        return day + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except (ValueError, OverflowError):
        return None


def _without_header(path, block, skipped):
    (first, _), (last, _) = block.lines[0], block.lines[-1]
    skipped.append(f"{path}:{first}: lines {first} to {last} left out: no header (type 1) comes before them")


def _text(block):
    """Text of a block (line types 2 and 3), without column 1, which is always blank."""
    texts = [line[1:TYPE].rstrip() for _, line in block if line[TYPE] in "23" and not ADMINISTRATION.match(line)]
    return "\n".join(printable(text) for text in texts)


def _few(numbers, most=5):
    return "lines " + ", ".join(map(str, numbers[:most])) + (", ..." if len(numbers) > most else "")


# ---------------------------------------------------------------------------------------------------- blocks to events


def _event(path, block, skipped):
    """ObsPy's event of one block, without the lines that ObsPy cannot read; None if the header is one of them."""
    place = f"{path}:{block[0][0]}"
    header = next(line for _, line in block if line[TYPE] == "1")
    titles = next((line for _, line in block if line[TYPE] == "7"), PHASE_HEADER)
    others = [(number, _with_time(line, header)) for number, line in block if line[TYPE] in "1EHI" and line != header]
    if len(others) > MOST_HEADERS:
        skipped.append(
            f"{place}: {len(others) - MOST_HEADERS} header lines left out: the event has {len(others)} of them"
        )
        others = others[:MOST_HEADERS]
    picks = _without_spliced(path, [(number, line) for number, line in block if line[TYPE] in " 4"], skipped)
    if picks and not any(line[TYPE] == "7" for _, line in block):
        skipped.append(f"{place}: repaired: the block has readings but no line of column titles; one was added")
    try:
        return _parsed([header, titles], others + picks)
    except Exception:  # ObsPy's reader raises whatever its slices run into
        return _without_bad_lines(path, place, [header, titles], others + picks, skipped)


def _with_time(line, header):
    """A header line with the event's own time where it gives none: ObsPy does not read it otherwise."""
    return line[:10] + header[10:20] + line[20:] if line[TYPE] == "1" and not line[11:20].strip() else line


def _without_spliced(path, picks, skipped):
    spliced = {number for number, line in picks if line.startswith(" SPEC")}
    for number in sorted(spliced):
        skipped.append(f"{path}:{number}: repaired: a reading is printed over a SPEC line; the line was left out")
    return [(number, line) for number, line in picks if number not in spliced]


def _without_bad_lines(path, place, header, lines, skipped):
    """The event without the lines that ObsPy cannot read."""
    try:
        _parsed(header, [])
        bad = _unreadable(header, lines)
        event = _parsed(header, [(number, line) for number, line in lines if number not in bad])
    except Exception as error:
        skipped.append(f"{place}: event left out: its header cannot be read ({reason(error)})")
        return None
    kinds = {number: "reading" if line[TYPE] in " 4" else "line" for number, line in lines}
    skipped += [f"{path}:{number}: {kinds[number]} left out: it cannot be read ({why})" for number, why in bad.items()]
    return event


def _unreadable(header, lines):
    """Line number and reason of the lines that ObsPy cannot read. Halving finds few among many with little work."""
    try:
        _parsed(header, lines)
        return {}
    except Exception as error:
        if len(lines) == 1:
            return {lines[0][0]: reason(error)}
    half = len(lines) // 2
    return _unreadable(header, lines[:half]) | _unreadable(header, lines[half:])


def _parsed(header, lines):
    return read_through_obspy(io.StringIO("\n".join([*header, *(line for _, line in lines)]) + "\n\n"))[0]
