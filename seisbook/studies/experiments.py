"""Cross-validated comparisons of models: one record per training, and the table that the book prints from them.

A learned model is trained in two steps, the same for all: on rendered events of the network's simulated twin, whose
number is not limited, and then on the training part of the real bulletin. The learning rate, too, is chosen on the
twin, from the same grid for all. The twin's zones, site terms and noise levels were measured on the whole bulletin; no
label or reading of a single test event touches either step.

The split `twin` tests on new simulated events, whose labels are exact, what was trained on simulated events alone.
"""

import json
import logging
import time
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from seisbook import provenance, records
from seisbook.catalogues import bulletins, networks
from seisbook.datasets import build
from seisbook.datasets.events import Events
from seisbook.datasets.graphs import EventDataset
from seisbook.errors import DataError, UserError
from seisbook.measures import evaluation
from seisbook.measures.splits import FOLDS, folds
from seisbook.models import checkpoints
from seisbook.models.classical import ClassicalLocator
from seisbook.models.losses import negative_log_likelihood
from seisbook.models.picker import catalogue_from_traces
from seisbook.models.training import Locator
from seisbook.paths import BUILD, DATA
from seisbook.physics import simulation
from seisbook.studies.recipes import KEPT, PROFILES, model_config

log = logging.getLogger(__name__)
MODELS = DATA / "models"
TWIN_EVENTS, TWIN_SEED = 500, 2  # of the twin that tests what was trained on the twin alone
TRIAL_SHARE = 4  # one in so many of a trial's events tests the learning rate


def load_events(network, source, n_events=None, random_state=0, progress=True, catalogue_files=None) -> Events:
    """Build a dataset under `_build/data`, unless it is there and current, and read it into memory."""
    other = [[Path(path).name for path in catalogue_files]] if catalogue_files else []
    recipe = checkpoints.recipe("data", network.name, source, n_events, random_state, *other)
    folder = BUILD / "data" / f"{network.name}-{source}-{n_events or 'all'}-{random_state}-{recipe['hash']}"
    if not folder.is_dir():
        more = {"catalogue_files": catalogue_files, "progress": progress}
        build.build(network.name, source, folder, n_events, random_state, **more)
    return _read(folder, progress)


@lru_cache(maxsize=3)  # many models are trained on the same events, one after the other
def _read(folder, progress):
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
    return _save(path, locator, network, data, metrics, recipe)


def _save(path, locator, network, data, metrics, recipe):
    """Keep a trained model with the card that says what it is."""
    card = checkpoints.Card(
        architecture=locator.architecture,
        config=locator.model_.config,
        training=locator.training,
        network=network.name,
        data=data,
        metrics=metrics,
        code=provenance.code_version(),
        recipe=recipe,
    )
    return checkpoints.save(path, locator.model_, card)


