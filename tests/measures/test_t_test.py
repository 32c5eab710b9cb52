import numpy as np
import pytest
from scipy import stats

from seisbook.errors import UserError
from seisbook.measures import t_test


def test_corrected_t_test_by_hand():
    result = t_test.corrected_t_test([1.0, 2.0, 3.0, 4.0], n_train=80, n_test=20)
    spread = np.sqrt((1 / 4 + 1 / 4) * 5 / 3)
    assert result.mean == 2.5
    assert result.p == pytest.approx(2 * stats.t.sf(2.5 / spread, 3))
    assert (result.high - result.low) / 2 == pytest.approx(stats.t.ppf(0.975, 3) * spread)


def test_corrected_t_test_without_test_events_would_be_the_plain_one():
    d = np.random.default_rng(0).normal(0.5, 1, 30)
    assert t_test.corrected_t_test(d, 1e12, 1).p == pytest.approx(stats.ttest_1samp(d, 0).pvalue)
    assert t_test.corrected_t_test(d, 80, 20).p > stats.ttest_1samp(d, 0).pvalue


def test_corrected_t_test_of_equal_differences():
    assert t_test.corrected_t_test([0.0, 0.0, 0.0], 80, 20) == (0, 0, 0, 1)
    assert t_test.corrected_t_test([1.0, 1.0], 80, 20) == (1, 1, 1, 0)


@pytest.mark.parametrize("differences", [[], [1.0], [1.0, np.nan], [[1.0, 2.0]]])
def test_corrected_t_test_needs_two_finite_differences(differences):
    with pytest.raises(UserError, match="two or more finite"):
        t_test.corrected_t_test(differences, 80, 20)
    with pytest.raises(UserError, match="both must be positive"):
        t_test.corrected_t_test([1.0, 2.0], 0, 20)
