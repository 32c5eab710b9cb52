"""Training and prediction: events as tensors, the loss, and an estimator with `fit`, `predict` and `score`."""

import copy
import logging
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm import tqdm

from seisbook import peers
from seisbook.errors import UserError
from seisbook.model import ModelConfig, NodeFeatures, Prediction

log = logging.getLogger(__name__)


# ------------------------------------------------------------------------------------------------------------- events


@dataclass
class Events:
    """Events of a dataset in memory, ragged: the stations of all events one after the other.

    They hold seismograms, or, once a model has read those, what it found in them, see `read_by`.

    Parameters
    ----------
    x : Tensor of float16, shape (stations, 3, T), or None
        Seismograms, each station divided by its peak.
    pos : Tensor, shape (stations, 3)
        East, north, up in km.
    amplitude : Tensor, shape (stations,)
        log10 of the peak.
    onset_s : Tensor, shape (stations, 2)
        P and S in seconds after the first sample; NaN where there is none in the window.
    start : ndarray, shape (events + 1,)
        Where each event's stations begin.
    y : Tensor, shape (events, 4)
        East, north, depth in km, magnitude (NaN if there is none).
    source_id : ndarray of str, shape (events,)
    origin_time : ndarray of datetime64, shape (events,)
    features : NodeFeatures, optional
        In place of the seismograms; its first dimension is stations.
    """

    x: Tensor | None
    pos: Tensor
    amplitude: Tensor
    onset_s: Tensor
    start: np.ndarray
    y: Tensor
    source_id: np.ndarray
    origin_time: np.ndarray
    features: NodeFeatures | None = None

    @classmethod
    def from_dataset(cls, dataset, progress=True):
        """Read all events of a `seisbook.graphs.EventDataset` into memory."""
        rate = float(dataset.metadata.trace_sampling_rate_hz.iloc[0])
        data = [dataset[i] for i in tqdm(range(len(dataset)), desc="reading", unit="event", disable=not progress)]
        x = torch.cat([event.x for event in data])
        peak = x.abs().amax((1, 2), keepdim=True).clamp(min=torch.finfo(torch.float32).tiny)
        times = dataset.metadata.drop_duplicates("source_id").set_index("source_id").source_origin_time
        return cls(
            x=(x / peak).half(),
            pos=torch.cat([event.pos for event in data]),
            amplitude=torch.cat([event.amplitude for event in data]),
            onset_s=torch.cat([event.onset for event in data]) / rate,
            start=np.cumsum([0, *(event.num_nodes for event in data)]),
            y=torch.cat([event.y for event in data]),
            source_id=np.array(dataset.source_ids),
            origin_time=pd.to_datetime(times.loc[dataset.source_ids], format="ISO8601").to_numpy("datetime64[ns]"),
        )

    def __len__(self):
        return len(self.y)

    @torch.no_grad()
    def read_by(self, model):
        """These events as a model's stem sees them: what studies with a frozen stem train on, read once."""
        model.eval()
        parts = []
        for index in _batches(np.arange(len(self)), 32, keep_last=True):
            batch = self.batch(index)
            dense = model.encode(batch.traces, batch.amplitude, batch.mask)
            parts.append([value[batch.mask] for value in dense[:4]])
        return replace(self, x=None, features=NodeFeatures(*(torch.cat(values) for values in zip(*parts, strict=True))))

    def select(self, index):
        """The events at `index` (an array of positions), in that order."""
        index = np.asarray(index)
        rows = self._rows(index)
        return Events(
            x=None if self.x is None else self.x[rows],
            pos=self.pos[rows],
            amplitude=self.amplitude[rows],
            onset_s=self.onset_s[rows],
            start=np.cumsum([0, *np.diff(self.start)[index]]),
            y=self.y[index],
            source_id=self.source_id[index],
            origin_time=self.origin_time[index],
            features=None if self.features is None else NodeFeatures(*(value[rows] for value in self.features[:4])),
        )

    def _rows(self, index):
        """The stations of the events at `index`, one event after the other."""
        return torch.from_numpy(np.concatenate([np.arange(self.start[i], self.start[i + 1]) for i in index]))

    def batch(self, index):
        """A dense batch of the events at `index`."""
        sizes = np.diff(self.start)[index]
        mask = torch.from_numpy(np.arange(sizes.max()) < sizes[:, None])
        rows = self._rows(index)
        place = torch.zeros(mask.shape, dtype=torch.long)
        place[mask] = rows
        return Batch(
            traces=None if self.x is None else self.x[rows],
            pos=self.pos[place],
            amplitude=self.amplitude[place],
            onset_s=self.onset_s[rows],
            mask=mask,
            y=self.y[index],
            features=None if self.features is None else NodeFeatures(*(value[place] for value in self.features[:4])),
        )


