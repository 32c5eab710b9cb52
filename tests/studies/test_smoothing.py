import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from seisbook import records
from seisbook.errors import UserError
from seisbook.figures import smoothing as smoothing_figures
from seisbook.findings import smoothing
from seisbook.measures import smoothness
from seisbook.measures.smoothness import MEASURES, dirichlet_energy, effective_rank, mad
from seisbook.models import deep
from seisbook.models.graph import GraphModel, ModelConfig
from seisbook.studies import runner
from seisbook.studies import smoothing as smoothing_study

RIDGECREST = ModelConfig(window_s=30, sampling_rate_hz=50, channels=16, blocks=3, neighbours=4)


def states(b=5, n=9, c=7, seed=0):
    """Random states, positions, and events of 4 stations and more; the padding holds what must not count."""
    rng = np.random.default_rng(seed)
    mask = np.arange(n) < rng.integers(4, n + 1, (b, 1))
    u = 0.5 + rng.normal(size=(b, n, c))
    pos = 50 * rng.normal(size=(b, n, 3))
    u[~mask] = 1e3
    return u, pos, mask


def measure(name, u, pos, mask):
    if name == "dirichlet_energy":
        return dirichlet_energy(u, pos, mask, k=3)
    return {"effective_rank": effective_rank, "mad": mad}[name](u, mask)


# ------------------------------------------------------------------------------------------------------------ measures


@pytest.mark.parametrize(("name", "value"), [("effective_rank", 1), ("dirichlet_energy", 0), ("mad", 0)])
def test_equal_states_are_perfectly_smooth(name, value):
    u, pos, mask = states()
    u[:] = u[:, :1]
    np.testing.assert_allclose(measure(name, u, pos, mask), value, atol=1e-12)


@pytest.mark.parametrize(("name", "value"), [("effective_rank", 6), ("dirichlet_energy", 2), ("mad", 1)])
def test_orthogonal_states_of_one_length_are_as_rough_as_can_be_expected(name, value):
    _, pos, _ = states(n=6)
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))[0]
    u = np.broadcast_to(3.7 * rotation[:6], (5, 6, 8))
    np.testing.assert_allclose(measure(name, u, pos, np.ones((5, 6), bool)), value)


def test_opposite_states_are_rougher_than_orthogonal_ones():
    u = np.array([[[1.0, 2.0], [-1.0, -2.0]]])
    mask = np.ones((1, 2), bool)
    assert mad(u, mask) == pytest.approx(2)
    assert dirichlet_energy(u, np.eye(2, 3)[None], mask) == pytest.approx(4)
    assert effective_rank(u, mask) == pytest.approx(1)  # one direction: what the cosine tells apart, a rank does not


@pytest.mark.parametrize("name", MEASURES)
def test_scale_of_the_states_does_not_matter(name):
    u, pos, mask = states()
    scale = np.array([1e-6, 0.1, 2, 30, 1e5])[:, None, None]
    np.testing.assert_allclose(measure(name, scale * u, pos, mask), measure(name, u, pos, mask), rtol=1e-9)


@pytest.mark.parametrize("name", MEASURES)
def test_order_of_stations_and_channels_does_not_matter(name):
    u, pos, mask = states()
    rng = np.random.default_rng(2)
    order = rng.permutation(9)
    shuffled = measure(name, u[:, order][..., rng.permutation(7)], pos[:, order], mask[:, order])
    np.testing.assert_allclose(shuffled, measure(name, u, pos, mask), rtol=1e-9)


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("filling", [0.0, -1e6, np.nan])
def test_padding_and_the_other_events_do_not_matter(name, filling):
    u, pos, mask = states()
    u, pos = np.where(mask[..., None], u, filling), np.where(mask[..., None], pos, 0.0)
    alone = [measure(name, u[i : i + 1, m], pos[i : i + 1, m], mask[i : i + 1, m])[0] for i, m in enumerate(mask)]
    np.testing.assert_allclose(measure(name, u, pos, mask), alone, rtol=1e-9)


