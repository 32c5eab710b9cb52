import json
from dataclasses import replace

import numpy as np
import pytest

from seisbook import records
from seisbook.errors import UserError
from seisbook.figures import smoothing as smoothing_figures
from seisbook.findings import smoothing
from seisbook.measures import smoothness
from seisbook.measures.smoothness import MEASURES
from seisbook.studies import runner
from seisbook.studies import smoothing as smoothing_study

# --------------------------------------------------------------------------------------------------------------- study


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
    assert len(smoothing_figures.depth_figure(table).axes) == 4


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


def test_a_trial_says_its_model_and_its_training(monkeypatch):
    first, *_, last = smoothing_study.trials("ridgecrest", "simulated", "quick")
    assert smoothing_study.config(first)["model"] != smoothing_study.config(last)["model"]
    before = smoothing_study.config(first)
    monkeypatch.setitem(smoothing_study.TRAINING, "quick", replace(smoothing_study.TRAINING["quick"], epochs=3))
    assert smoothing_study.config(first) != before


# ------------------------------------------------------------------------------------------------------------- figures


def made_up(depths=(2, 4, 8, 16), diverged=()):
    """Made-up results of the paper's design, in which the arms and depths in `diverged` diverged."""
    rng = np.random.default_rng(0)
    made = []
    for seed in (0, 1):
        for blocks in depths:
            for graph, readout in smoothing_study.ARMS:
                trial = {"graph": graph, "readout": readout, "blocks": blocks, "seed": seed}
                result = {"channels": 64, "parameters": 200_000, "diverged": (graph, readout, blocks) in diverged}
                if not result["diverged"]:
                    decay = 0.97 if readout == "multiscale" else 0.9
                    error = 8 + 4 * (blocks / 16) * (readout == "last") + rng.normal(0, 0.3)
                    result["summary"] = {"epicentral_km": {"median": error, "ci": [error - 0.6, error + 0.7]}}
                    result["measures"] = [
                        {"block": block, "width": 64, **smoothness._columns("effective_rank", (r, 0.95 * r, 1.05 * r))}
                        | smoothness._columns("dirichlet_energy", (e, 0.9 * e, 1.1 * e))
                        | smoothness._columns("mad", (e / 2, 0.45 * e, 0.55 * e))
                        for block in range(blocks + 1)
                        for e in [1.2 * decay**block * (1 + rng.normal(0, 0.02))]
                        for r in [1 + 7 * decay**block * (1 + rng.normal(0, 0.02))]
                    ] + [{"block": "readout", "width": 999, **smoothness._columns("effective_rank", (20, 18, 22))}]
                made.append({"trial": trial, "result": result})
    return made


def test_table_has_each_trials_error_on_each_of_its_rows():
    table = smoothing.tabulate(made_up(depths=(2, 4)))
    assert len(table) == 8 * (3 + 1) + 8 * (5 + 1)
    assert (table.groupby(["graph", "readout", "blocks", "seed"]).epicentral_km.nunique() == 1).all()
    assert (table.epicentral_km_low < table.epicentral_km).all()
    readout = table[table.block == "readout"]
    assert readout.mad.isna().all()
    assert (readout.effective_rank == 20).all()


def line(axis, colour, style):
    """The thick line of an arm."""
    return next(
        one
        for one in axis.lines
        if one.get_linewidth() > 1 and one.get_color() == colour and one.get_linestyle() == style
    )


def test_depth_figure_shows_the_last_block_and_the_error():
    table = smoothing.tabulate(made_up())
    figure = smoothing_figures.depth_figure(table)
    arm = table[(table.graph == "static") & (table.readout == "last")]
    for axis, name in zip(figure.axes, smoothing_figures.AXES, strict=True):
        expected = arm[arm.block == arm.blocks].groupby("blocks")[name].mean()
        np.testing.assert_allclose(line(axis, smoothing_figures.GRAPH_COLOURS["static"], "--").get_ydata(), expected)
        assert axis.get_ylabel() == smoothing_figures.AXES[name]
        assert not axis.get_title()
    assert len(figure.legends[0].texts) == 4


def test_figure_shows_what_diverged():
    diverged = [(graph, readout, 16) for graph, readout in smoothing_study.ARMS if graph == "dynamic"]
    table = smoothing.tabulate(made_up(diverged=diverged))
    figure = smoothing_figures.depth_figure(table)
    assert figure.legends[0].texts[-1].get_text() == "diverged"
    crosses = [one for one in figure.axes[3].lines if one.get_marker() in ("x", "X")]
    assert sum(len(one.get_xdata()) for one in crosses) == 4
    assert len(line(figure.axes[0], smoothing_figures.GRAPH_COLOURS["dynamic"], "-").get_xdata()) == 3


@pytest.mark.parametrize(
    ("factor", "shift", "word"),
    [(0.5, 0.2, "supported"), (1.0, 0.0, "not supported"), (0.5, 0.0, "inconclusive"), (1.0, 0.2, "inconclusive")],
)
def test_verdict_follows_its_rule(factor, shift, word):
    rng = np.random.default_rng(0)
    error = rng.lognormal(size=200)

    def made(readout, scale, mad):
        measures = [{"block": 16, "mad": mad, "mad_low": mad - 0.05, "mad_high": mad + 0.05}]
        errors = (scale * error * rng.lognormal(sigma=0.3, size=200)).tolist()
        trial = {"graph": "dynamic", "readout": readout, "blocks": 16, "seed": 0}
        return {"trial": trial, "result": {"diverged": False, "epicentral_km": errors, "measures": measures}}

    table = smoothing.verdict([made("multiscale", factor, 0.4 + shift), made("last", 1.0, 0.4)])
    assert table.verdict["dynamic"] == word
    assert table.low["dynamic"] < table.error_ratio["dynamic"] < table.high["dynamic"]


def test_no_verdict_on_a_model_that_diverged():
    trial = {"graph": "static", "blocks": 16, "seed": 0}
    lost = [{"trial": {**trial, "readout": one}, "result": {"diverged": True}} for one in ("multiscale", "last")]
    assert smoothing.verdict(lost).verdict["static"] == "inconclusive"
