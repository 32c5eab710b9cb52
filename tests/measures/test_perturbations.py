from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from seisbook.datasets.events import Events
from seisbook.errors import UserError
from seisbook.measures import perturbations
from seisbook.measures.perturbations import (
    AXES,
    AddedNoise,
    BandPass,
    Clipping,
    DeadChannel,
    GainError,
    Gap,
    HighPass,
    IndependentShift,
    JointShift,
    LowPass,
    PolarityFlip,
    Spike,
    StationDropout,
    SwappedComponents,
    WrongCoordinates,
    compose,
    severities,
)

RATE = 50.0
SAMPLES = 800  # 16 s
SIZES = np.array([2, 3, 6, 9, 12])
FIELDS = ("x", "pos", "amplitude", "onset_s", "start", "y", "source_id", "origin_time")
FAULTS = (GainError, PolarityFlip, SwappedComponents, Clipping, Gap, Spike, DeadChannel, WrongCoordinates)


def made(traces, sizes, onset_s):
    """Events of seismograms in ground motion, scaled as a dataset's are."""
    generator = torch.Generator().manual_seed(1)
    n, peak = len(traces), traces.abs().amax((1, 2))
    return Events(
        x=(traces / peak[:, None, None]).half(),
        pos=50 * torch.randn(n, 3, generator=generator),
        amplitude=peak.log10(),
        onset_s=onset_s,
        start=np.cumsum([0, *sizes]),
        y=10 * torch.randn(len(sizes), 4, generator=generator),
        source_id=np.array([f"event-{i}" for i in range(len(sizes))]),
        origin_time=np.arange(len(sizes)).astype("datetime64[s]").astype("datetime64[ns]"),
    )


@pytest.fixture(scope="module")
def events():
    """Faint noise, then from P on a decaying wave of many frequencies; of very different sizes."""
    generator = torch.Generator().manual_seed(0)
    n = int(SIZES.sum())
    p_s = 3 + 4 * torch.rand(n, generator=generator)
    after = torch.arange(SAMPLES) / RATE - p_s[:, None]
    envelope = torch.where(after >= 0, (-after / 1.5).exp(), 0.001)
    traces = torch.randn(n, 3, SAMPLES, generator=generator) * envelope[:, None]
    traces *= 10 ** (2 * torch.randn(n, 1, 1, generator=generator))
    return made(traces, SIZES, torch.stack([p_s, p_s + 3], 1))


@pytest.fixture(scope="module")
def white():
    """Two events of white noise, long enough for a spectrum."""
    traces = torch.randn(8, 3, 6000, generator=torch.Generator().manual_seed(2))
    return made(traces, [4, 4], torch.full((8, 2), torch.nan))


def ground_motion(events):
    return events.x.double() * 10 ** events.amplitude.double()[:, None, None]


def same(one, other, fields=FIELDS):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name in ("y", "onset_s")) for name in fields
    )


