import json

import numpy as np
import pytest

from seisbook.datasets import build
from seisbook.errors import UserError
from seisbook.findings import results
from seisbook.studies import recipes, runs
from seisbook.studies.places import model_path
from seisbook.studies.pretraining import pretrain


@pytest.fixture
def shelf(tmp_path):
    """A folder for each test, since what stands there is looked at."""
    return tmp_path


def train(fold, model="dynamic"):
    return runs.run("ridgecrest", model, "random", fold, "quick", progress=False)


def test_five_folds_make_one_entry_over_all_events(bench, events):
    made = [train(fold) for fold in range(5)]
    tested = [name for record in made for name in record["errors"]["source_id"]]
    assert sorted(tested) == sorted(events.source_id)
    (entry,) = results.results("quick")
    assert entry["n_events"] == 60
    assert entry["parameters"] > 1e5
    assert entry["learning_rate"] in [rate / 2 for rate in recipes.PROFILES["quick"].rates]
    assert set(entry["epicentral_km"]) >= {"median", "ci", "mean", "p90", "rmse"}
    assert set(entry["magnitude"]) >= {"rmse", "ci", "bias", "sd"}
    low, high = entry["epicentral_km"]["ci"]
    assert low <= entry["epicentral_km"]["median"] <= high
    assert "dynamic" in results.table([entry])
    assert json.loads(results.as_json([entry]))[0]["network"] == "ridgecrest"


def test_a_record_is_not_made_twice_and_pretraining_is_shared(bench, monkeypatch):
    first = train(0)
    monkeypatch.setattr(runs, "_learned", None)  # would fail if it were called
    assert train(0) == first
    assert len(list((bench / "models").glob("*.safetensors"))) == 1


def test_incomplete_and_outdated_records_are_not_shown(bench, caplog):
    for fold in range(5):
        train(fold)
    path = bench / "results/runs/ridgecrest-dynamic-random-3.json"
    record = json.loads(path.read_text())
    record["provenance"]["key"] = "of another version"
    path.write_text(json.dumps(record))
    assert results.results("quick") == []
    assert "ridgecrest-dynamic-random-3.json" in caplog.text
    with pytest.raises(UserError, match="seisbook train"):
        results.table([])


def test_the_twin_tests_what_the_twin_has_trained(bench, events):
    record = runs.run("ridgecrest", "dynamic", "twin", 0, "quick", progress=False)
    assert (record["source"], record["split"], record["fold"]) == ("simulated", "twin", 0)
    assert record["n_test"] == len(events)
    (entry,) = results.results("quick")  # which needs one record, not five
    assert (entry["source"], entry["n_events"]) == ("simulated", len(events))


def test_evaluation_repeats_what_the_run_has_found(bench):
    record = train(0)
    path = model_path("ridgecrest", "dynamic", "random", 0, "quick")
    found = runs.evaluate(path, progress=False)
    assert found.index.tolist() == record["errors"]["source_id"]
    np.testing.assert_allclose(found.epicentral_km, record["errors"]["epicentral_km"], rtol=1e-3)
    np.testing.assert_allclose(found.magnitude, record["errors"]["magnitude"], atol=1e-3)


def test_evaluation_on_a_dataset(bench, tmp_path):
    train(0)
    path = model_path("ridgecrest", "dynamic", "random", 0, "quick")
    out = build.build("ridgecrest", "simulated", tmp_path / "new", n_events=5, random_state=9, progress=False)
    assert len(runs.evaluate(path, out, progress=False)) == 5
    other = build.build("colombia", "simulated", tmp_path / "other", n_events=5, progress=False)
    with pytest.raises(UserError, match="window of the model's network"):
        runs.evaluate(path, other, progress=False)


def test_evaluation_needs_events_that_the_model_has_not_seen(bench):
    with pytest.raises(UserError, match="give a dataset"):
        runs.evaluate(pretrain("ridgecrest", "dynamic", "quick", False), progress=False)


@pytest.mark.parametrize("network", ["colombia", "ridgecrest"])
def test_a_record_follows_from_the_committed_model(network, real_data):
    """The published model predicts the published record again, from the real bulletin."""
    path = model_path(network, "dynamic", "random", 0, "paper")
    record = results.current_runs("paper")[f"{network}-dynamic-random-0"]
    found = runs.evaluate(path, progress=False)
    assert found.index.tolist() == record["errors"]["source_id"]
    np.testing.assert_allclose(found.epicentral_km, record["errors"]["epicentral_km"], rtol=0.01, atol=0.02)
    np.testing.assert_allclose(found.magnitude, record["errors"]["magnitude"], atol=0.005)
