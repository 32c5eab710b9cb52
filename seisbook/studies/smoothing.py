r"""Over-smoothing measured: how alike the states of an event's stations become, block by block and with depth.

A graph convolution mixes the states of neighbours. Many of them in a row can make the states of all stations the same,
and nothing then tells one station from another: over-smoothing. Three measures of it stand here, a model whose depth
can grow while its number of parameters stays, and the study that trains such models: 2 to 16 blocks, with a dynamic or
a static graph, with the multi-scale readout or the last block alone.

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
SIMULATION_SEED = 2  # not that of the twin's events on which the stem was trained


def trials(network, source, profile) -> list[dict]:
    """The trainings of the study: each depth with each graph and readout, all of one seed before those of the next."""
    common = {"network": network, "source": source, "profile": profile}
    return [
        {**common, "graph": graph, "readout": readout, "blocks": blocks, "seed": seed}
        for seed in SEEDS[profile]
        for blocks in DEPTHS[profile]
        for graph, readout in ARMS
    ]


def run(trials) -> list[dict]:
    """Train and measure, one trial after the other.

    The graph part is trained from scratch on the training part of the first random fold, as a stem that was trained on
    the network's simulated twin has read it. The fold is of the network's real bulletin, or, from the source
    `simulated`, of newly simulated events that the stem has not seen.

    Returns
    -------
    list of dict
        Of each trial: `channels` and `parameters` of the graph part; `loss` by epoch; `diverged`, whether the loss or
        a prediction was no finite number, in which case there is nothing of what follows; `summary` of the errors on
        the test part (`evaluation.summarise_errors`); `epicentral_km` of each test event, in the fold's order;
        `measures`, the rows of `profile` on the test events.
    """
    return [_trained(trial) for trial in trials]


def config(trial) -> dict:
    """What a trial is carried out with."""
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
    """Train and predict; None if training or prediction leaves the finite numbers."""
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
    """Rows of a profile as JSON can hold them, without what is missing."""
    rows = table.reset_index().to_dict("records")
    return [{name: value for name, value in row.items() if not pd.isna(value)} for row in rows]


def _rounded(value, digits=4):
    """Plain numbers of a few digits, all the way down."""
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def prepare(network, source, profile) -> None:
    """Train the stem and build the events, unless they are there, before many workers want them at once."""
    pretrain(network, "dynamic", profile, False)
    first_fold_read(network, source, profile)


STUDY = runner.Study("smoothing", trials, run, config, prepare)
