r"""How much each station mattered to a location: its part of what the onsets say about the hypocentre.

The influence of an onset is its leverage in the least-squares problem of location,

.. math::
    h_i = \frac{w_i}{\sigma_i^2}\, g_i^\top C g_i, \qquad
    C = \Big( \sum_i \frac{w_i}{\sigma_i^2} g_i g_i^\top \Big)^{-1},

with the derivatives :math:`g_i` of the onset by hypocentre and origin time, the network's scatter of onsets
:math:`\sigma_i`, and the weight :math:`w_i` that the model gave to the onset. The leverages of an event add up to the
four unknowns. A station has the share of its onsets in this sum.
"""

import numpy as np
import pandas as pd

from seisbook.catalogues.geodesy import distance_azimuth
from seisbook.physics.bounds import hypocentral_covariance, onset_scatter, onset_slopes
from seisbook.physics.traveltimes import TravelTimes


def influence(location, network, travel_times=None) -> pd.Series:
    """Share of each station in a location.

    Parameters
    ----------
    location : seisbook.measures.location.Location
    network : Network
        With the stations of the location's arrivals.
    travel_times : TravelTimes, optional
        In the network's velocity model; made if not given, which reads a table from the disk.

    Returns
    -------
    Series
        By station code, of the stations that were used; the shares add up to 1. Where the onsets do not determine
        the hypocentre, a share is that of the weights.
    """
    travel_times = travel_times or TravelTimes(network.velocity_model)
    codes = [one.station for one in location.arrivals]
    stations = network.station_table().loc[codes]
    wave = np.array(["PS".index(one.phase) for one in location.arrivals], int)
    path = distance_azimuth(location.latitude, location.longitude, stations.latitude, stations.longitude)
    distance, azimuth = (np.asarray(one, float) for one in path)
    depth, elevation = np.full(len(wave), location.depth_km), stations.elevation_m.to_numpy(float)
    _, slopes = onset_slopes(travel_times, wave, distance, azimuth, depth, elevation)
    weight = np.array([one.weight for one in location.arrivals]) / onset_scatter(network, wave, distance) ** 2
    rows = slopes * np.sqrt(weight)[:, None]
    covariance = hypocentral_covariance(rows, np.zeros(len(rows), int), 1)[0]
    known = np.isfinite(covariance).all()
    leverage = np.einsum("ij,jk,ik->i", rows, covariance, rows) if known else weight
    total = pd.Series(leverage, codes, dtype=float).groupby(level=0).sum()
    return total / total.sum()
