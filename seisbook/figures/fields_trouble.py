"""Figure of sensors that lie: growth of the error at hidden stations by kind of trouble and method."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.style import SERIES, check_drawable, styled
from seisbook.findings.fields_trouble import CLEAN, KINDS, METHODS, ROBUST


@styled
def growth(tables) -> Figure:
    """Error at hidden stations with trouble over that without, with its interval.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By the region's title, from `seisbook.findings.fields_trouble.table`.
    """
    check_drawable(tables, "growth")
    figure, axes = plt.subplots(1, len(tables), figsize=(7.6, 3.0), sharey=True, sharex=True, squeeze=False)
    kinds = [kind for kind in KINDS if kind != CLEAN]
    for axis, (title, found) in zip(axes[0], tables.items(), strict=True):
        for number, (method, name) in enumerate(METHODS.items()):
            for place, kind in enumerate(kinds):
                row = found.loc[(method, kind)]
                whisker(
                    axis, (row.growth, row.low, row.high), place + 0.2 * (number - 1), SERIES[number], "os^"[number]
                )
            axis.plot([], [], "os^"[number], color=SERIES[number], label=name)
        axis.axvline(1, color="0.3", linewidth=1)
        axis.axvline(ROBUST, color="0.3", linewidth=1, linestyle=":")
        axis.set_title(title)
        axis.set_xlabel("error / error without trouble")
    name_rows(axes[0, 0], [KINDS[kind] for kind in kinds])
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
