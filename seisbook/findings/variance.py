"""The record of the variance study: what its hundreds of trainings say, as the chapter and the claims quote it.

What needs the labels of the real test events is summed up here, once, so that a reader without the bulletins sees the
same figures and no event's row is in the record.
"""

import numpy as np
import pandas as pd

from seisbook.catalogues import networks
from seisbook.findings import summaries
from seisbook.findings.quotations import printed, quoting
from seisbook.measures import learning_curves, variance, variance_ratio
from seisbook.measures.estimates import RESAMPLES, Estimate, resampled
from seisbook.studies import runner

NAME = "variance"
WHERE = ("bulletin", "paper")
QUANTITIES = {"epicentre": [0, 1], "depth": [2], "magnitude": [3]}  # columns of a prediction
SCORES = ("epicentral_km", "depth_km", "magnitude_rmse")
INFLUENCES = ("initial weights", "order of the events", "station dropout")
WORST = 0.1  # share of the events, those with the largest error, that the budget leaves out


def tabulate(trials) -> pd.DataFrame:
    """One row per training: what it was, its scores on the external events, and on its own fold as `fold_...`.

    Parameters
    ----------
    trials : list of dict
        Of `seisbook.studies.runner.load`.
    """
    rows = []
    for record in trials:
        kept = {name: record["trial"][name] for name in ("part", "arm", "split", "partition")}
        seeds = dict(zip(("seed", "order", "dropout"), record["trial"]["seeds"], strict=True))
        scores = record["result"]["scores"]
        own = {f"fold_{name}": value for name, value in scores["fold"].items()}
        rows.append({**kept, **seeds, "n_train": record["result"]["n_train"], **scores["external"], **own})
    return pd.DataFrame(rows)


def small_design(network, source, seeds=(0, 1)) -> list[dict]:
    """The study in small, done here and now: both arms on five random partitions, with the quick profile's trainings.

    Parameters
    ----------
    network, source : str
    seeds : sequence of int

    Returns
    -------
    list of dict
        `trial` and `result`, as of `seisbook.studies.runner.load`.
    """
    from seisbook.studies import variance as variance_study  # loads PyTorch, which reading the record does without

    crossed = [trial for trial in variance_study.trials(network, source, "quick") if trial["part"] == "crossed"]
    kept = [trial for trial in crossed if trial["split"] == "random" and trial["seeds"] == [0] * 3]
    done = []
    for arm in ("dynamic", "static"):
        trials = [{**trial, "seeds": [seed] * 3} for seed in seeds for trial in kept if trial["arm"] == arm]
        results = variance_study.run(trials)
        done += [{"trial": trial, "result": result} for trial, result in zip(trials, results, strict=True)]
    return done


def predictions(trials, arm, part="crossed", split="random") -> np.ndarray:
    """Predictions of the external events by the trainings of one arm: (events, partitions, seeds, 4)."""
    wanted = {"arm": arm, "part": part, "split": split}
    chosen = {
        (record["trial"]["partition"], record["trial"]["seeds"][0]): record["result"]["external"]
        for record in trials
        if wanted.items() <= record["trial"].items()
    }
    partitions, seeds = (sorted(set(column)) for column in zip(*chosen, strict=True))
    return np.array([[chosen[i, seed] for seed in seeds] for i in partitions]).transpose(2, 0, 1, 3)


def compute(progress=True) -> dict:
    """What the complete studies of both networks say, held against the real labels.

    Raises
    ------
    UserError
        If a study is not complete, or the bulletins cannot be had.
    """
    from seisbook.studies import variance as variance_study  # loads PyTorch, which reading the record does without

    trials = {name: runner.load(variance_study.STUDY, name, *WHERE) for name in networks.NETWORKS}
    labels = {name: variance_study.labels(name, *WHERE)[0] for name in networks.NETWORKS}
    return {"networks": {name: analyse(of_network, labels[name]) for name, of_network in trials.items()}}


def load() -> dict:
    """Read the record, see `seisbook.provenance.load`."""
    return summaries.load(NAME)


