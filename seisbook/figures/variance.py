"""The figures of the variance study: components, ratios, learning curves and scores; each function returns one.

Networks have the colours of `seisbook.figures.data`, lighter for simulated twins; arms have markers. What a logarithmic
axis cannot show, estimates that are not positive, is drawn on its lower edge as an arrow, and never left out.
"""

from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator
from scipy import stats

from seisbook.errors import UserError
from seisbook.figures import style
from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.style import DARK, HALO, Interactive, check_drawable, filled, styled
from seisbook.measures.variance import TAIL
from seisbook.measures.variance_ratio import MARGIN

MARKERS = ("o", "s", "D", "^", "v", "P")
TICKS = {0.75: (1, 1.2, 1.5, 2, 3, 4, 5, 6, 8), 1.6: (1, 2, 5), 2.6: (1, 3)}  # by decades, at most
EXPLORER = Path(__file__).with_name("precision_explorer.html")
Z = round(float(stats.norm.isf(TAIL)), 4)  # standard errors to the end of a 95 % interval
COMPONENTS = {"data": "training data", "seed": "seed", "residual": "both together"}
PARTS = {"squared_bias": "bias and label", "data": "training data", "seed": "seed", "residual": "both together"}
PART_COLOURS = ("#d9d9d9", "#0072B2", "#E69F00", "#CC79A7")


class Dataset(NamedTuple):
    """A network and where its events are from: `bulletin`, `simulated` or `waveform`."""

    network: str
    source: str = "bulletin"


def _panels(n, height, **kwargs):
    fig, axes = plt.subplots(1, n, figsize=(7.4, height), squeeze=False, **kwargs)
    return fig, axes[0]


def _datasets(table):
    """Rows of each network and source, in the order in which they come."""
    return {Dataset(*key): rows for key, rows in table.groupby(["network", "source"], sort=False)}


def _decades(axis, which):
    """Plain numbers on a logarithmic axis, the more of them between the powers of ten the fewer decades there are."""
    low, high = getattr(axis, f"get_{which}lim")()
    decades = np.log10(high / low)
    style.logarithmic(axis, which, next((steps for most, steps in TICKS.items() if decades < most), (1,)))


# ----------------------------------------------------------------------------------------------------------- components


@styled
def variance_components(components, unit="km²"):
    """Dot-and-whisker plot of variance components by arm, on a logarithmic axis, a panel per network.

    An estimate that is not positive is an arrow on the left edge, with the upper end of its interval as a whisker.

    Parameters
    ----------
    components : DataFrame
        One row per network, source, arm and component: columns `network`, `source`, `arm`, `component` ("data", "seed",
        "residual"), `value`, `low`, `high`, such as of `seisbook.measures.variance.Components.table`.
    unit : str
        Unit of the values.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If the table is empty.
    """
    check_drawable(components, "variance_components")
    datasets, arms = _datasets(components), list(dict.fromkeys(components.arm))
    fig, axes = _panels(len(datasets), 1.6 + 0.22 * 3 * len(arms), sharey=True)
    for axis, (dataset, rows) in zip(axes, datasets.items(), strict=True):
        left = _left_edge(rows)
        axis.set(xscale="log", title=style.label(dataset), xlabel=f"variance ({unit})")
        for row in rows.itertuples():
            y = list(COMPONENTS).index(row.component) + 0.62 * ((arms.index(row.arm) + 0.5) / len(arms) - 0.5)
            _component(axis, row, y, left, arms.index(row.arm), style.colour(dataset))
        axis.set_xlim(left, 1.6 * rows.high.max())
        axis.set_yticks(range(3), COMPONENTS.values())
        axis.set_ylim(2.5, -0.5)
        axis.grid(axis="x")
        axis.grid(False, axis="y")
        _decades(axis, "x")
    fig.legend(handles=_arm_handles(arms), loc="outside lower center", ncols=len(arms))
    return fig


def _left_edge(rows):
    """Below all positive estimates, so that only intervals and what is not positive reach it."""
    positive = rows.value[rows.value > 0]
    return 0.3 * positive.min() if len(positive) else 1e-3 * rows.high.max()


def _component(axis, row, y, left, arm, hue):
    """One estimate with its interval; the first arm is filled, the others are open."""
    look = {"markerfacecolor": hue if arm == 0 else "white", "markeredgecolor": hue, "markeredgewidth": 1.5}
    marker = MARKERS[arm % len(MARKERS)] if row.value > left else "<"
    estimate = np.maximum([row.value, row.low, row.high], left)
    whisker(axis, estimate, y, hue, marker, 6.5, 1.8, clip_on=False, zorder=4, **look)


