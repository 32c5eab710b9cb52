"""Events that a bulletin or several catalogues hold more than once: of these one is kept, and a remark says which."""

import itertools
import logging

import numpy as np
import pandas as pd

from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.geodesy import distance_azimuth
from seisbook.catalogues.plausibility import possible_catalogue
from seisbook.catalogues.remarks import Remarks, event_left_out

log = logging.getLogger(__name__)
SECONDS, DEGREES = 1.0, 0.1
"""Two entries of one bulletin that are no farther apart are one event."""
OTHER_SECONDS, OTHER_KM = 3.0, 15.0
"""The same for two catalogues, whose locators and stations differ, where neither states its errors."""
MOST_SECONDS, MOST_KM = 10.0, 60.0
"""However large the stated errors are."""
KM_PER_S = 6.0  # an error of so many km in place comes with one of a second in origin time
EPICENTRE = "source_latitude_deg", "source_longitude_deg"
PLACE_ERRORS = "source_latitude_uncertainty_km", "source_longitude_uncertainty_km"


# ---------------------------------------------------------------------------------------------------- in one bulletin


def assemble(network, found, remarks: Remarks) -> Catalogue:
    """A catalogue of a bulletin's events, each once and with a `source_id` of its own, in the order of time.

    Parameters
    ----------
    network : str
        Its name, the prefix of every `source_id`.
    found : list of (dict, list of dict)
        Events and their readings, of `seisbook.catalogues.obspy_events.rows`.
    remarks : Remarks
    """
    events, readings = [event for event, _ in found], [rows for _, rows in found]
    kept, seen, rows = _without_repeated(events, readings, remarks), {}, []
    for i in kept:
        number = events[i].pop("number")
        seen[number] = seen.get(number, 0) + 1
        events[i]["source_id"] = f"{network}_{number}" + (f"_{seen[number]}" if seen[number] > 1 else "")
        rows += [{"source_id": events[i]["source_id"], **reading} for reading in readings[i]]
    catalogue = possible_catalogue(network, "bulletin", [events[i] for i in kept], rows, remarks.close())
    for line in catalogue.skipped:
        log.info(line)
    return catalogue


def _without_repeated(events, readings, remarks):
    """Which events to keep, in order of time: of two at the same time and place, the one with more readings."""
    timed = [i for i, event in enumerate(events) if not pd.isna(event["source_origin_time"])]
    order = sorted(timed, key=lambda i: events[i]["source_origin_time"])
    kept = []
    for i in order:
        place = _twin(events, kept, i)
        if place is None:
            kept.append(i)
            continue
        twin = kept[place]
        loser, kept[place] = (twin, i) if len(readings[i]) > len(readings[twin]) else (i, twin)
        remarks.event(events[loser]["place"], f"it repeats {events[kept[place]]['place']}")
    return [*kept, *sorted(set(range(len(events))) - set(timed))]


def _twin(events, kept, i):
    """Position in `kept` of the event that event `i` repeats; None if there is none. Both are in the order of time."""
    for place in reversed(range(len(kept))):
        earlier = events[kept[place]]
        apart = (events[i]["source_origin_time"] - earlier["source_origin_time"]).total_seconds()
        if apart > 2 * SECONDS:  # those before are farther still, though one may have moved by `SECONDS`
            return None
        north = abs(events[i]["source_latitude_deg"] - earlier["source_latitude_deg"])
        east = abs((events[i]["source_longitude_deg"] - earlier["source_longitude_deg"] + 180) % 360 - 180)
        if abs(apart) <= SECONDS and max(north, east) <= DEGREES:
            return place
    return None


# ------------------------------------------------------------------------------------------------ in several catalogues


def joined(parts, names) -> Catalogue:
    """One catalogue of several; of an event that two of them have, the entry with more readings is kept.

    Two entries are one event if they differ by no more than their uncertainties allow: 3 s and 15 km, and twice the
    stated errors. No event is paired with more than one of the other catalogue.

    Parameters
    ----------
    parts : list of Catalogue
        Of one network.
    names : list of str
        What remarks call them: their files.
    """
    whole = _named(parts[0], names[0])
    for part, name in zip(parts[1:], names[1:], strict=True):
        whole = _joined(whole, _named(part, name))
    whole.events = whole.events.drop(columns="file")
    return whole


