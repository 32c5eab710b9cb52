"""A velocity model fitted to the readings of a bulletin: flat layers from travel times, Vp/Vs from P against S."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from seisbook.catalogues.geodesy import path_geometry
from seisbook.catalogues.schema import VelocityModel
from seisbook.errors import UserError
from seisbook.measures.estimates import robust_std
from seisbook.measures.seismicity import wadati
from seisbook.physics.layered_rays import first_p

MOST_LAYERS = 5
FEWEST_READINGS = 50  # P onsets, for a fit
MOST_READINGS = 3000  # drawn at random from more: a layer is known to a fraction of a per cent from fewer
HELD = 3  # one in so many events decides on the number of layers
GAIN = 0.02  # a further layer must lower the scatter of the held events by this share
SCATTER = 0.1, 0.01  # s, and share of the travel time: what a residual is divided by
SPEED_KM_S, STEP_KM_S, THICKNESS_KM = (1.0, 8.5), (0.01, 3.0), (0.5, 60.0)
"""Bounds of the uppermost speed, of its growth from layer to layer, and of a layer's thickness."""
DEEPEST_KM = 50.0  # where the lowest interface is looked for first
FASTEST_KM_S = 9.0  # of P above a depth of 410 km in the model ak135 (Kennett et al., 1995)


@dataclass(frozen=True)
class VelocityFit:
    """A fitted model, the robust scatter (s) of P that it leaves in events not fitted, and the number of P onsets."""

    model: VelocityModel
    scatter_s: float
    readings: int


def fit_velocity(catalogue, network, random_state=0) -> VelocityFit:
    """Fit layers to the P readings of a bulletin, at its own hypocentres and origin times.

    The number of layers, 1 to 5, is the smallest whose next one does not lower the scatter in events that were held
    back by `GAIN`, or would be faster than `FASTEST_KM_S`, which no onsets of a network determine. Speeds grow
    downwards. The loss is soft L1, so that misread onsets have little say.

    Parameters
    ----------
    catalogue : Catalogue
    network : Network
        Its stations; its velocity model is not looked at.
    random_state : int
        Of the choice among more than `MOST_READINGS` readings.

    Raises
    ------
    UserError
        If there are too few P onsets.

    Notes
    -----
    The bulletin's hypocentres were computed in a model that is not known here. The fit comes near that model, and as
    near the Earth as the hypocentres are.
    """
    paths, time, held = _onsets(catalogue, network, random_state)
    if len(time) < FEWEST_READINGS:
        raise UserError(
            f"{network.name}: {len(time)} P onsets at known stations are too few to fit a velocity model "
            f"({FEWEST_READINGS} are needed): give one with --velocity"
        )
    layers, scatter = None, np.inf
    for n in range(1, MOST_LAYERS + 1):
        found = _fitted(n, paths[:, ~held], time[~held])
        left = robust_std(time[held] - first_p(*found, *paths[:, held]))
        if left > (1 - GAIN) * scatter or found[1][-1] > FASTEST_KM_S:
            break
        layers, scatter = found, left
    top, speed = layers
    source = f"fitted to {len(time)} P onsets, Vp/Vs to P and S (Wadati)"
    model = VelocityModel(top.round(1).tolist(), speed.round(2).tolist(), fit_vp_vs(catalogue), source)
    return VelocityFit(model, float(scatter), len(time))


def fit_vp_vs(catalogue) -> float:
    """Vp/Vs of a bulletin, see `seisbook.measures.seismicity.wadati`; 1.73 if no station has read both onsets."""
    readings = catalogue.readings
    if not (readings.path_p_travel_s.gt(0) & readings.path_s_travel_s.notna()).any():
        return 1.73
    value = wadati(readings.path_p_travel_s, readings.path_s_travel_s, readings.source_id, n=1).value
    return round(float(np.clip(value, 1.25, 2.9)), 3)


def _onsets(catalogue, network, random_state):
    """Distance, depth and elevation (3, paths) in km, travel time in s, and whether the event is held back."""
    readings = catalogue.readings
    distance = path_geometry(catalogue, network).path_ep_distance_km
    used = np.flatnonzero(distance.notna() & readings.path_p_travel_s.notna() & ~(readings.trace_p_weight == 0))
    rng = np.random.default_rng(random_state)
    used = np.sort(rng.permutation(used)[:MOST_READINGS])
    rows = readings.iloc[used]
    depth = rows.source_id.map(catalogue.events.source_depth_km)
    elevation = rows.station_code.map(network.station_table().elevation_m) / 1000
    held = catalogue.events.index.get_indexer(rows.source_id) % HELD == 0
    return np.stack([distance.iloc[used], depth, elevation]).astype(float), rows.path_p_travel_s.to_numpy(float), held


def _fitted(n, paths, time):
    """Tops and speeds of `n` layers."""
    scatter = np.hypot(SCATTER[0], SCATTER[1] * time)
    bounds = [SPEED_KM_S, *[STEP_KM_S] * (n - 1), *[THICKNESS_KM] * (n - 1)]

    def residual(values):
        return (time - first_p(*_layers(values), *paths)) / scatter

    low, high = np.array(bounds, float).T
    start = np.clip(_start(n, paths, time), low * 1.01, high * 0.99)
    return _layers(least_squares(residual, start, bounds=(low, high), loss="soft_l1", max_nfev=60).x)


def _start(n, paths, time):
    """Begin with speeds about that of the median path, and interfaces evenly between sea level and `DEEPEST_KM`."""
    straight = float(np.median(np.hypot(paths[0], paths[1] + paths[2]) / np.maximum(time, 0.1)))
    deepest = min(DEEPEST_KM, max(float(np.quantile(paths[1], 0.9)), float(np.quantile(paths[0], 0.9)) / 5))
    step = 0.3 * straight / n
    return np.array([straight - step * (n - 1) / 2, *[step] * (n - 1), *[deepest / n] * (n - 1)])


def _layers(values):
    n = (len(values) + 1) // 2
    return np.cumsum([0.0, *values[n:]]), np.cumsum(values[:n])