@dataclass
class Batch:
    """A dense batch of B events with up to N stations.

    `traces` (stations, 3, T) and `onset_s` (stations, 2) of the real stations, in the order of `mask` (B, N); `pos`
    (B, N, 3) and `amplitude` (B, N), padded; `y` (B, 4); `features`, padded, if a model has read the seismograms.
    """

    traces: Tensor | None
    pos: Tensor
    amplitude: Tensor
    onset_s: Tensor
    mask: Tensor
    y: Tensor
    features: NodeFeatures | None = None


# --------------------------------------------------------------------------------------------------------------- loss


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Parameters
    ----------
    epochs : int
        Of the whole model, end to end.
    graph_epochs : int
        Of all but the stem, after that: its features are computed once, so that an epoch costs a fraction.
    batch_size : int
    learning_rate, weight_decay : float
        Of AdamW; the rate warms up over `warmup` of the steps and then falls as a cosine, in both phases.
    warmup : float
    clip : float
        Largest norm of the gradient.
    onset_weight, estimate_weight : float
        Of the auxiliary losses: the onsets that the stem finds, the hypocentres that each block estimates.
    station_dropout : float
        Probability that a station is left out of an event for one step; four stations always stay.
    time_shift_s : float
        Largest joint shift of all stations of an event.
    noise : float
        Largest standard deviation of white noise that is added, over the trace's peak; the log amplitude stays.
    validation : float
        Part of the training events that chooses the epoch to keep; 0 keeps the last one.
    """

    epochs: int = 10
    graph_epochs: int = 30
    batch_size: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup: float = 0.1
    clip: float = 1.0
    onset_weight: float = 1.0
    estimate_weight: float = 0.3
    station_dropout: float = 0.15
    time_shift_s: float = 1.0
    noise: float = 0.02
    validation: float = 0.1


TAIL = 4.0  # degrees of freedom of the Student-t errors: analysts, too, are wrong by a lot now and then


def negative_log_likelihood(prediction: Prediction, y: Tensor) -> Tensor:
    r"""Student-t likelihood of epicentre (bivariate), depth and magnitude, without constants: shape (B, 3).

    .. math:: \ell = \ln |L| + \tfrac{\nu + d}{2} \ln\bigl(1 + \lVert L^{-1} r \rVert^2 / \nu\bigr)

    with `r` the residual, `L` the Cholesky factor (or the scale) and `d` its dimension. A missing magnitude counts 0.
    """
    residual = (y[:, :2] - prediction.epicentre)[..., None]
    white = torch.linalg.solve_triangular(prediction.epicentre_tril, residual, upper=False)[..., 0]
    log_det = prediction.epicentre_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    terms = [log_det + (TAIL + 2) / 2 * torch.log1p((white**2).sum(-1) / TAIL)]
    scales = ((prediction.depth, prediction.depth_scale), (prediction.magnitude, prediction.magnitude_scale))
    for target, (value, scale) in zip(y[:, 2:].unbind(-1), scales, strict=True):
        missing = target.isnan()  # replaced before the arithmetic: a NaN that is masked later still spoils the gradient
        z = (torch.where(missing, value, target) - value) / scale
        term = scale.log() + (TAIL + 1) / 2 * torch.log1p(z**2 / TAIL)
        terms.append(torch.where(missing, 0.0, term))
    return torch.stack(terms, -1)


def onset_loss(logits: Tensor, onset_s: Tensor, step_s: float) -> Tensor:
    """Cross-entropy of the onsets against the true ones, each shared by the two steps it lies between.

    Parameters
    ----------
    logits : Tensor, shape (stations, 2, steps)
    onset_s : Tensor, shape (stations, 2)
        NaN where there is no onset in the window; those do not count.
    step_s : float
    """
    at = onset_s / step_s
    known = at.isfinite() & (at >= 0) & (at <= logits.shape[-1] - 1.001)
    at = torch.where(known, at, 0.0)
    low = at.floor().long()
    share = at - low
    log_p = logits.log_softmax(-1)
    found = [log_p.gather(-1, step[..., None])[..., 0] for step in (low, low + 1)]
    loss = -((1 - share) * found[0] + share * found[1])
    return (loss * known).sum() / known.sum().clamp(min=1)


def estimate_loss(prediction: Prediction, y: Tensor, config: ModelConfig) -> Tensor:
    """Mean absolute error of the hypocentres that the blocks estimate, in the model's units."""
    epicentre = (prediction.estimates[..., :2] - y[:, None, :2]).norm(dim=-1) / config.distance_scale_km
    depth = (prediction.estimates[..., 2] - y[:, None, 2]).abs() / config.depth_scale_km
    return (epicentre + depth).mean()


