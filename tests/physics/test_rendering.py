import numpy as np
import pytest

from seisbook.catalogues.schema import Window
from seisbook.physics import rendering

NATIONAL, LOCAL = Window(120.0, 20.0, (5.0, 15.0)), Window(30.0, 50.0, (2.0, 5.0))


def event(window, n=12, seed=0, period_s=0.3):
    """Onsets, amplitudes, periods, quiet noise levels and azimuths for one event."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.06, 0.2, n) * window.length_s
    s = p + rng.uniform(0.05, 0.3, n) * window.length_s
    return p, s, 10 ** rng.uniform(2, 4, n), np.full(n, period_s), np.full(n, 0.2), rng.uniform(0, 360, n)


def pick(series):
    """Akaike-criterion onset (Maeda 1985): the split into two stationary halves that fits best."""
    k = np.arange(8, len(series) - 8)
    head = np.array([series[:i].var() for i in k])
    tail = np.array([series[i:].var() for i in k])
    return k[np.argmin(k * np.log(head) + (len(series) - k) * np.log(tail))]


@pytest.mark.parametrize("window", [NATIONAL, LOCAL], ids=["20 Hz", "50 Hz"])
def test_peak_after_s_is_the_amplitude_that_was_read(window):
    p, s, amplitude, *rest = event(window)
    waveforms, _, _ = rendering.render(p, s, amplitude, *rest, window, 0)
    assert waveforms.shape == (12, 3, window.samples)
    assert waveforms.dtype == np.float32
    time = np.arange(window.samples) / window.sampling_rate_hz
    peaks = [np.abs(traces[:, time >= onset]).max() for traces, onset in zip(waveforms, s, strict=True)]
    np.testing.assert_allclose(peaks, amplitude, rtol=0.01)


def test_noise_louder_than_the_amplitude_does_not_inflate_the_signal():
    p, s, _, period, _, azimuth = event(LOCAL)
    waveforms, _, _ = rendering.render(p, s, np.full(12, 1.0), period, np.ones(12), azimuth, LOCAL, 0)
    quiet = rendering.noise_rms_nm(1.0, 50.0)
    assert np.std(waveforms) == pytest.approx(quiet, rel=0.1)


@pytest.mark.parametrize("window", [NATIONAL, LOCAL], ids=["20 Hz", "50 Hz"])
def test_picker_finds_the_onset_that_was_asked_for(window):
    rate, errors = window.sampling_rate_hz, []
    for seed in range(8):
        p, s, amplitude, period, _, azimuth = event(window, seed=seed)
        level = rendering.noise_level_of(amplitude / 100, rate)
        waveforms, p_sample, _ = rendering.render(p, s, amplitude, period, level, azimuth, window, seed)
        for vertical, onset, s_onset in zip(waveforms[:, 0], p_sample, s * rate, strict=True):
            noise = vertical[: int(onset)].std()
            if np.abs(vertical[int(onset) : int(onset + rate)]).max() < 10 * noise:
                continue
            first = int(onset - 1.5 * rate)
            errors.append(first + pick(vertical[first : int(min(onset + rate, s_onset))].astype(float)) - onset)
    assert len(errors) > 60
    assert np.median(errors) == pytest.approx(0, abs=1)
    assert np.mean(np.abs(errors) <= 2) > 0.9


def test_nothing_moves_before_the_onset():
    p, s, _, period, _, azimuth = event(LOCAL)
    signal = rendering.shaped_signal(p, s, period, azimuth, LOCAL, np.random.default_rng(0))
    for traces, onset in zip(signal, p * 50, strict=True):
        before = traces[:, : int(onset)]
        assert np.abs(before).max() < 1e-3 * np.abs(traces).max()


def test_s_is_largest_on_the_transverse_component_and_p_on_the_vertical():
    n = 200
    north = np.zeros(n)  # stations north of the source: radial is N, transverse E
    onsets = np.full(n, 5.0), np.full(n, 15.0)
    signal = rendering.shaped_signal(*onsets, np.full(n, 0.2), north, LOCAL, np.random.default_rng(0))
    p, s = (np.abs(signal[:, :, first : first + 100]).max(axis=-1).mean(axis=0) for first in (250, 750))
    assert p[0] > p[1] > p[2]
    assert s[2] > s[1] > s[0]
    assert np.median(p[0] / s[2]) == pytest.approx(0.2, rel=0.3)
    east = rendering.shaped_signal(*onsets, np.full(n, 0.2), np.full(n, 90.0), LOCAL, np.random.default_rng(0))
    np.testing.assert_allclose(east[:, 2], signal[:, 1], atol=1e-4)  # what was radial now points east


@pytest.mark.parametrize("period", [0.25, 0.4, 0.8, 1.5])
def test_dominant_period_is_the_one_asked_for(period):
    n = 60
    onsets = np.full(n, 3.0), np.full(n, 10.0)
    signal = rendering.shaped_signal(*onsets, np.full(n, period), np.zeros(n), NATIONAL, np.random.default_rng(0))
    group = signal[:, 2, 200:440]
    crossings = (np.diff(np.sign(group)) != 0).sum(axis=-1)
    assert np.median(2 * 12.0 / crossings) == pytest.approx(period, rel=0.3)


def test_waves_outside_the_window_are_cut():
    values = np.array([100.0] * 4), np.array([0.3] * 4), np.array([0.1] * 4), np.zeros(4)
    p, s = np.array([-5.0, 10.0, 40.0, np.nan]), np.array([3.0, 50.0, 60.0, 5.0])
    waveforms, p_sample, s_sample = rendering.render(p, s, *values, LOCAL, 0)
    assert np.isfinite(waveforms).all()
    np.testing.assert_array_equal(np.isnan(p_sample), [True, False, True, True])
    np.testing.assert_array_equal(np.isnan(s_sample), [False, True, True, False])
    quiet = rendering.noise_rms_nm(0.1, 50.0)
    assert np.std(waveforms[2]) < 2 * quiet
    assert np.abs(waveforms[1]).max() < 100  # only P is within, fainter than the S peak that was read
    assert np.abs(waveforms[3, :, :240]).max() < 10 * quiet


def test_coda_goes_on_after_an_onset_before_the_window():
    one = np.ones(1)
    arguments = one * 400, one * 0.3, one * 0.0, one * 0
    waveforms, _, _ = rendering.render(one * -20, one * -2, *arguments, LOCAL, 0)
    assert np.std(waveforms[..., :100]) > 5 * rendering.noise_rms_nm(0.0, 50.0)


def test_noise_has_petersons_spectrum():
    """Between two levels the spectrum lies half way in dB; its power is that of the model."""
    rng = np.random.default_rng(0)
    noise = rendering.peterson_noise(np.full(50, 0.5), 3000, 50.0, rng)
    assert noise.shape == (50, 3, 3000)
    assert noise.dtype == np.float32
    frequency = np.fft.rfftfreq(3000, 0.02)
    power = (np.abs(np.fft.rfft(noise)) ** 2).mean(axis=(0, 1)) * 2 / 50 / 3000
    model = rendering.displacement_psd([0.5], frequency, 50.0)[0]
    band = (frequency > 0.5) & (frequency < 20)
    assert np.median(power[band] / model[band]) == pytest.approx(1, abs=0.05)
    assert noise.std() == pytest.approx(rendering.noise_rms_nm(0.5, 50.0), rel=0.05)
    low, middle, high = (rendering.displacement_psd([level], frequency[1:], 50.0)[0] for level in (0, 0.5, 1))
    np.testing.assert_allclose(middle, np.sqrt(low * high))


def test_acceleration_at_one_second_is_petersons():
    """NLNM is -166.4 dB and NHNM -116.8 dB at 1 s (Peterson 1993, tables 3 and 4)."""
    band = np.abs(rendering.wood_anderson_filter(np.array([1.0]), 50.0)) ** 4
    psd = rendering.displacement_psd([0, 1], np.array([1.0]), 50.0)[:, 0] / band / 1e18 * (2 * np.pi) ** 4
    np.testing.assert_allclose(10 * np.log10(psd), [-166.4, -116.8], atol=0.5)


def test_noise_level_and_rms_are_inverse():
    levels = np.linspace(0, 1, 7)
    np.testing.assert_allclose(rendering.noise_level_of(rendering.noise_rms_nm(levels, 20.0), 20.0), levels, atol=1e-6)
    np.testing.assert_array_equal(rendering.noise_level_of([0, 1e9], 20.0), [0, 1])


def test_brune_filter_is_the_transform_of_brunes_pulse():
    rate, n = 1000.0, 8192
    response = rendering.brune_filter(np.fft.rfftfreq(n, 1 / rate), 2.0, rate)
    pulse = np.fft.irfft(response, n)
    time, omega = np.arange(n) / rate, 2 * np.pi * 2
    np.testing.assert_allclose(pulse * rate, omega**2 * time * np.exp(-omega * time), atol=0.05)
    assert np.abs(response[0]) == 1


def test_envelope_starts_at_the_onset():
    np.testing.assert_allclose(rendering.envelope([-1, 0, 2, np.nan], 2.0), [0, 1, np.exp(-1), 0])


def test_rendering_is_deterministic_and_seeds_differ():
    arguments = event(LOCAL)
    one, two, other = (rendering.render(*arguments, LOCAL, seed)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)


def test_steps_hold_what_the_chapter_shows():
    steps = rendering.steps(5.0, 10.0, 200.0, 0.3, 0.3, LOCAL, 0)
    assert {len(steps[name]) for name in ("noise", "envelope", "signal", "trace")} == {LOCAL.samples}
    assert (steps["envelope"][:250] == 0).all()
    assert np.abs(steps["trace"]).max() <= 200 * 1.01
