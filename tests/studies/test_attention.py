import numpy as np
import pandas as pd
import pytest

from seisbook.catalogues import networks
from seisbook.errors import UserError
from seisbook.models import checkpoints, inspection
from seisbook.studies import attention as attention_study
from seisbook.studies.places import model_path
from seisbook.studies.robustness import station_codes
from seisbook.studies.runs import as_locator


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
    columns |= {"gradient_2": rng.normal(size=n * events)}
    columns |= dict(zip(("east_km", "north_km"), rng.uniform(-70, 70, (2, n * events)), strict=True))
    columns |= {"epicentral_km": np.hypot(columns["east_km"], columns["north_km"]), "elevation_km": 0.0}
    columns |= {
        "magnitude": np.repeat(np.linspace(1, 4, events), n),
        "depth_km": np.repeat([8.0, 90.0], n * events // 2),
    }
    columns |= dict(zip(attention_study.CHECKS.values(), (-2 * base, rng.normal(size=n * events)), strict=True))
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


@pytest.fixture(scope="module")
def ridgecrest():
    return networks.load("ridgecrest")


@pytest.fixture(scope="module")
def designed(table, ridgecrest):
    return attention_study.designs(table, ridgecrest)


def test_designs_are_those_of_the_first_stations(table, ridgecrest):
    """Stations that D-optimality chooses itself are as efficient as can be, and nobody is more so."""
    first = table[table.event == 0].copy()
    times = attention_study.TravelTimes(ridgecrest.velocity_model)
    best = attention_study.optimal_design.best_set(attention_study._information(first, ridgecrest, times), 3)
    first["rollout"] = np.isin(np.arange(8), best).astype(float)
    found = attention_study.designs(first, ridgecrest).set_index("order")
    assert found.efficiency["rollout"] == found.efficiency["D-optimal"] == 1
    assert found.gap_deg["rollout"] == found.gap_deg["D-optimal"]
    assert found.efficiency.drop(["rollout", "D-optimal"]).between(0, 1).all()
    assert {"selection_1", "selection_2", "nearest", "random"} < set(found.index)


def test_the_design_is_summed_up_over_events(designed):
    rows = {row["order"]: row for row in attention_study.design(designed)}
    assert rows["D-optimal"]["efficiency"] == [1, 1, 1]
    assert rows["rollout"]["rollout_above"] == [0, 0, 0]
    assert rows["selection"]["rollout_above"] == [0, 0, 0]  # the last block's are the rollout in this table
    mean = designed[designed.order == "nearest"].efficiency.mean()
    assert rows["nearest"]["efficiency"][0] == pytest.approx(mean)
    above = rows["nearest"]["rollout_above"][0]
    assert above == pytest.approx(rows["rollout"]["efficiency"][0] - mean)
    assert above < 0  # near stations constrain, and the rollout of this table knows nothing of distance
    assert rows["nearest"]["events"] == 60


def test_blocks_agree_with_whom_they_follow(table, designed):
    first, last = attention_study.blocks(table, designed)
    assert (first["block"], last["block"]) == (1, 2)
    assert last["tau"]["analyst"][1] > 0.5
    assert abs(first["tau"]["analyst"][0]) < 0.12
    unread = attention_study.blocks(table.assign(emphasis=np.nan), designed)
    assert set(unread[0]["tau"]) == {"nearest", "signal-to-noise"}


def test_measures_are_compared_in_pairs_and_without_sign(table):
    found = {tuple(row["measures"]): row["tau"] for row in attention_study.between(table)}
    assert len(found) == 10
    assert found["selection", "rollout"][0] == pytest.approx(1)
    assert abs(found["rollout", "leave one out"][0]) < 0.12
    same = table.assign(rollout=table.rollout.abs())
    found = {tuple(row["measures"]): row["tau"] for row in attention_study.between(same)}
    assert found["rollout", "integrated gradients"][0] == pytest.approx(1)


def test_strata_hold_each_event_once(table, designed):
    frame = attention_study.by_event(table, designed)
    rows = attention_study.strata(frame)
    by = pd.DataFrame(rows).groupby("by").events.sum()
    assert by.to_dict() == {"class": 60, "magnitude": 60}
    assert [row["stratum"] for row in rows[3:]] == ["shallower than 70 km", "70 km or deeper"]
    assert rows[3]["analyst"][0] == pytest.approx(frame.analyst[:30].mean())
    shallow = frame.assign(depth_km=8.0, analyst=np.nan)
    rows = attention_study.strata(shallow)
    assert len(rows) == 3
    assert rows[0]["analyst"] is None


def test_the_contrast_is_paired_by_event(table, designed):
    frame = attention_study.by_event(table, designed)
    worse = frame.assign(efficiency=frame.efficiency - 0.25)
    found = attention_study.contrast({"dynamic": frame, "static": worse}, {"dynamic": table, "static": table})
    assert found["efficiency"] == pytest.approx([0.25] * 3)
    assert found["gain"] == [0, 0, 0]
    assert found["alike"] == pytest.approx([1, 1, 1])


@pytest.fixture(scope="module")
def twin(events):
    """A model with its card, and a few simulated events."""
    return *checkpoints.load(attention_study.path_of("ridgecrest", "dynamic")), events.select(np.arange(20))


def test_only_the_nearest_station_is_spoilt(twin):
    _, card, events = twin
    for fault in attention_study.FAULTS.values():
        spoilt, struck = attention_study.spoil_nearest(events, fault, card.config.sampling_rate_hz)
        changed = (spoilt.x != events.x).flatten(1).any(1).numpy()
        np.testing.assert_array_equal(np.flatnonzero(changed), struck)
        distance = (events.pos[:, :2] - events.y[np.repeat(np.arange(20), np.diff(events.start)), :2]).norm(dim=-1)
        for first, row, end in zip(events.start, struck, events.start[1:], strict=False):
            assert distance[row] == distance[first:end].min()
        assert spoilt.onset_s is events.onset_s


def test_faults_are_measured_on_the_same_events(twin):
    model, card, events = twin
    noise, clock = attention_study.faults(as_locator(model, card), events)
    assert (noise["fault"], clock["fault"]) == ("noise", "clock")
    for key in ("share", "error_km", "error_without_km"):
        assert noise[key] == clock[key]
    assert noise["change"][0] == pytest.approx(noise["share_spoilt"][0] - noise["share"][0])
    assert clock["error_spoilt_km"][0] > clock["error_km"][0]


def test_insertion_needs_more_than_the_first_station(twin, ridgecrest):
    model, _, events = twin
    codes = station_codes(events, ridgecrest)
    found = attention_study.collect(model, events, codes, checks=False, progress=False)
    assert found.emphasis.isna().all()
    rows = attention_study.deletion(model, events, found, ridgecrest, progress=False)
    assert {row["order"] for row in rows} == {"rollout", "nearest", "signal-to-noise", "random", "D-optimal"}
    for order in ("rollout", "nearest", "D-optimal"):
        kept = {row["k"]: row["epicentral_km"] for row in rows if (row["order"], row["arm"]) == (order, "kept")}
        assert sorted(kept) == list(attention_study.KEPT)
        assert kept[5] < kept[1]


def test_real_models_are_measured_on_their_stations(events):
    network = networks.load("ridgecrest")
    some = events.select([inspection.clear_event(events, fewest=attention_study.FEWEST), 0, 1])
    model, _ = checkpoints.load(model_path("ridgecrest", "dynamic", "random", 0, "paper"))
    codes = station_codes(some, network)
    points = pd.Series({(str(some.source_id[0]), codes[0]): 2.0})
    found = attention_study.collect(model, some, codes, points, progress=False)
    first = found[found.event == 0]
    assert len(first) == some.start[1]
    assert first.emphasis.tolist() == [2.0] + [0.0] * (len(first) - 1)
    assert first.rollout.sum() == pytest.approx(1, abs=1e-5)
    with pytest.raises(UserError, match="6 stations"):
        attention_study.collect(model, events.select(np.flatnonzero(np.diff(events.start) < 6)), codes, points, False)
