"""Models trained on a network's simulated twin; trainings on real events start from them."""

import logging
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from seisbook import provenance
from seisbook.catalogues import networks
from seisbook.datasets.library import load_events
from seisbook.errors import UserError
from seisbook.models import checkpoints
from seisbook.models.losses import negative_log_likelihood
from seisbook.models.training import Locator
from seisbook.paths import BUILD
from seisbook.studies.recipes import PROFILES, model_config

log = logging.getLogger(__name__)
TRIAL_SHARE = 4  # one in four of the trial's events tests the learning rates
SEED = 1  # seed of the twin


def twin_path(network, model, profile) -> Path:
    """Path of a model of the twin: published models are in `data/models`, others in `_build/models`.

    The model `dynamic` is published, because studies with a frozen stem use its stem.
    """
    name = f"{networks.load(network).name}-twin-{model}-{profile}.safetensors"
    published = checkpoints.MODELS / name
    shipped = networks.is_shipped(network) and model == "dynamic"
    return published if shipped else BUILD / "models" / name


def twin_key(network, model, profile) -> dict:
    """Provenance key of a model of the twin."""
    place, chosen = networks.load(network), PROFILES[profile]
    trial = {"rates": chosen.rates, "events": chosen.trial_events, "training": chosen.trial}
    parts = {"config": model_config(place), "training": chosen.pretraining, "trial": trial}
    return provenance.key("twin", network=place.name, model=model, twin_events=chosen.twin_events, seed=SEED, **parts)


def pretrained(network, model, profile):
    """The model of the twin and its card.

    Raises
    ------
    UserError
        If the model does not exist, or its configuration or its inputs have changed. The message gives the command that
        makes it.
    """
    path = twin_path(network, model, profile)
    command = f"seisbook train --network {network} --split twin --model {model} --profile {profile}"
    return checkpoints.require(path, twin_key(network, model, profile), command)


def never(question) -> bool:
    """Answer no to the question whether a published result may be replaced; the default of `may_replace`."""
    return False


def pretrain(network, model, profile="paper", progress=True, may_replace=never) -> Path:
    """Train a model on its network's simulated twin and store it, unless a current model exists.

    Returns
    -------
    Path
        Path of the model, see `twin_path`.

    Raises
    ------
    UserError
        If a published model is out of date and may not be replaced, or code has changed since the last commit.
    """
    path = twin_path(network, model, profile)
    state = checkpoints.state(path, twin_key(network, model, profile))
    if state.name in ("current", "unverified", "refuted"):
        return path
    if path.parent == checkpoints.MODELS:
        allow(path, state, may_replace)
    return train_on_twin(network, model, profile, path, progress)


def allow(path, found, may_replace) -> None:
    """Raise an error unless the code is committed and an existing published result may be replaced.

    Parameters
    ----------
    path : Path
    found : provenance.State
        State of the existing result.
    may_replace : callable
        Function of a question to the user; returns whether the result may be replaced.

    Raises
    ------
    UserError
        If the code is not committed, or the result may not be replaced.
    """
    provenance.committed()
    why = f"{path}: {found.name}: {found.reason}"
    if found.name != "missing" and not may_replace(f"{why}. Train it again and replace it?"):
        raise UserError(f"{why}: to train it again and replace it, give --force")


def train_on_twin(network, model, profile, path, progress=True) -> Path:
    """Train a model on the twin with the best learning rate of short trial trainings, and write it to `path`."""
    place, chosen = networks.load(network), PROFILES[profile]
    config = model_config(place)
    with provenance.watched() as inputs:
        events = load_events(place, "simulated", chosen.twin_events, SEED, progress)
        tried = try_rates(model, config, chosen, events, progress)
        training = replace(chosen.pretraining, learning_rate=min(tried, key=tried.get))
        locator, seconds = timed_fit(Locator(model, config, training), events, progress)
    data = {"source": "simulated", "seed": SEED, "n_events": chosen.twin_events}
    metrics = {"train_s": seconds, "loss": locator.history_[-1]["loss"]}
    metrics["rates"] = {f"{rate:g}": loss for rate, loss in tried.items()}
    card = checkpoints.Card.of(locator, place.name, data, metrics)
    return checkpoints.save(path, locator.model_, card, twin_key(network, model, profile), inputs)


def try_rates(model, config, profile, events, progress=True) -> dict:
    """Loss by learning rate after short trainings on three quarters of the trial's events, on the other quarter."""
    if len(profile.rates) == 1:
        return {profile.rates[0]: 0.0}
    held, kept = np.split(np.arange(profile.trial_events), [profile.trial_events // TRIAL_SHARE])
    losses = {}
    for rate in profile.rates:
        locator = Locator(model, config, replace(profile.trial, learning_rate=rate))
        try:
            prediction = locator.fit(events.select(kept), progress).predict(events, held)
        except UserError as error:  # the training diverged: this rate is too high
            log.warning("%s at a learning rate of %g: %s", model, rate, error)
            continue
        losses[rate] = negative_log_likelihood(prediction, events.y[held]).sum(-1).mean().item()
    if not losses:
        raise UserError(f"{model}: training diverged at all learning rates: lower them")
    log.info("%s: loss by learning rate: %s", model, losses)
    return losses


def timed_fit(locator, events, progress):
    """A locator fitted to events, and the duration of the fit in seconds."""
    start = time.perf_counter()
    return locator.fit(events, progress), round(time.perf_counter() - start, 1)
