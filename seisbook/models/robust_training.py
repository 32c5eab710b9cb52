"""Training of the robust model in two steps: the stem on troubled seismograms, then the graph part on what it found."""

import copy
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from seisbook.datasets.events import Events, batches
from seisbook.errors import UserError
from seisbook.models.graph import Prediction
from seisbook.models.losses import negative_log_likelihood
from seisbook.models.robust import Onsets, RobustConfig, RobustModel, dense
from seisbook.models.trouble import CALM, KINDS, Trouble, lose_stations

READ = 100  # traces that the stem reads at a time outside of training: more leave the cache


@dataclass(frozen=True)
class RobustTraining:
    """How a robust model is trained.

    Parameters
    ----------
    stem_epochs, graph_epochs : int
    traces : int
        Seismograms that the stem sees in one step, about; more are slower, since they leave the processor's cache.
    events : int
        Events that the graph part sees in one step.
    copies : int
        Renderings of the trouble that the graph part is trained on, besides the events as they are.
    stem_rate, graph_rate : float
        Learning rates of AdamW; they warm up over a tenth of the steps and then fall as a cosine.
    weight_decay, clip : float
    trouble : bool
        Strike the training events with every kind of trouble; otherwise only windows are shifted, as little as the
        rendering shifts them.
    """

    stem_epochs: int = 4
    graph_epochs: int = 12
    traces: int = 100
    events: int = 32
    copies: int = 4
    stem_rate: float = 1e-3
    graph_rate: float = 2e-3
    weight_decay: float = 0.01
    clip: float = 1.0
    trouble: bool = True


def onset_loss(logits: Tensor, absent_logit: Tensor, onset_s: Tensor, absent: Tensor, step_s: float) -> Tensor:
    """Cross-entropy of the onsets, each shared by the two steps it lies between, and of their absence.

    Parameters
    ----------
    logits : Tensor, shape (stations, 2, steps)
    absent_logit : Tensor, shape (stations, 2)
    onset_s : Tensor, shape (stations, 2)
        NaN where it is unknown or absent.
    absent : Tensor of bool, shape (stations, 2)
    step_s : float
    """
    at = onset_s / step_s
    known = at.isfinite() & (at <= logits.shape[-1] - 1.001)
    at = torch.where(known, at, 0.0)
    low = at.floor().long()
    share = at - low
    total = torch.logaddexp(logits.logsumexp(-1), absent_logit)
    here, next_one = (logits.gather(-1, step[..., None])[..., 0] for step in (low, low + 1))
    found = total - (1 - share) * here - share * next_one
    loss = torch.where(known, found, torch.where(absent, total - absent_logit, 0.0))
    return loss.sum() / (known | absent).sum().clamp(min=1)


def location_loss(prediction: Prediction, y: Tensor, config: RobustConfig) -> Tensor:
    r"""Likelihood of the labels, and the logarithms of the errors of the blocks' estimates.

    .. math:: \frac1L \sum_l \ln(1 + e_l / 0.01 D) + \tfrac12 \ln(1 + z_l / 0.02 D)

    with `e` and `z` the errors of epicentre and depth and `D` the model's scale of distances.
    """
    unit = config.distance_scale_km
    epicentre = (prediction.estimates[..., :2] - y[:, None, :2]).norm(dim=-1) / (0.01 * unit)
    depth = (prediction.estimates[..., 2] - y[:, None, 2]).abs() / (0.02 * unit)
    blocks = (epicentre.log1p() + depth.log1p() / 2).mean()
    return negative_log_likelihood(prediction, y).sum(-1).mean() + blocks


def joined(parts) -> Onsets:
    """What was found at the stations of several lots of events, one after the other."""
    return Onsets(*(torch.cat(values) for values in zip(*parts, strict=True)))


def of_events(found: Onsets, events: Events, index) -> Onsets:
    """What was found at the stations of some of the events, in the order of `events.select(index)`."""
    rows = events._rows(np.asarray(index))
    return Onsets(*(values[rows] for values in found))


