"""Robust models on disk: they come back as they were, with the Earth that they compute in."""

import json
from dataclasses import replace

import pytest
import torch

from seisbook.catalogues import networks
from seisbook.errors import DataError, UserError
from seisbook.models import checkpoints, robust_checkpoints
from seisbook.models.robust import RobustConfig, RobustModel
from seisbook.models.robust_training import RobustLocator

DATA = {"source": "simulated", "seed": 0}
SMALL = RobustConfig(channels=16, blocks=2, window_s=25.6)


def fitted(config=SMALL, places=3):
    """A locator with a model of random weights, which knows some places."""
    torch.manual_seed(1)
    network = networks.load("ridgecrest")
    locator = RobustLocator(network, config)
    locator.model_ = RobustModel(config, network).eval()
    if config.physics:
        terms = locator.model_.graph.stations
        known = torch.ones(places, 3, dtype=torch.bool)
        terms.learn(30 * torch.randn(places, 3), torch.randn(places, 3), known)
    return locator


@pytest.fixture
def saved(tmp_path):
    return robust_checkpoints.save(tmp_path / "one", fitted(), DATA, {"train_s": 1.5})


@pytest.mark.parametrize("changes", [{}, {"physics": False}, {"mixing": "attention"}, {"graph": "none"}])
def test_every_arm_comes_back_as_it_was(tmp_path, changes, events):
    locator = fitted(replace(SMALL, window_s=events.x.shape[-1] / SMALL.sampling_rate_hz, **changes))
    path = robust_checkpoints.save(tmp_path / "one", locator, DATA, {})
    model, card = robust_checkpoints.load(path)
    assert card.config == locator.config
    found = events.select(range(6))
    for mine, theirs in zip(locator.predict(found), card.locator(model).predict(found), strict=True):
        assert torch.equal(mine, theirs)


def test_travel_times_are_computed_again_and_not_stored(saved):
    model, card = robust_checkpoints.load(saved)
    assert torch.equal(model.graph.timetable.slowness, fitted().model_.graph.timetable.slowness)
    assert "slowness" not in json.dumps(list(checkpoints._read_weights(saved)[0]))
    assert card.ground == robust_checkpoints.Ground.of(networks.load("ridgecrest"))


def test_a_model_keeps_its_earth_when_the_file_of_its_network_changes(tmp_path, monkeypatch):
    path = robust_checkpoints.save(tmp_path / "one", fitted(), DATA, {})
    monkeypatch.setattr(networks, "load", lambda name: pytest.fail("the network was read"))
    assert robust_checkpoints.load(path)[1].network == "ridgecrest"


def test_the_number_of_places_is_free_and_nothing_else_is(saved):
    terms = robust_checkpoints.load(saved)[0].graph.stations.terms
    assert terms.shape == (3, 3)
    content = json.loads(saved.with_suffix(".json").read_text())
    content["config"]["channels"] = 32
    saved.with_suffix(".json").write_text(json.dumps(content))
    with pytest.raises(DataError, match="one"):
        robust_checkpoints.load(saved)


def test_each_family_of_models_refuses_the_other(saved):
    assert checkpoints.architecture_of(saved) == "robust"
    with pytest.raises(DataError, match=r"one\.json"):
        checkpoints.load(saved)
    with pytest.raises(DataError, match="architecture"):
        robust_checkpoints.load(checkpoints.MODELS / "colombia-dynamic-random-0")


def test_a_missing_model_is_named(tmp_path):
    assert checkpoints.architecture_of(tmp_path / "nothing") == ""
    with pytest.raises(UserError, match="no such checkpoint"):
        robust_checkpoints.load(tmp_path / "nothing")
