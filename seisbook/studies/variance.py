"""The variance study: hundreds of trainings by the study recipe, with the same partitions and seeds for each arm.

Some events, the *external* test events, are set aside first. No model is trained on them, and every training of the
study predicts them. The other events are partitioned at random (five folds, several times) and into blocks of time. A
training uses all folds of a partition but one. Seeds determine the initial weights, the order of the events and the
station dropout.

The study has four parts. `crossed` is the crossed design. `learning` has trainings on fewer events. In `seeds`, one of
the three random influences varies and the others are fixed. `whole` is a smaller crossed design in which the whole
model is trained, starting from the arm's own twin, as in the comparison of models. It tests whether the results of the
study recipe hold for the whole recipe.

All trainings of the study recipe take the same number of steps, for each number of events. With the same number of
epochs, a small training set would give few steps, and the learning curve would show this effect.
"""

from dataclasses import replace

import numpy as np

from seisbook.catalogues import networks
from seisbook.measures import evaluation, splits
from seisbook.models.augmentation import TrainingConfig
from seisbook.models.ensembles import EnsembleLocator, Seeds
from seisbook.models.training import Locator
from seisbook.studies import recipes, runner
from seisbook.studies.fold import first_fold, first_fold_read
from seisbook.studies.pretraining import pretrain, pretrained

TRAINING = TrainingConfig(epochs=0, batch_size=16, learning_rate=3e-3, validation=0.0)  # the best values on the twin
STEPS = {"quick": 40, "paper": 500}
ARMS = ("dynamic", "static", "feature")
REPEATS = {"quick": 1, "paper": 3}  # of five random folds; one more partition is into five blocks of time
SEEDS = {"quick": 2, "paper": 5}
FEATURE_SEEDS = {"quick": 1, "paper": 1}  # seeds of the arm `feature`, which the claim does not concern
SIZES = {"quick": (40,), "paper": (50, 100, 200, 400)}
LEARNING = {"quick": 2, "paper": 8}  # partitions of each size
WHOLE = {"quick": (2, 2, 40), "paper": (5, 3, 400)}  # partitions, seeds, training events


def trials(network, source, profile) -> list[dict]:
    """All trainings, ordered by seed within each part, so that a study that is stopped early is a smaller study."""
    random = [("random", i) for i in range(5 * REPEATS[profile])]
    crossed = [
        {"part": "crossed", "arm": arm, "split": split, "partition": i, "seeds": [seed] * 3, "n_train": None}
        for seed in range(SEEDS[profile])
        for split, i in random + [("time", i) for i in range(5)]
        for arm in ARMS
        if arm != "feature" or seed < FEATURE_SEEDS[profile]
    ]
    learning = [
        {"part": "learning", "arm": arm, "split": "random", "partition": i, "seeds": [0] * 3, "n_train": n}
        for n in SIZES[profile]
        for i in range(LEARNING[profile])
        for arm in ARMS[:2]
    ]
    alone = [
        {"part": "seeds", "arm": arm, "split": "random", "partition": 0, "seeds": _one(i, seed), "n_train": None}
        for i in range(3)
        for seed in range(1, SEEDS[profile])
        for arm in ARMS[:2]
    ]
    partitions, seeds, n_train = WHOLE[profile]
    whole = [
        {"part": "whole", "arm": arm, "split": "random", "partition": i, "seeds": [seed] * 3, "n_train": n_train}
        for seed in range(seeds)
        for i in range(partitions)
        for arm in ARMS[:2]
    ]
    common = {"network": network, "source": source, "profile": profile}
    return [{**common, **trial} for trial in crossed + whole + learning + alone]


def _one(which, seed):
    """Three seeds, all zero except the one at position `which`."""
    return [seed if i == which else 0 for i in range(3)]


