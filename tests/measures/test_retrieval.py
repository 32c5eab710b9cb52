import numpy as np
import pytest

from seisbook.measures import retrieval


def test_balanced_accuracy_gives_each_class_the_same_weight():
    table = np.array([[0, 1], [0, 1], [0, 1], [1, 0]])
    assert retrieval.balanced(table) == pytest.approx(0.5)
