from dataclasses import replace

import numpy as np
import pytest
import torch

from seisbook.errors import UserError
from seisbook.models.augmentation import TrainingConfig
from seisbook.models.ensembles import EnsembleLocator
from seisbook.models.graph import GraphModel, ModelConfig

CONFIG = ModelConfig(window_s=30, sampling_rate_hz=50, channels=16, blocks=2, neighbours=4)
SHORT = TrainingConfig(graph_epochs=3, batch_size=8, learning_rate=3e-3)
SUBSETS = [np.arange(0, 40), np.arange(10, 50), np.arange(20, 60)]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return GraphModel(CONFIG)


@pytest.fixture(scope="module")
def frozen(events, model):
    return events.read_by(model)


def fit(frozen, seeds, subsets, **changes):
    locator = EnsembleLocator("dynamic", CONFIG, replace(SHORT, **changes), tuple(seeds))
    return locator.fit(frozen, subsets, progress=False)


def test_frozen_features_are_those_of_the_stem(events, model, frozen):
    batch, read = events.batch(np.array([7, 3])), frozen.batch(np.array([7, 3]))
    features = model.encode(batch.traces, batch.amplitude, batch.mask)
    for one, other in zip(features[:4], read.features[:4], strict=True):
        torch.testing.assert_close(one[batch.mask], other[read.mask])
    assert read.traces is None
    torch.testing.assert_close(read.y, batch.y)


def test_graph_part_gives_the_whole_models_answer(events, model, frozen):
    index = np.arange(6)
    batch = events.batch(index)
    whole = model.locate(model.encode(batch.traces, batch.amplitude, batch.mask), batch.pos, batch.mask)
    read = frozen.batch(index)
    part = model.locate(read.features, read.pos, read.mask)
    torch.testing.assert_close(part.epicentre, whole.epicentre, atol=1e-2, rtol=1e-4)


@pytest.mark.parametrize("graph", ["dynamic", "static", "none"])
def test_replicas_together_are_replicas_alone(frozen, graph):
    """R stacked trainings against R single ones: weights, losses and predictions."""
    seeds = (3, 4, 5)
    options = {"architecture": graph, "config": CONFIG, "training": SHORT}
    together = EnsembleLocator(**options, seeds=seeds).fit(frozen, SUBSETS, progress=False)
    predicted = together.predict(frozen, [0, 1, 2])
    for r, seed in enumerate(seeds):
        alone = EnsembleLocator(**options, seeds=(seed,)).fit(frozen, SUBSETS[r : r + 1], progress=False)
        for name, value in alone.parameters_.items():
            if name == "model.vote.bias":
                continue  # one of the two cancels in a softmax: its gradient is rounding, which Adam scales up
            torch.testing.assert_close(together.parameters_[name][r], value[0], atol=2e-3, rtol=2e-3)
        np.testing.assert_allclose([h[r] for h in together.history_], [h[0] for h in alone.history_], rtol=1e-3)
        one = alone.predict(frozen, [0, 1, 2])
        torch.testing.assert_close(predicted.epicentre[r], one.epicentre[0], atol=0.05, rtol=0.01)


def test_replicas_with_other_seeds_or_events_differ(frozen):
    one = fit(frozen, (0, 1, 0), [SUBSETS[0], SUBSETS[0], SUBSETS[1]])
    weight = one.parameters_["model.head.0.weight"]
    assert (weight[0] - weight[1]).abs().max() > 0.01
    assert (weight[0] - weight[2]).abs().max() > 1e-4


def test_every_replica_learns(frozen):
    history = np.array(fit(frozen, (0, 1, 2), SUBSETS, graph_epochs=6).history_)
    assert (history[-1] < history[0] - 0.5).all()


def test_the_stem_is_not_trained(frozen):
    assert not [name for name in fit(frozen, (0,), SUBSETS[:1]).parameters_ if "stem" in name]


@pytest.mark.parametrize("subsets", [SUBSETS[:2], [*SUBSETS[:2], np.arange(10)]])
def test_unequal_subsets_are_refused(frozen, subsets):
    with pytest.raises(UserError, match="one subset of events a seed"):
        fit(frozen, (0, 1, 2), subsets)
