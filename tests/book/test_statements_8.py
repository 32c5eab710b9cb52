"""What chapter 8 says in its own words, held against the records of the fields study."""

import pytest

from seisbook.findings import (
    claims,
    felt,
    fields,
    fields_attention,
    fields_depth,
    fields_gaussian,
    fields_imbalance,
    fields_inversion,
    fields_learning,
    fields_targets,
    fields_together,
    fields_trouble,
    fields_trouble_graphs,
    fields_variance,
)
from tests.book.prose import says

REGIONS = [name for name in fields.REGIONS if fields.published(name)]


@pytest.fixture(scope="module", params=REGIONS)
def table(request):
    return fields.table(fields.published(request.param))


def test_the_correction_gains_most_without_the_source(table):
    says("08_fields", "The correction gains most where the source is not known.")
    ratio = table.xs("dynamic", level="method").ratio
    assert ratio.idxmin() == "no source"
    assert table.loc[("no source", "dynamic"), "high"] < table.loc[("all", "dynamic"), "low"]
    says("08_fields", "With the source known, the gain is less than two per cent in both regions.")
    assert ratio[["all", "no site terms"]].between(0.98, 1).all()


def test_the_gain_does_not_come_from_the_edges(table):
    says("08_fields", "A static graph, and a model without edges, do as well as the dynamic graph")
    says("08_fields", "what the correction gains does not come from the edges")
    assert table.loc[("all", "none"), "high"] < 1
    ratio = table.ratio.unstack("method")
    assert ratio[["static", "none"]].sub(ratio.dynamic, axis=0).abs().max(axis=None) < 0.005


@pytest.mark.parametrize("region", REGIONS)
def test_the_gaussian_process_predicts_nearly_the_same(region):
    says("08_fields", "The Gaussian process lies near it, too.")
    says("08_fields", "give nearly the same predictions, and the correlation between measures adds little")
    rows = fields.table(fields_gaussian.published(region)).xs(fields_gaussian.METHOD, level="method")
    assert list(rows.index) == list(fields.TOLD)
    says("08_fields", "All ratios of the Gaussian process are within two per cent of one.")
    assert rows.ratio.between(0.98, 1.02).all()
    says("08_fields", "is *supported* in both regions, with each kind of information")
    assert set(rows.verdict) == {"supported"}


def test_a_graph_alone_is_behind_with_full_information(table):
    says("08_fields", "Alone, without the conditional normal, the dynamic graph has a larger error")
    assert table.loc[("all", "alone"), "low"] > 1


def test_without_the_source_every_network_alone_is_ahead_in_greece():
    says("08_fields", "each of them is ahead of the conditional normal there")
    alone = ["alone", "attention", "convolution"]
    found = fields.table(fields.published("greece")).xs("no source", level="information").loc[alone]
    assert (found.high < 1).all()
    says("08_fields", "In Italy their intervals include one.")
    found = fields.table(fields.published("italy")).xs("no source", level="information").loc[alone]
    assert ((found.low < 1) & (found.high > 1)).all()


def test_terms_of_stations_are_worth_more_than_a_correction(table):
    says("08_fields", "are worth more than any correction by a graph")
    without, with_terms = (table.loc[(told, fields.PEER), "rmse"] for told in ("no site terms", "all"))
    assert with_terms < table.xs("no site terms", level="information").rmse.min()
    assert with_terms / without < table.xs(fields.MAIN, level="method").ratio[["all", "no site terms"]].min()
    says("08_fields", "Without the stations' terms the factor is larger.")
    assert without > with_terms


def test_intervals_of_both_methods_hold_nearly_the_same_share(table):
    says("08_fields", "those of the conditional normal hold nearly the same share")
    assert abs(table.covered["all", fields.MAIN] - table.covered["all", fields.PEER]) < 0.005


