r"""First-arrival travel times in a layered Earth, tabulated once by fast marching and then interpolated.

The times obey the eikonal equation

.. math:: |\nabla T(r, z)| = 1 / v(z)

in the plane of epicentral distance and depth. By reciprocity the wavefront starts at the *station*, so that one march
serves every hypocentre. Stations stand on mountains: a march is made from each of a few elevations, and times are
interpolated between them. What is tabulated is not the time but the effective slowness `T / D`, with `D` the straight
distance from station to hypocentre: it has no cusp at the station, where a table of times interpolates badly.
"""

import logging
from functools import lru_cache
from pathlib import Path

import numpy as np
import pooch
import skfmm
from scipy.interpolate import RegularGridInterpolator
from tqdm import tqdm

from seisbook import files, provenance
from seisbook.catalogues.schema import VelocityModel
from seisbook.errors import UserError

logger = logging.getLogger(__name__)
ELEVATION_KM = np.array([0.0, 1.0, 2.0, 3.5, 5.0])  # of the stations
TOP_KM = -6.0  # shallowest hypocentre, above the highest summit on which a station stands
LOCAL_GRIDS = (0.1, 30.0), (0.25, np.inf)
WIDE_GRIDS = (0.25, 60.0), (0.5, 400.0), (1.0, np.inf)
"""Steps and reach (km) of the nested grids, for tables to 400 km and for wider ones: fine where fronts are curved most.

They are square: scikit-fmm starts from the front's crossings of grid lines, and misjudges the distance to a front that
runs at a slant through oblong cells.
"""
TABLE = "seisbook.physics.traveltimes:tabulate"  # whose code is part of the name of a cached table


class TravelTimes:
    """Travel times of first-arriving P and S waves in a layered model.

    Parameters
    ----------
    velocity_model : VelocityModel
        The uppermost layer continues upwards, to the stations above sea level.
    max_distance_km, max_depth_km : float
        Extent of the table. Farther out times grow with the horizontal slowness at the table's edge, and deeper with
        the effective slowness there: the right order of magnitude, not a prediction.

    Notes
    -----
    The table is kept in memory and in the user's cache (`pooch.os_cache("seisbook")`), under a name that its code
    is part of; a damaged file there is computed anew. Against exact rays the P error is below 0.03 s to 300 km in a
    two-layer model (`tests/physics/test_traveltimes.py`); within half a kilometre of an interface of a many-layered
    one it reaches 0.04 s.

    References
    ----------
    J. A. Sethian (1999), Fast marching methods, SIAM Review 41, 199-235; the march is scikit-fmm's.
    """

    def __init__(self, velocity_model: VelocityModel, max_distance_km=1600.0, max_depth_km=300.0):
        self.velocity_model = velocity_model
        self.max_distance_km = float(max_distance_km)
        self.max_depth_km = float(max_depth_km)
        self._r, self._z, self._slowness = _table(
            tuple(velocity_model.top_km), tuple(velocity_model.vp_km_s), self.max_distance_km, self.max_depth_km
        )
        axes = ELEVATION_KM, self._z, self._r
        self._interpolate = RegularGridInterpolator(axes, self._slowness, bounds_error=False)

    def __repr__(self):
        extent = f"{self.max_distance_km:g} km, {self.max_depth_km:g} km deep"
        return f"TravelTimes({self.velocity_model.source!r}, {extent})"

    def p(self, epicentral_km, depth_km, elevation_m=0.0):
        """Travel time of the first P wave.

        Parameters
        ----------
        epicentral_km, depth_km, elevation_m : array_like
            Epicentral distance, hypocentral depth below sea level and station elevation; they broadcast.

        Returns
        -------
        ndarray
            Seconds; NaN where an argument is NaN.
        """
        r, z, h = np.broadcast_arrays(
            np.asarray(epicentral_km, float), np.asarray(depth_km, float), np.asarray(elevation_m, float) / 1000
        )
        inside = np.clip(r, 0, self._r[-1])
        time = self._time(inside, z, h)
        if np.any(r > inside):
            time = time + np.where(r > inside, (r - inside) * self._edge_slowness(z, h), 0.0)
        return time

    def s(self, epicentral_km, depth_km, elevation_m=0.0):
        """Travel time of the first S wave: that of P times the model's Vp/Vs."""
        return self.p(epicentral_km, depth_km, elevation_m) * self.velocity_model.vp_vs

    def _time(self, r, z, h):
        points = np.clip(h, 0, ELEVATION_KM[-1]), np.clip(z, self._z[0], self._z[-1]), r
        return self._interpolate(np.stack(points, axis=-1)).reshape(r.shape) * np.hypot(r, z + h)

    def _edge_slowness(self, z, h):
        """Horizontal slowness between the last two distances of the table (s/km)."""
        near, far = (np.full(z.shape, r) for r in self._r[-2:])
        return (self._time(far, z, h) - self._time(near, z, h)) / (far - near)


@lru_cache(maxsize=8)
def _table(top_km, vp_km_s, max_distance_km, max_depth_km):
    """Distances, depths and effective slownesses of a model (see `tabulate`), from the cache if it holds them."""
    made_by = provenance.code_hash(TABLE), provenance.locked(["scikit-fmm"])
    key = provenance.digest([*made_by, top_km, vp_km_s, max_distance_km, max_depth_km])
    path = Path(pooch.os_cache("seisbook")) / "traveltimes" / f"{key}.npz"
    table = _read_cache(path)
    if table is None:
        table = tabulate(np.array(top_km), np.array(vp_km_s), max_distance_km, max_depth_km)
        _write_cache(path, table)
    return table


