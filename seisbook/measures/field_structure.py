r"""What a field looks like from station to station: semivariogram, weights of stations, neighbours of a graph.

The semivariogram of the residuals `r` from the law is half the mean square difference of two stations of one event,

.. math:: \gamma(d) = \tfrac12 \mathrm E (r_i - r_j)^2 = B_0 + \sum_k B_k \bigl(1 - e^{-d / a_k}\bigr)

with the matrices and ranges of `seisbook.models.coregionalisation`; the event's term cancels.

References
----------
P. A. Dowd (1984), The variogram and kriging: robust and resistant estimators, in: Geostatistics for Natural Resources
Characterization, Reidel.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from scipy import stats

from seisbook.catalogues.ground_motion import MEASURES
from seisbook.datasets.fields import ROW_ARRAYS
from seisbook.models.coregionalisation import EDGES_KM, LEAST, Coregionalisation
from seisbook.models.field_methods import REACH
from seisbook.models.field_model import batch_of

NORMAL = 1 / stats.norm.ppf(0.75) ** 2  # mean square over squared median size, of a normal distribution


def semivariogram(normal, fields, measure="pgv") -> pd.DataFrame:
    """Semivariogram of a measure's residuals, as measured and as the conditional normal was fitted.

    Parameters
    ----------
    normal : ConditionalNormal
        Fitted.
    fields : Fields
        Events to measure it on.
    measure : str

    Returns
    -------
    DataFrame
        One row for each bin of distance: `distance_km`; `mean`, from the mean square difference; `robust`, from the
        median (Dowd, 1984), which values that are wrong do not move; `fitted`; `pairs`. All in log10 squared.
    """
    column, everything = MEASURES.index(measure), np.ones(len(fields.values), bool)
    parts = []
    for scene in normal.scenes(fields, everything):
        r = normal.used(scene)[:, column]
        pos, r = scene.pos[np.isfinite(r)], r[np.isfinite(r)]
        i, j = np.triu_indices(len(r), 1)
        share = np.full(len(i), 1 / max(len(r), 1))  # as the fit weights large events
        parts.append(np.column_stack([np.hypot(*(pos[i] - pos[j]).T), np.abs(r[i] - r[j]), share]))
    pairs = np.concatenate(parts)
    place = np.digitize(pairs[:, 0], EDGES_KM)
    rows = [_binned(*pairs[place == number].T) for number in range(1, len(EDGES_KM)) if (place == number).any()]
    table = pd.DataFrame(rows, columns=["distance_km", "mean", "robust", "pairs"])
    return table.assign(fitted=fitted_semivariogram(normal.covariance_, table.distance_km, measure))


def _binned(distance, difference, share):
    """Mean distance, half the mean square difference, the same from the weighted median, and the number of pairs."""
    order = np.argsort(difference)
    middle = difference[order][np.searchsorted(np.cumsum(share[order]), share.sum() / 2)]
    mean = (share * difference**2).sum() / share.sum() / 2
    return (share * distance).sum() / share.sum(), mean, NORMAL * middle**2 / 2, len(share)


def fitted_semivariogram(covariance: Coregionalisation, distance_km, measure="pgv") -> np.ndarray:
    """The model's semivariogram at some distances; zero distance means two stations side by side."""
    column = MEASURES.index(measure)
    decay = np.exp(-np.asarray(distance_km, float)[:, None] / covariance.range_km)
    return covariance.own[column, column] + (1 - decay) @ covariance.spatial[:, column, column]


def heard(normal, network, fields, observed, measure="pgv") -> pd.DataFrame:
    """Which stations a hidden one hears, by distance: in the conditional normal and in each block of a graph.

    Parameters
    ----------
    normal : ConditionalNormal
        Fitted; its weights are those of one measure alone.
    network : FieldNetwork
        Fitted, with a graph.
    fields : Fields
    observed : ndarray of bool, shape (rows,)
    measure : str

    Returns
    -------
    DataFrame
        One row for each hidden and observed station of an event: `distance_km`; `weight`, the size of the conditional
        normal's weight as a share of all; `nearest`, and `block 1` and on: shares among the neighbours.
    """
    parts = []
    for scene in network.scenes(fields, observed):
        seen, hidden = np.flatnonzero(scene.observed), np.flatnonzero(~scene.observed)
        distance = _distance(scene.pos[hidden], scene.pos[seen])
        weight = np.abs(weights(normal.covariance_, scene.pos[seen], scene.pos[hidden], measure))
        order = np.argsort(np.argsort(distance, axis=1), axis=1)
        columns = {"weight": weight, "nearest": order < network.config.neighbours}
        columns |= {f"block {i}": chosen[np.ix_(hidden, seen)] for i, chosen in enumerate(_chosen(network, scene), 1)}
        shares = {name: (values / np.maximum(values.sum(1, keepdims=True), 1e-9)) for name, values in columns.items()}
        parts.append(pd.DataFrame({"distance_km": distance.ravel()} | {k: v.ravel() for k, v in shares.items()}))
    return pd.concat(parts, ignore_index=True)


def weights(covariance, places, targets, measure="pgv") -> np.ndarray:
    """Weights (targets, places) that the conditional normal gives the residuals of one measure."""
    column = MEASURES.index(measure)
    matrix = _covariance(covariance, places, places, column) + covariance.own[column, column] * np.eye(len(places))
    return np.linalg.solve(matrix, _covariance(covariance, places, targets, column)).T


