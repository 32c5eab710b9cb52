import numpy as np
import pytest

from seisbook.catalogues import networks, sources
from seisbook.datasets.library import load_metadata
from seisbook.physics import hourly_noise
from seisbook.studies import real, real_full, robust_models, runner


def test_it_is_a_study_of_the_published_recipe():
    assert runner.find("real-full") is real_full.STUDY
    trial = real_full.trials("iceland", "waveform", "paper")[1]
    events, training, _ = real_full.config(trial)["training"]
    assert (events, training) == (robust_models.RECIPES["paper"].twin_events, robust_models.RECIPES["paper"].twin)


def test_every_arm_has_the_same_seeds_and_signals():
    found = {}
    for trial in real_full.trials("iceland", "waveform", "paper"):
        if trial["test"] == "located":
            found.setdefault(trial["arm"], []).append((trial["seed"], trial["unit"]))
    assert set(found) == set(real_full.ARMS)
    assert {len(set(one)) for one in found.values()} == {4}
    assert len({tuple(one) for one in found.values()}) == 1


@pytest.mark.skipif(not sources.is_available("iceland"), reason="the Icelandic seismograms are not on this machine")
def test_the_first_seed_without_anything_real_is_the_published_model():
    trial = {"network": "iceland", "profile": "paper", "arm": real_full.RENDERED, "seed": 0, "unit": "counts"}
    published = {**trial, "source": "waveform", "test": "located", "arm": real.PUBLISHED, "axis": "none"}
    result, expected = real_full._locate(trial), real._locate(published)
    assert result == expected


@pytest.mark.skipif(not sources.is_available("uturuncu"), reason="the records of Uturuncu are not on this machine")
def test_the_noise_of_the_twin_changes_as_that_of_uturuncu():
    found, share = real_full.hours()
    assert 40 < len(found) <= 50
    assert 0.05 < found.std() < 0.5
    assert 0 <= share < 0.5
    place = networks.load("iceland")
    given = load_metadata(place, "simulated", 100, 1, False)
    made = hourly_noise.changed(given, found.to_numpy(), place.window.sampling_rate_hz)
    assert (given.source_id == made.source_id).all()
    assert np.ptp(made.trace_noise_level) > np.ptp(given.trace_noise_level)
