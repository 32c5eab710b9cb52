r"""Which few stations would locate an earthquake best: the D-optimal choice, and how near another choice comes to it.

A station that reads P and S adds to what is known of the hypocentre :math:`\theta` = (east, north, depth, origin time)
the Fisher information

.. math:: J_j = \sum_{w \in \{P, S\}} \nabla T_{jw} \nabla T_{jw}^\top / \sigma_w^2(r_j)

with the onset times :math:`T` of the network's 1-D model and the scatter :math:`\sigma` of its picks, which grows with
the epicentral distance :math:`r`. The information of several stations is the sum, and the volume of the error ellipsoid
goes with :math:`\det^{-1/2}` of it. The D-optimal `k` stations have the largest determinant: near ones, for their
steep rays and small scatter, but on all sides.

References
----------
N. Rabinowitz and D. M. Steinberg (1990), Optimal configuration of a seismographic network: a statistical approach,
Bulletin of the Seismological Society of America 80, 187-196.

V. V. Fedorov (1972), Theory of Optimal Experiments, Academic Press.
"""

from itertools import combinations
from math import comb

import numpy as np

from seisbook.errors import UserError
from seisbook.physics.bounds import onset_scatter, onset_slopes

PRIOR = np.diag([100.0, 100.0, 50.0, 30.0]) ** 2  # km, km, km, s: so weak that it decides between singular sets only
MOST_SETS = 2_000_000  # of stations that are tried: all triples of 200 stations, all fours of 80


def station_information(network, travel_times, offset_km, depth_km, elevation_m) -> np.ndarray:
    """Fisher information of the hypocentre that each station's P and S would add.

    Parameters
    ----------
    network : Network
        Network whose picks have a known scatter.
    travel_times : TravelTimes
        Travel times in the network's velocity model.
    offset_km : array_like, shape (N, 2)
        East and north of the stations, from the epicentre.
    depth_km : float
    elevation_m : array_like, shape (N,)

    Returns
    -------
    ndarray, shape (N, 4, 4)
        In east, north, depth (1/km²) and origin time (1/s²); each of rank 2 at most.
    """
    east, north = np.asarray(offset_km, float).T
    distance, azimuth = np.hypot(east, north), np.degrees(np.arctan2(east, north))
    depth, elevation = np.full(len(east), float(depth_km)), np.asarray(elevation_m, float)
    information = np.zeros((len(east), 4, 4))
    for wave in np.repeat([[0], [1]], len(east), axis=1):
        _, slopes = onset_slopes(travel_times, wave, distance, azimuth, depth, elevation)
        rows = slopes / onset_scatter(network, wave, distance)[:, None]
        information += rows[:, :, None] * rows[:, None, :]
    return information


def log_determinant(information, chosen) -> np.ndarray:
    """Log of the determinant of the information of sets of stations, with the weak `PRIOR` added.

    Parameters
    ----------
    information : ndarray, shape (N, 4, 4)
    chosen : array_like of int, shape (..., k)
        Stations of each set.

    Returns
    -------
    ndarray, shape (...)
    """
    total = np.linalg.inv(PRIOR) + sum(information[station] for station in np.moveaxis(np.asarray(chosen), -1, 0))
    return np.linalg.slogdet(total)[1]


def best_set(information, k) -> np.ndarray:
    """The D-optimal `k` of the stations, the best of all sets: (k,) positions.

    Raises
    ------
    UserError
        If there are fewer stations, or more sets than can be tried.
    """
    n = len(information)
    if not 1 <= k <= n:
        raise UserError(f"best_set: no {k} among {n} stations: choose a number from 1 to {n}")
    if comb(n, k) > MOST_SETS:
        raise UserError(f"best_set: too many sets of {k} among {n} stations: lower k")
    sets = np.array(list(combinations(range(n), k)))
    return sets[np.argmax(log_determinant(information, sets))]


def efficiency(information, chosen, best) -> np.ndarray:
    r"""D-efficiency of sets of stations, compared with the best set of as many.

    .. math:: e(S) = \left(\frac{\det J_S}{\det J_{S^*}}\right)^{1/4}

    between 0 and 1. With an efficiency of 1/2, each onset would have to be read twice, independently, for an error
    ellipsoid as small as the best set's.

    Parameters
    ----------
    information : ndarray, shape (N, 4, 4)
        Information of each station, see `station_information`.
    chosen : array_like of int, shape (..., k)
    best : array_like of int, shape (k,)
        The best set, see `best_set`.

    Returns
    -------
    ndarray, shape (...)
    """
    gap = log_determinant(information, chosen) - log_determinant(information, best)
    return np.exp(gap / information.shape[-1])


def greedy_order(information) -> np.ndarray:
    """Stations in the order in which each adds most to the determinant of those before it: (N,) positions."""
    order, left = [], list(range(len(information)))
    while left:
        gains = log_determinant(information, [[*order, station] for station in left])
        order.append(left.pop(int(np.argmax(gains))))
    return np.array(order)
