import logging

import numpy as np
import pytest

from seisbook.catalogues import geodesy
from seisbook.catalogues.catalogue import Catalogue
from tests.made_up import cross, event, reading


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


def test_path_geometry_uses_depth_and_elevation():
    network = cross()
    catalogue = Catalogue.from_rows("cross", "bulletin", [event("a")], [reading("a", "EAS"), reading("a", "SOU")])
    paths = geodesy.path_geometry(catalogue, network)
    east = geodesy.KM_PER_DEGREE * np.cos(np.radians(4))
    assert paths.path_ep_distance_km[0] == pytest.approx(east, rel=1e-3)
    assert paths.path_hyp_distance_km[0] == pytest.approx(np.hypot(east, 12), rel=1e-3)
    np.testing.assert_allclose(paths.path_azimuth_deg, [90, 180], atol=0.1)


def test_reading_at_an_unknown_station_gets_nan_and_a_line_in_the_log(caplog):
    network = cross()
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


def test_geometry_counts_stations_with_an_onset():
    network = cross()
    rows = [reading("a", code) for code in ("NOR", "EAS", "SOU")]
    rows += [reading("a", "WES", p=np.nan, trace_amplitude_nm=10.0), reading("b", "NOR", p=np.nan, path_s_travel_s=9.0)]
    events = [event("a"), event("b"), event("c")]
    table = geodesy.geometry(Catalogue.from_rows("cross", "bulletin", events, rows), network)
    assert table.index.tolist() == ["a", "b", "c"]
    assert table.n_stations.tolist() == [3, 1, 0]
    np.testing.assert_allclose(table.azimuthal_gap_deg, [180, 360, 360], atol=0.1)
    np.testing.assert_allclose(table.nearest_station_km, [55.6, 55.6, np.nan], atol=0.1)
