r"""Published kinds of graph part on the stem of the robust model, without travel times.

A peer of `seisbook.models.peers` differs from ours in everything: how a station reads its seismogram, what the loss
asks for, how the stations are put together. Here only the last of these differs. Each kind gets the onsets of the
robust stem, the same features of each station, the same readout over all layers, the same heads, and the same loss. All
of this is `seisbook.models.graph.GraphModel`, in which each kind replaces the blocks.

A *feedback* is what the paper's block has and most published networks lack: each layer sees the stations from the
hypocentre that the layer before estimated. Without it, a layer sees them from the event's reference point.

The states of stations have no time here, except in the paper's own block: no other kind looks at it.

Letters as in `seisbook.models.graph`: `B` events, `N` stations (padded), `t` steps of the state, `C` channels.
"""

from dataclasses import dataclass, fields, replace
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seisbook.datasets.events import NodeFeatures
from seisbook.models.graph import GraphModel, ModelConfig, Prediction
from seisbook.models.peers import GCN, EdgeConv, GraphAttention, masked_max, masked_mean
from seisbook.models.robust import AttentionBlock, Onsets, RobustConfig, RobustModel
from seisbook.models.robust_training import RobustLocator

ALL_STATIONS = 1000  # neighbours of a station: more than any event has

# -------------------------------------------------------------------------------------------- layers over the stations


class DeepSets(nn.Module):
    r"""What each station says, beside the mean and the largest of what all say.

    .. math:: h'_i = W [v_i,\; \operatorname{mean}_j v_j,\; \max_j v_j], \qquad v_i = \mathrm{ReLU}(V h_i)

    Shapes: `h` (B, N, C), `place` (B, N, 3), `mask` (B, N) to (B, N, C).

    References
    ----------
    Zaheer, M. et al. (2017). Deep sets. Advances in Neural Information Processing Systems, 30.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.says = nn.Linear(channels, channels)
        self.out = nn.Linear(3 * channels, channels)

    def forward(self, h: Tensor, place: Tensor, mask: Tensor) -> Tensor:
        """Return the stations' new features."""
        v = F.relu(self.says(h))
        event = torch.cat([masked_mean(v, mask), masked_max(v, mask)], -1)
        return self.out(torch.cat([v, event[:, None].expand(-1, v.shape[1], -1)], -1))


class FeatureEdges(nn.Module):
    """`EdgeConv` on the nearest stations in feature space, with a perceptron before it; shapes as `DeepSets`."""

    def __init__(self, channels: int, neighbours: int):
        super().__init__()
        self.before = nn.Sequential(nn.Linear(channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels))
        self.edges = EdgeConv(channels, channels, neighbours)

    def forward(self, h: Tensor, place: Tensor, mask: Tensor) -> Tensor:
        """Return the stations' new features."""
        return self.edges(h + self.before(h), mask)


class GeographicConvolution(nn.Module):
    """Two graph convolutions on the graph of `GCN`, whose edges come from geography; shapes as `DeepSets`."""

    reach, threshold, adjacency = GCN.reach, GCN.threshold, GCN.adjacency

    def __init__(self, channels: int):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(channels, 2 * channels), nn.Linear(2 * channels, channels)])

    def forward(self, h: Tensor, place: Tensor, mask: Tensor) -> Tensor:
        """Return the stations' new features."""
        adjacency = self.adjacency(place, mask)
        for layer in self.layers:
            h = torch.tanh(adjacency @ layer(h))
        return h


class NoExchange(nn.Module):
    """A perceptron for each station alone; shapes as `DeepSets`."""

    def __init__(self, channels: int):
        super().__init__()
        self.says = nn.Sequential(nn.Linear(channels, 2 * channels), nn.ReLU(), nn.Linear(2 * channels, channels))

    def forward(self, h: Tensor, place: Tensor, mask: Tensor) -> Tensor:
        """Return the stations' new features."""
        return self.says(h)


class LayerBlock(nn.Module):
    """A layer over the stations, with the interface of `seisbook.models.graph.STGCBlock`.

    Parameters
    ----------
    config : ModelConfig
    layer : Module
        From features (B, N, C), places (B, N, 3) and a mask (B, N) to new features.
    """

    def __init__(self, config: ModelConfig, layer: nn.Module):
        super().__init__()
        c = config.channels
        self.norm = nn.LayerNorm(c)
        self.enter = nn.Linear(c + 5, c)
        self.layer = layer
        self.update = nn.Sequential(nn.LayerNorm(c), nn.Linear(c, 2 * c), nn.GELU(), nn.Linear(2 * c, c))

    def forward(self, h: Tensor, pos: Tensor, mask: Tensor, relative: Tensor) -> Tensor:
        """Return the state (B, N, t, C) after the layer."""
        seen = self.enter(torch.cat([self.norm(h.mean(2)), relative], -1))
        node = self.layer(seen, pos, mask)
        node = node + self.update(seen + node)
        return h + node[:, :, None]


