import numpy as np
import pytest
import torch

from seisbook.datasets.events import Events
from seisbook.figures import model as model_figures
from seisbook.models import inspection
from seisbook.models.graph import GraphModel, ModelConfig

CONFIG = ModelConfig(window_s=30, sampling_rate_hz=20, channels=16, blocks=3, neighbours=3)


@pytest.fixture(scope="module")
def events():
    generator = torch.Generator().manual_seed(0)
    sizes = np.array([3, 9, 12, 20])
    n = int(sizes.sum())
    return Events(
        x=torch.randn(n, 3, 600, generator=generator).half(),
        pos=50 * torch.randn(n, 3, generator=generator),
        amplitude=torch.randn(n, generator=generator),
        onset_s=30 * torch.rand(n, 2, generator=generator),
        start=np.cumsum([0, *sizes]),
        y=torch.tensor([[0.0, 0, 5, 4], [3, 4, 9, 2], [1, 1, 9, 3], [9, 9, 9, 5]]),
        source_id=np.array(list("abcd")),
        origin_time=np.arange(4).astype("datetime64[s]").astype("datetime64[ns]"),
    )


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return GraphModel(CONFIG)


def test_a_walk_ends_at_the_models_own_answer(events, model):
    walk = inspection.walk(model, events, 2)
    batch = events.batch(np.array([2]))
    features = model.encode(batch.traces, batch.amplitude, batch.mask)
    answer = model.locate(features, batch.pos, batch.mask)
    np.testing.assert_allclose(walk.estimates[-1, :2], answer.epicentre[0].detach(), atol=1e-4)
    np.testing.assert_allclose(walk.probability.sum(-1), 1, atol=1e-5)
    assert walk.estimates.shape == (4, 3)
    assert not any(block._forward_hooks for block in model.modules())


def test_neighbours_are_k_others_and_change_between_blocks(events, model):
    walk = inspection.walk(model, events, 3)
    assert len(walk.neighbours) == 3
    for graph in walk.neighbours:
        assert all(len(near) == 3 and station not in near for station, near in enumerate(graph))
    assert 0 < max(walk.rewired()) <= 1


def test_the_static_graph_is_that_of_the_nearest_stations(events):
    static = GraphModel(ModelConfig(**{**CONFIG.__dict__, "graph": "static"}))
    assert inspection.walk(static, events, 3).beyond(3) == [0, 0, 0]
    feature = GraphModel(ModelConfig(**{**CONFIG.__dict__, "graph": "feature"}))
    assert min(inspection.walk(feature, events, 3).beyond(3)) > 0.3


def test_a_small_event_has_one_graph(events, model):
    walk = inspection.walk(model, events, 0)
    assert walk.neighbours[0] == [{1, 2}, {0, 2}, {0, 1}]
    assert walk.rewired() == [0, 0]


def test_a_model_without_edges_has_no_neighbours(events):
    alone = GraphModel(ModelConfig(**{**CONFIG.__dict__, "graph": "none"}))
    assert inspection.walk(alone, events, 1).neighbours == [[set()] * 9] * 3


def test_the_clear_event_is_the_largest_of_its_size(events):
    assert inspection.clear_event(events) == 2
    assert inspection.clear_event(events, fewest=9, most=9) == 1
    assert inspection.clear_event(events, fewest=50, most=60) == 3  # none suits: the one with most stations


def test_figures_of_a_walk(events, model):
    walk = inspection.walk(model, events, 3)
    assert len(model_figures.onsets(walk, 20.0, stations=6).axes[0].get_yticks()) == 6
    titles = [axis.get_title(loc="left") for axis in model_figures.rewiring(walk).axes[:3]]
    assert titles[0] == "block 1"
    assert titles[1] == f"block 2, {100 * walk.rewired()[0]:.0f} % new"
    assert len(model_figures.estimates(walk).axes) == 2


def test_messages_are_those_that_the_first_block_takes_the_largest_of(events, model):
    passed = []
    hook = model.blocks[0].out.register_forward_hook(lambda _, given, out: passed.append(given[0][0]))
    neighbour, message = inspection.first_messages(model, events, 2)
    hook.remove()
    assert neighbour.shape == (12, CONFIG.neighbours)
    assert message.shape == (12, CONFIG.neighbours, CONFIG.channels)
    assert [set(row) for row in neighbour.tolist()] == inspection.walk(model, events, 2).neighbours[0]
    np.testing.assert_allclose(message.max(1), passed[0].detach().numpy(), atol=1e-5)
    assert not model.blocks[0]._forward_hooks
    assert not model.blocks[0].norm._forward_hooks
