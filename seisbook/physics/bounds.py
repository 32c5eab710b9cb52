"""The Cramér-Rao bound: how well the best unbiased locator could do with a network's readings."""

import numpy as np
import pandas as pd

from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.geodesy import path_geometry

DIFFERENCE_KM = 1.0  # of numerical derivatives of travel times


def onset_scatter(network, wave, distance):
    """Standard deviation of onsets (s) of P (`wave` 0) and S (1) at epicentral distances."""
    near = np.asarray(network.pick_scatter_s, distance.dtype)[wave]
    return np.hypot(near, np.asarray(network.pick_scatter_per_100km_s / 100, distance.dtype) * distance)


def onset_slopes(travel_times, wave, distance_km, azimuth_deg, depth_km, elevation_m):
    """Travel times, and how onsets change with the hypocentre and the origin time.

    Parameters
    ----------
    travel_times : TravelTimes
    wave : ndarray of int, shape (onsets,)
        0 for P, 1 for S.
    distance_km, azimuth_deg : ndarray, shape (onsets,)
        Epicentral distance, and azimuth from the epicentre to the station.
    depth_km, elevation_m : ndarray, shape (onsets,)

    Returns
    -------
    time : ndarray, shape (onsets,)
        Seconds.
    slopes : ndarray, shape (onsets, 4)
        Derivatives by east, north and depth of the hypocentre (s/km) and by the origin time (1), by central differences
        over `DIFFERENCE_KM`, the spacing of the table of travel times where it is widest.
    """
    ratio = np.where(wave == 0, 1.0, travel_times.velocity_model.vp_vs)
    near, far = np.maximum(distance_km - DIFFERENCE_KM, 0), distance_km + DIFFERENCE_KM
    top, bottom = depth_km - DIFFERENCE_KM, depth_km + DIFFERENCE_KM
    along = (travel_times.p(far, depth_km, elevation_m) - travel_times.p(near, depth_km, elevation_m)) / (far - near)
    down = (travel_times.p(distance_km, bottom, elevation_m) - travel_times.p(distance_km, top, elevation_m)) / (
        bottom - top
    )
    slopes = np.stack([*(_towards(azimuth_deg) * (ratio * along)), ratio * down, np.ones(len(ratio))], axis=1)
    return ratio * travel_times.p(distance_km, depth_km, elevation_m), slopes


def _towards(azimuth_deg):
    """Change of the epicentral distance for an epicentre moved 1 km to the east, and to the north."""
    return -np.stack([np.sin(np.radians(azimuth_deg)), np.cos(np.radians(azimuth_deg))])


def hypocentral_covariance(rows, event, n):
    """Inverse of each event's information, the sum of its rows' outer products: (n, parameters, parameters).

    `rows` has the shape (rows, parameters), in units of the standard deviation. Rows and columns of parameters that an
    event's information leaves open are infinite.
    """
    information = np.zeros((n, rows.shape[1], rows.shape[1]))
    np.add.at(information, event, rows[:, :, None] * rows[:, None, :])
    information[~np.isfinite(information).all((1, 2))] = 0
    values, vectors = np.linalg.eigh(information)
    known = values > 1e-10 * np.maximum(values[:, -1:], 1e-10)
    covariance = (vectors * (known / np.where(known, values, 1))[:, None]) @ np.swapaxes(vectors, 1, 2)
    unknown = ((vectors**2 * ~known[:, None]).sum(2)) > 1e-6
    covariance[unknown[:, :, None] | unknown[:, None, :]] = np.inf
    return covariance


