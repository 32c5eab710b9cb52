"""Equations between intensity and peak velocity: published values, their inverse, and a fit whose answer is known."""

import numpy as np
import pytest

from seisbook.physics.felt_intensity import WORDEN, refit


def test_the_published_equation_has_its_published_values():
    assert WORDEN.intensity(np.array([0.0, 1.0])) == pytest.approx([3.78, 2.89 + 3.16])
    assert WORDEN.intensity(np.array([-2.0])) == pytest.approx([4.62 - 2 * 2.17])


def test_velocity_is_the_inverse_of_intensity_and_the_pieces_are_connected():
    intensity = np.linspace(1, 9, 81)
    velocity = WORDEN.velocity(intensity)
    assert WORDEN.intensity(velocity) == pytest.approx(intensity)
    assert np.diff(velocity).max() < 0.1
    assert (np.diff(velocity) > 0).all()


def test_fewer_answers_are_wider():
    few, many = WORDEN.sd(np.array([3.0, 3.0]), [0.4, 0.1])
    assert few > many > WORDEN.velocity_sd


def test_a_fit_finds_slope_and_both_errors():
    rng = np.random.default_rng(0)
    event = np.repeat(np.arange(400), 10)
    velocity, shared = rng.normal(-0.5, 1, event.size), rng.normal(0, 0.4, 400)
    sd = np.full(event.size, 0.3)
    own = rng.normal(0, np.hypot(0.5, 0.3), event.size)
    found = refit(velocity, 3.5 + 1.4 * velocity + shared[event] + own, sd, event)
    assert found.slope[0] == pytest.approx(1.4, abs=0.03)
    assert found.intercept[0] == pytest.approx(3.5, abs=0.05)
    assert found.shared_sd * 1.4 == pytest.approx(0.4, abs=0.05)
    assert found.velocity_sd * 1.4 == pytest.approx(0.5, abs=0.03)
    assert found.velocity(found.intensity(velocity)) == pytest.approx(velocity)


def test_a_fit_to_nothing_is_refused():
    with pytest.raises(ValueError, match="too few"):
        refit(np.zeros(3), np.zeros(3), np.zeros(3), np.zeros(3, int))
    falling = np.linspace(0, 1, 50)
    with pytest.raises(ValueError, match="does not grow"):
        refit(falling, -falling, np.zeros(50), np.zeros(50, int))