def delay(trace, reference):
    """Samples by which a trace is later than another, to 1/20: the top of their interpolated cross-correlation."""
    n, fine = 2 * trace.shape[-1], 20
    spectrum = np.fft.rfft(trace, n) * np.fft.rfft(reference, n).conj()
    correlation = np.fft.irfft(spectrum.sum(0), n * fine)
    return ((correlation.argmax() + n * fine // 2) % (n * fine) - n * fine // 2) / fine


def worst(name, **options):
    return AXES[name].make(severities(name, RATE)[-1], **options)


# --------------------------------------------------------------------------------------------- what holds for all of it


@pytest.mark.parametrize("name", sorted(set(AXES) - {"band_pass"}))
def test_the_identity_changes_nothing(events, name):
    axis = AXES[name]
    identity = axis.make(axis.severities[0]).identity
    unchanged = axis.make(identity).apply(events, RATE)
    assert unchanged is not events
    assert same(unchanged, events)
    assert identity not in axis.severities


@pytest.mark.parametrize(
    "gentle",
    [
        LowPass(1e4),
        IndependentShift(1e-6),
        AddedNoise(100),
        Clipping(0.9999),
        Spike(1e-4),
        WrongCoordinates(1e-5),
        GainError(1.0001),
    ],
)
def test_little_severity_changes_little(events, gentle):
    changed = gentle.apply(events, RATE)
    torch.testing.assert_close(changed.x.float(), events.x.float(), atol=1.5e-3, rtol=0)
    torch.testing.assert_close(changed.amplitude, events.amplitude, atol=1e-3, rtol=0)
    torch.testing.assert_close(changed.pos, events.pos, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", AXES)
def test_labels_and_the_input_stay_and_something_changes(events, name):
    before = replace(events, **{field: getattr(events, field).copy() for field in ("start", "source_id")})
    before = replace(
        before, **{field: getattr(events, field).clone() for field in ("x", "pos", "amplitude", "onset_s")}
    )
    changed = worst(name).apply(events, RATE)
    assert same(events, before)
    assert same(changed, events, ("y", "source_id", "origin_time"))
    assert not same(changed, events)


@pytest.mark.parametrize("name", AXES)
def test_peaks_are_one_at_every_severity(events, name):
    for severity in severities(name, RATE):
        changed = AXES[name].make(severity, random_state=5).apply(events, RATE)
        peak = changed.x.abs().amax((1, 2))
        silent = peak == 0
        assert (peak[~silent] == 1).all()
        assert changed.x.dtype == torch.float16
        assert changed.amplitude.isfinite().all()
        assert silent.sum() == (len(events) if (name, severity) == ("dead_channel", 3) else 0)
        torch.testing.assert_close(changed.amplitude[silent], torch.full((int(silent.sum()),), -37.92977))


@pytest.mark.parametrize("name", AXES)
def test_the_same_seed_gives_the_same_and_another_one_another(events, name):
    first = worst(name, random_state=3).apply(events, RATE)
    assert same(worst(name, random_state=3).apply(events, RATE), first)
    drawn_by_chance = name not in ("band_pass", "low_pass", "high_pass", "nearest_dropout")
    others = [worst(name, random_state=seed).apply(events, RATE) for seed in (4, 5, 6)]  # five signs may coincide once
    assert all(same(one, first) for one in others) != drawn_by_chance


@pytest.mark.parametrize("name", AXES)
def test_an_event_is_perturbed_alike_in_whatever_company(events, name):
    together = worst(name, random_state=2).apply(events, RATE).select([4, 2])
    assert same(worst(name, random_state=2).apply(events.select([4, 2]), RATE), together)


# -------------------------------------------------------------------------------------------------------------- filters


def gain_db(perturbation, events, frequency_hz):
    """Gain of a filter near a frequency: the ratio of the spectra of all traces, in 1/6 octave."""
    before, after = (
        np.abs(np.fft.rfft(ground_motion(one).numpy())) ** 2 for one in (events, perturbation.apply(events, RATE))
    )
    frequency = np.fft.rfftfreq(events.x.shape[-1], 1 / RATE)
    near = np.abs(np.log2(np.maximum(frequency, 1e-9) / frequency_hz)) < 1 / 12
    return 10 * np.log10(after[..., near].sum() / before[..., near].sum())


@pytest.mark.parametrize("corner", [2.0, 8.0])
def test_low_pass_and_high_pass_are_three_decibel_down_at_the_corner(white, corner):
    for kind, stop, through in ((LowPass, 2, 0.5), (HighPass, 0.5, 2)):
        assert gain_db(kind(corner), white, corner) == pytest.approx(-3.01, abs=0.3)
        assert gain_db(kind(corner), white, corner * stop) == pytest.approx(-24, abs=1.5)
        assert gain_db(kind(corner), white, corner * through) == pytest.approx(0, abs=0.1)


def test_an_octave_band_is_three_decibel_down_at_both_ends(white):
    assert gain_db(BandPass(4.0), white, 4.0) == pytest.approx(0, abs=0.1)
    for corner in (4 / 2**0.5, 4 * 2**0.5):
        assert gain_db(BandPass(4.0), white, corner) == pytest.approx(-3.01, abs=0.5)
    for far in (1.5, 12.0):
        assert gain_db(BandPass(4.0), white, far) < -25


def test_filters_do_not_delay(white):
    for perturbation in (LowPass(4.0), HighPass(4.0), BandPass(4.0)):
        filtered = perturbation.apply(white, RATE)
        assert delay(filtered.x[0].double().numpy(), white.x[0].double().numpy()) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("perturbation", [LowPass(1.0), IndependentShift(1.0)])
def test_the_end_of_a_seismogram_does_not_come_round_to_its_beginning(perturbation):
    traces = torch.zeros(4, 3, SAMPLES)
    traces[..., -60:] = torch.randn(4, 3, 60, generator=torch.Generator().manual_seed(3))
    motion = ground_motion(perturbation.apply(made(traces, [4], torch.full((4, 2), torch.nan)), RATE))
    assert motion[..., : SAMPLES // 2].abs().max() < 0.02 * traces.abs().max()


def test_what_is_not_sampled_cannot_be_filtered(events):
    with pytest.raises(UserError, match=r"BandPass: 22.63 Hz is not below half the sampling rate of 20 Hz"):
        BandPass(16.0).apply(events, 20.0)
    assert severities("band_pass", 20.0) == (0.5, 1.0, 2.0, 4.0)
    assert severities("band_pass", 50.0)[-1] == 16.0
    assert severities("low_pass", 20.0) == AXES["low_pass"].severities


# --------------------------------------------------------------------------------------------------------------- timing


def test_a_joint_shift_moves_all_stations_and_onsets_of_an_event_alike(events):
    shifted = JointShift(1.3, random_state=1).apply(events, RATE)
    moved = (shifted.onset_s - events.onset_s).numpy()
    directions = set()
    for first, last in zip(events.start[:-1], events.start[1:], strict=True):
        lags = [delay(shifted.x[row].double().numpy(), events.x[row].double().numpy()) for row in range(first, last)]
        np.testing.assert_allclose(lags, np.sign(lags[0]) * 65, atol=0.1)
        np.testing.assert_allclose(moved[first:last], lags[0] / RATE, atol=0.01)
        directions.add(np.sign(round(lags[0])))
    assert directions == {-1, 1}


def test_an_onset_that_leaves_the_window_is_none(events):
    shifted = JointShift(6.5).apply(events, RATE)
    moved = torch.from_numpy(
        np.repeat([JointShift(6.5)._generator(events, i).choice([-1, 1]) for i in range(5)], SIZES)
    )
    expected = events.onset_s + 6.5 * moved[:, None]
    lost = (expected < 0) | (expected >= SAMPLES / RATE)
    assert lost.any()
    assert torch.equal(shifted.onset_s.isnan(), lost)


def test_a_seismogram_that_is_shifted_out_is_lost(events):
    assert not JointShift(20.0).apply(events, RATE).x.any()
    assert JointShift(20.0).apply(events, RATE).onset_s.isnan().all()


def test_clock_errors_differ_between_stations_and_leave_the_onsets(events):
    shifted = IndependentShift(0.05, random_state=7).apply(events, RATE)
    assert torch.equal(shifted.onset_s, events.onset_s)
    lags = [delay(*pair) / RATE for pair in zip(shifted.x.double().numpy(), events.x.double().numpy(), strict=True)]
    drawn = [
        IndependentShift(0.05, random_state=7)._generator(events, i).standard_normal(n) for i, n in enumerate(SIZES)
    ]
    np.testing.assert_allclose(lags, 0.05 * np.concatenate(drawn), atol=0.0011)  # later if the error is positive
    assert 0.035 < np.std(lags) < 0.065  # 32 draws: 0.05 within 13 %, twice
    double = IndependentShift(0.1, random_state=7).apply(events, RATE)
    twice = [delay(*pair) / RATE for pair in zip(double.x.double().numpy(), events.x.double().numpy(), strict=True)]
    np.testing.assert_allclose(twice, 2 * np.array(lags), atol=0.0031)  # as coarse as `delay` reads


# ---------------------------------------------------------------------------------------------------------------- noise


@pytest.mark.parametrize("target", [20.0, 0.0, -10.0])
def test_the_signal_to_noise_ratio_is_reached(events, target):
    noisy = AddedNoise(target).apply(events, RATE)
    noise = (ground_motion(noisy) - ground_motion(events)).numpy()
    for row, before in enumerate(ground_motion(events).numpy()):
        signal = before[:, int(np.ceil(events.onset_s[row, 0].item() * RATE)) :]
        reached = 10 * np.log10((signal**2).mean() / (noise[row] ** 2).mean())
        assert reached == pytest.approx(target, abs=0.5)


def test_without_p_the_whole_window_is_signal(events):
    unread = replace(events, onset_s=torch.full_like(events.onset_s, torch.nan))
    noise = ground_motion(AddedNoise(10.0).apply(unread, RATE)) - ground_motion(events)
    ratio = ground_motion(events).square().mean((1, 2)) / noise.square().mean((1, 2))
    np.testing.assert_allclose(10 * ratio.log10(), 10, atol=0.5)


def test_noise_is_that_of_the_ground_and_not_shared(events):
    noise = (ground_motion(AddedNoise(-40.0).apply(events, RATE))).numpy()
    power = (np.abs(np.fft.rfft(noise / noise.std((1, 2), keepdims=True))) ** 2).mean((0, 1))
    frequency = np.fft.rfftfreq(SAMPLES, 1 / RATE)
    assert power[(frequency > 0.3) & (frequency < 7)].sum() > 0.8 * power.sum()
    between = np.corrcoef(noise.reshape(len(noise), -1)) - np.eye(len(noise))
    assert np.abs(between).max() < 0.6


# ------------------------------------------------------------------------------------------------------------- stations


def kept_rows(before, after):
    """Rows of the stations that are left, found by their positions."""
    return [int((before.pos == one).all(1).nonzero()) for one in after.pos]


@pytest.mark.parametrize("name", ["random_dropout", "nearest_dropout", "sector_dropout"])
def test_stations_that_are_left_keep_all_that_is_theirs(events, name):
    for severity in AXES[name].severities:
        left = AXES[name].make(severity).apply(events, RATE)
        rows = kept_rows(events, left)
        assert rows == sorted(rows)
        assert left.start[0] == 0
        assert left.start[-1] == len(left.x) == len(left.pos) == len(left.amplitude) == len(left.onset_s)
        event_of = np.repeat(np.arange(5), SIZES)
        assert np.repeat(np.arange(5), np.diff(left.start)).tolist() == event_of[rows].tolist()
        assert all(torch.equal(getattr(left, one), getattr(events, one)[rows]) for one in ("x", "amplitude", "onset_s"))
        assert (np.diff(left.start) >= np.minimum(SIZES, 3)).all()
        assert np.diff(left.start)[:2].tolist() == [2, 3]


@pytest.mark.parametrize("name", ["random_dropout", "nearest_dropout", "sector_dropout"])
def test_what_goes_at_one_severity_goes_at_larger_ones(events, name):
    left = [set(kept_rows(events, AXES[name].make(one).apply(events, RATE))) for one in AXES[name].severities]
    assert all(more >= fewer for more, fewer in pairwise(left))
    assert len(left[0]) > len(left[-1])


def test_a_share_of_the_stations_goes(events):
    assert np.diff(StationDropout(0.5).apply(events, RATE).start).tolist() == [2, 3, 3, 5, 6]
    assert np.diff(StationDropout(1.0).apply(events, RATE).start).tolist() == [2, 3, 3, 3, 3]


def test_the_nearest_stations_go_first(events):
    left = StationDropout(4, mode="nearest").apply(events, RATE)
    distance = (events.pos[20:, :2] - events.y[4, :2]).norm(dim=1).sort().values
    found = (left.pos[left.start[4] :, :2] - events.y[4, :2]).norm(dim=1).sort().values
    torch.testing.assert_close(found, distance[4:])


def test_a_sector_is_one_of_azimuths_from_the_epicentre(events):
    around = torch.arange(12) * torch.pi / 6  # a ring of stations about the epicentre, one every 30 degrees
    pos = events.pos.clone()
    pos[20:, :2] = events.y[4, :2] + 20 * torch.stack([around.sin(), around.cos()], 1)
    ring = replace(events, pos=pos)
    found = set()
    for seed in range(80):
        left = kept_rows(ring, StationDropout(80, random_state=seed, mode="sector").apply(ring, RATE))
        found.add(frozenset(range(20, 32)) - set(left))
    assert found == {frozenset(20 + (middle + one) % 12 for one in (-1, 0, 1)) for middle in range(12)}


# ------------------------------------------------------------------------------------------------ faults at one station


@pytest.mark.parametrize("station", ["random", "nearest"])
@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_strikes_one_station_of_each_event(events, kind, station):
    fault = kind(3 if kind not in (Clipping,) else 0.3, random_state=1, station=station)
    broken = fault.apply(events, RATE)
    differs = (
        (broken.x != events.x).flatten(1).any(1)
        | (broken.amplitude != events.amplitude)
        | (broken.pos != events.pos).any(1)
    )
    rows = differs.nonzero().flatten().tolist()
    assert rows == [fault.struck(events, i) for i in range(5)]
    assert rows == [GainError(2.0, random_state=1, station=station).struck(events, i) for i in range(5)]
    assert same(broken, events, ("start", "onset_s"))
    if station == "nearest":
        distances = [
            (events.pos[a:b, :2] - y[:2]).norm(dim=1)
            for a, b, y in zip(events.start[:-1], events.start[1:], events.y, strict=True)
        ]
        assert rows == [int(first + one.argmin()) for first, one in zip(events.start[:-1], distances, strict=True)]


def struck(fault, events):
    """Ground motion at the stations that a fault strikes, before and after, over the peak before."""
    rows = [fault.struck(events, i) for i in range(len(events))]
    before, after = (ground_motion(one)[rows].numpy() for one in (events, fault.apply(events, RATE)))
    peak = np.abs(before).max((1, 2), keepdims=True)
    return before / peak, after / peak


def test_a_gain_error_multiplies_the_ground_motion(events):
    before, after = struck(GainError(5.0), events)
    np.testing.assert_allclose(after, 5 * before, rtol=1e-4)
    assert torch.equal(GainError(5.0).apply(events, RATE).x, events.x)


def test_reversed_components(events):
    before, after = struck(PolarityFlip(1), events)
    np.testing.assert_array_equal(after, before * [[-1], [1], [1]])
    assert torch.equal(PolarityFlip(1).apply(events, RATE).amplitude, events.amplitude)


def test_swapped_components(events):
    before, after = struck(SwappedComponents(2), events)
    np.testing.assert_array_equal(after, before[:, [0, 2, 1]])
    before, after = struck(SwappedComponents(3), events)
    assert not (after == before).all((0, 2)).any()
    np.testing.assert_array_equal(after, before[:, [2, 0, 1]])


def test_clipping_keeps_what_is_below_full_scale(events):
    before, after = struck(Clipping(0.2), events)
    np.testing.assert_allclose(after, before.clip(-0.2, 0.2), atol=2e-4)
    assert (np.abs(before) > 0.2).any((1, 2)).all()


def test_a_gap_is_as_long_as_it_says_and_the_rest_stays(events):
    before, after = struck(Gap(2.0), events)
    lost = (after == 0).all(1) & ~(before == 0).all(1)
    for one, was, row in zip(after, before, lost, strict=True):
        first, last = np.flatnonzero(row)[[0, -1]]
        assert last - first + 1 == 100
        rest = np.r_[0:first, last + 1 : SAMPLES]
        np.testing.assert_allclose(one[:, rest], was[:, rest], atol=6e-4)
    longer = (struck(Gap(5.0), events)[1] == 0).all(1)
    assert longer[lost].all()


def test_a_spike_is_one_sample(events):
    before, after = struck(Spike(10.0), events)
    height = np.abs(after - before) > 1
    assert height.sum((1, 2)).tolist() == [1] * 5
    np.testing.assert_allclose(np.abs(after - before)[height], 10, atol=0.01)
    np.testing.assert_allclose(after[~height], before[~height], atol=0.01)


def test_dead_components_are_as_many_as_asked_for(events):
    for n in (1, 2, 3):
        assert (struck(DeadChannel(n), events)[1] == 0).all(2).sum(1).tolist() == [n] * 5


def test_wrong_coordinates_are_wrong_by_so_much(events):
    wrong = WrongCoordinates(7.0).apply(events, RATE)
    moved = (wrong.pos - events.pos)[[WrongCoordinates(7.0).struck(events, i) for i in range(5)]]
    torch.testing.assert_close(moved.norm(dim=1), torch.full((5,), 7.0), atol=1e-4, rtol=0)
    assert (moved[:, 2] == 0).all()
    assert len(set(moved[:, 0].tolist())) == 5


# ---------------------------------------------------------------------------------------------------------- composition


def test_a_composition_is_one_after_the_other(events):
    parts = (StationDropout(0.3), AddedNoise(5.0), LowPass(2.0), GainError(10.0, station="nearest"))
    step = events
    for one in parts:
        step = one.apply(step, RATE)
    assert same(compose(*parts).apply(events, RATE), step)
    assert same(compose(compose(*parts[:2]), *parts[2:]).apply(events, RATE), step)
    assert not same(compose(*parts[::-1]).apply(events, RATE), step)
    assert same(compose().apply(events, RATE), events)
    assert compose().apply(events, RATE) is not events


def test_two_faults_of_different_seeds_strike_two_stations(events):
    large = events.select([4])
    broken = compose(GainError(10.0, random_state=0), GainError(10.0, random_state=1)).apply(large, RATE)
    np.testing.assert_allclose(np.sort(broken.amplitude - large.amplitude)[-3:], [0, 1, 1], atol=1e-5)


# --------------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("kind", [JointShift, IndependentShift, Gap, Spike, WrongCoordinates, HighPass, LowPass])
@pytest.mark.parametrize("severity", [-1, np.nan])
def test_a_severity_that_there_is_not(kind, severity):
    with pytest.raises(UserError, match=rf"{kind.__name__}: severity {severity}: give"):
        kind(severity)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GainError(0), "a factor above 0"),
        (lambda: Clipping(1.1), "a share of the peak"),
        (lambda: SwappedComponents(1), "0, 2 or 3"),
        (lambda: DeadChannel(4), "0, 1, 2 or 3"),
        (lambda: PolarityFlip(1.5), "0, 1, 2 or 3"),
        (lambda: BandPass(0), "above 0 Hz"),
        (lambda: AddedNoise(-np.inf), "a ratio in dB"),
        (lambda: StationDropout(1.5), "a share from 0 to 1"),
        (lambda: StationDropout(1.5, mode="nearest"), "a whole number of stations"),
        (lambda: StationDropout(400, mode="sector"), "0 to 360 degrees"),
        (lambda: StationDropout(1, mode="farthest"), "choose one of random, nearest, sector"),
        (lambda: Gap(1, station="last"), "choose one of random, nearest"),
        (lambda: Gap(1, random_state=-1), "a whole number, 0 or more"),
        (lambda: severities("rain", RATE), "no perturbation 'rain': choose one of band_pass"),
    ],
)
def test_mistakes_are_told_with_a_remedy(make, message):
    with pytest.raises(UserError, match=message) as error:
        make()
    assert "\n" not in str(error.value)


def test_events_that_a_model_has_read_cannot_be_perturbed(events):
    with pytest.raises(UserError, match="before `read_by`"):
        Gap(1.0).apply(replace(events, x=None), RATE)


def test_axes_cover_all_perturbations():
    kinds = {type(axis.make(axis.severities[0])) for axis in AXES.values()}
    public = {
        one
        for one in vars(perturbations).values()
        if isinstance(one, type) and issubclass(one, perturbations.Perturbation) and not one.__abstractmethods__
    }
    assert kinds == public
