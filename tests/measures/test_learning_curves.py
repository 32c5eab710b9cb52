import math

import numpy as np
import pytest

from seisbook.errors import UserError
from seisbook.measures import learning_curves
from tests.made_up import SIZES, learnt


def test_parameters_of_a_learning_curve_are_recovered():
    exact = learning_curves.fit_learning_curve(SIZES, learnt(scatter=0), resamples=50)
    assert [exact.a.value, exact.b.value, exact.c.value] == pytest.approx([2, 60, 0.7], rel=1e-6)
    assert exact.events_needed(3.0).value == pytest.approx(60 ** (1 / 0.7), rel=1e-6)
    np.testing.assert_allclose(exact.predict([100, 5000]), [2 + 60 * 100**-0.7, 2 + 60 * 5000**-0.7])


def test_intervals_of_a_learning_curve_cover():
    """40 fits: a coverage of 0.95 is found at 0.85 or above but for one case in 100."""
    fits = [
        learning_curves.fit_learning_curve(SIZES, learnt(seed), resamples=300, random_state=seed) for seed in range(40)
    ]
    needed = [one.events_needed(2.8) for one in fits]
    truth = (60 / 0.8) ** (1 / 0.7)
    assert np.mean([one.low <= truth <= one.high for one in needed]) >= 0.85
    assert np.mean([one.a.low <= 2 <= one.a.high for one in fits]) >= 0.85
    level = 2 + 60 * 400**-0.7
    ends = np.array([np.ravel(one.confidence_band([400])) for one in fits])
    assert np.mean((ends[:, 0] <= level) & (level <= ends[:, 1])) >= 0.85


def test_most_further_runs_lie_in_the_prediction_band():
    inside = []
    for seed in range(10):
        curve = learning_curves.fit_learning_curve(SIZES, learnt(seed), resamples=300)
        low, high = (end[0] for end in curve.prediction_band([800]))
        further = np.concatenate([learnt(other)[SIZES == 800] for other in range(100, 120)])
        inside.append(np.mean((low <= further) & (further <= high)))
        band = np.ravel(curve.confidence_band([800]))
        assert low < band[0] < curve.predict(800) < band[1] < high
    assert 0.9 < np.mean(inside) < 0.995


def test_a_level_that_is_never_reached_says_so():
    curve = learning_curves.fit_learning_curve(SIZES, learnt(), resamples=200)
    never = curve.events_needed(1.0)
    assert never[:3] == (math.inf, math.inf, math.inf)
    assert str(never) == "never: the curve levels off above it"
    assert "beyond the 1,600 that were tried" in str(curve.events_needed(2.3))
    assert "beyond" not in str(curve.events_needed(3.5))
    assert curve.events_needed(1e6).value == 1


def test_parameters_stay_at_or_above_zero():
    rising = learning_curves.fit_learning_curve(SIZES, SIZES**0.2, resamples=20)
    assert rising.b.value == 0
    steep = learning_curves.fit_learning_curve(SIZES, 50 * SIZES**-0.3, resamples=20)
    assert steep.a.value == pytest.approx(0, abs=1e-6)
    assert steep.c.value == pytest.approx(0.3)


def test_runs_of_one_partition_count_as_one():
    partition = np.tile(np.arange(8), 5)
    shifted = learnt(scatter=0.01) * np.exp(np.random.default_rng(3).normal(0, 0.1, 8))[partition]
    whole = learning_curves.fit_learning_curve(SIZES, shifted, partition, resamples=500)
    apart = learning_curves.fit_learning_curve(SIZES, shifted, resamples=500)
    widths = [float(np.ptp(np.ravel(one.confidence_band([400])))) for one in (whole, apart)]
    assert widths[0] > 1.3 * widths[1]


@pytest.mark.parametrize(
    ("n", "error", "message"),
    [
        ([100, 200] * 4, [1.0] * 8, "2 sizes"),
        ([100, 200, 400], [3.0, 2.0, 1.0], "3 sizes with 1 or more runs"),
        ([100, 200, 400] * 2, [3.0, 2.0, np.nan] * 2, "positive and finite"),
        ([100, 200, 400] * 2, [3.0, 2.0], "of one length"),
    ],
)
def test_learning_curves_that_cannot_be_fitted_are_refused(n, error, message):
    with pytest.raises(UserError, match=message):
        learning_curves.fit_learning_curve(n, error)
