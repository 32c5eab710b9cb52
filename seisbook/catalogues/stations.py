"""Station coordinates from the files that networks keep them in, and from readings where no file has them.

`read_stations` takes what observatories have and always returns `Station` objects:

- tables of one station a line, with commas, semicolons, tabs, bars or blanks between the columns, with or without a
  header; among them FDSN text and HypoDD's `station.dat` (`seisbook.catalogues.station_tables`);
- SEISAN's `STATION0.HYP`, HYPO71's and Hypoinverse's station lines (`seisbook.catalogues.station_columns`);
- StationXML and SeisComP's inventories, which ObsPy reads.
"""

import logging
from pathlib import Path

import numpy as np
import obspy
from pydantic import ValidationError
from pyproj import Geod
from scipy.optimize import least_squares

from seisbook.catalogues import station_columns, station_tables
from seisbook.catalogues.formats import format_of
from seisbook.catalogues.geodesy import azimuthal_equidistant
from seisbook.catalogues.schema import Station, VelocityModel
from seisbook.catalogues.station_rows import Row
from seisbook.catalogues.texts import lines_of
from seisbook.errors import DataError, UserError, brief

WGS84 = Geod(ellps="WGS84")
SAME_SITE_KM = 1.0  # two networks' sensors this close together are one station
log = logging.getLogger(__name__)


def read_stations(path: str | Path, remarks: list[str] | None = None) -> list[Station]:
    """Read the stations of a file; its format is recognised by what it holds.

    Parameters
    ----------
    path : str or Path
        A table, SEISAN's, HYPO71's or Hypoinverse's station lines, or StationXML; text in UTF-8 or Latin-1. A table's
        header names code, latitude, longitude and elevation (`elevation_m`, `elevation_km`), and perhaps the network.
        Without a header the columns are `STA`, `NET.STA` or `NET STA`, latitude, longitude, elevation. Codes may be
        `NET.STA.LOC.CHA`.
    remarks : list of str, optional
        Gets what had to be decided, one line each; the log has it too. Elevations are metres unless the header says
        kilometres. If the header names no unit and all values lie within +-9, values with two decimals or more are
        taken for kilometres, others for metres.

    Returns
    -------
    list of Station
        In the order of the file. A station that the file repeats at the same place is kept once. Where the file moves
        it, the last entry holds.

    Raises
    ------
    UserError
        If there is no such file.
    DataError
        If a line cannot be read, or two networks have a station of the same code at different places: readings know
        their station by its code. The message names file, line and remedy.
    """
    path, said = Path(path), []
    stations = _one_each(path, _rows(path, said), said)
    if not stations:
        raise DataError(f"{path}: no station found; give a table, StationXML, or SEISAN's STATION0.HYP")
    for remark in said:
        log.warning(remark)
    if remarks is not None:
        remarks += said
    return stations


def _rows(path, remarks):
    """Entries of a station file, by its format."""
    lines = _lines(path)
    first = next((line for line in lines if line.strip()), "")
    if path.suffix.lower() == ".xml" or first.lstrip().startswith("<"):
        return _inventory_rows(path)
    if path.suffix.lower() == ".hyp" or station_columns.is_seisan(lines):
        return station_columns.seisan_rows(path, lines)
    if station_columns.is_hypoinverse(lines):
        return station_columns.hypoinverse_rows(path, lines, remarks)
    return station_tables.table_rows(path, lines, remarks)


def _lines(path):
    if not Path(path).is_file():
        raise UserError(f"{path}: no such station file; check the path")
    return lines_of(path)


def _inventory_rows(path):
    try:
        name = format_of(path, "inventory")
        inventory = obspy.read_inventory(str(path), format=name, level="station")
    except Exception as error:  # ObsPy and lxml raise many kinds
        reason = " ".join(str(error).split())[:80]
        raise DataError(f"{path}: not a StationXML file ({reason}); export it again") from None
    for network in inventory:
        for station in network:
            yield Row(0, network.code, station.code, station.latitude, station.longitude, station.elevation)


def _one_each(path, rows, remarks):
    """Build the stations, one place for each code."""
    stations, lines = {}, {}
    for row in rows:
        place = f"{path}:{row.line}" if row.line else f"{path}: station {row.code}"
        station = _station(place, row)
        known = stations.get(station.code)
        if known and known != station:
            apart = _distance_km(known, station)
            if known.network != station.network and apart > SAME_SITE_KM:
                raise DataError(
                    f"{place}: station {station.code} of network '{station.network}' is {apart:.0f} km from that of "
                    f"network '{known.network}' in line {lines[known.code]}: keep the one that the picks mean"
                )
            remarks.append(
                f"{place}: station {station.code} moves from its place in line {lines[known.code]}, {apart:.1f} km away"
            )
        stations[station.code], lines[station.code] = station, row.line
    return list(stations.values())


