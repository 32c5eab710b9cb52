"""The variance study: the same partitions and seeds for each arm, hundreds of times the study recipe.

A part of the events is set aside first and never trained on: the *external* test events, on which every training of the
study predicts. The others are partitioned, at random (several times five folds) and into blocks of time; a training
sees all folds of a partition but one. Seeds decide initial weights, order of the events and station dropout.

Three parts: the crossed design itself; `learning`, trainings on fewer events; and `seeds`, in which one of the three
random influences varies and the others stay.
"""

from functools import cache

import numpy as np

from seisbook import checkpoints, evaluation, experiments, networks, studies
from seisbook.ensembles import EnsembleLocator, Seeds
from seisbook.training import TrainingConfig

TRAINING = {
    "quick": TrainingConfig(graph_epochs=2, batch_size=16, learning_rate=2e-3, validation=0.0),
    "paper": TrainingConfig(graph_epochs=15, batch_size=32, learning_rate=2e-3, validation=0.0),
}
ARMS = ("dynamic", "static", "feature")
REPEATS = {"quick": 1, "paper": 3}  # of five random folds; one more partition is into five blocks of time
SEEDS = {"quick": 2, "paper": 5}
FEATURE_SEEDS = {"quick": 1, "paper": 2}  # of the arm that the claim is not about
SIZES = {"quick": (40,), "paper": (50, 100, 200, 400)}
LEARNING = {"quick": (2, 1), "paper": (5, 3)}  # partitions and seeds of each size
SIMULATED = {"quick": 150, "paper": 1000}


def trials(network, source, profile) -> list[dict]:
    """All trainings, in the order of the seeds, so that a study stopped early is a smaller study."""
    common = {"network": network, "source": source, "profile": profile}
    partitions = [("random", i) for i in range(5 * REPEATS[profile])] + [("time", i) for i in range(5)]
    crossed = [
        {**common, "part": "crossed", "arm": arm, "split": split, "partition": i, "seeds": [seed] * 3, "n_train": None}
        for seed in range(SEEDS[profile])
        for split, i in partitions
        for arm in ARMS
        if arm != "feature" or seed < FEATURE_SEEDS[profile]
    ]
    folds, seeds = LEARNING[profile]
    learning = [
        {**common, "part": "learning", "arm": arm, "split": "random", "partition": i, "seeds": [seed] * 3, "n_train": n}
        for seed in range(seeds)
        for n in SIZES[profile]
        for i in range(folds)
        for arm in ARMS[:2]
    ]
    alone = [
        {
            **common,
            "part": "seeds",
            "arm": arm,
            "split": "random",
            "partition": 0,
            "seeds": _one(which, seed),
            "n_train": None,
        }
        for which in range(3)
        for seed in range(1, SEEDS[profile])
        for arm in ARMS[:2]
    ]
    return crossed + learning + alone


def _one(which, seed):
    """Seeds of which one is not zero."""
    return [seed if i == which else 0 for i in range(3)]


def run(trials, device="cpu") -> list[dict]:
    """Train the graph parts of all these trials in one pass, and predict the external events.

    Returns
    -------
    list of dict
        Of each trial: `n_train`; `external`, the predictions (east, north, depth in km, magnitude) of the external test
        events; `scores` on them and on the trial's own fold.
    """
    first = trials[0]
    network = networks.load(first["network"])
    events, external, rest = _events(first["network"], first["source"], first["profile"])
    parts = [_part(events, rest, trial) for trial in trials]
    locator = EnsembleLocator(
        first["arm"],
        experiments.model_config(network),
        TRAINING[first["profile"]],
        tuple(Seeds(*trial["seeds"]) for trial in trials),
        device,
    )
    locator.fit(events, [train for train, _ in parts], progress=False)
    predictions = locator.predict(events, external)
    return [_result(locator, events, external, _replica(predictions, r), *part, r) for r, part in enumerate(parts)]


def _replica(predictions, r):
    """East, north, depth and magnitude of all events by one replica: (events, 4)."""
    columns = (*predictions.epicentre[r].unbind(-1), predictions.depth[r], predictions.magnitude[r])
    return np.column_stack([column.cpu().numpy() for column in columns])


def _part(events, rest, trial):
    """The events of one trial: those trained on, and those of the fold left out."""
    if trial["split"] == "time":
        folds = evaluation.time_folds(events.origin_time[rest], 5)
    else:
        repeat = trial["partition"] // 5
        folds = evaluation.random_folds(len(rest), 5, random_state=1 + repeat)
    train, test = folds[trial["partition"] % 5]
    if trial["n_train"]:
        train = np.random.default_rng(trial["partition"]).permutation(train)[: trial["n_train"]]
    return rest[train], rest[test]


def _result(locator, events, external, prediction, train, test, r):
    of_fold = _replica(locator.predict(events, test), r)
    return {
        "n_train": len(train),
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
    """Trials of one batched pass: one arm, with training sets of one size."""
    events, _, rest = _events(trial["network"], trial["source"], trial["profile"])
    return trial["arm"], len(_part(events, rest, trial)[0])


def recipe(trial) -> dict:
    """What a trial's result follows from."""
    code = checkpoints.code_of("ensembles", "variance_study")
    profile = experiments.PROFILES[trial["profile"]]
    return checkpoints.recipe(trial["arm"], trial["network"], profile, TRAINING[trial["profile"]], code, trial)


def prepare(network, source, profile):
    """Train the twin's stem and let it read the events, once for all."""
    _events(network, source, profile)


@cache
def _events(network, source, profile):
    """The events as the twin's stem reads them, the external test events, and the others."""
    twin, _ = checkpoints.load(experiments.pretrain(network, "dynamic", profile, False))
    size, seed = (SIMULATED[profile], 3) if source == "simulated" else (None, 0)
    events = experiments.load_events(networks.load(network), source, size, seed, False).read_by(twin)
    rest, external = experiments.folds(events.source_id, events.origin_time, "random")[0]
    return events, external, rest


def labels(network, source, profile):
    """Labels (events, 4) and names of the external test events, in the order of the predictions."""
    events, external, _ = _events(network, source, profile)
    return events.y[external].numpy(), events.source_id[external]


STUDY = studies.Study("variance", trials, run, group, recipe, prepare, batch=8)
