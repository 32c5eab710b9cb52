"""Events in memory: the ragged tensors that models are trained on, and dense batches of them."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from seisbook.datasets import measured


class NodeFeatures(NamedTuple):
    """What the stem knows of each station.

    `state` (B, N, t, C); `onset_s` (B, N, 2), P and S in seconds after the first sample; `confidence` (B, N, 2), the
    log-probability that the onset is where it was found; `amplitude` (B, N), log10 of the peak; `onset_logits`
    (stations, 2, steps), of the real stations only, for the auxiliary loss.
    """

    state: Tensor
    onset_s: Tensor
    confidence: Tensor
    amplitude: Tensor
    onset_logits: Tensor | None = None


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
        """Read all events of a `seisbook.datasets.graphs.EventDataset` into memory; zeros follow the shorter ones.

        An event gets no magnitude if none of its amplitudes was measured, see `seisbook.datasets.measured`.
        """
        with tqdm(range(len(dataset)), desc="reading", unit="event", disable=None if progress else True) as bar:
            data = [dataset[i] for i in bar]  # an error closes the bar, so that its message has a line of its own
        events = cls.of_graphs(data, dataset.sampling_rate_hz)
        unmeasured = np.isin(dataset.source_ids, measured.unmeasured(dataset.metadata))
        events.y[torch.from_numpy(unmeasured), 3] = torch.nan
        times = dataset.metadata.drop_duplicates("source_id").set_index("source_id").source_origin_time
        times = pd.to_datetime(times.loc[dataset.source_ids], format="ISO8601").to_numpy("datetime64[ns]")
        return replace(events, origin_time=times)

    @classmethod
    def of_graphs(cls, data, sampling_rate_hz):
        """Events of graphs that a `seisbook.datasets.graphs.EventDataset` gave; they know no origin time."""
        samples = max(event.x.shape[2] for event in data)
        x = torch.cat([torch.nn.functional.pad(event.x, (0, samples - event.x.shape[2])) for event in data])
        peak = x.abs().amax((1, 2), keepdim=True).clamp(min=torch.finfo(torch.float32).tiny)
        return cls(
            x=(x / peak).half(),
            pos=torch.cat([event.pos for event in data]),
            amplitude=torch.cat([event.amplitude for event in data]),
            onset_s=torch.cat([event.onset for event in data]) / sampling_rate_hz,
            start=np.cumsum([0, *(event.num_nodes for event in data)]),
            y=torch.cat([event.y for event in data]),
            source_id=np.array([event.source_id for event in data]),
            origin_time=np.full(len(data), np.datetime64("NaT", "ns")),
        )

    def __len__(self):
        return len(self.y)

    def arrays(self) -> dict:
        """What the events consist of, by name, for the hash of their content."""
        tensors = {name: getattr(self, name).numpy() for name in ("x", "pos", "amplitude", "onset_s", "y")}
        return {**tensors, "start": self.start, "source_id": self.source_id, "origin_time": self.origin_time}

    @torch.no_grad()
    def read_by(self, model):
        """These events as a model's stem sees them: what studies with a frozen stem train on, read once."""
        model.eval()
        parts = []
        for index in batches(np.arange(len(self)), 32, keep_last=True):
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


def batches(order, size, keep_last=False):
    """Consecutive batches; a last one of less than half the size is left out of training."""
    cuts = [order[i : i + size] for i in range(0, len(order), size)]
    return cuts if keep_last or len(cuts) < 2 or len(cuts[-1]) >= size / 2 else cuts[:-1]


def joined(*parts) -> Events:
    """Events with their seismograms, one set after the other."""
    sizes = np.concatenate([np.diff(one.start) for one in parts])
    return Events(
        **{
            name: torch.cat([getattr(one, name) for one in parts]) for name in ("x", "pos", "amplitude", "onset_s", "y")
        },
        start=np.cumsum([0, *sizes]),
        source_id=np.concatenate([one.source_id for one in parts]),
        origin_time=np.concatenate([one.origin_time for one in parts]),
    )
