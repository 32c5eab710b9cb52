"""The field model: what it sees, what it must not see, and that it learns."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from seisbook.models.conditional_normal import ConditionalNormal
from seisbook.models.field_methods import Information, LawAlone, hide
from seisbook.models.field_model import FieldBlock, FieldConfig, FieldModel, batch_of, nodes_of
from seisbook.models.field_training import FieldNetwork, FieldTraining, field_loss
from seisbook.models.losses import TAIL
from tests.models.made_fields import parts

SMALL = {"channels": 16, "blocks": 2}
SHORT = FieldTraining(epochs=6, patterns=2, most_stations=20)


def few():
    """Training and test events, few enough for a test."""
    train, test = parts()
    return train.select(range(80)), test.select(range(12))


@pytest.fixture(scope="module", params=["dynamic", "static", "none", "attention", "convolution"])
def plain(request):
    config = FieldConfig(graph=request.param, informed=False, **SMALL)
    training = replace(SHORT, epochs=16) if request.param == "convolution" else SHORT  # tanh begins slowly
    return FieldNetwork(Information(site_terms=False), config, training).fit(few()[0])


@pytest.fixture(scope="module")
def informed():
    return FieldNetwork(Information(), FieldConfig(**SMALL), FieldTraining(epochs=1, patterns=1)).fit(few()[0])


def drawn(seed=0, graph="dynamic"):
    """Nodes of two events, the second with padding, for a model with random weights."""
    train, _ = parts()
    method = LawAlone(Information(site_terms=False)).fit(train)
    events = train.select([0, 1])
    scenes = list(method.scenes(events, hide(events, 0.4)))
    torch.manual_seed(seed)
    model = FieldModel(FieldConfig(graph=graph, informed=False, **SMALL)).eval()
    for value in model.parameters():
        torch.nn.init.normal_(value, std=0.3)
    return model, [nodes_of(scene, None, False) for scene in scenes]


def test_training_begins_from_what_is_corrected():
    train, test = few()
    normal = ConditionalNormal().fit(train)
    observed = hide(test, 0.5)
    scene = next(iter(normal.scenes(test, observed)))
    mean, scale = FieldModel(FieldConfig(**SMALL))(batch_of([nodes_of(scene, normal, True)]))
    expected, spread = normal._predicted(scene)
    assert mean[0].detach().numpy() + scene.prior == pytest.approx(expected, abs=1e-4)
    assert scale[0].detach().numpy() == pytest.approx(spread, rel=1e-4)


def test_it_learns(plain):
    _, test = few()
    law = LawAlone(Information(site_terms=False)).fit(few()[0])
    observed = hide(test, 0.3)
    assert plain.history_[-1] < plain.history_[0]
    assert plain.score(test, observed) > law.score(test, observed)


def test_the_same_seed_trains_the_same_model():
    train, test = few()
    config = FieldConfig(informed=False, **SMALL)
    short = FieldTraining(epochs=1, patterns=1)
    one, same, other = (FieldNetwork(Information(), config, short, seed).fit(train) for seed in (0, 0, 1))
    observed = hide(test, 0.5)
    means = [method.predict(test, observed).mean for method in (one, same, other)]
    assert np.array_equal(means[0], means[1])
    assert not np.array_equal(means[0], means[2])


def test_hidden_values_are_not_seen(informed):
    _, test = few()
    observed = hide(test, 0.5)
    moved = test.select(range(len(test)))
    moved.values[~observed] += 5
    assert np.array_equal(informed.predict(test, observed).mean, informed.predict(moved, observed).mean)


def test_a_point_gets_the_same_whatever_else_is_asked_for(informed):
    event = few()[1].select([0])
    observed = hide(event, 0.5)
    points = event.pos[~observed] + np.array([7.0, -3.0])
    together, alone = informed.predict_at(event, observed, points), informed.predict_at(event, observed, points[:1])
    assert together.mean[0] == pytest.approx(alone.mean[0], abs=1e-4)
    assert together.scale[0] == pytest.approx(alone.scale[0], rel=1e-4)


@pytest.mark.parametrize("graph", ["dynamic", "attention", "convolution"])
def test_padding_changes_nothing(graph):
    model, nodes = drawn(graph=graph)
    both = model(batch_of(nodes))
    for i, one in enumerate(nodes):
        n = len(one.features)
        for found, alone in zip(both, model(batch_of([one])), strict=True):
            assert torch.allclose(found[i, :n], alone[0], atol=1e-4)


@pytest.mark.parametrize("graph", ["dynamic", "attention", "convolution"])
def test_nodes_that_are_not_observed_send_nothing(graph):
    model, nodes = drawn(graph=graph)
    observed = nodes[0].observed
    seen = type(nodes[0])(*(part[observed] for part in nodes[0]))
    for whole, part in zip(model(batch_of(nodes[:1])), model(batch_of([seen])), strict=True):
        assert torch.allclose(whole[0, observed], part[0], atol=1e-4)


def test_the_order_of_the_nodes_does_not_matter():
    model, nodes = drawn()
    order = torch.randperm(len(nodes[0].features), generator=torch.Generator().manual_seed(3))
    turned = type(nodes[0])(*(part[order] for part in nodes[0]))
    for one, other in zip(model(batch_of([nodes[0]])), model(batch_of([turned])), strict=True):
        assert torch.allclose(one[0, order], other[0], atol=1e-4)


def test_only_observed_stations_send():
    block = FieldBlock(FieldConfig(graph="static", **{**SMALL, "neighbours": 2}))
    pos = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [9, 0, 0]]])
    sends = torch.tensor([[True, False, True, True]])
    index, valid = block.neighbours(torch.zeros(1, 4, 16), pos, sends)
    assert [sorted(row) for row in index[0].tolist()] == [[2, 3], [0, 2], [0, 3], [0, 2]]
    assert valid.all()
    lone = torch.tensor([[False, False, True, False]])
    _, valid = block.neighbours(torch.zeros(1, 4, 16), pos, lone)
    assert valid.sum(-1)[0].tolist() == [1, 1, 0, 1]


def test_features_choose_the_neighbours_of_a_dynamic_graph():
    state = torch.zeros(1, 4, 16)
    state[0, 3] = state[0, 0] = 1
    pos = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [9, 0, 0]]])
    sends = torch.ones(1, 4, dtype=torch.bool)
    chosen = {}
    for graph in ("static", "feature"):
        block = FieldBlock(FieldConfig(graph=graph, **{**SMALL, "neighbours": 1}))
        chosen[graph] = block.neighbours(state, pos, sends)[0][0, 0].tolist()
    assert chosen == {"static": [1], "feature": [3]}


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_observed_stations(informed, count):
    event = few()[1].select([0])
    found = informed.predict(event, np.arange(event.sizes[0]) < count)
    assert np.isfinite(found.mean).all()
    assert (found.scale > 0).all()


def test_the_loss_is_the_likelihood_of_the_hidden_values():
    mean, scale = torch.zeros(1, 2, 5), torch.full((1, 2, 5), 0.5)
    target = torch.full((1, 2, 5), torch.nan)
    target[0, 1, 2] = 1.0
    expected = np.log(0.5) + (TAIL + 1) / 2 * np.log1p(4 / TAIL)
    assert field_loss(mean, scale, target).item() == pytest.approx(expected)
    assert field_loss(mean, scale, torch.full((1, 2, 5), torch.nan)).item() == 0


def test_it_names_its_graph():
    assert "graph=dynamic, k=8" in str(FieldModel(FieldConfig(**SMALL)))
