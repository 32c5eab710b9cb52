"""The figures of the alignment chapter: who finds what, the controls, the corrections, and the common space."""

import textwrap
from pathlib import Path

import cartopy.crs as ccrs
import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA

from seisbook.datasets import reports
from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.maps import base_map
from seisbook.figures.style import DARK, LINE, Interactive, check_drawable, filled, styled
from seisbook.findings.alignment import FULL, MASKED, QUANTITIES, SHUFFLED, correction, find

EXPLORER = Path(__file__).with_name("alignment_explorer.html")
CLASS_COLOURS = dict(
    zip(reports.CLASSES, ("#8c8c8c", "#0072B2", "#D55E00", "#56B4E9", "#CC79A7", "#E69F00"), strict=True)
)
CLASS_MARKERS = dict(zip(reports.CLASSES, "o^sDvX", strict=True))
CORPUS_TITLES = {
    "colombia-bulletin": "Colombia, observed texts",
    "colombia-simulated": "Colombia's twin, templated",
    "ridgecrest-bulletin": "Ridgecrest, templated",
    "ridgecrest-simulated": "Ridgecrest's twin, templated",
}
POINT = {"size": 4.5, "width": 1.6}  # of an interval
ARMS = {  # the rows of a figure: label, the arm, colour
    "aligned, texts in full": ({}, DARK),
    "without numbers": ({"masking": "numbers"}, DARK),
    "without numbers and places": ({"masking": "places"}, DARK),
    "its estimates alone": ({"arm": "estimates"}, "#0072B2"),
    "its embedding alone": ({"arm": "embedding"}, "#0072B2"),
    "words without meaning": ({"arm": "random words"}, "#0072B2"),
    "one positive a text": ({"arm": "single positive"}, "#0072B2"),
    "a region left out": ({"split": "region"}, "#CC79A7"),
    "untrained model": ({"arm": "untrained"}, LINE),
    "shuffled texts": ({"arm": "shuffled"}, LINE),
    "popularity": ({"arm": "popularity"}, LINE),
    "metadata": ({"arm": "metadata"}, LINE),
    "majority": ({"arm": "majority"}, LINE),
    "the text itself": ({"arm": "text"}, "#E69F00"),
    "supervised": ({"arm": "supervised"}, "#E69F00"),
}


def _dots(axis, rows, value, labels):
    """A dot with its interval for each arm, from the top down."""
    for y, name in enumerate(labels):
        changed, hue = ARMS[name]
        if (estimate := find(rows, changed, value)) is not None:
            whisker(axis, estimate, y, hue, **POINT)
    axis.set_xlim(left=0)


def _panels(corpora, width=7.4, height=3.9):
    check_drawable(corpora, "a figure of the alignment")
    fig, axes = plt.subplots(1, len(corpora), figsize=(width, height), sharey=True, squeeze=False)
    for axis, name in zip(axes[0], corpora, strict=True):
        axis.set_title(CORPUS_TITLES[name].replace(", ", ",\n"), fontsize=9)
        axis.grid(axis="y", visible=False)
    return fig, axes[0]


@styled
def retrieval(content):
    """Recall at five of each arm, event to text, one panel a corpus.

    Parameters
    ----------
    content : dict
        Record that `seisbook.findings.alignment.load` returns.

    Returns
    -------
    Figure
    """
    fig, axes = _panels(content["corpora"])
    labels = list(ARMS)[:11]
    for axis, corpus in zip(axes, content["corpora"].values(), strict=True):
        _dots(axis, corpus["retrieval"], "at5", labels)
    name_rows(axes[0], labels)
    fig.supxlabel("share of the events that find their own text among the first five", fontsize=10)
    return fig


@styled
def zero_shot(content):
    """Balanced accuracy of the prompts and of the controls, one panel a corpus that has classes."""
    corpora = {name: corpus for name, corpus in content["corpora"].items() if corpus["zero_shot"]}
    fig, axes = _panels(corpora)
    labels = [name for name in ARMS if name not in ("popularity", "one positive a text")]
    for axis, corpus in zip(axes, corpora.values(), strict=True):
        _dots(axis, corpus["zero_shot"], "accuracy", labels)
        axis.axvline(1 / len(corpus["named"]), color=LINE, linewidth=0.8, linestyle=":")
        axis.set_xlim(0, 1)
    name_rows(axes[0], labels)
    fig.supxlabel("balanced accuracy of the classification by prompts (dotted: chance)", fontsize=10)
    return fig


