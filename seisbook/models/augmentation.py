"""How a model is trained, and the random changes of the events that each training step sees."""

from dataclasses import dataclass, replace

import torch

from seisbook.datasets.events import Batch


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Parameters
    ----------
    epochs : int
        Epochs of the whole model, end to end.
    graph_epochs : int
        Epochs of all but the stem, after that. The stem's features are computed once, which makes an epoch cheap.
    batch_size : int
    learning_rate, weight_decay : float
        Settings of AdamW. The rate warms up over `warmup` of the steps and then falls as a cosine, in both phases.
    warmup : float
    clip : float
        Largest norm of the gradient.
    onset_weight, estimate_weight : float
        Weights of the auxiliary losses: the onsets that the stem finds, the hypocentres that each block estimates.
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
