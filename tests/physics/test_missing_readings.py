import numpy as np
import pandas as pd
import pytest

import seisbook.physics.traveltimes
from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.networks import Network
from seisbook.catalogues.schema import MagnitudeRelation, Station, VelocityModel, Window
from seisbook.errors import UserError
from seisbook.physics import missing_readings, rendering
from seisbook.physics.traveltimes import TravelTimes

NATIONAL, LOCAL = Window(120.0, 20.0, (5.0, 15.0)), Window(30.0, 50.0, (2.0, 5.0))
NETWORK = Network(
    name="toy",
    title="Toy",
    reference="made up",
    utc_offset_h=0,
    velocity_model=VelocityModel([0.0], [6.0], 1.75, "half-space"),
    magnitude=MagnitudeRelation(1.11, 0.00189, -2.09, 0.2, "IASPEI"),
    window=LOCAL,
    pick_scatter_s=(0.05, 0.1),
    pick_scatter_per_100km_s=0.1,
    dominant_period_s=(0.2, 1.2),
    minimum_stations=1,
    stations=[Station(f"S{i:02d}", 10.0 + 0.05 * i, 10.0, 0.0, site_term=0.3 * (i == 3)) for i in range(12)],
)


@pytest.fixture(scope="module")
def travel_times(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seisbook.physics.traveltimes.pooch, "os_cache", lambda name: tmp_path_factory.mktemp("cache"))
        return TravelTimes(NETWORK.velocity_model, 100, 30)


def catalogue(source="bulletin", n_events=40):
    """Events of magnitude 2 (the first without), every station of the toy network with an empty reading."""
    time = pd.Timestamp("2020-01-01", tz="UTC")
    events = [
        {
            "source_id": f"e{k}",
            "source_origin_time": time,
            "source_latitude_deg": 10.2,
            "source_longitude_deg": 10.1,
            "source_depth_km": 8.0,
            "source_magnitude": np.nan if k == 0 else 2.0,
        }
        for k in range(n_events)
    ]
    readings = [{"source_id": one["source_id"], "station_code": s.code} for one in events for s in NETWORK.stations]
    return Catalogue.from_rows("toy", source, events, readings)


def test_what_was_read_is_kept(travel_times):
    cat = catalogue(n_events=2)
    read = cat.readings
    read.loc[0, ["path_p_travel_s", "path_s_travel_s", "trace_amplitude_nm", "trace_amplitude_period_s"]] = (
        5,
        9,
        50,
        0.2,
    )
    read.loc[0, ["trace_p_status", "trace_s_status"]] = "manual"
    before = cat.readings.copy()
    full = missing_readings.complete_readings(cat, NETWORK, travel_times)
    pd.testing.assert_frame_equal(cat.readings, before)
    for name in ("path_p_travel_s", "path_s_travel_s", "trace_amplitude_nm", "trace_amplitude_period_s"):
        assert full[name].notna().all()
        assert full[name][0] == read[name][0]
    assert full.trace_p_status[0] == "manual"
    assert (full.trace_p_status[1:] == "predicted").all()
    assert (full.trace_s_status[1:] == "predicted").all()
    assert full.trace_amplitude_status.tolist() == ["observed"] + ["predicted"] * 23


def test_predictions_scatter_as_picks_do(travel_times):
    full = missing_readings.complete_readings(catalogue(n_events=400), NETWORK, travel_times)
    model_p = travel_times.p(full.path_ep_distance_km, 8.0)
    error_p, error_s = full.path_p_travel_s - model_p, full.path_s_travel_s - 1.75 * model_p
    growth = 0.1 * full.path_ep_distance_km.mean() / 100
    assert error_p.std() == pytest.approx(np.hypot(0.05, growth), rel=0.1)
    assert error_s.std() == pytest.approx(np.hypot(0.1, growth), rel=0.1)
    assert abs(error_p.mean()) < 0.005
    assert (full.path_s_travel_s > full.path_p_travel_s).all()
    magnitude = NETWORK.magnitude.magnitude(np.log10(full.trace_amplitude_nm), full.path_hyp_distance_km)
    residual = (magnitude - 2.0).groupby(full.station_code)
    assert residual.mean()["S03"] == pytest.approx(0.3, abs=0.04)
    assert residual.mean()["S04"] == pytest.approx(0.0, abs=0.04)
    assert residual.std().median() == pytest.approx(0.2, rel=0.1)
    assert full.trace_amplitude_period_s.median() == pytest.approx(0.2 * 1.2**2, rel=0.05)


def test_predicted_s_stays_after_an_observed_p(travel_times):
    cat = catalogue(n_events=50)
    cat.readings["path_p_travel_s"] = 30.0  # a misread onset, later than any S
    full = missing_readings.complete_readings(cat, NETWORK, travel_times)
    assert (full.path_s_travel_s > full.path_p_travel_s).all()
    cat.readings["path_p_travel_s"] = np.nan
    cat.readings["path_s_travel_s"] = 1.0
    full = missing_readings.complete_readings(cat, NETWORK, travel_times)
    assert (full.path_s_travel_s > full.path_p_travel_s).all()
    assert (full.path_p_travel_s > 0).all()


def test_noise_is_lowered_until_a_read_onset_is_visible(travel_times):
    cat = catalogue(n_events=2)
    cat.readings.loc[0, "trace_p_status"] = "manual"
    cat.readings.loc[0, "path_p_travel_s"] = 4.0
    cat.readings.loc[0:1, "trace_amplitude_nm"] = 3.0
    full = missing_readings.complete_readings(cat, NETWORK, travel_times)
    assert rendering.noise_rms_nm(full.trace_noise_level[0], 50.0) == pytest.approx(3.0 * 0.2 / 3, rel=0.01)
    assert full.trace_noise_level[1] == 0.5


def test_an_events_numbers_do_not_depend_on_its_company(travel_times):
    cat = catalogue(n_events=6)
    part = Catalogue("toy", "bulletin", cat.events.iloc[3:], cat.readings[cat.readings.source_id >= "e3"])
    full = missing_readings.complete_readings(cat, NETWORK, travel_times)
    alone = missing_readings.complete_readings(part, NETWORK, travel_times)
    pd.testing.assert_frame_equal(full[full.source_id >= "e3"].reset_index(drop=True), alone)
    records = {name: rendering.render_event(rows, LOCAL) for name, rows in full.groupby("source_id")}
    for source_id, readings in alone.groupby("source_id"):
        _, rows, waveforms, start = rendering.render_event(readings, LOCAL)
        np.testing.assert_array_equal(waveforms, records[source_id][2])
        assert start == records[source_id][3]
        assert rows.trace_p_arrival_sample.min() == pytest.approx((rows.path_p_travel_s.min() - start) * 50)
        assert 2 <= rows.path_p_travel_s.min() - start <= 5
    assert len({one[3] for one in records.values()}) == 6  # the lead is drawn anew for each event


def test_readings_of_an_unknown_station_are_refused(travel_times):
    cat = catalogue(n_events=1)
    cat.readings.loc[0, "station_code"] = "NOWHERE"
    with pytest.raises(UserError, match=r"toy: readings at stations that the network lacks \(NOWHERE\)"):
        missing_readings.complete_readings(cat, NETWORK, travel_times)
