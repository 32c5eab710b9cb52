r"""The network of `seisbook.models.graph.GraphModel` written the usual PyG way, to compare their speeds.

The stations of all events lie one after the other (`torch_geometric.data.Batch`), an edge list says who is whose
neighbour, messages are made edge by edge and pooled by `torch_geometric.nn`. What it computes is the same; what differs
is how:

- the neighbours are found event by event, in a loop in Python, where the dense model takes one product for all events
  (`torch_geometric.nn.knn_graph` would spare the loop; it needs a compiled extension, `pyg-lib`);
- the message's matrix multiplies each edge's `[u_i, u_j - u_i, p_j - p_i, q_i]`, where the dense model multiplies each
  station's features once and subtracts afterwards, `k` times less arithmetic.

Only the default switches: dynamic graph, largest message, multi-scale readout.
"""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.data import Batch, Data
from torch_geometric.nn import MessagePassing, global_add_pool, global_max_pool, global_mean_pool
from torch_geometric.utils import softmax

from seisbook.datasets.events import NodeFeatures
from seisbook.models.graph import GraphModel, ModelConfig, Prediction, STGCBlock, local_onset, to_prediction
from seisbook.models.training import Locator


class EdgeMessage(MessagePassing):
    r"""Largest message of a station's neighbours, as `torch_geometric.nn.EdgeConv`, with positions.

    .. math:: m_i = \max_{j} \mathrm{ReLU}\bigl(W [u_i,\; u_j - u_i,\; p_j - p_i,\; q_i]\bigr)
    """

    def __init__(self, channels: int):
        super().__init__(aggr="max")
        self.linear = nn.Linear(2 * channels + 8, channels)

    def forward(self, edge_index: Tensor, u: Tensor, pos: Tensor, relative: Tensor) -> Tensor:
        return self.propagate(edge_index, u=u, pos=pos, relative=relative)

    def message(self, u_i, u_j, pos_i, pos_j, relative_i) -> Tensor:
        return F.relu(self.linear(torch.cat([u_i, u_j - u_i, pos_j - pos_i, relative_i], -1)))


class RaggedBlock(nn.Module):
    """`STGCBlock` on stations one after the other: `h` (stations, t, C), `pos` (stations, 3), `batch` (stations,)."""

    def __init__(self, block: STGCBlock):
        super().__init__()
        self.config = block.config
        self.temporal, self.norm = block.temporal, block.norm
        self.edge = EdgeMessage(block.config.channels)
        self.out, self.update = block.out, block.update

    def forward(self, h: Tensor, pos: Tensor, relative: Tensor, batch: Tensor) -> Tensor:
        h = h + F.gelu(self.temporal(h))
        u = self.norm(h.mean(1))  # (stations, C)
        node = self.out(self.edge(self.neighbours(u, pos, batch), u, pos, relative))
        node = node + self.update(u + node)
        return h + node[:, None]

    def neighbours(self, u: Tensor, pos: Tensor, batch: Tensor) -> Tensor:
        """Edges (2, E), from the k nearest other stations of the event to each station."""
        weight, edges, first = self.config.geographic_weight, [], 0
        for n in batch.bincount().tolist():
            one = slice(first, first + n)
            geographic, feature = (torch.cdist(value[one], value[one]) ** 2 for value in (pos, u))
            mean = [(squared.sum() / max(1, n * (n - 1))).clamp(min=1e-12) for squared in (geographic, feature)]
            distance = weight * geographic / mean[0] + (1 - weight) * feature / mean[1]
            if n > 1:  # a station that is alone sends itself a message, in which all differences are zero
                distance = distance + torch.diag(distance.new_full((n,), torch.inf))
            near = distance.topk(max(1, min(self.config.neighbours, n - 1)), largest=False).indices  # (n, k)
            receiver = torch.arange(n).repeat_interleave(near.shape[1])
            edges.append(torch.stack([near.flatten(), receiver]) + first)
            first += n
        return torch.cat(edges, 1)


