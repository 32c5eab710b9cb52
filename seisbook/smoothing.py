r"""Over-smoothing measured: how alike the states of an event's stations become, block by block and with depth.

A graph convolution mixes the states of neighbours. Many of them in a row can make the states of all stations the same,
and nothing then tells one station from another: over-smoothing. Three measures of it stand here, a model whose depth
can grow while its number of parameters stays, and the study that trains such models: 2 to 16 blocks, with a dynamic or
a static graph, with the multi-scale readout or the last block alone.

Letters as in `seisbook.model`: `B` events, `N` stations (padded), `C` channels, `E` width of the embedding.
"""

import itertools
import logging
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.lines import Line2D
from scipy import stats
from scipy.special import entr
from torch import Tensor, nn
from tqdm import tqdm

from seisbook import checkpoints, evaluation, experiments, networks, studies
from seisbook.errors import UserError
from seisbook.figures import styled
from seisbook.model import GraphModel, ModelConfig, NodeFeatures, Prediction
from seisbook.statistics import bootstrap_ci
from seisbook.training import Events, Locator, TrainingConfig

log = logging.getLogger(__name__)

# ------------------------------------------------------------------------------------------------------------ measures


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


MEASURES = ("effective_rank", "dirichlet_energy", "mad")

# -------------------------------------------------------------------------------------------- depth at equal parameters

DEFAULT = ModelConfig()
STEM_CHANNELS = DEFAULT.channels  # of the trained stems that the studies read events with


class DeepGraphModel(GraphModel):
    """A `GraphModel` without a stem, whose graph part has a width of its own.

    In `GraphModel` the stem is as wide as the blocks. Here a linear layer takes the 64 channels that a trained stem has
    found to the width of the blocks, so that models of any depth and width train on the same events, see
    `Events.read_by`.

    Parameters
    ----------
    config : ModelConfig
        Its `channels` are those of the graph part.

    Shapes: `locate` takes `NodeFeatures` with a state (B, N, t, 64).
    """

    def __init__(self, config: ModelConfig):
        super().__init__(config)
        self.stem = nn.Identity()
        self.enter = nn.Linear(STEM_CHANNELS, config.channels)

    def encode(self, traces: Tensor, amplitude: Tensor, mask: Tensor) -> NodeFeatures:
        """Refuse: there is no stem.

        Raises
        ------
        UserError
        """
        raise UserError(
            "a DeepGraphModel reads no seismograms: give it events that a trained model has read, events.read_by(model)"
        )

    def locate(self, features: NodeFeatures, pos: Tensor, mask: Tensor) -> Prediction:
        """Run the graph part on what another model's stem found."""
        return super().locate(features._replace(state=self.enter(features.state)), pos, mask)


def graph_parameters(model) -> int:
    """Number of parameters of a model's graph part: all but the stem's."""
    return sum(p.numel() for name, p in model.named_parameters() if not name.startswith("stem."))


@cache
def equal_width(blocks, config: ModelConfig = DEFAULT, parameters=None) -> ModelConfig:
    """The configuration with so many blocks whose `DeepGraphModel` has about a given number of parameters.

    Parameters
    ----------
    blocks : int
    config : ModelConfig
        All the rest. The multi-scale readout costs parameters too: at the same depth its models are narrower.
    parameters : int, optional
        Of the graph part; if not given, that of the default `GraphModel`, which has three blocks.

    Returns
    -------
    ModelConfig
        `channels` is the number that comes closest, within 4 % at up to 16 blocks; `graph_parameters` counts them.
    """
    if parameters is None:
        parameters = _size(GraphModel, DEFAULT)
    widths = np.arange(4, 513)
    # layers lead from one multiple of the width to another, so that the number is quadratic in it: three counts say all
    counts = [_size(DeepGraphModel, replace(config, blocks=blocks, channels=channels)) for channels in (4, 8, 12)]
    sizes = np.polyval(np.polyfit([4, 8, 12], counts, 2), widths)
    return replace(config, blocks=blocks, channels=int(widths[np.abs(sizes - parameters).argmin()]))


def _size(kind, config):
    with torch.device("meta"):  # counts without memory and without random numbers
        return graph_parameters(kind(config))


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
        Of `Events.read_by`.
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
        Of `Events.read_by`; such as test events.
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
    for index in tqdm(batches, desc="measuring smoothness", disable=not progress):
        found = block_states(model, events, index)
        measured.append(_measured(found, model.config.neighbours))
        embeddings.append(found.embedding)
    embedding = np.concatenate(embeddings).astype(float)
    rows = [
        {"width": model.config.channels, **_means(values)} for values in np.concatenate(measured, -1)
    ]  # a block's values are (measures, events)
    rows.append({"width": embedding.shape[1], **_columns("effective_rank", _jackknife(embedding))})
    return pd.DataFrame(rows, index=pd.Index([*range(len(rows) - 1), "readout"], dtype=object, name="block"))


