r"""Does one arm vary less with the training data than another? The ratio of their variances, and the design's power.

The arms are trained on the same partitions with the same seeds; what they predict of the same test events is compared.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy  # `scipy.stats` takes a second to load, and is loaded when it is first used

from seisbook.errors import UserError
from seisbook.measures.estimates import Estimate
from seisbook.measures.variance import TAIL, _check_seeds, _checked, _event_components, ends, event_components, reach

MARGIN = 0.9  # a reduction of the variance by less than 10 % is no reduction worth the name
ELEMENTS = 4_000_000  # of the largest array that resampling holds, 32 MB


class Ratio(NamedTuple):
    """Data-induced variance of one arm over that of another, with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """What the interval says of the claim, see `verdict`."""
        return verdict(self)

    def __str__(self):
        return f"{Estimate(*self):.2f}, {self.verdict}"


def verdict(ratio) -> str:
    """What the interval of a ratio says of the claim that the first arm has the smaller variance.

    - "supported": the interval lies below 1;
    - "not supported": it lies above 1, or it contains 1 and is narrow enough to exclude a reduction by 10 % (its lower
      end is above 0.9): such a study would have found a reduction worth the name;
    - "inconclusive": anything else. What the study could have found is told by `minimum_detectable_ratio`.

    Parameters
    ----------
    ratio : Ratio or Estimate

    Returns
    -------
    str
    """
    if ratio.high < 1:
        return "supported"
    return "not supported" if ratio.low > MARGIN else "inconclusive"


def ratio(dynamic, static, statistic="mean", seeds="crossed", n=2000, random_state=0) -> Ratio:
    r"""Data-induced variance of the arm `dynamic` over that of `static`, with a paired two-way bootstrap interval.

    .. math:: \rho = \mathrm{mean}_i\, \hat\sigma^2_{\mathrm{data}, i}(\mathrm{dynamic}) \big/
        \mathrm{mean}_i\, \hat\sigma^2_{\mathrm{data}, i}(\mathrm{static})

    or of the medians. Each resample draws events *and* partitions with replacement, the same ones in both arms: the
    arms saw the same training sets, so that much of what is accidental in these sets cancels. Two corrections make the
    interval hold its level. The percentiles are those of Student's t with `P - 1` degrees of freedom rather than of the
    normal distribution, since partitions are few and percentile intervals of few observations too narrow (Hesterberg
    2015). And resampling both ways counts the scatter that is particular to a partition and an event three times (Owen
    2007): the interval is made narrower, on the logarithmic scale, by what resampling one way at a time shows to be
    too much.

    Parameters
    ----------
    dynamic, static : array_like, shape (events, partitions, seeds) or (events, partitions, seeds, coordinates)
        Predictions of the same events by trainings on the same partitions, in the same order, see `event_components`.
    statistic : {"mean", "median"}
        Over events.
    seeds : {"crossed", "nested"}
    n : int
        Resamples.
    random_state : int

    Returns
    -------
    Ratio
        A numerator that is not positive counts as zero; if the denominator is not, the ratio is infinite (NaN if
        neither is): resamples in which this happens open the interval downwards or upwards.

    Raises
    ------
    UserError
        As `event_components`, or if the arms differ in shape or the statistic is unknown.

    References
    ----------
    A. B. Owen (2007), The pigeonhole bootstrap, Ann. Appl. Stat. 1, 386-411, doi:10.1214/07-AOAS122.
    T. C. Hesterberg (2015), What teachers should know about the bootstrap, Am. Stat. 69, 371-386,
    doi:10.1080/00031305.2015.1089789.
    """
    arms, crossed = [_checked(dynamic), _checked(static)], _check_seeds(seeds)
    if arms[0].shape != arms[1].shape:
        raise UserError(f"ratio: arms of shape {arms[0].shape} and {arms[1].shape}: give the same events and trainings")
    if statistic not in ("mean", "median"):
        raise UserError(f"ratio: no statistic {statistic!r}: choose mean or median")
    over_events = {"mean": np.mean, "median": np.median}[statistic]
    every = np.ones((1, arms[0].shape[1]))
    value = float(_quotient(*(over_events(_event_components(y, every, crossed)[0]) for y in arms)))
    both, partitions, events = _resampled_ratios(arms, over_events, crossed, n, np.random.default_rng(random_state))
    low, high = ends(both, arms[0].shape[1])
    shrink = _overcount(both, partitions, events)
    if value > 0 and math.isfinite(value):
        low, high = (value * (end / value) ** shrink for end in (low, high))
    return Ratio(value, low, high)


