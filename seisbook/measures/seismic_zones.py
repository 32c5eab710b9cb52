"""Zones of seismicity: clouds of hypocentres with a magnitude law, measured on a catalogue for its simulated twin."""

import numpy as np

from seisbook.catalogues.geodesy import azimuthal_equidistant
from seisbook.catalogues.schema import Zone
from seisbook.measures.estimates import robust_std
from seisbook.measures.seismicity import b_value, completeness

ENOUGH_MAGNITUDES = 50  # above its completeness, for a b-value of a zone's own
MOST_ZONES = 8
FEWEST_EVENTS, SMALLEST_SHARE = 10, 0.02  # of a zone of its own
SMALLEST_MAGNITUDE = 0.05  # quantile of the events' magnitudes at which a zone's begin
B_VALUES = 0.4, 2.5  # beyond, a catalogue tells of its completeness and not of its seismicity
REST = -1


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


def zones_of(events, most=MOST_ZONES) -> list[tuple[Zone, str]]:
    """Zones of a whole catalogue, and how each was found.

    A mixture of Gaussian clouds is fitted to the hypocentres; the Bayesian information criterion says of how many. A
    cloud with few events joins the rest, which is one zone.

    Parameters
    ----------
    events : DataFrame
        `seisbook.catalogues.catalogue.Catalogue.events`.
    most : int
        Zones.
    """
    labels = _clouds(events, most)
    sizes = events.groupby(labels).size()
    small = sizes.index[sizes < max(FEWEST_EVENTS, SMALLEST_SHARE * len(events))]
    labels = np.where(np.isin(labels, small), REST, labels)
    order = sorted(set(labels), key=lambda one: (one == REST, -(labels == one).sum()))
    parts = [events[labels == one] for one in order]
    if len(parts) > 1 and len(parts[-1]) < FEWEST_EVENTS:  # too few for a zone of their own
        parts = [*parts[:-2], events.loc[parts[-2].index.union(parts[-1].index)]]
    shares = [round(len(part) / len(events), 3) for part in parts]
    shares[0] = round(shares[0] + 1 - sum(shares), 3)
    magnitudes = events.source_magnitude.dropna()
    network_b = slope(events, 1.0)[0] if len(magnitudes) else 1.0
    return [_zone(i, part, share, network_b) for i, (part, share) in enumerate(zip(parts, shares, strict=True), 1)]


def _clouds(events, most):
    """Number of the cloud of each event."""
    from sklearn.mixture import GaussianMixture  # a second to load

    if len(events) < 3 * FEWEST_EVENTS:
        return np.zeros(len(events), int)
    centre = events.source_latitude_deg.median(), events.source_longitude_deg.median()
    east, north = azimuthal_equidistant(events.source_latitude_deg, events.source_longitude_deg, centre)
    place = np.column_stack([east, north, events.source_depth_km])
    settings = {"covariance_type": "full", "reg_covar": 1.0, "random_state": 0, "n_init": 2}
    mixtures = [GaussianMixture(n, **settings).fit(place) for n in range(1, most + 1)]
    return min(mixtures, key=lambda mixture: mixture.bic(place)).predict(place)


def _zone(number, events, share, network_b):
    """One zone; what the events do not say of magnitudes is a choice, which the comment names."""
    magnitude, comment = events.source_magnitude.dropna(), f"measured on {len(events)} events"
    if len(magnitude) >= FEWEST_EVENTS:
        b, is_own = slope(events, network_b)
        least = float(magnitude.quantile(SMALLEST_MAGNITUDE))
        comment += "; magnitude_max is a choice: one more than the largest" + ("" if is_own else "; b of all zones")
        law = {"b_value": b, "magnitude_min": round(least, 1), "magnitude_max": round(float(magnitude.max()) + 1, 1)}
    else:
        law = {"b_value": 1.0, "magnitude_min": 1.0, "magnitude_max": 5.0}
        comment += f"; magnitudes are a choice: only {len(magnitude)} events have one"
    kinds = events.source_type[events.source_type != "unknown"].value_counts()
    kind = kinds.index[0] if len(kinds) and kinds.iloc[0] > len(events) / 2 else "tectonic"
    law["b_value"] = float(np.clip(law["b_value"], *B_VALUES))
    return Zone(name=f"zone {number}", source_type=kind, **_placeable(cloud(events)), **law, share=share), comment


def _placeable(found):
    """A cloud with depths that a zone may have."""
    return found | {"depth_km": min(found["depth_km"], 700.0), "depth_spread_km": min(found["depth_spread_km"], 700.0)}
