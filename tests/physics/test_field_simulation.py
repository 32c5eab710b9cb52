"""The simulated twin of a region: its truth can be found again in its values."""

import numpy as np
import pytest

from seisbook.catalogues import regions
from seisbook.catalogues.ground_motion import MEASURES
from seisbook.physics import attenuation, field_simulation

REGION = regions.load("greece")


@pytest.fixture(scope="module")
def twin():
    return field_simulation.simulate(REGION, 200, 0)


def test_the_law_falls_with_distance_and_grows_with_magnitude():
    values = attenuation.design([4.0, 5.0, 5.0], [50.0, 50.0, 100.0], 10.0) @ field_simulation.LAW.T
    assert (np.diff(values[:2], axis=0) > 0).all()
    assert (np.diff(values[1:], axis=0) < 0).all()
    assert attenuation.design(5.0, [[1.0], [2.0]], np.nan).shape == (2, 1, attenuation.TERMS)
    assert attenuation.hypocentral_km(0.0, np.nan) == pytest.approx(np.hypot(10, attenuation.NEAREST_KM))


def test_the_same_seed_makes_the_same_twin(twin):
    again, _ = field_simulation.simulate(REGION, 200, 0)
    other, _ = field_simulation.simulate(REGION, 200, 1)
    assert again.records.equals(twin[0].records)
    assert not other.records.equals(twin[0].records)


def test_values_are_the_sum_of_their_parts(twin):
    motion, truth = twin
    events = motion.events.reset_index()
    number = events.reset_index().set_index("source_id")["index"].loc[motion.records.source_id].to_numpy()
    site = motion.records.station.str[4:].astype(int).to_numpy()
    east, north = np.array(REGION.to_local(motion.records.latitude.to_numpy(), motion.records.longitude.to_numpy()))
    x, y = REGION.to_local(events.source_latitude_deg.to_numpy(), events.source_longitude_deg.to_numpy())
    distance = np.hypot(east - x[number], north - y[number])
    mean = attenuation.design(events.source_magnitude[number], distance, events.source_depth_km[number]) @ truth.law.T
    within = motion.records[list(MEASURES)].to_numpy() - mean - truth.event_terms[number] - truth.site_terms[site]
    assert within.std(0) == pytest.approx(field_simulation.WITHIN, rel=0.1)
    assert np.corrcoef(within.T) == pytest.approx(field_simulation.correlation(), abs=0.06)
    assert truth.event_terms.std() == pytest.approx(field_simulation.EVENT, rel=0.2)


def test_residuals_of_neighbours_are_alike():
    places = np.array([[0.0, 0.0], [10.0, 0.0], [300.0, 0.0]])
    factor = np.linalg.cholesky(field_simulation.correlation())
    rng = np.random.default_rng(0)
    drawn = np.array([field_simulation._within(rng, places, factor)[:, 0] for _ in range(4000)])
    found = np.corrcoef(drawn.T)
    assert found[0, 1] == pytest.approx(0.7 * np.exp(-10 / 40), abs=0.05)
    assert found[0, 2] == pytest.approx(0, abs=0.05)
