import numpy as np
import pytest

from seisbook.figures import robustness as robustness_figures
from seisbook.findings import claims, imbalance
from seisbook.studies import imbalance as imbalance_study
from seisbook.studies import runner

RELIEF = {"none": 1.0, "balanced": 0.5, "reweighted": 0.5, "transferred": 2.0}


@pytest.fixture
def records():
    """Large events are the worse sized, the fewer of them there are; the remedy takes half of it away."""
    rng = np.random.default_rng(0)
    large = np.arange(100) >= 90
    found = []
    for trial in imbalance_study.trials("colombia", "bulletin", "paper"):
        shift = -0.3 * (1 - trial["kept"]) * RELIEF[trial["remedy"]]
        error = 0.02 * rng.normal(size=100) + shift * large
        result = {"n_train": 90, "n_large": round(80 * trial["kept"]), "large": large.tolist()}
        result |= {"magnitude": error.tolist(), "epicentral_km": [1.0] * 100}
        found.append({"trial": trial, "result": result, "commit": "abc", "state": "current"})
    return found


def test_the_table_finds_what_was_put_in(records):
    table = imbalance.tabulate(records).set_index(["kept", "remedy", "events"])
    assert table.loc[(0.0, "none", "largest tenth"), "bias"].value == pytest.approx(-0.3, abs=0.02)
    assert table.loc[(0.5, "balanced", "largest tenth"), "bias"].value == pytest.approx(-0.075, abs=0.02)
    assert table.loc[(0.0, "none", "others"), "rmse"].value == pytest.approx(0.02, abs=0.005)
    rmse = table.loc[(0.2, "none", "largest tenth"), "rmse"]
    assert rmse.low < rmse.value < rmse.high


def test_a_remedy_helps_if_the_ratio_says_so(records):
    table = imbalance.helps(records).set_index(["kept", "remedy"])
    assert table.verdict[0.1, "balanced"] == table.verdict[0.2, "reweighted"] == "supported"
    assert table.verdict[0.0, "transferred"] == "not supported"
    assert table.found[0.1, "balanced"].value == pytest.approx(0.5, abs=0.05)
    assert table.found[0.0, "transferred"].value == pytest.approx(2.0, abs=0.1)
    assert table.others[0.1, "balanced"].value == pytest.approx(1.0, abs=0.3)
    assert table.verdict[1.0, "balanced"] == "inconclusive"  # nothing to be helped
    assert imbalance.quoted({"colombia": records})["colombia-balanced-0.1"].startswith("0.5")


def test_the_claim_is_judged_where_one_in_five_is_left(records, monkeypatch):
    found = imbalance.verdict(records, 0.15)
    assert found["verdict"] == "not supported"  # 0.24
    assert found["n_runs"] == imbalance_study.SEEDS["paper"]
    assert imbalance.verdict(records, 0.3)["verdict"] == "supported"
    monkeypatch.setattr(runner, "read", lambda study, network, source, profile: records)
    monkeypatch.setattr(claims, "_rare_fields", lambda read: [])  # see test_fields_imbalance.py
    assert [one.verdict for one in claims.claims("C7")] == ["not supported"] * 4


def test_the_figure_has_a_column_a_network(records):
    table = imbalance.tabulate(records)
    figure = robustness_figures.imbalance(table, 0.15)
    assert len(figure.axes) == 2
    assert [text.get_text() for text in figure.axes[1].get_xticklabels()] == ["80", "40", "16", "8", "0"]
