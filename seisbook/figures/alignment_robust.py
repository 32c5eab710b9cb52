"""The figure of two event towers side by side: the paper's model and the robust one, on the same questions."""

import matplotlib.pyplot as plt

from seisbook.figures.alignment import ARMS, POINT
from seisbook.figures.intervals import name_rows, whisker
from seisbook.figures.style import DARK, LINE, check_drawable, styled
from seisbook.findings.alignment import find
from seisbook.measures.estimates import Estimate

ROWS = (
    "aligned, texts in full",
    "without numbers",
    "without numbers and places",
    "its estimates alone",
    "its embedding alone",
    "untrained model",
    "shuffled texts",
    "popularity",
    "metadata",
)
QUESTIONS = {"retrieval": "recall at 5", "zero_shot": "balanced accuracy", "withheld": "ROC area"}
LOOKS = {"the paper's model": ("#CC79A7", "s", -0.16), "robust model": (DARK, "o", 0.16)}


@styled
def towers(paper, robust):
    """Recall, balanced accuracy and area of withheld classes with either tower, a panel a network and question.

    Parameters
    ----------
    paper, robust : dict
        Records of `seisbook.findings.alignment.load` and `seisbook.findings.alignment_robust.load`.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If the record of the robust model has no corpus.
    """
    check_drawable(robust["corpora"], "two towers")
    panels = [(name, key) for name, corpus in robust["corpora"].items() for key in QUESTIONS if corpus[key]]
    fig, axes = plt.subplots(1, len(panels), figsize=(7.4, 4.0), sharey=True, squeeze=False)
    for axis, (name, question) in zip(axes[0], panels, strict=True):
        for record, (hue, marker, shift) in zip((paper, robust), LOOKS.values(), strict=True):
            for y, row in enumerate(ROWS):
                if (found := _found(record["corpora"][name], question, ARMS[row][0])) is not None:
                    whisker(axis, found, y + shift, hue, marker, **POINT)
        axis.set_title(f"{robust['corpora'][name]['network'].capitalize()},\n{QUESTIONS[question]}", fontsize=8)
        axis.set_xlim(0, 1)
        if question == "withheld":
            axis.axvline(0.5, color=LINE, linewidth=0.8, linestyle=":")
    name_rows(axes[0][0], ROWS)
    for title, (hue, marker, _) in LOOKS.items():
        axes[0][0].plot([], [], marker, color=hue, label=title)
    fig.legend(loc="outside upper center", ncols=2)
    return fig


def _found(corpus, question, changed):
    """Estimate of an arm; of withheld classes, that of the mean over them."""
    if question != "withheld":
        return find(corpus[question], changed, {"retrieval": "at5", "zero_shot": "accuracy"}[question])
    wanted = {"arm": "aligned", "masking": "none", "class": None} | changed
    found = [row["auc"] for row in corpus["withheld"] if wanted.items() <= row.items()]
    return Estimate(*found[0]) if found else None
