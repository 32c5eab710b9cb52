"""Figure of rare large earthquakes on fields: error at hidden stations against what is left of them in training."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.style import SERIES, check_drawable, styled
from seisbook.findings.fields import TITLES

LABELS = {"rmse": "error on large events (log10)", "growth": "error / error with all large events"}
LEFT = {1.0: "all", 0.2: "one in five", 0.0: "none"}


@styled
def large(found) -> Figure:
    """Error of each method on the large test events, by what is left in training, with 95 % intervals over events.

    Parameters
    ----------
    found : DataFrame
        From `seisbook.findings.fields_imbalance.table`.
    """
    check_drawable(found, "large")
    figure, axes = plt.subplots(1, 2, figsize=(7.8, 3.2), sharey=True)
    methods = [name for name in TITLES if name in found.index.unique("method")]
    for number, (kept, words) in enumerate(LEFT.items()):
        for row, method in enumerate(methods):
            if (method, kept) in found.index:
                numbers = found.loc[(method, kept)]
                for axis, name in zip(axes, LABELS, strict=True):
                    if name == "rmse" or kept < 1:
                        values = numbers[name], numbers[f"{name}_low"], numbers[f"{name}_high"]
                        whisker(axis, values, row + 0.22 * (number - 1), SERIES[number], "os^"[number])
        axes[0].plot([], [], "os^"[number], color=SERIES[number], label=words)
    axes[1].axvline(1, color="0.3", linewidth=1)
    for axis, label in zip(axes, LABELS.values(), strict=True):
        axis.set_xlabel(label)
    name_rows(axes[0], [TITLES[method] for method in methods])
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=3, title="left in training")
    return figure
