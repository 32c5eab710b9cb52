r"""The peers of the graph model, re-implemented from their papers, with one interface and one trainer.

Each is a small module with the size and the interface of `seisbook.models.graph.GraphModel`, so that the same `Locator`
trains it on the same events: `Locator(architecture="transformer")`. What the papers differ in, how a station reads its
seismogram and how the stations of an event are put together, is each peer's own. What would only blur the comparison is
the same for all, and lives in `Peer`: the units, the likelihood's parameters, and a reference point for the epicentre.
Widths are set so that the numbers of parameters are alike.

Letters as in `seisbook.models.graph`: `B` events, `N` stations (padded), `C` channels, `T` samples, `t` steps.
"""

from dataclasses import replace
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seisbook.datasets.events import NodeFeatures
from seisbook.errors import UserError
from seisbook.models.graph import FAR, GraphModel, ModelConfig, Prediction, to_prediction
from seisbook.models.names import NAMES


class Peer(nn.Module):
    r"""What the peers share: the interface, the reference point, the head.

    Positions enter as differences from a reference point, and the epicentre comes out as a difference from it, so that
    moving the network moves the answer with it. These networks pick no onsets, so the reference is the mean of the
    stations weighted by a power of their amplitudes, the exponent of which is learnt, where `GraphModel` weights them
    by their onsets. The magnitude, likewise, comes out as a difference from the mean log amplitude.

    .. math:: p_0 = \frac{\sum_i A_i^{s} p_i}{\sum_i A_i^{s}}, \qquad M = \overline{\log_{10} A} + \Delta M

    A peer defines `read`, a module from traces (stations, 3, T) to features (stations, F), and `embed`, from the
    features, places and amplitudes of the stations to an embedding (B, E) of the event.

    Parameters
    ----------
    config : ModelConfig
        Its window, sampling rate, channels and neighbours; the switches of the graph are `GraphModel`'s alone.
    width : int
        `E`, of the event's embedding.
    """

    read: nn.Module

    def __init__(self, config: ModelConfig, width: int):
        super().__init__()
        c = config.channels
        self.config = config
        self.samples = round(config.window_s * config.sampling_rate_hz)
        self.sharpness = nn.Parameter(torch.tensor(1.0))  # exp of it over ln 10 is the exponent: 1.2 at first
        self.head = nn.Sequential(nn.Linear(width, 2 * c), nn.GELU(), nn.Linear(2 * c, 9))

    def forward(self, x: Tensor, pos: Tensor, amplitude: Tensor, mask: Tensor) -> Prediction:
        """Locate and size a batch of events; arguments as `GraphModel.forward`."""
        return self.locate(self.encode(x[mask], amplitude, mask), pos, mask)

    def encode(self, traces: Tensor, amplitude: Tensor, mask: Tensor) -> NodeFeatures:
        """Read the real stations' traces (stations, 3, T), cut or filled up with zeros to the window."""
        dtype = self.sharpness.dtype
        traces = F.pad(traces.to(dtype), (0, self.samples - traces.shape[-1]))
        features = self.read(traces / traces.abs().amax((1, 2), keepdim=True).clamp(min=torch.finfo(dtype).tiny))
        state = features.new_zeros(*mask.shape, 1, features.shape[-1])
        state[mask] = features[:, None]
        nothing = state.new_zeros(*mask.shape, 2)
        return NodeFeatures(state, nothing, nothing, amplitude.to(dtype))

    def locate(self, features: NodeFeatures, pos: Tensor, mask: Tensor) -> Prediction:
        """Put the stations together and predict."""
        real = mask[..., None]
        amplitude = features.amplitude.masked_fill(~mask, 0.0)
        reference = self.reference(amplitude, pos, mask)
        place = ((pos.to(amplitude.dtype) - reference) / self.config.distance_scale_km).masked_fill(~real, 0.0)
        embedding = self.embed(features.state[:, :, 0], place, amplitude[..., None] / 2, mask)
        hypocentre, magnitude, scales = self.head(embedding).split([3, 1, 5], -1)
        magnitude = magnitude[:, 0] + amplitude.sum(1) / mask.sum(1).clamp(min=1)
        return to_prediction(self.config, hypocentre, magnitude, scales, reference, embedding, [hypocentre])

    def reference(self, amplitude: Tensor, pos: Tensor, mask: Tensor) -> Tensor:
        """Mean of the stations weighted by a power of their amplitudes, (B, 1, 3); its vertical is zero."""
        weight = (amplitude * self.sharpness.exp()).masked_fill(~mask, -FAR).softmax(1)
        horizontal = (weight[..., None] * pos[..., :2].masked_fill(~mask[..., None], 0.0)).sum(1, keepdim=True)
        return F.pad(horizontal, (0, 1))

    def embed(self, u: Tensor, place: Tensor, amplitude: Tensor, mask: Tensor) -> Tensor:
        """Embedding (B, E) of features `u` (B, N, F), places (B, N, 3), amplitudes (B, N, 1)."""
        raise NotImplementedError

    def extra_repr(self) -> str:  # noqa: D102 (PyTorch's)
        c = self.config
        return f"channels={c.channels}, window_s={c.window_s}, sampling_rate_hz={c.sampling_rate_hz}"


