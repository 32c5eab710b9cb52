import json
from dataclasses import replace

import numpy as np
import pytest

from seisbook import records
from seisbook.errors import UserError
from seisbook.figures import smoothing as smoothing_figures
from seisbook.findings import smoothing
from seisbook.measures.smoothness import MEASURES
from seisbook.studies import runner
from seisbook.studies import smoothing as smoothing_study


@pytest.fixture
def training(bench, monkeypatch):
    """The study's training, in smaller batches."""
    smaller = replace(smoothing_study.TRAINING["quick"], batch_size=8)
    monkeypatch.setitem(smoothing_study.TRAINING, "quick", smaller)
    return smaller


def chosen(graph, readout, blocks=2):
    return next(
        one
        for one in smoothing_study.trials("ridgecrest", "simulated", "quick")
        if (one["graph"], one["readout"], one["blocks"]) == (graph, readout, blocks)
    )


def test_trials_train_and_measure(training):
    wanted = [chosen("dynamic", "multiscale"), chosen("static", "last")]
    results = smoothing_study.run(wanted)
    for result in results:
        assert not result["diverged"]
        assert (result["n_train"], result["n_test"], len(result["epicentral_km"])) == (48, 12, 12)
        assert [row["block"] for row in result["measures"]] == [0, 1, 2, "readout"]
        median = result["summary"]["epicentral_km"]["median"]
        assert median == pytest.approx(np.median(result["epicentral_km"]), rel=0.01)
        assert result["loss"][1] < result["loss"][0]
    text = json.dumps(results, allow_nan=False)
    assert json.loads(text) == results
    assert len(text) < 8000
    assert smoothing_study.run(wanted[:1]) == results[:1]  # the seed decides everything
    assert results[0]["epicentral_km"] != results[1]["epicentral_km"]


def test_study_runs_and_goes_on_where_it_was(training, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "BUILD", tmp_path)
    monkeypatch.setattr(records, "RESULTS", tmp_path / "results")
    monkeypatch.setitem(smoothing_study.DEPTHS, "quick", (2,))
    place = (smoothing_study.STUDY, "ridgecrest", "simulated", "quick")
    status = runner.run(*place, progress=False)
    assert (status.done, status.missing, status.failures) == (4, 0, [])
    monkeypatch.setattr(smoothing_study, "_trained", None)  # would fail if it were called
    assert runner.run(*place, progress=False).done == 4
    table = smoothing.tabulate(runner.load(*place))
    assert len(table) == 4 * (3 + 1)
    assert len(smoothing_figures.depth_figure({"ridgecrest": table}).axes) == 4


def test_a_training_that_diverges_is_reported(training, monkeypatch):
    monkeypatch.setitem(smoothing_study.TRAINING, "quick", replace(training, learning_rate=1e12))
    trial = chosen("dynamic", "last")
    (result,) = smoothing_study.run([trial])
    assert result["diverged"]
    assert "measures" not in result
    table = smoothing.tabulate([{"trial": trial, "result": result}])
    assert table.diverged.all()
    assert table[list(MEASURES)].isna().all(axis=None)


def test_other_mistakes_are_not_taken_for_divergence(training, monkeypatch):
    monkeypatch.setitem(smoothing_study.TRAINING, "quick", replace(training, batch_size=32))
    with pytest.raises(UserError, match="too few"):
        smoothing_study.run([chosen("dynamic", "last")])


def test_trials_are_the_design():
    trials = smoothing_study.STUDY.trials("colombia", "bulletin", "paper")
    assert len(trials) == 4 * 4
    assert len(smoothing_study.trials("colombia", "bulletin", "quick")) == 4 * 2
    assert {one["seed"] for one in trials} == {0}


def test_a_trial_says_its_training(monkeypatch):
    first = smoothing_study.trials("ridgecrest", "simulated", "quick")[0]
    before = smoothing_study.config(first)
    monkeypatch.setitem(smoothing_study.TRAINING, "quick", replace(smoothing_study.TRAINING["quick"], epochs=3))
    assert smoothing_study.config(first) != before
