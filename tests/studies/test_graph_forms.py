import json

import pytest

from seisbook.models.graph_forms import FORMS, LEARNT, STATIC
from seisbook.studies import graph_forms, peers_robust_stem, robust_models


@pytest.fixture
def small(robust_bench, monkeypatch):
    """The smallest training of a graph part."""
    monkeypatch.setitem(graph_forms.TRAINING, "quick", robust_models.RECIPES["quick"].training)
    peers_robust_stem.troubled.cache_clear()
    yield
    peers_robust_stem.troubled.cache_clear()


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
