r"""Epicentre, depth and magnitude from amplitudes alone, by the blocks of the field model: no onset, no time.

1. `ValueStem`: what is known of a station becomes a state, as in `seisbook.models.field_model`;
2. `FieldBlock`: graph convolutions among the stations;
3. `SourceModel`: each station votes for an epicentre, with a weight,

.. math:: \hat x = \sum_s a_s (x_s + \delta_s), \qquad a = \operatorname{softmax}(w),

and depth, magnitude and all scales are read from the largest and the mean state of the stations.

Positions are relative to the mean of the stations, weighted towards the strongest motion. A station also knows where in
the region it is, so that the model can learn where earthquakes are frequent.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from seisbook.models.attenuation_law import AttenuationLaw
from seisbook.models.error_model import TAIL
from seisbook.models.field_model import OUT, FieldBlock, ValueStem
from seisbook.models.field_training import _batches
from seisbook.models.graph import FAR, ModelConfig

UNIT_KM = 100.0
REGION_KM = 300.0  # unit of positions in the region
MOST_UNITS = 6.0  # standard deviations: a value beyond is wrong, however far it is
SHARPNESS = 1.5  # log10 of a station's weight in the centre, for each factor of ten in amplitude
FEATURES = 3 * OUT + 2
TARGETS = ("east", "north", "depth", "magnitude")
LOG_SCALE = -4.0, 3.0  # bounds
USUAL_LOG_DEPTH = 1.0  # log10 of 10 km
LEAST_KM = 1.0  # of a depth: less is not known


@dataclass(frozen=True)
class SourceConfig(ModelConfig):
    """Everything that defines a source model, see `ModelConfig`: small, as there are a few hundred events."""

    channels: int = 24
    blocks: int = 2
    neighbours: int = 8


@dataclass(frozen=True)
class SourceTraining:
    """How a source model is trained.

    Parameters
    ----------
    steps : int
        Batches, whatever the number of events.
    batch_size : int
    learning_rate, weight_decay : float
        Of AdamW; the rate rises over the first tenth of the steps and falls to zero.
    most_stations : int
        Stations of an event in a batch at most, drawn at random.
    least_share : float
        Smallest share of an event's stations in a batch; each time, a share is drawn.
    """

    steps: int = 800
    batch_size: int = 16
    learning_rate: float = 4e-3
    weight_decay: float = 0.01
    most_stations: int = 60
    least_share: float = 0.4


class Seen(NamedTuple):
    """Stations of one event or of a batch: `features` (..., n, F); `place` (..., n, 3) in 100 km; `mask` (..., n)."""

    features: Tensor
    place: Tensor
    mask: Tensor


class SourceModel(nn.Module):
    """Stem of values, graph convolutions, votes of the stations, head.

    Parameters
    ----------
    config : SourceConfig
    """

    def __init__(self, config: SourceConfig = SourceConfig()):
        super().__init__()
        c, scales = config.channels, config.blocks + 1
        self.config = config
        self.stem = ValueStem(FEATURES, c)
        self.blocks = nn.ModuleList(FieldBlock(config) for _ in range(config.blocks))
        self.vote = nn.Sequential(nn.Linear(c * (scales + 2), 2 * c), nn.GELU(), nn.Linear(2 * c, 3))
        self.head = nn.Sequential(nn.Linear(2 * c, 2 * c), nn.GELU(), nn.Linear(2 * c, 2 + len(TARGETS)))

    def forward(self, seen: Seen) -> tuple[Tensor, Tensor]:
        """Mean and scale of `TARGETS`, in their units: (B, 4) each."""
        return self.source(seen, *self.embedded(seen))

    def embedded(self, seen: Seen) -> tuple[Tensor, Tensor]:
        """States of all blocks and of all stations together at each node (B, n, (blocks + 3) C), and the latter."""
        h = self.stem(seen.features)
        states, distance = [h], seen.place.norm(dim=-1, keepdim=True)
        relative = torch.cat([seen.place, distance, distance], -1)
        for block in self.blocks:
            states.append(block(states[-1], seen.place, seen.mask, relative))
        pooled = _pooled(states[-1][:, :, 0], seen.mask)
        at_node = torch.cat(states, -1)[:, :, 0]
        return torch.cat([at_node, pooled[:, None].expand(-1, at_node.shape[1], -1)], -1), pooled

    def source(self, seen: Seen, at_node: Tensor, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and scale of `TARGETS` from what `embedded` returns."""
        votes = self.vote(at_node)
        share = votes[..., 2].masked_fill(~seen.mask, -FAR).softmax(-1)[..., None]
        epicentre = (share * (seen.place[..., :2] + votes[..., :2])).sum(1)
        others = self.head(pooled)
        return torch.cat([epicentre, others[:, :2]], -1), others[:, 2:].clamp(*LOG_SCALE).exp()


def _pooled(h, mask):
    """Largest and mean state of the stations: (B, 2 C)."""
    mask = mask[..., None]
    return torch.cat([h.masked_fill(~mask, -FAR).amax(1), (h * mask).sum(1) / mask.sum(1)], -1)


