"""Maps of the fields chapter: an event seen through its stations, hidden stations, the field between them."""

from pathlib import Path

import cartopy.crs as ccrs
import matplotlib.pyplot as plt
import numpy as np
from cartopy.feature import ShapelyFeature
from matplotlib.colors import rgb2hex
from matplotlib.ticker import FuncFormatter, MaxNLocator

from seisbook.catalogues.geodesy import to_geographic
from seisbook.catalogues.geography import geography
from seisbook.catalogues.ground_motion import LABELS, MEASURES
from seisbook.figures.maps import base_map
from seisbook.figures.style import DARK, DEGREES, LINE, S_COLOUR, SERIES, Interactive, filled, logarithmic, styled
from seisbook.measures.field_structure import REACH, conditioned

EXPLORER = Path(__file__).with_name("fields_explorer.html")
POWERS = FuncFormatter(lambda value, _: f"{10**value:.2g}")  # log10 as the value itself
FACTOR = FuncFormatter(lambda value, _: f"×{10**value:.2g}")
FIELD, SPREAD = "viridis", "cividis"
COLOURS = 12  # of the interactive map's scale


@styled
def seen(region, event, observed, curves, places, measure="pgv"):
    """One event through its stations: the values on a map, and against distance with the law.

    Parameters
    ----------
    region : Region
    event : Fields
        One event.
    observed : ndarray of bool, shape (stations,)
        Discs; hidden stations are squares.
    curves : dict of str to (ndarray, ndarray)
        Distance in km and log10 value of a line each.
    places : ndarray, shape (points², 2)
        What the map shows, from `seisbook.measures.field_structure.grid`, in km.
    measure : str

    Returns
    -------
    Figure
    """
    value = event.values[:, MEASURES.index(measure)]
    fig = plt.figure(figsize=(7.4, 3.7))
    axis = _map(fig, (1, 2, 1), region, places)
    right = fig.add_subplot(1, 2, 2)
    limits = np.nanpercentile(value, [2, 100])
    for chosen, marker, name in ((observed, "o", "observed"), (~observed, "s", "hidden")):
        look = {"vmin": limits[0], "vmax": limits[1], "edgecolor": "black", "linewidth": 0.4, "zorder": 4}
        drawn = _scatter(axis, region, event.pos[chosen], c=value[chosen], marker=marker, s=26, **look)
        right.plot(
            event.epicentral_km[chosen], value[chosen], marker, color=DARK if marker == "o" else LINE, label=name
        )
    _star(axis, region, event.epicentre[0])
    fig.colorbar(drawn, ax=axis, format=POWERS, label=LABELS[measure], orientation="horizontal", shrink=0.8)
    for number, (name, (distance, line)) in enumerate(curves.items()):
        right.plot(distance, line, color=SERIES[number], linestyle=("-", "--", ":")[number % 3], label=name)
    right.yaxis.set_major_formatter(POWERS)
    logarithmic(right, "x")
    right.set(xlabel="epicentral distance (km)", ylabel=LABELS[measure])
    right.legend()
    return fig


@styled
def hidden(event, observed, predictions, measure="pgv"):
    """Predicted against measured at the hidden stations of one event, with 90 % intervals: one panel a method.

    Parameters
    ----------
    event : Fields
        One event.
    observed : ndarray of bool, shape (stations,)
    predictions : dict of str to Reconstruction
        By method.
    measure : str

    Returns
    -------
    Figure
    """
    column = MEASURES.index(measure)
    value = event.values[:, column]
    chosen = ~observed & np.isfinite(value)
    fig, axes = plt.subplots(1, len(predictions), figsize=(7.4, 3.6), sharex=True, sharey=True, squeeze=False)
    for axis, (name, (mean, scale)) in zip(axes[0], predictions.items(), strict=True):
        found, reach = mean[chosen, column], REACH * scale[chosen, column]
        inside = np.abs(found - value[chosen]) <= reach
        for part, colour, label in ((inside, DARK, "inside"), (~inside, S_COLOUR, "outside")):
            look = {"fmt": "o", "color": colour, "elinewidth": 0.8, "markersize": 3.5, "label": f"value {label}"}
            axis.errorbar(value[chosen][part], found[part], reach[part], **look)
        axis.axline((value[chosen].mean(),) * 2, slope=1, color=LINE, linewidth=1)
        axis.set_title(name)
        axis.set_xlabel("measured (cm/s)" if measure == "pgv" else "measured (%g)")
        axis.xaxis.set_major_formatter(POWERS)
        axis.yaxis.set_major_formatter(POWERS)
    axes[0, 0].set_ylabel("predicted")
    axes[0, 0].legend(loc="upper left")
    return fig


