r"""Which stations a model listens to: what the max aggregation selects, and checks of whether that is what matters.

A block gives each station, in each channel, the largest of its neighbours' messages. Only the neighbour that sent it
counts there; the others could be silent. To select is to attend, with weights that are 0 or 1 and differ from channel
to channel, and the shares of all these selections are an attention over stations that needs no further weights. The
readout selects in the same way, by the largest value over the stations.

Selections are not all that a prediction is made of. The readout also takes the mean over all stations, the magnitude is
a weighted mean of all stations' votes, each station keeps its own state beside the message, and the first onset, the
reference point and the nearest neighbours are found from all stations. That an attention weight is an explanation must
therefore be tested: by gradients, by leaving stations out, by integrated gradients, by shuffled weights.

Letters as in `seisbook.models.graph`: `B` events, `N` stations (padded), `t` steps, `C` channels, `k` neighbours; `L`
blocks.

References
----------
C. R. Qi, H. Su, K. Mo and L. J. Guibas (2017), PointNet: deep learning on point sets for 3D classification and
segmentation, CVPR (the critical points of a maximum).

S. Jain and B. C. Wallace (2019), Attention is not explanation, NAACL-HLT (why the checks).
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from scipy import stats
from torch import Tensor, nn
from tqdm import tqdm

from seisbook.datasets.events import Events, NodeFeatures
from seisbook.errors import UserError
from seisbook.measures.estimates import Estimate, bootstrap_ci
from seisbook.models.graph import FAR, GraphModel, Prediction, STGCBlock

NOBODY = -1  # in place of a station, where no message was taken
OUTPUTS = {
    "epicentre": lambda prediction: prediction.epicentre.sum(-1),
    "depth": lambda prediction: prediction.depth,
    "magnitude": lambda prediction: prediction.magnitude,
}


# ----------------------------------------------------------------------------------------------------------- selections


@dataclass(frozen=True)
class Selection:
    r"""Stations that the maxima of a model select in one event of N stations.

    Parameters
    ----------
    chosen : ndarray of int, shape (L, N, C)
        For each block, receiving station and channel, the neighbour whose message is the largest. It is -1, nobody,
        where all messages are zero (the ReLU lets none through), where the two largest are equal, for a station
        without neighbours and in a model without edges.
    readout : ndarray of int, shape (L + 1, C)
        For each level of the readout (the state that enters the first block, then that which leaves each one) and
        channel, the station with the largest mean over time; -1 where two share the largest.
    multiscale : bool
        Whether the readout takes all levels, or the last one alone.
    """

    chosen: np.ndarray
    readout: np.ndarray
    multiscale: bool

    @property
    def matrix(self) -> np.ndarray:
        r"""Share of each station's messages that come from each other one, block by block: (L, N, N), rows sum to 1.

        .. math:: A^l_{ij} = \frac{\#\{c : s^l_{ic} = j\}}{\#\{c : s^l_{ic} \ne \text{nobody}\}}

        with :math:`s^l_{ic}` the station that `i` selects in channel `c` of block `l`. A station that selects nobody in
        any channel is left with itself: :math:`A^l_{ii} = 1`.
        """
        n = self.chosen.shape[1]
        counts = (self.chosen[..., None] == np.arange(n)).sum(2).astype(float)  # (L, N, N)
        alone = counts.sum(-1) == 0
        counts[alone] = np.eye(n)[np.nonzero(alone)[1]]
        return counts / counts.sum(-1, keepdims=True)

    @property
    def silent(self) -> np.ndarray:
        """Share of each block's receivers and channels in which nobody is selected: (L,)."""
        return (self.chosen == NOBODY).mean((1, 2))

    @property
    def levels(self) -> range:
        """Levels of the readout of which the embedding is made."""
        last = len(self.readout) - 1
        return range(0 if self.multiscale else last, last + 1)


def selection(model: GraphModel, events: Events, index: int) -> Selection:
    r"""Find the station that each maximum of a model selects in one event.

    .. math:: s^l_{ic} = \arg\max_{j \in \mathrm{kNN}_l(i)} \mathrm{ReLU}(z^l_{ijc}), \qquad
        r^l_c = \arg\max_i \bar h^l_{ic}

    with :math:`z` the messages of `seisbook.models.graph.STGCBlock`, before their ReLU, and :math:`\bar h` the mean of
    the state over time. See `Selection` for where nobody is selected.

    Parameters
    ----------
    model : GraphModel
        Model with `aggregation="max"`, or `graph="none"`; it is put in evaluation mode.
    events : Events
        Events with seismograms, or read by the model's stem.
    index : int
        Position of the event.

    Raises
    ------
    UserError
        If the model has no maxima to select by.
    """
    return selections(model, events, [index])[0]


@torch.no_grad()
def selections(model: GraphModel, events: Events, index) -> list[Selection]:
    """The `selection` of each of the events at `index` (an array of positions), in one pass."""
    _check(model)
    batch = _read(model, events, index)
    passage = _follow(model, batch.features, batch.pos, batch.mask)
    chosen = torch.stack([_chosen(step) for step in passage.steps], 1)  # (B, L, N, C)
    levels = [passage.steps[0].given[0], *(step.h for step in passage.steps)]
    states = torch.stack([h.mean(2) for h in levels], 1)  # (B, L + 1, N, C)
    states = states.masked_fill(~batch.mask[:, None, :, None], -FAR)
    station = torch.arange(states.shape[2])[:, None].expand_as(states)
    readout = _winner(states, station, 2)
    multiscale = model.config.readout == "multiscale"
    return [
        Selection(sender[:, real].numpy(), read.numpy(), multiscale)
        for sender, read, real in zip(chosen, readout, batch.mask, strict=True)
    ]


def messages(block: STGCBlock, u: Tensor, pos: Tensor, relative: Tensor, neighbour: Tensor) -> Tensor:
    r"""The messages that a block's aggregation takes the largest of.

    .. math:: m_{ij} = \mathrm{ReLU}\bigl(W [u_i,\; u_j - u_i,\; p_j - p_i,\; q_i]\bigr)

    Parameters
    ----------
    block : STGCBlock
    u : Tensor, shape (B, N, C)
        The normalised states, means over time.
    pos : Tensor, shape (B, N, 3)
        Positions in the model's unit.
    relative : Tensor, shape (B, N, 5)
        Position relative to the estimated hypocentre, see `GraphModel.relative`.
    neighbour : Tensor of int, shape (B, N, k)

    Returns
    -------
    Tensor, shape (B, N, k, C)
    """
    own = block.own(torch.cat([u, relative], -1))
    sender = block.other(u) + block.offset(pos)
    event = torch.arange(len(u))[:, None, None]
    return F.relu(own[:, :, None] + (sender[event, neighbour] - sender[:, :, None]))


def selection_frequency(selection: Selection) -> np.ndarray:
    r"""How often each station is selected by the others, block by block.

    .. math:: \alpha^l_j = \frac{\#\{(i, c) : s^l_{ic} = j\}}{\#\{(i, c) : s^l_{ic} \ne \text{nobody}\}}

    Returns
    -------
    ndarray, shape (L, N)
        Each block's sum to 1; NaN for a block in which nobody is selected.
    """
    n = selection.chosen.shape[1]
    return np.stack([_shares(block.ravel(), np.ones(block.size), n) for block in selection.chosen])


def readout_frequency(selection: Selection) -> np.ndarray:
    r"""Share of the channels in which each station has the largest value at the readout, level by level.

    .. math:: \alpha^{\mathrm{readout}, l}_j = \frac{\#\{c : r^l_c = j\}}{\#\{c : r^l_c \ne \text{nobody}\}}

    Returns
    -------
    ndarray, shape (L + 1, N)
        Each level's sum to 1 (NaN where stations share the largest value in every channel). The first level is the
        state that enters the first block.
    """
    n = selection.chosen.shape[1]
    return np.stack([_shares(level, np.ones(level.size), n) for level in selection.readout])


def gradient_weighted(model: GraphModel, events: Events, index: int, output="epicentre") -> np.ndarray:
    r"""Selections weighted by how much an output depends on the selected message.

    .. math:: \alpha^{g, l}_j = \frac{\sum_{(i, c) : s^l_{ic} = j} |\partial y / \partial m^l_{ic}|}
        {\sum_{(i, c) : s^l_{ic} \ne \text{nobody}} |\partial y / \partial m^l_{ic}|}

    with :math:`m^l_{ic}` the largest message. Its derivative with respect to the selected message is 1, and 0 with
    respect to the others. The graph counts as fixed, since the choice of neighbours has no derivative.

    Parameters
    ----------
    model, events, index
        As for `selection`.
    output : {"epicentre", "depth", "magnitude"}
        `y`; of the epicentre it is the sum of both coordinates, so that what moves it to the north-west or the
        south-east does not count.

    Returns
    -------
    ndarray, shape (L, N)
        Each block's sum to 1; NaN for a block in which nobody is selected, or on which the output does not depend.

    Raises
    ------
    UserError
        If the model has no maxima to select by, or there is no such output.
    """
    _check(model)
    _check_output(output)
    batch = _read(model, events, [index])
    features = batch.features._replace(state=batch.features.state.detach().clone().requires_grad_())
    with torch.enable_grad():
        passage = _follow(model, features, batch.pos, batch.mask)
        y = OUTPUTS[output](passage.prediction).sum()
        gradients = torch.autograd.grad(y, [step.message for step in passage.steps])
    n = batch.mask.shape[1]
    with torch.no_grad():
        chosen = [_chosen(step)[0].flatten().numpy() for step in passage.steps]
    weights = [gradient[0].abs().flatten().double().numpy() for gradient in gradients]
    return np.stack([_shares(*pair, n) for pair in zip(chosen, weights, strict=True)])


def rollout(selection: Selection) -> np.ndarray:
    r"""Attention followed through all blocks, from the readout back to the stations' own seismograms.

    .. math:: \rho^\top = \frac{1}{|\mathcal{L}|} \sum_{l \in \mathcal{L}} (\alpha^{\mathrm{readout}, l})^\top
        \hat A^l \hat A^{l-1} \cdots \hat A^1, \qquad \hat A^l = \tfrac12 (A^l + I)

    The identity stands for the state that each station keeps beside the message, with an equal share, which is a
    convention: the true share differs by station and channel. The levels :math:`\mathcal{L}` are those of which the
    readout makes the embedding: all of them, from 0, of the multi-scale readout, or the last alone.

    Returns
    -------
    ndarray, shape (N,)
        It sums to 1; NaN if the stations share the largest value in every channel of a level that is read.

    References
    ----------
    S. Abnar and W. Zuidema (2020), Quantifying attention flow in transformers, ACL.
    """
    matrices, weights = selection.matrix, readout_frequency(selection)
    flow = np.eye(matrices.shape[1])
    flows = [flow]
    for matrix in matrices:
        flow = (matrix + np.eye(len(matrix))) / 2 @ flow
        flows.append(flow)
    return np.mean([weights[level] @ flows[level] for level in selection.levels], axis=0)


def critical_stations(selection: Selection) -> np.ndarray:
    r"""Stations that some maximum selects: in any block, by any receiver, or at a level that the readout takes.

    What holds exactly for the others: taken out of every neighbourhood, they leave each block's aggregated messages as
    they are, if the states and positions are given and each station keeps a neighbour; taken out of the readout, they
    leave the largest values as they are. The prediction as a whole does change, for they take part in the mean over
    stations, the reference point, the first onset, the scale of the distances and the magnitude, and a neighbour that
    is taken away makes room for the next one: `leave_one_out` tells by how much.

    Returns
    -------
    ndarray of bool, shape (N,)
    """
    read = [selection.readout[level] for level in selection.levels]
    return np.isin(np.arange(selection.chosen.shape[1]), np.concatenate([selection.chosen.ravel(), *read]))


# --------------------------------------------------------------------------------------------------------------- checks


@torch.no_grad()
def leave_one_out(model: nn.Module, events: Events, index: int) -> pd.DataFrame:
    r"""How much the prediction changes if a station is left out.

    .. math:: \Delta_j = \lVert \hat x(\mathcal{S}) - \hat x(\mathcal{S} \setminus j) \rVert, \qquad
        \Delta M_j = \hat M(\mathcal{S}) - \hat M(\mathcal{S} \setminus j)

    This is the station's whole effect, of which the maxima are one part: the first station to record P also sets the
    zero of the onsets and pulls the reference point, so that without it much changes whomever the maxima select.
    Control for the order of the onsets, see `partial_rank_correlation`, before the two are compared.

    Parameters
    ----------
    model : Module
        A `GraphModel` or a peer; it is put in evaluation mode.
    events, index
        As for `selection`.

    Returns
    -------
    DataFrame
        One row a station: `epicentre_km`, how far the epicentre moves; `magnitude`, by how much the station raises it.

    Raises
    ------
    UserError
        If the event has one station only.
    """
    batch = _read(model, events, [index])
    n = batch.mask.shape[1]
    if n < 2:
        raise UserError(
            f"leave_one_out: event {events.source_id[index]} has one station only: choose an event with two"
        )
    prediction = _located(model, batch, ~torch.eye(n + 1, n, dtype=torch.bool))  # the last row leaves out none
    moved = prediction.epicentre[:-1] - prediction.epicentre[-1]
    columns = {
        "epicentre_km": moved.norm(dim=-1).numpy(),
        "magnitude": (prediction.magnitude[-1] - prediction.magnitude[:-1]).numpy(),
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(n, name="station"))


class IntegratedGradients(NamedTuple):
    """Attribution of an output to stations.

    `attribution` (N,), signed, in the output's unit (km, or magnitude units); `residual`, what the attributions' sum
    lacks of the whole difference of the output: the error of the Riemann sum, and the jumps of the graph on the way.
    """

    attribution: np.ndarray
    residual: float


def integrated_gradients(
    model: GraphModel, events: Events, index: int, output="epicentre", steps=64
) -> IntegratedGradients:
    r"""Attribute an output to the stations' states, on the straight way from states of zero to the event's own.

    .. math:: \phi_j = \sum_{\tau, c} h_{j \tau c} \int_0^1 \frac{\partial y(a h)}{\partial h_{j \tau c}}\, da
        \approx \sum_{\tau, c} h_{j \tau c} \frac1S \sum_{s=1}^S
        \left.\frac{\partial y}{\partial h_{j \tau c}}\right|_{a = (s - 1/2) / S}

    with `h` (N, t, C) the state that enters the first block: what the stem found in the seismogram, plus what the
    station's place, onsets and amplitude add. The reference point, the places in the blocks and the log amplitudes in
    the magnitude stay as they are. If `y` is continuous on the way, the attributions sum to :math:`y(h) - y(0)`: so it
    is with a static graph, while a dynamic graph changes with the state, and the output jumps.

    Parameters
    ----------
    model, events, index, output
        As for `gradient_weighted`; any aggregation.
    steps : int
        `S`, of the Riemann sum.

    Raises
    ------
    UserError
        If the model is not a `GraphModel`, or there is no such output.

    References
    ----------
    M. Sundararajan, A. Taly and Q. Yan (2017), Axiomatic attribution for deep networks, ICML.
    """
    if type(model) is not GraphModel:
        raise UserError(f"integrated_gradients: a {type(model).__name__} has no such state: use a GraphModel")
    _check_output(output)
    batch = _read(model, events, [index])
    with torch.no_grad():
        passage = _follow(model, batch.features, batch.pos, batch.mask)
    share = torch.cat([(torch.arange(steps) + 0.5) / steps, torch.zeros(1)])  # the last one is where the way begins
    y, gradient = _gradient_at(model, batch, share, output)
    h = passage.steps[0].given[0][0].double()  # (N, t, C)
    attribution = (h * gradient[:-1].double().mean(0)).sum((1, 2))
    difference = OUTPUTS[output](passage.prediction).item() - y[-1].item()
    return IntegratedGradients(attribution.numpy(), difference - attribution.sum().item())


def _gradient_at(model, batch, share, output):
    """Outputs (S,) and their derivatives by the state (S, N, t, C), where that is the given shares (S,) of itself."""
    features, pos, mask = _repeated(batch, len(share))
    state = (share[:, None, None, None] * features.state).requires_grad_()
    hook = model.reading.register_forward_hook(lambda layer, given, reading: share[:, None, None] * reading)
    try:
        with torch.enable_grad():
            y = OUTPUTS[output](model.locate(features._replace(state=state), pos, mask))
            (gradient,) = torch.autograd.grad(y.sum(), state)
    finally:
        hook.remove()
    return y.detach(), gradient


def shuffle_weights(model: nn.Module, random_state=0) -> nn.Module:
    """A copy of a model whose weights are permuted within each parameter: what it has learnt is lost.

    An attention that stays the same speaks of the architecture and the stations' places, not of what was learnt.

    References
    ----------
    J. Adebayo et al. (2018), Sanity checks for saliency maps, NeurIPS.
    """
    generator = torch.Generator().manual_seed(random_state)
    shuffled = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in shuffled.parameters():
            order = torch.randperm(parameter.numel(), generator=generator)
            parameter.copy_(parameter.flatten()[order].view_as(parameter))
    return shuffled


# ---------------------------------------------------------------------------------------------------------------- table


def attention_table(model: GraphModel, events: Events, index: int, output="epicentre", checks=True) -> pd.DataFrame:
    """Table of all attention measures of one event, and of simple quantities that may explain them.

    Parameters
    ----------
    model, events, index
        As for `selection`; the event has two stations or more.
    output : {"epicentre", "depth", "magnitude"}
        Output whose gradients are taken.
    checks : bool
        Whether `leave_one_out` and `integrated_gradients` are computed too, which takes most of the time.

    Returns
    -------
    DataFrame
        One row a station, in the order of the event's stations:

        - `source_id`;
        - `selection_1`, ...: `selection_frequency` of each block;
        - `readout_0`, ...: `readout_frequency` of each level;
        - `gradient_1`, ...: `gradient_weighted` of each block;
        - `rollout`;
        - `leave_one_out_km`, `leave_one_out_magnitude`: see `leave_one_out`;
        - `integrated_gradients`: in km, or magnitude units;
        - `epicentral_km`: distance from the label's epicentre;
        - `snr`: log10 of the trace's peak over the root mean square before P (as read; as the stem finds it, if it was
          not read); NaN with less than a second of noise, and for events without seismograms;
        - `p_confidence`: log-probability of the P onset that the stem finds, a stand-in for the signal-to-noise ratio;
        - `p_order`: 1 for the station whose P was read first; NaN where none was read.
    """
    event = events.select([index])
    read = event if event.features is not None else event.read_by(model)
    selected = selection(model, read, 0)
    columns = {"source_id": event.source_id[0]}
    columns |= _numbered("selection", selection_frequency(selected), 1)
    columns |= _numbered("readout", readout_frequency(selected), 0)
    columns |= _numbered("gradient", gradient_weighted(model, read, 0, output), 1)
    columns |= {"rollout": rollout(selected)}
    columns |= _checks(model, read, output) if checks else {}
    columns |= _circumstances(event, read.features, model.config.sampling_rate_hz)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(event.pos), name="station"))


