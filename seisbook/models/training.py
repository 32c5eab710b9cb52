"""Training and prediction: events as tensors, the loss, and an estimator with `fit`, `predict` and `score`."""

import copy
import logging
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from seisbook.datasets.events import Batch, Events, batches
from seisbook.errors import UserError
from seisbook.models import peers
from seisbook.models.augmentation import TrainingConfig, augment
from seisbook.models.graph import ModelConfig, Prediction
from seisbook.models.losses import estimate_loss, negative_log_likelihood, onset_loss

log = logging.getLogger(__name__)


@dataclass
class Locator:
    """A model with its training: `fit`, `predict`, `score`.

    Parameters
    ----------
    architecture : str
        One of `seisbook.models.peers.NAMES`.
    config : ModelConfig
    training : TrainingConfig
    random_state : int
        Initialisation, batch order, augmentation and the choice of the validation events.
    start_from : Module, optional
        A trained model whose weights training begins with.

    Attributes
    ----------
    model_ : Module
    history_ : list of dict
        One entry an epoch: loss and, with validation events, their median epicentral error in km.
    """

    architecture: str = "dynamic"
    config: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    random_state: int = 0
    start_from: nn.Module | None = None

    def fit(self, events: Events, progress=True):
        """Train on events; a part of them chooses the epoch.

        Raises
        ------
        UserError
            If there are too few events, or the loss diverges.
        """
        training = self.training
        if len(events) < 2 * training.batch_size:
            raise UserError(f"{len(events)} events are too few to train on: at least {2 * training.batch_size}")
        torch.manual_seed(self.random_state)
        self.model_ = (
            copy.deepcopy(self.start_from)
            if self.start_from is not None
            else peers.build(self.architecture, self.config)
        )
        self.history_ = []
        generator = torch.Generator().manual_seed(self.random_state)
        kept, held = self._split(len(events), generator)
        best = self._train(events, kept, held, training.epochs, generator, (np.inf, None), progress)
        if training.graph_epochs:
            read = events.read_by(self.model_)
            best = self._train(read, kept, held, training.graph_epochs, generator, best, progress)
        if best[1] is not None:
            self.model_.load_state_dict(best[1])
        return self

    def _train(self, events, kept, held, epochs, generator, best, progress):
        """Train for some epochs; return the best validation error so far and its weights."""
        optimiser, schedule = self._optimiser(len(kept), epochs)
        label = "training" if events.features is None else "training all but the stem"
        bar = tqdm(range(epochs), desc=label, unit="epoch", disable=None if progress else True)
        for _ in bar:
            entry = {"loss": self._epoch(events, kept, optimiser, schedule, generator)}
            if len(held):
                entry["epicentral_km"] = -self.score(events, held)
                if entry["epicentral_km"] < best[0]:
                    best = entry["epicentral_km"], copy.deepcopy(self.model_.state_dict())
            self.history_.append(entry)
            bar.set_postfix(entry)
        return best

    def _split(self, n, generator):
        order = torch.randperm(n, generator=generator).numpy()
        held = round(n * self.training.validation)
        return order[held:], order[:held]

    def _optimiser(self, n, epochs):
        t = self.training
        decayed = [p for p in self.model_.parameters() if p.ndim > 1]
        others = [p for p in self.model_.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": t.weight_decay}, {"params": others, "weight_decay": 0.0}]
        optimiser = torch.optim.AdamW(groups, lr=t.learning_rate)
        steps = epochs * len(batches(np.arange(n), t.batch_size)) + 1
        one_cycle = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, t.learning_rate, total_steps=steps, pct_start=t.warmup
        )
        return optimiser, one_cycle

    def _epoch(self, events, kept, optimiser, schedule, generator):
        self.model_.train()
        order = kept[torch.randperm(len(kept), generator=generator).numpy()]
        total = 0.0
        chosen = batches(_by_size(order, events, 8 * self.training.batch_size), self.training.batch_size)
        for i in torch.randperm(len(chosen), generator=generator).tolist():
            index = chosen[i]
            batch = augment(events.batch(index), self.training, self.config.sampling_rate_hz, generator)
            loss = self.loss(batch)
            if not torch.isfinite(loss):
                raise UserError("the loss diverged: lower learning_rate, or look for NaN in the seismograms")
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(self.model_.parameters(), self.training.clip)
            optimiser.step()
            schedule.step()
            total += loss.item()
        return total / len(chosen)

    def loss(self, batch: Batch) -> Tensor:
        """Likelihood, plus the auxiliary losses."""
        features, prediction = self._forward(batch)
        loss = negative_log_likelihood(prediction, batch.y).sum(-1).mean()
        loss = loss + self.training.estimate_weight * estimate_loss(prediction, batch.y, self.config)
        if self.training.onset_weight and features.onset_logits is not None:
            step_s = self.model_.stem.stride / self.config.sampling_rate_hz
            onset = onset_loss(features.onset_logits, batch.onset_s, step_s)
            loss = loss + self.training.onset_weight * onset
        return loss

    def _forward(self, batch):
        """What the stem finds, or has found, and the prediction."""
        features = batch.features
        if features is None:
            features = self.model_.encode(batch.traces, batch.amplitude, batch.mask)
        return features, self.model_.locate(features, batch.pos, batch.mask)

    @torch.no_grad()
    def predict(self, events: Events, index=None) -> Prediction:
        """Predict all events, or those at `index`, in order."""
        self.model_.eval()
        index = np.arange(len(events)) if index is None else np.asarray(index)
        if not len(index):
            raise UserError("there is no event to predict: the fold is empty")
        order = np.argsort(np.diff(events.start)[index], kind="stable")  # similar sizes together waste no padding
        parts = []
        for chosen in batches(index[order], 64, keep_last=True):
            parts.append(self._forward(events.batch(chosen))[1])
        back = torch.from_numpy(np.argsort(order, kind="stable"))
        return Prediction(*(torch.cat(values)[back] for values in zip(*parts, strict=True)))

    def score(self, events: Events, index=None) -> float:
        """Minus the median epicentral error in km: larger is better."""
        index = np.arange(len(events)) if index is None else np.asarray(index)
        error = (self.predict(events, index).epicentre - events.y[index, :2]).norm(dim=-1)
        return -error.median().item()


def _by_size(order, events, chunk):
    """Sort each chunk of a random order by number of stations, so that little of a batch is padding."""
    sizes = np.diff(events.start)
    return np.concatenate(
        [part[np.argsort(sizes[part], kind="stable")] for part in batches(order, chunk, keep_last=True)]
    )
