"""One event followed through the model: the stem's onsets, each block's neighbours, and the estimates of the source."""

from dataclasses import dataclass

import numpy as np
import torch

from seisbook.models.graph import Prediction


@dataclass
class Walk:
    """What a model does with one event of N stations, block by block.

    Parameters
    ----------
    traces : ndarray, shape (N, 3, T)
        Seismograms, each station divided by its peak.
    probability : ndarray, shape (N, 2, steps)
        Probability of P and S at each of the stem's fine steps.
    onset_s : ndarray, shape (N, 2)
        P and S as the stem finds them, in seconds after the first sample.
    read_s : ndarray, shape (N, 2)
        P and S as they were read; NaN where not.
    pos : ndarray, shape (N, 3)
        East, north, up in km.
    neighbours : list of list of set
        For each block and station, the stations whose messages it takes; empty for a model without edges.
    y : ndarray, shape (4,)
        Label: east, north, depth in km, magnitude.
    prediction : Prediction
        Prediction for this event alone (B = 1).
    """

    traces: np.ndarray
    probability: np.ndarray
    onset_s: np.ndarray
    read_s: np.ndarray
    pos: np.ndarray
    neighbours: list
    y: np.ndarray
    prediction: Prediction

    @property
    def estimates(self):
        """Each block's hypocentre and, last, the prediction: (blocks + 1, 3), east, north and depth in km."""
        last = torch.cat([self.prediction.epicentre[0], self.prediction.depth])
        return torch.cat([self.prediction.estimates[0], last[None]]).numpy()

    def beyond(self, k):
        """Share of each block's edges that do not lead to one of the `k` nearest stations in space."""
        distance = np.linalg.norm(self.pos[:, None] - self.pos[None], axis=-1)
        np.fill_diagonal(distance, np.inf)
        nearest = [set(row) for row in np.argsort(distance)[:, :k].tolist()]
        return [
            np.mean([len(now - near) / max(len(now), 1) for now, near in zip(block, nearest, strict=True)])
            for block in self.neighbours
        ]

    def rewired(self):
        """Share of each later block's edges that the first block's graph does not have."""
        first = self.neighbours[0]
        return [
            np.mean([len(now - before) / max(len(now), 1) for now, before in zip(block, first, strict=True)])
            for block in self.neighbours[1:]
        ]


@torch.no_grad()
def walk(model, events, index) -> Walk:
    """Follow the event at `index` of `events` (with seismograms) through a trained `GraphModel`."""
    model.eval()
    batch = events.batch(np.array([index]))
    features = model.encode(batch.traces, batch.amplitude, batch.mask)
    graphs, hooks = [], []
    for block in model.blocks:  # the graph is a passing thing inside the block: its features are its norm's output
        hooks.append(block.norm.register_forward_hook(lambda _, given, u: graphs.append([u])))
        hooks.append(block.register_forward_hook(lambda layer, given, _: graphs[-1].extend([layer, *given[1:3]])))
    try:
        prediction = model.locate(features, batch.pos, batch.mask)
    finally:
        for hook in hooks:
            hook.remove()
    return Walk(
        traces=batch.traces.float().numpy(),
        probability=features.onset_logits.softmax(-1).numpy(),
        onset_s=features.onset_s[0].numpy(),
        read_s=batch.onset_s.numpy(),
        pos=batch.pos[0].numpy(),
        neighbours=[_neighbours(*graph) for graph in graphs],
        y=batch.y[0].numpy(),
        prediction=prediction,
    )


@torch.no_grad()
def first_messages(model, events, index) -> tuple[np.ndarray, np.ndarray]:
    """Messages that each of N stations gets from its neighbours in the first block of a `GraphModel`.

    Returns
    -------
    neighbour : ndarray of int, shape (N, k)
        The stations that they come from, the nearest first.
    message : ndarray, shape (N, k, C)
        Of which the block takes the largest value over the neighbours, channel by channel.
    """
    model.eval()
    batch, block, seen = events.batch(np.array([index])), model.blocks[0], {}
    hooks = [
        block.norm.register_forward_hook(lambda _, given, u: seen.update(u=u)),
        block.register_forward_hook(lambda _, given, h: seen.update(pos=given[1], relative=given[3])),
    ]
    try:
        features = model.encode(batch.traces, batch.amplitude, batch.mask)
        model.locate(features, batch.pos, batch.mask)
    finally:
        for hook in hooks:
            hook.remove()
    u, pos = seen["u"], seen["pos"]
    own = block.own(torch.cat([u, seen["relative"]], -1))
    neighbour, valid = block.neighbours(u, pos, batch.mask)
    single = zip(neighbour.split(1, -1), valid.split(1, -1), strict=True)  # the largest of one message is this message
    messages = [block.aggregate(u, pos, own, *one)[0] for one in single]
    return neighbour[0].numpy(), torch.stack(messages, 1).numpy()


def _neighbours(u, block, pos, mask):
    """Sets of neighbours that a block has chosen for each station."""
    if block.config.graph == "none":
        return [set() for _ in range(u.shape[1])]
    index, valid = block.neighbours(u, pos, mask)
    return [set(row[kept].tolist()) for row, kept in zip(index[0], valid[0], strict=True)]


def clear_event(events, fewest=9, most=14) -> int:
    """Position of the largest event that so many stations recorded: enough for a graph, few enough to draw."""
    sizes = np.diff(events.start)
    magnitude = np.nan_to_num(events.y[:, 3].numpy(), nan=-np.inf)
    suits = (sizes >= fewest) & (sizes <= most)
    return int(np.argmax(np.where(suits if suits.any() else sizes == sizes.max(), magnitude, -np.inf)))