@pytest.mark.parametrize("region", REGIONS)
def test_new_stations_learn_little_from_stations_elsewhere(region):
    records = fields.published(region, fields_learning.STUDY)
    found = fields_learning.judged(records)
    says("08_fields", "half of the network does no better than a quarter of it: the curve is *level* in both regions")
    assert found.word["stations", "level"] == "level"
    assert found.value["stations", "level"] < 1
    says("08_fields", "the last step of the right curves is the largest")
    steps = fields_learning.table(records).loc["stations"].rmse.unstack().sort_index().diff().dropna()
    assert (steps.loc[1.0] < steps.drop(1.0).min()).all()
    says(
        "08_fields", "the two errors differ by less than one per cent, and the word is *supported* in both regions, too"
    )
    assert abs(found.value["stations", "ratio"] - 1) < 0.01
    assert found.word["stations", "ratio"] == "supported"


@pytest.mark.parametrize("region", REGIONS)
def test_a_network_beats_the_grid_search_in_magnitude_and_edges_do_not_matter(region):
    found = fields_inversion.comparisons(fields.published(region, "fields-inversion"))
    says(
        "08_fields", "The magnitude error is smaller in both regions, by more than a quarter, and that is *supported*."
    )
    assert found.magnitude["dynamic", "grid"] < 0.75
    assert found.magnitude_verdict["dynamic", "grid"] == "supported"
    says("08_fields", "The comparison with the static graph is *inconclusive* in both regions, too.")
    assert set(found.epicentral_km_verdict.loc[[("dynamic", "none"), ("dynamic", "static")]]) == {"inconclusive"}


def test_graphs_are_robust_to_sensors_that_lie_and_help_nowhere():
    says("08_fields", "All three models are robust, because the conditional normal that they correct is.")
    says("08_fields", "None of them helps")
    region = fields_trouble_graphs.REGION
    studies = (fields_trouble_graphs.STUDY, "fields-trouble")
    found = fields_trouble_graphs.table(fields_trouble_graphs.joined(*(fields.published(region, s) for s in studies)))
    assert set(found.word) == {"", "robust"}
    assert set(found.verdict) == {"", "inconclusive"}


# ----------------------------------------------------------------------------------------------------- what people felt

FELT = [name for name in fields.REGIONS if fields.published(name, "felt")]


@pytest.fixture(scope="module", params=FELT)
def reported(request):
    return fields.published(request.param, "felt")


@pytest.fixture(scope="module")
def ratios(reported):
    return felt.table(reported).ratio


def test_reports_gain_most_without_a_source_and_with_few_stations(ratios):
    says("08_fields", "It is worth most where the source is unknown and stations are few")
    refitted = ratios.xs("refitted", level="arm").unstack("stations")
    assert (refitted.loc["no source"] <= refitted.drop("no source").min()).all()
    assert (refitted[["0", "1"]].max(axis=1) < refitted["70 %"]).all()
    says(
        "08_fields",
        "With 70 % of the stations, they change little.",
        "With most of the stations, reports hardly matter",
    )
    assert ((refitted["70 %"] - 1).abs() < 0.05).all()


def test_a_part_of_the_gain_comes_from_the_places_of_cells(ratios):
    says("08_fields", "a part of this comes from the places of the cells alone")
    assert ratios[("no source", "1", "refitted")] < ratios[("no source", "1", "expected")] < 1
    says("08_fields", "with the mean intensity in each cell, the error falls to about half")
    assert ratios[("no source", "1", "expected")] == pytest.approx(0.5, abs=0.05)


def test_with_the_source_known_only_the_refitted_equation_gains(reported):
    found = felt.table(reported).sort_index().loc["source", "1"]
    says("08_fields", "reports gain a little with the refitted equation")
    assert 0.95 < found.ratio["refitted"] < found.high["refitted"] < 1
    says("08_fields", "With the published equation there is no gain")
    assert found.ratio["published"] > 1
    assert found.verdict["published"] != "supported"


def test_people_report_more_than_the_published_equation_gives_at_small_velocities(reported):
    says("08_fields", "At small velocities most cells lie above the dashed line.")
    pairs = felt.pairs(reported)
    assert (pairs.published[pairs.velocity < -1] > 0).mean() > 0.5