def _named(part, name):
    return Catalogue(part.network, part.source, part.events.assign(file=str(name)), part.readings, list(part.skipped))


def _joined(first, second):
    ours, theirs = _pairs(first.events, second.events)
    better = _sizes(second)[theirs] > _sizes(first)[ours]
    skipped = [*first.skipped, *second.skipped]
    for a, b, second_is_better in zip(ours, theirs, better, strict=True):
        entries = first.events.iloc[a], second.events.iloc[b]
        loser, winner = reversed(entries) if not second_is_better else entries
        why = "a later catalogue has it with more readings" if second_is_better else "an earlier catalogue has it"
        skipped.append(event_left_out(f"{loser.file}: event {loser.name}", f"{why} ({winner.file}: {winner.name})"))
    first = _without(first, ours[better])
    second = _renamed(_without(second, theirs[~better]), first.events.index)
    events = pd.concat([first.events, second.events])
    readings = pd.concat([first.readings, second.readings], ignore_index=True)
    return Catalogue(first.network, first.source, events, readings, skipped)


def _sizes(catalogue):
    """Number of readings of each event."""
    sizes = catalogue.readings.groupby("source_id").size()
    return sizes.reindex(catalogue.events.index, fill_value=0).to_numpy()


def _pairs(first, second):
    """Positions of the events that both tables hold: each is the nearest one of the other."""
    one, other = _candidates(first.source_origin_time, second.source_origin_time)
    a, b = first.iloc[one], second.iloc[other]
    seconds = np.abs((a.source_origin_time.to_numpy() - b.source_origin_time.to_numpy()) / np.timedelta64(1, "s"))
    km, _ = distance_azimuth(*(part[name].to_numpy() for part in (a, b) for name in EPICENTRE))
    errors = [np.nan_to_num(part[name].to_numpy()) for part in (a, b) for name in PLACE_ERRORS]
    allowed_km = np.minimum(OTHER_KM + 2 * np.sqrt(np.square(errors).sum(0)), MOST_KM)
    allowed_s = np.minimum(OTHER_SECONDS + (allowed_km - OTHER_KM) / KM_PER_S, MOST_SECONDS)
    table = pd.DataFrame({"one": one, "other": other, "apart": km / allowed_km + seconds / allowed_s})
    table = table[(km <= allowed_km) & (seconds <= allowed_s)].sort_values("apart", kind="stable")
    mutual = table[~table.duplicated("one") & ~table.duplicated("other")]
    return mutual.one.to_numpy(), mutual.other.to_numpy()


def _candidates(first, second):
    """Positions of all pairs of times that are at most `MOST_SECONDS` apart."""
    order = np.argsort(second.to_numpy())
    times, reach = second.iloc[order], pd.Timedelta(MOST_SECONDS, "s")
    start, stop = (times.searchsorted(first + step, side) for step, side in ((-reach, "left"), (reach, "right")))
    number = stop - start
    of_each = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
    return np.repeat(np.arange(len(first)), number), order[np.repeat(start, number) + of_each]


def _without(catalogue, positions):
    return catalogue.select(np.setdiff1d(np.arange(len(catalogue)), positions))


def _renamed(catalogue, taken):
    """The catalogue with other names for the events whose names are taken: their events are others."""
    new, known = {}, set(taken) | set(catalogue.events.index)
    for name in catalogue.events.index.intersection(taken):
        new[name] = next(other for n in itertools.count(2) if (other := f"{name}_{n}") not in known)
    events = catalogue.events.rename(index=new)
    readings = catalogue.readings.assign(source_id=catalogue.readings.source_id.replace(new))
    return Catalogue(catalogue.network, catalogue.source, events, readings, catalogue.skipped)
