"""Real bulletins as catalogues: the shipped networks' own, NORDIC and other text formats, and whatever ObsPy reads."""

import logging
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from seisbook import provenance
from seisbook.catalogues import associators, hypo71, hypodd, hypoinverse, networks, nordic, sources
from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.entries import ANALYST_WEIGHT, reason
from seisbook.catalogues.formats import UnknownFormat, read_file
from seisbook.catalogues.geodesy import KM_PER_DEGREE
from seisbook.catalogues.networks import Network
from seisbook.catalogues.palm import read_palm
from seisbook.catalogues.texts import first_lines_of
from seisbook.errors import DataError, UserError

log = logging.getLogger(__name__)
BULLETINS = {
    "colombia": {
        "2018-02": ["colombia/rsnc-2018-02.out"],
        "1997-2015": ["colombia/rsnc-puerto-gaitan-1997-2015.out"],
        "all": ["colombia/rsnc-puerto-gaitan-1997-2015.out", "colombia/rsnc-2018-02.out"],
    },
    "ridgecrest": {"2019-07": ["ridgecrest/eg_pal_ct_full.pha", "ridgecrest/scsn-2019.catalog"]},
}
TEXT_FORMATS = (hypodd, hypoinverse, hypo71, associators)
KNOWN = ("QuakeML", "SCML", "NORDIC", *(one.NAME for one in TEXT_FORMATS), "NonLinLoc", "IMS 1.0", "GSE2")
NORDIC_SOURCE_TYPE = {"V": "volcanic", "E": "quarry_blast", "P": "quarry_blast", "I": "induced"}
QUAKEML_SOURCE_TYPE = {
    "explosion": "quarry_blast",
    "mining explosion": "quarry_blast",
    "quarry blast": "quarry_blast",
    "induced or triggered event": "induced",
    "volcanic eruption": "volcanic",
}
HALF_DAY_S = 43200.0


@provenance.stage
def read_bulletin(network: Network | str, period: str | None = None) -> Catalogue:
    """The real bulletin of a shipped network.

    Parameters
    ----------
    network : Network or str
        `colombia` or `ridgecrest`.
    period : str, optional
        Colombia: `2018-02` (the default), `1997-2015` or `all`. Ridgecrest has one period.

    Returns
    -------
    Catalogue
        Readings at stations that the network's file does not list are left out; `skipped` counts them.

    Raises
    ------
    UserError
        If the network has no bulletin or no such period, or its files cannot be had.
    DataError
        If a file is not the registered one, or cannot be read.
    """
    network = network if isinstance(network, Network) else networks.load(network)
    if network.name not in BULLETINS:
        known = ", ".join(BULLETINS)
        raise UserError(f"no bulletin of '{network.name}': choose one of {known}, or give your own with --catalogue")
    period = period or next(iter(BULLETINS[network.name]))
    catalogue = read_period(network, period)
    name = f"catalogue:{network.name}-{period}"
    provenance.note(name, provenance.content_of(name, catalogue.arrays()))
    return catalogue


def read_period(network: Network, period: str) -> Catalogue:
    """One period of a network's bulletin, see `read_bulletin`."""
    periods = BULLETINS[network.name]
    if period not in periods:
        raise UserError(f"{network.name} has no period '{period}': choose one of {', '.join(periods)}")
    paths = [sources.fetch(name) for name in periods[period]]
    read = read_palm(*paths) if network.name == "ridgecrest" else read_nordic(*paths, network=network.name)
    return at_known_stations(read, network)


def at_known_stations(catalogue: Catalogue, network: Network) -> Catalogue:
    """The catalogue without the readings at stations that the network does not list; `skipped` says how many."""
    known = catalogue.readings.station_code.isin([station.code for station in network.stations])
    unknown = catalogue.readings.station_code[~known].value_counts()
    skipped = list(catalogue.skipped)
    if len(unknown):
        counts = ", ".join(f"{code} {count}" for code, count in unknown.items())
        skipped.append(
            f"{network.name}: {unknown.sum()} readings left out, at {len(unknown)} unknown stations ({counts})"
        )
        log.info(skipped[-1])
    readings = catalogue.readings[known].reset_index(drop=True)
    return Catalogue(catalogue.network, catalogue.source, catalogue.events, readings, skipped)


