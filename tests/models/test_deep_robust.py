from dataclasses import replace

import numpy as np
import pytest
import torch

from seisbook.catalogues import networks
from seisbook.errors import UserError
from seisbook.models.deep import graph_parameters
from seisbook.models.deep_robust import DeepRobustModel, equal_width
from seisbook.models.robust import RobustConfig, RobustModel, dense
from seisbook.studies import smoothing as smoothing_study

CONFIG = RobustConfig(window_s=30, sampling_rate_hz=50, channels=12, blocks=2)


@pytest.fixture(scope="module")
def ridgecrest():
    return networks.load("ridgecrest")


@pytest.mark.parametrize("readout", ["multiscale", "last"])
@pytest.mark.parametrize("blocks", smoothing_study.DEPTHS["paper"])
def test_deep_models_are_as_large_as_the_robust_one(ridgecrest, blocks, readout):
    before = torch.get_rng_state()
    config = equal_width(blocks, replace(CONFIG, readout=readout), ridgecrest)
    assert torch.equal(torch.get_rng_state(), before)  # counting draws no random number
    assert config == replace(CONFIG, blocks=blocks, readout=readout, channels=config.channels)
    reference = graph_parameters(RobustModel(RobustConfig(), ridgecrest))
    assert graph_parameters(DeepRobustModel(config, ridgecrest)) == pytest.approx(reference, rel=0.04)


def test_width_follows_the_number_asked_for(ridgecrest):
    model = DeepRobustModel(equal_width(2, CONFIG, ridgecrest, 20_000), ridgecrest)
    assert graph_parameters(model) == pytest.approx(20_000, rel=0.15)
    assert graph_parameters(model) == sum(p.numel() for p in model.parameters())  # it has no stem


def test_a_narrow_model_takes_the_state_of_a_wide_stem(events, ridgecrest):
    torch.manual_seed(0)
    stem, deep = RobustModel(replace(CONFIG, channels=64), ridgecrest), DeepRobustModel(CONFIG, ridgecrest)
    batch = events.batch(np.arange(4))
    with torch.no_grad():
        found, _, _ = stem.read(batch.traces.float(), batch.amplitude[batch.mask])
        prediction = deep.eval().locate(dense(found, batch.mask), batch.pos, batch.mask)
    assert prediction.embedding.shape == (4, 2 * 12 * 3)
    assert torch.isfinite(prediction.epicentre).all()
    with pytest.raises(UserError, match="reads no seismograms"):
        deep.read(batch.traces, batch.amplitude)
