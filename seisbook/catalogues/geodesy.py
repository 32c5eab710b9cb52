"""Distances, azimuths and local coordinates: where stations are as seen from epicentres."""

import logging

import numpy as np
import pandas as pd

logger = logging.getLogger(__name__)

KM_PER_DEGREE = 111.195  # mean Earth radius 6371 km


def to_geographic(east_km, north_km, centre):
    """Latitude and longitude of points of the local frame: the inverse of `azimuthal_equidistant`."""
    lat0, lon0 = np.radians(centre)
    c = np.radians(np.hypot(east_km, north_km) / KM_PER_DEGREE)
    azimuth = np.arctan2(east_km, north_km)
    latitude = np.arcsin(np.sin(lat0) * np.cos(c) + np.cos(lat0) * np.sin(c) * np.cos(azimuth))
    along = np.arctan2(np.sin(azimuth) * np.sin(c) * np.cos(lat0), np.cos(c) - np.sin(lat0) * np.sin(latitude))
    return np.degrees(latitude), (np.degrees(lon0 + along) + 180) % 360 - 180


def continuous(longitude):
    """Longitudes without the jump at the antimeridian: 0 to 360 degrees if they span more than half of the Earth.

    Examples
    --------
    >>> print(continuous([179.5, -179.5]), continuous([-74.0, 10.0]))
    [179.5 180.5] [-74.  10.]
    """
    longitude = np.asarray(longitude, float)
    return longitude % 360 if longitude.size and np.nanmax(longitude) - np.nanmin(longitude) > 180 else longitude


def distance_azimuth(latitude, longitude, to_latitude, to_longitude):
    """Great-circle distance, and the azimuth in which the second point lies as seen from the first (spherical Earth).

    Parameters
    ----------
    latitude, longitude, to_latitude, to_longitude : array_like
        Degrees; they broadcast.

    Returns
    -------
    distance : ndarray
        Kilometres, on a sphere of 6371 km (within 0.6 % of the ellipsoid).
    azimuth : ndarray
        Degrees clockwise from north, 0 to 360.

    Examples
    --------
    >>> distance, azimuth = distance_azimuth(4.0, -74.0, 4.0, -73.0)
    >>> print(f"{distance:.1f} km, {azimuth:.1f} degrees")
    110.9 km, 90.0 degrees
    """
    east, north = azimuthal_equidistant(
        np.asarray(to_latitude, float),
        np.asarray(to_longitude, float),
        np.broadcast_arrays(np.asarray(latitude, float), np.asarray(longitude, float)),
    )
    return np.hypot(east, north), np.degrees(np.arctan2(east, north)) % 360


def path_geometry(catalogue, network):
    """Distance and azimuth of every reading.

    Parameters
    ----------
    catalogue : Catalogue
    network : Network
        Its stations; a reading at a station that it lacks gets NaN, and the log says how many there are.

    Returns
    -------
    DataFrame
        With the index of `catalogue.readings`: `path_ep_distance_km`, `path_azimuth_deg` (from the epicentre towards
        the station) and `path_hyp_distance_km` (straight, from the hypocentre to the station at its elevation).
    """
    readings = catalogue.readings
    event = catalogue.events.reindex(readings.source_id)
    station = network.station_table().reindex(readings.station_code)
    unknown = int(station.latitude.isna().sum())
    if unknown:
        logger.warning("%d of %d readings are at stations that network %s lacks", unknown, len(readings), network.name)
    distance, azimuth = distance_azimuth(
        event.source_latitude_deg.to_numpy(),
        event.source_longitude_deg.to_numpy(),
        station.latitude.to_numpy(),
        station.longitude.to_numpy(),
    )
    vertical = event.source_depth_km.to_numpy() + station.elevation_m.to_numpy() / 1000
    columns = {
        "path_ep_distance_km": distance,
        "path_azimuth_deg": azimuth,
        "path_hyp_distance_km": np.hypot(distance, vertical),
    }
    return pd.DataFrame(columns, index=readings.index)


def azimuthal_gap(azimuths):
    """The widest sector around the epicentre without a station.

    Parameters
    ----------
    azimuths : array_like
        Azimuths of the stations, degrees; NaN are left out.

    Returns
    -------
    float
        Degrees; 360 for a single azimuth, NaN for none.
    """
    azimuths = np.asarray(azimuths, float)
    azimuths = np.sort(azimuths[np.isfinite(azimuths)] % 360)
    if not azimuths.size:
        return np.nan
    return float(np.diff(azimuths, append=azimuths[0] + 360).max())


def geometry(catalogue, network):
    """How well each event is surrounded by the stations that read an onset of it.

    Returns
    -------
    DataFrame
        Indexed by `source_id`: `n_stations`, `azimuthal_gap_deg`, `nearest_station_km` (epicentral). An event that no
        known station read has 0 stations, a gap of 360 and NaN.
    """
    readings = catalogue.readings
    onset = readings.path_p_travel_s.notna() | readings.path_s_travel_s.notna()
    paths = path_geometry(catalogue, network)
    onset &= paths.path_ep_distance_km.notna()
    of_event = paths[onset].groupby(readings.source_id[onset])
    table = pd.DataFrame(
        {
            "n_stations": of_event.path_azimuth_deg.size(),
            "azimuthal_gap_deg": of_event.path_azimuth_deg.agg(azimuthal_gap),
            "nearest_station_km": of_event.path_ep_distance_km.min(),
        }
    ).reindex(catalogue.events.index)
    table["n_stations"] = table.n_stations.fillna(0).astype(int)
    table["azimuthal_gap_deg"] = table.azimuthal_gap_deg.fillna(360.0)
    return table


def azimuthal_equidistant(latitude, longitude, centre):
    r"""Project onto the plane that keeps distances and azimuths from `centre` (spherical Earth).

    .. math:: (x, y) = d\,(\sin\alpha, \cos\alpha)

    with `d` the great-circle distance and :math:`\alpha` the azimuth from the centre.

    Returns
    -------
    east, north : ndarray
        Kilometres.
    """
    lat0, lon0 = np.radians(centre)
    lat, lon = np.radians(latitude), np.radians(longitude)
    cos_c = np.clip(np.sin(lat0) * np.sin(lat) + np.cos(lat0) * np.cos(lat) * np.cos(lon - lon0), -1, 1)
    c = np.arccos(cos_c)
    scale = np.degrees(np.where(c < 1e-9, 1.0, c / np.where(c < 1e-9, 1.0, np.sin(c)))) * KM_PER_DEGREE
    east = scale * np.cos(lat) * np.sin(lon - lon0)
    north = scale * (np.cos(lat0) * np.sin(lat) - np.sin(lat0) * np.cos(lat) * np.cos(lon - lon0))
    return east, north
