import numpy as np
import pytest

from seisbook.studies import informative


@pytest.fixture
def asked(events, monkeypatch):
    """The study's answers on sixty simulated events, by axis and severity."""
    monkeypatch.setattr(informative, "load_events", lambda network, source, n, seed, progress: events)
    for kept in (informative._events, informative._informative):
        kept.cache_clear()
    trials = informative.trials("ridgecrest", "bulletin", "paper")
    yield {(t["axis"], t["severity"]): result for t, result in zip(trials, informative.run(trials), strict=True)}
    for kept in (informative._events, informative._informative):
        kept.cache_clear()


def test_data_say_what_is_informative(asked):
    assert asked["joint_shift", 2.0]["informative"]
    assert not asked["joint_shift", 8.0]["informative"]
    assert not asked["none", None]["informative"]
    assert {severity for axis, severity in asked if axis == "band_pass"} == {0.5, 1.0, 2.0, 4.0, 8.0, 16.0}
    assert asked["band_pass", 4.0]["signal_to_noise"] > asked["band_pass", 0.5]["signal_to_noise"]


def test_floors_rise_with_what_is_lost(asked):
    floors = {place: informative.summary(result)["floor_km"] for place, result in asked.items()}
    assert floors["none", None] < floors["independent_shift", 0.2] < floors["independent_shift", 1.0]
    assert floors["none", None] < floors["nearest_dropout", 3]
    assert floors["joint_shift", 2.0] == 1.0  # of what has no floor of its own
    assert len(asked["none", None]["floor_km"]) == len(asked["band_pass", 2.0]["floor_km"])


def test_an_event_without_a_bound_is_infinite():
    assert informative.summary({"informative": False, "floor_km": [None, None, 1.0]})["floor_km"] == np.inf
