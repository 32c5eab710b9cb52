"""The figures of the robustness study: one event degraded, and the growth of the error with severity."""

import textwrap
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.lines import Line2D

from seisbook.figures.model import ellipse
from seisbook.figures.style import DARK, LINE, S_COLOUR, Interactive, check_drawable, filled, logarithmic, styled
from seisbook.findings.comparison import TITLES
from seisbook.findings.robustness import DOUBLED
from seisbook.measures import perturbations
from seisbook.measures.calibration import ellipse_radius

EXPLORER = Path(__file__).with_name("robustness_explorer.html")
STATIONS = 6  # of an event whose seismograms are shown
POINTS = 240  # of a seismogram in the explorer
LOOKS = {
    "dynamic": {"color": DARK, "marker": "o"},
    "static": {"color": "#CC79A7", "marker": "s", "markerfacecolor": "white", "linestyle": "--"},
    "classical": {"color": "#E69F00", "marker": "D", "linestyle": ":"},
}
PEER_LOOKS = {
    "seismicgnn": {"color": "#0072B2", "marker": "o"},
    "attention": {"color": "#CC79A7", "marker": "s"},
    "transformer": {"color": "#E69F00", "marker": "D"},
    "gcn": {"color": "#009E73", "marker": "^"},
    "dgcnn": {"color": "#D55E00", "marker": "v"},
}
RATIOS = {"growth": "growth, ours over the peer's", "error": "worst error, ours over the peer's"}
REMEDY_LOOKS = {
    "none": {"color": DARK, "marker": "o", "label": "as they come"},
    "balanced": {"color": "#CC79A7", "marker": "s", "linestyle": "--", "markerfacecolor": "white", "label": "balanced"},
    "reweighted": {"color": "#E69F00", "marker": "D", "linestyle": ":", "label": "re-weighted"},
    "transferred": {"color": "#009E73", "marker": "^", "linestyle": "-.", "label": "transferred"},
}
ARM_LOOKS = {
    "as they are": {"color": DARK, "marker": "o"},
    "matching": {"color": "#CC79A7", "marker": "s", "linestyle": "--", "markerfacecolor": "white"},
    "all": {"color": "#E69F00", "marker": "D", "linestyle": ":"},
}
START_LOOKS = {
    "twin": {"color": DARK, "marker": "o", "label": "own twin"},
    "other": {
        "color": "#CC79A7",
        "marker": "s",
        "linestyle": "--",
        "markerfacecolor": "white",
        "label": "other network",
    },
    "resampled": {"color": "#009E73", "marker": "^", "linestyle": "none", "label": "other network, resampled"},
    "random": {"color": "#E69F00", "marker": "D", "linestyle": ":", "label": "random weights"},
}
QUANTITY_LABELS = {
    "epicentral_km": "epicentral error (km)",
    "depth_km": "depth error (km)",
    "magnitude": "magnitude RMSE",
}


# --------------------------------------------------------------------------------------------------- one event degraded


class Degraded(NamedTuple):
    """One event at one severity: what the model sees of it, and what it says.

    `traces` (stations, samples), vertical components, unit peak; `order`, the stations nearest to the label first;
    `pos` (stations, 2) in km; `epicentre` (2,) in km; `tril` (2, 2), Cholesky factor of the scale matrix; `error_km`.
    """

    severity: float | None
    traces: np.ndarray
    order: np.ndarray
    pos: np.ndarray
    epicentre: np.ndarray
    tril: np.ndarray
    error_km: float


