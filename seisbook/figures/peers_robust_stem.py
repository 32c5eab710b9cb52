"""The figure of published graph parts on the stem of the robust model."""

import textwrap

import matplotlib.pyplot as plt
from matplotlib.lines import Line2D

from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.style import DARK, LINE, NETWORK_COLOURS, OTHER_NETWORK, check_drawable, logarithmic, styled
from seisbook.findings.peers_robust_stem import MAIN, TITLES

MARKS = {
    "ours_over": ("with our stem", {"marker": "o", "size": 6, "width": 2}),
    "ours_over_published": ("as published, with a stem of its own", {"marker": "D", "size": 4.5, "width": 1}),
}
APART = 0.2  # of a row, from its middle to each of its marks


@styled
def forest(compared):
    """The robust model's median epicentral error over that of each other arm, the best arm on top; a column a network.

    Left of the grey line the robust model has the smaller error. Bars are 95 % intervals over events, paired by event.
    Marks are filled where they do not reach the line.

    Parameters
    ----------
    compared : DataFrame
        Of `seisbook.findings.peers_robust_stem.compare`, one or more networks.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If the table is empty.
    """
    check_drawable(compared, "forest")
    names = list(dict.fromkeys(compared.network))
    fig, axes = plt.subplots(1, len(names), figsize=(1.6 + 3 * len(names), 4.8), sharex=True, squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        rows = compared[(compared.network == name) & (compared.arm != MAIN)]
        axis.axvline(1, color=LINE, linewidth=1)
        for y, row in enumerate(rows.itertuples()):
            _marks(axis, row, y, NETWORK_COLOURS.get(name, OTHER_NETWORK))
        name_rows(axis, [textwrap.fill(TITLES[arm], 22) for arm in rows.arm])
        axis.tick_params(axis="y", labelsize=7.5)
        logarithmic(axis, "x", (1, 2, 3, 5))
        axis.set_title(name.capitalize())
        axis.set_xlabel("robust model's error / arm's")
    fig.legend(handles=_legend(), loc="outside lower center", ncols=2)
    return fig


def _marks(axis, row, y, colour):
    """The arm on our stem above the middle of its row, the whole system below."""
    for (column, (_, look)), shift in zip(MARKS.items(), (-APART, APART), strict=True):
        over = getattr(row, column)
        if over is not None:
            decided = over.high < 1 or over.low > 1
            whisker(axis, over, y + shift, colour, markerfacecolor=colour if decided else "white", **look)


def _legend():
    return [
        Line2D([], [], color=DARK, marker=look["marker"], markersize=look["size"], linewidth=look["width"], label=title)
        for title, look in MARKS.values()
    ]
