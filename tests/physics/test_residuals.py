import numpy as np

from seisbook.catalogues import geodesy
from seisbook.catalogues.catalogue import Catalogue
from seisbook.physics import residuals
from tests.made_up import HalfSpace, cross, event, reading


def test_travel_time_residuals_recover_what_was_added():
    network = cross()
    catalogue = Catalogue.from_rows("cross", "bulletin", [event("a")], [reading("a", code) for code in ("EAS", "SOU")])
    distance = geodesy.path_geometry(catalogue, network).path_ep_distance_km
    elevation = np.array([2000, 0])
    catalogue.readings["path_p_travel_s"] = HalfSpace().p(distance, 10, elevation) + np.array([0.5, -0.2])
    catalogue.readings["path_s_travel_s"] = HalfSpace().s(distance, 10, elevation) + np.array([np.nan, 1.0])
    table = residuals.travel_time_residuals(catalogue, network, HalfSpace())
    np.testing.assert_allclose(table.p_residual_s, [0.5, -0.2])
    np.testing.assert_allclose(table.s_residual_s, [np.nan, 1.0])


def test_amplitude_residuals_with_and_without_the_site_term():
    network = cross()
    rows = [reading("a", "EAS"), reading("a", "SOU"), reading("a", "NOR", trace_amplitude_nm=0.0)]
    catalogue = Catalogue.from_rows("cross", "bulletin", [event("a")], rows)
    distance = geodesy.path_geometry(catalogue, network).path_hyp_distance_km
    expected = 10 ** network.magnitude.log_amplitude(2.0, distance)
    catalogue.readings["trace_amplitude_nm"] = expected * 10 ** np.array([0.4, -0.1, 0.0]) * [1, 1, 0]
    table = residuals.amplitude_residuals(catalogue, network)
    np.testing.assert_allclose(table.amplitude_residual, [0.4, -0.1, np.nan], atol=1e-9)
    np.testing.assert_allclose(table.station_residual, [0.1, -0.1, np.nan], atol=1e-9)
