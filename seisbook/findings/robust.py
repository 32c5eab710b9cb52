"""What the study of the robust model says: each arm on the same events, and what is left of its accuracy under trouble.

Arms are compared with the paper's own model, the runs of `dynamic`, and with the classical pipeline on an analyst's
picks, event by event on the same folds.
"""

import numpy as np
import pandas as pd

from seisbook.findings.robustness import stability
from seisbook.measures.estimates import Estimate, estimate, resampled
from seisbook.studies.arms import ROBUST_ARM

ARM_TITLES = {
    "robust": "robust model: dynamic graph, travel times",
    "static graph": "static graph",
    "feature-space graph": "graph in feature space",
    "no edges": "no edges",
    "attention": "attention in place of the graph",
    "no travel times": "the paper's graph part, robust stem",
    "attention without travel times": "attention, robust stem",
    "no trouble in training": "trained without trouble",
}
AXES = ("band_pass", "joint_shift", "independent_shift")
"""Axes that have informative severities."""
COVERED = 0.9


# ---------------------------------------------------------------------------------------------------------- one network


def errors_of(records, arm=ROBUST_ARM, split="random", fold=None, seed=0, axis="none", severity=None) -> pd.DataFrame:
    """Errors of an arm's test events, those of several folds one after the other.

    Parameters
    ----------
    records : list of dict
        Of `seisbook.studies.runner.load`.
    arm, split : str
    fold : int, optional
        One fold; all if not given.
    seed : int
    axis, severity
        Of a perturbation.
    """
    wanted = {"arm": arm, "split": split, "seed": seed, "axis": axis, "severity": severity}
    wanted |= {} if fold is None else {"fold": fold}
    tables = [
        pd.DataFrame(record["result"]).assign(fold=record["trial"]["fold"])
        for record in records
        if all(record["trial"][name] == value for name, value in wanted.items())
    ]
    return pd.concat(tables, ignore_index=True)


def as_robustness(records, robustness_records) -> list[dict]:
    """The perturbed trials of the robust arm beside those of `seisbook.studies.robustness`, as that study has them.

    Both studies test the same events in the same order, so that every function of `seisbook.findings.robustness` can be
    asked about `robust`, too.
    """
    ours = {_place(r["trial"]): r["result"] for r in records if _is_perturbed(r["trial"])}
    return [{**r, "result": {**r["result"], ROBUST_ARM: ours[_place(r["trial"])]}} for r in robustness_records]


def _place(trial):
    return trial["axis"], trial["severity"]


def _is_perturbed(trial):
    first = trial["arm"], trial["split"], trial["fold"], trial["seed"]
    return first == (ROBUST_ARM, "random", 0, 0)


def informative(records) -> dict[str, tuple]:
    """Informative severities by axis, see `seisbook.measures.informative`."""
    found = {axis: [] for axis in AXES}
    for record in records:
        trial = record["trial"]
        if trial["arm"] == "data" and record["result"]["informative"]:
            found[trial["axis"]].append(trial["severity"])
    return {axis: tuple(severities) for axis, severities in found.items()}


def stable(joined, chosen, model, axis) -> dict:
    """Stability of a model at the informative severities of an axis, see `seisbook.findings.robustness.stability`.

    Parameters
    ----------
    joined : list of dict
        Of `as_robustness`.
    chosen : dict
        Of `informative`.
    model, axis : str
    """
    kept = [
        r
        for r in joined
        if r["trial"]["axis"] == "none" or r["trial"]["severity"] in chosen.get(r["trial"]["axis"], ())
    ]
    return stability(kept, model, (axis,))


# -------------------------------------------------------------------------------------------------------------- tables


def clean(records, runs) -> pd.DataFrame:
    """Each arm on unperturbed events: medians over all folds that it has, and ratios to others on the same events.

    Parameters
    ----------
    records : list of dict
        Of one network.
    runs : callable
        Function of a model, a split and a fold that returns the run's record, see `seisbook.findings.comparison`.

    Returns
    -------
    DataFrame
        A row for each arm and split: number of `folds` and `events`; `epicentral_km`, `depth_km`, `magnitude_rmse`;
        `over_paper` and `over_classical`, ratios of median epicentral errors, paired (`Estimate` all of them);
        `covered`, the share of labels in the ellipses that should hold 90 %.
    """
    from seisbook.measures.calibration import ellipse_radius

    rows = []
    arms = dict.fromkeys((r["trial"]["arm"], r["trial"]["split"]) for r in records if r["trial"]["arm"] != "data")
    for arm, split in arms:
        errors = errors_of(records, arm, split)
        folds = sorted(set(errors.fold))
        others = {model: _of_runs(runs, model, split, folds) for model in ("dynamic", "classical")}
        rows.append(
            {
                **{"arm": arm, "split": split, "folds": len(folds), "events": len(errors)},
                "epicentral_km": _ratio(errors.epicentral_km),
                "depth_km": _ratio(errors.depth_km.abs()),
                "magnitude_rmse": _rmse(errors.magnitude),
                **{f"over_{name}": _ratio(errors.epicentral_km, others[of]) for name, of in PAIRED.items()},
                "covered": float((errors.mahalanobis <= ellipse_radius(COVERED)).mean()),
            }
        )
    return pd.DataFrame(rows)


PAIRED = {"paper": "dynamic", "classical": "classical"}


def _of_runs(runs, model, split, folds):
    return np.concatenate([runs(model, split, fold)["errors"]["epicentral_km"] for fold in folds])


def _ratio(errors, before=None) -> Estimate:
    """Median of errors, or its ratio to that of others of the same events, with its interval over events."""
    if before is None:
        (found,) = resampled([np.asarray(errors)])
        return estimate(found)
    after, of_others = resampled([np.asarray(errors), np.asarray(before)])
    return estimate(after / of_others)


def _rmse(errors) -> Estimate:
    (squared,) = resampled([np.square(errors.dropna().to_numpy())], np.mean)
    return estimate(np.sqrt(squared))
