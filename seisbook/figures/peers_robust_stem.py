"""The figure of published graph parts on the stem of the robust model."""

import textwrap

import matplotlib.pyplot as plt

from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.style import LINE, NETWORK_COLOURS, OTHER_NETWORK, check_drawable, logarithmic, styled
from seisbook.findings.peers_robust_stem import PAPER, TITLES


@styled
def forest(compared):
    """Median epicentral error of each graph part on the same stem, the best on top; a column a network.

    Bars are 95 % intervals over events. Marks are filled where the interval of the ratio to the paper's block, paired
    by event, does not hold one. The grey line is the paper's block.

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
    fig, axes = plt.subplots(1, len(names), figsize=(7.6, 3.9), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        rows = compared[compared.network == name]
        colour = NETWORK_COLOURS.get(name, OTHER_NETWORK)
        axis.axvline(rows[rows.arm == PAPER].epicentral_km.iloc[0].value, color=LINE, linewidth=1)
        for y, row in enumerate(rows.itertuples()):
            beyond = row.over_paper.high < 1 or row.over_paper.low > 1
            whisker(axis, row.epicentral_km, y, colour, markerfacecolor=colour if beyond else "white")
        name_rows(axis, [textwrap.fill(TITLES[arm], 22) for arm in rows.arm])
        axis.tick_params(axis="y", labelsize=7.5)
        logarithmic(axis, "x")
        axis.set_title(name.capitalize())
        axis.set_xlabel("epicentral error (km)")
    return fig
