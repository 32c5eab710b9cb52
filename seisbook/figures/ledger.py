"""The ledger as a picture: every measurement of every claim, on one axis."""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from seisbook.figures.style import DARK, LINE, check_drawable, styled

LOOK = {"supported": ("#009E73", "o"), "inconclusive": ("#8c8c8c", "s"), "not supported": ("#D55E00", "X")}
"""Colour and marker of a verdict; told apart without colour, too."""
FAR = 6  # half widths of the interval; what lies farther is drawn at the edge, as an arrow
ROW, BLOCK, GAP = 0.1, 0.05, 0.12  # inches: a measurement, and what is left free after a network and a claim
WRAP = 34


@styled
def forest(claims):
    r"""Draw how far each measurement lies from its threshold, in half widths of its interval.

    With estimate :math:`x`, interval :math:`[l, u]` and threshold :math:`t`, the point stands at :math:`(x - t) / h`,
    :math:`h = (u - l) / 2`, and its whisker goes from :math:`(l - t) / h` to :math:`(u - t) / h`. The axis is turned
    round where a claim says that something is *below* its threshold, so that the right half is always the claim's
    side. An interval that is open has no half width; it is drawn as a line across the picture, at the threshold.

    Parameters
    ----------
    claims : list of Claim
        From `seisbook.findings.claims.claims`; those that were not run are left out.

    Returns
    -------
    Figure
    """
    claims = [claim for claim in claims if claim.verdict in LOOK]
    check_drawable(claims, "the ledger")
    names = list(dict.fromkeys(claim.id for claim in claims))
    height = ROW * len(claims) + (GAP + 2 * BLOCK) * len(names) + 1.1
    figure, axis = plt.subplots(figsize=(7.6, height), layout="constrained")
    y, ticks = 0.0, {}
    for name in names:
        rows = [claim for claim in claims if claim.id == name]
        top = y
        for where in dict.fromkeys((claim.place, claim.signals) for claim in rows):
            y = _block(axis, [claim for claim in rows if (claim.place, claim.signals) == where], ", ".join(where), y)
        ticks[(top + y - BLOCK - ROW) / 2] = fill(f"{name}  {rows[0].statement}", WRAP)
        axis.axhline(y + (GAP - BLOCK - ROW) / 2, color=LINE, linewidth=0.5)
        y += GAP
    axis.axvline(0, color=DARK, linewidth=1)
    axis.set_yticks(list(ticks), list(ticks.values()), fontsize=8)
    axis.tick_params(axis="y", length=0)
    axis.spines.left.set_visible(False)
    axis.set_ylim(y - GAP - BLOCK, -GAP)
    axis.set_xlim(-FAR - 0.6, FAR + 0.6)
    axis.grid(False, axis="y")
    axis.set_xlabel("distance from the threshold, in half widths of the interval", labelpad=14)
    for x, side, text in (
        (0, "left", "\N{LEFTWARDS ARROW} against the claim"),
        (1, "right", "for the claim \N{RIGHTWARDS ARROW}"),
    ):
        below = {"xycoords": "axes fraction", "xytext": (0, -16), "textcoords": "offset points"}
        axis.annotate(text, (x, 0), **below, ha=side, va="top", fontsize=9)
    _legend(axis)
    return figure


def _block(axis, claims, title, y):
    """Draw the measurements of one network, with its title at the right; return where the next begins."""
    middle = y + ROW * (len(claims) - 1) / 2
    axis.text(1.01, middle, title, transform=axis.get_yaxis_transform(), fontsize=7.5, va="center")
    for i, claim in enumerate(claims):
        _measurement(axis, claim, y + i * ROW)
    return y + len(claims) * ROW + BLOCK


def _measurement(axis, claim, y):
    colour, marker = LOOK[claim.verdict]
    half = (claim.ci_high - claim.ci_low) / 2
    if not np.isfinite(half) or half <= 0:
        axis.plot([-FAR, FAR], [y, y], color=colour, linewidth=0.7, linestyle=":")
        axis.plot(0, y, marker, color=colour, markersize=3.5)
        return
    sign = 1 if claim.above else -1
    value, *ends = (sign * (x - claim.threshold) / half for x in (claim.estimate, claim.ci_low, claim.ci_high))
    axis.plot(np.clip(ends, -FAR, FAR), [y, y], color=colour, linewidth=1)
    if abs(value) > FAR:
        marker = ">" if value > 0 else "<"
    face = "white" if "robust model" not in claim.measured else colour
    axis.plot(np.clip(value, -FAR, FAR), y, marker, color=colour, markerfacecolor=face, markersize=4)


def marks_of_verdicts():
    """Entries of a legend: the verdicts' colours and markers."""
    return [Line2D([], [], color=look[0], marker=look[1], linewidth=1, label=word) for word, look in LOOK.items()]


def _legend(axis):
    marks = marks_of_verdicts()
    for word, face in (("paper's model", "white"), ("robust model", DARK)):
        marks.append(Line2D([], [], color=DARK, marker="o", markerfacecolor=face, linewidth=0, label=word))
    axis.legend(handles=marks, loc="lower center", bbox_to_anchor=(0.3, 1.0), ncols=5, columnspacing=1.2)