def rectified(*layers: nn.Module) -> nn.Sequential:
    """Layers with He's initial weights: PyTorch's own let a signal fade to nothing on its way through many ReLUs."""
    for layer in layers:
        if isinstance(layer, (nn.Conv1d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


class StationCNN(nn.Module):
    """Three blocks of three convolutions with dropout of whole channels, after van den Ende & Ampuero (2020).

    Here the first convolution of a block strides, where theirs pool after the last: a fraction of the arithmetic.

    Shapes: (stations, 3, T) to (stations, C, `steps`), `steps` being `T / 64`, rounded up.
    """

    def __init__(self, channels: int, samples: int, dropout: float = 0.1):
        super().__init__()
        self.steps = -(-samples // 64)
        layers = []
        for a, b in pairwise([3, 16, 32, channels]):
            layers += [nn.Conv1d(a, b, 5, 4, padding=2), nn.ReLU()]
            layers += [nn.Conv1d(b, b, 5, padding=2), nn.ReLU(), nn.Conv1d(b, b, 5, padding=2), nn.ReLU()]
            layers += [nn.Dropout1d(dropout)]
        self.layers = rectified(*layers)

    def forward(self, traces: Tensor) -> Tensor:
        """Return the channels at each step."""
        return self.layers(traces)


def flat_cnn(channels: int, samples: int) -> nn.Sequential:
    """A `StationCNN` whose steps are flattened and projected, so that *when* something happened is not lost."""
    cnn = StationCNN(channels, samples)
    return rectified(cnn, nn.Flatten(), nn.Linear(channels * cnn.steps, channels), nn.ReLU())


def masked_max(h: Tensor, mask: Tensor) -> Tensor:
    """Largest value over the real stations, (B, N, C) to (B, C)."""
    return h.masked_fill(~mask[..., None], -FAR).amax(1)


def masked_mean(h: Tensor, mask: Tensor) -> Tensor:
    """Mean over the real stations, (B, N, C) to (B, C)."""
    return h.masked_fill(~mask[..., None], 0.0).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)


class SeismicGNN(Peer):
    r"""Shared CNN, station coordinates, and the largest value over the stations; no edges.

    .. math:: e = \max_i \mathrm{MLP}\bigl([\mathrm{CNN}(x_i),\; p_i,\; \log A_i]\bigr)

    after which a second perceptron predicts. Theirs predicts four numbers by mean squared error, ours the parameters of
    the likelihood that all models here share.

    References
    ----------
    van den Ende, M. P. A. & Ampuero, J.-P. (2020). Automated seismic source characterization using deep graph neural
    networks. Geophysical Research Letters, 47, e2020GL088690.
    """

    def __init__(self, config: ModelConfig):
        c = config.channels
        super().__init__(config, 2 * c)
        self.read = flat_cnn(c, self.samples)
        self.node = rectified(nn.Linear(c + 4, 2 * c), nn.ReLU(), nn.Linear(2 * c, 2 * c), nn.ReLU())

    def embed(self, u: Tensor, place: Tensor, amplitude: Tensor, mask: Tensor) -> Tensor:
        """Largest value over the stations of what each one says."""
        return masked_max(self.node(torch.cat([u, place, amplitude], -1)), mask)


class TemporalAttention(nn.Module):
    """Attention over the steps of a station, by what they hold and by when they are.

    Shapes: (stations, C, t) to (stations, C).
    """

    def __init__(self, channels: int, steps: int, heads: int = 4):
        super().__init__()
        self.time = nn.Parameter(0.1 * torch.randn(steps, channels))
        self.score = nn.Linear(channels, heads)
        self.value = nn.Linear(channels, channels)
        self.out = nn.Linear(channels, channels)

    def forward(self, h: Tensor) -> Tensor:
        """Return the mean of the values, weighted by each head."""
        h = h.transpose(1, 2) + self.time  # (stations, t, C)
        weight = self.score(h).softmax(1)  # (stations, t, heads)
        value = self.value(h).unflatten(-1, (weight.shape[-1], -1))
        return self.out(torch.einsum("sth,sthc->shc", weight, value).flatten(1))


class GraphAttention(nn.Module):
    r"""Attention of each station to all stations, itself included, with the offset between the two in the score.

    .. math:: \alpha_{ij} = \mathrm{softmax}_j\; a^\top \mathrm{LeakyReLU}(W_1 h_i + W_2 h_j + W_3 (p_j - p_i))

    for each of the heads (the dynamic attention of Brody, Alon & Yahav, 2022), residual, with a perceptron after it.
    """

    def __init__(self, channels: int, heads: int = 4):
        super().__init__()
        c = channels
        self.heads = heads
        self.norm = nn.LayerNorm(c)
        self.receiver, self.sender, self.value = nn.Linear(c, c), nn.Linear(c, c), nn.Linear(c, c)
        self.offset = nn.Linear(3, c, bias=False)
        self.score = nn.Parameter(torch.randn(heads, c // heads) / (c // heads) ** 0.5)
        self.out = nn.Linear(c, c)
        self.update = nn.Sequential(nn.LayerNorm(c), nn.Linear(c, 2 * c), nn.GELU(), nn.Linear(2 * c, c))

    def forward(self, h: Tensor, place: Tensor, mask: Tensor) -> Tensor:
        """Return the stations' new features (B, N, C)."""
        u, offset = self.norm(h), self.offset(place)
        pair = (self.receiver(u) - offset)[:, :, None] + (self.sender(u) + offset)[:, None]  # (B, N, N, C)
        pair = F.leaky_relu(pair, 0.2).unflatten(-1, (self.heads, -1))
        score = (pair * self.score).sum(-1).masked_fill(~mask[:, None, :, None], -FAR)  # (B, N, N, heads)
        value = self.value(u).unflatten(-1, (self.heads, -1))
        h = h + self.out(torch.einsum("bijh,bjhc->bihc", score.softmax(2), value).flatten(2))
        return h + self.update(h)


class AttentionGraph(Peer):
    """Dual attention: over the times of each station, then over all pairs of stations; the graph is complete.

    In the style of SAGE. The paper gives the idea, attention in time and in space on one graph; the layers are ours,
    with the graph attention of Brody et al. and a readout by attention.

    References
    ----------
    A seismic dual-attention graph network for earthquake source characterization (SAGE, 2025).
    Brody, S., Alon, U. & Yahav, E. (2022). How attentive are graph attention networks? ICLR.
    """

    def __init__(self, config: ModelConfig):
        c = config.channels
        super().__init__(config, 2 * c)
        cnn = StationCNN(c, self.samples)
        self.read = nn.Sequential(cnn, TemporalAttention(c, cnn.steps))
        self.enter = nn.Linear(c + 4, c)
        self.layers = nn.ModuleList(GraphAttention(c) for _ in range(3))
        self.weight = nn.Linear(c, 1)

    def embed(self, u: Tensor, place: Tensor, amplitude: Tensor, mask: Tensor) -> Tensor:
        """Largest value and weighted mean over the stations, the weights being learnt."""
        h = self.enter(torch.cat([u, place, amplitude], -1))
        for layer in self.layers:
            h = layer(h, place, mask)
        weight = self.weight(h).masked_fill(~mask[..., None], -FAR).softmax(1)
        return torch.cat([masked_max(h, mask), (weight * h).sum(1)], -1)


class Transformer(Peer):
    r"""CNN with a scalar for the amplitude, sinusoids of the station's coordinates, transformer with an event token.

    .. math:: h_i = \mathrm{MLP}\bigl([\mathrm{CNN}(x_i),\; \log A_i]\bigr) + \bigl[\sin\tfrac{2 \pi p_i}{\lambda_k},\;
        \cos\tfrac{2 \pi p_i}{\lambda_k}\bigr]_k

    TEAM-LM has a mixture of Gaussians as its output, and six layers 500 wide; ours has the likelihood that all models
    here share, and three layers. Its coordinates are absolute, ours relative to the reference.

    References
    ----------
    Münchmeyer, J., Bindi, D., Leser, U. & Tilmann, F. (2021). Earthquake magnitude and location estimation from real
    time seismic waveforms with a transformer network. Geophysical Journal International, 226, 1086-1104.
    """

    shortest, longest = 0.1, 40.0  # wavelengths, in the unit of distances

    def __init__(self, config: ModelConfig):
        c = config.channels
        super().__init__(config, c)
        layers = [nn.Conv1d(3, 16, 5, 5, padding=2), nn.ReLU()]
        for a, b, kernel in ((16, 32, 17), (32, 32, 17), (32, 32, 9)):
            layers += [nn.Conv1d(a, b, kernel, padding=kernel // 2), nn.ReLU(), nn.MaxPool1d(2, ceil_mode=True)]
        self.read = rectified(*layers, nn.Conv1d(32, 16, 5, padding=2), nn.ReLU(), nn.Flatten())
        features = 16 * -(-self.samples // 40)
        self.node = nn.Sequential(nn.Linear(features + 1, 2 * c), nn.ReLU(), nn.Linear(2 * c, c), nn.LayerNorm(c))
        self.token = nn.Parameter(0.1 * torch.randn(1, 1, c))
        layer = nn.TransformerEncoderLayer(c, 4, 2 * c, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 3, norm=nn.LayerNorm(c), enable_nested_tensor=False)
        wavelengths = torch.logspace(*(torch.tensor([self.shortest, self.longest]).log2().tolist()), c // 6, base=2)
        self.register_buffer("wavenumber", 2 * torch.pi / wavelengths, persistent=False)

    def embed(self, u: Tensor, place: Tensor, amplitude: Tensor, mask: Tensor) -> Tensor:
        """What the event token has gathered from the stations."""
        h = self.node(torch.cat([u, amplitude], -1)) + self.sinusoids(place)
        h = torch.cat([self.token.expand(len(h), -1, -1), h], 1)
        return self.encoder(h, src_key_padding_mask=~F.pad(mask, (1, 0), value=True))[:, 0]

    def sinusoids(self, place: Tensor) -> Tensor:
        """Sines and cosines of the three coordinates at each wavelength, (B, N, 3) to (B, N, C)."""
        phase = (place[..., None] * self.wavenumber).flatten(2)
        return F.pad(torch.cat([phase.sin(), phase.cos()], -1), (0, self.config.channels - 2 * phase.shape[-1]))


class GCN(Peer):
    r"""CNN over time, coordinates, two graph convolutions on the geographic graph.

    .. math::
        H' = \tanh(\hat A H W), \qquad \hat A = D^{-1/2} (A + I) D^{-1/2}, \qquad
        A_{ij} = 1 - \frac{d_{ij}}{d_{\max}} \text{ where that is above } 0.3

    TISER-GCN scales by the network's largest distance and flattens the stations, which needs the same stations in every
    event. Ours takes `d_max` as what P travels in a third of the window, so that whether two stations are joined
    depends on the two alone, and pools by maximum and mean over those that recorded the event. Kernels of 25 samples
    with a stride of 5, in place of 125 and 2, suit a lower sampling rate and take a fraction of the arithmetic.

    References
    ----------
    Bloemheuvel, S., van den Hoogen, J., Jozinović, D., Michelini, A. & Atzmueller, M. (2022). Graph neural networks for
    multivariate time series regression with application to seismic data. International Journal of Data Science and
    Analytics. https://doi.org/10.1007/s41060-022-00349-6
    """

    reach, threshold = 2.0, 0.3  # d_max in the unit of distances; smallest weight of an edge

    def __init__(self, config: ModelConfig):
        c = config.channels
        super().__init__(config, 2 * c)
        convolutions = [nn.Conv1d(3, 32, 25, 5, padding=12), nn.ReLU(), nn.Conv1d(32, 32, 25, 5, padding=12), nn.ReLU()]
        self.read = rectified(*convolutions, nn.Flatten())
        features = 32 * -(-self.samples // 25)
        self.layers = nn.ModuleList([nn.Linear(features + 4, c), nn.Linear(c, c)])

    def embed(self, u: Tensor, place: Tensor, amplitude: Tensor, mask: Tensor) -> Tensor:
        """Largest value and mean over the stations after two graph convolutions."""
        adjacency = self.adjacency(place, mask)
        h = torch.cat([u, place, amplitude], -1)
        for layer in self.layers:
            h = torch.tanh(adjacency @ layer(h))
        return torch.cat([masked_max(h, mask), masked_mean(h, mask)], -1)

    def adjacency(self, place: Tensor, mask: Tensor) -> Tensor:
        """Normalised adjacency (B, N, N) of the stations, by epicentral distance."""
        horizontal = place[..., :2].detach()
        weight = 1 - (horizontal[:, :, None] - horizontal[:, None]).norm(dim=-1) / self.reach
        weight = weight.masked_fill((weight < self.threshold) | ~(mask[:, :, None] & mask[:, None]), 0.0)
        eye = torch.eye(mask.shape[1], dtype=weight.dtype, device=weight.device)
        weight = weight * (1 - eye) + eye  # A + I
        root = weight.sum(-1).rsqrt()
        return root[:, :, None] * weight * root[:, None]


class EdgeConv(nn.Module):
    r"""Largest message of the nearest stations in feature space, the station itself among them.

    .. math::
        h'_i = \mathrm{LN}\Bigl(\max_{j \in \mathrm{kNN}(i)} \mathrm{LeakyReLU}\bigl(W [h_i,\; h_j - h_i]\bigr)\Bigr)
    """

    def __init__(self, channels: int, out: int, neighbours: int):
        super().__init__()
        self.neighbours = neighbours
        self.own, self.other = nn.Linear(channels, out), nn.Linear(channels, out, bias=False)
        self.norm = nn.LayerNorm(out)

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        """Return the stations' new features (B, N, out)."""
        distance = torch.cdist(h.detach(), h.detach()).masked_fill(~mask[:, None], FAR)
        nearest, index = distance.topk(min(self.neighbours + 1, mask.shape[1]), largest=False)  # (B, N, k)
        sender = self.other(h)
        flat = index.flatten(1)[..., None].expand(-1, -1, sender.shape[-1])
        received = sender.gather(1, flat).unflatten(1, index.shape[1:])  # (B, N, k, out)
        largest = received.masked_fill((nearest >= FAR)[..., None], -FAR).amax(2)
        message = F.leaky_relu(self.own(h) - sender + largest, 0.2)  # it rises: the largest argument will do
        return self.norm(message)


class DGCNN(Peer):
    """Edge convolutions on nearest neighbours in feature space, found anew in each layer; all layers concatenated.

    The points' features are what the CNN says of each station, its place and its amplitude. Batch normalisation is
    replaced by that of each station, since padded stations have no part in a batch.

    References
    ----------
    Wang, Y., Sun, Y., Liu, Z., Sarma, S. E., Bronstein, M. M. & Solomon, J. M. (2019). Dynamic graph CNN for learning
    on point clouds. ACM Transactions on Graphics, 38, 146.
    """

    def __init__(self, config: ModelConfig):
        c = config.channels
        super().__init__(config, 4 * c)
        self.read = flat_cnn(c, self.samples)
        self.layers = nn.ModuleList(EdgeConv(a, c, config.neighbours) for a in (c + 4, c, c))
        self.join = nn.Sequential(nn.Linear(3 * c, 2 * c), nn.LeakyReLU(0.2))

    def embed(self, u: Tensor, place: Tensor, amplitude: Tensor, mask: Tensor) -> Tensor:
        """Largest value and mean over the stations of all layers together."""
        h, layers = torch.cat([u, place, amplitude], -1), []
        for layer in self.layers:
            h = layer(h, mask)
            layers.append(h)
        h = self.join(torch.cat(layers, -1))
        return torch.cat([masked_max(h, mask), masked_mean(h, mask)], -1)


OURS = {
    "dynamic": {"graph": "dynamic", "readout": "multiscale"},
    "static": {"graph": "static", "readout": "multiscale"},
    "feature": {"graph": "feature", "readout": "multiscale"},
    "none": {"graph": "none", "readout": "multiscale"},
    "last": {"graph": "dynamic", "readout": "last"},
}
PEERS = {
    "seismicgnn": SeismicGNN,
    "attention": AttentionGraph,
    "transformer": Transformer,
    "gcn": GCN,
    "dgcnn": DGCNN,
}


def build(name: str, config: ModelConfig) -> nn.Module:
    """Build a model by its name: our model, an ablation of it, or a peer.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    config : ModelConfig
        For our model, the name decides on `graph` and `readout`.

    Raises
    ------
    UserError
        If there is no such model.
    """
    if name in OURS:
        return GraphModel(replace(config, **OURS[name]))
    if name in PEERS:
        return PEERS[name](config)
    raise UserError(f"there is no model {name!r}: choose one of {', '.join(NAMES)}")
