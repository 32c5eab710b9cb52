"""From an event as ObsPy has it to the rows of a catalogue: which origin, picks and amplitudes count.

Observatories keep more in an event than its best location: earlier and rejected origins, picks of a machine that no
origin uses, phases that are no first arrival, amplitudes for other magnitudes. What does not count is left out with a
remark.
"""

import numpy as np
import pandas as pd

from seisbook.catalogues import amplitudes
from seisbook.catalogues.entries import ANALYST_WEIGHT
from seisbook.catalogues.geodesy import KM_PER_DEGREE, distance_azimuth
from seisbook.catalogues.phases import wave_of
from seisbook.catalogues.remarks import Remarks

NORDIC_SOURCE_TYPE = {"V": "volcanic", "E": "quarry_blast", "P": "quarry_blast", "I": "induced"}
QUAKEML_SOURCE_TYPE = {
    "explosion": "quarry_blast",
    "mining explosion": "quarry_blast",
    "quarry blast": "quarry_blast",
    "induced or triggered event": "induced",
    "volcanic eruption": "volcanic",
}
NO_EVENT = "not existing"
REJECTED, WAS_REJECTED = "rejected", "that were rejected"
HALF_DAY_S = 43200.0
SAME_EVENT_S, SAME_EVENT_KM = 10.0, 100.0
"""Two origins of an event are that far apart at most; a distance of 100 km and a time of 10 s compensate each other."""


def rows(event, place: str, remarks: Remarks, nordic: bool = False, units=()) -> tuple[dict, list[dict]] | None:
    """One event and its readings, as `possible_catalogue` takes them.

    Parameters
    ----------
    event : obspy.core.event.Event
    place : str
        Its file and line, or file and number.
    remarks : Remarks
        Gets a remark for everything that is left out.
    nordic : bool
        Whether it comes from a NORDIC file: there all readings of an event belong to it, weights are the analyst's
        digits, an amplitude has no type and is in nm, and an hour after midnight may lack its date.
    units : dict of str to str
        Units of the amplitudes as the file has them, see `seisbook.catalogues.amplitudes.stated_units`.

    Returns
    -------
    event : dict
        With the keys `number`, the bulletin's own number, and `place`.
    readings : list of dict
        One a station, without `source_id`.
        None in the place of both if the event is left out.
    """
    origin = _origin(event)
    why = _why_not(event, origin)
    if why:
        remarks.event(place, why)
        return None
    return _event_row(event, origin, nordic) | {"place": place}, _reading_rows(
        event, origin, place, remarks, nordic, dict(units)
    )


# ---------------------------------------------------------------------------------------------------------- the event


def _referred(references, wanted):
    """The one of an event's origins or magnitudes that it prefers; None if it names none that it has."""
    return next((one for one in references if wanted is not None and one.resource_id.id == wanted.id), None)


def _origin(event):
    """The preferred origin; without one, the first that was not rejected; None if there is none at all."""
    preferred = _referred(event.origins, event.preferred_origin_id)
    good = [origin for origin in event.origins if origin.evaluation_status != REJECTED]
    return preferred or next(iter([*good, *event.origins]), None)


def _why_not(event, origin) -> str:
    """Why an event is left out; empty if it is not."""
    if event.event_type == NO_EVENT:
        return f"its type is '{NO_EVENT}'"
    if origin is None:
        return "it has no hypocentre"
    if origin.evaluation_status == REJECTED:
        return "its origin was rejected"
    if origin.time is None:
        return "its origin has no time"
    if not np.isfinite([np.nan if x is None else x for x in (origin.latitude, origin.longitude, origin.depth)]).all():
        return "it has no hypocentre"
    return ""


def _event_row(event, origin, nordic):
    magnitude = _magnitude(event, nordic)
    text = "\n".join(comment.text.strip() for comment in event.comments if comment.text and comment.text.strip())
    km_of_longitude = KM_PER_DEGREE * np.cos(np.radians(origin.latitude))
    return {
        "number": _event_number(event, origin),
        "source_origin_time": _timestamp(origin.time),
        "source_latitude_deg": origin.latitude,
        "source_longitude_deg": origin.longitude,
        "source_depth_km": origin.depth / 1000,
        "source_magnitude": np.nan if magnitude is None or magnitude.mag is None else magnitude.mag,
        "source_magnitude_type": "" if magnitude is None else magnitude.magnitude_type or "",
        "source_latitude_uncertainty_km": _uncertainty(origin.latitude_errors, KM_PER_DEGREE),
        "source_longitude_uncertainty_km": _uncertainty(origin.longitude_errors, km_of_longitude),
        "source_depth_uncertainty_km": _uncertainty(origin.depth_errors, 1e-3),
        "source_type": _source_type(event, nordic),
        "source_text": text,
        "source_text_kind": "observed" if text else "",
    }


