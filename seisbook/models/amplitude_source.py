r"""Where and how large an earthquake was, from amplitudes alone: a grid search with the attenuation law.

The epicentre and magnitude with the smallest

.. math:: \sum_{s,a} \tfrac{\nu + 1}{2} \ln\bigl(1 + z_{sa}^2 / \nu\bigr) + \frac{|x - x_0|^2}{2 \sigma_x^2}
    + \frac{(M - \bar M)^2}{2 \sigma_M^2}, \qquad z = (y - \mu(M, x)) / \sigma

over a coarse and then a fine grid, with :math:`x_0` the mean of the stations, weighted towards the strongest motion,
and :math:`\bar M, \sigma_M` of the events that the law was fitted to. The second and third terms decide where
stations are few. The depth is fixed: amplitudes say little about it.
"""

from typing import NamedTuple

import numpy as np

from seisbook.models.error_model import TAIL
from seisbook.physics.attenuation import USUAL_DEPTH_KM

USED = (1, 3)  # places of the measures: peak velocity and 1 s, which differ most in what they say about magnitude
GRIDS = ((200.0, 25.0, 0.4), (25.0, 6.25, 0.1))  # half width and step in km, step in magnitude
MAGNITUDES = 2.5, 8.0
NEAR_KM = 80.0
SHARPNESS = 3.0  # of the weights of stations, per factor of ten in amplitude


class Source(NamedTuple):
    """Epicentre (2,) in km, depth in km, magnitude."""

    epicentre: np.ndarray
    depth_km: float
    magnitude: float


def locate(law, values, pos, usual) -> Source:
    """The most likely source of the values at some stations.

    Parameters
    ----------
    law : AttenuationLaw
        Fitted.
    values : ndarray, shape (stations, 5)
        log10, NaN where there is none.
    pos : ndarray, shape (stations, 2)
        km.
    usual : (float, float)
        Mean and standard deviation of the magnitudes of the fit.
    """
    used = list(USED)
    y = values[:, used]
    seen = np.isfinite(y).any(1)
    y, pos = y[seen], np.asarray(pos[seen], float)
    if not len(y):
        return Source(np.zeros(2), USUAL_DEPTH_KM, usual[0])
    strength = 10 ** (SHARPNESS / 2 * (np.nanmean(y, axis=1) - np.nanmax(y)))
    middle = (strength[:, None] * pos).sum(0) / strength.sum()
    scale = np.sqrt(law.within_sd_**2 + law.site_sd_**2)[used]
    centre, magnitude, reach = middle, usual[0], np.ptp(MAGNITUDES)
    for half, step, finer in GRIDS:
        grid = np.arange(-half, half + step / 2, step)
        places = centre + np.stack(np.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, 2)
        sizes = np.arange(magnitude - reach, magnitude + reach + finer / 2, finer).clip(*MAGNITUDES)
        cost = _misfit(law, y, pos, places, sizes, scale, used)
        cost += ((places - middle) ** 2).sum(1)[:, None] / (2 * NEAR_KM**2)
        cost += (sizes - usual[0]) ** 2 / (2 * usual[1] ** 2)
        place, size = np.unravel_index(np.argmin(cost), cost.shape)
        centre, magnitude, reach = places[place], float(sizes[size]), 0.5
    return Source(centre, USUAL_DEPTH_KM, magnitude)


def _misfit(law, y, pos, places, sizes, scale, used):
    """Cost (places, sizes) of all values."""
    distance = np.hypot(*(places[:, None] - pos[None]).transpose(2, 0, 1))
    cost = np.zeros((len(places), len(sizes)))
    for column, measure in enumerate(used):
        expected = law.expected(sizes[None, :, None], distance[:, None], USUAL_DEPTH_KM, measure)
        z = (y[:, column] - expected) / scale[column]
        cost += (TAIL + 1) / 2 * np.nansum(np.log1p(z**2 / TAIL), axis=-1)
    return cost
