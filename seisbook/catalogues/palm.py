"""Ridgecrest: PALM's automatic picks, labelled with the analysts' locations of the Southern California network.

PALM (Zhou et al., 2022) is a pipeline of picking, association and location. Its own locations are kept beside the
labels, so that the two can be compared.
"""

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix, hstack, identity
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.geodesy import distance_azimuth
from seisbook.catalogues.plausibility import possible_catalogue
from seisbook.catalogues.texts import lines_of
from seisbook.errors import DataError, UserError

PLACE = ("latitude_deg", "longitude_deg")
SCSN_LABELS = ("origin_time", "latitude_deg", "longitude_deg", "depth_km", "magnitude")
YEARS = (1700, 2200)  # what fits into 64 bits of nanoseconds


def read_palm(
    pha: str | Path, scsn_catalog: str | Path, network: str = "ridgecrest", max_s: float = 3, max_km: float = 15
) -> Catalogue:
    """Read PALM's automatic picks and label each event with the analysts' location and magnitude.

    Parameters
    ----------
    pha : str or Path
        PALM phase file: event rows `time,lat,lon,depth,magnitude,id`, each followed by station rows
        `NET.STA,P time,S time,S amplitude in m,SNR`.
    scsn_catalog : str or Path
        Catalogue of the Southern California Seismic Network (fixed columns).
    network : str
        Name of the network, the prefix of every `source_id`.
    max_s, max_km : float
        Largest difference in origin time and epicentre of a PALM event and its label.

    Returns
    -------
    Catalogue
        Labels are SCSN's; PALM's own answer is in `palm_latitude_deg`, `palm_longitude_deg`, `palm_depth_km`,
        `palm_magnitude`, SCSN's quality letter in `scsn_quality`. Travel times are relative to SCSN's origin time.

    Raises
    ------
    UserError
        If a file does not exist.
    DataError
        If a line cannot be read; the message names it.
    """
    palm, picks = _read_pha(pha)
    scsn = read_scsn(scsn_catalog)
    first, second = match_events(palm, scsn, max_s, max_km)
    labels = scsn.iloc[second].reset_index(drop=True)
    events = labels.rename(columns=lambda name: f"source_{name}" if name in SCSN_LABELS else name)
    events["source_id"] = network + "_" + labels.number
    events["source_magnitude_type"] = ""  # the file mixes kinds, and does not say which
    events["source_type"] = "unknown"
    for name in ("latitude_deg", "longitude_deg", "depth_km", "magnitude"):
        events[f"palm_{name}"] = palm[name].to_numpy()[first]
    readings = _palm_readings(picks, first, events)
    unmatched = len(palm) - len(first)
    skipped = [f"{pha}: {unmatched} of {len(palm)} events left out: no SCSN event within {max_s:g} s and {max_km:g} km"]
    events = (
        events.drop(columns=["number"]).sort_values("source_origin_time").rename(columns={"quality": "scsn_quality"})
    )
    return possible_catalogue(network, "bulletin", events, readings, skipped if unmatched else [])


def _palm_readings(picks, first, events):
    """Readings of the matched events, relative to their labels' origin times."""
    label_of = pd.Series(np.arange(len(first)), index=first)
    readings = picks[picks.event.isin(first)].reset_index(drop=True)
    label = label_of[readings.event].to_numpy()
    origin = events.source_origin_time.iloc[label].reset_index(drop=True)
    rows = {"source_id": events.source_id.to_numpy()[label], "station_code": readings.station_code.to_numpy()}
    for phase in ("p", "s"):
        travel = (readings[f"{phase}_time"] - origin).dt.total_seconds().to_numpy()
        read = np.isfinite(travel)
        rows[f"path_{phase}_travel_s"] = travel.round(4)
        rows[f"trace_{phase}_status"] = np.where(read, "automatic", "")
        rows[f"trace_{phase}_weight"] = np.where(read, 1.0, np.nan)
    rows["trace_amplitude_nm"] = np.where(readings.amplitude_m > 0, readings.amplitude_m * 1e9, np.nan)
    return pd.DataFrame(rows).sort_values("source_id", kind="stable", ignore_index=True)


def match_events(events: pd.DataFrame, reference: pd.DataFrame, max_s: float, max_km: float):
    r"""Pair the events of two catalogues one to one.

    The assignment pairs as many events within `max_s` and `max_km` as possible, and then has the least

    .. math:: \sum |\Delta t| / t_{\max} + \Delta d / d_{\max}

    Parameters
    ----------
    events, reference : DataFrame
        With columns `origin_time`, `latitude_deg`, `longitude_deg`; `reference` sorted by time.

    Returns
    -------
    first, second : ndarray of int, shape (pairs,)
        Row numbers in `events` and in `reference`; none occurs twice.
    """
    start = reference.origin_time.searchsorted(events.origin_time - pd.Timedelta(max_s, "s"), side="left")
    stop = reference.origin_time.searchsorted(events.origin_time + pd.Timedelta(max_s, "s"), side="right")
    row = np.repeat(np.arange(len(events)), stop - start)
    column = np.arange(len(row)) - np.repeat(np.cumsum(stop - start) - stop, stop - start)
    seconds = (events.origin_time.to_numpy()[row] - reference.origin_time.to_numpy()[column]) / np.timedelta64(1, "s")
    places = (table[name].to_numpy()[rows] for table, rows in ((events, row), (reference, column)) for name in PLACE)
    km, _ = distance_azimuth(*places)
    near = km <= max_km
    cost = np.abs(seconds[near].astype(float)) / max_s + km[near] / max_km
    # every event may also stay single, at a price above any pair's, which makes the problem always solvable
    pairs = coo_matrix((cost + 1e-6, (row[near], column[near])), shape=(len(events), len(reference)))
    first, second = min_weight_full_bipartite_matching(hstack([pairs, 1e3 * identity(len(events))]).tocsr())
    paired = second < len(reference)
    return first[paired], second[paired]