# --------------------------------------------------------------------------------------------------------- graph parts


class PeerGraph(GraphModel):
    """A graph part whose blocks are those of a published kind; interface as `seisbook.models.robust.PaperGraph`.

    Parameters
    ----------
    config : ModelConfig
    block : callable, optional
        From the configuration to a block; by default the blocks are the paper's.
    feedback : bool
        Layers see stations from the hypocentre that the layer before estimated; otherwise from the reference point.
    """

    def __init__(self, config: ModelConfig, block=None, feedback: bool = True):
        super().__init__(config)
        self.stem = nn.Identity()
        self.feedback = feedback
        self.timeless = block is not None
        if block is not None:
            self.blocks = nn.ModuleList(block(config) for _ in range(config.blocks))

    def learn_stations(self, events) -> None:
        """Learn nothing: these graph parts have no station terms."""

    def forward(self, onsets: Onsets, pos: Tensor, mask: Tensor) -> Prediction:
        """Locate and size a batch of events."""
        state = onsets.state.mean(2, keepdim=True) if self.timeless else onsets.state
        return self.locate(NodeFeatures(state, onsets.onset_s, onsets.log_probability, onsets.amplitude), pos, mask)

    def relative(self, place: Tensor, estimate: Tensor) -> Tensor:
        """Stations from the last estimate, or from the reference point, see `GraphModel.relative`."""
        return super().relative(place, estimate if self.feedback else torch.zeros_like(estimate))


class MaximumGraph(PeerGraph):
    r"""SeismicGNN's: a perceptron for each station, and the largest value over the stations; no edges, no feedback.

    .. math:: e = \max_i \mathrm{ReLU}(W h_i)
    """

    def __init__(self, config: ModelConfig):
        blocks = partial(_layered, layer=NoExchange)
        super().__init__(replace(config, readout="last"), blocks, feedback=False)
        self.widen = nn.Linear(config.channels, 2 * config.channels)

    def pool(self, h: Tensor, mask: Tensor) -> Tensor:
        """Largest value over the stations (B, 2 C)."""
        return masked_max(F.relu(self.widen(h.mean(2))), mask)


def _layered(config, layer, **arguments):
    return LayerBlock(config, layer(config.channels, **arguments))


def _edges(config):
    return LayerBlock(config, FeatureEdges(config.channels, config.neighbours))


def _attention(config):
    shared = {field.name: getattr(config, field.name) for field in fields(ModelConfig)}
    return AttentionBlock(RobustConfig(**shared, physics=False))


def without_time(onsets: Onsets) -> Onsets:
    """Onsets of stations (stations, ...) whose states are means over time: what most kinds look at, read once."""
    state = onsets.state.float().mean(-2, keepdim=True).to(onsets.state.dtype)
    return onsets._replace(state=state)


KINDS = {
    "paper's block": PeerGraph,
    "static graph": lambda config: PeerGraph(replace(config, graph="static")),
    "no edges": lambda config: PeerGraph(replace(config, graph="none")),
    "all neighbours": lambda config: PeerGraph(replace(config, neighbours=ALL_STATIONS)),
    "softmax": lambda config: PeerGraph(replace(config, aggregation="softmax")),
    "transformer": partial(PeerGraph, block=_attention, feedback=False),
    "transformer with feedback": partial(PeerGraph, block=_attention),
    "graph attention": partial(PeerGraph, block=partial(_layered, layer=GraphAttention), feedback=False),
    "deep sets with feedback": partial(PeerGraph, block=partial(_layered, layer=DeepSets)),
    "edges in feature space": partial(PeerGraph, block=_edges, feedback=False),
    "geographic convolution": partial(PeerGraph, block=partial(_layered, layer=GeographicConvolution), feedback=False),
    "maximum over stations": MaximumGraph,
}
"""Each kind's graph part, made from a `ModelConfig`."""


# ------------------------------------------------------------------------------------------------- model and estimator


class PeerModel(RobustModel):
    """The robust stem, and a graph part of one of `KINDS`.

    Parameters
    ----------
    config : RobustConfig
        Its switches of the graph do not matter: the kind decides on them.
    network : seisbook.catalogues.networks.Network
    kind : str
    """

    def __init__(self, config: RobustConfig, network, kind: str):
        super().__init__(replace(config, physics=False), network)
        self.kind = kind
        shared = {field.name: getattr(config, field.name) for field in fields(ModelConfig)}
        self.graph = KINDS[kind](ModelConfig(**shared))


@dataclass
class PeerLocator(RobustLocator):
    """A `RobustLocator` of a `PeerModel`.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    """

    kind: str = "paper's block"

    def _untrained(self):
        """A copy of `start_from` if it is of this kind, otherwise a new graph part on its stem."""
        if isinstance(self.start_from, PeerModel) and self.start_from.kind == self.kind:
            return super()._untrained()
        model = PeerModel(self.config, self.network, self.kind)
        model.stem.load_state_dict(self.start_from.stem.state_dict())
        return model
