"""Checks accept what is right and give a hint at each mistake that learners make."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from seisbook import bulletins, checks, networks, simulation, statistics
from seisbook.traveltimes import TravelTimes


@pytest.fixture(scope="module")
def network():
    return networks.load("ridgecrest")


@pytest.fixture(scope="module")
def catalogue(network):
    return simulation.simulate(network, 200, 1)


def by_station(catalogue, network):
    residuals = statistics.travel_time_residuals(catalogue, network, TravelTimes(network.velocity_model))
    return residuals.groupby(catalogue.readings.station_code)[["p_residual_s", "s_residual_s"]]


def test_station_residuals(catalogue, network):
    grouped = by_station(catalogue, network)
    right = grouped.median()
    assert checks.station_residuals(right, catalogue, network).startswith("Right")
    wrong = {"group by": right.reset_index(), "both columns": right[["p_residual_s"]], "observed minus": -right}
    wrong |= {"means": grouped.mean(), "not the medians": right + 1}
    for hint, answer in wrong.items():
        with pytest.raises(checks.Hint, match=hint):
            checks.station_residuals(answer, catalogue, network)


def test_b_values(catalogue):
    magnitudes = catalogue.events.source_magnitude
    estimate = statistics.completeness(magnitudes)
    right = [statistics.b_value(magnitudes, estimate + shift)[0] for shift in np.arange(-0.4, 1.3, 0.2)]
    assert checks.b_values(right, magnitudes).startswith("Right")
    for hint, answer in (("9 thresholds", right[:3]), ("lowest", right[::-1]), ("too small", sorted(right)[::-1])):
        with pytest.raises(checks.Hint, match=hint):
            checks.b_values(answer, magnitudes)
    with pytest.raises(checks.Hint, match="count from"):
        checks.b_values([value + 0.1 * (i > 3) for i, value in enumerate(right)], magnitudes)


def prediction(east, north=0.0, magnitude=2.0):
    return SimpleNamespace(epicentre=torch.tensor([[east, north]]), magnitude=torch.tensor([magnitude]))


def test_moved():
    here = prediction(0.0)
    assert "1000.000 km east" in checks.moved(here, prediction(1000.0))
    wrong = {"nothing has moved": here, "first column": prediction(1000.0, 1000.0)}
    wrong |= {"all": prediction(400.0), "magnitude has changed": prediction(1000.0, 0.0, 3.0)}
    for hint, there in wrong.items():
        with pytest.raises(checks.Hint, match=hint):
            checks.moved(here, there)


def test_warm_start():
    cold = SimpleNamespace(start_from=None, history_=[{"epicentral_km": 50.0}])
    warm = SimpleNamespace(start_from=object(), history_=[{"epicentral_km": 8.0}])
    assert checks.warm_start(warm, cold).startswith("Right: 8.0 km")
    with pytest.raises(checks.Hint, match="start_from"):
        checks.warm_start(cold, cold)
    with pytest.raises(checks.Hint, match="fit it"):
        checks.warm_start(SimpleNamespace(start_from=object()), cold)


def test_aggregations():
    errors = {"max": [1.0, 2.0, 3.0], "mean": [2.0, 3.0, 4.0], "softmax": [1.5, 2.5, 3.5]}
    assert "differ by 0.5 km; by luck alone 0.6 km" in checks.aggregations(errors)
    with pytest.raises(checks.Hint, match="three aggregations"):
        checks.aggregations({"max": [1.0]})
    with pytest.raises(checks.Hint, match="different seeds"):
        checks.aggregations(errors | {"max": [1.0, 1.0, 1.0]})


def test_a_hint_is_one_line_in_jupyter():
    hint = checks.Hint("look again")
    assert hint._render_traceback_() == ["Not yet: look again"]


def test_says_where():
    assert checks.says_where("/x/network.yaml: velocity_model.vp_vs: too large").startswith("Right")
    with pytest.raises(checks.Hint, match="name the file"):
        checks.says_where("ValueError")


def test_fewer_stations(catalogue, network):
    sparse = replace(network, stations=network.stations[::2])
    assert checks.fewer_stations(bulletins.at_known_stations(catalogue, sparse), sparse, catalogue).startswith("Right")
    with pytest.raises(checks.Hint, match="all stations"):
        checks.fewer_stations(catalogue, network, catalogue)
    with pytest.raises(checks.Hint, match="at_known_stations"):
        checks.fewer_stations(catalogue, sparse, catalogue)


def test_better_terms(catalogue, network):
    bare = replace(network, stations=[replace(one, p_term_s=0.0, s_term_s=0.0) for one in network.stations])
    with pytest.raises(checks.Hint, match="still have no delays"):
        checks.better_terms(bare, network, catalogue)
    medians = by_station(catalogue, network).median()
    stations = [
        replace(
            station,
            p_term_s=float(medians.p_residual_s[station.code]),
            s_term_s=float(medians.s_residual_s[station.code]),
        )
        for station in network.stations
    ]
    assert checks.better_terms(replace(network, stations=stations), network, catalogue).startswith("Right")
    stations[0] = replace(stations[0], p_term_s=1.0)
    with pytest.raises(checks.Hint, match="delays of P"):
        checks.better_terms(replace(network, stations=stations), network, catalogue)
