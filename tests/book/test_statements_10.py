"""What chapter 10 says in its own words, held against the records of the study `real`."""

import numpy as np
import pytest

from seisbook.datasets import known_recordings
from seisbook.findings import claims, real, real_eqtransformer, real_full, real_outside
from seisbook.paths import ROOT
from tests.book.prose import says

CHAPTER = "10_real_seismograms"


@pytest.fixture(scope="module")
def records():
    return real.load()


def test_no_rendering_reaches_the_target_of_the_critic(records):
    says(CHAPTER, "hardly less. The target is missed. Which statistic gives the renderings away?")
    critics = real.critics(records).set_index("arm").area
    assert all(area.low > real.CRITIC for area in critics)
    assert 0 < critics["rendered"].value - critics["site terms too"].value < 0.05


def test_texture_repairs_coda_and_p_and_the_level_of_noise_is_left(records):
    says(CHAPTER, "Real texture repairs coda and P. What is left is the level of the noise.")
    says(CHAPTER, "all renderings are too quiet")
    areas = real.single_areas(records)
    before, after = areas[real.TITLES["rendered"]], areas[real.TITLES["site terms too"]]
    assert (after < before - 0.1)[["coda over S", "vertical of P", "P over S"]].all()
    assert after.idxmax() == "noise over S"
    for record in real.of(records, "critic"):
        table = real.statistics(records, record["trial"]["arm"])
        levels = table[table.statistic == "noise over S"].groupby("kind").value.median()
        assert levels["rendered"] < levels["real"]


def test_no_ingredient_helps_and_none_harms(records):
    says(CHAPTER, "No interval does, and none lies above one: these few events do not see any of the ingredients.")
    says(CHAPTER, "a change by a fifth would need about {glue:text}`real-needed` events.")
    says(CHAPTER, "no ingredient helps by the rule, and none harms")
    assert set(real.rungs(records).verdict) == {"undecided"}


def test_seeds_differ_as_much_as_rungs(records):
    says(CHAPTER, "Two seeds of one arm differ as much as two rungs of the ladder do.")
    ladder = real.ladder(records)
    ours = ladder[ladder.arm.isin(real.RUNGS) & (ladder.unit == "displacement")]
    values = [row.epicentre_km.value for row in ours.itertuples()]
    assert max(high - low for low, high in ours.seeds_km) > max(values) - min(values)


def test_the_targets_that_are_met_are_those_of_depth(records):
    says(CHAPTER, "are met, all of them on depth")
    targets = real.targets(records)
    assert set(targets[targets.met].target) == {"depth, size of the median error (km)"}


def test_real_events_change_the_median_by_less_than_its_interval(records):
    says(CHAPTER, "20 of them change the median error by less than its interval")
    for _, rows in real.learning(records).groupby("unit"):
        errors = rows.set_index("events").epicentre_km
        assert errors[20].low < errors[0].value < errors[20].high


def test_one_octave_is_informative_and_most_growths_are_inconclusive(records):
    says(CHAPTER, "One octave band alone is informative, the one at 16 Hz.")
    says(CHAPTER, "Most growths are *inconclusive*")
    assert real.of(records, "informative")[0]["result"]["severities"]["band_pass"] == [16.0]
    growths = [row["verdict"] for row in real.verdicts(records, claims.MAGNITUDE_RMSE) if row["claim"] in real.SHAKEN]
    assert growths.count("inconclusive") > len(growths) / 2


def test_the_outside_test_misses_its_target():
    says(CHAPTER, "Its target, a median error of 2 km, is missed")
    assert sorted(real.outside())[1] > 2


def test_what_the_first_page_calls_real_are_networks_with_real_seismograms():
    text = " ".join((ROOT / "book" / "index.md").read_text(encoding="utf-8").split())
    places = {"Iceland": "iceland", "Mexico": "mexico", "Uturuncu": "uturuncu", "Ridgecrest": "ridgecrest_august"}
    assert "are real too: Iceland, Mexico, Uturuncu in Bolivia, and four events at Ridgecrest." in text
    assert set(places.values()) == set(known_recordings.SOURCES)
    assert len(real.outside()) == 4


def test_the_ledger_s_rows_on_real_seismograms_are_as_the_caption_says(records):
    says(CHAPTER, "Locations and magnitudes miss it or cannot decide; most growths under filters and shifts cannot")
    rows = real.verdicts(records, claims.MAGNITUDE_RMSE) + real.outside_verdicts(real.load(network=real.OUTSIDE))
    assert "supported" not in {row["verdict"] for row in rows if row["claim"] in ("C1", "C2")}


def test_onsets_at_uturuncu(records):
    says(CHAPTER, "The picker finds more P than the models, the models find more S, and no method meets the target.")
    says(CHAPTER, "With S it is the other way round, though the intervals overlap")
    found = real_outside.onsets(real_outside.load("uturuncu")).set_index(["wave", "method"])
    p, s = ({name: row.share for name, row in found.loc[wave].iterrows()} for wave in "ps")
    for reader in ("ridgecrest", "iceland"):
        assert p["picker"].low > p[reader].high
        assert s[reader].low < s["picker"].high < s[reader].high
        assert s["picker"].value < s[reader].value
        assert p[reader].value < s[reader].value
    assert "met" not in set(found.target)
    says(CHAPTER, "Both models find P at the same share of the picks")
    assert abs(p["ridgecrest"].value - p["iceland"].value) < 0.01
    ladder = real.ladder(records).set_index(["arm", "unit"]).loc[(real.PUBLISHED, "displacement")]
    assert ladder.p_picks < ladder.s_picks


