r"""Covariance of ground motion in space and between measures: the linear model of coregionalisation.

.. math:: \mathrm{Cov}(r_i, r_j) = T + B_1 e^{-d_{ij} / a_1} + B_2 e^{-d_{ij} / a_2} + B_0 [i = j]

of the residuals (5 measures) at two stations of one event, with `T` the covariance of the event's term and `d` the
distance of the stations. All matrices are positive semidefinite, so that the covariance of any set of stations is.
Loth & Baker (2013) introduced this form for ground motion, and ShakeMap uses theirs.

References
----------
C. Loth and J. W. Baker (2013), A spatial cross-correlation model of spectral accelerations at multiple periods,
Earthq. Eng. Struct. Dyn. 42(3), doi:10.1002/eqe.2212.
"""

from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

EDGES_KM = np.array([0, 2, 5, 10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 400])
SHORT_KM, LONG_KM = (3.0, 6.0, 12.0, 24.0), (30.0, 60.0, 120.0)
ONE_KM, SMOOTH = (20.0, 40.0, 80.0), (0.55, 0.7, 0.85)
LEAST = 1e-4  # variance in log10 units that every station keeps for itself
STEPS = 1500  # of the projected gradient: the sum of squares no longer changes in its fourth digit


@dataclass
class Coregionalisation:
    """Matrices and ranges of the model.

    Parameters
    ----------
    event : ndarray, shape (5, 5)
        `T`.
    spatial : ndarray, shape (ranges, 5, 5)
        `B_1`, `B_2`, ...
    own : ndarray, shape (5, 5)
        `B_0`.
    range_km : ndarray, shape (ranges,)
    """

    event: np.ndarray
    spatial: np.ndarray
    own: np.ndarray
    range_km: np.ndarray

    def covariance(self, distance_km) -> np.ndarray:
        """Covariance of different stations at distances (n, m): shape (n, 5, m, 5); `own` is not in it."""
        decay = np.exp(-np.asarray(distance_km)[..., None] / self.range_km)  # (n, m, ranges)
        return np.einsum("nmk,kab->namb", decay, self.spatial) + self.event[None, :, None, :]

    @property
    def variance(self) -> np.ndarray:
        """Variance of each measure at one station (5,)."""
        return np.diag(self.event + self.spatial.sum(0) + self.own)

    def mixed(self, other) -> "Coregionalisation":
        """The mean of two models; it has the ranges of both."""
        return Coregionalisation(
            (self.event + other.event) / 2,
            np.concatenate([self.spatial, other.spatial]) / 2,
            (self.own + other.own) / 2,
            np.concatenate([self.range_km, other.range_km]),
        )


def separable(event, within) -> list[Coregionalisation]:
    r"""Models in which all measures share one range and one share of smooth variance, see `ONE_KM` and `SMOOTH`.

    .. math:: \mathrm{Cov}(r_i, r_j) = T + W \bigl(s\, e^{-d_{ij} / a} + (1 - s) [i = j]\bigr)

    Parameters
    ----------
    event, within : ndarray, shape (5, 5)
        `T` and `W`.
    """
    return [
        Coregionalisation(event, share * within[None], (1 - share) * within, np.array([one]))
        for one, share in product(ONE_KM, SMOOTH)
    ]


def fit(residuals, pos, start) -> Coregionalisation:
    """Fit the model to the mean products of residuals of many events, by distance.

    Parameters
    ----------
    residuals : ndarray, shape (rows, 5)
        From the attenuation law, log10; NaN where there is no value. Cut them before: one wrong value spoils a mean.
    pos : ndarray, shape (rows, 2)
        km.
    start : ndarray, shape (events + 1,)
        First row of each event.
    """
    products, weights, distance, at_one = _products(np.nan_to_num(residuals), pos, start)
    filled = weights > 0
    products = np.concatenate([at_one[None], products[filled]])
    weights = np.concatenate([[weights.sum()], weights[filled]])  # the variance counts as much as all covariances
    distance = np.concatenate([[0.0], distance[filled]])
    ranges = list(product(SHORT_KM, LONG_KM))
    fits = [_fitted(products, weights, _basis(distance, pair)) for pair in ranges]
    best = int(np.argmin([misfit for misfit, _ in fits]))
    event, *spatial, own = fits[best][1]
    return Coregionalisation(event, np.array(spatial), _positive(own, LEAST), np.array(ranges[best]))


def _products(residuals, pos, start):
    """Mean products of residuals by distance (bins, 5, 5), weights, mean distances, and the same at one station."""
    bins = len(EDGES_KM) - 1
    products, weights, distances, at_one = np.zeros((bins, 5, 5)), np.zeros(bins), np.zeros(bins), np.zeros((5, 5))
    for first, last in pairwise(start):
        r, p = residuals[first:last], pos[first:last].astype(float)
        distance = np.hypot(*(p[:, None] - p[None]).transpose(2, 0, 1))
        np.fill_diagonal(distance, np.inf)
        share = 1 / len(r)  # else the few largest events would decide alone: their pairs grow with the square
        at_one += r.T @ r
        for b in range(bins):
            inside = (distance >= EDGES_KM[b]) & (distance < EDGES_KM[b + 1])
            products[b] += share * r.T @ inside @ r
            weights[b] += share * inside.sum()
            distances[b] += share * distance[inside].sum()
    scale = np.maximum(weights, 1e-12)
    return products / scale[:, None, None], weights, distances / scale, at_one / len(residuals)


def _basis(distance, ranges):
    """What each matrix adds at each distance; the first distance is that of a station from itself."""
    own = np.arange(len(distance)) == 0
    return np.column_stack([np.ones_like(distance), *(np.exp(-distance / a) for a in ranges), own])


def _fitted(products, weights, basis):
    """Misfit and positive semidefinite matrices (4, 5, 5) of weighted least squares, by projected gradient."""
    w = weights / weights.sum()
    normal = basis.T @ (w[:, None] * basis)
    target = np.einsum("bk,b,bij->kij", basis, w, products)
    step, matrices = 1 / np.linalg.eigvalsh(normal)[-1], np.zeros((basis.shape[1], 5, 5))
    for _ in range(STEPS):
        gradient = np.einsum("kl,lij->kij", normal, matrices) - target
        matrices = _positive(matrices - step * gradient)
    rest = products - np.einsum("bk,kij->bij", basis, matrices)
    return float((w[:, None, None] * rest**2).sum()), matrices


def _positive(matrices, least=0.0):
    """Nearest symmetric matrices without eigenvalues below `least`."""
    values, vectors = np.linalg.eigh((matrices + np.swapaxes(matrices, -1, -2)) / 2)
    return (vectors * values.clip(least)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
