from dataclasses import replace

import pytest
import torch
from torch_geometric.nn import EdgeConv

from seisbook.models.graph import GraphModel, ModelConfig, STGCBlock, local_onset

CONFIG = ModelConfig(channels=16, blocks=2, neighbours=3)


def event(n=6, b=2, samples=512, seed=0):
    """A dense batch of `b` events with `n` stations each."""
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(b, n, 3, samples, generator=g)
    pos = 100 * torch.randn(b, n, 3, generator=g)
    return x, pos, torch.randn(b, n, generator=g), torch.ones(b, n, dtype=torch.bool)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return GraphModel(CONFIG).eval()


def close(one, other, atol=1e-3):
    for name, a, b in zip(one._fields, one, other, strict=True):
        torch.testing.assert_close(a, b, atol=atol, rtol=1e-4, msg=lambda text, name=name: f"{name}: {text}")


def test_prints_its_configuration(model):
    text = str(model)
    assert "graph=dynamic" in text
    assert "(blocks): ModuleList" in text
    assert "geographic_weight=0.5" in text


def test_shapes(model):
    out = model(*event())
    shapes = [tuple(value.shape) for value in out]
    assert shapes == [(2, 2), (2,), (2,), (2, 2, 2), (2,), (2,), (2, 2 * 16 * 3), (2, 2, 3)]
    assert (out.depth_scale > 0).all()
    assert (out.epicentre_tril.diagonal(dim1=-2, dim2=-1) > 0).all()
    assert (out.epicentre_tril[:, 0, 1] == 0).all()


@pytest.mark.parametrize("graph", ["dynamic", "static", "feature", "none"])
@pytest.mark.parametrize("aggregation", ["max", "mean", "softmax"])
@pytest.mark.parametrize("readout", ["multiscale", "last"])
def test_every_switch_runs_and_learns(graph, aggregation, readout):
    model = GraphModel(replace(CONFIG, graph=graph, aggregation=aggregation, readout=readout))
    out = model(*event())
    sum(value.sum() for value in out).backward()
    unused = {name for name, p in model.named_parameters() if p.grad is None}
    edges = {f"blocks.{i}.{part}.weight" for i in (0, 1) for part in ("other", "offset")}
    onset = {"stem.onset.linear.weight", "stem.onset.linear.bias"}
    assert unused - onset == (edges if graph == "none" else set())
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_order_of_stations_does_not_matter(model):
    x, pos, amplitude, mask = event()
    order = torch.tensor([3, 1, 5, 0, 4, 2])
    close(model(x, pos, amplitude, mask), model(x[:, order], pos[:, order], amplitude[:, order], mask[:, order]))


def test_padding_changes_nothing(model):
    x, pos, amplitude, mask = event(n=4)
    padded = [torch.cat([value, torch.full_like(value[:, :3], 1e3)], 1) for value in (x, pos, amplitude)]
    more = torch.cat([mask, torch.zeros(2, 3, dtype=torch.bool)], 1)
    close(model(x, pos, amplitude, mask), model(*padded, more))