def test_the_region_needs_its_own_equation(reported):
    says("08_fields", "it needs an equation that fits the region")
    found = felt.equations(reported).verdict
    assert (found["published"], found["refitted"]) == ("biased", "unbiased")
    says("08_fields", "the interval of the mean includes zero in both regions (*unbiased*), and the scatter is smaller")
    equations = felt.equations(reported)
    assert equations.bias_low["refitted"] < 0 < equations.bias_high["refitted"]
    assert equations.scatter["refitted"] < equations.scatter["published"]
    says("08_fields", "With the published one, the error grows in both regions (*not supported*).")
    errors = felt.sources(reported)
    told = "source", "event_term", "1"
    assert errors.loc[(*told, "published"), "low"] > 1 > errors.loc[(*told, "refitted"), "high"]
    assert errors.loc[(*told, "published"), "verdict"] == "not supported"


def test_magnitude_and_epicentre_without_a_source(reported):
    errors = felt.sources(reported).loc["no source"]
    says("08_fields", "With the published one, the result is *inconclusive* in both regions.")
    assert errors.loc[("magnitude", "1", "published"), "verdict"] == "inconclusive"
    says("08_fields", "in the same cells, the interval includes one in both regions")
    shuffled = errors.loc[("epicentral_km", "3", "shuffled")]
    assert shuffled.low < 1 < shuffled.high


# ---------------------------------------------------------------------------------------------------- sensors that lie

LYING = [name for name in fields.REGIONS if fields.published(name, "fields-trouble")]


@pytest.fixture(scope="module", params=LYING)
def lying(request):
    return fields.published(request.param, "fields-trouble")


def test_the_events_term_grows_and_the_conditional_normal_hardly_does(lying):
    says("08_fields", "The event's term grows with wrong values, and the conditional normal hardly does.")
    found = fields_trouble.table(lying)
    kinds = ["unit", "dead"]
    assert (found.loc["event term"].word[kinds] == "not robust").all()
    peer = found.loc[fields_trouble.PEER].drop(fields_trouble.CLEAN)
    says("08_fields", "The conditional normal is *robust* to all three faults in both regions")
    assert (peer.word == "robust").all()
    says("08_fields", "its error grows by less than two per cent. A misplaced station costs it most")
    assert peer.growth.max() < 1.02
    assert peer.growth.idxmax() == "misplaced"


def test_the_second_screen_does_not_pay(lying):
    says("08_fields", "The second screen does not pay.")
    found = fields_trouble.screens(lying)
    says("08_fields", "With each fault its error is a little larger than that of the conditional normal")
    assert found.ratio.between(1, 1.02).all()
    says("08_fields", "no gain is *supported*")
    assert "supported" not in set(found.verdict)
    says("08_fields", "Without any fault, it costs")
    assert found.loc[fields_trouble.CLEAN, "low"] > 1


# ----------------------------------------------------------------------------------------------- claims, on real fields


def test_states_lose_directions_with_depth_and_errors_do_not_fall():
    says("08_fields", "The effective rank falls with depth, and the error does not.")
    says("08_fields", "Over-smoothing is real in one measure.")
    says("08_fields", "none of the four models has a smaller error with sixteen blocks than with one")
    found = fields_depth.table(fields.published(fields_depth.REGION, fields_depth.STUDY))
    for arm in fields_depth.ARMS:
        one = found.loc[arm].sort_index()
        assert one.effective_rank_high.iloc[-1] < one.effective_rank_low.iloc[0]
        assert one.rmse.iloc[-1] > one.rmse.iloc[0]


@pytest.mark.parametrize("region", fields.REGIONS)
def test_a_graph_listens_to_stations_that_tell_no_more_than_others(region):
    says("08_fields", "Stations that the graph listens to tell no more than stations drawn at random.")
    records = fields.published(region, fields_attention.STUDY)
    assert "supported" not in {row["verdict"] for row in fields_attention.judged(records)}
    found = fields_attention.table(records)
    says("08_fields", "The nearest stations to the epicentre tell least")
    assert found.efficiency.map(lambda one: one.value).idxmin() == "nearest"
    says("08_fields", "For the influence it is *inconclusive* in both regions, too.")
    verdicts = {row["order"]: row["verdict"] for row in fields_attention.judged(records)}
    assert set(verdicts.values()) == {"inconclusive"}
    says("08_fields", "The right panel shows what this costs.")
    says("08_fields", "With the largest messages the error is larger than at random in both regions, too.")
    assert all(found.random[order].low > 1 for order in fields_attention.MEASURES)


