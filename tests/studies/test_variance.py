import numpy as np
import pytest

from seisbook.studies import variance as variance_study
from seisbook.studies.fold import first_fold

WHERE = ("ridgecrest", "simulated", "quick")


def crossed(profile="paper"):
    return [one for one in variance_study.trials("colombia", "bulletin", profile) if one["part"] == "crossed"]


def test_the_design_is_crossed():
    arms = {}
    for one in crossed():
        arms.setdefault(one["arm"], set()).add((one["split"], one["partition"], *one["seeds"]))
    assert arms["dynamic"] == arms["static"]
    assert len(arms["dynamic"]) == 20 * 5
    assert len(arms["feature"]) < len(arms["dynamic"])
    assert arms["feature"] < arms["dynamic"]


def test_each_random_influence_varies_alone():
    alone = [one["seeds"] for one in variance_study.trials(*WHERE) if one["part"] == "seeds"]
    assert {sum(seed != 0 for seed in seeds) for seeds in alone} == {1}
    assert {np.flatnonzero(seeds)[0] for seeds in alone} == {0, 1, 2}


def test_nothing_of_a_test_set_is_trained_on(bench):
    fold = first_fold(*WHERE)
    events, external, rest = fold.events, fold.test, fold.train
    assert not set(external) & set(rest)
    assert len(external) + len(rest) == len(events)
    tested = {}
    for one in variance_study.trials(*WHERE):
        train, test = variance_study._part(events, rest, one)
        assert not set(train) & (set(test) | set(external))
        if one["part"] == "crossed":
            tested.setdefault((one["arm"], one["split"], one["partition"] // 5, *one["seeds"]), []).extend(test)
            assert len(train) + len(test) == len(rest)
        if one["n_train"]:
            assert len(train) == min(one["n_train"], len(rest) - len(test))
    assert all(sorted(found) == sorted(rest) for found in tested.values())  # the folds of a partition hold each once


def test_a_result_predicts_every_external_event(bench):
    trials = [one for one in crossed("quick") if one["arm"] == "dynamic" and one["split"] == "random"][:2]
    trials = [{**one, "network": "ridgecrest", "source": "simulated"} for one in trials]
    together = variance_study.run(trials)
    labels, names = variance_study.labels(*WHERE)
    for one, result in zip(trials, together, strict=True):
        assert np.shape(result["external"]) == (len(names), 4) == labels.shape
        error = np.hypot(*(np.array(result["external"]) - labels)[:, :2].T)
        assert np.median(error) == pytest.approx(result["scores"]["external"]["epicentral_km"], rel=1e-3)
        (alone,) = variance_study.run([one])
        np.testing.assert_allclose(alone["external"], result["external"], rtol=0.02, atol=0.05)
    assert together[0]["external"] != together[1]["external"]
    assert len({variance_study.group(one) for one in trials}) == 1


def test_small_training_sets_get_as_many_steps(bench):
    (few,) = [one for one in variance_study.trials(*WHERE) if one["part"] == "learning" and one["partition"] == 0][:1]
    epochs = {}
    with pytest.MonkeyPatch.context() as patch:

        def fit(locator, events, subsets, progress):
            epochs[len(subsets[0])] = locator.training.graph_epochs
            raise StopIteration

        patch.setattr(variance_study.EnsembleLocator, "fit", fit)
        for n_train in (16, 32):
            with pytest.raises(StopIteration):
                variance_study.run([{**few, "n_train": n_train}])
    assert epochs == {16: 40, 32: 20}  # 40 steps of 16 events


def test_the_whole_model_is_trained_from_its_own_twin(bench):
    """Its stem has moved away from the twin's, and what it predicts depends on the arm and on the seed."""
    trials = [one for one in variance_study.trials(*WHERE) if one["part"] == "whole"]
    assert {one["arm"] for one in trials} == {"dynamic", "static"}
    few = [{**one, "n_train": 16} for one in trials if one["partition"] == 0]
    variance_study.prepare(*WHERE)
    results = variance_study.run(few)
    assert len({np.array(one["external"]).tobytes() for one in results}) == len(few)
    assert len({variance_study.group(one) for one in trials}) == len(trials)
    _, names = variance_study.labels(*WHERE)
    assert all(np.shape(one["external"]) == (len(names), 4) for one in results)
