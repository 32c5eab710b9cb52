"""The augmentation study: does it help to train with what goes wrong, and what does it cost when nothing does?

The whole recipe, from the network's twin, on `N_TRAIN` real events of the first random fold. All arms see each event
twice: in the arm `as they are` twice as it is, in the others once as it is and once perturbed, along the axis that the
arm is named after (its *matching* augmentation) or, in the arm `all`, along one of them drawn by chance, at a severity
drawn from those of the test. Epochs are half of the recipe's, so that all take its number of steps. All arms have the
augmentation that all trainings of the book have: joint shifts of up to a second, some noise, missing stations.

The test events are those of the fold, perturbed in the same way for all arms; training perturbs other events with other
draws. Each arm is trained once: intervals are over test events and know nothing of the luck of a training.

Two rules were written before the study was run, on ratios of the median epicentral error to that of `as they are`: an
augmentation *helps* along an axis if at the severity that harms `as they are` most the ratio's interval lies below 1,
and it *costs nothing* if on the unperturbed events the interval does not lie above 1, see `tabulate`.
"""

from dataclasses import replace

import numpy as np

from seisbook import provenance
from seisbook.catalogues import networks
from seisbook.datasets.events import joined
from seisbook.measures import evaluation, perturbations
from seisbook.models.training import Locator
from seisbook.studies import recipes, runner
from seisbook.studies.fold import first_fold
from seisbook.studies.pretraining import pretrain, pretrained

SEVERITIES = {
    "paper": {
        "band_pass": (0.5, 1.0, 2.0, 4.0),
        "joint_shift": (2.0, 4.0, 8.0),
        "independent_shift": (0.2, 0.5, 1.0),
        "nearest_dropout": (1, 3, 5),
    },
    "quick": {"band_pass": (1.0,), "joint_shift": (4.0,)},
}
PLAIN, EVERYTHING = "as they are", "all"
N_TRAIN = {"quick": 40, "paper": 300}
TRAINING_DRAWS = 1  # seed of the perturbations in training; those of the test have 0


def trials(network, source, profile) -> list[dict]:
    """One training an arm."""
    common = {"network": network, "source": source, "profile": profile}
    return [{**common, "arm": arm} for arm in (PLAIN, *SEVERITIES[profile], EVERYTHING)]


def run(trials) -> list[dict]:
    """`tests` of each trial: `axis`, `severity` and the test events' `epicentral_km`; the first one is unperturbed."""
    return [_tested(**trial) for trial in trials]


def config(trial) -> dict:
    """What a trial is carried out with."""
    profile = trial["profile"]
    draws = {"severities": SEVERITIES[profile], "n_train": N_TRAIN[profile], "draws": TRAINING_DRAWS}
    return {**draws, "recipe": recipes.PROFILES[profile]}


def prepare(network, source, profile):
    """Train the twin's model and read the events, once for all."""
    pretrain(network, "dynamic", profile, False)
    first_fold(network, source, profile)


def _tested(network, source, profile, arm):
    twin, card = pretrained(network, "dynamic", profile)
    training = _training(profile, card.training.learning_rate / 2)
    locator = Locator("dynamic", twin.config, training, 0, twin)
    locator.fit(_augmented(network, source, profile, arm), progress=False)
    tests = []
    for axis, severities in {"none": (None,), **SEVERITIES[profile]}.items():
        for severity in severities:
            held = _held(network, source, profile, axis, severity)
            errors = evaluation.rounded(evaluation.errors(locator.predict(held), held), ("epicentral_km",))
            tests.append({"axis": axis, "severity": severity, **errors})
    return {"tests": tests}


def _training(profile, rate):
    """The recipe's number of steps on twice as many events."""
    given = recipes.PROFILES[profile].training
    halved = {name: -(-getattr(given, name) // 2) for name in ("epochs", "graph_epochs")}
    return replace(given, learning_rate=rate, **halved)


def _augmented(network, source, profile, arm):
    """The training events of an arm, each of them twice."""
    fold, rng = first_fold(network, source, profile), np.random.default_rng(0)
    shown = fold.events.select(rng.permutation(fold.train)[: N_TRAIN[profile]])
    if arm == PLAIN:
        return joined(shown, shown)
    axes = {arm: SEVERITIES[profile][arm]} if arm != EVERYTHING else SEVERITIES[profile]
    return joined(shown, *_perturbed_copies(shown, axes, networks.load(network).window.sampling_rate_hz, rng))


def _perturbed_copies(events, axes, sampling_rate_hz, rng):
    """Each event once, with an axis and then a severity drawn by chance."""
    drawn = [(axis, rng.choice(axes[axis])) for axis in rng.choice(list(axes), len(events))]
    for axis, severity in dict.fromkeys(drawn):
        chosen = [i for i, pair in enumerate(drawn) if pair == (axis, severity)]
        perturbation = perturbations.AXES[axis].make(severity, random_state=TRAINING_DRAWS)
        yield perturbation.apply(events.select(chosen), sampling_rate_hz, progress=False)


@provenance.remember
def _held(network, source, profile, axis, severity):
    """The test events, perturbed; made once for all arms that a process tests."""
    held = first_fold(network, source, profile).held
    if axis == "none":
        return held
    rate = networks.load(network).window.sampling_rate_hz
    return perturbations.AXES[axis].make(severity).apply(held, rate, progress=False)


STUDY = runner.Study("augmentation", trials, run, config, prepare)
