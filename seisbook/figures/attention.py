"""The figures of the attention chapter: stations sized by attention, agreement with others, designs, faults."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.style import (
    DARK,
    HALO,
    LINE,
    NETWORK_COLOURS,
    P_COLOUR,
    S_COLOUR,
    Interactive,
    check_drawable,
    filled,
    logarithmic,
    styled,
)

EXPLORER = Path(__file__).with_name("attention_explorer.html")
ORDER_LOOKS = {
    "rollout": {"color": DARK, "marker": "o"},
    "nearest": {"color": "#009E73", "marker": "s", "linestyle": "--", "markerfacecolor": "white"},
    "signal-to-noise": {"color": "#E69F00", "marker": "D", "linestyle": "-."},
    "D-optimal": {"color": "#0072B2", "marker": "^", "linestyle": (0, (5, 1)), "markerfacecolor": "white"},
    "random": {"color": LINE, "marker": "v", "linestyle": ":"},
}
REFERENCE_LOOKS = {name: ORDER_LOOKS[name] for name in ("nearest", "signal-to-noise")} | {
    "analyst": {"color": S_COLOUR, "marker": "*", "linestyle": "-"}
}
MEASURED = ("selection", "gradient", "rollout")  # dark; rules that know no seismogram are grey
MEASURED_LOOK, NULL_LOOK = (DARK, "o"), (LINE, "s")  # colour and marker
SHUFFLED = "#CC79A7"
ARMS = {"removed": "stations left out", "kept": "stations kept alone"}


# ----------------------------------------------------------------------------------------------------------------- maps


@styled
def attention_maps(table, analyst="analyst's emphasis", area=900):
    """Stations of one event, sized by attention in each block, by other measures and by the analyst's emphasis.

    Parameters
    ----------
    table : DataFrame
        One event of `seisbook.studies.attention.collect`, with its checks.
    analyst : str
        Title of the emphasis' panel.
    area : float
        Area of the mark of a station that has all the attention, in square points.

    Returns
    -------
    Figure
    """
    n_blocks = table.columns.str.startswith("selection_").sum()
    columns = {f"block {i}": f"selection_{i}" for i in range(1, n_blocks + 1)}
    columns |= {"rollout": "rollout", "moves the epicentre": "leave_one_out_km", analyst: "emphasis"}
    n_rows = -(-len(columns) // 3)
    size = (7.4, 0.5 + n_rows * _panel_height(table))
    fig, axes = plt.subplots(n_rows, 3, figsize=size, sharex=True, sharey=True, squeeze=False)
    for axis, (title, column) in zip(axes.flat, columns.items(), strict=False):
        _map(axis, table, table[column] / table[column].sum(), title, area, S_COLOUR if title == analyst else P_COLOUR)
    for axis in axes.flat[len(columns) :]:
        axis.set_axis_off()
    _map_labels(axes)
    return fig


def _map(axis, table, share, title, area, hue=P_COLOUR):
    """Stations about the label's epicentre."""
    axis.scatter(table.east_km, table.north_km, s=area * np.nan_to_num(share), color=hue, alpha=0.6, linewidth=0)
    axis.plot(table.east_km, table.north_km, "^", color="white", markeredgecolor="black", markersize=5)
    axis.plot(0, 0, "*", color=S_COLOUR, markeredgecolor="black", markersize=12)
    axis.set_title(title)
    axis.margins(0.2)
    axis.set_aspect("equal", adjustable="box")
    axis.grid(False)


def _panel_height(table, width=2.1):
    """Height in inches of a map of the stations and the epicentre, one of three beside each other, and its title."""
    east, north = (np.ptp([0.0, *table[name]]) for name in ("east_km", "north_km"))
    return 0.3 + width * np.clip(north / max(east, 1e-3), 0.4, 1.6)


def _map_labels(axes):
    for axis in axes[-1]:
        axis.set_xlabel("east (km)")
    for axis in axes[:, 0]:
        axis.set_ylabel("north (km)")


@styled
def fault_maps(tables, epicentres, struck, area=900):
    """One event as it is and with a fault at one of its stations: rollout, and where the model sees the epicentre.

    Parameters
    ----------
    tables : dict of str to DataFrame
        The event of `seisbook.studies.attention.collect`, by the panel's title.
    epicentres : dict of str to array_like, shape (2,)
        The model's epicentre, east and north of the label's, in km.
    struck : int
        Position of the faulty station, which is ringed.
    area : float

    Returns
    -------
    Figure
    """
    size = (7.4, 0.5 + _panel_height(next(iter(tables.values()))))
    fig, axes = plt.subplots(1, len(tables), figsize=size, sharex=True, sharey=True, squeeze=False)
    for axis, (title, table) in zip(axes[0], tables.items(), strict=True):
        _map(axis, table, table.rollout, title, area)
        place = table.east_km[struck], table.north_km[struck]
        axis.plot(*place, "o", markersize=15, markerfacecolor="none", markeredgecolor="black", markeredgewidth=1.2)
        axis.plot(*epicentres[title], "X", color="black", markeredgecolor="white", markersize=9)
    _map_labels(axes)
    return fig