def _checks(model, read, output):
    left_out = leave_one_out(model, read, 0)
    return {
        "leave_one_out_km": left_out.epicentre_km,
        "leave_one_out_magnitude": left_out.magnitude,
        "integrated_gradients": integrated_gradients(model, read, 0, output).attribution,
    }


def _numbered(name, rows, first):
    return {f"{name}_{number}": row for number, row in enumerate(rows, first)}


def _circumstances(event, features, rate):
    """Simple quantities that may explain a station's weight: distance, signal-to-noise ratio, order of the onsets."""
    p = event.onset_s[:, 0]
    return {
        "epicentral_km": (event.pos[:, :2] - event.y[0, :2]).norm(dim=-1).numpy(),
        "snr": _snr(event.x, torch.where(p.isfinite(), p, features.onset_s[:, 0]), rate),
        "p_confidence": features.confidence[:, 0].numpy(),
        "p_order": pd.Series(p.numpy()).rank(method="min").to_numpy(),
    }


def _snr(traces, onset_s, rate):
    if traces is None:
        return np.full(len(onset_s), np.nan)
    before = (onset_s.clamp(min=0) * rate).long().tolist()
    ratios = []
    for trace, samples in zip(traces.double().numpy(), before, strict=True):
        noise = trace[:, :samples]
        rms = np.sqrt(np.mean(noise**2)) if samples >= rate else 0.0
        ratios.append(np.log10(np.abs(trace).max() / rms) if rms > 0 else np.nan)
    return np.array(ratios)


