r"""The one renderer: from onsets, amplitudes and periods to seismograms.

A bulletin says when P and S arrived, how far the ground moved and with which period; it does not hold the seismogram.
This module draws one that has exactly these readings, by the stochastic method (Boore 2003):

1. white noise, one series per component of motion;
2. times an envelope that is zero before the onset, jumps up there and decays with the coda, plus a spike for the
   direct wave;
3. filtered by a Brune (1970) spectrum whose corner gives the dominant period, and by the Wood-Anderson band;
4. turned from radial and transverse to north and east, and scaled to the peak amplitude that was read;
5. added to noise of the ground between Peterson's (1993) low- and high-noise models.

Every filter is causal, so that nothing moves before an onset.

What it stands in for: ground displacement in the Wood-Anderson band, in nm, as far as onset times, peak amplitudes,
dominant periods, S-P times and noise tell of source and path; that is what locates an earthquake and gives its
magnitude.

Where it breaks down: the coda is random, not scattered by real structure, and no two stations share a
waveform; there are no head waves before Pg, no converted or surface waves, no depth phases, no focal mechanism or
directivity (polarities and amplitude ratios are random), no attenuation but that of the read period, no site
resonance, and none of the glitches, gaps and clock errors of instruments. A network trained on it has learnt geometry
and size, not texture.

References
----------
D. M. Boore (2003), Simulation of ground motion using the stochastic method, Pure appl. geophys. 160, 635-676.

J. N. Brune (1970), Tectonic stress and the spectra of seismic shear waves from earthquakes, J. Geophys. Res.
75, 4997-5009.

J. Peterson (1993), Observations and modeling of seismic background noise, USGS Open-File Report 93-322.
"""

import zlib
from functools import lru_cache

import numpy as np
import scipy.fft

WOOD_ANDERSON_HZ = 1.25  # natural period 0.8 s
P_TO_S = 0.2, 0.3  # median peak of P over that of S, and standard deviation of its natural logarithm
P_CORNER = 1.5  # corner frequency of P over that of S
DIRECT = 3.0, 1.5  # peak of the direct P and S over the standard deviation of the coda at its onset
NOMINAL_PEAK = 2.1  # peak of a rendered S group, where the standard deviation at its onset is 1
WEIGHTS = np.array([[[1.0], [0.5], [0.2]], [[0.35], [0.6], [1.0]]], "float32")
"""Motion of P and S (rows) on vertical, radial and transverse."""
PERIOD_SCATTER = 0.3  # standard deviation of the natural logarithm of a predicted period


# --------------------------------------------------------------------------------------------------------------- pieces


def envelope(time_s, decay_s):
    """Envelope of a wave group: 0 before the onset, 1 at it, exponential coda after it.

    Parameters
    ----------
    time_s : array_like
        Seconds after the onset (negative before it; NaN where the wave is absent, which gives 0).
    decay_s : array_like
        Time after which the coda has fallen to 1/e; see `coda_decay`.
    """
    time_s = np.asarray(time_s)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(time_s >= 0, np.exp(-np.maximum(time_s, 0) / decay_s), 0)


def coda_decay(s_minus_p_s):
    """Decay times of the P and S codas (s), growing with distance, for which the S-P time stands."""
    distance = np.nan_to_num(np.maximum(s_minus_p_s, 0.0), nan=5.0)
    return 0.5 + 0.35 * distance, 1.0 + 0.6 * distance


def brune_filter(frequency_hz, corner_hz, sampling_rate_hz):
    r"""Response of the filter whose impulse response is Brune's displacement pulse, :math:`t\,e^{-2\pi f_c t}`.

    .. math:: H(f) = (1 + i f / f_c)^{-2}

    as a digital (bilinear) filter, hence causal on the samples. Unit response at zero frequency.
    """
    return (1 + 1j * _warp(frequency_hz, sampling_rate_hz) / _warp(corner_hz, sampling_rate_hz)) ** -2