@provenance.stage
def _read_cache(path):
    """The table in the cache; None where there is none or where it cannot be used."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            r, z, slowness = (content[name] for name in ("r", "z", "slowness"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except Exception as error:  # whatever a damaged archive raises, the remedy is to compute the table again
        logger.warning("%s: unreadable travel-time table, computed again (%s)", path, error)
        return None
    whole = slowness.shape == (len(ELEVATION_KM), len(z), len(r)) and np.isfinite(slowness).all()
    return (r, z, slowness) if whole else None


@provenance.stage
def _write_cache(path, table):
    """Write whole or not at all; a cache that cannot be written only costs time."""
    try:
        files.write_whole(path, lambda file: np.savez(file, r=table[0], z=table[1], slowness=table[2]))
    except UserError as error:
        logger.info("travel-time table not cached: %s", error)


def tabulate(top_km, vp_km_s, max_distance_km, max_depth_km):
    """March from a station at each of `ELEVATION_KM` through the layered model.

    Returns
    -------
    r, z : ndarray
        Distances and depths of the table (km), denser near the station.
    slowness : ndarray (elevations, depths, distances)
        Travel time over straight distance (s/km), float32.
    """
    r = _axis(0.0, max_distance_km, ((20.0, 0.25), (60.0, 0.5), (np.inf, 2.0)))
    z = _axis(TOP_KM, max_depth_km, ((60.0, 0.25), (np.inf, 1.0)))
    slowness = np.empty((len(ELEVATION_KM), len(z), len(r)), "float32")
    for i, elevation in enumerate(tqdm(ELEVATION_KM, desc="travel times", leave=False, delay=2, disable=None)):
        slowness[i] = _effective_slowness(-elevation, r, z, top_km, vp_km_s)
    return r, z, slowness


def _axis(start, stop, pieces):
    """Nodes from `start` to at least `stop`, with the step of each piece up to its end."""
    nodes = [np.array([start])]
    for end, step in pieces:
        last, end = nodes[-1][-1], min(end, stop)
        nodes.append(last + step * np.arange(1, np.ceil((end - last) / step - 1e-9) + 1))
    return np.concatenate(nodes)


def _effective_slowness(station_km, r, z, top_km, vp_km_s):
    """Travel time over straight distance on the nodes (z, r), from a station at depth `station_km`."""
    distance = np.hypot(r, (z - station_km)[:, None])
    radius = _straight_km(station_km, top_km)
    own = 1 / _velocity(station_km, top_km, vp_km_s)
    time = own * distance
    front_at = radius * own
    inner = None
    for step, reach in LOCAL_GRIDS if r[-1] <= 400 else WIDE_GRIDS:
        grid_r = _axis(0.0, min(reach, r[-1]), ((np.inf, step),))
        grid_z = _axis(TOP_KM, min(reach, z[-1]), ((np.inf, step),))
        if inner is None:
            front = own * np.hypot(grid_r, (grid_z - station_km)[:, None]) - front_at
        else:
            front = _bilinear(*inner, grid_z, grid_r, outside=2 * front_at) - front_at
        velocity = np.repeat(_node_velocity(grid_z, step, top_km, vp_km_s)[:, None], len(grid_r), axis=1)
        marched = front_at + np.sign(front) * np.asarray(skfmm.travel_time(front, velocity, dx=step, order=2))
        inner = grid_z, grid_r, marched
        time = np.where(time <= front_at, time, _bilinear(*inner, z, r, outside=np.inf))
        last = marched[:, -1], marched[-1] if reach < z[-1] else np.inf  # the table's own bottom cuts no front off
        front_at = min(np.min(edge) for edge in last)
    return np.where(distance > 0, time, own) / np.where(distance > 0, distance, 1.0)


def _straight_km(station_km, top_km):
    """How far every ray from the station is straight (km): to the nearest interface; the first top is no interface."""
    to_interface = np.abs(np.append(top_km[1:], np.inf) - station_km).min()
    return np.clip(to_interface, 3 * LOCAL_GRIDS[0][0], 1.0)


def _velocity(depth_km, top_km, vp_km_s):
    """P velocity at a depth; the uppermost layer continues upwards."""
    return vp_km_s[np.maximum(np.searchsorted(top_km, depth_km, side="right") - 1, 0)]


def _node_velocity(depth_km, step, top_km, vp_km_s):
    """Velocity of the nodes; one on an interface takes 0.7 of the lower slowness and 0.3 of the upper.

    The share was found by trial against exact rays: with the lower layer's alone, head waves come early by a tenth of
    the step, with the mean of the two they come late.
    """
    upper, lower = (1 / _velocity(depth_km + side, top_km, vp_km_s) for side in (-0.499 * step, 0.499 * step))
    return 1 / (0.3 * upper + 0.7 * lower)


def _bilinear(z, r, values, to_z, to_r, outside):
    """Values on the nodes (to_z, to_r), with `outside` beyond the grid."""
    interpolate = RegularGridInterpolator((z, r), values, bounds_error=False, fill_value=outside)
    return interpolate(np.stack(np.meshgrid(to_z, to_r, indexing="ij"), axis=-1))
