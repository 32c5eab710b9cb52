"""Training of the field model, as a method of reconstruction like all others: `fit`, `predict`, `score`."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from seisbook.models.conditional_normal import ConditionalNormal
from seisbook.models.error_model import TAIL
from seisbook.models.field_methods import FieldMethod, hide_variously
from seisbook.models.field_model import FieldConfig, FieldModel, batch_of, nodes_of


@dataclass(frozen=True)
class FieldTraining:
    """How a field model is trained.

    Parameters
    ----------
    epochs : int
        Passes over the training events.
    patterns : int
        Ways in which each event's stations are hidden; an epoch takes one of them, drawn at random.
    batch_size : int
    learning_rate, weight_decay : float
        Of AdamW; the rate rises over the first tenth of the steps and falls to zero.
    most_stations : int
        Stations of an event that a training pattern has at most, drawn at random.
    """

    epochs: int = 24
    patterns: int = 4
    batch_size: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    most_stations: int = 100


@dataclass
class FieldNetwork(FieldMethod):
    """A field model with its training.

    Parameters
    ----------
    information : Information
    config : FieldConfig
    training : FieldTraining
    random_state : int

    Attributes
    ----------
    model_ : FieldModel
    normal_ : ConditionalNormal or None
        What an informed model corrects.
    history_ : list of float
        Mean loss of each epoch.
    """

    config: FieldConfig = field(default_factory=FieldConfig)
    training: FieldTraining = field(default_factory=FieldTraining)
    random_state: int = 0

    def _fit(self, fields, progress):
        torch.manual_seed(self.random_state)
        self.model_ = FieldModel(self.config)
        self.normal_ = ConditionalNormal(self.information).fit(fields) if self.config.informed else None
        patterns = [self._pattern(fields, number) for number in range(self.training.patterns)]
        self._train(patterns, progress)

    def _pattern(self, fields, number):
        """Nodes and targets of all events, with one way of hiding stations each."""
        rng = np.random.default_rng([self.random_state, number])
        fields = fields.thinned(self.training.most_stations, rng)
        observed = hide_variously(fields, 1000 + number)
        pairs = []
        for i, scene in enumerate(self.scenes(fields, observed)):
            target = np.where(observed[fields.rows(i), None], np.nan, fields.values[fields.rows(i)] - scene.prior)
            pairs.append((self._nodes(scene), torch.from_numpy(target.astype(np.float32))))
        return pairs

    def _nodes(self, scene):
        return nodes_of(scene, self.normal_, self.information.site_terms)

    def _train(self, patterns, progress):
        training, events = self.training, len(patterns[0])
        sizes = np.array([len(target) for _, target in patterns[0]])
        rng = np.random.default_rng(self.random_state)
        optimiser = torch.optim.AdamW(
            self.model_.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
        )
        steps = training.epochs * -(-events // training.batch_size) + 1
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, training.learning_rate, total_steps=steps, pct_start=0.1
        )
        self.history_ = []
        for _ in tqdm(range(training.epochs), desc="training", unit="epoch", disable=None if progress else True):
            losses = []
            for chosen in _batches(sizes, training.batch_size, rng):
                pairs = [patterns[rng.integers(len(patterns))][i] for i in chosen]
                losses.append(self._step(pairs, optimiser))
                schedule.step()
            self.history_.append(float(np.mean(losses)))
        self.model_.eval()

    def _step(self, pairs, optimiser):
        nodes, targets = zip(*pairs, strict=True)
        target = nn.utils.rnn.pad_sequence(targets, batch_first=True, padding_value=torch.nan)
        loss = field_loss(*self.model_(batch_of(nodes)), target)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model_.parameters(), 1.0)
        optimiser.step()
        return loss.item()

    @torch.no_grad()
    def _predicted(self, scene):
        mean, scale = self.model_(batch_of([self._nodes(scene)]))
        return scene.prior + mean[0].double().numpy(), scale[0].double().numpy()


def field_loss(mean, scale, target) -> torch.Tensor:
    r"""Student-t likelihood of the hidden values, without constants; NaN do not count.

    .. math:: \ln \sigma + \tfrac{\nu + 1}{2} \ln\bigl(1 + (y - \mu)^2 / (\nu \sigma^2)\bigr)

    Parameters
    ----------
    mean, scale, target : Tensor, shape (B, N, 5)
    """
    hidden = target.isfinite()
    z = (torch.where(hidden, target, mean) - mean) / scale
    terms = scale.log() + (TAIL + 1) / 2 * torch.log1p(z**2 / TAIL)
    return (terms * hidden).sum() / hidden.sum().clamp(min=1)


def _batches(sizes, batch_size, rng):
    """Batches of events of similar sizes, so that little is padding, in random order."""
    order = rng.permutation(len(sizes))
    parts = [order[i : i + 8 * batch_size] for i in range(0, len(order), 8 * batch_size)]
    order = np.concatenate([part[np.argsort(sizes[part], kind="stable")] for part in parts])
    batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]
