"""The study of the robust model: what robust training, travel times and the graph each give, on the same folds.

All arms share one stem, which is trained on the network's simulated twin with every kind of trouble. Their graph parts
are trained on the twin, too. Both then learn from the training part of a fold of the real bulletin. Nothing is tuned on
a test event, and the last weights are kept.
"""

import json
import logging
from dataclasses import dataclass, replace

import safetensors
import safetensors.torch

from seisbook import files, provenance
from seisbook.catalogues import networks
from seisbook.datasets.library import load_events
from seisbook.measures import evaluation, perturbations, splits
from seisbook.models.robust import RobustConfig, RobustModel
from seisbook.models.robust_training import RobustLocator, RobustTraining
from seisbook.paths import BUILD
from seisbook.studies import runner

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
SEEDS = 2
COMPARED = ("band_pass", "joint_shift", "independent_shift", "clipping", "spike", "dead_channel", "wrong_coordinates")
"""Axes along which all arms are tested."""
COMPARED = ("band_pass", "joint_shift", "independent_shift", "clipping", "spike", "dead_channel", "wrong_coordinates")
"""Axes along which all arms are tested."""
FLOORED = ("none", "band_pass", "independent_shift", "random_dropout", "nearest_dropout", "sector_dropout")
"""Axes under which onsets are fewer or less certain: what is wrong with one station leaves the others' floor."""
TWIN_SEED = 1
COLUMNS = ("epicentral_km", "depth_km", "magnitude", "mahalanobis")


@dataclass(frozen=True)
class Recipe:
    """Size of a profile: events of the twin, training on the twin, training on the bulletin, folds and seeds.

    The main arm is tested along `axes`, the others along those `compared`.
    """

    twin_events: int
    twin: RobustTraining
    training: RobustTraining
    folds: int
    seeds: int
    axes: tuple[str, ...]
    compared: tuple[str, ...] = ()


RECIPES = {
    "quick": Recipe(
        twin_events=100,
        twin=RobustTraining(stem_epochs=1, graph_epochs=1, copies=1),
        training=RobustTraining(stem_epochs=1, graph_epochs=1, copies=1),
        folds=1,
        seeds=1,
        axes=("joint_shift",),
    ),
    "paper": Recipe(
        twin_events=3000,
        twin=RobustTraining(stem_epochs=4, graph_epochs=8, copies=2),
        training=RobustTraining(),
        folds=splits.FOLDS,
        seeds=SEEDS,
        axes=tuple(perturbations.AXES),
        compared=COMPARED,
    ),
}


def trials(network, source, profile) -> list[dict]:
    """The main arm on all folds, random and of time; each arm on the first one, with seeds and under trouble."""
    recipe = RECIPES[profile]
    found = []
    for arm in ARMS if profile == "paper" else (MAIN,):
        axes = recipe.axes if arm == MAIN else recipe.compared
        found += [(arm, "random", 0, 0, *one) for one in _axes(network, axes)]
        found += [(arm, "random", 0, seed, "none", None) for seed in range(1, recipe.seeds)]
    folds = [(split, fold) for split in ("random", "time") for fold in range(recipe.folds)]
    found += [(MAIN, *fold, 0, "none", None) for fold in folds if fold != ("random", 0)]
    names = ("arm", "split", "fold", "seed", "axis", "severity")
    common = {"network": network, "source": source, "profile": profile}
    return [{**common, **dict(zip(names, values, strict=True))} for values in found]


def _axes(network, axes):
    """Axes and severities, without a perturbation first."""
    rate = networks.load(network).window.sampling_rate_hz
    return [("none", None), *((axis, severity) for axis in axes for severity in perturbations.severities(axis, rate))]


def config(trial) -> dict:
    """Configuration of a trial: what its arm changes, and the recipe."""
    recipe = RECIPES[trial["profile"]]
    return {
        "arm": ARMS[trial["arm"]],
        "training": [recipe.twin_events, TWIN_SEED, recipe.twin, recipe.training],
    }


def group(trial):
    """Trials of one training, which is then tested on each perturbation."""
    return tuple(trial[name] for name in ("network", "arm", "split", "fold", "seed"))


def prepare(network, source, profile):
    """Train the arms on the twin and read the events, before the workers start."""
    for arm in dict.fromkeys(trial["arm"] for trial in trials(network, source, profile)):
        _of_the_twin(network, arm, profile)
    _parts(network, "random", 0)


def run(trials) -> list[dict]:
    """Results of the trials of one group, in order: errors of each event, see `COLUMNS`."""
    first = trials[0]
    train, held = _parts(first["network"], first["split"], first["fold"])
    network = networks.load(first["network"])
    locator = _fitted(network, train, first)
    return [
        evaluation.rounded(evaluation.errors(locator.predict(shown), shown), COLUMNS)
        for shown in (_shown(held, network, trial["axis"], trial["severity"]) for trial in trials)
    ]


@provenance.remember
def _parts(network, split, fold):
    """Training and test events of a fold of the bulletin."""
    events = load_events(networks.load(network), "bulletin", None, 0, False)
    return tuple(events.select(index) for index in splits.folds(events.source_id, events.origin_time, split)[fold])


def _shown(events, network, axis, severity):
    """The events, perturbed if an axis is named."""
    if axis == "none":
        return events
    return perturbations.AXES[axis].make(severity).apply(events, network.window.sampling_rate_hz, progress=False)


# ------------------------------------------------------------------------------------------------------------ training


def configuration(arm, network) -> RobustConfig:
    """Configuration of an arm's model."""
    changes = {name: value for name, value in ARMS[arm].items() if name != "trouble"}
    window = network.window
    return RobustConfig(window_s=window.length_s, sampling_rate_hz=window.sampling_rate_hz, **changes)


def _training(arm, training):
    return replace(training, trouble=ARMS[arm].get("trouble", True))


def _fitted(network, train, trial):
    """The arm's model of the twin, trained on a fold."""
    start = _of_the_twin(trial["network"], trial["arm"], trial["profile"])
    training = _training(trial["arm"], RECIPES[trial["profile"]].training)
    seed = trial["fold"] + 10 * trial["seed"]
    return RobustLocator(network, start.config, training, seed, start).fit(train, progress=False)


@provenance.remember
def _of_the_twin(network, arm, profile):
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
    training, start = _training(arm, recipe.twin), None
    if ARMS[arm].get("trouble", True) and arm != MAIN:  # arms share the stem, which one of them trains
        start, training = _of_the_twin(network, MAIN, profile), replace(training, stem_epochs=0)
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


STUDY = runner.Study("robust", trials, run, config, prepare, group, batch=200)
