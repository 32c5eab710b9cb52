import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from seisbook.catalogues import networks
from seisbook.datasets import build
from seisbook.errors import UserError
from seisbook.measures import splits
from seisbook.studies import experiments, recipes

NETWORK = networks.load("ridgecrest")
TINY = recipes.Profile(
    "quick",
    twin_events=40,
    rates=(1e-3, 3e-3),
    trial_events=40,
    trial=replace(recipes.PROFILES["quick"].pretraining, epochs=1, graph_epochs=0, batch_size=8),
    pretraining=replace(recipes.PROFILES["quick"].pretraining, epochs=1, graph_epochs=1),
    training=replace(recipes.PROFILES["quick"].training, epochs=1, graph_epochs=1, batch_size=8),
)


@pytest.fixture
def bench(events, tmp_path, monkeypatch):
    """The whole path on simulated events, with nothing written outside a temporary folder."""
    monkeypatch.setattr(experiments, "BUILD", tmp_path)
    monkeypatch.setitem(recipes.PROFILES, "quick", TINY)
    monkeypatch.setattr(experiments, "load_events", lambda network, source, n, seed, progress: events)
    return tmp_path


def train(fold, model="dynamic"):
    return experiments.run("ridgecrest", model, "random", fold, "quick", progress=False)


def test_five_folds_make_one_entry_over_all_events(bench, events):
    made = [train(fold) for fold in range(5)]
    tested = [name for record in made for name in record["errors"]["source_id"]]
    assert sorted(tested) == sorted(events.source_id)
    (entry,) = experiments.results("quick")
    assert entry["n_events"] == 60
    assert entry["parameters"] > 1e5
    assert entry["learning_rate"] in [rate / 2 for rate in TINY.rates]
    assert set(entry["epicentral_km"]) >= {"median", "ci", "mean", "p90", "rmse"}
    assert set(entry["magnitude"]) >= {"rmse", "ci", "bias", "sd"}
    low, high = entry["epicentral_km"]["ci"]
    assert low <= entry["epicentral_km"]["median"] <= high
    assert "dynamic" in experiments.table([entry])
    assert json.loads(experiments.as_json([entry]))[0]["network"] == "ridgecrest"


def test_a_record_is_not_made_twice_and_pretraining_is_shared(bench, monkeypatch):
    first = train(0)
    monkeypatch.setattr(experiments, "_learned", None)  # would fail if it were called
    assert train(0) == first
    assert len(list((bench / "models").glob("*.safetensors"))) == 1


def test_incomplete_and_outdated_records_are_not_shown(bench, caplog):
    for fold in range(5):
        train(fold)
    path = bench / "results/runs/ridgecrest-dynamic-random-3.json"
    record = json.loads(path.read_text())
    record["recipe"]["hash"] = "of another version"
    path.write_text(json.dumps(record))
    assert experiments.results("quick") == []
    assert "ridgecrest-dynamic-random-3.json" in caplog.text
    with pytest.raises(UserError, match="seisbook train"):
        experiments.table([])


@pytest.mark.parametrize("split", ["random", "time"])
def test_training_and_test_events_are_apart(events, split):
    parts = splits.folds(events.source_id, events.origin_time, split)
    assert all(not set(train) & set(test) for train, test in parts)
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(len(events)))
    if split == "time":
        blocks = [events.origin_time[test] for _, test in parts]
        assert all(one.max() <= other.min() for one, other in pairwise(blocks))


@pytest.mark.parametrize("split", ["random", "time"])
def test_folds_do_not_depend_on_the_order_of_the_events(events, split):
    order = np.random.default_rng(0).permutation(len(events))
    one = splits.folds(events.source_id, events.origin_time, split)
    other = splits.folds(events.source_id[order], events.origin_time[order], split)
    for (_, test), (_, shuffled) in zip(one, other, strict=True):
        assert set(events.source_id[test]) == set(events.source_id[order][shuffled])


def test_the_twin_tests_what_the_twin_has_trained(bench, events):
    record = experiments.run("ridgecrest", "dynamic", "twin", 0, "quick", progress=False)
    assert (record["source"], record["split"], record["fold"]) == ("simulated", "twin", 0)
    assert record["n_test"] == len(events)
    (entry,) = experiments.results("quick")  # which needs one record, not five
    assert (entry["source"], entry["n_events"]) == ("simulated", len(events))


def test_evaluation_repeats_what_the_run_has_found(bench):
    record = train(0)
    path = experiments.model_path("ridgecrest", "dynamic", "random", 0, "quick")
    found = experiments.evaluate(path, progress=False)
    assert found.index.tolist() == record["errors"]["source_id"]
    np.testing.assert_allclose(found.epicentral_km, record["errors"]["epicentral_km"], rtol=1e-3)
    np.testing.assert_allclose(found.magnitude, record["errors"]["magnitude"], atol=1e-3)


def test_evaluation_on_a_dataset(bench, tmp_path):
    train(0)
    path = experiments.model_path("ridgecrest", "dynamic", "random", 0, "quick")
    out = build.build("ridgecrest", "simulated", tmp_path / "new", n_events=5, random_state=9, progress=False)
    assert len(experiments.evaluate(path, out, progress=False)) == 5
    other = build.build("colombia", "simulated", tmp_path / "other", n_events=5, progress=False)
    with pytest.raises(UserError, match="window of the model's network"):
        experiments.evaluate(path, other, progress=False)


def test_evaluation_needs_events_that_the_model_has_not_seen(bench):
    with pytest.raises(UserError, match="give a dataset"):
        experiments.evaluate(experiments.pretrain("ridgecrest", "dynamic", "quick", False), progress=False)


def test_learning_rates_are_tried_on_held_out_events(events):
    tried = experiments.try_rates("dynamic", recipes.model_config(NETWORK), TINY, events, progress=False)
    assert set(tried) == set(TINY.rates)
    assert all(np.isfinite(loss) for loss in tried.values())
    silly = replace(TINY, rates=(1e-3, 1e12))
    assert set(experiments.try_rates("dynamic", recipes.model_config(NETWORK), silly, events, False)) >= {1e-3}


@pytest.mark.parametrize("network", ["colombia", "ridgecrest"])
def test_a_record_follows_from_the_committed_model(network, real_data):
    """The published model predicts the published record again, from the real bulletin."""
    path = experiments.model_path(network, "dynamic", "random", 0, "paper")
    record = experiments.current_runs("paper")[f"{network}-dynamic-random-0"]
    found = experiments.evaluate(path, progress=False)
    assert found.index.tolist() == record["errors"]["source_id"]
    np.testing.assert_allclose(found.epicentral_km, record["errors"]["epicentral_km"], rtol=0.01, atol=0.02)
    np.testing.assert_allclose(found.magnitude, record["errors"]["magnitude"], atol=0.005)