# ----------------------------------------------------------------------------------------------------------- statistics


class Agreement(NamedTuple):
    """How alike two measures order the stations, means over events with 95 % intervals; `chance` is that of `overlap`.

    `tau`, Kendall's tau-b; `overlap`, the share of the `k` largest that the two have in common; `chance`, what two
    random orders have in common; `events`, number of events that `tau` is made of.
    """

    tau: Estimate
    overlap: Estimate
    chance: float
    events: int


def rank_agreement(a: Sequence, b: Sequence, k=3, random_state=0) -> Agreement:
    r"""How alike two measures order the stations of each event.

    .. math:: \tau_b = \frac{n_c - n_d}{\sqrt{(n_0 - n_a)(n_0 - n_b)}}, \qquad
        o_k = \frac1k \sum_j w^a_j w^b_j

    with :math:`n_c, n_d` the numbers of concordant and discordant pairs of stations, :math:`n_0` that of all pairs,
    :math:`n_a, n_b` those tied in one measure; :math:`w` is 1 for the `k` stations with the largest values and 0 else,
    and stations tied for the last places share them, as if each measure drew lots.

    Parameters
    ----------
    a, b : sequence of array_like, shape (stations,)
        For each event, a value for each of its stations: larger is more important.
    k : int
        Number of stations in the overlap.
    random_state : int
        Seed of the bootstrap over events.

    Returns
    -------
    Agreement
        Events with a NaN, or with all values equal, are not counted in `tau`; nor are, in `overlap`, events with a NaN
        or with `k` stations or fewer, where it is 1 by itself.

    Raises
    ------
    UserError
        If the events or their stations do not match, or no event can be counted.
    """
    pairs = [(np.asarray(first, float), np.asarray(second, float)) for first, second in _matched(a, b)]
    tau = np.array([stats.kendalltau(*pair).statistic for pair in pairs])
    overlap = np.array([(_top(first, k) * _top(second, k)).sum() / k for first, second in pairs])
    counted = np.isfinite(overlap)
    if not counted.any() or not np.isfinite(tau).any():
        raise UserError(f"rank_agreement: no event has more than {k} stations with different values: lower k")
    return Agreement(
        tau=bootstrap_ci(tau, np.mean, random_state=random_state),
        overlap=bootstrap_ci(overlap, np.mean, random_state=random_state),
        chance=float(np.mean([k / len(pair[0]) for pair, counts in zip(pairs, counted, strict=True) if counts])),
        events=int(np.isfinite(tau).sum()),
    )


