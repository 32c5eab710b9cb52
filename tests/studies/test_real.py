import numpy as np
import pytest

from seisbook.catalogues import sources
from seisbook.studies import real, real_twin, runner


def test_it_is_a_study():
    assert runner.find("real") is real.STUDY


def test_no_trial_is_tuned_with_an_event_that_it_is_tested_on():
    trials = [trial for trial in real.trials("iceland", "waveform", "paper") if trial["test"] == "tuned"]
    events = type("Events", (), {"origin_time": np.arange(27)})
    tested = {}
    for trial in trials:
        train, test = real._parts(events, trial["few"], trial["block"], trial["draw"])
        assert len(train) == trial["few"]
        assert not set(train) & set(test)
        tested.setdefault((trial["unit"], trial["few"], trial["draw"]), []).extend(test)
    assert all(sorted(found) == list(range(27)) for found in tested.values())


def test_every_arm_has_the_same_seeds_and_units():
    found = {}
    for trial in real.trials("iceland", "waveform", "paper"):
        if trial["test"] == "located" and trial["axis"] == "none":
            found.setdefault(trial["arm"], []).append((trial["seed"], trial["unit"]))
    assert len(found.pop(real.PUBLISHED)) == 2
    assert set(found) == set(real_twin.ARMS)
    assert len({tuple(one) for one in found.values()}) == 1


def test_station_medians_leave_out_what_is_missing():
    offset = np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.nan]])
    assert real_twin.station_medians(offset).tolist() == [[2.0, 5.0, 3.0]]


@pytest.mark.skipif(not sources.is_available("iceland"), reason="the Icelandic seismograms are not on this machine")
def test_calibrated_events_have_no_offset_left():
    events = real_twin.real_events("iceland", "counts")
    model = real._of_arm({"network": "iceland", "arm": real.PUBLISHED}).model_
    offset = real_twin.station_medians(real_twin.offsets(events, model.graph))
    left = real_twin.offsets(real_twin.calibrated(events, offset), model.graph)
    assert np.abs(np.nanmedian(left, 0)).max() < 1e-4
    assert np.abs(np.nanmedian(real_twin.offsets(events, model.graph))) > 0.5
