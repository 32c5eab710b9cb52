r"""Real texture for rendered seismograms: what real records show, measured, and a renderer that draws from it.

`seisbook.physics.rendering` draws noise from Peterson's models, gives all waves the same radiation and the same coda,
and lets every onset jump. Here, all of these come from real records:

- *noise*: what a station recorded before its first onset, its colour and its bursts as they are;
- *texture*: strength of P and S on each component, time from onset to peak, decay of the codas, and the fall-off
  :math:`e^{-\pi \kappa f}` of the spectrum at high frequencies (Anderson and Hough 1984);
- *site*: the frequency at which the horizontals exceed the vertical most, and by how much.

A record's texture is drawn as a whole, so that what belongs together stays together. A station draws its noise and its
site from one real station. After some hours it is another one.

What it stands in for: a real record of the same onsets, amplitude and period, at a place that nobody has measured.

Where it breaks down: the coda is still random, without scatterers that events share; converted and surface waves are
there only as far as they lengthen a rise or a coda; the radiation of the source is that of the records at hand.

References
----------
J. G. Anderson and S. E. Hough (1984), A model for the shape of the Fourier amplitude spectrum of acceleration at high
frequencies, Bull. Seismol. Soc. Am. 74, 1969-1993.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.fft
from scipy import signal

from seisbook.errors import UserError
from seisbook.physics import rendering
from seisbook.physics.rendering import WOOD_ANDERSON_HZ

COMPONENTS = "zrt"
STRENGTHS = tuple(f"{wave}_{component}" for wave in "ps" for component in COMPONENTS)
TEXTURE = (*STRENGTHS, "p_rise_s", "s_rise_s", "p_decay", "s_decay", "kappa_s")
SITE = ("site_hz", "site_gain")
GROUP_S = 1.0  # of a wave group whose strength is measured
SMOOTH_S = 0.2  # of an envelope
LEAST_RATIO = 3.0  # rms of the S group over that of the noise, of a record that is measured
BEFORE_ONSET_S = 0.3  # that noise keeps away from the first onset
LEAST_NOISE_S = 1.5
LEAST_CODA_S = 1.5  # above the noise, of which a decay is measured
KAPPA_BAND_HZ = 8.0, 20.0
SITE_BAND_HZ = 1.5, 15.0
SITE_WIDTH = 4.0  # resonance over its half width
LARGEST_GAIN = 8.0
SOURCE_EVENTS = 50  # events during which a station keeps its noise and site
NOISE_SCATTER = 0.3  # standard deviation of log10 of the noise, from record to record


@dataclass(frozen=True)
class Texture:
    """What the real records of one or more networks show.

    Parameters
    ----------
    records : DataFrame
        A row for each record with P and S: `TEXTURE`, `SITE` and `station`.
    noise : ndarray of float32, shape (pieces, 2, 3, samples)
        Noise as displacement in the Wood-Anderson band, of unit root mean square, and as the velocity it was read from,
        in units of the same displacement a second.
    station : ndarray of str, shape (pieces,)
        Station of each piece.
    """

    records: pd.DataFrame
    noise: np.ndarray
    station: np.ndarray


# ------------------------------------------------------------------------------------------------------------ measured


def displacement(velocity, sampling_rate_hz):
    """Displacement above 1.25 Hz of ground velocity (..., samples): integrated, filtered (Butterworth, causal)."""
    filters = signal.butter(2, WOOD_ANDERSON_HZ, "highpass", fs=sampling_rate_hz, output="sos")
    integrated = np.cumsum(signal.detrend(velocity, axis=-1), -1) / sampling_rate_hz
    return signal.sosfilt(filters, integrated, axis=-1)


def measure(velocity, onset_s, azimuth_deg, station, sampling_rate_hz, window) -> Texture:
    """Measure the texture of real records.

    Parameters
    ----------
    velocity : ndarray, shape (records, 3, samples)
        Z, N, E, in any unit.
    onset_s : ndarray, shape (records, 2)
        P and S in seconds after the first sample; NaN where there is none.
    azimuth_deg : ndarray, shape (records,)
        From the epicentre to the station.
    station : sequence of str, shape (records,)
    sampling_rate_hz : float
    window : Window
        Of the seismograms that are to be rendered.

    Raises
    ------
    UserError
        If no record has noise and both onsets.
    """
    velocity = resampled(np.asarray(velocity, float), sampling_rate_hz, window.sampling_rate_hz)
    rate, station = window.sampling_rate_hz, np.asarray(station).astype(str)
    moved = displacement(velocity, rate)
    pieces, owners, rows = [], [], []
    for i in np.flatnonzero(moved.any((1, 2)) & np.isfinite(onset_s[:, 0])):
        noise = _noise(velocity[i], moved[i], onset_s[i, 0], rate, window.samples)
        if noise is not None:
            pieces.append(noise)
            owners.append(station[i])
        if row := _texture(moved[i], onset_s[i], azimuth_deg[i], rate):
            rows.append({"station": station[i], **row})
    if not pieces or not rows:
        raise UserError("texture: no record has noise before its P, and P and S above it: give records with picks")
    return Texture(pd.DataFrame(rows), np.array(pieces, "float32"), np.array(owners))


def resampled(x, given_hz, wanted_hz):
    """Series (..., samples) at another sampling rate, if it differs; the anti-alias filter has zero phase."""
    if given_hz == wanted_hz:
        return x
    return signal.resample_poly(x, round(10 * wanted_hz), round(10 * given_hz), axis=-1)


def _noise(velocity, moved, p_s, rate, samples):
    """Noise before P as displacement and as velocity, as long as a window; None if it is too short or silent.

    A short piece goes on with its mirror image, which keeps its spectrum.
    """
    begin, end = round(0.3 * rate), round((p_s - BEFORE_ONSET_S) * rate)
    if end - begin < LEAST_NOISE_S * rate:
        return None
    pair = np.stack([one - one.mean(-1, keepdims=True) for one in (moved[:, begin:end], velocity[:, begin:end])])
    rms = np.sqrt(np.mean(pair[0] ** 2))
    if not rms > 0:
        return None
    longer = max(0, samples - pair.shape[-1])
    return np.pad(pair / rms, ((0, 0), (0, 0), (0, longer)), "reflect")[..., :samples]


def _texture(moved, onset_s, azimuth_deg, rate):
    """Texture and site of one record (3, samples) of displacement; empty if it lacks an onset or a clear S."""
    p, s = onset_s
    length = moved.shape[-1] / rate
    if not (np.isfinite(s) and p > 0.5 and s - p > 0.4 and s < length - 2 * GROUP_S):
        return {}
    motion = _ray(moved, azimuth_deg)
    noise = _rms(motion, 0.3, p - BEFORE_ONSET_S, rate)
    groups = [_rms(motion, start, start + min(GROUP_S, s - p), rate) for start in (p, s)]
    total = np.sqrt((groups[1] ** 2).mean())
    if not total > LEAST_RATIO * np.sqrt((noise**2).mean()) or not min(groups[0].min(), groups[1].min()) > 0:
        return {}
    heights = [np.sqrt(np.maximum(group**2 - noise**2, 0.04 * group**2)) / total for group in groups]
    smooth = np.full(round(SMOOTH_S * rate), 1 / round(SMOOTH_S * rate))
    level = np.sqrt(np.convolve((motion**2).mean(0), smooth, "same"))
    floor = np.sqrt((noise**2).mean())
    usual = rendering.coda_decay(s - p)
    row = dict(zip(STRENGTHS, np.concatenate(heights), strict=True))
    for wave, start, end, decay in zip("ps", (p, s), (s - 0.1, length), usual, strict=True):
        row[f"{wave}_rise_s"], fitted = _rise_and_decay(level, start, end, floor, rate)
        row[f"{wave}_decay"] = float(np.clip(fitted / decay, 0.2, 8.0))
    return {**row, "kappa_s": _kappa(motion, s, rate), **_site(motion, s, rate)}


def _ray(moved, azimuth_deg):
    """Vertical, radial and transverse motion of Z, N, E."""
    sin, cos = np.sin(np.radians(azimuth_deg)), np.cos(np.radians(azimuth_deg))
    z, north, east = moved
    return np.stack([z, north * cos + east * sin, east * cos - north * sin])


def _compass(motion, azimuth_deg):
    """Z, N, E (stations, 3, samples) of vertical, radial and transverse motion; the inverse of `_ray`."""
    sin, cos = (function(np.radians(azimuth_deg))[:, None] for function in (np.sin, np.cos))
    z, radial, transverse = motion.transpose(1, 0, 2)
    return np.stack([z, radial * cos - transverse * sin, radial * sin + transverse * cos], 1)


def _rms(motion, start_s, end_s, rate):
    part = motion[:, max(0, round(start_s * rate)) : max(1, round(end_s * rate))]
    return np.sqrt((part**2).mean(-1)) if part.shape[-1] else np.zeros(len(motion))


def _rise_and_decay(level, start_s, end_s, floor, rate):
    """Seconds from an onset to the peak of the envelope, and its decay time after that: NaN if noise hides it."""
    part = level[round(start_s * rate) : round(end_s * rate)]
    peak = int(part[: round(2 * rate)].argmax())
    fall = part[peak:]
    below = np.flatnonzero(fall < 2 * floor)
    fall = fall[: below[0]] if len(below) else fall
    if len(fall) < LEAST_CODA_S * rate:
        return peak / rate, np.nan
    slope = np.polyfit(np.arange(len(fall)) / rate, np.log(fall), 1)[0]
    return peak / rate, 1 / max(-slope, 1e-2)


def _kappa(motion, s_s, rate):
    r"""Fall-off of the horizontals' S spectrum beyond Brune's :math:`f^{-2}`, at least 0."""
    frequency, spectrum = _spectrum(motion[1:], s_s, rate)
    inside = (frequency >= KAPPA_BAND_HZ[0]) & (frequency <= min(KAPPA_BAND_HZ[1], 0.4 * rate))
    flat = np.log(spectrum.mean(0)[inside]) + 2 * np.log(frequency[inside])
    return float(np.clip(-np.polyfit(frequency[inside], flat, 1)[0] / np.pi, 0.0, 0.15))


def _site(motion, s_s, rate):
    """Frequency at which the horizontals exceed the vertical most in the S coda, and by how much more than usual."""
    frequency, spectrum = _spectrum(motion, s_s, rate, 2.0)
    inside = (frequency >= SITE_BAND_HZ[0]) & (frequency <= min(SITE_BAND_HZ[1], 0.4 * rate))
    ratio = np.log(spectrum[1:].mean(0) / spectrum[0])[inside]
    ratio = np.convolve(ratio, np.full(5, 0.2), "same")[2:-2]
    best = int(ratio.argmax())
    gain = np.clip(np.exp(ratio[best] - np.median(ratio)), 1.0, LARGEST_GAIN)
    return {"site_hz": float(frequency[inside][2:-2][best]), "site_gain": float(gain)}


def _spectrum(motion, start_s, rate, length_s=2.0):
    """Amplitude spectra of a stretch that begins at an onset, tapered."""
    part = motion[:, round(start_s * rate) : round((start_s + length_s) * rate)]
    tapered = part * signal.windows.hann(part.shape[-1])
    spectrum = np.abs(scipy.fft.rfft(tapered, round(length_s * rate), axis=-1))
    return scipy.fft.rfftfreq(round(length_s * rate), 1 / rate), spectrum + 1e-12 * spectrum.max()


# ------------------------------------------------------------------------------------------------------------- drawn


@dataclass(frozen=True)
class Ingredients:
    """What is taken from real records; all else is drawn as `seisbook.physics.rendering` does.

    Parameters
    ----------
    noise, texture, site : bool
    velocity : bool
        Half of the events are ground velocity with all its noise, as seismometers give it, in place of displacement.
        Their amplitudes stay those of the displacement.
    """

    noise: bool = False
    texture: bool = False
    site: bool = False
    velocity: bool = False


def render_event(readings, window, texture, ingredients, random_state, sources):
    """Render one event's seismograms with real texture.

    Parameters
    ----------
    readings : DataFrame
        One event's traces, as the metadata of a rendered dataset have them.
    window : Window
    texture : Texture
    ingredients : Ingredients
    random_state : int
    sources : dict of str to str
        For each station the real station that its noise and its site are taken from.

    Returns
    -------
    ndarray of float32, shape (stations, 3, samples)
        Z, N, E in nm.
    """
    rng = rendering.event_generator(random_state, readings.source_id.iloc[0], "texture")
    rate = window.sampling_rate_hz
    onset = readings[["trace_p_arrival_sample", "trace_s_arrival_sample"]].to_numpy(float).T / rate
    period = readings.trace_amplitude_period_s.to_numpy(float)
    owners = [sources[code] for code in readings.station_code]
    drawn = texture.records.iloc[rng.integers(len(texture.records), size=len(readings))].reset_index(drop=True)
    azimuth = readings.path_azimuth_deg.to_numpy(float)
    if ingredients.texture:
        moved = textured_signal(*onset, period, azimuth, window, drawn, rng)
    else:
        moved = rendering.shaped_signal(*onset, period, azimuth, window, rng)
    if ingredients.site:
        moved = resonant(moved, _of_stations(texture, owners, rng), rate)
    level = readings.trace_noise_level.to_numpy(float)
    noise = _drawn_noise(level, texture, ingredients, owners, window, rng)
    amplitude = readings.trace_amplitude_nm.to_numpy(float)
    moved = moved * rendering.signal_scale(moved, noise[0], onset[1], amplitude, window)[:, None, None]
    if not (ingredients.velocity and rng.random() < 0.5):
        return (moved + noise[0]).astype("float32")
    felt = np.diff(moved, axis=-1, prepend=0.0) * rate + noise[1]
    peaks = [np.abs(one).max((1, 2), keepdims=True) for one in (moved + noise[0], felt)]
    return (felt * (peaks[0] / peaks[1])).astype("float32")


def _of_stations(texture, owners, rng):
    """A record of each owner, or of any station where it has none."""
    groups = texture.records.groupby("station").indices
    everyone = np.arange(len(texture.records))
    return texture.records.iloc[[rng.choice(groups.get(owner, everyone)) for owner in owners]]


def _drawn_noise(level, texture, ingredients, owners, window, rng):
    """Noise of each station as displacement (nm) and as velocity, (2, stations, 3, samples)."""
    rate = window.sampling_rate_hz
    if not ingredients.noise:
        moved = rendering.peterson_noise(level, window.samples, rate, rng)
        return np.stack([moved, np.diff(moved, axis=-1, prepend=moved[..., :1]) * rate])
    pieces = [rng.choice(np.flatnonzero(texture.station == owner)) for owner in owners]
    chosen = np.roll(texture.noise[pieces], int(rng.integers(window.samples)), -1)
    scale = rendering.noise_rms_nm(level, rate) * 10 ** (NOISE_SCATTER * rng.standard_normal(len(level)))
    return np.moveaxis(chosen * scale[:, None, None, None], 1, 0).astype("float32")


def draw_sources(codes, texture, rng) -> dict:
    """A real station for each station code, from those whose noise is known."""
    known = np.unique(texture.station)
    return {code: str(rng.choice(known)) for code in codes}


def textured_signal(p_s, s_s, period_s, azimuth_deg, window, drawn, rng):
    """As `seisbook.physics.rendering.shaped_signal`, with the texture of real records.

    Parameters
    ----------
    p_s, s_s, period_s, azimuth_deg : ndarray, shape (stations,)
    window : Window
    drawn : DataFrame
        A row of `Texture.records` for each station.
    rng : Generator
    """
    rate = window.sampling_rate_hz
    n = scipy.fft.next_fast_len(window.samples + round(4 * rate), real=True)
    frequency = scipy.fft.rfftfreq(n, 1 / rate).astype("float32")
    absorbed = attenuation(drawn.kappa_s.to_numpy(), n, rate)
    spectrum = 0
    for wave, name, onset, usual in zip(range(2), "ps", (p_s, s_s), rendering.coda_decay(s_s - p_s), strict=True):
        decay = usual * drawn[f"{name}_decay"].fillna(1.0).to_numpy()
        corner = rendering.corner_frequency(period_s, rate) * (rendering.P_CORNER if wave == 0 else 1)
        series = rendering.excitation(onset, decay, corner, wave, n, window, rng) / rendering.WEIGHTS[wave]
        series *= _rise(onset, drawn[f"{name}_rise_s"].to_numpy(), n, rate)[:, None]
        strength = drawn[[f"{name}_{component}" for component in COMPONENTS]].to_numpy("float32")
        response = rendering.group_response(frequency, corner, period_s, rate) * absorbed
        series = series * strength[..., None]
        spectrum = spectrum + response.astype("complex64")[:, None] * scipy.fft.rfft(series, axis=-1)
    motion = scipy.fft.irfft(spectrum, n, overwrite_x=True)[..., : window.samples]
    return _compass(motion, azimuth_deg).astype("float32")


def _rise(onset_s, rise_s, n, rate):
    """Growth of a wave group after its onset, which reaches 95 % at the measured time of the peak."""
    time = np.arange(n) / rate - onset_s[:, None]
    scale = np.maximum(rise_s - SMOOTH_S / 2, 0.02)[:, None] / 3
    with np.errstate(over="ignore", invalid="ignore"):
        grown = 1 - np.exp(-(np.maximum(time, 0) + SMOOTH_S / 4) / scale)
        return np.where(time > -1 / rate, grown, 0).astype("float32")


def attenuation(kappa_s, n, sampling_rate_hz):
    r"""Response of the causal filter whose amplitude is :math:`e^{-\pi\kappa f}`: that of least phase.

    Its phase follows from its amplitude by the folded cepstrum. Shape (stations, n // 2 + 1).
    """
    frequency = scipy.fft.rfftfreq(n, 1 / sampling_rate_hz)
    cepstrum = scipy.fft.irfft(-np.pi * np.multiply.outer(np.asarray(kappa_s, float), frequency), n)
    cepstrum[:, 1 : (n + 1) // 2] *= 2
    cepstrum[:, n // 2 + 1 :] = 0
    return np.exp(scipy.fft.rfft(cepstrum, axis=-1))


def resonant(moved, sites, sampling_rate_hz):
    """Seismograms (stations, 3, samples) whose horizontals resonate as real sites do; the filter is causal."""
    n = scipy.fft.next_fast_len(moved.shape[-1] + round(2 * sampling_rate_hz), real=True)
    frequency = scipy.fft.rfftfreq(n, 1 / sampling_rate_hz)
    ratio = _warped(frequency, sampling_rate_hz) / _warped(sites.site_hz.to_numpy(), sampling_rate_hz)[:, None]
    damped = 1j * ratio / SITE_WIDTH
    response = (1 - ratio**2 + sites.site_gain.to_numpy()[:, None] * damped) / (1 - ratio**2 + damped)
    found = moved.copy()
    shaped = scipy.fft.irfft(scipy.fft.rfft(moved[:, 1:], n, axis=-1) * response[:, None], n, axis=-1)
    found[:, 1:] = shaped[..., : moved.shape[-1]]
    return found


def _warped(frequency_hz, sampling_rate_hz):
    """Analogue frequency that the bilinear transform puts at a digital one, which keeps a resonance causal."""
    return np.tan(np.pi * np.minimum(frequency_hz / sampling_rate_hz, 0.4995))
