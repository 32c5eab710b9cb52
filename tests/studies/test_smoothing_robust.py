import json

import numpy as np
import pytest
import torch

from seisbook.findings import smoothing as findings
from seisbook.models.robust import SILENT
from seisbook.models.robust_training import RobustTraining
from seisbook.studies import fold, robust_models, smoothing_robust

TINY = RobustTraining(stem_epochs=1, graph_epochs=1, events=8, copies=1)
KEPT = (fold.first_fold, robust_models.of_the_twin, robust_models.first_fold_readings)


@pytest.fixture
def small(events, tmp_path, monkeypatch):
    """Sixty simulated events in the place of twin and fold, and the smallest trainings."""
    monkeypatch.setattr(robust_models, "load_events", lambda *_: events)
    monkeypatch.setattr(fold, "load_events", lambda *_: events)
    monkeypatch.setattr(robust_models, "BUILD", tmp_path)
    monkeypatch.setitem(robust_models.RECIPES, "quick", robust_models.Recipe(20, TINY, TINY))
    monkeypatch.setitem(smoothing_robust.TRAINING, "quick", TINY)
    for one in KEPT:
        one.cache_clear()
    yield
    for one in KEPT:
        one.cache_clear()


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
        assert len(result["loss"]) == TINY.graph_epochs
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
    trial = chosen("dynamic", "multiscale")
    before = smoothing_robust.config(trial)
    monkeypatch.setitem(smoothing_robust.TRAINING, "quick", TINY)
    after = smoothing_robust.config(trial)
    assert after != before
    monkeypatch.setitem(robust_models.RECIPES, "quick", robust_models.Recipe(20, TINY, TINY))
    assert smoothing_robust.config(trial) != after
