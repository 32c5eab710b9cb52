"""Many trainings at once: the graph part of R replicas, with stacked weights, in one pass.

This is the study recipe. The stem is trained once, on the network's twin, and frozen; what it finds at each station is
computed once (`Events.read_by`); only the graph part is trained, for each replica on its own events, from its own
initial weights, in its own order. Stacking changes nothing but the speed: the gradient of the sum of the replicas'
losses with respect to one replica's weights is that of its own loss.
"""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from tqdm import tqdm

from seisbook.datasets.events import Events, NodeFeatures
from seisbook.errors import UserError
from seisbook.models import peers
from seisbook.models.augmentation import TrainingConfig, drop_stations
from seisbook.models.graph import ModelConfig, Prediction
from seisbook.models.losses import estimate_loss, negative_log_likelihood


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


class Seeds(NamedTuple):
    """Seeds of a training: of the initial weights, of the order of the events and of the station dropout."""

    initial: int
    order: int
    dropout: int


@dataclass
class EnsembleLocator:
    """R replicas of a model's graph part, trained together.

    Parameters
    ----------
    architecture : str
        One of `seisbook.models.peers.NAMES`.
    config : ModelConfig
    training : TrainingConfig
        The auxiliary onset loss, time shift and noise concern the stem and are not used.
    seeds : sequence of int or Seeds
        Seeds of each replica; a single number stands for all three.
    device : str
        Device, such as `cuda`, where many replicas take hardly longer than one. Random numbers are drawn on the CPU.

    Attributes
    ----------
    parameters_ : dict of str to Tensor, shape (R, ...)
    history_ : list of ndarray, shape (R,)
        Each epoch's mean loss.
    """

    architecture: str = "dynamic"
    config: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    seeds: tuple[int | Seeds, ...] = (0,)
    device: str = "cpu"

    def fit(self, events: Events, subsets, progress=True):
        """Train replica `r` on the events `subsets[r]`, read by a stem; all subsets have the same size.

        Raises
        ------
        UserError
            If there is not one subset a seed, they differ in size, or a loss diverges.
        """
        if len(subsets) != len(self.seeds) or len({len(subset) for subset in subsets}) != 1:
            raise UserError("an ensemble needs one subset of events a seed, all of the same size")
        seeds = [seed if isinstance(seed, Seeds) else Seeds(seed, seed, seed) for seed in self.seeds]
        self._initialise(seeds)
        events = _moved(events, self.device)
        orders = [torch.Generator().manual_seed(seed.order) for seed in seeds]
        dropouts = [torch.Generator().manual_seed(seed.dropout) for seed in seeds]
        size = min(self.training.batch_size, len(subsets[0]))
        steps = len(subsets[0]) // size
        optimiser, schedule = self._optimiser(steps)
        self.history_ = []
        for _ in tqdm(
            range(self.training.graph_epochs), desc=f"{len(self.seeds)} trainings", disable=None if progress else True
        ):
            order = self._orders(events, subsets, orders, steps * size).reshape(len(self.seeds), steps, size)
            losses = [self._step(events, order[:, step], dropouts, optimiser, schedule) for step in range(steps)]
            self.history_.append(torch.stack(losses).mean(0).cpu().numpy())
        return self

    def _initialise(self, seeds):
        models = []
        for seed in seeds:
            torch.manual_seed(seed.initial)
            models.append(GraphPart(peers.build(self.architecture, self.config), self.training))
        parameters, self._buffers = stack_module_state(models)
        self._shape = models[0].eval()  # whose weights are replaced at each call; no random dropout inside vmap
        trained = {name: value.to(self.device) for name, value in parameters.items() if ".stem." not in name}
        self.parameters_ = {name: value.detach().requires_grad_() for name, value in trained.items()}
        self._buffers = {name: value.to(self.device) for name, value in self._buffers.items()}

    def _optimiser(self, steps):
        t = self.training
        decayed = [value for value in self.parameters_.values() if value.ndim > 2]  # one more than a single model's
        others = [value for value in self.parameters_.values() if value.ndim <= 2]
        groups = [{"params": decayed, "weight_decay": t.weight_decay}, {"params": others, "weight_decay": 0.0}]
        optimiser = torch.optim.AdamW(groups, lr=t.learning_rate)
        total = t.graph_epochs * steps + 1
        return optimiser, torch.optim.lr_scheduler.OneCycleLR(optimiser, t.learning_rate, total, pct_start=t.warmup)

    def _orders(self, events, subsets, generators, n):
        """Each replica's events in a new order, batches of similar size together, shape (R, n)."""
        sizes = np.diff(events.start)
        orders = []
        for subset, generator in zip(subsets, generators, strict=True):
            shuffled = np.asarray(subset)[torch.randperm(len(subset), generator=generator).numpy()][:n]
            chunks = np.array_split(shuffled, max(1, n // (8 * self.training.batch_size)))
            orders.append(np.concatenate([chunk[np.argsort(sizes[chunk], kind="stable")] for chunk in chunks]))
        return torch.from_numpy(np.stack(orders))

    def _step(self, events, index, generators, optimiser, schedule):
        features, pos, mask, y = _stacked(events, index)  # (R, B, N, ...)
        widest = int(np.diff(events.start).max())  # the draws must not depend on the other replicas' largest event
        dropped = [
            drop_stations(F.pad(replica, (0, widest - replica.shape[1])), self.training.station_dropout, generator)
            for replica, generator in zip(mask, generators, strict=True)
        ]
        kept = torch.stack(dropped)[..., : mask.shape[-1]].to(self.device)
        loss = self._losses(*features, pos, kept, y)
        if not torch.isfinite(loss).all():
            raise UserError("the loss of a replica diverged: lower learning_rate")
        optimiser.zero_grad(set_to_none=True)
        loss.sum().backward()
        self._clip()
        optimiser.step()
        schedule.step()
        return loss.detach()

    def _losses(self, *batch):
        def loss(parameters, buffers, *inputs):
            return functional_call(self._shape, (parameters, buffers), inputs)

        return vmap(loss)(self.parameters_, self._buffers, *batch)

    def _clip(self):
        """Scale each replica's gradient to the largest norm allowed."""
        gradients = [value.grad for value in self.parameters_.values() if value.grad is not None]
        norm = torch.sqrt(sum((g.reshape(len(g), -1) ** 2).sum(1) for g in gradients))  # (R,)
        factor = (self.training.clip / (norm + 1e-6)).clamp(max=1)
        for gradient in gradients:
            gradient *= factor.reshape(-1, *[1] * (gradient.ndim - 1))

    @torch.no_grad()
    def predict(self, events: Events, index=None, batch_size=256) -> Prediction:
        """Predictions of all replicas for the events at `index`: each field has a leading dimension R."""
        index = np.arange(len(events)) if index is None else np.asarray(index)
        events, model = _moved(events, self.device), _Locate(self._shape.model)

        def locate(parameters, buffers, *batch):
            return tuple(functional_call(model, (parameters, buffers), batch))

        parts = []
        for first in range(0, len(index), batch_size):
            batch = events.batch(index[first : first + batch_size])
            inputs = (*batch.features[:4], batch.pos, batch.mask.to(self.device))
            parts.append(vmap(locate, (0, 0, *[None] * 6))(self.parameters_, self._buffers, *inputs))
        return Prediction(*(torch.cat(values, 1) for values in zip(*parts, strict=True)))


def _moved(events, device):
    """The events with what a graph part needs on a device."""
    if device == "cpu":
        return events
    on = {name: getattr(events, name).to(device) for name in ("pos", "amplitude", "y")}
    return replace(events, **on, features=NodeFeatures(*(value.to(device) for value in events.features[:4])))


def _stacked(events, index):
    """Features, positions, mask and labels (R, B, ...) of the events at `index` (R, B); the mask stays on the CPU."""
    batch = events.batch(index.flatten().numpy())
    stacked = [value.unflatten(0, index.shape) for value in (*batch.features[:4], batch.pos, batch.mask, batch.y)]
    return stacked[:4], *stacked[4:]


class _Locate(nn.Module):
    """`locate` as a forward pass."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, state, onset_s, confidence, amplitude, pos, mask):
        return self.model.locate(NodeFeatures(state, onset_s, confidence, amplitude), pos, mask)
