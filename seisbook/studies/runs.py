"""Runs of the cross-validated comparison of models: one training and test, with one record for each run.

All learned models are trained in the same two steps. The first step uses rendered events of the network's simulated
twin, whose number is not limited. The second step uses the training part of the real bulletin. The learning rate is
chosen on the twin, from the same grid for all models. The twin's zones, site terms and noise levels were measured on
the whole bulletin. Neither step uses the label or the readings of a single test event.

The split `twin` tests models that were trained on simulated events alone. Its test events are new simulated events,
whose labels are exact.
"""

import logging
import time
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from seisbook import provenance, records
from seisbook.catalogues import bulletins, networks
from seisbook.datasets import measured
from seisbook.datasets.events import Events
from seisbook.datasets.library import load_events, load_metadata
from seisbook.errors import UserError
from seisbook.measures import evaluation
from seisbook.measures.splits import FOLDS, folds
from seisbook.models import checkpoints, robust_checkpoints
from seisbook.models.classical import ClassicalLocator
from seisbook.models.names import ROBUST
from seisbook.models.picker import catalogue_from_traces
from seisbook.models.training import Locator
from seisbook.physics import simulation
from seisbook.studies.places import model_path, record_path
from seisbook.studies.pretraining import allow, never, pretrain, pretrained, timed_fit, twin_key
from seisbook.studies.recipes import PROFILES

log = logging.getLogger(__name__)
MOST_OF_THE_WINDOW = 0.9  # if records of another program fill less of it, that is said
TWIN_EVENTS, TWIN_SEED = 500, 2  # test events of the split `twin`: number and seed


def run_key(network, model, split="random", fold=0, profile="paper") -> dict:
    """Provenance key of one run."""
    where = {"network": networks.load(network).name, "model": model, "split": split, "fold": fold, "folds": FOLDS}
    if split == "twin":
        where |= {"twin_events": TWIN_EVENTS, "twin_seed": TWIN_SEED, "fold": 0}
    if model == "classical":
        return provenance.key("run", **where)
    start = twin_key(network, model, profile)
    return provenance.key("run", **where, start=start, training=PROFILES[profile].training)


def run(network, model, split="random", fold=0, profile="paper", progress=True, may_replace=never) -> dict:
    """Train and test one model on one fold of the real bulletin, or on the twin, unless a valid record of it exists.

    Parameters
    ----------
    network : str
    model : str
        One of `seisbook.models.peers.NAMES`, or `classical`.
    split : {"random", "time", "twin"}
    fold : int
        Number of the fold; 0 for the twin.
    profile : {"quick", "paper"}
    may_replace : callable
        Function of a question to the user; returns whether an outdated published record may be replaced.

    Returns
    -------
    dict
        The record: the settings of the run, and the errors of each test event.

    Raises
    ------
    UserError
        If a published record may not be replaced, or code has changed since the last commit.
    """
    path = record_path(network, model, split, fold, profile)
    key = run_key(network, model, split, fold, profile)
    state = provenance.state(path, key)
    if state.name not in ("missing", "stale", "damaged", "refuted"):
        return records.read(path)[1]
    if profile == "paper":
        allow(path, state, may_replace)
    if model != "classical":
        pretrain(network, model, profile, progress, may_replace)
    with provenance.watched() as inputs:
        made = train_and_test(network, model, split, fold, profile, progress)
    if made.locator is not None:
        _keep_model(made, network, model, split, fold, profile, key, inputs)
    records.write(path, made.record, provenance.provenance(key, inputs), indent=1)
    return records.read(path)[1]


class Run(NamedTuple):
    """Result of a run: its record and, if the run trained a model, the locator and its test errors."""

    record: dict
    locator: Locator | None = None
    errors: pd.DataFrame | None = None


def train_and_test(network, model, split="random", fold=0, profile="paper", progress=True) -> Run:
    """Carry out one run without writing anything."""
    place = networks.load(network)
    if split == "twin":
        result = Run(_on_twin(place, model, profile, progress))
    elif model == "classical":
        result = Run(_classical(place, split, fold, progress))
    else:
        result = _learned(place, model, split, fold, profile, progress)
    source = "simulated" if split == "twin" else "bulletin"
    settings = {
        "network": place.name,
        "model": model,
        "profile": profile,
        "source": source,
        "split": split,
        "fold": fold,
    }
    return result._replace(record={**settings, "threads": torch.get_num_threads(), **result.record})


