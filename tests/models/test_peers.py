import numpy as np
import pytest
import torch
from torch_geometric.nn import EdgeConv as SparseEdgeConv
from torch_geometric.nn import GATv2Conv, GCNConv

from seisbook.datasets.events import Events
from seisbook.errors import UserError
from seisbook.models.augmentation import TrainingConfig
from seisbook.models.graph import GraphModel, ModelConfig
from seisbook.models.peers import GCN, NAMES, OURS, PEERS, EdgeConv, GraphAttention, SeismicGNN, Transformer, build
from seisbook.models.training import Locator

CONFIG = ModelConfig(window_s=12.8, channels=16, blocks=2, neighbours=3)
every_model = pytest.mark.parametrize("name", NAMES)
every_peer = pytest.mark.parametrize("name", PEERS)


def model(name):
    torch.manual_seed(0)
    return build(name, CONFIG).eval()


def batch(n=6, b=2, samples=256):
    """A dense batch of `b` events with `n` stations each."""
    g = torch.Generator().manual_seed(0)
    x = torch.randn(b, n, 3, samples, generator=g)
    pos = 20 * torch.randn(b, n, 3, generator=g)
    return x, pos, torch.randn(b, n, generator=g), torch.ones(b, n, dtype=torch.bool)


def close(one, other, atol=1e-3):
    for name, a, b in zip(one._fields, one, other, strict=True):
        torch.testing.assert_close(a, b, atol=atol, rtol=1e-4, msg=lambda text, name=name: f"{name}: {text}")


def simulated_events(count=24, seed=0):
    """Events in a homogeneous medium: a pulse at P and a larger one at S, on noise; amplitudes fall with distance."""
    g = np.random.default_rng(seed)
    stations = np.column_stack([g.uniform(-12, 12, (12, 2)), np.zeros(12)])
    sizes = g.integers(3, 9, count)
    y = np.column_stack([g.uniform(-10, 10, (count, 2)), g.uniform(2, 15, count), g.uniform(1, 4, count)])
    at = np.concatenate([g.choice(12, size, replace=False) for size in sizes])
    source = y[np.repeat(np.arange(count), sizes)]
    distance = np.linalg.norm(stations[at] - source[:, :3] * [1, 1, -1], axis=1)
    onset_s = 2 + distance[:, None] / [6.0, 3.5]
    pulse = np.exp(-(((np.arange(256) / 20 - onset_s[..., None]) / 0.3) ** 2))  # (stations, 2, T)
    x = (pulse * [[0.3], [1.0]]).sum(1)[:, None] + 0.02 * g.standard_normal((len(at), 3, 256))
    return Events(
        x=torch.from_numpy(x).half(),
        pos=torch.from_numpy(stations[at]).float(),
        amplitude=torch.from_numpy(source[:, 3] - 1.5 * np.log10(distance)).float(),
        onset_s=torch.from_numpy(onset_s).float(),
        start=np.cumsum([0, *sizes]),
        y=torch.from_numpy(y).float(),
        source_id=np.array([f"event{i}" for i in range(count)]),
        origin_time=np.arange(count).astype("datetime64[ns]"),
    )


# ------------------------------------------------------------------------------------------------------- every model


def test_builds_ours_and_its_ablations_by_their_switches():
    peers = ("seismicgnn", "attention", "transformer", "gcn", "dgcnn")
    assert ("dynamic", "static", "feature", "none", "last", *peers) == NAMES
    switches = {name: (build(name, CONFIG).config.graph, build(name, CONFIG).config.readout) for name in OURS}
    assert switches["last"] == ("dynamic", "last")
    assert all(switches[graph] == (graph, "multiscale") for graph in ("dynamic", "static", "feature", "none"))
    assert type(build("dynamic", CONFIG)) is GraphModel


def test_unknown_name_lists_the_names():
    with pytest.raises(UserError, match=r"'gnn': choose one of dynamic, static, .*, dgcnn$"):
        build("gnn", CONFIG)


@every_peer
def test_is_of_our_size(name):
    for config in (ModelConfig(), ModelConfig(window_s=30.0, sampling_rate_hz=50.0)):
        ours, its = (sum(p.numel() for p in build(m, config).parameters()) for m in ("dynamic", name))
        assert 0.5 < its / ours < 2


@every_model
def test_prints_itself(name):
    text = str(model(name))
    assert type(model(name)).__name__ in text
    assert "channels=16" in text
    assert "window_s=12.8" in text


@every_model
def test_shapes(name):
    out = model(name)(*batch())
    assert [tuple(value.shape) for value in out[:6]] == [(2, 2), (2,), (2,), (2, 2, 2), (2,), (2,)]
    assert out.embedding.ndim == 2
    assert (out.depth_scale > 0).all()
    assert (out.magnitude_scale > 0).all()
    assert (out.epicentre_tril.diagonal(dim1=-2, dim2=-1) > 0).all()


@every_peer
def test_a_peers_estimate_is_its_answer(name):
    out = model(name)(*batch())
    assert out.estimates.shape == (2, 1, 3)
    torch.testing.assert_close(out.estimates[:, 0], torch.cat([out.epicentre, out.depth[:, None]], -1))


