"""Cross-validation splits: random folds, and blocks of time."""

import numpy as np
import pandas as pd

from seisbook.errors import UserError

FOLDS = 5  # of the real bulletin


def random_folds(n, k, random_state=0) -> list[tuple[np.ndarray, np.ndarray]]:
    """`k` folds of events drawn at random: a list of (train, test) indices, each in order.

    Aftershocks have neighbours in the training part: read the errors beside those of `time_folds`.

    Raises
    ------
    UserError
        If a fold would be empty.
    """
    return _folds(np.random.default_rng(random_state).permutation(n), k)


def time_folds(origin_time, k) -> list[tuple[np.ndarray, np.ndarray]]:
    """`k` folds of events that follow each other in time: a list of (train, test) indices, each in order.

    Parameters
    ----------
    origin_time : array_like of datetime64, shape (events,)
    k : int

    Raises
    ------
    UserError
        If a fold would be empty, or an event has no origin time.
    """
    times = pd.DatetimeIndex(pd.to_datetime(origin_time, utc=True))
    if times.isna().any():
        raise UserError(
            f"time_folds: {times.isna().sum()} events have no origin time: leave them out, or split randomly"
        )
    return _folds(np.argsort(times.asi8, kind="stable"), k)


def _folds(order, k):
    if not 2 <= k <= len(order):
        raise UserError(f"{k} folds of {len(order)} events: choose from 2 to as many folds as events, or one is empty")
    tests = [np.sort(part) for part in np.array_split(order, k)]
    return [(np.setdiff1d(order, test), test) for test in tests]


def folds(source_id, origin_time, split):
    """The folds of a split: `random`, or `time` for blocks that follow each other; a list of (train, test) indices.

    They depend on the events alone, not on the order in which a file or a data set has them, so that all methods are
    tested on the same events.
    """
    if split == "time":
        return time_folds(origin_time, FOLDS)
    order = np.argsort(np.asarray(source_id))
    return [(order[train], order[test]) for train, test in random_folds(len(order), FOLDS)]
