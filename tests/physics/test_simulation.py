from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import seisbook.physics.traveltimes
from seisbook.catalogues import networks
from seisbook.catalogues.geodesy import distance_azimuth
from seisbook.catalogues.networks import Network
from seisbook.catalogues.schema import MagnitudeRelation, Station, VelocityModel, Window, Zone
from seisbook.errors import UserError
from seisbook.physics import simulation
from seisbook.physics.traveltimes import TravelTimes

rng = np.random.default_rng(0)
NETWORK = Network(
    name="toy",
    title="Toy",
    reference="made up",
    utc_offset_h=-5,
    velocity_model=VelocityModel([0.0], [6.0], 1.75, "half-space"),
    magnitude=MagnitudeRelation(1.11, 0.00189, -2.09, 0.25, "IASPEI"),
    window=Window(30.0, 50.0, (2.0, 5.0)),
    pick_scatter_s=(0.05, 0.1),
    pick_scatter_per_100km_s=0.1,
    dominant_period_s=(0.2, 1.2),
    minimum_stations=4,
    stations=[
        Station(f"S{i:02d}", *rng.uniform(9.5, 10.5, 2).tolist(), 500.0, site_term=0.4 * (i == 0)) for i in range(20)
    ],
    zones=[
        Zone("fault", "tectonic", 10.0, 10.0, 8.0, 20.0, 2.0, 4.0, 1.0, 0.0, 5.0, 0.75, strike_deg=45.0),
        Zone("pit", "quarry_blast", 10.3, 9.8, 0.0, 1.0, 1.0, 0.2, 1.0, 1.0, 2.5, 0.25, hours=(8.0, 17.0)),
    ],
)


@pytest.fixture(scope="module")
def travel_times(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seisbook.physics.traveltimes.pooch, "os_cache", lambda name: tmp_path_factory.mktemp("cache"))
        return TravelTimes(NETWORK.velocity_model, 200, 60)


@pytest.fixture(scope="module")
def catalogue(travel_times):
    return simulation.simulate(NETWORK, 2000, 0, travel_times)


def test_catalogue_is_whole(catalogue):
    assert catalogue.source == "simulated"
    assert len(catalogue) == 2000
    assert catalogue.events.index.is_unique
    assert set(catalogue.readings.source_id) == set(catalogue.events.index)
    assert not catalogue.readings.duplicated(["source_id", "station_code"]).any()
    assert catalogue.readings[["path_p_travel_s", "path_s_travel_s"]].notna().any(axis=1).all()
    assert catalogue.events.source_depth_km.min() >= 0
    status = catalogue.readings.trace_p_status
    assert (status[catalogue.readings.path_p_travel_s.notna()] == "simulated").all()
    assert (status[catalogue.readings.path_p_travel_s.isna()] == "").all()


def test_same_seed_same_catalogue_and_longer_ones_begin_with_shorter_ones(catalogue, travel_times):
    short = simulation.simulate(NETWORK, 700, 0, travel_times)
    pd.testing.assert_frame_equal(short.events, catalogue.events.head(700))
    pd.testing.assert_frame_equal(short.readings, catalogue.readings.head(len(short.readings)))
    other = simulation.simulate(NETWORK, 700, 1, travel_times)
    assert not np.array_equal(other.events.source_magnitude, short.events.source_magnitude)


def test_zones_keep_their_shares_places_and_hours(catalogue):
    events = catalogue.events
    pit = events[events.source_type == "quarry_blast"]
    assert len(pit) / len(events) == pytest.approx(0.25, abs=0.03)
    local = (pit.source_origin_time - pd.Timedelta(hours=5)).dt
    assert (local.hour >= 8).all()
    assert (local.hour < 17).all()
    assert events.source_origin_time.dt.day.nunique() == 28
    fault = events[events.source_type == "tectonic"]
    east = (fault.source_longitude_deg - 10) * 111.195 * np.cos(np.radians(10))
    north = (fault.source_latitude_deg - 10) * 111.195
    assert (east + north).std() / np.sqrt(2) == pytest.approx(20, rel=0.1)  # along strike, north-east
    assert (east - north).std() / np.sqrt(2) == pytest.approx(2, rel=0.1)


def test_every_event_has_enough_stations_and_small_events_have_fewer(catalogue):
    stations = catalogue.readings.groupby("source_id").size().reindex(catalogue.events.index)
    assert stations.min() == NETWORK.minimum_stations
    magnitude = catalogue.events.source_magnitude
    assert stations[magnitude < 1].mean() < stations[magnitude > 2].mean()


