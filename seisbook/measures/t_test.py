"""Corrected resampled t-test: whether two methods differ over the same folds."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from seisbook.errors import UserError


class Comparison(NamedTuple):
    """Mean difference of two methods, its 95 % confidence interval, and the two-sided p-value."""

    mean: float
    low: float
    high: float
    p: float


def corrected_t_test(differences, n_train, n_test) -> Comparison:
    r"""Resampled t-test between two methods, corrected for training sets that overlap.

    .. math:: t = \bar d \Big/ \sqrt{\Bigl(\frac1J + \frac{n_\mathrm{test}}{n_\mathrm{train}}\Bigr) s^2_d}

    with `J - 1` degrees of freedom. Without the second term, folds count as independent and differences seem certain.

    Parameters
    ----------
    differences : array_like, shape (J,)
        Differences of the two methods' scores on the same folds and seeds, such as their median errors.
    n_train, n_test : float
        Events in a fold's training and test part (the mean, if folds differ by one).

    Returns
    -------
    Comparison

    Raises
    ------
    UserError
        If there are fewer than two differences, one is not finite, or a part is empty.

    References
    ----------
    C. Nadeau and Y. Bengio (2003), Inference for the generalization error, Mach. Learn. 52, 239-281,
    doi:10.1023/A:1024068626366.
    """
    d = np.asarray(differences, float)
    if d.ndim != 1 or len(d) < 2 or not np.isfinite(d).all():
        raise UserError(f"corrected_t_test: {d.size} differences; give two or more finite ones, one per fold")
    if n_train <= 0 or n_test <= 0:
        raise UserError(f"corrected_t_test: {n_train} training and {n_test} test events; both must be positive")
    mean, spread = float(d.mean()), float(d.std(ddof=1) * np.sqrt(1 / len(d) + n_test / n_train))
    if spread == 0:  # all differences are equal
        return Comparison(mean, mean, mean, 1.0 if mean == 0 else 0.0)
    student = stats.t(len(d) - 1)
    reach = float(student.ppf(0.975)) * spread
    return Comparison(mean, mean - reach, mean + reach, float(2 * student.sf(abs(mean) / spread)))
