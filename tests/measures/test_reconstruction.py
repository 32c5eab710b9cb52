"""Scores of reconstructed fields."""

import numpy as np
import pytest

from seisbook.measures import reconstruction
from seisbook.models.field_methods import REACH, EventTerm, LawAlone, Reconstruction, hide
from tests.models.made_fields import parts


def test_only_hidden_values_count_and_far_misses_are_cut():
    _, test = parts()
    test = test.select([0, 1])
    observed = hide(test, 0.5)
    test.values[np.flatnonzero(~observed)[0], 2] = np.nan
    shift = np.where(observed[:, None], 50.0, 0.1) * np.ones(5)
    far = np.flatnonzero(~observed)[-1]
    shift[far, 0] = 40.0
    prediction = Reconstruction(test.values + shift, np.full(shift.shape, 0.2))
    found = reconstruction.scores(prediction, test, observed)
    hidden = [int((~observed[test.rows(i)]).sum()) for i in range(2)]
    assert found["count"].tolist() == [5 * hidden[0] - 1, 5 * hidden[1]]
    assert found["square"][0] == pytest.approx(0.01 * found["count"][0], rel=1e-4)
    assert found["square"][1] == pytest.approx(0.01 * (found["count"][1] - 1) + 4, rel=1e-4)
    assert found["rmse"][1:] == pytest.approx(0.1, rel=1e-4)
    assert found["covered"][1:] == pytest.approx(1)
    assert found["covered"][0] == pytest.approx(1 - 1 / sum(hidden))


def test_coverage_and_score_of_honest_predictions():
    _, test = parts()
    observed = hide(test, 0.5)
    rng = np.random.default_rng(0)
    scale = np.full(test.values.shape, 0.1)
    drawn = 0.1 * rng.standard_t(4, test.values.shape)
    honest = reconstruction.scores(Reconstruction(test.values - drawn, scale), test, observed)
    bold = reconstruction.scores(Reconstruction(test.values - drawn, scale / 4), test, observed)
    assert honest["covered"] == pytest.approx(0.9, abs=0.04)
    assert (bold["covered"] < 0.5).all()
    assert (honest["crps"] < bold["crps"]).all()
    assert pytest.approx(2.132, abs=0.001) == REACH


def test_ratios_are_paired_by_event():
    rng = np.random.default_rng(1)
    square = rng.exponential(1, 200)
    ratio = reconstruction.ratio_of(1.21 * square, square)
    assert tuple(ratio) == pytest.approx((1.1, 1.1, 1.1))
    error = reconstruction.error_of(square, np.full(200, 4.0))
    assert error.low < error.value < error.high
    assert error.value == pytest.approx(np.sqrt(square.sum() / 800))


def test_with_no_station_a_method_falls_back_on_the_law():
    train, test = parts()
    methods = {"law": LawAlone().fit(train), "term": EventTerm().fit(train)}
    found = reconstruction.with_few(methods, test.select(range(20)))
    assert found.index.tolist() == [(count, name) for count in (3, 1, 0) for name in methods]
    errors = found.rmse.unstack()
    assert errors.law[3] == errors.law[1] == errors.law[0]
    assert errors.term[0] == pytest.approx(errors.law[0])
    assert errors.term[3] < errors.term[1] < errors.term[0]
    assert (found.low < found.rmse).all()
