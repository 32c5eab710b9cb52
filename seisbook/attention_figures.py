"""The figures of the attention chapter: stations sized by attention, agreement with the analyst, deletion curves."""

import matplotlib.pyplot as plt
import numpy as np

from seisbook.figures import DARK, LINE, P_COLOUR, S_COLOUR, check_drawable, styled

ORDER_LOOKS = {
    "rollout": {"color": DARK, "marker": "o"},
    "nearest": {"color": "#009E73", "marker": "s", "linestyle": "--", "markerfacecolor": "white"},
    "signal-to-noise": {"color": "#E69F00", "marker": "D", "linestyle": "-."},
    "random": {"color": LINE, "marker": "v", "linestyle": ":"},
}
NULL_COLOUR = "#8c8c8c"


@styled
def attention_maps(pos, label, attention, titles, area=900):
    """Stations of one event, as large as the attention that they get, a panel per measure.

    Parameters
    ----------
    pos : ndarray, shape (stations, 2)
        East and north in km.
    label : array_like, shape (2,)
        Epicentre, in km.
    attention : sequence of ndarray, shape (stations,)
        Shares that sum to one.
    titles : sequence of str
    area : float
        Of a station that has all the attention, in square points.

    Returns
    -------
    Figure
    """
    fig, axes = plt.subplots(1, len(titles), figsize=(7.4, 2.9), sharex=True, sharey=True, squeeze=False)
    for axis, share, title in zip(axes[0], attention, titles, strict=True):
        axis.scatter(*pos.T, s=area * np.nan_to_num(share), color=P_COLOUR, alpha=0.6, linewidth=0)
        axis.plot(*pos.T, "^", color="white", markeredgecolor="black", markersize=5)
        axis.plot(*label, "*", color=S_COLOUR, markeredgecolor="black", markersize=12)
        axis.set(title=title, xlabel="east (km)")
        axis.margins(0.2)
        axis.set_aspect("equal", adjustable="box")
        axis.grid(False)
    axes[0, 0].set_ylabel("north (km)")
    return fig


@styled
def agreement(rows, beyond, shuffled):
    """Left: rank agreement of measures and nulls with the analyst's emphasis; right: what is left beyond the nulls.

    Parameters
    ----------
    rows : list of dict
        Of `seisbook.attention_study.agreement`.
    beyond, shuffled : list of dict
        Of `seisbook.attention_study.beyond`, of the trained model and of one with shuffled weights.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If there are no rows.
    """
    check_drawable(rows, "agreement")
    fig, (left, right) = plt.subplots(1, 2, figsize=(7.4, 2.9), width_ratios=(1.1, 1))
    names = [row["measure"] for row in rows]
    measures = {row["measure"] for row in beyond}
    for y, row in enumerate(rows):
        value, low, high = row["tau"]
        colour = DARK if row["measure"] in measures else NULL_COLOUR
        left.plot([low, high], [y, y], color=colour, linewidth=2)
        left.plot(value, y, "o" if row["measure"] in measures else "s", color=colour, markersize=6)
    left.set_yticks(range(len(names)), names)
    left.set(ylim=(len(names) - 0.5, -0.5), xlabel="Kendall's τ with the analyst's emphasis (1)")
    for shift, found, look in ((-0.12, beyond, {"color": DARK}), (0.12, shuffled, {"color": "#CC79A7"})):
        for y, row in enumerate(found):
            value, low, high = row["correlation"]
            right.plot([low, high], [y + shift, y + shift], linewidth=2, **look)
            right.plot(value, y + shift, "o", markersize=6, **look)
        right.plot([], [], "o-", label="trained" if found is beyond else "shuffled weights", **look)
    right.set_yticks(range(len(beyond)), [row["measure"] for row in beyond])
    right.set(ylim=(len(beyond) - 0.4, -0.6), xlabel="partial rank correlation (1)")
    for axis in (left, right):
        axis.axvline(0, color="black", linewidth=1)
        axis.grid(False, axis="y")
        axis.grid(axis="x")
    fig.legend(*right.get_legend_handles_labels(), loc="outside lower right", ncols=2)
    return fig


@styled
def deletion(rows):
    """Median epicentral error when the first stations of an order are left out, and when they alone are kept.

    Parameters
    ----------
    rows : list of dict
        Of `seisbook.attention_study.deletion`.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If there are no rows.
    """
    check_drawable(rows, "deletion")
    fig, axes = plt.subplots(1, 2, figsize=(7.4, 3.2))
    for axis, (arm, text) in zip(axes, {"removed": "stations left out", "kept": "stations kept"}.items(), strict=True):
        for i, (name, look) in enumerate(ORDER_LOOKS.items()):
            chosen = [row for row in rows if (row["order"], row["arm"]) == (name, arm)]
            x = np.array([row["k"] for row in chosen]) + 0.06 * (i - 1.5)
            axis.plot(x, [row["epicentral_km"] for row in chosen], label=name, markersize=5, **look)
            axis.vlines(x, [row["low_km"] for row in chosen], [row["high_km"] for row in chosen], color=look["color"])
        axis.set_xlabel(f"{text} (number)")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_ylim(bottom=0)
    axes[0].set_ylabel("median epicentral error (km)")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, title="first by")
    return fig
