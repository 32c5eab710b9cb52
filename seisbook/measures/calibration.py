"""Calibration of predicted uncertainty: coverage, conformal prediction, CRPS."""

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import special, stats

from seisbook.errors import UserError
from seisbook.models.error_model import TAIL


def ellipse_radius(level, dof=TAIL):
    r"""Mahalanobis distance within which a bivariate Student-t variable lies with probability `level`.

    .. math:: P(\lVert L^{-1} r \rVert \le \rho) = 1 - (1 + \rho^2 / \nu)^{-\nu / 2}

    since the squared distance over two follows Fisher's F with 2 and `dof` degrees of freedom.
    """
    return np.sqrt(dof * ((1 - np.asarray(level, float)) ** (-2 / dof) - 1))


def coverage(errors, levels=(0.5, 0.68, 0.9, 0.95)) -> pd.DataFrame:
    """How often the label lies where the model said it would with probability `level`.

    Parameters
    ----------
    errors : DataFrame
        Table of `seisbook.measures.evaluation.errors`.
    levels : sequence of float
        Nominal probabilities, between 0 and 1.

    Returns
    -------
    DataFrame
        One row per quantity (`epicentre`: ellipse; `depth`, `magnitude`: central interval) and level: `covered`, the
        share of the `n` events, and its 95 % interval `low`, `high` (Wilson), in which events count as independent.
        Quantities that no event has a label of are left out.
    """
    levels = _levels(levels)
    tests = {
        "epicentre": (errors.mahalanobis, ellipse_radius(levels)),
        "depth": ((errors.depth_pit - 0.5).abs(), levels / 2),
        "magnitude": ((errors.magnitude_pit - 0.5).abs(), levels / 2),
    }
    rows = [
        {"quantity": quantity, "level": level, **_share(distance.dropna() <= limit)}
        for quantity, (distance, limits) in tests.items()
        for level, limit in zip(levels, limits, strict=True)
        if distance.notna().any()
    ]
    return pd.DataFrame(rows, columns=["quantity", "level", "covered", "low", "high", "n"])


def _levels(levels):
    levels = np.atleast_1d(np.asarray(levels, float))
    if not ((levels > 0) & (levels < 1)).all():
        raise UserError(f"coverage: levels must lie between 0 and 1, not {levels.tolist()}")
    return levels


def _share(inside):
    result = stats.binomtest(int(np.sum(inside)), len(inside))
    low, high = result.proportion_ci(method="wilson")
    return {"covered": float(result.statistic), "low": float(low), "high": float(high), "n": len(inside)}


def crps_student_t(y, location, scale, dof):
    r"""Continuous ranked probability score of a Student-t prediction, in the unit of `y`; smaller is better.

    .. math:: \mathrm{CRPS} = \sigma \Bigl[ z (2 F_\nu(z) - 1) + 2 f_\nu(z) \frac{\nu + z^2}{\nu - 1}
        - \frac{2 \sqrt\nu}{\nu - 1} \frac{B(\frac12, \nu - \frac12)}{B(\frac12, \frac\nu2)^2} \Bigr],
        \qquad z = (y - \mu) / \sigma

    with :math:`F_\nu, f_\nu` the distribution and density of Student's t and `B` the beta function. It is the absolute
    error if the scale is 0, and weighs accuracy and honest uncertainty in one number.

    Parameters
    ----------
    y, location, scale : array_like
        Label, predicted location and scale; they broadcast. NaN gives NaN.
    dof : float
        Degrees of freedom, greater than 1; infinity for a Gaussian.

    Returns
    -------
    ndarray

    Raises
    ------
    UserError
        If `dof` is 1 or less: the score is infinite.

    References
    ----------
    A. Jordan, F. Krüger and S. Lerch (2019), Evaluating probabilistic forecasts with scoringRules, J. Stat. Softw.
    90(12), doi:10.18637/jss.v090.i12, appendix A.
    """
    if not dof > 1:
        raise UserError(f"crps_student_t: {dof:g} degrees of freedom; the score exists for more than 1")
    z = (np.asarray(y, float) - location) / scale
    if np.isinf(dof):
        return scale * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))
    beta = np.exp(special.betaln(0.5, dof - 0.5) - 2 * special.betaln(0.5, dof / 2))
    spread = 2 * np.sqrt(dof) / (dof - 1) * beta
    reach = 2 * stats.t.pdf(z, dof) * (dof + z**2) / (dof - 1)
    return scale * (z * (2 * stats.t.cdf(z, dof) - 1) + reach - spread)