@dataclass
class RobustLocator:
    """A robust model with its training: `fit`, `predict`, `score`.

    Parameters
    ----------
    network : seisbook.catalogues.networks.Network
    config : RobustConfig
    training : RobustTraining
    random_state : int
        Initialisation, order of the batches, and trouble.
    start_from : RobustModel, optional
        A trained model whose weights training begins with. With one of another graph part, only its stem is taken.

    Attributes
    ----------
    model_ : RobustModel
    history_ : list of dict
        One entry an epoch: `part`, and `loss`.
    """

    network: object
    config: RobustConfig
    training: RobustTraining = field(default_factory=RobustTraining)
    random_state: int = 0
    start_from: RobustModel | None = None

    def fit(self, events: Events, progress=True):
        """Train on events with their seismograms.

        Raises
        ------
        UserError
            If there are too few events, or the loss diverges.
        """
        self._begin(events)
        trouble = self._trouble(events)
        self._fit_stem(events, trouble, progress)
        self.model_.graph.learn_stations(events)
        return self._fit_graph(events, [self.read(events), *self._copies(events, trouble, progress)], progress)

    def fit_graph(self, events: Events, readings: list[Onsets], progress=True):
        """Train the graph part alone, on what a stem found before: many trainings can then share one reading.

        Parameters
        ----------
        events : Events
        readings : list of Onsets
            What the stem of `start_from` found at the stations of these events, and in copies of them; see `readings`.
        progress : bool

        Raises
        ------
        UserError
            If there are too few events, or the loss diverges.
        """
        self._begin(events)
        self.model_.graph.learn_stations(events)
        return self._fit_graph(events, readings, progress)

    def readings(self, events: Events, progress=True) -> list[Onsets]:
        """What the stem of `start_from` finds in events, and in as many troubled copies as `training` says."""
        self._begin(events)
        return [self.read(events), *self._copies(events, self._trouble(events), progress)]

    def _trouble(self, events):
        kinds = KINDS if self.training.trouble else CALM
        return Trouble(self.config.sampling_rate_hz, events.x.shape[-1], self.random_state, kinds)

    def _begin(self, events):
        if len(events) < 2 * self.training.events:
            raise UserError(f"{len(events)} events are too few to train on: at least {2 * self.training.events}")
        torch.manual_seed(self.random_state)
        self.rng = np.random.default_rng(self.random_state)
        self.model_ = self._untrained()
        self.history_ = []

    def _untrained(self):
        if self.start_from is not None and self.start_from.config == self.config:
            return copy.deepcopy(self.start_from)
        model = RobustModel(self.config, self.network)
        if self.start_from is not None:
            model.stem.load_state_dict(self.start_from.stem.state_dict())
        return model

    # ------------------------------------------------------------------------------------------------------ the stem

    def _fit_stem(self, events, trouble, progress):
        stem, epochs = self.model_.stem, self.training.stem_epochs
        per_step = max(1, round(self.training.traces * len(events) / len(events.pos)))
        optimise = self._optimiser(stem, self.training.stem_rate, epochs * (len(events) // per_step))
        self.model_.train()
        for _ in tqdm(range(epochs), "training the stem", unit="epoch", disable=None if progress else True):
            losses = []
            for index in batches(self.rng.permutation(len(events)), per_step):
                sizes = np.diff(events.start)[index]
                batch = events.batch(index)
                amplitude = events.amplitude[events._rows(index)]
                struck = trouble.strike(batch.traces, amplitude, batch.onset_s, sizes)
                _, logits, absent = self.model_.read(struck.traces, struck.amplitude)
                losses.append(optimise(onset_loss(logits, absent, struck.onset_s, struck.absent, self.model_.step_s)))
            self.history_.append({"part": "stem", "loss": float(np.mean(losses))})

    def read(self, events: Events) -> Onsets:
        """What the stem finds in the seismograms of all events: ragged, (stations, ...)."""
        self.model_.eval()
        parts = []
        for rows in torch.arange(len(events.pos)).split(READ):
            parts.append(self._stored(events.x[rows].float(), events.amplitude[rows]))
        return joined(parts)

    @torch.no_grad()
    def _stored(self, traces, amplitude):
        """What the stem finds in some seismograms, with states of half the size."""
        found, _, _ = self.model_.read(traces, amplitude)
        return found._replace(state=found.state.half())

    def _copies(self, events, trouble, progress):
        """What the stem finds in copies of the events that are troubled."""
        for _ in tqdm(range(self.training.copies), "reading", unit="copy", disable=None if progress else True):
            parts = []
            for index in batches(np.arange(len(events)), 32, keep_last=True):
                rows, sizes = events._rows(index), np.diff(events.start)[index]
                struck = trouble.strike(events.x[rows], events.amplitude[rows], events.onset_s[rows], sizes)
                parts.append(self._stored(struck.traces, struck.amplitude))
            yield joined(parts)

    # ----------------------------------------------------------------------------------------------------- the graph

    def _fit_graph(self, events, copies, progress):
        graph, epochs, size = self.model_.graph, self.training.graph_epochs, self.training.events
        optimise = self._optimiser(graph, self.training.graph_rate, epochs * (len(events) // size))
        far_km = 0.8 * self.config.distance_scale_km
        self.model_.train()
        for _ in tqdm(range(epochs), "training the graph part", unit="epoch", disable=None if progress else True):
            losses = []
            for index in self._alike(events, size):
                chosen = 0 if self.rng.random() < 0.25 else int(self.rng.integers(len(copies)))
                onsets, pos, mask = self._batch(events, copies[chosen], index)
                y = events.y[index]
                if self.training.trouble:
                    onsets, pos, mask = lose_stations(onsets, pos, mask, y, far_km, self.rng)
                losses.append(optimise(location_loss(self.model_.locate(onsets, pos, mask), y, self.config)))
            self.history_.append({"part": "graph", "loss": float(np.mean(losses))})
        self.model_.eval()
        return self

    def _alike(self, events, size):
        """Batches of events of similar numbers of stations, in random order."""
        sizes = np.diff(events.start)
        order = self.rng.permutation(len(events))
        chunks = batches(order, 8 * size, keep_last=True)
        order = np.concatenate([part[np.argsort(sizes[part], kind="stable")] for part in chunks])
        made = batches(order, size)
        return [made[i] for i in self.rng.permutation(len(made))]

    def _batch(self, events, found, index):
        """Onsets, places and mask of some events, padded."""
        sizes = np.diff(events.start)[index]
        mask = torch.from_numpy(np.arange(sizes.max()) < sizes[:, None])
        rows = events._rows(index)
        onsets = Onsets(*(value[rows] for value in found))
        onsets = dense(onsets._replace(state=onsets.state.float()), mask)
        pos = events.pos.new_zeros(*mask.shape, 3)
        pos[mask] = events.pos[rows]
        return onsets, pos, mask

    def _optimiser(self, part, rate, steps):
        """A function of a loss that makes one step of AdamW and returns the loss."""
        weights = [p for p in part.parameters() if p.ndim > 1]
        others = [p for p in part.parameters() if p.ndim <= 1]
        decayed = {"params": weights, "weight_decay": self.training.weight_decay}
        optimiser = torch.optim.AdamW([decayed, {"params": others, "weight_decay": 0.0}], lr=rate)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps + 100, pct_start=0.1)

        def optimise(loss):
            if not torch.isfinite(loss):
                raise UserError("the loss diverged: lower the learning rates, or look for NaN in the seismograms")
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(part.parameters(), self.training.clip)
            optimiser.step()
            schedule.step()
            return loss.item()

        return optimise

    # ---------------------------------------------------------------------------------------------------- prediction

    @torch.no_grad()
    def predict(self, events: Events, found: Onsets | None = None) -> Prediction:
        """Predict all events, in order; `found` is what the stem found in them, if that is known."""
        self.model_.eval()
        found = self.read(events) if found is None else found
        order = np.argsort(np.diff(events.start), kind="stable")  # similar sizes together waste no padding
        parts = [self.model_.locate(*self._batch(events, found, index)) for index in batches(order, 64, keep_last=True)]
        back = torch.from_numpy(np.argsort(order, kind="stable"))
        return Prediction(*(torch.cat(values)[back] for values in zip(*parts, strict=True)))

    def score(self, events: Events) -> float:
        """Minus the median epicentral error in km: larger is better."""
        return -(self.predict(events).epicentre - events.y[:, :2]).norm(dim=-1).median().item()
