import numpy as np
import pytest

from seisbook.models.robust_training import RobustTraining
from seisbook.studies import fold, frozen_stem, imbalance_robust, robust_models, variance, variance_robust
from seisbook.studies.variance_robust import MAIN, STATIC

TINY = RobustTraining(stem_epochs=1, graph_epochs=1, events=8, copies=1)
WHERE = ("ridgecrest", "bulletin", "quick")
REMEMBERED = (robust_models.of_the_twin, robust_models.first_fold_readings, fold.first_fold)


@pytest.fixture
def small(events, tmp_path, monkeypatch):
    """Sixty simulated events in the place of twin and bulletin, the smallest trainings, and a cache of its own."""
    for module in (robust_models, fold):
        monkeypatch.setattr(module, "load_events", lambda *given: events)
    monkeypatch.setattr(robust_models, "BUILD", tmp_path)
    monkeypatch.setitem(robust_models.RECIPES, "quick", robust_models.Recipe(20, TINY, TINY))
    for kept in REMEMBERED:
        kept.cache_clear()
    yield
    for kept in REMEMBERED:
        kept.cache_clear()


def cells(trials, arm, split="random"):
    return {(t["partition"], *t["seeds"]) for t in trials if (t["arm"], t["split"]) == (arm, split)}


def test_the_design_is_crossed():
    trials = variance_robust.trials("colombia", "bulletin", "paper")
    for split, number in (("random", 30), ("time", 10)):
        assert cells(trials, MAIN, split) == cells(trials, STATIC, split)
        assert len(cells(trials, MAIN, split)) == number


def test_results_have_the_form_of_the_first_study(small):
    trials = variance_robust.trials(*WHERE)
    together = [one for one in trials if variance_robust.group(one) == variance_robust.group(trials[0])]
    assert {one["arm"] for one in together} == {MAIN, STATIC}
    results = variance_robust.run(together)
    labels, names = variance.labels(*WHERE)
    for result in results:
        assert np.shape(result["external"]) == (len(names), 4) == labels.shape
        error = np.hypot(*(np.array(result["external"]) - labels)[:, :2].T)
        assert np.median(error) == pytest.approx(result["scores"]["external"]["epicentral_km"], rel=1e-3)
        assert result["n_train"] < 48
    assert len({np.array(one["external"]).tobytes() for one in results}) == len(results)  # arms and seeds differ
    (alone,) = variance_robust.run(together[-1:])  # station terms that were shared are those of a training by itself
    assert alone == results[-1]


def test_a_training_has_its_steps_and_its_stem(small, events):
    read = frozen_stem.unseen(robust_models.first_fold_readings(*WHERE))
    locator = frozen_stem.locator("ridgecrest", MAIN, "quick", 0, 10, 40)
    assert locator.training.graph_epochs == 2  # of five steps
    assert locator.training.graph_rate == TINY.graph_rate / 2
    locator.fit_like(*read.part(read.fold.train[:40]))
    twin = robust_models.of_the_twin("ridgecrest", MAIN, "quick")
    for mine, theirs in zip(locator.model_.stem.parameters(), twin.stem.parameters(), strict=True):
        assert np.array_equal(mine.detach(), theirs.detach())
    assert not np.array_equal(locator.model_.graph.head[0].weight.detach(), twin.graph.head[0].weight.detach())
    whole = robust_models.first_fold_readings(*WHERE)
    located = frozen_stem.predict(locator, read, [5, 3])
    np.testing.assert_array_equal(
        located.epicentre, locator.predict(whole.fold.events.select([5, 3]), whole.part([5, 3])[1][0]).epicentre
    )


def test_large_events_are_thinned_out(small):
    trials = imbalance_robust.trials(*WHERE)
    assert [(one["kept"], one["remedy"]) for one in trials] == [(1.0, "none"), (1.0, "balanced"), (0.0, "none")]
    everything, balanced, nothing = imbalance_robust.run(trials)
    assert (everything["n_train"], nothing["n_large"]) == (48, 0)
    assert nothing["n_train"] < everything["n_train"] == balanced["n_train"]
    assert len(everything["magnitude"]) == len(everything["large"]) == 12
    assert len({tuple(one["magnitude"]) for one in (everything, balanced, nothing)}) == 3
