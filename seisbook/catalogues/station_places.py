"""Where the stations of a bulletin stand: as the station file says, or where the readings put them.

Many bulletins print with each reading how far, and in which direction, the station lies from the epicentre. From these
a station without coordinates is found, see `seisbook.catalogues.stations.locate_from_readings`, and one that has wrong
ones is noticed.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from seisbook.catalogues.geodesy import distance_azimuth
from seisbook.catalogues.schema import Station
from seisbook.catalogues.stations import locate_from_readings

LARGEST_ERROR_KM = 3.0  # a station that readings do not place better than this is left out
MOVED_KM = 10.0  # a listed station whose readings place it farther off than this is another one of the same code
SAME_HILL_KM = 5.0  # a listed station this near lends its elevation
ROUNDING_DEG = 0.29  # standard deviation of an azimuth in whole degrees
LEAST_ERROR_KM = 0.3  # of one reading: distances have three digits


@dataclass(frozen=True)
class Placement:
    """Where a station of a bulletin stands.

    Parameters
    ----------
    code : str
    station : Station or None
        None if neither the file nor the readings place it.
    readings : int
        Readings that say where it is.
    error_km : float
        Standard error of the place that they give; infinite without any.
    moved_km : float
        From the listed station of this code to that place; NaN if one of the two is missing.
    neighbour : str
        Code of the listed station within `SAME_HILL_KM` of one that the file lacks; else empty.
    """

    code: str
    station: Station | None
    readings: int = 0
    error_km: float = np.inf
    moved_km: float = np.nan
    neighbour: str = ""


def place(code, geometry: pd.DataFrame, listed: dict[str, Station], names=()) -> Placement:
    """Place one station.

    Parameters
    ----------
    code : str
    geometry : DataFrame
        Its rows of `seisbook.catalogues.nordic.geometry_of`; may be empty.
    listed : dict of str to Station
        Stations of the file by code.
    names : iterable of str
        Codes under which the file may have it, besides its own.

    Returns
    -------
    Placement
        The listed station, unless the readings place it more than `MOVED_KM` and three standard errors away; then, and
        if it is not listed, the place of the readings, unless their error is above `LARGEST_ERROR_KM`.
    """
    if not len(geometry):
        return Placement(code, listed.get(code))
    columns = geometry[["latitude", "longitude", "distance_km", "azimuth_deg"]]
    latitude, longitude, _ = locate_from_readings(*columns.to_numpy().T)
    # whole degrees of azimuth are what limits a solved position
    each = np.maximum(geometry.distance_km * np.radians(ROUNDING_DEG), LEAST_ERROR_KM)
    error, moved = float(1 / np.sqrt(np.sum(1 / each**2))), np.nan
    for name in (code, *names):
        if name in listed:
            away = _km(listed[name], latitude, longitude)
            moved = away if name == code else moved
            if away < MOVED_KM + 3 * error:
                return Placement(code, replace(listed[name], code=code), len(geometry), error, moved)
    if error > LARGEST_ERROR_KM:
        kept = listed.get(code) if not np.isfinite(moved) else None
        return Placement(code, kept, len(geometry), error, moved)
    nearest = min(listed.values(), key=lambda station: _km(station, latitude, longitude), default=None)
    near = nearest is not None and _km(nearest, latitude, longitude) < SAME_HILL_KM
    elevation, neighbour = (nearest.elevation_m, nearest.code) if near else (0.0, "")
    station = Station(code, round(latitude, 4), round(longitude, 4), elevation, position_from="readings")
    return Placement(code, station, len(geometry), error, moved, neighbour)


def _km(station, latitude, longitude):
    distance, _ = distance_azimuth(station.latitude, station.longitude, latitude, longitude)
    return float(distance)
