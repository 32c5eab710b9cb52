import numpy as np
import pandas as pd
import pytest

from seisbook import attention_figures, attention_study, checkpoints, experiments, inspection, networks
from seisbook.errors import UserError
from seisbook.robustness_study import station_codes


@pytest.fixture(scope="module")
def table():
    """Stations whose emphasis follows the rollout and nothing else; distance and noise are independent of both."""
    rng = np.random.default_rng(0)
    n, events = 8, 60
    base = rng.normal(size=n * events)
    columns = {
        "event": np.repeat(np.arange(events), n),
        "emphasis": np.round(base + 0.3 * rng.normal(size=n * events), 1),
    }
    columns |= {"rollout": base, "selection_1": rng.normal(size=n * events), "selection_2": base}
    columns |= {"gradient_2": rng.normal(size=n * events), "epicentral_km": rng.uniform(0, 100, n * events)}
    columns |= {
        "snr": rng.normal(size=n * events),
        "p_order": rng.permuted(np.tile(np.arange(n), (events, 1)), axis=1).ravel(),
    }
    return pd.DataFrame(columns)


def test_emphasis_adds_weights_and_impulsive_onsets():
    readings = pd.DataFrame(
        {
            "source_id": ["a", "a", "b"],
            "station_code": ["X", "Y", "X"],
            "trace_p_weight": [1.0, 0.5, np.nan],
            "trace_s_weight": [1.0, np.nan, 0.25],
            "trace_p_onset": ["impulsive", "emergent", ""],
        }
    )
    points = attention_study.emphasis(readings)
    assert points.to_dict() == {("a", "X"): 2.5, ("a", "Y"): 0.5, ("b", "X"): 0.25}


def test_the_last_block_and_the_signs_of_the_nulls_count(table):
    found = attention_study.scores(table)
    assert (found["selection"] == table.selection_2).all()
    assert (found["nearest"] == -table.epicentral_km).all()
    assert (found["earliest"] == -table.p_order).all()


def test_agreement_is_found_where_it_is(table):
    found = {one["measure"]: one for one in attention_study.agreement(table)}
    assert found["rollout"]["tau"][1] > 0.5
    for null in ("nearest", "signal-to-noise", "earliest", "random", "gradient"):
        assert found[null]["tau"][1] < 0.05
        assert abs(found[null]["tau"][0]) < 0.12


def test_what_follows_distance_alone_is_not_beyond_it(table):
    rows = {one["measure"]: one["correlation"] for one in attention_study.beyond(table)}
    assert rows["rollout"][1] > 0.5
    assert abs(rows["gradient"][0]) < 0.15
    noise = 15 * np.random.default_rng(1).normal(size=(2, len(table)))
    near = table.assign(rollout=-table.epicentral_km + noise[0], emphasis=-table.epicentral_km + noise[1])
    (rollout,) = (one for one in attention_study.agreement(near) if one["measure"] == "rollout")
    assert rollout["tau"][1] > 0.3
    rows = {one["measure"]: one["correlation"] for one in attention_study.beyond(near)}
    assert abs(rows["rollout"][0]) < 0.15
    with pytest.raises(UserError, match="nothing is beyond"):
        attention_study.beyond(table.assign(selection_2=table.epicentral_km))


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [([0.2, 0.1, 0.3], "supported"), ([-0.2, -0.3, -0.1], "not supported"), ([0.0, -0.1, 0.1], "inconclusive")],
)
def test_the_rule(interval, verdict):
    rows = [{"measure": "rollout", "correlation": interval, "events": 9}]
    found = attention_study.verdict({"models": {"dynamic": {"beyond": rows}}})
    assert (found["verdict"], found["events"]) == (verdict, 9)


def test_real_models_are_measured_on_their_stations():
    network = networks.load("ridgecrest")
    events = experiments.load_events(network, "simulated", 60, experiments.TWIN_SEED, False)
    some = events.select([inspection.clear_event(events, fewest=attention_study.FEWEST), 0, 1])
    model, _ = checkpoints.load(experiments.model_path("ridgecrest", "dynamic", "random", 0, "paper"))
    codes = station_codes(some, network)
    points = pd.Series({(str(some.source_id[0]), codes[0]): 2.0})
    found = attention_study.collect(model, some, codes, points, progress=False)
    first = found[found.event == 0]
    assert len(first) == some.start[1]
    assert first.emphasis.tolist() == [2.0] + [0.0] * (len(first) - 1)
    assert first.rollout.sum() == pytest.approx(1, abs=1e-5)
    with pytest.raises(UserError, match="6 stations"):
        attention_study.collect(model, events.select(np.flatnonzero(np.diff(events.start) < 6)), codes, points, False)


def test_stations_are_as_large_as_their_attention():
    pos, share = np.array([[0.0, 0], [1, 0], [0, 2]]), np.array([0.0, 0.25, 0.75])
    figure = attention_figures.attention_maps(pos, [0.5, 0.5], [share, share], ["block 1", "rollout"])
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["block 1", "rollout"]
    sizes = figure.axes[0].collections[0].get_sizes()
    assert sizes[2] == pytest.approx(3 * sizes[1])
    assert sizes[0] == 0


def test_the_record_is_drawn_whole():
    found = attention_study.load()["models"]["dynamic"]
    left, right = attention_figures.agreement(found["agreement"], found["beyond"], found["shuffled"]).axes
    assert [text.get_text() for text in left.get_yticklabels()] == [row["measure"] for row in found["agreement"]]
    assert len(right.get_yticks()) == len(attention_study.MEASURES)
    figure = attention_figures.deletion(found["deletion"])
    assert {line.get_label() for line in figure.axes[0].lines} == set(attention_figures.ORDER_LOOKS)
    assert len(figure.axes[0].lines[0].get_xdata()) == 1 + len(attention_study.KEPT)
    assert len(figure.axes[1].lines[0].get_xdata()) == len(attention_study.KEPT)
    with pytest.raises(UserError, match="nothing to draw"):
        attention_figures.deletion([])


def test_the_record_is_quoted():
    texts = attention_study.quoted(attention_study.load())
    assert {"events", "rollout-tau", "nearest-tau", "rollout-beyond", "rollout-shuffled", "random-kept-3"} <= set(texts)
