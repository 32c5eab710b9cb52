r"""The multivariate normal, conditioned on what the stations observed: how ShakeMap draws its maps.

.. math::
    \mu_{t|o} &= \mu_t + \Sigma_{to} \Sigma_{oo}^{-1} (y_o - \mu_o), \\
    \Sigma_{t|o} &= \Sigma_{tt} - \Sigma_{to} \Sigma_{oo}^{-1} \Sigma_{ot}

with the covariance of all five measures at all stations, which holds the event's term, the correlation in space and
between measures, and what each station keeps for itself (`seisbook.models.coregionalisation`). With the event's term in
the covariance, one step does what Engler et al. (2022) do in two: estimate the term, then condition the rest. A station
that deviates from the law by more than three standard deviations, once the event's term is removed, is not used, which
is ShakeMap's rule, too.

References
----------
C. B. Worden et al. (2018), Spatial and spectral interpolation of ground-motion intensity measure observations, Bull.
Seismol. Soc. Am. 108(2), doi:10.1785/0120170201.
D. T. Engler et al. (2022), Partitioning ground motion uncertainty when conditioned on station data, Bull. Seismol. Soc.
Am. 112(2), doi:10.1785/0120210177.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from seisbook.models import coregionalisation
from seisbook.models.field_methods import FieldMethod, hide_variously

DEVIATION = 3.0  # standard deviations beyond which a station is not used
UNKNOWN = 1e4  # variance of a value that nobody observed: it has no weight
LARGEST, TRIALS = 80, 150  # stations of an event, and events, on which forms of the covariance are compared
PIECE = 2000  # points that are predicted at a time


class ConditionalNormal(FieldMethod):
    """The multivariate normal of all measures at all stations, conditioned on the observed values.

    Attributes
    ----------
    covariance_ : Coregionalisation
        Of the residuals from the law, fitted to training events.
    """

    def _fit(self, fields, progress):
        terms, left = self._site_terms(fields)
        residual = fields.values - self.law_.predict(fields) - terms
        self.usual_left_ = left.mean(0)
        sd = np.sqrt(self.law_.event_sd_**2 + self._spread(self.usual_left_) ** 2)
        residual = np.clip(residual, -DEVIATION * sd, DEVIATION * sd)
        self.covariance_ = self._chosen(residual, fields)

    def _chosen(self, residual, fields):
        """The covariance, of several forms, that predicts training events best from a part of their stations."""
        moments = coregionalisation.fit(residual, fields.pos, fields.start)
        event = _correlated(self.law_.event_terms_, self.law_.event_sd_)
        within = residual - self.law_.event_terms_[fields.event]
        forms = coregionalisation.separable(event, _correlated(within, self._spread(self.usual_left_)))
        trial = self._trial(fields)
        forms = sorted(forms, key=lambda form: self._error(form, *trial))
        return min([moments, forms[0], moments.mixed(forms[0])], key=lambda form: self._error(form, *trial))

    def _trial(self, fields):
        """Scenes of some training events, and their values."""
        index = np.flatnonzero(fields.sizes <= LARGEST)
        index = np.sort(np.random.default_rng(1).permutation(index)[:TRIALS])
        part = fields.select(index)
        scenes = list(self.scenes(part, hide_variously(part, 1)))
        return scenes, [part.values[part.rows(i)] for i in range(len(part))]

    def _error(self, form, scenes, values):
        """Sum over the measures of the log of the mean square error at hidden stations; a far miss counts as two."""
        self.covariance_ = form
        parts = [
            (self._predicted(scene)[0] - value)[~scene.observed] for scene, value in zip(scenes, values, strict=True)
        ]
        return np.log(np.nanmean(np.clip(np.concatenate(parts), -2, 2) ** 2, axis=0)).sum()

    def _spread(self, left):
        """Standard deviation about the law and the event's term."""
        return np.sqrt(self.law_.within_sd_**2 + self.law_.site_sd_**2 * left)

    def _predicted(self, scene):
        extra = self.law_.site_sd_**2 * (scene.left - self.usual_left_)  # a station that few events have tested
        mean, variance = condition(self.covariance_, self.used(scene), scene.pos, scene.observed, extra)
        return scene.prior + mean, np.sqrt(variance)

    def used(self, scene) -> np.ndarray:
        """Residuals (n, 5) without those that deviate too much."""
        spread = self._spread(scene.left)
        found = [column[np.isfinite(column)] for column in scene.residual.T]
        middle = np.array([np.median(column) if len(column) else 0.0 for column in found])
        count = np.isfinite(scene.residual).sum(0)
        share = count * self.law_.event_sd_**2 / (count * self.law_.event_sd_**2 + spread.mean(0) ** 2)
        deviation = np.abs(scene.residual - middle * share)
        total = np.sqrt(spread**2 + (1 - share) * self.law_.event_sd_**2)
        return np.where(deviation <= DEVIATION * total, scene.residual, np.nan)


def _correlated(values, sd):
    """Covariance with the correlation of values (n, 5), NaN counted as zero, and these standard deviations."""
    correlation = np.corrcoef(np.nan_to_num(values).T)
    return correlation * np.outer(sd, sd)


def condition(model, residual, pos, observed, extra) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the residuals at all places, from those that were observed elsewhere.

    Parameters
    ----------
    model : Coregionalisation
    residual : ndarray, shape (n, 5)
        NaN where nothing was observed.
    pos : ndarray, shape (n, 2)
        km.
    observed : ndarray of bool, shape (n,)
        Stations that observed. Each of them is predicted from the others.
    extra : ndarray, shape (n, 5)
        Variance that a station has more than the usual one.

    Returns
    -------
    mean, variance : ndarray, shape (n, 5)
    """
    total = np.maximum(model.variance + extra, coregionalisation.LEAST)
    mean, variance = np.zeros_like(total), total.copy()
    at = np.flatnonzero(observed)
    if not len(at):
        return mean, variance
    r, places = residual[at], pos[at]
    matrix = model.covariance(_distance(places, places)).reshape(5 * len(at), -1)
    blocks = matrix.reshape(len(at), 5, len(at), 5)
    each = np.arange(len(at))
    noise = np.where(np.isfinite(r), np.maximum(extra[at], 0), UNKNOWN)
    blocks[each, :, each] += model.own + noise[:, :, None] * np.eye(5)
    factor = cho_factor(matrix, lower=True)
    weights = cho_solve(factor, np.nan_to_num(r).ravel())
    inverse = cho_solve(factor, np.eye(len(matrix))).reshape(len(at), 5, len(at), 5)
    others = np.linalg.inv(inverse[each, :, each])  # covariance of each station, given the others
    mean[at] = np.nan_to_num(r) - np.einsum("nab,nb->na", others, weights.reshape(-1, 5))
    left = np.diagonal(others, axis1=1, axis2=2) - np.where(np.isfinite(r), 0, UNKNOWN)
    variance[at] = np.maximum(left, coregionalisation.LEAST)
    targets = np.flatnonzero(~observed)
    for first in range(0, len(targets), PIECE):
        some = targets[first : first + PIECE]
        cross = model.covariance(_distance(pos[some], places)).reshape(5 * len(some), -1)
        mean[some] = (cross @ weights).reshape(-1, 5)
        known = (cross * (cross @ inverse.reshape(len(matrix), -1))).sum(1).reshape(-1, 5)
        variance[some] = np.maximum(total[some] - known, coregionalisation.LEAST)
    return mean, variance


def _distance(one, other):
    return np.hypot(one[:, None, 0] - other[None, :, 0], one[:, None, 1] - other[None, :, 1])
