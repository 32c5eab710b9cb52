import numpy as np
import pytest

from seisbook.figures import variance as variance_figures
from seisbook.findings import claims
from seisbook.findings import variance_robust as found_in
from seisbook.studies import robust_models, runner, variance_robust

EVENTS = 40
SPREAD = {"robust": 1.0, "static graph": 2.0}  # km, due to the training data


@pytest.fixture
def trials():
    """A complete study with known effects of the training data, which all arms share, and some noise."""
    effects = {
        split: np.random.default_rng(i).normal(size=(10, EVENTS, 4)) for i, split in enumerate(("random", "time"))
    }
    made = []
    for i, trial in enumerate(variance_robust.trials("colombia", "bulletin", "paper")):
        noise = np.random.default_rng(i).normal(size=(EVENTS, 4))
        y = SPREAD[trial["arm"]] * effects[trial["split"]][trial["partition"]] + 0.3 * noise
        score = {"epicentral_km": 1.4 + 0.01 * noise[0, 0], "depth_km": 1.0, "magnitude_rmse": 0.1}
        result = {"n_train": 640, "external": y.tolist(), "scores": {"external": score, "fold": score}}
        made.append({"trial": trial, "result": result, "commit": "abc", "state": "current"})
    return made


def test_names_are_those_of_the_study():
    assert set(found_in.NAMES) == {variance_robust.MAIN, variance_robust.STATIC}
    assert set(found_in.NAMES) <= set(robust_models.ARMS)


def test_known_ratios_are_found(trials):
    found = found_in.ratios(trials).set_index(["split", "statistic", "quantity"])
    decides = found.loc[("random", "mean", "epicentre")]
    assert decides.low < 0.25 < decides.high
    assert (decides.verdict, decides.n_runs) == ("supported", 60)
    assert found.loc[("time", "mean", "depth")].n_runs == 20


def test_a_study_that_was_stopped_is_a_smaller_one(trials):
    kept = [one for one in trials if one["trial"]["partition"] != 1 or one["trial"]["arm"] != "robust"]
    assert found_in.judged(found_in.ratios(kept)).n_runs.tolist() == [54, 54]
    random = [one for one in trials if one["trial"]["split"] == "random"]
    assert set(found_in.ratios(random).split) == {"random"}


def test_the_claim_is_judged_by_random_partitions(trials, monkeypatch):
    monkeypatch.setattr(runner, "read", lambda study, network, source, profile: trials)
    monkeypatch.setattr(claims, "_variance_fields", lambda read: [])  # see test_fields_variance.py
    rows = [one for one in claims.claims("C3") if "robust model" in one.measured]
    expected = found_in.judged(found_in.ratios(trials))
    assert [one.estimate for one in rows] == 2 * expected.value.tolist()
    assert {one.verdict for one in rows} == {"supported"}
    assert {one.n_runs for one in rows} == {60}


def test_the_spread_is_that_of_the_events(trials):
    table = found_in.spread(trials, "robust").set_index("arm")
    assert table.loc["dynamic"].data_km2 == pytest.approx(2.0, rel=0.2)
    assert table.loc["static"].data_km2 == pytest.approx(8.0, rel=0.2)
    assert table.loc["static"].residual_km2 == pytest.approx(2 * 0.3**2, rel=0.2)
    assert table.runs.tolist() == [30, 30]
    page = found_in.table(found_in.spread(trials, "robust"))
    assert page.loc[("Colombia", "robust model", "dynamic"), "error (km)"] == "1.40"


def test_the_figure_has_the_ratios_over_the_static_graph(trials):
    drawn = found_in.forest(found_in.ratios(trials))
    assert drawn.quantity.tolist()[::3] == ["epicentre", "epicentre, median", "epicentre, time blocks"]
    figure = variance_figures.ratio_forest(drawn)
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == drawn.quantity.tolist()


def test_a_study_this_clear_would_have_found_less(trials):
    assert 0.3 < found_in.detectable(trials) < 1


def test_quotes_have_names(trials):
    found, spreads = found_in.ratios(trials), found_in.spread(trials, "robust")
    texts = found_in.quoted(found, spreads, {"colombia": 0.5})
    assert texts["robust-colombia-epicentre-random-ratio"].startswith("0.2")
    assert texts["robust-colombia-magnitude-verdict"] == "supported"
    assert 1200 < float(texts["robust-colombia-dynamic-data-m"]) < 1700
    assert texts["robust-colombia-detectable"] == "0.50"
    assert texts["robust-colombia-detected"] == "a reduction to 0.50 of its size"
