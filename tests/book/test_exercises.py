"""Checks accept what is right and give a hint at each mistake that learners make."""

import inspect
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr

from seisbook.book import exercises, hints, robust_exercises
from seisbook.catalogues import bulletins, networks
from seisbook.figures import robustness as robustness_figures
from seisbook.figures import variance as variance_figures
from seisbook.measures import (
    attention,
    estimates,
    evaluation,
    field_structure,
    perturbations,
    seismicity,
    variance,
    variance_ratio,
)
from seisbook.models import checkpoints, one_clock, peers
from seisbook.models.conditional_normal import ConditionalNormal
from seisbook.models.field_methods import LawAlone, hide
from seisbook.models.graph import ModelConfig
from seisbook.physics import residuals, simulation
from seisbook.physics.traveltimes import TravelTimes
from seisbook.studies.places import model_path
from seisbook.studies.runs import as_locator
from tests.models.made_fields import parts


@pytest.fixture(scope="module")
def network():
    return networks.load("ridgecrest")


@pytest.fixture(scope="module")
def catalogue(network):
    return simulation.simulate(network, 200, 1)


def by_station(catalogue, network):
    table = residuals.travel_time_residuals(catalogue, network, TravelTimes(network.velocity_model))
    return table.groupby(catalogue.readings.station_code)[["p_residual_s", "s_residual_s"]]


def test_station_residuals(catalogue, network):
    grouped = by_station(catalogue, network)
    right = grouped.median()
    assert exercises.station_residuals(right, catalogue, network).startswith("Right")
    wrong = {"group by": right.reset_index(), "both columns": right[["p_residual_s"]], "observed minus": -right}
    wrong |= {"means": grouped.mean(), "not the medians": right + 1}
    for hint, answer in wrong.items():
        with pytest.raises(hints.Hint, match=hint):
            exercises.station_residuals(answer, catalogue, network)


def test_b_values(catalogue):
    magnitudes = catalogue.events.source_magnitude
    estimate = seismicity.completeness(magnitudes)
    right = [seismicity.b_value(magnitudes, estimate + shift)[0] for shift in np.arange(-0.4, 1.3, 0.2)]
    assert exercises.b_values(right, magnitudes).startswith("Right")
    for hint, answer in (
        ("9 thresholds", right[:3]),
        ("lowest", right[::-1]),
        ("of each threshold", sorted(right)[::-1]),
    ):
        with pytest.raises(hints.Hint, match=hint):
            exercises.b_values(answer, magnitudes)
    late = [seismicity.b_value(magnitudes, estimate + shift)[0] for shift in np.arange(0, 1.7, 0.2)]
    errors = [seismicity.b_value(magnitudes, estimate + shift)[1] for shift in np.arange(-0.4, 1.3, 0.2)]
    cut = [right[2]] * 3 + right[3:]
    for hint, answer in (("begin 0.4 below", late), ("standard errors", errors), ("are alike", cut)):
        with pytest.raises(hints.Hint, match=hint):
            exercises.b_values(answer, magnitudes)
    with pytest.raises(hints.Hint, match="counted from"):
        exercises.b_values([value + 0.1 * (i > 3) for i, value in enumerate(right)], magnitudes)


def prediction(east, north=0.0, magnitude=2.0):
    return SimpleNamespace(epicentre=torch.tensor([[east, north]]), magnitude=torch.tensor([magnitude]))


def test_moved():
    here = prediction(0.0)
    assert "1000.000 km east" in exercises.moved(here, prediction(1000.0))
    wrong = {
        "has not moved": here,
        "1000 km north": prediction(0.0, 1000.0),
        "west": prediction(-1000.0),
        "first column": prediction(1000.0, 1000.0),
    }
    wrong |= {"all": prediction(400.0), "magnitude has changed": prediction(1000.0, 0.0, 3.0)}
    for hint, there in wrong.items():
        with pytest.raises(hints.Hint, match=hint):
            exercises.moved(here, there)


def test_warm_start():
    cold = SimpleNamespace(start_from=None, history_=[{"epicentral_km": 50.0}])
    warm = SimpleNamespace(start_from=object(), history_=[{"epicentral_km": 8.0}])
    assert exercises.warm_start(warm, cold).startswith("Right: 8.0 km")
    with pytest.raises(hints.Hint, match="start_from"):
        exercises.warm_start(cold, cold)
    with pytest.raises(hints.Hint, match="fit it"):
        exercises.warm_start(SimpleNamespace(start_from=object()), cold)