def try_rates(model, config, profile, events, progress=True) -> dict:
    """Loss on a quarter of the trial's events of the twin, by learning rate, after short trainings on the others."""
    if len(profile.rates) == 1:
        return {profile.rates[0]: 0.0}
    held, kept = np.split(np.arange(profile.trial_events), [profile.trial_events // TRIAL_SHARE])
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


def run(network_name, model, split="random", fold=0, profile="paper", progress=True) -> dict:
    """Train and test one model on one fold of the real bulletin, or on the twin; the record is kept, not made twice.

    Parameters
    ----------
    network_name : str
    model : str
        One of `seisbook.models.peers.NAMES`, or `classical`.
    split : {"random", "time", "twin"}
    fold : int
        0 for the twin.
    profile : {"quick", "paper"}

    Returns
    -------
    dict
        The record: what was done, and each test event's errors.
    """
    network, chosen = networks.load(network_name), PROFILES[profile]
    data = {"source": "bulletin", "seed": 0, "split": split, "fold": fold, "folds": FOLDS}
    if split == "twin":
        data = {"source": "simulated", "seed": TWIN_SEED, "split": split, "fold": 0, "n_events": TWIN_EVENTS}
    parts = [data] if model == "classical" else [model_config(network), chosen, data]
    recipe = checkpoints.recipe(model, network.name, *parts)
    path = record_path(network.name, model, split, data["fold"], profile)
    if path.is_file():
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["recipe"] == recipe:
            return record
    if split == "twin":
        result = _on_twin(network, model, chosen, data, progress)
    elif model == "classical":
        result = _classical(network, split, fold, progress)
    else:
        result = _learned(network, model, chosen, data, recipe, progress)
    record = {"recipe": recipe, "network": network.name, "model": model, "profile": profile}
    record |= {key: data[key] for key in ("source", "split", "fold")}
    record |= {"code": provenance.code_version(), "threads": torch.get_num_threads(), **result}
    records.write(path.stem, record, path.parent)
    return json.loads(path.read_text(encoding="utf-8"))


def _runs_folder(profile):
    """Where the records of runs lie: published ones in `data/results`, quick ones in `_build`."""
    return (records.RESULTS if profile == "paper" else BUILD / "results") / "runs"


def record_path(network, model, split, fold, profile) -> Path:
    """The file of one run's record."""
    return _runs_folder(profile) / f"{network}-{model}-{split}-{fold}.json"


def model_path(network, model, split, fold, profile) -> Path:
    """Where the model of one run lies: published ones in `data/models`, others in `_build`."""
    published = profile == "paper" and model in KEPT and (split, fold) == ("random", 0)
    return (MODELS if published else BUILD / "models" / profile) / f"{network}-{model}-{split}-{fold}.safetensors"


def _learned(network, model, profile, data, recipe, progress):
    start_from, twin = checkpoints.load(pretrain(network.name, model, profile.name, progress))
    training = replace(profile.training, learning_rate=twin.training.learning_rate / 2)
    train, held = _parts(network, data, progress)
    locator = Locator(model, start_from.config, training, random_state=data["fold"], start_from=start_from)
    locator, seconds = _timed_fit(locator, train, progress)
    errors = evaluation.errors(locator.predict(held), held)
    path = model_path(network.name, model, data["split"], data["fold"], profile.name)
    _save(path, locator, network, data, evaluation.summarise_errors(errors), recipe)
    size = sum(p.numel() for p in locator.model_.parameters())
    return {"learning_rate": training.learning_rate, **_result(errors, len(train), size, seconds)}


def parts_of(card, progress=True):
    """The training and the test events of a checkpoint's fold."""
    return _parts(networks.load(card.network), card.data, progress)


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
        _, events = parts_of(card, progress)
    else:
        events = Events.from_dataset(EventDataset(dataset), progress)
        samples = round(model.config.window_s * model.config.sampling_rate_hz)
        if events.x.shape[-1] != samples:
            raise UserError(
                f"{dataset}: windows of {events.x.shape[-1]} samples, the model's have {samples}: "
                "build it with the window of the model's network"
            )
    return evaluation.errors(as_locator(model, card).predict(events), events)


def _classical(network, split, fold, progress):
    catalogue = bulletins.read_bulletin(network)
    index = folds(catalogue.events.index, catalogue.events.source_origin_time, split)[fold]
    return locate_classically(network, *(catalogue.select(positions) for positions in index), progress)


def locate_classically(network, train, test, progress):
    """Record of the classical pipeline: fitted to one catalogue, tested on another; its keys are those of `run`."""
    start = time.perf_counter()
    locator = ClassicalLocator(network, progress=progress).fit(train)
    seconds = round(time.perf_counter() - start, 1)
    found = locator.predict(test)
    estimate = found.reindex(test.events.index)[["east_km", "north_km", "depth_km", "magnitude"]].to_numpy()
    # an event that cannot be located or sized gets the medians of the training events: to leave it out would flatter
    guess = np.nanmedian(labels(network, train), axis=0)
    if (missing := np.isnan(estimate).any(axis=1)).any():
        log.warning("classical: %d of %d events not located or sized, set to the median", missing.sum(), len(missing))
    errors = evaluation.hypocentral_errors(
        np.where(np.isnan(estimate), guess, estimate), labels(network, test), test.events.index
    )
    return _result(errors, len(train), 0, seconds)


def _on_twin(network, model, profile, data, progress):
    """Test on new simulated events; the classical pipeline with automatic picks of their seismograms."""
    if model == "classical":
        return locate_classically(network, *_picked_twins(network, data["n_events"], data["seed"], progress), progress)
    trained, card = checkpoints.load(pretrain(network.name, model, profile.name, progress))
    events = load_events(network, "simulated", data["n_events"], data["seed"], progress)
    errors = evaluation.errors(as_locator(trained, card).predict(events), events)
    size = sum(p.numel() for p in trained.parameters())
    return _result(errors, card.data["n_events"], size, card.metrics["train_s"])


def _picked_twins(network, n_events, seed, progress):
    """Two simulated catalogues, to learn station corrections from and to test on, with automatic readings."""
    picked = []
    for random_state in (1, seed):
        twin = simulation.simulate(network, n_events, random_state)
        traces = build.rendered(twin, network, random_state)
        picked.append(catalogue_from_traces(twin, traces, network.window.sampling_rate_hz, progress))
    return picked


def as_locator(model, card) -> Locator:
    """A trained model and its card, of `seisbook.models.checkpoints.load`, as an estimator that predicts."""
    locator = Locator(card.architecture, card.config, card.training)
    locator.model_ = model
    return locator


def labels(network, catalogue) -> np.ndarray:
    """Hypocentres and magnitudes of a catalogue in the network's frame, as models are trained on them: (events, 4)."""
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


def all_runs(profile="paper") -> dict:
    """The records of all runs, current or not, by name."""
    paths = sorted(_runs_folder(profile).glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def current_runs(profile="paper") -> dict:
    """The records of runs whose recipe is still that of the code; others are named in the log and left out."""
    runs = all_runs(profile)
    for name, record in list(runs.items()):
        if not checkpoints.is_current(record):
            log.warning("%s.json: made by another version of the code or the data, left out: train again", name)
            del runs[name]
    return runs


def entries(runs) -> list[dict]:
    """One entry for each network, model and split whose folds are all there, over all test events."""
    grouped = {}
    for record in runs:
        grouped.setdefault((record["network"], record["model"], record["split"]), []).append(record)
    return [_entry(*key, found) for key, found in grouped.items() if len(found) == (1 if key[2] == "twin" else FOLDS)]


def results(profile="paper") -> list[dict]:
    """The entries of all current runs, never of those whose recipe has changed since."""
    return entries(current_runs(profile).values())


def _entry(network, model, split, found):
    errors = pd.concat([pd.DataFrame(record["errors"]).set_index("source_id") for record in found])
    return {
        "network": network,
        "source": found[0]["source"],
        "model": model,
        "split": split,
        "n_events": len(errors),
        **evaluation.summarise_errors(errors),
        "parameters": found[0]["parameters"],
        "learning_rate": found[0].get("learning_rate"),  # the classical pipeline has none
        "train_s": float(np.mean([record["train_s"] for record in found])),
        "profile": found[0]["profile"],
        "code": sorted({record["code"] for record in found}),
    }


def table(found) -> str:
    """The entries as text, a line each."""
    if not found:
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
        for one in found
    ]
    return pd.DataFrame(rows).to_string(index=False)


def as_json(found) -> str:
    """The entries as JSON."""
    return json.dumps(found, indent=1)