def _timestamp(time):
    """An ObsPy time as pandas has it; NaT if its 64 bits cannot hold it."""
    try:
        return pd.Timestamp(time.ns, unit="ns", tz="UTC")
    except (ValueError, OverflowError):
        return pd.NaT


def _event_number(event, origin):
    """The bulletin's own number of the event, or its origin time to the centisecond."""
    extra = event.get("extra", {}).get("nordic_event_id")
    return extra["value"].strip() if extra else origin.time.strftime("%Y%m%d%H%M%S%f")[:-4]


def _magnitude(event, nordic):
    """The preferred magnitude, else a local one, else the first, of those that were not rejected.

    In a NORDIC bulletin the local one comes first: ObsPy ranks it behind a Mw that few events have.
    """
    good = [magnitude for magnitude in event.magnitudes if magnitude.evaluation_status != REJECTED]
    local = [magnitude for magnitude in good if (magnitude.magnitude_type or "").upper().startswith("ML")]
    preferred = _referred(good, event.preferred_magnitude_id)
    if nordic and local:
        return local[0]
    return preferred or next(iter([*local, *good]), None)


def _uncertainty(errors, km):
    value = errors.uncertainty if errors else None
    if value is None or not 0 <= value * km <= 999:  # 999.9 is how SEISAN prints an error that it could not determine
        return np.nan
    return round(value * km, 4)


def _source_type(event, nordic):
    if nordic:
        flag = event.event_descriptions[0].text.ljust(2)[1] if event.event_descriptions else ""
        return NORDIC_SOURCE_TYPE.get(flag, "unknown")
    return QUAKEML_SOURCE_TYPE.get(event.event_type, "unknown")


# --------------------------------------------------------------------------------------------------------- its readings


def _reading_rows(event, origin, place, remarks, nordic, units):
    """One row per station from the picks, arrivals and amplitudes of an event."""
    stations = {}
    for wave, code, pick, arrival in _direct_picks(event, origin, place, remarks, nordic):
        _keep_better(stations.setdefault(code, {}), wave, _onset(pick, arrival, origin, nordic))
    codes = {pick.resource_id.id: _station_code(pick) for pick in event.picks}
    for amplitude in event.amplitudes:
        code = _station_code(amplitude) or codes.get(amplitude.pick_id.id if amplitude.pick_id else None, "")
        value, why = _displacement_nm(amplitude, code, nordic, units)
        if value is not None:
            _keep_largest(stations.setdefault(code, {}), value, amplitude.period)
        elif why:
            remarks.count(place, "amplitude", why, amplitude.type)
    return [{"station_code": code, **row} for code, row in stations.items()]


def _station_code(observation):
    stream = observation.waveform_id
    return ((stream.station_code if stream else None) or "").strip()


def _direct_picks(event, origin, place, remarks, nordic):
    """Yield wave, station code, pick and arrival of the picks that count."""
    arrivals = _arrivals(event, origin)
    of_amplitudes = {amplitude.pick_id.id for amplitude in event.amplitudes if amplitude.pick_id}
    for pick in event.picks:
        arrival = (arrivals or {}).get(pick.resource_id.id)
        name = ((arrival.phase if arrival is not None else None) or pick.phase_hint or "").strip()
        wave, code = wave_of(name), _station_code(pick)
        is_used = arrival is not None or nordic or arrivals == {}
        if wave is None and pick.resource_id.id in of_amplitudes:
            continue  # it says when an amplitude was read
        if why := _why_no_onset(pick, wave, code, is_used):
            remarks.count(place, "pick", why, name if code or wave is None else f"{name} without station")
        else:
            yield wave, code, pick, arrival


