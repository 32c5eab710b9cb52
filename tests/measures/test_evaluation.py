import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import integrate, stats

from seisbook.catalogues import networks
from seisbook.errors import UserError
from seisbook.measures import calibration, evaluation, splits, strata, t_test
from seisbook.models.error_model import TAIL
from seisbook.models.graph import Prediction
from seisbook.physics import simulation


def predicted(epicentre, depth, magnitude, tril, depth_scale, magnitude_scale):
    """A `Prediction` of float32 tensors, as a model returns it."""
    values = (np.asarray(v, np.float32) for v in (epicentre, depth, magnitude, tril, depth_scale, magnitude_scale))
    n = len(epicentre)
    return Prediction(*(torch.from_numpy(v) for v in values), torch.zeros(n, 2), torch.zeros(n, 1, 3))


def labelled(y, names=None):
    y = np.asarray(y, np.float32)
    return SimpleNamespace(y=torch.from_numpy(y), source_id=np.array(names or [f"e{i}" for i in range(len(y))]))


def simulated(n, sure=1.0, seed=0):
    """Errors of a model whose labels follow its own Student-t, `sure` times narrower than that in truth."""
    rng = np.random.default_rng(seed)
    tril = np.zeros((n, 2, 2))
    tril[:, 0, 0], tril[:, 1, 1] = rng.uniform(1, 5, (2, n))
    tril[:, 1, 0] = rng.uniform(-3, 3, n)
    scale = rng.uniform(0.5, 2, (2, n))
    student = rng.standard_normal((n, 2, 1)) / np.sqrt(rng.chisquare(TAIL, (n, 1, 1)) / TAIL)
    estimate = rng.uniform(-50, 50, (n, 4))
    y = estimate.copy()
    y[:, :2] += sure * (tril @ student)[..., 0]
    y[:, 2:] += sure * scale.T * stats.t.rvs(TAIL, size=(n, 2), random_state=rng)
    prediction = predicted(estimate[:, :2], estimate[:, 2], estimate[:, 3], tril, *scale)
    return evaluation.errors(prediction, labelled(y))


# ------------------------------------------------------------------------------------------------------------- errors


def test_errors_of_one_event_by_hand():
    tril = [[[2.0, 0.0], [1.0, 4.0]]]
    table = evaluation.errors(
        predicted([[3.0, 4.0]], [12.0], [2.5], tril, [6.0], [0.5]), labelled([[0.0, 0.0, 0.0, 3.0]], ["quake"])
    )
    assert table.index.tolist() == ["quake"]
    row = table.loc["quake"]
    assert row[["epicentral_km", "depth_km", "hypocentral_km", "magnitude"]].tolist() == [5, 12, 13, -0.5]
    # L z = r with r = (-3, -4): z = (-1.5, (-4 + 1.5) / 4)
    assert row.mahalanobis == pytest.approx(np.hypot(1.5, 0.625))
    assert row.ellipse_km == pytest.approx(np.sqrt(8))
    assert row.depth_pit == pytest.approx(stats.t.cdf(-2, TAIL))
    assert row.magnitude_pit == pytest.approx(stats.t.cdf(1, TAIL))
    assert row.depth_crps_km == pytest.approx(float(calibration.crps_student_t(0, 12, 6, TAIL)))


def test_mahalanobis_is_that_of_the_likelihood():
    table = simulated(50)
    rng = np.random.default_rng(3)
    tril = np.tril(rng.uniform(0.5, 3, (50, 2, 2)))
    residual = rng.standard_normal((50, 2))
    zero = np.zeros(50)
    y = np.column_stack([residual, zero, zero])
    table = evaluation.errors(predicted(0 * residual, zero, zero, tril, zero + 1, zero + 1), labelled(y))
    white = np.linalg.solve(tril, residual[..., None])[..., 0]
    np.testing.assert_allclose(table.mahalanobis, np.linalg.norm(white, axis=1), rtol=1e-5)


