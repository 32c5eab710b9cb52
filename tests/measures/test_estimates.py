import logging

import numpy as np
import pandas as pd
import pytest

from seisbook.catalogues import geodesy, networks, schema
from seisbook.catalogues.catalogue import Catalogue
from seisbook.errors import UserError
from seisbook.measures import estimates, expert_line, seismicity
from seisbook.physics import residuals


@pytest.fixture
def network():
    """Four stations at known places around 4 N, 74 W."""
    stations = [
        schema.Station(code="NOR", latitude=4.5, longitude=-74.0, elevation_m=0),
        schema.Station(code="EAS", latitude=4.0, longitude=-73.0, elevation_m=2000, site_term=0.3),
        schema.Station(code="SOU", latitude=3.0, longitude=-74.0, elevation_m=0),
        schema.Station(code="WES", latitude=4.0, longitude=-74.2, elevation_m=0),
    ]
    return networks.Network(
        name="cross",
        title="Cross",
        reference="made up",
        utc_offset_h=0,
        velocity_model=schema.VelocityModel([0.0], [6.0], 1.75, "made up"),
        magnitude=schema.MagnitudeRelation(1.1, 0.002, -2.0, 0.2, "made up"),
        window=schema.Window(60, 20, (2, 5)),
        pick_scatter_s=(0.1, 0.2),
        pick_scatter_per_100km_s=0.1,
        dominant_period_s=(0.2, 1.3),
        minimum_stations=3,
        stations=stations,
    )


class HalfSpace:
    """Straight rays at 6 km/s."""

    def p(self, epicentral_km, depth_km, elevation_m=0.0):
        return np.hypot(epicentral_km, depth_km + np.asarray(elevation_m) / 1000) / 6

    def s(self, *path):
        return 1.75 * self.p(*path)


def event(source_id, **columns):
    place = {
        "source_latitude_deg": 4.0,
        "source_longitude_deg": -74.0,
        "source_depth_km": 10.0,
        "source_magnitude": 2.0,
    }
    return {"source_id": source_id, "source_origin_time": pd.Timestamp("2018-02-01", tz="UTC"), **place, **columns}


def reading(source_id, code, p=1.0, **columns):
    return {"source_id": source_id, "station_code": code, "path_p_travel_s": p, **columns}


def test_distance_and_azimuth_agree_with_the_ellipsoid():
    from obspy.geodetics import gps2dist_azimuth

    points = np.random.default_rng(1).uniform([-5, -80, -5, -80], [12, -68, 12, -68], (50, 4))
    distance, azimuth = geodesy.distance_azimuth(*points.T)
    exact = np.array([gps2dist_azimuth(*point)[:2] for point in points])
    np.testing.assert_allclose(distance, exact[:, 0] / 1000, rtol=0.007)
    np.testing.assert_allclose((azimuth - exact[:, 1] + 180) % 360 - 180, 0, atol=0.4)


def test_distance_of_a_point_to_itself_is_zero_and_the_arguments_broadcast():
    distance, azimuth = geodesy.distance_azimuth(4.0, -74.0, [4.0, 5.0], [-74.0, -74.0])
    np.testing.assert_allclose(distance, [0, geodesy.KM_PER_DEGREE], atol=1e-6)
    assert azimuth[1] == pytest.approx(0, abs=1e-9)


def test_path_geometry_uses_depth_and_elevation(network):
    catalogue = Catalogue.from_rows("cross", "bulletin", [event("a")], [reading("a", "EAS"), reading("a", "SOU")])
    paths = geodesy.path_geometry(catalogue, network)
    east = geodesy.KM_PER_DEGREE * np.cos(np.radians(4))
    assert paths.path_ep_distance_km[0] == pytest.approx(east, rel=1e-3)
    assert paths.path_hyp_distance_km[0] == pytest.approx(np.hypot(east, 12), rel=1e-3)
    np.testing.assert_allclose(paths.path_azimuth_deg, [90, 180], atol=0.1)


