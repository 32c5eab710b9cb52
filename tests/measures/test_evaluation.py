import json

import numpy as np
import pytest
from scipy import stats

from seisbook.errors import UserError
from seisbook.measures import calibration, evaluation
from seisbook.models.error_model import TAIL
from tests.made_up import labelled, predicted, simulated

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
