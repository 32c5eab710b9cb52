"""Robust models of a reader's own network: first its twin, then its own events, from the weights of a shipped model.

Nothing of this is a record of the book: the sizes are chosen so that a laptop needs minutes. The book's own robust
models are those of `seisbook.studies.robust_runs`.
"""

import logging
from dataclasses import asdict
from pathlib import Path

import numpy as np
import safetensors.torch
from pydantic import TypeAdapter

from seisbook import files, provenance
from seisbook.catalogues import networks
from seisbook.datasets.events import Events
from seisbook.datasets.graphs import check_window, open_for
from seisbook.datasets.library import load_events, load_metadata
from seisbook.errors import UserError
from seisbook.measures import splits
from seisbook.measures.new_network import validity
from seisbook.models import checkpoints, robust_checkpoints
from seisbook.models.names import ROBUST
from seisbook.models.robust import RobustModel
from seisbook.models.robust_training import RobustLocator, RobustTraining
from seisbook.paths import BUILD
from seisbook.studies import robust_models
from seisbook.studies.pretraining import timed_fit
from seisbook.studies.robust_models import MAIN, TWIN_SEED, Recipe
from seisbook.studies.robust_runs import tested

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
NEW_EVENTS, NEW_SEED = 100, 2  # simulated, to test a model that has seen no event of the network


def path_of(network) -> Path:
    """Path of a network's own model: beside its YAML file."""
    path = Path(network)
    return path.with_name(f"{path.stem}-{ROBUST}.safetensors")


def train(network, dataset=None, profile="paper", progress=True) -> Path:
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

    Returns
    -------
    Path
        Path of the weights. The card beside them holds the test's errors, the network, the events trained on, and the
        range in which they lie.

    Raises
    ------
    UserError
        If the network has no zones to simulate, or the dataset has too few events or another window.
    """
    place, recipe = networks.load(network), RECIPES[profile]
    start = of_the_twin(place, profile, progress)
    locator = RobustLocator(place, start.config, recipe.training, 0, start)
    if dataset is None:
        locator.model_ = start
        start.graph.learn_stations(load_events(place, "simulated", recipe.twin_events, TWIN_SEED, progress))
        held = load_events(place, "simulated", NEW_EVENTS, NEW_SEED, progress)
        metadata = load_metadata(place, "simulated", recipe.twin_events, TWIN_SEED, progress)
        data, seconds = {"source": "simulated", "seed": TWIN_SEED, "trained_on": []}, 0.0
    else:
        train_events, held, metadata = _parts(place, start.config, dataset, recipe.training, progress)
        locator, seconds = timed_fit(locator, train_events, progress)
        trained_on = [str(name) for name in train_events.source_id]
        metadata = metadata[metadata.source_id.isin(trained_on)]
        data = {"source": "own", "dataset": Path(dataset).name, "trained_on": trained_on}
    data |= {"range": validity(metadata.drop_duplicates("source_id")), "description": asdict(place)}
    metrics = {"train_s": seconds, **tested(locator, held)}
    return robust_checkpoints.save(path_of(network), locator, data, metrics)


def _parts(place, config, dataset, training, progress):
    """Training and test events of a dataset, and its metadata."""
    opened = open_for(dataset, config, place.centre)
    events = Events.from_dataset(opened, progress)
    check_window(events.x, config, dataset)
    least = round(2 * training.events * splits.FOLDS / (splits.FOLDS - 1))
    if len(events) < least:
        raise UserError(
            f"{dataset}: {len(events)} events are too few to train on ({least} are needed): leave out --dataset, and "
            "the model of the twin is trained"
        )
    index = splits.folds(events.source_id, events.origin_time, "random")[0]
    return *(events.select(part) for part in index), opened.metadata


def network_of(card) -> networks.Network:
    """The network of a robust model: its card holds that of an own one, and the book ships the others."""
    if "description" in card.data:
        return TypeAdapter(networks.Network).validate_python(card.data["description"])
    return networks.load(card.network)


# ------------------------------------------------------------------------------------------------------------ the twin


def of_the_twin(place, profile, progress=True) -> RobustModel:
    """The model of a network's twin: from the cache if it holds it, else trained from a shipped model's weights."""
    recipe, path = RECIPES[profile], _cache(place, profile)
    model = _with_weights(place, None)
    if not path.is_file():
        events = load_events(place, "simulated", recipe.twin_events, TWIN_SEED, progress)
        start = _with_weights(place, shipped_for(place))
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


def _with_weights(place, start):
    """A model of the network's own Earth, with the weights of a shipped model if one is given."""
    model = RobustModel(robust_models.configuration(MAIN, place), place)
    if start is not None:
        trained, _ = robust_checkpoints.load(start)
        log.info("%s: starting from the weights of %s", place.name, start.stem)
        model.load_state_dict(dict(trained.named_parameters()), strict=False)
    return model


def _cache(place, profile):
    """File of the twin's model, by what it is made of."""
    made_by = provenance.code_hash(
        "seisbook.models.robust_training:RobustLocator", "seisbook.physics.timetable:Timetable"
    )
    recipe = RECIPES[profile]
    made_of = [place, recipe.twin_events, recipe.twin, TWIN_SEED, shipped_for(place).stem, made_by]
    return BUILD / "models" / "own" / f"{place.name}-twin-{provenance.digest(made_of)}.safetensors"
