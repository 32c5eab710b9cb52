r"""First arrivals in flat layers by exact rays: fast enough to fit the layers themselves to readings.

The first arrival is the earliest of the direct ray and of the head waves along the interfaces below both ends:

.. math:: X(p) = \sum_i h_i \frac{v_i p}{\sqrt{1 - v_i^2 p^2}}, \quad
    T_\mathrm{direct} = \sum_i \frac{h_i}{v_i \sqrt{1 - v_i^2 p^2}}, \quad
    T_n = \frac{r}{v_n} + \sum_{i<n} H_i \sqrt{v_i^{-2} - v_n^{-2}}

with `h` the thickness of each layer between the two depths, and `H` that of the way down and up. Tables of travel times
(`seisbook.physics.traveltimes`) are marched on a grid; that takes seconds for each model, and a fit tries hundreds.
"""

import numpy as np

HALVINGS = 40  # of the interval in which the direct ray's angle is looked for
STEEPEST, FLATTEST = 1e-6, 1e6  # tangent of that angle in the fastest layer
LEAST_KM = 1e-3  # between the depths of the two ends


def first_p(top_km, vp_km_s, epicentral_km, depth_km, elevation_km=0.0) -> np.ndarray:
    """Travel time (s) of the first P wave in a stack of flat layers.

    Parameters
    ----------
    top_km, vp_km_s : array_like, shape (layers,)
        As in `seisbook.catalogues.schema.VelocityModel`; the uppermost layer continues upwards.
    epicentral_km, depth_km, elevation_km : array_like, shape (paths,)
        They broadcast.
    """
    speed = np.asarray(vp_km_s, float)
    r, z, station = np.broadcast_arrays(
        np.asarray(epicentral_km, float), np.asarray(depth_km, float), -np.asarray(elevation_km, float)
    )
    edges = np.append(np.asarray(top_km, float), np.inf)
    edges[0] = -np.inf
    upper = np.minimum(z, station)
    lower = np.maximum(np.maximum(z, station), upper + LEAST_KM)
    first = _direct(_crossed(edges, upper, lower), speed, r)
    for n in range(1, len(speed)):
        if speed[n] > speed[:n].max():
            ways = _crossed(edges, upper, edges[n])[:, :n] + _crossed(edges, lower, edges[n])[:, :n]
            first = np.minimum(first, np.where(lower <= edges[n], _head(ways, speed[:n], speed[n], r), np.inf))
    return first


def _crossed(edges, upper, lower):
    """Thickness (paths, layers) of each layer between two depths."""
    upper, lower = np.broadcast_arrays(upper, lower)
    inside = np.minimum(edges[1:], lower[:, None]) - np.maximum(edges[:-1], upper[:, None])
    return np.maximum(inside, 0.0)


def _direct(thickness, speed, r):
    """Time of the ray that crosses the layers between both ends; its angle is found by halving."""
    fastest = np.where(thickness > 0, speed, 0.0).max(1)
    low, high = np.full(r.shape, np.log(STEEPEST)), np.full(r.shape, np.log(FLATTEST))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        _, sine, cosine = _slowness(middle, fastest, thickness, speed)
        too_far = (thickness * sine / cosine).sum(1) > r
        low, high = np.where(too_far, low, middle), np.where(too_far, middle, high)
    p, sine, cosine = _slowness((low + high) / 2, fastest, thickness, speed)
    reached = (thickness * sine / cosine).sum(1)
    return (thickness / speed / cosine).sum(1) + p * (r - reached)


def _slowness(log_tangent, fastest, thickness, speed):
    """Horizontal slowness, and sine and cosine of the ray's angle in each layer that it crosses."""
    tangent = np.exp(log_tangent)
    p = tangent / np.hypot(1, tangent) / fastest
    sine = np.where(thickness > 0, p[:, None] * speed, 0.0)
    return p, sine, np.sqrt(np.maximum(1 - sine**2, 1e-15))


def _head(ways, speed, refractor, r):
    """Time of the head wave along one interface; infinite nearer than its critical distance."""
    root = np.sqrt(refractor**2 - speed**2)
    critical = (ways * speed / root).sum(1)
    return np.where(r >= critical, r / refractor + (ways * root / (speed * refractor)).sum(1), np.inf)