def _measured(found, k):
    """The measures of each event after each block, (blocks + 1, measures, B)."""
    return np.array(
        [
            [effective_rank(u, found.mask), dirichlet_energy(u, found.pos, found.mask, k), mad(u, found.mask)]
            for u in found.states
        ]
    )


def _means(values):
    columns = {}
    for name, sample in zip(MEASURES, values, strict=True):
        columns |= _columns(name, bootstrap_ci(sample, np.mean))
    return columns


def _columns(name, estimate):
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


# --------------------------------------------------------------------------------------------------------------- study

DEPTHS = {"quick": (2, 4), "paper": (2, 4, 8, 16)}
SEEDS = {"quick": (0,), "paper": (0,)}
NETWORKS = ("colombia",)  # of which the study has been done
ARMS = tuple(itertools.product(("dynamic", "static"), ("multiscale", "last")))
TRAINING = {
    name: TrainingConfig(epochs=epochs, graph_epochs=0, batch_size=32, learning_rate=2e-3, validation=0.0)
    for name, epochs in (("quick", 2), ("paper", 15))
}
SIMULATION_SEED = 2  # not that of the twin's events on which the stem was trained


def trials(network, source, profile) -> list[dict]:
    """The trainings of the study: each depth with each graph and readout, all of one seed before those of the next."""
    common = {"network": network, "source": source, "profile": profile}
    return [
        {**common, "graph": graph, "readout": readout, "blocks": blocks, "seed": seed}
        for seed in SEEDS[profile]
        for blocks in DEPTHS[profile]
        for graph, readout in ARMS
    ]


def run(trials) -> list[dict]:
    """Train and measure, one trial after the other.

    The graph part is trained from scratch on the training part of the first random fold, as a stem that was trained on
    the network's simulated twin has read it. The fold is of the network's real bulletin, or, from the source
    `simulated`, of newly simulated events that the stem has not seen.

    Returns
    -------
    list of dict
        Of each trial: `channels` and `parameters` of the graph part; `loss` by epoch; `diverged`, whether the loss or
        a prediction was no finite number, in which case there is nothing of what follows; `summary` of the errors on
        the test part (`evaluation.summarise_errors`); `epicentral_km` of each test event, in the fold's order;
        `measures`, the rows of `profile` on the test events.
    """
    return [_trained(trial) for trial in trials]


def recipe(trial) -> dict:
    """What a trial's result follows from, see `checkpoints.recipe`; the code of the measures is part of it."""
    chosen = trial["profile"]
    parts = (_config(trial), TRAINING[chosen], experiments.PROFILES[chosen], SIMULATION_SEED, _code(), trial)
    return checkpoints.recipe("dynamic", trial["network"], *parts)


@cache
def _code():
    """Hash of those parts of this file that a result comes from: a new figure does not make results out of date."""
    parts = (
        effective_rank,
        dirichlet_energy,
        _nearest,
        mad,
        DeepGraphModel,
        equal_width,
        block_states,
        profile,
        _measured,
    )
    parts += (_means, _jackknife, _config, _parts, _trained, _prediction, _rows)
    return checkpoints.code_of_parts(*parts)


def _config(trial):
    config = replace(_default(trial["network"]), graph=trial["graph"], readout=trial["readout"])
    return equal_width(trial["blocks"], config)


@cache
def _default(network):
    """The default model of a network, whose file takes long to read."""
    return experiments.model_config(networks.load(network))


@cache
def _parts(network, source, profile):
    """The training and the test events of the first random fold, read by the stem that was trained on the twin."""
    stem, _ = checkpoints.load(experiments.pretrain(network, "dynamic", profile, False))
    size, seed = (experiments.PROFILES[profile].twin_events, SIMULATION_SEED) if source == "simulated" else (None, 0)
    events = experiments.load_events(networks.load(network), source, size, seed, False).read_by(stem)
    train, test = experiments.folds(events.source_id, events.origin_time, "random")[0]
    return events.select(train), events.select(test)


def _trained(trial):
    train, test = _parts(trial["network"], trial["source"], trial["profile"])
    config = _config(trial)
    torch.manual_seed(trial["seed"])
    start = DeepGraphModel(config)
    locator = Locator("dynamic", config, TRAINING[trial["profile"]], trial["seed"], start)
    prediction = _prediction(locator, train, test)
    result = {
        "channels": config.channels,
        "parameters": graph_parameters(start),
        "n_train": len(train),
        "n_test": len(test),
        "loss": [entry["loss"] for entry in locator.history_],
        "diverged": prediction is None,
    }
    if prediction is not None:
        errors = evaluation.errors(prediction, test)
        result |= {
            "summary": evaluation.summarise_errors(errors),
            "epicentral_km": [float(f"{value:.3g}") for value in errors.epicentral_km],
            "measures": _rows(profile(locator.model_, test, progress=False)),
        }
    return _rounded(result)