def test_reading_at_an_unknown_station_gets_nan_and_a_line_in_the_log(network, caplog):
    catalogue = Catalogue.from_rows("cross", "bulletin", [event("a")], [reading("a", "XXX"), reading("a", "SOU")])
    with caplog.at_level(logging.WARNING):
        paths = geodesy.path_geometry(catalogue, network)
    assert paths.path_ep_distance_km.isna().tolist() == [True, False]
    assert "1 of 2 readings are at stations that network cross lacks" in caplog.text


@pytest.mark.parametrize(
    ("azimuths", "gap"),
    [([0, 90, 180, 270], 90), ([350, 10], 340), ([10, 30, 350], 320), ([45], 360), ([-90, 90, np.nan], 180)],
)
def test_azimuthal_gap(azimuths, gap):
    assert geodesy.azimuthal_gap(azimuths) == pytest.approx(gap)


def test_azimuthal_gap_of_no_station_is_nan():
    assert np.isnan(geodesy.azimuthal_gap([np.nan]))


def test_geometry_counts_stations_with_an_onset(network):
    rows = [reading("a", code) for code in ("NOR", "EAS", "SOU")]
    rows += [reading("a", "WES", p=np.nan, trace_amplitude_nm=10.0), reading("b", "NOR", p=np.nan, path_s_travel_s=9.0)]
    events = [event("a"), event("b"), event("c")]
    table = geodesy.geometry(Catalogue.from_rows("cross", "bulletin", events, rows), network)
    assert table.index.tolist() == ["a", "b", "c"]
    assert table.n_stations.tolist() == [3, 1, 0]
    np.testing.assert_allclose(table.azimuthal_gap_deg, [180, 360, 360], atol=0.1)
    np.testing.assert_allclose(table.nearest_station_km, [55.6, 55.6, np.nan], atol=0.1)


def gutenberg_richter(b, n, smallest=0.95, seed=0):
    magnitudes = smallest + np.random.default_rng(seed).exponential(np.log10(np.e) / b, n)
    return np.round(magnitudes, 1)


@pytest.mark.parametrize("b", [0.7, 1.0, 1.4])
def test_b_value_of_a_gutenberg_richter_sample(b):
    estimates = np.array([seismicity.b_value(gutenberg_richter(b, 1000, seed=seed), 1.0, 0.1) for seed in range(60)])
    assert estimates[:, 0].mean() == pytest.approx(b, rel=0.015)
    assert estimates[:, 1].mean() == pytest.approx(estimates[:, 0].std(), rel=0.3)


def test_b_value_ignores_what_is_below_completeness_and_nan():
    complete = gutenberg_richter(1.0, 2000)
    polluted = np.r_[complete, np.full(500, 0.3), np.nan]
    assert seismicity.b_value(polluted, 1.0) == seismicity.b_value(complete, 1.0)


def test_b_value_of_one_magnitude_is_refused():
    with pytest.raises(UserError, match="fewer than two magnitudes above 3"):
        seismicity.b_value([1.0, 2.0, 3.0], 3.0)


def test_completeness_is_the_fullest_bin_plus_two_tenths():
    assert seismicity.completeness([1.0, 1.1, 1.1, 1.1, 1.2, 1.3, np.nan]) == pytest.approx(1.3)
    with pytest.raises(UserError, match="no finite magnitude"):
        seismicity.completeness([np.nan])


def test_bootstrap_interval_covers_the_median_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    intervals = [estimates.bootstrap_ci(rng.normal(5, 2, 60), n=300, random_state=k) for k in range(100)]
    assert 88 <= sum(one.low <= 5 <= one.high for one in intervals) <= 99


def test_bootstrap_is_deterministic_and_resamples_rows_together():
    pairs = np.column_stack([np.arange(50.0), 2 * np.arange(50.0)])
    slope = estimates.bootstrap_ci(pairs, lambda rows: rows[:, 1].sum() / rows[:, 0].sum(), n=50)
    assert slope == estimates.Estimate(2.0, 2.0, 2.0)
    values = np.random.default_rng(0).normal(size=30)
    assert estimates.bootstrap_ci(values, random_state=1) == estimates.bootstrap_ci(values, random_state=1)
    assert estimates.bootstrap_ci(values, random_state=1) != estimates.bootstrap_ci(values, random_state=2)