# ------------------------------------------------------------------------------------------------------- augmentation


def augment(batch: Batch, training: TrainingConfig, sampling_rate_hz: float, generator) -> Batch:
    """Leave out stations, shift all stations together, add noise; labels and log amplitudes stay.

    What a model has read already is not shifted and gets no noise.
    """
    shift_s = (2 * torch.rand(1, generator=generator).item() - 1) * training.time_shift_s
    samples = round(shift_s * sampling_rate_hz)
    mask = drop_stations(batch.mask, training.station_dropout, generator)
    if batch.traces is None:
        return replace(batch, mask=mask)
    stays = mask[batch.mask]
    traces = torch.roll(batch.traces[stays], samples, -1).float()
    traces[..., : max(samples, 0)] = 0  # what was rolled around either end
    traces[..., traces.shape[-1] + min(samples, 0) :] = 0
    level = training.noise * torch.rand(len(traces), 1, 1, generator=generator)
    traces = traces + level * torch.randn(traces.shape, generator=generator)
    return replace(batch, traces=traces, onset_s=batch.onset_s[stays] + samples / sampling_rate_hz, mask=mask)


def drop_stations(mask, probability, generator):
    """Leave out stations at random, but never so many that fewer than four (or all that there are) stay."""
    score = torch.rand(mask.shape, generator=generator).masked_fill(~mask, 2.0)
    rank = score.argsort(1).argsort(1)
    return mask & ((score > probability) | (rank >= (mask.sum(1, keepdim=True) - 4).clamp(min=0)))


# ---------------------------------------------------------------------------------------------------------- estimator


@dataclass
class Locator:
    """A model with its training: `fit`, `predict`, `score`.

    Parameters
    ----------
    architecture : str
        One of `seisbook.peers.NAMES`.
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
        bar = tqdm(range(epochs), desc=label, unit="epoch", disable=not progress)
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
        steps = epochs * len(_batches(np.arange(n), t.batch_size)) + 1
        one_cycle = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, t.learning_rate, total_steps=steps, pct_start=t.warmup
        )
        return optimiser, one_cycle

    def _epoch(self, events, kept, optimiser, schedule, generator):
        self.model_.train()
        order = kept[torch.randperm(len(kept), generator=generator).numpy()]
        total = 0.0
        batches = _batches(_by_size(order, events, 8 * self.training.batch_size), self.training.batch_size)
        for i in torch.randperm(len(batches), generator=generator).tolist():
            index = batches[i]
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
        return total / len(batches)

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
        for chosen in _batches(index[order], 64, keep_last=True):
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
        [part[np.argsort(sizes[part], kind="stable")] for part in _batches(order, chunk, keep_last=True)]
    )


def _batches(order, size, keep_last=False):
    """Consecutive batches; a last one of less than half the size is left out of training."""
    cuts = [order[i : i + size] for i in range(0, len(order), size)]
    return cuts if keep_last or len(cuts) < 2 or len(cuts[-1]) >= size / 2 else cuts[:-1]
