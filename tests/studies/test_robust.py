from dataclasses import replace

import numpy as np
import pytest

from seisbook.models.robust_training import RobustTraining
from seisbook.studies import fold, robust, robust_models

TINY = RobustTraining(stem_epochs=1, graph_epochs=1, events=8, copies=1)
RECIPE = robust_models.Recipe(20, TINY, TINY)


@pytest.fixture
def small(events, tmp_path, monkeypatch):
    """Sixty simulated events in the place of twin and bulletin, the smallest trainings, and a cache of its own."""
    monkeypatch.setattr(robust_models, "load_events", lambda network, source, n, seed, progress: events)
    monkeypatch.setattr(robust_models, "BUILD", tmp_path)
    monkeypatch.setitem(robust_models.RECIPES, "quick", RECIPE)
    for kept in (robust_models.parts, robust_models.of_the_twin, robust_models.new_events):
        kept.cache_clear()
    yield tmp_path
    for kept in (robust_models.parts, robust_models.of_the_twin, robust_models.new_events):
        kept.cache_clear()


def test_the_main_arm_has_all_folds_and_each_arm_has_seeds():
    trials = robust.trials("colombia", "bulletin", "paper")
    clean = [trial for trial in trials if trial["axis"] == "none"]
    main = [(t["split"], t["fold"], t["seed"]) for t in clean if t["arm"] == robust.MAIN]
    assert len(main) == len(set(main)) == 2 * robust.SIZES["paper"].folds + robust.SEEDS - 1
    for arm in set(robust.ARMS) - {robust.MAIN}:
        assert [(t["split"], t["fold"], t["seed"]) for t in clean if t["arm"] == arm] == [
            ("random", 0, seed) for seed in range(robust.OTHER_SEEDS)
        ]


def test_what_is_perturbed_is_the_first_fold():
    perturbed = [trial for trial in robust.trials("colombia", "bulletin", "paper") if trial["axis"] != "none"]
    assert {(t["split"], t["fold"], t["seed"]) for t in perturbed} == {("random", 0, 0)}
    assert {t["arm"] for t in perturbed if t["axis"] == "spike"} == set(robust.ARMS)
    assert {t["arm"] for t in perturbed if t["axis"] == "gap"} == {robust.MAIN}


def test_the_twin_tests_what_it_trained():
    trials = robust.trials("colombia", "simulated", "paper")
    assert {(t["split"], t["fold"], t["seed"]) for t in trials} == {("twin", 0, 0)}
    assert {t["arm"] for t in trials} == {robust.MAIN}
    assert len({t["axis"] for t in trials}) > 10


def test_each_trial_has_a_key_of_its_own():
    trials = robust.trials("ridgecrest", "bulletin", "paper")
    assert len({tuple(trial.values()) for trial in trials}) == len(trials)


def test_the_configuration_is_that_of_the_arm():
    trial = {"profile": "paper", "arm": "no edges"}
    assert robust.config(trial)["arm"] == {"graph": "none"}
    assert robust.config(trial) != robust.config(trial | {"arm": "static graph"})


def test_a_run_trains_once_and_tests_all_its_trials(small):
    trials = [trial for trial in robust.trials("ridgecrest", "bulletin", "quick") if trial["arm"] == robust.MAIN]
    group = [trial for trial in trials if robust.group(trial) == robust.group(trials[0])]
    results = robust.run(group)
    assert len(results) == len(group)
    assert all(set(result) == set(robust.COLUMNS) for result in results)
    assert np.isfinite(results[0]["epicentral_km"]).all()
    assert results[0] != results[-1]
    (cached,) = (small / "models" / "robust").glob("*.safetensors")
    robust_models.of_the_twin.cache_clear()
    before = cached.stat().st_mtime_ns
    assert robust.run(group) == results  # the twin comes from the cache
    assert cached.stat().st_mtime_ns == before


def test_the_models_of_the_twin_are_not_trained_again(small):
    trials = robust.trials("ridgecrest", "simulated", "quick")
    assert len(robust.run(trials)) == len(trials)
    start = robust_models.of_the_twin("ridgecrest", robust.MAIN, "quick")
    locator, _ = robust._of_the_twin(trials[0])
    assert locator.model_ is start


def test_a_frozen_stem_reads_once_for_many_trainings(small, events, monkeypatch):
    monkeypatch.setattr(fold, "load_events", lambda *_: events)
    fold.first_fold.cache_clear()


def test_arms_share_the_stem_of_the_twin(small, monkeypatch):
    monkeypatch.setitem(robust_models.ARMS, "no edges", {"graph": "none"})
    main, other = (robust_models.of_the_twin("ridgecrest", arm, "quick") for arm in (robust.MAIN, "no edges"))
    for mine, theirs in zip(main.stem.parameters(), other.stem.parameters(), strict=True):
        assert np.array_equal(mine.detach().numpy(), theirs.detach().numpy())
    assert other.config == replace(main.config, graph="none")
