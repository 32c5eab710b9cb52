import copy

import numpy as np
import pytest

from seisbook.errors import DataError
from seisbook.figures import robustness as robustness_figures
from seisbook.findings import imbalance, imbalance_robust
from seisbook.studies import imbalance as paper_study
from seisbook.studies import imbalance_robust as study


def records(trials, scale):
    """Errors of the same 100 events in all trials, the ten large ones three times as bad; the remedy halves those."""
    rng, large = np.random.default_rng(0), np.arange(100) >= 90
    error = scale * rng.normal(size=100)
    found = []
    for trial in trials:
        relief = 1.0 if trial["remedy"] == "none" else 0.5
        magnitude = np.where(large, 3 * relief * error, error)
        result = {"n_train": 90, "n_large": round(80 * trial["kept"]), "large": large.tolist()}
        found.append({"trial": trial, "result": {**result, "magnitude": magnitude.tolist()}, "state": "current"})
    return found


@pytest.fixture
def ours():
    return records(study.trials("colombia", "bulletin", "paper"), 0.05)


@pytest.fixture
def paper():
    return records(paper_study.trials("colombia", "bulletin", "paper"), 0.1)


def test_the_ratio_is_paired_by_event(ours, paper):
    table = imbalance_robust.against(ours, paper)
    assert set(table.kept) == set(paper_study.KEPT["paper"])
    for ratio in table.ratio:
        assert ratio == pytest.approx((0.5, 0.5, 0.5))  # the same draws at another scale have no scatter
    page = imbalance_robust.table(ours, paper)
    assert page.loc[("Colombia", 16), "over the paper's model"] == "0.50 [0.50, 0.50]"


def test_other_events_are_refused(ours, paper):
    other = copy.deepcopy(paper)
    other[0]["result"]["large"][0] = True
    with pytest.raises(DataError, match="not of the events"):
        imbalance_robust.against(ours, other)


def test_rules_and_figure_are_those_of_the_first_study(ours):
    assert imbalance.verdict(ours, 0.3)["verdict"] == "supported"
    assert imbalance.verdict(ours, 0.01)["verdict"] == "not supported"
    assert imbalance.verdict(ours, 0.3)["n_runs"] == 1
    assert imbalance.helps(ours).verdict.tolist() == ["supported"] * 4
    assert len(robustness_figures.imbalance(imbalance.tabulate(ours), 0.15).axes) == 2


def test_quotes_have_names(ours, paper):
    texts = imbalance_robust.quoted({"colombia": ours}, {"colombia": paper})
    assert texts["robust-colombia-rare-0.2-over-paper"] == "0.50 [0.50, 0.50]"
    assert texts["robust-colombia-rare-balanced-0.2"] == "0.50 [0.50, 0.50]"
    assert texts["robust-colombia-rare-none-0.2-rmse"].startswith("0.1")