def wood_anderson_filter(frequency_hz, sampling_rate_hz, natural_hz=WOOD_ANDERSON_HZ):
    """Response of the Wood-Anderson seismometer to displacement: a second-order high-pass with damping 0.7."""
    ratio = _warp(frequency_hz, sampling_rate_hz) / _warp(natural_hz, sampling_rate_hz)
    return -(ratio**2) / (1 - ratio**2 + 1.4j * ratio)


def _warp(frequency_hz, sampling_rate_hz):
    """Analogue frequency that the bilinear transform puts at a digital one (the Nyquist frequency stays finite)."""
    nyquist = 0.999 * sampling_rate_hz / 2
    return sampling_rate_hz / np.pi * np.tan(np.pi * np.minimum(frequency_hz, nyquist) / sampling_rate_hz)


def displacement_psd(noise_level, frequency_hz, sampling_rate_hz):
    """Power spectral density of ground noise in the Wood-Anderson band (nm^2/Hz).

    Parameters
    ----------
    noise_level : array_like, shape (stations,)
        0 for Peterson's low-noise model, 1 for the high-noise model, linear in dB between them.
    frequency_hz : ndarray, shape (frequencies,)

    Returns
    -------
    ndarray, shape (stations, frequencies)

    Notes
    -----
    The band has two more poles at 1.25 Hz than the seismometer, as SEISAN's for the amplitudes of small earthquakes, or
    the oceans' microseism would hide them.
    """
    safe = np.maximum(frequency_hz, 1e-3)
    low, high = (np.interp(np.log(1 / safe), np.log(p[::-1]), db[::-1]) for p, db in _peterson())
    decibel = low + np.multiply.outer(np.asarray(noise_level, float), high - low)
    band = np.abs(wood_anderson_filter(frequency_hz, sampling_rate_hz)) ** 4
    return 10 ** (decibel / 10) / (2 * np.pi * safe) ** 4 * band * 1e18


@lru_cache(maxsize=1)
def _peterson():
    """Periods and accelerations (s, dB) of the low- and the high-noise model."""
    from obspy.signal.spectral_estimation import get_nhnm, get_nlnm  # takes seconds, and few need it

    return get_nlnm(), get_nhnm()


@lru_cache(maxsize=8)
def _noise_table(sampling_rate_hz):
    """Noise levels and the standard deviation of noise (nm) at each."""
    levels = np.linspace(0, 1, 101)
    frequency = np.linspace(0.02, sampling_rate_hz / 2, 2000)
    psd = displacement_psd(levels, frequency, sampling_rate_hz)
    return levels, np.sqrt(np.trapezoid(psd, frequency, axis=-1))


def noise_rms_nm(noise_level, sampling_rate_hz):
    """Standard deviation of ground noise in the Wood-Anderson band (nm)."""
    levels, rms = _noise_table(float(sampling_rate_hz))
    return np.exp(np.interp(noise_level, levels, np.log(rms)))


def noise_level_of(rms_nm, sampling_rate_hz):
    """Noise level whose standard deviation is `rms_nm`; the inverse of `noise_rms_nm`, within 0 and 1."""
    levels, rms = _noise_table(float(sampling_rate_hz))
    return np.interp(np.log(np.maximum(rms_nm, 1e-30)), np.log(rms), levels)


def peterson_noise(noise_level, n_samples, sampling_rate_hz, rng):
    """Draw ground noise: Gaussian, with Peterson's spectrum in the Wood-Anderson band.

    Returns
    -------
    ndarray of float32, shape (stations, 3, n_samples)
        Nanometres.
    """
    n = scipy.fft.next_fast_len(n_samples, real=True)
    frequency = scipy.fft.rfftfreq(n, 1 / sampling_rate_hz)
    amplitude = np.sqrt(displacement_psd(noise_level, frequency, sampling_rate_hz) * sampling_rate_hz * n / 2)
    white = rng.standard_normal((len(amplitude), 3, len(frequency), 2), dtype="float32").view("complex64")[..., 0]
    white *= (amplitude / np.sqrt(2)).astype("float32")[:, None]
    return scipy.fft.irfft(white, n, overwrite_x=True)[..., :n_samples]


# ------------------------------------------------------------------------------------------------------------- renderer


