"""Robust models as the studies train them: first on the network's twin, then on the training part of a fold.

All arms share one stem, which is trained on the network's simulated twin with every kind of trouble. Their graph parts
are trained on the twin, too. Both then learn from the training part of a fold of the real bulletin. Nothing is tuned on
a test event, and the last weights are kept.

Studies of many trainings leave the stem as the twin trained it. It reads the events once, see `first_fold_readings`,
and each training is one of the graph part alone.
"""

import copy
import json
import logging
from dataclasses import dataclass, replace

import safetensors
import safetensors.torch

from seisbook import files, provenance
from seisbook.catalogues import networks
from seisbook.datasets.events import Events
from seisbook.datasets.library import load_events
from seisbook.measures import splits
from seisbook.models.robust import Onsets, RobustConfig, RobustModel
from seisbook.models.robust_training import RobustLocator, RobustTraining, of_events
from seisbook.paths import BUILD
from seisbook.studies import robustness, runs
from seisbook.studies.fold import Fold, first_fold

log = logging.getLogger(__name__)
ARMS = {
    "robust": {},
    "static graph": {"graph": "static"},
    "feature-space graph": {"graph": "feature"},
    "no edges": {"graph": "none"},
    "attention": {"mixing": "attention"},
    "no travel times": {"physics": False},
    "attention without travel times": {"physics": False, "mixing": "attention"},
    "no trouble in training": {"trouble": False},
}
"""What each arm changes; `trouble` is a switch of the training, the others are of the model."""
MAIN = "robust"
TWIN_SEED = 1


@dataclass(frozen=True)
class Recipe:
    """Size of a profile: events of the twin, training on the twin, training on the bulletin."""

    twin_events: int
    twin: RobustTraining
    training: RobustTraining


RECIPES = {
    "quick": Recipe(
        twin_events=100,
        twin=RobustTraining(stem_epochs=1, graph_epochs=1, copies=1),
        training=RobustTraining(stem_epochs=1, graph_epochs=1, copies=1),
    ),
    "paper": Recipe(
        twin_events=3000,
        twin=RobustTraining(stem_epochs=4, graph_epochs=8, copies=2),
        training=RobustTraining(),
    ),
}


def configuration(arm, network) -> RobustConfig:
    """Configuration of an arm's model.

    Parameters
    ----------
    arm : str
        One of `ARMS`.
    network : Network
    """
    changes = {name: value for name, value in ARMS[arm].items() if name != "trouble"}
    window = network.window
    return RobustConfig(window_s=window.length_s, sampling_rate_hz=window.sampling_rate_hz, **changes)


def as_trained(arm, training) -> RobustTraining:
    """A training with the switch of an arm."""
    return replace(training, trouble=ARMS[arm].get("trouble", True))


def locator(network, arm, profile, random_state) -> RobustLocator:
    """An estimator that starts from the arm's model of the twin; it is not fitted to real events yet.

    Parameters
    ----------
    network, arm, profile : str
    random_state : int
    """
    start = of_the_twin(network, arm, profile)
    training = as_trained(arm, RECIPES[profile].training)
    return RobustLocator(networks.load(network), start.config, training, random_state, start)


def fitted_to_twin(network, arm, profile) -> RobustLocator:
    """An estimator with the arm's model of the twin, which knows the depths and the station terms of the twin's events.

    Training on a fold learns these again. So the cached models of the twin do not hold them.
    """
    found = locator(network, arm, profile, 0)
    found.model_ = copy.deepcopy(found.start_from)
    size = RECIPES[profile].twin_events
    found.model_.graph.learn_stations(load_events(networks.load(network), "simulated", size, TWIN_SEED, False))
    return found


@provenance.remember
def parts(network, split, fold) -> tuple[Events, Events]:
    """Training and test events of a fold of the bulletin."""
    events = load_events(networks.load(network), "bulletin", None, 0, False)
    return tuple(events.select(index) for index in splits.folds(events.source_id, events.origin_time, split)[fold])