@dataclass
class SplitConformal:
    r"""Ellipses stretched until they cover: split-conformal prediction of the epicentre.

    The radius is the :math:`\lceil (n + 1)\, \mathrm{level} \rceil`-th smallest Mahalanobis distance of `n` calibration
    events that did not train the model. If they and a new event are exchangeable, the new epicentre lies in its own
    ellipse scaled by that radius with probability `level` or more, however wrong the predicted scale.

    Parameters
    ----------
    level : float
        Nominal coverage, between 0 and 1.

    Attributes
    ----------
    radius : float
        Mahalanobis distance of the ellipse's rim; its mean radius is `radius * ellipse_km`.
    stretch : float
        That radius over the one of the predicted Student-t ellipse: above 1 if the model is too sure of itself.

    References
    ----------
    J. Lei, M. G'Sell, A. Rinaldo, R. J. Tibshirani and L. Wasserman (2018), Distribution-free predictive inference for
    regression, J. Am. Stat. Assoc. 113, 1094-1111, doi:10.1080/01621459.2017.1307116.
    """

    level: float = 0.9
    radius: float = field(default=math.nan, init=False)

    def fit(self, mahalanobis):
        """Find the radius from the distances of the calibration events.

        Raises
        ------
        UserError
            If they are too few for the level: its radius would be infinite.
        """
        (level,) = _levels(self.level)
        ordered = np.sort(np.asarray(mahalanobis, float))  # NaN, an event that was not predicted, is farthest
        rank = math.ceil((len(ordered) + 1) * level - 1e-9)  # 1e-9: 0.95 * 20 is 19, whatever floating point says
        if rank > len(ordered) or np.isnan(ordered[rank - 1]):
            least = math.ceil(level / (1 - level) - 1e-9)
            raise UserError(
                f"{np.isfinite(ordered).sum()} calibration events are too few for a level of {level:g}: "
                f"give at least {least}, or lower the level"
            )
        self.radius = float(ordered[rank - 1])
        return self

    @property
    def stretch(self) -> float:
        """Radius over that of the predicted ellipse at the same level."""
        return self.radius / float(ellipse_radius(self.level))

    def covers(self, mahalanobis):
        """Whether each event's epicentre lies in its ellipse: bool, with the shape of `mahalanobis`."""
        if math.isnan(self.radius):
            raise UserError("SplitConformal has no radius yet: call fit with the distances of calibration events")
        return np.asarray(mahalanobis, float) <= self.radius


def conformal_coverage(mahalanobis, folds, level=0.9) -> pd.DataFrame:
    """Coverage of split-conformal ellipses, each fold's radius being taken from the events outside it.

    With `time_folds` this asks whether a radius found in some weeks still covers in others, which exchangeability does
    not promise: aftershocks and changes of the network come in blocks.

    Parameters
    ----------
    mahalanobis : array_like, shape (events,)
        Mahalanobis distances by models that had not trained on the event: out-of-fold, by the same folds.
    folds : list of (ndarray, ndarray)
        Folds of `random_folds` or `time_folds`.
    level : float

    Returns
    -------
    DataFrame
        One row per fold, and a last one `all`: `radius` (of `all`: the mean), `covered`, `low`, `high` (95 %, Wilson),
        `n`.
    """
    mahalanobis = np.asarray(mahalanobis, float)
    fitted = [SplitConformal(level).fit(mahalanobis[others]) for others, _ in folds]
    inside = [conformal.covers(mahalanobis[test]) for conformal, (_, test) in zip(fitted, folds, strict=True)]
    rows = [{"radius": conformal.radius, **_share(covered)} for conformal, covered in zip(fitted, inside, strict=True)]
    rows.append(
        {"radius": float(np.mean([conformal.radius for conformal in fitted])), **_share(np.concatenate(inside))}
    )
    return pd.DataFrame(rows, index=pd.Index([*range(len(folds)), "all"], name="fold"))
