"""Perturbations of events: what goes wrong with seismograms, timing and stations, one thing at a time and to a degree.

Each perturbation is a small frozen dataclass with a `severity`, in a unit that its docstring states, and a method
`apply` that returns perturbed `seisbook.datasets.events.Events`; `compose` joins several, and `AXES` lists those along
which a severity curve (error against severity) is drawn. Labels, event identifiers and the order of the events never
change, so that the errors before and after can be compared event by event. The events may be real or simulated; what is
done to them here is always simulated.

Three rules hold throughout:

1. Seismograms are kept scaled to unit peak, with the log10 of the peak beside them. A perturbation that changes the
   peak rescales the seismogram and adds the log10 of the change to the log amplitude: a model sees what it would have
   seen had the instrument recorded it so.
2. What is random is drawn from a generator of each event, seeded by `random_state` and the event's identifier. An event
   is perturbed in the same way in whatever company, and at all severities with the same draws: a larger severity makes
   the same thing worse.
3. `onset_s` is the time at which the wave truly arrived, on the time axis of the event's window. What moves the window
   moves it; what is wrong with one station's clock or record does not.

Seismograms are 16-bit floats, each sample rounded to about one part in 2000: a band of frequencies that holds less than
about a thousandth of the peak is rounding noise once it is filtered out.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial
from typing import ClassVar, NamedTuple

import numpy as np
import scipy.fft
import torch
from tqdm import tqdm

from seisbook.datasets.events import Events
from seisbook.errors import UserError
from seisbook.physics.rendering import event_generator, peterson_noise

FEWEST = 3  # stations that no dropout goes below: with fewer, an epicentre is not determined
SILENT = float(np.log10(np.finfo(np.float32).tiny))  # log amplitude that `EventDataset` gives a record of zeros
NOISE_LEVEL = 0.5  # of the ground noise whose spectrum is added: half-way between Peterson's models
ORDER = 4  # of the Butterworth filters


# ------------------------------------------------------------------------------------------------------ what they share


@dataclass(frozen=True)
class Perturbation(ABC):
    """A change of events, of a given severity.

    Parameters
    ----------
    severity : float
        In the unit of the perturbation; at its `identity` nothing changes.
    random_state : int
        Seed of the random draws, 0 or more. Two perturbations of one kind with the same seed have the same draws.

    Attributes
    ----------
    identity : float or None
        Severity that changes nothing; None if every severity changes something.
    domain : str
        Allowed severities in words, for messages.

    Raises
    ------
    UserError
        If the severity is not in `domain`, or the seed is not a whole number, 0 or more.
    """

    identity: ClassVar[float | None] = 0.0
    domain: ClassVar[str] = "a finite number, 0 or more"
    highest_hz: ClassVar[float] = 0.0  # frequency that the sampling must be able to hold

    severity: float
    random_state: int = 0

    def __post_init__(self):
        name, seed = type(self).__name__, self.random_state
        if not self._possible():
            raise UserError(f"{name}: severity {self.severity}: give {self.domain}")
        if not isinstance(seed, int | np.integer) or seed < 0:
            raise UserError(f"{name}: random_state {seed!r}: give a whole number, 0 or more")

    def _possible(self):
        return 0 <= self.severity < np.inf

    def apply(self, events: Events, sampling_rate_hz: float, progress=True) -> Events:
        """Return perturbed events; those given stay as they are.

        Parameters
        ----------
        events : Events
            Events with their seismograms.
        sampling_rate_hz : float
        progress : bool
            Show a bar if it takes longer than two seconds.

        Returns
        -------
        Events
            Tensors that do not change are the same objects as before, not copies.

        Raises
        ------
        UserError
            If a model has read the events already, so that there is nothing to perturb, or the sampling rate cannot
            hold the frequencies of the perturbation.
        """
        if events.x is None:
            raise UserError(f"{type(self).__name__}: the events hold no seismograms: perturb them before `read_by`")
        if self.highest_hz >= sampling_rate_hz / 2:
            raise UserError(
                f"{type(self).__name__}: {self.highest_hz:.4g} Hz is not below half the sampling rate of "
                f"{sampling_rate_hz:g} Hz: lower the severity of {self.severity:g} Hz"
            )
        if self.severity == self.identity:
            return replace(events)
        with tqdm(
            total=len(events), desc=type(self).__name__, unit="event", delay=2, disable=None if progress else True
        ) as bar:
            return self._perturbed(events, sampling_rate_hz, bar)

    @abstractmethod
    def _perturbed(self, events, sampling_rate_hz, bar):
        """Return the perturbed events; `bar` is updated by one an event."""

    def _generator(self, events, i, purpose=None):
        """Random numbers of event `i`."""
        return event_generator(self.random_state, str(events.source_id[i]), purpose or type(self).__name__)


class SeismogramPerturbation(Perturbation):
    """A perturbation of the seismograms of all stations, event by event."""

    def _perturbed(self, events, sampling_rate_hz, bar):
        x, amplitude = events.x.clone(), events.amplitude.clone()
        for i in range(len(events)):
            rows = self._rows(events, i)
            rng = self._generator(events, i)
            traces = self._changed(x[rows].float(), events.onset_s[rows], sampling_rate_hz, rng)
            x[rows], amplitude[rows] = rescaled(traces, amplitude[rows])
            bar.update()
        return replace(events, x=x, amplitude=amplitude)

    def _rows(self, events, i):
        """Stations of event `i` that are perturbed."""
        return slice(events.start[i], events.start[i + 1])

    @abstractmethod
    def _changed(self, traces, onset_s, sampling_rate_hz, rng):
        """Return the perturbed `traces`, float32 of shape (stations, 3, T), not necessarily of unit peak."""


def rescaled(traces, amplitude):
    r"""Seismograms scaled to unit peak, and the log amplitudes that keep what they stand for.

    .. math:: x \leftarrow x / \max |x|, \qquad a \leftarrow a + \log_{10} \max |x|

    Parameters
    ----------
    traces : Tensor of float32, shape (stations, 3, T)
        In units of the peak that `amplitude` is the log10 of.
    amplitude : Tensor, shape (stations,)

    Returns
    -------
    traces : Tensor of float16, shape (stations, 3, T)
    amplitude : Tensor, shape (stations,)
        A record of zeros stays one; its log amplitude is -37.9, as in a dataset (the smallest 32-bit float).
    """
    peak = traces.abs().amax((1, 2))
    silent = peak == 0
    peak = torch.where(silent, 1.0, peak)
    return (traces / peak[:, None, None]).half(), torch.where(silent, SILENT, amplitude + peak.log10())


# -------------------------------------------------------------------------------------------------------------- filters


class Filter(SeismogramPerturbation):
    """A zero-phase Butterworth filter of 4th order: it is 3 dB down at its corners and delays nothing.

    The spectrum of each seismogram, with zeros before and after it, is multiplied by the filter's amplitude response.
    Zero phase keeps what a filter does to the waveform apart from a shift in time, which a causal one adds; the price
    is that a low corner spreads the first arrival over about one period before the onset, too.
    """

    def _possible(self):
        return 0 < self.severity < np.inf

    @abstractmethod
    def response(self, frequency_hz):
        """Amplitude response at frequencies in Hz: 1 where all passes."""

    def _changed(self, traces, onset_s, sampling_rate_hz, rng):
        samples = traces.shape[-1]
        n = scipy.fft.next_fast_len(2 * samples, real=True)
        frequency = torch.fft.rfftfreq(n, 1 / sampling_rate_hz)
        return torch.fft.irfft(torch.fft.rfft(traces, n) * self.response(frequency), n)[..., :samples]


@dataclass(frozen=True)
class LowPass(Filter):
    r"""Keep what lies below a corner frequency.

    .. math:: |H(f)| = \bigl(1 + (f / f_c)^8\bigr)^{-1/2}

    `severity` is the corner in Hz; infinity changes nothing, and lower is more severe. See `Filter`.
    """

    identity = np.inf
    domain = "a corner above 0 Hz"

    def _possible(self):
        return self.severity > 0

    def response(self, frequency_hz):  # noqa: D102 (Filter's)
        return (1 + (frequency_hz / self.severity) ** (2 * ORDER)) ** -0.5


@dataclass(frozen=True)
class HighPass(Filter):
    r"""Keep what lies above a corner frequency.

    .. math:: |H(f)| = \bigl(1 + (f_c / f)^8\bigr)^{-1/2}

    `severity` is the corner in Hz; 0 changes nothing, and higher is more severe. Any corner above 0 takes out the
    seismogram's offset. See `Filter`.
    """

    domain = "a corner of 0 Hz or more"

    def _possible(self):
        return 0 <= self.severity < np.inf

    @property
    def highest_hz(self):  # noqa: D102 (Perturbation's)
        return self.severity

    def response(self, frequency_hz):  # noqa: D102 (Filter's)
        return (1 + (self.severity / frequency_hz) ** (2 * ORDER)) ** -0.5


@dataclass(frozen=True)
class BandPass(Filter):
    r"""Keep what lies in one octave.

    .. math::
        |H(f)| = \Bigl(1 + \Bigl(\frac{f^2 - f_0^2}{f (f_2 - f_1)}\Bigr)^8\Bigr)^{-1/2}, \qquad
        f_1 = f_0 / \sqrt2, \quad f_2 = \sqrt2 f_0

    `severity` is the centre frequency :math:`f_0` in Hz; the corners are :math:`f_1` and :math:`f_2`. Every value
    changes the seismogram. Frequencies are not in an order of harm: the curve tells which octave hurts. See `Filter`.
    """

    identity = None
    domain = "a centre frequency above 0 Hz"

    @property
    def highest_hz(self):  # noqa: D102 (Perturbation's)
        return self.severity * 2**0.5

    def response(self, frequency_hz):  # noqa: D102 (Filter's)
        width = self.severity * (2**0.5 - 0.5**0.5)
        return (1 + ((frequency_hz**2 - self.severity**2) / (frequency_hz * width)) ** (2 * ORDER)) ** -0.5


# --------------------------------------------------------------------------------------------------------------- timing


@dataclass(frozen=True)
class JointShift(SeismogramPerturbation):
    """The event's window was cut too early or too late: all its stations move together.

    `severity` is the shift in seconds, rounded to whole samples, towards either side with equal chance. The onsets
    move with the traces; one that leaves the window is NaN. What moves in from outside is zero.
    """

    def _perturbed(self, events, sampling_rate_hz, bar):
        shifted = super()._perturbed(events, sampling_rate_hz, bar)
        samples = [self._samples(sampling_rate_hz, self._generator(events, i)) for i in range(len(events))]
        moved = torch.from_numpy(np.repeat(samples, np.diff(events.start)) / sampling_rate_hz).to(events.onset_s)
        onset_s = events.onset_s + moved[:, None]
        inside = (onset_s >= 0) & (onset_s < events.x.shape[-1] / sampling_rate_hz)
        return replace(shifted, onset_s=torch.where(inside, onset_s, torch.nan))

    def _samples(self, sampling_rate_hz, rng):
        return rng.choice([-1, 1]) * round(self.severity * sampling_rate_hz)

    def _changed(self, traces, onset_s, sampling_rate_hz, rng):
        samples, length = self._samples(sampling_rate_hz, rng), traces.shape[-1]
        left = min(abs(samples), length)
        shifted = torch.zeros_like(traces)
        if samples < 0:
            shifted[..., : length - left] = traces[..., left:]
        else:
            shifted[..., left:] = traces[..., : length - left]
        return shifted


@dataclass(frozen=True)
class IndependentShift(SeismogramPerturbation):
    r"""Each station's clock is wrong by a Gaussian error of its own.

    .. math:: x_i(t) \leftarrow x_i(t - \epsilon_i), \qquad \epsilon_i \sim \mathcal N(0, \sigma^2)

    `severity` is the standard deviation :math:`\sigma` in seconds. Shifts are not rounded to samples, as the errors of
    interest are shorter than one: the seismogram is shifted by the phase of its spectrum. What moves in from outside
    the window is zero. `onset_s` stays: it is when the wave truly arrived, and the trace now shows it
    :math:`\epsilon_i` later, which is what a picker will read.
    """

    def _changed(self, traces, onset_s, sampling_rate_hz, rng):
        length = traces.shape[-1]
        shift = self.severity * sampling_rate_hz * torch.from_numpy(rng.standard_normal(len(traces)))
        shift = shift.clamp(-length, length)  # beyond, nothing of the trace is left in the window anyway
        n = scipy.fft.next_fast_len(2 * length + int(shift.abs().max()), real=True)  # what leaves must not come back
        phase = -2j * torch.pi * torch.fft.rfftfreq(n, dtype=torch.float64) * shift[:, None, None]
        return torch.fft.irfft(torch.fft.rfft(traces, n) * phase.exp().to(torch.complex64), n)[..., :length]


# ---------------------------------------------------------------------------------------------------------------- noise


@dataclass(frozen=True)
class AddedNoise(SeismogramPerturbation):
    r"""Add ground noise to every station, at a given signal-to-noise ratio.

    .. math:: \mathrm{SNR} = 20 \log_{10} (s / n)

    `severity` is the ratio in dB; infinity changes nothing, and lower is more severe. `s` is the root mean square of
    the three components from the P onset to the end of the window (of all of it, where there is no P onset in it),
    `n` that of the noise over the whole window. The noise that the seismogram has already counts as signal, so that
    the ratio that is reached cannot be better than it was.

    The noise is Gaussian, independent between stations and components, with the spectrum of
    `seisbook.physics.rendering.peterson_noise` half-way between Peterson's models, that of a common station in the band
    of a Wood-Anderson seismometer, most of it between 0.3 and 7 Hz: white noise lies mostly above the frequencies of
    earthquakes, where it is easily filtered out.
    """

    identity = np.inf
    domain = "a ratio in dB"

    def _possible(self):
        return -np.inf < self.severity <= np.inf

    def _changed(self, traces, onset_s, sampling_rate_hz, rng):
        noise = peterson_noise(np.full(len(traces), NOISE_LEVEL), traces.shape[-1], sampling_rate_hz, rng)
        noise = torch.from_numpy(np.ascontiguousarray(noise))
        noise = noise / noise.square().mean((1, 2), keepdim=True).sqrt()
        level = signal_rms(traces, onset_s[:, 0], sampling_rate_hz) * 10 ** (-self.severity / 20)
        return traces + level[:, None, None] * noise


def signal_rms(traces, p_s, sampling_rate_hz):
    """Root mean square of seismograms from the P onset to the end; over all of it where P is not in the window.

    Parameters
    ----------
    traces : Tensor, shape (stations, 3, T)
    p_s : Tensor, shape (stations,)
        P onsets in seconds after the first sample, or NaN.
    sampling_rate_hz : float

    Returns
    -------
    Tensor, shape (stations,)
    """
    length = traces.shape[-1]
    first = p_s * sampling_rate_hz
    first = torch.where((first >= 0) & (first <= length - 1), first, 0.0)  # False for NaN
    after = (torch.arange(length) >= first[:, None]).to(traces)
    return ((traces.square().mean(1) * after).sum(1) / after.sum(1)).sqrt()


# ------------------------------------------------------------------------------------------------------------- stations


@dataclass(frozen=True)
class StationDropout(Perturbation):
    """Stations are missing.

    Parameters
    ----------
    severity : float
        What it counts depends on `mode`.
    random_state : int
    mode : {"random", "nearest", "sector"}
        - `random`: a share, 0 to 1, of the event's stations, drawn by chance, in number rounded to the nearest;
        - `nearest`: a number of stations, the nearest to the label's epicentre first;
        - `sector`: the width in degrees, 0 to 360, of a sector of azimuths from the label's epicentre, all of whose
          stations go. It is centred on a station drawn by chance, so that every event loses at least one.

    Raises
    ------
    UserError
        If there is no such mode, or no such severity of it.

    Notes
    -----
    Three stations always stay: those that would have been the last to go (in a sector, those farthest from its
    middle). An event with three or fewer stays as it is. What goes at one severity goes at all larger ones.
    """

    DOMAINS: ClassVar[dict] = {
        "random": "a share from 0 to 1",
        "nearest": "a whole number of stations, 0 or more",
        "sector": "a width from 0 to 360 degrees",
    }

    _: KW_ONLY
    mode: str = "random"

    def __post_init__(self):
        if self.mode not in self.DOMAINS:
            raise UserError(f"StationDropout: no mode {self.mode!r}: choose one of {', '.join(self.DOMAINS)}")
        super().__post_init__()

    @property
    def domain(self):  # noqa: D102 (Perturbation's)
        return self.DOMAINS[self.mode]

    def _possible(self):
        if self.mode == "nearest":
            return 0 <= self.severity < np.inf and self.severity == round(self.severity)
        return 0 <= self.severity <= {"random": 1, "sector": 360}[self.mode]

    def _perturbed(self, events, sampling_rate_hz, bar):
        stays = np.ones(len(events.pos), bool)
        for i, (first, last) in enumerate(zip(events.start[:-1], events.start[1:], strict=True)):
            order, n = self._leaving(offset_km(events, i), self._generator(events, i))
            stays[first + order[: max(0, min(n, last - first - FEWEST))]] = False
            bar.update()
        return keep_stations(events, stays)

    def _leaving(self, offset, rng):
        """Stations in the order in which they go, and how many of them would."""
        if self.mode == "random":
            return rng.permutation(len(offset)), round(self.severity * len(offset))
        if self.mode == "nearest":
            return np.argsort(np.hypot(*offset.T), kind="stable"), int(self.severity)
        azimuth = np.degrees(np.arctan2(*offset.T))
        middle = azimuth[int(rng.random() * len(azimuth))]
        aside = np.abs((azimuth - middle + 180) % 360 - 180)
        return np.argsort(aside, kind="stable"), int((aside <= self.severity / 2).sum())


def offset_km(events, i):
    """East and north of the stations of event `i` from its labelled epicentre in km: ndarray (stations, 2)."""
    pos = events.pos[events.start[i] : events.start[i + 1], :2]
    return (pos - events.y[i, :2]).double().numpy()


def keep_stations(events, stays) -> Events:
    """Events with some of their stations only.

    Parameters
    ----------
    events : Events
        Events with their seismograms.
    stays : ndarray of bool, shape (stations,)
    """
    sizes = [np.count_nonzero(of_event) for of_event in np.split(stays, events.start[1:-1])]
    rows = torch.from_numpy(np.flatnonzero(stays))
    values = {name: getattr(events, name)[rows] for name in ("x", "pos", "amplitude", "onset_s")}
    return replace(events, **values, start=np.cumsum([0, *sizes]))


# ------------------------------------------------------------------------------------------------ faults at one station


@dataclass(frozen=True)
class Fault(Perturbation):
    """Something is wrong with one station of each event; the others, and all onsets, stay.

    Parameters
    ----------
    severity : float
    random_state : int
        Faults of different kinds with the same seed strike the same station of an event, so that they can be compared;
        give another seed to strike another.
    station : {"random", "nearest"}
        Which station: one drawn by chance, or the one nearest to the label's epicentre.

    Raises
    ------
    UserError
        If there is no such choice of a station, or no such severity.
    """

    _: KW_ONLY
    station: str = "random"

    def __post_init__(self):
        if self.station not in ("random", "nearest"):
            raise UserError(f"{type(self).__name__}: no station {self.station!r}: choose one of random, nearest")
        super().__post_init__()

    def struck(self, events: Events, i: int) -> int:
        """Row, in the tensors of `events`, of the station of event `i` that the fault strikes."""
        if self.station == "nearest":
            return int(events.start[i] + np.hypot(*offset_km(events, i).T).argmin())
        chance = self._generator(events, i, "faulty station").random()
        return int(events.start[i] + int(chance * (events.start[i + 1] - events.start[i])))

    def _all_struck(self, events):
        return torch.tensor([self.struck(events, i) for i in range(len(events))], dtype=torch.long)


class RecordFault(Fault, SeismogramPerturbation):
    """A fault in the seismogram of one station of each event; see `Fault`."""

    def _rows(self, events, i):
        row = self.struck(events, i)
        return slice(row, row + 1)


@dataclass(frozen=True)
class GainError(Fault):
    """The station's gain is off by a factor, above 0; 1 changes nothing. Only the log amplitude changes.

    `severity` is the factor.
    """

    identity = 1.0
    domain = "a factor above 0"

    def _possible(self):
        return 0 < self.severity < np.inf

    def _perturbed(self, events, sampling_rate_hz, bar):
        amplitude = events.amplitude.clone()
        amplitude[self._all_struck(events)] += float(np.log10(self.severity))
        return replace(events, amplitude=amplitude)


@dataclass(frozen=True)
class PolarityFlip(RecordFault):
    """Components are connected the wrong way round.

    `severity` is the number of components with reversed sign: 1 (Z), 2 (Z and N) or 3 (all).
    """

    domain = "a number of components: 0, 1, 2 or 3"

    def _possible(self):
        return self.severity in (0, 1, 2, 3)

    def _changed(self, traces, onset_s, sampling_rate_hz, rng):
        traces[:, : int(self.severity)] *= -1
        return traces


@dataclass(frozen=True)
class SwappedComponents(RecordFault):
    """Components are connected in the wrong order.

    `severity` is the number of components out of place: 2 (N and E exchanged) or 3 (Z records E, N records Z, E
    records N).
    """

    domain = "a number of components: 0, 2 or 3"

    def _possible(self):
        return self.severity in (0, 2, 3)

    def _changed(self, traces, onset_s, sampling_rate_hz, rng):
        return traces[:, [0, 2, 1] if self.severity == 2 else [2, 0, 1]]


@dataclass(frozen=True)
class Clipping(RecordFault):
    """The digitiser clips: no sample of any component is recorded larger than its full scale.

    `severity` is the full scale over the seismogram's peak, above 0 and up to 1, which changes nothing; lower is more
    severe. The log amplitude falls with the peak that is recorded.
    """

    identity = 1.0
    domain = "a share of the peak, above 0 and up to 1"

    def _possible(self):
        return 0 < self.severity <= 1

    def _changed(self, traces, onset_s, sampling_rate_hz, rng):
        full = self.severity * traces.abs().max()
        return traces.clamp(-full, full)


@dataclass(frozen=True)
class Gap(RecordFault):
    """A part of the record, on all components, was lost on its way and is zero.

    `severity` is its length in seconds. Where it lies in the window is drawn by chance, without regard to the
    earthquake; a longer one holds the shorter. One as long as the window leaves a record of zeros.
    """

    def _changed(self, traces, onset_s, sampling_rate_hz, rng):
        length = traces.shape[-1]
        lost = min(round(self.severity * sampling_rate_hz), length)
        first = int(rng.random() * (length - lost))
        traces[..., first : first + lost] = 0
        return traces


@dataclass(frozen=True)
class Spike(RecordFault):
    """An electronic spike of one sample, of either sign, is added to one component.

    `severity` is its height over the seismogram's peak. A spike above the peak becomes the peak: the earthquake
    shrinks beside it, and the log amplitude is the spike's.
    """

    def _changed(self, traces, onset_s, sampling_rate_hz, rng):
        component, sample = rng.integers(traces.shape[1:])
        traces[:, component, sample] += rng.choice([-1, 1]) * self.severity * traces.abs().max()
        return traces


@dataclass(frozen=True)
class DeadChannel(RecordFault):
    """Components record nothing: they are zero.

    `severity` is their number, 1 to 3, drawn by chance. With all three, the log amplitude is -37.9, which is what a
    dataset gives a record of zeros: a fault that the intake of data should have caught.
    """

    domain = "a number of components: 0, 1, 2 or 3"

    def _possible(self):
        return self.severity in (0, 1, 2, 3)

    def _changed(self, traces, onset_s, sampling_rate_hz, rng):
        traces[:, rng.permutation(3)[: int(self.severity)]] = 0
        return traces


@dataclass(frozen=True)
class WrongCoordinates(Fault):
    """The station's coordinates are wrong; its record is right.

    `severity` is the horizontal distance in km between where it is and where it is said to be, in a direction drawn by
    chance.
    """

    def _perturbed(self, events, sampling_rate_hz, bar):
        azimuth = np.array([2 * np.pi * self._generator(events, i).random() for i in range(len(events))])
        moved = self.severity * torch.from_numpy(np.column_stack([np.sin(azimuth), np.cos(azimuth)]))
        pos = events.pos.clone()
        pos[self._all_struck(events), :2] += moved.to(pos)
        return replace(events, pos=pos)


# ---------------------------------------------------------------------------------------------------------- composition


@dataclass(frozen=True)
class Composition:
    """Perturbations one after the other; see `compose`."""

    perturbations: tuple[Perturbation, ...]

    def apply(self, events: Events, sampling_rate_hz: float, progress=True) -> Events:
        """Return perturbed events; see `Perturbation.apply`."""
        for perturbation in self.perturbations:
            events = perturbation.apply(events, sampling_rate_hz, progress)
        return replace(events)


def compose(*perturbations) -> Composition:
    """Join perturbations, or compositions, into one that applies them in this order.

    The order matters: noise that is filtered is not the same as a filtered seismogram with noise. Each has its own
    `random_state`; two of one kind with the same one have the same draws.
    """
    return Composition(tuple(perturbations))


# ------------------------------------------------------------------------------------------------------ severity curves


class Axis(NamedTuple):
    """An axis of a severity curve: a perturbation and its severities.

    `make(severity, random_state=0)` constructs the perturbation; `severities` are in the order of growing harm (octave
    bands in that of frequency) and leave out the one that changes nothing, which the unperturbed events stand for;
    `unit` and `title` label the axis.
    """

    make: Callable
    severities: tuple[float, ...]
    unit: str
    title: str


AXES = {
    "band_pass": Axis(BandPass, (0.5, 1.0, 2.0, 4.0, 8.0, 16.0), "Hz", "octave band, centre frequency"),
    "low_pass": Axis(LowPass, (8.0, 4.0, 2.0, 1.0, 0.5), "Hz", "low-pass, corner frequency"),
    "high_pass": Axis(HighPass, (0.5, 1.0, 2.0, 4.0, 8.0), "Hz", "high-pass, corner frequency"),
    "joint_shift": Axis(JointShift, (0.5, 1.0, 2.0, 4.0, 8.0), "s", "shift of all stations together"),
    "independent_shift": Axis(IndependentShift, (0.05, 0.1, 0.2, 0.5, 1.0), "s", "clock error of each station (σ)"),
    "added_noise": Axis(AddedNoise, (30.0, 20.0, 10.0, 5.0, 0.0, -5.0), "dB", "signal-to-noise ratio"),
    "random_dropout": Axis(
        partial(StationDropout, mode="random"), (0.1, 0.25, 0.5, 0.75), "share", "stations missing at random"
    ),
    "nearest_dropout": Axis(
        partial(StationDropout, mode="nearest"), (1, 2, 3, 5, 8), "stations", "nearest stations missing"
    ),
    "sector_dropout": Axis(
        partial(StationDropout, mode="sector"), (30.0, 60.0, 90.0, 180.0, 270.0), "°", "sector of azimuths missing"
    ),
    "gain_error": Axis(GainError, (2.0, 5.0, 10.0, 100.0), "factor", "gain of one station"),
    "polarity_flip": Axis(PolarityFlip, (1, 2, 3), "components", "reversed polarity at one station"),
    "swapped_components": Axis(SwappedComponents, (2, 3), "components", "components out of place at one station"),
    "clipping": Axis(Clipping, (0.8, 0.5, 0.2, 0.1, 0.05), "of the peak", "full scale of one station"),
    "gap": Axis(Gap, (1.0, 2.0, 5.0, 10.0), "s", "gap at one station"),
    "spike": Axis(Spike, (0.5, 1.0, 2.0, 10.0, 100.0), "times the peak", "spike at one station"),
    "dead_channel": Axis(DeadChannel, (1, 2, 3), "components", "dead components at one station"),
    "wrong_coordinates": Axis(WrongCoordinates, (1.0, 5.0, 10.0, 50.0), "km", "wrong coordinates of one station"),
}
"""Name of each perturbation that a severity curve is drawn of, and its `Axis`."""


def severities(name, sampling_rate_hz) -> tuple[float, ...]:
    """The severities of an axis that seismograms of this sampling rate can have.

    Raises
    ------
    UserError
        If there is no such axis.
    """
    if name not in AXES:
        raise UserError(f"no perturbation {name!r}: choose one of {', '.join(AXES)}")
    axis = AXES[name]
    return tuple(severity for severity in axis.severities if axis.make(severity).highest_hz < sampling_rate_hz / 2)
