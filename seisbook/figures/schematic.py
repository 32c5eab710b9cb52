"""Schematic of the whole model, drawn from one event: what each step gets, and in which shape.

Letters are larger than in other figures, so that they can be read on a phone.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import ConnectionPatch

from seisbook.figures.model import ellipse
from seisbook.figures.seismograms import wiggles
from seisbook.figures.style import DARK, HALO, P_COLOUR, S_COLOUR, styled

STATIONS = 5  # whose seismograms are drawn
TITLE, SHAPE, WORDS = 16, 15, 13  # points
EDGE, PALE = "#c9c9c9", "#8c8c8c"
LARGEST, MEAN = P_COLOUR, "#009E73"  # of the readout
TAKEN = "#CC79A7"  # what the maximum takes, and the station that it is shown for
LEVEL = 0.9  # of the ellipse


@styled
def schematic(walk, neighbour, message, config):
    """The way of one event through the model: seismograms, stem, graph, maximum, readout, hypocentre with its ellipse.

    Parameters
    ----------
    walk : seisbook.models.inspection.Walk
    neighbour : ndarray of int, shape (N, k)
    message : ndarray, shape (N, k, C)
        Of `seisbook.models.inspection.first_messages`.
    config : seisbook.models.graph.ModelConfig

    Returns
    -------
    Figure
    """
    fig, axes = plt.subplots(3, 2, figsize=(7.4, 10.4))
    fig.get_layout_engine().set(w_pad=0.1, h_pad=0.14, hspace=0.03, wspace=0.04)
    shown = shown_station(walk)
    near = np.argsort(np.hypot(*(walk.pos[:, :2] - walk.y[:2]).T))[:STATIONS]
    _traces(axes[0, 0], walk, near, config, probabilities=False)
    _traces(axes[0, 1], walk, near, config, probabilities=True)
    _graph(axes[1, 0], walk, neighbour, shown)
    _largest(axes[1, 1], message[shown])
    _readout(axes[2, 0], walk.prediction.embedding[0].numpy(), config)
    _source(axes[2, 1], walk)
    for i, (axis, step) in enumerate(zip(axes.flat, steps(walk, config), strict=True)):
        _named(axis, f"{i + 1}  {step[0]}", *step[1:])
    _arrows(fig, axes, config.blocks)
    return fig


def _named(axis, title, shape, words):
    """Title above a panel; below it the shape, and what is counted."""
    axis.set_title(title, fontsize=TITLE)
    axis.set_xlabel(shape, fontsize=SHAPE, weight="bold", color=DARK, labelpad=6)
    below = {"xycoords": "axes fraction", "textcoords": "offset points", "annotation_clip": False}
    axis.annotate(words, (0.5, 0), (0, -31), ha="center", va="top", fontsize=WORDS, color="#555555", **below)
    axis.set(xticks=[], yticks=[])
    axis.grid(False)
    axis.spines[:].set_visible(False)


def steps(walk, config) -> list[tuple[str, str, str]]:
    """Title, shape and what is counted, of each step."""
    stations, components, samples = walk.traces.shape
    k, c, times = min(config.neighbours, stations - 1), config.channels, walk.probability.shape[-1]
    scales = config.blocks + 1 if config.readout == "multiscale" else 1
    return [
        ("Seismograms", f"{stations} × {components} × {samples}", "stations × components × samples"),
        ("Stem finds P and S", f"{stations} × 2 × {times}", "stations × phases × times"),
        ("Nearest stations", f"{stations} × {k}", "stations × neighbours"),
        ("Largest message", f"{stations} × {k} × {c} → {stations} × {c}", "stations × neighbours × channels"),
        ("Readout of all blocks", f"{scales} × 2 × {c}", "scales × (max, mean) × channels"),
        ("Source and ellipse", "4 + 5", "estimates + uncertainties"),
    ]


def shown_station(walk) -> int:
    """Position of the station in the middle of all, for which neighbours and messages are drawn."""
    place = walk.pos[:, :2]
    return int(np.argmin(np.hypot(*(place - np.median(place, axis=0)).T)))


def _traces(axis, walk, near, config, probabilities):
    """Vertical seismograms, in pale ink if the probabilities of P and S stand on them."""
    wiggles(axis, walk.traces[near, 0], config.sampling_rate_hz)
    if probabilities:
        for line in axis.lines:
            line.set(color=EDGE)
        _probabilities(axis, walk, near, config)
    onsets = walk.onset_s[near]
    margin = 0.15 * np.ptp(onsets) + 1
    axis.set_xlim(max(0, onsets.min() - margin), onsets.max() + margin)
    axis.set_ylim(len(near) - 0.4, -1.0)


def _probabilities(axis, walk, near, config):
    """Each station's probabilities of P and S, scaled to their largest values; the letters are above the first ones."""
    time = np.arange(walk.probability.shape[-1]) * walk.traces.shape[-1]
    time = time / config.sampling_rate_hz / walk.probability.shape[-1]
    for name, phase, colour in (("P", 0, P_COLOUR), ("S", 1, S_COLOUR)):
        for row, station in enumerate(near):
            height = walk.probability[station, phase] / walk.probability[station, phase].max()
            axis.fill_between(time, row + 0.4, row + 0.4 - 0.85 * height, color=colour, linewidth=0)
        onset = walk.onset_s[near[0], phase]
        axis.annotate(name, (onset, -0.5), ha="center", va="bottom", fontsize=SHAPE, weight="bold", color=colour)


