"""Many trainings at once: the graph part of R replicas, with stacked weights, in one pass.

This is the study recipe. The stem is trained once, on the network's twin, and frozen; what it finds at each station is
computed once; only the graph part is trained, for each replica on its own events, from its own initial weights, in its
own order. Stacking changes nothing but the speed: the gradient of the sum of the replicas' losses with respect to one
replica's weights is that of its own loss.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from tqdm import tqdm

from seisbook import peers
from seisbook.errors import UserError
from seisbook.model import ModelConfig, NodeFeatures, Prediction
from seisbook.training import Events, TrainingConfig, _drop_stations, estimate_loss, negative_log_likelihood


@dataclass
class FrozenEvents:
    """Events as a frozen stem sees them, padded to the largest one: E events, N stations, C channels, t steps.

    Parameters
    ----------
    features : NodeFeatures
        `state` (E, N, C, t), `onset_s`, `confidence` (E, N, 2), `amplitude` (E, N).
    pos : Tensor, shape (E, N, 3)
    mask : Tensor of bool, shape (E, N)
        Stations of each event, the first ones; sorted by the time of their P onset.
    y : Tensor, shape (E, 4)
    """

    features: NodeFeatures
    pos: Tensor
    mask: Tensor
    y: Tensor

    @classmethod
    @torch.no_grad()
    def from_events(cls, model, events: Events, stations=32):
        """Run the model's stem over all events, and keep the first `stations` of each to record P."""
        model.eval()
        parts = [_first(model, events.batch(np.array([i])), stations) for i in range(len(events))]
        *values, mask = (torch.cat(column) for column in zip(*parts, strict=True))
        state, onset, confidence, amplitude, pos = values
        return cls(NodeFeatures(state, onset, confidence, amplitude), pos, mask, events.y)

    def __len__(self):
        return len(self.y)

    def batch(self, index):
        """Features, positions, mask and labels of the events at `index`, of any shape; as few stations as they need."""
        mask = self.mask[index]
        n = int(mask.sum(-1).max())
        features = NodeFeatures(
            self.features.state[index][..., :n, :, :],
            *(value[index][..., :n, :] for value in self.features[1:3]),
            self.features.amplitude[index][..., :n],
        )
        return features, self.pos[index][..., :n, :], mask[..., :n], self.y[index]


def _first(model, batch, stations):
    """One event's features, positions and mask (1, stations, ...) of the first stations to record P, padded."""
    features = model.encode(batch.traces, batch.amplitude, batch.mask)
    order = features.onset_s[0, :, 0].argsort()[:stations]
    kept = [value[:, order] for value in (*features[:4], batch.pos, batch.mask)]
    return [torch.cat([value, value.new_zeros(1, stations - len(order), *value.shape[2:])], 1) for value in kept]


class GraphPart(nn.Module):
    """The loss of a model's graph part on what the stem found, as a module: callable with any weights."""

    def __init__(self, model: nn.Module, training: TrainingConfig):
        super().__init__()
        self.model = model
        self.training_config = training

    def forward(self, state, onset_s, confidence, amplitude, pos, mask, y) -> Tensor:
        """Return the loss of one batch."""
        prediction = self.model.locate(NodeFeatures(state, onset_s, confidence, amplitude), pos, mask)
        loss = negative_log_likelihood(prediction, y).sum(-1).mean()
        return loss + self.training_config.estimate_weight * estimate_loss(prediction, y, self.model.config)


