"""Maps of stations and events."""

import cartopy.crs as ccrs
import matplotlib.pyplot as plt
import numpy as np
import shapely
from cartopy.feature import ShapelyFeature
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator

from seisbook.catalogues.geodesy import continuous
from seisbook.catalogues.geography import geography
from seisbook.figures.style import DARK, DEGREES, HALO, LAND, LINE, WATER, styled


@styled
def network_map(catalogues, networks):
    """Stations and events of one or more networks, side by side, without any download.

    Triangles are stations, larger the more events they record; circles are events, larger with magnitude and coloured
    by depth. Each panel has its own depth scale and scale bar; the few far outside the rest are off the map.

    Parameters
    ----------
    catalogues : list of Catalogue
    networks : list of Network

    Returns
    -------
    Figure
    """
    fig = plt.figure(figsize=(7.4, 5.0))
    for i, (catalogue, network) in enumerate(zip(catalogues, networks, strict=True)):
        projection = ccrs.Mercator(central_longitude=network.centre[1])
        axis = fig.add_subplot(1, len(networks), i + 1, projection=projection)
        axis.set_title(network.title)
        base_map(axis, network, _extent(catalogue, network, projection))
        _stations(axis, catalogue, network)
        _events(fig, axis, catalogue, width=0.4 * len(networks))
    fig.legend(handles=_map_legend(), loc="outside lower center", ncols=6, columnspacing=1.2, handletextpad=0.3)
    return fig


