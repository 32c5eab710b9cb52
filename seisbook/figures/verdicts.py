"""A chapter's verdicts as a forest: every measurement in its own unit, beside the threshold that it is held against."""

import re
from textwrap import wrap

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Patch

from seisbook.figures.intervals import whisker
from seisbook.figures.ledger import LOOK, marks_of_verdicts
from seisbook.figures.style import DARK, check_drawable, logarithmic, styled

MEASURE = re.compile(r"[,:] ")  # ends the measure, which the rows of a panel share
CLAIMED = "#e6f2ee"
TEXT_LINE, GAP, HEAD = 0.125, 0.07, 0.52  # inches: a line of a label, what parts two rows, a panel's title and axis
WIDE = 5  # the ratio of two values from which an axis is logarithmic
WRAP, SMALL = 46, 7.5


@styled
def forest(claims):
    """Draw each measurement with its 95 % interval, its threshold, and the side that the claim names.

    Measurements of the same claim and measure share a panel and its axis. An interval without an end reaches the
    panel's edge.

    Parameters
    ----------
    claims : list of Claim
        From `seisbook.findings.claims.claims`; those that were not run are left out.

    Returns
    -------
    Figure

    Raises
    ------
    UserError
        If no claim was run.
    """
    panels = _panels([claim for claim in claims if claim.verdict in LOOK])
    check_drawable(panels, "verdicts")
    heights = [sum(map(_height, rows)) + GAP for rows in panels.values()]
    size = 7.4, sum(heights) + HEAD * len(panels) + 0.35
    figure, axes = plt.subplots(len(panels), figsize=size, height_ratios=heights, layout="constrained", squeeze=False)
    for axis, (title, rows) in zip(axes[:, 0], panels.items(), strict=True):
        _panel(axis, title, rows)
    handles = [*marks_of_verdicts(), Patch(color=CLAIMED, label="side of the claim")]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure


def _panels(claims):
    """Claims by title of their panel: identifier, measure, and the unit of what is drawn; within a panel by place."""
    panels = {}
    for claim in claims:
        unit = ", change in %" if claim.relative else ""
        panels.setdefault(f"{claim.id}  {_parts(claim)[0]}{unit}", []).append(claim)
    return {title: sorted(rows, key=lambda claim: claim.place) for title, rows in panels.items()}


def _parts(claim):
    """The measure, and under which conditions it was taken."""
    measure, *conditions = MEASURE.split(claim.measured, maxsplit=1)
    return measure, "".join(conditions)


def _label(claim):
    conditions = _parts(claim)[1]
    text = f"{claim.place}, {claim.signals}{': ' if conditions else ''}{conditions}"
    fewest = len(wrap(text, WRAP))
    ways = (wrap(text, width) for width in range(WRAP // 2, WRAP + 1))
    return next(lines for lines in ways if len(lines) == fewest)  # no line of one word, if there is another way


def _height(claim):
    return TEXT_LINE * len(_label(claim)) + GAP


def _panel(axis, title, rows):
    """Draw one panel from the top down; heights are in inches."""
    left, right = _limits(axis, rows)
    heights, y = [], GAP / 2
    for claim in rows:
        half = _height(claim) / 2
        heights.append(y + half)
        _row(axis, claim, y, y + 2 * half, (left, right))
        y += 2 * half
    axis.set_xlim(left, right)
    axis.set_ylim(y + GAP / 2, 0)
    axis.set_yticks(heights, ["\n".join(_label(claim)) for claim in rows], fontsize=SMALL)
    axis.tick_params(axis="y", length=0)
    axis.tick_params(axis="x", labelsize=SMALL)
    axis.grid(False)
    axis.set_title(title, fontsize=8.5, x=0, ha="left")


def _row(axis, claim, top, bottom, limits):
    """Draw one measurement between two heights."""
    colour, marker = LOOK[claim.verdict]
    threshold = claim.drawn(claim.threshold)
    edge = limits[1] if claim.above else limits[0]
    axis.fill_betweenx([top, bottom], threshold, edge, color=CLAIMED, linewidth=0)
    axis.plot([threshold, threshold], [top, bottom], color=DARK, linewidth=1)
    ends = (claim.drawn(value) for value in (claim.estimate, claim.ci_low, claim.ci_high))
    middle = (top + bottom) / 2
    whisker(axis, np.clip(list(ends), *limits), middle, colour, marker=marker, size=4.5, width=1.4)
    axis.text(1.02, middle, claim.found, transform=axis.get_yaxis_transform(), fontsize=SMALL, va="center")


def _limits(axis, rows):
    """Ends of an axis that holds all thresholds and finite ends of intervals; it becomes logarithmic if it is long."""
    values = [claim.drawn(x) for claim in rows for x in (claim.estimate, claim.ci_low, claim.ci_high, claim.threshold)]
    values = np.array(values)[np.isfinite(values)]
    low, high = values.min(), values.max()
    if low > 0 and high > WIDE * low:
        logarithmic(axis, "x", (1, 2, 5))
        return low / 1.15, high * 1.15
    margin = 0.06 * (high - low)
    return low - margin, high + margin