@dataclass
class SourceNetwork:
    """A source model with its training: `fit`, `predict`.

    Parameters
    ----------
    config : SourceConfig
    training : SourceTraining
    random_state : int

    Attributes
    ----------
    model_ : SourceModel
    law_ : AttenuationLaw
        Whose terms of stations are taken from the values.
    history_ : list of float
        Loss of each step.
    """

    config: SourceConfig = field(default_factory=SourceConfig)
    training: SourceTraining = field(default_factory=SourceTraining)
    random_state: int = 0

    def fit(self, fields):
        """Fit the law, and train the model."""
        torch.manual_seed(self.random_state)
        self.law_ = AttenuationLaw().fit(fields)
        values = self._corrected(fields)[0]
        self.middle_, self.spread_ = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
        self.usual_ = float(fields.magnitude.mean()), float(fields.magnitude.std() + 0.1)
        self.model_ = self._model()
        self._train(fields)
        return self

    def _model(self):
        return SourceModel(self.config)

    def _train(self, fields):
        training, rng = self.training, np.random.default_rng(self.random_state)
        rate = {"lr": training.learning_rate, "weight_decay": training.weight_decay}
        optimiser = torch.optim.AdamW(self.model_.parameters(), **rate)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, training.learning_rate, total_steps=training.steps + 1, pct_start=0.1
        )
        corrected, batches, self.history_ = self._corrected(fields), [], []
        for _ in range(training.steps):
            batches = batches or _batches(np.minimum(fields.sizes, training.most_stations), training.batch_size, rng)
            chosen = batches.pop()
            loss = self._loss(fields, corrected, chosen, rng)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.model_.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            self.history_.append(loss.item())
        self.model_.eval()

    def _loss(self, fields, corrected, chosen, rng):
        parts = [self._seen(fields, corrected, i, self._drawn(fields.sizes[i], rng)) for i in chosen]
        seen, centres = _batch(parts)
        target = self._targets(fields, chosen, centres)
        return source_loss(*self.model_(seen), torch.from_numpy(target.astype(np.float32)))

    def _drawn(self, size, rng):
        """Stations of an event that are seen this time."""
        share = rng.uniform(self.training.least_share, 1)
        most = min(max(round(share * size), 2), self.training.most_stations, size)
        return np.sort(rng.permutation(size)[:most])

    def _targets(self, fields, chosen, centres):
        """What the model should say (events, 4); a depth that is not known is NaN."""
        place = (fields.epicentre[chosen] - centres) / UNIT_KM
        depth = np.log10(np.maximum(fields.depth_km[chosen], LEAST_KM)) - USUAL_LOG_DEPTH
        return np.column_stack([place, depth, (fields.magnitude[chosen] - self.usual_[0]) / self.usual_[1]])

    def _corrected(self, fields):
        """Values without the terms of their stations, and the share of the terms' variance that is left."""
        terms, left = self.law_.site_terms(fields)
        return fields.values - terms, left

    def _seen(self, fields, corrected, i, chosen=None):
        """What the model sees of an event, and the centre of its positions."""
        rows = fields.rows(i)
        chosen = np.arange(fields.sizes[i]) if chosen is None else chosen
        values, left, pos = (part[rows][chosen] for part in (*corrected, fields.pos))
        z = self._standard(values)
        known = np.isfinite(z)
        strength = np.where(known.any(1), np.nan_to_num(values).sum(1) / np.maximum(known.sum(1), 1), -np.inf)
        weight = 10 ** (SHARPNESS * np.clip(strength - strength.max(), -MOST_UNITS, 0))
        centre = (weight[:, None] * pos).sum(0) / weight.sum()
        place = np.column_stack([(pos - centre) / UNIT_KM, np.zeros(len(pos))])
        features = np.concatenate([np.nan_to_num(z), known, left, pos / REGION_KM], 1)
        tensors = (torch.from_numpy(part.astype(np.float32)) for part in (features, place))
        return Seen(*tensors, torch.ones(len(pos), dtype=torch.bool)), centre

    def _standard(self, values):
        """Values in standard deviations from the mean of their measure."""
        return np.clip((values - self.middle_) / self.spread_, -MOST_UNITS, MOST_UNITS)

    @torch.no_grad()
    def predict(self, fields) -> np.ndarray:
        """East and north in km, depth in km, and magnitude of each event: (events, 4)."""
        corrected, rows = self._corrected(fields), []
        for i in range(len(fields)):
            seen, centre = _batch([self._seen(fields, corrected, i)])
            rows.append(self._source(self.model_(seen)[0][0], centre[0]))
        return np.array(rows)

    def _source(self, mean, centre):
        """East, north, depth and magnitude from what the model says (4,)."""
        mean = mean.double().numpy()
        depth = 10 ** (mean[2] + USUAL_LOG_DEPTH)
        return [*(centre + UNIT_KM * mean[:2]), depth, self.usual_[0] + self.usual_[1] * mean[3]]


def _batch(parts):
    """Stations of several events in one dense batch, and the centres (events, 2)."""
    seen, centres = zip(*parts, strict=True)
    padded = (nn.utils.rnn.pad_sequence(values, batch_first=True) for values in zip(*seen, strict=True))
    return Seen(*padded), np.array(centres)


def source_loss(mean, scale, target) -> Tensor:
    """Student-t likelihood of the targets, without constants, see `seisbook.models.field_training.field_loss`.

    Parameters
    ----------
    mean, scale, target : Tensor, shape (B, 4)
        NaN of the target do not count.
    """
    known = target.isfinite()
    z = (torch.where(known, target, mean) - mean) / scale
    terms = scale.log() + (TAIL + 1) / 2 * torch.log1p(z**2 / TAIL)
    return (terms * known).sum(0).div(known.sum(0).clamp(min=1)).sum()
