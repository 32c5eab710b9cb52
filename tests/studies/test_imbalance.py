from dataclasses import replace

import numpy as np
import pytest
import torch

from seisbook.datasets.events import Events
from seisbook.studies import imbalance as imbalance_study

MAGNITUDE = np.concatenate([np.linspace(1, 2, 90), np.linspace(3, 4, 10)])


def test_large_events_are_thinned_and_nothing_else():
    train = np.arange(0, 100, 2)
    subset, n_large = imbalance_study._training_set(MAGNITUDE, train, 2.5, 0.4, "none", 0)
    assert n_large == 2
    assert set(subset) <= set(train)
    assert (MAGNITUDE[subset] < 2.5).sum() == 45
    assert (MAGNITUDE[subset] > 2.5).sum() == 2
    none, n_large = imbalance_study._training_set(MAGNITUDE, train, 2.5, 0.0, "none", 0)
    assert n_large == 0
    assert len(none) == 45


def test_balanced_draws_make_magnitudes_equally_frequent():
    train = np.arange(100)
    subset, n_large = imbalance_study._training_set(MAGNITUDE, train, 2.5, 1.0, "balanced", 0)
    assert len(subset) == 100
    assert n_large == 10
    share = np.bincount(np.floor(MAGNITUDE[subset] / imbalance_study.BIN).astype(int))
    assert share[share > 0].min() > 0.4 * share.max()  # before: 1 to 45
    sizeless = np.where(np.arange(100) < 5, np.nan, MAGNITUDE)
    assert len(imbalance_study._balanced(sizeless, train, np.random.default_rng(0))) == 100


def test_the_remedy_is_tried_where_there_is_something_to_draw():
    arms = {(one["kept"], one["remedy"]) for one in imbalance_study.trials("colombia", "bulletin", "paper")}
    assert (0.0, "balanced") not in arms
    assert (0.0, "reweighted") not in arms
    assert {(0.1, "balanced"), (0.0, "transferred")} < arms


def test_rare_magnitudes_count_more():
    locator = imbalance_study.Reweighted(
        "dynamic", training=replace(imbalance_study.TRAINING, epochs=0, graph_epochs=0)
    )
    y = torch.zeros(100, 4)
    y[:, 3] = torch.tensor(MAGNITUDE - 2)  # below zero, too
    y[0, 3] = torch.nan
    values = {"x": torch.zeros(100, 3, 8), "pos": torch.zeros(100, 3), "amplitude": torch.zeros(100)}
    names = {"start": np.arange(101), "source_id": np.arange(100), "origin_time": np.arange(100)}
    locator.fit(Events(**values, **names, onset_s=torch.zeros(100, 2), y=y), progress=False)
    weight = locator.weight_[locator._bins(y)]
    assert weight.mean() == pytest.approx(1.0, abs=1e-6)
    bins = np.floor((MAGNITUDE - 2) / imbalance_study.BIN)
    totals = [weight[1:][bins[1:] == one].sum() for one in np.unique(bins)]
    assert max(totals) < 1.2 * min(totals)  # as much for each bin of magnitude
    assert weight[-1] > 5 * weight[1]


def test_a_trial_is_trained_and_tested(bench):
    trials = imbalance_study.trials("ridgecrest", "simulated", "quick")
    results = imbalance_study.run(trials)
    everything = results[0]
    assert everything["n_train"] == 48
    assert len(everything["magnitude"]) == len(everything["large"]) == 12
    nothing = next(one for one, trial in zip(results, trials, strict=True) if trial["kept"] == 0)
    assert nothing["n_large"] == 0
    assert nothing["n_train"] < 48
    assert nothing["magnitude"] != everything["magnitude"]
    whole = [one for one, trial in zip(results, trials, strict=True) if trial["kept"] == 1.0]
    assert len({tuple(one["magnitude"]) for one in whole}) == len(imbalance_study.REMEDIES)
