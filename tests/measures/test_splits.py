from itertools import pairwise

import numpy as np
import pytest

from seisbook.measures import splits


@pytest.mark.parametrize("split", ["random", "time"])
def test_training_and_test_events_are_apart(events, split):
    parts = splits.folds(events.source_id, events.origin_time, split)
    assert all(not set(train) & set(test) for train, test in parts)
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(len(events)))
    if split == "time":
        blocks = [events.origin_time[test] for _, test in parts]
        assert all(one.max() <= other.min() for one, other in pairwise(blocks))


@pytest.mark.parametrize("split", ["random", "time"])
def test_folds_do_not_depend_on_the_order_of_the_events(events, split):
    order = np.random.default_rng(0).permutation(len(events))
    one = splits.folds(events.source_id, events.origin_time, split)
    other = splits.folds(events.source_id[order], events.origin_time[order], split)
    for (_, test), (_, shuffled) in zip(one, other, strict=True):
        assert set(events.source_id[test]) == set(events.source_id[order][shuffled])
