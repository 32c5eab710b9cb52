"""Map of a located event: the calibrated ellipse, the stations that mattered, and what other locators say."""

import io
import re
from pathlib import Path

import cartopy.crs as ccrs
import matplotlib.pyplot as plt
import numpy as np

from seisbook import files
from seisbook.catalogues.geodesy import azimuthal_equidistant, to_geographic
from seisbook.errors import UserError
from seisbook.figures.maps import base_map
from seisbook.figures.style import DEGREES, P_COLOUR, S_COLOUR, SERIES, styled

COLOURS = {"classical": S_COLOUR, "pyocto": SERIES[2]}
CLOSE = 1.7  # of the ellipse's larger semi-axis, from the epicentre to the edges of the close-up
LEAST_KM = 1.0
WIDE = 1.12  # of the extent of the stations


@styled
def event_map(location, stations, share, network, opinions=()):
    """A located event: all its stations at the left, its ellipse close up at the right.

    Triangles are stations, coloured by their share in the location; white ones had no onset that was used. The ellipse
    holds the epicentre with a probability of 90 per cent. Crosses are the epicentres of other locators.

    Parameters
    ----------
    location : seisbook.measures.location.Location
    stations : DataFrame
        Latitude and longitude of the event's stations, by code.
    share : Series
        Of `seisbook.measures.station_influence.influence`.
    network : Network
        Of which name and centre are used.
    opinions : list of seisbook.measures.second_opinion.Opinion

    Returns
    -------
    Figure
    """
    figure = plt.figure(figsize=(9.6, 5.4))
    figure.suptitle(_title(location), fontsize=11)
    ellipse = _ellipse(location)
    left = _panel(figure, 1, network, location, _extent_km(location, stations))
    right = _panel(figure, 2, network, location, _close_km(location, opinions))
    drawn = None
    for axis in (left, right):
        drawn = _stations(axis, stations, share) or drawn
        axis.fill(*ellipse, facecolor=P_COLOUR, alpha=0.2, transform=DEGREES, zorder=3.5)
        axis.plot(*ellipse, color=P_COLOUR, linewidth=1.2, transform=DEGREES, zorder=3.6)
        _star(axis, location)
    _others(right, opinions)
    left.set_title("Stations")
    right.set_title("90 % ellipse")
    if drawn is not None:
        bar = figure.colorbar(drawn, ax=left, orientation="horizontal", shrink=0.86, aspect=30, pad=0.02)
        bar.set_label("share of a station in the location (%)")
    right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.09), ncols=2 + len(opinions), frameon=False)
    return figure


def write(figures, path) -> list[Path]:
    """Write maps as PNG, whole or not at all: one has the path's name, more of them have the event's behind it.

    Parameters
    ----------
    figures : list of (str, Figure)
        Name of the event, and its map.
    path : path
    """
    path, written = check_name(path), []
    for name, figure in figures:
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=150, bbox_inches="tight")
        plain = re.sub(r"[^\w.-]+", "-", name)
        target = path if len(figures) == 1 else path.with_name(f"{path.stem}-{plain}{path.suffix}")
        written.append(files.write_whole(target, drawn.getvalue()))
    return written


def check_name(path) -> Path:
    """The path of a map, which ends with `.png`, or a `UserError`."""
    if Path(path).suffix.lower() != ".png":
        raise UserError(f"{path}: a map is a PNG file: give a name that ends with .png")
    return Path(path)


def _title(location):
    when = f"{location.time:%Y-%m-%d %H:%M:%S}"
    depth = f"depth {location.depth_km:.1f} ± {location.depth_error_km:.1f} km"
    return f"{when}: magnitude {location.magnitude:.2f} ± {location.magnitude_error:.2f}, {depth}"


def _ellipse(location):
    """Longitude and latitude of points of the ellipse."""
    angle, azimuth = np.linspace(0, 2 * np.pi, 121), np.radians(location.azimuth_deg)
    along, across = location.major_km * np.cos(angle), location.minor_km * np.sin(angle)
    east = along * np.sin(azimuth) + across * np.cos(azimuth)
    north = along * np.cos(azimuth) - across * np.sin(azimuth)
    latitude, longitude = to_geographic(east, north, (location.latitude, location.longitude))
    return np.asarray(longitude), np.asarray(latitude)


def _extent_km(location, stations):
    """Half of the left map's width: to the farthest station."""
    away = _offsets(stations.latitude.to_numpy(float), stations.longitude.to_numpy(float), location)
    return max(WIDE * float(np.abs(away).max()), 1.3 * location.major_km, LEAST_KM)


def _close_km(location, opinions):
    """Half of the right map's width: the ellipse, and other epicentres that are not far outside of it."""
    reach = max(CLOSE * location.major_km, LEAST_KM)
    near = [1.2 * one.apart_km for one in opinions if one.apart_km < 3 * reach]
    return max([reach, *near])


def _offsets(latitude, longitude, location):
    return np.stack(azimuthal_equidistant(latitude, longitude, (location.latitude, location.longitude)))


def _panel(figure, place, network, location, half_km):
    projection = ccrs.Mercator(central_longitude=location.longitude)
    axis = figure.add_subplot(1, 2, place, projection=projection)
    centre = np.array(projection.transform_point(location.longitude, location.latitude, DEGREES))
    half = 1000 * half_km / np.cos(np.radians(location.latitude))  # Mercator stretches by this much
    base_map(axis, network, (centre - half, centre + half))
    return axis


def _stations(axis, stations, share):
    """Stations inside of the map; return what is coloured, if anything is."""
    x, y, _ = axis.projection.transform_points(
        DEGREES, stations.longitude.to_numpy(float), stations.latitude.to_numpy(float)
    ).T
    (west, east), (south, north) = axis.get_xlim(), axis.get_ylim()
    inside = (x > west) & (x < east) & (y > south) & (y < north)
    percent = 100 * share.reindex(stations.index).to_numpy(float)
    used, look = inside & np.isfinite(percent), {"marker": "^", "edgecolor": "black", "linewidth": 0.7, "zorder": 4}
    unused = inside & ~used
    axis.scatter(x[unused], y[unused], 26, color="white", **look)
    colours = {"c": percent[used], "cmap": "YlOrRd", "vmin": 0, "vmax": np.ceil(np.nanmax(percent))}
    return axis.scatter(x[used], y[used], 52, **colours, **look) if used.any() else None


def _star(axis, location):
    """The epicentre, below the stations."""
    look = {"markersize": 12, "color": P_COLOUR, "markeredgecolor": "white", "linestyle": "none"}
    axis.plot(location.longitude, location.latitude, "*", label="this model", transform=DEGREES, zorder=3.8, **look)


def _others(axis, opinions):
    """Epicentres of other locators, where they found the event."""
    look = {"markersize": 8, "markeredgewidth": 2, "transform": DEGREES, "linestyle": "none", "zorder": 5}
    for one in opinions:
        if np.isfinite(one.apart_km):
            axis.plot(one.longitude, one.latitude, "x", label=one.method, color=COLOURS[one.method], **look)