def _matched(a, b):
    if len(a) != len(b) or any(len(first) != len(second) for first, second in zip(a, b, strict=True)):
        raise UserError("rank_agreement: the two measures are not of the same events and stations: match them first")
    return zip(a, b, strict=True)


def _top(score, k):
    """Which stations are among the `k` largest: 1 or 0, or a share where several tie for the last places."""
    if len(score) <= k or not np.isfinite(score).all():
        return np.full(len(score), np.nan)
    limit = np.sort(score)[-k]
    above, level = score > limit, score == limit
    return above + level * (k - above.sum()) / level.sum()


def partial_rank_correlation(x, y, controls) -> float:
    r"""Spearman's partial correlation of two variables, given others.

    .. math:: \rho_{xy \cdot z} = \mathrm{corr}\bigl(e_x, e_y\bigr), \qquad e_x = R(x) - \hat R(x \mid R(z))

    with `R` the ranks and :math:`\hat R` their linear regression on the ranks of the controls. It asks, for
    example, whether attention and the effect of leaving a station out go together among stations that are equally near.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Of stations of one event: ranks of different events do not compare. Take the mean over events, and its interval
        with `seisbook.measures.estimates.bootstrap_ci`: of one small event, the value means little.
    controls : array_like, shape (n,) or (n, m)
        Rows with a NaN in any variable are left out.

    Returns
    -------
    float
        NaN with fewer than `m + 3` rows, or if the controls determine `x` or `y`.
    """
    table = np.column_stack([np.asarray(values, float) for values in (x, y, controls)])
    table = table[np.isfinite(table).all(1)]
    n, columns = table.shape
    if n < columns + 1:
        return float("nan")
    ranks = stats.rankdata(table, axis=0)
    design = np.column_stack([np.ones(n), ranks[:, 2:]])
    residual = ranks[:, :2] - design @ np.linalg.lstsq(design, ranks[:, :2], rcond=None)[0]
    size = np.sqrt((residual**2).sum(0))
    if size.min() < 1e-9 * n**1.5:  # ranks of n values have a norm of about n to the power of 3/2
        return float("nan")
    return float(residual[:, 0] @ residual[:, 1] / size.prod())


