import numpy as np
import pytest

from seisbook.catalogues import networks, sources
from seisbook.errors import UserError
from seisbook.physics import simulation
from seisbook.studies import real_outside, real_twin, runner


def test_it_is_a_study():
    assert runner.find("real-outside") is real_outside.STUDY


def test_no_reader_of_uturuncu_was_trained_with_it():
    for path in real_outside.READERS.values():
        card = path.with_suffix(".json").read_text()
        assert "uturuncu" not in card
    assert not set(real_outside.READERS) & set(real_twin.ARMS)


def test_only_the_model_of_the_twin_has_a_training():
    trials = real_outside.trials("mexico", "waveform", "paper")
    assert [bool(real_outside.config(trial)) for trial in trials] == [True, False, False]


def test_the_twin_of_mexico_has_earthquakes_as_large_as_its_devices_record():
    twin = simulation.simulate(networks.load("mexico"), 40, 0)
    assert twin.events.source_magnitude.between(3.5, 7.5).all()
    assert twin.readings.groupby("source_id").station_code.nunique().min() >= 4


@pytest.mark.skipif(not sources.is_available("uturuncu"), reason="the records of Uturuncu are not on this machine")
def test_onsets_are_compared_with_every_pick():
    trial = real_outside.trials("uturuncu", "waveform", "quick")[-1]
    (result,) = real_outside.run([trial])
    assert trial["method"] == real_outside.PICKER
    assert (len(result["p_off_s"]), len(result["s_off_s"])) == (567, 113)
    assert len(result["p_event"]) == 567
    known = np.array([off for off in result["p_off_s"] if off is not None])
    assert np.median(np.abs(known)) < 0.5


def test_another_network_is_refused_in_one_line():
    with pytest.raises(UserError, match=r"ridgecrest: .* uturuncu and mexico: give one"):
        real_outside.trials("ridgecrest", "waveform", "paper")