def cramer_rao(network, catalogue, travel_times):
    r"""The Cramér-Rao bound of hypocentre and magnitude, event by event: no unbiased method has smaller errors.

    The onsets that were read are Gaussian about the layered model's, with the standard deviation
    :math:`\sigma_i(r)` of the network's pick scatter, and so are log amplitudes about the magnitude relation's, with
    its scatter :math:`\sigma_A`. With the parameters :math:`\theta` = (east, north, depth, origin time, magnitude), the
    Fisher information is

    .. math::
        J = \sum_i \frac{\nabla T_i \nabla T_i^\top + 2\, \nabla\sigma_i \nabla\sigma_i^\top}{\sigma_i^2}
            + \sum_j \frac{\nabla a_j \nabla a_j^\top}{\sigma_A^2}

    over onsets `i` (with :math:`\partial T_i / \partial o = 1`) and amplitudes `j` (with
    :math:`a = M - b \log_{10} R - c R - d`); the term in :math:`\nabla\sigma_i` is what the growth of the scatter with
    distance tells. Every unbiased estimate has a covariance of at least :math:`J^{-1}`, in each of whose diagonal
    elements the other parameters, the origin time among them, are unknown.

    Parameters
    ----------
    network : Network
    catalogue : Catalogue
        Catalogue with exact labels: a simulated one. For a bulletin, the bound is that of the network's description, at
        the labels.
    travel_times : TravelTimes
        Travel times in the network's velocity model.

    Returns
    -------
    DataFrame
        Indexed by `source_id`: `epicentral_km`, the root of the trace of the bound's 2 x 2 block, hence of the mean
        *squared* epicentral error (for a circular Gaussian error the median is 0.83 of it, for a long ellipse 0.67);
        `depth_km`, `magnitude`, `origin_time_s`, standard deviations. Infinite where the readings do not determine the
        event.

    Notes
    -----
    The bound knows nothing of *where* earthquakes occur. An estimator that has learnt the seismicity, or that none is
    above the surface, is biased towards it and can be better than the bound, most of all for events with few readings.
    Nor does the bound count what the stations that did *not* read the event tell, or the period, whose information on
    magnitude is below 1 % of the amplitude's.

    References
    ----------
    S. M. Kay (1993), Fundamentals of Statistical Signal Processing: Estimation Theory, Prentice Hall, chapter 3.
    """
    readings = catalogue.readings.reset_index(drop=True)
    known = Catalogue(catalogue.network, catalogue.source, catalogue.events, readings)
    path = path_geometry(known, network)
    event = catalogue.events.index.get_indexer(readings.source_id)
    depth = catalogue.events.source_depth_km.to_numpy()[event]
    elevation = network.station_table().elevation_m.reindex(readings.station_code).to_numpy()
    distance, azimuth = path.path_ep_distance_km.to_numpy(), path.path_azimuth_deg.to_numpy()
    rows, of_event = [], []
    for wave, name in enumerate("ps"):
        read = readings[f"path_{name}_travel_s"].notna().to_numpy() & np.isfinite(distance)
        at = distance[read], azimuth[read], depth[read], elevation[read]
        rows += _onset_rows(network, travel_times, np.full(read.sum(), wave), *at)
        of_event += [event[read]] * 2
    read = (readings.trace_amplitude_nm > 0).to_numpy() & np.isfinite(distance)
    rows.append(_amplitude_rows(network.magnitude, distance[read], azimuth[read], (depth + elevation / 1000)[read]))
    of_event.append(event[read])
    covariance = hypocentral_covariance(np.concatenate(rows), np.concatenate(of_event), len(catalogue))
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    columns = {
        "epicentral_km": np.sqrt(variance[:, 0] + variance[:, 1]),
        "depth_km": np.sqrt(variance[:, 2]),
        "magnitude": np.sqrt(variance[:, 4]),
        "origin_time_s": np.sqrt(variance[:, 3]),
    }
    return pd.DataFrame(columns, catalogue.events.index)


def _onset_rows(network, travel_times, wave, distance_km, azimuth_deg, depth_km, elevation_m):
    """Information of onsets, as rows of derivatives over the standard deviation: by their mean, and by its growth."""
    sigma = onset_scatter(network, wave, distance_km)
    _, slopes = onset_slopes(travel_times, wave, distance_km, azimuth_deg, depth_km, elevation_m)
    mean, growth = np.zeros((2, len(wave), 5))
    mean[:, :4] = slopes / sigma[:, None]
    slope = (network.pick_scatter_per_100km_s / 100) ** 2 * distance_km / sigma
    growth[:, :2] = (_towards(azimuth_deg) * (np.sqrt(2) * slope / sigma)).T
    return [mean, growth]


def _amplitude_rows(relation, distance_km, azimuth_deg, vertical_km):
    """Information of log amplitudes, as rows of derivatives over the standard deviation."""
    hypocentral = np.hypot(distance_km, vertical_km)
    slope = np.where(hypocentral > 1, -relation.b / (np.log(10) * np.maximum(hypocentral, 1)) - relation.c, 0)
    rows = np.zeros((len(distance_km), 5))
    rows[:, :2] = (_towards(azimuth_deg) * (slope * distance_km / np.maximum(hypocentral, 1))).T
    rows[:, 2] = slope * vertical_km / np.maximum(hypocentral, 1)
    rows[:, 4] = 1
    return rows / relation.scatter