@every_model
def test_order_of_stations_does_not_matter(name):
    x, pos, amplitude, mask = batch()
    order = torch.tensor([3, 1, 5, 0, 4, 2])
    one = model(name)
    close(one(x, pos, amplitude, mask), one(x[:, order], pos[:, order], amplitude[:, order], mask[:, order]))


@every_model
def test_padding_changes_nothing(name):
    x, pos, amplitude, mask = batch(n=4)
    padded = [torch.cat([value, torch.full_like(value[:, :3], 1e3)], 1) for value in (x, pos, amplitude)]
    more = torch.cat([mask, torch.zeros(2, 3, dtype=torch.bool)], 1)
    close(model(name)(x, pos, amplitude, mask), model(name)(*padded, more))


@every_model
def test_events_of_different_size_in_one_batch_are_independent(name):
    x, pos, amplitude, mask = batch()
    mask[1, 2:] = False
    both = model(name)(x, pos, amplitude, mask)
    alone = model(name)(x[1:, :2], pos[1:, :2], amplitude[1:, :2], mask[1:, :2])
    close(type(both)(*(value[1:] for value in both)), alone)


@every_model
def test_moving_the_network_moves_the_answer_with_it(name):
    x, pos, amplitude, mask = batch()
    shift = torch.tensor([300.0, -150.0, 0.0])
    one, other = model(name)(x, pos, amplitude, mask), model(name)(x, pos + shift, amplitude, mask)
    torch.testing.assert_close(other.epicentre, one.epicentre + shift[:2], atol=1e-2, rtol=1e-4)
    torch.testing.assert_close(other.depth, one.depth, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(other.embedding, one.embedding, atol=1e-3, rtol=1e-3)


@every_model
@pytest.mark.parametrize("n", [1, 2, 6])
def test_answers_and_gradients_are_finite(name, n):
    x, pos, amplitude, mask = batch(n=n, b=3)
    mask[0, 1:] = False
    one = model(name)
    out = one(x, pos, amplitude, mask)
    sum((value**2).sum() for value in out).backward()
    assert all(torch.isfinite(value).all() for value in out)
    assert all(torch.isfinite(p.grad).all() for p in one.parameters() if p.grad is not None)
    if name in PEERS:
        assert [key for key, p in one.named_parameters() if p.grad is None] == []


@every_model
def test_where_the_stations_are_and_when_they_shake_both_matter(name):
    x, pos, amplitude, mask = batch(b=1)
    one, moved, later = model(name), pos.clone(), x.clone()
    moved[0, 0, 0] += 30.0
    later[0, 0] = later[0, 0].roll(40, -1)
    before = one(x, pos, amplitude, mask).embedding
    assert (one(x, moved, amplitude, mask).embedding - before).abs().max() > 1e-3
    assert (one(later, pos, amplitude, mask).embedding - before).abs().max() > 1e-3


@every_model
def test_loss_falls_within_thirty_steps(name):
    events = simulated_events()
    locator = Locator(config=CONFIG)
    locator.model_ = model(name).train()
    optimiser = torch.optim.AdamW(locator.model_.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        loss = locator.loss(events.batch(np.arange(len(events))))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-3:]) < losses[0] - 1.0


@every_peer
def test_the_trainer_trains_it(name):
    events = simulated_events()
    training = TrainingConfig(epochs=1, batch_size=8, validation=0.0)
    start = model(name)  # of the same seed
    locator = Locator(architecture=name, config=CONFIG, training=training).fit(events, progress=False)
    assert type(locator.model_) is PEERS[name]
    assert not torch.equal(locator.model_.head[0].weight, start.head[0].weight)
    assert locator.predict(events).epicentre.shape == (24, 2)


@every_peer
def test_shorter_records_are_filled_up_and_longer_ones_cut(name):
    x, pos, amplitude, mask = batch(samples=200)
    one = model(name)
    filled, longer = (torch.cat([x, torch.zeros(2, 6, 3, extra)], -1) for extra in (56, 100))
    close(one(x, pos, amplitude, mask), one(filled, pos, amplitude, mask))
    close(one(x, pos, amplitude, mask), one(longer, pos, amplitude, mask))


# ---------------------------------------------------------------------------------------------------- one at a time


def test_the_loudest_station_is_nearest_to_the_reference():
    pos = torch.tensor([[[0.0, 0, 1], [100, 0, 1], [1e6, 1e6, 0]]])
    mask = torch.tensor([[True, True, False]])
    amplitude = torch.tensor([[2.0, 1.0, 9.0]])
    reference = model("seismicgnn").reference(amplitude, pos, mask)
    share = 1 / (1 + float(np.exp(np.e)))  # amplitude to the power e / ln 10
    torch.testing.assert_close(reference, torch.tensor([[[100 * share, 0.0, 0.0]]]), atol=1e-3, rtol=1e-5)