def _keep_model(made, network, model, split, fold, profile, key, inputs):
    data = {"source": "bulletin", "seed": 0, "split": split, "fold": fold, "folds": FOLDS}
    card = checkpoints.Card.of(
        made.locator, networks.load(network).name, data, evaluation.summarise_errors(made.errors)
    )
    checkpoints.save(model_path(network, model, split, fold, profile), made.locator.model_, card, key, inputs)


def _learned(network, model, split, fold, profile, progress):
    start_from, twin = pretrained(network.name, model, profile)
    training = replace(PROFILES[profile].training, learning_rate=twin.training.learning_rate / 2)
    train, held = _parts(network, split, fold, progress)
    locator = Locator(model, start_from.config, training, random_state=fold, start_from=start_from)
    locator, seconds = timed_fit(locator, train, progress)
    errors = evaluation.errors(locator.predict(held), held)
    size = sum(p.numel() for p in locator.model_.parameters())
    record = {"learning_rate": training.learning_rate, **_result(errors, len(train), size, seconds)}
    return Run(record, locator, errors)


def parts_of(card, progress=True):
    """The training and the test events of a checkpoint's fold."""
    return _parts(networks.load(card.network), card.data["split"], card.data["fold"], progress)


def _parts(network, split, fold, progress=True):
    """The training and the test events of a fold of the bulletin."""
    events = load_events(network, "bulletin", None, 0, progress)
    train, test = folds(events.source_id, events.origin_time, split)[fold]
    return events.select(train), events.select(test)


def evaluate(checkpoint, dataset=None, progress=True) -> pd.DataFrame:
    """Errors of a trained model: on the test events of its own fold, or on a dataset's events that it has not seen.

    Parameters
    ----------
    checkpoint : path
    dataset : path, optional
        A folder of `seisbook data build`, or any SeisBench dataset with several stations an event. Traces are resampled
        to the model's rate; events of another program's dataset are cut or padded to the model's window.

    Raises
    ------
    UserError
        If the model was trained on a twin, and so has no test events of its own, and no dataset is given; if it was
        trained on all events of the dataset; or if the dataset's window is not the model's.
    """
    model, card = load(checkpoint)
    if dataset is None:
        if "fold" not in card.data:
            raise UserError(
                f"{checkpoint}: trained on all events of {card.data['source']}: give a dataset to test it on"
            )
        _, events = parts_of(card, progress)
    else:
        from seisbook.datasets.graphs import check_window, open_for  # here, so that computing keys does not load PyG

        opened = open_for(dataset, card.config, centre_of(card))
        events = Events.from_dataset(opened, progress)
        events = _without(_trained_on(card, opened.card.get("source")), events, dataset)
        check_window(events.x, card.config, dataset)
        if (filled := float((events.x != 0).any(1).float().mean())) < MOST_OF_THE_WINDOW:
            log.warning("%s: its records fill %.0f %% of the model's window, zeros the rest", dataset, 100 * filled)
    return evaluation.errors(locator_of(model, card).predict(events), events)


def _trained_on(card, source):
    """Events that a model was trained on: those its card names, or a part of a bulletin, none of which is simulated."""
    if "fold" not in card.data or source == "simulated":
        return card.data.get("trained_on", [])
    try:
        catalogue = bulletins.read_bulletin(networks.load(card.network)).events
    except UserError as error:
        log.warning("events that the model was trained on, if there are any, are not left out: %s", error)
        return []
    train, _ = folds(catalogue.index, catalogue.source_origin_time, card.data["split"])[card.data["fold"]]
    return catalogue.index[train]


def _without(trained_on, events, dataset):
    """The events that a model has not seen."""
    seen = np.isin(events.source_id, trained_on)
    if seen.all() and len(seen):
        raise UserError(f"{dataset}: the model was trained on all of its events: give others to test it on")
    if seen.any():
        log.warning("%s: %d events left out, on which the model was trained", dataset, seen.sum())
    return events.select(np.flatnonzero(~seen)) if seen.any() else events


