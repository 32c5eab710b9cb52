"""What goes wrong with seismograms and stations, drawn anew for every training step.

`Trouble.strike` draws one thing for each event of a ragged batch of seismograms: a filter, a shift of the window,
clocks that are wrong, noise, or at one station a spike, clipping, dead components, a gap, exchanged components.
`lose_stations` does the same to events that a stem has read: a wrong place, a wrong gain, stations that are missing.
They are of the kinds of `seisbook.measures.perturbations`, which tests are made with, but are drawn at random
severities. A model that is trained with them has seen every kind of trouble that it is tested on.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import scipy.fft
import torch
from torch import Tensor

from seisbook.models.robust import Onsets
from seisbook.physics.rendering import peterson_noise

KINDS = {
    "none": 0.20,
    "filter": 0.27,
    "joint shift": 0.13,
    "clocks": 0.06,
    "noise": 0.12,
    "spike": 0.05,
    "clipping": 0.07,
    "dead": 0.03,
    "gap": 0.05,
    "exchange": 0.02,
}
"""Probability of each kind of trouble with the seismograms of an event."""
CALM = {"none": 1.0}
JOINT_SHIFT_S = 1.5, 10.0  # largest shift of a window, of an event without and with this trouble
CLOCK_S = 1.2  # largest standard deviation of clock errors
NOISE_DB = -8.0, 20.0
LOWEST_HZ, HIGHEST_HZ = 0.4, 18.0  # centre or corner of a filter
NOISES = 120  # pieces of noise to draw from
POLES = 8  # twice the order of the Butterworth filters
EDGE_S = 0.5  # an onset this close to the window's end is not there


class Struck(NamedTuple):
    """Seismograms after the trouble: `traces` (stations, 3, T), `amplitude` (stations,), log10 of their peaks; and what
    the stem should find: `onset_s` (stations, 2), NaN where it is unknown, and `absent` (stations, 2), whether there is
    no onset in the window.
    """

    traces: Tensor
    amplitude: Tensor
    onset_s: Tensor
    absent: Tensor


@dataclass
class Trouble:
    """Draws trouble for ragged batches of seismograms.

    Parameters
    ----------
    sampling_rate_hz : float
    samples : int
        Of each seismogram.
    random_state : int
    kinds : dict of str to float
        Probability of each kind.
    """

    sampling_rate_hz: float
    samples: int
    random_state: int = 0
    kinds: dict[str, float] = field(default_factory=lambda: KINDS)

    def __post_init__(self):
        self.rng = np.random.default_rng(self.random_state)
        noise = peterson_noise(np.full(NOISES, 0.5), self.samples, self.sampling_rate_hz, self.rng)
        noise = torch.from_numpy(np.ascontiguousarray(noise)).float()
        self.noise = noise / noise.square().mean((1, 2), keepdim=True).sqrt()

    def strike(self, traces: Tensor, amplitude: Tensor, onset_s: Tensor, sizes) -> Struck:
        """Strike each event with one kind of trouble.

        Parameters
        ----------
        traces : Tensor, shape (stations, 3, T)
        amplitude : Tensor, shape (stations,)
            log10 of what a trace of 1 stands for.
        onset_s : Tensor, shape (stations, 2)
            Seconds after the first sample; NaN where it is unknown.
        sizes : sequence of int
            Stations of each event, one event after the other.
        """
        x, onset = traces.float().clone(), onset_s.clone()
        drawn = self.rng.choice(list(self.kinds), p=list(self.kinds.values()), size=len(sizes))
        filters = []
        for kind, end, size in zip(drawn, np.cumsum(sizes), sizes, strict=True):
            rows = slice(end - size, end)
            one = end - size + int(self.rng.integers(size))
            if kind in ("none", "joint shift"):
                self._shift_window(x, onset, rows, JOINT_SHIFT_S[kind != "none"])
            elif kind == "clocks":
                self._shift_clocks(x, onset, rows)
            elif kind == "noise":
                self._add_noise(x, onset, rows)
            elif kind == "filter":
                filters.append((rows, self._response()))
            elif kind == "gap":
                self._lose_piece(x, onset, one)
            else:
                x[one] = self._fault(kind, x[one])
        if filters:
            self._filter(x, filters)
        return self._struck(x, onset, amplitude)

    def _struck(self, x, onset, amplitude):
        """Scale to unit peak as a dataset is, and say which onsets are left in the window."""
        peak = x.abs().amax((1, 2))
        silent = peak == 0
        x = (x / torch.where(silent, 1.0, peak)[:, None, None]).half().float()  # of a dataset's precision
        last = self.samples / self.sampling_rate_hz - EDGE_S
        inside = (onset >= 0) & (onset < last) & ~silent[:, None]
        absent = onset.isfinite() & ~inside
        onset = torch.where(inside, onset, torch.nan)
        return Struck(x, torch.where(silent, -37.9, amplitude + peak.clamp(min=1e-30).log10()), onset, absent)

    # ------------------------------------------------------------------------------------------------ whole events

    def _shift_window(self, x, onset, rows, most_s):
        samples = round(self.rng.uniform(-most_s, most_s) * self.sampling_rate_hz)
        x[rows] = _shifted(x[rows], samples)
        onset[rows] += samples / self.sampling_rate_hz

    def _shift_clocks(self, x, onset, rows):
        """Shift each station by itself. Its onsets move along: the stem has to find what is in the record."""
        scatter = self.rng.uniform(0, CLOCK_S) * self.sampling_rate_hz
        for row in range(rows.start, rows.stop):
            samples = round(scatter * self.rng.standard_normal())
            x[row] = _shifted(x[row], samples)
            onset[row] += samples / self.sampling_rate_hz

    def _add_noise(self, x, onset, rows):
        first = (onset[rows, 0].nan_to_num(0.0) * self.sampling_rate_hz).clamp(0, self.samples - 1)
        after = (torch.arange(self.samples) >= first[:, None]).float()
        signal = ((x[rows].square().mean(1) * after).sum(1) / after.sum(1)).sqrt()
        level = signal * 10 ** (-self.rng.uniform(*NOISE_DB) / 20)
        chosen = self.noise[torch.from_numpy(self.rng.integers(NOISES, size=len(first)))]
        x[rows] += level[:, None, None] * torch.roll(chosen, int(self.rng.integers(self.samples)), -1)

    def _response(self):
        """A function of frequency: an octave, a low-pass or a high-pass."""
        kind = self.rng.choice(["band", "low", "high"], p=[0.6, 0.25, 0.15])
        highest = min(HIGHEST_HZ, self.sampling_rate_hz / (3 if kind == "band" else 4))
        corner = np.exp(self.rng.uniform(np.log(LOWEST_HZ), np.log(highest)))

        def response(f):
            if kind == "band":
                ratio = (f**2 - corner**2) / (f * corner * (2**0.5 - 0.5**0.5))
            else:
                ratio = f / corner if kind == "low" else corner / f
            return (1 + ratio**POLES) ** -0.5

        return response

    def _filter(self, x, filters):
        """Filter all events that are to be filtered in one pass."""
        n = scipy.fft.next_fast_len(round(1.25 * self.samples), real=True)
        frequency = torch.fft.rfftfreq(n, 1 / self.sampling_rate_hz).clamp(min=1e-3)
        rows = torch.cat([torch.arange(rows.start, rows.stop) for rows, _ in filters])
        gain = torch.cat([response(frequency).expand(rows.stop - rows.start, -1) for rows, response in filters])
        x[rows] = torch.fft.irfft(torch.fft.rfft(x[rows], n) * gain[:, None], n)[..., : self.samples]

    # ------------------------------------------------------------------------------------------------- one station

    def _lose_piece(self, x, onset, row):
        """Lose some seconds; an onset in them is unknown rather than absent, since its coda is there."""
        length = min(round(self.rng.uniform(1, 12) * self.sampling_rate_hz), self.samples // 2)
        first = int(self.rng.integers(self.samples - length))
        x[row, :, first : first + length] = 0
        at = onset[row] * self.sampling_rate_hz
        gone = (at > first - 0.2 * self.sampling_rate_hz) & (at < first + length)
        onset[row] = torch.where(gone, torch.nan, onset[row])

    def _fault(self, kind, x):
        """One station's seismogram (3, T) with a spike, clipped, with dead or with exchanged components."""
        if kind == "spike":
            for _ in range(int(self.rng.integers(1, 4))):
                at = int(self.rng.integers(3)), int(self.rng.integers(self.samples))
                x[at] += float(self.rng.choice([-1, 1]) * 10 ** self.rng.uniform(-0.3, 2.2)) * x.abs().max()
        elif kind == "clipping":
            full = 10 ** self.rng.uniform(-1.5, 0) * x.abs().max()
            x = x.clamp(-full, full)
        elif kind == "dead":
            x[self.rng.permutation(3)[: int(self.rng.integers(1, 4))]] = 0
        else:
            sign = torch.from_numpy(self.rng.choice([-1.0, 1.0], 3)).float()
            x = x[self.rng.permutation(3)] * sign[:, None]
        return x