@styled
def field(region, event, observed, places, predictions, measure="pgv"):
    """The field between the stations of one event, and its uncertainty: one row a method.

    Parameters
    ----------
    region : Region
    event : Fields
        One event.
    observed : ndarray of bool, shape (stations,)
    places : ndarray, shape (points², 2)
        Square grid, from `seisbook.measures.field_structure.grid`, in km.
    predictions : dict of str to Reconstruction
        At these places, by method.
    measure : str

    Returns
    -------
    Figure
    """
    column = MEASURES.index(measure)
    means = np.concatenate([mean[:, column] for mean, _ in predictions.values()])
    spreads = REACH * np.concatenate([scale[:, column] for _, scale in predictions.values()])
    fig = plt.figure(figsize=(7.4, 3.4 * len(predictions)))
    for row, (name, (mean, scale)) in enumerate(predictions.items()):
        columns = ((mean, means, FIELD, POWERS), (REACH * scale, spreads, SPREAD, FACTOR))
        for number, (values, everything, colours, form) in enumerate(columns):
            axis = _map(fig, (len(predictions), 2, 2 * row + number + 1), region, places)
            look = {"cmap": colours, "vmin": everything.min(), "vmax": everything.max()}
            drawn = _mesh(axis, region, places, values[:, column], **look)
            _scatter(axis, region, event.pos[observed], c="white", marker="o", s=9, edgecolor="black", linewidth=0.6)
            _star(axis, region, event.epicentre[0])
            axis.set_title(f"{name}: {('field', 'uncertainty')[number]}", fontsize=9)
            label = LABELS[measure] if number == 0 else "half of the 90 % interval"
            fig.colorbar(drawn, ax=axis, format=form, label=label, shrink=0.85)
    return fig


def _map(fig, place, region, places):
    """A map of a grid, given in the region's local coordinates in km."""
    projection = ccrs.Mercator(central_longitude=region.centre[1])
    axis = fig.add_subplot(*place, projection=projection)
    west_and_east, south_and_north = np.array([places.min(0), places.max(0)]).T
    corners = np.stack(np.meshgrid(west_and_east, south_and_north), -1).reshape(-1, 2)
    points = projection.transform_points(DEGREES, *_degrees(region, corners))[:, :2]
    base_map(axis, region, (np.sort(points, 0)[1], np.sort(points, 0)[2]))  # inside the grid, which stands askew
    return axis


def _degrees(region, pos):
    """Longitudes and latitudes of places in the region's local coordinates."""
    latitude, longitude = to_geographic(*np.asarray(pos, float).T, region.centre)
    return np.asarray(longitude), np.asarray(latitude)


def _scatter(axis, region, pos, **look):
    return axis.scatter(*_degrees(region, pos), transform=DEGREES, **{"zorder": 4, **look})


def _star(axis, region, place):
    _scatter(axis, region, [place], c=S_COLOUR, marker="*", s=120, edgecolor="black", linewidth=0.6, zorder=6)


def _mesh(axis, region, places, values, **look):
    """Colours of a grid, with the coast on top."""
    coast = [shape for _, shape in geography(region.name).get("land", [])]
    axis.add_feature(ShapelyFeature(coast, DEGREES, facecolor="none", edgecolor="white", linewidth=0.8), zorder=3)
    side = round(len(places) ** 0.5)
    longitude, latitude = (part.reshape(side, side) for part in _degrees(region, places))
    return axis.pcolormesh(
        longitude, latitude, values.reshape(side, side), transform=DEGREES, shading="nearest", zorder=1, **look
    )


# ------------------------------------------------------------------------------------------------------------ structure


