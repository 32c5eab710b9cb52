"""The book's figures: each function draws one from catalogues and arrays, in one style, and returns it.

Colours mean the same everywhere: P blue, S vermilion, one colour for each network, real data dark and filled,
simulated data light and hatched. Captions belong to the chapters, so that no figure has a title beyond
its panels' labels.
"""

import io
import json
import logging
from functools import wraps
from pathlib import Path

import cartopy.crs as ccrs
import matplotlib.pyplot as plt
import numpy as np
import shapely
from cartopy.feature import ShapelyFeature
from IPython.display import HTML
from matplotlib import patheffects
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from seisbook.errors import UserError
from seisbook.paths import DATA
from seisbook.statistics import (
    b_value,
    completeness,
    geometry,
    robust_std,
    travel_time_residuals,
    wadati,
)

logger = logging.getLogger(__name__)

STYLE = Path(__file__).with_name("seisbook.mplstyle")
P_COLOUR, S_COLOUR = "#0072B2", "#D55E00"
# told apart by a deuteranope, from each other and from P and S (tests/test_figures.py)
NETWORK_COLOURS = {"colombia": "#009E73", "ridgecrest": "#882255", "iceland": "#56B4E9"}
OTHER_NETWORK = "#E69F00"
LAND, WATER, LINE, DARK = "#f3f1ec", "#dfeaf2", "#8c8c8c", "#333333"
HALO = [patheffects.withStroke(linewidth=2.5, foreground="white")]
DEGREES = ccrs.PlateCarree()
BINS = 40
PLAIN = FuncFormatter(lambda value, _: f"{value:,g}")  # 0.1, 1, 1,000 on a logarithmic axis


def styled(draw):
    """Draw in the book's style; the figure is closed to pyplot, so that a notebook that returns it shows it once."""

    @wraps(draw)
    def figure(*args, **kwargs):
        with plt.style.context(STYLE):
            drawn = draw(*args, **kwargs)
            drawn.draw_without_rendering()  # what is laid out at drawing time takes its fonts from the style too
        plt.close(drawn)
        return drawn

    return figure


class Interactive(HTML):
    """A figure of its own HTML, SVG and script for pages, and beside it the picture that stands for it on paper.

    Parameters
    ----------
    page : str
    picture : Figure
        Of the same data.
    """

    def __init__(self, page, picture):
        super().__init__(page)
        self.picture = picture

    def _repr_png_(self):
        drawn = io.BytesIO()
        self.picture.savefig(drawn, format="png", bbox_inches="tight")
        return drawn.getvalue()


def check_drawable(content, what):
    """Refuse a table, list or dictionary without rows, of which the figure called `what` would be blank."""
    if not len(content):
        raise UserError(f"{what}: there is nothing to draw: run the study first, or `seisbook results --record`")


def logarithmic(axis, which, steps=(1, 2, 5)):
    """Make `axis` logarithmic along "x" or "y", with plain numbers at these multiples of the powers of ten."""
    getattr(axis, f"set_{which}scale")("log")
    target = getattr(axis, f"{which}axis")
    target.set_major_locator(LogLocator(subs=steps))
    target.set_major_formatter(PLAIN)
    target.set_minor_formatter(NullFormatter())


def colour(catalogue):
    """The colour of a network, lighter for simulated data."""
    strong = np.array(to_rgb(NETWORK_COLOURS.get(catalogue.network, OTHER_NETWORK)))
    return tuple(strong if catalogue.source != "simulated" else 0.5 + 0.5 * strong)


def label(catalogue):
    """Name of a network and its source, for a legend."""
    kind = {"simulated": "simulated twin", "waveform": "recorded"}.get(catalogue.source, catalogue.source)
    return f"{catalogue.network.replace('_', ' ').capitalize()}, {kind}"