def _arm_handles(arms):
    look = {"linestyle": "none", "color": DARK, "markersize": 6.5, "markeredgewidth": 1.5}
    return [
        Line2D([], [], marker=MARKERS[i % len(MARKERS)], label=arm, markerfacecolor="white" if i else DARK, **look)
        for i, arm in enumerate(arms)
    ]


@styled
def event_variances(events, unit="km²"):
    """Data-induced variance of each event under two arms, one point an event, a panel per network.

    The full line is equality, the dashed one the ratio of the medians over all events. Estimates that are not
    positive are arrows on the lower and left edges; the panel says how many.

    Parameters
    ----------
    events : dict of Dataset to DataFrame
        One row per event, a column per arm, the reference second: such as the columns `data` of
        `seisbook.measures.variance.event_components`, as `dynamic` and `static`.
    unit : str

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If there is no event with a positive variance.
    """
    check_drawable(events, "event_variances")
    fig, axes = _panels(len(events), 4.0 if len(events) < 3 else 3.2)
    for axis, (dataset, table) in zip(axes, events.items(), strict=True):
        first, second = table.columns
        _scatter(axis, table[second].to_numpy(), table[first].to_numpy(), style.colour(dataset))
        axis.set(title=style.label(dataset), xlabel=f"{second}: variance ({unit})", box_aspect=1)
        _decades(axis, "x")
        _decades(axis, "y")
    axes[0].set_ylabel(f"{first}: variance ({unit})")
    return fig


def _scatter(axis, x, y, hue):
    both = np.r_[x, y]
    if not (both > 0).any():
        raise UserError("event_variances: no event has a positive variance: add partitions or seeds to the study")
    low, high = np.quantile(both[both > 0], 0.01) / 2, both.max() * 1.6
    off = (x < low) | (y < low)
    axis.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high))
    look = {"color": hue, "alpha": 0.55, "markeredgewidth": 0}
    axis.plot(x[~off], y[~off], ".", markersize=5, rasterized=True, **look)
    for which, marker in ((x < low, "<"), ((y < low) & (x >= low), "v")):  # beyond both edges: in the corner
        if which.any():  # an empty unclipped line would lie in the figure's corner and upset the layout
            edge = np.maximum(x, low)[which], np.maximum(y, low)[which]
            axis.plot(*edge, marker, markersize=4.5, clip_on=False, **look)
    axis.plot([low, high], [low, high], color=DARK, linewidth=1)
    ratio = np.median(y) / np.median(x)
    text = f"{len(x):,} events, {off.sum():,} on the edges"
    if ratio > 0 and np.isfinite(ratio):
        axis.plot([low, high], [ratio * low, ratio * high], "--", color=DARK, linewidth=1.4)
        text = f"ratio of medians {ratio:.2f}\n{text}"
    axis.text(0.04, 0.96, text, transform=axis.transAxes, va="top", fontsize=9, path_effects=HALO)


# --------------------------------------------------------------------------------------------------------------- ratios


@styled
def ratio_forest(ratios):
    """Ratios of the data-induced variance with their intervals, against 1, a panel for each network.

    Filled points decide, see `seisbook.measures.variance_ratio.verdict`; open ones are inconclusive. The shaded range
    holds reductions by less than 10 %. Open ends of an interval are arrows.

    Parameters
    ----------
    ratios : DataFrame
        One row each: `network`, `source`, `quantity` (such as "epicentre, mean"), `value`, `low`, `high`, `verdict`.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If the table is empty.
    """
    check_drawable(ratios, "ratio_forest")
    datasets, quantities = _datasets(ratios), list(dict.fromkeys(ratios.quantity))
    fig, axes = _panels(len(datasets), 1.5 + 0.28 * len(quantities), sharey=True)
    limits = _finite_range(ratios)
    for axis, (dataset, rows) in zip(axes, datasets.items(), strict=True):
        axis.set(xscale="log", xlim=limits, title=style.label(dataset))
        axis.axvspan(MARGIN, 1, color="#e3e3e3", linewidth=0, zorder=0)
        axis.axvline(1, color="black", linewidth=1)
        for row in rows.itertuples():
            _ratio(axis, row, quantities.index(row.quantity), limits, style.colour(dataset))
        axis.tick_params(axis="y", length=0, pad=9)
        axis.grid(False, axis="y")
        _decades(axis, "x")
    name_rows(axes[0], quantities)
    fig.supxlabel("ratio of the data-induced variances, dynamic over static (1)", fontsize=9)
    return fig