# -------------------------------------------------------------------------------------------------------- SEISAN NORDIC


def read_nordic(*paths: str | Path, network: str) -> Catalogue:
    """Read SEISAN NORDIC bulletins through ObsPy, event by event.

    Parameters
    ----------
    *paths : str or Path
        Files of event blocks, in UTF-8 or Latin-1. A header begins an event even if the blank line before it is
        missing; see `seisbook.catalogues.nordic`.
    network : str
        Name of the network, the prefix of every `source_id`.

    Returns
    -------
    Catalogue
        Every event with a hypocentre. The magnitude is the bulletin's ML. Text lines are kept verbatim, but for the
        administrative ones. `skipped` lists, with file and line number, what was left out or repaired: events without a
        hypocentre, duplicated events, readings or whole events that ObsPy cannot read. It counts the events that are
        headers without readings, as in compact files.

    Raises
    ------
    UserError
        If there is no such file.
    DataError
        If a file holds no NORDIC event at all.

    Notes
    -----
    ObsPy drops the text lines, and one block that it cannot read costs the whole file; hence block by block. Analyst
    weights 0 or blank, 1, 2, 3, 4 become 1, 0.75, 0.5, 0.25, 0; weight 9 (differential times only) becomes 0.
    """
    skipped: list[str] = []
    entries = [entry for path in paths for entry in nordic.read(path, skipped)]
    return _of_entries(network, entries, skipped, from_nordic=True)


def _of_entries(network, entries, skipped, from_nordic=False):
    """A catalogue of events from a text format, each with its place in the file."""
    events, readings = [], []
    for entry in entries:
        try:
            row, rows = _event_row(entry.event, from_nordic), _reading_rows(entry.event, from_nordic)
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            skipped.append(f"{entry.place}: event left out: it cannot be read ({reason(error)})")
            continue
        if not np.isfinite([row[f"source_{key}"] for key in ("latitude_deg", "longitude_deg", "depth_km")]).all():
            skipped.append(f"{entry.place}: event left out: it has no hypocentre")
            continue
        row |= {"source_text": entry.text, "source_text_kind": "observed" if entry.text else "", "place": entry.place}
        events.append(row | ({"number": entry.number} if entry.number else {}))
        readings.append(rows)
    return _assemble(network, events, readings, skipped)


# ------------------------------------------------------------------------------------------------------- any catalogue


def read_catalogue(path: str | Path, network: str) -> Catalogue:
    """Read a catalogue in any of the formats that are known here; its content says which.

    Parameters
    ----------
    path : str or Path
        - NORDIC (`seisbook.catalogues.nordic`), a HypoDD phase file (`hypodd`), a hypoinverse archive (`hypoinverse`),
          HYPO71's phase list and summary cards (`hypo71`). These modules say which columns are read.
        - GaMMA's or PyOcto's pair of CSV files: either of them, or their folder (`associators`).
        - What ObsPy reads: QuakeML, SeisComP's SCML, NonLinLoc, IMS 1.0, GSE2, and others
          (`seisbook.catalogues.formats`).
    network : str
        Name of the network, the prefix of every `source_id`.

    Returns
    -------
    Catalogue
        Preferred origin and magnitude of every event with a hypocentre, and its P and S readings.

    Raises
    ------
    UserError
        If there is no such file.
    DataError
        If it is in no known format, or damaged.
    """
    path = Path(path)
    if path.is_dir():
        return _read_text(associators, path, network)
    if not path.is_file():
        raise UserError(f"{path}: no such catalogue; check the path")
    lines = first_lines_of(path)
    if nordic.is_nordic(lines):
        return read_nordic(path, network=network)
    for text_format in TEXT_FORMATS:
        if text_format.recognise(lines):
            return _read_text(text_format, path, network)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            catalogue = read_file(path, "event")
    except UnknownFormat:
        raise DataError(f"{path}: in no format that is known here: {', '.join(KNOWN)}") from None
    except Exception as error:  # one kind per format
        raise DataError(f"{path}: ObsPy cannot read it ({reason(error)}); export it as QuakeML or NORDIC") from None
    events, readings, skipped = [], [], []
    for number, event in enumerate(catalogue, 1):
        row = _event_row(event) if event.origins else {}
        place = [row.get(f"source_{key}", np.nan) for key in ("latitude_deg", "longitude_deg", "depth_km")]
        if not np.isfinite(place).all():
            skipped.append(f"{path}: event {number} left out: it has no hypocentre")
            continue
        events.append(row | {"place": f"{path}: event {number}"})
        readings.append(_reading_rows(event))
    return _assemble(network, events, readings, skipped)