@torch.no_grad()
def _chosen(network, scene):
    """For each block, whether a node (rows) has another (columns) as a neighbour."""
    nodes = batch_of([network._nodes(scene)])
    h = network.model_.stem(nodes.features)
    for block in network.model_.blocks:
        u = block.norm((h + F.gelu(block.temporal(h))).mean(2))
        index, valid = block.neighbours(u, nodes.place, nodes.observed)
        chosen = torch.zeros(u.shape[1], u.shape[1]).scatter_(1, index[0], valid[0].float())
        yield chosen.numpy().astype(float)
        h = block(h, nodes.place, nodes.observed, nodes.relative)


def _covariance(covariance, one, other, column):
    decay = np.exp(-_distance(one, other)[..., None] / covariance.range_km)
    return covariance.event[column, column] + decay @ covariance.spatial[:, column, column]


def _distance(one, other):
    return np.hypot(*(np.asarray(one)[:, None] - np.asarray(other)[None]).transpose(2, 0, 1))


# ----------------------------------------------------------------------------------------------------- stations removed


def nearest(event, most):
    """The stations of one event that are nearest to its epicentre, at most so many."""
    rows = np.sort(np.argsort(event.epicentral_km, kind="stable")[:most])
    return replace(event, **{name: getattr(event, name)[rows] for name in ROW_ARRAYS}, start=np.array([0, len(rows)]))


def grid(event, half_km, points) -> np.ndarray:
    """Places (points², 2) of a square grid about an event's stations, row by row from south-west.

    Parameters
    ----------
    event : Fields
        One event; positions are in the region's local coordinates, in km.
    half_km : float
        From the middle of the grid to its edge.
    points : int
        On each side.
    """
    side = np.linspace(-half_km, half_km, points)
    return np.stack(np.meshgrid(side, side), -1).reshape(-1, 2) + event.pos.mean(0)


@dataclass(frozen=True)
class View:
    """One event and one measure, with all that the conditional normal needs for any choice of its stations.

    Parameters
    ----------
    codes : list of str
    pos, grid : ndarray, shape (stations, 2) and (points, 2)
        From the middle of the grid, in km.
    source : ndarray, shape (2,)
        Epicentre, likewise.
    value, prior, extra : ndarray, shape (stations,)
        Measured value, law with the station's term, and variance beyond the usual; log10.
    grid_prior : ndarray, shape (points,)
    grid_extra : float
    event, own : float
        Variance of the event's term, and what each station keeps for itself.
    spatial, range_km : ndarray, shape (ranges,)
    reach : float
        Half width of the 90 % interval in standard deviations.
    """

    codes: list
    pos: np.ndarray
    value: np.ndarray
    prior: np.ndarray
    extra: np.ndarray
    grid: np.ndarray
    source: np.ndarray
    grid_prior: np.ndarray
    grid_extra: float
    event: float
    own: float
    spatial: np.ndarray
    range_km: np.ndarray
    reach: float


def view(normal, event, places, measure="pgv") -> View:
    """What an interactive map shows of one event.

    A station whose value is too far from the law is left out, as the conditional normal leaves it out.

    Parameters
    ----------
    normal : ConditionalNormal
        Fitted.
    event : Fields
        One event.
    places : ndarray, shape (points, 2)
        Points of the map in the region's local coordinates, in km.
    measure : str
    """
    column, covariance, law = MEASURES.index(measure), normal.covariance_, normal.law_
    (scene,) = normal.scenes(event, np.ones(len(event.values), bool))
    kept = np.isfinite(normal.used(scene)[:, column])
    site = law.site_sd_[column] ** 2
    centre, epicentral = places.mean(0), np.hypot(*(places - scene.source.epicentre).T)
    return View(
        codes=event.codes[event.station[kept]].tolist(),
        pos=scene.pos[kept] - centre,
        value=event.values[kept, column].astype(float),
        prior=scene.prior[kept, column],
        extra=site * (scene.left[kept, column] - normal.usual_left_[column]),
        grid=places - centre,
        source=scene.source.epicentre - centre,
        grid_prior=law.expected(scene.source.magnitude, epicentral, scene.source.depth_km, column),
        grid_extra=float(site * (1 - normal.usual_left_[column])),
        event=float(covariance.event[column, column]),
        own=float(covariance.own[column, column]),
        spatial=covariance.spatial[:, column, column],
        range_km=covariance.range_km,
        reach=float(REACH * normal.factor_[column]),
    )


def conditioned(view: View, kept) -> tuple[np.ndarray, np.ndarray]:
    """Mean and half width of the 90 % interval (log10) on the grid, and then at the stations, from some stations.

    Parameters
    ----------
    view : View
    kept : ndarray of bool, shape (stations,)
    """
    targets, places = np.concatenate([view.grid, view.pos]), view.pos[kept]
    prior = np.concatenate([view.grid_prior, view.prior])
    extra = np.concatenate([np.full(len(view.grid), view.grid_extra), view.extra])
    total = np.maximum(view.event + view.spatial.sum() + view.own + extra, LEAST)
    if not len(places):
        return prior, view.reach * np.sqrt(total)
    matrix = _between(view, places, places) + np.diag(view.own + np.maximum(view.extra[kept], 0))
    cross = _between(view, targets, places)
    solved = np.linalg.solve(matrix, cross.T).T
    left = np.maximum(total - (cross * solved).sum(1), LEAST)
    return prior + solved @ (view.value - view.prior)[kept], view.reach * np.sqrt(left)


def _between(view, one, other):
    return view.event + np.exp(-_distance(one, other)[..., None] / view.range_km) @ view.spatial
