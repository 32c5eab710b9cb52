r"""Robust location in batches: residuals of onsets, redescending weights, and one Gauss-Newton step.

All functions take `B` events with `N` stations, padded: hypocentres `x` (B, 3), east, north and depth in km; stations
`pos` (B, N, 3), east, north and up in km; `onset` (B, N, 2), P and S in seconds; `valid` (B, N, 2), where an onset
counts. The origin time is eliminated: it is the weighted median, or in a step the weighted mean, of what is left.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

NU = 2.0  # degrees of freedom of Student's t: an onset ten standard deviations off weighs a fortieth
STEADY = 1e-3  # 1/km^2: a step that nothing determines is short
SHALLOWEST_KM = -2.0


class Residuals(NamedTuple):
    """Onsets minus computed times after the origin time, in s, 0 where invalid (B, N, 2); their expected scatter in s
    (B, N, 2); slopes of the computed times along x (B, N, 2, 3) in s/km.
    """

    value: Tensor
    sigma: Tensor
    slope: Tensor


def weighted_median(values: Tensor, weight: Tensor) -> Tensor:
    """Median along the last axis: the first value at which half of the weight is reached."""
    order = values.argsort(-1)
    share = weight.gather(-1, order).cumsum(-1)
    middle = (share < share[..., -1:] / 2).sum(-1, keepdim=True).clamp(max=values.shape[-1] - 1)
    return values.gather(-1, order.gather(-1, middle))[..., 0]


def student_weight(residual: Tensor, sigma: Tensor) -> Tensor:
    r"""Weights of iteratively reweighted least squares for Student's t: :math:`(\nu + 1) / (\nu \sigma^2 + r^2)`."""
    return (NU + 1) / (NU * sigma**2 + residual**2)


def misfit(residual: Tensor, sigma: Tensor, valid: Tensor) -> Tensor:
    """Negative log-likelihood of Student's t without constants, summed: (..., N, 2) to (...)."""
    each = (NU + 1) / 2 * torch.log1p((residual / sigma) ** 2 / NU) + sigma.log()
    return torch.where(valid, each, 0.0).sum((-2, -1))


class ArrivalTimes:
    """Arrival times in a layered Earth, and how far onsets scatter about them.

    Parameters
    ----------
    timetable : seisbook.physics.timetable.Timetable
    scatter_s : tuple of float
        Standard deviation of P and S residuals at the source.
    scatter_per_100km_s : float
        Its growth with distance.
    """

    def __init__(self, timetable, scatter_s, scatter_per_100km_s):
        self.timetable = timetable
        self.scatter_s = scatter_s
        self.scatter_per_100km_s = scatter_per_100km_s

    def sigma(self, epicentral_km: Tensor, spread_s: Tensor) -> Tensor:
        r"""Scatter (..., N, 2): :math:`\sqrt{\sigma_0^2 + (\sigma_1 r)^2 + s^2}`, with the onset's own spread `s`."""
        near = torch.tensor(self.scatter_s).to(epicentral_km)
        far = (self.scatter_per_100km_s / 100 * epicentral_km)[..., None]
        return (near**2 + far**2 + spread_s**2).sqrt()

    def travel(self, epicentral_km: Tensor, depth_km: Tensor, elevation_km: Tensor) -> Tensor:
        """Travel times of P and S: one more axis of two."""
        p = self.timetable.p(epicentral_km, depth_km, elevation_km)
        return torch.stack([p, p * self.timetable.vp_vs], -1)

    def residuals(self, x: Tensor, pos: Tensor, onset: Tensor, spread_s: Tensor, valid: Tensor) -> Residuals:
        """Residuals at hypocentres."""
        offset = x[:, None, :2] - pos[..., :2]
        r = (offset.square().sum(-1) + 1e-4).sqrt()
        time, along, down = self.timetable.slopes(r, x[:, None, 2].expand_as(r), pos[..., 2])
        waves = torch.tensor([1.0, self.timetable.vp_vs]).to(x)
        slope = torch.stack([along * offset[..., 0] / r, along * offset[..., 1] / r, down], -1)
        sigma = self.sigma(r, spread_s)
        value = without_origin(onset - time[..., None] * waves, sigma, valid)
        return Residuals(value, sigma, slope[:, :, None] * waves[:, None])

    def start(self, grid: Tensor, pos: Tensor, onset: Tensor, spread_s: Tensor, valid: Tensor, coarse_s: float):
        """The best hypocentre of a grid (B, K, 3); `coarse_s` allows for the spacing of the grid."""
        r = torch.cdist(grid[..., :2], pos[..., :2])
        time = self.travel(r, grid[..., 2:].expand_as(r), pos[:, None, :, 2].expand_as(r))
        sigma = self.sigma(r, spread_s[:, None])
        counts = valid[:, None].expand_as(time)
        value = without_origin(onset[:, None] - time, sigma, counts)
        loss = misfit(value, (sigma**2 + coarse_s**2).sqrt(), counts)
        best = loss.argmin(1)[:, None, None].expand(-1, 1, 3)
        return grid.gather(1, best)[:, 0]