def _resampled_ratios(arms, over_events, crossed, n, rng):
    """Ratios with events and partitions resampled, with partitions only, and with events only, each of shape (n,)."""
    n_events, n_partitions = arms[0].shape[:2]
    weight = rng.multinomial(n_partitions, np.full(n_partitions, 1 / n_partitions), n).astype(float)
    whole = [_event_components(y, np.ones((1, n_partitions)), crossed)[0][:, 0] for y in arms]
    replicates = np.empty((3, 2, n))
    step = max(1, ELEMENTS // arms[0][:, 0].size)
    for first in range(0, n, step):
        part = slice(first, min(first + step, n))
        chosen = rng.integers(n_events, size=(part.stop - first, n_events))
        for arm, y in enumerate(arms):
            data = _event_components(y, weight[part], crossed, resampled=True)[0].T  # (step, E)
            both = np.take_along_axis(data, chosen, 1)
            replicates[:, arm, part] = [over_events(values, axis=1) for values in (both, data, whole[arm][chosen])]
    return [_quotient(*of_arms) for of_arms in replicates]


def _overcount(both, partitions, events):
    """Factor by which resampling both ways makes the logarithm of a ratio scatter too widely.

    Of the variance A of partitions, B of events and AB of both together, it gives A + B + 3 AB, resampling of one kind
    A + AB or B + AB (Owen 2007), so that 2 (A + AB) + 2 (B + AB) - (A + B + 3 AB) is what it should be: A + B + AB.
    """
    with np.errstate(divide="ignore"):
        quartiles = [
            np.quantile(np.log(np.nan_to_num(ratios, nan=0.0, posinf=np.inf)), [0.25, 0.75], method="lower")
            for ratios in (both, partitions, events)
        ]
    if not np.isfinite(quartiles).all():
        return 1.0
    two_way, first, second = np.square(np.diff(quartiles)[:, 0])
    right = max(2 * (first + second) - two_way, first, second)
    return math.sqrt(np.clip(right / two_way, 1 / 3, 1)) if two_way else 1.0


def _quotient(numerator, denominator):
    numerator, denominator = np.maximum(numerator, 0), np.maximum(denominator, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return numerator / denominator


# ---------------------------------------------------------------------------------------------------------------- power


@dataclass(frozen=True)
class Design:
    """What decides how small a reduction of the variance a crossed study can detect.

    Parameters
    ----------
    data, residual : float
        Components of the reference arm, mean over events.
    n_partitions, n_seeds : int
    effective_events : float
        Number of independent events that would show the data-induced variance as precisely: a training set that pulls
        one event to the east pulls its neighbours too.
    correlation : float
        Of the partitions' effects in the two arms.
    """

    data: float
    residual: float
    n_partitions: int
    n_seeds: int
    effective_events: float
    correlation: float


def design(dynamic, static) -> Design:
    r"""Fit a `Design` to the predictions of two arms with crossed seeds; the components are those of `static`.

    With :math:`\Sigma` the covariance over partitions of the predictions of all events (means over seeds), the
    effective number of events is :math:`(\mathrm{tr}\,\Sigma)^2 / \mathrm{tr}\,\Sigma^2`, both estimated without bias.

    Parameters
    ----------
    dynamic, static : array_like
        As in `ratio`; at least three partitions.

    Returns
    -------
    Design

    Raises
    ------
    UserError
        As `ratio`, or with fewer than three partitions.

    References
    ----------
    M. S. Srivastava (2005), Some tests concerning the covariance matrix in high dimensional data, J. Japan Stat. Soc.
    35, 251-272, doi:10.14490/jjss.35.251.
    """
    arms = [_checked(dynamic), _checked(static)]
    if arms[0].shape != arms[1].shape or arms[0].shape[1] < 3:
        raise UserError(
            f"design: arms of shape {arms[0].shape} and {arms[1].shape}: give the same trainings, on three or more "
            "partitions"
        )
    n_partitions, n_seeds = arms[0].shape[1:3]
    data = [float(event_components(y).data.mean()) for y in arms]
    effects = [(y.mean(2) - y.mean((1, 2))[:, None]).transpose(1, 0, 2).reshape(n_partitions, -1) for y in arms]
    shared = (effects[0] * effects[1]).sum() / (n_partitions - 1) / len(arms[0])
    scale = math.sqrt(max(data[0], 0) * max(data[1], 0))
    return Design(
        data=max(data[1], 0.0),
        residual=float(event_components(static).residual.mean()),
        n_partitions=n_partitions,
        n_seeds=n_seeds,
        effective_events=_effective(effects[1]),
        correlation=float(np.clip(shared / scale, 0, 1)) if scale else 0.0,
    )


def _effective(effects):
    """Effective number of independent columns of `effects` (P, events)."""
    dof = len(effects) - 1
    gram = effects @ effects.T / dof
    trace, square = np.trace(gram), (gram**2).sum()
    square = dof**2 / ((dof - 1) * (dof + 2)) * (square - trace**2 / dof)
    most = effects.shape[1]
    if square <= trace**2 / most:
        return float(most)
    return float(np.clip((trace**2 - 2 / dof * square) / square, 1, most))


def minimum_detectable_ratio(design, power=0.8, n=4000, random_state=0) -> float:
    """The ratio of the variances nearest to 1 that a study of this design would most likely have found below 1.

    Studies are simulated from the components, with normal effects: their ratio of means (`ratio`) under the null
    hypothesis, whose 2.5 % quantile, as far out again as the interval of `ratio` is widened, is the limit of the test;
    and for smaller ratios, until the share `power` of the studies lies below that limit. If a study is inconclusive, a
    reduction smaller than this may have escaped it. What is not simulated, such as heavier tails
    and a reduction that differs from event to event, makes a study less powerful than said: in checks, 0.6 to 0.8 in
    place of 0.8.

    Parameters
    ----------
    design : Design
        Of `design`; by `dataclasses.replace`, also one with other numbers of partitions or seeds.
    power : float
        Probability, above 0.025 and below 1.
    n : int
        Simulated studies.
    random_state : int

    Returns
    -------
    float
        Between 0 and 1, to three digits; 0 if not even an arm without any data-induced variance would be told apart.

    Raises
    ------
    UserError
        If the design is impossible.
    """
    _check_design(design, power)
    rng = np.random.default_rng(random_state)
    dof = (design.n_partitions - 1) * design.effective_events
    products = _products(dof, n, rng) / dof
    own = np.array([design.correlation, math.sqrt(1 - design.correlation**2), 0, 0])
    static = _simulated_variance(design, products, np.eye(4)[0], np.eye(4)[2], rng)(1.0)
    dynamic = _simulated_variance(design, products, own, np.eye(4)[3], rng)
    limit = _limit(_quotient(dynamic(1.0), static), design.n_partitions)
    told_apart = [r for r in np.arange(0, 1, 0.001) if np.mean(_quotient(dynamic(r), static) < limit) >= power]
    return round(float(max(told_apart, default=0.0)), 3)


def _limit(null, n_partitions):
    """Ratio below which the interval of `ratio` excludes 1: the quantile of the null, widened as that interval is."""
    lower = np.quantile(np.nan_to_num(null, nan=np.inf, posinf=np.inf), TAIL, method="lower")
    return lower ** (reach(n_partitions) / scipy.stats.norm.ppf(1 - TAIL))


def _check_design(design, power):
    possible = min(design.n_partitions, design.n_seeds) >= 2 and design.residual >= 0 and design.data >= 0
    if not (possible and 0 <= design.correlation <= 1 and design.effective_events >= 1 and TAIL < power < 1):
        raise UserError(f"power {power} of {design}: two or more partitions and seeds, components not below zero")


def _products(dof, n, rng):
    """Products (n, 4, 4) of four vectors of `dof` independent normal numbers, without drawing them if they are long."""
    if dof >= 4:
        return scipy.stats.wishart.rvs(dof, np.eye(4), n, random_state=rng)
    vectors = rng.normal(size=(n, 4, round(dof)))
    return vectors @ vectors.transpose(0, 2, 1)


def _simulated_variance(design, products, effect, noise, rng):
    """Estimated data-induced variance of simulated studies, as a function of the true ratio to that of the design.

    Partition means are effects times a factor, and what the mean over seeds leaves of the residual: `effect` and
    `noise` say which of the four vectors they are made of. The same draws serve all ratios.
    """
    left_over = design.residual / design.n_seeds
    dof = (design.n_partitions - 1) * (design.n_seeds - 1) * design.effective_events
    subtracted = left_over * rng.chisquare(dof, len(products)) / dof
    squared, mixed, left = effect @ (products @ effect).T, effect @ (products @ noise).T, noise @ (products @ noise).T
    size, known = design.data, left_over * left - subtracted
    return lambda r: r * size * squared + 2 * math.sqrt(r * size * left_over) * mixed + known
