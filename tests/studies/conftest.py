from dataclasses import replace

import pytest

from seisbook.catalogues import networks
from seisbook.models.robust_training import RobustTraining
from seisbook.studies import augmentation, fold, places, pretraining, recipes, robust_models, runs, transfer

QUICK = recipes.PROFILES["quick"]
TINY = replace(
    QUICK,
    twin_events=60,
    pretraining=replace(QUICK.pretraining, epochs=1, graph_epochs=1),
    training=replace(QUICK.training, epochs=1, graph_epochs=1, batch_size=8),
)
REMEMBERED = (fold.first_fold, fold.first_fold_read, transfer._published, transfer.borrowed, augmentation._held)


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    """Where models of the twin stand, which all studies of `bench` share."""
    return tmp_path_factory.mktemp("build")


@pytest.fixture
def bench(events, shelf, monkeypatch):
    """The quick profile on sixty simulated events, with next to no training, its stem trained and put on the shelf."""
    monkeypatch.setitem(recipes.PROFILES, "quick", TINY)
    monkeypatch.setattr(networks, "is_shipped", lambda network: False)  # none is published
    for module in (pretraining, places):
        monkeypatch.setattr(module, "BUILD", shelf)
    for module in (pretraining, fold, runs):
        monkeypatch.setattr(module, "load_events", lambda *_: events)
    for one in REMEMBERED:
        one.cache_clear()
    pretraining.pretrain("ridgecrest", "dynamic", "quick", False)
    yield shelf
    for one in REMEMBERED:
        one.cache_clear()


SMALLEST = RobustTraining(stem_epochs=1, graph_epochs=1, events=8, copies=1)
KEPT = (
    *(robust_models.parts, robust_models.of_the_twin, robust_models.of_the_fold, robust_models.first_fold_readings),
    fold.first_fold,
)


@pytest.fixture
def robust_bench(events, tmp_path, monkeypatch):
    """The smallest trainings of robust models, on sixty simulated events in the place of twins and bulletins."""
    for module in (robust_models, fold):
        monkeypatch.setattr(module, "load_events", lambda *_: events)
    monkeypatch.setattr(robust_models, "BUILD", tmp_path)
    monkeypatch.setitem(robust_models.RECIPES, "quick", robust_models.Recipe(20, SMALLEST, SMALLEST))
    for one in KEPT:
        one.cache_clear()
    yield events
    for one in KEPT:
        one.cache_clear()
