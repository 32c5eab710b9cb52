"""Figures of the model chapter: one event followed through the network, and all models side by side.

Our model is dark, its ablations blue, peers orange, the classical pipeline green; lines that no method makes (the
experts' error, the bound) are grey.
"""

import cartopy.crs as ccrs
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse

from seisbook.figures.intervals import whisker
from seisbook.figures.maps import base_map
from seisbook.figures.seismograms import wiggles
from seisbook.figures.style import DARK, DEGREES, HALO, P_COLOUR, S_COLOUR, logarithmic, styled
from seisbook.findings.comparison import QUANTILES, TITLES
from seisbook.measures.calibration import ellipse_radius
from seisbook.models.peers import OURS

OURS_COLOUR, ABLATION, PEER, CLASSICAL, LINE = "#111111", "#0072B2", "#E69F00", "#009E73", "#8c8c8c"


def hue(model):
    """The colour of a model's kind."""
    if model == "dynamic":
        return OURS_COLOUR
    return {"classical": CLASSICAL}.get(model, ABLATION if model in OURS else PEER)


# --------------------------------------------------------------------------------------------------- one event followed


@styled
def onsets(walk, sampling_rate_hz, stations=8):
    """Seismograms of the nearest stations, with the probability of P and S that the stem gives to each moment.

    Parameters
    ----------
    walk : seisbook.models.inspection.Walk
    sampling_rate_hz : float
    stations : int
        How many to show.

    Returns
    -------
    Figure
    """
    distance = np.hypot(*(walk.pos[:, :2] - walk.y[:2]).T)
    order = np.argsort(distance)[:stations]
    fig, axis = plt.subplots(figsize=(7.4, 1.3 + 0.42 * len(order)))
    wiggles(axis, walk.traces[order, 0], sampling_rate_hz)
    step_s = walk.traces.shape[-1] / sampling_rate_hz / walk.probability.shape[-1]
    time = np.arange(walk.probability.shape[-1]) * step_s
    for phase, colour in enumerate((P_COLOUR, S_COLOUR)):
        for row, station in enumerate(order):
            height = walk.probability[station, phase] / walk.probability[station, phase].max()
            axis.fill_between(time, row + 0.45, row + 0.45 - 0.9 * height, color=colour, alpha=0.55, linewidth=0)
        read = walk.read_s[order, phase]
        axis.plot(read, np.arange(len(order)) + 0.45, "|", color=colour, markersize=9, markeredgewidth=2)
    axis.set_yticks(range(len(order)), [f"{km:.0f}" for km in distance[order]])
    axis.set_ylabel("epicentral distance (km)")
    axis.set_ylim(len(order) - 0.4, -0.6)
    axis.set_xlim(*_around(walk, order, time[-1]))
    axis.set_xlabel("time after the first sample (s)")
    axis.grid(False)
    marks = [
        Line2D([], [], color=colour, linewidth=6, alpha=0.55, label=f"{name} by the stem")
        for name, colour in (("P", P_COLOUR), ("S", S_COLOUR))
    ]
    marks.append(Line2D([], [], color=DARK, marker="|", markersize=9, linestyle="none", label="as read"))
    fig.legend(handles=marks, loc="outside upper right", ncols=3)
    return fig


def _around(walk, order, end):
    """From a little before the first P to a little after the last S."""
    onset_s = walk.onset_s[order]
    margin = 0.15 * (onset_s.max() - onset_s.min()) + 1
    return max(0, onset_s.min() - margin), min(end, onset_s.max() + 2 * margin)


