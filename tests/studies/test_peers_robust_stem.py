from dataclasses import replace

import numpy as np
import pytest

from seisbook.findings.peers_robust_stem import chosen_rates
from seisbook.models.peer_graphs import KINDS
from seisbook.models.robust_training import RobustTraining
from seisbook.studies import fold, robust, robust_models, runner
from seisbook.studies import peers_robust_stem as study

TINY = RobustTraining(stem_epochs=1, graph_epochs=1, events=8, copies=1)
KEPT = (
    *(robust_models.of_the_twin, robust_models.new_events, robust_models.first_fold_readings, fold.first_fold),
    *(study._twin_read, study._new_read, study.of_the_twin, study.troubled),
)


@pytest.fixture
def small(events, tmp_path, monkeypatch):
    """Sixty simulated events in the place of twin and bulletin, the smallest trainings, and caches of their own."""
    for module in (robust_models, study, fold):
        monkeypatch.setattr(module, "load_events", lambda network, source, n, seed, progress: events)
    for module in (robust_models, study):
        monkeypatch.setattr(module, "BUILD", tmp_path)
    monkeypatch.setitem(robust_models.RECIPES, "quick", robust_models.Recipe(20, TINY, TINY))
    monkeypatch.setattr(study, "CHOSEN", dict.fromkeys(KINDS, 2e-3))
    for kept in KEPT:
        kept.cache_clear()
    yield tmp_path
    for kept in KEPT:
        kept.cache_clear()


def test_it_is_a_study():
    assert runner.find("peers-robust-stem") is study.STUDY


def test_seeds_are_on_the_first_fold_and_each_arm_has_the_same_trainings(monkeypatch):
    monkeypatch.setattr(study, "CHOSEN", dict.fromkeys(KINDS, 2e-3))
    trials = study.trials("colombia", "bulletin", "paper")
    size = study.SIZES["paper"]
    for arm in study.ARMS:
        clean = [(t["fold"], t["seed"]) for t in trials if t["arm"] == arm and t["axis"] == "none"]
        assert clean == [(0, seed) for seed in range(size.seeds)] + [(fold, 0) for fold in range(1, size.folds)]
    assert {(t["fold"], t["seed"]) for t in trials if t["axis"] != "none"} == {(0, 0)}


def test_arms_without_travel_times_that_only_the_twin_sees(monkeypatch):
    monkeypatch.setattr(study, "CHOSEN", dict.fromkeys(KINDS, 2e-3))
    assert {t["arm"] for t in study.trials("colombia", "bulletin", "paper")} == {study.MAIN, *study.PUBLISHED}
    assert {t["arm"] for t in study.trials("colombia", "simulated", "paper")} == set(KINDS)
    assert [t["arm"] for t in study.trials("ridgecrest", "simulated", "paper")] == list(study.PUBLISHED)
    assert {*study.PUBLISHED, *study.ON_THE_TWIN} == set(KINDS)
    assert len(study.PUBLISHED) + len(study.ON_THE_TWIN) == len(KINDS)


def test_a_kind_without_a_rate_waits(monkeypatch):
    monkeypatch.setattr(study, "CHOSEN", {"transformer": 1e-3})
    assert {t["arm"] for t in study.trials("colombia", "bulletin", "paper")} == {study.MAIN, "transformer"}


def test_one_twin_chooses_the_rates():
    short = study.SIZES["paper"].short
    tuned = [t for t in study.trials("colombia", "simulated", "paper") if t["epochs"] == short]
    assert {(t["arm"], t["rate"]) for t in tuned} == {
        (kind, rate) for kind in KINDS for rate in study.RATES if kind not in study.SWITCHES
    }
    assert all(t["epochs"] > short for t in study.trials("ridgecrest", "simulated", "paper"))


def test_trouble_has_one_severity_on_each_compared_axis():
    assert tuple(study.TROUBLE) == robust.COMPARED


@pytest.mark.parametrize("source", ["bulletin", "simulated"])
def test_each_trial_has_a_key_of_its_own(source, monkeypatch):
    monkeypatch.setattr(study, "CHOSEN", dict.fromkeys(KINDS, 2e-3))
    trials = study.trials("colombia", source, "paper")
    assert len({tuple(trial.values()) for trial in trials}) == len(trials)


def test_switches_share_the_rate_of_the_papers_block(monkeypatch):
    monkeypatch.setattr(study, "CHOSEN", {study.PAPER: 4e-3, "transformer": 1e-3})
    assert study.rate_of("no edges") == 4e-3
    trial = {"network": "colombia", "source": "bulletin", "profile": "paper", "arm": "transformer"}
    assert study.config(trial)["twin"].graph_rate == study.config(trial)["fold"].graph_rate == 1e-3


def test_the_twin_trains_and_keeps_its_models(small):
    trials = [t for t in study.trials("ridgecrest", "simulated", "quick") if t["arm"] == "transformer"]
    results = [study.run([trial])[0] for trial in trials]
    assert all(np.isfinite([result["loss"], result["epicentral_km"]]).all() for result in results)
    (first, *_) = (small / "models" / "peers-robust-stem").glob("*.safetensors")
    before = first.stat().st_mtime_ns
    study.of_the_twin.cache_clear()
    assert study.run([trials[0]])[0] == results[0]  # from the cache
    assert first.stat().st_mtime_ns == before


@pytest.mark.parametrize("arm", [study.MAIN, study.PAPER, "deep sets with feedback"])
def test_a_run_trains_once_and_tests_all_its_trials(small, arm, events):
    trials = [trial for trial in study.trials("ridgecrest", "bulletin", "quick") if trial["arm"] == arm]
    results = study.run(trials)
    assert len(results) == len(trials) == 2
    tested = len(events) // 5
    assert [len(result["epicentral_km"]) for result in results] == [tested, tested]
    assert results[0] != results[1]
    assert study.run(trials[:1]) == results[:1]


def test_other_folds_have_other_test_events(small):
    read = robust_models.first_fold_readings("ridgecrest", "bulletin", "quick")
    (train, held), (_, other) = study._fold(read, 0), study._fold(read, 1)
    assert np.array_equal(held, read.fold.test)
    assert np.array_equal(train, read.fold.train)
    assert not set(held) & set(other)
    trial = study.trials("ridgecrest", "bulletin", "quick")[0]
    assert study.run([trial]) != study.run([{**trial, "fold": 1}])


def test_the_stem_is_that_of_the_robust_model(small):
    stem = robust_models.of_the_twin("ridgecrest", study.MAIN, "quick").stem
    model = study.of_the_twin("ridgecrest", "quick", "no edges", 2e-3, 1)
    assert all(
        np.array_equal(a.detach(), b.detach()) for a, b in zip(model.stem.parameters(), stem.parameters(), strict=True)
    )
    assert model.config == replace(model.config, physics=False)


def test_the_twin_has_chosen_the_rates():
    assert chosen_rates(runner.read("peers-robust-stem", study.TUNED_ON, "simulated")) == study.CHOSEN
