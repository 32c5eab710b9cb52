"""Station coordinates from the files that networks keep them in, and from readings where no file has them.

`read_stations` takes SEISAN's `STATION0.HYP`, a CSV table or StationXML and always returns `Station` objects.
"""

import csv
import logging
import re
from pathlib import Path

import numpy as np
import obspy
from pyproj import Geod
from scipy.optimize import least_squares

from seisbook.catalogues.geodesy import azimuthal_equidistant
from seisbook.catalogues.schema import Station, VelocityModel
from seisbook.errors import DataError, UserError

WGS84 = Geod(ellps="WGS84")
log = logging.getLogger(__name__)
# columns 2-6 code, then latitude and longitude as degrees and minutes; minutes of 60 and more do occur
SEISAN_STATION = re.compile(
    r"^ (?P<code>.{5})(?P<lat_deg>[ \d]{2})(?P<lat_min>[ \d]{2}\.[ \d]{2})(?P<ns>[NS])"
    r"(?P<lon_deg>[ \d]{3})(?P<lon_min>[ \d]{2}\.[ \d]{2})(?P<ew>[EW])(?P<elevation> {0,3}[-+]?\d{0,4})"
)
COLUMN_NAMES = {
    "code": {"code", "name", "station", "station_code"},
    "latitude": {"latitude", "lat"},
    "longitude": {"longitude", "lon"},
    "elevation": {"elevation", "elevation_m", "elev", "elevation_km"},
}


def read_stations(path: str | Path) -> list[Station]:
    """Read the stations of a SEISAN, CSV or StationXML file.

    Parameters
    ----------
    path : str or Path
        `STATION0.HYP` (`.HYP`), StationXML (`.xml`), or CSV: with a header (`code,latitude,longitude,elevation_m`;
        a column `Elevation` whose values all lie within +-9 is taken for kilometres), or without one
        (`NET.STA,latitude,longitude,elevation_m[,gain]`).

    Returns
    -------
    list of Station
        In the order of the file. A station that the file repeats at the same place is kept once; where the file
        moves it, the last entry holds and the log says so.

    Raises
    ------
    UserError
        If there is no such file.
    DataError
        If a line cannot be read; the message names file, line and remedy.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such station file; check the path")
    if path.suffix.lower() == ".hyp":
        rows = _seisan_rows(path)
    elif path.suffix.lower() == ".xml":
        rows = _stationxml_rows(path)
    else:
        rows = _csv_rows(path)
    stations = _without_duplicates(path, rows)
    if not stations:
        raise DataError(f"{path}: no station found; give a STATION0.HYP, StationXML or CSV file")
    return stations


def read_seisan_velocity(path: str | Path) -> VelocityModel:
    """Read the layered velocity model that follows the stations in SEISAN's `STATION0.HYP`.

    Raises
    ------
    DataError
        If the file has no velocity model, or no Vp/Vs after it.
    """
    tops, speeds, vp_vs = [], [], None
    layer = re.compile(r"^ *(\d+\.\d*) +(\d+\.\d*)( +[A-Z])? *$")
    for line in _lines(path):
        match = layer.match(line)
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


def _lines(path):
    if not Path(path).is_file():
        raise UserError(f"{path}: no such file; check the path")
    return Path(path).read_text(encoding="latin-1").splitlines()


def _seisan_rows(path):
    """Stations of a `STATION0.HYP`: everything before the velocity model that has the shape of a station."""
    for number, line in enumerate(_lines(path), 1):
        match = SEISAN_STATION.match(line)
        if match:
            latitude = _degrees(match["lat_deg"], match["lat_min"], match["ns"] == "S")
            longitude = _degrees(match["lon_deg"], match["lon_min"], match["ew"] == "W")
            elevation = float(match["elevation"].strip() or 0)
            yield number, match["code"].strip(), latitude, longitude, elevation, ""
        elif re.search(r"\d[NS].*\d[EW]", line):
            raise DataError(
                f"{path}:{number}: not a SEISAN station line; columns 2-6 hold the code, 7-14 the latitude as DDMM.mmN "
                "and 15-23 the longitude as DDDMM.mmW"
            )


def _degrees(degrees, minutes, negative):
    value = float(degrees.strip() or 0) + float(minutes.replace(" ", "0")) / 60
    return -value if negative else value


def _csv_rows(path):
    """Stations of a CSV table, with a header or in the headless `NET.STA,lat,lon,elevation` form."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [(number, row) for number, row in enumerate(csv.reader(file), 1) if "".join(row).strip()]
    if not rows:
        return
    columns, in_km = _csv_columns(path, *rows[0])
    if columns is None:
        columns = {"code": 0, "latitude": 1, "longitude": 2, "elevation": 3}
    else:
        rows = rows[1:]
    for number, row in rows:
        try:
            code = row[columns["code"]].strip()
            latitude, longitude, elevation = (
                float(row[columns[key]]) for key in ("latitude", "longitude", "elevation")
            )
        except (IndexError, ValueError):
            raise DataError(
                f"{path}:{number}: expected a station code, latitude, longitude and elevation; found {','.join(row)!r}"
            ) from None
        network, _, station = code.rpartition(".")
        yield number, station, latitude, longitude, elevation * (1000 if in_km else 1), network


def _csv_columns(path, number, header):
    """Where the columns are (None if the first line is a station), and whether elevations are in km.

    A column called `Elevation` with no unit is QuakeMigrate's, in km; ours says `elevation_m`.
    """
    names = [name.strip().lower().replace("(", "_").replace(")", "") for name in header]
    if len(names) > 1 and re.fullmatch(r"[-+]?\d+(\.\d*)?", names[1]):
        return None, False
    columns = {key: names.index(name) for key, known in COLUMN_NAMES.items() for name in known if name in names}
    missing = [key for key in COLUMN_NAMES if key not in columns]
    if missing:
        raise DataError(
            f"{path}:{number}: no column for {', '.join(missing)}; use the header code,latitude,longitude,elevation_m"
        )
    return columns, names[columns["elevation"]] in {"elevation", "elevation_km"}


def _stationxml_rows(path):
    try:
        inventory = obspy.read_inventory(path, format="STATIONXML", level="station")
    except Exception as error:  # ObsPy and lxml raise many kinds
        raise DataError(
            f"{path}: not a StationXML file ({' '.join(str(error).split())[:80]}); export it again"
        ) from None
    for network in inventory:
        for station in network:
            yield 0, station.code, station.latitude, station.longitude, station.elevation, network.code


def _without_duplicates(path, rows):
    """Build the stations; one place per code."""
    stations, lines = {}, {}
    for number, code, latitude, longitude, elevation, network in rows:
        place = f"{path}:{number}" if number else f"{path}: station {code}"
        if not code or not -90 <= latitude <= 90 or not -180 <= longitude <= 180:
            raise DataError(f"{place}: code '{code}', latitude {latitude:g}, longitude {longitude:g}: correct the line")
        if not -11000 <= elevation <= 9000:
            raise DataError(f"{place}: elevation {elevation:g} m is not on Earth: check its unit (metres)")
        station = Station(code, round(latitude, 6), round(longitude, 6), elevation, network=network)
        if code in stations and stations[code] != station:
            log.warning("%s: station %s moves from its place in line %s", place, code, lines[code])
        stations[code], lines[code] = station, number
    return list(stations.values())