def test_completeness_emerges(catalogue):
    """The zones begin at magnitude 0, but few events so small are read by four stations: the law bends over."""
    fault = catalogue.events[catalogue.events.source_type == "tectonic"].source_magnitude
    counts, _ = np.histogram(fault, np.arange(0, 3.1, 0.25))
    assert counts.argmax() >= 2
    large = fault[fault >= 1.75]
    assert np.log10(np.e) / (large.mean() - 1.75) == pytest.approx(1.0, abs=0.2)


def test_readings_scatter_about_the_truth_as_the_network_says(catalogue):
    readings = catalogue.readings
    event = catalogue.events.loc[readings.source_id]
    station = NETWORK.station_table().loc[readings.station_code]
    distance, _ = distance_azimuth(
        event.source_latitude_deg.to_numpy(),
        event.source_longitude_deg.to_numpy(),
        station.latitude.to_numpy(),
        station.longitude.to_numpy(),
    )
    depth = event.source_depth_km.to_numpy() + 0.5
    np.testing.assert_allclose(readings.true_p_travel_s, np.hypot(distance, depth) / 6, atol=0.02)
    scale = np.hypot(0.05, 0.1 * distance / 100)
    assert ((readings.path_p_travel_s - readings.true_p_travel_s) / scale).std() == pytest.approx(1, rel=0.05)
    scale = np.hypot(0.1, 0.1 * distance / 100)
    assert ((readings.path_s_travel_s - readings.true_s_travel_s) / scale).std() == pytest.approx(1, rel=0.05)
    strong = event.source_magnitude.to_numpy() > 2.5  # detection favours loud readings of faint events
    magnitude = NETWORK.magnitude.magnitude(np.log10(readings.trace_amplitude_nm), np.hypot(distance, depth))
    residual = (magnitude - event.source_magnitude.to_numpy())[strong]
    first = (readings.station_code == "S00").to_numpy()[strong]
    assert residual[first].mean() == pytest.approx(0.4, abs=0.1)
    assert residual[~first].mean() == pytest.approx(0.0, abs=0.05)
    assert residual[~first].std() == pytest.approx(0.25, rel=0.1)


def test_truncated_gutenberg_richter():
    n = 20_000
    draws = simulation.truncated_gutenberg_richter(np.full(n, 0.9), np.full(n, 1.0), np.full(n, 6.0), rng)
    assert draws.min() >= 1
    assert draws.max() <= 6
    assert np.log10(np.e) / (draws.mean() - 1) == pytest.approx(0.9, rel=0.03)


def test_hours_may_go_past_midnight():
    night = replace(NETWORK.zones[1], share=1.0, hours=(20.0, 4.0))
    events = simulation.draw_hypocentres(replace(NETWORK, zones=[night]), np.zeros(500, int), np.random.default_rng(0))
    hour = (events.source_origin_time - pd.Timedelta(hours=5)).dt.hour
    assert ((hour >= 20) | (hour < 4)).all()
    assert (hour >= 20).any()
    assert (hour < 4).any()


def test_network_without_zones_is_refused(travel_times):
    with pytest.raises(UserError, match="toy: no seismicity zones"):
        simulation.simulate(replace(NETWORK, zones=[]), 10, 0, travel_times)


def test_zone_that_nobody_hears_is_named(travel_times, monkeypatch):
    monkeypatch.setattr(simulation, "ROUNDS", 3)
    silent = [replace(NETWORK.zones[0], name="silent", share=1.0, magnitude_min=-5.0, magnitude_max=-4.0)]
    with pytest.raises(UserError, match="zone 'silent': no event is read by 4 stations"):
        simulation.simulate(replace(NETWORK, zones=silent), 10, 0, travel_times)


@pytest.mark.parametrize("name", ["colombia", "ridgecrest"])
def test_twins_resemble_the_bulletins(name):
    """Quartiles of stations per event: 4 to 5, 7 and 9 to 12 in the bulletins of both networks."""
    network = networks.load(name)
    catalogue = simulation.simulate(network, 500)
    low, middle, high = np.quantile(catalogue.readings.groupby("source_id").size(), [0.25, 0.5, 0.75])
    assert 4 <= low <= 6
    assert 5 <= middle <= 10
    assert 6 <= high <= 16
