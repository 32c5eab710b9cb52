r"""Maps of the conditional normal: its prediction at thousands of points in a tenth of a second.

All points of a map have one covariance with the observed values: a few matrices :math:`B_k` (5 measures), weighted by
scalars :math:`e_k(d)` of the distances, see `seisbook.models.coregionalisation`. Mean and variance at a point `p` are
therefore a linear and a quadratic form of the vector :math:`e(p)` of these scalars,

.. math:: \mu_a(p) = e(p)^T G_a^T \Sigma_{oo}^{-1} r, \qquad
    \sigma_a^2(p) = \sigma_{0a}^2 - \lVert R_a\, e(p) \rVert^2, \qquad R_a^T R_a = G_a^T \Sigma_{oo}^{-1} G_a

with :math:`G_a`, sparse, of the matrices' rows for measure `a`. The triangular :math:`R_a` are made once for a map, by
a Cholesky factorisation. A point then costs the square of the number of stations times ranges, and not that of stations
times measures. As a sum of squares loses no digits, 32 bits are enough for it.
"""

import numpy as np
from scipy.linalg import cholesky
from scipy.linalg.blas import strmm
from scipy.linalg.lapack import dpotri

from seisbook.models.conditional_normal import ConditionalNormal
from seisbook.models.coregionalisation import LEAST
from seisbook.models.field_methods import Reconstruction, Scene

PIECE = 1000  # points at a time: what is worked on stays in the processor's cache
RIDGE = 1e-9  # of the largest diagonal element: a form of few values is singular


def predict_map(method: ConditionalNormal, scene: Scene, points) -> Reconstruction:
    """Predict the field at any points, at which nothing is known of the ground.

    Parameters
    ----------
    method : ConditionalNormal
        Fitted.
    scene : Scene
        An event, from `method.scenes`.
    points : ndarray, shape (m, 2)
        East and north in km.

    Returns
    -------
    Reconstruction
        That of `method.predict_at`, each (m, 5).
    """
    model, law = method.covariance_, method.law_
    points = np.atleast_2d(np.asarray(points, float))
    extra = law.site_sd_**2 * (1 - method.usual_left_)
    total = np.maximum(model.variance + extra, LEAST)
    mean, variance = method._law(scene.source, points), np.tile(total, (len(points), 1))
    residual = method.used(scene) if scene.observed.any() else scene.residual
    at = np.flatnonzero(np.isfinite(residual).any(1))
    if len(at):
        places, extra = scene.pos[at], law.site_sd_**2 * (scene.left[at] - method.usual_left_)
        weights, factors = _forms(model, residual[at], places, extra)
        for first in range(0, len(points), PIECE):
            part = slice(first, first + PIECE)
            decay = _decay(model, points[part], places)
            mean[part] += decay.astype(float) @ weights
            variance[part] = np.maximum(total - _known(decay, factors), LEAST)
    return Reconstruction(mean, np.sqrt(variance) * method.factor_)


def _decay(model, points, places):
    """The vectors e (m, 1 + ranges x stations): one for the event's term, then the decay of each range; 32 bits."""
    east, north = (np.subtract.outer(points[:, axis], places[:, axis]) for axis in (0, 1))
    distance = np.sqrt(east**2 + north**2).astype(np.float32)
    decay = np.ones((len(points), 1 + len(model.range_km) * len(places)), np.float32)
    for part, range_km in zip(np.split(decay[:, 1:], len(model.range_km), axis=1), model.range_km, strict=True):
        np.exp(distance / np.float32(-range_km), out=part)
    return decay


def _known(decay, factors):
    """What the observed values take from the variance of each measure: (m, 5)."""
    products = (strmm(1.0, factor, decay.T) for factor in factors)
    return np.stack([np.einsum("mp,mp->p", product, product) for product in products], 1)


def _forms(model, residual, places, extra):
    """Weights of the mean (1 + ranges x stations, 5), and the triangular factor of each measure, of 32 bits."""
    inverse = _inverse(_covariance(model, places, extra), np.isfinite(residual).ravel())
    solved = (inverse @ np.nan_to_num(residual).ravel()).reshape(residual.shape)
    weights = np.concatenate([(solved @ model.event).sum(0)[None], *(solved @ matrix for matrix in model.spatial)])
    factors = [_factor(_form(model, measure, inverse)) for measure in range(residual.shape[1])]
    return weights, factors


def _covariance(model, places, extra):
    """Covariance of all measures at all stations (5 n, 5 n)."""
    n, each = len(places), np.arange(len(places))
    blocks = model.covariance(np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)))
    blocks[each, :, each] += model.own + np.maximum(extra, 0)[:, :, None] * np.eye(5)
    return blocks.reshape(5 * n, -1)


def _inverse(covariance, known):
    """Inverse of the covariance of the known values, with zeros for the others (5 n, 5 n)."""
    inverse = np.zeros_like(covariance)
    lower, _ = dpotri(cholesky(covariance[np.ix_(known, known)], lower=True, check_finite=False), lower=True)
    inverse[np.ix_(known, known)] = lower + np.tril(lower, -1).T
    return inverse


def _form(model, measure, inverse):
    """The quadratic form of `_decay` that a measure's known variance is: (1 + ranges x stations) squared."""
    rows, n = model.spatial[:, measure], len(inverse) // 5  # rows: (ranges, 5)
    event = (inverse.reshape(-1, n, 5) @ model.event[measure]).sum(1).reshape(n, 5)
    half = rows @ inverse.reshape(n, 5, -1)  # (n, ranges, 5 n)
    whole = half.reshape(n, len(rows), n, 5) @ rows.T
    form = np.empty((1 + len(rows) * n,) * 2)
    form[0, 0] = (event @ model.event[measure]).sum()
    form[0, 1:] = form[1:, 0] = (rows @ event.T).ravel()
    form[1:, 1:] = whole.transpose(1, 0, 3, 2).reshape(len(rows) * n, -1)
    return form


def _factor(form):
    """The upper triangle whose square is the form; 32 bits."""
    form[np.diag_indices(len(form))] += RIDGE * form.diagonal().max()
    return np.asfortranarray(cholesky(form, check_finite=False), np.float32)
