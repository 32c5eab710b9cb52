r"""From the intensity that people report to the ground's peak velocity, and back.

.. math:: I = \alpha_k + \beta_k \log_{10} v, \qquad \log_{10} v = (I - \alpha_k) / \beta_k

with `v` in cm/s, in pieces `k` of intensity. Worden et al. (2012) fitted two pieces to answers and instruments in
California. For intensities below 2 ShakeMap adds a third, with which the line stays connected.

References
----------
C. B. Worden, M. C. Gerstenberger, D. A. Rhoades and D. J. Wald (2012), Probabilistic relationships between
ground-motion parameters and modified Mercalli intensity in California, Bull. Seismol. Soc. Am. 102(1),
doi:10.1785/0120110156.
"""

from dataclasses import dataclass

import numpy as np

LEAST_SD = 0.1  # of a fitted equation, in units of intensity
FEWEST = 20  # pairs of a fit


@dataclass(frozen=True)
class Conversion:
    """An equation between intensity and log10 of peak velocity (cm/s).

    Parameters
    ----------
    begins : tuple of float
        Intensity at which each piece begins, from the second one on.
    intercept, slope : tuple of float
        Of each piece.
    intensity_sd, velocity_sd : float
        Standard deviation of an intensity that is predicted, and of the log10 of a velocity that is.
    shared_sd : float
        Standard deviation, in log10 units of velocity, of what all cells of an event have in common.
    """

    begins: tuple
    intercept: tuple
    slope: tuple
    intensity_sd: float
    velocity_sd: float
    shared_sd: float = 0.0

    def velocity(self, intensity) -> np.ndarray:
        """log10 of peak velocity in cm/s."""
        piece = np.searchsorted(self.begins, intensity, side="right")
        return (np.asarray(intensity) - np.take(self.intercept, piece)) / np.take(self.slope, piece)

    def intensity(self, velocity) -> np.ndarray:
        """Intensity from log10 of peak velocity in cm/s."""
        starts = self.velocity(np.array(self.begins, float))
        piece = np.searchsorted(starts, velocity, side="right")
        return np.take(self.intercept, piece) + np.take(self.slope, piece) * np.asarray(velocity)

    def sd(self, intensity, sd) -> np.ndarray:
        """Standard deviation of each converted value: of the equation, and of the mean intensity (`sd`) on top."""
        piece = np.searchsorted(self.begins, intensity, side="right")
        return np.hypot(self.velocity_sd, np.asarray(sd) / np.take(self.slope, piece))


WORDEN = Conversion((2.0, 4.56), (4.62, 3.78, 2.89), (2.17, 1.47, 3.16), 0.63, 0.38)
"""Worden et al. (2012); of the piece below intensity 2, ShakeMap's numbers."""


def refit(velocity, intensity, sd, event) -> Conversion:
    r"""Equation of one piece that is fitted to pairs of a cell and a station nearby.

    .. math:: I = \alpha + \beta \log_{10} v + \eta_{\text{event}} + \epsilon_{\text{cell}}

    by least squares. The variance of :math:`\eta` is the mean product of the residuals of two different pairs of an
    event. What is left is the variance of :math:`\epsilon`, of which the stated variance of the mean intensities is
    taken off, because each cell brings its own.

    Parameters
    ----------
    velocity, intensity, sd : array_like, shape (pairs,)
        log10 of cm/s at the station; mean intensity of the cell and its standard deviation.
    event : array_like of int, shape (pairs,)

    Raises
    ------
    ValueError
        If there are too few pairs, or intensity does not grow with velocity.
    """
    velocity, intensity, event = (np.asarray(values) for values in (velocity, intensity, event))
    if len(velocity) < FEWEST:
        raise ValueError(f"{len(velocity)} pairs of a cell and a station are too few: at least {FEWEST}")
    slope, intercept = np.polyfit(velocity, intensity, 1)
    if slope <= 0:
        raise ValueError("intensity does not grow with peak velocity")
    rest = intensity - intercept - slope * velocity
    shared = _shared_variance(rest, event)
    own = max(rest.var() - shared, LEAST_SD**2)
    cell = max(own - float(np.mean(np.square(sd))), LEAST_SD**2)
    numbers = (np.sqrt(own + shared), np.sqrt(cell) / slope, np.sqrt(shared) / slope)
    return Conversion((), (float(intercept),), (float(slope),), *(float(number) for number in numbers))


def _shared_variance(rest, event):
    """Mean product of the residuals of two different pairs of an event, over the events that have two."""
    _, number = np.unique(event, return_inverse=True)
    total, squares, count = (np.bincount(number, values) for values in (rest, rest**2, np.ones_like(rest)))
    several = count > 1
    products = (total**2 - squares)[several] / (count * (count - 1))[several]
    return float(products.mean().clip(0)) if several.any() else 0.0