@styled
def withheld(content):
    """Area under the ROC curve of each class whose texts were withheld, and their mean, one panel a corpus."""
    corpora = {name: corpus for name, corpus in content["corpora"].items() if corpus["withheld"]}
    fig, axes = _panels(corpora, height=3.0)
    known = [None, *(name for name in reports.CLASSES if any(name in corpus["named"] for corpus in corpora.values()))]
    looks = {
        ("aligned", "none"): (DARK, "o"),
        ("aligned", "places"): ("#CC79A7", "s"),
        ("shuffled", "none"): (LINE, "D"),
    }
    for axis, corpus in zip(axes, corpora.values(), strict=True):
        for row in corpus["withheld"]:
            hue, marker = looks[row["arm"], row["masking"]]
            y = known.index(row["class"]) + 0.22 * (list(looks).index((row["arm"], row["masking"])) - 1)
            whisker(axis, row["auc"], y, hue, marker, **POINT)
        axis.axvline(0.5, color=LINE, linewidth=0.8, linestyle=":")
        axis.set_xlim(0, 1)
    name_rows(axes[0], ["mean" if name is None else name.replace("_", " ") for name in known])
    for (arm, masking), (hue, marker) in looks.items():
        text = "shuffled texts" if arm == "shuffled" else f"texts {MASKED[masking]}"
        axes[0].plot([], [], marker, color=hue, label=text)
    fig.legend(loc="outside upper center", ncols=3)
    fig.supxlabel("area under the ROC curve of the withheld class (dotted: chance)", fontsize=10)
    return fig


@styled
def partly_paired(content):
    """Recall at five against the share of training events whose text is known, with and without pseudo-pairs."""
    fig, axes = _panels(content["corpora"], height=2.9)
    for axis, corpus in zip(axes, content["corpora"].values(), strict=True):
        shares = sorted({row["paired"] for row in corpus["retrieval"]})
        for transport, hue, marker, text in (
            (False, DARK, "o", "paired events alone"),
            (True, "#D55E00", "s", "with pseudo-pairs"),
        ):
            recalls = {
                share: find(corpus["retrieval"], {"paired": share, "transport": transport}, "at5") for share in shares
            }
            recalls[1.0] = recalls[1.0] or find(corpus["retrieval"], {}, "at5")
            value, low, high = np.array(list(recalls.values())).T
            axis.errorbar(
                shares, value, (value - low, high - value), color=hue, marker=marker, markersize=4.5, label=text
            )
        axis.set_xscale("log")
        axis.set_xticks(shares, [f"{100 * share:g} %" for share in shares])
        axis.minorticks_off()
        axis.set_ylim(bottom=0)
    axes[0].set_ylabel("recall at 5")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    fig.supxlabel("training events whose text is known", fontsize=10)
    return fig


@styled
def corrections(content):
    """Errors left after a correction, as a share of what a correction without text leaves; one panel a quantity."""
    names = list(content["corpora"])
    check_drawable(names, "the corrections")
    fig, axes = plt.subplots(1, 3, figsize=(7.4, 3.4), sharey=True)
    shown = {"none": DARK, "numbers": "#0072B2", "places": "#CC79A7"}
    for axis, quantity in zip(axes, QUANTITIES, strict=True):
        for i, name in enumerate(names):
            for j, (masking, hue) in enumerate(shown.items()):
                row = correction(content["corpora"][name], masking, FULL, quantity)
                whisker(axis, row["ratio"], i + 0.2 * (j - 1.5), hue, **POINT)
            row = correction(content["corpora"][name], "none", SHUFFLED, quantity)
            whisker(axis, row["ratio"], i + 0.3, LINE, "D", **POINT)
        axis.axvline(1, color=LINE, linewidth=0.8, linestyle=":")
        axis.set_title(quantity)
        axis.grid(axis="y", visible=False)
    name_rows(axes[0], [CORPUS_TITLES[name].replace(", ", ",\n") for name in names])
    for masking, hue in shown.items():
        axes[0].plot([], [], "o", color=hue, label=f"texts {MASKED[masking]}")
    axes[0].plot([], [], "D", color=LINE, label="shuffled texts")
    fig.legend(loc="outside upper center", ncols=2)
    fig.supxlabel("mean absolute error, corrected with text over corrected without", fontsize=10)
    return fig


@styled
def answers(index, network, question, n=10):
    """All events of an index on the map, darker the more similar they are to a question, and the first ones ringed."""
    score = index.ask(question)
    order = np.argsort(score)
    projection = ccrs.Mercator(central_longitude=network.centre[1])
    local = ccrs.AzimuthalEquidistant(network.centre[1], network.centre[0])
    points = projection.transform_points(local, *(1000 * index.labels[:, :2].T))[:, :2]
    low, high = np.quantile(points, [0.005, 0.995], axis=0)
    half = np.maximum(high - low, (high - low)[::-1] * [0.8, 1 / 1.25]) * 0.56
    fig = plt.figure(figsize=(7.4, 5.4))
    axis = fig.add_subplot(projection=projection)
    base_map(axis, network, ((low + high) / 2 - half, (low + high) / 2 + half))
    drawn = axis.scatter(*points[order].T, c=score[order], s=14, cmap="cividis_r", linewidths=0, zorder=3)
    best = order[::-1][:n]
    axis.scatter(*points[best].T, s=90, facecolors="none", edgecolors="#D55E00", linewidths=1.6, zorder=4)
    fig.colorbar(drawn, ax=axis, shrink=0.7, label="similarity to the question")
    return fig


