r"""The dynamic multi-scale graph model, from seismograms to hypocentre, magnitude and their uncertainty.

One file, read from top to bottom:

1. `Stem`: each station's seismogram becomes a state of channels and time, and a probability of each onset at each time;
2. `STGCBlock`: a spatio-temporal graph convolution. The state is convolved in time, then each station takes the largest
   message of its nearest neighbours, near in space *and* in features, found anew in every block;
3. `GraphModel`: stem, blocks, multi-scale readout (the embeddings of all blocks, concatenated), heads.

The ablations are switches of the same class, see `ModelConfig`. Dense batches with a mask, as PyG's dense convention:
`B` events, `N` stations (padded), `T` samples, `t` steps of the state, `C` channels.
"""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seisbook.datasets.events import NodeFeatures

P_SPEED_KM_S = 5.0  # turns the window's length into the scale of distances that it can hold
FAR = 1e9


@dataclass(frozen=True)
class ModelConfig:
    """Everything that defines a model.

    Parameters
    ----------
    window_s, sampling_rate_hz : float
        Length and sampling rate of the seismograms. Distances, depths and times are scaled by the window, which suits
        the network's aperture.
    channels, blocks, neighbours : int
        Width, depth, and `k` of the nearest-neighbour graph. Events with up to `k + 1` stations have one graph only,
        the complete one; half of all events have seven stations or fewer, so that `k` must be small for the graph to
        matter.
    graph : {"dynamic", "static", "feature", "none"}
        Mixed distance found anew in each block; geographic distance alone (the same graph in every block); feature
        distance alone; no edges.
    geographic_weight : float
        `lambda` of the mixed distance.
    readout : {"multiscale", "last"}
        Concatenate the embeddings of all blocks, or take that of the last.
    aggregation : {"max", "mean", "softmax"}
        How a station sums up its neighbours' messages.
    """

    window_s: float = 120.0
    sampling_rate_hz: float = 20.0
    channels: int = 64
    blocks: int = 3
    neighbours: int = 4
    graph: Literal["dynamic", "static", "feature", "none"] = "dynamic"
    geographic_weight: float = 0.5
    readout: Literal["multiscale", "last"] = "multiscale"
    aggregation: Literal["max", "mean", "softmax"] = "max"

    def __post_init__(self):
        """Refuse what no computer can build, before it is built: a card may come from a stranger."""
        limits = {
            "window_s": (0, 100_000),  # a day
            "sampling_rate_hz": (0, 1e7),  # as in a laboratory
            "channels": (1, 512),  # with the blocks: weights of less than a gigabyte
            "blocks": (0, 32),
            "neighbours": (0, 1000),
            "geographic_weight": (0, 1000),
        }
        for name, (least, most) in limits.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be from {least} to {most:g}")
        if not 1 <= self.window_s * self.sampling_rate_hz <= 1_000_000:
            raise ValueError("window_s times sampling_rate_hz must be from 1 to 1000000 samples")

    @property
    def time_scale_s(self) -> float:
        """Unit of times inside the model: a sixth of the window."""
        return self.window_s / 6

    @property
    def distance_scale_km(self) -> float:
        """Unit of distances inside the model: how far P travels in the unit of time."""
        return self.time_scale_s * P_SPEED_KM_S

    @property
    def depth_scale_km(self) -> float:
        """Unit of depths inside the model."""
        return self.distance_scale_km / 2


class Prediction(NamedTuple):
    """Prediction for each event of a batch.

    `epicentre` (B, 2), east and north in km; `depth` (B,) in km; `magnitude` (B,); `epicentre_tril` (B, 2, 2), lower
    Cholesky factor of the scale matrix (km); `depth_scale` (B,) in km; `magnitude_scale` (B,); `embedding` (B, E), the
    multi-scale embedding; `estimates` (B, blocks, 3), each block's hypocentre; the heads refine the last one.
    """

    epicentre: Tensor
    depth: Tensor
    magnitude: Tensor
    epicentre_tril: Tensor
    depth_scale: Tensor
    magnitude_scale: Tensor
    embedding: Tensor
    estimates: Tensor


