"""Cross-validated comparisons of models: one record per training, and the table that the book prints from them.

A learned model is trained in two steps, the same for all: on rendered events of the network's simulated twin, whose
number is not limited, and then on the training part of the real bulletin. The learning rate, too, is chosen on the
twin, from the same grid for all. The twin's zones, site terms and noise levels were measured on the whole bulletin; no
label or reading of a single test event touches either step.
"""

import json
import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from seisbook import building, bulletins, checkpoints, evaluation, networks, records
from seisbook.classical import ClassicalLocator
from seisbook.errors import DataError, UserError
from seisbook.graphs import EventDataset
from seisbook.model import ModelConfig
from seisbook.paths import BUILD, DATA
from seisbook.training import Events, Locator, TrainingConfig, negative_log_likelihood

log = logging.getLogger(__name__)
MODELS = DATA / "models"
SPLITS = ("random", "time")
FOLDS = 5


@dataclass(frozen=True)
class Profile:
    """How much is spent: events of the twin, learning rates tried on them, training on them and on the bulletin.

    The rate chosen on the twin takes the place of the one in `pretraining`, half of it that in `training`.
    """

    name: str
    twin_events: int
    rates: tuple[float, ...]
    trial_events: int
    trial: TrainingConfig
    pretraining: TrainingConfig
    training: TrainingConfig


PROFILES = {
    "quick": Profile(
        "quick",
        twin_events=200,
        rates=(2e-3,),
        trial_events=0,
        trial=TrainingConfig(),
        pretraining=TrainingConfig(epochs=3, graph_epochs=4, batch_size=16, validation=0.0),
        training=TrainingConfig(epochs=2, graph_epochs=4, validation=0.0),
    ),
    "paper": Profile(
        "paper",
        twin_events=3000,
        rates=(1e-3, 2e-3, 4e-3),
        trial_events=800,
        trial=TrainingConfig(epochs=3, graph_epochs=0, batch_size=32, validation=0.0),
        pretraining=TrainingConfig(epochs=6, graph_epochs=12, batch_size=32, validation=0.0),
        training=TrainingConfig(epochs=5, graph_epochs=30, validation=0.0),
    ),
}
PUBLISHED = ("dynamic", "static")  # models of the first random fold that are kept in `data/models`


def model_config(network) -> ModelConfig:
    """The default model with the network's window."""
    return ModelConfig(window_s=network.window.length_s, sampling_rate_hz=network.window.sampling_rate_hz)


def load_events(network, source, n_events=None, random_state=0, progress=True) -> Events:
    """Build a dataset under `_build/data`, unless it is there and current, and read it into memory."""
    recipe = checkpoints.recipe("data", network.name, source, n_events, random_state)
    folder = BUILD / "data" / f"{network.name}-{source}-{n_events or 'all'}-{random_state}-{recipe['hash']}"
    if not folder.is_dir():
        building.build(network.name, source, folder, n_events, random_state, progress=progress)
    return Events.from_dataset(EventDataset(folder), progress)


def pretrain(network_name, model, profile="paper", progress=True) -> Path:
    """Train a model on its network's simulated twin and keep it, unless it is there and current.

    Returns
    -------
    Path
        The checkpoint, `<network>-twin-<model>-<profile>`; of `dynamic` in the paper profile in `data/models`, since
        its stem is the one that studies with a frozen stem use; of others in `_build/models`.
    """
    network, chosen = networks.load(network_name), PROFILES[profile]
    config = model_config(network)
    data = {"source": "simulated", "seed": 1, "n_events": chosen.twin_events}
    trial = [chosen.rates, chosen.trial_events, chosen.trial]
    recipe = checkpoints.recipe(model, network.name, config, chosen.pretraining, *trial, data)
    top = MODELS if profile == "paper" and model == "dynamic" else BUILD / "models"
    path = top / f"{network.name}-twin-{model}-{profile}.safetensors"
    if path.is_file() and _recipe_of(path) == recipe:
        return path
    events = load_events(network, "simulated", chosen.twin_events, 1, progress)
    tried = try_rates(model, config, chosen, events, progress)
    training = replace(chosen.pretraining, learning_rate=min(tried, key=tried.get))
    locator, seconds = _timed_fit(Locator(model, config, training), events, progress)
    metrics = {
        "train_s": seconds,
        "loss": locator.history_[-1]["loss"],
        "rates": {f"{k:g}": v for k, v in tried.items()},
    }
    card = checkpoints.Card(
        architecture=model,
        config=locator.model_.config,
        training=training,
        network=network.name,
        data=data,
        metrics=metrics,
        code=building.code_version(),
        recipe=recipe,
    )
    return checkpoints.save(path, locator.model_, card)