def render(p_s, s_s, amplitude_nm, period_s, noise_level, azimuth_deg, window, random_state=0):
    """Render the seismograms of one event.

    Parameters
    ----------
    p_s, s_s : array_like, shape (stations,)
        Onsets in seconds after the first sample; NaN for a wave that is absent. A wave that began before the window is
        there with its coda; one beyond its end is cut.
    amplitude_nm : array_like, shape (stations,)
        Peak displacement.
    period_s : array_like, shape (stations,)
        Dominant period.
    noise_level : array_like, shape (stations,)
        Between Peterson's low- (0) and high-noise (1) models.
    azimuth_deg : array_like, shape (stations,)
        Azimuth from the epicentre to the station.
    window : Window
    random_state : int, SeedSequence or Generator

    Returns
    -------
    waveforms : ndarray of float32, shape (stations, 3, samples)
        Components Z, N, E in nm. Where S begins within the window, the largest absolute value of the three components
        after it, noise included, is `amplitude_nm`; unless the noise alone exceeds it, when the signal alone has that
        peak.
    p_sample, s_sample : ndarray of float, shape (stations,)
        Onsets in samples, with fraction; NaN where there is none within the window.
    """
    rng = np.random.default_rng(random_state)
    p_s, s_s, amplitude_nm, period_s, noise_level, azimuth_deg = (
        np.atleast_1d(np.asarray(values, float))
        for values in (p_s, s_s, amplitude_nm, period_s, noise_level, azimuth_deg)
    )
    signal = shaped_signal(p_s, s_s, period_s, azimuth_deg, window, rng)
    noise = peterson_noise(noise_level, window.samples, window.sampling_rate_hz, rng)
    signal *= signal_scale(signal, noise, s_s, amplitude_nm, window)[:, None, None]
    return signal + noise, _sample(p_s, window), _sample(s_s, window)


def _sample(onset_s, window):
    sample = onset_s * window.sampling_rate_hz
    with np.errstate(invalid="ignore"):
        return np.where((sample >= 0) & (sample <= window.samples - 1), sample, np.nan)


def shaped_signal(p_s, s_s, period_s, azimuth_deg, window, rng):
    """P and S groups, filtered and turned to Z, N, E, of about unit standard deviation at the S onset.

    Returns
    -------
    ndarray of float32, shape (stations, 3, samples)
    """
    rate = window.sampling_rate_hz
    n = scipy.fft.next_fast_len(window.samples + round(4 * rate), real=True)  # room for the filters to ring out
    frequency = scipy.fft.rfftfreq(n, 1 / rate).astype("float32")
    ratio = P_TO_S[0] * np.exp(P_TO_S[1] * rng.standard_normal(len(p_s)))
    strengths = ratio, np.ones(len(p_s))
    spectrum = 0
    for wave, onset, decay, strength in zip(range(2), (p_s, s_s), coda_decay(s_s - p_s), strengths, strict=True):
        corner = corner_frequency(period_s, rate) * (P_CORNER if wave == 0 else 1)
        response = group_response(frequency, corner, period_s, rate) * strength[:, None]
        spectrum = spectrum + response.astype("complex64")[:, None] * scipy.fft.rfft(
            excitation(onset, decay, corner, wave, n, window, rng), axis=-1
        )
    motion = scipy.fft.irfft(spectrum, n, overwrite_x=True)[..., : window.samples]
    return _to_north_east(motion, np.radians(azimuth_deg))


def excitation(onset_s, decay_s, corner_hz, wave, n, window, rng):
    """Input of a wave group's filter: enveloped white noise, and a spike for the direct wave, on Z, R and T.

    Returns
    -------
    ndarray of float32, shape (stations, 3, n)
    """
    sampling_rate_hz = window.sampling_rate_hz
    time = (np.arange(n) - (onset_s * sampling_rate_hz)[:, None]) / sampling_rate_hz
    series = rng.standard_normal((len(onset_s), 3, n), dtype="float32")
    series *= envelope(time, decay_s[:, None]).astype("float32")[:, None]
    first = np.nan_to_num(np.floor(onset_s * sampling_rate_hz), nan=-1).astype(int)
    part = np.nan_to_num(onset_s * sampling_rate_hz - first)
    spike = DIRECT[wave] * _direct_gain(corner_hz, sampling_rate_hz)
    sign = rng.choice([-1.0, 1.0], (len(onset_s), 3)) * np.exp(0.3 * rng.standard_normal((len(onset_s), 3)))
    station = np.arange(len(onset_s))
    for sample, share in ((first, 1 - part), (first + 1, part)):  # an onset between two samples is shared by them
        inside = (sample >= 0) & (sample < n)
        series[station[inside], :, sample[inside]] += (sign * (spike * share)[:, None])[inside]
    series[..., window.samples :] = 0  # silence, in which the filters ring out before they reach the start again
    return series * WEIGHTS[wave]


