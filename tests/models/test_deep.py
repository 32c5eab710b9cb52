from dataclasses import replace

import numpy as np
import pytest
import torch

from seisbook.models import deep
from seisbook.models.graph import GraphModel, ModelConfig
from seisbook.studies import smoothing as smoothing_study

RIDGECREST = ModelConfig(window_s=30, sampling_rate_hz=50, channels=16, blocks=3, neighbours=4)


@pytest.fixture(scope="module")
def raw(events):
    return events.select(np.arange(40))


@pytest.fixture(scope="module")
def read(raw):
    torch.manual_seed(0)
    return raw.read_by(GraphModel(replace(RIDGECREST, channels=64)))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(1)
    return deep.DeepGraphModel(RIDGECREST)


@pytest.mark.parametrize("readout", ["multiscale", "last"])
@pytest.mark.parametrize("blocks", smoothing_study.DEPTHS["paper"])
def test_deep_models_are_as_large_as_the_default_one(blocks, readout):
    config = deep.equal_width(blocks, replace(RIDGECREST, readout=readout))
    assert config == replace(RIDGECREST, blocks=blocks, readout=readout, channels=config.channels)
    reference = deep.graph_parameters(GraphModel())
    sizes = [
        abs(deep.graph_parameters(deep.DeepGraphModel(replace(config, channels=channels))) - reference)
        for channels in (config.channels - 1, config.channels, config.channels + 1)
    ]
    assert min(sizes) == sizes[1]
    assert sizes[1] < 0.04 * reference


def test_width_follows_the_number_asked_for():
    assert deep.equal_width(4, parameters=20_000).channels < deep.equal_width(4).channels
    model = deep.DeepGraphModel(deep.equal_width(4, parameters=20_000))
    assert deep.graph_parameters(model) == sum(p.numel() for p in model.parameters())  # it has no stem
    assert deep.graph_parameters(model) == pytest.approx(20_000, rel=0.15)


def test_counting_draws_no_random_number():
    before = torch.get_rng_state()
    deep.equal_width(5, RIDGECREST, 12_345)
    assert torch.equal(torch.get_rng_state(), before)


def test_deep_model_does_not_mind_padding(read, model):
    batch = read.batch(np.array([0, 1, 2]))
    more = [torch.cat([value, torch.full_like(value[:, :2], 1e3)], 1) for value in (*batch.features[:4], batch.pos)]
    mask = torch.cat([batch.mask, torch.zeros(3, 2, dtype=torch.bool)], 1)
    one = model.eval().locate(batch.features, batch.pos, batch.mask)
    other = model.locate(type(batch.features)(*more[:4]), more[4], mask)
    torch.testing.assert_close(other.epicentre, one.epicentre, atol=1e-2, rtol=1e-4)
    torch.testing.assert_close(other.embedding, one.embedding, atol=1e-3, rtol=1e-3)
