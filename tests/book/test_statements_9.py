"""What chapter 9 says of forms of the graph and of the other folds, held against the records."""

import numpy as np
import pandas as pd
import pytest

from seisbook.findings import graph_forms, robust_folds
from seisbook.studies import runner
from tests.book.prose import says

CHAPTER = "09_robust_model"
NETWORKS = ("colombia", "ridgecrest")


@pytest.fixture(scope="module")
def forms():
    return pd.concat(graph_forms.compare(runner.read("graph-forms", name)) for name in NETWORKS)


@pytest.fixture(scope="module")
def folds():
    pairs = ((runner.read("robust-folds", name), runner.read("robust", name)) for name in NETWORKS)
    return pd.concat(robust_folds.compare(*pair) for pair in pairs)


def test_no_form_of_the_rebuilt_graph_earns_its_place(forms):
    says(
        CHAPTER,
        "No form earns its place: none is *supported*, and one is *not supported*, the one in residuals in Colombia",
    )
    said = graph_forms.verdicts(forms)
    assert "supported" not in set(said)
    assert list(said[said == "not supported"].index) == [("colombia", "nearest in residuals")]


def test_at_ridgecrest_some_graph_is_worth_having_and_it_may_stay(forms):
    says(CHAPTER, "At Ridgecrest *some* graph is worth having", "The intervals are narrow.")
    deciding = forms[forms.condition == graph_forms.ALL].set_index(["network", "control"])
    assert all(ratio.high < 1 for ratio in deciding.loc[("ridgecrest", "no edges")].ratio)
    assert all(ratio.low <= 1 <= ratio.high for ratio in deciding.loc[("ridgecrest", "static graph")].ratio)
    assert all(ratio.high - ratio.low < 0.06 for ratio in deciding.ratio)
    says(CHAPTER, "have the same error on both networks, within two per cent.")
    over_static = deciding[deciding.form == "the paper's graph"].ratio.xs("static graph", level="control")
    assert len(over_static) == 2
    assert all(max(1 - ratio.low, ratio.high - 1) < 0.025 for ratio in over_static)


def test_training_hardly_moves_learnt_edges_and_clocks_show_no_advantage(forms):
    says(CHAPTER, "It hardly moves reach and slopes from where they start.", "no form is ahead of a fixed graph here")
    for name in NETWORKS:
        results = [record["result"] for record in runner.read("graph-forms", name)]
        reach = np.array([one["reach"] for one in results if "reach" in one])
        falls = np.concatenate([np.ravel(one["falls"]) for one in results if "falls" in one])
        assert np.abs(reach - 2).max() < 0.25
        assert np.abs(falls - np.log1p(np.exp(0.5))).max() < 0.2
    assert all(ratio.high >= 1 for ratio in forms[forms.condition == graph_forms.CLOCKS].ratio)


def test_where_the_other_folds_differ_from_the_first(folds):
    says(CHAPTER, "At Ridgecrest every growth that is not confirmed is smaller on the other folds.")
    says(CHAPTER, "In Colombia three are larger there: those of the lowest octave, of a dead station and of a station")
    missed = folds[~folds.confirmed]
    larger = [row.growth_others.value > row.growth_first.value for row in missed.itertuples()]
    found = missed[larger]
    assert set(found.network) == {"colombia"}
    assert list(found.axis) == ["band_pass", "dead_channel", "wrong_coordinates"]
    assert found.severity.iloc[0] == folds[folds.axis == "band_pass"].severity.min() == 0.5
    assert len(missed) > len(found)


def test_spikes_change_nothing_and_ellipses_are_worst_where_clocks_lie(folds):
    says(CHAPTER, "On all folds a spike changes nothing.", "They are worst where clocks lie.")
    spikes = folds[folds.axis == "spike"].growth
    assert all(abs(growth.value - 1) < 0.01 for growth in spikes)
    for _, rows in folds.groupby("network"):
        assert rows.set_index("axis").covered.idxmin() == "independent_shift"
