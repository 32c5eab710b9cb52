"""The imbalance study: what becomes of large events when the training set holds few of them, and what helps.

The largest tenth of the training events is thinned out; all test events stay. The study recipe is trained on what is
left: the graph part on the stem that the network's twin has trained (the twin has large events too). A *remedy* that
people use is to draw training events so that all magnitudes are equally frequent.

The rule was written before the study was run: claim C7 holds if the magnitude's RMSE of the largest tenth of the test
events stays below the paper's 0.15 even if one in five of the large training events is left, see `verdict`.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from seisbook import checkpoints, experiments, networks, studies
from seisbook.ensembles import EnsembleLocator
from seisbook.statistics import Estimate, below, bootstrap_ci
from seisbook.variance_study import STEPS, TRAINING

SHARE = 0.1  # of the events, the largest, which are thinned out
KEPT = {"quick": (1.0, 0.0), "paper": (1.0, 0.5, 0.2, 0.1, 0.0)}
SEEDS = {"quick": 1, "paper": 2}
REMEDIES = ("none", "balanced")
BIN = 0.5  # magnitude units; bins are made equally frequent
JUDGED = 0.2  # share of the large events that is left in the claim's test
SIMULATED = {"quick": 150, "paper": 1000}


def trials(network, source, profile) -> list[dict]:
    """Each share of large events that is kept, with and without the remedy; none can be drawn where none are left."""
    common = {"network": network, "source": source, "profile": profile}
    arms = [(kept, remedy) for kept in KEPT[profile] for remedy in REMEDIES if kept or remedy == "none"]
    return [{**common, "kept": kept, "remedy": how, "seed": i} for i in range(SEEDS[profile]) for kept, how in arms]


def run(trials) -> list[dict]:
    """Train each trial, alone: the number of training events, and the errors of all test events."""
    return [_trained(**trial) for trial in trials]


def recipe(trial) -> dict:
    """What a trial's result follows from."""
    parts = checkpoints.code_of_parts(_trained, _training_set, _balanced, _events)
    code = {**checkpoints.code_of("ensembles"), "imbalance": parts}
    profile = experiments.PROFILES[trial["profile"]]
    return checkpoints.recipe("dynamic", trial["network"], profile, TRAINING, STEPS[trial["profile"]], code, trial)


def prepare(network, source, profile):
    """Let the twin's stem read the events, once for all."""
    _events(network, source, profile)


def _trained(network, source, profile, kept, remedy, seed):
    events, train, test = _events(network, source, profile)
    limit = np.nanquantile(events.y[train, 3].numpy(), 1 - SHARE)
    subset, n_large = _training_set(events.y[:, 3].numpy(), train, limit, kept, remedy, seed)
    epochs = max(1, round(STEPS[profile] * TRAINING.batch_size / len(subset)))
    config = experiments.model_config(networks.load(network))
    locator = EnsembleLocator("dynamic", config, replace(TRAINING, graph_epochs=epochs), (seed,))
    predicted = locator.fit(events, [subset], progress=False).predict(events, test)
    label = events.y[test].numpy()
    error = predicted.magnitude[0].numpy() - label[:, 3]
    epicentral = np.hypot(*(predicted.epicentre[0].numpy() - label[:, :2]).T)
    sized = np.isfinite(error)
    return {
        "n_train": len(subset),
        "n_large": n_large,
        "large": (label[sized, 3] > limit).tolist(),
        "magnitude": [float(f"{value:.4g}") for value in error[sized]],
        "epicentral_km": [float(f"{value:.4g}") for value in epicentral[sized]],
    }


def _training_set(magnitude, train, limit, kept, remedy, seed):
    """Positions of the training events, and how many large ones there are among them before any remedy."""
    rng = np.random.default_rng(seed)
    is_large = magnitude[train] > limit
    large = rng.permutation(train[is_large])[: round(kept * is_large.sum())]
    subset = np.sort(np.concatenate([train[~is_large], large]))
    return (_balanced(magnitude, subset, rng) if remedy == "balanced" else subset), len(large)


def _balanced(magnitude, subset, rng):
    """As many events, drawn with replacement so that all bins of magnitude are equally frequent."""
    bins = np.floor(np.nan_to_num(magnitude[subset], nan=np.nanmedian(magnitude[subset])) / BIN)
    _, which, count = np.unique(bins, return_inverse=True, return_counts=True)
    weight = 1 / count[which]
    return rng.choice(subset, len(subset), p=weight / weight.sum())


@cache
def _events(network, source, profile):
    """The events as the twin's stem reads them, and the training and test part of the first random fold."""
    twin, _ = checkpoints.load(experiments.pretrain(network, "dynamic", profile, False))
    size, seed = (SIMULATED[profile], 3) if source == "simulated" else (None, 0)
    events = experiments.load_events(networks.load(network), source, size, seed, False).read_by(twin)
    return events, *experiments.folds(events.source_id, events.origin_time, "random")[0]


STUDY = studies.Study("imbalance", trials, run, recipe, prepare)


# ------------------------------------------------------------------------------------------------------------- analysis


def tabulate(records) -> pd.DataFrame:
    """Magnitude errors by share kept, remedy and size of the test events, seeds together.

    Parameters
    ----------
    records : list of dict
        Of `seisbook.studies.load`.

    Returns
    -------
    DataFrame
        `network`, `kept`, `remedy`, `events` ("largest tenth" or "others"), `n_large` (training events), and `bias` and
        `rmse`, each an `Estimate` with its interval over test events.
    """
    grouped = {}
    for one in records:
        trial = one["trial"]
        grouped.setdefault((trial["network"], trial["kept"], trial["remedy"]), []).append(one["result"])
    rows = []
    for (network, kept, remedy), results in grouped.items():
        errors, large = np.array([one["magnitude"] for one in results]), np.array(results[0]["large"])
        for name, chosen in (("largest tenth", large), ("others", ~large)):
            square = bootstrap_ci((errors[:, chosen] ** 2).mean(0), np.mean)
            row = {"network": network, "kept": kept, "remedy": remedy, "events": name}
            row |= {"n_large": results[0]["n_large"], "bias": bootstrap_ci(errors[:, chosen].mean(0), np.mean)}
            rows.append({**row, "rmse": Estimate(*(float(np.sqrt(one)) for one in square))})
    return pd.DataFrame(rows)


def verdict(records, threshold) -> dict:
    """C7: the magnitude's RMSE of the largest tenth where one in five large training events is left.

    Returns
    -------
    dict
        `value`, `low`, `high`, `n_runs`, `verdict`.
    """
    table = tabulate(records).set_index(["kept", "remedy", "events"])
    found = table.loc[(JUDGED, "none", "largest tenth"), "rmse"]
    runs = sum((one["trial"]["kept"], one["trial"]["remedy"]) == (JUDGED, "none") for one in records)
    return {**found._asdict(), "n_runs": runs, "verdict": below(found.low, found.high, threshold)}