def test_moving_the_network_moves_the_answer_with_it(model):
    x, pos, amplitude, mask = event()
    shift = torch.tensor([300.0, -150.0, 0.0])
    one, other = model(x, pos, amplitude, mask), model(x, pos + shift, amplitude, mask)
    torch.testing.assert_close(other.epicentre, one.epicentre + shift[:2], atol=1e-2, rtol=1e-4)
    torch.testing.assert_close(other.depth, one.depth, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(other.embedding, one.embedding, atol=1e-3, rtol=1e-3)


def test_turning_the_network_by_a_full_circle_of_quarters_is_no_symmetry_but_the_identity(model):
    """The model has no rotation built in: a quarter turn changes the embedding, four of them bring it back."""
    x, pos, amplitude, mask = event()
    turn = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    quarter = model(x, pos @ turn.T, amplitude, mask)
    assert (quarter.embedding - model(x, pos, amplitude, mask).embedding).abs().max() > 1e-3
    full = torch.linalg.matrix_power(turn, 4)
    close(model(x, pos, amplitude, mask), model(x, pos @ full.T, amplitude, mask))


def test_a_later_window_changes_nothing(model):
    """Onsets count from the first one of the event, so that a joint shift of the readings is none at all."""
    x, pos, amplitude, mask = event()
    features = model.encode(x[mask], amplitude, mask)
    later = features._replace(onset_s=features.onset_s + 2.0)
    close(model.locate(features, pos, mask), model.locate(later, pos, mask))


@pytest.mark.parametrize("n", [1, 2])
def test_one_and_two_stations(model, n):
    out = model(*event(n=n))
    assert all(torch.isfinite(value).all() for value in out)


def test_events_of_different_size_in_one_batch_are_independent(model):
    x, pos, amplitude, mask = event(n=6)
    mask = mask.clone()
    mask[1, 2:] = False
    both = model(x, pos, amplitude, mask)
    alone = model(x[1:, :2], pos[1:, :2], amplitude[1:, :2], mask[1:, :2])
    for name, a, b in zip(both._fields, both, alone, strict=True):
        torch.testing.assert_close(a[1:], b, atol=1e-3, rtol=1e-4, msg=name)


def neighbour_sets(model, x, pos, amplitude, mask):
    """Graph of each block: a list of (B, N, k) indices."""
    graphs = []

    def keep(block, given, _):
        graphs.append(block.neighbours(mean(block, given), *given[1:3])[0])

    hooks = [block.register_forward_hook(keep) for block in model.blocks]
    model(x, pos, amplitude, mask)
    for hook in hooks:
        hook.remove()
    return graphs


def mean(block, given):
    h = given[0] + torch.nn.functional.gelu(block.temporal(given[0]))
    return block.norm(h.mean(2))


def test_dynamic_graph_differs_from_block_to_block_and_static_does_not():
    torch.manual_seed(1)
    batch = event(n=12, b=4)
    for graph, same in (("static", True), ("dynamic", False)):
        first, second = neighbour_sets(GraphModel(replace(CONFIG, graph=graph, channels=32)), *batch)
        equal = torch.equal(first.sort(-1).values, second.sort(-1).values)
        assert equal == same, graph


@pytest.mark.parametrize("factor", [0.01, 100.0])
def test_neither_distance_drowns_the_other(factor):
    torch.manual_seed(2)
    block = STGCBlock(CONFIG)
    u, pos, mask = torch.randn(3, 12, 16), torch.randn(3, 12, 3), torch.ones(3, 12, dtype=torch.bool)
    mask[1, 8:] = False
    index, valid = block.neighbours(u, pos, mask)
    for other in (block.neighbours(factor * u, pos, mask), block.neighbours(u, factor * pos, mask)):
        torch.testing.assert_close(other[0][valid], index[valid])
    static, _ = STGCBlock(replace(CONFIG, graph="static")).neighbours(u, pos, mask)
    assert (static.sort(-1).values != index.sort(-1).values).any()


def test_static_graph_is_that_of_the_nearest_stations():
    block = STGCBlock(replace(CONFIG, graph="static"))
    pos = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [3, 0, 0], [7, 0, 0], [15, 0, 0]]])
    index, valid = block.neighbours(torch.randn(1, 5, 16), pos, torch.ones(1, 5, dtype=torch.bool))
    assert index[0, 0].tolist() == [1, 2, 3]
    assert set(index[0, 4].tolist()) == {3, 2, 1}
    assert valid.all()


def test_messages_agree_with_pyg_on_the_same_edges():
    """The dense block's max of ReLU(W [u_i, u_j - u_i, p_j - p_i, q_i]) against PyG's EdgeConv on [u, p, q]."""
    torch.manual_seed(0)
    c, n = 16, 7
    block = STGCBlock(CONFIG)
    u, pos, relative = torch.randn(1, n, c), torch.randn(1, n, 3), torch.randn(1, n, 5)
    index, valid = block.neighbours(u, pos, torch.ones(1, n, dtype=torch.bool))
    dense = block.aggregate(u, pos, block.own(torch.cat([u, relative], -1)), index, valid)
    linear = torch.nn.Linear(2 * (c + 3 + 5), c)
    sparse = EdgeConv(torch.nn.Sequential(linear, torch.nn.ReLU()), aggr="max")  # draws the weights anew
    own, own_q = block.own.weight.split([c, 5], 1)
    nothing = torch.zeros(c, 3), torch.zeros(c, 5)
    with torch.no_grad():
        parts = [own, nothing[0], own_q, block.other.weight, block.offset.weight, nothing[1]]
        linear.weight.copy_(torch.cat(parts, 1))
        linear.bias.copy_(block.own.bias)
    edges = torch.stack([index[0].flatten(), torch.arange(n).repeat_interleave(index.shape[-1])])
    torch.testing.assert_close(dense[0], sparse(torch.cat([u, pos, relative], -1)[0], edges), atol=1e-5, rtol=1e-5)


def test_same_seed_same_weights():
    weights = []
    for _ in range(2):
        torch.manual_seed(7)
        weights.append(GraphModel(CONFIG).state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_half_precision_seismograms_are_read(model):
    x, pos, amplitude, mask = event()
    close(model(x, pos, amplitude, mask), model(x.half(), pos, amplitude, mask), atol=0.5)


def test_scale_of_the_seismograms_is_in_the_amplitude_alone(model):
    x, pos, amplitude, mask = event()
    close(model(x, pos, amplitude, mask), model(1000 * x, pos, amplitude, mask), atol=1e-2)
    louder = model(x, pos, amplitude + 1, mask)
    assert (louder.magnitude - model(x, pos, amplitude, mask).magnitude).abs().min() > 0.1


def test_local_onset_finds_the_fraction_of_a_step():
    logits = torch.full((1, 50), -20.0)
    logits[0, 20], logits[0, 21] = torch.tensor([0.25, 0.75]).log()
    logits[0, 40] = -2.0
    step, log_probability = local_onset(logits)
    assert step.item() == pytest.approx(20.75, abs=1e-3)
    assert -0.2 < log_probability.item() < 0