def explorer(tables, analyst="analyst") -> Interactive:
    """Interactive map of events: choose an event and a measure, and hover over a station.

    It is plain HTML and SVG with a script of its own, and needs no internet and no library. On paper it shows the first
    event.

    Parameters
    ----------
    tables : DataFrame
        Table of `seisbook.studies.attention.collect`, with its checks.
    analyst : str
        Name of the emphasis.

    Returns
    -------
    Interactive
    """
    check_drawable(tables, "explorer")
    events = [event for _, event in tables.groupby("event")]
    content = [_explored(event, analyst) for event in events]
    page = filled(EXPLORER, content)
    return Interactive(page, _measures(events[0], content[0]["shares"]))


def _explored(event, analyst):
    columns = {name.replace("selection_", "block "): event[name] for name in event if name.startswith("selection_")}
    columns |= {"rollout": event.rollout, "moves the epicentre": event.leave_one_out_km}
    columns |= {"integrated gradients": event.integrated_gradients.abs()}
    columns |= {"nearness": 1 / event.epicentral_km.clip(lower=1)}
    columns |= {} if event.emphasis.isna().all() else {analyst: event.emphasis}
    shares = {name: (values / values.sum()).fillna(0).round(3).tolist() for name, values in columns.items()}
    first = event.iloc[0]
    name = f"M {first.magnitude:.1f}, {first.depth_km:.0f} km deep, {len(event)} stations"
    place = event[["east_km", "north_km"]].round(1).to_numpy().tolist()
    return {"name": name, "stations": event.station_code.tolist(), "place": place, "shares": shares}


