"""Statements of chapters 2, 4, 6, 7 and 9 that compare, each held against the record that it is about.

A test names the sentence that stands in the chapter. It fails if the record stops saying so, or if the sentence goes.
"""

import re
from functools import cache
from io import StringIO

import nbformat
import numpy as np
import pandas as pd
import pytest

from seisbook.book import notebooks
from seisbook.catalogues.networks import NETWORKS
from seisbook.findings import (
    ablations,
    alignment,
    alignment_tuned,
    augmentation,
    claims,
    comparison,
    iceland,
    imbalance,
    imbalance_robust,
    peers_robust_stem,
    robust,
    robustness,
    robustness_peers,
    smoothing,
    summaries,
    transfer,
    transfer_robust,
)
from seisbook.findings.breakdowns import breakdowns
from seisbook.measures import seismicity
from seisbook.measures.estimates import Estimate
from seisbook.models.names import PEERS
from seisbook.paths import BOOK, ROOT
from seisbook.studies import runner
from tests.book.prose import says

each_network = pytest.mark.parametrize("network", NETWORKS)
COLOMBIA, RIDGECREST = "colombia", "ridgecrest"
ROBUST = "09_robust_model"
SIGNIFICANT = 0.05


# ---------------------------------------------------------------------------------------------------------- the records


def overlap(one, other):
    return one.low <= other.high and other.low <= one.high


def holds_one(ratio):
    return ratio.low <= 1 <= ratio.high


read = cache(runner.read)
models = cache(comparison.load)
texts = cache(alignment.load)


@cache
def entry(network, model, split="random"):
    return next(
        one for one in models()["entries"] if (one["network"], one["model"], one["split"]) == (network, model, split)
    )


def paired(network, model, quantity="epicentral_km"):
    """The test of `dynamic` against another model on random folds: `mean` below zero says that `dynamic` is better."""
    wanted = network, "random", model, quantity
    return next(
        one for one in models()["tests"] if (one["network"], one["split"], one["model"], one["quantity"]) == wanted
    )


def behind(network, model, quantity="epicentral_km"):
    test = paired(network, model, quantity)
    return test["p"] < SIGNIFICANT and test["mean"] < 0


def level(network, model, quantity="epicentral_km"):
    return paired(network, model, quantity)["p"] > SIGNIFICANT


@cache
def experts(network):
    return seismicity.Summary.from_record(summaries.load("catalogues")[network]).expert_line


@cache
def growths(network):
    return robustness.tabulate(read("robustness", network)).set_index(["axis", "severity", "model"]).growth


def worst(network, axis, model="dynamic"):
    """Growth of the error at the severity of an axis that harms a model most."""
    return growths(network).loc[axis, :, model].max()


@cache
def rules(network):
    found = robust.rules(*(read(study, network) for study in ("robust", "robustness", "informative")))
    return found.set_index(["axis", "model"])


@cache
def arms(network):
    return robust.arms_under_trouble(read("robust", network)).set_index(["arm", "axis"]).ratio


@cache
def harmed(network):
    table = robust.harm(read("robust", network), read("robustness", network))
    return table[table.axis != "none"].set_index("axis")


@cache
def other_graph_parts(network):
    """Graph parts on the robust model's stem, without the robust model, the best first."""
    twin = read("peers-robust-stem", COLOMBIA, "simulated")
    found = peers_robust_stem.compare(read("peers-robust-stem", network), twin, robust.runs_of(network))
    return found[found.arm != peers_robust_stem.MAIN]


@cache
def peers():
    return pd.concat(
        robustness_peers.compare(read("robustness", name), read("robustness-peers", name)) for name in NETWORKS
    )


@cache
def smoothed(study, network):
    """The last block's states of each model of a study of smoothing, by graph, readout and number of blocks."""
    table = smoothing.tabulate(read(study, network))
    return table[(table.block == table.blocks) & (table.seed == 0)].set_index(["graph", "readout", "blocks"])


# ------------------------------------------------------------------------------------------------------------ chapter 2


@each_network
def test_most_edges_are_those_of_geography(network):
    says("02_model", "The graph does change, but most of it is geography")
    graphs = models()["networks"][network]["graphs"]
    assert max(graphs["new"]) < 0.5
    assert max(graphs["not_nearest"]) < 0.5


@each_network
def test_few_edges_are_new_and_about_as_few_lead_far(network):
    says("02_model", "few of their edges are new", "About as few lead to a station that is not among the four nearest")
    graphs = models()["networks"][network]["graphs"]
    assert max(graphs["new"]) < 0.15
    assert abs(max(graphs["new"]) - max(graphs["not_nearest"])) < 0.03


@each_network
def test_the_model_comes_below_the_experts_line(network):
    says("02_model", "comes below the experts' line", "Median errors lie below the experts' line on both networks")
    assert entry(network, "dynamic")["epicentral_km"]["ci"][1] < experts(network).epicentre_km.value


@each_network
def test_every_published_kind_is_behind_in_location(network):
    says("02_model", "Every published kind of network is behind as a whole system")
    assert all(behind(network, peer) for peer in PEERS)


def test_peers_size_events_nearly_as_well():
    says("02_model", "In magnitude the differences are small, and at Ridgecrest most of them could be chance")
    ours = {name: entry(name, "dynamic")["magnitude"]["rmse"] for name in NETWORKS}
    assert all(abs(entry(name, peer)["magnitude"]["rmse"] - ours[name]) < 0.05 for name in NETWORKS for peer in PEERS)
    assert np.mean([level(RIDGECREST, peer, "magnitude") for peer in PEERS]) > 0.5


def test_five_folds_show_no_benefit_of_the_dynamic_graph():
    says("02_model", "Five folds show no benefit from the dynamic graph", "with opposite signs")
    assert all(level(name, model) for name in NETWORKS for model in ("static", "last"))
    assert np.prod([paired(name, "static")["mean"] for name in NETWORKS]) < 0


