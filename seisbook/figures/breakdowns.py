"""The breakdown severities of all models as a heat map."""

import re
import textwrap

import matplotlib.pyplot as plt
import numpy as np

from seisbook.figures.style import check_drawable, styled

COLOURS = "cividis"  # made for people with colour-vision deficiencies
DARKEST = 0.5  # shares below it have white letters
WIDTH = 30  # letters in a line of an axis's title


@styled
def heat_map(table):
    """Breakdown severity of each model along each axis, a panel for each network.

    The number in a cell is the severity at which the error has doubled, in the unit of its row. The colour says how far
    along the severities that were tried this is.

    Parameters
    ----------
    table : DataFrame
        Of `seisbook.findings.breakdowns.breakdowns`.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If the table is empty.
    """
    check_drawable(table, "heat_map")
    titles, models = list(dict.fromkeys(table.title)), list(dict.fromkeys(table.model))
    networks = list(table.groupby("network", sort=False))
    height = 1.1 + 0.42 * len(titles)
    fig, axes = plt.subplots(1, len(networks), figsize=(7.4, height), sharey=True, squeeze=False)
    for axis, (network, rows) in zip(axes.flat, networks, strict=True):
        drawn = _panel(axis, rows, titles, models)
        axis.set_title(network.capitalize())
    axes[0, 0].invert_yaxis()  # of all panels, which share it
    axes[0, 0].set_yticks(np.arange(len(titles)) + 0.5, [textwrap.fill(title, WIDTH) for title in titles], fontsize=8.5)
    bar = fig.colorbar(drawn, ax=axes, orientation="horizontal", aspect=40, shrink=0.8, pad=0.01)
    bar.set_ticks([0, 1], labels=["doubled at the\nfirst severity", "not doubled\nat any severity"])
    return fig


def _panel(axis, rows, titles, models):
    """Cells of one network, with their numbers."""
    shares = rows.pivot(index="title", columns="model", values="share").reindex(index=titles, columns=models)
    texts = rows.pivot(index="title", columns="model", values="severity").reindex(index=titles, columns=models)
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)
    axis.set_facecolor("#e3e3e3")  # of a model that was not tested along an axis
    drawn = axis.pcolormesh(np.ma.masked_invalid(shares), cmap=COLOURS, vmin=0, vmax=1, edgecolors="white", linewidth=1)
    for (row, column), share in np.ndenumerate(shares):
        text = _short(texts.iat[row, column]) if np.isfinite(share) else "not tested"
        colour = "white" if share < DARKEST else "black"
        axis.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=8.5, color=colour)
    axis.set_xticks(np.arange(len(models)) + 0.5, models)
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    return drawn


def _short(text):
    """A breakdown severity for a cell: `none up to 8` is `none`, and a minus sign is as long as a plus."""
    return re.sub("^-", "−", re.sub(" up to .*", "", text))
