r"""How the error falls with the number of training events, and how many would bring it to a level.

.. math:: \mathrm{err}(n) = a + b\, n^{-c}, \qquad a, b, c \ge 0
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seisbook.errors import UserError
from seisbook.measures.estimates import Estimate
from seisbook.measures.variance import ends

EXPONENTS = np.arange(1, 601) * 0.005  # of the learning curve


class EventsNeeded(NamedTuple):
    """Number of training events at which a learning curve reaches a level, infinite if it never does."""

    value: float
    low: float
    high: float
    largest: float

    def __str__(self):
        if math.isinf(self.value):
            start = "never: the curve levels off above it"
            return start if math.isinf(self.low) else f"{start} (95 %: from {self.low:,.0f} events to never)"
        high = "never" if math.isinf(self.high) else f"{self.high:,.0f}"
        beyond = f", beyond the {self.largest:,.0f} that were tried" if self.value > self.largest else ""
        return f"{self.value:,.0f} events (95 %: {self.low:,.0f} to {high}){beyond}"


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """A fitted learning curve, of `fit_learning_curve`.

    Parameters
    ----------
    a, b, c : Estimate
        Level that it falls to, amplitude, exponent.
    n, error : ndarray, shape (runs,)
        What it was fitted to.
    replicates : ndarray, shape (resamples, 3)
        The parameters of each resample.
    n_independent : int
        Partitions that were resampled, or runs of each size, at least.
    random_state : int
        Seed of the prediction band.
    """

    a: Estimate
    b: Estimate
    c: Estimate
    n: np.ndarray
    error: np.ndarray
    replicates: np.ndarray
    n_independent: int
    random_state: int

    def predict(self, n):
        """Error expected with `n` training events (array_like), in units of the errors."""
        return _curve(np.array([[self.a.value, self.b.value, self.c.value]]), n)[0]

    def confidence_band(self, n):
        """Ends `low`, `high` of the 95 % interval of the curve at `n` (array_like)."""
        return ends(_curve(self.replicates, n), self.n_independent)

    def prediction_band(self, n):
        """Ends `low`, `high` of the 95 % interval of one more run at `n` (array_like): curve and runs' scatter."""
        rng = np.random.default_rng(self.random_state)
        curves = _curve(self.replicates, n)
        residual = self.error / self.predict(self.n) - 1
        residual *= math.sqrt(len(residual) / (len(residual) - 3))  # three parameters were fitted to them
        return ends(curves * (1 + rng.choice(residual, (len(curves), 1))), len(residual))

    def events_needed(self, level) -> EventsNeeded:
        r"""Training events with which the curve reaches a level, such as the error of the experts.

        .. math:: n = \bigl(b / (\mathrm{level} - a)\bigr)^{1/c}

        Infinite if the level is not above :math:`a`: no number of events would do. Numbers beyond the largest training
        set are extrapolations, and as good as the power law is.

        Parameters
        ----------
        level : float
            An error, in the unit of the errors.

        Returns
        -------
        EventsNeeded
        """
        value = _events_needed(np.array([[self.a.value, self.b.value, self.c.value]]), level)[0]
        low, high = ends(_events_needed(self.replicates, level), self.n_independent)
        return EventsNeeded(float(value), low, high, float(self.n.max()))


def _curve(parameters, n):
    a, b, c = parameters.T[..., None]
    return a + b * np.asarray(n, float) ** -c


def _events_needed(parameters, level):
    a, b, c = parameters.T
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        n = (b / (level - a)) ** (1 / c)
    return np.where(level > a, np.maximum(n, 1.0), np.inf)


