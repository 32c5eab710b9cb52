from dataclasses import replace

import pytest

from seisbook.studies import experiments, recipes
from seisbook.studies import transfer as transfer_study

QUICK = recipes.PROFILES["quick"]


@pytest.fixture
def tiny(events, monkeypatch, tmp_path):
    """A twin trained on next to nothing, and sixty events to learn from and to test on."""
    small = replace(QUICK, twin_events=60, pretraining=replace(QUICK.pretraining, epochs=1, graph_epochs=0))
    monkeypatch.setattr(experiments, "BUILD", tmp_path)
    monkeypatch.setitem(recipes.PROFILES, "quick", small)
    monkeypatch.setattr(experiments, "load_events", lambda network, source, n, seed, progress: events)
    transfer_study._events.cache_clear()
    yield
    transfer_study._events.cache_clear()