def _prediction(locator, train, test):
    """Train and predict; None if training or prediction leaves the finite numbers."""
    try:
        locator.fit(train, progress=False)
    except UserError as error:
        if "diverged" not in str(error):
            raise
        log.warning("%d blocks, seed %d: %s", locator.config.blocks, locator.random_state, error)
        return None
    prediction = locator.predict(test)
    return prediction if all(torch.isfinite(value).all() for value in prediction) else None


def _rows(table):
    """Rows of a profile as JSON can hold them, without what is missing."""
    rows = table.reset_index().to_dict("records")
    return [{name: value for name, value in row.items() if not pd.isna(value)} for row in rows]


def _rounded(value, digits=4):
    """Plain numbers of a few digits, all the way down."""
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def prepare(network, source, profile) -> None:
    """Train the stem and build the events, unless they are there, before many workers want them at once."""
    _parts(network, source, profile)


STUDY = studies.Study("smoothing", trials, run, recipe, prepare)


def verdict(records) -> pd.DataFrame:
    """Whether concatenation counters over-smoothing (C4), by a rule that was set before the study was run.

    At the greatest depth, for each graph: the claim is *supported* if the multi-scale model's epicentral errors are
    smaller than those of the model that reads the last block (95 % interval of the mean logarithm of their paired ratio
    below 0) *and* its stations' states differ more (interval of the last block's MAD above the other's); *not
    supported* if neither holds; *inconclusive* otherwise.

    Parameters
    ----------
    records : list of dict
        As `tabulate` takes them.

    Returns
    -------
    DataFrame
        Indexed by `graph`: `error_ratio` (geometric mean of multi-scale over last) with `low` and `high`, the MADs of
        both, `verdict`. A model that diverged has none, and the verdict is then *inconclusive*.
    """
    deepest = max(one["trial"]["blocks"] for one in records)
    found = {
        (one["trial"]["graph"], one["trial"]["readout"]): one["result"]
        for one in records
        if one["trial"]["blocks"] == deepest and one["trial"]["seed"] == 0
    }
    graphs = sorted({graph for graph, _ in found})
    rows = [_judged(found[graph, "multiscale"], found[graph, "last"], deepest) for graph in graphs]
    return pd.DataFrame(rows, index=pd.Index(graphs, name="graph"))


def _judged(multiscale, last, deepest):
    if multiscale["diverged"] or last["diverged"]:
        return {"verdict": "inconclusive"}
    logs = np.log(multiscale["epicentral_km"]) - np.log(last["epicentral_km"])
    ratio = bootstrap_ci(logs, np.mean)
    ours, theirs = (next(row for row in one["measures"] if row["block"] == deepest) for one in (multiscale, last))
    better, apart = ratio.high < 0, ours["mad_low"] > theirs["mad_high"]
    words = {2: "supported", 1: "inconclusive", 0: "not supported"}
    return {
        **dict(zip(("error_ratio", "low", "high"), np.exp(ratio), strict=True)),
        "mad_multiscale": ours["mad"],
        "mad_last": theirs["mad"],
        "verdict": words[int(better) + int(apart)],
    }


def tabulate(records) -> pd.DataFrame:
    """The study's records as one table, for the figures.

    Parameters
    ----------
    records : list of dict
        Each a `trial` and its `result`, as `studies.load` returns them.

    Returns
    -------
    DataFrame
        One row for each trial and row of its `profile`, with the trial's keys, `channels`, `parameters`, `diverged`,
        the median `epicentral_km` on the test events and its 95 % interval, `epicentral_km_low` and `_high`, and the
        profile's columns. A trial that diverged has one row, without measures.
    """
    rows = []
    for record in records:
        trial, result = record["trial"], record["result"]
        head = {**trial, **{name: result[name] for name in ("channels", "parameters", "diverged")}}
        if not result["diverged"]:
            error = result["summary"]["epicentral_km"]
            head |= _columns("epicentral_km", (error["median"], *error["ci"]))
        rows += [{**head, **row} for row in result.get("measures", [{"block": None}])]
    names = [f"{name}{end}" for name in (*MEASURES, "epicentral_km") for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows)
    return table.reindex(columns=[*table.columns, *(name for name in names if name not in table)])


# ------------------------------------------------------------------------------------------------------------- figures

