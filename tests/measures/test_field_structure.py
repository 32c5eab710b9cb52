"""Semivariogram, weights and neighbours of a field, against fields whose truth is known."""

import numpy as np
import pytest

from seisbook.catalogues.ground_motion import MEASURES
from seisbook.measures import field_structure
from seisbook.models.conditional_normal import ConditionalNormal
from seisbook.models.field_methods import Information, hide
from seisbook.models.field_model import FieldConfig
from seisbook.models.field_training import FieldNetwork, FieldTraining
from seisbook.physics import field_simulation
from tests.models.made_fields import parts

PGV = MEASURES.index("pgv")


@pytest.fixture(scope="module")
def normal():
    return ConditionalNormal(Information(site_terms=False)).fit(parts()[0])


@pytest.fixture(scope="module")
def network(normal):
    training = FieldTraining(epochs=1, patterns=1, most_stations=20)
    config = FieldConfig(channels=16, blocks=2, informed=False)
    return FieldNetwork(Information(site_terms=False), config, training).fit(parts()[0].select(range(40)))


@pytest.fixture(scope="module")
def event():
    _, test = parts()
    return test.select([int(np.argmax(test.sizes))])


def truth(distance):
    """The twin's semivariogram, where stations' terms are not taken off."""
    smooth = field_simulation.SMOOTH * (1 - np.exp(-distance / field_simulation.RANGE_KM))
    return field_simulation.WITHIN**2 * (smooth + 1 - field_simulation.SMOOTH) + field_simulation.SITE**2


def test_the_semivariogram_of_the_twin_is_the_one_that_it_was_made_with(normal):
    train, _ = parts()
    found = field_structure.semivariogram(normal, train)
    assert found.pairs.sum() > 10_000
    assert (np.diff(found.distance_km) > 0).all()
    found = found[found.distance_km > 10]  # nearer, a few pairs of stations come back in event after event
    expected = truth(found.distance_km)
    assert found["mean"].to_numpy() == pytest.approx(expected, rel=0.25)
    assert found.robust.to_numpy() == pytest.approx(expected, rel=0.3)


def test_wrong_values_move_the_robust_semivariogram_less(normal):
    train, _ = parts()
    wrong = train.select(range(len(train)))
    rng = np.random.default_rng(0)
    sign = rng.choice([-0.7, 0.7], len(wrong.values))  # a factor of five, which is not far enough to be left out
    wrong.values[:] += np.where(rng.random(len(wrong.values)) < 0.06, sign, 0)[:, None].astype(np.float32)
    calm, spoilt = (field_structure.semivariogram(normal, fields) for fields in (train, wrong))
    grown = (spoilt / calm).mean()
    assert grown["mean"] > 1.1
    assert grown.robust < grown["mean"] - 0.04


def test_weights_are_those_of_the_conditional_normal(normal):
    places = np.array([[0.0, 0.0], [30.0, 0.0], [200.0, 0.0]])
    weights = field_structure.weights(normal.covariance_, places, np.array([[0.1, 0.0], [30.0, 1.0]]))
    assert weights.shape == (2, 3)
    assert weights.argmax(1).tolist() == [0, 1]
    assert (weights.sum(1) < 1).all()


def test_every_hidden_station_hears_shares_that_add_up(normal, network):
    _, test = parts()
    test = test.select(range(3))
    observed = hide(test, 0.5)
    found = field_structure.heard(normal, network, test, observed)
    hidden = (~observed).sum()
    for name in ("weight", "nearest", "block 1", "block 2"):
        assert found[name].sum() == pytest.approx(hidden)
    assert (found.nearest * found.distance_km).sum() <= (found["block 1"] * found.distance_km).sum() + 1e-6
    assert len(found) == sum(observed[test.rows(i)].sum() * (~observed[test.rows(i)]).sum() for i in range(len(test)))


def test_the_nearest_stations_are_kept(event):
    near = field_structure.nearest(event, 10)
    assert len(near.values) == 10
    assert near.epicentral_km.max() <= np.sort(event.epicentral_km)[9] + 1e-6
    assert field_structure.nearest(event, 10_000).sizes[0] == event.sizes[0]


def test_the_grid_begins_in_the_south_west(event):
    places = field_structure.grid(event, 50, 5)
    assert places.shape == (25, 2)
    assert places.mean(0) == pytest.approx(event.pos.mean(0), abs=1e-3)
    assert places[1, 0] > places[0, 0]
    assert places[5, 1] > places[0, 1]


def test_a_view_with_all_stations_and_without_any(normal, event):
    near = field_structure.nearest(event, 25)
    view = field_structure.view(normal, near, field_structure.grid(near, 60, 6))
    every = np.ones(len(view.codes), bool)
    law, widest = field_structure.conditioned(view, ~every)
    assert law == pytest.approx(np.concatenate([view.grid_prior, view.prior]))
    mean, half = field_structure.conditioned(view, every)
    assert (half < widest).all()
    assert np.abs(mean - law).max() > 0.05
    fewer = field_structure.conditioned(view, np.arange(len(every)) % 3 == 0)[1]
    assert (half <= fewer + 1e-9).all()


def test_a_view_predicts_as_the_method_where_one_measure_is_all_that_is_known(normal, event):
    near = field_structure.nearest(event, 15)
    near.values[:, [i for i in range(5) if i != PGV]] = np.nan
    places = field_structure.grid(near, 60, 4)
    view = field_structure.view(normal, near, places)
    mean, half = field_structure.conditioned(view, np.ones(len(view.codes), bool))
    found = normal.predict_at(near, np.ones(len(near.values), bool), places)
    assert mean[: len(places)] == pytest.approx(found.mean[:, PGV], abs=1e-3)
    assert half[: len(places)] == pytest.approx(field_structure.REACH * found.scale[:, PGV], rel=1e-3)