class RaggedModel(GraphModel):
    """`GraphModel` on ragged batches; `from_dense` gives it the weights of a dense one."""

    def __init__(self, config: ModelConfig):
        super().__init__(config)
        self.blocks = nn.ModuleList(RaggedBlock(block) for block in self.blocks)

    @classmethod
    def from_dense(cls, model: GraphModel):
        c, ragged, state = model.config.channels, cls(model.config), copy.deepcopy(model.state_dict())
        for i in range(model.config.blocks):
            own, other, offset = (state.pop(f"blocks.{i}.{name}.weight") for name in ("own", "other", "offset"))
            state[f"blocks.{i}.edge.linear.weight"] = torch.cat([own[:, :c], other, offset, own[:, c:]], 1)
            state[f"blocks.{i}.edge.linear.bias"] = state.pop(f"blocks.{i}.own.bias")
        ragged.load_state_dict(state)
        return ragged

    def forward(self, data: Batch) -> Prediction:
        return self.locate(self.encode(data.x, data.amplitude), data.pos, data.batch)

    def encode(self, traces: Tensor, amplitude: Tensor) -> NodeFeatures:
        traces = traces.float()
        traces = traces / traces.abs().amax((1, 2), keepdim=True).clamp(min=torch.finfo(traces.dtype).tiny)
        state, logits = self.stem(traces)
        step, confidence = local_onset(logits)
        onset_s = step * self.stem.stride / self.config.sampling_rate_hz
        return NodeFeatures(state, onset_s, confidence, amplitude, logits)

    def locate(self, features: NodeFeatures, pos: Tensor, batch: Tensor) -> Prediction:
        c = self.config
        onset = features.onset_s / c.time_scale_s
        onset = onset + global_max_pool(-onset[:, :1], batch)[batch]  # after the event's first one
        reference = self.reference(onset[:, :1], pos, batch)  # (B, 3)
        place = (pos - reference[batch]) / c.distance_scale_km
        reading = [place, onset, onset[:, 1:] - onset[:, :1], features.confidence, features.amplitude[:, None] / 2]
        h = features.state + self.reading(torch.cat(reading, -1))[:, None]
        pooled, estimates = [self.pool(h, batch)], []
        estimate = h.new_zeros(len(reference), 3)
        for block, improve in zip(self.blocks, self.estimate, strict=True):
            # a station as an event of one station: the dense model's formula serves
            h = block(h, place, self.relative(place[:, None], estimate[batch])[:, 0], batch)
            pooled.append(self.pool(h, batch))
            estimate = estimate + 0.3 * improve(pooled[-1])
            estimates.append(estimate)
        embedding = torch.cat(pooled, -1)
        out = self.head(torch.cat([embedding, estimate], -1))
        magnitude = self.magnitude(h, features.amplitude, batch) + 0.1 * out[:, 3]
        hypocentre = estimate + 0.3 * out[:, :3]
        return to_prediction(c, hypocentre, magnitude, out[:, 4:], reference[:, None], embedding, estimates)

    def reference(self, onset: Tensor, pos: Tensor, batch: Tensor) -> Tensor:
        weight = softmax(-onset * self.sharpness.exp(), batch)
        return F.pad(global_add_pool(weight * pos[:, :2], batch), (0, 1))

    def pool(self, h: Tensor, batch: Tensor) -> Tensor:
        u = h.mean(1)
        return torch.cat([global_max_pool(u, batch), global_mean_pool(u, batch)], -1)

    def magnitude(self, h: Tensor, amplitude: Tensor, batch: Tensor) -> Tensor:
        correction, weight = self.vote(h.mean(1)).split(1, -1)
        weight = softmax(weight, batch)
        return global_add_pool(weight * (amplitude[:, None] + correction), batch)[:, 0]


class RaggedLocator(Locator):
    """`Locator` whose `loss` takes a ragged batch."""

    def _forward(self, batch):
        features = self.model_.encode(batch.x, batch.amplitude)
        return features, self.model_.locate(features, batch.pos, batch.batch)


def event_graphs(events) -> list[Data]:
    """One graph an event, without edges, of `seisbook.datasets.events.Events`."""
    graphs = []
    for i, (first, last) in enumerate(zip(events.start[:-1], events.start[1:], strict=True)):
        one = slice(first, last)
        graph = Data(x=events.x[one], pos=events.pos[one], y=events.y[i : i + 1], onset_s=events.onset_s[one])
        graph.amplitude = events.amplitude[one]
        graphs.append(graph)
    return graphs


def largest_difference(model: GraphModel, ragged: RaggedModel, dense, data: Batch, tolerance=1e-4) -> float:
    """Largest difference of the two models' predictions, in km, magnitudes and numbers.

    Raises
    ------
    AssertionError
        If one is larger than `tolerance`, relative to the value or absolutely.
    """
    with torch.no_grad():
        expected = model.locate(model.encode(dense.traces, dense.amplitude, dense.mask), dense.pos, dense.mask)
        found = ragged(data)
    for name in Prediction._fields:
        one, other = getattr(found, name), getattr(expected, name)
        torch.testing.assert_close(one, other, atol=tolerance, rtol=tolerance, msg=lambda text, n=name: f"{n}: {text}")
    return max((one - other).abs().max().item() for one, other in zip(found, expected, strict=True))
