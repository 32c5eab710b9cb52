"""Figures of the outside tests on real seismograms: shares of onsets, and errors of earthquakes."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.style import DARK, LINE, P_COLOUR, S_COLOUR, SERIES, check_drawable, logarithmic, styled
from seisbook.findings.real import NEAR_S, TARGETS
from seisbook.findings.real_outside import LOST, MEDIAN_KM, METHODS, READERS


@styled
def onsets(table):
    """Share of the picks with an onset within half a second, with 95 % intervals over events; dashed is the target.

    Parameters
    ----------
    table : DataFrame
        Of `seisbook.findings.real_outside.onsets`.

    Returns
    -------
    Figure
    """
    check_drawable(table, "onsets")
    names = list(dict.fromkeys(table.method))
    fig, axis = plt.subplots(figsize=(7.4, 2.4))
    axis.axvline(TARGETS["picks"], color=LINE, linewidth=1.2, linestyle="--")
    for row in table.itertuples():
        colour, apart = {"p": (P_COLOUR, -0.15), "s": (S_COLOUR, 0.15)}[row.wave]
        whisker(axis, row.share, names.index(row.method) + apart, colour)
    name_rows(axis, [READERS[name] for name in names])
    axis.set_xlim(0.3, 1.0)
    axis.set_xlabel(f"share of the picks with an onset within {NEAR_S:g} s")
    marks = [Line2D([], [], marker="o", color=hue, label=wave) for wave, hue in (("P", P_COLOUR), ("S", S_COLOUR))]
    marks.append(Line2D([], [], color=LINE, linestyle="--", label="target"))
    fig.legend(handles=marks, loc="outside lower center", ncols=3)
    return fig


@styled
def earthquakes(errors):
    """Epicentral error of each earthquake (dots) by method, with the median (line); dashed is the target of the median.

    Parameters
    ----------
    errors : dict of str to ndarray
        Of `seisbook.findings.real_outside.errors`; what was not located is drawn at the right edge.

    Returns
    -------
    Figure
    """
    check_drawable(errors, "earthquakes")
    fig, axis = plt.subplots(figsize=(7.4, 2.9))
    axis.axvline(MEDIAN_KM, color=LINE, linewidth=1.2, linestyle="--")
    most = 1.3 * max(values[values < LOST["epicentral_km"]].max() for values in errors.values())
    for y, values in enumerate(errors.values()):
        shown = np.minimum(values, most)
        axis.plot(shown, y + np.linspace(-0.18, 0.18, len(shown)), "o", color=SERIES[0], markersize=3.5, alpha=0.8)
        axis.vlines(np.median(shown), y - 0.36, y + 0.36, color=DARK, linewidth=2)
    name_rows(axis, [METHODS[method] for method in errors])
    logarithmic(axis, "x")
    axis.set_xlabel("epicentral error (km)")
    marks = [Line2D([], [], marker="o", linestyle="", color=SERIES[0], label="earthquake")]
    marks.append(Line2D([], [], color=DARK, linewidth=2, label="median"))
    marks.append(Line2D([], [], color=LINE, linestyle="--", label="target of the median"))
    fig.legend(handles=marks, loc="outside lower center", ncols=3)
    return fig
