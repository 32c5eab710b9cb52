"""Figure of variance on fields: how far predictions move with training data and seed, and the ratio of two graphs."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.smoothing import GRAPH_COLOURS
from seisbook.figures.style import check_drawable, styled

PARTS = {"data": "training data", "seed": "seed", "residual": "both together"}


@styled
def moves(found, ratio) -> Figure:
    """Standard deviations of the predictions by graph, and the ratio of the data-induced variances with its interval.

    Parameters
    ----------
    found : DataFrame
        From `seisbook.findings.fields_variance.table`.
    ratio : dict
        From `seisbook.findings.fields_variance.judged`.
    """
    check_drawable(found, "moves")
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 2.3), width_ratios=(3, 2))
    for number, (graph, row) in enumerate(found.iterrows()):
        y = [place + 0.16 * (2 * number - 1) for place in range(len(PARTS))]
        axes[0].plot(row[list(PARTS)], y, "os"[number], color=GRAPH_COLOURS[graph], label=f"{graph} graph")
    axes[0].set_xlim(left=0)
    axes[0].set_xlabel("standard deviation of predictions (log10)")
    name_rows(axes[0], list(PARTS.values()))
    axes[1].axvline(1, color="black", linewidth=1)
    whisker(axes[1], (ratio["value"], ratio["low"], ratio["high"]), 0, "#333333")
    axes[1].margins(x=0.15)
    axes[1].set_xlabel("ratio of data-induced variances")
    name_rows(axes[1], [""])
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return figure
