from dataclasses import replace

import numpy as np
import pytest
import torch

from seisbook.studies import transfer as transfer_study


def test_every_start_gets_the_same_events():
    trials = transfer_study.trials("ridgecrest", "bulletin", "paper")
    by_start = {
        start: [one for one in trials if one["start"] == start and one["n_train"]] for start in transfer_study.STARTS
    }
    same = [[(one["n_train"], one["partition"]) for one in found] for found in by_start.values()]
    assert same[0] == same[1] == same[2]
    assert {one["start"] for one in trials if one["n_train"] == 0} == set(transfer_study.UNTRAINED)
    assert transfer_study.other("ridgecrest") == "colombia"


def test_steps_do_not_depend_on_the_number_of_events():
    few, many = (transfer_study._training("paper", "twin", 1e-3, n) for n in (25, 200))
    steps = [one.epochs * round(n / transfer_study.BATCH) for one, n in ((few, 25), (many, 200))]
    assert steps[0] == pytest.approx(steps[1], rel=0.2)
    alone = transfer_study._training("paper", "random", 1e-3, 200)
    assert alone.graph_epochs == pytest.approx(transfer_study.FROM_RANDOM * many.graph_epochs, abs=1)


def test_weights_are_put_into_the_units_of_the_network():
    model, _ = transfer_study._started("ridgecrest", "paper", "other", 0)
    theirs, _ = transfer_study._published("colombia")
    assert model.config.window_s == 30.0
    assert theirs.config.window_s == 120.0
    for name, value in theirs.state_dict().items():
        np.testing.assert_array_equal(model.state_dict()[name], value)


def test_resampling_keeps_times_and_amplitudes(events):
    one = events.select([0])
    pulse = torch.exp(-0.5 * ((torch.arange(1500) / 50 - 12.0) / 0.2) ** 2).expand_as(one.x).half()
    half = transfer_study._resampled(replace(one, x=pulse), 50.0, 25.0)
    assert half.x.shape[-1] == 750
    assert half.x[0, 0].argmax().item() / 25 == pytest.approx(12.0)
    np.testing.assert_allclose(half.amplitude, one.amplitude, atol=0.01)
    assert transfer_study._resampled(events, 50.0, 50.0) is events


def test_trials_are_trained_and_tested(bench):
    trials = transfer_study.trials("ridgecrest", "simulated", "quick")
    results = dict(zip([(one["start"], one["n_train"]) for one in trials], transfer_study.run(trials), strict=True))
    assert all(len(one["epicentral_km"]) == 12 for one in results.values())
    assert results["twin", 0] != results["twin", 32] != results["other", 32] != results["random", 32]
    assert results["other", 0] != results["resampled", 0]
    whole = results["twin", transfer_study.ALL]["epicentral_km"]
    assert np.median(whole) < np.median(results["resampled", 0]["epicentral_km"])