@dataclass
class EnsembleLocator:
    """R replicas of a model's graph part, trained together.

    Parameters
    ----------
    architecture : str
        One of `seisbook.peers.NAMES`.
    config : ModelConfig
    training : TrainingConfig
        The auxiliary onset loss, time shift and noise concern the stem and are not used.
    seeds : sequence of int
        One a replica: initial weights, batch order, station dropout.

    Attributes
    ----------
    parameters_ : dict of str to Tensor, shape (R, ...)
    history_ : list of ndarray, shape (R,)
        Each epoch's mean loss.
    """

    architecture: str = "dynamic"
    config: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    seeds: tuple[int, ...] = (0,)

    def fit(self, events: FrozenEvents, subsets, progress=True):
        """Train replica `r` on the events `subsets[r]`; all subsets have the same size.

        Raises
        ------
        UserError
            If there is not one subset a seed, they differ in size, or a loss diverges.
        """
        if len(subsets) != len(self.seeds) or len({len(subset) for subset in subsets}) != 1:
            raise UserError("an ensemble needs one subset of events a seed, all of the same size")
        self._initialise()
        generators = [torch.Generator().manual_seed(seed) for seed in self.seeds]
        size = min(self.training.batch_size, len(subsets[0]))
        steps = len(subsets[0]) // size
        optimiser, schedule = self._optimiser(steps)
        self.history_ = []
        for _ in tqdm(range(self.training.epochs), desc=f"{len(self.seeds)} trainings", disable=not progress):
            order = self._orders(events, subsets, generators, steps * size).reshape(len(self.seeds), steps, size)
            losses = [self._step(events, order[:, step], generators, optimiser, schedule) for step in range(steps)]
            self.history_.append(torch.stack(losses).mean(0).numpy())
        return self

    def _initialise(self):
        models = []
        for seed in self.seeds:
            torch.manual_seed(seed)
            models.append(GraphPart(peers.build(self.architecture, self.config), self.training))
        parameters, self._buffers = stack_module_state(models)
        self._shape = models[0].eval()  # whose weights are replaced at each call; no random dropout inside vmap
        trained = {name: value for name, value in parameters.items() if ".stem." not in name}
        self.parameters_ = {name: value.detach().requires_grad_() for name, value in trained.items()}

    def _optimiser(self, steps):
        t = self.training
        decayed = [value for value in self.parameters_.values() if value.ndim > 2]  # one more than a single model's
        others = [value for value in self.parameters_.values() if value.ndim <= 2]
        groups = [{"params": decayed, "weight_decay": t.weight_decay}, {"params": others, "weight_decay": 0.0}]
        optimiser = torch.optim.AdamW(groups, lr=t.learning_rate)
        total = t.epochs * steps + 1
        return optimiser, torch.optim.lr_scheduler.OneCycleLR(optimiser, t.learning_rate, total, pct_start=t.warmup)

    def _orders(self, events, subsets, generators, n):
        """Each replica's events in a new order, batches of similar size together, shape (R, n)."""
        sizes = events.mask.sum(1).numpy()
        orders = []
        for subset, generator in zip(subsets, generators, strict=True):
            shuffled = np.asarray(subset)[torch.randperm(len(subset), generator=generator).numpy()][:n]
            chunks = np.array_split(shuffled, max(1, n // (8 * self.training.batch_size)))
            orders.append(np.concatenate([chunk[np.argsort(sizes[chunk], kind="stable")] for chunk in chunks]))
        return torch.from_numpy(np.stack(orders))

    def _step(self, events, index, generators, optimiser, schedule):
        features, pos, mask, y = events.batch(index)  # (R, B, N, ...)
        dropped = [  # drawn for all places, so that the draws do not depend on the other replicas' largest event
            _drop_stations(one, self.training.station_dropout, generator)[:, : mask.shape[-1]]
            for one, generator in zip(events.mask[index], generators, strict=True)
        ]
        loss = self._losses(*features[:4], pos, torch.stack(dropped), y)
        if not torch.isfinite(loss).all():
            raise UserError("the loss of a replica diverged: lower learning_rate")
        optimiser.zero_grad(set_to_none=True)
        loss.sum().backward()
        self._clip()
        optimiser.step()
        schedule.step()
        return loss.detach()

    def _losses(self, *batch):
        def loss(parameters, buffers, *one):
            return functional_call(self._shape, (parameters, buffers), one)

        return vmap(loss)(self.parameters_, self._buffers, *batch)

    def _clip(self):
        """Scale each replica's gradient to the largest norm allowed."""
        gradients = [value.grad for value in self.parameters_.values() if value.grad is not None]
        norm = torch.sqrt(sum((g.reshape(len(g), -1) ** 2).sum(1) for g in gradients))  # (R,)
        factor = (self.training.clip / (norm + 1e-6)).clamp(max=1)
        for gradient in gradients:
            gradient *= factor.reshape(-1, *[1] * (gradient.ndim - 1))

    @torch.no_grad()
    def predict(self, events: FrozenEvents, index=None, batch_size=256) -> Prediction:
        """Predictions of all replicas for the events at `index`: each field has a leading dimension R."""
        index = np.arange(len(events)) if index is None else np.asarray(index)
        model = _Locate(self._shape.model)

        def locate(parameters, buffers, *batch):
            return tuple(functional_call(model, (parameters, buffers), batch))

        parts = []
        for first in range(0, len(index), batch_size):
            features, pos, mask, _ = events.batch(torch.from_numpy(index[first : first + batch_size]))
            over_replicas = (0, 0, *[None] * 6)
            parts.append(vmap(locate, over_replicas)(self.parameters_, self._buffers, *features[:4], pos, mask))
        return Prediction(*(torch.cat(values, 1) for values in zip(*parts, strict=True)))


class _Locate(nn.Module):
    """`locate` as a forward pass."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, state, onset_s, confidence, amplitude, pos, mask):
        return self.model.locate(NodeFeatures(state, onset_s, confidence, amplitude), pos, mask)
