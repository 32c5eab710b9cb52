import json

import pytest

from seisbook.models.graph_forms import FORMS, LEARNT, STATIC
from seisbook.models.robust_training import RobustTraining
from seisbook.studies import fold, graph_forms, peers_robust_stem, robust_models

TINY = RobustTraining(stem_epochs=1, graph_epochs=1, events=8, copies=1)
KEPT = (
    *(fold.first_fold, robust_models.of_the_twin, robust_models.first_fold_readings),
    peers_robust_stem.troubled,
)


@pytest.fixture
def small(events, tmp_path, monkeypatch):
    """Sixty simulated events in the place of twin and fold, and the smallest trainings."""
    monkeypatch.setattr(robust_models, "load_events", lambda *_: events)
    monkeypatch.setattr(fold, "load_events", lambda *_: events)
    monkeypatch.setattr(robust_models, "BUILD", tmp_path)
    monkeypatch.setitem(robust_models.RECIPES, "quick", robust_models.Recipe(20, TINY, TINY))
    monkeypatch.setitem(graph_forms.TRAINING, "quick", TINY)
    for one in KEPT:
        one.cache_clear()
    yield
    for one in KEPT:
        one.cache_clear()


def chosen(form):
    trials = graph_forms.STUDY.trials("ridgecrest", "bulletin", "quick")
    return [trial for trial in trials if trial["form"] == form]


def test_trials_train_once_and_test_under_each_condition(small):
    results = graph_forms.run(chosen(LEARNT))
    assert len(results) == len(graph_forms.CONDITIONS)
    assert all(len(result["epicentral_km"]) == 12 for result in results)
    assert len({json.dumps(result["epicentral_km"]) for result in results}) == len(results)
    assert len(results[0]["falls"]) == len(results[0]["reach"])
    assert json.loads(json.dumps(results, allow_nan=False)) == results
    assert graph_forms.run(chosen(LEARNT)[1:2]) == results[1:2]  # the seed decides everything
    assert set(graph_forms.run(chosen(STATIC)[:1])[0]) == {"epicentral_km"}


def test_trials_are_the_design():
    trials = graph_forms.trials("colombia", "bulletin", "paper")
    assert len(trials) == len(FORMS) * len(graph_forms.CONDITIONS) * graph_forms.SEEDS["paper"]
    assert len({graph_forms.group(trial) for trial in trials}) == len(FORMS) * graph_forms.SEEDS["paper"]
    assert len({json.dumps(trial) for trial in trials}) == len(trials)