@styled
def structure(semivariogram, curve, heard):
    """Semivariogram of the residuals, and how far away the stations are that a hidden one hears.

    Parameters
    ----------
    semivariogram : DataFrame
        From `seisbook.measures.field_structure.semivariogram`.
    curve : (ndarray, ndarray)
        Distance in km and the fitted semivariogram.
    heard : DataFrame
        From `seisbook.measures.field_structure.heard`.

    Returns
    -------
    Figure
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.5))
    left.plot(semivariogram.distance_km, semivariogram["mean"], "o", color=LINE, label="mean square")
    left.plot(semivariogram.distance_km, semivariogram.robust, "D", color=DARK, label="robust")
    left.plot(*curve, color=SERIES[0], label="conditional normal")
    left.set(xlabel="distance of two stations (km)", ylabel="semivariogram (log10²)", ylim=(0, None))
    left.legend(loc="lower right")
    order = np.argsort(heard.distance_km.to_numpy(), kind="stable")
    names = {"weight": "conditional normal's weights", "nearest": "nearest (static graph)"}
    names |= {name: f"dynamic graph, {name}" for name in heard if name.startswith("block")}
    for number, (name, label) in enumerate(names.items()):
        share = np.cumsum(heard[name].to_numpy()[order])
        style = ("-", "--", ":", "-.", (0, (5, 1)))[number % 5]
        right.plot(heard.distance_km.to_numpy()[order], 100 * share / share[-1], linestyle=style, label=label)
    logarithmic(right, "x")
    right.set(
        xlabel="distance from the hidden station (km)",
        ylabel="share heard from within (%)",
        xlim=(1, None),
        ylim=(0, 150),
        yticks=range(0, 101, 20),
    )
    right.legend(fontsize=8, loc="upper left")
    return fig


# ----------------------------------------------------------------------------------------------------- stations removed


def explorer(view, title, random_state=0) -> Interactive:
    """Interactive map of one event: take stations away, and watch the field and its uncertainty change.

    The page holds the stations' values and the covariance, and its script conditions the normal anew for each choice.
    It needs no internet and no library. On paper it shows all stations, and one in eight.

    Parameters
    ----------
    view : View
        From `seisbook.measures.field_structure.view`.
    title : str
        What is shown, in a few words.
    random_state : int
        Of the order in which the slider takes stations away.

    Returns
    -------
    Interactive
    """
    order = np.random.default_rng(random_state).permutation(len(view.codes))
    return Interactive(filled(EXPLORER, explored(view, title, order)), _frames(view, order))


def explored(view, title, order) -> dict:
    """What the page holds."""
    side = round(len(view.grid) ** 0.5)
    every = np.ones(len(view.codes), bool)
    mean, least = (part[: len(view.grid)] for part in conditioned(view, every))
    _, most = conditioned(view, ~every)
    stations = zip(view.codes, view.pos, view.value, view.prior, view.extra, strict=True)
    return {
        "title": title,
        "stations": [
            {"code": code, "x": _short(place[0]), "y": _short(place[1]), "value": _short(value), "prior": _short(prior)}
            | {"extra": _short(extra, 5)}
            for code, place, value, prior, extra in stations
        ],
        "order": order.tolist(),
        "side": side,
        "half": _short(view.grid.max()),
        "source": [_short(value) for value in view.source],
        "prior": [_short(value, 3) for value in view.grid_prior],
        "extra": _short(view.grid_extra, 5),
        "event": _short(view.event, 6),
        "own": _short(view.own, 6),
        "spatial": [_short(value, 6) for value in view.spatial],
        "range": view.range_km.tolist(),
        "reach": _short(view.reach, 4),
        "least": 1e-4,
        "scales": {
            "field": _scale(FIELD, mean.min(), mean.max()),
            "uncertainty": _scale(SPREAD, least.min(), most.max()),
        },
    }


def _short(value, digits=3):
    return round(float(value), digits)


def _scale(name, low, high):
    colours = [rgb2hex(colour) for colour in plt.get_cmap(name)(np.linspace(0, 1, COLOURS))]
    return {"low": _short(low), "high": _short(high), "colours": colours}


@styled
def _frames(view, order):
    """Field and uncertainty with all stations, and with one in eight."""
    side, half = round(len(view.grid) ** 0.5), view.grid.max()
    few = np.isin(np.arange(len(order)), order[: max(1, len(order) // 8)])
    frames = [conditioned(view, kept) for kept in (np.ones(len(order), bool), few)]
    fig, axes = plt.subplots(2, 2, figsize=(7.4, 6.2), sharex=True, sharey=True)
    for column, kept in enumerate((np.ones(len(order), bool), few)):
        for row, (colours, form) in enumerate(((FIELD, POWERS), (SPREAD, FACTOR))):
            axis, limits = axes[row, column], [frame[row][: side**2] for frame in frames]
            look = {"cmap": colours, "vmin": np.min(limits), "vmax": np.max(limits), "origin": "lower"}
            image = limits[column].reshape(side, side)
            drawn = axis.imshow(image, extent=(-half, half, -half, half), **look)
            axis.plot(*view.pos[kept].T, "o", color="white", markeredgecolor="black", markersize=3)
            axis.plot(*view.source, "*", color=S_COLOUR, markeredgecolor="black", markersize=10)
            axis.set(xlim=(-half, half), ylim=(-half, half))
            axis.grid(False)
            axis.xaxis.set_major_locator(MaxNLocator(5))
            if row == 0:
                axis.set_title(f"{kept.sum()} stations")
            if column:
                label = "peak velocity (cm/s)" if row == 0 else "half of the 90 % interval"
                fig.colorbar(drawn, ax=axes[row], format=form, label=label)
    for axis in axes[-1]:
        axis.set_xlabel("east (km)")
    for axis in axes[:, 0]:
        axis.set_ylabel("north (km)")
    return fig