def _direct_gain(corner_hz, sampling_rate_hz):
    r"""Spike whose Brune pulse peaks at the standard deviation of equally filtered unit white noise.

    The pulse :math:`\omega^2 t e^{-\omega t}` peaks at :math:`\omega/e`; filtered white noise has the variance
    :math:`\omega/4` (both over the sampling rate).
    """
    omega = 2 * np.pi * corner_hz / sampling_rate_hz
    return np.sqrt(omega / 4) * np.e / omega


def group_response(frequency_hz, corner_hz, period_s, sampling_rate_hz):
    """Filter of a wave group, shape (stations, frequencies): Brune's times the Wood-Anderson's, white noise keeping
    its power.

    Periods beyond the seismometer's own lower its corner with them, as the analyst who read such a period saw it.
    """
    natural = np.minimum(WOOD_ANDERSON_HZ, 0.7 / period_s)[:, None]
    response = brune_filter(frequency_hz, corner_hz[:, None], sampling_rate_hz)
    response = response * wood_anderson_filter(frequency_hz, sampling_rate_hz, natural)
    return response / np.sqrt(np.mean(np.abs(response) ** 2, axis=-1, keepdims=True))


def corner_frequency(period_s, sampling_rate_hz):
    """Brune corner frequency (Hz) for which S crosses zero twice in each `period_s`."""
    corner, period = _corner_table(float(sampling_rate_hz))
    return np.exp(np.interp(np.log(period_s), period, corner))


def _to_north_east(motion, azimuth):
    """Turn (Z, R, T) into (Z, N, E); radial points from source to station, transverse to its right."""
    sin, cos = (function(azimuth).astype("float32")[:, None] for function in (np.sin, np.cos))
    radial, transverse = motion[:, 1].copy(), motion[:, 2].copy()
    motion[:, 1] = radial * cos - transverse * sin
    motion[:, 2] = radial * sin + transverse * cos
    return motion


@lru_cache(maxsize=8)
def _corner_table(sampling_rate_hz):
    """Logarithms of corner frequencies and of the periods (increasing) that they give."""
    periods, corners = np.geomspace(0.05, 10, 40), np.geomspace(0.02, 0.45 * sampling_rate_hz, 60)
    frequency = np.linspace(0, sampling_rate_hz / 2, 800)
    table = []
    for period in periods:
        power = np.abs(group_response(frequency, corners, np.array([period]), sampling_rate_hz)) ** 2
        crossings = np.sqrt(power @ frequency**2 / power.sum(axis=1))  # Rice (1944): half the rate of zero crossings
        table.append(np.interp(-np.log(period), np.log(crossings), np.log(corners)))
    return np.array(table), np.log(periods)