def test_aggregations():
    errors = {"max": [1.0, 2.0, 3.0], "mean": [2.0, 3.0, 4.0], "softmax": [1.5, 2.5, 3.5]}
    assert "differ by 0.5 km; by luck alone 0.6 km" in exercises.aggregations(errors)
    with pytest.raises(hints.Hint, match="three aggregations"):
        exercises.aggregations({"max": [1.0]})
    with pytest.raises(hints.Hint, match="different seeds"):
        exercises.aggregations(errors | {"max": [1.0, 1.0, 1.0]})


def test_a_hint_is_one_line_in_jupyter():
    hint = hints.Hint("look again")
    assert hint._render_traceback_() == ["Not yet: look again"]


def test_says_where():
    assert exercises.says_where("/x/network.yaml: velocity_model.vp_vs: too large").startswith("Right")
    with pytest.raises(hints.Hint, match="name the file"):
        exercises.says_where("ValueError")


def test_fewer_stations(catalogue, network):
    sparse = replace(network, stations=network.stations[::2])
    assert exercises.fewer_stations(bulletins.at_known_stations(catalogue, sparse), sparse, catalogue).startswith(
        "Right"
    )
    with pytest.raises(hints.Hint, match="all stations"):
        exercises.fewer_stations(catalogue, network, catalogue)
    with pytest.raises(hints.Hint, match="at_known_stations"):
        exercises.fewer_stations(catalogue, sparse, catalogue)


def test_better_terms(catalogue, network):
    bare = replace(network, stations=[replace(one, p_term_s=0.0, s_term_s=0.0) for one in network.stations])
    with pytest.raises(hints.Hint, match="still have no delays"):
        exercises.better_terms(bare, network, catalogue)
    medians = by_station(catalogue, network).median()
    stations = [
        replace(
            station,
            p_term_s=float(medians.p_residual_s[station.code]),
            s_term_s=float(medians.s_residual_s[station.code]),
        )
        for station in network.stations
    ]
    assert exercises.better_terms(replace(network, stations=stations), network, catalogue).startswith("Right")
    stations[0] = replace(stations[0], p_term_s=1.0)
    with pytest.raises(hints.Hint, match="delays of P"):
        exercises.better_terms(replace(network, stations=stations), network, catalogue)


# ---------------------------------------------------------------------------------------------------- chapter 3: luck


@pytest.fixture(scope="module")
def runs():
    rng = np.random.default_rng(0)
    design = pd.MultiIndex.from_product(
        [("dynamic", "static"), range(15), range(5)], names=["arm", "partition", "seed"]
    )
    scores = {"epicentral_km": rng.normal(6, 1, 150), "fold_epicentral_km": rng.normal(6, 1, 150)}
    return pd.DataFrame(scores, design).reset_index()


def test_fewer_seeds(runs):
    def components(query, column="epicentral_km"):
        return variance.anova_components(runs.query(f"{query} and seed < 2"), column)

    assert "data " in exercises.fewer_seeds(components("arm == 'dynamic'"), runs)
    wrong = {"all partitions": components("arm == 'dynamic' and partition < 5")}
    wrong |= {"keep seeds": variance.anova_components(runs.query("arm == 'dynamic'"), "epicentral_km")}
    wrong |= {
        "the arm is": components("arm == 'static'"),
        "score is": components("arm == 'dynamic'", "fold_epicentral_km"),
    }
    for hint, answer in wrong.items():
        with pytest.raises(hints.Hint, match=hint):
            exercises.fewer_seeds(answer, runs)


def test_naive_interval(runs):
    scores, parts = runs.query("arm == 'dynamic'").epicentral_km, {"data": 0.1, "seed": 0.3, "residual": 0.6}
    error, honest = scores.std() / 75**0.5, variance_figures.half_width(parts, 15, 5)
    for naive in (1.96 * error, 1.9925 * error):  # normal, or Student's
        assert exercises.naive_interval(naive, honest, scores, parts).startswith("Right")
    wrong = {"scatter of one": (scores.std(), honest), "standard error": (error, honest)}
    wrong |= {"whole interval": (3.92 * error, honest), "naive one": (10 * error, honest)}
    wrong |= {"honest one": (1.96 * error, 1.96 * error)}
    for hint, answer in wrong.items():
        with pytest.raises(hints.Hint, match=hint):
            exercises.naive_interval(*answer, scores, parts)