AXES = {
    "effective_rank": "effective rank (1)",
    "dirichlet_energy": "Dirichlet energy (1)",
    "mad": "mean cosine distance (1)",
    "epicentral_km": "median epicentral error (km)",
}
GRAPH_COLOURS = {"dynamic": "#333333", "static": "#CC79A7"}  # not those of the phases or of the networks
READOUT_LOOKS = {
    "multiscale": {"linestyle": "-", "marker": "o"},
    "last": {"linestyle": "--", "marker": "s", "markerfacecolor": "white"},
}
CROSSES = {"multiscale": "X", "last": "x"}
READOUT_NAMES = {"multiscale": "multi-scale readout", "last": "last block's readout"}


@styled
def depth_figure(table):
    """The measures after the last block, and the error, against depth, at equal parameter count.

    Lines are means over seeds, thin lines single seeds; bars reach from the lowest to the highest end of the seeds'
    95 % intervals over test events. Arms are set apart a little. A cross at the bottom of the panel of the errors is
    a training that diverged, a thick one of a model with the multi-scale readout; means are then over the other seeds.

    Parameters
    ----------
    table : DataFrame
        Of `tabulate`, of one network and source.

    Returns
    -------
    Figure
    """
    fig, axes = plt.subplots(2, 2, figsize=(7.4, 5.4), sharex=True)
    depths = sorted(table.blocks.unique())
    for axis, name in zip(axes.flat, AXES, strict=True):
        for shift, (arm, part) in zip((-0.09, -0.03, 0.03, 0.09), _arms(table), strict=True):
            last = part[part.block == part.blocks]
            _line(axis, last.assign(x=last.blocks * 2**shift), name, arm)
        axis.set_xscale("log", base=2)
        axis.set_xticks(depths, [str(depth) for depth in depths])
        axis.set_ylabel(AXES[name])
        axis.set_ylim(bottom=0)
    for axis in axes[1]:
        axis.set_xlabel("blocks")
    _mark_diverged(axes[1, 1], table)
    _legend(fig, table)
    return fig


@styled
def block_figure(table):
    """The measures after each block of the deepest models that could be trained.

    Lines are means over seeds, thin lines single seeds; bars as in `depth_figure`. Block 0 is the state that enters the
    first block.

    Parameters
    ----------
    table : DataFrame
        Of `tabulate`, of one network and source.

    Returns
    -------
    Figure
    """
    fig, axes = plt.subplots(1, 3, figsize=(7.4, 3.2))
    trained = table[~table.diverged.astype(bool)]
    deepest = trained[(trained.blocks == trained.blocks.max()) & (trained.block != "readout")]
    for axis, name in zip(axes, MEASURES, strict=True):
        for shift, (arm, part) in zip((-0.15, -0.05, 0.05, 0.15), _arms(deepest), strict=True):
            _line(axis, part.assign(x=part.block.astype(float) + shift), name, arm, size=3)
        axis.set(xlabel="block", ylabel=AXES[name])
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_ylim(bottom=0)
    _legend(fig, deepest)
    return fig


def _arms(table):
    """Each arm and its rows, none if it has none."""
    return [((graph, readout), table[(table.graph == graph) & (table.readout == readout)]) for graph, readout in ARMS]


def _line(axis, part, name, arm, size=4.5):
    """Mean over seeds at each `x`, single seeds thin, the seeds' intervals as bars."""
    colour, look = GRAPH_COLOURS[arm[0]], READOUT_LOOKS[arm[1]]
    for _, one in part.groupby("seed"):
        axis.plot(one.x, one[name], color=colour, linewidth=0.5, alpha=0.6, linestyle=look["linestyle"])
    at = part.groupby("x")
    axis.vlines(list(at.groups), at[f"{name}_low"].min(), at[f"{name}_high"].max(), color=colour, linewidth=0.8)
    axis.plot(list(at.groups), at[name].mean(), color=colour, linewidth=1.6, markersize=size, **look)


def _mark_diverged(axis, table):
    for shift, ((graph, readout), part) in zip((-0.09, -0.03, 0.03, 0.09), _arms(table), strict=True):
        x = part.blocks[part.diverged.astype(bool)] * 2**shift
        axis.plot(
            x, np.full(len(x), 0.03), CROSSES[readout], color=GRAPH_COLOURS[graph], transform=axis.get_xaxis_transform()
        )


def _legend(fig, table):
    handles = [
        Line2D([], [], color=GRAPH_COLOURS[graph], label=f"{graph}, {READOUT_NAMES[readout]}", **READOUT_LOOKS[readout])
        for (graph, readout), part in _arms(table)
        if len(part)
    ]
    if table.diverged.any():
        handles.append(Line2D([], [], color="black", marker="x", linestyle="", label="diverged"))
    fig.legend(handles=handles, loc="outside lower center", ncols=3 if len(handles) > 4 else 2)