def test_bootstrap_of_nothing_is_refused():
    with pytest.raises(UserError, match="no finite value"):
        estimates.bootstrap_ci([np.nan, np.nan])


@pytest.mark.parametrize("size", [1, 2, 7, 60, 1001])
@pytest.mark.parametrize("statistic", [np.median, np.mean])
def test_resamples_at_once_are_those_of_one_draw_after_the_other(size, statistic, monkeypatch):
    values = np.random.default_rng(5).normal(size=(2, size)).round(1)  # some are equal
    rng = np.random.default_rng(3)
    chosen = [np.arange(size), *(rng.integers(size, size=size) for _ in range(50))]
    expected = [[statistic(row[one]) for one in chosen] for row in values]
    monkeypatch.setattr(estimates, "DRAWN", 2 * size + 1)
    found = estimates.resampled(values, statistic, 50, random_state=3)
    assert found.tolist() == np.array(expected).tolist()
    interval = estimates.estimate(found[0])
    assert interval == estimates.bootstrap_ci(values[0], statistic, 50, random_state=3)
    assert interval == estimates.bootstrap_ci(values[0], lambda sample: statistic(sample), 50, random_state=3)


def test_the_median_of_what_is_not_a_number_is_none():
    assert np.isnan(estimates.resampled([1.0, np.nan, 2.0], n=5)[0])


def test_a_statistic_written_in_c_is_evaluated_sample_by_sample():
    assert estimates.bootstrap_ci([1.0, 2.0, 3.0], max).value == 3


def test_robust_std_withstands_outliers():
    values = np.random.default_rng(0).normal(0, 2, 5000)
    values[:400] = 1e3
    assert estimates.robust_std(values) == pytest.approx(2, rel=0.15)


def test_wadati_recovers_vp_vs_among_misread_onsets():
    rng = np.random.default_rng(0)
    source = np.repeat(np.arange(200), 6)
    p = rng.uniform(2, 40, source.size)
    s = 1.76 * p + rng.normal(0, 0.3, p.size) + 0.76 * rng.normal(0, 0.2, 200)[source]
    s[:60] += 15  # a later phase, taken for S
    p[0], s[1] = np.nan, np.nan
    ratio = seismicity.wadati(p, s, source)
    assert ratio.low < 1.76 < ratio.high
    assert ratio.high - ratio.low < 0.01
    with pytest.raises(UserError, match="both a P and an S"):
        seismicity.wadati([1.0, np.nan], [np.nan, 2.0], ["a", "b"])


def test_wadati_interval_grows_when_the_readings_of_an_event_share_an_error():
    rng = np.random.default_rng(0)
    p = rng.uniform(5, 40, 600)
    s = 1.75 * p + np.repeat(rng.normal(0, 1, 60), 10)
    together = seismicity.wadati(p, s, np.repeat(np.arange(60), 10))
    apart = seismicity.wadati(p, s, np.arange(600))
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_travel_time_residuals_recover_what_was_added(network):
    catalogue = Catalogue.from_rows("cross", "bulletin", [event("a")], [reading("a", code) for code in ("EAS", "SOU")])
    distance = geodesy.path_geometry(catalogue, network).path_ep_distance_km
    elevation = np.array([2000, 0])
    catalogue.readings["path_p_travel_s"] = HalfSpace().p(distance, 10, elevation) + np.array([0.5, -0.2])
    catalogue.readings["path_s_travel_s"] = HalfSpace().s(distance, 10, elevation) + np.array([np.nan, 1.0])
    table = residuals.travel_time_residuals(catalogue, network, HalfSpace())
    np.testing.assert_allclose(table.p_residual_s, [0.5, -0.2])
    np.testing.assert_allclose(table.s_residual_s, [np.nan, 1.0])