@styled
def rewiring(walk):
    """The graph of each block on the plan of the stations; edges that the first block has not are coloured.

    Parameters
    ----------
    walk : seisbook.models.inspection.Walk

    Returns
    -------
    Figure
    """
    fig, axes = plt.subplots(1, len(walk.neighbours), figsize=(7.4, 3.1))
    first = walk.neighbours[0]
    for i, (axis, graph) in enumerate(zip(np.atleast_1d(axes), walk.neighbours, strict=True)):
        for station, near in enumerate(graph):
            for neighbour in near:
                new = neighbour not in first[station]
                ends = walk.pos[[station, neighbour]]
                look = (
                    {"color": "#D55E00", "linewidth": 0.9, "zorder": 2}
                    if new
                    else {"color": "#c9c9c9", "linewidth": 0.7}
                )
                axis.plot(ends[:, 0], ends[:, 1], **look)
        delay = walk.onset_s[:, 0] - walk.onset_s[:, 0].min()
        drawn = axis.scatter(
            walk.pos[:, 0],
            walk.pos[:, 1],
            46,
            delay,
            marker="^",
            cmap="viridis_r",
            edgecolor="black",
            linewidth=0.7,
            zorder=3,
        )
        axis.plot(*walk.y[:2], "*", color="#D55E00", markersize=13, markeredgecolor="black", zorder=4)
        share = "" if i == 0 else f", {100 * walk.rewired()[i - 1]:.0f} % new"
        axis.set_title(f"block {i + 1}{share}")
        axis.set_xlabel("east (km)")
        axis.set_aspect("equal", adjustable="datalim")
        axis.grid(False)
        axis.tick_params(labelleft=i == 0)
    np.atleast_1d(axes)[0].set_ylabel("north (km)")
    fig.colorbar(drawn, ax=axes, label="P after the first (s)", shrink=0.85, pad=0.02)
    return fig


@styled
def estimates(walk, level=0.9):
    """Where each block puts the epicentre, and the model's ellipse; left with all stations, right close up.

    Parameters
    ----------
    walk : seisbook.models.inspection.Walk
    level : float
        Probability that the ellipse is predicted to hold.

    Returns
    -------
    Figure
    """
    fig, axes = plt.subplots(1, 2, figsize=(7.4, 3.6))
    places, tril = walk.estimates, walk.prediction.epicentre_tril[0].numpy()
    for axis in axes:
        axis.plot(walk.pos[:, 0], walk.pos[:, 1], "^", color="white", markeredgecolor="black", markersize=7)
        axis.plot(places[:, 0], places[:, 1], "-", color=LINE, linewidth=1)
        for i, (east, north, _) in enumerate(places[:-1]):
            axis.plot(east, north, "o", color="white", markeredgecolor=P_COLOUR, markeredgewidth=1.5, markersize=6)
            if axis is axes[1]:
                axis.annotate(
                    str(i + 1),
                    (east, north),
                    xytext=(5, 5),
                    textcoords="offset points",
                    color=P_COLOUR,
                    path_effects=HALO,
                )
        axis.plot(*places[-1, :2], "o", color=P_COLOUR, markersize=6)
        axis.plot(*walk.y[:2], "*", color=S_COLOUR, markeredgecolor="black", markersize=13)
        axis.add_patch(ellipse(places[-1, :2], tril, level))
        axis.set_aspect("equal", adjustable="datalim" if axis is axes[0] else "box")
        axis.set_xlabel("east (km)")
        axis.grid(False)
    axes[0].set_ylabel("north (km)")
    points = np.vstack([places[1:, :2], walk.y[:2]])
    centre, reach = points.mean(0), max(np.ptp(points, axis=0).max(), 2.5 * ellipse_radius(level) * tril.max(), 0.5)
    axes[1].set_xlim(centre[0] - 0.75 * reach, centre[0] + 0.75 * reach)
    axes[1].set_ylim(centre[1] - 0.75 * reach, centre[1] + 0.75 * reach)
    marks = [
        Line2D(
            [], [], marker="*", color=S_COLOUR, markeredgecolor="black", markersize=12, linestyle="none", label="label"
        ),
        Line2D(
            [],
            [],
            marker="o",
            color="white",
            markeredgecolor=P_COLOUR,
            linestyle="none",
            markersize=6,
            label="after each block",
        ),
        Line2D(
            [],
            [],
            marker="o",
            color=P_COLOUR,
            linestyle="none",
            markersize=6,
            label=f"prediction, {100 * level:.0f} % ellipse",
        ),
    ]
    fig.legend(handles=marks, loc="outside upper center", ncols=3)
    return fig


