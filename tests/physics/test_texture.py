import numpy as np
import pandas as pd
import pytest

from seisbook.catalogues.schema import Window
from seisbook.errors import UserError
from seisbook.physics import texture
from seisbook.physics.texture import Ingredients

WINDOW = Window(length_s=20.0, sampling_rate_hz=50.0, lead_s=(2.0, 5.0))
RATE = WINDOW.sampling_rate_hz
P_S, S_S = 4.0, 8.0


def velocity_of(displacement):
    return np.diff(displacement, axis=-1, prepend=0.0) * RATE


def record(decay_s=2.0, p_over_s=0.2, noise=0.001, seed=0):
    """Velocity of a record whose P and S groups have one decay, with P on the vertical."""
    rng = np.random.default_rng(seed)
    time = np.arange(WINDOW.samples) / RATE
    groups = [np.where(time >= at, np.exp(-np.maximum(time - at, 0) / decay_s), 0) for at in (P_S, S_S)]
    moved = noise * rng.standard_normal((3, len(time)))
    moved[0] += p_over_s * groups[0] * np.sin(2 * np.pi * 5 * time)
    moved[1:] += groups[1] * rng.standard_normal((2, len(time)))
    return velocity_of(moved)


def measured(**changes):
    records = np.stack([record(seed=seed, **changes) for seed in range(8)])
    onset = np.tile([P_S, S_S], (8, 1))
    return texture.measure(records, onset, np.zeros(8), ["A", "B"] * 4, RATE, WINDOW)


def readings(n=6):
    return pd.DataFrame(
        {
            "source_id": "e1",
            "station_code": [f"S{i}" for i in range(n)],
            "trace_p_arrival_sample": P_S * RATE,
            "trace_s_arrival_sample": S_S * RATE,
            "trace_amplitude_nm": 1000.0,
            "trace_amplitude_period_s": 0.2,
            "trace_noise_level": 0.3,
            "path_azimuth_deg": np.linspace(0, 300, n),
        }
    )


def rendered(ingredients, found=None, seed=0):
    found = measured() if found is None else found
    sources = texture.draw_sources(readings().station_code, found, np.random.default_rng(seed))
    return texture.render_event(readings(), WINDOW, found, ingredients, seed, sources)


def test_a_longer_coda_and_a_weaker_p_are_measured_as_such():
    short, long = measured(decay_s=1.0).records, measured(decay_s=3.0).records
    assert 2 < long.s_decay.median() / short.s_decay.median() < 4
    strong, weak = measured(p_over_s=0.4).records, measured(p_over_s=0.1).records
    assert 3 < strong.p_z.median() / weak.p_z.median() < 5


def test_noise_is_what_came_before_p_in_both_units():
    found = measured()
    assert found.noise.shape == (8, 2, 3, WINDOW.samples)
    quiet = round((P_S - texture.BEFORE_ONSET_S - 0.3) * RATE)
    assert np.sqrt((found.noise[:, 0, :, :quiet] ** 2).mean((1, 2))) == pytest.approx(1, abs=0.02)
    integrated = texture.displacement(found.noise[:, 1], RATE)[..., 40:quiet]
    assert np.corrcoef(integrated.ravel(), found.noise[:, 0, :, 40:quiet].ravel())[0, 1] > 0.9


def test_records_without_picks_are_refused():
    with pytest.raises(UserError, match="texture: no record"):
        texture.measure(record()[None], np.full((1, 2), np.nan), [0.0], ["A"], RATE, WINDOW)


@pytest.mark.parametrize("switch", ["noise", "texture", "site"])
def test_nothing_but_noise_comes_before_p_and_the_peak_is_the_reading(switch):
    x = rendered(Ingredients(**{switch: True}))
    assert x.shape == (6, 3, WINDOW.samples)
    assert np.isfinite(x).all()
    before = np.abs(x[..., : round((P_S - 0.1) * RATE)]).max()
    assert before < 0.1 * np.abs(x).max()
    after = np.abs(x[..., round(S_S * RATE) :]).max((1, 2))
    assert after == pytest.approx(1000.0, rel=1e-3)


def test_a_drawn_texture_shows_in_the_seismogram():
    """A P of twice the strength, measured on the vertical, is rendered so."""
    share = {}
    for strength in (0.1, 0.8):
        x = rendered(Ingredients(texture=True), measured(p_over_s=strength))
        p = np.abs(x[:, 0, round(P_S * RATE) : round(S_S * RATE)]).max(-1)
        share[strength] = np.median(p / np.abs(x).max((1, 2)))
    assert share[0.8] > 2 * share[0.1]


def test_attenuation_is_causal_and_falls_off_as_kappa_says():
    n, kappa = 1200, 0.04
    response = texture.attenuation([kappa], n, RATE)[0]
    frequency = np.fft.rfftfreq(n, 1 / RATE)
    assert np.abs(response) == pytest.approx(np.exp(-np.pi * kappa * frequency), rel=1e-6)
    pulse = np.fft.irfft(response, n)
    assert np.abs(pulse[n // 2 :]).max() < 1e-3 * np.abs(pulse).max()


def test_a_site_resonates_at_its_frequency_on_the_horizontals_alone():
    sites = pd.DataFrame({"site_hz": [5.0], "site_gain": [4.0]})
    time = np.arange(2000) / RATE
    for hz, gain in ((5.0, 4.0), (0.5, 1.0), (18.0, 1.0)):
        x = np.tile(np.sin(2 * np.pi * hz * time), (1, 3, 1))
        found = texture.resonant(x, sites, RATE)
        late = slice(1000, 1900)
        assert found[0, 1, late].std() / x[0, 1, late].std() == pytest.approx(gain, rel=0.1)
        assert np.array_equal(found[0, 0], x[0, 0])


def test_same_seed_same_bytes_and_half_of_the_events_are_velocity():
    assert np.array_equal(rendered(Ingredients(noise=True)), rendered(Ingredients(noise=True)))
    both = Ingredients(noise=True, velocity=True)
    changed = [not np.array_equal(rendered(both, seed=s), rendered(Ingredients(noise=True), seed=s)) for s in range(12)]
    assert 0 < sum(changed) < 12
