"""How alike the nodes' states are after each block: effective rank, Dirichlet energy, MAD."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy import stats
from scipy.special import entr
from tqdm import tqdm

from seisbook.datasets.events import Events
from seisbook.errors import UserError
from seisbook.measures.estimates import bootstrap_ci
from seisbook.models.graph import GraphModel

MEASURES = ("effective_rank", "dirichlet_energy", "mad")


# ------------------------------------------------------------------------------------------------------------- measures


def effective_rank(x, mask=None) -> np.ndarray:
    r"""Number of directions that the rows of a matrix spread over: a rank that is not a whole number.

    .. math:: \mathrm{erank}(X) = \exp\Bigl(-\sum_i p_i \ln p_i\Bigr), \qquad p_i = \sigma_i \Big/ \sum_j \sigma_j

    with :math:`\sigma_i` the singular values. It is 1 if all rows are multiples of one, such as equal states; it is the
    number of rows if these are orthogonal and of one length. It is never more than the number of rows, nor of columns,
    so that wide states of many stations have more room than narrow ones of few. The rows are not centred: that they
    have a large mean in common is what over-smoothing is.

    Parameters
    ----------
    x : array_like, shape (..., rows, columns)
        Rows are the stations of an event, or events.
    mask : array_like of bool, shape (..., rows), optional
        Rows that count; all if not given.

    Returns
    -------
    ndarray, shape (...)
        NaN where all rows are zero or none counts.

    References
    ----------
    O. Roy and M. Vetterli (2007), The effective rank: a measure of effective dimensionality, 15th European Signal
    Processing Conference, 606-610.
    """
    x = np.asarray(x, float)
    if mask is not None:
        x = np.where(np.asarray(mask, bool)[..., None], x, 0.0)  # rows of zeros add singular values of zero only
    values = np.linalg.svd(x, compute_uv=False)
    with np.errstate(invalid="ignore"):
        share = values / values.sum(-1, keepdims=True)
    return np.exp(entr(share).sum(-1))


def dirichlet_energy(u, pos, mask, k=8) -> np.ndarray:
    r"""How much the states of neighbouring stations differ, relative to their size.

    .. math:: E(u) = \frac{1}{|\mathcal{E}|} \sum_{(i, j) \in \mathcal{E}} \lVert u_i - u_j \rVert^2
        \Big/ \frac1N \sum_i \lVert u_i \rVert^2

    with :math:`\mathcal{E}` the edges from each station to its `k` geographically nearest ones. The energy of the
    literature is the sum alone. Here it is divided by the number of edges, so that events of few and of many stations
    compare, and by the mean squared norm, so that the scale of the states, which grows from block to block by the
    residual connections, does not count. It is 0 if neighbours are equal, and 2 on average if states are independent
    and of zero mean.

    The graph is the same for all models and blocks, also for a model that finds its own edges: measured on those, a
    model that links stations which are alike would look smooth for that reason.

    Parameters
    ----------
    u : array_like, shape (B, N, C)
    pos : array_like, shape (B, N, 3)
        East, north, up in km.
    mask : array_like of bool, shape (B, N)
    k : int
        Neighbours of a station, or all others if there are fewer.

    Returns
    -------
    ndarray, shape (B,)
        NaN for events of one station, and where all states are zero.

    References
    ----------
    C. Cai and Y. Wang (2020), A note on over-smoothing for graph neural networks, arXiv:2006.13318.

    T. K. Rusch, M. M. Bronstein and S. Mishra (2023), A survey on oversmoothing in graph neural networks,
    arXiv:2303.10993.
    """
    u, mask = np.asarray(u, float), np.asarray(mask, bool)
    u = np.where(mask[..., None], u, 0.0)
    neighbour, valid = _nearest(np.asarray(pos, float), mask, k)
    event = np.arange(len(u))[:, None, None]
    squared = ((u[event, neighbour] - u[:, :, None]) ** 2).sum(-1)  # (B, N, k)
    with np.errstate(invalid="ignore"):
        difference = (squared * valid).sum((1, 2)) / valid.sum((1, 2))
        return difference / ((u**2).sum((1, 2)) / mask.sum(1))


def _nearest(pos, mask, k):
    """The `k` geographically nearest other stations (B, N, k), and whether each is one."""
    squared = ((pos[:, :, None] - pos[:, None]) ** 2).sum(-1)
    pair = mask[:, :, None] & mask[:, None] & ~np.eye(mask.shape[1], dtype=bool)
    squared = np.where(pair, squared, np.inf)
    neighbour = squared.argsort(-1, kind="stable")[..., :k]
    return neighbour, np.isfinite(np.take_along_axis(squared, neighbour, -1))


def mad(u, mask) -> np.ndarray:
    r"""Mean average distance: the mean cosine distance between the states of two stations.

    .. math:: \mathrm{MAD}(u) = \frac{1}{N (N - 1)} \sum_{i \ne j}
        \Bigl(1 - \frac{u_i \cdot u_j}{\lVert u_i \rVert \lVert u_j \rVert}\Bigr)
        = \frac{1}{N - 1} \sum_i \lVert \hat u_i - \bar{\hat u} \rVert^2

    with :math:`\hat u_i` the state divided by its norm: the sample variance of the directions. It is 0 if all states
    point the same way and 1 if they are orthogonal. All pairs of an event's stations count, equal ones too, which the
    original leaves out of the mean.

    Parameters
    ----------
    u : array_like, shape (B, N, C)
    mask : array_like of bool, shape (B, N)

    Returns
    -------
    ndarray, shape (B,)
        NaN for events of one station, and where a state is zero: it has no direction.

    References
    ----------
    D. Chen, Y. Lin, W. Li, P. Li, J. Zhou and X. Sun (2020), Measuring and relieving the over-smoothing problem for
    graph neural networks from the topological view, Proc. AAAI 34(04), 3438-3445, doi:10.1609/aaai.v34i04.5747.
    """
    u, mask = np.asarray(u, float), np.asarray(mask, bool)
    n = mask.sum(1)
    with np.errstate(invalid="ignore"):
        direction = np.where(mask[..., None], u / np.linalg.norm(u, axis=-1, keepdims=True), 0.0)
        mean = direction.sum(1, keepdims=True) / n[:, None, None]
        scatter = (((direction - mean) ** 2).sum(-1) * mask).sum(1)
        return scatter / (n - 1)


# ----------------------------------------------------------------------------------------------------- a model's states


class BlockStates(NamedTuple):
    """What a model's blocks make of a batch of events.

    `states`, a list of (B, N, C), means over time: first the state that enters the first block, then that which leaves
    each block; `mask` (B, N); `pos` (B, N, 3) in km; `embedding` (B, E), the readout's.
    """

    states: list[np.ndarray]
    mask: np.ndarray
    pos: np.ndarray
    embedding: np.ndarray


@torch.no_grad()
def block_states(model: GraphModel, events: Events, index=None) -> BlockStates:
    """Run a model's graph part on events that a stem has read, and keep the states between its blocks.

    Parameters
    ----------
    model : GraphModel
        It is put in evaluation mode.
    events : Events
        Events that a stem has read, see `Events.read_by`.
    index : array_like of int, optional
        Positions of the events; all if not given.

    Raises
    ------
    UserError
        If no stem has read the events.
    """
    if events.features is None:
        raise UserError("block_states: these events hold seismograms: read them first, events.read_by(model)")
    batch = events.batch(np.arange(len(events)) if index is None else np.asarray(index))
    kept = []
    hooks = [model.blocks[0].register_forward_pre_hook(lambda block, inputs: kept.append(inputs[0]))]
    hooks += [block.register_forward_hook(lambda block, inputs, output: kept.append(output)) for block in model.blocks]
    try:
        prediction = model.eval().locate(batch.features, batch.pos, batch.mask)
    finally:
        for hook in hooks:
            hook.remove()
    states = [h.mean(2).numpy() for h in kept]
    return BlockStates(states, batch.mask.numpy(), batch.pos.numpy(), prediction.embedding.numpy())


def profile(model: GraphModel, events: Events, progress=True) -> pd.DataFrame:
    """The measures of over-smoothing after each block of a model, means over events.

    Parameters
    ----------
    model : GraphModel
        Its number of neighbours is that of the geographic graph of `dirichlet_energy`.
    events : Events
        Events that a stem has read (`Events.read_by`), such as test events.
    progress : bool

    Returns
    -------
    DataFrame
        One row a block, from 0, the state that enters the first one, and a last row `readout`. Columns: `width`, number
        of channels; `effective_rank`, `dirichlet_energy`, `mad`, each with its 95 % interval, `_low` and `_high`
        (bootstrap over events).

        The row `readout` has only the effective rank, of the matrix whose rows are the events' embeddings. It asks how
        much the *events* differ, not the stations; compare it between equal numbers of events, and mind the width: an
        embedding that is put together from all blocks has more room. Its interval is that of a jackknife that leaves
        out a twentieth of the events at a time, since a bootstrap repeats events, and repeated rows lower a rank: the
        bootstrap's interval can lie below the value.
    """
    batches = np.array_split(np.arange(len(events)), -(-len(events) // 64))
    measured, embeddings = [], []
    for index in tqdm(batches, desc="measuring smoothness", disable=None if progress else True):
        states = block_states(model, events, index)
        measured.append(_measured(states, model.config.neighbours))
        embeddings.append(states.embedding)
    embedding = np.concatenate(embeddings).astype(float)
    rows = [
        {"width": model.config.channels, **_means(values)} for values in np.concatenate(measured, -1)
    ]  # a block's values are (measures, events)
    rows.append({"width": embedding.shape[1], **interval_columns("effective_rank", _jackknife(embedding))})
    return pd.DataFrame(rows, index=pd.Index([*range(len(rows) - 1), "readout"], dtype=object, name="block"))


def _measured(states, k):
    """The measures of each event after each block, (blocks + 1, measures, B)."""
    return np.array(
        [
            [effective_rank(u, states.mask), dirichlet_energy(u, states.pos, states.mask, k), mad(u, states.mask)]
            for u in states.states
        ]
    )


def _means(values):
    columns = {}
    for name, sample in zip(MEASURES, values, strict=True):
        columns |= interval_columns(name, bootstrap_ci(sample, np.mean))
    return columns


def interval_columns(name, estimate) -> dict:
    """A value with the ends of its interval, as columns of a table."""
    value, low, high = estimate
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _jackknife(rows, groups=20):
    r"""Effective rank of a matrix and its 95 % interval, from leaving out one group of rows after the other.

    .. math:: s^2 = \frac{g - 1}{g} \sum_j (\theta_{(j)} - \bar\theta)^2, \qquad \theta \pm t_{g - 1} s
    """
    value, groups = float(effective_rank(rows)), min(groups, len(rows))
    if groups < 2:
        return value, np.nan, np.nan
    group = np.arange(len(rows)) % groups
    without = np.array([effective_rank(rows[group != j]) for j in range(groups)])
    spread = np.sqrt((groups - 1) * without.var())
    reach = float(stats.t.ppf(0.975, groups - 1) * spread)
    return value, value - reach, value + reach