@torch.no_grad()
def degrade(model, event, name, sampling_rate_hz, random_state=0) -> list[Degraded]:
    """One event as it is, and at each severity of an axis, with what a model says of it.

    Parameters
    ----------
    model : GraphModel
    event : Events
        Events with their seismograms; only the first one is used.
    name : str
        One of `seisbook.measures.perturbations.AXES`.
    sampling_rate_hz : float
    random_state : int
        Seed of the perturbation.
    """
    model.eval()
    steps = []
    for severity in (None, *perturbations.severities(name, sampling_rate_hz)):
        changed = event.select([0])
        if severity is not None:
            perturbation = perturbations.AXES[name].make(severity, random_state=random_state)
            changed = perturbation.apply(changed, sampling_rate_hz, progress=False)
        batch = changed.batch(np.array([0]))
        prediction = model.locate(model.encode(batch.traces, batch.amplitude, batch.mask), batch.pos, batch.mask)
        pos, label = changed.pos[:, :2].numpy(), changed.y[0, :2].numpy()
        epicentre = prediction.epicentre[0].numpy()
        steps.append(
            Degraded(
                severity,
                changed.x[:, 0].float().numpy(),
                np.argsort(np.hypot(*(pos - label).T)),
                pos,
                epicentre,
                prediction.epicentre_tril[0].numpy(),
                float(np.hypot(*(epicentre - label))),
            )
        )
    return steps


