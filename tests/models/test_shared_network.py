"""One embedding with two heads: what hidden stations may do, and that both tasks are learnt."""

import numpy as np
import pytest
import torch

from seisbook.measures import reconstruction
from seisbook.models.field_methods import hide
from seisbook.models.shared_network import SharedNetwork
from seisbook.models.source_network import SourceConfig, SourceTraining
from seisbook.studies import fields

SHORT = SourceTraining(steps=60)


@pytest.fixture(scope="module")
def parts():
    return fields.parts("italy", "simulated", "quick")[0]


@pytest.fixture(scope="module")
def network(parts):
    return SharedNetwork(SourceConfig(channels=8), SHORT).fit(parts[0])


def test_the_values_of_hidden_stations_change_nothing(network, parts):
    test = parts[1].select([0, 1])
    observed = hide(test, 0.5)
    wrong = test.values.copy()
    wrong[~observed] += 1
    found = network.reconstruct(test, observed).mean[~observed]
    spoilt = SharedNetwork.reconstruct(network, _with(test, wrong), observed).mean[~observed]
    assert np.allclose(found, spoilt, atol=1e-6)


def test_a_hidden_station_is_predicted_alike_whoever_else_is_hidden(network, parts):
    test = parts[1].select([0])
    observed = hide(test, 0.5)
    one = np.flatnonzero(~observed)[0]
    rows = np.sort(np.append(np.flatnonzero(observed), one))
    alone = _rows(test, rows)
    found = network.reconstruct(alone, observed[rows]).mean[rows == one]
    assert np.allclose(found, network.reconstruct(test, observed).mean[one], atol=1e-5)


def test_both_tasks_are_learnt(network, parts):
    train, test = parts
    sources = network.predict(test)
    middle = np.median(np.hypot(*(test.epicentre - train.epicentre.mean(0)).T))
    assert np.median(np.hypot(*(sources[:, :2] - test.epicentre).T)) < middle
    observed = hide(test, 0.3)
    scores = reconstruction.scores(network.reconstruct(test, observed), test, observed)
    hidden = test.values[~observed]
    assert np.sqrt(scores["square"].sum() / scores["count"].sum()) < np.nanstd(hidden)


def test_only_the_tasks_that_are_asked_for_are_trained(parts):
    few = parts[0].select(np.arange(40))
    made = SharedNetwork(SourceConfig(channels=8), SourceTraining(steps=2), tasks=("field",))
    before = {name: value.clone() for name, value in _fresh(made).items()}
    after = made.fit(few).model_.state_dict()
    moved = {name.split(".")[0] for name, value in after.items() if not torch.allclose(value, before[name], rtol=1e-2)}
    assert "field" in moved
    assert "vote" not in moved


def test_training_starts_from_what_it_is_given(network, parts):
    start = network.model_.state_dict()
    made = SharedNetwork(SourceConfig(channels=8), SourceTraining(steps=0), 1, start=start).fit(parts[0])
    assert all(torch.equal(value, start[name]) for name, value in made.model_.state_dict().items())


def _fresh(network):
    torch.manual_seed(network.random_state)
    return network._model().state_dict()


def _with(fields, values):
    return type(fields)(**{**fields.arrays(), "values": values})


def _rows(fields, rows):
    parts = {name: getattr(fields, name)[rows] for name in ("values", "pos", "station")}
    return type(fields)(**{**fields.arrays(), **parts, "start": np.array([0, len(rows)])})
