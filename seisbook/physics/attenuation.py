r"""How ground motion depends on magnitude, distance and depth: the form of the attenuation law.

.. math::
    \mathrm E\, y = c_0 + c_1 m + c_2 m^2 + c_3 \log_{10} R + c_4 m \log_{10} R + c_5 \frac{R}{100\,\mathrm{km}}
        + c_6 \frac{h}{50\,\mathrm{km}}, \qquad m = M - 5, \quad R^2 = r^2 + h^2 + h_0^2

with `y` the log10 of a measure, `r` the epicentral distance, `h` the depth and :math:`h_0 = 3` km, which keeps the law
finite at the epicentre. The terms are magnitude scaling, geometrical spreading that depends on magnitude, and anelastic
attenuation, which most published ground-motion models share.

References
----------
J. Douglas and B. Edwards (2016), Recent and future developments in earthquake ground motion estimation, Earth-Sci. Rev.
160, doi:10.1016/j.earscirev.2016.07.005.
"""

import numpy as np

TERMS = 7
NEAREST_KM = 3.0
USUAL_DEPTH_KM = 10.0  # where the depth is not known


def hypocentral_km(epicentral_km, depth_km):
    """Distance `R` of the law in km; a depth that is not known (NaN) counts as 10 km."""
    return np.sqrt(np.square(epicentral_km) + np.square(_depth(depth_km)) + NEAREST_KM**2)


def design(magnitude, epicentral_km, depth_km) -> np.ndarray:
    """Terms of the law.

    Parameters
    ----------
    magnitude, epicentral_km, depth_km : array_like
        They broadcast to the shape (...).

    Returns
    -------
    ndarray, shape (..., 7)
    """
    m, r = np.asarray(magnitude, float) - 5, hypocentral_km(epicentral_km, depth_km)
    far = np.log10(r)
    terms = np.broadcast_arrays(1.0, m, m**2, far, m * far, r / 100, _depth(depth_km) / 50)
    return np.stack(terms, -1)


def _depth(depth_km):
    return np.nan_to_num(np.asarray(depth_km, float), nan=USUAL_DEPTH_KM)