def signal_scale(signal, noise, s_s, amplitude_nm, window):
    r"""Factor by which each station's signal must be multiplied for its peak to be the one that was read.

    Solves :math:`\max_t |g\,s(t) + n(t)| = A` over the samples after the S onset. The left side is convex and piecewise
    linear in `g`, so that Newton's method from above reaches the root in a few steps.
    """
    nominal = amplitude_nm / NOMINAL_PEAK
    time = np.arange(window.samples) / window.sampling_rate_hz
    with np.errstate(invalid="ignore"):
        inside = (s_s >= 0) & (s_s <= window.length_s - 1)
    after = (time >= np.where(inside, s_s, np.inf)[:, None])[:, None]
    s, n = ((after * series).reshape(len(signal), -1) for series in (signal, noise))
    loudest, noisiest = (np.abs(series).max(axis=1) for series in (s, n))
    loudest = np.where(inside, loudest, 1.0)
    scale, station = (amplitude_nm + noisiest) / loudest, np.arange(len(s))
    solvable = inside & (noisiest < amplitude_nm)
    for _ in range(5 if solvable.any() else 0):
        total = scale[:, None].astype("float32") * s + n
        peak = np.abs(total).argmax(axis=1)
        slope, there = s[station, peak], n[station, peak]
        step = np.copysign(amplitude_nm, total[station, peak]) - there
        scale = np.where(solvable, step / np.where(slope == 0, np.inf, slope), scale)
    return np.where(solvable, scale, np.where(inside, amplitude_nm / loudest, nominal)).astype("float32")


def render_event(readings, window, random_state=0):
    """Cut a window at random before an event's first arrival and render its seismograms.

    Parameters
    ----------
    readings : DataFrame
        One event's rows of `seisbook.physics.missing_readings.complete_readings`.
    window : Window
    random_state : int
        With the event's name it seeds the event's own generator: same numbers whatever else is rendered, and where.

    Returns
    -------
    source_id : str
    readings : DataFrame
        The rows, with `trace_p_arrival_sample` and `trace_s_arrival_sample` (NaN outside the window).
    waveforms : ndarray of float32, shape (stations, 3, samples)
        Z, N, E in nm.
    window_start_s : float
        First sample, in seconds after the origin time.
    """
    source_id = readings.source_id.iloc[0]
    rng = event_generator(random_state, source_id, "render")
    first = np.nanmin(readings[["path_p_travel_s", "path_s_travel_s"]].to_numpy())
    start = first - rng.uniform(*window.lead_s)
    waveforms, p_sample, s_sample = render(
        readings.path_p_travel_s - start,
        readings.path_s_travel_s - start,
        readings.trace_amplitude_nm,
        readings.trace_amplitude_period_s,
        readings.trace_noise_level,
        readings.path_azimuth_deg,
        window,
        rng,
    )
    rows = readings.assign(trace_p_arrival_sample=p_sample, trace_s_arrival_sample=s_sample)
    return source_id, rows, waveforms, float(start)


def event_generator(random_state, source_id, purpose):
    """Random numbers of one event for one purpose, the same in whatever company or process the event is treated."""
    words = [int(random_state), zlib.crc32(source_id.encode()), zlib.crc32(purpose.encode())]
    return np.random.default_rng(np.random.SeedSequence(words))


def steps(p_s, s_s, amplitude_nm, period_s, noise_level, window, random_state=0):
    """One vertical seismogram with the stages of its making, for `seisbook.figures.seismograms.rendering_steps`.

    Returns
    -------
    dict
        `noise` (white), `envelope`, `signal` (shaped and scaled, nm), `trace` (with ground noise, nm), each of shape
        (samples,); `p_s`, `s_s`, `sampling_rate_hz`.

    Notes
    -----
    The white noise and the envelope are of the kind that `render` uses inside; signal and trace are what it returns.
    """
    rng = np.random.default_rng(random_state)
    values = [np.array([float(value)]) for value in (p_s, s_s, amplitude_nm, period_s, noise_level, 0.0)]
    rate = window.sampling_rate_hz
    time = np.arange(window.samples) / rate
    p_decay, s_decay = coda_decay(s_s - p_s)
    shape = np.hypot(P_TO_S[0] * envelope(time - p_s, p_decay), WEIGHTS[1, 0, 0] * envelope(time - s_s, s_decay))
    signal = shaped_signal(values[0], values[1], values[3], values[5], window, rng)
    noise = peterson_noise(values[4], window.samples, rate, rng)
    signal *= signal_scale(signal, noise, values[1], values[2], window)[:, None, None]
    return {
        "noise": np.random.default_rng(random_state).standard_normal(window.samples),
        "envelope": shape,
        "signal": signal[0, 0],
        "trace": (signal + noise)[0, 0],
        "p_s": p_s,
        "s_s": s_s,
        "sampling_rate_hz": rate,
    }