def test_the_graph_in_feature_space_is_behind_at_ridgecrest_only():
    says("02_model", "graph in feature space alone is behind at Ridgecrest", "but not clearly in Colombia")
    assert behind(RIDGECREST, "feature")
    assert level(COLOMBIA, "feature")


def test_without_edges_only_depths_at_ridgecrest_are_worse():
    says("02_model", "The model without edges is level in location", "Only its depths at Ridgecrest are worse")
    assert all(level(name, "none") and level(name, "none", "magnitude") for name in NETWORKS)
    assert behind(RIDGECREST, "none", "depth_km")
    assert level(COLOMBIA, "none", "depth_km")


def test_classical_and_learned_are_level_at_ridgecrest():
    says("02_model", "cannot be told apart", "Our model's depths are better", "and its magnitudes slightly better")
    line = experts(RIDGECREST).epicentre_km.value
    assert level(RIDGECREST, "classical")
    assert all(entry(RIDGECREST, model)["epicentral_km"]["ci"][1] < line / 1.5 for model in ("dynamic", "classical"))
    assert behind(RIDGECREST, "classical", "depth_km")
    assert behind(RIDGECREST, "classical", "magnitude")


def test_the_classical_pipeline_is_ahead_in_colombia():
    says("02_model", "The classical pipeline is ahead where its own velocity model made the labels", "so it is ahead;")
    test = paired(COLOMBIA, "classical")
    assert test["p"] < SIGNIFICANT
    assert test["mean"] > 0


def test_magnitudes_at_ridgecrest_are_as_good_as_their_labels():
    says("02_model", "Magnitudes at Ridgecrest are as good as their labels", "where the labels are no better")
    label = experts(RIDGECREST).magnitude_sd.value / np.sqrt(2)
    low, high = entry(RIDGECREST, "dynamic")["magnitude"]["ci"]
    assert low < label < high


@each_network
def test_the_robust_model_is_ahead_on_one_stem(network):
    says("02_model", "On both networks the robust model is ahead of every other graph part on the same onsets")
    says(
        "02_model",
        "On one stem for all, the robust model, which knows travel times, is ahead of every other graph part",
    )
    assert set(other_graph_parts(network).verdict) == {"ahead"}
    assert len(other_graph_parts(network)) == 10


def test_the_best_and_the_worst_of_the_other_graph_parts():
    says("02_model", "are *deep sets* in Colombia and the *transformer* at Ridgecrest, both with feedback")
    says("02_model", "*Edges in feature space* have the largest errors on both networks")
    best, worst = ({name: other_graph_parts(name).arm.iloc[at] for name in NETWORKS} for at in (0, -1))
    assert best == {COLOMBIA: "deep sets with feedback", RIDGECREST: "transformer with feedback"}
    assert set(worst.values()) == {"edges in feature space"}


def test_our_stem_helps_published_kinds_in_colombia_and_not_at_ridgecrest():
    says("02_model", "In Colombia most of the five published kinds are more accurate on our stem than as whole systems")
    says("02_model", "At Ridgecrest most are less accurate on it. So is the paper's block on both networks.")
    share = {}
    for name in NETWORKS:
        table = other_graph_parts(name).set_index("arm").over_published.dropna()
        assert table[peers_robust_stem.PAPER].low > 1
        found = table.drop([peers_robust_stem.PAPER, *peers_robust_stem.SWITCHES], errors="ignore")
        assert len(found) == 5
        share[name] = (found.map(peers_robust_stem.ahead)).value_counts(normalize=True)
    assert share[COLOMBIA]["ahead"] > 0.5
    assert share[RIDGECREST]["behind"] > 0.5


def test_the_robust_model_loses_to_no_graph_part_under_trouble():
    says("02_model", "in all comparisons in Colombia and in nearly all at Ridgecrest. It loses none.")
    for name in NETWORKS:
        table = peers_robust_stem.growths(read("peers-robust-stem", name)).query("arm != @peers_robust_stem.MAIN")
        found = table.ours_over.map(peers_robust_stem.ahead)
        assert "behind" not in set(found)
        assert (found == "ahead").mean() > (0.999 if name == COLOMBIA else 0.95)


@each_network
def test_blocks_of_time_hardly_change_the_classical_error(network):
    says("02_model", "The error of the classical pipeline hardly changes", "price of not having seen the sequence")
    changes = {
        model: entry(network, model, "time")["epicentral_km"]["median"]
        / entry(network, model)["epicentral_km"]["median"]
        for model in ("classical", "dynamic")
    }
    assert abs(changes["classical"] - 1) < 0.03
    assert changes["dynamic"] > max(1, changes["classical"])


def test_the_worst_tenth_in_colombia():
    says("02_model", "off by more than ten kilometres with our model, and by more than twenty with each peer")
    assert entry(COLOMBIA, "dynamic")["epicentral_km"]["p90"] > 10
    assert all(entry(COLOMBIA, peer)["epicentral_km"]["p90"] > 20 for peer in PEERS)


def test_our_model_loses_most_at_the_edges():
    says("02_model", "where the azimuthal gap exceeds 180°", "There the classical pipeline loses less")
    strata = models()["networks"][COLOMBIA]["strata"]
    losses = {}
    for model, by in strata.items():
        gap, near, number = (
            [row["epicentral_km"] for row in by[name]] for name in ("azimuthal_gap", "nearest_station", "n_stations")
        )
        losses[model] = min(gap[2:]) / max(gap[:2]), near[-1] / max(near[:-1]), max(number[:2]) / max(number[3:])
    assert min(losses["dynamic"]) > 1
    assert all(ours > theirs for ours, theirs in zip(losses["dynamic"], losses["classical"], strict=True))


def test_errors_are_smaller_near_the_nest():
    says(
        "02_model", "Near the Bucaramanga nest, which stations surround, our model's errors are smaller than elsewhere"
    )
    cells = pd.DataFrame(models()["networks"][COLOMBIA]["maps"]["dynamic"])
    near = np.hypot(cells.latitude - 6.8, cells.longitude + 73.1) < 0.7
    assert cells[near].epicentral_km.max() < cells[~near].epicentral_km.median()