def test_missing_magnitude_is_missing_and_not_zero():
    tril = np.tile(np.eye(2), (2, 1, 1))
    table = evaluation.errors(
        predicted(np.zeros((2, 2)), [0, 0], [2, 2], tril, [1, 1], [1, 1]),
        labelled([[0, 0, 0, np.nan], [0, 0, 0, 1]]),
    )
    assert table.loc["e0", ["magnitude", "magnitude_pit", "magnitude_crps"]].isna().all()
    assert evaluation.summarise_errors(table)["magnitude"]["bias"] == 1
    assert set(calibration.coverage(table, [0.5]).set_index("quantity").n.items()) == {
        ("epicentre", 2),
        ("depth", 2),
        ("magnitude", 1),
    }


@pytest.mark.parametrize("column", range(4))
def test_an_event_that_was_not_located_is_named(column):
    estimate = np.zeros((3, 4))
    estimate[1, column] = np.nan
    with pytest.raises(UserError, match="1 of 3 events have no finite prediction, the first one is b"):
        evaluation.hypocentral_errors(estimate, np.zeros((3, 4)), ["a", "b", "c"])


def test_other_events_than_those_predicted_are_refused():
    with pytest.raises(UserError, match="2 predictions for 3 events"):
        evaluation.hypocentral_errors(np.zeros((2, 4)), np.zeros((3, 4)), list("abc"))
    with pytest.raises(UserError, match="0 predictions for 0 events"):
        evaluation.hypocentral_errors(np.zeros((0, 4)), np.zeros((0, 4)), [])


# ------------------------------------------------------------------------------------------------------------ summary


@pytest.fixture
def five():
    """Five events with the epicentral errors 1 to 5 km."""
    estimate = np.zeros((5, 4))
    estimate[:, 0] = [1, 2, 3, 4, 5]
    estimate[:, 2] = [-1, -1, -1, -1, 4]
    estimate[:, 3] = [0.1, -0.1, 0.1, -0.1, 0.2]
    return evaluation.hypocentral_errors(estimate, np.zeros((5, 4)), list("abcde"))


def test_summary_of_five_events_by_hand(five):
    summary = evaluation.summarise_errors(five)
    epicentral, depth, magnitude = (summary[name] for name in ("epicentral_km", "depth_km", "magnitude"))
    assert (epicentral["median"], epicentral["mean"], epicentral["p90"]) == (3, 3, pytest.approx(4.6))
    assert epicentral["rmse"] == pytest.approx(np.sqrt(11))
    assert (depth["median"], depth["mean"], depth["bias"]) == (1, pytest.approx(1.6), 0)
    assert magnitude["rmse"] == pytest.approx(np.sqrt(0.08 / 5))
    assert (magnitude["bias"], magnitude["mae"]) == (pytest.approx(0.04), pytest.approx(0.12))
    assert magnitude["sd"] == pytest.approx(np.std([0.1, -0.1, 0.1, -0.1, 0.2], ddof=1))
    for part, statistic in ((epicentral, "median"), (depth, "median"), (magnitude, "rmse")):
        assert part["ci"][0] <= part[statistic] <= part["ci"][1]


def test_summary_has_the_schema_of_records_and_is_json(five):
    summary = json.loads(json.dumps(evaluation.summarise_errors(five), allow_nan=False))
    distances = {"median", "ci", "mean", "p90", "rmse"}
    assert {name: set(part) for name, part in summary.items()} == {
        "epicentral_km": distances,
        "depth_km": distances | {"bias"},
        "hypocentral_km": distances,
        "magnitude": {"rmse", "ci", "bias", "sd", "mae"},
    }


def test_summary_without_magnitudes_and_of_one_event(five):
    nothing = evaluation.summarise_errors(five.assign(magnitude=np.nan))["magnitude"]
    assert set(nothing.values()) == {None}
    one = evaluation.summarise_errors(five.iloc[:1])
    assert one["epicentral_km"]["ci"] == [1, 1]
    assert one["magnitude"]["sd"] is None


def test_summary_of_nothing_is_refused(five):
    with pytest.raises(UserError, match="no event"):
        evaluation.summarise_errors(five.iloc[:0])


# ------------------------------------------------------------------------------------------------------------- strata


