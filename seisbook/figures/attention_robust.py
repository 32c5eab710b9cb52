"""The figure of what the robust model's epicentre rests on: with the analyst, and as a design."""

import matplotlib.pyplot as plt

from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.style import DARK, LINE, check_drawable, styled

LOOKS = {
    "designed": {"colour": "#0072B2", "marker": "s"},
    "emergent": {"colour": DARK, "marker": "o"},
    "null": {"colour": LINE, "marker": "D", "markerfacecolor": "white"},
}


@styled
def rests_on(tables):
    """Left: correlation of each measure with the analyst, where there is one; right of it: D-efficiency by network.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By network, a table of `seisbook.findings.attention_robust.tabulate`.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If there is no network.
    """
    check_drawable(tables, "rests_on")
    analysed = {name: table[table.beyond.notna()] for name, table in tables.items() if table.beyond.notna().any()}
    panels = [(name, table, "beyond") for name, table in analysed.items()]
    panels += [(name, table, "efficiency") for name, table in tables.items()]
    labels = {"beyond": "partial correlation (1)", "efficiency": "D-efficiency (1)"}
    fig, axes = plt.subplots(1, len(panels), figsize=(7.4, 3.1), squeeze=False)
    for axis, (name, table, quantity) in zip(axes[0], panels, strict=True):
        _rows(axis, table, quantity)
        axis.set(title=name.capitalize(), xlabel=labels[quantity])
        if quantity == "beyond":
            axis.axvline(0, color="black", linewidth=1)
        else:
            axis.set_xlim(0, 1)
    for axis in axes[0, len(analysed) + 1 :]:
        axis.set_yticklabels([])  # those of the panel before
    for kind, look in LOOKS.items():
        axes[0, -1].plot([], [], linestyle="", label=kind, color=look["colour"], **_point(look))
    fig.legend(*axes[0, -1].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return fig


def _rows(axis, table, quantity):
    for y, row in enumerate(table.itertuples()):
        look = LOOKS[row.kind]
        whisker(axis, getattr(row, quantity), y, look["colour"], **_point(look))
    name_rows(axis, list(table.index))
    axis.grid(axis="x")


def _point(look):
    return {name: value for name, value in look.items() if name != "colour"}
