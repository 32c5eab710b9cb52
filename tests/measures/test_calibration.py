import numpy as np
import pytest
from scipy import integrate, stats

from seisbook.errors import UserError
from seisbook.measures import calibration, splits
from seisbook.models.error_model import TAIL
from tests.made_up import simulated


def test_ellipse_radius_is_the_quantile_of_the_bivariate_student_t():
    levels = np.array([0.1, 0.5, 0.9, 0.99])
    np.testing.assert_allclose(calibration.ellipse_radius(levels) ** 2 / 2, stats.f.ppf(levels, 2, TAIL))
    np.testing.assert_allclose(calibration.ellipse_radius(0.9, dof=1e7), stats.chi2.ppf(0.9, 2) ** 0.5, rtol=1e-4)


def test_coverage_is_nominal_where_the_model_is_right():
    table = calibration.coverage(simulated(20_000), [0.1, 0.5, 0.9, 0.99])
    assert len(table) == 12
    assert (table.covered - table.level).abs().max() < 0.012
    assert ((table.low < table.covered) & (table.covered < table.high)).all()


def test_coverage_shows_a_model_that_is_too_sure():
    table = calibration.coverage(simulated(2000, sure=2.0), [0.9])
    assert (table.high < 0.9).all()
    assert set(table.quantity) == {"epicentre", "depth", "magnitude"}


def test_coverage_refuses_percentages():
    with pytest.raises(UserError, match="between 0 and 1"):
        calibration.coverage(simulated(10), [90])


@pytest.mark.parametrize("dof", [1.5, 4, 30])
@pytest.mark.parametrize("y", [-3.0, 0.2, 25.0])
def test_crps_is_the_integral_that_defines_it(dof, y):
    location, scale = 1.0, 2.5

    def below(x):
        return stats.t.cdf(x, dof, location, scale) ** 2

    def above(x):
        return stats.t.sf(x, dof, location, scale) ** 2

    numerical = integrate.quad(below, -np.inf, y)[0] + integrate.quad(above, y, np.inf)[0]
    assert calibration.crps_student_t(y, location, scale, dof) == pytest.approx(numerical, rel=1e-6)


def test_crps_tends_to_the_gaussian_one():
    z = np.linspace(-4, 4, 9)
    gaussian = calibration.crps_student_t(z, 0, 1, np.inf)
    np.testing.assert_allclose(calibration.crps_student_t(z, 0, 1, 1e7), gaussian, atol=1e-6)
    # for a standard Gaussian at its centre: (sqrt(2) - 1) / sqrt(pi)
    assert gaussian[4] == pytest.approx((np.sqrt(2) - 1) / np.sqrt(np.pi))


def test_crps_is_least_for_the_true_scale_and_grows_to_the_absolute_error():
    y = stats.t.rvs(TAIL, size=20_000, random_state=0)
    scores = [calibration.crps_student_t(y, 0, scale, TAIL).mean() for scale in (0.5, 1, 2)]
    assert scores[1] < min(scores[0], scores[2])
    assert calibration.crps_student_t(3.0, 1.0, 1e-9, TAIL) == pytest.approx(2)


def test_crps_needs_more_than_one_degree_of_freedom():
    with pytest.raises(UserError, match="1 degrees of freedom"):
        calibration.crps_student_t(0, 0, 1, 1)


def test_conformal_radius_is_the_ranked_distance():
    distances = np.arange(19, 0, -1.0)
    assert calibration.SplitConformal(0.95).fit(distances).radius == 19  # rank 0.95 * 20
    assert calibration.SplitConformal(0.9).fit(distances).radius == 18
    assert calibration.SplitConformal(0.5).fit(distances).radius == 10
    one = calibration.SplitConformal(0.5).fit(distances)
    assert one.covers([10.0, 10.1, np.nan]).tolist() == [True, False, False]


@pytest.mark.parametrize(("level", "least"), [(0.9, 9), (0.95, 19), (0.99, 99)])
def test_conformal_says_how_many_events_a_level_needs(level, least):
    distances = np.arange(least, dtype=float)
    assert calibration.SplitConformal(level).fit(distances).radius == least - 1
    with pytest.raises(UserError, match=f"{least - 1} calibration events are too few.* at least {least}"):
        calibration.SplitConformal(level).fit(distances[1:])


def test_conformal_before_fit_is_refused():
    with pytest.raises(UserError, match="call fit"):
        calibration.SplitConformal().covers([1.0])


@pytest.mark.parametrize("sure", [0.3, 3.0])
@pytest.mark.parametrize("level", [0.68, 0.9])
def test_conformal_ellipses_cover_however_wrong_the_scale(sure, level):
    """Mean over calibration sets: between the level and, for n = 40 events, 1 / (n + 1) above it."""
    distance = simulated(40_000, sure=sure).mahalanobis.to_numpy().reshape(400, 100)
    covered, stretch = [], []
    for row in distance:
        one = calibration.SplitConformal(level).fit(row[:40])
        covered.append(one.covers(row[40:]).mean())
        stretch.append(one.stretch)
    error = np.std(covered) / np.sqrt(len(covered))
    assert level - 3 * error <= np.mean(covered) <= level + 1 / 41 + 3 * error
    assert np.median(stretch) == pytest.approx(sure, rel=0.15)


def test_conformal_coverage_by_time_blocks():
    n = 3000
    steady = simulated(n, sure=2.0).mahalanobis
    folds = splits.time_folds(np.arange(n).astype("datetime64[h]"), 5)
    table = calibration.conformal_coverage(steady, folds, 0.9)
    assert table.index.tolist() == [0, 1, 2, 3, 4, "all"]
    assert table.n.tolist() == [600] * 5 + [n]
    assert (table.low < 0.9).all()
    assert (table.high > 0.9).all()
    drifting = steady * np.repeat([1, 1, 1, 1, 4], 600)  # what no calibration on earlier blocks can know
    late = calibration.conformal_coverage(drifting, folds, 0.9).covered
    assert late[4] < 0.6
    assert late[0] > 0.93