def ellipse(centre, tril, level, colour=P_COLOUR):
    """The ellipse that is predicted to hold an epicentre with this probability, as a patch."""
    values, vectors = np.linalg.eigh(tril @ tril.T)
    width, height = 2 * ellipse_radius(level) * np.sqrt(values[::-1])
    angle = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))
    return Ellipse(centre, width, height, angle=angle, facecolor=colour, alpha=0.18, edgecolor=colour)


@styled
def training_curve(history, first_phase):
    """Loss, and the median epicentral error of the validation events, against epochs.

    Parameters
    ----------
    history : list of dict
        `Locator.history_`.
    first_phase : int
        Epochs in which the stem is trained too; what follows is shaded.

    Returns
    -------
    Figure
    """
    table = pd.DataFrame(history)
    fig, axes = plt.subplots(1, len(table.columns), figsize=(7.4, 2.9))
    labels = {"loss": "loss", "epicentral_km": "validation error (km), median"}
    epochs = np.arange(1, len(table) + 1)
    for axis, (name, values) in zip(np.atleast_1d(axes), table.items(), strict=True):
        axis.axvspan(first_phase + 0.5, len(table) + 0.5, color="#f0f0f0", zorder=0)
        axis.plot(epochs, values, "o-", color=OURS_COLOUR, markersize=3)
        axis.set_xlabel("epoch")
        axis.set_ylabel(labels[name])
        if name == "epicentral_km":
            logarithmic(axis, "y")
    return fig


# ----------------------------------------------------------------------------------------------------------- all models


@styled
def forest(entries, split, expert=None, bound=None):
    """Median epicentral error and magnitude RMSE of every model, with 95 % intervals, one row of panels a network.

    Parameters
    ----------
    entries : list of dict
        Entries of `seisbook.findings.results.entries`.
    split : str
    expert : dict, optional
        By network, `seisbook.measures.expert_line.ExpertLine`.
    bound : dict, optional
        By network, the Cramér-Rao bound's medians (`epicentral_km`) and root mean squares (`magnitude`).

    Returns
    -------
    Figure
    """
    names = list(dict.fromkeys(entry["network"] for entry in entries if entry["split"] == split))
    chosen = {
        name: [entry for entry in entries if (entry["network"], entry["split"]) == (name, split)] for name in names
    }
    rows = max(len(models) for models in chosen.values())
    fig, axes = plt.subplots(len(names), 2, figsize=(7.4, len(names) * (0.9 + 0.22 * rows)), squeeze=False)
    for row, name in zip(axes, names, strict=True):
        models = sorted(chosen[name], key=lambda entry: -entry["epicentral_km"]["median"])
        for axis, (quantity, key) in zip(row, (("epicentral_km", "median"), ("magnitude", "rmse")), strict=True):
            _whiskers(axis, models, quantity, key)
        row[1].set_yticklabels([])
        row[0].set_title(name.capitalize())
        _reference_lines(row, expert and expert.get(name), bound and bound.get(name))
    axes[-1, 0].set_xlabel("median epicentral error (km)")
    axes[-1, 1].set_xlabel("RMSE of magnitude")
    return fig


def _whiskers(axis, entries, quantity, key):
    for y, entry in enumerate(entries):
        estimate = entry[quantity][key], *entry[quantity]["ci"]
        whisker(axis, estimate, y, hue(entry["model"]), size=5, capstyle="butt")
    axis.set_yticks(range(len(entries)), [TITLES[entry["model"]] for entry in entries])
    axis.set_ylim(-0.7, len(entries) - 0.3)
    axis.grid(axis="x")
    axis.grid(False, axis="y")
    if quantity == "epicentral_km":
        logarithmic(axis, "x")


