import numpy as np
import pytest

from seisbook.errors import UserError
from seisbook.measures import estimates


def test_bootstrap_interval_covers_the_median_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    intervals = [estimates.bootstrap_ci(rng.normal(5, 2, 60), n=300, random_state=k) for k in range(100)]
    assert 88 <= sum(one.low <= 5 <= one.high for one in intervals) <= 99


def test_bootstrap_is_deterministic_and_resamples_rows_together():
    pairs = np.column_stack([np.arange(50.0), 2 * np.arange(50.0)])
    slope = estimates.bootstrap_ci(pairs, lambda rows: rows[:, 1].sum() / rows[:, 0].sum(), n=50)
    assert slope == estimates.Estimate(2.0, 2.0, 2.0)
    values = np.random.default_rng(0).normal(size=30)
    assert estimates.bootstrap_ci(values, random_state=1) == estimates.bootstrap_ci(values, random_state=1)
    assert estimates.bootstrap_ci(values, random_state=1) != estimates.bootstrap_ci(values, random_state=2)


def test_bootstrap_of_nothing_is_refused():
    with pytest.raises(UserError, match="no finite value"):
        estimates.bootstrap_ci([np.nan, np.nan])


@pytest.mark.parametrize("size", [1, 2, 7, 60, 1001])
@pytest.mark.parametrize("statistic", [np.median, np.mean])
def test_resamples_at_once_are_those_of_one_draw_after_the_other(size, statistic, monkeypatch):
    values = np.random.default_rng(5).normal(size=(2, size)).round(1)  # some are equal
    rng = np.random.default_rng(3)
    chosen = [np.arange(size), *(rng.integers(size, size=size) for _ in range(50))]
    expected = [[statistic(row[one]) for one in chosen] for row in values]
    monkeypatch.setattr(estimates, "DRAWN", 2 * size + 1)
    found = estimates.resampled(values, statistic, 50, random_state=3)
    assert found.tolist() == np.array(expected).tolist()
    interval = estimates.estimate(found[0])
    assert interval == estimates.bootstrap_ci(values[0], statistic, 50, random_state=3)
    assert interval == estimates.bootstrap_ci(values[0], lambda sample: statistic(sample), 50, random_state=3)


def test_the_median_of_what_is_not_a_number_is_none():
    assert np.isnan(estimates.resampled([1.0, np.nan, 2.0], n=5)[0])


def test_a_statistic_written_in_c_is_evaluated_sample_by_sample():
    assert estimates.bootstrap_ci([1.0, 2.0, 3.0], max).value == 3


def test_robust_std_withstands_outliers():
    values = np.random.default_rng(0).normal(0, 2, 5000)
    values[:400] = 1e3
    assert estimates.robust_std(values) == pytest.approx(2, rel=0.15)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 0.9, "supported"), (1.1, 2.0, "not supported"), (0.5, 1.5, "inconclusive"), (0.5, 1.0, "inconclusive")],
)
def test_an_interval_decides(low, high, verdict):
    assert estimates.below(low, high, 1.0) == verdict
