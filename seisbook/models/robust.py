r"""The graph model that bears what goes wrong, and knows what a second is worth.

It keeps what `seisbook.models.graph` takes from the paper: spatio-temporal graph convolutions on a graph that each
block rebuilds, and the embeddings of all blocks side by side. Three things are new:

1. `RobustStem` takes out spikes, sees small motion beside large (a logarithmic copy of the seismogram), and may say
   that an onset is *absent*. What it finds comes with its spread and its probability.
2. Between the blocks, Gauss-Newton steps on travel times improve the hypocentre. Messages see the residuals of the last
   estimate. Each block gives corrections of the onsets, and the logarithms of their weights.
3. Magnitudes are a vote of the stations in which an outlier has no say.

The switch `physics` of `RobustConfig` leaves out the second and the third.

Letters as in `seisbook.models.graph`: `B` events, `N` stations (padded), `T` samples, `t` steps of the state, `C`
channels.
"""

import math
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seisbook.datasets.events import NodeFeatures, batches
from seisbook.models.gauss_newton import ArrivalTimes, Prior, Residuals, step, student_weight, weighted_median
from seisbook.models.graph import FAR, Down, GraphModel, ModelConfig, Prediction, Stem, STGCBlock
from seisbook.models.station_terms import StationTerms
from seisbook.physics.timetable import Timetable

REACH = 6  # steps on either side of an onset's peak that count as it
LEAST_PROBABILITY = 0.2  # of an onset that counts
FEWEST_ONSETS = 6  # with fewer, all that were found count
SILENT = -30.0  # log amplitude below which a record holds nothing
RESIDUAL_FEATURES = 9
PLACE_FEATURES = 5
LOUDEST = 300.0  # of the logarithmic copy: what is 300 times smaller than the peak has a third of its height


@dataclass(frozen=True)
class RobustConfig(ModelConfig):
    """Everything that defines a robust model.

    Parameters
    ----------
    physics : bool
        Improve hypocentres by travel times between the blocks; without, the graph part is that of `GraphModel`.
    mixing : {"graph", "attention"}
        How a block puts the stations of an event together: the paper's graph convolution, or a transformer's attention
        over all stations, which sees the same positions and residuals.
    """

    physics: bool = True
    mixing: Literal["graph", "attention"] = "graph"


class Onsets(NamedTuple):
    """What the stem knows of each station; every value is padded (B, N, ...), and may have been computed before.

    `state` (..., t, C); `onset_s`, `spread_s` (..., 2), of P and S in seconds after the first sample; `log_probability`
    (..., 2) that there is an onset and it lies within `REACH` of where it was found; `absent` (..., 2), the probability
    that there is none; `amplitude` (...), log10 of the peak without spikes.
    """

    state: Tensor
    onset_s: Tensor
    spread_s: Tensor
    log_probability: Tensor
    absent: Tensor
    amplitude: Tensor


# ---------------------------------------------------------------------------------------------------------------- stem


def despiked(x: Tensor) -> Tensor:
    """Seismograms (..., T) without spikes of one sample.

    A spike is a sample that is far from the mean of its two neighbours, compared with how much they and the next ones
    differ. It becomes this mean. No earthquake is one: what moves the ground moves it for longer than a sample.
    """
    left, right = x[..., 1:-3], x[..., 3:-1]
    between = (left + right) / 2
    around = (left - x[..., :-4]).abs() + (right - left).abs() + (x[..., 4:] - right).abs()
    spike = (x[..., 2:-2] - between).abs() > 8 * around + 1e-6
    return torch.cat([x[..., :2], torch.where(spike, between, x[..., 2:-2]), x[..., -2:]], -1)


