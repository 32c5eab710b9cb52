"""Origin times: exact onsets give them back, and a station whose clock lies has no say."""

import pytest
import torch

from seisbook.catalogues import networks
from seisbook.models.origins import origins
from seisbook.models.robust import Onsets, RobustConfig, RobustModel

N, ORIGIN_S = 8, 12.0


@pytest.fixture(scope="module")
def model():
    config = RobustConfig(channels=16, blocks=1)
    return RobustModel(config, networks.load("ridgecrest")).eval()


@pytest.fixture
def event(model):
    """Eight stations around a hypocentre, with exact onsets of P and S."""
    torch.manual_seed(0)
    hypocentre = torch.tensor([[2.0, -3.0, 8.0]])
    pos = torch.cat([30 * torch.randn(1, N, 2), torch.rand(1, N, 1)], -1)
    distance = (hypocentre[:, None, :2] - pos[..., :2]).norm(dim=-1)
    onset = ORIGIN_S + model.graph.times.travel(distance, torch.full_like(distance, 8.0), pos[..., 2])
    zeros = torch.zeros(1, N, 2)
    onsets = Onsets(torch.zeros(1, N, 1, 16), onset, zeros + 0.05, zeros - 0.01, zeros, torch.ones(1, N))
    return onsets, pos, torch.ones(1, N, dtype=torch.bool), hypocentre


def test_exact_onsets_give_the_origin_time(model, event):
    found = origins(model, *event)
    assert found.time_s.item() == pytest.approx(ORIGIN_S, abs=1e-3)
    assert found.residual_s.abs().max() < 1e-3
    assert (found.weight > 0.99).all()


def test_a_wrong_clock_has_no_say(model, event):
    onsets, *others = event
    late = onsets.onset_s.clone()
    late[0, 3] += 5.0
    found = origins(model, onsets._replace(onset_s=late), *others)
    assert found.time_s.item() == pytest.approx(ORIGIN_S, abs=1e-3)
    assert found.residual_s[0, 3] == pytest.approx(5.0, abs=1e-2)
    assert (found.weight[0, 3] < 0.05).all()


def test_what_was_not_found_does_not_count(model, event):
    onsets, *others = event
    unsure = onsets.log_probability.clone()
    unsure[0, 2, 1] = -5.0
    late = onsets.onset_s.clone()
    late[0, 2, 1] += 100.0
    found = origins(model, onsets._replace(onset_s=late, log_probability=unsure), *others)
    assert found.weight[0, 2].tolist() == pytest.approx([1.0, 0.0], abs=0.01)
    assert found.residual_s[0, 2, 1] == 0
