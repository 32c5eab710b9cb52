import json

import numpy as np
import pandas as pd
import pytest

from seisbook import provenance, records
from seisbook.errors import UserError
from seisbook.findings import summaries
from seisbook.findings import variance as variance_results
from seisbook.measures import seismicity
from seisbook.studies import variance as variance_study

EVENTS, BIAS = 40, 3.0
SPREAD = {"dynamic": 1.0, "static": 2.0, "feature": 1.0}  # standard deviation due to the training data, km


def made_trials(profile="paper"):
    """A complete study with known effects; the fold's error is that of the external events, and 1 km per partition."""
    trials = variance_study.trials("colombia", "bulletin", profile)
    effects = np.random.default_rng(0).normal(size=(20, EVENTS, 4))
    found = []
    for i, trial in enumerate(trials):
        noise = np.random.default_rng(i).normal(size=(EVENTS, 4))
        partition = trial["partition"] + (15 if trial["split"] == "time" else 0)
        y = BIAS / np.sqrt(2) + SPREAD[trial["arm"]] * effects[partition] + 0.3 * noise
        n = trial["n_train"] or 640
        score = {"epicentral_km": 2 + 30 / n**0.5 + 0.01 * noise[0, 0], "depth_km": 1.0 + noise[0, 1] ** 2}
        score["magnitude_rmse"] = 0.1 + 0.01 * abs(noise[0, 2])
        fold = {**score, "epicentral_km": score["epicentral_km"] + trial["partition"]}
        result = {"n_train": n, "external": y.tolist(), "scores": {"external": score, "fold": fold}}
        found.append({"trial": trial, "result": result, "commit": "abc"})
    return found


@pytest.fixture(scope="module")
def trials():
    return made_trials()


@pytest.fixture(scope="module")
def analysed(trials):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(variance_results, "RESAMPLES", 200)
        return variance_results.analyse(trials, np.zeros((EVENTS, 4)))


def test_every_training_has_a_row(trials):
    runs = variance_results.tabulate(trials)
    assert len(runs) == len(trials)
    assert runs[["part", "arm", "split", "partition", "seed", "order", "dropout", "n_train"]].duplicated().sum() == 0
    crossed = runs[(runs.part == "crossed") & (runs.split == "random")]
    np.testing.assert_allclose(crossed.fold_epicentral_km - crossed.epicentral_km, crossed.partition)


def test_predictions_have_their_partition_and_seed(trials):
    y = variance_results.predictions(trials, "dynamic")
    assert y.shape == (EVENTS, 15, 5, 4)
    one = next(
        one
        for one in trials
        if one["trial"]["arm"] == "dynamic" and one["trial"]["partition"] == 7 and one["trial"]["seeds"] == [3] * 3
    )
    np.testing.assert_array_equal(y[:, 7, 3], one["result"]["external"])
    assert variance_results.predictions(trials, "static", "whole").shape == (EVENTS, 5, 3, 4)
    assert variance_results.predictions(trials, "static", split="time").shape == (EVENTS, 5, 5, 4)


def test_a_known_ratio_is_found(analysed):
    ratios = pd.DataFrame(analysed["ratios"])
    study = ratios[(ratios.recipe == "study") & (ratios.split == "random")]
    assert (study.low < 0.25).all()
    assert (study.high > 0.25).all()
    assert (study.verdict == "supported").all()
    assert set(ratios.recipe) == {"study", "whole"}
    assert set(ratios.n_runs) == {150, 50, 30}


def test_a_known_error_is_taken_apart(analysed):
    budget = pd.DataFrame(analysed["budget"]).set_index(["arm", "quantity"])
    for arm in ("dynamic", "static"):
        row = budget.loc[arm, "epicentre"]
        assert row.data == pytest.approx(2 * SPREAD[arm] ** 2, rel=0.2)
        assert row.squared_bias == pytest.approx(BIAS**2, rel=0.2)
        assert row.residual == pytest.approx(2 * 0.3**2, rel=0.2)
        assert row[["squared_bias", "data", "seed", "residual"]].sum() == pytest.approx(row.squared_error)


def test_few_events_have_an_interval(analysed):
    few = analysed["few"]
    assert few["n_train"] == 400
    assert few["n_runs"] == 15
    assert few["low"] < few["value"] < few["high"]
    assert few["value"] == pytest.approx(3, abs=0.5)


def test_no_event_is_named(analysed):
    text = json.dumps(analysed)
    assert "source_id" not in text
    assert {len(one) for one in analysed["events"].values()} == {EVENTS}


def test_learning_curves_fall(trials):
    curves = variance_results.curves(variance_results.tabulate(trials))
    assert set(curves) == {"dynamic", "static"}
    for curve in curves.values():
        assert sorted(set(curve.n)) == [50, 100, 200, 400, 640]
        assert np.all(np.diff(curve.predict([50, 100, 200, 400])) < 0)


def test_each_influence_varies_alone(trials):
    table = variance_results.single_influence(variance_results.tabulate(trials))
    assert table.index.tolist() == list(variance_results.INFLUENCES)
    assert (table["dynamic", "depth_km"] > 0).all()


def test_a_changed_study_is_refused(analysed, monkeypatch, tmp_path):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    study = tmp_path / "studies" / "variance-colombia-bulletin-paper.json"
    monkeypatch.setitem(provenance.IDENTITIES, "study", provenance._of_record(study.parent))
    records.write(study, {"records": [1]}, provenance.provenance({"stage": "study/variance"}, {}))
    inputs = {"study:variance-colombia-bulletin-paper": records.split(study)[0]["content"]}
    content = {"networks": {"colombia": provenance.plain(analysed)}}
    records.write(tmp_path / "variance.json", content, provenance.provenance(summaries.key("variance"), inputs))
    assert variance_results.load()["networks"] == content["networks"]
    records.write(study, {"records": [2]}, provenance.provenance({"stage": "study/variance"}, {}))
    with pytest.raises(
        UserError, match=r"an input has changed: study:variance-colombia-.*: `seisbook results --check`"
    ):
        variance_results.load()


def test_prose_is_quoted_from_the_record(trials, analysed):
    texts = variance_results.quoted({"networks": {"colombia": analysed}})
    assert texts["colombia-runs"] == f"{len(trials):,}"
    assert texts["colombia-external"] == str(EVENTS)
    assert texts["colombia-epicentre-study-random-ratio"].startswith("0.2")
    assert float(texts["colombia-fold-sd"]) > 4  # the fold's number in km
    assert float(texts["colombia-external-sd"]) < 0.1
    assert int(texts["colombia-static-epicentre-share"]) > int(texts["colombia-dynamic-epicentre-share"])


def test_events_needed_are_those_of_the_curve(analysed):
    experts = {"colombia": seismicity.Summary.from_record(summaries.load("catalogues")["colombia"]).expert_line}
    table = variance_results.events_needed({"networks": {"colombia": analysed}}, experts)
    assert table.index.tolist() == [("colombia", "dynamic"), ("colombia", "static")]
    level = experts["colombia"].epicentre_km.value  # 2 + 30 / sqrt(n)
    expected = (30 / (level - 2)) ** 2
    assert float(table["events"].iloc[0].split()[0].replace(",", "")) == pytest.approx(expected, rel=0.1)
