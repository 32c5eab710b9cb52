from dataclasses import replace

import numpy as np

from seisbook.catalogues import networks
from seisbook.studies import recipes
from seisbook.studies.pretraining import try_rates

QUICK = recipes.PROFILES["quick"]


def test_learning_rates_are_tried_on_held_out_events(events):
    config = recipes.model_config(networks.load("ridgecrest"))
    short = replace(QUICK.pretraining, epochs=1, graph_epochs=0, batch_size=8)
    few = replace(QUICK, rates=(1e-3, 3e-3), trial_events=40, trial=short)
    tried = try_rates("dynamic", config, few, events, progress=False)
    assert set(tried) == set(few.rates)
    assert all(np.isfinite(loss) for loss in tried.values())
    silly = replace(few, rates=(1e-3, 1e12))
    assert set(try_rates("dynamic", config, silly, events, False)) >= {1e-3}