def _shifted(x, samples):
    """Seismograms moved to later samples, with zeros where there were none."""
    moved = torch.zeros_like(x)
    if samples >= 0:
        moved[..., samples:] = x[..., : x.shape[-1] - samples]
    else:
        moved[..., :samples] = x[..., -samples:]
    return moved


# ------------------------------------------------------------------------------------------------------ stations alone

LOSSES = {"place": 0.10, "gain": 0.10, "nearest": 0.10, "sector": 0.08, "random": 0.32, "none": 0.30}
"""Probability of each kind of trouble with the stations of an event."""
FEWEST = 3  # stations that stay
GAIN = 2.2  # largest error of a log amplitude


def lose_stations(onsets: Onsets, pos: Tensor, mask: Tensor, y: Tensor, far_km: float, rng):
    """Strike each event of a padded batch with one kind of trouble with its stations.

    Parameters
    ----------
    onsets : Onsets
        Padded (B, N, ...).
    pos : Tensor, shape (B, N, 3)
    mask : Tensor of bool, shape (B, N)
    y : Tensor, shape (B, 4)
        Labels: nearness and azimuth are seen from the epicentre.
    far_km : float
        Largest error of a station's place.
    rng : Generator

    Returns
    -------
    onsets, pos, mask
    """
    amplitude, pos, mask = onsets.amplitude.clone(), pos.clone(), mask.clone()
    drawn = rng.choice(list(LOSSES), p=list(LOSSES.values()), size=len(mask))
    for event, kind in enumerate(drawn):
        rows = mask[event].nonzero()[:, 0]
        if len(rows) <= FEWEST or kind == "none":
            continue
        one = rows[int(rng.integers(len(rows)))]
        if kind == "place":
            angle, off = rng.uniform(0, 2 * np.pi), np.exp(rng.uniform(np.log(0.02 * far_km), np.log(far_km)))
            pos[event, one, :2] += torch.tensor([off * np.sin(angle), off * np.cos(angle)]).to(pos)
        elif kind == "gain":
            amplitude[event, one] += float(rng.uniform(-GAIN, GAIN))
        else:
            mask[event, _leaving(kind, (pos[event, rows, :2] - y[event, :2]).numpy(), rows, rng)] = False
    return onsets._replace(amplitude=amplitude), pos, mask


def _leaving(kind, offset, rows, rng):
    """Rows of the stations that leave an event; the `offset` (n, 2) is that from the epicentre."""
    if kind == "nearest":
        order, n = np.argsort(np.hypot(*offset.T)), int(rng.integers(1, 6))
    elif kind == "sector":
        azimuth = np.arctan2(*offset.T)
        aside = np.abs((azimuth - azimuth[rng.integers(len(rows))] + np.pi) % (2 * np.pi) - np.pi)
        order, n = np.argsort(aside), int((aside < rng.uniform(0.25, 1.6)).sum())
    else:
        order, n = rng.permutation(len(rows)), int(rng.binomial(len(rows), 0.15))
    return rows[order[: min(n, len(rows) - FEWEST)].copy()]
