"""HYPO71's phase lists and summary cards.

A phase list has the readings of event after event and no hypocentres; these are in the summary cards that HYPO71
punches. So an event needs both: the summary card stands before its readings, or in a file of the same name and another
suffix beside the list (`swarm.pha` and `swarm.sum`). Readings then go to the last origin before their first time.

Columns that are read (Lee & Lahr, 1975, USGS Open-File Report 75-311); numbers without a point have the given decimals:

=======  ===========================================================================================================
phase    1-4 station; 5 onset, 6 `P`, 7 first motion, 8 weight code; 10-19 year (two digits), month, day, hour, minute;
         20-24 P seconds (.2); 32-36 S seconds (.2); 37 onset, 38 `S`, 40 weight code; 66-70 correction of the clock,
         which is added to both times
summary  1-6 year (two digits), month, day; 8-11 hour, minute; 12-17 seconds; 18-20 latitude, 21 `S`, 22-26 minutes;
         27-30 longitude, 31 `E`, 32-36 minutes; 37-43 depth; 46-50 magnitude. With a four-digit year, all columns after
         it are two farther
=======  ===========================================================================================================

A card with nothing in columns 1 to 4 ends an event. Latitudes are north and longitudes west unless a letter says
otherwise. Weight codes 0 to 3 are weights 1, 0.75, 0.5, 0.25; 4 means that the reading is not used, 9 that the clock is
not trusted. Two-digit years from 70 on are of the last century.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

from obspy.core.event import Event

from seisbook.catalogues.entries import ANALYST_WEIGHT, ONSET, POLARITY, Entry, add_onset, new_event, said
from seisbook.catalogues.fields import column, fixed, instant, minutes, number, optional
from seisbook.catalogues.texts import first_lines_of, lines_of
from seisbook.errors import DataError

NAME = "HYPO71 phase list with summary cards"
PHASE = re.compile(r"\S.{3}.[Pp ].[ \d].\d\d[ \d]\d[ \d]\d[ \d]{4}[ \d.-]{5}")
SUMMARY = re.compile(
    r" ?(?P<year>\d{2}|\d{4})(?P<month>[ \d]\d)(?P<day>[ \d]\d) (?P<hour>[ \d]\d)(?P<minute>[ \d]\d)"
    r"(?P<second>[ \d.]{6})(?P<lat_deg>[ \d]{3})(?P<ns>[ NS-])(?P<lat_min>[ \d.]{5})(?P<lon_deg>[ \d]{4})"
    r"(?P<ew>[ EW-])(?P<lon_min>[ \d.]{5})(?P<depth>[- \d.]{7})(..(?P<magnitude>[- \d.]{5}))?"
)
TITLE = re.compile(r"\s*(DATE|YEAR).*ORIGIN.*DEPTH")
LONGEST_TRAVEL_S = 300.0
UNKNOWN_MAGNITUDE = -9.0  # and below


@dataclass
class Group:
    """Cards of one event: its hypocentre, its readings, or both."""

    place: str
    event: Event | None = None
    cards: list = field(default_factory=list)  # (place, line)


def recognise(lines: list[str]) -> bool:
    """Whether the first card is a summary or a reading."""
    first = next((line for line in lines if line.strip() and not TITLE.match(line)), "")
    return bool(SUMMARY.match(first) or PHASE.match(first))


def read(path: str | Path, skipped: list[str]) -> list[Entry]:
    """Events of a phase list and its summary cards; `skipped` gets a line for what is left out.

    Raises
    ------
    DataError
        If there are readings, and no hypocentre in this file or beside it.
    """
    groups = _groups(path, skipped)
    if any(group.event is None for group in groups) or not any(group.cards for group in groups):
        for beside in _beside(path):
            groups += _groups(beside, skipped)
    located = sorted((group for group in groups if group.event), key=lambda group: group.event.origins[0].time)
    loose = [group for group in groups if not group.event]
    if loose and not located:
        raise DataError(
            f"{path}: a HYPO71 phase list has no hypocentres; put its summary cards beside it, as "
            f"{Path(path).with_suffix('.sum').name}"
        )
    for group in loose:
        _give_to_its_event(group, located, skipped)
    for group in located:
        for place, line in group.cards:
            _add_card(group.event, place, line, skipped)
    without = [group for group in located if not group.cards]
    if without:
        skipped.append(f"{path}: {len(without)} events have no readings; the first at {without[0].place}")
    return [Entry(group.event, group.place) for group in located]


def _beside(path):
    path = Path(path)
    others = sorted(other for other in path.parent.glob(f"{path.stem}.*") if other != path and other.is_file())
    return [other for other in others if recognise(first_lines_of(other))]


def _groups(path, skipped):
    """Cards of a file by event."""
    groups, is_open = [], False
    for place, line in ((f"{path}:{i}", line) for i, line in enumerate(lines_of(path), 1)):
        summary = SUMMARY.match(line)
        if summary:
            try:
                groups.append(Group(place, _event(summary)))
                is_open = True
            except (ValueError, OverflowError) as error:
                skipped.append(f"{place}: event left out: it cannot be read ({said(error)})")
                is_open = False
        elif not line[:4].strip() or TITLE.match(line):
            is_open = False
        else:
            if not is_open:
                groups.append(Group(place))
                is_open = True
            groups[-1].cards.append((place, line))
    return groups


def _event(card):
    time = instant(*(card[name] for name in ("year", "month", "day", "hour", "minute", "second")))
    latitude = minutes(number(card["lat_deg"]), number(card["lat_min"]), card["ns"] == "S")
    longitude = minutes(number(card["lon_deg"]), number(card["lon_min"]), card["ew"] != "E")
    magnitude = number(card["magnitude"]) if (card["magnitude"] or "").strip() else UNKNOWN_MAGNITUDE
    depth = number(card["depth"])
    return new_event(time, latitude, longitude, depth, magnitude if magnitude > UNKNOWN_MAGNITUDE else None)


def _give_to_its_event(group, located, skipped):
    """Move readings to the last event before their first time, if it has none and is near enough."""
    first = min((time for _, line in group.cards for *_, time in _times(line)), default=None)
    if first is None:
        skipped += [f"{place}: reading left out: it cannot be read" for place, _ in group.cards]
        return
    i = bisect_right(located, first, key=lambda candidate: candidate.event.origins[0].time) - 1
    if i < 0 or located[i].cards or first - located[i].event.origins[0].time > LONGEST_TRAVEL_S:
        skipped.append(f"{group.place}: {len(group.cards)} readings left out: no hypocentre of their own before them")
    else:
        located[i].cards = group.cards


def _times(line):
    """Phase, column of its onset, column of its weight, and time; nothing if the card cannot be read."""
    try:
        return _onsets(line)
    except (ValueError, OverflowError):
        return []


def _onsets(line):
    """Phase, column of its onset, column of its weight code, and time, of the P and the S of a card."""
    if not PHASE.match(line):
        raise ValueError("not in the columns of a reading")
    minute = instant(*(column(line, start, 2) for start in (10, 12, 14, 16, 18))) + (optional(line, 66, 5, 2) or 0)
    onsets = []
    if column(line, 5, 2).strip():  # without a remark, the P time does not count
        onsets.append(("P", 5, 8, minute + fixed(line, 20, 5, 2)))
    if column(line, 32, 5).strip():
        onsets.append(("S", 37, 40, minute + fixed(line, 32, 5, 2)))
    return onsets


def _add_card(event, place, line, skipped):
    try:
        onsets = _onsets(line)
    except (ValueError, OverflowError) as error:
        skipped.append(f"{place}: reading left out: it cannot be read ({said(error)})")
        return
    for phase, onset, code, time in onsets:
        weight = ANALYST_WEIGHT.get(column(line, code, 1).strip(), 0.0)
        polarity = POLARITY.get(column(line, 7, 1).upper()) if phase == "P" else None
        kind = ONSET.get(column(line, onset, 1).upper())
        add_onset(event, column(line, 1, 4).strip(), phase, time, weight, onset=kind, polarity=polarity)
