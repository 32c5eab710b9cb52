"""Losses: the likelihood of a prediction, the onsets of the stem, the estimates of the blocks."""

import torch
from torch import Tensor

from seisbook.models.error_model import TAIL
from seisbook.models.graph import ModelConfig, Prediction


def negative_log_likelihood(prediction: Prediction, y: Tensor) -> Tensor:
    r"""Student-t likelihood of epicentre (bivariate), depth and magnitude, without constants: shape (B, 3).

    .. math:: \ell = \ln |L| + \tfrac{\nu + d}{2} \ln\bigl(1 + \lVert L^{-1} r \rVert^2 / \nu\bigr)

    with `r` the residual, `L` the Cholesky factor (or the scale) and `d` its dimension. A missing magnitude counts 0.
    """
    residual = (y[:, :2] - prediction.epicentre)[..., None]
    white = torch.linalg.solve_triangular(prediction.epicentre_tril, residual, upper=False)[..., 0]
    log_det = prediction.epicentre_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    terms = [log_det + (TAIL + 2) / 2 * torch.log1p((white**2).sum(-1) / TAIL)]
    scales = ((prediction.depth, prediction.depth_scale), (prediction.magnitude, prediction.magnitude_scale))
    for target, (value, scale) in zip(y[:, 2:].unbind(-1), scales, strict=True):
        missing = target.isnan()  # replaced before the arithmetic: a NaN that is masked later still spoils the gradient
        z = (torch.where(missing, value, target) - value) / scale
        term = scale.log() + (TAIL + 1) / 2 * torch.log1p(z**2 / TAIL)
        terms.append(torch.where(missing, 0.0, term))
    return torch.stack(terms, -1)


def onset_loss(logits: Tensor, onset_s: Tensor, step_s: float) -> Tensor:
    """Cross-entropy of the onsets against the true ones, each shared by the two steps it lies between.

    Parameters
    ----------
    logits : Tensor, shape (stations, 2, steps)
    onset_s : Tensor, shape (stations, 2)
        NaN where there is no onset in the window; those do not count.
    step_s : float
    """
    at = onset_s / step_s
    known = at.isfinite() & (at >= 0) & (at <= logits.shape[-1] - 1.001)
    at = torch.where(known, at, 0.0)
    low = at.floor().long()
    share = at - low
    log_p = logits.log_softmax(-1)
    log_p_at = [log_p.gather(-1, step[..., None])[..., 0] for step in (low, low + 1)]
    loss = -((1 - share) * log_p_at[0] + share * log_p_at[1])
    return (loss * known).sum() / known.sum().clamp(min=1)


def estimate_loss(prediction: Prediction, y: Tensor, config: ModelConfig) -> Tensor:
    """Mean absolute error of the hypocentres that the blocks estimate, in the model's units."""
    epicentre = (prediction.estimates[..., :2] - y[:, None, :2]).norm(dim=-1) / config.distance_scale_km
    depth = (prediction.estimates[..., 2] - y[:, None, 2]).abs() / config.depth_scale_km
    return (epicentre + depth).mean()