def test_amplitude_residuals_with_and_without_the_site_term(network):
    rows = [reading("a", "EAS"), reading("a", "SOU"), reading("a", "NOR", trace_amplitude_nm=0.0)]
    catalogue = Catalogue.from_rows("cross", "bulletin", [event("a")], rows)
    distance = geodesy.path_geometry(catalogue, network).path_hyp_distance_km
    expected = 10 ** network.magnitude.log_amplitude(2.0, distance)
    catalogue.readings["trace_amplitude_nm"] = expected * 10 ** np.array([0.4, -0.1, 0.0]) * [1, 1, 0]
    table = residuals.amplitude_residuals(catalogue, network)
    np.testing.assert_allclose(table.amplitude_residual, [0.4, -0.1, np.nan], atol=1e-9)
    np.testing.assert_allclose(table.station_residual, [0.1, -0.1, np.nan], atol=1e-9)


def test_expert_line_from_formal_errors_leaves_out_fixed_coordinates():
    names = [f"source_{axis}_uncertainty_km" for axis in ("latitude", "longitude", "depth")]
    rng = np.random.default_rng(0)
    events = [
        event(f"e{i}", **dict(zip(names, (3 * k, 4 * k, 6 * k), strict=True)))
        for i, k in enumerate(rng.uniform(0.8, 1.2, 99))
    ]
    events += [event("fixed", **dict(zip(names, (300, 400, 0), strict=True))), event("none")]
    line = expert_line.expert_line(Catalogue.from_rows("cross", "bulletin", events, []))
    assert line.epicentre_km.low < 5 < line.epicentre_km.high
    assert line.depth_km.value == pytest.approx(1.2 * line.epicentre_km.value)
    assert line.magnitude_sd is None
    assert line.events == 99


def test_expert_line_between_two_catalogues():
    rng = np.random.default_rng(0)
    catalogue = Catalogue.from_rows("cross", "bulletin", [event(f"e{i}") for i in range(400)], [])
    catalogue.events["palm_latitude_deg"] = 4.0 + 2 / geodesy.KM_PER_DEGREE
    catalogue.events["palm_longitude_deg"] = -74.0
    catalogue.events["palm_depth_km"] = 10 - np.abs(rng.normal(0, 1.5, 400))
    catalogue.events["palm_magnitude"] = 2.0 + rng.normal(0.1, 0.2, 400)
    line = expert_line.expert_line(catalogue)
    assert line.epicentre_km.value == pytest.approx(2, abs=0.01)
    assert line.depth_km.low < 0.6745 * 1.5 < line.depth_km.high
    assert line.magnitude_bias.low < 0.1 < line.magnitude_bias.high
    assert line.magnitude_sd.low < 0.2 < line.magnitude_sd.high


def test_exact_labels_have_no_expert_line():
    with pytest.raises(UserError, match=r"source 'simulated'.*no expert line"):
        expert_line.expert_line(Catalogue.from_rows("cross", "simulated", [event("a")], []))


def test_expert_line_of_ridgecrest_is_the_published_difference(real_data):
    """PALM against the Southern California network: 1.46 km (median), +0.10 ± 0.20 magnitude units."""
    from seisbook.catalogues.bulletins import read_bulletin

    line = expert_line.expert_line(read_bulletin("ridgecrest"))
    assert line.epicentre_km.value == pytest.approx(1.46, abs=0.03)
    assert line.magnitude_bias.value == pytest.approx(0.10, abs=0.02)
    assert line.magnitude_sd.value == pytest.approx(0.20, abs=0.02)


def test_expert_line_of_colombia_is_the_median_formal_error(real_data):
    """Median formal errors of the February bulletin: 3.5 km north, 4.1 km east, 6.7 km in depth."""
    from seisbook.catalogues.bulletins import read_bulletin

    catalogue = read_bulletin("colombia")
    line = expert_line.expert_line(catalogue)
    assert np.hypot(3.5, 4.1) - 0.3 < line.epicentre_km.value < np.hypot(3.5, 4.1) + 0.6
    assert line.depth_km.value == pytest.approx(6.7, abs=0.1)
    pairs = catalogue.readings
    ratio = seismicity.wadati(pairs.path_p_travel_s, pairs.path_s_travel_s, pairs.source_id)
    assert ratio.value == pytest.approx(1.775, abs=0.015)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 0.9, "supported"), (1.1, 2.0, "not supported"), (0.5, 1.5, "inconclusive"), (0.5, 1.0, "inconclusive")],
)
def test_an_interval_decides(low, high, verdict):
    assert estimates.below(low, high, 1.0) == verdict
