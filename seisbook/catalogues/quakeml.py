"""Write a catalogue as QuakeML, the format in which observatories exchange catalogues."""

import re
from pathlib import Path

import numpy as np
from obspy.core.event import (
    Amplitude,
    Arrival,
    Catalog,
    Comment,
    Event,
    Magnitude,
    Origin,
    Pick,
    WaveformStreamID,
)
from obspy.core.utcdatetime import UTCDateTime

from seisbook import files

NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def write(catalogue, path) -> Path:
    """Write events, onsets and amplitudes as QuakeML 1.2, whole or not at all.

    Parameters
    ----------
    catalogue : Catalogue
    path : path

    Returns
    -------
    Path

    Notes
    -----
    Times are to the microsecond, depths in m, amplitudes in m, as the format has them. Weights, polarities and event
    classes are left out. The magnitude's type is ML where the catalogue names none. A control character, which XML
    cannot hold, becomes U+FFFD, the replacement character.
    """
    readings = dict(list(catalogue.readings.groupby("source_id", sort=False)))
    none = catalogue.readings.iloc[:0]
    events = [_event(row, readings.get(name, none)) for name, row in catalogue.events.iterrows()]
    return files.write_whole(path, lambda file: Catalog(events).write(file, format="QUAKEML"))


def _event(row, readings):
    start = UTCDateTime(ns=row.source_origin_time.value)
    origin = Origin(
        time=start,
        latitude=row.source_latitude_deg,
        longitude=row.source_longitude_deg,
        depth=1000 * row.source_depth_km,
    )
    event = Event(origins=[origin], comments=[Comment(text=in_xml(row.source_text))] if row.source_text else [])
    if np.isfinite(row.source_magnitude):
        kind = in_xml(row.source_magnitude_type) or "ML"
        event.magnitudes = [Magnitude(mag=row.source_magnitude, magnitude_type=kind)]
    for reading in readings.itertuples():
        _enter(event, origin, start, reading)
    return event


def in_xml(text) -> str:
    """Text with what XML cannot hold replaced."""
    return NOT_IN_XML.sub(REPLACEMENT, text)


def _enter(event, origin, start, reading):
    """Add the picks and the amplitude of one station to its event."""
    station = WaveformStreamID(network_code="", station_code=in_xml(reading.station_code))
    for phase, travel, onset, status in (
        ("P", reading.path_p_travel_s, reading.trace_p_onset, reading.trace_p_status),
        ("S", reading.path_s_travel_s, reading.trace_s_onset, reading.trace_s_status),
    ):
        if np.isfinite(travel):
            mode = "manual" if status == "manual" else "automatic"  # the format knows no simulated ones
            pick = Pick(time=start + travel, waveform_id=station, phase_hint=phase, evaluation_mode=mode)
            pick.onset = onset or None
            event.picks.append(pick)
            origin.arrivals.append(Arrival(pick_id=pick.resource_id, phase=phase))
    if np.isfinite(reading.trace_amplitude_nm):
        period = reading.trace_amplitude_period_s
        value = reading.trace_amplitude_nm * 1e-9
        amplitude = Amplitude(generic_amplitude=value, unit="m", type="IAML", waveform_id=station)
        amplitude.period = period if np.isfinite(period) else None
        event.amplitudes.append(amplitude)