def _stations(axis, walk, size=70):
    axis.scatter(*walk.pos[:, :2].T, size, marker="^", color="white", edgecolor="black", linewidth=1.1, zorder=3)
    axis.set_aspect("equal", adjustable="datalim")
    axis.margins(0.1)


def _graph(axis, walk, neighbour, shown):
    """Edges of the first block; those of one station stand out."""
    for station, others in enumerate(neighbour):
        for other in others:
            ends = walk.pos[[station, other], :2].T
            own = station == shown
            axis.plot(*ends, color=TAKEN if own else EDGE, linewidth=2.6 if own else 1, zorder=2 if own else 1)
    _stations(axis, walk)
    axis.scatter(*walk.pos[shown, :2], 130, marker="^", color=TAKEN, edgecolor="black", linewidth=1.1, zorder=4)


def _largest(axis, message):
    """Messages of one station's neighbours, a row each, and below them the largest value of each channel."""
    strength = message / max(message.max(), 1e-9)
    wins = (message == message.max(0)) & (message > 0)
    image = _shades(strength, PALE)
    image[wins] = _shades(strength, TAKEN)[wins]
    k, channels = message.shape
    axis.imshow(image, aspect="auto", interpolation="nearest", extent=(0, channels, k, 0))
    below = _shades(strength.max(0, keepdims=True), TAKEN)
    axis.imshow(below, aspect="auto", interpolation="nearest", extent=(0, channels, k + 1.6, k + 0.6))
    for row in range(k):
        axis.text(-1.5, row + 0.5, str(row + 1), ha="right", va="center", fontsize=WORDS)
    axis.text(-1.5, k + 1.1, "max", ha="right", va="center", fontsize=WORDS, weight="bold", color=DARK)
    for top, bottom in ((0, k), (k + 0.6, k + 1.6)):
        axis.add_patch(plt.Rectangle((0, top), channels, bottom - top, fill=False, edgecolor=DARK, linewidth=0.8))
    axis.set(xlim=(-9, channels + 0.5), ylim=(k + 1.9, -0.3))


def _shades(strength, colour):
    """From white to a colour, (..., 3)."""
    share = np.sqrt(np.clip(strength, 0, 1))[..., None]
    return 1 - share * (1 - np.array(to_rgb(colour)))


