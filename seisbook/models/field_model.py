r"""The paper's graph model on values in place of seismograms: it predicts the field at stations and between them.

1. `ValueStem`: five values of a node, and what is known of it, become a state of channels with one step in time;
2. `FieldBlock`: the spatio-temporal graph convolution of `seisbook.models.graph`, whose graph is rebuilt in each block
   from where the nodes are and what they know. Only observed stations send messages. A point of a map therefore gets
   the same prediction whichever other points are asked for;
3. `FieldModel`: the states of all blocks side by side, and the largest and the mean state of the observed stations,
   from which the head reads a mean and a scale of each measure.

The model predicts a *correction*: of the attenuation law, or, if it is *informed*, of the conditional normal, in units
of the scale that the conditional normal gives.

Letters as in `seisbook.models.graph`: `B` events, `N` nodes (padded), `C` channels; `F` features.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from seisbook.catalogues.ground_motion import MEASURES
from seisbook.models.conditional_normal import ConditionalNormal
from seisbook.models.field_methods import Scene
from seisbook.models.field_peers import FixedConvolution, SensorAttention
from seisbook.models.graph import FAR, ModelConfig, STGCBlock
from seisbook.physics.attenuation import USUAL_DEPTH_KM, hypocentral_km

OUT = len(MEASURES)
UNIT = 0.3  # log10: scale of residuals from the law
MOST_UNITS = 6.0  # a residual beyond is wrong, however far it is
FEATURES, INFORMED = 2 * OUT + 3 + 2 * OUT + 2, 3 * OUT
LOG_SCALE = -4.0, 3.0  # bounds


@dataclass(frozen=True)
class FieldConfig(ModelConfig):
    """Everything that defines a field model, see `ModelConfig` for what is not listed.

    Parameters
    ----------
    channels : int
        Half as many as for seismograms: a node has five values.
    graph : {"dynamic", "static", "feature", "none", "attention", "convolution"}
        The last two put a block of `seisbook.models.field_peers` in place of the paper's.
    informed : bool
        Whether the model is handed mean and scale of the conditional normal, which it then corrects.
    """

    channels: int = 32
    neighbours: int = 8
    graph: Literal["dynamic", "static", "feature", "none", "attention", "convolution"] = "dynamic"
    informed: bool = True


class Nodes(NamedTuple):
    """Nodes of events: stations, and points without a station.

    `features` (..., F); `place` (..., 3), east, north, up in units of 100 km; `relative` (..., 5), place from the
    source, and both distances; `observed` (...), whether a node sends; `base`, `unit` (..., 5): the prediction that is
    corrected, as a residual from the prior, and the unit of corrections.
    """

    features: Tensor
    place: Tensor
    relative: Tensor
    observed: Tensor
    base: Tensor
    unit: Tensor


def nodes_of(scene: Scene, normal: ConditionalNormal | None, positions: bool) -> Nodes:
    """What the model sees of a scene.

    Parameters
    ----------
    scene : Scene
    normal : ConditionalNormal, optional
        Fitted; hands over its mean and scale.
    positions : bool
        Whether the model knows where in the region a node is, and not only where it is as seen from the others.
    """
    source = scene.source
    offset = scene.pos - source.epicentre
    distance = np.hypot(*offset.T)
    depth = np.nan_to_num(source.depth_km, nan=USUAL_DEPTH_KM)
    slant = hypocentral_km(distance, depth)
    relative = np.column_stack([offset, np.full_like(distance, depth), distance, slant]) / 100
    known = np.isfinite(scene.residual)
    residual = np.clip(np.nan_to_num(scene.residual) / UNIT, -MOST_UNITS, MOST_UNITS)
    n = len(distance)
    shared = [np.log10(slant) - 2, np.full(n, (source.magnitude - 4.5) / 1.5), np.full(n, depth / 50)]
    terms = [scene.terms / UNIT, scene.left, scene.pos / 300 * positions]
    features = [residual, known, *(column[:, None] for column in shared), *terms]
    base, unit = np.zeros((n, OUT)), np.full((n, OUT), UNIT)
    if normal is not None:
        mean, unit = normal._predicted(scene)
        base = mean - scene.prior
        surprise = np.where(known, np.clip((np.nan_to_num(scene.residual) - base) / unit, -MOST_UNITS, MOST_UNITS), 0)
        features += [base / UNIT, np.log(unit / UNIT), surprise]
    place = np.column_stack([offset, np.zeros(n)]) / 100
    tensors = (np.concatenate(features, 1), place, relative, scene.observed, base, unit)
    return Nodes(*(torch.from_numpy(np.asarray(t, bool if t.dtype == bool else np.float32)) for t in tensors))


def batch_of(parts: list[Nodes]) -> Nodes:
    """Nodes of several events in one dense batch; padding is not observed."""
    nodes = Nodes(*(nn.utils.rnn.pad_sequence(values, batch_first=True) for values in zip(*parts, strict=True)))
    return nodes._replace(unit=nodes.unit.masked_fill(nodes.unit == 0, 1.0))  # of padding: a scale of 0 has no log


# --------------------------------------------------------------------------------------------------------------- model


class ValueStem(nn.Module):
    """Features of a node to its state: (B, N, F) to (B, N, 1, C), one step in time."""

    def __init__(self, features: int, channels: int):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(features, channels), nn.GELU(), nn.Linear(channels, channels))

    def forward(self, features: Tensor) -> Tensor:
        """Return the state."""
        return self.layers(features)[:, :, None]


class FieldBlock(STGCBlock):
    """The paper's block; `mask` holds the nodes that send, and every node receives.

    Shapes: `h` (B, N, 1, C), `pos` (B, N, 3), `mask` (B, N), `relative` (B, N, 5) to `h` (B, N, 1, C).
    """

    def neighbours(self, u: Tensor, pos: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the k nearest other nodes that send (B, N, k), and whether each is one."""
        weight = {"dynamic": self.config.geographic_weight, "static": 1.0, "feature": 0.0}[self.config.graph]
        other = ~torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device)
        pair = mask[:, None, :] & other
        between = pair & mask[:, :, None]  # scales come from the senders: they must not depend on who asks
        distance = weight * _scaled(torch.cdist(pos, pos) ** 2, between)
        if weight < 1:
            distance = distance + (1 - weight) * _scaled(torch.cdist(u, u) ** 2, between)
        distance = distance.masked_fill(~pair, torch.inf)
        index = distance.topk(min(self.config.neighbours, mask.shape[1]), largest=False).indices
        return index, pair.gather(2, index)


