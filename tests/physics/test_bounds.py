from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.geodesy import KM_PER_DEGREE
from seisbook.catalogues.schema import Station
from seisbook.physics.bounds import cramer_rao
from tests.made_up import TOY


def with_readings(catalogue, **columns):
    return Catalogue(catalogue.network, catalogue.source, catalogue.events, catalogue.readings.assign(**columns))


def ring(n=12, radius_km=40.0, depth_km=20.0):
    """An event below the centre of a ring of stations, at sea level, on the equator."""
    angle = 2 * np.pi * np.arange(n) / n
    stations = [
        Station(f"R{i:02d}", *(radius_km / KM_PER_DEGREE * np.array([np.cos(a), np.sin(a)])).tolist(), 0.0)
        for i, a in enumerate(angle)
    ]
    network = replace(TOY, stations=stations, pick_scatter_per_100km_s=0.0)
    event = {"source_id": "e", "source_latitude_deg": 0.0, "source_longitude_deg": 0.0, "source_depth_km": depth_km}
    event["source_origin_time"] = pd.Timestamp("2018-02-01", tz="UTC")
    readings = [{"source_id": "e", "station_code": s.code, "path_p_travel_s": 7.0} for s in stations]
    return network, Catalogue.from_rows("toy", "simulated", [event], readings)


def test_bound_of_a_ring_of_stations_is_the_textbooks(travel_times):
    """By symmetry east and north are known apart from the rest: variance 2 sigma^2 / (n p^2), p the ray parameter."""
    network, catalogue = ring()
    bound = cramer_rao(network, catalogue, travel_times).iloc[0]
    p = 40 / np.hypot(40, 20) / 6.0
    assert bound.epicentral_km == pytest.approx(np.sqrt(2 * 2 / 12) * 0.05 / p, rel=0.01)
    assert np.isinf(bound.magnitude)


def test_depth_is_unbounded_on_a_ring_of_p_onsets_alone(travel_times):
    """All stations at one distance: origin time trades off with depth, until S onsets tell them apart."""
    network, catalogue = ring()
    assert cramer_rao(network, catalogue, travel_times).depth_km.iloc[0] > 100
    both = with_readings(catalogue, path_s_travel_s=13.0)
    bound = cramer_rao(network, both, travel_times).iloc[0]
    down = 20 / np.hypot(40, 20) / 6.0 * np.array([1, 1.75])
    weight = 12 / np.array([0.05, 0.1]) ** 2
    information = np.array([[(weight * down**2).sum(), (weight * down).sum()], [(weight * down).sum(), weight.sum()]])
    assert bound.depth_km == pytest.approx(np.sqrt(np.linalg.inv(information)[0, 0]), rel=0.01)


def test_bound_of_magnitude(travel_times):
    """Scatter over the root of the number of stations, and a little more because the depth is not known."""
    network, catalogue = ring()
    bound = cramer_rao(
        network, with_readings(catalogue, path_s_travel_s=13.0, trace_amplitude_nm=100.0), travel_times
    ).iloc[0]
    alone = 0.2 / np.sqrt(12)
    assert alone < bound.magnitude < 1.05 * alone


def test_bound_falls_with_every_reading_and_grows_with_scatter(catalogue, travel_times):
    few = catalogue.head(40)
    whole = cramer_rao(TOY, few, travel_times)
    without = cramer_rao(TOY, with_readings(few, path_s_travel_s=np.nan), travel_times)
    assert (without >= whole - 1e-9).all(axis=None)
    assert (without.depth_km > 1.5 * whole.depth_km).mean() > 0.5
    coarse = cramer_rao(replace(TOY, pick_scatter_s=(0.2, 0.4)), few, travel_times)
    assert (coarse.epicentral_km > whole.epicentral_km).all()
