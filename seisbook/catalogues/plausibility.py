"""The gate that every source passes: values that an earthquake cannot have are left out, with a remark.

======================  ==================  ======================================================================
what                    between             why
======================  ==================  ======================================================================
latitude, longitude     -90, 90; -180, 180  there are no others
depth (km)              -10, 800            the highest summits are 9 km high, the deepest earthquakes 750 km deep
magnitude               -5, 10              a hammer's blow is about -4; faults are too short for 10
origin time             1677, 2262          what 64 bits hold in nanoseconds
travel time (s)         -2, 600             P needs 600 s to 60 degrees, far beyond a network; below zero, an origin
                                            time may be late by its error: four of Ridgecrest's P are, by 0.8 s at most
S minus P               above 0             S is slower in every rock
amplitude (nm)          0, 1e10             the ground never moved by 10 m in the Wood-Anderson band
======================  ==================  ======================================================================

An event that fails is left out. Of a reading only the onset or the amplitude that fails is left out. Of a P and an S in
the wrong order that of the smaller weight goes, and S if they are equal: it is read within the coda of P.
"""

import numpy as np
import pandas as pd

from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.remarks import event_left_out

LIMITS = {
    "source_latitude_deg": ("latitude", -90.0, 90.0, " degrees"),
    "source_longitude_deg": ("longitude", -180.0, 180.0, " degrees"),
    "source_depth_km": ("depth", -10.0, 800.0, " km"),
    "source_magnitude": ("magnitude", -5.0, 10.0, ""),
}
TRAVEL_S = -2.0, 600.0
LARGEST_NM = 1e10
FIRST, LAST = pd.Timestamp.min.ceil("s").tz_localize("UTC"), pd.Timestamp.max.floor("s").tz_localize("UTC")


def possible_catalogue(network, source, events, readings, skipped=()) -> Catalogue:
    """Build a catalogue as `Catalogue.from_rows` does, without what cannot be: every reader of a file builds it here.

    What is left out gets a remark in `skipped`. The key `place` of an event, its file and line, is for these remarks
    and becomes no column; without it they name the `source_id`.
    """
    skipped = list(skipped)
    events = pd.DataFrame(events)
    if "source_origin_time" in events:
        events["source_origin_time"] = possible_times(events.source_origin_time)
    found = Catalogue.from_rows(network, source, events, readings)
    place = found.events.pop("place") if "place" in found.events else found.events.index.to_series()
    of_reading = found.readings.source_id.map(place)
    found.events = possible_events(found.events, place, skipped)
    known = found.readings.source_id.isin(found.events.index)
    found.readings = possible_readings(found.readings[known], of_reading[known], skipped)
    return Catalogue(network, source, found.events, found.readings, skipped)


def possible_times(times) -> pd.Series:
    """Times as pandas has them; NaT where there is none or it cannot be held."""
    times = pd.to_datetime(times, utc=True, errors="coerce", format="ISO8601")
    return times.where(times.between(FIRST, LAST))


def possible_events(events, place, skipped) -> pd.DataFrame:
    """The events that can be, see the module's documentation.

    Parameters
    ----------
    events : DataFrame
        As `seisbook.catalogues.catalogue` describes it.
    place : Series of str
        File and line, or file and number, of each event; with the same index.
    skipped : list of str
        Gets a remark for each event that is left out.
    """
    reasons = pd.Series("", events.index)
    reasons[events.source_origin_time.isna()] = f"it has no origin time between {FIRST.year} and {LAST.year}"
    for column, (name, low, high, unit) in LIMITS.items():
        bad = ~events[column].between(low, high)
        bad &= events[column].notna() | (column != "source_magnitude")  # an event may lack its magnitude alone
        for event in events.index[bad & (reasons == "")]:
            reasons[event] = f"its {name} {events.loc[event, column]:g} is not within {low:g} to {high:g}{unit}"
    skipped += [event_left_out(place[name], reason) for name, reason in reasons[reasons != ""].items()]
    return events[reasons == ""]


def possible_readings(readings, place, skipped) -> pd.DataFrame:
    """The onsets and amplitudes that can be; a reading of which nothing remains is left out.

    Parameters
    ----------
    readings : DataFrame
        As `seisbook.catalogues.catalogue` describes it.
    place : Series of str
        File and line, or event, of each reading.
    skipped : list of str
        Gets a remark for each onset or amplitude that is left out.
    """
    readings = readings.copy()
    for wave in "ps":
        _without_far_onsets(readings, wave, place, skipped)
    _order_onsets(readings, place, skipped)
    _without_odd_amplitudes(readings, place, skipped)
    read = readings[["path_p_travel_s", "path_s_travel_s", "trace_amplitude_nm"]].notna().any(axis=1)
    return readings[read].reset_index(drop=True)


def _without_far_onsets(readings, wave, place, skipped):
    column, (low, high) = f"path_{wave}_travel_s", TRAVEL_S
    bad = readings[column].notna() & ~readings[column].between(low, high)
    why = f"its travel time is {{{column}:g}} s, not within {low:g} to {high:g} s"
    _without_onsets(readings, wave, bad, why, place, skipped)


def _order_onsets(readings, place, skipped):
    """Take out the less certain one of a P and an S that is not later."""
    bad = readings.path_s_travel_s <= readings.path_p_travel_s
    why = "S at {path_s_travel_s:g} s is not after P at {path_p_travel_s:g} s"
    weaker_p = readings.trace_p_weight < readings.trace_s_weight
    _without_onsets(readings, "p", bad & weaker_p, why, place, skipped)
    _without_onsets(readings, "s", bad & ~weaker_p, why, place, skipped)


def _without_onsets(readings, wave, bad, why, place, skipped):
    _remark(readings, wave.upper(), bad, why, place, skipped)
    numbers = [f"path_{wave}_travel_s", f"path_{wave}_residual_s", f"trace_{wave}_weight"]
    texts = [f"trace_{wave}_status", f"trace_{wave}_onset", *(["trace_p_polarity"] if wave == "p" else [])]
    readings.loc[bad, numbers] = np.nan
    readings.loc[bad, texts] = ""


def _without_odd_amplitudes(readings, place, skipped):
    amplitude = readings.trace_amplitude_nm
    bad = amplitude.notna() & ~((amplitude > 0) & (amplitude <= LARGEST_NM))
    why = f"{{trace_amplitude_nm:g}} nm is not within 0 to {LARGEST_NM:g} nm"
    _remark(readings, "amplitude", bad, why, place, skipped)
    readings.loc[bad, ["trace_amplitude_nm", "trace_amplitude_period_s"]] = np.nan


def _remark(readings, what, bad, why, place, skipped):
    for row in np.flatnonzero(bad):
        reading = readings.iloc[row]
        skipped.append(f"{place.iloc[row]}: {what} at {reading.station_code} left out: {why.format(**reading)}")
