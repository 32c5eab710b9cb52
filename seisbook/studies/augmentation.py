"""The augmentation study: errors on perturbed and on unperturbed events after training with perturbed events.

Each arm trains the whole recipe, starting from the network's twin, on `N_TRAIN` real events of the first random fold.
Each arm sees each event twice. In the arm `as they are`, both copies are unperturbed. In the other arms, one copy is
unperturbed and the other is perturbed, at a severity drawn from those of the test. An arm with the name of an axis
perturbs along this axis (its *matching* augmentation). The arm `all` draws the axis of each event at random. The number
of epochs is half of the recipe's, so that each arm takes the recipe's number of steps. All arms also have the
augmentation of all trainings in the book: joint shifts of up to one second, some noise, and missing stations.

The test events are those of the fold, perturbed in the same way for all arms. The perturbed training events are not the
test events, and the random draws differ. Each arm is trained once. The intervals are over test events, so they do not
include the scatter between repeated trainings.

Two rules were written before the study was run. Both use the ratio of the median epicentral error to that of the arm
`as they are`. An augmentation *helps* along an axis if the interval of this ratio lies below 1 at the severity that
harms `as they are` most. It *costs nothing* if the interval on the unperturbed events does not lie above 1. See
`tabulate`.
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
TRAINING_DRAWS = 1  # seed of the perturbations in training; the perturbations of the test have seed 0


def trials(network, source, profile) -> list[dict]:
    """One training for each arm."""
    common = {"network": network, "source": source, "profile": profile}
    return [{**common, "arm": arm} for arm in (PLAIN, *SEVERITIES[profile], EVERYTHING)]


def run(trials) -> list[dict]:
    """Results of the trials: `tests` lists `axis`, `severity` and the test events' `epicentral_km`.

    The first entry is for the unperturbed events.
    """
    return [_tested(**trial) for trial in trials]


def config(trial) -> dict:
    """Configuration of a trial: severities, number of training events, seed of the perturbations, and recipe."""
    profile = trial["profile"]
    draws = {"severities": SEVERITIES[profile], "n_train": N_TRAIN[profile], "draws": TRAINING_DRAWS}
    return {**draws, "recipe": recipes.PROFILES[profile]}


def prepare(network, source, profile):
    """Train the model on the twin and read the events, before the workers start."""
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
    """Training configuration with half of the epochs: the recipe's number of steps on twice as many events."""
    given = recipes.PROFILES[profile].training
    halved = {name: -(-getattr(given, name) // 2) for name in ("epochs", "graph_epochs")}
    return replace(given, learning_rate=rate, **halved)


def _augmented(network, source, profile, arm):
    """The training events of an arm; each event is there twice."""
    fold, rng = first_fold(network, source, profile), np.random.default_rng(0)
    shown = fold.events.select(rng.permutation(fold.train)[: N_TRAIN[profile]])
    if arm == PLAIN:
        return joined(shown, shown)
    axes = {arm: SEVERITIES[profile][arm]} if arm != EVERYTHING else SEVERITIES[profile]
    return joined(shown, *_perturbed_copies(shown, axes, networks.load(network).window.sampling_rate_hz, rng))


def _perturbed_copies(events, axes, sampling_rate_hz, rng):
    """Yield the events in perturbed copies, one for each event; the axis is drawn first, then its severity."""
    drawn = [(axis, rng.choice(axes[axis])) for axis in rng.choice(list(axes), len(events))]
    for axis, severity in dict.fromkeys(drawn):
        chosen = [i for i, pair in enumerate(drawn) if pair == (axis, severity)]
        perturbation = perturbations.AXES[axis].make(severity, random_state=TRAINING_DRAWS)
        yield perturbation.apply(events.select(chosen), sampling_rate_hz, progress=False)


@provenance.remember
def _held(network, source, profile, axis, severity):
    """The perturbed test events; a process makes them once and uses them for all arms."""
    held = first_fold(network, source, profile).held
    if axis == "none":
        return held
    rate = networks.load(network).window.sampling_rate_hz
    return perturbations.AXES[axis].make(severity).apply(held, rate, progress=False)


STUDY = runner.Study("augmentation", trials, run, config, prepare)
