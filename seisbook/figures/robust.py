"""The figures of the robust model: its arms side by side, and what trouble leaves of its accuracy."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.style import (
    DARK,
    HALO,
    LAND,
    LINE,
    NETWORK_COLOURS,
    OTHER_NETWORK,
    check_drawable,
    logarithmic,
    styled,
)
from seisbook.findings.robust import ARM_TITLES, TITLES
from seisbook.measures import perturbations

LOOKS = {
    "dynamic": {"color": "#CC79A7", "marker": "s", "linestyle": "--", "markerfacecolor": "white"},
    "robust": {"color": DARK, "marker": "o"},
    "classical": {"color": "#E69F00", "marker": "D", "linestyle": ":"},
}


@styled
def arms(summaries):
    """Median epicentral error of each arm over that of the paper's model on the same events; a column a network.

    Left of the grey line an arm is better than the paper's model; marks are filled where the 95 % interval over events
    does not reach the line. Below each mark: the error in km.

    Parameters
    ----------
    summaries : DataFrame
        Of `seisbook.findings.robust.clean`, of one split.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If the table is empty.
    """
    check_drawable(summaries, "arms")
    names = list(dict.fromkeys(summaries.network))
    fig, axes = plt.subplots(1, len(names), figsize=(7.4, 3.8), sharex=True, sharey=True, squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        rows = summaries[summaries.network == name]
        colour = NETWORK_COLOURS.get(name, OTHER_NETWORK)
        axis.axvline(1, color=LINE, linewidth=1)
        for y, row in enumerate(rows.itertuples()):
            beyond = row.over_paper.high < 1 or row.over_paper.low > 1
            whisker(axis, row.over_paper, y, colour, markerfacecolor=colour if beyond else "white")
            said = f"{row.epicentral_km.value:.2f} km"
            axis.annotate(
                said,
                (row.over_paper.value, y),
                (0, -11),
                textcoords="offset points",
                ha="center",
                fontsize=7.5,
                path_effects=HALO,
            )
        name_rows(axis, [textwrap.fill(ARM_TITLES[arm], 24) for arm in rows.arm])
        logarithmic(axis, "x", (1, 2, 3, 5))
        axis.set_title(name.capitalize())
        axis.set_xlabel("error over the paper's model's (1)")
    return fig


@styled
def accuracy(table):
    """Median epicentral error in km against severity, with 95 % intervals over events; a row for each network.

    Shaded severities are informative. The grey steps are the floor, the Cramér-Rao bound for onsets that are as
    uncertain as the perturbation makes them.

    Parameters
    ----------
    table : DataFrame
        Of `seisbook.findings.robust.under_trouble`, one or more networks.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If the table is empty.
    """
    check_drawable(table, "accuracy")
    names = list(dict.fromkeys(table.network))
    tests = [axis for axis in dict.fromkeys(table.axis) if axis != "none"]
    size = 7.4, 0.8 + 2.2 * len(names)
    fig, axes = plt.subplots(len(names), len(tests), figsize=size, sharey="row", squeeze=False)
    for line, name in zip(axes, names, strict=True):
        for axis, test in zip(line, tests, strict=True):
            rows = table[(table.network == name) & table.axis.isin(["none", test])]
            _panel(axis, rows, perturbations.AXES[test])
        line[0].set_ylabel(f"{name.capitalize()}\nepicentral error (km)")
    fig.legend(handles=_legend(table), loc="outside lower center", ncols=3)
    return fig


def _panel(axis, rows, about):
    places, severities = pd.factorize(rows.severity, use_na_sentinel=False)  # NaN, without perturbation, comes first
    rows = rows.assign(place=places)
    for place in rows.place[rows.informative].unique():
        axis.axvspan(place - 0.5, place + 0.5, color=LAND, zorder=0)
    floors = rows.drop_duplicates("place").floor_km
    edges = np.arange(len(severities) + 1) - 0.5
    axis.stairs(floors.fillna(floors.iloc[0]), edges, baseline=None, color=LINE, linewidth=1.5)
    for i, (model, curve) in enumerate(rows.groupby("model", sort=False)):
        x, look = curve.place.to_numpy() + 0.12 * (i - 1), LOOKS[model]
        axis.plot(x, [error.value for error in curve.epicentral_km], linewidth=1.3, markersize=4, **look)
        ends = [error.low for error in curve.epicentral_km], [error.high for error in curve.epicentral_km]
        axis.vlines(x, *ends, color=look["color"], linewidth=1)
    axis.set_xlim(-0.5, len(severities) - 0.5)
    axis.set_xticks(range(len(severities)), ["none", *(f"{severity:g}" for severity in severities[1:])])
    axis.set_xlabel(textwrap.fill(f"{about.title} ({about.unit})", 32), fontsize=8.5)
    axis.grid(False, axis="x")
    logarithmic(axis, "y")


def _legend(table):
    marks = [Line2D([], [], label=TITLES[name], markersize=4, **LOOKS[name]) for name in dict.fromkeys(table.model)]
    floor = Line2D([], [], color=LINE, linewidth=1.5, label="floor")
    return [*marks, floor, Patch(color=LAND, label="informative")]