def try_rates(model, config, profile, events, progress=True) -> dict:
    """Loss on a quarter of the trial's events of the twin, by learning rate, after short trainings on the others."""
    if len(profile.rates) == 1:
        return {profile.rates[0]: 0.0}
    held, kept = np.split(np.arange(profile.trial_events), [profile.trial_events // 4])
    losses = {}
    for rate in profile.rates:
        locator = Locator(model, config, replace(profile.trial, learning_rate=rate))
        try:
            prediction = locator.fit(events.select(kept), progress).predict(events, held)
        except UserError as error:  # such a rate is too high
            log.warning("%s at a learning rate of %g: %s", model, rate, error)
            continue
        losses[rate] = negative_log_likelihood(prediction, events.y[held]).sum(-1).mean().item()
    if not losses:
        raise UserError(f"{model}: training diverged at all learning rates: lower them")
    log.info("%s: loss by learning rate: %s", model, losses)
    return losses


def _recipe_of(checkpoint):
    """The recipe of a checkpoint; None if it is one of an earlier version that cannot be read any more."""
    try:
        return checkpoints.load(checkpoint)[1].recipe
    except DataError as error:
        log.warning("%s: trained again", error)
        return None


def _timed_fit(locator, events, progress):
    start = time.perf_counter()
    return locator.fit(events, progress), round(time.perf_counter() - start, 1)


def folds(source_id, origin_time, split):
    """The folds of a split: `random`, or `time` for blocks that follow each other; a list of (train, test) indices.

    They depend on the events alone, not on the order in which a file or a data set has them, so that all methods are
    tested on the same events.
    """
    if split == "time":
        return evaluation.time_folds(origin_time, FOLDS)
    order = np.argsort(np.asarray(source_id))
    return [(order[train], order[test]) for train, test in evaluation.random_folds(len(order), FOLDS)]


def run(network_name, model, split="random", fold=0, profile="paper", progress=True) -> dict:
    """Train and test one model on one fold of the real bulletin; the record is kept, and not made twice.

    Parameters
    ----------
    network_name : str
    model : str
        One of `seisbook.peers.NAMES`, or `classical`.
    split : {"random", "time"}
    fold : int
    profile : {"quick", "paper"}

    Returns
    -------
    dict
        The record: what was done, and each test event's errors.
    """
    network, chosen = networks.load(network_name), PROFILES[profile]
    config = model_config(network)
    data = {"source": "bulletin", "seed": 0, "split": split, "fold": fold, "folds": FOLDS}
    recipe = checkpoints.recipe(model, network.name, *([data] if model == "classical" else [config, chosen, data]))
    path = record_path(network.name, model, split, fold, profile)
    if path.is_file():
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["recipe"] == recipe:
            return record
    if model == "classical":
        result = _classical(network, split, fold, progress)
    else:
        result = _learned(network, model, chosen, data, recipe, progress)
    record = {"recipe": recipe, "network": network.name, "source": "bulletin", "model": model, "profile": profile}
    record |= {
        "split": split,
        "fold": fold,
        "code": building.code_version(),
        "threads": torch.get_num_threads(),
        **result,
    }
    records.write(path.stem, record, path.parent)
    return json.loads(path.read_text(encoding="utf-8"))


def record_path(network, model, split, fold, profile) -> Path:
    """Where the record of one run lies: published ones in `data/results`, quick ones in `_build`."""
    top = records.RESULTS if profile == "paper" else BUILD / "results"
    return top / "runs" / f"{network}-{model}-{split}-{fold}.json"


def model_path(network, model, split, fold, profile) -> Path:
    """Where the model of one run lies: published ones in `data/models`, others in `_build`."""
    published = profile == "paper" and model in PUBLISHED and (split, fold) == ("random", 0)
    return (MODELS if published else BUILD / "models" / profile) / f"{network}-{model}-{split}-{fold}.safetensors"


def _learned(network, model, profile, data, recipe, progress):
    start_from, twin = checkpoints.load(pretrain(network.name, model, profile.name, progress))
    training = replace(profile.training, learning_rate=twin.training.learning_rate / 2)
    train, held = _parts(network, data, progress)
    locator = Locator(model, start_from.config, training, random_state=data["fold"], start_from=start_from)
    locator, seconds = _timed_fit(locator, train, progress)
    errors = evaluation.errors(locator.predict(held), held)
    card = checkpoints.Card(
        architecture=model,
        config=locator.model_.config,
        training=training,
        network=network.name,
        data=data,
        metrics=evaluation.summarise_errors(errors),
        code=building.code_version(),
        recipe=recipe,
    )
    checkpoints.save(model_path(network.name, model, data["split"], data["fold"], profile.name), locator.model_, card)
    size = sum(p.numel() for p in locator.model_.parameters())
    return _result(errors, len(train), size, seconds)


def _parts(network, data, progress=True):
    """The training and the test events of a fold of the bulletin."""
    events = load_events(network, data["source"], None, data["seed"], progress)
    train, test = folds(events.source_id, events.origin_time, data["split"])[data["fold"]]
    return events.select(train), events.select(test)


def evaluate(checkpoint, dataset=None, progress=True) -> pd.DataFrame:
    """Errors of a trained model: on the test events of its own fold, or on all events of a dataset.

    Parameters
    ----------
    checkpoint : path
    dataset : path, optional
        A folder of `seisbook data build`.

    Raises
    ------
    UserError
        If no dataset is given for a model that has no test events of its own, one trained on a twin; or the dataset's
        window is not the model's.
    """
    model, card = checkpoints.load(checkpoint)
    if dataset is None:
        if "fold" not in card.data:
            raise UserError(
                f"{checkpoint}: trained on all events of {card.data['source']}: give a dataset to test it on"
            )
        _, events = _parts(networks.load(card.network), card.data, progress)
    else:
        events = Events.from_dataset(EventDataset(dataset), progress)
        samples = round(model.config.window_s * model.config.sampling_rate_hz)
        if events.x.shape[-1] != samples:
            raise UserError(
                f"{dataset}: windows of {events.x.shape[-1]} samples, the model's have {samples}: "
                "build it with the window of the model's network"
            )
    locator = Locator(card.architecture, card.config, card.training)
    locator.model_ = model
    return evaluation.errors(locator.predict(events), events)


def _classical(network, split, fold, progress):
    catalogue = bulletins.read_bulletin(network)
    index = folds(catalogue.events.index, catalogue.events.source_origin_time, split)[fold]
    train, test = (catalogue.select(positions) for positions in index)
    start = time.perf_counter()
    locator = ClassicalLocator(network).fit(train)
    seconds = round(time.perf_counter() - start, 1)
    found = locator.predict(test)
    estimate = found.reindex(test.events.index)[["east_km", "north_km", "depth_km", "magnitude"]].to_numpy()
    # an event that cannot be located or sized gets the medians of the training events: to leave it out would flatter
    guess = np.nanmedian(_labels(network, train), axis=0)
    if (missing := np.isnan(estimate).any(axis=1)).any():
        log.warning("classical: %d of %d events not located or sized, set to the median", missing.sum(), len(missing))
    errors = evaluation.hypocentral_errors(
        np.where(np.isnan(estimate), guess, estimate), _labels(network, test), test.events.index
    )
    return _result(errors, len(train), 0, seconds)


def _labels(network, catalogue):
    events = catalogue.events
    east, north = network.to_local(events.source_latitude_deg, events.source_longitude_deg)
    return np.column_stack([east, north, events.source_depth_km, events.source_magnitude])


def _result(errors, n_train, parameters, seconds):
    rounded = {name: [float(f"{value:.5g}") for value in column] for name, column in errors.items()}
    return {
        "n_train": n_train,
        "n_test": len(errors),
        "parameters": parameters,
        "train_s": seconds,
        "errors": {"source_id": errors.index.tolist(), **rounded},
    }


def results(profile="paper") -> list[dict]:
    """One entry for each network, model and split whose folds are all there and current, over all test events.

    Records whose recipe has changed since are left out and named in the log, never shown as current.
    """
    top = (records.RESULTS if profile == "paper" else BUILD / "results") / "runs"
    runs = {}
    for path in sorted(top.glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if checkpoints.is_current(record):
            runs.setdefault((record["network"], record["model"], record["split"]), []).append(record)
        else:
            log.warning("%s: made by another version of the code or the data, left out: train again", path)
    return [_entry(*key, found) for key, found in runs.items() if len(found) == FOLDS]


def _entry(network, model, split, found):
    errors = pd.concat([pd.DataFrame(record["errors"]).set_index("source_id") for record in found])
    return {
        "network": network,
        "source": "bulletin",
        "model": model,
        "split": split,
        "n_events": len(errors),
        **evaluation.summarise_errors(errors),
        "parameters": found[0]["parameters"],
        "train_s": float(np.mean([record["train_s"] for record in found])),
        "profile": found[0]["profile"],
        "code": sorted({record["code"] for record in found}),
    }


def table(entries) -> str:
    """The results as text, a line each."""
    if not entries:
        raise UserError("no current results: make some with `seisbook train`")
    rows = [
        {
            "network": one["network"],
            "model": one["model"],
            "split": one["split"],
            "events": one["n_events"],
            "epicentre (km)": "{median:.2f} [{ci[0]:.2f}, {ci[1]:.2f}]".format(**one["epicentral_km"]),
            "depth (km)": "{median:.2f} [{ci[0]:.2f}, {ci[1]:.2f}]".format(**one["depth_km"]),
            "magnitude RMSE": "{rmse:.3f} [{ci[0]:.3f}, {ci[1]:.3f}]".format(**one["magnitude"]),
            "seconds": f"{one['train_s']:.0f}",
        }
        for one in entries
    ]
    return pd.DataFrame(rows).to_string(index=False)


def as_json(entries) -> str:
    """The results as JSON."""
    return json.dumps(entries, indent=1)
