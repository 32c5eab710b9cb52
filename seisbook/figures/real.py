"""The figures of real seismograms: the arms, the events on their map, the critic's view, and what real events buy."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.ledger import LOOK
from seisbook.figures.model import ellipse
from seisbook.figures.style import DARK, LINE, P_COLOUR, S_COLOUR, SERIES, check_drawable, logarithmic, styled
from seisbook.findings import quotations
from seisbook.findings.real import CLASSICAL, CRITIC, NETWORK, TARGETS, TITLES, TUNED_KM, UNITS

COLOURS = dict(zip(UNITS, SERIES, strict=False))
APART = {"counts": -0.17, "displacement": 0.17}
ELLIPSE = 0.9
RENDERED, REAL = SERIES[4], DARK


@styled
def record_sections(shown, component=0):
    """Seismograms of one event, rendered and real, a panel each; the same stations, the nearest at the top.

    Each trace is scaled to its own peak. Lines are the P and S onsets that were read.

    Parameters
    ----------
    shown : dict of str to Section
        Of `seisbook.datasets.side_by_side.sections`, by title.
    component : int
        Which of Z, N, E.

    Returns
    -------
    Figure
    """
    check_drawable(shown, "record_sections")
    most = max(len(section.codes) for section in shown.values())
    fig, axes = plt.subplots(1, len(shown), figsize=(7.4, 1.2 + 0.32 * most), sharex=True, sharey=True, squeeze=False)
    for axis, (title, section) in zip(axes[0], shown.items(), strict=True):
        for row, trace in enumerate(section.traces[:, component]):
            time = section.start_s[row] + np.arange(len(trace)) / section.sampling_rate_hz
            axis.plot(time, row - 0.48 * trace / max(np.abs(trace).max(), 1e-30), color=DARK, linewidth=0.5)
        for column, colour in enumerate((P_COLOUR, S_COLOUR)):
            rows = np.flatnonzero(np.isfinite(section.onset_s[:, column]))
            axis.vlines(section.onset_s[rows, column], rows - 0.42, rows + 0.42, color=colour, linewidth=1.5)
        names = [f"{code}  {km:.0f}" for code, km in zip(section.codes, section.distance_km, strict=True)]
        axis.set_yticks(range(len(names)), names)
        axis.set_ylim(len(names) - 0.4, -0.6)
        axis.set_title(title, fontsize=9)
        axis.set_xlabel("time after the origin (s)")
        axis.grid(False)
    axes[0, 0].set_ylabel("station and epicentral distance (km)")
    marks = [Line2D([], [], color=hue, label=f"{wave} onset") for wave, hue in (("P", P_COLOUR), ("S", S_COLOUR))]
    fig.legend(handles=marks, loc="outside lower center", ncols=2)
    return fig


@styled
def arms(ladder):
    """Median epicentral error of each arm on the real events, with 95 % intervals over events; dashed is the target.

    Parameters
    ----------
    ladder : DataFrame
        Of `seisbook.findings.real.ladder`.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If the table is empty.
    """
    check_drawable(ladder, "arms")
    names = list(dict.fromkeys(ladder.arm))
    fig, axis = plt.subplots(figsize=(7.4, 4.4))
    axis.axvline(TARGETS["epicentre_km"], color=LINE, linewidth=1.2, linestyle="--")
    for row in ladder.itertuples():
        own = row.arm in CLASSICAL
        y = names.index(row.arm) + (0 if own else APART[row.unit])
        whisker(axis, row.epicentre_km, y, DARK if own else COLOURS[row.unit], marker="D" if own else "o")
    name_rows(axis, [textwrap.fill(TITLES[arm], 30) for arm in names])
    logarithmic(axis, "x", (1, 2, 3, 5))
    axis.set_xlabel("median epicentral error (km)")
    marks = [Line2D([], [], marker="o", color=COLOURS[unit], label=title) for unit, title in UNITS.items()]
    marks.append(Line2D([], [], marker="D", color=DARK, label="picks (classical)"))
    marks.append(Line2D([], [], color=LINE, linestyle="--", label="target"))
    fig.legend(handles=marks, loc="outside lower center", ncols=4)
    return fig


@styled
def events_map(shown, labels, places):
    """Published epicentres, estimates with their ellipses, and stations; a panel for each estimate.

    Parameters
    ----------
    shown : dict of str to dict
        By title, a result of the study, with `estimate` and `tril`.
    labels : ndarray, shape (events, 4)
        East, north, depth in km, magnitude.
    places : ndarray, shape (stations, 2)
        East and north of the stations in km.

    Returns
    -------
    Figure
    """
    check_drawable(shown, "events_map")
    fig, axes = plt.subplots(1, len(shown), figsize=(7.4, 4.0), sharex=True, sharey=True, squeeze=False)
    for axis, (title, found) in zip(axes[0], shown.items(), strict=True):
        axis.plot(*places.T, "^", color=LINE, markersize=6, markerfacecolor="white")
        for place, tril, label in zip(np.array(found["estimate"]), np.array(found["tril"]), labels, strict=True):
            axis.plot(*np.stack([label[:2], place[:2]]).T, color=LINE, linewidth=0.7)
            axis.add_patch(ellipse(place[:2], tril.reshape(2, 2), ELLIPSE))
            axis.plot(*place[:2], "o", color=P_COLOUR, markersize=3.5)
        axis.plot(*labels[:, :2].T, "*", color=S_COLOUR, markersize=6)
        axis.set_title(title, fontsize=9)
        axis.set_aspect("equal")
        axis.set_xlabel("east (km)")
    axes[0, 0].set_ylabel("north (km)")
    reach = 4 + np.abs(places).max(0)
    axes[0, 0].set(xlim=(-reach[0], reach[0]), ylim=(-reach[1], reach[1]))
    fig.legend(handles=_map_legend(), loc="outside lower center", ncols=4)
    return fig


def _map_legend():
    return [
        Line2D([], [], marker="*", linestyle="", color=S_COLOUR, label="published"),
        Line2D([], [], marker="o", linestyle="", color=P_COLOUR, label="estimate"),
        Patch(facecolor="none", edgecolor=P_COLOUR, label=f"{ELLIPSE:.0%} ellipse"),
        Line2D([], [], marker="^", linestyle="", color=LINE, markerfacecolor="white", label="station"),
    ]


@styled
def statistics(tables):
    """What a critic looks at: quartiles of each statistic of rendered records, in units of the real records' quartiles.

    The grey band is the middle half of the real records. Bars are the middle half of the rendered ones.

    Parameters
    ----------
    tables : dict of str to DataFrame
        Of `seisbook.findings.real.statistics`, by title.

    Returns
    -------
    Figure
    """
    check_drawable(tables, "statistics")
    fig, axis = plt.subplots(figsize=(7.4, 4.4))
    names = list(dict.fromkeys(next(iter(tables.values())).statistic))
    axis.axvspan(-1, 1, color=LINE, alpha=0.25, linewidth=0)
    shifts = np.linspace(-0.22, 0.22, len(tables)) if len(tables) > 1 else [0.0]
    for (title, table), shift, colour in zip(tables.items(), shifts, SERIES, strict=False):
        for y, name in enumerate(names):
            own = table[table.statistic == name]
            low, middle, high = own[own.kind == "real"].value.quantile([0.25, 0.5, 0.75])
            made = own[own.kind == "rendered"].value.quantile([0.5, 0.25, 0.75])
            whisker(axis, 2 * (made - middle) / (high - low), y + shift, colour, size=4.5)
        axis.plot([], [], "o-", color=colour, label=title)
    name_rows(axis, names)
    axis.set_xlabel("rendered minus the real median, over half the real quartiles' distance")
    fig.legend(loc="outside lower center", ncols=3)
    return fig


@styled
def critics(areas):
    """Area under the curve of the critic for each rendering, with 95 % intervals over records; dashed is the target.

    Parameters
    ----------
    areas : DataFrame
        Of `seisbook.findings.real.critics`.

    Returns
    -------
    Figure
    """
    check_drawable(areas, "critics")
    fig, axis = plt.subplots(figsize=(7.4, 2.6))
    axis.axvline(CRITIC, color=LINE, linewidth=1.2, linestyle="--")
    for y, row in enumerate(areas.itertuples()):
        whisker(axis, row.area, y, COLOURS["displacement"])
    name_rows(axis, [TITLES[arm] for arm in areas.arm])
    axis.set_xlim(0.48, 1.01)
    axis.set_xlabel("ROC area of the critic (0.5: it cannot tell; dashed: the target)")
    return fig


@styled
def learning(table):
    """Median epicentral error and error of the magnitude against the number of real events, with 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        Of `seisbook.findings.real.learning`.

    Returns
    -------
    Figure
    """
    check_drawable(table, "learning")
    fig, axes = plt.subplots(1, 2, figsize=(7.4, 3.2), sharex=True)
    shown = {"epicentre_km": ("median epicentral error (km)", TUNED_KM)}
    shown["magnitude_rmse"] = "magnitude RMSE, calibrated", TARGETS["magnitude_rmse"]
    for axis, (name, (title, level)) in zip(axes, shown.items(), strict=True):
        axis.axhline(level, color=LINE, linewidth=1.2, linestyle="--")
        for unit, rows in table.groupby("unit", sort=False):
            at = rows.events + (0.25 if unit == "displacement" else -0.25)
            value, low, high = np.array(rows[name].tolist()).T
            axis.vlines(at, low, high, color=COLOURS[unit], linewidth=2)
            axis.plot(at, value, "o-", color=COLOURS[unit], label=UNITS[unit])
        axis.set_xticks(sorted(set(table.events)))
        axis.set_xlabel("real events shown")
        axis.set_ylabel(title)
        axis.set_ylim(bottom=0)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return fig


@styled
def verdicts(rows):
    """Each measurement of the claims on real seismograms, over what it is held against, with 95 % intervals.

    Left of the dashed line lies what the claim says. The marker is the verdict's, the colour that of the signals.

    Parameters
    ----------
    rows : list of dict
        Of `seisbook.findings.real.verdicts`.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If there are no rows.
    """
    check_drawable(rows, "verdicts")
    lines = {}  # headings, and below each the rows of a model at a place
    for row in sorted(rows, key=lambda row: (row["claim"], row["what"])):
        heading = f"{row['claim']}  {row['what']}"
        lines.setdefault((heading, ""), [])
        lines.setdefault((heading, _model(row)), []).append(row)
    fig, axis = plt.subplots(figsize=(7.4, 0.27 * len(lines) + 1.3))
    axis.axvline(1, color=LINE, linewidth=1.2, linestyle="--")
    for y, line in enumerate(lines.values()):
        for row in line:
            over = [row[end] / row["threshold"] for end in ("value", "low", "high")]
            marker = LOOK[row["verdict"]][1]
            whisker(axis, over, y + APART[row["unit"]], COLOURS[row["unit"]], marker=marker, size=5)
    name_rows(axis, [model or heading for heading, model in lines])
    for text, (_, model) in zip(axis.get_yticklabels(), lines, strict=True):
        text.set(fontsize=8, fontweight="normal" if model else "bold")
    axis.tick_params(axis="y", length=0)
    logarithmic(axis, "x", (1, 2, 5))
    axis.set_xlabel("value over its threshold")
    marks = [Line2D([], [], color=COLOURS[unit], linewidth=2, label=title) for unit, title in UNITS.items()]
    for word, (_, marker) in LOOK.items():
        marks.append(Line2D([], [], linestyle="", marker=marker, color=DARK, label=word))
    fig.legend(handles=marks, loc="outside lower center", ncols=5, columnspacing=1.0)
    return fig


def _model(row):
    """What a row is about: how its model was trained, and where it was tested, if not in Iceland."""
    model = row["model"].removeprefix("robust model").removeprefix(", ") or "as published"
    return model if row["network"] == NETWORK else f"{model}, {quotations.place(row['network'])}"