def slow(name, u, pos, k=3):
    """One event, as the definitions are written."""
    n, norm = len(u), np.linalg.norm(u, axis=1)
    if name == "effective_rank":
        share = np.sqrt(np.maximum(np.linalg.eigvalsh(u @ u.T), 0))
        share = share[share > 0] / share.sum()
        return np.exp(-sum(p * np.log(p) for p in share))
    if name == "mad":
        pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
        return np.mean([1 - u[i] @ u[j] / (norm[i] * norm[j]) for i, j in pairs])
    edges = []
    for i in range(n):
        others = sorted((np.linalg.norm(pos[i] - pos[j]), j) for j in range(n) if j != i)
        edges += [(i, j) for _, j in others[:k]]
    return np.mean([np.sum((u[i] - u[j]) ** 2) for i, j in edges]) / np.mean(norm**2)


@pytest.mark.parametrize("name", MEASURES)
def test_fast_and_slow_agree(name):
    u, pos, mask = states(seed=3)
    expected = [slow(name, u[i, m], pos[i, m]) for i, m in enumerate(mask)]
    np.testing.assert_allclose(measure(name, u, pos, mask), expected, rtol=1e-6)


def test_what_is_not_defined_is_nan():
    u, pos, mask = states()
    mask[0] = np.arange(9) < 1  # a single station
    u[1] = 0
    assert effective_rank(u, mask)[0] == pytest.approx(1)
    assert np.isnan([dirichlet_energy(u, pos, mask)[0], mad(u, mask)[0]]).all()
    assert np.isnan([effective_rank(u, mask)[1], dirichlet_energy(u, pos, mask)[1], mad(u, mask)[1]]).all()
    assert np.isfinite([measure(name, u, pos, mask)[2:] for name in MEASURES]).all()


def test_averaging_over_neighbours_smooths():
    """What over-smoothing is: each round of averaging over the nearest stations lowers all measures."""
    u, pos, mask = states(n=12, c=20)
    mask[:] = True
    neighbour, _ = smoothness._nearest(pos, mask, 3)
    u[:] = np.random.default_rng(4).normal(size=u.shape) + 1
    values = []
    for _ in range(5):
        values.append([measure(name, u, pos, mask).mean() for name in MEASURES])
        u = 0.5 * u + 0.5 * u[np.arange(5)[:, None, None], neighbour].mean(2)
    assert (np.diff(values, axis=0) < 0).all()


# ------------------------------------------------------------------------------------------------- states and profiles


@pytest.fixture(scope="module")
def raw(events):
    return events.select(np.arange(40))


@pytest.fixture(scope="module")
def read(raw):
    torch.manual_seed(0)
    return raw.read_by(GraphModel(replace(RIDGECREST, channels=64)))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(1)
    return deep.DeepGraphModel(RIDGECREST)


def test_states_are_those_between_the_blocks(read, model):
    index = np.array([3, 0, 7])
    found = smoothness.block_states(model, read, index)
    sizes = np.diff(read.start)[index]
    assert [u.shape for u in found.states] == [(3, sizes.max(), 16)] * 4
    assert (found.mask.sum(1) == sizes).all()
    for i, u in enumerate(found.states):  # the multi-scale readout is the largest and the mean of each of them
        largest = np.where(found.mask[..., None], u, -np.inf).max(1)
        mean = (u * found.mask[..., None]).sum(1) / sizes[:, None]
        np.testing.assert_allclose(found.embedding[:, 32 * i : 32 * (i + 1)], np.hstack([largest, mean]), atol=1e-5)
    np.testing.assert_array_equal(found.pos[found.mask], read.select(index).pos.numpy())


def test_no_hook_is_left_behind(read, model):
    smoothness.block_states(model, read, [0])
    with pytest.raises(IndexError):
        smoothness.block_states(model, read, [len(read)])
    assert not any(block._forward_hooks or block._forward_pre_hooks for block in model.blocks)


