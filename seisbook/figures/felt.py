"""Figures of felt reports: an event that was felt, intensity against instruments, and errors with reports."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.style import SERIES, check_drawable, styled
from seisbook.findings.felt import ARMS, EQUATIONS, ERRORS, TOLD
from seisbook.physics.felt_intensity import WORDEN

MARKERS = dict(zip(ARMS, "osvx", strict=True))
COLOURS = dict(zip(ARMS, (SERIES[0], SERIES[1], "0.45", "0.45"), strict=True))


@styled
def instruments(pairs, refitted) -> Figure:
    """Reported intensity of cells against the peak velocity of a station nearby, with both equations.

    Parameters
    ----------
    pairs : dict of str to DataFrame
        By the region's title, from `seisbook.findings.felt.pairs`.
    refitted : dict of str to Conversion
        By the region's title.
    """
    check_drawable(pairs, "instruments")
    figure, axes = plt.subplots(1, len(pairs), figsize=(7.4, 3.6), sharey=True, sharex=True, squeeze=False)
    for axis, (title, found) in zip(axes[0], pairs.items(), strict=True):
        size = 4 + 12 * np.log10(found.answers / 3)
        axis.scatter(found.velocity, found.intensity, size, color="0.55", alpha=0.35, linewidths=0)
        velocity = np.linspace(*np.percentile(found.velocity, [0.5, 100]), 100)
        for number, (equation, name) in enumerate(zip((WORDEN, refitted[title]), EQUATIONS.values(), strict=True)):
            axis.plot(velocity, equation.intensity(velocity), "-" if number else "--", color=SERIES[number], label=name)
        axis.set_title(title)
        axis.set_xlabel("peak velocity of the station (log10 of cm/s)")
        axis.set_ylim(0.5, 8)
    axes[0, 0].set_ylabel("reported intensity of the cell")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


@styled
def improvement(tables) -> Figure:
    """Ratio of the error with reports to that without, by number of stations, with controls in grey.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By the region's title, from `seisbook.findings.felt.table`.
    """
    check_drawable(tables, "improvement")
    figure, axes = plt.subplots(len(tables), len(TOLD), figsize=(7.8, 2.5 * len(tables) + 0.8), sharey=True)
    for row, (region, found) in zip(np.atleast_2d(axes), tables.items(), strict=True):
        for axis, (told, title) in zip(row, TOLD.items(), strict=True):
            _panel(axis, found.loc[told])
            axis.set_title(f"{region}:\n{title}", fontsize=9)
        name_rows(row[0], _named(found.index.unique("stations")))
    for axis in np.atleast_2d(axes)[-1]:
        axis.set_xlabel("error / error without reports")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


@styled
def bias(found_by_region) -> Figure:
    """Ratio of the error of event's term, magnitude and epicentre with reports to that without.

    Parameters
    ----------
    found_by_region : dict of str to DataFrame
        By the region's title, from `seisbook.findings.felt.sources`.
    """
    check_drawable(found_by_region, "bias")
    kinds = [("source", "event_term"), ("magnitude off", "event_term"), *(("no source", e) for e in list(ERRORS)[1:])]
    rows, columns = len(found_by_region), len(kinds)
    figure, axes = plt.subplots(rows, columns, figsize=(8.6, 2.5 * rows + 0.8), sharey=True, squeeze=False)
    for row, (region, found) in zip(axes, found_by_region.items(), strict=True):
        for axis, (told, error) in zip(row, kinds, strict=True):
            _panel(axis, found.xs((told, error), level=("told", "error")))
            axis.set_title(f"{region}: {ERRORS[error].split(' of ')[0].split(' (')[0]}\n{TOLD[told]}", fontsize=8)
        name_rows(row[0], _named(found.index.unique("stations")))
    for axis in axes[-1]:
        axis.set_xlabel("error / without", fontsize=8)
    figure.legend(*axes[-1, -1].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def _panel(axis, found):
    for number, (arm, name) in enumerate(ARMS.items()):
        shift = 0.17 * (number - 1.5)
        for place, stations in enumerate(found.index.unique("stations")):
            row = found.loc[(stations, arm)]
            whisker(axis, (row.ratio, row.low, row.high), place + shift, COLOURS[arm], MARKERS[arm], 4, 1.5)
        axis.plot([], [], MARKERS[arm], color=COLOURS[arm], label=name, markersize=4)
    axis.axvline(1, color="0.3", linewidth=1)
    axis.locator_params(axis="x", nbins=4)


def _named(stations):
    """What the rows are called."""
    names = {"0": "no station", "1": "one station", "3": "three stations", "70 %": "70 % of them"}
    return [names[one] for one in stations]
