r"""The simulated twin of a region: ground motion whose law, terms and residuals are all known.

.. math:: y_{es} = \mu(M_e, r_{es}, h_e) + \delta B_e + \delta S_s + \delta W_{es}

with the attenuation law :math:`\mu` of `seisbook.physics.attenuation`, the event's term :math:`\delta B`, the station's
term :math:`\delta S`, and a residual :math:`\delta W` that is correlated in space and between the measures:

.. math:: \mathrm{Cov}(\delta W_{es}, \delta W_{et}) = \phi\phi^T \circ C\,
    \bigl(0.7\, e^{-d_{st} / 40\,\mathrm{km}} + 0.3\, [s = t]\bigr)

It stands in for a region whose data are not on this machine. It differs from the Earth: its law is the same in all
directions, its stations do not fail, and its site terms do not depend on the ground that neighbours share.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from seisbook.catalogues.geodesy import to_geographic
from seisbook.catalogues.ground_motion import MEASURES, GroundMotion
from seisbook.physics.attenuation import design

LAW = np.array(
    [
        [1.72, 0.55, -0.05, -1.55, 0.06, -0.15, 0.10],
        [1.50, 0.85, 0.02, -1.45, 0.03, -0.07, 0.05],
        [1.85, 0.70, -0.08, -1.50, 0.05, -0.10, 0.08],
        [1.20, 1.05, -0.05, -1.40, 0.03, -0.04, 0.03],
        [0.40, 1.20, 0.02, -1.30, 0.02, 0.00, 0.00],
    ]
)
"""Coefficients (measures, terms): round numbers of the size that a fit of European strong motion gives."""
EVENT, SITE, WITHIN = 0.25, 0.25, 0.25  # standard deviations, log10
BETWEEN_MEASURES = 0.75  # correlation of neighbouring measures, in order of their periods
ORDER = np.array([0, 2, 1, 3, 4])  # places of the measures from short to long periods: pga, psa03, pgv, psa10, psa30
RANGE_KM, SMOOTH = 40.0, 0.7
B_VALUE = 1.0
SHALLOW_KM = 10.0  # mean depth


@dataclass
class Truth:
    """What the twin was made of: `law` (5, 7), `event_terms` (events, 5), `site_terms` (stations, 5) in log10 units."""

    law: np.ndarray
    event_terms: np.ndarray
    site_terms: np.ndarray


def correlation() -> np.ndarray:
    """Correlation of the measures (5, 5)."""
    rank = np.argsort(ORDER)
    return BETWEEN_MEASURES ** np.abs(rank[:, None] - rank[None])


def simulate(region, n_events, random_state=0) -> tuple[GroundMotion, Truth]:
    """Simulate a region's twin.

    Parameters
    ----------
    region : Region
    n_events, random_state : int

    Returns
    -------
    GroundMotion, Truth
    """
    rng = np.random.default_rng(random_state)
    half = np.array(region.to_local(region.latitude_deg[1], region.longitude_deg[1]))
    stations = _stations(rng, region.twin.stations, half)
    places, depth, magnitude = _sources(rng, n_events, half, region.twin.magnitude)
    factor = np.linalg.cholesky(correlation())
    truth = Truth(LAW, *(EVENT * _draw(rng, n, factor) for n in (n_events, 0)))
    truth.site_terms = SITE * _draw(rng, len(stations), factor)
    rows = []
    for event in range(n_events):
        chosen = _recorded(rng, stations, places[event], region)
        distance = np.hypot(*(stations[chosen] - places[event]).T)
        mean = design(magnitude[event], distance, depth[event]) @ LAW.T
        within = _within(rng, stations[chosen], factor)
        rows.append((event, chosen, mean + truth.event_terms[event] + truth.site_terms[chosen] + within))
    return _tables(region, rows, stations, places, depth, magnitude), truth


def _draw(rng, n, factor):
    return rng.standard_normal((n, len(MEASURES))) @ factor.T


def _stations(rng, n, half):
    """Stations in clusters, as cities have them, and a third of them alone."""
    towns = rng.uniform(-half, half, (max(1, n // 20), 2))
    places = towns[rng.integers(len(towns), size=n)] + rng.normal(0, 15, (n, 2))
    alone = rng.random(n) < 1 / 3
    places[alone] = rng.uniform(-half, half, (alone.sum(), 2))
    return places


def _sources(rng, n, half, magnitudes):
    """Epicentres, exponential depths, and magnitudes of the truncated Gutenberg-Richter law."""
    low, high = magnitudes
    share = rng.random(n) * (1 - 10 ** (-B_VALUE * (high - low)))
    return rng.uniform(-half, half, (n, 2)), rng.exponential(SHALLOW_KM, n), low - np.log10(1 - share) / B_VALUE


def _recorded(rng, stations, place, region):
    """The nearest stations: their number varies about its median, and each of them fails now and then."""
    wanted = round(region.twin.stations_per_event * np.exp(rng.normal(0, 0.6)))
    wanted = np.clip(wanted, region.minimum_stations, len(stations))
    distance = np.hypot(*(stations - place).T)
    order = np.argsort(distance)[: round(1.3 * wanted)]
    return np.sort(rng.permutation(order)[:wanted])


def _within(rng, places, factor):
    """Residuals (stations, measures), correlated in space and between measures."""
    distance = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    smooth = np.linalg.cholesky(np.exp(-distance / RANGE_KM) + 1e-9 * np.eye(len(places)))
    parts = smooth @ _draw(rng, len(places), factor), _draw(rng, len(places), factor)
    return WITHIN * (np.sqrt(SMOOTH) * parts[0] + np.sqrt(1 - SMOOTH) * parts[1])


def _tables(region, rows, stations, places, depth, magnitude):
    latitude, longitude = to_geographic(*places.T, region.centre)
    names = [f"twin-{event:05d}" for event in range(len(places))]
    events = pd.DataFrame(
        {
            "source_origin_time": pd.Timestamp("2000-01-01", tz="UTC") + pd.to_timedelta(np.arange(len(places)), "D"),
            "source_latitude_deg": latitude,
            "source_longitude_deg": longitude,
            "source_depth_km": depth,
            "source_magnitude": magnitude,
        },
        index=pd.Index(names, name="source_id"),
    )
    at = np.concatenate([chosen for _, chosen, _ in rows])
    latitude, longitude = to_geographic(*stations[at].T, region.centre)
    records = pd.DataFrame(
        {
            "source_id": np.repeat(names, [len(chosen) for _, chosen, _ in rows]),
            "station": [f"XX.S{number:04d}" for number in at],
            "latitude": latitude,
            "longitude": longitude,
        }
    )
    records[list(MEASURES)] = np.concatenate([values for *_, values in rows])
    return GroundMotion(events, records, ["simulated: no value was measured"])