def _station(place, row):
    longitude = row.longitude - 360 if 180 < row.longitude <= 360 else row.longitude
    if not -90 <= row.latitude <= 90 or not -180 <= longitude <= 180:
        where = f"latitude {row.latitude:g}, longitude {row.longitude:g}"
        raise DataError(f"{place}: code {brief(row.code)}, {where}: correct the line")
    if not -11000 <= row.elevation_m <= 9000:
        raise DataError(f"{place}: elevation {row.elevation_m:g} m is not on Earth: check its unit (metres)")
    try:
        return Station(row.code, round(row.latitude, 6), round(longitude, 6), row.elevation_m, network=row.network)
    except ValidationError:
        raise DataError(
            f"{place}: code {brief(row.code)}, network {brief(row.network)}: give up to 8 letters, digits, - and _"
        ) from None


def _distance_km(one, other):
    return WGS84.inv(one.longitude, one.latitude, other.longitude, other.latitude)[2] / 1000


def read_seisan_velocity(path: str | Path) -> VelocityModel:
    """Read the layered velocity model that follows the stations in SEISAN's `STATION0.HYP`.

    Raises
    ------
    DataError
        If the file has no velocity model, or no Vp/Vs after it.
    """
    tops, speeds, vp_vs = [], [], None
    for line in _lines(path):
        match = station_columns.SEISAN_LAYER.match(line)
        if match:
            speeds.append(float(match[1]))
            tops.append(float(match[2]))
        elif tops and line.strip():
            vp_vs = line.split()[3] if len(line.split()) > 3 else None
            break
    try:
        return VelocityModel(top_km=tops, vp_km_s=speeds, vp_vs=float(vp_vs), source=Path(path).name)
    except (TypeError, ValueError):
        raise DataError(
            f"{path}: no velocity model after the stations; it needs lines 'speed depth' and a control line whose "
            "fourth number is Vp/Vs"
        ) from None


def locate_from_readings(event_latitudes, event_longitudes, distances_km, azimuths_deg) -> tuple[float, float, float]:
    r"""Find a station from the distances and azimuths at which its readings stand in the bulletin.

    Each reading puts the station at the end of its geodesic (WGS84). The station is the place `p` that minimises the
    robust (soft L1) sum of the offsets from those ends `q`, along and across the ray, each over its rounding error:

    .. math:: \sum_i \rho\left(\frac{(p - q_i) \cdot u_i}{\sigma_{d,i}}\right)
              + \rho\left(\frac{(p - q_i) \cdot t_i}{\sigma_{\alpha,i}}\right)

    Bulletins print three digits of distance and whole degrees of azimuth.

    Parameters
    ----------
    event_latitudes, event_longitudes : array_like, shape (n,)
        Epicentres, degrees.
    distances_km, azimuths_deg : array_like, shape (n,)
        From each epicentre to the station.

    Returns
    -------
    latitude, longitude : float
        Degrees.
    misfit_km : float
        Median distance from the station to where its readings put it.

    Raises
    ------
    UserError
        If there is no reading.
    """
    distances = np.asarray(distances_km, float)
    if distances.size == 0:
        raise UserError("no reading gives the station's distance and azimuth; add the station to the station file")
    longitudes, latitudes, back = WGS84.fwd(event_longitudes, event_latitudes, azimuths_deg, distances * 1000)
    centre = float(np.median(latitudes)), float(np.median(longitudes))
    ends = np.stack(azimuthal_equidistant(latitudes, longitudes, centre), axis=-1)
    ray = np.radians(np.asarray(back) + 180)
    along, across = np.stack([np.sin(ray), np.cos(ray)], -1), np.stack([np.cos(ray), -np.sin(ray)], -1)
    along_error, across_error = _rounding_errors(distances)

    def residuals(place):
        offset = place - ends
        return np.concatenate([(offset * along).sum(-1) / along_error, (offset * across).sum(-1) / across_error])

    place = least_squares(residuals, np.zeros(2), loss="soft_l1").x
    longitude, latitude, _ = WGS84.fwd(centre[1], centre[0], np.degrees(np.arctan2(*place)), 1000 * np.hypot(*place))
    return float(latitude), float(longitude), float(np.median(np.hypot(*(place - ends).T)))


def _rounding_errors(distances):
    """Standard errors (km) along and across the ray; not below the 0.1 km to which an epicentre is printed."""
    last_digit = 10.0 ** (np.floor(np.log10(np.maximum(distances, 1.0))) - 2)
    along = np.hypot(np.minimum(last_digit, 1.0) / np.sqrt(12), 0.1)
    return along, np.hypot(distances * np.radians(1 / np.sqrt(12)), 0.1)
