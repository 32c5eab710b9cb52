"""Retrieval and classification scores of events and their texts."""

import numpy as np

JUDGED = 5  # the recall that the rule looks at


def hits(results, recall=JUDGED, values="rank") -> np.ndarray:
    """Share of the seeds in which each event finds its text within `recall` ranks; NaN where there was no choice."""
    rank = rank_table(results, values)
    return np.where(np.isnan(rank), np.nan, rank <= recall).mean(0)


def rank_table(results, values) -> np.ndarray:
    """Ranks by seed and event, shape (seeds, events); NaN where there was no choice."""
    return np.array([result[values] for result in results], float)


def balanced(table) -> float:
    """Balanced accuracy: the mean over classes (first column) of the mean of the second column."""
    return float(np.mean([table[table[:, 0] == label, 1].mean() for label in np.unique(table[:, 0])]))


def correct_answers(results):
    """Class of each classified event, and the share of the seeds in which it was recognised."""
    truth = np.array(results[0]["truth"])
    right = np.mean([np.array(result["predicted"]) == truth for result in results], axis=0)
    return np.column_stack([truth, right])[truth >= 0]
