"""Figures of the worked example of four stations, one of whose clocks is wrong."""

import matplotlib.pyplot as plt
import torch

from seisbook.figures.style import DARK, LINE, S_COLOUR, check_drawable, logarithmic, styled
from seisbook.models import one_clock

WIDEST = 1.1  # of the largest residual, to which the curve of a weight is drawn
LOOKS = {
    False: {"color": "#E69F00", "marker": "X", "label": "least squares"},
    True: {"color": "#0072B2", "marker": "o", "label": "redescending weights"},
}


@styled
def example(found, locations):
    """One event: where each kind of weights puts it, and what each onset weighs at this place.

    Parameters
    ----------
    found : seisbook.models.one_clock.Readings
        Of one event.
    locations : dict of bool to seisbook.models.one_clock.Location
        By whether the weights redescend.

    Returns
    -------
    Figure
    """
    fig, axes = plt.subplots(1, 2, figsize=(7.4, 3.9), width_ratios=(1, 1.1))
    _map(axes[0], found, locations)
    _weights(axes[1], locations)
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3)
    return fig


def _map(axis, found, locations):
    axis.plot(*found.pos[:, :2].T, "^", color=DARK, markersize=9, linestyle="none", label="station")
    late = int(locations[True].weight[0].sum(-1).argmin())  # the one that is believed least
    axis.plot(*found.pos[late, :2], "^", color=S_COLOUR, markersize=12, linestyle="none", label="its clock is wrong")
    star = {"markersize": 22, "markerfacecolor": "white", "markeredgecolor": DARK, "linestyle": "none"}
    axis.plot(*found.source[0, :2], "*", **star, label="true epicentre")
    for redescending, look in LOOKS.items():
        path = locations[redescending].path[:, 0, :2].numpy()
        axis.plot(*path.T, "-", color=look["color"], linewidth=1)
        axis.plot(*path[-1], **look, markersize=7.5, linestyle="none", markeredgecolor="white", zorder=4)
    axis.set(xlabel="east (km)", ylabel="north (km)", aspect="equal")
    axis.margins(0.12)


def _weights(axis, locations):
    for redescending, look in LOOKS.items():
        location = locations[redescending]
        size = location.residual_s[0].abs().flatten()
        steps = torch.linspace(0, WIDEST * size.max(), 200)
        axis.plot(steps, one_clock.share(steps, redescending), color=look["color"], linewidth=1, alpha=0.6)
        axis.plot(size, location.weight[0].flatten(), **look, markersize=8, linestyle="none", markeredgecolor="white")
    axis.set(xlabel="residual of the onset (s)", ylabel="weight, as a share of a perfect onset's", ylim=(-0.05, 1.1))


@styled
def sweep(table):
    """Median epicentral error against the error of one clock, by kind of weights; shaded: the middle 80 % of events.

    Parameters
    ----------
    table : DataFrame
        Of `seisbook.models.one_clock.sweep`.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If the table is empty.
    """
    check_drawable(table, "one wrong clock")
    fig, axis = plt.subplots(figsize=(5.6, 3.4))
    for redescending, rows in table.groupby("redescending"):
        look, by_clock = LOOKS[redescending], rows.groupby("late_s").epicentral_km
        low, middle, high = (by_clock.quantile(share) for share in (0.1, 0.5, 0.9))
        axis.fill_between(low.index, low, high, color=look["color"], alpha=0.15, linewidth=0)
        axis.plot(middle, **look)
    logarithmic(axis, "y", (1, 2, 5))
    axis.grid(axis="y", color=LINE, alpha=0.2)
    axis.set(xlabel="how late one of four clocks is (s)", ylabel="epicentral error (km)")
    axis.legend()
    return fig