def deletion_curve(model: nn.Module, events: Events, order: Sequence, ks=(1, 2, 3), progress=True) -> pd.DataFrame:
    r"""Errors when the first `k` stations of an order are removed, and when they alone are kept.

    If an order is one of importance, removing its first stations costs much, keeping them little, both compared with
    random orders. With few stations left, the model is far from what it was trained on, whatever the order.

    Parameters
    ----------
    model : Module
        A `GraphModel` or a peer; it is put in evaluation mode.
    events : Events
    order : sequence of array_like of int
        For each event, the positions of its stations, the most important first, such as `np.argsort(-rollout)`.
    ks : sequence of int
    progress : bool

    Returns
    -------
    DataFrame
        One row an event, `arm` (`removed`, `kept`) and `k`: `source_id`, `arm`, `k`, `epicentral_km`, `magnitude`
        (absolute error; NaN without a label). `removed` with `k = 0` is the whole event. Only events with more
        stations than the largest `k` are there, the same ones in each row of a curve; `summarise_deletion` draws it.

    Raises
    ------
    UserError
        If an order does not name each station of its event once, a `k` is below 1, or no event is large enough.
    """
    sizes = np.diff(events.start)
    _check_orders(order, sizes, ks)
    large = np.flatnonzero(sizes > max(ks))
    if not len(large):
        raise UserError(f"deletion_curve: no event has more than {max(ks)} stations: lower ks")
    rows = [
        _deleted(model, events, i, np.asarray(order[i]), ks)
        for i in tqdm(large, desc="leaving out stations", unit="event", disable=None if progress else True)
    ]
    return pd.concat(rows, ignore_index=True)


