"""Origin times of located events, and how well the onsets fit: what a bulletin lists beside a hypocentre."""

from typing import NamedTuple

import torch
from torch import Tensor

from seisbook.models.gauss_newton import student_weight, weighted_median
from seisbook.models.robust import LEAST_PROBABILITY, Onsets, RobustModel


class Origins(NamedTuple):
    """Origin times (B,) in seconds after the first sample; residuals of the onsets in s and their weights, from 0 to 1,
    (B, N, 2); weights are 0 where a station has no onset.
    """

    time_s: Tensor
    residual_s: Tensor
    weight: Tensor


@torch.no_grad()
def origins(model: RobustModel, onsets: Onsets, pos: Tensor, mask: Tensor, hypocentre: Tensor) -> Origins:
    r"""Origin times from onsets and travel times.

    .. math:: t_0 = \operatorname{median}_w (t_i - T_i), \qquad
        w_i = \frac{3 \sigma_i^2}{2 \sigma_i^2 + r_i^2}

    with `T` the travel time and `r` the residual about the origin time: the weight of Student's t in the location.

    Parameters
    ----------
    model : RobustModel
        With travel times.
    onsets : Onsets
        Padded (B, N, ...).
    pos : Tensor, shape (B, N, 3)
    mask : Tensor of bool, shape (B, N)
    hypocentre : Tensor, shape (B, 3)
        East, north and depth in km.
    """
    graph = model.graph
    valid = (onsets.log_probability.exp() > LEAST_PROBABILITY) & mask[..., None]
    onset = onsets.onset_s - graph.stations(pos)[..., :2]
    distance = (hypocentre[:, None, :2] - pos[..., :2]).norm(dim=-1)
    depth = hypocentre[:, None, 2].expand_as(distance)
    late = torch.where(valid, onset - graph.times.travel(distance, depth, pos[..., 2]), 0.0)
    sigma = graph.times.sigma(distance, onsets.spread_s)
    certain = torch.where(valid, 1 / sigma, 0.0).flatten(1)
    origin = weighted_median(late.flatten(1), certain)
    residual = torch.where(valid, late - origin[:, None, None], 0.0)
    weight = student_weight(residual, sigma) * sigma**2 * 2 / 3
    return Origins(origin, residual, torch.where(valid, weight, 0.0))
