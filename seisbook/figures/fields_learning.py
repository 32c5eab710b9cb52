"""Figure of the learning curve on fields: error at hidden stations against events and stations in training."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from seisbook.figures.style import SERIES, check_drawable, styled
from seisbook.findings.fields import TITLES
from seisbook.findings.fields_learning import PANELS

LABELS = {"events": "events in training", "stations": "stations in training"}
MARKS = "os^D"


@styled
def curves(tables) -> Figure:
    """Error of each method against what is in training, a row for each region, with intervals over events.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By the region's title, from `seisbook.findings.fields_learning.table`.
    """
    check_drawable(tables, "curves")
    figure, axes = plt.subplots(len(tables), len(PANELS), figsize=(7.8, 2.7 * len(tables)), squeeze=False)
    for row, (title, found) in zip(axes, tables.items(), strict=True):
        for axis, (name, (_, where)) in zip(row, PANELS.items(), strict=True):
            _panel(axis, found.xs(name, level="axis"))
            axis.set_title(f"{title}: {where}", fontsize="small", loc="left")
            axis.set_xlabel(LABELS[name])
        row[0].set_ylabel("error (log10)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def _panel(axis, found):
    methods = [name for name in TITLES if name in found.index.unique("method")]
    for number, method in enumerate(methods):
        rows = found.xs(method, level="method").sort_index()
        x = rows.number * (1 + 0.03 * (number - 1.5))
        bars = (rows.rmse - rows.low, rows.high - rows.rmse)
        look = {"color": SERIES[number], "marker": MARKS[number], "markersize": 4, "linewidth": 1.2}
        axis.errorbar(x, rows.rmse, bars, label=TITLES[method], elinewidth=0.8, **look)
    axis.set_xscale("log")
    ticks = sorted(found.number.unique())
    axis.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    axis.minorticks_off()
