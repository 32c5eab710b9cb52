"""Figure of depth on fields: error at hidden stations and similarity of the states against the number of blocks."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from seisbook.figures.smoothing import GRAPH_COLOURS, READOUT_LOOKS, READOUT_NAMES
from seisbook.figures.style import check_drawable, styled
from seisbook.findings.fields_depth import ARMS

LABELS = {
    "rmse": "error at hidden stations (log10)",
    "mad": "distance of states (MAD)",
    "effective_rank": "effective rank",
}
SHIFTS = (-0.09, -0.03, 0.03, 0.09)  # of the arms, in powers of two


@styled
def depth(found) -> Figure:
    """Error, MAD and effective rank against depth, with 95 % intervals over events.

    Parameters
    ----------
    found : DataFrame
        From `seisbook.findings.fields_depth.table`.
    """
    check_drawable(found, "depth")
    figure, axes = plt.subplots(1, len(LABELS), figsize=(7.8, 3.2))
    for shift, (graph, readout) in zip(SHIFTS, ARMS, strict=True):
        arm = found.loc[(graph, readout)].sort_index()
        look = {"color": GRAPH_COLOURS[graph], **READOUT_LOOKS[readout]}
        x = arm.index.to_numpy() * 2.0**shift
        for axis, name in zip(axes, LABELS, strict=True):
            axis.vlines(x, arm[f"{name}_low"], arm[f"{name}_high"], color=look["color"], linewidth=0.8)
            axis.plot(x, arm[name], label=f"{graph}, {READOUT_NAMES[readout]}", markersize=4.5, linewidth=1.4, **look)
    depths = sorted(found.index.unique("blocks"))
    for axis, label in zip(axes, LABELS.values(), strict=True):
        axis.set_xscale("log", base=2)
        axis.set_xticks(depths, [str(depth) for depth in depths])
        axis.set_xlabel("blocks")
        axis.set_ylabel(label)
    for axis in axes[1:]:
        axis.set_ylim(bottom=0)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
