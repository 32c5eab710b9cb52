"""The figure of the rebuilt graph's forms."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.style import DARK, LINE, NETWORK_COLOURS, OTHER_NETWORK, check_drawable, styled
from seisbook.findings.graph_forms import ALL, CLEAN, CLOCKS, CONTROLS, SHOWN

LOOKS = {
    ALL: {"marker": "o", "size": 6, "width": 2},
    CLEAN: {"marker": "D", "size": 4, "width": 1},
    CLOCKS: {"marker": "s", "size": 4, "width": 1},
}


@styled
def ratios(compared):
    """Error of each form of the rebuilt graph over that of each fixed graph; a column a network.

    Left of the grey line the rebuilt graph has the smaller error. Bars are 95 % intervals over events. Marks are
    filled where they do not reach the line.

    Parameters
    ----------
    compared : DataFrame
        Of `seisbook.findings.graph_forms.compare`, one or more networks.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If the table is empty.
    """
    check_drawable(compared, "ratios")
    names = list(dict.fromkeys(compared.network))
    rows = [(form, control) for form, controls in CONTROLS.items() for control in controls]
    fig, axes = plt.subplots(1, len(names), figsize=(2.2 + 3 * len(names), 4.6), sharex=True, squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        axis.axvline(1, color=LINE, linewidth=1)
        _marks(axis, compared[compared.network == name], rows, NETWORK_COLOURS.get(name, OTHER_NETWORK))
        name_rows(axis, [textwrap.fill(f"{form}, over {control}", 24) for form, control in rows])
        axis.tick_params(axis="y", labelsize=7.5)
        axis.set_title(name.capitalize())
        axis.set_xlabel("error of the form / error of the control")
    fig.legend(handles=_legend(), loc="outside lower center", ncols=len(LOOKS))
    return fig


def _marks(axis, compared, rows, colour):
    shifts = dict(zip(LOOKS, np.linspace(-0.25, 0.25, len(LOOKS)), strict=True))
    for found in compared.itertuples():
        decided = found.ratio.high < 1 or found.ratio.low > 1
        y = rows.index((found.form, found.control)) + shifts[found.condition]
        look = {**LOOKS[found.condition], "markerfacecolor": colour if decided else "white"}
        whisker(axis, found.ratio, y, colour, **look)


def _legend():
    lines = []
    for name, look in LOOKS.items():
        sizes = {"markersize": look["size"], "linewidth": look["width"]}
        lines.append(Line2D([], [], color=DARK, marker=look["marker"], label=SHOWN[name], **sizes))
    return lines
