"""Training with real seismograms: onsets of another network for the stem, and a few real events of one's own."""

from dataclasses import dataclass

import numpy as np
import torch

from seisbook.datasets.events import Events, joined
from seisbook.models.robust_training import RobustLocator

COPIES = 4  # of each real record of another network, each with its own window


@dataclass
class RealOnsetLocator(RobustLocator):
    """A robust locator whose stem also learns from the picks of real records.

    Parameters
    ----------
    real : Events, optional
        Of any place: their labels do not matter.
    """

    real: Events | None = None

    def _fit_stem(self, events, trouble, progress):
        super()._fit_stem(events if self.real is None else joined(events, self.real), trouble, progress)

    def tune(self, events: Events, others: Events):
        """Go on from `start_from` with a few real events: the stem, and the terms of their stations.

        Parameters
        ----------
        events : Events
            Real ones, with labels.
        others : Events
            Simulated ones, which the stem sees beside them, so that it forgets nothing.
        """
        both = joined(events, others)
        self._begin(both)
        self._fit_stem(both, self._trouble(both), progress=False)
        self.model_.graph.learn_stations(events)
        self.model_.eval()
        return self


def single_records(traces, onset_s, window, random_state=0) -> Events:
    """Real records as events of one station, in windows that begin at random before P.

    Parameters
    ----------
    traces : ndarray, shape (records, 3, samples)
        On the window's sampling rate.
    onset_s : ndarray, shape (records, 2)
    window : Window
    random_state : int
    """
    rng, rate, length = np.random.default_rng(random_state), window.sampling_rate_hz, window.samples
    x, onsets = [], []
    for _ in range(COPIES):
        for record, onset in zip(traces, onset_s, strict=True):
            first = round(float(np.clip(onset[0] - rng.uniform(0.5, 6.0), 0, record.shape[-1] / rate)) * rate)
            part = record[:, first : first + length]
            x.append(np.pad(part, ((0, 0), (0, length - part.shape[-1]))))
            onsets.append(onset - first / rate)
    x, onsets = np.array(x, "float32"), torch.tensor(np.array(onsets), dtype=torch.float32)
    peak = np.maximum(np.abs(x).max((1, 2)), 1e-30)
    n = len(x)
    inside = (onsets >= 0) & (onsets < window.length_s - 0.5)
    return Events(
        x=torch.from_numpy(x / peak[:, None, None]).half(),
        pos=torch.zeros(n, 3),
        amplitude=torch.zeros(n),
        onset_s=torch.where(inside, onsets, torch.nan),
        start=np.arange(n + 1),
        y=torch.zeros(n, 4),
        source_id=np.array([f"record-{i}" for i in range(n)]),
        origin_time=np.full(n, np.datetime64("NaT", "ns")),
    )
