import numpy as np
import pytest

from seisbook.figures import smoothing as smoothing_figures
from seisbook.findings import smoothing
from seisbook.measures.smoothness import interval_columns
from seisbook.studies import smoothing as smoothing_study


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
                        {"block": block, "width": 64, **interval_columns("effective_rank", (r, 0.95 * r, 1.05 * r))}
                        | interval_columns("dirichlet_energy", (e, 0.9 * e, 1.1 * e))
                        | interval_columns("mad", (e / 2, 0.45 * e, 0.55 * e))
                        for block in range(blocks + 1)
                        for e in [1.2 * decay**block * (1 + rng.normal(0, 0.02))]
                        for r in [1 + 7 * decay**block * (1 + rng.normal(0, 0.02))]
                    ] + [{"block": "readout", "width": 999, **interval_columns("effective_rank", (20, 18, 22))}]
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
    figure = smoothing_figures.depth_figure({"colombia": table, "ridgecrest": table})
    arm = table[(table.graph == "static") & (table.readout == "last")]
    assert [axis.get_title("left") for axis in figure.axes[:2]] == ["Colombia", "Ridgecrest"]
    for axis, name in zip(figure.axes[::2], smoothing_figures.AXES, strict=True):
        expected = arm[arm.block == arm.blocks].groupby("blocks")[name].mean()
        np.testing.assert_allclose(line(axis, smoothing_figures.GRAPH_COLOURS["static"], "--").get_ydata(), expected)
        assert axis.get_ylabel() == smoothing_figures.AXES[name]
    assert len(figure.legends[0].texts) == 4


def test_figure_shows_what_diverged():
    diverged = [(graph, readout, 16) for graph, readout in smoothing_study.ARMS if graph == "dynamic"]
    table = smoothing.tabulate(made_up(diverged=diverged))
    figure = smoothing_figures.depth_figure({"colombia": table})
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