def without_origin(value: Tensor, sigma: Tensor, valid: Tensor) -> Tensor:
    """Onsets minus travel times, without the origin time: their weighted median over stations and waves."""
    weight = torch.where(valid, 1 / sigma, 0.0)
    origin = weighted_median(value.flatten(-2), weight.flatten(-2))
    return torch.where(valid, value - origin[..., None, None], 0.0)


class Prior(NamedTuple):
    """What is known of depths beforehand: mean and standard deviation in km; and the deepest hypocentre."""

    depth_km: Tensor
    scatter_km: Tensor
    deepest_km: float


def step(x: Tensor, residuals: Residuals, weight: Tensor, prior: Prior, longest_km: float) -> tuple[Tensor, Tensor]:
    r"""One Gauss-Newton step on P, S and S minus P.

    .. math:: \Delta x = (A^T W A + P)^{-1} (A^T W r + P (x_0 - x))

    P and S share an origin time, which is projected out of `r` and `A`; S minus P of one station needs none, and bears
    a wrong clock.

    Parameters
    ----------
    x : Tensor, shape (B, 3)
    residuals : Residuals
    weight : Tensor, shape (B, N, 3)
        Weights of P, S and S minus P in 1/s^2; 0 where there is none.
    prior : Prior
    longest_km : float
        A longer step is shortened.

    Returns
    -------
    x : Tensor, shape (B, 3)
    normal : Tensor, shape (B, 3, 3)
        The matrix in brackets, the inverse of the covariance, in 1/km^2.
    """
    w = weight[..., :2].flatten(1)
    total = w.sum(1, keepdim=True).clamp(min=1e-9)
    r, a = residuals.value.flatten(1), residuals.slope.flatten(1, 2)
    r = r - (w * r).sum(1, keepdim=True) / total
    a = a - (w[..., None] * a).sum(1, keepdim=True) / total[..., None]
    w = torch.cat([w, weight[..., 2]], 1)
    r = torch.cat([r, residuals.value[..., 1] - residuals.value[..., 0]], 1)
    a = torch.cat([a, residuals.slope[:, :, 1] - residuals.slope[:, :, 0]], 1)
    known = prior.scatter_km**-2
    normal = torch.einsum("bi,bij,bik->bjk", w, a, a)
    normal = normal + torch.diag(torch.stack([torch.full_like(known, STEADY)] * 2 + [known]))
    pull = F.pad((known * (prior.depth_km - x[:, 2]))[:, None], (2, 0))
    moved = torch.linalg.solve(normal, torch.einsum("bi,bij,bi->bj", w, a, r) + pull)
    moved = moved * (longest_km / moved.norm(dim=-1, keepdim=True).clamp(min=longest_km))
    x = x + moved
    return torch.cat([x[:, :2], x[:, 2:].clamp(SHALLOWEST_KM, prior.deepest_km)], 1), normal