def fit_learning_curve(n, error, partition=None, resamples=2000, random_state=0) -> LearningCurve:
    r"""Fit the power law of learning to all runs.

    .. math:: \mathrm{err}(n) = a + b\, n^{-c}, \qquad a, b, c \ge 0

    by least squares of the relative residuals, since runs scatter in proportion to their error. For a given
    exponent, `a` and `b` are linear and found in closed form; the exponent is the best on a grid from 0.005 to 3 in
    steps of 0.005. So the fit cannot end in a local minimum, as an iterative one may: three or four sizes
    hardly tell the three parameters apart, while the curve that they make is well determined.

    Parameters
    ----------
    n : array_like, shape (runs,)
        Training events.
    error : array_like, shape (runs,)
        Positive, such as the median epicentral error in km.
    partition : array_like, shape (runs,), optional
        Label of each run's partition: runs that share training events have the same label (all seeds of a partition,
        and smaller training sets that are part of larger ones). Whole partitions are then resampled, since runs of one
        partition are not independent. Without it, the runs of each size are resampled. With fewer than about eight
        partitions or runs, the intervals are too narrow.
    resamples, random_state : int
        Number of resamples and seed of the bootstrap.

    Returns
    -------
    LearningCurve

    Raises
    ------
    UserError
        If the arrays differ in length, a value is not positive and finite, or there are fewer than three sizes, or
        fewer than two partitions, or two runs of each size.

    References
    ----------
    C. Cortes, L. D. Jackel, S. A. Solla, V. Vapnik and J. S. Denker (1993), Learning curves: asymptotic values and rate
    of convergence, Adv. Neural Inf. Process. Syst. 6, 327-334.
    """
    n, error = np.asarray(n, float), np.asarray(error, float)
    _check_runs(n, error, partition)
    sizes, size = np.unique(n, return_inverse=True)
    of_size = np.eye(len(sizes))[size]  # (runs, sizes)
    spread = of_size.T @ error / of_size.sum(0)  # the runs' scale at each size
    rng = np.random.default_rng(random_state)
    counts = _resampled_runs(size if partition is None else partition, partition is not None, resamples, rng)
    counts = np.vstack([np.ones(len(n)), counts])
    parameters = _power_law(sizes, counts @ of_size / spread**2, counts @ (of_size * error[:, None]) / spread**2)
    value, replicates = parameters[0], parameters[1:]
    independent = int(np.bincount(size).min()) if partition is None else len(np.unique(partition))
    low, high = ends(replicates, independent)
    estimates = (Estimate(*(float(number) for number in triple)) for triple in zip(value, low, high, strict=True))
    return LearningCurve(*estimates, n, error, replicates, independent, random_state)


def _check_runs(n, error, partition):
    lengths = {np.shape(n), np.shape(error)} | ({np.shape(partition)} if partition is not None else set())
    if len(lengths) != 1 or n.ndim != 1:
        raise UserError("learning curve: n, error and partition must be flat and of one length, a value per run")
    if not (np.isfinite(n) & np.isfinite(error) & (n > 0) & (error > 0)).all():
        raise UserError("learning curve: sizes and errors must be positive and finite: leave out runs that failed")
    runs = np.unique(n, return_counts=True)[1]
    if len(runs) < 3 or (min(runs) < 2 if partition is None else len(np.unique(partition)) < 2):
        raise UserError(
            f"learning curve: {len(runs)} sizes with {min(runs, default=0)} or more runs: give three or more sizes, "
            "and two or more runs of each or partitions"
        )


def _resampled_runs(label, whole, resamples, rng):
    """How often each resample has each run (resamples, runs): whole groups of a label, or runs within each group."""
    labels, group = np.unique(label, return_inverse=True)
    if whole:
        return rng.multinomial(len(labels), np.full(len(labels), 1 / len(labels)), resamples)[:, group].astype(float)
    counts = np.zeros((resamples, len(group)))
    for i in range(len(labels)):
        runs = np.flatnonzero(group == i)
        counts[:, runs] = rng.multinomial(len(runs), np.full(len(runs), 1 / len(runs)), resamples)
    return counts


def _power_law(sizes, weight, weighted):
    """Parameters (B, 3) of the least-squares curves, of sums of weights and of weighted errors (B, sizes)."""
    middle = np.exp(np.log(sizes).mean())  # powers of n over the middle one, for the numbers' sake
    x = (sizes / middle) ** -EXPONENTS[:, None]  # (C, sizes)
    total, y = weight.sum(1)[:, None], weighted.sum(1)[:, None]
    sx, sxx, sxy = weight @ x.T, weight @ (x**2).T, weighted @ x.T  # (B, C)
    b = (total * sxy - sx * y) / np.maximum(total * sxx - sx**2, np.finfo(float).tiny)
    b = np.maximum(b, 0)
    a = (y - b * sx) / total
    b = np.where(a < 0, sxy / sxx, b)
    a = np.maximum(a, 0)
    misfit = total * a**2 + sxx * b**2 + 2 * a * b * sx - 2 * (a * y + b * sxy)
    best = misfit.argmin(1)
    rows, c = np.arange(len(best)), EXPONENTS[best]
    return np.column_stack([a[rows, best], b[rows, best] * middle**c, c])
