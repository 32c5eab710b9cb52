r"""Severities at which a perturbation is a fair test, and how small an error could be under it.

A test says something of a model only where an answer is left in the data. These rules were written before any study was
run under them, and need nothing but unperturbed events. *Informative* are

- octave bands in which the median station's P has a signal-to-noise ratio of at least 3;
- joint shifts up to the shortest lead before the first arrival, so that no onset leaves the window;
- clock errors up to 0.2 s, about what a reading scatters.

At each severity an error is held against three things: itself without perturbation (its *growth*), kilometres, and a
*floor*, the Cramér-Rao bound for onsets that are as uncertain as the perturbation makes them. Growth alone would reward
whoever begins with large errors.
"""

import numpy as np
import torch

from seisbook.datasets.events import Events
from seisbook.errors import UserError
from seisbook.measures import perturbations
from seisbook.physics.bounds import hypocentral_covariance, onset_scatter, onset_slopes

LEAST_RATIO = 3.0
LARGEST_CLOCK_S = 0.2
BANDWIDTH = 2**0.5 - 0.5**0.5  # of an octave, over its centre frequency
RESOLUTION = 0.3  # standard deviation of an onset in a band, times the bandwidth
GROWTHS = {"ours": 2.0, "the paper's": 1.2}
"""Growth of the median error below which a model is stable: the rule of the claims, and the paper's 20 per cent."""


def severities(events: Events, network) -> dict[str, tuple[float, ...]]:
    """The informative severities of `band_pass`, `joint_shift` and `independent_shift` for unperturbed events."""
    rate, axes = network.window.sampling_rate_hz, perturbations.AXES
    bands = perturbations.severities("band_pass", rate)
    ratios = [float(np.nanmedian(signal_to_noise(events, rate, band))) for band in bands]
    return {
        "band_pass": tuple(band for band, ratio in zip(bands, ratios, strict=True) if ratio >= LEAST_RATIO),
        "joint_shift": tuple(s for s in axes["joint_shift"].severities if s <= network.window.lead_s[0]),
        "independent_shift": tuple(s for s in axes["independent_shift"].severities if s <= LARGEST_CLOCK_S),
    }


def signal_to_noise(events: Events, sampling_rate_hz: float, band_hz: float) -> np.ndarray:
    r"""Signal-to-noise ratio of P in an octave, at each station that has a P onset; NaN at the others.

    .. math:: \frac{\mathrm{rms}(t_P \ldots t_P + w)}{\mathrm{rms}(0.5\,\mathrm{s} \ldots t_P - g)}, \qquad
        w = \max(1\,\mathrm{s},\, 2 / f_0), \quad g = \max(0.5\,\mathrm{s},\, 1 / f_0)

    over the three components; a zero-phase filter spreads the onset over a period, which the gap `g` leaves out.

    Parameters
    ----------
    events : Events
        Unperturbed, with seismograms.
    sampling_rate_hz, band_hz : float

    Returns
    -------
    ndarray, shape (stations,)
    """
    filtered = perturbations.BandPass(band_hz).apply(events, sampling_rate_hz, progress=False)
    p = events.onset_s[:, :1]
    time = torch.arange(events.x.shape[-1]) / sampling_rate_hz
    after = (time >= p) & (time < p + max(1.0, 2 / band_hz))
    before = (time >= 0.5) & (time < p - max(0.5, 1 / band_hz))
    rms = [_rms(filtered.x, where) for where in (after, before)]
    known = (before.sum(1) > 5) & (after.sum(1) > 5) & (rms[1] > 0)
    return torch.where(known, rms[0] / rms[1], torch.nan).numpy()


def _rms(x, where):
    """Root mean square of seismograms (stations, 3, T) where a mask (stations, T) is true."""
    pairs = zip(x.split(500), where.split(500), strict=True)
    total = torch.cat([(part.float().square().mean(1) * at).sum(1) for part, at in pairs])
    return (total / where.sum(1).clamp(min=1)).sqrt()


def doubt_s(axis: str, severity: float) -> tuple[float, float]:
    """How uncertain a perturbation makes onsets and clocks, in seconds.

    Returns
    -------
    onset_s : float
        Standard deviation that a picker limited by the band's resolution adds to each onset: 0.3 over the bandwidth.
    clock_s : float
        Standard deviation that P and S of a station share.
    """
    onset = RESOLUTION / (BANDWIDTH * severity) if axis == "band_pass" else 0.0
    return onset, float(severity) if axis == "independent_shift" else 0.0


def floor_km(events: Events, network, travel_times, onset_s=0.0, clock_s=0.0) -> np.ndarray:
    r"""Cramér-Rao bound of the epicentre: root of the trace of the bound's 2 x 2 block, event by event.

    Onsets have the scatter of the network's picks, and `onset_s` more. A clock error is common to P and S of a station:

    .. math:: C_i = \begin{pmatrix} \sigma_P^2 + c^2 & c^2 \\ c^2 & \sigma_S^2 + c^2 \end{pmatrix}

    Parameters
    ----------
    events : Events
        With the stations that are left, and their true onsets; a missing onset (NaN) tells nothing.
    network : Network
    travel_times : TravelTimes
    onset_s, clock_s : float
        See `doubt_s`.

    Returns
    -------
    ndarray, shape (events,)
        Infinite where the readings do not determine the epicentre.

    Raises
    ------
    UserError
        If a standard deviation is negative.
    """
    if onset_s < 0 or clock_s < 0:
        raise UserError(f"floor_km: standard deviations of {onset_s:g} and {clock_s:g} s: give 0 or more")
    event = np.repeat(np.arange(len(events)), np.diff(events.start))
    y, pos = events.y.double().numpy()[event], events.pos.double().numpy()
    offset = pos[:, :2] - y[:, :2]
    distance, azimuth = np.hypot(*offset.T), np.degrees(np.arctan2(*offset.T))
    read = np.isfinite(events.onset_s.numpy())
    variance = np.empty((len(pos), 2))
    slopes = np.empty((len(pos), 2, 4))
    for wave in (0, 1):
        variance[:, wave] = onset_scatter(network, wave, distance) ** 2 + onset_s**2
        at = np.full(len(pos), wave), distance, azimuth, y[:, 2], 1000 * pos[:, 2]
        slopes[:, wave] = onset_slopes(travel_times, *at)[1]
    variance = np.where(read, variance, 1e12)  # an onset that is not there
    rows = _whitened(variance, clock_s, slopes).reshape(-1, 4)
    covariance = hypocentral_covariance(rows, np.repeat(event, 2), len(events))
    return np.sqrt(covariance[:, 0, 0] + covariance[:, 1, 1])


def _whitened(variance, clock_s, slopes):
    """Slopes (stations, 2, 4) in units of onset errors, of which each station's two share a clock error."""
    total = variance + clock_s**2
    first = np.sqrt(total[:, 0])
    lower = clock_s**2 / first
    second = np.sqrt(total[:, 1] - lower**2)
    p = slopes[:, 0] / first[:, None]
    return np.stack([p, (slopes[:, 1] - lower[:, None] * p) / second[:, None]], 1)
