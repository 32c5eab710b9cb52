"""The studies of depth, rare events, attention and variance on fields, on a simulated twin."""

import numpy as np
import pytest

from seisbook.measures import field_attention, field_design
from seisbook.models.conditional_normal import ConditionalNormal
from seisbook.models.field_depth import equal_width, parameters
from seisbook.models.field_methods import LawAlone, hide
from seisbook.models.field_model import FieldConfig
from seisbook.models.field_training import FieldNetwork, FieldTraining
from seisbook.studies import fields, fields_attention, fields_depth, fields_imbalance, fields_variance, runner

TWIN = ("italy", "simulated", "quick")


@pytest.fixture(scope="module")
def parts():
    return fields.parts(*TWIN)[0]


@pytest.fixture(scope="module")
def network(parts):
    config = FieldConfig(channels=8, blocks=2, informed=False)
    return FieldNetwork(config=config, training=FieldTraining(epochs=1, patterns=1, most_stations=20)).fit(parts[0])


@pytest.fixture
def scene(network, parts):
    (one,) = network.scenes(parts[1].select([0]), hide(parts[1].select([0]), 0.5))
    return one


@pytest.mark.parametrize("module", [fields_depth, fields_imbalance, fields_attention, fields_variance])
def test_each_study_is_known_and_describes_its_trials(module):
    assert runner.find(module.STUDY.name) is module.STUDY
    trials = module.trials("italy", "measured", "paper")
    assert len({str(trial) for trial in trials}) == len(trials)
    assert all(module.config(trial) for trial in trials)


def test_models_of_all_depths_have_about_as_many_parameters():
    sizes = [parameters(fields_depth._config(graph, readout, 16)) for graph, readout in fields_depth.ARMS]
    assert sizes == pytest.approx([fields_depth.PARAMETERS] * 4, rel=0.07)
    assert equal_width(FieldConfig(), parameters(FieldConfig())) == FieldConfig()


def test_a_trial_of_depth_measures_each_test_event(parts):
    trial = fields_depth.trials(*TWIN)[-1]
    (found,) = fields_depth.run([trial])
    assert not found["diverged"]
    events = (parts[1].sizes >= 20).sum()
    assert [len(values) for values in found["similarity"].values()] == [events] * 3
    assert all(0 < value < 2 for value in found["similarity"]["mad"])
    assert fields_depth.summary(found)["rmse"] > 0


def test_only_large_events_are_thinned_and_less_is_a_part_of_more():
    magnitude = np.array([4.0, 5.5, 5.4, 6.0, 5.6, 7.0, 3.0, 5.5])
    every, n_every = fields_imbalance.thinned(magnitude, 5.5, 1.0, 0)
    few, n_few = fields_imbalance.thinned(magnitude, 5.5, 0.2, 0)
    none, n_none = fields_imbalance.thinned(magnitude, 5.5, 0.0, 0)
    assert (n_every, n_few, n_none) == (5, 1, 0)
    assert every.tolist() == list(range(8))
    assert none.tolist() == [0, 2, 6]
    assert set(none) < set(few) < set(every)


def test_a_trial_of_rare_events_is_tested_on_large_ones(parts):
    trial = fields_imbalance.trials(*TWIN)[0]
    (found,) = fields_imbalance.run([trial])
    large = (parts[1].magnitude >= fields_imbalance.LARGE["quick"]).sum()
    assert {len(scores["0.5"]["square"]) for scores in found["scores"].values()} == {large}
    assert found["n_large"] == round(0.2 * (parts[0].magnitude >= fields_imbalance.LARGE["quick"]).sum())


def test_messages_come_from_observed_stations(network, scene):
    share = field_attention.selected(network, scene)
    assert share.shape == (scene.observed.sum(),)
    assert share.sum() == pytest.approx(1)
    assert (share >= 0).all()


def test_a_station_that_is_left_out_moves_the_prediction(network, parts, scene):
    change = field_attention.influence(network, scene)
    assert change.shape == (scene.observed.sum(),)
    assert (change > 0).any()
    assert not field_attention.influence(LawAlone().fit(parts[0]), scene).any()  # the law looks at no station


def test_information_is_what_the_determinants_say_and_the_best_set_has_most(parts, scene):
    normal = ConditionalNormal().fit(parts[0])
    alone, given = field_design.covariances(normal, scene)
    best = field_design.best_set(alone, given, 3)
    sets = np.array([best, [0, 1, 2], [1, 3, 5]])
    found = field_design.information(alone, given, sets)
    assert found.argmax() == 0
    assert (found > 0).all()
    two = field_design.information(alone, given, sets[:, :2])
    assert (two < found).all()  # a station more never tells less
    same = scene._replace(pos=np.zeros_like(scene.pos), left=np.zeros_like(scene.left))
    alike = field_design.information(*field_design.covariances(normal, same), [[0], [1]])
    assert alike[0] == pytest.approx(alike[1])


def test_orders_pick_three_observed_stations(network, parts):
    train, test = parts
    normal = ConditionalNormal().fit(train)
    found = fields_attention.chosen(network, normal, test.select([0, 1]), 0)
    assert set(found["D-optimal"]["efficiency"]) == {1.0}
    assert all(0 < value <= 1 for one in found.values() for value in one["efficiency"])
    fresh = fields_attention.untrained(network, 0)
    assert fresh.law_ is network.law_
    before, after = (one.model_.blocks[0].own.weight for one in (fresh, network))
    assert not before.equal(after)


def test_partitions_leave_a_fifth_out_and_places_are_hidden(parts):
    _, test = parts
    sets = [set(fields_variance.part(50, partition)) for partition in range(5)]
    assert [len(one) for one in sets] == [40] * 5
    assert set.intersection(*sets) == set()
    observed = hide(test, fields_variance.HIDDEN)
    rows = fields_variance.places(test, observed)
    assert rows.shape == (len(test), fields_variance.PLACES)
    assert not observed[rows].any()
    assert (test.event[rows] == np.arange(len(test))[:, None]).all()


def test_a_training_predicts_the_places_of_the_external_events(parts):
    (found,) = fields_variance.run(fields_variance.trials(*TWIN)[:1])
    assert np.shape(found["external"]) == (len(parts[1]), fields_variance.PLACES)
    assert 0.1 < found["rmse"] < 1
