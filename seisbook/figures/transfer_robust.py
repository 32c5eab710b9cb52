"""The figure of first answers in a new network: the robust model beside the paper's model."""

import matplotlib.pyplot as plt

from seisbook.figures.robustness import QUANTITY_LABELS, START_LOOKS, _started
from seisbook.figures.style import check_drawable, logarithmic, styled
from seisbook.findings.transfer_robust import PAPER, TITLES

PALE = 0.35  # opacity of the paper's model


@styled
def starts(table):
    """Epicentral errors of both models against the number of training events, a panel for each network.

    Parameters
    ----------
    table : DataFrame
        Tables of `seisbook.findings.transfer_robust.tabulate`, one below the other.

    Returns
    -------
    Figure
        The paper's model is pale.

    Raises
    ------
    UserError
        If the table is empty.
    """
    check_drawable(table, "first answers in a new network")
    located = table[table.quantity == "epicentral_km"]
    names = list(dict.fromkeys(located.network))
    sizes = [*sorted(set(located.n_train.dropna().astype(int))), "all"]
    fig, axes = plt.subplots(1, len(names), figsize=(7.4, 3.6), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        axis.set(title=name.capitalize(), xlabel="training events (number)")
        axis.set_xticks(range(len(sizes)), [str(size) for size in sizes])
        _both(axis, located[located.network == name], sizes)
        logarithmic(axis, "y", (1, 2, 3, 5))
    axes[0][0].set_ylabel(QUANTITY_LABELS["epicentral_km"])
    handles, labels = axes[0][0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3)
    return fig


def _both(axis, rows, sizes):
    for i, start in enumerate(TITLES):
        look, aside = START_LOOKS[start], 0.12 * (i - 1)
        papers = {**look, "label": f"{look['label']}, paper's model", "alpha": PALE}
        _started(axis, rows[rows.start == start], sizes, aside, {**look, "label": f"{look['label']}, robust model"})
        _started(axis, rows[rows.start == PAPER + start], sizes, aside, papers)
