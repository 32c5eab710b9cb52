"""Write located events as QuakeML, with the uncertainties and the quality that observatories ask for."""

from pathlib import Path

from obspy.core.event import (
    Arrival,
    Catalog,
    Comment,
    Event,
    Magnitude,
    Origin,
    OriginQuality,
    OriginUncertainty,
    Pick,
    QuantityError,
    WaveformStreamID,
)
from obspy.core.utcdatetime import UTCDateTime

from seisbook import files
from seisbook.catalogues.geodesy import KM_PER_DEGREE
from seisbook.catalogues.quakeml import in_xml

M_PER_KM = 1000.0


def write(locations, path, confidence_percent) -> Path:
    """Write locations as QuakeML 1.2, whole or not at all.

    Parameters
    ----------
    locations : iterable of seisbook.measures.location.Location
    path : path
    confidence_percent : float
        Probability that the ellipses hold the epicentre, in per cent.

    Returns
    -------
    Path

    Notes
    -----
    Picks are the onsets that were used, as the model found them; an arrival's weight is from 0 to 1. Lengths are in m.
    Remarks become comments of the origin.
    """
    events = [_event(one, confidence_percent) for one in locations]
    return files.write_whole(path, lambda file: Catalog(events).write(file, format="QUAKEML"))


def _event(location, confidence_percent):
    origin = Origin(
        time=UTCDateTime(ns=location.time.value),
        latitude=location.latitude,
        longitude=location.longitude,
        depth=M_PER_KM * location.depth_km,
        depth_errors=QuantityError(uncertainty=M_PER_KM * location.depth_error_km),
        origin_uncertainty=_uncertainty(location, confidence_percent),
        quality=_quality(location),
        evaluation_mode="automatic",
        comments=[Comment(text=in_xml(text)) for text in location.remarks],
    )
    error = QuantityError(uncertainty=location.magnitude_error)
    magnitude = Magnitude(mag=location.magnitude, mag_errors=error, magnitude_type="ML", origin_id=origin.resource_id)
    event = Event(origins=[origin], magnitudes=[magnitude], comments=[Comment(text=in_xml(location.source_id))])
    event.preferred_origin_id, event.preferred_magnitude_id = origin.resource_id, magnitude.resource_id
    for one in location.arrivals:
        _enter(event, origin, one)
    return event


def _uncertainty(location, confidence_percent):
    return OriginUncertainty(
        max_horizontal_uncertainty=M_PER_KM * location.major_km,
        min_horizontal_uncertainty=M_PER_KM * location.minor_km,
        azimuth_max_horizontal_uncertainty=location.azimuth_deg,
        preferred_description="uncertainty ellipse",
        confidence_level=confidence_percent,
    )


def _quality(location):
    return OriginQuality(
        used_phase_count=location.onsets,
        used_station_count=location.stations,
        standard_error=location.scatter_s,
        azimuthal_gap=location.gap_deg,
        minimum_distance=location.nearest_km / KM_PER_DEGREE,
    )


def _enter(event, origin, arrival):
    station = WaveformStreamID(network_code="", station_code=in_xml(arrival.station))
    time = UTCDateTime(ns=arrival.time.value)
    pick = Pick(time=time, waveform_id=station, phase_hint=arrival.phase, evaluation_mode="automatic")
    event.picks.append(pick)
    origin.arrivals.append(
        Arrival(
            pick_id=pick.resource_id,
            phase=arrival.phase,
            time_residual=arrival.residual_s,
            time_weight=arrival.weight,
        )
    )