@provenance.remember
def new_events(network, profile) -> Events:
    """Simulated events on which no model was trained: those of `seisbook.studies.robustness`."""
    size = robustness.QUICK_EVENTS if profile == "quick" else runs.TWIN_EVENTS
    return load_events(networks.load(network), "simulated", size, runs.TWIN_SEED, False)


# -------------------------------------------------------------------------------------------------------- frozen stem


@dataclass(frozen=True)
class ReadFold:
    """A fold whose seismograms the stem of the twin has read, as they are and in troubled copies.

    Parameters
    ----------
    fold : Fold
    readings : tuple of Onsets
        Of all events of the fold; the first of the events as they are.
    """

    fold: Fold
    readings: tuple[Onsets, ...]

    def part(self, index) -> tuple[Events, list[Onsets]]:
        """Some of the events, and what the stem found in them."""
        events = self.fold.events
        return events.select(index), [of_events(found, events, index) for found in self.readings]


@provenance.remember
def first_fold_readings(network, source, profile) -> ReadFold:
    """The first random fold, read by the stem of the twin, which has seen no real event."""
    fold = first_fold(network, source, profile)
    return ReadFold(fold, tuple(locator(network, MAIN, profile, 0).readings(fold.events, progress=False)))


@provenance.remember
def of_the_fold(network, fold, profile) -> RobustLocator:
    """The main arm, its graph part trained on the training part of a random fold of the bulletin.

    Its stem stays as the twin trained it.
    """
    train, _ = fold_of(network, fold, profile)
    return locator(network, MAIN, profile, fold).fit_graph(*train, progress=False)


def fold_of(network, fold, profile) -> list[tuple[Events, list[Onsets]]]:
    """Training and test events of a random fold of the bulletin, and what the stem of the twin found in them."""
    read = first_fold_readings(network, "bulletin", profile)
    events = read.fold.events
    return [read.part(index) for index in splits.folds(events.source_id, events.origin_time, "random")[fold]]


# ----------------------------------------------------------------------------------------------------------- the twin


@provenance.remember
def of_the_twin(network, arm, profile) -> RobustModel:
    """The arm's model, trained on the twin: from the cache if it holds it."""
    place, recipe = networks.load(network), RECIPES[profile]
    model = RobustModel(configuration(arm, place), place)
    path = _cache(network, arm, profile)
    if not path.is_file():
        with provenance.watched() as inputs:
            trained = _train_on_twin(network, arm, profile, place, recipe)
        weights = {name: value.detach() for name, value in trained.named_parameters()}
        files.write_whole(path, safetensors.torch.save(weights, {"inputs": json.dumps(inputs)}))
    with safetensors.safe_open(path, "pt") as opened:
        inputs = json.loads(opened.metadata()["inputs"])
        model.load_state_dict({name: opened.get_tensor(name) for name in opened.keys()}, strict=False)  # noqa: SIM118
    for name, content in inputs.items():
        provenance.note(name, content)
    return model.eval()


def _train_on_twin(network, arm, profile, place, recipe):
    events = load_events(place, "simulated", recipe.twin_events, TWIN_SEED, False)
    training, start = as_trained(arm, recipe.twin), None
    if ARMS[arm].get("trouble", True) and arm != MAIN:  # arms share the stem, which one of them trains
        start, training = of_the_twin(network, MAIN, profile), replace(training, stem_epochs=0)
    log.info("%s: training the arm %r on the twin", network, arm)
    return RobustLocator(place, configuration(arm, place), training, 0, start).fit(events, progress=False).model_


def _cache(network, arm, profile):
    """File of a model of the twin, by what it is made of."""
    recipe = RECIPES[profile]
    made_by = provenance.code_hash(
        "seisbook.models.robust_training:RobustLocator", "seisbook.physics.timetable:Timetable"
    )
    made_of = [networks.load(network), ARMS[arm], recipe.twin_events, TWIN_SEED, recipe.twin, made_by]
    name = f"{networks.load(network).name}-{arm.replace(' ', '-')}-{provenance.digest(made_of)}.safetensors"
    return BUILD / "models" / "robust" / name
