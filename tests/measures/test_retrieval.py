from functools import partial

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from seisbook.measures import retrieval
from seisbook.measures.estimates import bootstrap_ci, counted_ci


def test_balanced_accuracy_gives_each_class_the_same_weight():
    table = np.array([[0, 1], [0, 1], [0, 1], [1, 0]])
    assert retrieval.balanced(table) == pytest.approx(0.5)


def test_balanced_accuracy_of_resamples_is_that_of_each_resample():
    rng = np.random.default_rng(0)
    table = np.column_stack([rng.integers(3, size=40), rng.random(40)])

    def mean_of_classes(rows):
        return np.mean([rows[rows[:, 0] == label, 1].mean() for label in np.unique(rows[:, 0])])

    assert retrieval.balanced(table) == pytest.approx(mean_of_classes(table))
    assert retrieval.balanced_ci(table) == pytest.approx(bootstrap_ci(table, mean_of_classes))


def test_a_class_that_a_resample_lacks_has_no_part_in_its_mean():
    table = np.array([[0, 1.0], [0, 0.0], [1, 1.0]])
    assert retrieval.balanced(table, np.array([[1, 1, 1], [1, 3, 0]])).tolist() == [0.75, 0.25]


def test_areas_of_resamples_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth, score = rng.random(60) < 0.3, rng.integers(8, size=60) / 8  # many ties
    assert retrieval.area(truth, score) == pytest.approx(roc_auc_score(truth, score))
    found = counted_ci(partial(retrieval.area, truth, score), 60, n=100)
    other = bootstrap_ci(np.column_stack([truth, score]), lambda rows: roc_auc_score(rows[:, 0], rows[:, 1]), n=100)
    assert found == pytest.approx(other)
