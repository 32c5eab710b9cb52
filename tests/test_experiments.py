import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from seisbook import building, experiments
from seisbook.errors import UserError
from seisbook.graphs import EventDataset
from seisbook.training import Events

TINY = experiments.Profile(
    "quick",
    twin_events=40,
    rates=(1e-3, 3e-3),
    trial_events=40,
    trial=replace(experiments.PROFILES["quick"].pretraining, epochs=1, graph_epochs=0, batch_size=8),
    pretraining=replace(experiments.PROFILES["quick"].pretraining, epochs=1, graph_epochs=1),
    training=replace(experiments.PROFILES["quick"].training, epochs=1, graph_epochs=1, batch_size=8),
)


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    out = tmp_path_factory.mktemp("set") / "twin"
    return Events.from_dataset(
        EventDataset(building.build("ridgecrest", "simulated", out, n_events=50, progress=False)), progress=False
    )


@pytest.fixture
def bench(events, tmp_path, monkeypatch):
    """The whole path on simulated events, with nothing written outside a temporary folder."""
    monkeypatch.setattr(experiments, "BUILD", tmp_path)
    monkeypatch.setitem(experiments.PROFILES, "quick", TINY)
    monkeypatch.setattr(experiments, "load_events", lambda network, source, n, seed, progress: events)
    return tmp_path


def train(fold, model="dynamic"):
    return experiments.run("ridgecrest", model, "random", fold, "quick", progress=False)


def test_five_folds_make_one_entry_over_all_events(bench, events):
    made = [train(fold) for fold in range(5)]
    tested = [name for record in made for name in record["errors"]["source_id"]]
    assert sorted(tested) == sorted(events.source_id)
    (entry,) = experiments.results("quick")
    assert entry["n_events"] == 50
    assert entry["parameters"] > 1e5
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


@pytest.mark.parametrize("split", experiments.SPLITS)
def test_training_and_test_events_are_apart(events, split):
    parts = experiments.folds(events.source_id, events.origin_time, split)
    assert all(not set(train) & set(test) for train, test in parts)
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(len(events)))
    if split == "time":
        blocks = [events.origin_time[test] for _, test in parts]
        assert all(one.max() <= other.min() for one, other in pairwise(blocks))


@pytest.mark.parametrize("split", experiments.SPLITS)
def test_folds_do_not_depend_on_the_order_of_the_events(events, split):
    order = np.random.default_rng(0).permutation(len(events))
    one = experiments.folds(events.source_id, events.origin_time, split)
    other = experiments.folds(events.source_id[order], events.origin_time[order], split)
    for (_, test), (_, shuffled) in zip(one, other, strict=True):
        assert set(events.source_id[test]) == set(events.source_id[order][shuffled])
