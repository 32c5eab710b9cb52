"""Estimates and their intervals: each one that the book prints is an `Estimate` of this module, most by a bootstrap."""

import inspect
from typing import NamedTuple

import numpy as np

from seisbook.errors import UserError

INTERVAL = (2.5, 97.5)  # percentiles of every confidence interval in the book
RESAMPLES = 2000  # of every bootstrap, where nothing else is said
DRAWN = 50_000  # observations drawn at a time: what a processor's cache holds


class Estimate(NamedTuple):
    """A statistic and its 95 % confidence interval."""

    value: float
    low: float
    high: float

    def __format__(self, spec):
        spec = spec or ".4g"
        return f"{self.value:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"

    def __str__(self):
        return format(self)


def below(low, high, threshold) -> str:
    """Verdict on "it is below the threshold" from an interval: supported below, not supported above, else neither."""
    return "supported" if high < threshold else "not supported" if low > threshold else "inconclusive"


def above(low, high, threshold=0.0) -> str:
    """Verdict on "it is above the threshold" from an interval, see `below`."""
    return below(-high, -low, -threshold)


def percentile_interval(value, replicates) -> Estimate:
    """A statistic with the 95 % interval of its replicates' percentiles."""
    return Estimate(float(value), *(float(end) for end in np.percentile(replicates, INTERVAL)))


def estimate(replicates) -> Estimate:
    """A statistic and its 95 % interval, from its value and then those of the resamples, as of `resampled`."""
    return percentile_interval(replicates[0], replicates[1:])


def bootstrap_ci(values, statistic=np.median, n=RESAMPLES, random_state=0) -> Estimate:
    """A statistic of a sample with its percentile-bootstrap interval (95 %).

    Parameters
    ----------
    values : array_like
        Independent observations along the first axis; rows with a NaN are left out.
    statistic : callable
        From such a sample to a number. One with a parameter `axis`, of numbers, is taken of many resamples at once.
    n : int
        Resamples.
    random_state : int

    Returns
    -------
    Estimate

    Raises
    ------
    UserError
        If no observation is finite.
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values).reshape(len(values), -1).all(axis=1)]
    if not len(values):
        raise UserError("bootstrap_ci: no finite value to resample; check the columns that the statistic is made of")
    if values.ndim == 1 and _takes_axis(statistic):
        return estimate(resampled(values, statistic, n, random_state))
    draws = _draws(len(values), n, np.random.default_rng(random_state))
    replicates = [statistic(values[resample]) for chosen in draws for resample in chosen]
    return percentile_interval(statistic(values), replicates)


def counted_ci(statistic, size, n=RESAMPLES, random_state=0) -> Estimate:
    """A statistic with its percentile-bootstrap interval (95 %), computed for all resamples at once.

    The resamples are those of `bootstrap_ci`. They are told by how often each observation is in one.

    Parameters
    ----------
    statistic : callable
        From counts, shape (resamples, observations), to a number for each resample.
    size : int
        Observations.
    n : int
        Resamples.
    random_state : int

    Returns
    -------
    Estimate
    """
    draws = _draws(size, n, np.random.default_rng(random_state))
    counts = [np.bincount(resample, minlength=size) for chosen in draws for resample in chosen]
    return estimate(statistic(np.array([np.ones(size), *counts])))


def resampled(values, statistic=np.median, n=RESAMPLES, random_state=0) -> np.ndarray:
    """A statistic of several samples that share their resamples, so that functions of it are paired by observation.

    Parameters
    ----------
    values : array_like, shape (..., observations)
        Samples of the same observations along the last axis.
    statistic : callable
        With a parameter `axis`.
    n : int
        Resamples.
    random_state : int or Generator

    Returns
    -------
    ndarray, shape (..., 1 + n)
        The statistic of the data themselves, and then of each resample; see `estimate`.
    """
    values = np.ascontiguousarray(values, float)
    rows = values.reshape(-1, values.shape[-1])
    draws = _draws(rows.shape[1], n, np.random.default_rng(random_state))
    by_rank = statistic is np.median and not np.isnan(rows).any()
    parts = [_medians(rows, chosen) if by_rank else _evaluated(rows, chosen, statistic) for chosen in draws]
    replicates = np.hstack([statistic(rows, axis=-1)[:, None], *parts])
    return replicates.reshape(*values.shape[:-1], 1 + n)


def _draws(size, n, rng):
    """Positions in `n` resamples of `size` observations, some resamples at a time: the stream of one draw each."""
    step = max(1, DRAWN // size)
    for first in range(0, n, step):
        yield rng.integers(size, size=(min(step, n - first), size))


def _evaluated(rows, chosen, statistic):
    return np.array([statistic(row[chosen], axis=-1) for row in rows])


def _medians(rows, chosen):
    """Medians of the resamples, by counting how often each observation is in one: several times faster than sorting."""
    draws, size = chosen.shape
    small = np.min_scalar_type(size)  # holds the counts
    places = chosen + size * np.arange(draws)[:, None]
    counts = np.bincount(places.ravel(), minlength=chosen.size).reshape(chosen.shape).astype(small)
    medians = np.empty((len(rows), draws))
    for row, median in zip(rows, medians, strict=True):
        order = np.argsort(row)
        reached = np.cumsum(counts[:, order], axis=1, dtype=small)
        low, high = (row[order][(reached > rank).argmax(1)] for rank in ((size - 1) // 2, size // 2))
        median[:] = (low + high) / 2
    return medians


def _takes_axis(statistic):
    try:
        return "axis" in inspect.signature(statistic).parameters
    except ValueError:  # of some functions in C
        return False


def robust_std(values):
    """Standard deviation of the Gaussian that has the sample's median absolute deviation; NaN are left out."""
    values = np.asarray(values, float)
    return float(1.4826 * np.nanmedian(np.abs(values - np.nanmedian(values))))
