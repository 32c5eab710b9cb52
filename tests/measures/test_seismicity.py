import numpy as np
import pytest

from seisbook.errors import UserError
from seisbook.measures import seismicity


def gutenberg_richter(b, n, smallest=0.95, seed=0):
    magnitudes = smallest + np.random.default_rng(seed).exponential(np.log10(np.e) / b, n)
    return np.round(magnitudes, 1)


@pytest.mark.parametrize("b", [0.7, 1.0, 1.4])
def test_b_value_of_a_gutenberg_richter_sample(b):
    estimates = np.array([seismicity.b_value(gutenberg_richter(b, 1000, seed=seed), 1.0, 0.1) for seed in range(60)])
    assert estimates[:, 0].mean() == pytest.approx(b, rel=0.015)
    assert estimates[:, 1].mean() == pytest.approx(estimates[:, 0].std(), rel=0.3)


def test_b_value_ignores_what_is_below_completeness_and_nan():
    complete = gutenberg_richter(1.0, 2000)
    polluted = np.r_[complete, np.full(500, 0.3), np.nan]
    assert seismicity.b_value(polluted, 1.0) == seismicity.b_value(complete, 1.0)


def test_b_value_of_one_magnitude_is_refused():
    with pytest.raises(UserError, match="fewer than two magnitudes above 3"):
        seismicity.b_value([1.0, 2.0, 3.0], 3.0)


def test_completeness_is_the_fullest_bin_plus_two_tenths():
    assert seismicity.completeness([1.0, 1.1, 1.1, 1.1, 1.2, 1.3, np.nan]) == pytest.approx(1.3)
    with pytest.raises(UserError, match="no finite magnitude"):
        seismicity.completeness([np.nan])


def test_wadati_recovers_vp_vs_among_misread_onsets():
    rng = np.random.default_rng(0)
    source = np.repeat(np.arange(200), 6)
    p = rng.uniform(2, 40, source.size)
    s = 1.76 * p + rng.normal(0, 0.3, p.size) + 0.76 * rng.normal(0, 0.2, 200)[source]
    s[:60] += 15  # a later phase, taken for S
    p[0], s[1] = np.nan, np.nan
    ratio = seismicity.wadati(p, s, source)
    assert ratio.low < 1.76 < ratio.high
    assert ratio.high - ratio.low < 0.01
    with pytest.raises(UserError, match="both a P and an S"):
        seismicity.wadati([1.0, np.nan], [np.nan, 2.0], ["a", "b"])


def test_wadati_interval_grows_when_the_readings_of_an_event_share_an_error():
    rng = np.random.default_rng(0)
    p = rng.uniform(5, 40, 600)
    s = 1.75 * p + np.repeat(rng.normal(0, 1, 60), 10)
    together = seismicity.wadati(p, s, np.repeat(np.arange(60), 10))
    apart = seismicity.wadati(p, s, np.arange(600))
    assert together.high - together.low > 1.5 * (apart.high - apart.low)
