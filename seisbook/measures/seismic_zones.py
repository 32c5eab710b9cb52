"""Zones of seismicity: clouds of hypocentres with a magnitude law, measured on a catalogue for its simulated twin."""

import numpy as np

from seisbook.catalogues.geodesy import azimuthal_equidistant
from seisbook.measures.estimates import robust_std
from seisbook.measures.seismicity import b_value, completeness

ENOUGH_MAGNITUDES = 50  # above its completeness, for a b-value of a zone's own


def cloud(events) -> dict:
    """Centre, strike and robust spreads of a cloud of hypocentres, as `seisbook.catalogues.schema.Zone` has them."""
    centre = float(events.source_latitude_deg.median()), float(events.source_longitude_deg.median())
    east, north = azimuthal_equidistant(
        events.source_latitude_deg.to_numpy(), events.source_longitude_deg.to_numpy(), centre
    )
    near = np.hypot(east, north) <= 3 * np.median(np.hypot(east, north)) + 1
    _, vectors = np.linalg.eigh(np.cov(east[near], north[near]))
    across, along = vectors.T
    strike = np.degrees(np.arctan2(along[0], along[1])) % 180
    depth = events.source_depth_km
    return {
        "latitude": round(centre[0], 3),
        "longitude": round(centre[1], 3),
        "depth_km": round(max(float(depth.median()), 0.0), 1),
        "length_km": round(max(float(np.std(east[near] * along[0] + north[near] * along[1])), 0.5), 1),
        "width_km": round(max(float(np.std(east[near] * across[0] + north[near] * across[1])), 0.5), 1),
        "depth_spread_km": round(max(robust_std(depth), 1.0), 1),
        "strike_deg": round(float(strike), 0),
    }


def slope(events, default) -> tuple[float, bool]:
    """The zone's b-value if fifty events lie above its completeness, else the network's; and whether it is its own."""
    least = completeness(events.source_magnitude)
    if (events.source_magnitude >= least).sum() < ENOUGH_MAGNITUDES:
        return default, False
    return round(b_value(events.source_magnitude, least)[0], 2), True
