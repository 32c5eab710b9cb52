import json

import numpy as np
import pytest

from seisbook.models.robust_training import RobustTraining
from seisbook.studies import attention, attention_robust, robust, robust_models

TINY = RobustTraining(stem_epochs=1, graph_epochs=1, events=8, copies=1)
KEPT = (robust_models.parts, robust_models.of_the_twin)


@pytest.fixture
def small(events, tmp_path, monkeypatch):
    """Sixty simulated events in the place of twin and bulletin, and the smallest trainings."""
    monkeypatch.setattr(robust_models, "load_events", lambda *_: events)
    monkeypatch.setattr(robust_models, "BUILD", tmp_path)
    monkeypatch.setitem(robust_models.RECIPES, "quick", robust_models.Recipe(20, TINY, TINY))
    for one in KEPT:
        one.cache_clear()
    yield
    for one in KEPT:
        one.cache_clear()


def test_a_trial_measures_each_station_and_each_order(small):
    trials = attention_robust.trials("ridgecrest", "bulletin", "quick")
    (result,) = attention_robust.run(trials)
    _, held = robust_models.parts("ridgecrest", "random", 0)
    large = int((np.diff(held.start) >= attention.FEWEST).sum())
    assert result["agreement"] is None  # nobody's choice is on record
    assert set(result["measures"]) == set(attention_robust.COLUMNS)
    for measured in result["measures"].values():
        assert {len(values) for values in measured.values()} == {large}
        assert all(0 <= value <= 1 for value in measured["efficiency"])
        assert measured["beyond"] == [None] * large
    assert all(len(values) == large for values in result["nulls"].values())
    assert set(result["nulls"]["D-optimal"]) == {1.0}
    assert result["measures"]["gate"]["efficiency"] != result["measures"]["information"]["efficiency"]
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_measures_stand_in_the_places_of_the_attention_study(small, events):
    """The emphasis that follows a measure alone is found in the measure's place, and nowhere else."""
    locator = robust_models.locator("ridgecrest", robust_models.MAIN, "quick", 0).fit(events, progress=False)
    codes = np.array([f"S{i}" for i in range(len(events.pos))])
    table = attention_robust.collect(locator, events, codes)
    assert set(attention_robust.COLUMNS.values()) <= set(table)
    table = table.assign(emphasis=table[attention_robust.COLUMNS["gate"]])
    orders = attention.designs(table, locator.network)
    for measure in attention_robust.COLUMNS:
        found = attention_robust._by_event(table, orders, measure)
        assert (np.nanmean(np.array(found["analyst"], float)) > 0.999) == (measure == "gate")
        expected = orders[orders.order == attention_robust.ORDERS[measure]].efficiency
        np.testing.assert_allclose(found["efficiency"], expected, rtol=1e-3)


def test_trainings_are_those_of_the_study_robust():
    trials = attention_robust.trials("colombia", "bulletin", "paper")
    theirs = [
        trial
        for trial in robust.trials("colombia", "bulletin", "paper")
        if (trial["arm"], trial["axis"], trial["split"], trial["fold"]) == (robust.MAIN, "none", "random", 0)
    ]
    known = {trial["seed"]: robust.config(trial) for trial in theirs}
    assert trials
    assert all(attention_robust.config(trial) == known[trial["seed"]] for trial in trials)