def _readout(axis, embedding, config):
    """The embedding as a stack of bars: maximum and mean over the stations, after the stem and after each block."""
    rows = embedding.reshape(-1, config.channels)
    names = ["stem", *(f"block {i + 1}" for i in range(config.blocks))][-len(rows) // 2 :]
    for i, values in enumerate(rows):
        top = 1.25 * i + 0.35 * (i // 2)
        spread = 2 * values.std() or 1
        shades = 0.5 + 0.5 * np.clip((values - values.mean()) / spread, -1, 1)
        axis.imshow(
            _shades(shades[None], (LARGEST, MEAN)[i % 2]),
            aspect="auto",
            interpolation="nearest",
            extent=(0, config.channels, top + 1, top),
        )
        axis.text(config.channels + 1.5, top + 0.5, ("max", "mean")[i % 2], va="center", fontsize=WORDS)
        if i % 2 == 0:
            axis.text(-1.5, top + 1.1, names[i // 2], ha="right", va="center", fontsize=WORDS)
    axis.set(xlim=(-23, config.channels + 16), ylim=(top + 1.3, -0.3))


def _source(axis, walk):
    """Estimates of the blocks, the prediction with its ellipse, and the label."""
    places, tril = walk.estimates, walk.prediction.epicentre_tril[0].numpy()
    patch = ellipse(places[-1, :2], tril, LEVEL)
    axis.add_patch(patch)
    axis.plot(*places[:, :2].T, "-", color=EDGE, linewidth=1.5)
    axis.plot(*places[:-1, :2].T, "o", color="white", markeredgecolor=P_COLOUR, markeredgewidth=1.8, markersize=9)
    axis.plot(*places[-1, :2], "o", color=P_COLOUR, markersize=9)
    axis.plot(*walk.y[:2], "*", color=S_COLOUR, markeredgecolor="black", markersize=18, zorder=4)
    for i, (east, north, _) in enumerate(places[:-1]):
        axis.annotate(
            str(i + 1),
            (east, north),
            (7, 5),
            textcoords="offset points",
            fontsize=WORDS,
            color=P_COLOUR,
            path_effects=HALO,
        )
    axis.set_aspect("equal", adjustable="datalim")
    axis.margins(0.12, 0.28)  # room for the words above and the scale below
    depth, magnitude = places[-1, 2], walk.prediction.magnitude[0].item()
    axis.annotate(
        f"M {magnitude:.1f}, {depth:.0f} km deep",
        (0.98, 0.97),
        xycoords="axes fraction",
        ha="right",
        va="top",
        fontsize=WORDS,
    )
    _scale_bar(axis)


def _scale_bar(axis):
    """A bar of a round number of kilometres at the lower left."""
    left, right = axis.get_xlim()
    length = max(km for km in (1, 2, 5, 10, 20, 50, 100) if km < max(0.4 * (right - left), 1.1))
    place = axis.get_xaxis_transform()
    start = left + 0.03 * (right - left)
    axis.plot([start, start + length], [0.04, 0.04], color=DARK, linewidth=2.5, transform=place, solid_capstyle="butt")
    axis.text(start, 0.07, f"{length} km", transform=place, fontsize=WORDS)


def _arrows(fig, axes, blocks):
    """From each step to the next one in its row, and back from the maximum to the graph for each further block."""
    for row in axes:
        _arrow(fig, (row[0], 1.015, 0.5), (row[1], -0.015, 0.5))
    if blocks > 1:
        _arrow(fig, (axes[1, 1], -0.015, 0.34), (axes[1, 0], 1.015, 0.34))
        place = {"xytext": (23, 0), "textcoords": "offset points", "annotation_clip": False, "ha": "center"}
        axes[1, 0].annotate(f"×{blocks}", (1, 0.55), xycoords="axes fraction", fontsize=SHAPE, weight="bold", **place)


def _arrow(fig, start, end):
    """Between two places, each an axes and a place in its fractions."""
    ends = [place for _, *place in (start, end)]
    frames = [axis.transAxes for axis, *_ in (start, end)]
    arrow = ConnectionPatch(*ends, *frames, arrowstyle="-|>", mutation_scale=20, linewidth=2.2, color=DARK)
    arrow.set_in_layout(False)
    fig.add_artist(arrow)
