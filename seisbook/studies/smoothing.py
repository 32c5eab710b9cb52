r"""The smoothing study: similarity of the states of an event's stations, by block and by depth of the model.

A graph convolution mixes the states of neighbours. Many convolutions in a row can make the states of all stations the
same. The model can then no longer distinguish the stations: this is over-smoothing. The study trains models with 2 to
16 blocks and the same number of parameters. Their graph is dynamic or static, and their readout is multi-scale or uses
the last block alone. `seisbook.measures.smoothness` measures the over-smoothing, `seisbook.models.deep` has the models.

Letters as in `seisbook.models.graph`: `B` events, `N` stations (padded), `C` channels, `E` width of the embedding.
"""

import itertools
import logging
from dataclasses import replace
from functools import cache

import pandas as pd
import torch

from seisbook.catalogues import networks
from seisbook.errors import UserError
from seisbook.measures import evaluation
from seisbook.measures.smoothness import (
    profile,
)
from seisbook.models.augmentation import TrainingConfig
from seisbook.models.deep import DeepGraphModel, equal_width, graph_parameters
from seisbook.models.training import Locator
from seisbook.studies import recipes, runner
from seisbook.studies.fold import first_fold_read
from seisbook.studies.pretraining import pretrain

log = logging.getLogger(__name__)
# --------------------------------------------------------------------------------------------------------------- study


DEPTHS = {"quick": (2, 4), "paper": (2, 4, 8, 16)}
SEEDS = {"quick": (0,), "paper": (0,)}
ARMS = tuple(itertools.product(("dynamic", "static"), ("multiscale", "last")))
TRAINING = {
    name: TrainingConfig(epochs=epochs, graph_epochs=0, batch_size=32, learning_rate=2e-3, validation=0.0)
    for name, epochs in (("quick", 2), ("paper", 15))
}
SIMULATION_SEED = 2  # differs from the seed of the twin's events, on which the stem was trained


def trials(network, source, profile) -> list[dict]:
    """The trials: each depth with each graph and readout; all trials of one seed come before those of the next."""
    common = {"network": network, "source": source, "profile": profile}
    return [
        {**common, "graph": graph, "readout": readout, "blocks": blocks, "seed": seed}
        for seed in SEEDS[profile]
        for blocks in DEPTHS[profile]
        for graph, readout in ARMS
    ]


def run(trials) -> list[dict]:
    """Train and measure, one trial after the other.

    The graph part is trained from scratch on the training part of the first random fold. The stem, which was trained on
    the network's simulated twin, reads the events. The fold belongs to the network's real bulletin. For the source
    `simulated`, it belongs to newly simulated events on which the stem was not trained.

    Returns
    -------
    list of dict
        For each trial: `channels` and `parameters` of the graph part; `loss` by epoch; `diverged`, whether the loss or
        a prediction was not finite (the entries that follow are then missing); `summary` of the errors on the test part
        (`evaluation.summarise_errors`); `epicentral_km` of each test event, in the fold's order; `measures`, the rows
        of `profile` on the test events.
    """
    return [_trained(trial) for trial in trials]


def config(trial) -> dict:
    """Configuration of a trial: the default model of the network, and the training."""
    return {"model": _default(trial["network"]), "training": TRAINING[trial["profile"]]}


def _config(trial):
    config = replace(_default(trial["network"]), graph=trial["graph"], readout=trial["readout"])
    return equal_width(trial["blocks"], config)


@cache
def _default(network):
    """The default model of a network."""
    return recipes.model_config(networks.load(network))


def _trained(trial):
    fold = first_fold_read(trial["network"], trial["source"], trial["profile"])
    train, test = fold.shown, fold.held
    config = _config(trial)
    torch.manual_seed(trial["seed"])
    start = DeepGraphModel(config)
    locator = Locator("dynamic", config, TRAINING[trial["profile"]], trial["seed"], start)
    prediction = _prediction(locator, train, test)
    result = {
        "channels": config.channels,
        "parameters": graph_parameters(start),
        "n_train": len(train),
        "n_test": len(test),
        "loss": [entry["loss"] for entry in locator.history_],
        "diverged": prediction is None,
    }
    if prediction is not None:
        errors = evaluation.errors(prediction, test)
        result |= {
            "summary": evaluation.summarise_errors(errors),
            "epicentral_km": [float(f"{value:.3g}") for value in errors.epicentral_km],
            "measures": _rows(profile(locator.model_, test, progress=False)),
        }
    return _rounded(result)


def _prediction(locator, train, test):
    """Prediction for the test events after training; None if the loss or the prediction is not finite."""
    try:
        locator.fit(train, progress=False)
    except UserError as error:
        if "diverged" not in str(error):
            raise
        log.warning("%d blocks, seed %d: %s", locator.config.blocks, locator.random_state, error)
        return None
    prediction = locator.predict(test)
    return prediction if all(torch.isfinite(value).all() for value in prediction) else None


def _rows(table):
    """Rows of a profile as dictionaries for JSON; missing values are left out."""
    rows = table.reset_index().to_dict("records")
    return [{name: value for name, value in row.items() if not pd.isna(value)} for row in rows]


def _rounded(value, digits=4):
    """Copy of nested dictionaries and lists with each float rounded to a few digits."""
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def prepare(network, source, profile) -> None:
    """Train the stem and build the events unless they exist, before many workers need them at once."""
    pretrain(network, "dynamic", profile, False)
    first_fold_read(network, source, profile)


STUDY = runner.Study("smoothing", trials, run, config, prepare)