@styled
def _measures(event, shares, area=1800):
    """An event's stations with their names, as large as their shares by two measures and by the analyst."""
    names = ["rollout", "integrated gradients", list(shares)[-1]]
    fig, axes = plt.subplots(1, 3, figsize=(7.4, 0.5 + _panel_height(event)), sharex=True, sharey=True, squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        _map(axis, event, np.array(shares[name]), name, area)
        for code, *place in event[["station_code", "east_km", "north_km"]].itertuples(index=False):
            axis.annotate(code, place, (4, 3), textcoords="offset points", fontsize=6, path_effects=HALO)
    _map_labels(axes)
    return fig


# ----------------------------------------------------------------------------------------------------- with the analyst


def _rows(axis, names, zero=True):
    name_rows(axis, names)
    axis.grid(axis="x")
    if zero:
        axis.axvline(0, color="black", linewidth=1)


@styled
def agreement(rows, beyond, shuffled):
    """Left: rank agreement of measures and nulls with the analyst's emphasis; right: what is left beyond the nulls.

    Parameters
    ----------
    rows : list of dict
        Rows of `seisbook.studies.attention.agreement`.
    beyond, shuffled : list of dict
        Rows of `seisbook.studies.attention.beyond` for the trained model, and for models with shuffled weights.

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
    for y, row in enumerate(rows):
        whisker(left, row["tau"], y, *MEASURED_LOOK if row["measure"] in MEASURED else NULL_LOOK)
    _rows(left, [row["measure"] for row in rows])
    left.set_xlabel("Kendall's τ with the analyst's emphasis (1)")
    series = (-0.12, beyond, DARK, "trained"), (0.12, shuffled, SHUFFLED, "shuffled weights")
    for shift, correlations, hue, name in series:
        for y, row in enumerate(correlations):
            whisker(right, row["correlation"], y + shift, hue)
        right.plot([], [], "o-", label=name, color=hue)
    _rows(right, [row["measure"] for row in beyond])
    right.set_xlabel("partial rank correlation (1)")
    fig.legend(*right.get_legend_handles_labels(), loc="outside lower right", ncols=2)
    return fig


@styled
def blocks(networks):
    """Agreement of each block's selections with other orders of the stations, one panel per network.

    Parameters
    ----------
    networks : dict of str to list of dict
        Rows of `seisbook.studies.attention.blocks` by network.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If there is no network.
    """
    check_drawable(networks, "blocks")
    fig, axes = plt.subplots(1, len(networks), figsize=(7.4, 2.9), sharey=True, squeeze=False)
    for axis, (name, rows) in zip(axes[0], networks.items(), strict=True):
        for i, reference in enumerate(rows[0]["tau"]):
            taus = [row["tau"][reference] for row in rows]
            _line(axis, [row["block"] for row in rows], taus, i, reference, REFERENCE_LOOKS[reference])
        axis.axhline(0, color="black", linewidth=1)
        axis.set(title=name.capitalize(), xlabel="block")
        axis.set_xticks([row["block"] for row in rows])
    axes[0, 0].set_ylabel("Kendall's τ of the selections (1)")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return fig


def _line(axis, x, estimates, i, name, look):
    x, (value, low, high) = np.array(x) + 0.06 * (i - 1.5), np.transpose(estimates)
    axis.plot(x, value, label=name, markersize=6, **look)
    axis.vlines(x, low, high, color=look["color"])


@styled
def between(networks):
    """Rank agreement of each pair of measures, a triangle a network.

    Parameters
    ----------
    networks : dict of str to list of dict
        Rows of `seisbook.studies.attention.between` by network.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If there is no network.
    """
    check_drawable(networks, "between")
    fig, axes = plt.subplots(1, len(networks), figsize=(7.4, 3.3), sharey=True, squeeze=False)
    for axis, (name, rows) in zip(axes[0], networks.items(), strict=True):
        names = list(dict.fromkeys(measure for row in rows for measure in row["measures"]))
        last, grid = len(names) - 1, np.full((len(names), len(names)), np.nan)
        for row in rows:
            (i, j), tau = (names.index(measure) for measure in row["measures"]), row["tau"][0]
            grid[j, i] = tau
            axis.text(
                i, j, f"{tau:.2f}", ha="center", va="center", color="white" if tau > 0.45 else "black", fontsize=9
            )
        cells = (-0.5, last - 0.5, last + 0.5, 0.5)
        axis.imshow(grid[1:, :-1], cmap="Blues", vmin=0, vmax=0.8, extent=cells)
        axis.set_xticks(range(len(names) - 1), names[:-1], rotation=40, ha="right")
        axis.set_yticks(range(1, len(names)), names[1:])
        axis.set_title(name.capitalize())
        axis.grid(False)
    return fig


# ------------------------------------------------------------------------------------------------------ with the design


@styled
def design(networks):
    """D-efficiency of the first stations by each measure and null, a panel a network.

    Parameters
    ----------
    networks : dict of str to dict
        By network, `rows` of `seisbook.studies.attention.design`, and `shuffled`, the efficiency by rollouts of models
        with shuffled weights.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If there is no network.
    """
    check_drawable(networks, "design")
    fig, axes = plt.subplots(1, len(networks), figsize=(7.4, 3.1), sharey=True, squeeze=False)
    for axis, (name, efficiencies) in zip(axes[0], networks.items(), strict=True):
        rows = [row for row in efficiencies["rows"] if not row["order"].startswith("selection_")]
        rows = [row for row in rows if row["order"] != "D-optimal"]
        for y, row in enumerate(rows):
            whisker(axis, row["efficiency"], y, *MEASURED_LOOK if row["order"] in MEASURED else NULL_LOOK)
        whisker(axis, efficiencies["shuffled"], len(rows), SHUFFLED)
        _rows(axis, [*(row["order"] for row in rows), "rollout, shuffled"], zero=False)
        axis.set(title=name.capitalize(), xlabel="D-efficiency of the first three (1)", xlim=(0, 1))
    return fig


@styled
def strata(networks):
    """By magnitude and class of event: correlation with the analyst beyond the nulls, and efficiency above the nearest.

    Parameters
    ----------
    networks : dict of str to list of dict
        Rows of `seisbook.studies.attention.strata` by network.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If there is no network.
    """
    check_drawable(networks, "strata")
    texts = {"beyond": "partial correlation with the analyst (1)", "gain": "D-efficiency above the nearest (1)"}
    panels = [(name, key) for key in texts for name, rows in networks.items() if rows[0][key] is not None]
    heights = [len(networks[name]) for name, _ in panels]
    fig, axes = plt.subplots(
        len(panels), 1, figsize=(7.4, 0.6 * len(panels) + 0.25 * sum(heights)), height_ratios=heights
    )
    for axis, (name, key) in zip(np.atleast_1d(axes), panels, strict=True):
        rows = networks[name]
        for y, row in enumerate(rows):
            whisker(axis, row[key], y, NETWORK_COLOURS[name])
        _rows(axis, [f"{row['stratum']} ({row['events']})" for row in rows])
        axis.set(title=name.capitalize(), xlabel=texts[key])
    return fig


# ------------------------------------------------------------------------------------------------------- does it matter


@styled
def deletion(networks):
    """Median epicentral error when the first stations of an order are left out, and when they alone are kept.

    Parameters
    ----------
    networks : dict of str to list of dict
        Rows of `seisbook.studies.attention.deletion` by network.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If there is no network.
    """
    check_drawable(networks, "deletion")
    n = len(networks)
    fig, axes = plt.subplots(n, 2, figsize=(7.4, 0.8 + 2.5 * n), sharex=True, sharey="row", squeeze=False)
    for pair, (name, rows) in zip(axes, networks.items(), strict=True):
        for axis, arm in zip(pair, ARMS, strict=True):
            for i, (order, look) in enumerate(ORDER_LOOKS.items()):
                chosen = [row for row in rows if (row["order"], row["arm"]) == (order, arm)]
                errors = [[row[key] for key in ("epicentral_km", "low_km", "high_km")] for row in chosen]
                _line(axis, [row["k"] for row in chosen], errors, i, order, look)
            axis.set_title(name.capitalize())
            logarithmic(axis, "y")
            axis.xaxis.get_major_locator().set_params(integer=True)
        pair[0].set_ylabel("median error (km)")
    for axis, text in zip(axes[-1], ARMS.values(), strict=True):
        axis.set_xlabel(f"{text} (number)")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5, title="first by")
    return fig