@each_network
@pytest.mark.parametrize("split", ["random", "time"])
def test_predicted_ellipses_are_too_small_and_stretched_ones_hold(network, split):
    says("02_model", "predicted ellipses are too small, stretched ones are close to it")
    record = models()["networks"][network]["calibration"][split]
    assert all(row["covered"] < row["level"] for row in record["coverage"] if row["quantity"] == "epicentre")
    assert all(abs(row["covered"] - row["level"]) < 0.02 for row in record["conformal"])


@each_network
@pytest.mark.parametrize("graph", ["dynamic", "static"])
def test_concatenation_keeps_stations_apart_at_sixteen_blocks(network, graph):
    says("02_model", "If it reads all blocks, the stations stay apart, by every measure, on either graph")
    deep = smoothed("smoothing", network).loc[graph, :, 16]
    for measure in ("mad", "effective_rank", "dirichlet_energy"):
        assert deep[f"{measure}_low"]["multiscale"] > deep[f"{measure}_high"]["last"]


@each_network
def test_no_arm_profits_from_sixteen_blocks(network):
    says("02_model", "*every* arm is worse with sixteen blocks than with two", "has two or four blocks")
    error = smoothed("smoothing", network).epicentral_km.unstack("blocks")
    assert (error[16] > error[2]).all()
    assert error.min().idxmin() in (2, 4)


def test_the_verdict_on_smoothing_is_inconclusive():
    says("02_model", "*inconclusive* on both graphs of both networks")
    for name in NETWORKS:
        found = smoothing.verdict(read("smoothing", name))
        assert set(found.verdict) == {"inconclusive"}
        assert ((found.low < 1) & (found.high > 1)).all()
        assert (found.mad_multiscale > found.mad_last).all()


def test_the_verdicts_on_smoothing_of_the_robust_model():
    says("02_model", "so the verdict is *inconclusive* again", "The errors of the two readouts cannot be told apart")
    says("02_model", "Neither half of the rule holds on either graph: *not supported*", "a few per cent larger")
    colombia, ridgecrest = (smoothing.verdict(read("smoothing-robust", name)) for name in (COLOMBIA, RIDGECREST))
    assert set(colombia.verdict) == {"inconclusive"}
    assert ((colombia.low < 1) & (colombia.high > 1)).all()
    assert (colombia.mad_multiscale > colombia.mad_last).all()
    assert set(ridgecrest.verdict) == {"not supported"}
    assert ((ridgecrest.low > 1) & (ridgecrest.error_ratio < 1.05)).all()
    assert (ridgecrest.mad_multiscale < ridgecrest.mad_last).all()


def test_the_states_of_the_robust_model_from_two_blocks_to_sixteen():
    says("02_model", "more alike after sixteen blocks than after two, with either readout")
    says("02_model", "the intervals of the errors at two blocks and at sixteen overlap")
    mad, high = (smoothed("smoothing-robust", COLOMBIA)[column].unstack("blocks") for column in ("mad", "mad_high"))
    assert (high[16] < mad[2]).loc["dynamic"].all()
    for name in (COLOMBIA, RIDGECREST):
        table = smoothed("smoothing-robust", name)
        low, high = (table[f"epicentral_km_{end}"].unstack("blocks") for end in ("low", "high"))
        assert ((low[2] < high[16]) & (low[16] < high[2])).all()


@each_network
def test_ablations_with_large_and_small_differences(network):
    says("02_model", "Some are large on both networks", "takes twice the time and gains a little")
    table = ablations.tabulate(read("ablations", network))
    error, seconds = table["epicentre (km)"], table["seconds"]
    whole = error["whole"] / error["whole", "whole recipe"]
    large = "no pre-training on the twin", "no onset loss after the twin", "no epochs of the graph part alone"
    assert (whole[[*large]] > 1.15).all()
    assert error["study", "study recipe"] > 1.15 * error["whole", "whole recipe"]
    assert 0.85 < whole["two renderings of each event"] < 1
    assert 1.8 < seconds["whole", "two renderings of each event"] / seconds["whole", "whole recipe"] < 2.2


def test_ablations_that_differ_between_the_networks():
    says("02_model", "it is a little worse in Colombia and as good at Ridgecrest", "two neighbours are the worst arm")
    errors = {name: ablations.tabulate(read("ablations", name))["epicentre (km)"] for name in NETWORKS}
    end_to_end = {name: table["whole", "no end-to-end epochs"] for name, table in errors.items()}
    over = {name: end_to_end[name] / table["whole", "whole recipe"] for name, table in errors.items()}
    assert 1.05 < over[COLOMBIA] < 1.15
    assert abs(over[RIDGECREST] - 1) < 0.03
    assert errors[RIDGECREST]["study"].idxmax() == "two neighbours"


@each_network
def test_the_make_of_the_graph_does_not_stand_out(network):
    says("02_model", "makes no difference that stands out", "The number of neighbours makes none in Colombia")
    error = ablations.tabulate(read("ablations", network))["epicentre (km)"]["study"]
    chosen = ["static graph", "feature-space graph", "no edges", "mean aggregation", "softmax aggregation"]
    if network == COLOMBIA:
        chosen += ["two neighbours", "eight neighbours"]
    assert (abs(error[chosen] / error["study recipe"] - 1) < 0.1).all()


# ------------------------------------------------------------------------------------------------------------ chapter 4


@each_network
def test_narrow_bands_break_the_model_in_the_worst_octave(network):
    says("04_robustness", "By the rule the model is not stable", "Around 2 and 4 Hz it grows much less")
    says("04_robustness", "In the worst octave, the lowest one, the error grows by large factors")
    found = robustness.stability(read("robustness", network), "dynamic", robustness.NARROW_BANDS)
    assert found["verdict"] == "not supported"
    octaves = growths(network).loc["band_pass", :, "dynamic"]
    assert octaves.idxmax() == octaves.index.min()
    assert octaves.max() > 3
    assert all(growths(network)["band_pass", band, "dynamic"] < 0.5 * found["value"] for band in (2.0, 4.0))


