import numpy as np
import pytest
import torch

from seisbook.studies import robust_models, transfer
from seisbook.studies import transfer_robust as study


def test_draws_are_those_of_the_older_study():
    ours, theirs = (
        [(t["start"], t["n_train"], t["partition"]) for t in module.trials("colombia", "bulletin", "paper")]
        for module in (study, transfer)
    )
    fewer = {("random", n, partition) for n in (25, 50, 200) for partition in (0, 1)}
    assert set(theirs) - set(ours) == {("resampled", 0, 0), *fewer}
    assert set(ours) - set(theirs) == {("random", 0, 0)}


@pytest.mark.parametrize("start", ["twin", "random"])
def test_steps_do_not_depend_on_the_number_of_events(events, start):
    times, rate = (study.FROM_RANDOM, 1) if start == "random" else (1, 0.5)
    recipe = robust_models.RECIPES["paper"].training
    for n in (25, 60):
        shown = events.select(np.arange(n))
        training = study._training("paper", start, shown)
        per_step = round(recipe.traces * n / len(shown.pos))
        stem, graph = training.stem_epochs * n / per_step, training.graph_epochs * n / study.BATCH
        assert [stem, graph] == pytest.approx([times * steps for steps in study.STEPS["paper"]], rel=0.25)
        assert training.graph_rate == rate * recipe.graph_rate


def test_weights_are_the_others_and_physics_is_the_new_networks(robust_bench):
    model = study.started("ridgecrest", "quick", "other", 0)
    theirs = robust_models.of_the_fold("colombia", 0, "quick").model_
    own = robust_models.of_the_twin("ridgecrest", robust_models.MAIN, "quick")
    assert model.config == own.config != theirs.config
    for name, weight in theirs.named_parameters():
        assert torch.equal(weight, model.get_parameter(name))
    assert len(theirs.graph.stations.places)  # the other network has station terms, which stay there
    assert not len(model.graph.stations.places)
    for name in ("relation", "timetable.slowness", "depth_prior"):
        assert torch.equal(model.graph.get_buffer(name), own.graph.get_buffer(name))
        assert not torch.equal(model.graph.get_buffer(name), theirs.graph.get_buffer(name))


def test_trials_are_trained_and_tested(robust_bench):
    trials = study.trials("ridgecrest", "bulletin", "quick")
    results = dict(zip([(t["start"], t["n_train"]) for t in trials], study.run(trials), strict=True))
    assert all(np.isfinite(one["epicentral_km"]).all() and len(one["magnitude"]) == 12 for one in results.values())
    assert set(results) == {(start, n) for start in study.STARTS for n in (0, 32)} | {("twin", study.ALL)}
    assert len({tuple(one["magnitude"]) for one in results.values()}) == len(results)
