from dataclasses import replace

import numpy as np
import pytest
import torch

from seisbook.catalogues import networks
from seisbook.datasets.events import Events
from seisbook.errors import UserError
from seisbook.measures import informative

RATE, SAMPLES, ONSET_S = 50.0, 1500, 10.0


@pytest.fixture(scope="module")
def ridgecrest():
    return networks.load("ridgecrest")


@pytest.fixture
def wave():
    """Eight stations with white noise, and from P on a wave of 4 Hz that is twenty times larger."""
    generator = torch.Generator().manual_seed(0)
    time = torch.arange(SAMPLES) / RATE
    signal = 20 * (time >= ONSET_S) * torch.sin(2 * torch.pi * 4 * time)
    x = torch.randn(8, 3, SAMPLES, generator=generator) + signal
    peak = x.abs().amax((1, 2))
    angle = torch.arange(8) * torch.pi / 4
    return Events(
        x=(x / peak[:, None, None]).half(),
        pos=torch.stack([20 * angle.sin(), 20 * angle.cos(), torch.full((8,), 0.8)], -1),
        amplitude=peak.log10(),
        onset_s=torch.tensor([[ONSET_S, 12.0]]).repeat(8, 1),
        start=np.array([0, 8]),
        y=torch.tensor([[0.0, 0.0, 8.0, 2.0]]),
        source_id=np.array(["one"]),
        origin_time=np.array(["2020-01-01"], "datetime64[ns]"),
    )


def test_the_ratio_is_that_of_the_band(wave):
    in_band = informative.signal_to_noise(wave, RATE, 4.0)
    # a sine of 20 has an rms of 14.1; white noise of 1 keeps sqrt(bandwidth / Nyquist frequency) in an octave at 4 Hz
    assert np.median(in_band) == pytest.approx(14.1 / np.sqrt(2.83 / 25), rel=0.2)
    assert np.median(informative.signal_to_noise(wave, RATE, 16.0)) < 3


def test_without_an_onset_there_is_no_ratio(wave):
    onset = wave.onset_s.clone()
    onset[:3, 0] = torch.nan
    onset[3, 0] = 0.5  # nothing before it
    ratio = informative.signal_to_noise(replace(wave, onset_s=onset), RATE, 4.0)
    assert np.isnan(ratio[:4]).all()
    assert np.isfinite(ratio[4:]).all()


def test_informative_severities_follow_the_rules(wave, ridgecrest):
    chosen = informative.severities(wave, ridgecrest)
    assert 4.0 in chosen["band_pass"]
    assert 16.0 not in chosen["band_pass"]
    assert max(chosen["joint_shift"]) <= ridgecrest.window.lead_s[0]
    assert chosen["independent_shift"] == (0.05, 0.1, 0.2)


def test_the_floor_rises_with_the_doubt(wave, ridgecrest, travel_times):
    rising = [
        informative.floor_km(wave, ridgecrest, travel_times, onset_s, clock_s)[0]
        for onset_s, clock_s in ((0, 0), (0.1, 0), (0.5, 0), (0.5, 0.5))
    ]
    assert np.all(np.diff(rising) > 0)


def test_a_clock_leaves_s_minus_p(wave, ridgecrest, travel_times):
    """However wrong clocks are, P and S of one station share the error, so that the floor stays finite."""
    lost = informative.floor_km(wave, ridgecrest, travel_times, clock_s=1e3)[0]
    only_p = torch.stack([wave.onset_s[:, 0], torch.full((8,), torch.nan)], 1)
    hopeless = informative.floor_km(replace(wave, onset_s=only_p), ridgecrest, travel_times, clock_s=1e3)[0]
    assert lost < 5 < hopeless


def test_too_few_onsets_have_no_floor(wave, ridgecrest, travel_times):
    onset = torch.full((8, 2), torch.nan)
    onset[0, 0] = ONSET_S
    assert np.isinf(informative.floor_km(replace(wave, onset_s=onset), ridgecrest, travel_times)).all()


def test_doubt_is_that_of_the_axis():
    assert informative.doubt_s("band_pass", 2.0) == (pytest.approx(0.3 / (2 * (2**0.5 - 0.5**0.5))), 0.0)
    assert informative.doubt_s("independent_shift", 0.2) == (0.0, 0.2)
    assert informative.doubt_s("gap", 5.0) == (0.0, 0.0)


def test_negative_doubt_is_refused(wave, ridgecrest, travel_times):
    with pytest.raises(UserError, match="give 0 or more"):
        informative.floor_km(wave, ridgecrest, travel_times, onset_s=-1)