def _finite_range(ratios):
    """Ends of an axis for these ratios and 1, without those that are open."""
    finite = ratios[["low", "value", "high"]].to_numpy(float)
    finite = finite[np.isfinite(finite) & (finite > 0.01) & (finite < 100)]
    return min([*finite, 0.7]) / 1.15, max([*finite, 1.4]) * 1.15


def _ratio(axis, row, y, limits, hue):
    ends = np.clip([row.low, row.high], *limits)
    value = np.clip(row.value, *limits) if np.isfinite(row.value) else np.nan
    face = "white" if row.verdict == "inconclusive" else hue
    whisker(axis, (value, *ends), y, hue, size=6.5, markerfacecolor=face)
    for end, value, marker in zip(ends, (row.low, row.high), "<>", strict=True):
        if end != value:
            axis.plot(end, y, marker, color=hue, markersize=6, clip_on=False)
    text = f"{row.value:.2f} [{row.low:.2f}, {row.high:.2f}]".replace("inf", "∞")
    axis.annotate(text, (1.04, y), xycoords=axis.get_yaxis_transform(), va="center", fontsize=8, annotation_clip=False)


# ------------------------------------------------------------------------------------------------------ learning curves


@styled
def learning_curves(curves, experts=None, quantity="median epicentral error (km)"):
    """Error against the number of training events, with the fitted power law and the line of the experts.

    Points are runs, spread a little sideways to be seen; the dark band is the 95 % interval of the curve, the light one
    that of one more run. The curve is dashed beyond the largest training set.

    Parameters
    ----------
    curves : dict of Dataset to LearningCurve
        See `seisbook.measures.learning_curves.fit_learning_curve`.
    experts : dict of Dataset to Estimate, optional
        How well two experts agree; drawn as a line with its interval.
    quantity : str
        Name of the errors, with their unit.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If there is no curve.
    """
    check_drawable(curves, "learning_curves")
    fig, axes = _panels(len(curves), 3.8)
    for axis, (dataset, curve) in zip(axes, curves.items(), strict=True):
        axis.set(xscale="log", yscale="log", title=style.label(dataset), xlabel="training events (1)")
        _curve(axis, curve, style.colour(dataset))
        _expert_line(axis, (experts or {}).get(dataset))
        for which in "xy":
            _decades(axis, which)
        sizes = np.unique(curve.n)
        if len(sizes) <= 6 and sizes.max() >= 4 * sizes.min():
            axis.xaxis.set_major_locator(FixedLocator(sizes))
            axis.xaxis.set_major_formatter(FixedFormatter([f"{size:,.0f}" for size in sizes]))
    axes[0].set_ylabel(quantity)
    entries = dict(zip(*reversed(axes[0].get_legend_handles_labels()), strict=True))
    fig.legend(entries.values(), entries, loc="outside lower center", ncols=len(entries))
    return fig


def _curve(axis, curve, hue):
    largest = curve.n.max()
    n = np.geomspace(curve.n.min() / 1.15, 2 * largest, 120)
    axis.fill_between(n, *curve.prediction_band(n), color=hue, alpha=0.15, linewidth=0, label="one more run, 95 %")
    axis.fill_between(n, *curve.confidence_band(n), color=hue, alpha=0.35, linewidth=0, label="curve, 95 %")
    axis.plot(n[n <= largest], curve.predict(n[n <= largest]), color=hue)
    axis.plot(n[n >= largest], curve.predict(n[n >= largest]), "--", color=hue)
    sideways = np.exp(np.random.default_rng(0).uniform(-0.05, 0.05, len(curve.n)))
    look = {"color": hue, "markersize": 4, "alpha": 0.8, "markeredgecolor": "white", "markeredgewidth": 0.4}
    axis.plot(curve.n * sideways, curve.error, "o", label="runs", **look)


def _expert_line(axis, expert):
    if expert is None:
        return
    axis.axhspan(expert.low, expert.high, color=DARK, alpha=0.18, linewidth=0)
    axis.axhline(expert.value, color=DARK, linewidth=1.4, linestyle="-.", label="experts among themselves, 95 %")


# --------------------------------------------------------------------------------------------------------------- scores