def analyse(trials, labels) -> dict:
    """All that the chapter says of one network.

    Parameters
    ----------
    trials : list of dict
        Of `seisbook.studies.runner.load`.
    labels : array_like, shape (events, 4)
        Of the external events.

    Returns
    -------
    dict
        `runs` (of `tabulate`), `ratios`, `components` of the scores, `budget` (mean squared errors and their parts),
        `tests` between the arms, `events` (data-induced variance of each external event's epicentre, without its
        name), `detectable` (the least reduction that the study would have found), `few` (error of the whole recipe
        trained on few events).
    """
    runs = tabulate(trials)
    ours, static = (predictions(trials, arm)[..., QUANTITIES["epicentre"]] for arm in ("dynamic", "static"))
    data = {
        arm: variance.event_components(y).data.map("{:.4g}".format).astype(float).tolist()
        for arm, y in (("dynamic", ours), ("static", static))
    }
    return {
        "n_external": len(labels),
        "runs": runs.to_dict("list"),
        "ratios": _ratios(trials),
        "components": _components(runs),
        "budget": _budget(trials, labels),
        "tests": _tests(runs),
        "events": data,
        "detectable": variance_ratio.minimum_detectable_ratio(variance_ratio.design(ours, static)),
        "few": _few(predictions(trials, "dynamic", "whole"), labels),
    }


def _ratios(trials):
    """C3: the study recipe on random partitions first, then what stands beside it."""
    designs = [("study", "random", "mean"), ("study", "random", "median")]
    designs += [("study", "time", "mean"), ("whole", "random", "mean")]
    rows = []
    for recipe, split, statistic in designs:
        part = "crossed" if recipe == "study" else "whole"
        arms = [predictions(trials, arm, part, split) for arm in ("dynamic", "static")]
        for quantity, columns in QUANTITIES.items():
            ratio = variance_ratio.ratio(*(y[..., columns] for y in arms), statistic, n=RESAMPLES)
            row = {"recipe": recipe, "split": split, "statistic": statistic, "quantity": quantity}
            runs = 2 * arms[0].shape[1] * arms[0].shape[2]
            rows.append({**row, **ratio._asdict(), "verdict": ratio.verdict, "n_runs": runs})
    return rows


def _crossed(runs, split="random"):
    return runs[(runs.part == "crossed") & (runs.split == split)]


def _components(runs):
    """Variance components of the scores on the external events."""
    rows = []
    for arm, of_arm in _crossed(runs).groupby("arm"):
        if of_arm.seed.nunique() < 2:
            continue
        for score in SCORES:
            table = variance.anova_components(of_arm, score).table()
            rows += [{"arm": arm, "score": score, **row} for row in table.reset_index().to_dict("records")]
    return rows


def _budget(trials, labels):
    """Mean squared error and what it is made of, by arm and quantity, of the external events but for the worst tenth.

    A few events far from all stations make up nearly all of the mean over all of them.
    """
    rows = []
    for arm in ("dynamic", "static"):
        y = predictions(trials, arm)
        for quantity, columns in QUANTITIES.items():
            parts = variance.decompose_error(y[..., columns], np.asarray(labels)[:, columns])
            kept = parts[parts.squared_error <= parts.squared_error.quantile(1 - WORST)]
            rows.append({"arm": arm, "quantity": quantity, **kept.mean().to_dict()})
    return rows


def _tests(runs):
    """Dynamic against static in accuracy, on the external events: paired by partition, seeds averaged."""
    both = _crossed(runs)[lambda table: table.arm.isin(["dynamic", "static"])]
    n_train = int(both.n_train.iloc[0])
    pool = n_train / 4 * 5
    tests = {score: variance.compare_scores(both, n_train=n_train, pool=pool, column=score) for score in SCORES}
    return [{"score": score, **test._asdict()} for score, test in tests.items()]


def _few(y, labels, random_state=0):
    """Median epicentral error of trainings on few events, with an interval over events and partitions."""
    from seisbook.studies import variance as variance_study  # loads PyTorch, which reading the record does without

    error = np.hypot(*(y - np.asarray(labels)[:, None, None]).transpose(3, 0, 1, 2)[:2])  # (events, partitions, seeds)
    rng = np.random.default_rng(random_state)
    medians = resampled(error.transpose(1, 2, 0), n=RESAMPLES, random_state=rng)  # (partitions, seeds, 1 + resamples)
    partitions = len(medians)
    drawn = np.vstack([np.arange(partitions), rng.integers(partitions, size=(RESAMPLES, partitions))])
    of_resamples = np.moveaxis(medians, -1, 0)[np.arange(1 + RESAMPLES)[:, None], drawn]
    value, *replicates = of_resamples.reshape(1 + RESAMPLES, -1).mean(1)
    low, high = variance.ends(np.array(replicates), partitions)
    return Estimate(float(value), low, high)._asdict() | {
        "n_train": variance_study.WHOLE["paper"][2],
        "n_runs": int(np.prod(error.shape[1:])),
    }


