"""Figure of the inversion: errors of sources that were found from amplitudes alone."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.style import SERIES, check_drawable, styled
from seisbook.findings.fields_inversion import TARGETS, TITLES

LABELS = {"epicentral_km": "epicentral error, median (km)", "magnitude": "magnitude error, root mean square"}


@styled
def inversion(tables) -> Figure:
    """Epicentral error and error of magnitude of each method, with intervals; dotted lines are targets.

    Parameters
    ----------
    tables : dict of str to (str, DataFrame)
        By the region's name: its title, and what `seisbook.findings.fields_inversion.table` returns.
    """
    check_drawable(tables, "inversion")
    figure, axes = plt.subplots(1, 2, figsize=(7.8, 2.9), sharey=True)
    methods = [name for name in TITLES if any(name in table.index for _, table in tables.values())]
    for axis, (column, label) in zip(axes, LABELS.items(), strict=True):
        _panel(axis, tables, methods, column)
        axis.set_xlabel(label)
    name_rows(axes[0], [TITLES[name] for name in methods])
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=len(tables))
    return figure


def _panel(axis, tables, methods, column):
    for number, (region, (title, table)) in enumerate(tables.items()):
        colour, shift = SERIES[number], 0.14 * (2 * number - len(tables) + 1)
        for row, method in enumerate(methods):
            if method in table.index:
                found = table.loc[method]
                values = found[column], found[f"{column}_low"], found[f"{column}_high"]
                whisker(axis, values, row + shift, colour, "os^D"[number % 4])
        axis.plot([], [], "os^D"[number % 4], color=colour, label=title)
        if region in TARGETS:
            axis.axvline(TARGETS[region][column], color=colour, linewidth=1, linestyle=":")
    axis.set_xlim(left=0)
    axis.locator_params(axis="x", nbins=5)