def _extent(catalogue, network, projection, aspect=0.88):
    """Corners of the map in projected metres: most events and the stations that record them, at a fixed aspect."""
    stations = network.station_table()[_share_recorded(catalogue, network) >= 0.02]
    places = catalogue.events[["source_longitude_deg", "source_latitude_deg"]]
    events = places.assign(source_longitude_deg=continuous(places.source_longitude_deg)).quantile([0.005, 0.995])
    longitude = np.r_[stations.longitude, events.source_longitude_deg]
    latitude = np.r_[stations.latitude, events.source_latitude_deg]
    points = projection.transform_points(DEGREES, longitude, latitude)[:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    centre, half = (low + high) / 2, (high - low) / 2 * 1.08 + 1.0
    half = np.maximum(half, half[::-1] * [aspect, 1 / aspect])
    return centre - half, centre + half


def _share_recorded(catalogue, network):
    """For each station, the share of the catalogue's events of which it has a reading."""
    counts = catalogue.readings.drop_duplicates(["source_id", "station_code"]).station_code.value_counts()
    return counts.reindex(network.station_table().index).fillna(0) / max(len(catalogue), 1)


def base_map(axis, network, extent):
    """Draw land, borders, towns, a grid and a scale bar, as far as the book ships them for the network's region.

    Parameters
    ----------
    axis : GeoAxes
    network : Network
    extent : ((float, float), (float, float))
        South-western and north-eastern corner in metres of the axis' projection.
    """
    (west, south), (east, north) = extent
    axis.set_xlim(west, east)
    axis.set_ylim(south, north)
    kinds = geography(network.name)
    if "land" in kinds:
        axis.set_facecolor(WATER)
    for kind, look in {
        "land": {"facecolor": LAND, "edgecolor": LINE, "linewidth": 0.6},
        "border": {"facecolor": "none", "edgecolor": LINE, "linewidth": 0.8, "linestyle": "--"},
        "state_border": {"facecolor": "none", "edgecolor": LINE, "linewidth": 0.8, "linestyle": "--"},
    }.items():
        axis.add_feature(ShapelyFeature([shape for _, shape in kinds.get(kind, [])], DEGREES, **look), zorder=0)
    _places(axis, kinds.get("place", []), extent)
    lines = axis.gridlines(draw_labels=["left", "bottom"], color="white", linewidth=0.6, alpha=0.8)
    lines.xlabel_style = lines.ylabel_style = {"size": 8.5}
    lines.xlocator, lines.ylocator = _meridians(axis, network.centre[1]), MaxNLocator(5)
    _scale_bar(axis, network.centre[0])


def veil_sea(axis, name, opacity):
    """Draw a white veil over the sea of a region's map, and the coast again, above the bands of a field.

    Parameters
    ----------
    axis : GeoAxes
        After `base_map`.
    name : str
        Of the network or region; nothing is drawn where the book ships no coast.
    opacity : float
    """
    land = shapely.union_all([shape for _, shape in geography(name).get("land", [])])
    if land.is_empty:
        return
    sea = shapely.box(-180, -85, 180, 85) - land
    axis.add_geometries([sea], DEGREES, facecolor="white", alpha=opacity, edgecolor="none", zorder=1.7)
    axis.add_geometries([land], DEGREES, facecolor="none", edgecolor=DARK, linewidth=0.7, zorder=2)


def _meridians(axis, central):
    """Locator of the grid's meridians; round longitudes also where the map crosses the antimeridian."""
    south = axis.get_ylim()[0]
    sides = [DEGREES.transform_point(x, south, axis.projection)[0] for x in axis.get_xlim()]
    west, east = (central + (side - central + 180) % 360 - 180 for side in sides)
    if west >= -180 and east <= 180:
        return MaxNLocator(3)
    return FixedLocator((MaxNLocator(3).tick_values(west, east) + 180) % 360 - 180)


def _places(axis, places, extent):
    (west, south), (east, north) = extent
    for properties, point in places:
        x, y = axis.projection.transform_point(point.x, point.y, DEGREES)
        if west < x < east and south < y < north:
            axis.plot(x, y, "s", color=DARK, markersize=3, zorder=5)
            side = ("right", (-4, 3)) if x > west + 0.7 * (east - west) else ("left", (4, 3))
            offset = {
                "ha": side[0],
                "xytext": side[1],
                "textcoords": "offset points",
                "zorder": 6,
                "path_effects": HALO,
            }
            axis.annotate(properties["name"], (x, y), fontsize=8, fontstyle="italic", color=DARK, **offset)


def _scale_bar(axis, latitude):
    """A bar of a round number of kilometres, an eighth to a third of the map's width."""
    (west, east), (south, north) = axis.get_xlim(), axis.get_ylim()
    metres = 1 / np.cos(np.radians(latitude))  # Mercator stretches by this much
    widest = (east - west) / metres / 1000 * 0.3
    km = max(step * 10.0**power for power in range(5) for step in (1, 2, 5) if step * 10.0**power <= max(widest, 1))
    x, y = west + 0.06 * (east - west), south + 0.05 * (north - south)
    axis.plot([x, x + km * 1000 * metres], [y, y], color=DARK, linewidth=2.5, solid_capstyle="butt", zorder=6)
    axis.annotate(
        f"{km:g} km", (x, y), xytext=(0, 4), textcoords="offset points", fontsize=8.5, path_effects=HALO, zorder=6
    )


def _station_size(share):
    return 14 + 110 * np.asarray(share)


def _event_size(magnitude):
    return np.clip(1.5 + 1.7 * np.asarray(magnitude, float), 1.5, None) ** 2


def _stations(axis, catalogue, network):
    table = network.station_table()
    look = {"marker": "^", "color": "white", "edgecolor": "black", "linewidth": 0.8, "zorder": 3, "transform": DEGREES}
    axis.scatter(table.longitude, table.latitude, _station_size(_share_recorded(catalogue, network)), **look)


def _events(fig, axis, catalogue, width):
    events = catalogue.events.sort_values("source_magnitude", ascending=False)  # the small ones on top
    deepest = max(np.nanpercentile(events.source_depth_km, 98), 1.0)
    size = _event_size(events.source_magnitude.fillna(events.source_magnitude.min()).fillna(0))
    drawn = axis.scatter(
        events.source_longitude_deg,
        events.source_latitude_deg,
        size,
        events.source_depth_km,
        cmap="viridis",
        vmin=0,
        vmax=deepest,
        alpha=0.8,
        edgecolor="#444444",
        linewidth=0.25,
        zorder=2,
        transform=DEGREES,
    )
    bar = fig.colorbar(drawn, ax=axis, orientation="horizontal", shrink=width, aspect=28, pad=0.02, extend="max")
    bar.set_label("hypocentral depth (km)")
    bar.locator = MaxNLocator(5)


def _map_legend():
    """Stations by the share of events that they record, events by magnitude."""
    look = {"linestyle": "none", "markeredgecolor": "black", "markeredgewidth": 0.8, "markerfacecolor": "white"}
    stations = [
        Line2D([], [], marker="^", markersize=_station_size(share) ** 0.5, label=text, **look)
        for share, text in ((0.05, "station, 5 % of events"), (0.5, "50 %"))
    ]
    look |= {"markerfacecolor": "#31688e", "markeredgecolor": "white"}
    events = [
        Line2D([], [], marker="o", markersize=_event_size(magnitude) ** 0.5, label=f"$M$ {magnitude}", **look)
        for magnitude in (1, 2, 3, 4)
    ]
    return stations + events