def single_influence(runs) -> pd.DataFrame:
    """Standard deviation of the scores over seeds when only one of the random influences varies, by arm."""
    first = runs[(runs.part == "crossed") & (runs.split == "random") & (runs.partition == 0) & (runs.seed == 0)]
    alone = runs[runs.part == "seeds"]
    rows = {}
    for name, column in zip(INFLUENCES, ("seed", "order", "dropout"), strict=True):
        varied = pd.concat([first[first.arm.isin(alone.arm)], alone[alone[column] != 0]])
        rows[name] = varied.groupby("arm")[list(SCORES)].std().stack()
    return pd.DataFrame(rows).T.rename_axis(columns=["arm", "score"])


def curves(runs) -> dict:
    """Learning curve of each arm's median epicentral error on the external events, of the study recipe."""
    learning = runs[runs.part == "learning"]
    full = _crossed(runs)[lambda table: (table.seed == 0) & table.partition.isin(learning.partition)]
    full = full[full.arm.isin(learning.arm)]
    both = pd.concat([learning, full.assign(n_train=full.n_train.min())])  # folds of a partition differ by an event
    return {
        arm: learning_curves.fit_learning_curve(rows.n_train, rows.epicentral_km, rows.partition)
        for arm, rows in both.groupby("arm")
    }


@quoting
def quoted(content):
    """What the prose quotes: from a name such as `colombia-epicentre-ratio` to the text that stands there."""
    for name, network in content["networks"].items():
        yield from _quoted_scores(name, network)
        yield (name, "few"), network["few"]
        yield (name, "few-train"), network["few"]["n_train"], ","
        for row in network["ratios"]:
            if row["statistic"] == "mean":
                key = name, row["quantity"], row["recipe"], row["split"]
                yield (*key, "ratio"), row
                yield (*key, "verdict"), row["verdict"], "s"
        for row in network["budget"]:
            key, percent = (name, row["arm"], row["quantity"]), 100 / row["squared_error"]
            yield (*key, "share"), max(row["data"], 0) * percent, ".0f"
            yield (*key, "luck"), (max(row["seed"], 0) + max(row["residual"], 0)) * percent, ".0f"
        for row in network["tests"]:
            yield (name, row["score"], "difference"), [row["mean"], row["low"], row["high"]], ".3f"


def _quoted_scores(name, network):
    """What the dynamic model's scores on its folds and on the external events are, and how they scatter."""
    runs = pd.DataFrame(network["runs"])
    ours = _crossed(runs)[lambda table: table.arm == "dynamic"]
    means = ours.groupby("partition")[["epicentral_km", "fold_epicentral_km"]].mean()
    yield (name, "runs"), len(runs), ","
    yield (name, "external"), network["n_external"], ","
    yield (name, "train"), ours.n_train.iloc[0], ","
    yield (name, "detectable"), network["detectable"]
    yield (name, "best"), ours.fold_epicentral_km.min()
    yield (name, "worst"), ours.fold_epicentral_km.max()
    yield (name, "fold-sd"), means.fold_epicentral_km.std()
    yield (name, "external-sd"), means.epicentral_km.std()


def events_needed(content, experts) -> pd.DataFrame:
    """Training events with which the study recipe's learning curve would reach the experts' line, by network and arm.

    Parameters
    ----------
    content : dict
        Of `load`.
    experts : dict of str to ExpertLine
        By network.
    """
    rows = {}
    for name, network in content["networks"].items():
        level = experts[name].epicentre_km.value
        for arm, curve in curves(pd.DataFrame(network["runs"])).items():
            rows[name, arm] = {"line (km)": (level,), "events": str(curve.events_needed(level))}
    return printed(rows)
