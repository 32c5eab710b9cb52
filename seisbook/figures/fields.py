"""Figures of the fields study: methods against the conditional normal, error against hidden stations, coverage."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.style import SERIES, styled
from seisbook.findings.fields import MAIN, NAMES, PEER, THRESHOLD, TITLES, TOLD


@styled
def forest(tables) -> Figure:
    """Ratio of each method's error to that of the conditional normal with the same information, with its interval.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By the region's title, from `seisbook.findings.fields.table`.
    """
    told = [name for name in TOLD if any(name in table.index.levels[0] for table in tables.values())]
    methods = [name for name in TITLES if name != PEER]
    figure, axes = plt.subplots(
        1,
        len(told),
        figsize=(2.2 * len(told) + 2.4, 4.2),
        sharey=True,
        squeeze=False,
    )
    for axis, information in zip(axes[0], told, strict=True):
        _panel(axis, tables, information, methods)
        axis.set_title(TOLD[information].replace(" and ", "\nand "), fontsize=9)
    name_rows(axes[0, 0], [TITLES[name] for name in methods])
    figure.legend(*axes[0, -1].get_legend_handles_labels(), loc="outside lower center", ncols=len(tables))
    return figure


def _panel(axis, tables, information, methods):
    for number, (title, table) in enumerate(tables.items()):
        colour, marker, shift = SERIES[number], "os^D"[number % 4], 0.14 * (2 * number - len(tables) + 1)
        for row, method in enumerate(methods):
            if (information, method) in table.index:
                found = table.loc[(information, method)]
                whisker(axis, (found.ratio, found.low, found.high), row + shift, colour, marker)
        axis.plot([], [], marker, color=colour, label=title)
    axis.axvline(1, color="0.3", linewidth=1)
    axis.axvline(THRESHOLD, color="0.3", linewidth=1, linestyle=":")
    axis.set_xlabel("error / conditional normal's")


@styled
def by_hidden(
    shares, information="all", methods=("law", "event term", "inverse distance", PEER, "alone", MAIN)
) -> Figure:
    """Root mean square error of several methods against the share of hidden stations.

    Parameters
    ----------
    shares : dict of str to DataFrame
        By the region's title, from `seisbook.findings.fields.by_share`.
    information : str
    methods : sequence of str
    """
    figure, axes = plt.subplots(1, len(shares), figsize=(7.4, 4.2), sharey=True, squeeze=False)
    for axis, (title, table) in zip(axes[0], shares.items(), strict=True):
        chosen = table[table.information == information]
        for number, method in enumerate(methods):
            rows = chosen[chosen.method == method]
            if len(rows):
                axis.plot(100 * rows.hidden, rows.rmse, "os^Dv<"[number % 6], linestyle="-", label=TITLES[method])
                axis.fill_between(100 * rows.hidden, rows.low, rows.high, alpha=0.15)
        axis.set_title(title)
        axis.set_xlabel("hidden stations (%)")
    axes[0, 0].set_ylabel("root mean square error (log10)")
    figure.legend(*axes[0, -1].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


@styled
def coverage(measured) -> Figure:
    """Share of the hidden values in their 90 % interval, by measure and share of hidden stations.

    Parameters
    ----------
    measured : dict of (str, str) to DataFrame
        By the region's title and the method, from `seisbook.findings.fields.by_measure`.
    """
    regions = list(dict.fromkeys(region for region, _ in measured))
    figure, axes = plt.subplots(1, len(regions), figsize=(7.4, 4.2), sharey=True, squeeze=False)
    for (region, method), table in measured.items():
        axis, ours = axes[0, regions.index(region)], method == MAIN
        for number, (measure, row) in enumerate(table["covered"].iterrows()):
            look = {
                "color": SERIES[number],
                "linestyle": "-" if ours else ":",
                "marker": "o" if ours else None,
            }
            axis.plot(100 * row.index, 100 * row, label=NAMES[measure] if ours else None, **look)
        axis.set_title(region)
        axis.set_xlabel("hidden stations (%)")
    for axis in axes[0]:
        axis.axhline(90, color="0.3", linewidth=1)
        axis.plot([], [], ":", color="0.3", label=TITLES[PEER])
        axis.plot([], [], "o-", color="0.3", label=TITLES[MAIN])
    low, high = axes[0, 0].get_ylim()
    axes[0, 0].set_ylim(min(low, 80), max(high, 100))  # differences of a percent are small, and should look so
    axes[0, 0].set_ylabel("values in their 90 % interval (%)")
    figure.legend(*axes[0, -1].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