def _read_text(text_format, path, network):
    skipped: list[str] = []
    return _of_entries(network, text_format.read(path, skipped), skipped)


def _event_row(event, nordic=False):
    """One event of a catalogue, from ObsPy's preferred (else first) origin."""
    origin = event.preferred_origin() or event.origins[0]
    magnitude = _magnitude(event, nordic)
    text = "\n".join(comment.text.strip() for comment in event.comments if comment.text and comment.text.strip())
    depth = np.nan if origin.depth is None else origin.depth / 1000
    latitude = np.nan if origin.latitude is None else origin.latitude
    return {
        "number": _event_number(event, origin),
        "source_origin_time": pd.Timestamp(origin.time.ns, unit="ns", tz="UTC"),
        "source_latitude_deg": latitude,
        "source_longitude_deg": np.nan if origin.longitude is None else origin.longitude,
        "source_depth_km": depth,
        "source_magnitude": np.nan if magnitude is None or magnitude.mag is None else magnitude.mag,
        "source_magnitude_type": "" if magnitude is None else magnitude.magnitude_type or "",
        "source_latitude_uncertainty_km": _uncertainty(origin.latitude_errors, KM_PER_DEGREE),
        "source_longitude_uncertainty_km": _uncertainty(
            origin.longitude_errors, KM_PER_DEGREE * np.cos(np.radians(latitude))
        ),
        "source_depth_uncertainty_km": _uncertainty(origin.depth_errors, 1e-3),
        "source_type": _source_type(event, nordic),
        "source_text": text,
        "source_text_kind": "observed" if text else "",
    }


def _event_number(event, origin):
    """The bulletin's own number of the event, or its origin time to the centisecond."""
    extra = event.get("extra", {}).get("nordic_event_id")
    return extra["value"].strip() if extra else origin.time.strftime("%Y%m%d%H%M%S%f")[:-4]


def _magnitude(event, nordic):
    """The preferred magnitude; in a NORDIC bulletin its ML, which ObsPy ranks behind a Mw that few events have."""
    local = [magnitude for magnitude in event.magnitudes if magnitude.magnitude_type == "ML"]
    if nordic and local:
        return local[0]
    return event.preferred_magnitude() or next(iter(event.magnitudes), None)


def _uncertainty(errors, km):
    value = errors.uncertainty if errors else None
    if value is None or value * km > 999:  # 999.9 is how SEISAN prints an error that it could not determine
        return np.nan
    return round(value * km, 4)


def _source_type(event, nordic):
    if nordic:
        flag = event.event_descriptions[0].text.ljust(2)[1] if event.event_descriptions else ""
        return NORDIC_SOURCE_TYPE.get(flag, "unknown")
    return QUAKEML_SOURCE_TYPE.get(event.event_type, "unknown")


def _reading_rows(event, nordic=False):
    """One row per station from the picks, arrivals and amplitudes of an ObsPy event."""
    origin = event.preferred_origin() or event.origins[0]
    arrivals = {arrival.pick_id.id: arrival for arrival in origin.arrivals}
    stations = {}
    for pick in event.picks:
        arrival = arrivals.get(pick.resource_id.id)
        phase = ((arrival.phase if arrival is not None else None) or pick.phase_hint or "").strip()[:1].upper()
        if phase in ("P", "S"):
            row = stations.setdefault(pick.waveform_id.station_code, {})
            _keep_better(row, phase.lower(), _onset(pick, arrival, origin, nordic))
    for amplitude in event.amplitudes:
        _keep_largest(stations, amplitude, event, nordic)
    return [{"station_code": code, **row} for code, row in stations.items()]