def test_the_picker_is_less_stable_in_all_octaves_but_one():
    says("04_robustness", "*more* stable than this picker, except at 16 Hz at Ridgecrest")
    says("04_robustness", "more stable than an automatic picker, except at 16 Hz at Ridgecrest")
    bands = {name: growths(name).loc["band_pass"].unstack() for name in NETWORKS}
    exceptions = {
        (name, band) for name, table in bands.items() for band in table[table.dynamic > table.classical].index
    }
    assert exceptions == {(RIDGECREST, 16.0)}


@each_network
def test_high_pass_filters_harm_little(network):
    says(
        "04_robustness",
        "A high-pass filter does much less harm",
        "Under high-pass filters neither of the two breaks down",
    )
    assert all(worst(network, "high_pass", model) < robustness.DOUBLED for model in ("dynamic", "classical"))
    assert worst(network, "high_pass") < 0.5 * worst(network, "low_pass")


def test_bands_that_hold_the_onset():
    says("04_robustness", "It is stable in most bands that hold the onset")
    found = []
    for name in NETWORKS:
        for severity in robust.informative(read("informative", name))["band_pass"]:
            found.append(growths(name)["band_pass", severity, "dynamic"] < robustness.DOUBLED)
    assert np.mean(found) > 0.5


@each_network
def test_joint_shifts_up_to_two_seconds_do_little(network):
    says("04_robustness", "Up to two seconds the error hardly changes")
    assert all(abs(growths(network)["joint_shift", shift, "dynamic"] - 1) < 0.1 for shift in (0.5, 1.0, 2.0))


@each_network
def test_clock_errors_cost_the_classical_pipeline_accuracy_too(network):
    says("04_robustness", "The classical pipeline loses accuracy as well")
    assert worst(network, "independent_shift", "classical") > 1.5


@each_network
def test_noise_is_tolerated_until_it_is_as_strong_as_the_signal(network):
    says("04_robustness", "The model tolerates noise until signal and noise are about equally strong")
    noise = growths(network).loc["added_noise"].unstack()
    assert noise.dynamic[5.0] < 1.5
    assert noise.dynamic[-5.0] > robustness.DOUBLED
    assert noise.classical[0.0] > 2 * noise.dynamic[0.0]


@each_network
@pytest.mark.parametrize("axis", ["nearest_dropout", "sector_dropout"])
def test_the_classical_pipeline_degrades_more_slowly_without_stations(network, axis):
    says(
        "04_robustness", "the *classical* pipeline degrades more slowly", "the classical pipeline degrades more slowly"
    )
    table = growths(network).loc[axis].unstack()
    assert (table.classical < table[["dynamic", "static"]].min(axis=1)).mean() > 0.75
    assert worst(network, axis, "classical") < worst(network, axis)


@each_network
def test_four_faults_of_one_station_harm_the_model(network):
    says("04_robustness", "Four faults do harm", "None of these harms the classical pipeline much")
    axes = robustness.GROUPS["one station that lies"]
    harmful = {axis for axis in axes if worst(network, axis) > robustness.DOUBLED}
    assert harmful == {"clipping", "spike", "dead_channel", "wrong_coordinates"}
    assert max(worst(network, axis, "classical") for axis in axes if axis != "wrong_coordinates") < 1.25


@each_network
def test_a_wrong_gain_changes_magnitudes_and_not_places(network):
    says("04_robustness", "A wrong gain hardly changes the location, but it does change the magnitude")
    table = robustness.tabulate(read("robustness", network)).query("axis == 'gain_error' and model == 'dynamic'")
    assert table.growth.max() < 1.25
    assert table.magnitude_growth.max() > robustness.DOUBLED


@each_network
def test_both_graphs_break_down_at_similar_severities(network):
    says("04_robustness", "The dynamic graph and the static graph break down at similar severities")
    table = robustness.breakdown(robustness.tabulate(read("robustness", network)))
    numbers = table[["dynamic", "static"]].apply(pd.to_numeric, errors="coerce").dropna()
    noise = numbers.index.str.contains("dB")
    ratio, difference = numbers.dynamic / numbers.static, numbers.dynamic - numbers.static
    assert len(numbers) > 6
    assert ratio[~noise].between(1 / 1.5, 1.5).all()
    assert (difference[noise].abs() < 2).all()


@each_network
def test_no_method_breaks_down_where_the_heat_map_says_so(network):
    (caption,) = (
        cell.metadata["mystnb"]["figure"]["caption"]
        for cell in notebooks.read(BOOK / "04_robustness.ipynb").cells
        if cell.metadata.get("mystnb", {}).get("figure", {}).get("name") == "fig-breakdown"
    )
    harmless = "a high-pass filter, wrong gains, reversed polarity or components out of place"
    assert f"No method breaks down under {harmless}." in caption
    found = breakdowns(robustness.tabulate(read("robustness", network)))
    rows = found[found.axis.isin(["high_pass", "gain_error", "polarity_flip", "swapped_components"])]
    assert len(rows) == 12
    assert (rows.share == 1).all()


def test_the_twin_ranks_the_harm_and_understates_it():
    says("04_robustness", "The twin knows the *order* of what harms", "The growths on the twin are a little smaller")
    says("04_robustness", "In Colombia three groups of four agree by the rule", "only for the faults of one station")
    agreeing = {}
    for name in NETWORKS:
        alike = robustness.against_twin(read("robustness", name), read("robustness", name, "simulated"))
        assert (alike.rank_correlation > 0.75).all()
        assert all(0.75 < ratio.value < 1 for ratio in alike.ratio)
        agreeing[name] = set(alike.index[alike.verdict == "agree"])
    assert agreeing[COLOMBIA] == set(robustness.GROUPS) - {"missing stations"}
    assert agreeing[RIDGECREST] == {"one station that lies"}