def summarise_deletion(table: pd.DataFrame, random_state=0) -> pd.DataFrame:
    """Median epicentral error in km of each arm and `k` of a `deletion_curve`, with 95 % bootstrap over events.

    Returns
    -------
    DataFrame
        Indexed by `arm` and `k`: `n` events, `epicentral_km`, `low_km`, `high_km`.
    """
    rows = {
        key: (len(part), *bootstrap_ci(part.epicentral_km, random_state=random_state))
        for key, part in table.groupby(["arm", "k"], sort=True)
    }
    index = pd.MultiIndex.from_tuples(rows, names=["arm", "k"])
    return pd.DataFrame(list(rows.values()), index=index, columns=["n", "epicentral_km", "low_km", "high_km"])


def _check_orders(order, sizes, ks):
    if not len(ks) or min(ks) < 1:
        raise UserError(f"deletion_curve: ks must be 1 or more, not {list(ks)}")
    if len(order) != len(sizes):
        raise UserError(f"deletion_curve: {len(order)} orders for {len(sizes)} events: give one an event")
    for i, (positions, size) in enumerate(zip(order, sizes, strict=True)):
        if not np.array_equal(np.sort(positions), np.arange(size)):
            raise UserError(f"deletion_curve: order {i} must name each of the event's {size} stations once")


