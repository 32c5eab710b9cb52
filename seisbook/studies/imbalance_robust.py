"""The imbalance study of the robust model: errors on large events when the training set has few of them.

Training events are thinned out as in `seisbook.studies.imbalance`, and the results have the same form. The graph part
is trained on what the frozen stem of the twin has read, see `seisbook.studies.frozen_stem`. Both stem and graph part
start from the twin, which has large events. So the study asks what is lost when the *real* large events are missing.
Of the remedies there is one, `balanced`: training events are drawn so that all magnitudes are equally frequent.

The rules for claim C7 and for the remedy are those of the paper's model, see `seisbook.findings.imbalance`. The claim
holds if the magnitude RMSE of the largest tenth of the test events stays below 0.15 when one in five of the large
training events is left. They were written before the study was run.
"""

import numpy as np

from seisbook.measures import evaluation
from seisbook.studies import frozen_stem, imbalance, robust_models, runner
from seisbook.studies.robust_models import ARMS, MAIN, RECIPES, TWIN_SEED

KEPT = imbalance.KEPT
STEPS = {"quick": 2, "paper": 108}
REMEDIES = ("none", "balanced")


def trials(network, source, profile) -> list[dict]:
    """Each share of large events that is kept, without a remedy and, if there is a large event to draw, with it."""
    common = {"network": network, "source": source, "profile": profile, "seed": 0}
    arms = [(kept, remedy) for kept in KEPT[profile] for remedy in REMEDIES if kept or remedy == "none"]
    return [{**common, "kept": kept, "remedy": remedy} for kept, remedy in arms]


def run(trials) -> list[dict]:
    """Results of the trials, trained one by one: numbers of training events, and errors of all test events."""
    return [_trained(**trial) for trial in trials]


def _trained(network, source, profile, kept, remedy, seed):
    read = frozen_stem.unseen(robust_models.first_fold_readings(network, source, profile))
    magnitude, train, test = read.fold.events.y[:, 3].numpy(), read.fold.train, read.fold.test
    limit = np.nanquantile(magnitude[train], 1 - imbalance.SHARE)
    subset, n_large = imbalance._training_set(magnitude, train, limit, kept, remedy, seed)
    locator = frozen_stem.locator(network, MAIN, profile, seed, STEPS[profile], len(subset))
    locator.fit_like(*read.part(subset))
    errors = evaluation.errors(frozen_stem.predict(locator, read, test), read.fold.held)
    sized = errors.magnitude.notna().to_numpy()
    large = {"n_train": len(subset), "n_large": n_large, "large": (magnitude[test][sized] > limit).tolist()}
    return {**large, **evaluation.rounded(errors[sized], ("magnitude", "epicentral_km"))}


def config(trial) -> dict:
    """Configuration of a trial: the recipe, the steps, the share that is thinned out and the width of the bins."""
    recipe = RECIPES[trial["profile"]]
    return {
        "arm": ARMS[MAIN],
        "training": [recipe.twin_events, TWIN_SEED, recipe.twin, recipe.training],
        "steps": STEPS[trial["profile"]],
        "share": imbalance.SHARE,
        "bin": imbalance.BIN,
    }


def prepare(network, source, profile):
    """Train the model on the twin and let its stem read the events, before the workers start."""
    robust_models.of_the_twin(network, MAIN, profile)
    robust_models.first_fold_readings(network, source, profile)


STUDY = runner.Study("imbalance-robust", trials, run, config, prepare)
