"""The ablation study: the errors when one part of the model or of its training is changed, on the same events.

Two groups of arms. The *whole recipe* (pre-training on the twin, end to end, then the graph part alone) is changed in
how it is trained. The *study recipe* (the twin's stem frozen, the graph part trained from random weights) costs a
fraction of that and is changed in how the graph part is built.
"""

import time
from dataclasses import replace

import numpy as np
import torch

from seisbook.datasets.events import Events
from seisbook.measures import evaluation, splits
from seisbook.models import peers
from seisbook.models.training import Locator
from seisbook.studies import recipes, runner
from seisbook.studies.fold import first_fold, first_fold_read, study_events
from seisbook.studies.pretraining import pretrain, pretrained
from seisbook.studies.variance import STEPS, TRAINING

FOLDS = {"quick": (0,), "paper": (0,)}
TRAINING_ARMS = {
    "whole recipe": {},
    "no end-to-end epochs": {"epochs": 0},
    "no epochs of the graph part alone": {"graph_epochs": 0},
    "no loss of the blocks' estimates": {"estimate_weight": 0.0},
    "no onset loss after the twin": {"onset_weight": 0.0},
    "no station dropout": {"station_dropout": 0.0},
    "two renderings of each event": {"renderings": 2},
    "no pre-training on the twin": {"random": True},
}
MODEL_ARMS = {
    "study recipe": {},
    "static graph": {"graph": "static"},
    "feature-space graph": {"graph": "feature"},
    "no edges": {"graph": "none"},
    "last block only": {"readout": "last"},
    "mean aggregation": {"aggregation": "mean"},
    "softmax aggregation": {"aggregation": "softmax"},
    "two neighbours": {"neighbours": 2},
    "eight neighbours": {"neighbours": 8},
    "one block": {"blocks": 1},
    "five blocks": {"blocks": 5},
}


def trials(network, source, profile) -> list[dict]:
    """Each arm on each fold of `FOLDS`.

    The events are those of the bulletin, or simulated events on which the twin's stem was not trained.
    """
    common = {"network": network, "source": source, "profile": profile}
    return [{**common, "arm": arm, "fold": fold} for fold in FOLDS[profile] for arm in (*MODEL_ARMS, *TRAINING_ARMS)]


def run(trials) -> list[dict]:
    """Train and test each trial: `parameters`, `train_s` and the `summary` of the errors on the test part."""
    return [_trained(**trial) for trial in trials]


def config(trial) -> dict:
    """Configuration of a trial: the changes of its arm, the training, the number of steps and the recipe."""
    arm = MODEL_ARMS.get(trial["arm"]) or TRAINING_ARMS.get(trial["arm"])
    profile = trial["profile"]
    return {"arm": arm, "training": TRAINING, "steps": STEPS[profile], "recipe": recipes.PROFILES[profile]}


def prepare(network, source, profile):
    """Train the model on the twin and let its stem read the events, before the workers start."""
    pretrain(network, "dynamic", profile, False)
    first_fold_read(network, source, profile)


def _trained(network, source, profile, arm, fold):
    twin, card = pretrained(network, "dynamic", profile)
    changes = MODEL_ARMS.get(arm) if arm in MODEL_ARMS else TRAINING_ARMS[arm]
    config = replace(twin.config, **changes) if arm in MODEL_ARMS else twin.config
    torch.manual_seed(fold)
    start = peers.GraphModel(config) if arm in MODEL_ARMS or changes.get("random") else twin
    events = (first_fold_read if arm in MODEL_ARMS else first_fold)(network, source, profile).events
    train, test = splits.folds(events.source_id, events.origin_time, "random")[fold]
    shown, held = events.select(train), events.select(test)
    if changes.get("renderings"):
        shown = _rendered_again(network, source, profile, shown)
    training = _training(arm, profile, card.training.learning_rate, len(shown))
    begin = time.perf_counter()
    locator = Locator("dynamic", config, training, fold, start).fit(shown, progress=False)
    seconds = round(time.perf_counter() - begin, 1)
    summary = evaluation.summarise_errors(evaluation.errors(locator.predict(held), held))
    size = sum(value.numel() for value in locator.model_.parameters())
    return {"parameters": size, "train_s": seconds, "summary": summary}


def _training(arm, profile, rate, n):
    """Training configuration: the study recipe for a model arm, else the whole recipe with the changes of the arm."""
    if arm in MODEL_ARMS:
        return replace(TRAINING, epochs=max(1, round(STEPS[profile] * TRAINING.batch_size / n)), graph_epochs=0)
    changes = {name: value for name, value in TRAINING_ARMS[arm].items() if name not in ("random", "renderings")}
    return replace(recipes.PROFILES[profile].training, learning_rate=rate / 2, **changes)


def _rendered_again(network, source, profile, shown):
    """Each event twice: with its own seismograms, and with a second rendering of the same readings."""
    again = study_events(network, source, profile, rendering=1)
    position = {name: i for i, name in enumerate(again.source_id)}
    again = again.select([position[name] for name in shown.source_id])
    tensors = ("x", "pos", "amplitude", "onset_s", "y")
    return Events(
        **{name: torch.cat([getattr(shown, name), getattr(again, name)]) for name in tensors},
        start=np.concatenate([shown.start, shown.start[-1] + again.start[1:]]),
        source_id=np.concatenate([shown.source_id, again.source_id]),
        origin_time=np.concatenate([shown.origin_time, again.origin_time]),
    )


STUDY = runner.Study("ablations", trials, run, config, prepare)