@styled
def space(index, prompts):
    """The common space in two principal components: events by class, and the questions.

    Parameters
    ----------
    index : seisbook.findings.text_search.Index
    prompts : dict of str to tuple of str
        Prompts by class, such as `seisbook.datasets.reports.PROMPTS` of one network.
    """
    placed, asked = _flat(index, prompts)
    fig, axis = plt.subplots(figsize=(7.4, 4.4))
    for name in reports.CLASSES:
        if (of := index.classes == name).any():
            look = {"color": CLASS_COLOURS[name], "marker": CLASS_MARKERS[name]}
            axis.scatter(*placed[of].T, s=16, linewidths=0, alpha=0.75, label=name.replace("_", " "), **look)
    for name, point in zip(prompts, asked, strict=True):
        axis.plot(*point, "*", color=CLASS_COLOURS[name], markeredgecolor="black", markersize=17, zorder=5)
    axis.plot([], [], "*", color="white", markeredgecolor="black", markersize=12, label="its prompts")
    axis.set_xlabel("first principal component")
    axis.set_ylabel("second principal component")
    fig.legend(loc="outside right upper")
    return fig


def _flat(index, prompts):
    """Events (n, 2) and prompts (p, 2) in the plane of the events' first principal components.

    A prompt is placed where the events that score as high as its best hundredth are, on average: each fold has its own
    projection of texts, so that a prompt has no single place among the events of all folds.
    """
    placed = PCA(2, random_state=0).fit_transform(index.placed)
    asked = []
    for questions in prompts.values():
        score = index.ask(*questions)
        asked.append(placed[score >= np.quantile(score, 0.99)].mean(0))
    return placed, np.array(asked)


def explorer(index, prompts, n=400) -> Interactive:
    """Interactive figure of the common space: ask, choose a class, read the reports.

    It is plain HTML and SVG with a script of its own, and needs no internet and no library. On paper it shows all
    questions.

    Parameters
    ----------
    index : seisbook.findings.text_search.Index
        Index of a simulated twin: its templated reports are written into the page.
    prompts : dict of str to tuple of str
    n : int
        Number of events that are drawn.
    """
    placed, asked = _flat(index, prompts)
    low, high = placed.min(0), placed.max(0)
    placed, asked = (placed - low) / (high - low), (asked - low) / (high - low)
    scores = np.stack([index.ask(*questions) for questions in prompts.values()], 1)
    known = [name for name in reports.CLASSES if (index.classes == name).any()]
    content = {
        "classes": [{"name": name.replace("_", " "), "colour": CLASS_COLOURS[name]} for name in known],
        "questions": [
            {"text": questions[0], "x": round(float(x), 3), "y": round(float(y), 3)}
            for questions, (x, y) in zip(prompts.values(), asked, strict=True)
        ],
        "events": [
            {
                "x": round(float(placed[i, 0]), 3),
                "y": round(float(placed[i, 1]), 3),
                "class": known.index(index.classes[i]),
                "text": str(index.texts[i]),
                "scores": scores[i].round(2).tolist(),
            }
            for i in range(min(n, len(placed)))
        ],
    }
    return Interactive(filled(EXPLORER, content), _asked(content))


@styled
def _asked(content, n=10, columns=3):
    """What the explorer shows of each question: the events it finds, large, and under them the first one's report."""
    questions, events = content["questions"], content["events"]
    n_rows = -(-len(questions) // columns)
    fig, axes = plt.subplots(n_rows, columns, figsize=(7.4, 2.9 * n_rows), squeeze=False)
    for axis in axes.flat[len(questions) :]:
        axis.set_axis_off()
    for i, (axis, question) in enumerate(zip(axes.flat, questions, strict=False)):
        best = sorted(events, key=lambda event: -event["scores"][i])[:n]
        for k, kind in enumerate(content["classes"]):
            look = {"c": kind["colour"], "marker": CLASS_MARKERS[kind["name"].replace(" ", "_")]}
            for chosen, size, alpha, edge in ((events, 7, 0.3, "none"), (best, 36, 1, "black")):
                points = np.reshape([(event["x"], event["y"]) for event in chosen if event["class"] == k], (-1, 2))
                axis.scatter(*points.T, s=size, alpha=alpha, edgecolors=edge, **look)
            axis.scatter([], [], s=30, label=kind["name"], **look)
        axis.plot(question["x"], question["y"], "*", color="white", markeredgecolor="black", markersize=15, zorder=5)
        axis.set(xticks=[], yticks=[])
        axis.set_title(textwrap.fill(question["text"], 26), fontsize=9)
        axis.set_xlabel(textwrap.fill(textwrap.shorten(best[0]["text"], 100), 40), fontsize=7, loc="left")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=6, columnspacing=1)
    return fig