def _histogram(axis, values, bins, catalogue, text=None):
    """Share of the values in each bin, in percent of all, those beyond the bins too: real filled, simulated hatched."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    hue, hatched = colour(catalogue), catalogue.source == "simulated"
    look = {"facecolor": "none", "hatch": "//////"} if hatched else {"facecolor": (*hue, 0.6)}
    share = np.full(values.size, 100 / max(values.size, 1))
    text = label(catalogue) if text is None else text
    axis.hist(values, bins, weights=share, histtype="stepfilled", edgecolor=hue, linewidth=1.3, label=text, **look)


def _points(axis, x, y, colour, label=None):
    axis.plot(x, y, ".", color=colour, markersize=2.4, alpha=0.4, markeredgewidth=0, rasterized=True)
    axis.plot([], [], "o", color=colour, label=label)


# ---------------------------------------------------------------------------------------------------------------- maps


def geography(name):
    """Coast, borders and landmarks of a network's region, as shipped in `data/geography`.

    Returns
    -------
    dict
        From kind (`land`, `border`, `state_border`, `place`) to a list of (properties, shapely geometry); empty for a
        network whose region the book does not ship.
    """
    path = DATA / "geography" / f"{name}.geojson"
    if not path.is_file():
        logger.info("no coastline for network %s: its map shows stations and events only", name)
        return {}
    kinds = {}
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        properties = feature["properties"]
        kinds.setdefault(properties["kind"], []).append((properties, shapely.geometry.shape(feature["geometry"])))
    return kinds


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
        _base_map(axis, network, _extent(catalogue, network, projection))
        _stations(axis, catalogue, network)
        _events(fig, axis, catalogue, width=0.4 * len(networks))
    fig.legend(handles=_map_legend(), loc="outside lower center", ncols=6, columnspacing=1.2, handletextpad=0.3)
    return fig


def _extent(catalogue, network, projection, aspect=0.88):
    """Corners of the map in projected metres: most events and the stations that record them, at a fixed aspect."""
    stations = network.station_table()[_share_recorded(catalogue, network) >= 0.02]
    events = catalogue.events[["source_longitude_deg", "source_latitude_deg"]].quantile([0.005, 0.995])
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


def _base_map(axis, network, extent):
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
    lines.xlocator, lines.ylocator = MaxNLocator(3), MaxNLocator(5)
    _scale_bar(axis, network.centre[0])


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


# ---------------------------------------------------------------------------------------------------------- seismograms


@styled
def record_section(traces, codes, distance_km, p_s, s_s, sampling_rate_hz):
    """Seismograms of one event from the nearest station down to the farthest, with the P and S onsets.

    Traces are evenly spaced and scaled to their own peak: at their true distances they would overlap.

    Parameters
    ----------
    traces : ndarray, shape (stations, samples)
        One component.
    codes : list of str
    distance_km : array_like, shape (stations,)
        Epicentral distances.
    p_s, s_s : array_like, shape (stations,)
        Onsets in seconds after the first sample; NaN where there is none.
    sampling_rate_hz : float

    Returns
    -------
    Figure
    """
    order = np.argsort(distance_km)
    traces = np.asarray(traces, float)[order]
    onsets = {"P": np.asarray(p_s, float)[order], "S": np.asarray(s_s, float)[order]}
    fig, axis = plt.subplots(figsize=(7.4, 1.2 + 0.32 * len(order)))
    _wiggles(axis, traces, sampling_rate_hz)
    for phase, hue in (("P", P_COLOUR), ("S", S_COLOUR)):
        within = np.flatnonzero((onsets[phase] >= 0) & (onsets[phase] * sampling_rate_hz < traces.shape[1]))
        axis.vlines(onsets[phase][within], within - 0.42, within + 0.42, color=hue, linewidth=2, label=f"{phase} onset")
    axis.set_yticks(range(len(order)), [f"{codes[i]}  {distance_km[i]:.0f}" for i in order])
    axis.set_ylim(len(order) - 0.4, -0.6)
    axis.set_ylabel("station and epicentral distance (km)")
    axis.set_xlabel("time after the first sample (s)")
    axis.grid(False)
    fig.legend(loc="outside upper right", ncols=2)
    return fig


def _wiggles(axis, traces, sampling_rate_hz):
    """Each trace on its own line, scaled to its peak, upwards on an axis that points down."""
    time = np.arange(traces.shape[1]) / sampling_rate_hz
    peak = np.nanmax(np.abs(traces), axis=1, keepdims=True)
    scaled = 0.48 * traces / np.where(peak > 0, peak, 1)
    for row, trace in enumerate(scaled):
        axis.plot(time, row - trace, color=DARK, linewidth=0.5, rasterized=True)
    axis.set_xlim(0, time[-1])


@styled
def rendering_steps(steps, real=None):
    """How a seismogram was rendered, step by step, beside one that an instrument recorded.

    Parameters
    ----------
    steps : dict
        `noise`, `envelope`, `signal`, `trace`: arrays of one length, the white noise that rendering starts from, the
        envelope that windows it, the shaped and scaled signal (nm) and the signal with the station's noise (nm);
        `sampling_rate_hz`; `p_s`, `s_s`: onsets in seconds after the first sample.
    real : dict, optional
        `trace` in any unit, its `sampling_rate_hz`, `p_s` and `s_s`.

    Returns
    -------
    Figure
    """
    fig = plt.figure(figsize=(7.4, 6.0))
    axes = fig.subplot_mosaic(
        [["noise", "spectrum"], ["window", "spectrum"], ["signal", "real"], ["trace", "real"]], width_ratios=[1.15, 1]
    )
    window, peak = steps["envelope"] * steps["noise"], np.max(steps["envelope"])
    _trace(axes["noise"], steps["noise"], steps, "a  white noise", "amplitude (σ)")
    _trace(axes["window"], window / peak, steps, "b  windowed by the envelope", "amplitude (σ)")
    time = np.arange(len(window)) / steps["sampling_rate_hz"]
    for sign in (-3, 3):
        axes["window"].plot(time, sign * steps["envelope"] / peak, color="black", linewidth=1)
    _trace(axes["signal"], steps["signal"], steps, "c  spectrum shaped, peak scaled", "trace (nm)")
    _trace(axes["trace"], steps["trace"], steps, "d  with the station's noise", "trace (nm)")
    if real is None:
        axes["real"].set_axis_off()
        axes["real"].text(0.5, 0.5, "recorded seismogram:\nnot on this machine", ha="center", va="center")
    else:
        relative = real["trace"] / np.max(np.abs(real["trace"]))
        _trace(axes["real"], relative, real, "f  recorded seismogram", "relative to its peak (1)")
    _spectra(axes["spectrum"], steps, real)
    for name in ("trace", "real"):
        axes[name].set_xlabel("time after the first sample (s)")
    fig.align_ylabels([axes[name] for name in ("noise", "window", "signal", "trace")])
    return fig


def _trace(axis, trace, onsets, title, unit):
    """One seismogram with its onsets marked."""
    time = np.arange(len(trace)) / onsets["sampling_rate_hz"]
    axis.plot(time, trace, color=DARK, linewidth=0.5, rasterized=True)
    for phase, hue in (("P", P_COLOUR), ("S", S_COLOUR)):
        axis.axvline(onsets[f"{phase.lower()}_s"], color=hue, linewidth=1.6)
        place = {"xycoords": axis.get_xaxis_transform(), "xytext": (3, -1), "textcoords": "offset points", "va": "top"}
        axis.annotate(phase, (onsets[f"{phase.lower()}_s"], 1), color=hue, weight="bold", path_effects=HALO, **place)
    axis.set(title=title, ylabel=unit, xlim=(0, time[-1]))
    axis.grid(False)


def _spectra(axis, steps, real):
    """Amplitude spectra from the P onset on, rendered and recorded, each relative to its maximum."""
    for one, hue, text in ((steps, "#0072B2", "rendered"), (real, DARK, "recorded")):
        if one is None:
            continue
        trace = one["trace"][round(one["p_s"] * one["sampling_rate_hz"]) :]
        frequency = np.fft.rfftfreq(len(trace), 1 / one["sampling_rate_hz"])
        amplitude = np.abs(np.fft.rfft(trace * np.hanning(len(trace))))
        edges = np.geomspace(0.2, frequency[-1], 40)
        bins = np.digitize(frequency, edges)
        filled = [i for i in range(1, len(edges)) if (bins == i).any()]
        smooth = np.array([np.sqrt(np.mean(amplitude[bins == i] ** 2)) for i in filled])
        axis.plot([np.sqrt(edges[i - 1] * edges[i]) for i in filled], smooth / smooth.max(), color=hue, label=text)
    axis.set(title="e  spectra of d and f", xscale="log", yscale="log", xlabel="frequency (Hz)")
    axis.set_ylabel("relative to its maximum (1)")
    axis.xaxis.set_major_formatter(PLAIN)
    axis.legend(loc="lower left")


# -------------------------------------------------------------------------------------------------- catalogue panels


@styled
def wadati_diagram(catalogues):
    """S minus P time against P travel time, with the Vp/Vs that it implies, one panel a catalogue.

    Parameters
    ----------
    catalogues : list of Catalogue

    Returns
    -------
    Figure
    """
    fig, axes = plt.subplots(1, len(catalogues), figsize=(7.4, 3.4), squeeze=False)
    for axis, catalogue in zip(axes[0], catalogues, strict=True):
        pairs = catalogue.readings.dropna(subset=["path_p_travel_s", "path_s_travel_s"])
        p, s_minus_p = pairs.path_p_travel_s, pairs.path_s_travel_s - pairs.path_p_travel_s
        ratio = wadati(p, pairs.path_s_travel_s, pairs.source_id)
        _points(axis, p, s_minus_p, colour(catalogue))
        ends = np.array([0, p.quantile(0.995)])
        axis.plot(ends, (ratio.value - 1) * ends, color="black", linewidth=1.2)
        text = f"$v_P/v_S$ = {ratio.value:.3f}\n[{ratio.low:.3f}, {ratio.high:.3f}]\n{len(pairs):,} readings"
        axis.text(0.04, 0.96, text, transform=axis.transAxes, va="top", fontsize=9, path_effects=HALO)
        axis.set(title=label(catalogue), xlabel="P travel time (s)", xlim=(0, ends[1]))
        axis.set_ylim(0, 1.4 * (ratio.value - 1) * ends[1])
    axes[0, 0].set_ylabel("S minus P time (s)")
    return fig


@styled
def travel_time_curves(catalogue, network, travel_times):
    """Onsets read against those of the 1-D model: travel times on the left, residuals on the right.

    The curves are the model's for the 10th, 50th and 90th percentile of depth; the bars are medians and robust standard
    deviations of the residuals in ten equally filled bins of distance.

    Parameters
    ----------
    catalogue : Catalogue
    network : Network
    travel_times : TravelTimes

    Returns
    -------
    Figure
    """
    table = travel_time_residuals(catalogue, network, travel_times)
    distance = table.path_ep_distance_km
    fig, (times, residuals) = plt.subplots(1, 2, figsize=(7.4, 3.8))
    reach, limits = distance.quantile(0.99), []
    for phase, hue in (("p", P_COLOUR), ("s", S_COLOUR)):
        _points(times, distance, catalogue.readings[f"path_{phase}_travel_s"], hue, f"{phase.upper()} readings")
        text, offset = f"{phase.upper()}, median ± robust sd", 0.012 * reach * (phase == "s")
        limits.append(_binned_residuals(residuals, distance, table[f"{phase}_residual_s"], hue, text, offset))
    _model_curves(times, catalogue, travel_times, reach)
    latest = catalogue.readings.path_s_travel_s.where(distance <= reach).quantile(0.999)
    times.set(xlabel="epicentral distance (km)", ylabel="travel time (s)", xlim=(0, reach), ylim=(0, 1.35 * latest))
    times.legend(loc="upper left")
    residuals.axhline(0, color="black", linewidth=0.8)
    residuals.set(xlabel="epicentral distance (km)", ylabel="reading minus model (s)", xlim=(0, reach))
    residuals.set_ylim(-max(limits), max(limits))
    residuals.legend(loc="upper left")
    return fig


def _model_curves(axis, catalogue, travel_times, reach):
    distance = np.linspace(0, reach, 200)
    for depth, style in zip(catalogue.events.source_depth_km.quantile([0.1, 0.5, 0.9]), (":", "-", "--"), strict=True):
        look = {"linestyle": style, "color": "black", "linewidth": 1.1}
        axis.plot(distance, travel_times.p(distance, depth), label=f"model, {depth:.0f} km deep", **look)
        axis.plot(distance, travel_times.s(distance, depth), **look)


def _binned_residuals(axis, distance, residual, hue, text, offset):
    """Residuals and, in ten equally filled bins of distance, their median and robust standard deviation."""
    known = residual.notna() & distance.notna()
    distance, residual = distance[known], residual[known]
    _points(axis, distance, residual, hue)
    bins = np.digitize(distance, np.quantile(distance, np.linspace(0.1, 0.9, 9)))
    groups = residual.groupby(bins)
    look = {
        "color": hue,
        "markeredgecolor": "black",
        "capsize": 2.5,
        "linewidth": 1.8,
        "markersize": 5,
        "path_effects": HALO,
    }
    centres = distance.groupby(bins).median() + offset
    axis.errorbar(centres, groups.median(), groups.agg(robust_std), fmt="o", label=text, **look)
    return 6 * robust_std(residual)


@styled
def magnitude_frequency(catalogues, bin_width=0.1):
    """Magnitude-frequency distributions with the magnitude of completeness and the b-value, one panel a catalogue.

    Parameters
    ----------
    catalogues : list of Catalogue
    bin_width : float

    Returns
    -------
    Figure
    """
    fig, axes = plt.subplots(1, len(catalogues), figsize=(7.4, 3.4), sharey=True, squeeze=False)
    for axis, catalogue in zip(axes[0], catalogues, strict=True):
        _gutenberg_richter(axis, catalogue, bin_width)
        axis.set(title=label(catalogue), xlabel="magnitude ($M_L$)", yscale="log")
    axes[0, 0].set_ylabel("events (count)")
    axes[0, 0].set_ylim(0.7, 5 * max(len(catalogue) for catalogue in catalogues))
    axes[0, 0].yaxis.set_major_formatter(PLAIN)
    return fig


def _gutenberg_richter(axis, catalogue, bin_width):
    magnitudes = catalogue.events.source_magnitude.dropna().to_numpy()
    bins = np.round(magnitudes / bin_width).astype(int)
    grid = np.arange(bins.min(), bins.max() + 1)
    incremental = np.array([(bins == i).sum() for i in grid])
    cumulative = incremental[::-1].cumsum()[::-1]
    mc = completeness(magnitudes, bin_width)
    b, error = b_value(magnitudes, mc, bin_width)
    hue = colour(catalogue)
    axis.bar(grid * bin_width, incremental, bin_width * 0.85, color=hue, alpha=0.45, label="in each bin")
    axis.plot(grid * bin_width, cumulative, "o", color=hue, markersize=3.5, label="of at least $M$")
    line = np.array([mc, magnitudes.max()])
    axis.plot(line, cumulative[grid >= round(mc / bin_width)][0] * 10 ** (-b * (line - mc)), "k-", linewidth=1.2)
    axis.axvline(mc, color="black", linestyle=":", linewidth=1.2)
    text = f"$M_c$ = {mc:.1f}\n$b$ = {b:.2f} ± {1.96 * error:.2f}"
    axis.text(0.97, 0.78, text, transform=axis.transAxes, ha="right", va="top", fontsize=9, path_effects=HALO)
    axis.legend(loc="upper right")


@styled
def event_geometry(catalogues, networks):
    """Stations per event, azimuthal gap and distance of the nearest station, all catalogues overlaid.

    Parameters
    ----------
    catalogues : list of Catalogue
    networks : list of Network
        Of each catalogue, in the same order.

    Returns
    -------
    Figure
    """
    tables = [geometry(catalogue, network) for catalogue, network in zip(catalogues, networks, strict=True)]
    fig, axes = plt.subplots(1, 3, figsize=(7.4, 3.2), sharey=False)
    columns = {
        "n_stations": ("stations per event (count)", _count_bins([table.n_stations for table in tables])),
        "azimuthal_gap_deg": ("azimuthal gap (°)", np.arange(0, 361, 20)),
        "nearest_station_km": ("nearest station (km)", np.geomspace(1, 1000, 25)),
    }
    for axis, (column, (text, bins)) in zip(axes, columns.items(), strict=True):
        for catalogue, table in zip(catalogues, tables, strict=True):
            _histogram(axis, table[column], bins, catalogue)
        axis.set_xlabel(text)
    axes[1].set_xticks([0, 90, 180, 270, 360])
    axes[2].set_xscale("log")
    axes[2].xaxis.set_major_formatter(PLAIN)
    axes[0].set_ylabel("share of events (%)")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return fig


def _count_bins(samples):
    """Bins for whole numbers up to the 99th percentile of the samples: one number each, or several where too many."""
    most = max(np.quantile(sample, 0.99) for sample in samples)
    return np.arange(-0.5, most + 1.5, max(1, most // BINS))


@styled
def label_uncertainty(summaries):
    """How uncertain the labels are: the experts' errors, with the expert line of each network.

    Parameters
    ----------
    summaries : list of Summary
        Of real catalogues.

    Returns
    -------
    Figure
    """
    fig, axes = plt.subplots(1, 3, figsize=(7.4, 3.3))
    for summary in summaries:
        errors, line = summary.distributions, summary.expert_line
        _errors(axes[0], summary, errors["error_epicentre_km"], line.epicentre_km, np.geomspace(0.1, 100, BINS))
        _errors(axes[1], summary, errors["error_depth_km"], line.depth_km, np.geomspace(0.1, 100, BINS))
        if line.magnitude_sd is not None:
            text = f"{line.magnitude_bias.value:+.2f} ± {line.magnitude_sd.value:.2f}"
            _errors(axes[2], summary, errors["error_magnitude"], line.magnitude_bias, np.arange(-1.05, 1.06, 0.1), text)
    for axis, text in zip(
        axes, ("error of epicentre (km)", "error of depth (km)", "magnitude difference ($M_L$)"), strict=True
    ):
        axis.set_xlabel(text)
    for axis in axes[:2]:
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(PLAIN)
    axes[0].set_ylabel("share of events (%)")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return fig


def _errors(axis, summary, values, line, bins, text=None):
    """Distribution of one error, its expert line (median) and the interval of that."""
    _histogram(axis, values, bins, summary)
    hue = np.array(colour(summary)) * 0.6
    axis.axvspan(line.low, line.high, color=hue, alpha=0.3, linewidth=0)
    axis.axvline(line.value, color=hue, linewidth=1.6)
    axis.set_ylim(0, max(axis.get_ylim()[1], 1.3 * axis.dataLim.y1))
    side, gap = ("right", -4) if summary.network == "ridgecrest" else ("left", 4)  # of the line, so that two fit
    place = {"xycoords": axis.get_xaxis_transform(), "textcoords": "offset points", "xytext": (gap, 0), "ha": side}
    text = text or f"{line.value:#.2g} km"
    axis.annotate(text, (line.value, 0.99), va="top", color=hue, fontsize=9, path_effects=HALO, **place)


@styled
def real_against_simulated(real, simulated):
    """The twin beside the network that it imitates: residuals of onsets and amplitudes, and stations per event.

    Parameters
    ----------
    real, simulated : Summary

    Returns
    -------
    Figure
    """
    fig, axes = plt.subplots(2, 2, figsize=(7.4, 5.4))
    columns = {
        "p_residual_s": "P reading minus model (s)",
        "s_residual_s": "S reading minus model (s)",
        "station_residual": "amplitude minus relation (log10 units)",
        "n_stations": "stations per event (count)",
    }
    for axis, (column, text) in zip(axes.flat, columns.items(), strict=True):
        _compare(axis, column, (real, simulated))
        axis.set_xlabel(text)
    for axis in axes.flat[:3]:
        axis.set_ylabel("share of readings (%)")
    axes[1, 1].set_ylabel("share of events (%)")
    return fig


def _compare(axis, column, summaries):
    values = [np.array(summary.distributions[column]) for summary in summaries]
    if column == "n_stations":
        bins = _count_bins(values)
    else:
        bins = max(5 * robust_std(value) for value in values) * np.linspace(-1, 1, BINS)
    for summary, value in zip(summaries, values, strict=True):
        median = round(np.median(value), 2) + 0.0  # no minus zero
        text = f"{summary.source}: {median:.2f} ± {robust_std(value):.2f}"
        _histogram(axis, value, bins, summary, text)
    axis.set_ylim(0, 1.45 * axis.dataLim.y1)
    axis.legend(loc="upper right", title="median ± robust sd", title_fontsize=9, alignment="left")
