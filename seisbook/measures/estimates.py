"""What a catalogue says about itself: geometry, completeness, Vp/Vs, residuals, and how well its experts agree.

Every estimate that the book prints comes with an interval, the `Estimate` of this module.
"""

import logging
from typing import NamedTuple

import numpy as np

from seisbook.errors import UserError

logger = logging.getLogger(__name__)
INTERVAL = (2.5, 97.5)  # percentiles of every confidence interval in the book


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


def bootstrap_ci(values, statistic=np.median, n=2000, random_state=0):
    """A statistic of a sample with its percentile-bootstrap interval (95 %).

    Parameters
    ----------
    values : array_like
        Independent observations along the first axis; rows with a NaN are left out.
    statistic : callable
        From such a sample to a number.
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
    rng = np.random.default_rng(random_state)
    replicates = [statistic(values[rng.integers(len(values), size=len(values))]) for _ in range(n)]
    return percentile_interval(statistic(values), replicates)


def robust_std(values):
    """Standard deviation of the Gaussian that has the sample's median absolute deviation; NaN are left out."""
    values = np.asarray(values, float)
    return float(1.4826 * np.nanmedian(np.abs(values - np.nanmedian(values))))
