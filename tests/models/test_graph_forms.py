import numpy as np
import pytest
import torch

from seisbook.catalogues import networks
from seisbook.models.graph_forms import FORMS, LEARNT, LEARNT_STATIC, RESIDUALS, GraphFormModel, LearntEdges
from seisbook.models.robust import SILENT, Onsets, RobustConfig, RobustModel

CHANNELS = 16


@pytest.fixture
def network():
    return networks.load("ridgecrest")


@pytest.fixture
def config(network):
    window = network.window
    return RobustConfig(window_s=window.length_s, sampling_rate_hz=window.sampling_rate_hz, channels=CHANNELS)


@pytest.fixture
def shown(config):
    """Two events of six and of four stations: onsets, places, mask."""
    torch.manual_seed(0)
    mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    onset = 20 + 5 * torch.rand(2, 6, 1) * torch.tensor([1.0, 1.7])
    found = Onsets(
        torch.randn(2, 6, 3, CHANNELS),
        onset,
        torch.full((2, 6, 2), 0.1),
        torch.full((2, 6, 2), -0.1),
        torch.full((2, 6, 2), 0.05),
        torch.where(mask, 2.0, 2 * SILENT),
    )
    pos = torch.cat([40 * torch.rand(2, 6, 2), torch.zeros(2, 6, 1)], -1)
    return found, pos, mask


def made(form, config, network):
    torch.manual_seed(1)
    return GraphFormModel(config, network, form)


@pytest.mark.parametrize("form", FORMS)
def test_the_order_of_stations_does_not_matter_and_all_is_trained(form, config, network, shown):
    model = made(form, config, network)
    found, pos, mask = shown
    order = torch.tensor([3, 1, 0, 2])
    order = torch.cat([order, torch.tensor([4, 5])])
    first = model.locate(found, pos, mask)
    again = model.locate(Onsets(*(value[:, order] for value in found)), pos[:, order], mask[:, order])
    for one, other in zip(first, again, strict=True):
        torch.testing.assert_close(one, other, atol=2e-3, rtol=2e-3)
    (first.epicentre.square().sum() + first.estimates.square().sum() + first.magnitude.sum()).backward()
    assert all(torch.isfinite(p.grad).all() for p in model.graph.blocks.parameters() if p.grad is not None)


def test_gates_cut_edges_that_are_far_and_see_what_they_are_told(config):
    block = LearntEdges(config, rebuilt=True)
    alone = LearntEdges(config, rebuilt=False)
    pos = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [9, 0, 0], [0, 0, 0]]])
    pair = torch.ones(1, 4, 4, dtype=torch.bool) & ~torch.eye(4, dtype=torch.bool)
    pair[:, 3] = pair[:, :, 3] = False
    u, relative = torch.randn(1, 4, CHANNELS), torch.randn(1, 4, 14)
    gate = alone.gates(u, pos, relative, pair)
    assert gate[0, 0, 1] > gate[0, 1, 2] > gate[0, 0, 2] > 0
    assert gate[~pair].max() == 0
    torch.testing.assert_close(alone.gates(2 * u, pos, 3 * relative, pair), gate)
    assert not torch.allclose(block.gates(u, pos, relative, pair), block.gates(u, pos, relative.flip(1), pair))
    with torch.no_grad():
        alone.reach.fill_(-50.0)
    assert alone.gates(u, pos, relative, pair).max() < 1e-6


def test_without_neighbours_a_station_keeps_its_own_message(config, network, shown):
    found, pos, _ = shown
    mask = torch.zeros(2, 6, dtype=torch.bool)
    mask[:, 0] = True
    for form in (LEARNT, RESIDUALS):
        assert torch.isfinite(made(form, config, network).locate(found, pos, mask).epicentre).all()


def test_learning_edges_costs_a_few_numbers_only(config, network):
    sizes = {form: sum(p.numel() for p in made(form, config, network).graph.parameters()) for form in FORMS}
    plain = sum(p.numel() for p in RobustModel(config, network).graph.parameters())
    assert sizes[LEARNT] - plain == 4 * config.blocks
    assert sizes[LEARNT_STATIC] - plain == 2 * config.blocks
    assert len(np.unique([sizes[form] for form in FORMS])) == 3