@torch.no_grad()
def _deleted(model, events, index, order, ks):
    """Errors of one event for each arm and k."""
    batch = _read(model, events, [index])
    rank = torch.from_numpy(np.argsort(order))
    arms = [("removed", 0), *(("removed", k) for k in ks), *(("kept", k) for k in ks)]
    masks = torch.stack([rank >= k if arm == "removed" else rank < k for arm, k in arms])
    prediction = _located(model, batch, masks)
    return pd.DataFrame(
        {
            "source_id": events.source_id[index],
            "arm": [arm for arm, _ in arms],
            "k": [k for _, k in arms],
            "epicentral_km": (prediction.epicentre - batch.y[:, :2]).norm(dim=-1).numpy(),
            "magnitude": (prediction.magnitude - batch.y[:, 3]).abs().numpy(),
        }
    )


# -------------------------------------------------------------------------------------------------- inside of the model


class _Step(NamedTuple):
    """What passes through a block: its inputs `given`, `u`, the aggregated `message` (B, N, C), its result `h`."""

    block: STGCBlock
    given: tuple
    u: Tensor
    message: Tensor
    h: Tensor


class _Passage(NamedTuple):
    steps: list[_Step]
    prediction: Prediction


def _follow(model, features, pos, mask):
    """Run a model's graph part and keep what passes through its blocks."""
    parts, hooks = [], []
    for block in model.blocks:
        hooks.append(block.norm.register_forward_hook(lambda _, given, u: parts.append([u])))
        hooks.append(block.out.register_forward_pre_hook(lambda _, given: parts[-1].append(given[0])))
        hooks.append(block.register_forward_hook(lambda layer, given, h: parts[-1].extend([layer, given, h])))
    try:
        prediction = model.eval().locate(features, pos, mask)
    finally:
        for hook in hooks:
            hook.remove()
    return _Passage([_Step(block, given, u, message, h) for u, message, block, given, h in parts], prediction)