def _scaled(squared: Tensor, pair: Tensor) -> Tensor:
    """Squared distances (B, N, N) over their mean over the pairs; as they are where there is no pair."""
    count = pair.sum((1, 2), keepdim=True)
    mean = (squared * pair).sum((1, 2), keepdim=True) / count.clamp(min=1)
    return squared / torch.where(count > 0, mean, 1.0).clamp(min=1e-6)


BLOCKS = {"attention": SensorAttention, "convolution": FixedConvolution}
"""Blocks of the peers; every other graph is one of `FieldBlock`."""


class FieldModel(nn.Module):
    """Stem of values, graph convolutions, multi-scale readout at each node, head.

    Parameters
    ----------
    config : FieldConfig
    """

    def __init__(self, config: FieldConfig = FieldConfig()):
        super().__init__()
        c = config.channels
        self.config = config
        self.stem = ValueStem(FEATURES + INFORMED * config.informed, c)
        self.blocks = nn.ModuleList(BLOCKS.get(config.graph, FieldBlock)(config) for _ in range(config.blocks))
        scales = config.blocks + 1 if config.readout == "multiscale" else 1
        self.head = nn.Sequential(nn.Linear(c * scales + 2 * c, 2 * c), nn.GELU(), nn.Linear(2 * c, 2 * OUT))
        nn.init.zeros_(self.head[-1].weight)  # training begins from what is corrected
        nn.init.zeros_(self.head[-1].bias)

    def forward(self, nodes: Nodes) -> tuple[Tensor, Tensor]:
        """Residual from the prior, and its scale, at all nodes: (B, N, 5) each, log10."""
        h = self.stem(nodes.features)
        states = [h]
        for block in self.blocks:
            states.append(block(states[-1], nodes.place, nodes.observed, nodes.relative))
        at_node = torch.cat(states if self.config.readout == "multiscale" else states[-1:], -1)[:, :, 0]
        seen = self.seen(states[-1][:, :, 0], nodes.observed)[:, None].expand(-1, at_node.shape[1], -1)
        mean, log_scale = self.head(torch.cat([at_node, seen], -1)).chunk(2, -1)
        return nodes.base + nodes.unit * mean, nodes.unit * log_scale.clamp(*LOG_SCALE).exp()

    def seen(self, h: Tensor, observed: Tensor) -> Tensor:
        """Largest and mean state of the observed stations: (B, 2 C), zero without any."""
        mask = observed[..., None]
        largest = h.masked_fill(~mask, -FAR).amax(1).masked_fill(~mask.any(1), 0.0)
        return torch.cat([largest, (h * mask).sum(1) / mask.sum(1).clamp(min=1)], -1)
