"""Robust models of a reader's own network: first its twin, then its own events, from the weights of a shipped model.

Nothing of this is a record of the book: the sizes are chosen so that a laptop needs minutes. The book's own robust
models are those of `seisbook.studies.robust_runs`.
"""

import logging
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import safetensors.torch
from pydantic import TypeAdapter

from seisbook import files, provenance
from seisbook.catalogues import networks
from seisbook.datasets.events import Events
from seisbook.datasets.graphs import check_window, open_for
from seisbook.datasets.library import load_events, load_metadata
from seisbook.errors import UserError
from seisbook.measures import evaluation, known_failures, splits
from seisbook.measures.new_network import validity
from seisbook.models import checkpoints, robust_checkpoints
from seisbook.models.names import ROBUST
from seisbook.models.robust import RobustModel
from seisbook.models.robust_training import RobustLocator, RobustTraining
from seisbook.models.settings import changed, parse
from seisbook.paths import BUILD
from seisbook.studies import robust_models
from seisbook.studies.pretraining import timed_fit
from seisbook.studies.robust_models import MAIN, TWIN_SEED, Recipe

log = logging.getLogger(__name__)
RECIPES = {
    "quick": robust_models.RECIPES["quick"],
    "paper": Recipe(
        twin_events=500,
        twin=RobustTraining(stem_epochs=2, graph_epochs=4, copies=1),
        training=RobustTraining(stem_epochs=2, graph_epochs=8, copies=2),
    ),
}
"""They begin with trained weights, and so need less than those of the book's own models."""
UNCHANGED = {"config": {}, "training": {}}
NEW_EVENTS, NEW_SEED = 100, 2  # simulated, to test a model that has seen no event of the network


def path_of(network, settings=()) -> Path:
    """Path of a network's own model: beside its YAML file, with what was set in its name."""
    path = Path(network)
    name = "-".join([path.stem, ROBUST, *(text.replace("=", "-") for text in settings)])
    return path.with_name(f"{name}.safetensors")


def train(network, dataset=None, profile="paper", progress=True, settings=(), n_folds=1, folder=None) -> Path:
    """Train and test a robust model of an own network, and keep it beside its YAML file.

    What was done before is not done again: the twin's seismograms and its model are kept in `_build`.

    Parameters
    ----------
    network : path
        YAML file.
    dataset : path, optional
        Of `seisbook data build` with this network. A fifth of its events, drawn at random, is held back for the test.
        Without it, the model has seen the twin alone, and is tested on new simulated events.
    profile : {"quick", "paper"}
    progress : bool
    settings : list of str
        Changes of the model, and of its training on the twin and on own events, see `seisbook.models.settings.parse`.
    n_folds : int
        How many of the five folds of the dataset are trained and tested. The model that is kept is that of the first.
    folder : path, optional
        Where the model is kept, if not beside the YAML file.

    Returns
    -------
    Path
        Path of the weights. The card beside them holds the test's errors, those of each fold, groups of events in which
        the model fails, the network, the events trained on, and the range in which they lie.

    Raises
    ------
    UserError
        If the network has no zones to simulate, the dataset has too few events or another window, or a setting is
        unknown or outside of its bounds.
    """
    values = parse(settings)
    place, recipe = networks.load(network), _recipe(profile, values)
    start = of_the_twin(place, profile, progress, values)
    locator = RobustLocator(place, start.config, recipe.training, 0, start)
    tests = []
    if dataset is None:
        locator.model_ = start
        start.graph.learn_stations(load_events(place, "simulated", recipe.twin_events, TWIN_SEED, progress))
        held = load_events(place, "simulated", NEW_EVENTS, NEW_SEED, progress)
        metadata = load_metadata(place, "simulated", recipe.twin_events, TWIN_SEED, progress)
        data, seconds = {"source": "simulated", "seed": TWIN_SEED, "trained_on": []}, 0.0
        tests.append(_test(locator, held))
    else:
        events, index, metadata = _parts(place, start.config, dataset, recipe.training, progress)
        trained_on = [str(name) for name in events.select(index[0][0]).source_id]
        locator, seconds = timed_fit(locator, events.select(index[0][0]), progress)
        tests.append(_test(locator, events.select(index[0][1])))
        for fold in range(1, n_folds):
            other = RobustLocator(place, start.config, recipe.training, fold, start)
            tests.append(_test(other.fit(events.select(index[fold][0]), progress), events.select(index[fold][1])))
        metadata = metadata[metadata.source_id.isin(trained_on)]
        data = {"source": "own", "dataset": Path(dataset).name, "trained_on": trained_on}
    data |= {"range": validity(metadata.drop_duplicates("source_id")), "description": asdict(place)}
    if settings:
        data["settings"] = list(settings)
    metrics = {"train_s": seconds, **_metrics(tests)}
    path = path_of(network, settings)
    return robust_checkpoints.save(Path(folder or path.parent) / path.name, locator, data, metrics)