def _why_no_onset(pick, wave, code, is_used) -> str:
    """Why a pick is left out; empty if it is not."""
    reasons = {
        WAS_REJECTED: pick.evaluation_status == REJECTED,
        "that the event's origin does not use": not is_used,
        "of phases other than P and S": wave is None,
        "without a station code (waveformID)": not code,
        "without a time": pick.time is None,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _arrivals(event, origin):
    """Arrivals of the origin by their pick; empty if no origin has any, so that all picks count.

    An origin may have none although another one has: it was computed elsewhere. The other's picks count if the two
    origins agree on the event; if none agrees, no pick counts, and None is returned.
    """
    used = {arrival.pick_id.id: arrival for arrival in origin.arrivals if arrival.pick_id}
    others = [other for other in event.origins if other is not origin and other.arrivals]
    if used or not others:
        return used
    agreeing = next((other for other in others if _agree(origin, other)), None)
    return None if agreeing is None else _arrivals(event, agreeing)


def _agree(one, other):
    if None in (other.time, other.latitude, other.longitude):
        return False
    km, _ = distance_azimuth(one.latitude, one.longitude, other.latitude, other.longitude)
    return abs(one.time - other.time) <= SAME_EVENT_S and km <= SAME_EVENT_KM


def _onset(pick, arrival, origin, nordic):
    """What one pick says: (weight, travel time, status, onset, polarity, residual)."""
    travel = pick.time - origin.time
    if nordic and travel < -HALF_DAY_S:  # the hour went past midnight and the line has no date
        travel += 2 * HALF_DAY_S
    if nordic:
        weight = ANALYST_WEIGHT.get(pick.get("extra", {}).get("nordic_pick_weight", {}).get("value", "").strip(), 1.0)
    else:
        weight = 1.0 if arrival is None or arrival.time_weight is None else _weight(arrival.time_weight)
    onset = pick.onset if pick.onset in ("impulsive", "emergent") else ""
    polarity = pick.polarity if pick.polarity in ("positive", "negative") else ""
    is_own = arrival is not None and any(arrival is one for one in origin.arrivals)
    residual = arrival.time_residual if is_own and arrival.time_residual is not None else np.nan
    return weight, travel, pick.evaluation_mode or "manual", onset, polarity, residual


def _weight(value):
    """A locator's weight from 1 (full) to 0 (not used); HypoDD's negative ones mean: always keep, with this weight."""
    return min(abs(float(value)), 1.0) if np.isfinite(value) else 1.0


def _keep_better(row, wave, onset):
    """Enter an onset unless the station has one of more weight, or of the same weight and earlier."""
    weight, travel, status, kind, polarity, residual = onset
    old = row.get(f"path_{wave}_travel_s", np.inf), row.get(f"trace_{wave}_weight", -1.0)
    if (-weight, travel) >= (-old[1], old[0]):
        return
    row[f"path_{wave}_travel_s"] = round(travel, 4)
    row[f"path_{wave}_residual_s"] = residual
    row[f"trace_{wave}_status"] = status
    row[f"trace_{wave}_onset"] = kind
    row[f"trace_{wave}_weight"] = weight
    if wave == "p":
        row["trace_p_polarity"] = polarity


def _displacement_nm(amplitude, code, nordic, units):
    """Value in nm, or None and the reason; without a reason if it is a duration and not an amplitude."""
    if amplitude.type == amplitudes.DURATION:
        return None, ""
    if amplitude.evaluation_status == REJECTED:
        return None, WAS_REJECTED
    if not code:
        return None, "without a station code (waveformID)"
    kind, unit = amplitude.type, amplitude.unit
    if nordic and kind in ("A", "AMP"):
        kind, unit = "A", unit or "nm"  # the old column is in nm, and ObsPy leaves its unit open
    elif unit in (None, "other"):
        unit = _stated(units, amplitude.resource_id.id)
    return amplitudes.displacement_nm(kind, unit, amplitude.generic_amplitude, amplitude.period)


def _stated(units, identifier):
    """An amplitude's unit as the file has it; ObsPy puts a prefix before SeisComP's identifiers."""
    return units.get(identifier, units.get(identifier.partition("/geofon/")[2]))


def _keep_largest(row, value, period):
    if value > row.get("trace_amplitude_nm", 0.0):
        row["trace_amplitude_nm"] = value
        row["trace_amplitude_period_s"] = period if period else np.nan