def _reference_lines(row, expert, bound):
    if expert is not None:
        line = expert.epicentre_km
        row[0].axvspan(line.low, line.high, color=LINE, alpha=0.25, linewidth=0)
        row[0].axvline(line.value, color=LINE, linewidth=1.2)
        row[0].annotate(
            " experts", (line.value, 0.02), xycoords=row[0].get_xaxis_transform(), color="#555555", fontsize=9
        )
    if bound is not None:
        for axis, value in zip(row, (bound["epicentral_km"], bound["magnitude"]), strict=True):
            axis.axvline(value, color=LINE, linewidth=1.2, linestyle="--")
            axis.annotate(" bound", (value, 0.02), xycoords=axis.get_xaxis_transform(), color="#555555", fontsize=9)


@styled
def error_distributions(quantiles, experts):
    """Distribution functions of the epicentral error, one panel a network.

    Parameters
    ----------
    quantiles : dict
        By network and model, the values at `seisbook.findings.comparison.QUANTILES`.
    experts : dict
        By network, `seisbook.measures.expert_line.ExpertLine`.

    Returns
    -------
    Figure
    """
    fig, axes = plt.subplots(1, len(quantiles), figsize=(7.4, 3.4), sharey=True, squeeze=False)
    for axis, (network, models) in zip(axes[0], quantiles.items(), strict=True):
        ordered = sorted(models, key=lambda name: name in ("dynamic", "classical"))  # ours on top
        for model in ordered:
            width = 2.2 if model in ("dynamic", "classical") else 0.9
            axis.plot(models[model]["epicentral_km"], 100 * QUANTILES, color=hue(model), linewidth=width)
        axis.axvline(experts[network].epicentre_km.value, color=LINE, linewidth=1.2)
        axis.annotate(" experts", (experts[network].epicentre_km.value, 2), color="#555555", fontsize=9)
        logarithmic(axis, "x")
        axis.set_xlim(left=max(0.02, min(models[name]["epicentral_km"][2] for name in models)))
        axis.set_title(network.capitalize())
        axis.set_xlabel("epicentral error (km)")
    axes[0, 0].set_ylabel("share of events (%)")
    fig.legend(handles=_kinds(), loc="outside upper center", ncols=4)
    return fig


def _kinds():
    kinds = {"dynamic (ours)": OURS_COLOUR, "its ablations": ABLATION, "peers": PEER, "classical": CLASSICAL}
    return [Line2D([], [], color=colour, label=name) for name, colour in kinds.items()]


@styled
def strata(tables, properties=("azimuthal_gap", "nearest_station", "n_stations", "magnitude")):
    """Median epicentral error by property of the event, with 95 % intervals.

    Parameters
    ----------
    tables : dict
        By model and property, rows of `seisbook.measures.strata.stratify`.
    properties : sequence of str

    Returns
    -------
    Figure
    """
    fig, axes = plt.subplots(2, 2, figsize=(7.4, 5.4))
    for axis, by in zip(axes.flat, properties, strict=True):
        for shift, (model, by_property) in zip((-0.12, 0.12), tables.items(), strict=True):
            table = pd.DataFrame(by_property[by])
            name = table.columns[0]
            table = table[table.low_km.notna()].reset_index(drop=True)
            x = np.arange(len(table)) + shift
            axis.vlines(x, table.low_km.astype(float), table.high_km.astype(float), color=hue(model), linewidth=2)
            axis.plot(x, table.epicentral_km.astype(float), "o", color=hue(model), label=TITLES[model])
        texts = [f"≥ {text.removesuffix(' and more')}" if text.endswith("more") else text for text in table[name]]
        axis.set_xticks(
            np.arange(len(table)), [f"{text}\n{n}" for text, n in zip(texts, table.n, strict=True)], fontsize=8
        )
        axis.set_xlabel(f"{name}; number of events below")
        logarithmic(axis, "y")
    for axis in axes[:, 0]:
        axis.set_ylabel("median epicentral error (km)")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return fig