def _test(locator, events):
    """Errors of the test events of a fold, and what groups are made by."""
    return evaluation.errors(locator.predict(events), events), known_failures.geometry(events)


def _metrics(tests):
    """Errors of the first fold, which `evaluate` finds again; of each fold; and of groups of all events tested."""
    folds = [evaluation.summarise_errors(errors) for errors, _ in tests]
    everything = (pd.concat(parts) for parts in zip(*tests, strict=True))
    return {**folds[0], "folds": folds, "groups": known_failures.groups(*everything)}


def _parts(place, config, dataset, training, progress):
    """Events of a dataset, their folds, and its metadata."""
    opened = open_for(dataset, config, place.centre)
    events = Events.from_dataset(opened, progress)
    check_window(events.x, config, dataset)
    least = fewest(training)
    if len(events) < least:
        raise UserError(
            f"{dataset}: {len(events)} events are too few to train on ({least} are needed): leave out --dataset, and "
            "the model of the twin is trained"
        )
    return events, splits.folds(events.source_id, events.origin_time, "random"), opened.metadata


def fewest(training) -> int:
    """Number of events that a dataset must have: a fifth of them is held back, the others make two batches."""
    return round(2 * training.events * splits.FOLDS / (splits.FOLDS - 1))


def describe(path) -> str:
    """What the card of an own model says: errors, those of each fold, known failures, range of validity."""
    card = robust_checkpoints.load(path)[1]
    known = ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in card.data["range"].items())
    folds = ", ".join(f"{one['epicentral_km']['median']:.2f}" for one in card.metrics["folds"])
    return "\n".join(
        [
            evaluation.describe(card.metrics),
            f"median epicentral error by fold (km): {folds}",
            known_failures.describe(card.metrics["groups"]),
            f"range of validity: {known}",
        ]
    )


def locator_of(path):
    """Estimator of a kept robust model, and its card."""
    model, card = robust_checkpoints.load(path)
    return card.locator(model), card


def network_of(card) -> networks.Network:
    """The network of a robust model: its card holds that of an own one, and the book ships the others."""
    if "description" in card.data:
        return TypeAdapter(networks.Network).validate_python(card.data["description"])
    return networks.load(card.network)


# ------------------------------------------------------------------------------------------------------------ the twin


def of_the_twin(place, profile, progress=True, values=UNCHANGED) -> RobustModel:
    """The model of a network's twin: from the cache if it holds it, else trained from a shipped model's weights.

    Parameters
    ----------
    place : Network
    profile : {"quick", "paper"}
    progress : bool
    values : dict
        Changes of the model and its training, of `seisbook.models.settings.parse`.
    """
    recipe, config = _recipe(profile, values), changed(robust_models.configuration(MAIN, place), values["config"])
    path = _cache(place, config, recipe)
    model = RobustModel(config, place)
    if not path.is_file():
        events = load_events(place, "simulated", recipe.twin_events, TWIN_SEED, progress)
        start = _with_weights(place, config, shipped_for(place))
        locator = RobustLocator(place, start.config, recipe.twin, 0, start)
        model = locator.fit(events, progress).model_
        weights = {name: value.detach().contiguous() for name, value in model.named_parameters()}
        files.write_whole(path, safetensors.torch.save(weights))
    model.load_state_dict(safetensors.torch.load(path.read_bytes()), strict=False)
    return model.eval()


def shipped_for(place) -> Path:
    """The shipped robust model whose sampling rate and window are nearest to a network's own."""
    paths = sorted(checkpoints.MODELS.glob(f"*-{ROBUST}-random-0.safetensors"))

    def unlike(path):
        config = robust_checkpoints.load(path)[1].config
        ratios = config.sampling_rate_hz / place.window.sampling_rate_hz, config.window_s / place.window.length_s
        return float(np.abs(np.log(ratios)).sum())

    return min(paths, key=unlike)


def _recipe(profile, values):
    """The recipe of a profile, with changes of both trainings."""
    recipe, values = RECIPES[profile], values["training"]
    return replace(recipe, twin=replace(recipe.twin, **values), training=replace(recipe.training, **values))


def _with_weights(place, config, start):
    """A model of the network's own Earth, with those weights of a shipped model that fit its configuration."""
    model = RobustModel(config, place)
    trained, own = dict(robust_checkpoints.load(start)[0].named_parameters()), dict(model.named_parameters())
    fitting = {name: value for name, value in trained.items() if name in own and own[name].shape == value.shape}
    log.info("%s: starting from %d of %d weights of %s", place.name, len(fitting), len(own), start.stem)
    model.load_state_dict(fitting, strict=False)
    return model


def _cache(place, config, recipe):
    """File of the twin's model, by what it is made of."""
    made_by = provenance.code_hash(
        "seisbook.models.robust_training:RobustLocator", "seisbook.physics.timetable:Timetable"
    )
    made_of = [place, config, recipe.twin_events, recipe.twin, TWIN_SEED, shipped_for(place).stem, made_by]
    return BUILD / "models" / "own" / f"{place.name}-twin-{provenance.digest(made_of)}.safetensors"
