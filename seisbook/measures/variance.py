r"""How much a model's answer changes when its training data change, as against its seed.

The design is crossed: `P` partitions (training sets) times `S` seeds (initial weights, batch order), all of them in
each arm, that is for each architecture. What one training says, its score or its prediction for one event, is

.. math:: y_{ps} = \mu + a_p + b_s + e_{ps},

with independent effects of the partition (variance :math:`\sigma^2_\mathrm{data}`), of the seed
(:math:`\sigma^2_\mathrm{seed}`), and of what both do together (:math:`\sigma^2_\mathrm{residual}`).

**The trap of K folds.** The scores of K folds differ because their test events differ too: a variance between folds is
mostly the difficulty of the test events. The components are therefore those of *predictions*, event by event, on test
events that no training has seen and that are the same for all (`event_components`); or, of repeated K folds, those of
the predictions that each repeat makes of an event when it is out of the training part.

Training sets drawn from one pool overlap, and vary less than fresh ones would: components are those of the pool at
hand. The ratio of two arms, trained on the same sets, is much less affected.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy  # `scipy.stats` takes a second to load, and is loaded when it is first used

from seisbook.errors import UserError
from seisbook.measures.estimates import Estimate
from seisbook.measures.t_test import Comparison, corrected_t_test

TAIL = 0.025  # probability beyond each end of the book's intervals


class Variances(NamedTuple):
    """Something of the partitions, of the seeds, and of what is left; variances unless said otherwise."""

    data: float
    seed: float
    residual: float


# ------------------------------------------------------------------------------------------------ components of a score


@dataclass(frozen=True)
class Components:
    """Variance components of one number per training, of `anova_components`.

    Parameters
    ----------
    data, seed, residual : Estimate
        Unbiased, with 95 % intervals. Values and lower ends below zero are left as they are: they say that the
        component cannot be told from zero.
    mean_squares, degrees_of_freedom : Variances
        Of the analysis of variance.
    n_partitions, n_seeds : int
    """

    data: Estimate
    seed: Estimate
    residual: Estimate
    mean_squares: Variances
    degrees_of_freedom: Variances
    n_partitions: int
    n_seeds: int

    @property
    def truncated(self) -> Variances:
        """The components, zero in place of what is below it."""
        return Variances(*(max(estimate.value, 0.0) for estimate in (self.data, self.seed, self.residual)))

    def table(self) -> pd.DataFrame:
        """One row per component: `value`, `low`, `high`, `truncated`, `mean_square`, `degrees_of_freedom`."""
        table = pd.DataFrame([self.data, self.seed, self.residual], index=pd.Index(Variances._fields, name="component"))
        return table.assign(
            truncated=self.truncated, mean_square=self.mean_squares, degrees_of_freedom=self.degrees_of_freedom
        )


def anova_components(table, column="score") -> Components:
    r"""Variance components of a balanced crossed design, by the moments of its analysis of variance.

    .. math::
        \hat\sigma^2_\mathrm{data} = (\mathrm{MS}_p - \mathrm{MS}_e) / S, \quad
        \hat\sigma^2_\mathrm{seed} = (\mathrm{MS}_s - \mathrm{MS}_e) / P, \quad
        \hat\sigma^2_\mathrm{residual} = \mathrm{MS}_e

    with `P - 1`, `S - 1` and `(P - 1)(S - 1)` degrees of freedom. The interval of the residual is the exact one of chi
    squared; those of the differences are modified large-sample intervals, which hold their level with few degrees of
    freedom and may reach below zero.

    Parameters
    ----------
    table : DataFrame
        One row per training of one arm: `partition`, `seed`, and `column`.
    column : str
        Such as the median epicentral error on a fixed test set (km; the components are then in km²). Scores of
        different *folds* also differ by their test events, which is then part of `data`: see the head of this module.

    Returns
    -------
    Components

    Raises
    ------
    UserError
        If a column is missing, a value is not finite, there are fewer than two partitions or seeds, or a combination of
        both is missing or there twice.

    References
    ----------
    N. Ting, R. K. Burdick, F. A. Graybill, S. Jeyaratnam and T.-F. C. Lu (1990), Confidence intervals on linear
    combinations of variance components that are unrestricted in sign, J. Stat. Comput. Simul. 35, 135-143,
    doi:10.1080/00949659008811240.
    """
    cells = _cells(table, column)
    n_partitions, n_seeds = cells.shape
    squares = Variances(*map(float, _mean_squares(cells.to_numpy())))
    dof = Variances(n_partitions - 1, n_seeds - 1, (n_partitions - 1) * (n_seeds - 1))
    ends = [dof.residual * squares.residual / scipy.stats.chi2.ppf(p, dof.residual) for p in (1 - TAIL, TAIL)]
    return Components(
        data=_difference(squares.data, squares.residual, dof.data, dof.residual, n_seeds),
        seed=_difference(squares.seed, squares.residual, dof.seed, dof.residual, n_partitions),
        residual=Estimate(squares.residual, *(float(end) for end in ends)),
        mean_squares=squares,
        degrees_of_freedom=dof,
        n_partitions=n_partitions,
        n_seeds=n_seeds,
    )


def _cells(table, column):
    """Partitions by seeds, complete and finite."""
    _check_columns(table, ["partition", "seed", column])
    twice = table.duplicated(["partition", "seed"])
    if twice.any():
        row = table.loc[twice, ["partition", "seed"]].iloc[0]
        raise UserError(
            f"column {column}: partition {row.partition}, seed {row.seed} is there twice: keep the rows of one arm"
        )
    cells = table.pivot(index="partition", columns="seed", values=column).astype(float)
    missing = int((~np.isfinite(cells)).sum().sum())
    if missing:
        raise UserError(
            f"column {column}: {missing} of {cells.size} combinations of partition and seed are missing or not finite: "
            "complete the study"
        )
    _check_levels(*cells.shape)
    return cells


def _check_columns(table, names):
    lacking = [name for name in names if name not in table]
    if lacking:
        raise UserError(f"table of trainings: no column {', '.join(lacking)}; it has {', '.join(map(str, table))}")


def _check_levels(n_partitions, n_seeds):
    if min(n_partitions, n_seeds) < 2:
        raise UserError(
            f"{n_partitions} partitions, {n_seeds} seeds: give two or more of each, to tell data and seed apart"
        )


def _mean_squares(y):
    """Of partitions, seeds and what is left, of `y` (P, S)."""
    n_partitions, n_seeds = y.shape
    a = y.mean(1, keepdims=True) - y.mean()
    b = y.mean(0, keepdims=True) - y.mean()
    e = y - y.mean() - a - b
    dof = (n_partitions - 1) * (n_seeds - 1)
    return n_seeds * (a**2).sum() / (n_partitions - 1), n_partitions * (b**2).sum() / (n_seeds - 1), (e**2).sum() / dof


def _difference(first, second, dof_first, dof_second, n):
    """(first - second) / n of two mean squares, with its modified large-sample interval (Ting et al. 1990)."""
    low = math.sqrt(_spread(first, second, dof_first, dof_second, 1 - TAIL))
    high = math.sqrt(_spread(first, second, dof_first, dof_second, TAIL))
    return Estimate(*((first - second + reach) / n for reach in (0, -low, high)))


def _spread(first, second, dof_first, dof_second, p):
    """Squared distance of an end of the interval; `p` is 1 - TAIL for the lower one."""
    own, other, both = _coefficients(dof_first, dof_second, p)
    return max((own * first) ** 2 + (other * second) ** 2 + both * first * second, 0.0)


@cache
def _coefficients(dof_first, dof_second, p):
    own = 1 - dof_first / scipy.stats.chi2.ppf(p, dof_first)
    other = 1 - dof_second / scipy.stats.chi2.ppf(1 - p, dof_second)
    f = scipy.stats.f.ppf(p, dof_first, dof_second)
    return float(own), float(other), float(((f - 1) ** 2 - (own * f) ** 2 - other**2) / f)


# ------------------------------------------------------------------------------------------- components of predictions


def event_components(predictions, source_id=None, seeds="crossed") -> pd.DataFrame:
    r"""Variance of the predictions of each event, by what it comes from.

    With crossed seeds, each event has the analysis of variance of `anova_components`:

    .. math:: \hat\sigma^2_{\mathrm{data}, i} = \mathrm{Var}_p(\bar y_{ip\cdot}) - \mathrm{MS}_{e, i} / S

    since the mean over seeds still holds an `S`-th of the residual. With nested seeds (each training has a seed of its
    own) it is

    .. math::
        \hat\sigma^2_{\mathrm{data}, i} = \mathrm{Var}_p(\bar y_{ip\cdot})
        - \mathrm{mean}_p \mathrm{Var}_s(y_{ips}) / S

    which of *crossed* seeds would be too small by :math:`\sigma^2_{\mathrm{seed}, i} / S`: what a seed does to all
    partitions alike is not in the first term, but would be taken off with the second. The variances
    are the unbiased ones, summed over coordinates. In either case `seed + residual` is
    :math:`\mathrm{mean}_p \mathrm{Var}_s`, how much the answer changes with the seed when the training data stay.

    Parameters
    ----------
    predictions : array_like, shape (events, partitions, seeds) or (events, partitions, seeds, coordinates)
        Of events on which nothing was trained; km, or magnitude units. Of repeated K folds: (events, repeats, seeds),
        each event predicted once per repeat, by the training that it is no part of.
    source_id : array_like, shape (events,), optional
        Index of the table.
    seeds : {"crossed", "nested"}
        Whether the same seeds are used on all partitions. Nested ones leave no residual to tell apart from the seed: it
        is zero.

    Returns
    -------
    DataFrame
        One row per event: `data`, `seed`, `residual` in squared units. Differences of mean squares may be negative;
        their mean over events is unbiased only if they are kept.

    Raises
    ------
    UserError
        If a prediction is not finite, or there are fewer than two partitions or seeds, or no event.
    """
    y = _checked(predictions)
    parts = Variances(*_event_components(y, np.ones((1, y.shape[1])), _check_seeds(seeds)))
    return pd.DataFrame({name: part[:, 0] for name, part in parts._asdict().items()}, source_id)


def _checked(predictions):
    """Predictions as (events, partitions, seeds, coordinates)."""
    y = np.asarray(predictions, float)
    y = y[..., None] if y.ndim == 3 else y
    if y.ndim != 4 or not y.shape[0] or not y.shape[3]:
        raise UserError(
            f"predictions of shape {np.shape(predictions)}: give (events, partitions, seeds) or, of vectors, "
            "(events, partitions, seeds, coordinates)"
        )
    lost = ~np.isfinite(y).all((1, 2, 3))
    if lost.any():
        raise UserError(
            f"predictions: {lost.sum()} of {len(y)} events have one that is not finite, the first is event "
            f"{np.flatnonzero(lost)[0]}: leave them out of all arms"
        )
    _check_levels(*y.shape[1:3])
    return y


def _check_seeds(seeds):
    if seeds not in ("crossed", "nested"):
        raise UserError(f"seeds: no design {seeds!r}: choose crossed or nested")
    return seeds == "crossed"


def _event_components(y, weight, crossed, resampled=False):
    """Components of `y` (E, P, S, C) with the partitions taken `weight` (B, P) times, each of shape (E, B).

    A resample has some partitions twice, which makes its sums of squares between them smaller by (P - 1) / P: they are
    scaled up again, or what is subtracted from them would be too large.
    """
    n_partitions, n_seeds = y.shape[1:3]
    scale = n_partitions / (n_partitions - 1) if resampled else 1.0
    mean = y.mean(2) - y.mean((1, 2))[:, None]  # (E, P, C)
    within = y - y.mean(2, keepdims=True)  # (E, P, S, C)
    between = (mean**2).sum(-1) @ weight.T - _squared_sum(mean[:, :, None], weight) / n_partitions
    between = scale * between / (n_partitions - 1)
    inside = (within**2).sum((2, 3)) @ weight.T
    if not crossed:
        noise = inside / (n_partitions * (n_seeds - 1))
        return between - noise / n_seeds, noise, np.zeros_like(noise)
    common = _squared_sum(within, weight) / n_partitions  # sum of squares of the seeds
    residual = scale * (inside - common) / ((n_partitions - 1) * (n_seeds - 1))
    return between - residual / n_seeds, (common / (n_seeds - 1) - residual) / n_partitions, residual


def _squared_sum(values, weight):
    """Sum over seeds and coordinates of the squared weighted sum over partitions, of (E, P, S, C) to (E, B)."""
    columns = values.transpose(0, 2, 3, 1).reshape(len(values), -1, values.shape[1])  # (E, S * C, P)
    return ((columns @ weight.T) ** 2).sum(1)


def decompose_error(predictions, labels, source_id=None, seeds="crossed") -> pd.DataFrame:
    r"""Mean squared error of each event as squared bias, and variance due to data, seed and both.

    .. math::
        \mathrm{mean}_{ps} (y_{ips} - y_i)^2 = \widehat{\mathrm{bias}^2_i}
        + \hat\sigma^2_\mathrm{data} + \hat\sigma^2_\mathrm{seed} + \hat\sigma^2_\mathrm{residual}

    exactly, if the bias too is corrected for the variance that is left in the mean of `P` times `S` predictions:

    .. math::
        \widehat{\mathrm{bias}^2_i} = (\bar y_i - y_i)^2 - \hat\sigma^2_\mathrm{data} / P
        - \hat\sigma^2_\mathrm{seed} / S - \hat\sigma^2_\mathrm{residual} / (PS)

    (with nested seeds, :math:`\hat\sigma^2_\mathrm{seed}` is over `PS`). The label's own error is part of the bias: no
    training can tell one from the other.

    Parameters
    ----------
    predictions, source_id, seeds
        As in `event_components`.
    labels : array_like, shape (events,) or (events, coordinates)

    Returns
    -------
    DataFrame
        One row per event: `squared_error` and its parts `squared_bias`, `data`, `seed`, `residual`, in squared units.

    Raises
    ------
    UserError
        As `event_components`, or if the labels do not fit the predictions or are not finite.
    """
    y, labels = _checked(predictions), np.asarray(labels, float)
    labels = labels[:, None] if labels.ndim == 1 else labels
    if labels.shape != (y.shape[0], y.shape[3]) or not np.isfinite(labels).all():
        raise UserError(f"labels of shape {labels.shape} for predictions of {y.shape}: give finite ones of each event")
    parts = event_components(y, source_id, seeds)
    n_partitions, n_seeds = y.shape[1:3]
    cells = n_partitions * n_seeds
    left = parts.data / n_partitions + parts.seed / (n_seeds if seeds == "crossed" else cells) + parts.residual / cells
    error = ((y - labels[:, None, None]) ** 2).sum(-1).mean((1, 2))
    bias = ((y.mean((1, 2)) - labels) ** 2).sum(-1) - left
    parts.insert(0, "squared_error", error)
    parts.insert(1, "squared_bias", bias)
    return parts


# ------------------------------------------------------------------------------------------------------------- accuracy


def compare_scores(table, *, n_train, n_test=None, pool=None, column="score") -> Comparison:
    r"""Difference of the mean scores of two arms, paired by partition, with a corrected t-test.

    The difference of the two arms on each partition, averaged over seeds, is one observation: seeds on one training set
    are not independent trials. How training sets overlap decides the correction of
    `seisbook.measures.t_test.corrected_t_test`:

    - folds of cross-validation (`n_test` given): :math:`n_\mathrm{test} / n_\mathrm{train}`, Nadeau and Bengio's;
    - training sets drawn from a pool of `N` events and a fixed test set (`pool` given): two sets share the part
      :math:`n/N` of their events, scores of a mean of per-event influences are correlated by as much, and the
      term is :math:`n / (N - n)`. Sets that share no event: `pool=math.inf`, the plain paired t-test.

    Parameters
    ----------
    table : DataFrame
        One row per training: `arm` (two of them), `partition`, `seed`, and `column`.
    n_train : int
        Events in a training set.
    n_test, pool : float, optional
        One of them.
    column : str

    Returns
    -------
    Comparison
        Of the first arm in alphabetical order minus the second: `dynamic` minus `static`.

    Raises
    ------
    UserError
        If there are not two arms with the same partitions and seeds, a value is missing, or not exactly one of `n_test`
        and `pool` is given, or the pool is not larger than a training set.
    """
    _check_columns(table, ["arm"])
    if (n_test is None) == (pool is None) or (pool is not None and pool <= n_train):
        raise UserError(
            "compare_scores: give n_test (folds) or pool (fixed test set), larger than n_train, and not both"
        )
    arms = {name: _cells(rows, column) for name, rows in table.groupby("arm")}
    if len(arms) != 2:
        raise UserError(f"compare_scores: {len(arms)} arms ({', '.join(map(str, arms))}): select the rows of two")
    first, second = arms.values()
    if not (first.index.equals(second.index) and first.columns.equals(second.columns)):
        raise UserError(f"compare_scores: {' and '.join(arms)} differ in partitions or seeds: complete the study")
    differences = (first - second).mean(axis=1)
    sizes = (n_train, n_test) if pool is None else (pool - n_train, n_train)
    return corrected_t_test(differences, *sizes)


# ------------------------------------------------------------------------------------------------------ their intervals


def reach(n_independent):
    """Half width of an interval of few observations, in standard errors of a bootstrap (Hesterberg 2015)."""
    return math.sqrt(n_independent / (n_independent - 1)) * scipy.stats.t.ppf(1 - TAIL, n_independent - 1)


def ends(replicates, n_independent):
    """Ends of the interval of a bootstrap over few observations, widened as Student's t is against the normal.

    What is not defined in a replicate could be anything: NaN counts as zero below and as infinite above.
    """
    tail = scipy.stats.norm.sf(reach(n_independent))
    low = np.quantile(np.nan_to_num(replicates, nan=0.0, posinf=np.inf), tail, axis=0, method="lower")
    high = np.quantile(np.nan_to_num(replicates, nan=np.inf, posinf=np.inf), 1 - tail, axis=0, method="higher")
    return (float(low), float(high)) if replicates.ndim == 1 else (low, high)
