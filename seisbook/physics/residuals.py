"""Readings against what the velocity model and the magnitude relation of a network expect."""

import numpy as np
import pandas as pd

from seisbook.catalogues.geodesy import path_geometry


def travel_time_residuals(catalogue, network, travel_times):
    """Onsets read minus onsets computed in the layered model from the catalogue's hypocentre and origin time.

    Parameters
    ----------
    catalogue : Catalogue
    network : Network
    travel_times : TravelTimes
        Anything with `p(epicentral_km, depth_km, elevation_m)` and `s(...)` in seconds.

    Returns
    -------
    DataFrame
        With the index of `catalogue.readings`: `path_ep_distance_km`, `p_residual_s`, `s_residual_s`. They hold the
        errors of reading, of the model *and* of the catalogue's own location.
    """
    readings = catalogue.readings
    distance = path_geometry(catalogue, network).path_ep_distance_km
    depth = readings.source_id.map(catalogue.events.source_depth_km).to_numpy(float)
    elevation = readings.station_code.map(network.station_table().elevation_m).to_numpy(float)
    path = distance.to_numpy(), depth, elevation
    return pd.DataFrame(
        {
            "path_ep_distance_km": distance,
            "p_residual_s": readings.path_p_travel_s - travel_times.p(*path),
            "s_residual_s": readings.path_s_travel_s - travel_times.s(*path),
        }
    )


def amplitude_residuals(catalogue, network):
    r"""Amplitudes read against those that the network's magnitude relation expects, in log10 units.

    .. math:: \log_{10} A_\mathrm{read} - (M - b \log_{10} R - c R - d)

    Returns
    -------
    DataFrame
        With the index of `catalogue.readings`: `path_hyp_distance_km`, `amplitude_residual` as above, and
        `station_residual`, the same after the station's site term.
    """
    readings = catalogue.readings
    distance = path_geometry(catalogue, network).path_hyp_distance_km
    magnitude = readings.source_id.map(catalogue.events.source_magnitude).to_numpy(float)
    amplitude = readings.trace_amplitude_nm.where(readings.trace_amplitude_nm > 0)
    residual = np.log10(amplitude) - network.magnitude.log_amplitude(magnitude, distance)
    site = readings.station_code.map(network.station_table().site_term).to_numpy(float)
    return pd.DataFrame(
        {"path_hyp_distance_km": distance, "amplitude_residual": residual, "station_residual": residual - site}
    )