@styled
def score_maps(table, quantity="median epicentral error (km)", column="score"):
    """Score of every training, partitions across and seeds down, the two arms side by side on one colour scale.

    Stripes down a panel show that the training data matter, stripes across it that the seed matters. Speckle shows that
    neither matters alone.

    Parameters
    ----------
    table : DataFrame
        One row per training of one network: `arm`, `partition`, `seed`, and `column`. What is missing stays white.
    quantity : str
        Name of the scores, with their unit.
    column : str

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If the table is empty.
    """
    check_drawable(table, "score_maps")
    arms = dict(list(table.groupby("arm")))
    low, high = table[column].min(), table[column].max()
    n_seeds = table.seed.nunique()
    fig, axes = _panels(len(arms), 1.9 + 0.28 * n_seeds, sharey=True)
    for axis, (arm, rows) in zip(axes, arms.items(), strict=True):
        cells = rows.pivot(index="seed", columns="partition", values=column)
        image = axis.imshow(cells, cmap="cividis", vmin=low, vmax=high, aspect="auto", interpolation="nearest")
        axis.set(title=arm, xlabel="partition (number)")
        every = -(-len(cells.columns) * len(arms) // 20)
        axis.set_xticks(range(0, len(cells.columns), every), cells.columns[::every])
        axis.set_yticks(range(len(cells)), cells.index)
        axis.grid(False)
    axes[0].set_ylabel("seed (number)")
    fig.colorbar(image, ax=list(axes), label=quantity, shrink=0.9)
    return fig


@styled
def one_score(runs, arm="dynamic", column="epicentral_km", quantity="median epicentral error (km)"):
    """One score of every training of one arm, on the fold that it left out and on fixed external events.

    Partitions run across, with one point per seed; the grey line joins the partitions' means. If the open points
    scatter more than the filled ones, that is due to their test events and not to the training.

    Parameters
    ----------
    runs : dict of Dataset to DataFrame
        One row per training: `arm`, `partition`, `column`, and `fold_<column>`.
    arm, column : str
    quantity : str
        Name of the scores, with their unit.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If there is no dataset.
    """
    check_drawable(runs, "one_score")
    fig, axes = _panels(len(runs), 3.2)
    for axis, (dataset, table) in zip(axes, runs.items(), strict=True):
        rows, hue = table[table.arm == arm], style.colour(dataset)
        for name, face, text in ((f"fold_{column}", "white", "its own fold"), (column, hue, "external events")):
            mean = rows.groupby("partition")[name].mean()
            axis.plot(mean.index, mean, color=hue if face != "white" else style.LINE, linewidth=1)
            look = {"markerfacecolor": face, "markeredgecolor": hue, "markersize": 4.5, "linestyle": "none"}
            axis.plot(rows.partition, rows[name], marker="o", label=text, **look)
        axis.set(title=style.label(dataset), xlabel="partition (number)")
        axis.set_xticks(range(0, int(rows.partition.max()) + 1, 5))
    axes[0].set_ylabel(quantity)
    handles = axes[0].get_legend_handles_labels()
    fig.legend(*handles, loc="outside lower center", title="tested on", ncols=2)
    return fig


@styled
def error_budget(budget):
    """What the mean squared error of the external events is made of, stacked to 100 %, a panel per quantity.

    Parts that are estimated below zero are drawn as zero.

    Parameters
    ----------
    budget : dict of Dataset to DataFrame
        One row per `arm` and `quantity`: `squared_bias`, `data`, `seed`, `residual`, in squared units.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If there is no dataset.
    """
    check_drawable(budget, "error_budget")
    rows = [(dataset, row) for dataset, table in budget.items() for row in table.to_dict("records")]
    quantities = list(dict.fromkeys(row["quantity"] for _, row in rows))
    fig, axes = _panels(len(quantities), 1.5 + 0.36 * len(rows) / len(quantities), sharey=True)
    for axis, quantity in zip(axes, quantities, strict=True):
        chosen = [(dataset, row) for dataset, row in rows if row["quantity"] == quantity]
        values = np.array([[max(row[part], 0.0) for part in PARTS] for _, row in chosen])
        share = 100 * values / values.sum(1, keepdims=True)
        for i, (name, hue) in enumerate(zip(PARTS.values(), PART_COLOURS, strict=True)):
            axis.barh(range(len(chosen)), share[:, i], left=share[:, :i].sum(1), color=hue, label=name, height=0.7)
        axis.set(title=quantity, xlabel="share (%)", xlim=(0, 100), ylim=(len(chosen) - 0.5, -0.5))
        axis.set_yticks(
            range(len(chosen)), [f"{dataset.network.capitalize()}, {row['arm']}" for dataset, row in chosen]
        )
        axis.grid(False)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(PARTS))
    return fig


