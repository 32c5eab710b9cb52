r"""Travel times of a layered Earth as a tensor that a model reads: smooth, differentiable, and fast in batches.

The table of `seisbook.physics.traveltimes` is sampled again on axes that are dense near the station and wide far away,

.. math:: r = R\,\frac{\sinh(a u)}{\sinh a}, \qquad 0 \le u \le 1,

so that `grid_sample` finds its place by arithmetic. What is stored is the effective slowness, time over straight
distance, as in the table.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seisbook.catalogues.schema import VelocityModel
from seisbook.physics.traveltimes import ELEVATION_KM, TOP_KM, TravelTimes

STRETCH = 5.0  # `a` of the distances; 3 of the depths
STRETCH_DEPTH = 3.0
NODES = 6, 160, 400  # elevations, depths, distances
FAST_KM_S = 10.0  # no P wave crosses the window of a seismogram faster
DEEPEST_KM, FARTHEST_KM = 300.0, 1600.0  # of the table


class Timetable(nn.Module):
    """P travel times within the reach of a seismogram's window.

    Parameters
    ----------
    velocity_model : VelocityModel
    window_s : float
        Length of the seismograms.

    Attributes
    ----------
    slowness : Tensor, shape (1, 1, elevations, depths, distances)
        s/km. It is a buffer, so that a saved model holds its travel times.
    """

    slowness: Tensor

    def __init__(self, velocity_model: VelocityModel, window_s: float):
        super().__init__()
        self.vp_vs = velocity_model.vp_vs
        self.farthest_km = min(FARTHEST_KM, FAST_KM_S * window_s)
        self.deepest_km = min(DEEPEST_KM, self.farthest_km / 2)
        self.step_km = self.farthest_km / 600  # of the slopes: a fifth of a P wave's period, or more
        self.register_buffer("slowness", self._sampled(TravelTimes(velocity_model)))

    def _sampled(self, table):
        elevation = np.linspace(0, ELEVATION_KM[-1], NODES[0])
        depth = TOP_KM + _stretched(NODES[1], STRETCH_DEPTH, self.deepest_km - TOP_KM)
        distance = _stretched(NODES[2], STRETCH, self.farthest_km)
        distance[0] = depth_step = 1e-3  # at the station itself the slowness is the limit from aside
        h, z, r = np.meshgrid(elevation, depth, distance, indexing="ij")
        straight = np.maximum(np.hypot(r, z + h), depth_step)
        return torch.tensor(table.p(r, z, 1000 * h) / straight, dtype=torch.float32)[None, None]

    def p(self, epicentral_km: Tensor, depth_km: Tensor, elevation_km: Tensor) -> Tensor:
        """Travel time of the first P wave in seconds; the arguments have one shape.

        Beyond the table, times grow with the straight distance.
        """
        r = _place(epicentral_km, STRETCH, self.farthest_km)
        z = _place(depth_km - TOP_KM, STRETCH_DEPTH, self.deepest_km - TOP_KM)
        h = 2 * (elevation_km / ELEVATION_KM[-1]).clamp(0, 1) - 1
        at = torch.stack([r, z, h], -1).reshape(1, 1, 1, -1, 3)
        slowness = F.grid_sample(self.slowness, at, padding_mode="border", align_corners=True).reshape(r.shape)
        return slowness * (epicentral_km**2 + (depth_km + elevation_km) ** 2 + 1e-6).sqrt()

    def slopes(self, epicentral_km: Tensor, depth_km: Tensor, elevation_km: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Time (s), and its slopes with distance and depth (s/km), from differences over `step_km`."""
        r, z, d = epicentral_km, depth_km, self.step_km
        distances = torch.stack([r, r + d, (r - d).abs(), r, r])
        depths = torch.stack([z, z, z, z + d, z - d])
        time, far, near, below, above = self.p(distances, depths, elevation_km.expand_as(distances))
        return time, (far - near) / (2 * d), (below - above) / (2 * d)


def _stretched(n, stretch, end):
    return end * np.sinh(stretch * np.linspace(0, 1, n)) / np.sinh(stretch)


def _place(value, stretch, end):
    """Where a value from 0 to `end` lies between -1 and 1 on a stretched axis."""
    inside = (value / end).clamp(0, 1)
    return 2 * torch.asinh(inside * math.sinh(stretch)) / stretch - 1
