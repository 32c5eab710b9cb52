from dataclasses import replace

import numpy as np
import pytest
import torch

from seisbook.catalogues import networks
from seisbook.models.graph import ModelConfig, _padded
from seisbook.models.peer_graphs import KINDS, PeerLocator, PeerModel, without_time
from seisbook.models.robust import Onsets, RobustConfig, RobustModel
from seisbook.models.robust_training import RobustTraining, location_loss

CONFIG = RobustConfig(window_s=30, sampling_rate_hz=50, channels=16, blocks=2, physics=False)
SHORT = RobustTraining(stem_epochs=1, graph_epochs=2, events=8, copies=1)
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def ridgecrest():
    return networks.load("ridgecrest")


def graph(kind, ridgecrest):
    torch.manual_seed(0)
    return PeerModel(CONFIG, ridgecrest, kind).graph.eval()


def found(n=7, b=3):
    """What a stem may find at `n` stations of `b` events, their places, and a mask without padding."""
    g = torch.Generator().manual_seed(0)
    pos = 20 * torch.randn(b, n, 3, generator=g)
    onset = 3 + pos.norm(dim=-1)[..., None] / torch.tensor([6.0, 3.5])
    unsure = torch.rand(b, n, 2, generator=g)
    state = torch.randn(b, n, 6, CONFIG.channels, generator=g)
    amplitude = torch.randn(b, n, generator=g) + 3
    return Onsets(state, onset, 0.1 * unsure, -unsure, unsure, amplitude), pos, torch.ones(b, n, dtype=torch.bool)


def close(one, other, atol=1e-3):
    for name, a, b in zip(one._fields, one, other, strict=True):
        torch.testing.assert_close(a, b, atol=atol, rtol=1e-4, msg=lambda text, name=name: f"{name}: {text}")


@every_kind
def test_shapes(kind, ridgecrest):
    with torch.no_grad():
        prediction = graph(kind, ridgecrest)(*found())
    assert prediction.epicentre.shape == (3, 2)
    assert prediction.magnitude.shape == (3,)
    assert prediction.estimates.shape == (3, CONFIG.blocks, 3)
    assert all(torch.isfinite(value).all() for value in prediction)


@every_kind
def test_the_order_of_stations_does_not_matter(kind, ridgecrest):
    onsets, pos, mask = found()
    order = torch.randperm(mask.shape[1], generator=torch.Generator().manual_seed(1))
    model = graph(kind, ridgecrest)
    with torch.no_grad():
        turned = model(Onsets(*(value[:, order] for value in onsets)), pos[:, order], mask[:, order])
        close(turned, model(onsets, pos, mask))


@every_kind
def test_moving_the_network_moves_the_answer(kind, ridgecrest):
    onsets, pos, mask = found()
    moved, model = torch.tensor([300.0, -200.0, 0.0]), graph(kind, ridgecrest)
    with torch.no_grad():
        here, there = model(onsets, pos, mask), model(onsets, pos + moved, mask)
    torch.testing.assert_close(there.epicentre, here.epicentre + moved[:2], atol=0.01, rtol=1e-4)
    torch.testing.assert_close(there.depth, here.depth, atol=0.01, rtol=1e-4)


@every_kind
def test_padding_does_not_matter(kind, ridgecrest):
    onsets, pos, mask = found()
    wide = torch.nn.functional.pad(mask, (0, 4))
    padded = Onsets(
        *(_padded(value[mask], wide) + 7.0 * ~wide.reshape(*wide.shape, *[1] * (value.ndim - 2)) for value in onsets)
    )
    model = graph(kind, ridgecrest)
    with torch.no_grad():
        close(model(padded, _padded(pos[mask], wide) - 9.0 * ~wide[..., None], wide), model(onsets, pos, mask))


@every_kind
def test_gradients_are_finite_and_reach_what_says_something(kind, ridgecrest):
    onsets, pos, mask = found()
    mask[0, 1:] = False  # an event of one station
    model = graph(kind, ridgecrest)
    location_loss(model(onsets, pos, mask), torch.randn(3, 4), CONFIG).backward()
    gradients = {name: weights.grad for name, weights in model.named_parameters() if weights.grad is not None}
    assert all(torch.isfinite(gradient).all() for gradient in gradients.values())
    for block in range(CONFIG.blocks):
        assert any(gradient.abs().sum() > 0 for name, gradient in gradients.items() if f"blocks.{block}." in name)


@pytest.mark.parametrize(("kind", "listens"), [("transformer", False), ("transformer with feedback", True)])
def test_feedback_is_what_differs(kind, listens, ridgecrest):
    model = graph(kind, ridgecrest)
    _, pos, _ = found()
    near, far = (model.relative(pos, torch.full((3, 3), value)) for value in (0.0, 5.0))
    assert torch.equal(near, far) is not listens


def test_the_papers_block_is_that_of_the_robust_model(ridgecrest):
    """The same weights give the same answer as the robust model's own switch `physics=False`."""
    theirs = RobustModel(CONFIG, ridgecrest).graph.eval()
    ours = graph("paper's block", ridgecrest)
    ours.load_state_dict(theirs.model.state_dict())
    with torch.no_grad():
        close(ours(*found()), theirs(*found()), atol=0)


@every_kind
def test_only_the_papers_block_looks_at_the_time_of_states(kind, ridgecrest):
    onsets, pos, mask = found()
    model = graph(kind, ridgecrest)
    with torch.no_grad():
        here = model(onsets, pos, mask).epicentre
        there = model(without_time(onsets), pos, mask).epicentre
    assert torch.allclose(here, there, atol=1e-3) is model.timeless


def test_sizes_are_alike(ridgecrest):
    config = ModelConfig()
    sizes = {kind: sum(p.numel() for p in make(config).parameters()) for kind, make in KINDS.items()}
    ours = sizes["paper's block"]
    assert all(0.7 * ours < size < 1.25 * ours for size in sizes.values()), sizes


def test_trains_on_what_a_stem_found(events, ridgecrest):
    start = RobustModel(CONFIG, ridgecrest)
    locator = PeerLocator(ridgecrest, CONFIG, SHORT, 0, start, "deep sets with feedback")
    readings = locator.readings(events, progress=False)
    locator.fit_graph(events, readings, progress=False)
    losses = [entry["loss"] for entry in locator.history_]
    assert losses[-1] < losses[0]
    for mine, theirs in zip(locator.model_.stem.parameters(), start.stem.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    again = replace(locator, start_from=locator.model_, training=replace(SHORT, graph_epochs=0))
    again.fit_graph(events, readings, progress=False)
    assert np.array_equal(again.predict(events, readings[0]).epicentre, locator.predict(events, readings[0]).epicentre)