def _onset(pick, arrival, origin, nordic):
    """What one pick says: (weight, travel time, status, onset, polarity, residual)."""
    travel = pick.time - origin.time
    if travel < -HALF_DAY_S:  # the hour went past midnight and the line has no date
        travel += 2 * HALF_DAY_S
    if nordic:
        weight = ANALYST_WEIGHT.get(pick.get("extra", {}).get("nordic_pick_weight", {}).get("value", "").strip(), 1.0)
    else:
        weight = 1.0 if arrival is None or arrival.time_weight is None else float(arrival.time_weight)
    onset = pick.onset if pick.onset in ("impulsive", "emergent") else ""
    polarity = pick.polarity if pick.polarity in ("positive", "negative") else ""
    residual = np.nan if arrival is None or arrival.time_residual is None else arrival.time_residual
    return weight, travel, pick.evaluation_mode or "manual", onset, polarity, residual


def _keep_better(row, phase, onset):
    """Enter an onset unless the station has one of more weight, or of the same weight and earlier."""
    weight, travel, status, kind, polarity, residual = onset
    old = row.get(f"path_{phase}_travel_s", np.inf), row.get(f"trace_{phase}_weight", -1.0)
    if (-weight, travel) >= (-old[1], old[0]):
        return
    row[f"path_{phase}_travel_s"] = round(travel, 4)
    row[f"path_{phase}_residual_s"] = residual
    row[f"trace_{phase}_status"] = status
    row[f"trace_{phase}_onset"] = kind
    row[f"trace_{phase}_weight"] = weight
    if phase == "p":
        row["trace_p_polarity"] = polarity


def _keep_largest(stations, amplitude, event, nordic):
    """Enter an amplitude in nm unless the station has a larger one; a coda length or another unit is no amplitude."""
    # the old NORDIC amplitude column is in nm and ObsPy leaves its unit open; a named amplitude it converts to m
    in_nm = 1e9 if amplitude.unit == "m" else 1.0 if nordic and amplitude.unit is None else np.nan
    value = (amplitude.generic_amplitude or np.nan) * in_nm
    code = amplitude.waveform_id.station_code if amplitude.waveform_id else None
    if code is None or amplitude.type == "END" or not value > 0:
        return
    row = stations.setdefault(code, {})
    if value > row.get("trace_amplitude_nm", 0.0):
        row["trace_amplitude_nm"] = value
        row["trace_amplitude_period_s"] = amplitude.period if amplitude.period else np.nan


def _assemble(network, events, readings, skipped):
    """A catalogue without duplicated events and with unique source_ids."""
    kept = _without_duplicates(events, readings, skipped)
    seen, rows = {}, []
    for i in kept:
        event = events[i]
        number = event.pop("number")
        seen[number] = seen.get(number, 0) + 1
        event.pop("place")
        event["source_id"] = f"{network}_{number}" + (f"_{seen[number]}" if seen[number] > 1 else "")
        rows += [{"source_id": event["source_id"], **reading} for reading in readings[i]]
    for line in skipped:
        log.info(line)
    return Catalogue.from_rows(network, "bulletin", [events[i] for i in kept], rows, skipped)


def _without_duplicates(events, readings, skipped, seconds=1.0, degrees=0.1):
    """Which events to keep, in order of time: of two at the same time and place, the one with more readings."""
    order = sorted(range(len(events)), key=lambda i: events[i]["source_origin_time"])
    kept = []
    for i in order:
        twin = kept[-1] if kept and _same(events[kept[-1]], events[i], seconds, degrees) else None
        if twin is None:
            kept.append(i)
            continue
        loser, winner = (twin, i) if len(readings[i]) > len(readings[twin]) else (i, twin)
        kept[-1] = winner
        skipped.append(f"{events[loser]['place']}: event left out: it repeats {events[winner]['place']}")
    return kept


def _same(earlier, later, seconds, degrees):
    apart = abs((earlier["source_origin_time"] - later["source_origin_time"]).total_seconds())
    keys = ("source_latitude_deg", "source_longitude_deg")
    return apart <= seconds and all(abs(earlier[key] - later[key]) <= degrees for key in keys)