def test_matching_augmentation_helps_and_all_four_help_less():
    says("04_robustness", "wherever the perturbation had done much harm", "All four at once help less than each alone")
    for name in NETWORKS:
        table = augmentation.verdicts(read("augmentation", name)).set_index(["axis", "arm"])
        for axis in dict.fromkeys(table.index.get_level_values("axis")):
            matching, everything = table.loc[(axis, axis)], table.loc[axis].drop(axis).iloc[0]
            harmless = (name, axis) == (COLOMBIA, "independent_shift")
            assert matching.helps == ("inconclusive" if harmless else "supported")
            assert matching.found.value < everything.found.value


def test_the_price_of_augmentation():
    says("04_robustness", "These events show no cost of the other matching augmentations")
    says("04_robustness", "In Colombia these events show no cost.")
    paid = {
        (name, row.arm)
        for name in NETWORKS
        for row in augmentation.verdicts(read("augmentation", name)).itertuples()
        if row.costs == "yes"
    }
    assert paid == {(RIDGECREST, "independent_shift"), (RIDGECREST, "all")}


def test_our_model_is_not_more_robust_than_its_peers():
    says("04_robustness", "its errors grow by more than theirs in most comparisons", "mostly still the smaller ones")
    total = robustness_peers.counts(peers()).sum()
    assert total["less robust"] > 0.5 * total["peers"]
    assert total["more accurate"] > 0.5 * total["peers"]
    says("04_robustness", "comparisons, and more robust in few")
    assert total["more robust"] < 0.15 * total["peers"]


def test_where_peers_are_more_accurate():
    says("04_robustness", "The exceptions are some filters, and shifts and noise at Ridgecrest")
    rows = peers()[peers().accurate == "not supported"]
    assert set(zip(rows.network, rows.group, rows.peer, strict=True)) == {
        (RIDGECREST, "narrow bands", "transformer"),
        (RIDGECREST, "shifts and noise", "transformer"),
        (RIDGECREST, "shifts and noise", "dgcnn"),
        (COLOMBIA, "narrow bands", "dgcnn"),
    }


def test_the_gcn_has_the_largest_errors():
    says("04_robustness", "the GCN has the largest errors")
    assert all(max(PEERS, key=lambda peer: entry(name, peer)["epicentral_km"]["median"]) == "gcn" for name in NETWORKS)


def test_large_events_are_underestimated_in_colombia():
    says("04_robustness", "The fewer of them training has, the more it underestimates", "no remedy helps")
    table = imbalance.tabulate(read("imbalance", COLOMBIA)).query("remedy == 'none' and events == 'largest tenth'")
    bias = [row.bias.value for row in table.sort_values("kept", ascending=False).itertuples()]
    assert all(row.bias.high < 0 for row in table.itertuples())
    assert bias == sorted(bias, reverse=True)
    assert set(imbalance.helps(read("imbalance", RIDGECREST)).verdict).isdisjoint({"supported"})


def test_large_events_are_sized_as_well_as_others_at_ridgecrest():
    says("04_robustness", "At Ridgecrest the model sizes the largest tenth as well as all other events")
    table = imbalance.tabulate(read("imbalance", RIDGECREST)).query("remedy == 'none'").set_index(["kept", "events"])
    for kept in set(table.index.get_level_values("kept")):
        assert overlap(table.rmse[kept, "largest tenth"], table.rmse[kept, "others"])


def test_remedies_in_colombia_and_their_price():
    says(
        "04_robustness", "Both help, and both cost the smaller events something", "Neither network shows that transfer"
    )
    rows = imbalance.helps(read("imbalance", COLOMBIA)).set_index(["remedy", "kept"])
    for remedy in ("balanced", "reweighted"):
        assert rows.verdict[remedy, 0.1] == "supported"
        assert rows.others[remedy, 0.1].low > 1
    for name in NETWORKS:
        transferred = imbalance.helps(read("imbalance", name)).query("remedy == 'transferred'")
        assert set(transferred.verdict).isdisjoint({"supported"})


def test_real_seismograms():
    says(
        "04_robustness", "The paper's model does not work on real seismograms", "The robust model locates these events"
    )
    says("04_robustness", "An analyst's picks still give the best locations", "it does as well with counts of velocity")
    found = {name: Estimate(*row["epicentral_km"]).value for name, row in iceland.load()["methods"].items()}
    ours = found["robust model, displacement"]
    assert found["model, displacement"] > 3 * ours
    assert abs(found["robust model, counts of velocity"] / ours - 1) < 0.25
    assert ours < found["classical, own picks"]
    assert min(found, key=found.get) == "classical, the source's picks"


def test_depths_of_the_classical_pipeline_are_worse_on_real_seismograms():
    says("04_robustness", "and its depths are much worse, as the table shows")
    depths = {name: Estimate(*row["depth_km"]) for name, row in iceland.load()["methods"].items()}
    theirs = depths["classical, own picks"]
    assert all(theirs.low > depth.high for name, depth in depths.items() if name.startswith("robust model"))


# ------------------------------------------------------------------------------------------------------------ chapter 9


def test_travel_times_bring_the_gain_and_graphs_hardly_matter():
    says(ROBUST, "Which part brings the gain?", "*The graph* hardly matters here", "as accurate")
    says(ROBUST, "In Colombia the dynamic graph is a little better than a static one")
    assert all(arms(name)["no travel times", "none"].low > 1.5 for name in NETWORKS)
    assert all(1 < arms(COLOMBIA)[arm, "none"].low < 1.1 for arm in ("static graph", "no edges"))
    assert all(holds_one(arms(RIDGECREST)[arm, "none"]) for arm in ("static graph", "no edges"))
    assert all(holds_one(arms(name)["attention", "none"]) for name in NETWORKS)


@each_network
def test_trouble_in_training_costs_little_and_helps_in_narrow_bands(network):
    says(ROBUST, "*Trouble in training* costs little where nothing is wrong", "is worth most in narrow bands")
    says(ROBUST, "which cannot be told from the error with it.")
    ratios = arms(network)["no trouble in training"]
    assert holds_one(ratios["none"])
    assert max(ratios.index, key=lambda axis: ratios[axis].value) == "band_pass"
    assert ratios["band_pass"].low > 1.5
    assert all(holds_one(ratios[axis]) for axis in ("spike", "dead_channel"))