@styled
def degraded(steps, label, name, sampling_rate_hz, level=0.9):
    """The nearest station's seismogram at each severity, and the ellipses that a model draws from all stations.

    Parameters
    ----------
    steps : list of Degraded
    label : array_like, shape (2,)
        East and north in km.
    name : str
        Name of the axis.
    sampling_rate_hz : float
    level : float
        Probability that an ellipse is predicted to hold.

    Returns
    -------
    Figure
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.4, 3.4), width_ratios=(1.15, 1))
    about = perturbations.AXES[name]
    for row, (step, hue) in enumerate(zip(steps, _hues(steps), strict=True)):
        order = steps[0].order if len(step.traces) == len(steps[0].traces) else step.order
        trace = step.traces[order[0]]
        time = np.arange(len(trace)) / sampling_rate_hz
        left.plot(time, row + 0.45 * trace / max(np.abs(trace).max(), 1e-6), color=hue, linewidth=0.6, rasterized=True)
    words = ["as it is", *(f"{step.severity:g} {about.unit}" for step in steps[1:])]
    left.set_yticks(range(len(steps)), words)
    left.set_ylim(len(steps) - 0.4, -0.6)
    left.set_xlabel("time after the first sample (s)")
    left.grid(False)
    _located(right, steps, label, level)
    right.set(xlabel="east (km)", ylabel="north (km)")
    star = Line2D([], [], marker="*", color=S_COLOUR, markeredgecolor="black", markersize=12, linestyle="none")
    fig.legend([star], ["label"], loc="outside upper right")
    return fig


def _hues(steps):
    return plt.get_cmap("viridis")(np.linspace(0, 0.9, len(steps)))


def _located(axis, steps, label, level):
    """The label, the stations about it, and where the model sees the epicentre at each severity."""
    for step, hue in zip(steps, _hues(steps), strict=True):
        axis.add_patch(ellipse(step.epicentre, step.tril, level, hue))
        axis.plot(*step.epicentre, "o", color=hue, markersize=4)
    axis.plot(*label, "*", color=S_COLOUR, markeredgecolor="black", markersize=13)
    axis.plot(*steps[0].pos.T, "^", color="white", markeredgecolor="black", markersize=6, zorder=1)
    places = np.array([step.epicentre for step in steps] + [np.asarray(label)])
    reach = max(1.2 * np.abs(places - label).max(), 4 * steps[0].tril.max())
    axis.set(xlim=(label[0] - reach, label[0] + reach), ylim=(label[1] - reach, label[1] + reach), box_aspect=1)
    axis.grid(False)


def explorer(steps_by_axis, label, sampling_rate_hz) -> Interactive:
    """Interactive figure of one degraded event: choose a perturbation and a severity, see seismograms and location.

    It is plain HTML and SVG with a script of its own, and needs no internet and no library. On paper it shows all
    locations.

    Parameters
    ----------
    steps_by_axis : dict of str to list of Degraded
        The event at each severity, by name of the axis.
    label : array_like, shape (2,)
        East and north in km.
    sampling_rate_hz : float

    Returns
    -------
    Interactive
    """
    content = {
        "label": [round(float(coordinate), 2) for coordinate in label],
        "window": steps_by_axis[next(iter(steps_by_axis))][0].traces.shape[-1] / sampling_rate_hz,
        "axes": [
            {
                "title": f"{perturbations.AXES[name].title} ({perturbations.AXES[name].unit})",
                "steps": [_explored(step) for step in steps],
            }
            for name, steps in steps_by_axis.items()
        ],
    }
    page = filled(EXPLORER, content)
    return Interactive(page, _locations(steps_by_axis, label))


@styled
def _locations(steps_by_axis, label, columns=4, level=0.9):
    """Where the model sees the event under each perturbation, a panel each, from no severity (dark) to the last."""
    n_rows = -(-len(steps_by_axis) // columns)
    fig, axes = plt.subplots(n_rows, columns, figsize=(7.4, 0.4 + 2.2 * n_rows), squeeze=False)
    for axis, (name, steps) in zip(axes.flat, steps_by_axis.items(), strict=False):
        _located(axis, steps, label, level)
        about = perturbations.AXES[name]
        axis.set_title(textwrap.fill(f"{about.title}, to {steps[-1].severity:g} {about.unit}", 22), fontsize=8)
        axis.tick_params(labelsize=8)
    for axis in axes.flat[len(steps_by_axis) :]:
        axis.set_axis_off()
    for axis in axes[:, 0]:
        axis.set_ylabel("north (km)")
    for axis in list(axes.flat)[max(len(steps_by_axis) - columns, 0) : len(steps_by_axis)]:
        axis.set_xlabel("east (km)")
    return fig


def _explored(step):
    shown = step.traces[step.order[:STATIONS]]
    every = shown.shape[-1] // POINTS
    extremes = shown[:, : every * POINTS].reshape(len(shown), POINTS, every)
    largest = np.take_along_axis(extremes, np.abs(extremes).argmax(-1)[..., None], -1)[..., 0]
    return {
        "severity": "as it is" if step.severity is None else f"{step.severity:g}",
        "traces": np.round(99 * largest / np.abs(largest).max(1, keepdims=True).clip(1e-6)).astype(int).tolist(),
        "stations": np.round(step.pos, 1).tolist(),
        "epicentre": np.round(step.epicentre, 2).tolist(),
        "outline": np.round(_outline(step), 2).tolist(),
        "error": round(step.error_km, 1),
    }


def _outline(step, level=0.9, points=48):
    """Points of the ellipse that is predicted to hold the epicentre, (points, 2)."""
    angle = np.linspace(0, 2 * np.pi, points)
    circle = ellipse_radius(level) * np.column_stack([np.cos(angle), np.sin(angle)])
    return step.epicentre + circle @ step.tril.T


# ------------------------------------------------------------------------------------------------------ severity curves


@styled
def severity_curves(table, columns=3):
    """Growth of the median epicentral error, a panel for each network and axis, with 95 % intervals over events.

    Severities are in the order of harm, evenly spaced; the grey line is the doubled error.

    Parameters
    ----------
    table : DataFrame
        Table of `seisbook.findings.robustness.tabulate`, with the axes to be drawn. For several networks, choose as
        many columns as axes.
    columns : int

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If the table is empty.
    """
    check_drawable(table, "severity_curves")
    panels = list(table.groupby(["network", "axis"], sort=False))
    n_rows = -(-len(panels) // columns)
    fig, axes = plt.subplots(n_rows, columns, figsize=(7.4, 0.5 + 1.9 * n_rows), sharey="row", squeeze=False)
    for axis, ((network, name), rows) in zip(axes.flat, panels, strict=False):
        _curve(axis, rows, perturbations.AXES[name], 100 // columns)
        if table.network.nunique() > 1 and axis in axes[:, 0]:
            axis.set_title(network.capitalize())
    for axis in axes.flat[len(panels) :]:
        axis.set_visible(False)
    for axis in axes[:, 0]:
        axis.set_ylabel("growth (1)")
    handles = axes.flat[0].get_legend_handles_labels()
    fig.legend(*handles, loc="outside lower center", ncols=table.model.nunique())
    return fig


def _curve(axis, rows, about, width):
    severities = list(dict.fromkeys(rows.severity))
    axis.axhline(DOUBLED, color=LINE, linewidth=1)
    for i, (model, curve) in enumerate(rows.groupby("model", sort=False)):
        x = np.arange(len(curve)) + 0.12 * (i - 1)
        look = LOOKS.get(model, {"marker": "^"})
        axis.plot(x, curve.growth, label=model, linewidth=1.3, markersize=4, **look)
        axis.vlines(x, curve.low, curve.high, color=look.get("color"), linewidth=1)
    logarithmic(axis, "y")
    axis.set_xticks(range(len(severities)), [f"{severity:g}" for severity in severities])
    axis.set_xlabel(textwrap.fill(f"{about.title} ({about.unit})", width), fontsize=8.5)


# ---------------------------------------------------------------------------------------------------------------- peers


@styled
def against_peers(table):
    """Our model over each peer by group of perturbations: growths on the left, errors on the right; a row a network.

    Left of the grey line our model is the better one; marks are filled where the interval does not reach the line.

    Parameters
    ----------
    table : DataFrame
        Table of `seisbook.findings.robustness_peers.compare`.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If the table is empty.
    """
    check_drawable(table, "against_peers")
    names, groups = list(dict.fromkeys(table.network)), list(dict.fromkeys(table.group))
    size = 7.4, 0.8 + 0.55 * len(groups) * len(names)
    fig, axes = plt.subplots(len(names), 2, figsize=size, sharex="col", sharey=True, squeeze=False)
    for line, name in zip(axes, names, strict=True):
        rows = table[table.network == name]
        for axis, quantity in zip(line, RATIOS, strict=True):
            axis.axvline(1, color=LINE, linewidth=1)
            for i, (peer, comparison) in enumerate(rows.groupby("peer", sort=False)):
                _ratios(axis, comparison[quantity], 0.14 * (i - 2), peer)
            logarithmic(axis, "x")
        line[0].set_title(name.capitalize())
        line[0].set_yticks(range(len(groups)), groups)
        line[0].set_ylim(len(groups) - 0.5, -0.5)
    for axis, label in zip(axes[-1], RATIOS.values(), strict=True):
        axis.set_xlabel(label)
    marks = [
        Line2D([], [], label=TITLES[peer], linestyle="none", **PEER_LOOKS[peer]) for peer in dict.fromkeys(table.peer)
    ]
    fig.legend(handles=marks, loc="outside lower center", ncols=5)
    return fig


def _ratios(axis, ratios, aside, peer):
    for y, ratio in enumerate(ratios):
        look = {**PEER_LOOKS[peer], **({} if ratio.high < 1 or ratio.low > 1 else {"markerfacecolor": "white"})}
        axis.hlines(y + aside, ratio.low, ratio.high, color=look["color"], linewidth=1.2)
        axis.plot(ratio.value, y + aside, markersize=4.5, **look)


# ------------------------------------------------------------------------------------------------------------ imbalance


@styled
def imbalance(table, threshold=None):
    """Magnitude bias and RMSE of the largest tenth, by how many large training events are left, a column per network.

    Parameters
    ----------
    table : DataFrame
        Table of `seisbook.findings.imbalance.tabulate`.
    threshold : float, optional
        RMSE that was promised, drawn as a line.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If the table is empty.
    """
    check_drawable(table, "imbalance")
    names = list(dict.fromkeys(table.network))
    fig, axes = plt.subplots(2, len(names), figsize=(7.4, 4.4), sharex="col", sharey="row", squeeze=False)
    for column, name in zip(axes.T, names, strict=True):
        rows = table[(table.network == name) & (table.events == "largest tenth")]
        kept = sorted(set(rows.kept), reverse=True)
        for axis, quantity in zip(column, ("bias", "rmse"), strict=True):
            for i, (remedy, arm) in enumerate(rows.groupby("remedy", sort=False)):
                x = [kept.index(value) + 0.1 * (i - 1.5) for value in arm.kept]
                axis.plot(x, [estimate.value for estimate in arm[quantity]], markersize=5, **REMEDY_LOOKS[remedy])
                ends = [estimate.low for estimate in arm[quantity]], [estimate.high for estimate in arm[quantity]]
                axis.vlines(x, *ends, color=REMEDY_LOOKS[remedy]["color"], linewidth=1.2)
        column[0].axhline(0, color=LINE, linewidth=1)
        column[0].set_title(name.capitalize())
        if threshold is not None:
            column[1].axhline(threshold, color=LINE, linewidth=1)
        numbers = dict(zip(rows.kept, rows.n_large, strict=True))
        column[1].set_xticks(range(len(kept)), [f"{numbers[share]}" for share in kept])
        column[1].set_xlabel("large training events (number)")
        logarithmic(column[1], "y")
    axes[0, 0].set_ylabel("bias (magnitude)")
    axes[1, 0].set_ylabel("RMSE (magnitude)")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return fig


# -------------------------------------------------------------------------------------------- augmentation and transfer


@styled
def augmentation(table):
    """Median epicentral error against severity, by what training was augmented with; a row for each network.

    The intervals, 95 % over events, are those of the ratio to the error of training on events as they are.

    Parameters
    ----------
    table : DataFrame
        Table of `seisbook.findings.augmentation.tabulate`.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If the table is empty.
    """
    check_drawable(table, "augmentation")
    names, tests = list(dict.fromkeys(table.network)), [test for test in dict.fromkeys(table.axis) if test != "none"]
    size = 7.4, 0.7 + 2.0 * len(names)
    fig, axes = plt.subplots(len(names), len(tests), figsize=size, sharex="col", sharey="row", squeeze=False)
    for line, name in zip(axes, names, strict=True):
        rows = table[table.network == name]
        for axis, test in zip(line, tests, strict=True):
            _augmented(axis, rows[rows.axis.isin(["none", test])], test)
        line[0].set_ylabel(f"{name.capitalize()}\nepicentral error (km)")
    for axis, test in zip(axes[-1], tests, strict=True):
        about = perturbations.AXES[test]
        axis.set_xlabel(textwrap.fill(f"{about.title} ({about.unit})", 100 // len(tests)), fontsize=8.5)
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3, title="training events")
    return fig


def _augmented(axis, rows, test):
    plain = rows[rows.arm == "as they are"].epicentral_km.to_numpy()
    for i, (label, arm) in enumerate({"as they are": "as they are", "matching": test, "all": "all"}.items()):
        curve = rows[rows.arm == arm]
        x = np.arange(len(curve)) + 0.12 * (i - 1)
        axis.plot(x, curve.epicentral_km, label=label, linewidth=1.3, markersize=4, **ARM_LOOKS[label])
        if arm != "as they are":
            ends = ([ratio.low for ratio in curve.ratio] * plain, [ratio.high for ratio in curve.ratio] * plain)
            axis.vlines(x, *ends, color=ARM_LOOKS[label]["color"], linewidth=1)
    axis.set_xticks(range(len(plain)), ["none", *(f"{value:g}" for value in rows[rows.arm == "all"].severity[1:])])
    logarithmic(axis, "y")


@styled
def transfer(table):
    """Errors against the number of training events, by what training starts from; a column for each network.

    Parameters
    ----------
    table : DataFrame
        Table of `seisbook.findings.transfer.tabulate`.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If the table is empty.
    """
    check_drawable(table, "transfer")
    names = list(dict.fromkeys(table.network))
    sizes = [*sorted(set(table.n_train.dropna().astype(int))), "all"]
    fig, axes = plt.subplots(len(QUANTITY_LABELS), len(names), figsize=(7.4, 6.4), sharex=True, squeeze=False)
    for column, name in zip(axes.T, names, strict=True):
        column[0].set_title(name.capitalize())
        column[-1].set_xlabel("training events (number)")
        column[-1].set_xticks(range(len(sizes)), [str(size) for size in sizes])
        for axis, quantity in zip(column, QUANTITY_LABELS, strict=True):
            rows = table[(table.network == name) & (table.quantity == quantity)]
            for i, (start, look) in enumerate(START_LOOKS.items()):
                _started(axis, rows[rows.start == start], sizes, 0.1 * (i - 1.5), look)
            logarithmic(axis, "y", (1, 2, 3, 5))
    for axis, label in zip(axes[:, 0], QUANTITY_LABELS.values(), strict=True):
        axis.set_ylabel(label)
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return fig


def _started(axis, rows, sizes, aside, look):
    place = {size: i for i, size in enumerate(sizes)}
    at = [place["all" if np.isnan(n) else int(n)] for n in rows.n_train]
    order = np.argsort(at)
    estimates = [rows.estimate.iloc[i] for i in order]
    x = np.array(at)[order] + aside
    axis.plot(x, [estimate.value for estimate in estimates], markersize=5, linewidth=1.3, **look)
    ends = [estimate.low for estimate in estimates], [estimate.high for estimate in estimates]
    axis.vlines(x, *ends, color=look["color"], linewidth=1.2)


# ----------------------------------------------------------------------------------------------------- real seismograms


RECORDED = ("model, displacement", "robust model, displacement", "classical, own picks")


@styled
def recorded_events(estimates, truth, stations, methods=RECORDED):
    """Published epicentres of real events, and where a method puts them; above in plan, below in section.

    Parameters
    ----------
    estimates : dict of str to ndarray, shape (events, 4)
        Estimates by method, see `seisbook.studies.iceland.estimates`.
    truth : ndarray, shape (events, 4)
        Published east, north, depth in km, magnitude.
    stations : ndarray, shape (stations, 2)
        East and north in km.
    methods : sequence of str
        A column each.

    Returns
    -------
    Figure
    """
    fig, axes = plt.subplots(2, len(methods), figsize=(7.4, 5.6), sharex=True, sharey="row", height_ratios=(2, 1))
    for column, method in zip(axes.T, methods, strict=True):
        for axis, which in zip(column, (1, 2), strict=True):
            for true, estimate in zip(truth, estimates[method], strict=True):
                axis.plot([true[0], estimate[0]], [true[which], estimate[which]], color=LINE, linewidth=0.7)
            axis.plot(estimates[method][:, 0], estimates[method][:, which], "o", color=DARK, markersize=3.5)
            look = {"color": S_COLOUR, "markeredgecolor": "black", "markeredgewidth": 0.4}
            axis.plot(truth[:, 0], truth[:, which], "*", markersize=8, **look)
        column[0].plot(*stations.T, "^", color="white", markeredgecolor="black", markersize=6, zorder=1)
        column[0].set_title(textwrap.fill(method, 24))
        column[1].set_xlabel("east (km)")
    axes[0, 0].set_ylabel("north (km)")
    axes[1, 0].set_ylabel("depth (km)")
    axes[1, 0].invert_yaxis()
    marks = [
        Line2D([], [], marker="*", color=S_COLOUR, markeredgecolor="black", markersize=11, linestyle="none"),
        Line2D([], [], marker="o", color=DARK, markersize=4, linestyle="none"),
        Line2D([], [], marker="^", color="white", markeredgecolor="black", markersize=6, linestyle="none"),
    ]
    fig.legend(marks, ["published", "estimated", "station"], loc="outside lower center", ncols=3)
    return fig