class RobustStem(Stem):
    """The stem of `GraphModel` on six channels: each component as it is, and compressed to `ln(1 + 300 |x|)`.

    Shapes: `x` (stations, 3, T) of any scale to `state` (stations, T/256, C), `logits` (stations, 2, T/4), `absent`
    (stations, 2), the logit that there is no onset in the window, and log10 of the peak (stations,).
    """

    def __init__(self, channels: int):
        super().__init__(channels)
        self.down[0] = Down(6, 16)
        self.absent = nn.Linear(2 * channels + 1, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the state, the logits of P and S at each step and of none, and the log peak."""
        x = despiked(x)
        peak = x.abs().amax((1, 2)).clamp(min=torch.finfo(x.dtype).tiny)
        x = x / peak[:, None, None]
        loud = x.sign() * (LOUDEST * x.abs()).log1p() / math.log1p(LOUDEST)  # asinh is five times slower
        state, logits = super().forward(torch.cat([x, loud], 1))
        total = logits.logsumexp(-1)
        evidence = (total - logits.mean(-1)).amax(-1, keepdim=True) / 10
        absent = self.absent(torch.cat([state.mean(1), state.amax(1), evidence], -1))
        return state, logits, absent + total.detach(), peak.log10()


def onsets_of(logits: Tensor, absent: Tensor, step_s: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Onset and spread in seconds, log-probability within `REACH` of the peak, and probability of none: (stations, 2).

    Parameters
    ----------
    logits : Tensor, shape (stations, 2, steps)
    absent : Tensor, shape (stations, 2)
    step_s : float
    """
    total = torch.logaddexp(logits.logsumexp(-1), absent)
    steps = torch.arange(logits.shape[-1], device=logits.device)
    offset = steps - logits.argmax(-1, keepdim=True)
    inside = logits.masked_fill(offset.abs() > REACH, -FAR)
    share = inside.softmax(-1)
    mean = (share * steps).sum(-1)
    variance = (share * (steps - mean[..., None]) ** 2).sum(-1)
    return mean * step_s, (variance + 1 / 12).sqrt() * step_s, inside.logsumexp(-1) - total, (absent - total).exp()


# -------------------------------------------------------------------------------------------------------------- blocks


class ResidualBlock(STGCBlock):
    """The paper's block, whose messages also see the residuals of the last estimate.

    `relative` has 14 features in place of 5: where the source is seen from the station, and the residuals.
    """

    def __init__(self, config: RobustConfig):
        super().__init__(config)
        self.own = nn.Linear(config.channels + PLACE_FEATURES + RESIDUAL_FEATURES, config.channels)


class AttentionBlock(nn.Module):
    """A transformer's layer over the stations of an event, in place of a graph convolution; same interface."""

    def __init__(self, config: RobustConfig):
        super().__init__()
        c, seen = config.channels, PLACE_FEATURES + (RESIDUAL_FEATURES if config.physics else 0)
        self.norm = nn.LayerNorm(c)
        self.enter = nn.Linear(c + seen, c)
        self.attention = nn.MultiheadAttention(c, 4, batch_first=True)
        self.update = nn.Sequential(nn.LayerNorm(c), nn.Linear(c, 2 * c), nn.GELU(), nn.Linear(2 * c, c))

    def forward(self, h: Tensor, pos: Tensor, mask: Tensor, relative: Tensor) -> Tensor:
        """Return the state (B, N, t, C) after the layer."""
        seen = self.enter(torch.cat([self.norm(h.mean(2)), relative], -1))
        node, _ = self.attention(seen, seen, seen, key_padding_mask=~mask, need_weights=False)
        node = node + self.update(seen + node)
        return h + node[:, :, None]


def _block(config):
    return AttentionBlock(config) if config.mixing == "attention" else ResidualBlock(config)


# --------------------------------------------------------------------------------------------------------------- model


class RobustModel(nn.Module):
    """Robust stem, blocks with travel times, readout over all blocks, heads.

    Parameters
    ----------
    config : RobustConfig
    network : seisbook.catalogues.networks.Network
        Its velocity model, the scatter of its onsets, and its magnitude relation. Its stations do not matter.
    """

    def __init__(self, config: RobustConfig, network):
        super().__init__()
        self.config = config
        self.stem = RobustStem(config.channels)
        self.graph = PhysicalGraph(config, network) if config.physics else PaperGraph(config)

    def forward(self, x: Tensor, pos: Tensor, amplitude: Tensor, mask: Tensor) -> Prediction:
        """Locate and size a batch of events; arguments as `GraphModel.forward`."""
        return self.locate(dense(self.read(x[mask], amplitude[mask])[0], mask), pos, mask)

    def read(self, traces: Tensor, amplitude: Tensor) -> tuple[Onsets, Tensor, Tensor]:
        """What the stem finds in seismograms (stations, 3, T) with log peaks (stations,), and its logits."""
        state, logits, absent, peak = self.stem(traces)
        found = onsets_of(logits, absent, self.step_s)
        return Onsets(state, *found, amplitude + peak.clamp(min=-40)), logits, absent

    @property
    def step_s(self) -> float:
        """Seconds between the steps at which onsets are looked for."""
        return self.stem.stride / self.config.sampling_rate_hz

    def locate(self, onsets: Onsets, pos: Tensor, mask: Tensor) -> Prediction:
        """Run the graph part on what the stem found, padded (B, N, ...); silent stations are left out."""
        return self.graph(onsets, pos, mask & (onsets.amplitude > SILENT))

    def extra_repr(self) -> str:  # noqa: D102 (PyTorch's)
        return ", ".join(f"{key}={value}" for key, value in asdict(self.config).items())


class PaperGraph(nn.Module):
    """The graph part of `GraphModel` on the onsets of the robust stem, unchanged but for blocks of another mixing."""

    def __init__(self, config: RobustConfig):
        super().__init__()
        fields = {name: getattr(config, name) for name in ModelConfig.__dataclass_fields__}
        self.model = GraphModel(ModelConfig(**fields))
        self.model.stem = nn.Identity()
        if config.mixing == "attention":
            self.model.blocks = nn.ModuleList(AttentionBlock(config) for _ in range(config.blocks))

    def learn_stations(self, events) -> None:
        """Learn nothing: the paper's model has no station terms."""

    def forward(self, onsets: Onsets, pos: Tensor, mask: Tensor) -> Prediction:
        """Locate and size a batch of events."""
        found = NodeFeatures(onsets.state, onsets.onset_s, onsets.log_probability, onsets.amplitude)
        return self.model.locate(found, pos, mask)


class PhysicalGraph(nn.Module):
    """Blocks between which Gauss-Newton steps on travel times improve the hypocentre.

    Parameters
    ----------
    config : RobustConfig
    network : seisbook.catalogues.networks.Network
    """

    def __init__(self, config: RobustConfig, network):
        super().__init__()
        c = config.channels
        self.config = config
        self.timetable = Timetable(network.velocity_model, config.window_s)
        self.times = ArrivalTimes(self.timetable, network.pick_scatter_s, network.pick_scatter_per_100km_s)
        relation = network.magnitude
        self.register_buffer("relation", torch.tensor([relation.b, relation.c, relation.d], dtype=torch.float32))
        self.register_buffer("depth_prior", torch.tensor([10.0, 100.0]))
        self.stations = StationTerms()
        self.reading = nn.Sequential(nn.Linear(14, c), nn.GELU(), nn.Linear(c, c))
        self.blocks = nn.ModuleList(_block(config) for _ in range(config.blocks))
        self.say = nn.ModuleList(_silent(nn.Linear(c, 5)) for _ in range(config.blocks))
        for say in self.say:
            nn.init.constant_(say.bias[4:], -3.0)  # S minus P begins with a small weight
        scales = config.blocks + 1 if config.readout == "multiscale" else 1
        self.head = nn.Sequential(nn.Linear(2 * c * scales, 2 * c), nn.GELU(), _silent(nn.Linear(2 * c, 7)))
        self.vote = nn.Sequential(nn.Linear(c + 3, c), nn.GELU(), _silent(nn.Linear(c, 2)))
        self.sharpness = 3.0 / config.time_scale_s

    # ------------------------------------------------------------------------------------------------- what is learnt

    @torch.no_grad()
    def learn_stations(self, events) -> None:
        """Take the depths and the station terms from training events, their labels and their true onsets.

        Terms of onsets, and of amplitudes, are kept if they help: each half of the events is located and sized with the
        terms of the other half, and without.
        """
        depth = events.y[:, 2]
        self.depth_prior = torch.stack([depth.median(), 3 * depth.std().clamp(min=1.0)])
        halves = [events.select(np.arange(first, len(events), 2)) for first in (0, 1)]
        errors = []
        for shown, held in (halves, halves[::-1]):
            self._learn_terms(shown)
            with_terms = self._errors_from_readings(held)
            self.stations.keep(False, False)
            errors.append(torch.stack([with_terms, self._errors_from_readings(held)]))
        helped = torch.stack(errors).sum(0)
        self._learn_terms(events)
        self.stations.keep(*(helped[0] < helped[1]).tolist())

    def _learn_terms(self, events):
        """Station terms: residuals of the true onsets and amplitudes at the labels."""
        batch, onset, valid = _readings(events)
        found = self.times.residuals(batch.y[:, :3], batch.pos, onset, torch.zeros_like(onset), valid)
        size = self.station_magnitudes(batch.y[:, :3], batch.pos, batch.amplitude) - batch.y[:, 3:]
        sized = size.isfinite() & batch.mask & (batch.amplitude > SILENT)
        values = torch.cat([found.value, torch.where(sized, -size, 0.0)[..., None]], -1)
        known = torch.cat([valid, sized[..., None]], -1)
        self.stations.learn(batch.pos[batch.mask], values[batch.mask], known[batch.mask])

    def _errors_from_readings(self, events):
        """Median epicentral error (km) of events located from their true onsets, and mean error of their magnitudes."""
        distances, sizes = [], []
        for index in batches(np.arange(len(events)), 64, keep_last=True):
            batch, onset, valid = _readings(events.select(index))
            terms = self.stations(batch.pos)
            onset = torch.where(valid, onset - terms[..., :2], 0.0)
            spread = torch.zeros_like(onset)
            x = self._start(self._reference(onset, valid, batch.pos, batch.mask), batch.pos, onset, spread, valid)
            distances.append((x[:, :2] - batch.y[:, :2]).norm(dim=-1))
            each = self.station_magnitudes(batch.y[:, :3], batch.pos, batch.amplitude + terms[..., 2])
            middle = weighted_median(each, (batch.mask & (batch.amplitude > SILENT)).float())
            sizes.append((middle - batch.y[:, 3]).abs())
        return torch.stack([torch.cat(distances).median(), torch.cat(sizes).nanmean()])

    # ------------------------------------------------------------------------------------------------------- location

    def forward(self, onsets: Onsets, pos: Tensor, mask: Tensor) -> Prediction:
        """Locate and size a batch of events."""
        config, scale = self.config, self.config.distance_scale_km
        pos = torch.where(mask[..., None], pos.float(), 0.0)
        terms = self.stations(pos)
        onset = onsets.onset_s - terms[..., :2]
        valid, spread = self._counting(onsets, mask)
        first = torch.where(valid & mask[..., None], onset, FAR).flatten(1).amin(1)
        onset = torch.where(mask[..., None], onset - first[:, None, None], 0.0)
        reference = self._reference(onset, valid, pos, mask)
        place = torch.where(mask[..., None], (pos - F.pad(reference, (0, 1))[:, None]) / scale, 0.0)
        amplitude = torch.where(mask, onsets.amplitude + terms[..., 2], 0.0)
        h = onsets.state + self.reading(self._said(onsets, onset, spread, place, amplitude, mask))[:, :, None]
        x = self._start(reference, pos, onset, spread, valid)
        pooled, estimates, normal = [_pool(h, mask)], [], None
        for block, say in zip(self.blocks, self.say, strict=True):
            found = self.times.residuals(x, pos, onset, spread, valid)
            seen = torch.cat([self._relative(x, reference, place), _residual_features(found, valid)], -1)
            h = block(h, place, mask, torch.where(mask[..., None], seen, 0.0))
            pooled.append(_pool(h, mask))
            said = say(h.mean(2))
            correction, gates = 0.03 * config.time_scale_s * said[..., :2], said[..., 2:].clamp(-7, 4)
            x, normal = self._improve(x, pos, onset, spread, valid, correction, gates)
            estimates.append(x)
        embedding = torch.cat(pooled, -1) if config.readout == "multiscale" else pooled[-1]
        out = self.head(embedding)
        x = x + scale * out[:, :3] * torch.tensor([0.02, 0.02, 0.05])
        magnitude = self._magnitude(x.detach(), pos, amplitude, h, onsets.absent, mask) + 0.1 * out[:, 6]
        return self._prediction(x, magnitude, normal, out, embedding, estimates)

    def _counting(self, onsets, mask):
        """Which onsets count, and their spreads; an event with too few of them makes do with all."""
        likely = onsets.log_probability > torch.tensor(LEAST_PROBABILITY).log()
        valid = likely & mask[..., None]
        few = (valid.flatten(1).sum(1) < FEWEST_ONSETS)[:, None, None]
        doubt = torch.where(likely, 0.0, 0.02 * self.config.time_scale_s)
        return valid | (few & mask[..., None]), onsets.spread_s + torch.where(few, doubt, 0.0)

    def _reference(self, onset, valid, pos, mask):
        """Mean place of the stations (B, 2), weighted towards those with the first P."""
        counts = valid[..., 0] & mask
        counts = torch.where(counts.any(1, keepdim=True), counts, mask)
        weight = (-onset[..., 0].clamp(min=0) * self.sharpness).masked_fill(~counts, -FAR).softmax(1)
        return (weight[..., None] * pos[..., :2]).sum(1)

    def _said(self, onsets, onset, spread, place, amplitude, mask):
        """Features of each station's reading (B, N, 14)."""
        unit = self.config.time_scale_s
        late = (onset / unit).clamp(-8, 8)
        lag = ((onset[..., 1:] - onset[..., :1]) / unit).clamp(-8, 8)
        sure = [(spread + 0.01).log(), onsets.log_probability.clamp(min=-6), onsets.absent]
        said = torch.cat([place, late, lag, *sure, amplitude[..., None] / 2, mask[..., None].float()], -1)
        return torch.where(mask[..., None], said, 0.0)

    @torch.no_grad()
    def _start(self, reference, pos, onset, spread, valid):
        """The best hypocentre of a grid around the reference, after three robust Gauss-Newton steps."""
        grid = self._grid(reference)
        x = self.times.start(grid, pos, onset, spread, valid, 0.06 * self.config.time_scale_s)
        for _ in range(3):
            found = self.times.residuals(x, pos, onset, spread, valid)
            weight = torch.where(valid, student_weight(found.value, found.sigma), 0.0)
            x, _ = self._step(x, found, F.pad(weight, (0, 1)))
        return x

    def _step(self, x, found, weight):
        prior = Prior(*self.depth_prior, self.timetable.deepest_km - 10)
        return step(x, found, weight, prior, self.config.distance_scale_km / 2)

    def _grid(self, reference):
        """Hypocentres (B, K, 3) on circles around the reference, at four depths of the prior."""
        radii = torch.tensor([0.06, 0.13, 0.25, 0.45, 0.8, 1.4]) * self.config.distance_scale_km
        angles = torch.arange(8) * torch.pi / 4
        circles = radii[:, None, None] * torch.stack([angles.sin(), angles.cos()], -1)
        flat = torch.cat([torch.zeros(1, 2), circles.flatten(0, 1)])
        middle, scatter = self.depth_prior
        depths = (middle + scatter * torch.tensor([-0.3, 0.0, 0.3, 0.9])).clamp(1.0, self.timetable.deepest_km - 10)
        grid = torch.cat([flat.repeat_interleave(4, 0), depths.repeat(len(flat))[:, None]], 1)
        return grid[None] + F.pad(reference, (0, 1))[:, None]

    def _relative(self, x, reference, place):
        """Stations seen from the source: east, north, up, epicentral and hypocentral distance (B, N, 5)."""
        source = torch.cat([x[:, :2] - reference, -x[:, 2:]], -1) / self.config.distance_scale_km
        offset = place - source[:, None]
        squared = offset**2
        epicentral = (squared[..., :2].sum(-1, keepdim=True) + 1e-6).sqrt()
        return torch.cat([offset, epicentral, (squared.sum(-1, keepdim=True) + 1e-6).sqrt()], -1)

    def _improve(self, x, pos, onset, spread, valid, correction, gates):
        """Two Gauss-Newton steps with what a block says; gradients pass through the corrections and weights."""
        both = valid.all(-1)
        counts = torch.cat([valid, both[..., None]], -1)
        normal = None
        for _ in range(2):
            with torch.no_grad():
                found = self.times.residuals(x, pos, onset, spread, valid)
            left = torch.where(valid, found.value - correction, 0.0)
            lag = torch.where(both, left[..., 1] - left[..., 0], 0.0)
            sigma = torch.cat([found.sigma, found.sigma.norm(dim=-1, keepdim=True)], -1)
            weight = student_weight(torch.cat([left, lag[..., None]], -1).detach(), sigma) * gates.exp()
            weight = torch.where(counts, weight, 0.0)
            x, normal = self._step(x.detach(), Residuals(left, found.sigma, found.slope), weight)
        return x, normal

    # ------------------------------------------------------------------------------------------------------ magnitude

    def station_magnitudes(self, x: Tensor, pos: Tensor, amplitude: Tensor) -> Tensor:
        """Magnitude of each station (B, N) by the network's relation, from log10 of its amplitude in nm."""
        b, c, d = self.relation
        squared = (x[:, None, :2] - pos[..., :2]).square().sum(-1) + (x[:, None, 2] + pos[..., 2]) ** 2
        r = squared.clamp(min=1.0).sqrt()
        return amplitude + b * r.log10() + c * r + d

    def _magnitude(self, x, pos, amplitude, h, absent, mask):
        """The stations' magnitudes, corrected and weighted by what their states say, without outliers."""
        each = self.station_magnitudes(x, pos, amplitude)
        middle = weighted_median(each, mask.float())
        off = torch.where(mask, each - middle[:, None], 0.0)
        seen = torch.stack([torch.asinh(5 * off), off.clamp(-1, 1), absent[..., 0]], -1)
        correction, gate = self.vote(torch.cat([h.mean(2), seen], -1)).unbind(-1)
        each = each + 0.3 * correction
        vote = gate.clamp(-6, 6).masked_fill(~mask, -FAR).softmax(1)
        magnitude = weighted_median(each.detach(), mask.float())
        for _ in range(2):  # a station four tenths of a unit off has half a say, two units off a twenty-fifth
            weight = vote / (1 + ((each - magnitude[:, None]) / 0.4).detach() ** 2)
            magnitude = (weight * each).sum(1) / weight.sum(1)
        return magnitude

    def _prediction(self, x, magnitude, normal, out, embedding, estimates):
        """Uncertainties: the covariance of the last step, stretched by what the head says."""
        eye = torch.eye(3)
        covariance = torch.linalg.inv(normal.detach() + 1e-6 * eye)
        tril = torch.linalg.cholesky(covariance[:, :2, :2] + 1e-4 * eye[:2, :2])
        return Prediction(
            epicentre=x[:, :2],
            depth=x[:, 2],
            magnitude=magnitude,
            epicentre_tril=tril * out[:, 3, None, None].clamp(-4, 4).exp(),
            depth_scale=covariance[:, 2, 2].clamp(min=1e-4).sqrt() * out[:, 4].clamp(-4, 4).exp(),
            magnitude_scale=(out[:, 5] - 1.5).clamp(-6, 2).exp(),
            embedding=embedding,
            estimates=torch.stack(estimates, 1),
        )


def _residual_features(found, valid):
    """Residuals as a block sees them (B, N, 9): each in units of its scatter, S minus P, scatters, what counts."""
    z = found.value / found.sigma
    both = valid.all(-1, keepdim=True)
    lag = (found.value[..., 1:] - found.value[..., :1]) / found.sigma.norm(dim=-1, keepdim=True)
    return torch.cat(
        [z.asinh(), torch.where(both, lag.asinh(), 0.0), z.abs().log1p(), found.sigma.log(), valid.float()], -1
    )


def _readings(events):
    """A dense batch of all events, their true onsets (B, N, 2), 0 where there is none, and where there is one."""
    batch = events.batch(np.arange(len(events)))
    onset = _padded(events.onset_s, batch.mask)
    return batch, onset.nan_to_num(), onset.isfinite() & batch.mask[..., None]


def _silent(layer):
    """A layer that says nothing before it is trained."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _pool(h, mask):
    u = h.mean(2)
    largest = u.masked_fill(~mask[..., None], -FAR).amax(1)
    return torch.cat([largest, (u * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)], -1)


def _padded(values, mask):
    """Values of the real stations (stations, ...) put in their places of a dense batch (B, N, ...)."""
    dense = values.new_zeros(*mask.shape, *values.shape[1:])
    dense[mask] = values
    return dense


def dense(onsets: Onsets, mask: Tensor) -> Onsets:
    """What was found at the real stations (stations, ...), padded (B, N, ...)."""
    return Onsets(*(_padded(value, mask) for value in onsets))