def _chosen(step):
    """The neighbour that each station selects in each channel, (B, N, C)."""
    if step.block.config.graph == "none":
        return torch.full_like(step.message, NOBODY, dtype=torch.long)
    _, pos, mask, relative = step.given
    neighbour, valid = step.block.neighbours(step.u, pos, mask)
    message = messages(step.block, step.u, pos, relative, neighbour).masked_fill(~valid[..., None], 0.0)
    chosen = _winner(message, neighbour[..., None].expand_as(message), 2)
    return chosen.masked_fill(message.amax(2) <= 0, NOBODY)


def _winner(values, station, dim):
    """The station with the largest value along `dim`, or nobody where two are equally large."""
    best = values.topk(min(2, values.shape[dim]), dim)
    winner = station.gather(dim, best.indices.narrow(dim, 0, 1)).squeeze(dim)
    if values.shape[dim] == 1:
        return winner
    first, second = best.values.unbind(dim)
    return winner.masked_fill(first == second, NOBODY)


def _shares(station, weight, n):
    """Weights summed up by station, as shares of the whole; NaN if that is zero."""
    taken = station != NOBODY
    total = np.bincount(station[taken], weight[taken], minlength=n)
    return total / total.sum() if total.sum() > 0 else np.full(n, np.nan)


def _read(model, events, index):
    """A dense batch of the events at `index`, as the model's stem sees them."""
    chosen = events.select(index)
    chosen = chosen if chosen.features is not None else chosen.read_by(model)
    return chosen.batch(np.arange(len(chosen)))


def _repeated(batch, n):
    """Features, positions and mask of a batch of one event, `n` times."""
    features = NodeFeatures(*(value.expand(n, *value.shape[1:]) for value in batch.features[:4]))
    return features, batch.pos.expand(n, -1, -1), batch.mask.expand(n, -1)


def _located(model, batch, masks):
    """Predictions of one event with the stations of each mask (n, N) alone."""
    features, pos, _ = _repeated(batch, len(masks))
    return model.eval().locate(features, pos, masks)


def _check(model):
    if not isinstance(model, GraphModel):
        raise UserError(f"selection: a {type(model).__name__} takes no maximum over neighbours: use a GraphModel")
    aggregation = model.config.aggregation
    if aggregation != "max" and model.config.graph != "none":
        raise UserError(f"selection: aggregation '{aggregation}' selects no neighbour: use a model with 'max'")


def _check_output(output):
    if output not in OUTPUTS:
        raise UserError(f"no output '{output}': choose one of {', '.join(OUTPUTS)}")