def test_the_last_arm_s_stem_finds_fewer_onsets_on_counts_than_the_published_one(records):
    says(
        CHAPTER,
        "On counts the stem of the last arm finds fewer P within half a second of a pick than the published one",
    )
    found = real.ladder(records).set_index(["arm", "unit"]).p_picks
    assert found[real.LAST, "counts"] < found[real.PUBLISHED, "counts"]


def test_twenty_events_do_not_reach_the_target(records):
    says(CHAPTER, "On counts the first five events lower it, and more events do not lower it further; there, too,")
    says(CHAPTER, "A curve that does not keep falling cannot be continued", "Magnitudes keep a large error")
    table = real.learning(records).set_index(["unit", "events"])
    before, *after = table.epicentre_km["counts"]
    assert all(one.value < before.value and before.low < one.high for one in after)
    assert after[0].value == min(one.value for one in after)
    assert all(table.epicentre_km[unit, 20].value > real.TUNED_KM for unit in real.UNITS)
    assert all(error.low > claims.MAGNITUDE_RMSE for error in table.magnitude_rmse)


def test_what_44_events_decide(records):
    says(CHAPTER, "For the last three, the whole interval lies on one side.")
    rows = real_outside.earthquakes(real_outside.load("mexico")).set_index("method")
    assert rows.relation["classical"] == "better"
    found = real_outside.onsets(real_outside.load("uturuncu")).set_index(["wave", "method"]).target
    assert (found["p"].drop("picker") == "missed").all()
    sized = [row for row in real.verdicts(records, claims.MAGNITUDE_RMSE) if row["claim"] == "C2"]
    assert {row["verdict"] for row in sized} == {"not supported"}
    assert len(real.labels(records)) + len(real_outside.load("mexico")[0]["result"]["epicentral_km"]) == 44


def test_earthquakes_of_mexico():
    says(CHAPTER, "The model of the twin has the smallest median, and two earthquakes are more than 100 km off.")
    says(CHAPTER, "Two earthquakes make most of it, the largest one and the smallest one.")
    records = real_outside.load("mexico")
    rows = real_outside.earthquakes(records).set_index("method")
    assert rows.epicentre_km.map(lambda one: one.value).idxmin() == real_outside.TWIN
    says(CHAPTER, "nothing is decided between the model and an untrained graph part on the same onsets")
    assert rows.relation["solver"] == "undecided"
    assert rows.relation["classical"] == "better"
    far = real_outside.errors(records, "epicentral_km")[real_outside.TWIN] > 100
    off = real_outside.errors(records, "magnitude")[real_outside.TWIN]
    (result,) = (one["result"] for one in records if one["trial"]["method"] == real_outside.TWIN)
    sizes = np.array(result["estimate"])[:, 3] - off
    assert far.sum() == 2
    assert set(np.flatnonzero(far)) == {sizes.argmax(), sizes.argmin()}
    assert np.square(off[far]).sum() > np.square(off).sum() / 2


def test_where_the_source_picked_the_classical_pipeline_is_ahead(records):
    says(CHAPTER, "Where the source's analysts picked, the classical pipeline is ahead of every model.")
    says(CHAPTER, "EQTransformer finds less than half of the source's P and S picks within half a second.")
    compared = real_eqtransformer.compare(real_eqtransformer.load(), records).set_index("method")
    assert compared.ours_over["classical, source's picks"].low > 1
    (row,) = compared[compared.deciding].itertuples()
    assert max(row.p_picks, row.s_picks) < 0.5
    assert compared.epicentre_km.map(lambda km: km.value).idxmin() == "classical, source's picks"


def test_no_ingredient_helps_in_the_whole_recipe(records):
    says(CHAPTER, "All six ratios lie above one, but each of their intervals contains one.")
    says(CHAPTER, "All six ratios lie below one, and again each interval contains one.")
    says(CHAPTER, "with three times as many events, too, no ingredient helps by the rule")
    rows = real_full.rungs(real_full.load(), records)
    assert set(rows.verdict) == {"undecided"}
    is_size = rows.over == real_full.FEWER
    assert [len(rows[~is_size]), len(rows[is_size])] == [6, 6]
    assert all(ratio.value > 1 for ratio in rows[~is_size].ratio)
    assert all(ratio.value < 1 for ratio in rows[is_size].ratio)


def test_the_targets_that_the_whole_recipe_meets_are_those_of_depth():
    says(CHAPTER, "are met, and all of these are on depth")
    targets = real_full.targets(real_full.load())
    assert set(targets[targets.met].target) == {"depth, size of the median error (km)"}


def test_no_daily_cycle_is_worth_drawing():
    says(CHAPTER, "A daily cycle explains almost nothing of the variance, so none is drawn.")
    (hours,) = real.of(real_full.load(), "hours")
    assert hours["result"]["daily_share"] < 0.05