def test_the_law_needs_large_events_and_the_correction_costs_without_them():
    found = fields_imbalance.table(fields.published(fields_imbalance.REGION, fields_imbalance.STUDY))
    says("08_fields", "The law needs large events, and so does the graph alone.")
    assert found.loc[("alone", 0.2), "growth_low"] > 1
    says("08_fields", "Methods that hold a law against the event's own stations need them less.")
    for kept in (0.2, 0.0):
        others = found.growth_high.xs(kept, level="kept")[["event term", "conditional normal", "inverse distance"]]
        assert found.loc[("law", kept), "growth_low"] > others.max()
    says("08_fields", "looks at the stations of the event itself, so its error grows much less")
    for kept in (0.2, 0.0):
        assert found.growth["law", kept] - 1 > 4 * (found.growth[fields_trouble.PEER, kept] - 1)
    says("08_fields", "With all large events, the correction by the graph gains a little")
    assert found.loc[("dynamic", 1.0), "ratio_high"] <= 1
    says("08_fields", "With one in five it costs.")
    assert found.loc[("dynamic", 0.2), "ratio_low"] > 1


def test_both_graphs_move_about_as_much_with_the_training_data():
    says("08_fields", "Predictions of both graphs move about as much with the training data.")
    records = fields.published(fields_variance.REGION, fields_variance.STUDY)
    row = fields_variance.judged(records)
    assert row["low"] < 1 < row["high"]
    says("08_fields", "more than five times as much as the predictions move with the training data")
    found = fields_variance.table(records)
    assert (found.rmse > 5 * found["data"]).all()


def test_no_claim_is_supported_on_measured_fields():
    says("08_fields", "on measured fields none of these four claims of the paper is supported")
    rows = [one for one in claims.claims("C3", "C4", "C7", "C8") if one.network in fields.REGIONS]
    assert {one.id for one in rows} == {"C3", "C4", "C7", "C8"}
    assert not [one for one in rows if one.verdict == "supported"]


# -------------------------------------------------------------------------------------------- one embedding, two tasks


def test_masked_nodes_help_the_field_and_training_together_helps_neither():
    says("08_fields", "masked nodes of another region help the field in both regions")
    says("08_fields", "most where the region itself has few events")
    says("08_fields", "To train both tasks at once helps neither.")
    says("08_fields", "For the epicentre and the magnitude, their help is *inconclusive*.")
    says("08_fields", "has learnt to fill in hidden stations of another region predicts hidden stations better")
    found = {region: fields_together.table(fields.published(region, fields_together.STUDY)) for region in REGIONS}
    for table in found.values():
        assert table.verdict["field", "after masking"] == "supported"
        assert "supported" not in set(table.xs("together", level="arm").verdict)
        assert set(table.xs("after masking", level="arm").verdict[["epicentral_km", "magnitude"]]) == {"inconclusive"}
    assert found["italy"].ratio["field", "after masking"] < found["greece"].ratio_low["field", "after masking"]


# ------------------------------------------------------------------------------------------------------------- targets


def test_what_the_chapter_says_of_the_targets():
    tables = {region: fields.table(fields_gaussian.published(region)) for region in REGIONS}
    inverted = {r: fields_inversion.table(fields.published(r, "fields-inversion"), r) for r in REGIONS}
    region, studies = fields_trouble_graphs.REGION, (fields_trouble_graphs.STUDY, "fields-trouble")
    lying = fields_trouble_graphs.table(fields_trouble_graphs.joined(*(fields.published(region, s) for s in studies)))
    says("08_fields", "the ratio misses its target in both regions")
    name = "error over the conditional normal's, source and stations' terms known", "0.97"
    found = [fields_targets.of_reconstruction(table)[name] for table in tables.values()]
    assert [cell.split(", ")[-1] for cell in found] == ["missed"] * 2
    says("08_fields", "Where sensors lie, every target is missed.")
    assert {cell.split(", ")[-1] for cell in fields_targets.of_lying(lying).values()} == {"missed"}
    says("08_fields", "Both targets of the inversion are missed, too.")
    missed = fields_targets.of_inversion(inverted["greece"], "greece").values()
    assert [cell.split(", ")[-1] for cell in missed] == ["missed"] * 2
