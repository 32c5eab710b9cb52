from dataclasses import replace

import pytest

from seisbook.catalogues import networks
from seisbook.studies import augmentation, fold, places, pretraining, recipes, runs, transfer

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
