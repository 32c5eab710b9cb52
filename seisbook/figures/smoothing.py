"""The figure of over-smoothing: measures and error against depth, a column a network."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from seisbook.figures.style import check_drawable, styled
from seisbook.studies.smoothing import ARMS

AXES = {
    "effective_rank": "effective rank (1)",
    "dirichlet_energy": "Dirichlet energy (1)",
    "mad": "MAD (1)",
    "epicentral_km": "median error (km)",
}
GRAPH_COLOURS = {"dynamic": "#333333", "static": "#CC79A7"}  # not those of the phases or of the networks
READOUT_LOOKS = {
    "multiscale": {"linestyle": "-", "marker": "o"},
    "last": {"linestyle": "--", "marker": "s", "markerfacecolor": "white"},
}
CROSSES = {"multiscale": "X", "last": "x"}
READOUT_NAMES = {"multiscale": "multi-scale readout", "last": "last block's readout"}


@styled
def depth_figure(tables):
    """The measures after the last block, and the error, against depth, at equal parameter count; a column a network.

    Lines are means over seeds, thin lines single seeds; bars reach from the lowest to the highest end of the seeds'
    95 % intervals over test events. Arms are set apart a little. A cross at the bottom of the panel of the errors is
    a training that diverged, a thick one of a model with the multi-scale readout; means are then over the other seeds.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By network, a table of `seisbook.findings.smoothing.tabulate`.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If there is no network.
    """
    check_drawable(tables, "depth_figure")
    fig, axes = plt.subplots(len(AXES), len(tables), figsize=(7.4, 8.2), sharex="col", squeeze=False)
    for column, (network, table) in zip(axes.T, tables.items(), strict=True):
        column[0].set_title(network.capitalize())
        _against_depth(column, table)
    for axis, label in zip(axes[:, 0], AXES.values(), strict=True):
        axis.set_ylabel(label)
    _legend(fig, pd.concat(tables.values()))
    return fig


def _against_depth(axes, table):
    """Draw the arms of one network: a panel a quantity."""
    depths = sorted(table.blocks.unique())
    for axis, name in zip(axes, AXES, strict=True):
        for shift, (arm, part) in zip((-0.09, -0.03, 0.03, 0.09), _arms(table), strict=True):
            last = part[part.block == part.blocks]
            _line(axis, last.assign(x=last.blocks * 2**shift), name, arm)
        axis.set_xscale("log", base=2)
        axis.set_xticks(depths, [str(depth) for depth in depths])
        axis.set_ylim(bottom=0)
    axes[-1].set_xlabel("blocks")
    _mark_diverged(axes[-1], table)


def _arms(table):
    """Each arm and its rows, none if it has none."""
    return [((graph, readout), table[(table.graph == graph) & (table.readout == readout)]) for graph, readout in ARMS]


def _line(axis, part, name, arm):
    """Mean over seeds at each `x`, single seeds thin, the seeds' intervals as bars."""
    colour, look = GRAPH_COLOURS[arm[0]], READOUT_LOOKS[arm[1]]
    for _, training in part.groupby("seed"):
        axis.plot(training.x, training[name], color=colour, linewidth=0.5, alpha=0.6, linestyle=look["linestyle"])
    at = part.groupby("x")
    axis.vlines(list(at.groups), at[f"{name}_low"].min(), at[f"{name}_high"].max(), color=colour, linewidth=0.8)
    axis.plot(list(at.groups), at[name].mean(), color=colour, linewidth=1.6, markersize=4.5, **look)


def _mark_diverged(axis, table):
    for shift, ((graph, readout), part) in zip((-0.09, -0.03, 0.03, 0.09), _arms(table), strict=True):
        x = part.blocks[part.diverged.astype(bool)] * 2**shift
        axis.plot(
            x, np.full(len(x), 0.03), CROSSES[readout], color=GRAPH_COLOURS[graph], transform=axis.get_xaxis_transform()
        )


def _legend(fig, table):
    handles = [
        Line2D([], [], color=GRAPH_COLOURS[graph], label=f"{graph}, {READOUT_NAMES[readout]}", **READOUT_LOOKS[readout])
        for (graph, readout), part in _arms(table)
        if len(part)
    ]
    if table.diverged.any():
        handles.append(Line2D([], [], color="black", marker="x", linestyle="", label="diverged"))
    fig.legend(handles=handles, loc="outside lower center", ncols=3 if len(handles) > 4 else 2)
