"""Figure of attention on fields: what three stations of each order tell of the field elsewhere."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.style import SERIES, check_drawable, styled
from seisbook.findings.fields_attention import TITLES

LABELS = {"efficiency": "information / that of the D-optimal", "rmse": "error with these alone (log10)"}


@styled
def orders(tables) -> Figure:
    """Efficiency of each order's stations, and the error of the conditional normal that sees them alone.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By the region's title, from `seisbook.findings.fields_attention.table`.
    """
    check_drawable(tables, "orders")
    figure, axes = plt.subplots(1, 2, figsize=(7.8, 3.4), sharey=True)
    for number, (title, found) in enumerate(tables.items()):
        shift = 0.14 * (2 * number - len(tables) + 1)
        for row, order in enumerate(TITLES):
            for axis, name in zip(axes, LABELS, strict=True):
                whisker(axis, found.loc[order, name], row + shift, SERIES[number], "os^D"[number % 4])
        axes[0].plot([], [], "os^D"[number % 4], color=SERIES[number], label=title)
    for axis, label in zip(axes, LABELS.values(), strict=True):
        axis.axhspan(0.5, 2.5, color="0.93", linewidth=0, zorder=0)  # the orders that emerged from training
        axis.set_xlabel(label)
    name_rows(axes[0], list(TITLES.values()))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=len(tables))
    return figure
