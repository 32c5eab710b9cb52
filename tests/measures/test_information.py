from dataclasses import replace

import numpy as np
import pytest
import torch

from seisbook.catalogues import networks
from seisbook.errors import UserError
from seisbook.measures import information
from seisbook.models.gauss_newton import STEADY
from seisbook.models.robust import RobustConfig, dense
from seisbook.models.robust_training import RobustLocator, RobustTraining, of_events

CONFIG = RobustConfig(window_s=30, sampling_rate_hz=50, channels=16, blocks=2)


@pytest.fixture(scope="module")
def fitted(events):
    training = RobustTraining(stem_epochs=1, graph_epochs=2, events=8, copies=1)
    return RobustLocator(networks.load("ridgecrest"), CONFIG, training).fit(events, progress=False)


@pytest.fixture(scope="module")
def found(fitted, events):
    return fitted.read(events)


@pytest.fixture(scope="module")
def large(events):
    return int(np.diff(events.start).argmax())


def test_each_station_has_its_part(fitted, events, found, large):
    table = information.information_table(fitted.model_, events, large, found)
    assert len(table) == np.diff(events.start)[large]
    for name in ("information", "ungated", "selection"):
        assert table[name].sum() == pytest.approx(1, abs=1e-5)
        assert (table[name] >= 0).all()
    assert (table.gate > 0).all()
    assert not np.allclose(table.information, table.ungated)
    assert {"epicentral_km", "snr", "p_order"} <= set(table)


def test_the_parts_sum_up_to_the_information_of_the_last_step(fitted, events, found, large, monkeypatch):
    normals, step = [], type(fitted.model_.graph)._step

    def kept(self, x, residuals, weight):
        x, normal = step(self, x, residuals, weight)
        normals.append((normal, residuals.slope, weight))
        return x, normal

    monkeypatch.setattr(type(fitted.model_.graph), "_step", kept)
    information.information_table(fitted.model_, events, large, found)
    normal, slope, weight = normals[-1]
    part = information._information(slope, weight)
    assert part.sum() == pytest.approx((normal[0, 0, 0] + normal[0, 1, 1]).item() - 2 * STEADY, rel=1e-3)


def test_looking_leaves_the_model_as_it_was(fitted, events, found, large):
    batch, of_one = events.batch(np.array([large])), of_events(found, events, [large])
    onsets = dense(of_one._replace(state=of_one.state.float()), batch.mask)
    with torch.no_grad():
        before = fitted.model_.locate(onsets, batch.pos, batch.mask).epicentre
        information.information_table(fitted.model_, events, large, found)
        assert torch.equal(fitted.model_.locate(onsets, batch.pos, batch.mask).epicentre, before)
    assert "_step" not in vars(fitted.model_.graph)


def test_equal_gates_leave_the_shares_of_the_design(fitted, events, found, large, monkeypatch):
    """A block that says the same of each station gives all of them the same gates."""
    say = fitted.model_.graph.say[-1]
    monkeypatch.setattr(say, "weight", torch.nn.Parameter(torch.zeros_like(say.weight)))
    monkeypatch.setattr(say, "bias", torch.nn.Parameter(torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0])))
    table = information.information_table(fitted.model_, events, large, found)
    np.testing.assert_allclose(table.gate, 2 * np.e, rtol=1e-5)
    np.testing.assert_allclose(table.information, table.ungated, rtol=1e-4)


@pytest.mark.parametrize("change", [{"physics": False}, {"mixing": "attention"}])
def test_models_without_gates_or_maxima_are_refused(fitted, events, found, change):
    model = type(fitted.model_)(replace(CONFIG, **change), networks.load("ridgecrest"))
    with pytest.raises(UserError, match="no gates or no maximum"):
        information.information_table(model, events, 0, found)