def run(trials, device="cpu") -> list[dict]:
    """Train the graph parts of all these trials in one pass, and predict the external events.

    Returns
    -------
    list of dict
        For each trial: `n_train`; `external`, the predictions (east, north, depth in km, magnitude) of the external
        test events; `scores` on these events and on the fold that the trial leaves out.
    """
    if trials[0]["part"] == "whole":
        return [_whole(**trial) for trial in trials]
    first = trials[0]
    fold = first_fold_read(first["network"], first["source"], first["profile"])
    events, external, rest = fold.events, fold.test, fold.train
    parts = [_part(events, rest, trial) for trial in trials]
    epochs = max(1, round(STEPS[first["profile"]] * TRAINING.batch_size / len(parts[0][0])))
    locator = EnsembleLocator(
        first["arm"],
        recipes.model_config(networks.load(first["network"])),
        replace(TRAINING, graph_epochs=epochs),
        tuple(Seeds(*trial["seeds"]) for trial in trials),
        device,
    )
    locator.fit(events, [train for train, _ in parts], progress=False)
    predictions = locator.predict(events, external)
    fold_predictions = [locator.predict(events, test) for _, test in parts]
    return [
        _result(events, external, _estimates(predictions, r), test, _estimates(fold_predictions[r], r), len(train))
        for r, (train, test) in enumerate(parts)
    ]


def _whole(network, source, profile, **trial):
    """Result of one training of the whole model, which starts from the arm's own twin."""
    twin, card = pretrained(network, trial["arm"], profile)
    fold = first_fold(network, source, profile)
    events, external, rest = fold.events, fold.test, fold.train
    train, test = _part(events, rest, trial)
    training = replace(recipes.PROFILES[profile].training, learning_rate=card.training.learning_rate / 2)
    locator = Locator(trial["arm"], twin.config, training, trial["seeds"][0], start_from=twin)
    locator.fit(events.select(train), progress=False)
    predictions = [_estimates(locator.predict(events, index)) for index in (external, test)]
    return _result(events, external, predictions[0], test, predictions[1], len(train))


def _estimates(predictions, replica=...):
    """East, north, depth and magnitude of all events (events, 4), as one replica of the ensemble predicts them."""
    columns = *predictions.epicentre[replica].unbind(-1), predictions.depth[replica], predictions.magnitude[replica]
    return np.column_stack([column.cpu().numpy() for column in columns])


def _part(events, rest, trial):
    """Positions of a trial's training events, and of the events of the fold that it leaves out."""
    if trial["split"] == "time":
        folds = splits.time_folds(events.origin_time[rest], 5)
    else:
        repeat = trial["partition"] // 5
        folds = splits.random_folds(len(rest), 5, random_state=1 + repeat)
    train, test = folds[trial["partition"] % 5]
    if trial["n_train"]:
        train = np.random.default_rng(trial["partition"]).permutation(train)[: trial["n_train"]]
    return rest[train], rest[test]


def _result(events, external, prediction, test, of_fold, n_train):
    return {
        "n_train": n_train,
        "external": [[float(f"{value:.5g}") for value in row] for row in prediction],
        "scores": {"external": _scores(prediction, events, external), "fold": _scores(of_fold, events, test)},
    }


def _scores(prediction, events, index):
    errors = evaluation.hypocentral_errors(prediction, events.y[index].numpy(), events.source_id[index])
    return {
        "epicentral_km": float(errors.epicentral_km.median()),
        "depth_km": float(errors.depth_km.abs().median()),
        "magnitude_rmse": float(np.sqrt((errors.magnitude**2).mean())),
    }


def group(trial):
    """Key of the batched pass that a trial belongs to.

    A pass holds trials of one arm with training sets of one size. Each trial of the whole model is its own pass.
    """
    if trial["part"] == "whole":
        return trial["arm"], trial["partition"], *trial["seeds"]
    fold = first_fold(trial["network"], trial["source"], trial["profile"])
    return trial["arm"], len(_part(fold.events, fold.train, trial)[0])


def config(trial) -> dict:
    """Configuration of a trial: the training, the number of steps and the recipe."""
    profile = trial["profile"]
    return {"training": TRAINING, "steps": STEPS[profile], "recipe": recipes.PROFILES[profile]}


def prepare(network, source, profile):
    """Train the dynamic and the static arm on the twin and let the stem read the events, before the workers start."""
    for arm in ARMS[:2]:
        pretrain(network, arm, profile, False)
    first_fold_read(network, source, profile)


def labels(network, source, profile):
    """Labels (events, 4) and names of the external test events, in the order of the predictions."""
    held = first_fold(network, source, profile).held
    return held.y.numpy(), held.source_id


STUDY = runner.Study("variance", trials, run, config, prepare, group, batch=4)