# ------------------------------------------------------------------------------------------------------------ precision


def half_width(components, n_partitions, n_seeds):
    r"""Half the 95 % interval of a mean score that a study of this size has.

    .. math:: 1.96 \sqrt{\sigma^2_\mathrm{data}/P + \sigma^2_\mathrm{seed}/S + \sigma^2_\mathrm{residual}/(PS)}

    Parameters
    ----------
    components : mapping
        `data`, `seed`, `residual`: variances; what is below zero counts as zero.
    n_partitions, n_seeds : array_like

    Returns
    -------
    float or ndarray
        In the unit of the score.
    """
    data, seed, residual = (max(components[name], 0.0) for name in COMPONENTS)
    partitions, seeds = np.asarray(n_partitions, float), np.asarray(n_seeds, float)
    return Z * np.sqrt(data / partitions + seed / seeds + residual / (partitions * seeds))


@styled
def precision(components, seeds=(1, 2, 5), most=25, unit="km"):
    """Half width of a mean score's interval against the number of trainings, a line for each number of seeds.

    Parameters
    ----------
    components : dict of Dataset to mapping
        `data`, `seed`, `residual` of the score, in squared units.
    seeds : sequence of int
        Numbers of seeds; each one has a line.
    most : int
        Largest number of partitions.
    unit : str
        Unit of the score.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If there is no dataset.
    """
    check_drawable(components, "precision")
    fig, axes = _panels(len(components), 3.2)
    partitions = np.arange(1, most + 1)
    for axis, (dataset, variances) in zip(axes, components.items(), strict=True):
        for n, line in zip(seeds, ("-", "--", ":", "-."), strict=False):
            text = f"{n} seed{'s' if n > 1 else ''}"
            axis.plot(
                n * partitions, half_width(variances, partitions, n), line, color=style.colour(dataset), label=text
            )
        axis.set(title=style.label(dataset), xlabel="trainings (1)", xscale="log", yscale="log")
        for which in "xy":
            _decades(axis, which)
    axes[0].set_ylabel(f"half width of the 95 % interval ({unit})")
    axes[-1].legend(loc="upper right")
    return fig


def precision_explorer(components, means, unit="km") -> Interactive:
    """Interactive figure of the precision: sliders set partitions and seeds, and the interval follows.

    It is plain HTML and SVG with a script of its own, and needs no internet and no library. On paper it shows three
    designs.

    Parameters
    ----------
    components : dict of Dataset to dict of str to mapping
        Variances `data`, `seed` and `residual` of each dataset and arm.
    means : dict of Dataset to dict of str to float
        The mean scores that the intervals are drawn around.
    unit : str

    Returns
    -------
    Interactive
    """
    check_drawable(components, "precision_explorer")
    content = [
        {
            "name": style.label(dataset),
            "arms": [_explored(arm, variances, means[dataset][arm]) for arm, variances in arms.items()],
        }
        for dataset, arms in components.items()
    ]
    page = filled(EXPLORER, content, unit=unit, z=Z)
    return Interactive(page, _designs(components, means, unit))


@styled
def _designs(components, means, unit, designs=((5, 1), (5, 4), (20, 1))):
    """Mean scores and their 95 % intervals by some numbers of partitions and seeds, a panel a dataset."""
    fig, axes = _panels(len(components), 2.9)
    for axis, (dataset, arms) in zip(axes, components.items(), strict=True):
        for i, (arm, variances) in enumerate(arms.items()):
            half = [half_width(variances, *design) for design in designs]
            place = np.arange(len(designs)) + 0.2 * (i - (len(arms) - 1) / 2)
            look = {"marker": MARKERS[i], "markerfacecolor": "white" if i else None, "linestyle": "none"}
            axis.errorbar(
                np.full(len(half), means[dataset][arm]),
                place,
                xerr=half,
                color=style.colour(dataset),
                label=arm,
                **look,
            )
        axis.set(title=style.label(dataset), xlabel=f"mean score ({unit})", ylim=(len(designs) - 0.5, -0.5))
        axis.set_yticks(range(len(designs)), [f"{p} partitions, {n} seed{'s' if n > 1 else ''}" for p, n in designs])
    for axis in axes[1:]:
        axis.tick_params(labelleft=False)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return fig


def _explored(arm, components, mean):
    return {"arm": arm, "mean": round(mean, 4), "parts": [max(components[name], 0.0) for name in COMPONENTS]}