def test_arms_where_clocks_lie_at_ridgecrest():
    says(
        ROBUST,
        "*The dynamic graph* helps where clocks lie",
        "the arms without travel times are at least as accurate",
    )
    ratio = arms(RIDGECREST).xs("independent_shift", level="axis")
    assert all(ratio[arm].low > 1 for arm in ("static graph", "no edges"))
    assert holds_one(ratio["attention"])
    assert all(ratio[arm].value < 1 for arm in ("no travel times", "attention without travel times"))


@each_network
def test_the_robust_model_is_best_or_level_at_informative_severities(network):
    says(ROBUST, "the most accurate one at all informative severities, or level with the best")
    says(ROBUST, "and it stays near the floor")
    table = robust.under_trouble(*(read(study, network) for study in ("robust", "robustness", "informative")))
    for _, rows in table[table.informative].groupby(["axis", "severity"]):
        error = rows.set_index("model").epicentral_km
        best = min(error, key=lambda one: one.value)
        assert error["robust"] == best or overlap(error["robust"], best)
    assert (rules(network).over_floor.xs("robust", level="model") < 1.2).all()


@each_network
def test_growth_of_the_robust_model_at_informative_severities(network):
    says(ROBUST, "Joint shifts hardly change its error", "cannot be shown for either model in octave bands")
    says(ROBUST, "The robust model loses more because it has more to lose")
    found = rules(network)
    assert found.growth["joint_shift", "robust"].value < 1.15
    assert found.growth["independent_shift", "robust"].value > found.growth["independent_shift", "dynamic"].value
    assert all(found.paper["band_pass", model] != "supported" for model in ("robust", "dynamic"))


def test_what_harms_the_robust_model_most():
    says(ROBUST, "Spikes do nothing to the robust model")
    says(ROBUST, "In Colombia a loss of the stations that determine the epicentre harms it most")
    says(ROBUST, "At Ridgecrest clock errors of a second harm it most")
    assert all(abs(harmed(name).robust["spike"].value - 1) < 0.05 for name in NETWORKS)
    most = {name: max(harmed(name).index, key=lambda axis: harmed(name).robust[axis].value) for name in NETWORKS}
    assert most == {COLOMBIA: "sector_dropout", RIDGECREST: "independent_shift"}
    assert harmed(RIDGECREST).severity["independent_shift"] == 1.0


def test_the_robust_model_and_rare_large_events():
    says(ROBUST, "and C7 is *supported*", "At Ridgecrest C7 stays *inconclusive*", "the remedy helps nowhere")
    says(ROBUST, "At Ridgecrest it shows no gain", "In Colombia there is hardly a bias", "The bias is close to zero.")
    verdicts = {name: imbalance.verdict(read("imbalance-robust", name), claims.MAGNITUDE_RMSE) for name in NETWORKS}
    assert verdicts[COLOMBIA]["verdict"] == "supported"
    assert verdicts[RIDGECREST]["verdict"] == "inconclusive"
    for name in NETWORKS:
        found = imbalance.tabulate(read("imbalance-robust", name)).query(
            "events == 'largest tenth' and remedy == 'none'"
        )
        assert all(abs(bias.value) < 0.03 if name == COLOMBIA else bias.low > 0 for bias in found.bias)
        helps = imbalance.helps(read("imbalance-robust", name))
        assert set(helps.verdict).isdisjoint({"supported"})
        if name == COLOMBIA:
            assert helps.set_index("kept").verdict[0.2] == "not supported"
    against = {n: imbalance_robust.against(read("imbalance-robust", n), read("imbalance", n)) for n in NETWORKS}
    ratios = {n: table.query("events == 'largest tenth'").ratio for n, table in against.items()}
    assert all(ratio.high < 1 for ratio in ratios[COLOMBIA])
    assert all(ratio.high > 1 for ratio in ratios[RIDGECREST])


@each_network
def test_the_twin_is_the_better_start(network):
    says(ROBUST, "**The twin is the better start** in both networks", "show no gain** in location")
    better, pays = (transfer.verdicts(read("transfer", network)).verdict[i] for i in (1, 2))
    assert better == "supported"
    assert pays != "supported"


def test_transfer_helps_in_one_direction():
    says(ROBUST, "**Transfer helps in one direction.**", "helps where it has seen more variety")
    found = {name: transfer.verdicts(read("transfer", name)).verdict[0] for name in NETWORKS}
    assert found[RIDGECREST] == "supported"
    assert found[COLOMBIA] != "supported"


@each_network
def test_the_twin_without_events_beats_other_starts_with_two_hundred(network):
    says(ROBUST, "Without any real event the twin's model is already better than random weights or the other")
    says(ROBUST, "With twenty-five the error is even larger", "All of the training events together do help")
    table = transfer.tabulate(read("transfer", network)).query("quantity == 'epicentral_km'")
    error = table.set_index(["start", "n_train"]).estimate
    twin = error["twin"][0].value
    assert twin < min(error[start][200].value for start in ("random", "other"))
    assert error["twin"][25].value > twin
    assert error["twin"][error["twin"].index.isna()].iloc[0].value < twin


def rules_of_transfer(network):
    """The five verdicts of the robust model, by their names in the prose."""
    found = transfer_robust.verdicts(read("transfer-robust", network), read("transfer", network))
    return dict(zip(transfer_robust.RULES, found.itertuples(), strict=True))


def errors_by_start(study, network, quantity="epicentral_km"):
    """Errors by start and number of events, -1 for all of them."""
    table = transfer.tabulate(read(study, network)).query("quantity == @quantity").fillna({"n_train": -1})
    return {(row.start, int(row.n_train)): row.estimate for row in table.itertuples()}


