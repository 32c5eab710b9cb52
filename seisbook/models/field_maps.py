r"""Maps of the conditional normal: its prediction at thousands of points in a tenth of a second.

All points of a map have one covariance with the observed values: a few matrices :math:`B_k` (5 measures), weighted by
scalars :math:`e_k(d)` of the distances, see `seisbook.models.coregionalisation`. Mean and variance at a point `p` are
therefore a linear and a quadratic form of the vector :math:`e(p)` of these scalars,

.. math:: \mu_a(p) = e(p)^T G_a^T \Sigma_{oo}^{-1} r, \qquad
    \sigma_a^2(p) = \sigma_{0a}^2 - \lVert R_a\, e(p) \rVert^2, \qquad R_a^T R_a = G_a^T \Sigma_{oo}^{-1} G_a

with :math:`G_a`, sparse, of the matrices' rows for measure `a`. The triangular :math:`R_a` are made once for a map, by
a QR factorisation. A point then costs the square of the number of stations times ranges, and not that of stations times
measures. As a sum of squares loses no digits, 32 bits are enough for it.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve, qr, solve_triangular
from scipy.linalg.blas import strmm

from seisbook.models.conditional_normal import ConditionalNormal
from seisbook.models.coregionalisation import LEAST
from seisbook.models.field_methods import Reconstruction, Scene

PIECE = 2000  # points at a time: what is worked on stays in the processor's cache


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
            mean[part] += decay @ weights
            variance[part] = np.maximum(total - _known(decay.astype(np.float32), factors), LEAST)
    return Reconstruction(mean, np.sqrt(variance) * method.factor_)


def _decay(model, points, places):
    """The vectors e (m, 1 + ranges x stations): one for the event's term, then the decay of each range."""
    distance = np.hypot(*(points[:, None] - places[None]).transpose(2, 0, 1))
    decay = np.exp(-distance[:, None] / model.range_km[:, None])
    return np.concatenate([np.ones((len(points), 1)), decay.reshape(len(points), -1)], 1)


def _known(decay, factors):
    """What the observed values take from the variance of each measure: (m, 5)."""
    products = (strmm(1.0, factor, decay.T) for factor in factors)
    return np.stack([np.einsum("mp,mp->p", product, product) for product in products], 1)


def _forms(model, residual, places, extra):
    """Weights of the mean (1 + ranges x stations, 5), and the triangular factor of each measure, of 32 bits."""
    known = np.flatnonzero(np.isfinite(residual))
    factor = cho_factor(_covariance(model, places, extra)[np.ix_(known, known)], lower=True)
    solved = cho_solve(factor, residual.ravel()[known])
    weights, factors = [], []
    for measure in range(residual.shape[1]):
        gain = _gain(model, measure, len(places))[known]
        weights.append(gain.T @ solved)
        whitened = solve_triangular(factor[0], gain, lower=True)
        factors.append(_square(qr(whitened, mode="r", check_finite=False)[0]))
    return np.stack(weights, 1), factors


def _covariance(model, places, extra):
    """Covariance of all measures at all stations (5 n, 5 n)."""
    n, each = len(places), np.arange(len(places))
    blocks = model.covariance(np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)))
    blocks[each, :, each] += model.own + np.maximum(extra, 0)[:, :, None] * np.eye(5)
    return blocks.reshape(5 * n, -1)


def _gain(model, measure, n):
    """The matrix that makes covariances with the stations (5 n) of the vectors of `_decay`, for one measure."""
    each, gain = np.arange(n), np.zeros((n, 5, 1 + len(model.range_km) * n))
    gain[:, :, 0] = model.event[measure]
    for number, matrix in enumerate(model.spatial):
        gain[each, :, 1 + number * n + each] = matrix[measure]
    return gain.reshape(5 * n, -1)


def _square(factor):
    """The upper triangle as a square matrix of 32 bits, with rows of zeros if there are few values."""
    size = factor.shape[1]
    rows = np.zeros((size, size), np.float32, order="F")
    rows[: min(len(factor), size)] = factor[:size]
    return rows