def test_seismicgnn_takes_the_largest_value_of_each_station():
    one = SeismicGNN(CONFIG)
    u, place, amplitude, mask = torch.rand(1, 5, 16), torch.randn(1, 5, 3), torch.randn(1, 5, 1), torch.ones(1, 5) > 0
    single = [one.embed(u[:, [i]], place[:, [i]], amplitude[:, [i]], mask[:, [i]]) for i in range(5)]
    torch.testing.assert_close(one.embed(u, place, amplitude, mask), torch.stack(single).amax(0))


def test_transformer_knows_places_by_sines_and_cosines():
    one = Transformer(ModelConfig(window_s=12.8, channels=64))
    origin, near = one.sinusoids(torch.zeros(1, 1, 3)), one.sinusoids(torch.full((1, 1, 3), one.shortest / 4))
    assert origin[0, 0].tolist() == [0.0] * 30 + [1.0] * 30 + [0.0] * 4
    assert near[0, 0, 0].item() == pytest.approx(1.0)  # a quarter of the shortest wavelength
    assert near[0, 0, 9].item() == pytest.approx(np.sin(2 * np.pi * one.shortest / 4 / one.longest), rel=1e-4)


def complete(n):
    """All edges among `n` stations, self-loops included: row 0 sends to row 1."""
    return torch.stack([torch.arange(n).repeat(n), torch.arange(n).repeat_interleave(n)])


def test_attention_agrees_with_pyg_on_the_complete_graph():
    torch.manual_seed(0)
    n, c = 7, 16
    dense = GraphAttention(c)
    dense.value.load_state_dict(dense.sender.state_dict())  # as in the paper; ours has values of their own
    dense.out.load_state_dict({"weight": torch.eye(c), "bias": torch.zeros(c)})
    torch.nn.init.zeros_(dense.update[-1].weight)
    torch.nn.init.zeros_(dense.update[-1].bias)
    sparse = GATv2Conv(c, c // 4, heads=4, edge_dim=3, add_self_loops=False)
    sparse.lin_l.load_state_dict(dense.sender.state_dict())
    sparse.lin_r.load_state_dict(dense.receiver.state_dict())
    sparse.lin_edge.load_state_dict(dense.offset.state_dict())
    with torch.no_grad():
        sparse.att.copy_(dense.score[None])
    h, place, edges = torch.randn(1, n, c), torch.randn(1, n, 3), complete(n)
    expected = h[0] + sparse(dense.norm(h)[0], edges, place[0, edges[0]] - place[0, edges[1]])
    torch.testing.assert_close(dense(h, place, torch.ones(1, n) > 0)[0], expected, atol=1e-5, rtol=1e-5)


def test_graph_convolution_agrees_with_pyg():
    torch.manual_seed(0)
    n, one = 7, GCN(CONFIG)
    place = torch.rand(1, n, 3)
    adjacency = one.adjacency(place, torch.ones(1, n) > 0)[0]
    layer = torch.nn.Linear(5, 4)
    h, edges = torch.randn(n, 5), complete(n)
    distance = (place[0, edges[0], :2] - place[0, edges[1], :2]).norm(dim=-1)
    joined = (edges[0] != edges[1]) & (1 - distance / one.reach >= one.threshold)
    assert 0 < joined.sum() < n * n
    sparse = GCNConv(5, 4)
    sparse.load_state_dict({"lin.weight": layer.weight, "bias": torch.zeros(4)})
    expected = sparse(h, edges[:, joined], (1 - distance / one.reach)[joined])
    torch.testing.assert_close(adjacency @ torch.nn.functional.linear(h, layer.weight), expected)


def test_far_stations_are_not_joined():
    place = torch.tensor([[[0.0, 0, 0], [0.7, 0, 0], [5, 0, 0]]])  # a weight of 0.65, and none
    adjacency = GCN(CONFIG).adjacency(place, torch.ones(1, 3) > 0)[0]
    expected = torch.tensor([[1 / 1.65, 0.65 / 1.65, 0], [0.65 / 1.65, 1 / 1.65, 0], [0, 0, 1]])
    torch.testing.assert_close(adjacency, expected)


def test_edge_convolution_agrees_with_pyg_on_nearest_neighbours_in_feature_space():
    torch.manual_seed(0)
    n, c, k = 9, 6, 3
    dense = EdgeConv(c, 8, k)
    linear = torch.nn.Linear(2 * c, 8)
    sparse = SparseEdgeConv(torch.nn.Sequential(linear, torch.nn.LeakyReLU(0.2)), aggr="max")  # draws weights anew
    linear.load_state_dict({"weight": torch.cat([dense.own.weight, dense.other.weight], 1), "bias": dense.own.bias})
    h = torch.randn(n, c)
    nearest = torch.cdist(h, h).argsort(1)[:, : k + 1]
    assert (nearest[:, 0] == torch.arange(n)).all()
    edges = torch.stack([nearest.flatten(), torch.arange(n).repeat_interleave(k + 1)])
    result = dense(h[None], torch.ones(1, n) > 0)[0]
    torch.testing.assert_close(result, dense.norm(sparse(h, edges)), atol=1e-5, rtol=1e-5)