def test_profile_is_the_mean_over_events(read, model):
    table = smoothness.profile(model, read, progress=False)
    assert list(table.index) == [0, 1, 2, 3, "readout"]
    assert list(table.width) == [16, 16, 16, 16, 2 * 16 * 4]
    found = smoothness.block_states(model, read)
    for block in range(4):
        expected = dirichlet_energy(found.states[block], found.pos, found.mask, k=4).mean()
        assert table.dirichlet_energy[block] == pytest.approx(expected)
        assert table.mad[block] == pytest.approx(mad(found.states[block], found.mask).mean())
    assert table.effective_rank["readout"] == pytest.approx(effective_rank(found.embedding))
    assert table.loc["readout", ["mad", "dirichlet_energy"]].isna().all()
    for name in MEASURES:
        known = table[table[name].notna()]
        assert (known[f"{name}_low"] < known[name]).all()
        assert (known[name] < known[f"{name}_high"]).all()


def test_interval_of_the_readouts_rank_covers_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    samples = 1 + rng.normal(size=(200, 60, 20)) * np.exp(-np.arange(20) / 5)
    intervals = np.array([smoothness._jackknife(one) for one in samples])
    expected = intervals[:, 0].mean()
    covered = (intervals[:, 1] <= expected) & (expected <= intervals[:, 2])
    assert 0.9 <= covered.mean() <= 0.99


def test_seismograms_are_refused(raw, model):
    with pytest.raises(UserError, match="read_by"):
        smoothness.block_states(model, raw, [0])
    batch = raw.batch(np.array([0]))
    with pytest.raises(UserError, match="read_by"):
        model.encode(batch.traces, batch.amplitude, batch.mask)


# ---------------------------------------------------------------------------------------------------- equal parameters


@pytest.mark.parametrize("readout", ["multiscale", "last"])
@pytest.mark.parametrize("blocks", smoothing_study.DEPTHS["paper"])
def test_deep_models_are_as_large_as_the_default_one(blocks, readout):
    config = deep.equal_width(blocks, replace(RIDGECREST, readout=readout))
    assert config == replace(RIDGECREST, blocks=blocks, readout=readout, channels=config.channels)
    reference = deep.graph_parameters(GraphModel())
    sizes = [
        abs(deep.graph_parameters(deep.DeepGraphModel(replace(config, channels=channels))) - reference)
        for channels in (config.channels - 1, config.channels, config.channels + 1)
    ]
    assert min(sizes) == sizes[1]
    assert sizes[1] < 0.04 * reference


def test_width_follows_the_number_asked_for():
    assert deep.equal_width(4, parameters=20_000).channels < deep.equal_width(4).channels
    model = deep.DeepGraphModel(deep.equal_width(4, parameters=20_000))
    assert deep.graph_parameters(model) == sum(p.numel() for p in model.parameters())  # it has no stem
    assert deep.graph_parameters(model) == pytest.approx(20_000, rel=0.15)


def test_counting_draws_no_random_number():
    before = torch.get_rng_state()
    deep.equal_width(5, RIDGECREST, 12_345)
    assert torch.equal(torch.get_rng_state(), before)


def test_deep_model_does_not_mind_padding(read, model):
    batch = read.batch(np.array([0, 1, 2]))
    more = [torch.cat([value, torch.full_like(value[:, :2], 1e3)], 1) for value in (*batch.features[:4], batch.pos)]
    mask = torch.cat([batch.mask, torch.zeros(3, 2, dtype=torch.bool)], 1)
    one = model.eval().locate(batch.features, batch.pos, batch.mask)
    other = model.locate(type(batch.features)(*more[:4]), more[4], mask)
    torch.testing.assert_close(other.epicentre, one.epicentre, atol=1e-2, rtol=1e-4)
    torch.testing.assert_close(other.embedding, one.embedding, atol=1e-3, rtol=1e-3)


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