def test_physics_transfers_and_the_first_model_is_not_good():
    says(ROBUST, "**Physics transfers.**", "**The first model is not good by the rule.**")
    says(ROBUST, "in Colombia, which is *inconclusive*", "at Ridgecrest, which is *not supported*")
    found = {name: rules_of_transfer(name) for name in NETWORKS}
    assert all(rules["physics"].verdict == "supported" for rules in found.values())
    assert found[COLOMBIA]["good"].verdict == "inconclusive"
    assert found[RIDGECREST]["good"].verdict == "not supported"
    assert found[COLOMBIA]["good"].found.value > 2


@each_network
def test_random_weights_need_training_and_magnitudes_need_events(network):
    says(
        ROBUST, "Physics alone is not enough", "Its magnitudes are off by more", "Twenty-five events mend most of that"
    )
    errors = errors_by_start("transfer-robust", network)
    assert errors["random", 0].low > 2 * errors["other", 0].high
    sizes = errors_by_start("transfer-robust", network, "magnitude")
    first, later, last = sizes["other", 0].value, sizes["other", 25].value, sizes["twin", -1].value
    assert first / last > 2
    assert later - last < 0.5 * (first - last)


def test_the_robust_model_transfers_in_both_directions():
    says(ROBUST, "**Transfer helps in both directions**", "is the better start in Colombia")
    says(
        ROBUST, "At Ridgecrest no difference can be seen", "bring a gain at Ridgecrest", "In Colombia these events show"
    )
    found = {name: rules_of_transfer(name) for name in NETWORKS}
    verdicts = {
        rule: [found[name][rule].verdict for name in (COLOMBIA, RIDGECREST)] for rule in ("helps", "twin", "pay")
    }
    assert verdicts["helps"] == ["supported", "supported"]
    assert verdicts["twin"] == ["supported", "inconclusive"]
    assert verdicts["pay"] == ["inconclusive", "supported"]
    errors = errors_by_start("transfer-robust", COLOMBIA)
    assert min(errors["twin", n].value for n in (25, 50)) > errors["twin", 0].value


@each_network
def test_the_robust_model_is_ahead_with_events_and_not_always_without(network):
    says(ROBUST, "With real events in training the robust model has the smaller error from every start.")
    says(ROBUST, "Without any, the paper's model of Ridgecrest's own twin is ahead there.")
    ours, theirs = (errors_by_start(study, network) for study in ("transfer-robust", "transfer"))
    assert all(ours[arm].value < theirs[arm].value for arm in ours if arm in theirs and arm[1] != 0)
    assert (ours["twin", 0].low > theirs["twin", 0].high) == (network == RIDGECREST)


# ------------------------------------------------------------------------------------------------------------ chapter 6

each_corpus = pytest.mark.parametrize("name", [f"{network}-{source}" for network, source in alignment.CORPORA])


def measured(name, what, arm):
    rows, value = {"recall": ("retrieval", "at5"), "zero": ("zero_shot", "accuracy")}[what]
    return alignment.find(texts()["corpora"][name][rows], alignment.QUOTED[arm], value)


@each_corpus
def test_retrieval_beats_its_controls(name):
    says(
        "06_text_alignment", "With texts in full, retrieval and zero-shot classification of unseen *events* beat every"
    )
    ours = measured(name, "recall", "full")
    assert all(ours.low > measured(name, "recall", control).high for control in ("popularity", "shuffled"))


def test_the_twin_repeats_hardly_any_report():
    says("06_text_alignment", "There the share is smaller, but many times that of either control")
    ours = measured("colombia-simulated", "recall", "full")
    assert ours.high < measured("colombia-bulletin", "recall", "full").low
    controls = (measured("colombia-simulated", "recall", control) for control in ("popularity", "shuffled"))
    assert all(ours.low > 5 * control.high for control in controls)


def test_prompts_are_further_ahead_of_the_metadata_on_the_twin():
    says("06_text_alignment", "On the twin the difference is larger still.")
    real, twin = (
        np.subtract(*(measured(f"colombia-{source}", "zero", arm).value for arm in ("full", "metadata")))
        for source in ("bulletin", "simulated")
    )
    assert twin > real + 0.05


@each_corpus
def test_classification_beats_its_controls_and_not_the_supervised(name):
    says(
        "06_text_alignment", "They classify better than metadata or shuffled texts do, but not as well as a classifier"
    )
    ours = measured(name, "zero", "full")
    if ours is None:
        assert len(texts()["corpora"][name]["classes"]) == 1  # nothing to tell apart
        return
    assert all(ours.low > measured(name, "zero", control).high for control in ("metadata", "shuffled", "majority"))
    assert ours.high < measured(name, "zero", "supervised").low


@each_corpus
def test_four_estimates_retrieve_as_well_as_the_embedding(name):
    says("06_text_alignment", "Four estimates do as well as the embedding")
    assert measured(name, "recall", "estimates").high >= measured(name, "recall", "full").low
    assert measured(name, "recall", "estimates").high >= measured(name, "recall", "embedding").low


@each_corpus
def test_words_without_meaning_retrieve_about_as_well(name):
    says("06_text_alignment", "retrieve about as well as the encoder's", "words without meaning about as well as words")
    ours, theirs = (measured(name, "recall", arm) for arm in ("full", "random-words"))
    assert overlap(ours, theirs) or theirs.value > ours.value


@each_corpus
def test_an_untrained_model_reaches_more_than_half(name):
    says("06_text_alignment", "an untrained model reaches more than half of the accuracy")
    ours = measured(name, "zero", "full")
    assert ours is None or measured(name, "zero", "untrained").value > 0.5 * ours.value


def test_an_untrained_model_does_as_well_on_the_twin_of_ridgecrest():
    says("06_text_alignment", "on Colombia's twin, and as much as the trained one on Ridgecrest's")
    assert overlap(*(measured("ridgecrest-simulated", "zero", arm) for arm in ("full", "untrained")))
    assert not overlap(*(measured("colombia-simulated", "zero", arm) for arm in ("full", "untrained")))


def test_a_region_that_was_never_seen_is_hardly_found():
    says("06_text_alignment", "A region whose texts were never seen is hardly found")
    assert measured("colombia-simulated", "recall", "region").value < 0.1