def _read_pha(path):
    """Events and picks of a PALM phase file; `picks.event` is the row number of the event."""
    if not Path(path).is_file():
        raise UserError(f"{path}: no such phase file; check the path")
    events, picks = [], []
    for number, line in enumerate(lines_of(path), 1):
        try:
            if line[:4].isdigit():
                events.append(_palm_event(line, number))
            elif line.strip():
                picks.append(_palm_pick(line, number, len(events) - 1))
        except (ValueError, IndexError):
            raise DataError(
                f"{path}:{number}: expected 'time,lat,lon,depth,magnitude' or 'NET.STA,P time,S time,amplitude'; "
                f"found {line[:60]!r}"
            ) from None
    if not events:
        raise DataError(f"{path}: no event found; give a PALM phase file")
    events = pd.DataFrame(events, columns=["origin_time", *PLACE, "depth_km", "magnitude", "line"])
    picks = pd.DataFrame(picks, columns=["event", "station_code", "p_time", "s_time", "amplitude_m", "line"])
    events["origin_time"] = _times(path, events.origin_time, events.line)
    for name in ("p_time", "s_time"):
        picks[name] = _times(path, picks[name].where(picks[name] != "-1"), picks.line)
    return events, picks


def _palm_event(line, number):
    time, *values = line.split(",")[:5]
    values = [float(value) for value in values]
    if len(values) < 4 or not np.isfinite(values[:3]).all():
        raise ValueError
    return time, *values, number


def _palm_pick(line, number, event):
    code, p, s, amplitude = line.split(",")[:4]
    station = code.split(".")[-1].strip()
    if event < 0 or not station or np.isinf(float(amplitude)):
        raise ValueError
    return event, station, p, s, float(amplitude), number


def _times(path, values, lines):
    times = pd.to_datetime(values, utc=True, format="ISO8601", errors="coerce")
    times = times.where(times.dt.year.between(*YEARS)).astype("datetime64[ns, UTC]")
    bad = values.notna() & times.isna()
    if bad.any():
        text = values[bad].iloc[0]
        raise DataError(f"{path}:{lines[bad].iloc[0]}: {text[:40]!r} is no time; write it as 2019-07-04T16:13:43.28Z")
    return times


def read_scsn(path: str | Path) -> pd.DataFrame:
    """Read a catalogue of the Southern California Seismic Network.

    Returns
    -------
    DataFrame
        Sorted by time: `origin_time`, `latitude_deg`, `longitude_deg`, `depth_km`, `magnitude` (NaN if blank),
        `quality`, `number` (the network's event number).

    Raises
    ------
    UserError
        If there is no such file.
    DataError
        If a line does not keep to the columns; the message names it.

    Notes
    -----
    Latitude and longitude are degrees and minutes, the sign on the degrees alone: `-117 31.84` lies west of -117. The
    format has no column for the kind of event, although the listing includes quarry blasts.
    """
    if not Path(path).is_file():
        raise UserError(f"{path}: no such catalogue; check the path")
    rows = []
    for number, line in enumerate(lines_of(path), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            rows.append(_scsn_row(line))
        except ValueError:
            raise DataError(f"{path}:{number}: not in SCSN's columns; found {line[:60]!r}") from None
    if not rows:
        raise DataError(f"{path}: no event found; give the SCSN yearly catalogue")
    table = pd.DataFrame(rows, columns=[*SCSN_LABELS, "quality", "number"])
    table["origin_time"] = table.origin_time.astype("datetime64[ns, UTC]")
    return table.sort_values("origin_time", ignore_index=True)


def _scsn_row(line):
    minute = datetime.strptime(line[:17], "%Y %m %d  %H %M")
    if not YEARS[0] <= minute.year <= YEARS[1]:
        raise ValueError
    latitude = _signed_degrees(line[24:27], line[28:33])
    longitude = _signed_degrees(line[33:37], line[38:43])
    magnitude = float(line[45:50].strip() or "nan")
    second, depth = float(line[18:23]), float(line[50:59])
    if not np.isfinite([second, latitude, longitude, depth]).all():
        raise ValueError
    # seconds are added, not parsed, because 60.00 does occur
    origin = pd.Timestamp(minute, tz="UTC") + pd.to_timedelta(second, unit="s")
    return origin, latitude, longitude, depth, magnitude, line[44], line[71:].strip()


def _signed_degrees(degrees, minutes):
    sign = -1 if "-" in degrees else 1
    return sign * (abs(float(degrees)) + float(minutes) / 60)
