"""Maps of ground motion with their uncertainty, and the files that `seisbook shake` writes."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cartopy.crs as ccrs
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import colormaps
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap
from matplotlib.ticker import FuncFormatter

from seisbook import files
from seisbook.errors import UserError
from seisbook.figures.maps import base_map, veil_sea
from seisbook.figures.style import DEGREES, styled
from seisbook.measures import shaking_files
from seisbook.measures.shaking import Shaking

MEDIAN = LinearSegmentedColormap.from_list("median", colormaps["magma_r"](np.linspace(0.03, 0.9, 256)))
FACTOR = LinearSegmentedColormap.from_list("factor", colormaps["GnBu"](np.linspace(0.1, 1.0, 256)))
VEIL = 0.45  # opacity of the white over the sea: there is no station, and on land the colours are those of the scale
PLAIN = FuncFormatter(lambda value, _: f"{value:g}")


class Place(NamedTuple):
    """What `base_map` asks of a network: the name of its coastlines, and its centre."""

    name: str
    centre: tuple[float, float]


@styled
def shake_map(found: Shaking, measure="pgv"):
    """The median of a measure, with the stations in the same colours, and the factor of its 90 % interval.

    The star is the epicentre. Crosses are stations that were not used, because they are too far from the law.

    Parameters
    ----------
    found : Shaking
    measure : str
        Its name, such as `pgv`.

    Returns
    -------
    Figure
    """
    median, factor = found.median(measure), found.factor(measure)
    figure = plt.figure(figsize=(9.6, 5.6))
    figure.suptitle(_title(found), fontsize=11)
    left, right = (_panel(figure, found, place) for place in (1, 2))
    bounds = shaking_files.levels(np.log10(median))
    norm = _drawn(figure, left, found, median, bounds, MEDIAN, found.label(measure))
    _drawn(figure, right, found, factor, shaking_files.factor_levels(factor), FACTOR, "factor of the 90 % interval")
    _stations(left, found, found.stations[measure], norm)
    _stations(right, found, None, None)
    left.set_title("Median")
    right.set_title("Uncertainty")
    return figure


def _title(found):
    origin = found.origin
    depth = f"depth {origin.depth_km:.0f} km" if np.isfinite(origin.depth_km) else "depth not known"
    how = ", origin estimated from the amplitudes" if found.is_estimated else ""
    when = f", {origin.time:%Y-%m-%d %H:%M}" if origin.time is not None else ""
    return f"{found.name}: magnitude {origin.magnitude:.1f}, {depth}{when}{how}"


def _panel(figure, found, place):
    """A map with coast, towns and scale bar that ends where the grid ends."""
    origin, (latitude, longitude) = found.origin, found.grid
    projection = ccrs.Mercator(central_longitude=origin.longitude)
    axis = figure.add_subplot(1, 2, place, projection=projection)
    corners = projection.transform_points(DEGREES, longitude[[0, -1]], latitude[[-1, 0]])[:, :2]
    base_map(axis, Place(found.region, (origin.latitude, origin.longitude)), corners)
    veil_sea(axis, found.region, VEIL)
    return axis


def _drawn(figure, axis, found, values, bounds, colours, label):
    """Bands of colour with a colour bar; return the norm that gives a value the colour of its band."""
    latitude, longitude = np.meshgrid(*found.grid, indexing="ij")
    places = axis.projection.transform_points(DEGREES, longitude, latitude)
    is_cut = values.min() < bounds[0]
    norm = BoundaryNorm(bounds, colours.N, extend="min" if is_cut else "neither")
    look = {"norm": norm, "cmap": colours, "extend": "min" if is_cut else "neither"}
    bands = axis.contourf(places[..., 0], places[..., 1], values, bounds, zorder=1, **look)
    axis.contour(places[..., 0], places[..., 1], values, bounds, colors="white", linewidths=0.5, zorder=1.5)
    bar = figure.colorbar(bands, ax=axis, orientation="horizontal", shrink=0.86, aspect=30, pad=0.02, format=PLAIN)
    bar.set_label(label)
    return norm


def _stations(axis, found, values, norm):
    """Stations, in the colours of the map if there are values, and the epicentre."""
    table = found.stations
    places = axis.projection.transform_points(DEGREES, table.longitude.to_numpy(float), table.latitude.to_numpy(float))
    (west, east), (south, north) = axis.get_xlim(), axis.get_ylim()
    inside = (places[:, 0] > west) & (places[:, 0] < east) & (places[:, 1] > south) & (places[:, 1] < north)
    used, look = inside & table.used.to_numpy(bool), {"linewidth": 0.7, "zorder": 4}
    if values is None:
        axis.scatter(*places[used, :2].T, 16, marker="^", color="white", edgecolor="black", **look)
    else:
        known = used & values.notna().to_numpy()
        colours = {"c": 10 ** values[known], "norm": norm, "cmap": MEDIAN, "edgecolor": "black"}
        axis.scatter(*places[known, :2].T, 44, marker="^", **colours, **look)
    axis.scatter(*places[inside & ~used, :2].T, 26, marker="x", color="black", **look)
    epicentre = axis.projection.transform_point(found.origin.longitude, found.origin.latitude, DEGREES)
    axis.scatter(*epicentre, 190, marker="*", color="white", edgecolor="black", linewidth=1.0, zorder=5)


# ---------------------------------------------------------------------------------------------------------------- files


def png(found: Shaking, measure) -> bytes:
    """The map as a picture."""
    drawn = io.BytesIO()
    shake_map(found, measure).savefig(drawn, format="png", bbox_inches="tight")
    return drawn.getvalue()


FORMATS: dict[str, Callable[[Shaking, str], str | bytes]] = {
    ".png": png,
    ".geojson": shaking_files.geojson,
    ".tif": shaking_files.geotiff,
    ".xml": lambda found, measure: shaking_files.grid_xml(found),
}
"""What writes a file, by the end of its name; a grid.xml holds all measures."""


def check_names(paths) -> None:
    """Refuse names of files that end with none of `FORMATS`.

    Raises
    ------
    UserError
    """
    for path in paths:
        if Path(path).suffix.lower() not in FORMATS:
            raise UserError(f"{path}: no format of a map: let the name end with one of {', '.join(FORMATS)}")


def write(found: Shaking, paths, measure="pgv") -> list[Path]:
    """Write a map into files: all of them are made before the first is written, each whole or not at all.

    Parameters
    ----------
    found : Shaking
    paths : list of path
        Their ends say which format, see `FORMATS`.
    measure : str
        Its name, such as `pgv`.
    """
    check_names(paths)
    contents = [FORMATS[Path(path).suffix.lower()](found, measure) for path in paths]
    return [files.write_whole(path, content) for path, content in zip(paths, contents, strict=True)]