@pytest.fixture
def errors_and_geometry():
    """Twelve events: six around 1 km, two around 10 km, four around 100 km."""
    names = [f"e{i}" for i in range(12)]
    estimate = np.zeros((12, 4))
    estimate[:, 0] = [1, 1, 1, 1, 1, 1, 10, 12, 100, 100, 100, 100]
    estimate[:, 3] = np.repeat([0.1, 0.2, 0.3], [6, 2, 4])
    geometry = pd.DataFrame(
        {
            "n_stations": np.repeat([20, 5, 4], [6, 2, 4]),
            "azimuthal_gap_deg": np.repeat([89.9, 180.0, 360.0], [6, 2, 4]),
            "nearest_station_km": np.repeat([4.0, 10.0, np.nan], [6, 2, 4]),
            "inside": np.repeat([True, False, False], [6, 2, 4]),
            "magnitude": np.repeat([1.2, 1.5, 2.5], [6, 2, 4]),
        },
        index=names,
    )
    return evaluation.hypocentral_errors(estimate, np.zeros((12, 4)), names), geometry.sample(frac=1, random_state=0)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("azimuthal_gap", {"0–90": 6, "90–180": 0, "180–270": 2, "270–360": 4}),
        (
            "nearest_station",
            {"0–5": 6, "5–10": 0, "10–20": 2, "20–50": 0, "50–100": 0, "100 and more": 0},
        ),
        ("n_stations", {"0–4": 4, "5–7": 2, "8–11": 0, "12–19": 0, "20 and more": 6}),
        ("network", {"outside": 6, "inside": 6}),
        ("magnitude", {"1–1.5": 6, "1.5–2": 2, "2–2.5": 4}),
    ],
)
def test_each_event_is_in_its_stratum(errors_and_geometry, by, expected):
    assert strata.stratify(*errors_and_geometry, by).n.to_dict() == expected


def test_strata_have_median_interval_and_magnitude(errors_and_geometry):
    table = strata.stratify(*errors_and_geometry, "azimuthal_gap")
    assert table.index.name == "azimuthal gap (°)"
    assert table.loc["0–90"].tolist() == [6, 1, 1, 1, pytest.approx(0.1)]
    few = table.loc["180–270"]
    assert few[["epicentral_km", "magnitude_rmse"]].tolist() == [11, pytest.approx(0.2)]
    assert few[["low_km", "high_km"]].isna().all()  # two events have no interval
    assert table.loc["90–180"].drop("n").isna().all()


def test_stratify_refuses_what_it_does_not_know(errors_and_geometry):
    table, geometry = errors_and_geometry
    with pytest.raises(UserError, match="no property 'mood': choose one of azimuthal_gap"):
        strata.stratify(table, geometry, "mood")
    with pytest.raises(UserError, match="lacks 1 events, such as e3"):
        strata.stratify(table, geometry.drop("e3"), "network")
    with pytest.raises(UserError, match="no event has a magnitude"):
        strata.stratify(table, geometry.assign(magnitude=np.nan), "magnitude")


def test_one_magnitude_alone_has_a_stratum(errors_and_geometry):
    table, geometry = errors_and_geometry
    assert strata.stratify(table, geometry.assign(magnitude=2.0), "magnitude").n.to_dict() == {"2–2.5": 12}


def test_event_geometry_of_the_twin():
    network = networks.load("colombia")
    catalogue = simulation.simulate(network, 60, 0)
    table = strata.event_geometry(catalogue, network)
    assert table.index.equals(catalogue.events.index)
    assert 0 < table.inside.mean() <= 1
    stations = network.station_table()
    centre = catalogue.events.assign(source_latitude_deg=network.centre[0], source_longitude_deg=network.centre[1])
    catalogue.events = centre
    assert strata.event_geometry(catalogue, network).inside.all()
    catalogue.events = centre.assign(source_latitude_deg=stations.latitude.max() + 1)
    assert not strata.event_geometry(catalogue, network).inside.any()


# -------------------------------------------------------------------------------------------------------- calibration


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


# ------------------------------------------------------------------------------------------- splits, and their testing


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
