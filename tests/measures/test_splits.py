from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from seisbook.errors import UserError
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


@pytest.mark.parametrize("k", [2, 5, 23])
def test_folds_part_the_events(k):
    times = np.random.default_rng(0).permutation(23).astype("datetime64[s]")
    for folds in (splits.random_folds(23, k), splits.time_folds(times, k)):
        assert len(folds) == k
        assert sorted(np.concatenate([test for _, test in folds])) == list(range(23))
        for train, test in folds:
            assert not set(train) & set(test)
            assert sorted([*train, *test]) == list(range(23))
            assert (np.diff(train) > 0).all()
            assert (np.diff(test) > 0).all()
        sizes = [len(test) for _, test in folds]
        assert max(sizes) - min(sizes) <= 1


def test_random_folds_depend_on_the_seed_alone():
    one, same, other = (np.concatenate([t for _, t in splits.random_folds(50, 5, s)]) for s in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()
    assert (one != np.arange(50)).any()


def test_time_folds_are_blocks_in_time():
    times = pd.Series(pd.Timestamp("2019-07-06", tz="UTC") + pd.to_timedelta([5, 3, 1, 4, 0, 2], "h"))
    folds = splits.time_folds(times, 3)
    assert [test.tolist() for _, test in folds] == [[2, 4], [1, 5], [0, 3]]
    again = splits.time_folds(times.dt.tz_localize(None).to_numpy(), 3)
    assert all((a[1] == b[1]).all() for a, b in zip(folds, again, strict=True))


@pytest.mark.parametrize(("n", "k"), [(3, 4), (0, 2), (10, 1), (10, 0)])
def test_an_empty_fold_is_refused(n, k):
    with pytest.raises(UserError, match=f"{k} folds of {n} events"):
        splits.random_folds(n, k)
    with pytest.raises(UserError, match=f"{k} folds of {n} events"):
        splits.time_folds(np.arange(n).astype("datetime64[s]"), k)


def test_time_folds_need_origin_times():
    with pytest.raises(UserError, match="1 events have no origin time"):
        splits.time_folds(np.array(["2019-07-06", "NaT", "2019-07-07"], "datetime64[ns]"), 2)
