from itertools import combinations

import numpy as np
import pytest

from seisbook.catalogues import networks
from seisbook.errors import UserError
from seisbook.measures import optimal_design
from seisbook.physics.traveltimes import TravelTimes

AROUND = 20 * np.array([[0, 1], [1, 0], [0, -1], [-1, 0], [0.8, 0.7], [0.1, 0.9], [-3, 2]])


@pytest.fixture(scope="module")
def network():
    return networks.load("ridgecrest")


@pytest.fixture(scope="module")
def travel_times(network):
    return TravelTimes(network.velocity_model)


def informed(network, travel_times, offset=AROUND, depth=8.0):
    return optimal_design.station_information(network, travel_times, offset, depth, np.zeros(len(offset)))


def test_information_is_that_of_the_onset_times_own_differences(network, travel_times):
    (found,) = informed(network, travel_times, [[12.0, -16.0]])
    expected, step = np.zeros((4, 4)), 0.5
    for wave, time in enumerate((travel_times.p, travel_times.s)):

        def onset(theta, time=time):
            return time(np.hypot(12 - theta[0], -16 - theta[1]), 8 + theta[2], 0.0) + theta[3]

        slope = np.array([(onset(step * row) - onset(-step * row)) / (2 * step) for row in np.eye(4)])
        near, far = network.pick_scatter_s[wave], 0.2 * network.pick_scatter_per_100km_s  # 20 km away
        expected += np.outer(slope, slope) / (near**2 + far**2)
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=0.02 * abs(expected).max())


def test_a_station_never_takes_information_away(network, travel_times):
    information = informed(network, travel_times)
    assert np.linalg.matrix_rank(information[0]) == 2  # P and S
    for k in range(1, len(AROUND)):
        few = optimal_design.log_determinant(information, np.arange(k))
        assert optimal_design.log_determinant(information, np.arange(k + 1)) > few


def efficiencies(information, k=3):
    """Of all sets, by set."""
    sets = list(combinations(range(len(information)), k))
    best = optimal_design.best_set(information, k)
    return dict(zip(sets, optimal_design.efficiency(information, sets, best), strict=True))


@pytest.mark.parametrize("k", [1, 3, 6])
def test_the_best_set_is_found_among_all_and_nobody_is_better(network, travel_times, k):
    information = informed(network, travel_times)
    found = efficiencies(information, k)
    assert max(found.values()) == 1
    assert found[tuple(optimal_design.best_set(information, k))] == 1
    prior = np.linalg.inv(optimal_design.PRIOR)
    determinants = {one: np.linalg.det(prior + information[list(one)].sum(0)) for one in found}
    for one, value in found.items():
        assert value == pytest.approx((determinants[one] / max(determinants.values())) ** 0.25, rel=1e-6)


def test_stations_on_all_sides_beat_as_near_ones_on_one_side(network, travel_times):
    angle = np.radians([0, 120, 240, 5, 10])
    found = efficiencies(informed(network, travel_times, 20 * np.column_stack([np.sin(angle), np.cos(angle)])))
    assert found[0, 1, 2] > 0.99
    assert found[0, 3, 4] < 0.5


@pytest.mark.parametrize("turn", [17.0, 90.0, 211.0])
def test_directions_of_the_compass_do_not_matter(network, travel_times, turn):
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    turned = AROUND @ np.array([[cos, sin], [-sin, cos]])
    one, other = (efficiencies(informed(network, travel_times, offset)) for offset in (AROUND, turned))
    assert one == pytest.approx(other, rel=1e-6)


def test_twice_the_readings_are_an_efficiency_twice_as_high(network, travel_times):
    information = informed(network, travel_times)
    single = optimal_design.log_determinant(information, [0, 1, 2, 3])
    double = optimal_design.log_determinant(2 * information, [0, 1, 2, 3])
    assert np.exp((double - single) / 4) == pytest.approx(2, rel=0.01)  # but for the weak prior


def test_the_greedy_order_adds_the_best_station_each_time(network, travel_times):
    information = informed(network, travel_times)
    order = optimal_design.greedy_order(information)
    assert sorted(order) == list(range(7))
    for k in range(7):
        values = [optimal_design.log_determinant(information, [*order[:k], one]) for one in order[k:]]
        assert values[0] == max(values)


def test_too_few_stations_and_too_many_sets_are_refused(network, travel_times, monkeypatch):
    information = informed(network, travel_times)
    for k in (0, 8):
        with pytest.raises(UserError, match="from 1 to 7"):
            optimal_design.best_set(information, k)
    monkeypatch.setattr(optimal_design, "MOST_SETS", 34)
    with pytest.raises(UserError, match="too many sets of 3 among 7"):
        optimal_design.best_set(information, 3)