def load(checkpoint):
    """A trained model of any architecture, and its card; errors as those of `seisbook.models.checkpoints.load`."""
    robust = checkpoints.architecture_of(checkpoint) == ROBUST
    return robust_checkpoints.load(checkpoint) if robust else checkpoints.load(checkpoint)


def centre_of(card) -> tuple[float, float] | None:
    """Latitude and longitude of the origin of a model's coordinates; None if it knows no station."""
    return card.ground.centre if card.architecture == ROBUST else None


def locator_of(model, card):
    """Estimator for predictions, from what `load` returns."""
    return card.locator(model) if card.architecture == ROBUST else as_locator(model, card)


def amplitudes(checkpoint, source_id, dataset=None, progress=True) -> dict:
    """How many amplitudes of some events were measured, see `seisbook.datasets.measured.counts`.

    Parameters
    ----------
    checkpoint, dataset, progress
        As for `evaluate`.
    source_id : Index of str
        The events, which `evaluate` has told.
    """
    if dataset is None:
        metadata = load_metadata(networks.load(load(checkpoint)[1].network), "bulletin", None, 0, progress)
    else:
        from seisbook.datasets.graphs import EventDataset  # imported here, so that computing keys does not load PyG

        metadata = EventDataset(dataset).metadata
    return measured.counts(metadata[metadata.source_id.isin(source_id)])


def _classical(network, split, fold, progress):
    catalogue = bulletins.read_bulletin(network)
    index = folds(catalogue.events.index, catalogue.events.source_origin_time, split)[fold]
    return locate_classically(network, *(catalogue.select(positions) for positions in index), progress)


def locate_classically(network, train, test, progress):
    """Record of the classical pipeline, fitted to one catalogue and tested on another; the keys are those of a run."""
    start = time.perf_counter()
    locator = ClassicalLocator(network, progress=progress).fit(train)
    seconds = round(time.perf_counter() - start, 1)
    locations = locator.predict(test)
    estimate = locations.reindex(test.events.index)[["east_km", "north_km", "depth_km", "magnitude"]].to_numpy()
    # an event without location or magnitude gets the medians of the training events: leaving it out would flatter
    guess = np.nanmedian(labels(network, train), axis=0)
    if (missing := np.isnan(estimate).any(axis=1)).any():
        log.warning("classical: %d of %d events not located or sized, set to the median", missing.sum(), len(missing))
    errors = evaluation.hypocentral_errors(
        np.where(np.isnan(estimate), guess, estimate), labels(network, test), test.events.index
    )
    return _result(errors, len(train), 0, seconds)


def _on_twin(network, model, profile, progress):
    """Record of a test on new simulated events; the classical pipeline uses automatic picks of their seismograms."""
    if model == "classical":
        return locate_classically(network, *_picked_twins(network, TWIN_EVENTS, TWIN_SEED, progress), progress)
    trained, card = pretrained(network.name, model, profile)
    events = load_events(network, "simulated", TWIN_EVENTS, TWIN_SEED, progress)
    errors = evaluation.errors(as_locator(trained, card).predict(events), events)
    size = sum(p.numel() for p in trained.parameters())
    return _result(errors, card.data["n_events"], size, card.metrics["train_s"])


def _picked_twins(network, n_events, seed, progress):
    """Two simulated catalogues with automatic readings: one for the station corrections, one for the test."""
    from seisbook.datasets import build  # imported here, so that computing keys does not load ObsPy

    picked = []
    for random_state in (1, seed):
        twin = simulation.simulate(network, n_events, random_state)
        traces = build.rendered(twin, network, random_state)
        picked.append(catalogue_from_traces(twin, traces, network.window.sampling_rate_hz, progress))
    return picked


def as_locator(model, card) -> Locator:
    """Estimator for predictions, from a trained model and its card as `seisbook.models.checkpoints.load` gives them."""
    locator = Locator(card.architecture, card.config, card.training)
    locator.model_ = model
    return locator


def labels(network, catalogue) -> np.ndarray:
    """Labels (events, 4) of a catalogue for training: hypocentres in the network's frame, and magnitudes."""
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
