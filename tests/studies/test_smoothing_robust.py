import json

import numpy as np
import pytest
import torch

from seisbook.findings import smoothing as findings
from seisbook.models.robust import SILENT
from seisbook.models.robust_training import RobustTraining
from seisbook.studies import robust_models, smoothing_robust


@pytest.fixture
def small(robust_bench, monkeypatch):
    """The smallest training of a graph part."""
    smallest = robust_models.RECIPES["quick"].training
    monkeypatch.setitem(smoothing_robust.TRAINING, "quick", smallest)
    return smallest


def chosen(graph, readout, blocks=2):
    trials = smoothing_robust.STUDY.trials("ridgecrest", "bulletin", "quick")
    return next(t for t in trials if (t["graph"], t["readout"], t["blocks"]) == (graph, readout, blocks))


def test_trials_train_and_measure(small):
    wanted = [chosen("dynamic", "multiscale"), chosen("static", "last")]
    results = smoothing_robust.run(wanted)
    for result in results:
        assert not result["diverged"]
        assert (result["n_train"], result["n_test"], len(result["epicentral_km"])) == (48, 12, 12)
        assert [row["block"] for row in result["measures"]] == [0, 1, 2, "readout"]
        assert np.isfinite(result["measures"][2]["mad"])
        assert len(result["loss"]) == small.graph_epochs
    assert results[0]["channels"] < results[1]["channels"]  # reading all blocks costs parameters
    assert json.loads(json.dumps(results, allow_nan=False)) == results
    assert smoothing_robust.run(wanted[:1]) == results[:1]  # the seed decides everything
    rows = findings.tabulate([{"trial": t, "result": r} for t, r in zip(wanted, results, strict=True)])
    assert len(rows) == 2 * 4


def test_what_is_not_finite_has_diverged(small, monkeypatch):
    def singular(*_, **__):
        raise torch.linalg.LinAlgError("not finite")

    monkeypatch.setattr(smoothing_robust.RobustLocator, "fit_graph", singular)
    monkeypatch.setattr(smoothing_robust.RobustLocator, "history_", [], raising=False)
    (result,) = smoothing_robust.run([chosen("dynamic", "last")])
    assert result["diverged"]
    assert "measures" not in result


def test_a_silent_station_is_none(small):
    read = smoothing_robust._read("ridgecrest", "bulletin", "quick")
    held, (found, *_) = read.part(read.fold.test)
    amplitude = found.amplitude.clone()
    amplitude[0] = SILENT - 1
    heard = smoothing_robust.HeardEvents(held, found._replace(amplitude=amplitude))
    mask = heard.batch(np.arange(3)).mask
    assert not mask[0, 0]
    assert mask.sum() == held.start[3] - 1


def test_a_trial_says_its_training_and_that_of_its_stem(monkeypatch):
    smallest = RobustTraining(stem_epochs=1, graph_epochs=1, events=8, copies=1)
    trial = chosen("dynamic", "multiscale")
    before = smoothing_robust.config(trial)
    monkeypatch.setitem(smoothing_robust.TRAINING, "quick", smallest)
    after = smoothing_robust.config(trial)
    assert after != before
    monkeypatch.setitem(robust_models.RECIPES, "quick", robust_models.Recipe(20, smallest, smallest))
    assert smoothing_robust.config(trial) != after