class TemporalConv(nn.Module):
    """Convolution in time with three taps, as one matrix product: (..., T, C) to (..., T, out).

    Time before channels makes every layer of this file a product of large matrices, which trains twice as fast on a CPU
    as `Conv1d` with as few channels as these.
    """

    def __init__(self, channels: int, out: int, dilation: int = 1):
        super().__init__()
        self.dilation = dilation
        self.linear = nn.Linear(3 * channels, out)

    def forward(self, x: Tensor) -> Tensor:
        """Return the filtered channels; beyond its ends, `x` counts as zero."""
        d, steps = self.dilation, x.shape[-2]
        x = F.pad(x, (0, 0, d, d))
        return self.linear(torch.cat([x[..., i * d : i * d + steps, :] for i in range(3)], -1))


class Down(nn.Module):
    """Convolution in time, eight taps wide, at every fourth step: (stations, T, C) to (stations, T/4, out)."""

    def __init__(self, channels: int, out: int):
        super().__init__()
        self.linear = nn.Linear(4 * channels, 2 * out)

    def forward(self, x: Tensor) -> Tensor:
        """Return the filtered channels; each step is the sum of what four samples and the four before them say."""
        x = F.pad(x, (0, 0, 0, -x.shape[1] % 4))
        now, later = self.linear(x.reshape(len(x), x.shape[1] // 4, -1)).chunk(2, -1)
        return now + F.pad(later, (0, 0, 1, -1))


class Up(nn.Module):
    """The reverse of `Down`: (stations, T/4, C) to (stations, T, out)."""

    def __init__(self, channels: int, out: int):
        super().__init__()
        self.linear = nn.Linear(channels, 4 * out)

    def forward(self, x: Tensor, steps: int) -> Tensor:
        """Return four steps for each one, cut to `steps`."""
        return self.linear(x).reshape(len(x), 4 * x.shape[1], -1)[:, :steps]


class Stem(nn.Module):
    """Strided temporal convolutions, per station, down to the state and back up to onset probabilities.

    Shapes: `x` (stations, 3, T), scaled to unit peak, to `state` (stations, T/256, C) and `logits` (stations, 2, T/4).
    """

    stride = 4  # of each of the four levels; onsets are found on the first one's steps

    def __init__(self, channels: int):
        super().__init__()
        widths = [3, 16, 32, channels, channels]
        self.down = nn.ModuleList(Down(a, b) for a, b in pairwise(widths))
        self.context = nn.ModuleList(TemporalConv(channels, channels, dilation=d) for d in (1, 2))
        self.up = nn.ModuleList(Up(b, a) for a, b in pairwise(widths[1:]))
        self.onset = TemporalConv(widths[1], 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the state and the logits of P and S."""
        x, levels = x.transpose(1, 2), []
        for conv in self.down:
            x = F.relu(conv(x))
            levels.append(x)
        for conv in self.context:
            x = x + F.relu(conv(x))
        state = x
        for conv, fine in zip(reversed(self.up), reversed(levels[:-1]), strict=True):
            x = F.relu(fine + conv(x, fine.shape[1]))
        return state, self.onset(x).transpose(1, 2)


def local_onset(logits: Tensor, reach: int = 3) -> tuple[Tensor, Tensor]:
    r"""Onset in steps, with fraction, and its log-probability: the mean of the distribution within `reach` of its peak.

    .. math:: \hat s = \frac{\sum_{|s - s^*| \le r} s\, p_s}{\sum_{|s - s^*| \le r} p_s}, \qquad s^* = \arg\max_s p_s

    Parameters
    ----------
    logits : Tensor, shape (..., steps)

    Returns
    -------
    step, log_probability : Tensor, shape (...)
    """
    steps = torch.arange(logits.shape[-1], device=logits.device)
    near = (steps - logits.argmax(-1, keepdim=True)).abs() <= reach
    inside = logits.masked_fill(~near, -FAR)
    step = (inside.softmax(-1) * steps).sum(-1)
    return step, inside.logsumexp(-1) - logits.logsumexp(-1)


class STGCBlock(nn.Module):
    r"""Spatio-temporal graph convolution, with the graph rebuilt from where the stations are and what they have seen.

    .. math::
        d^2_{ij} &= \lambda \lVert p_i - p_j \rVert^2 / s_p + (1 - \lambda) \lVert u_i - u_j \rVert^2 / s_u, \\
        m_i &= \max_{j \in \mathrm{kNN}(i)} \mathrm{ReLU}\bigl(W [u_i,\; u_j - u_i,\; p_j - p_i,\; q_i]\bigr)

    with `u` the normalised mean of the state over time, `p` the position in units of the network's scale, `s` the mean
    of each squared distance over the event's pairs of stations, without which one of the two would drown the other, and
    `q` the position relative to the hypocentre that the previous block estimated, so that each block can look at what
    is left to explain. The message is added at all times of the state.

    Shapes: `h` (B, N, t, C), `pos` (B, N, 3), `mask` (B, N), `relative` (B, N, 5) to `h` (B, N, t, C).
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        c = config.channels
        self.config = config
        self.temporal = TemporalConv(c, c)
        self.norm = nn.LayerNorm(c)
        self.own = nn.Linear(c + 5, c)  # W on u_i and q_i
        self.other = nn.Linear(c, c, bias=False)  # W on u_j - u_i
        self.offset = nn.Linear(3, c, bias=False)  # W on p_j - p_i
        self.out = nn.Linear(c, c)
        self.update = nn.Sequential(nn.LayerNorm(c), nn.Linear(c, 2 * c), nn.GELU(), nn.Linear(2 * c, c))

    def forward(self, h: Tensor, pos: Tensor, mask: Tensor, relative: Tensor) -> Tensor:
        """Return the state after a convolution in time and one over the graph."""
        h = h + F.gelu(self.temporal(h))
        u = self.norm(h.mean(2))  # (B, N, C)
        message = self.own(torch.cat([u, relative], -1))
        if self.config.graph == "none":
            message = F.relu(message)
        else:
            neighbour, valid = self.neighbours(u, pos, mask)
            message = self.aggregate(u, pos, message, neighbour, valid)
        node = self.out(message)
        node = node + self.update(u + node)
        return h + node[:, :, None]

    def neighbours(self, u: Tensor, pos: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the k nearest other stations (B, N, k) and whether each is one (events may have fewer)."""
        weight = {"dynamic": self.config.geographic_weight, "static": 1.0, "feature": 0.0}[self.config.graph]
        pair = mask[:, :, None] & mask[:, None, :] & ~torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device)
        distance = weight * _relative(torch.cdist(pos, pos) ** 2, pair)
        distance = distance + (1 - weight) * _relative(torch.cdist(u, u) ** 2, pair)
        distance = distance.masked_fill(~pair, FAR)
        nearest, index = distance.topk(min(self.config.neighbours, mask.shape[1]), largest=False)
        return index, nearest < FAR

    def aggregate(self, u: Tensor, pos: Tensor, own: Tensor, neighbour: Tensor, valid: Tensor) -> Tensor:
        """Sum up the messages ReLU(W [...]) of the neighbours; a station without any gets its own part alone."""
        sender = self.other(u) + self.offset(pos)  # W (u_j - u_i) = W u_j - W u_i, and so for the positions
        k = neighbour.shape[-1]
        index = neighbour.flatten(1)[..., None].expand(-1, -1, sender.shape[-1])
        received = sender.gather(1, index).unflatten(1, (-1, k)) - sender[:, :, None]  # (B, N, k, C)
        message = F.relu(own[:, :, None] + received)
        if self.config.aggregation == "max":
            message = message.masked_fill(~valid[..., None], 0.0).amax(2)
        else:
            share = valid[..., None].to(message.dtype)
            if self.config.aggregation == "softmax":
                share = message.masked_fill(~valid[..., None], -FAR).softmax(2) * share
            message = (message * share).sum(2) / share.sum(2).clamp(min=1e-6)
        return torch.where(valid.any(-1)[..., None], message, F.relu(own))

    def extra_repr(self) -> str:  # noqa: D102 (PyTorch's)
        return f"graph={self.config.graph}, k={self.config.neighbours}, aggregation={self.config.aggregation}"


def _relative(squared: Tensor, pair: Tensor) -> Tensor:
    """Squared distances (B, N, N) over their mean over the pairs of stations."""
    mean = (squared * pair).sum((1, 2), keepdim=True) / pair.sum((1, 2), keepdim=True).clamp(min=1)
    return squared / mean.clamp(min=1e-12)


class GraphModel(nn.Module):
    """Stem, spatio-temporal graph convolutions, multi-scale readout, heads.

    Positions enter as differences from a reference point of the event, the mean of its stations weighted towards the
    first ones to record it, and the epicentre comes out as a difference from it: moving the whole network moves the
    answer with it, exactly. (Turning the network does not turn the answer exactly: the Earth that the model has learnt
    is not the same in all directions.)

    Parameters
    ----------
    config : ModelConfig
    """

    def __init__(self, config: ModelConfig = ModelConfig()):
        super().__init__()
        c = config.channels
        self.config = config
        self.stem = Stem(c)
        self.reading = nn.Sequential(nn.Linear(9, c), nn.GELU(), nn.Linear(c, c))
        self.blocks = nn.ModuleList(STGCBlock(config) for _ in range(config.blocks))
        self.estimate = nn.ModuleList(nn.Linear(2 * c, 3) for _ in range(config.blocks))
        scales = config.blocks + 1 if config.readout == "multiscale" else 1
        self.head = nn.Sequential(nn.Linear(2 * c * scales + 3, 2 * c), nn.GELU(), nn.Linear(2 * c, 9))
        self.vote = nn.Linear(c, 2)  # each station's magnitude correction, and its weight
        self.sharpness = nn.Parameter(torch.tensor(1.0))  # of the reference point, log of 1 / time scale

    def forward(self, x: Tensor, pos: Tensor, amplitude: Tensor, mask: Tensor) -> Prediction:
        """Locate and size a batch of events.

        Parameters
        ----------
        x : Tensor, shape (B, N, 3, T)
            Seismograms; any scale, since each station is divided by its peak.
        pos : Tensor, shape (B, N, 3)
            East, north, up in km.
        amplitude : Tensor, shape (B, N)
            log10 of each station's peak.
        mask : Tensor of bool, shape (B, N)
            True where there is a station.
        """
        return self.locate(self.encode(x[mask], amplitude, mask), pos, mask)

    def encode(self, traces: Tensor, amplitude: Tensor, mask: Tensor) -> NodeFeatures:
        """Run the stem on the real stations, `traces` (stations, 3, T) in the order of `mask`; padding stays zero."""
        dtype = self.sharpness.dtype
        traces = traces.to(dtype)
        traces = traces / traces.abs().amax((1, 2), keepdim=True).clamp(min=torch.finfo(dtype).tiny)
        state, logits = self.stem(traces)
        step, confidence = local_onset(logits)
        onset_s = step * self.stem.stride / self.config.sampling_rate_hz
        return NodeFeatures(
            _padded(state, mask), _padded(onset_s, mask), _padded(confidence, mask), amplitude.to(dtype), logits
        )

    def locate(self, features: NodeFeatures, pos: Tensor, mask: Tensor) -> Prediction:
        """Run the graph part on what the stem found; the part that studies with a frozen stem train."""
        c = self.config
        onset = features.onset_s / c.time_scale_s
        first = onset[..., 0].masked_fill(~mask, FAR).amin(1, keepdim=True)  # (B, 1)
        onset = onset - first[..., None]
        reference = self.reference(onset[..., 0], pos, mask)  # (B, 1, 3)
        place = (pos.to(onset.dtype) - reference) / c.distance_scale_km
        place = place.masked_fill(~mask[..., None], 0.0)
        amplitude = features.amplitude.masked_fill(~mask, 0.0)
        reading = [onset, onset[..., 1:] - onset[..., :1], features.confidence, amplitude[..., None] / 2]
        reading = torch.cat([place, *reading], -1).masked_fill(~mask[..., None], 0.0)  # (B, N, 9)
        h = features.state + self.reading(reading)[:, :, None]
        pooled, estimates, estimate = [self.pool(h, mask)], [], h.new_zeros(len(h), 3)
        for block, improve in zip(self.blocks, self.estimate, strict=True):
            h = block(h, place, mask, self.relative(place, estimate))
            pooled.append(self.pool(h, mask))
            estimate = estimate + 0.3 * improve(pooled[-1])
            estimates.append(estimate)
        embedding = torch.cat(pooled, -1) if c.readout == "multiscale" else pooled[-1]
        out = self.head(torch.cat([embedding, estimate], -1))  # (B, 9)
        magnitude = self.magnitude(h, amplitude, mask) + 0.1 * out[:, 3]
        hypocentre = estimate + 0.3 * out[:, :3]
        return to_prediction(c, hypocentre, magnitude, out[:, 4:], reference, embedding, estimates)

    def reference(self, onset: Tensor, pos: Tensor, mask: Tensor) -> Tensor:
        """Mean of the stations, weighted towards the first ones to record P; the vertical stays where it is."""
        weight = (-onset * self.sharpness.exp()).masked_fill(~mask, -FAR).softmax(1)
        horizontal = (weight[..., None] * pos[..., :2].to(onset.dtype)).sum(1, keepdim=True)
        return F.pad(horizontal, (0, 1))

    def relative(self, place: Tensor, estimate: Tensor) -> Tensor:
        """Stations from the estimated hypocentre: east, north, up, epicentral and hypocentral distance, (B, N, 5)."""
        scale = self.config.depth_scale_km / self.config.distance_scale_km
        source = torch.stack([estimate[:, 0], estimate[:, 1], -estimate[:, 2] * scale], -1)
        offset = place - source[:, None]
        squared = offset**2
        epicentral = (squared[..., :2].sum(-1, keepdim=True) + 1e-6).sqrt()
        return torch.cat([offset, epicentral, (squared.sum(-1, keepdim=True) + 1e-6).sqrt()], -1)

    def pool(self, h: Tensor, mask: Tensor) -> Tensor:
        """Largest and mean value over the stations of the state's mean over time: (B, 2 C)."""
        u = h.mean(2)
        largest = u.masked_fill(~mask[..., None], -FAR).amax(1)
        return torch.cat([largest, (u * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)], -1)

    def magnitude(self, h: Tensor, amplitude: Tensor, mask: Tensor) -> Tensor:
        """Weighted mean of the stations' magnitudes, each its log amplitude plus a correction learnt from its state."""
        correction, weight = self.vote(h.mean(2)).unbind(-1)
        weight = weight.masked_fill(~mask, -FAR).softmax(1)
        return (weight * (amplitude + correction)).sum(1)

    def extra_repr(self) -> str:  # noqa: D102 (PyTorch's)
        return ", ".join(f"{key}={value}" for key, value in asdict(self.config).items())


def to_prediction(config, hypocentre, magnitude, raw, reference, embedding, estimates) -> Prediction:
    """Units back to km from the `reference` (B, 1, 3); Cholesky factor and scales from the unbounded `raw` (B, 5)."""
    unit = torch.tensor([config.distance_scale_km, config.distance_scale_km, config.depth_scale_km]).to(hypocentre)
    at = F.pad(reference[:, 0, :2], (0, 1))
    tril = torch.diag_embed(raw[:, :2].clamp(-7, 3).exp() * config.distance_scale_km)
    tril = tril + F.pad(raw[:, 2, None, None] * config.distance_scale_km * 0.1, (0, 1, 1, 0))
    hypocentre = at + hypocentre * unit
    return Prediction(
        epicentre=hypocentre[:, :2],
        depth=hypocentre[:, 2],
        magnitude=magnitude,
        epicentre_tril=tril,
        depth_scale=raw[:, 3].clamp(-7, 3).exp() * config.depth_scale_km,
        magnitude_scale=raw[:, 4].clamp(-6, 2).exp(),
        embedding=embedding,
        estimates=at[:, None] + torch.stack(estimates, 1) * unit,
    )


def _padded(values: Tensor, mask: Tensor) -> Tensor:
    """Values of the real stations (stations, ...) put in their places of a dense batch (B, N, ...)."""
    dense = values.new_zeros(*mask.shape, *values.shape[1:])
    dense[mask] = values
    return dense
