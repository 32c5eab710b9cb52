"""The study of the robust model: what robust training, travel times and the graph each give, on the same folds.

`seisbook.studies.robust_models` trains them. Simulated events test the models of the twin, which have seen no real
event; their labels are exact.
"""

from dataclasses import dataclass

from seisbook.catalogues import networks
from seisbook.measures import evaluation, perturbations, splits
from seisbook.studies import robust_models, runner
from seisbook.studies.robust_models import ARMS, MAIN, RECIPES, TWIN_SEED

SEEDS = 3  # of the main arm
OTHER_SEEDS = 2
COMPARED = ("band_pass", "joint_shift", "independent_shift", "clipping", "spike", "dead_channel", "wrong_coordinates")
"""Axes along which all arms are tested."""
FLOORED = ("none", "band_pass", "independent_shift", "random_dropout", "nearest_dropout", "sector_dropout")
"""Axes under which onsets are fewer or less certain: what is wrong with one station leaves the others' floor."""
COLUMNS = ("epicentral_km", "depth_km", "magnitude", "mahalanobis")


@dataclass(frozen=True)
class Size:
    """Folds and seeds of a profile; the main arm is tested along `axes`, the others along those `compared`."""

    folds: int
    seeds: int
    axes: tuple[str, ...]
    compared: tuple[str, ...] = ()


SIZES = {
    "quick": Size(1, 1, ("joint_shift",)),
    "paper": Size(splits.FOLDS, SEEDS, tuple(perturbations.AXES), COMPARED),
}


def trials(network, source, profile) -> list[dict]:
    """Trials of the real bulletin: the main arm on all folds, random and of time, and each arm on the first one, with
    seeds and under trouble. Trials of the simulated twin: the main arm, under trouble too.
    """
    if source == "simulated":
        found = [(MAIN, "twin", 0, 0, *one) for one in _axes(network, SIZES[profile].axes)]
    else:
        found = _of_bulletin(network, profile)
    names = ("arm", "split", "fold", "seed", "axis", "severity")
    common = {"network": network, "source": source, "profile": profile}
    return [{**common, **dict(zip(names, values, strict=True))} for values in found]


def _of_bulletin(network, profile):
    size, found = SIZES[profile], []
    for arm in ARMS if profile == "paper" else (MAIN,):
        axes, seeds = (size.axes, size.seeds) if arm == MAIN else (size.compared, OTHER_SEEDS)
        found += [(arm, "random", 0, 0, *one) for one in _axes(network, axes)]
        found += [(arm, "random", 0, seed, "none", None) for seed in range(1, seeds)]
    folds = [(split, fold) for split in ("random", "time") for fold in range(size.folds)]
    return found + [(MAIN, *fold, 0, "none", None) for fold in folds if fold != ("random", 0)]


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
    return tuple(trial[name] for name in ("network", "source", "arm", "split", "fold", "seed"))


def prepare(network, source, profile):
    """Train the main arm on the twin and read the events, before the workers start; other arms follow in their turn."""
    robust_models.of_the_twin(network, MAIN, profile)
    if source == "simulated":
        robust_models.new_events(network, profile)
    else:
        robust_models.parts(network, "random", 0)


def run(trials) -> list[dict]:
    """Results of the trials of one group, in order: errors of each event, see `COLUMNS`."""
    first = trials[0]
    locator, held = (_of_the_twin if first["split"] == "twin" else _trained)(first)
    network = networks.load(first["network"])
    return [
        evaluation.rounded(evaluation.errors(locator.predict(shown), shown), COLUMNS)
        for shown in (_shown(held, network, trial["axis"], trial["severity"]) for trial in trials)
    ]


def _trained(trial):
    """The arm, trained on a fold, and the fold's test events."""
    train, held = robust_models.parts(trial["network"], trial["split"], trial["fold"])
    seed = trial["fold"] + 10 * trial["seed"]
    locator = robust_models.locator(trial["network"], trial["arm"], trial["profile"], seed)
    return locator.fit(train, progress=False), held


def _of_the_twin(trial):
    """The arm as the twin trained it, and new events of the twin."""
    locator = robust_models.locator(trial["network"], trial["arm"], trial["profile"], 0)
    locator.model_ = locator.start_from
    return locator, robust_models.new_events(trial["network"], trial["profile"])


def _shown(events, network, axis, severity):
    """The events, perturbed if an axis is named."""
    if axis == "none":
        return events
    return perturbations.AXES[axis].make(severity).apply(events, network.window.sampling_rate_hz, progress=False)


STUDY = runner.Study("robust", trials, run, config, prepare, group, batch=200)
