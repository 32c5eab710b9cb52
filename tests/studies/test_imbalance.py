from dataclasses import replace

import numpy as np
import pytest
import torch

from seisbook.datasets.events import Events
from seisbook.figures import robustness as robustness_figures
from seisbook.findings import claims, imbalance
from seisbook.studies import imbalance as imbalance_study
from seisbook.studies import runner

RELIEF = {"none": 1.0, "balanced": 0.5, "reweighted": 0.5, "transferred": 2.0}
MAGNITUDE = np.concatenate([np.linspace(1, 2, 90), np.linspace(3, 4, 10)])


@pytest.fixture
def records():
    """Large events are the worse sized, the fewer of them there are; the remedy takes half of it away."""
    rng = np.random.default_rng(0)
    large = np.arange(100) >= 90
    found = []
    for trial in imbalance_study.trials("colombia", "bulletin", "paper"):
        shift = -0.3 * (1 - trial["kept"]) * RELIEF[trial["remedy"]]
        error = 0.02 * rng.normal(size=100) + shift * large
        result = {"n_train": 90, "n_large": round(80 * trial["kept"]), "large": large.tolist()}
        result |= {"magnitude": error.tolist(), "epicentral_km": [1.0] * 100}
        found.append({"trial": trial, "result": result, "commit": "abc", "state": "current"})
    return found


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


def test_the_table_finds_what_was_put_in(records):
    table = imbalance.tabulate(records).set_index(["kept", "remedy", "events"])
    assert table.loc[(0.0, "none", "largest tenth"), "bias"].value == pytest.approx(-0.3, abs=0.02)
    assert table.loc[(0.5, "balanced", "largest tenth"), "bias"].value == pytest.approx(-0.075, abs=0.02)
    assert table.loc[(0.0, "none", "others"), "rmse"].value == pytest.approx(0.02, abs=0.005)
    rmse = table.loc[(0.2, "none", "largest tenth"), "rmse"]
    assert rmse.low < rmse.value < rmse.high


def test_a_remedy_helps_if_the_ratio_says_so(records):
    table = imbalance.helps(records).set_index(["kept", "remedy"])
    assert table.verdict[0.1, "balanced"] == table.verdict[0.2, "reweighted"] == "supported"
    assert table.verdict[0.0, "transferred"] == "not supported"
    assert table.found[0.1, "balanced"].value == pytest.approx(0.5, abs=0.05)
    assert table.found[0.0, "transferred"].value == pytest.approx(2.0, abs=0.1)
    assert table.others[0.1, "balanced"].value == pytest.approx(1.0, abs=0.3)
    assert table.verdict[1.0, "balanced"] == "inconclusive"  # nothing to be helped
    assert imbalance.quoted({"colombia": records})["colombia-balanced-0.1"].startswith("0.5")


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


def test_the_claim_is_judged_where_one_in_five_is_left(records, monkeypatch):
    found = imbalance.verdict(records, 0.15)
    assert found["verdict"] == "not supported"  # 0.24
    assert found["n_runs"] == imbalance_study.SEEDS["paper"]
    assert imbalance.verdict(records, 0.3)["verdict"] == "supported"
    monkeypatch.setattr(runner, "read", lambda study, network, source, profile: records)
    assert [one.verdict for one in claims.claims("C7")] == ["not supported"] * 2


def test_the_figure_has_a_column_a_network(records):
    table = imbalance.tabulate(records)
    figure = robustness_figures.imbalance(table, 0.15)
    assert len(figure.axes) == 2
    assert [text.get_text() for text in figure.axes[1].get_xticklabels()] == ["80", "40", "16", "8", "0"]


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
