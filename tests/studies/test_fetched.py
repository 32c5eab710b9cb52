"""Studies on the fetched seismograms of a bulletin's events."""

from dataclasses import replace

import pytest

from seisbook.catalogues import networks
from seisbook.datasets import fetched, fetching, library
from seisbook.studies import fold, runner, smoothing
from tests import loopback

EVENTS = 20


@pytest.fixture
def on_records(bench, bulletin, real_data, tmp_path, monkeypatch):
    """Made-up records of the first events of Ridgecrest, fetched from a server on this machine."""
    network, events = networks.load("ridgecrest"), bulletin("ridgecrest").head(EVENTS)
    monkeypatch.setattr(fetched, "folder", lambda name: tmp_path / "fdsn" / name)
    monkeypatch.setattr(library, "BUILD", tmp_path)
    monkeypatch.setattr(fold, "load_events", library.load_events)  # the bench has simulated events in its place
    responses = loopback.responses(loopback.instruments(network.stations))
    with loopback.running(loopback.made_up(events, network), responses) as centre:
        fetching.fetch(network, events, centre.address, progress=False)
    monkeypatch.setitem(smoothing.TRAINING, "quick", replace(smoothing.TRAINING["quick"], batch_size=8))


def test_a_study_trains_and_tests_on_fetched_records(on_records):
    trial = smoothing.trials("ridgecrest", "waveform", "quick")[0]
    (result,) = smoothing.run([trial])
    assert (result["n_train"], result["n_test"]) == (EVENTS * 4 // 5, EVENTS // 5)
    assert len(result["epicentral_km"]) == EVENTS // 5


@pytest.mark.parametrize("name", runner.ON_FETCHED)
def test_studies_that_take_fetched_records_have_trials_of_them(name):
    trials = runner.find(name).trials("ridgecrest", "waveform", "quick")
    assert trials
    assert {one["source"] for one in trials} == {"waveform"}
