r"""Which few stations would tell most of the field elsewhere: the D-optimal choice, by the conditional normal.

What a set `S` of observed stations says about the hidden ones `T` is their mutual information, in nats,

.. math:: I(S; T) = \tfrac12 \bigl(\ln\det \Sigma_{SS} - \ln\det \Sigma_{SS | T}\bigr)
    = \tfrac12 \bigl(\ln\det \Sigma_{TT} - \ln\det \Sigma_{TT | S}\bigr)

with the covariance of the residuals of one measure, which holds the event's term, the correlation in space and what
each station keeps for itself. The set with the largest information leaves the smallest determinant to the hidden
stations: it is D-optimal. It depends on the places of the stations, not on what they measured.

References
----------
A. Krause, A. Singh and C. Guestrin (2008), Near-optimal sensor placements in Gaussian processes, J. Mach. Learn. Res.
9, 235-284.
"""

from itertools import combinations

import numpy as np

from seisbook.catalogues.ground_motion import MEASURES
from seisbook.measures.field_structure import _covariance


def covariances(normal, scene, measure="pgv") -> tuple[np.ndarray, np.ndarray]:
    """Covariance of the observed stations' residuals, alone and given the hidden stations: (n, n) each.

    Parameters
    ----------
    normal : ConditionalNormal
        Fitted.
    scene : Scene
    measure : str
    """
    column, model = MEASURES.index(measure), normal.covariance_
    extra = (normal.law_.site_sd_**2 * (scene.left - normal.usual_left_))[:, column]
    own = model.own[column, column] + np.maximum(extra, 0)
    whole = _covariance(model, scene.pos, scene.pos, column) + np.diag(own)
    seen, hidden = np.flatnonzero(scene.observed), np.flatnonzero(~scene.observed)
    alone, cross = whole[np.ix_(seen, seen)], whole[np.ix_(seen, hidden)]
    return alone, alone - cross @ np.linalg.solve(whole[np.ix_(hidden, hidden)], cross.T)


def information(alone, given, sets) -> np.ndarray:
    """Mutual information of sets of observed stations with the hidden ones (...), in nats.

    Parameters
    ----------
    alone, given : ndarray, shape (n, n)
        Of `covariances`.
    sets : array_like of int, shape (..., k)
    """
    sets = np.asarray(sets)
    places = sets[..., :, None], sets[..., None, :]
    return (np.linalg.slogdet(alone[places])[1] - np.linalg.slogdet(given[places])[1]) / 2


def best_set(alone, given, k) -> np.ndarray:
    """The `k` observed stations with the most information on the hidden ones, of all sets: (k,) positions."""
    sets = np.array(list(combinations(range(len(alone)), k)))
    return sets[np.argmax(information(alone, given, sets))]