def test_enough_partitions():
    plan = variance_ratio.Design(1.0, 1.0, 5, 5, 50.0, 0.5)
    detectable = {
        n: variance_ratio.minimum_detectable_ratio(replace(plan, n_partitions=n)) for n in (5, 10, 20, 40, 80)
    }
    needed = next(n for n, ratio in detectable.items() if ratio >= 0.8)
    assert exercises.enough_partitions(needed, plan).startswith(f"Right: {needed}")
    for hint, n in (("take more", needed // 2), ("half as many", 2 * needed), ("two or more", 0)):
        with pytest.raises(hints.Hint, match=hint):
            exercises.enough_partitions(n, plan)


# ----------------------------------------------------------------------------------------------- chapter 4: what breaks


@pytest.fixture(scope="module")
def trained(network, events):
    """A model of the book, twelve simulated events, and their sampling rate."""
    model, card = checkpoints.load(model_path(network.name, "dynamic", "random", 0, "paper"))
    return as_locator(model, card), events.select(np.arange(12)), network.window.sampling_rate_hz


def growth(trained, change):
    locator, events, rate = trained
    after = change.apply(events, rate, progress=False)
    medians = [evaluation.errors(locator.predict(one), one).epicentral_km.median() for one in (after, events)]
    return medians[0] / medians[1]


def test_filtered(trained):
    locator, events, rate = trained
    low, high = (robustness_figures.degrade(locator.model_, events, name, rate) for name in ("low_pass", "high_pass"))
    other = robustness_figures.degrade(locator.model_, events.select([1]), "high_pass", rate)
    assert exercises.filtered(low, high).startswith("Right")
    wrong = {"`low` should": (high, high), "`high` should": (low, low), "first of the": (low[1:], high)}
    for hint, answer in (wrong | {"two events": (low, other)}).items():
        with pytest.raises(hints.Hint, match=hint):
            exercises.filtered(*answer)


def test_two_faults(trained):
    noise, nearest = perturbations.AddedNoise(10.0), perturbations.StationDropout(1, mode="nearest")
    changes = {"noise": noise, "nearest": nearest, "both": perturbations.compose(noise, nearest)}
    right = {name: growth(trained, change) for name, change in changes.items()}
    assert exercises.two_faults(right, *trained).startswith("Right")
    calm = evaluation.errors(trained[0].predict(trained[1]), trained[1]).epicentral_km.median()
    wrong = {"three growths": {"both": 1.0}, "in km": {name: calm * one for name, one in right.items()}}
    wrong |= {"the product": right | {"both": right["noise"] * right["nearest"]}, "nearest:": right | {"nearest": 9.0}}
    for hint, answer in wrong.items():
        with pytest.raises(hints.Hint, match=hint):
            exercises.two_faults(answer, *trained)


def test_breaks(trained):
    assert "times the error" in exercises.breaks(perturbations.WrongCoordinates(100.0), *trained)
    for hint, change in (("only", perturbations.PolarityFlip(1)), ("a perturbation of", "a wrong clock")):
        with pytest.raises(hints.Hint, match=hint):
            exercises.breaks(change, *trained)


def test_liars(trained):
    locator, events, rate = trained
    change = perturbations.WrongCoordinates(50.0)
    moved = change.apply(events, rate, progress=False)
    before, after = (np.linalg.det(locator.predict(one).epicentre_tril.numpy()) for one in (events, moved))
    right = growth(trained, change), np.median(np.sqrt(after)) / np.median(np.sqrt(before))
    assert exercises.liars(*right, *trained).startswith("Right")
    area = right[1] ** 2
    for hint, answer in (("the error", (99, right[1])), ("area", (right[0], area)), ("ellipse:", (right[0], 99))):
        with pytest.raises(hints.Hint, match=hint):
            exercises.liars(*answer, *trained)


# ------------------------------------------------------------------------------------- chapter 9: made for trouble


def test_tenth_of_the_weight():
    sigma = one_clock.READING_S
    right = sigma * np.sqrt(18.0)
    share = one_clock.share(torch.tensor([right]), True).item()
    assert share == pytest.approx(0.1, rel=1e-5)
    assert robust_exercises.tenth_of_the_weight(right).startswith("Right")
    wrong = {"multiply": np.sqrt(18.0), "least squares": sigma * np.sqrt(28.0), "a \\*half": sigma * np.sqrt(2.0)}
    for hint, answer in (wrong | {"positive": -right, "solve": 1.0}).items():
        with pytest.raises(hints.Hint, match=hint):
            robust_exercises.tenth_of_the_weight(answer)


def test_two_clocks(network):
    def medians(*late_s):
        found = one_clock.readings(network, late_s, 200)
        return {kind: one_clock.errors(found, one_clock.locate(found, kind)).median().item() for kind in (False, True)}

    right = medians(2.0, 2.0, 0.0, 0.0)
    assert robust_exercises.two_clocks(right, network).startswith("Right")
    wrong = {"two medians": {True: 1.0}, "only one": medians(0.0, 2.0, 0.0, 0.0), "first two": medians(2.0, 0, 2.0, 0)}
    for hint, answer in (wrong | {"the same": dict.fromkeys((False, True), right[True])}).items():
        with pytest.raises(hints.Hint, match=hint):
            robust_exercises.two_clocks(answer, network)


def test_foreign_model():
    errors = {("other", 25): 2.0, ("random", 25): 5.0, ("random", 50): 2.1, ("random", 100): 1.9, ("random", 200): 1.5}
    rows = [
        {"network": name, "quantity": "epicentral_km", "start": start, "n_train": n}
        | {"estimate": estimates.Estimate(error + 2 * (name == "far" and start == "random"), 0, 9)}
        for name in ("near", "far")
        for (start, n), error in errors.items()
    ]
    table = pd.DataFrame(rows)
    assert robust_exercises.foreign_model({"near": 100, "far": None}, table).startswith("Right")
    wrong = {"number for": {"near": 100}, "near: with 50": {"near": 50, "far": None}}
    wrong |= {"near: fewer": {"near": 200, "far": None}, "near: one of": {"near": None, "far": None}}
    wrong |= {"far: with 200": {"near": 100, "far": 200}}
    for hint, answer in wrong.items():
        with pytest.raises(hints.Hint, match=hint):
            robust_exercises.foreign_model(answer, table)


def test_nearest_to_the_floor():
    rows = [("near", 1.0, 1.0, True), ("near", 1.2, 1.0, True), ("near", 9.0, 3.0, False)]
    rows += [("far", 2.0, 2.0, True), ("far", 1.0, 1.25, True), ("far", 1.0, 2.0, False)]
    table = pd.DataFrame(rows, columns=["network", "epicentral_km", "floor_km", "informative"]).assign(model="robust")
    table["epicentral_km"] = table.epicentral_km.map(lambda km: estimates.Estimate(km, 0, 9))
    right = {"near": 1.2, "far": 1.0}
    assert robust_exercises.nearest_to_the_floor(right, table).startswith("Right")
    wrong = {
        "number for": {"near": 1.2},
        "near: this severity": right | {"near": 3.0},
        "near: error": right | {"near": 2},
    }
    for hint, answer in (wrong | {"far: that is the smallest": right | {"far": 0.8}}).items():
        with pytest.raises(hints.Hint, match=hint):
            robust_exercises.nearest_to_the_floor(answer, table)


# ------------------------------------------------------------------------------------------------ chapter 5: attention


def stations(n=20, size=6):
    """A table as of `attention_study.collect`; in every other event the nearest has the largest rollout."""
    rng = np.random.default_rng(0)
    rows = []
    for event in range(n):
        distance, flow = np.sort(rng.uniform(1, 99, size)), np.sort(rng.uniform(0, 1, size))
        rows.append(pd.DataFrame({"event": event, "epicentral_km": distance, "rollout": flow[:: (-1) ** event]}))
    return pd.concat(rows, ignore_index=True)


def test_nearest_share():
    table = stations()
    assert exercises.nearest_share(0.5, table) == "Right: 50% of the events. Chance gives 17%."
    table = table[table.event < 15]  # 7 of 15
    for hint, answer in (("between 0 and 1", 46.7), ("by event", 0.25), ("smallest", 8 / 15)):
        with pytest.raises(hints.Hint, match=hint):
            exercises.nearest_share(answer, table)


def test_softmax_gap():
    assert exercises.softmax_gap(np.r_[3.2, np.zeros(39)]).startswith("Right: with 40 values")
    wrong = {"all alike": np.ones(40), "bring it down": np.r_[50.0, np.zeros(39)], "two values": [1.0]}
    for hint, z in (wrong | {"try more": np.r_[1.6, np.zeros(3)]}).items():
        with pytest.raises(hints.Hint, match=hint):
            exercises.softmax_gap(z)


def test_no_four_values_come_within_a_factor_of_two():
    """The chapter's model has four neighbours: the exercise asks how many values it takes."""
    z = np.zeros((4, 400))
    z[0] = np.linspace(0.01, 8, 400)
    weight = np.exp(z) / np.exp(z).sum(0)
    assert (z.max(0) - (weight * z).sum(0)).max() < np.log(4) / 2


def test_shuffled():
    torch.manual_seed(0)
    model = peers.build("dynamic", ModelConfig())
    assert exercises.shuffled(attention.shuffle_weights(model), model).startswith("Right")
    for hint, other in (("the trained weights", model), ("other weights", peers.build("dynamic", ModelConfig()))):
        with pytest.raises(hints.Hint, match=hint):
            exercises.shuffled(other, model)


def test_left_out():
    table = pd.DataFrame({"rollout": [0.1, 0.2, 0.3, 0.4], "leave_one_out_km": [1.0, 5.0, 4.0, 50.0]})
    tau = table.rollout.corr(table.leave_one_out_km, "kendall")
    assert exercises.left_out(round(tau, 2), table).startswith("Right")
    wrong = {
        "one number": table.corr("kendall"),
        "of the values": table.corr().iloc[0, 1],
        "sign": -tau,
        "station by": 0.11,
    }
    for hint, answer in wrong.items():
        with pytest.raises(hints.Hint, match=hint):
            exercises.left_out(answer, table)


# ------------------------------------------------------------------------------------------ chapter 6: events and texts


def test_own_words():
    classes = np.repeat(["tectonic", "volcanic"], [80, 20])
    found = np.repeat(["volcanic", "tectonic"], [6, 4])
    assert exercises.own_words(found, classes) == "6 of ten are right; by lot it would be 2.0."
    wrong = {"first ten": found[:5], "not classes": np.arange(10), "by lot": np.repeat(["tectonic"], 10)}
    for hint, answer in wrong.items():
        with pytest.raises(hints.Hint, match=hint):
            exercises.own_words(answer, classes)


def test_languages():
    english, spanish = np.array([0.1, 0.2, 0.3, 0.9]), np.array([0.2, 0.1, 0.3, 0.5])
    assert exercises.languages(2 / 3, english, spanish).startswith("Right: 0.67")
    wrong = {"of the scores": (np.corrcoef(english, spanish)[0, 1], spanish), "same": (1.0, english)}
    for hint, (tau, other) in (wrong | {"not the two": (0.1, spanish)}).items():
        with pytest.raises(hints.Hint, match=hint):
            exercises.languages(tau, english, other)


def test_withheld():
    margin, own = np.array([-0.1, 0.3, 0.2, -0.5, -0.6]), np.array([True, True, False, False, False])
    assert exercises.withheld(5 / 6, margin, own).startswith("Right: 0.83 for 2 events")
    wrong = {"wrong way": (1 / 6, margin, own), "share of right": (0.6, margin, own), "the chance": (0.4, margin, own)}
    wrong |= {"without a margin": (0.5, np.full(5, np.nan), own), "no event": (0.5, margin, own & False)}
    for hint, answer in wrong.items():
        with pytest.raises(hints.Hint, match=hint):
            exercises.withheld(*answer)


def test_cheats():
    names = ["before", "estimates", "text", "estimates and text"]
    right = pd.DataFrame({"none": [9.0, 8.0, 7.0, 6.0], "places": [9.0, 8.0, 8.8, 8.0]}, names)
    assert "0.75 of what it is, without places 1.00" in exercises.cheats(right)
    wrong = {"two columns": right[["none"]], "one row": pd.concat([right, right]), "keep the": right.iloc[:2]}
    wrong |= {"ratios": right / right.loc["estimates"], "do not read": right.assign(places=right.places + 1)}
    for hint, answer in wrong.items():
        with pytest.raises(hints.Hint, match=hint):
            exercises.cheats(answer)


# --------------------------------------------------------------------------------------------------- chapter 8: fields


@pytest.fixture(scope="module")
def reconstruction():
    """Two methods, one event of the twin, and which of its stations are observed."""
    train, test = parts()
    event = test.select([int(np.argmax(test.sizes))])
    methods = {"law": LawAlone().fit(train), "conditional normal": ConditionalNormal().fit(train)}
    return methods, event, hide(event, 0.5)


def test_far_away(reconstruction):
    methods, event, observed = reconstruction
    normal, far = methods["conditional normal"], event.epicentre + np.array([[2000.0, 0.0]])
    ratio = (
        normal.predict_at(event, observed, far).scale[0, 1]
        / normal.predict_at(event, observed & False, far).scale[0, 1]
    )
    assert exercises.far_away(ratio, normal, event, observed).startswith("Right")
    for hint, answer in (("one number", np.ones(5)), ("other way", 1 / ratio), ("2,000 km", 0.5)):
        with pytest.raises(hints.Hint, match=hint):
            exercises.far_away(answer, normal, event, observed)


def test_wrong_unit(reconstruction):
    methods, event, observed = reconstruction
    away, seen = np.flatnonzero(~observed), np.flatnonzero(observed)
    offset = event.pos[away][:, None] - event.pos[seen][None]
    i, j = np.unravel_index(np.hypot(*offset.transpose(2, 0, 1)).argmin(), (len(away), len(seen)))
    values = event.values.copy()
    values[seen[j]] += 1
    both = event, replace(event, values=values)
    right = {
        name: np.diff([method.predict(one, observed).mean[away[i], 1] for one in both])[0]
        for name, method in methods.items()
    }
    assert exercises.wrong_unit(right, *reconstruction).startswith("Right: law +0.00")
    for hint, answer in (("no entry", {"law": 0.0}), ("after minus", {**right, "law": 1.0})):
        with pytest.raises(hints.Hint, match=hint):
            exercises.wrong_unit(answer, *reconstruction)


def test_next_station(reconstruction):
    methods, event, _ = reconstruction
    near = field_structure.nearest(event, 12)
    view = field_structure.view(methods["conditional normal"], near, field_structure.grid(near, 60, 6))
    kept = np.arange(len(view.codes)) % 3 == 0
    means = {
        i: field_structure.conditioned(view, kept | (np.arange(len(kept)) == i))[1][:36].mean()
        for i in np.flatnonzero(~kept)
    }
    assert exercises.next_station(min(means, key=means.get), view, kept).startswith("Right")
    for hint, answer in (("is removed", 0), ("not the best", max(means, key=means.get))):
        with pytest.raises(hints.Hint, match=hint):
            exercises.next_station(answer, view, kept)


# ------------------------------------------------------------------------------------------------------ every exercise

NO_ANSWERS = (None, "four", float("nan"), [], {}, -1, 10**6)
"""What a learner may have in place of an answer: nothing yet, words, a number out of range."""


@pytest.fixture(scope="module")
def given(catalogue, network, trained, runs, reconstruction):
    """What each check takes beside the answer, which is its first argument."""
    locator, events, _ = trained
    methods, event, observed = reconstruction
    near = field_structure.nearest(event, 12)
    view = field_structure.view(methods["conditional normal"], near, field_structure.grid(near, 60, 6))
    scores, table = runs.query("arm == 'dynamic'").epicentral_km, stations()
    pairs = table.assign(leave_one_out_km=table.rollout[::-1].to_numpy())
    starts = [{"network": "near", "quantity": "epicentral_km", "start": s, "n_train": 25} for s in ("other", "random")]
    starts = pd.DataFrame([{**row, "estimate": estimates.Estimate(i, 0, 9)} for i, row in enumerate(starts)])
    bare = {"model": "robust", "network": "near", "informative": True, "floor_km": 1.0}
    trouble = pd.DataFrame([{**bare, "epicentral_km": estimates.Estimate(2.0, 1, 3)}])
    plain = pd.DataFrame({"statistic": "slope", "kind": ["real", "rendered"] * 3, "value": np.arange(6.0)})
    classes, scored = np.repeat(["tectonic", "volcanic"], [80, 20]), np.arange(4.0)
    return {
        "station_residuals": (catalogue, network),
        "b_values": (catalogue.events.source_magnitude,),
        "same_graph": (events, locator.model_),
        "moved": (prediction(0.0),),
        "warm_start": (SimpleNamespace(start_from=None, history_=[{"epicentral_km": 50.0}]),),
        "aggregations": (),
        "fewer_seeds": (runs,),
        "naive_interval": (1.0, scores, {"data": 0.1, "seed": 0.3, "residual": 0.6}),
        "enough_partitions": (variance_ratio.Design(1.0, 1.0, 5, 5, 50.0, 0.5),),
        "filtered": ([],),
        "two_faults": trained,
        "breaks": trained,
        "liars": (1.0, *trained),
        "tenth_of_the_weight": (),
        "two_clocks": (network,),
        "foreign_model": (starts,),
        "nearest_to_the_floor": (trouble,),
        "nearest_share": (table,),
        "softmax_gap": (),
        "shuffled": (locator.model_,),
        "left_out": (pairs,),
        "own_words": (classes,),
        "languages": (scored, np.array([2.0, 0.0, 3.0, 1.0])),
        "withheld": (np.array([0.1, 0.2, -0.3]), np.array([True, False, False])),
        "cheats": (),
        "says_where": (),
        "better_terms": (network, catalogue),
        "fewer_stations": (replace(network, stations=network.stations[::2]), catalogue),
        "far_away": (methods["conditional normal"], event, observed),
        "wrong_unit": reconstruction,
        "next_station": (view, np.arange(len(view.codes)) % 3 == 0),
        "what_kappa_takes": (),
        "plainest_statistic": (plain,),
        "closer": (np.array([1.0, 2.0, 3.0]), np.array([2.0, 1.0, 4.0])),
        "events_needed": (np.arange(1.0, 6.0),),
    }


CHECKS = {
    name: one
    for module in (exercises, robust_exercises)
    for name, one in inspect.getmembers(module, inspect.isfunction)
    if one.__module__ == module.__name__ and not name.startswith("_")
}


def test_there_is_a_wrong_answer_for_every_check(given):
    assert set(given) == set(CHECKS)


@pytest.mark.parametrize("answer", NO_ANSWERS, ids=repr)
def test_what_is_no_answer_gets_one_line_and_no_traceback(given, answer):
    for name, also in given.items():
        with pytest.raises(hints.Hint) as caught:
            CHECKS[name](answer, *also)
        (line,) = caught.value._render_traceback_()
        assert line.startswith("Not yet: "), name
        assert "\n" not in line, name


@pytest.mark.parametrize("index", [-1, 12, 99, 2.5, "three"])
def test_an_index_out_of_range_is_told_the_range(given, index):
    with pytest.raises(hints.Hint, match=r"between 0 and 11|whole number"):
        exercises.same_graph(index, *given["same_graph"])
    if index != 12 or len(given["next_station"][1]) <= 12:
        with pytest.raises(hints.Hint, match=r"between 0 and|whole number"):
            exercises.next_station(index, *given["next_station"])


def test_hints_do_not_send_a_learner_the_wrong_way(given):
    """Each of these answers got a hint once that was true of another mistake."""
    (pairs,) = given["left_out"]
    spearman = pairs[["rollout", "leave_one_out_km"]].corr("spearman").iloc[0, 1]
    english, spanish = np.array([0.1, 0.2, 0.3, 0.9, 0.4]), np.array([0.2, 0.1, 0.3, 0.5, 0.9])
    wrong = [
        ("several share", lambda: exercises.softmax_gap([0.0, -9.0, 0.0])),
        ("farther apart", lambda: exercises.softmax_gap(np.r_[0.1, np.zeros(39)])),
        ("Spearman", lambda: exercises.left_out(spearman, pairs)),
        ("Spearman", lambda: exercises.languages(spearmanr(english, spanish).statistic, english, spanish)),
        ("volcanic", lambda: exercises.own_words(["tectonic"] * 10, np.array(["tectonic"] * 50))),
        ("with a severity", lambda: exercises.breaks(perturbations.AddedNoise, *given["breaks"])),
        ("numbers that were tried", lambda: robust_exercises.foreign_model({"near": 60}, *given["foreign_model"])),
        ("text of the error", lambda: exercises.says_where(ValueError("network.yaml: x: y"))),
        ("above zero", lambda: exercises.aggregations({name: [-1.0, 2.0, 3.0] for name in ("max", "mean", "softmax")})),
    ]
    for hint, check in wrong:
        with pytest.raises(hints.Hint, match=hint):
            check()
