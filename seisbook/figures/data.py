"""The book's figures: each function draws one from catalogues and arrays, in one style, and returns it.

Colours mean the same everywhere: P blue, S vermilion, one colour for each network, real data dark and filled,
simulated data light and hatched. Captions belong to the chapters, so that no figure has a title beyond
its panels' labels.
"""

import logging

import matplotlib.pyplot as plt
import numpy as np

from seisbook.catalogues.geodesy import geometry
from seisbook.figures.style import BINS, HALO, P_COLOUR, PLAIN, S_COLOUR, colour, histogram, label, points, styled
from seisbook.measures.estimates import robust_std
from seisbook.measures.seismicity import b_value, completeness, wadati
from seisbook.physics.residuals import travel_time_residuals

logger = logging.getLogger(__name__)


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
        points(axis, p, s_minus_p, colour(catalogue))
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
        points(times, distance, catalogue.readings[f"path_{phase}_travel_s"], hue, f"{phase.upper()} readings")
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
    points(axis, distance, residual, hue)
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
        The network of each catalogue, in the same order.

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
            histogram(axis, table[column], bins, catalogue)
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
        Summaries of real catalogues.

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
    histogram(axis, values, bins, summary)
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
        histogram(axis, value, bins, summary, text)
    axis.set_ylim(0, 1.45 * axis.dataLim.y1)
    axis.legend(loc="upper right", title="median ± robust sd", title_fontsize=9, alignment="left")
