from dataclasses import replace

import numpy as np
import pytest

from seisbook.catalogues import networks
from seisbook.measures import perturbations
from seisbook.models import checkpoints, inspection
from seisbook.studies import robustness as robustness_study
from seisbook.studies.places import PUBLISHED, model_path


def test_all_severities_that_the_sampling_can_hold_are_tried():
    trials = robustness_study.trials("colombia", "bulletin", "paper")
    assert [one["axis"] for one in trials].count("none") == 1
    assert {one["axis"] for one in trials} == {"none", *perturbations.AXES}
    bands = [one["severity"] for one in trials if one["axis"] == "band_pass"]
    assert bands == [0.5, 1.0, 2.0, 4.0]  # at 20 samples a second


@pytest.fixture(scope="module")
def event(events):
    """One simulated event, the model that looks at it, and the sampling rate."""
    network = networks.load("ridgecrest")
    model, _ = checkpoints.load(model_path("ridgecrest", "dynamic", "random", 0, "paper"))
    return events.select([inspection.clear_event(events)]), model, network.window.sampling_rate_hz


def test_stations_are_recognised_by_their_places(event):
    one, _, _ = event
    network = networks.load("ridgecrest")
    catalogue = robustness_study.picked(one, network)
    stations = network.station_table().loc[catalogue.readings.station_code]
    places = np.column_stack(network.to_local(stations.latitude, stations.longitude))
    np.testing.assert_allclose(places, one.pos[:, :2], atol=0.01)
    p = catalogue.readings.path_p_travel_s.to_numpy()
    assert np.nanmedian(np.abs(p - one.onset_s[:, 0].numpy())) < 0.2
    moved = replace(one, pos=one.pos + 1)  # 1 km
    assert robustness_study.picked(moved, network).readings.empty


def test_models_are_tested_on_perturbed_events():
    trials = {one["axis"]: one for one in robustness_study.trials("ridgecrest", "simulated", "quick")}
    calm, band = robustness_study.run([trials["none"], trials["band_pass"]])
    assert set(calm) == {*PUBLISHED, "classical"}
    assert {len(one["epicentral_km"]) for one in (*calm.values(), *band.values())} == {robustness_study.QUICK_EVENTS}
    assert np.median(calm["classical"]["epicentral_km"]) < 5  # it picks the rendered seismograms itself
    assert calm["dynamic"] != band["dynamic"]
    assert calm["dynamic"] != calm["static"]


def test_the_classical_pipeline_outvotes_one_bad_record():
    calm = next(iter(robustness_study.trials("ridgecrest", "simulated", "quick")))
    spike, moved = {**calm, "axis": "spike", "severity": 10.0}, {**calm, "axis": "wrong_coordinates", "severity": 10.0}
    before, after, elsewhere = robustness_study.run([calm, spike, moved])
    growth = {
        name: np.median(after[name]["epicentral_km"]) / np.median(before[name]["epicentral_km"])
        for name in ("classical", "dynamic")
    }
    assert growth["classical"] < 1.5 < growth["dynamic"]
    assert "classical" not in elsewhere  # it knows its stations by name
    assert robustness_study.config(spike) != robustness_study.config(moved)