@styled
def error_maps(maps, network):
    """Median epicentral error by place, of several models on one network.

    Parameters
    ----------
    maps : dict
        By model, cells of `seisbook.findings.comparison.error_map`.
    network : Network

    Returns
    -------
    Figure
    """
    projection = ccrs.Mercator(central_longitude=network.centre[1])
    fig = plt.figure(figsize=(7.4, 4.6))
    tables = {model: pd.DataFrame(cells) for model, cells in maps.items()}
    every = pd.concat(tables.values())
    low, high = np.log10(every.epicentral_km.quantile([0.03, 0.97]))
    points = projection.transform_points(DEGREES, every.longitude.to_numpy(), every.latitude.to_numpy())[:, :2]
    corners = points.min(0), points.max(0)
    pad = 0.12 * (corners[1] - corners[0]).max()
    for i, (model, table) in enumerate(tables.items()):
        axis = fig.add_subplot(1, len(tables), i + 1, projection=projection)
        axis.set_title(TITLES[model])
        base_map(axis, network, (corners[0] - pad, corners[1] + pad))
        stations = network.station_table()
        axis.plot(
            stations.longitude,
            stations.latitude,
            "^",
            color="white",
            markeredgecolor="black",
            markersize=4,
            transform=DEGREES,
        )
        drawn = axis.scatter(
            table.longitude,
            table.latitude,
            18 + 6 * np.sqrt(table.n),
            np.log10(table.epicentral_km),
            vmin=low,
            vmax=high,
            cmap="magma_r",
            edgecolor="black",
            linewidth=0.4,
            transform=DEGREES,
            zorder=4,
        )
    bar = fig.colorbar(drawn, ax=fig.axes, orientation="horizontal", shrink=0.5, aspect=30, pad=0.02)
    ticks = [k * 10.0**power for power in range(-2, 3) for k in (1, 2, 5) if low <= np.log10(k * 10.0**power) <= high]
    bar.set_ticks(np.log10(ticks), labels=[f"{value:g}" for value in ticks])
    bar.set_label("median epicentral error (km)")
    return fig


@styled
def calibration(tables):
    """How often the label lies inside the ellipse that is predicted to hold it, before and after conformal stretching.

    Parameters
    ----------
    tables : dict
        By network and split, `coverage` and `conformal` rows of the record.

    Returns
    -------
    Figure
    """
    fig, axes = plt.subplots(1, len(tables), figsize=(7.4, 3.6), sharey=True, squeeze=False)
    styles = {"random": ("-", "o"), "time": ("--", "s")}
    for axis, (network, splits) in zip(axes[0], tables.items(), strict=True):
        axis.plot([0, 100], [0, 100], color=LINE, linewidth=1)
        for split, record in splits.items():
            line, marker = styles[split]
            rows = pd.DataFrame(record["coverage"]).query("quantity == 'epicentre'")
            axis.plot(100 * rows.level, 100 * rows.covered, line, marker=marker, color=PEER, markersize=4)
            rows = pd.DataFrame(record["conformal"])
            axis.plot(100 * rows.level, 100 * rows.covered, line, marker=marker, color=OURS_COLOUR, markersize=4)
        axis.set_title(network.capitalize())
        axis.set_xlabel("nominal coverage of the ellipse (%)")
        axis.set_aspect("equal")
    axes[0, 0].set_ylabel("events inside (%)")
    marks = [
        Line2D([], [], color=PEER, label="as predicted"),
        Line2D([], [], color=OURS_COLOUR, label="split-conformal"),
    ]
    marks += [
        Line2D([], [], color=DARK, linestyle=styles[split][0], label=f"{split} folds") for split in ("random", "time")
    ]
    fig.legend(handles=marks, loc="outside upper center", ncols=4)
    return fig
