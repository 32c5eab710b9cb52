import numpy as np
import pandas as pd
import pytest

from seisbook.physics import hourly_noise
from seisbook.physics.rendering import noise_rms_nm

RATE = 50.0


@pytest.fixture(scope="module")
def made():
    """Noise of 12 events at 8 stations, each station and each event with its own level; the last event has few."""
    rng = np.random.default_rng(1)
    event, station = (values.ravel() for values in np.meshgrid(np.arange(12), np.arange(8), indexing="ij"))
    kept = (event < 11) | (station < 3)
    event, station = event[kept], station[kept]
    level = np.linspace(-0.4, 0.5, 12)[event] + 0.2 * station
    noise = rng.standard_normal((len(event), 3, 500))
    noise[:, :, 300:] *= 50  # the earthquake, which must not count
    return noise, level, np.full(len(event), 300 / RATE), station.astype(str), event


def test_the_level_of_an_hour_is_what_its_stations_share(made):
    found = hourly_noise.levels(*made, RATE)
    assert list(found.index) == list(range(11))  # the last event has too few stations
    assert np.diff(found) == pytest.approx(np.diff(np.linspace(-0.4, 0.5, 12))[:10], abs=0.03)


def test_a_record_without_noise_or_without_p_says_nothing(made):
    noise, peak, p_s, station, event = (values.copy() for values in made)
    p_s[event == 0] = np.nan
    noise[event == 1] = 0.0
    found = hourly_noise.levels(noise, peak, p_s, station, event, RATE)
    assert list(found.index) == list(range(2, 11))


def test_a_daily_cycle_is_found_if_there_is_one():
    hour = np.random.default_rng(0).uniform(0, 24, 50)
    assert hourly_noise.daily_share(np.sin(2 * np.pi * (hour - 3) / 24), hour) == pytest.approx(1.0)
    assert hourly_noise.daily_share(np.sin(2 * np.pi * hour / 3.1), hour) < 0.3


def test_all_stations_share_the_level_of_their_hour():
    times = ["2020-01-01T00:10:00.5+00:00", "2020-01-01T00:50:00+00:00", "2020-01-01T01:10:00+00:00"]
    readings = pd.DataFrame({"source_origin_time": np.repeat(times, 4), "trace_noise_level": [0.4, 0.5, 0.6, 0.7] * 3})
    known = np.array([-0.3, 0.1, 0.4])
    found = hourly_noise.changed(readings, known, RATE, random_state=4)
    factor = np.log10(noise_rms_nm(found.trace_noise_level, RATE) / noise_rms_nm(readings.trace_noise_level, RATE))
    assert factor == pytest.approx(np.repeat(factor[::4], 4))
    assert factor[0] == pytest.approx(factor[4])  # of one hour
    assert np.abs(factor[:, None] - known).min(1).max() < 1e-6
    levels = {round(hourly_noise.changed(readings, known, RATE, seed).trace_noise_level[0], 6) for seed in range(20)}
    assert len(levels) == len(known)
