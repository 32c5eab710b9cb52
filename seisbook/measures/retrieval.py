"""Retrieval and classification scores of events and their texts."""

from functools import partial

import numpy as np

from seisbook.measures.estimates import Estimate, counted_ci

JUDGED = 5  # the recall that the rule looks at


def hits(results, recall=JUDGED, values="rank") -> np.ndarray:
    """Share of the seeds in which each event finds its text within `recall` ranks; NaN where there was no choice."""
    rank = rank_table(results, values)
    return np.where(np.isnan(rank), np.nan, rank <= recall).mean(0)


def rank_table(results, values) -> np.ndarray:
    """Ranks by seed and event, shape (seeds, events); NaN where there was no choice."""
    return np.array([result[values] for result in results], float)


def balanced(table, counts=None):
    """Balanced accuracy: the mean over classes (first column) of the mean of the second column.

    Parameters
    ----------
    table : ndarray, shape (events, 2)
        Class of each event, and its score.
    counts : ndarray, shape (..., events), optional
        How often each event is counted; once without it. A class of which no event is counted has no part in the mean.

    Returns
    -------
    float, or ndarray of shape (...)
    """
    of_class = (table[:, :1] == np.unique(table[:, 0])).astype(float)
    counts = np.ones(len(table)) if counts is None else counts
    number, total = counts @ of_class, counts @ (of_class * table[:, 1:])
    mean = np.divide(total, number, out=np.zeros(number.shape), where=number > 0)
    return mean.sum(-1) / (number > 0).sum(-1)


def balanced_ci(table) -> Estimate:
    """Balanced accuracy with its bootstrap interval over events, see `balanced`."""
    return counted_ci(partial(balanced, table), len(table))


def area(truth, score, counts=None):
    r"""Area under the ROC curve.

    .. math:: A = \frac{\sum_{i \in P} \sum_{j \in N} c_i c_j \, ([s_i > s_j] + [s_i = s_j] / 2)}
        {\sum_{i \in P} c_i \sum_{j \in N} c_j}

    with the events :math:`P` of the class, the other events :math:`N`, scores :math:`s` and counts :math:`c`.

    Parameters
    ----------
    truth : ndarray of bool, shape (events,)
        Whether an event is of the class.
    score : ndarray, shape (events,)
    counts : ndarray, shape (..., events), optional
        How often each event is counted; once without it.

    Returns
    -------
    float, or ndarray of shape (...)
    """
    counts = np.ones(len(score)) if counts is None else counts
    order = np.argsort(score)
    first = np.flatnonzero(np.diff(score[order], prepend=-np.inf))  # of each value of the score
    inside, outside = (np.add.reduceat((counts * of)[..., order], first, axis=-1) for of in (truth, ~truth))
    lower = np.cumsum(outside, axis=-1) - outside / 2
    return (inside * lower).sum(-1) / (inside.sum(-1) * outside.sum(-1))


def correct_answers(results):
    """Class of each classified event, and the share of the seeds in which it was recognised."""
    truth = np.array(results[0]["truth"])
    right = np.mean([np.array(result["predicted"]) == truth for result in results], axis=0)
    return np.column_stack([truth, right])[truth >= 0]