def test_observed_texts_without_places_say_almost_nothing():
    says("06_text_alignment", "close to the {glue:text}`colombia-bulletin-zero-majority` of a majority vote")
    says("06_text_alignment", "leave so few to choose from that the first five hold them all")
    left, majority = (measured("colombia-bulletin", "zero", arm) for arm in ("places", "majority"))
    assert abs(left.value - majority.value) < 0.05
    assert measured("colombia-bulletin", "recall", "places").value > 0.99


def test_withheld_classes_are_found_by_names():
    says("06_text_alignment", "a class whose texts were never seen is still found", "Volcanic ones are not")
    area = {
        (name, row["masking"], row["class"]): Estimate(*row["auc"])
        for name, corpus in texts()["corpora"].items()
        for row in corpus["withheld"]
        if row["arm"] == "aligned"
    }
    assert area["colombia-bulletin", "none", None].low > 0.8
    assert area["colombia-bulletin", "places", None].high < 0.55
    assert area["colombia-simulated", "none", "offshore"].low > 0.8
    assert area["colombia-simulated", "none", "volcanic"].high < 0.5
    says("06_text_alignment", "On the twin the mean is lower, and classes differ more")
    real, twin = f"{COLOMBIA}-bulletin", f"{COLOMBIA}-simulated"
    assert area[twin, "none", None].high < area[real, "none", None].low
    spread = {
        name: [one.value for key, one in area.items() if key[:2] == (name, "none") and key[2]] for name in (real, twin)
    }
    assert np.ptp(spread[twin]) > np.ptp(spread[real])


def test_few_reports_harm_most_where_texts_differ():
    says("06_text_alignment", "With few reports retrieval suffers, most where reports are all different")
    says("06_text_alignment", "Pseudo-pairs by optimal transport do not help")
    differ, lost = [], []
    for corpus in texts()["corpora"].values():
        few, pseudo = (
            alignment.find(corpus["retrieval"], {"paired": 0.1, "transport": transport}, "at5")
            for transport in (False, True)
        )
        every = alignment.find(corpus["retrieval"], {}, "at5")
        assert few.high < every.low
        assert pseudo.low <= few.high
        differ.append(corpus["n_texts"]["none"] / corpus["n_events"])
        lost.append(1 - few.value / every.value)
    assert np.array_equal(np.argsort(differ), np.argsort(lost))


@each_corpus
def test_centring_closes_most_of_the_gap_and_helps_nothing(name):
    says("06_text_alignment", "Subtracting each modality's mean closes most of that gap", "slightly worse")
    rows = texts()["corpora"][name]["retrieval"]
    row = next(row for row in rows if all(row[key] == alignment.MAIN[key] for key in alignment.MAIN))
    before, after = row["gap"]
    assert after < 0.5 * before
    assert 0.85 * row["at5"][0] < row["centred"][0] < row["at5"][0]


def test_fine_tuning_helps_what_it_trains_for():
    says("06_text_alignment", "In Colombia fine-tuning helps what it trains for, and harms what it does not")
    says("06_text_alignment", "At Ridgecrest these events show no gain")
    found = {n: alignment_tuned.gains(read("alignment", n), read("alignment-tuned", n)) for n in NETWORKS}
    verdicts = found[COLOMBIA].groupby("question").verdict.unique()
    assert list(verdicts["retrieval"]) == ["supported"]
    assert list(verdicts["zero-shot"]) == ["not supported"]
    assert set(found[RIDGECREST].verdict) == {"inconclusive"}


@each_corpus
def test_text_corrects_next_to_nothing(name):
    says("06_text_alignment", "Text lowers no error by more than a few per cent, whether it names places or not")
    corpus = texts()["corpora"][name]
    for masking in alignment.MASKED:
        for quantity in alignment.QUANTITIES:
            assert alignment.correction(corpus, masking, alignment.FULL, quantity)["ratio"][0] > 0.95


def test_real_depths_have_little_bias_but_offshore():
    says("06_text_alignment", "Only the offshore events have a larger one")
    corpus = texts()["corpora"]["colombia-bulletin"]
    bias = alignment.correction(corpus, "none", alignment.BEFORE, "depth")["bias"]
    sizes = {kind: abs(value[0]) for kind, value in bias.items()}
    assert max(sizes, key=sizes.get) == "offshore"
    assert all(size < 1 for kind, size in sizes.items() if kind != "offshore")


# ------------------------------------------------------------------------------------------------------------ chapter 7


@cache
def printed(chapter, cell_id):
    """The table that a cell printed when the chapter was published: the first number of each cell."""
    cells = nbformat.read(ROOT / "book" / f"{chapter}.ipynb", as_version=4).cells
    cell = next(cell for cell in cells if cell.id == cell_id)
    table = pd.read_html(StringIO(cell.outputs[0].data["text/html"]), index_col=0)[0]
    return table.map(lambda value: float(re.match(r"-?[\d.]+", str(value))[0]))


def test_starts_of_a_training_on_a_network_of_ones_own():
    says("07_your_network", "the two trained starts leave smaller errors than random weights", "has the smallest error")
    says("07_your_network", "already useful for the epicentre. In depth and magnitude it is wrong")
    table = printed("07_your_network", "your-network-25")
    error, own = table["epicentre (km)"], ", then one's own events"
    random, moved = f"random weights{own}", "another network's model, as it is"
    assert error[[f"another network's model{own}", f"the twin's model{own}"]].max() < 0.7 * error[random]
    assert error.idxmin() == "classical pipeline"
    assert error[moved] < error[random]
    assert table["depth (km)"].idxmax() == table["magnitude RMSE"].idxmax() == moved


def test_medians_of_residuals_order_the_stations():
    says("07_your_network", "The medians order the stations of the atoll nearly as the truth does")
    correlations = printed("07_your_network", "your-network-18")["correlation with the truth"]
    assert len(correlations) == 3
    assert correlations.min() > 0.9
