"""What the study of the robust model says: each arm on the same events, and what trouble leaves of their accuracy.

Arms are compared with the paper's own model, the runs of `dynamic`, and with the classical pipeline on an analyst's
picks, event by event on the same folds.
"""

import numpy as np
import pandas as pd

from seisbook.errors import DataError, UserError
from seisbook.findings import results
from seisbook.findings.quotations import quoting
from seisbook.findings.robustness import DOUBLED, stability
from seisbook.measures.calibration import ellipse_radius
from seisbook.measures.estimates import Estimate, below, estimate, resampled

MAIN = "robust"  # the arm of `seisbook.studies.robust` that is the robust model itself
PAPER = "dynamic"
TITLES = {PAPER: "the paper's model", MAIN: "robust model", "classical": "classical, picking by itself"}
ARM_TITLES = {
    MAIN: "robust model",
    "static graph": "static graph",
    "feature-space graph": "graph in feature space",
    "no edges": "no edges",
    "attention": "attention for the graph",
    "no travel times": "no travel times (the paper's graph part)",
    "attention without travel times": "attention, no travel times",
    "no trouble in training": "no trouble in training",
}
INFORMATIVE = ("band_pass", "joint_shift", "independent_shift")
"""Axes that have informative severities, see `seisbook.measures.informative`."""
PAPER_GROWTH = 1.2  # the paper's 20 per cent
COVERED = 0.9
SPLITS = {"random": "random folds", "time": "blocks of time"}


# ------------------------------------------------------------------------------------------------------- the records


def runs_of(network):
    """Function of a model, a split and a fold that returns the record of the run, see `seisbook.studies.runs`.

    It raises a `UserError` if there is no current one.
    """
    runs = results.current_runs()

    def run(model, split, fold):
        name = f"{network}-{model}-{split}-{fold}"
        if name not in runs:
            raise UserError(f"{name}: no current record of this run: `seisbook results --check` says what renews it")
        return runs[name]

    return run


def errors_of(records, arm=MAIN, split="random", fold=None, seed=0, axis="none", severity=None) -> pd.DataFrame:
    """Errors of an arm's test events, of several folds one after the other; the column `fold` tells them apart.

    Parameters
    ----------
    records : list of dict
        Of `seisbook.studies.runner.load`, of one network.
    arm, split : str
    fold : int, optional
        One fold; all if not given.
    seed : int
    axis, severity
        Of a perturbation.
    """
    wanted = {"arm": arm, "split": split, "seed": seed, "axis": axis, "severity": severity}
    wanted |= {} if fold is None else {"fold": fold}
    chosen = [record for record in records if wanted.items() <= record["trial"].items()]
    return pd.concat([pd.DataFrame(r["result"]).assign(fold=r["trial"]["fold"]) for r in chosen], ignore_index=True)


def joined(records, others) -> list[dict]:
    """Trials of `seisbook.studies.robustness` with the robust model beside the models that they have.

    Both studies test the same events in the same order, so that all functions of `seisbook.findings.robustness` can be
    asked about `robust`, too.

    Raises
    ------
    DataError
        If they are not of the same perturbations and events.
    """
    ours = {_place(record["trial"]): record["result"] for record in records if _is_first(record["trial"], MAIN)}
    made = []
    for record in others:
        mine = ours.get(_place(record["trial"]))
        if mine is None or len(mine["epicentral_km"]) != len(record["result"][PAPER]["epicentral_km"]):
            raise DataError(f"robust: not of the events of the study robustness: {record['trial']}: run both again")
        made.append({**record, "result": {**record["result"], MAIN: mine}})
    return made


def _place(trial):
    return trial["axis"], trial["severity"]


def _is_first(trial, arm):
    return tuple(trial[name] for name in ("arm", "split", "fold", "seed")) == (arm, "random", 0, 0)


def informative(known) -> dict[str, tuple]:
    """Informative severities by axis.

    Parameters
    ----------
    known : list of dict
        Of the study `informative`, of one network.
    """
    found = {axis: [] for axis in INFORMATIVE}
    for record in known:
        if record["result"]["informative"]:
            found[record["trial"]["axis"]].append(record["trial"]["severity"])
    return {axis: tuple(severities) for axis, severities in found.items()}


# -------------------------------------------------------------------------------------------------- unperturbed events


def clean(records, run_of) -> pd.DataFrame:
    """Each arm on unperturbed events.

    Parameters
    ----------
    records : list of dict
        Of one network.
    run_of : callable
        Of `runs_of`.

    Returns
    -------
    DataFrame
        A row for each arm and split: `network`, number of `folds`, of `seeds` and of `events`; `epicentral_km`,
        `depth_km` and `magnitude_rmse`; `over_paper` and `over_classical`, ratios of median epicentral errors on the
        same events (all `Estimate`, over events); `seeds_km`, the least and the largest median of the first fold over
        seeds; `covered`, the share of labels in the ellipses that should hold 90 per cent.
    """
    trained = [record["trial"] for record in records]
    rows = []
    tested = {(trial["arm"], trial["split"]) for trial in trained}
    for arm, split in ((arm, split) for arm in ARM_TITLES for split in SPLITS if (arm, split) in tested):
        errors = errors_of(records, arm, split)
        folds = sorted(set(errors.fold))
        seeds = sorted({trial["seed"] for trial in trained if (trial["arm"], trial["split"]) == (arm, split)})
        medians = [errors_of(records, arm, split, folds[0], seed).epicentral_km.median() for seed in seeds]
        paper, classical = _of_runs(run_of, split, folds)
        rows.append(
            {
                **{"network": trained[0]["network"], "arm": arm, "split": split},
                **{"folds": len(folds), "seeds": len(seeds), "events": len(errors)},
                "epicentral_km": median(errors.epicentral_km),
                "depth_km": median(errors.depth_km.abs()),
                "magnitude_rmse": rmse(errors.magnitude),
                "over_paper": ratio(errors.epicentral_km, paper),
                "over_classical": ratio(errors.epicentral_km, classical),
                "seeds_km": (min(medians), max(medians)),
                "covered": covered(errors.mahalanobis),
            }
        )
    return pd.DataFrame(rows)


def _of_runs(run_of, split, folds):
    """Epicentral errors of the paper's model and of the classical pipeline, in the order of the paper's model's."""
    found = {PAPER: [], "classical": []}
    for fold in folds:
        order = run_of(PAPER, split, fold)["errors"]["source_id"]
        for model, errors in found.items():
            table = pd.DataFrame(run_of(model, split, fold)["errors"]).set_index("source_id")
            errors.append(table.epicentral_km.loc[order].to_numpy())
    return [np.concatenate(errors) for errors in found.values()]


def median(values) -> Estimate:
    """Median of errors with its interval over events."""
    return estimate(resampled(np.asarray(values)))


def ratio(ours, theirs) -> Estimate:
    """Median of errors over that of others of the same events, with its interval over events."""
    over, under = resampled([np.asarray(ours), np.asarray(theirs)])
    return estimate(over / under)


def covered(distances) -> float:
    """Share of labels, by their Mahalanobis distances, in the ellipses that should hold 90 per cent."""
    return float((np.asarray(distances) <= ellipse_radius(COVERED)).mean())


def rmse(errors) -> Estimate:
    """Root of the mean square of errors, those that are known, with its interval over events."""
    return estimate(np.sqrt(resampled(np.square(errors.dropna().to_numpy()), np.mean)))


def table(summaries) -> pd.DataFrame:
    """The table of `clean` as a page prints it; the ratio to the paper's model is left to the figure."""
    rows = []
    for row in summaries.itertuples():
        least, most = row.seeds_km
        folds = f", {row.folds} {SPLITS[row.split]}" if row.folds > 1 else ""
        rows.append(
            {
                "network": row.network.capitalize(),
                "model": ARM_TITLES[row.arm] + folds,
                "epicentre (km)": f"{row.epicentral_km:.2f}",
                "seeds (km)": f"{least:.2f} to {most:.2f}" if row.seeds > 1 else "",
                "over the classical": f"{row.over_classical:.2f}",
                "magnitude RMSE": f"{row.magnitude_rmse.value:.3f}",
                "in the 90 % ellipse": f"{100 * row.covered:.0f} %",
            }
        )
    return pd.DataFrame(rows).set_index(["network", "model"])


# ------------------------------------------------------------------------------------------------------ under trouble


def under_trouble(records, others, known, axes=INFORMATIVE) -> pd.DataFrame:
    """Errors in kilometres beside their floor, along some axes.

    Parameters
    ----------
    records, others, known : list of dict
        As for `joined` and `informative`.
    axes : sequence of str

    Returns
    -------
    DataFrame
        `network`, `axis`, `severity` (None without perturbation), `model`, `epicentral_km` (`Estimate` over events),
        `floor_km` (median, NaN where the study has none) and `informative`.
    """
    chosen, floors = informative(known), _floors(known)
    rows = []
    for record in joined(records, others):
        trial = record["trial"]
        if trial["axis"] in (*axes, "none"):
            for model in (name for name in TITLES if name in record["result"]):
                error = median(record["result"][model]["epicentral_km"])
                rows.append(
                    {
                        **{name: trial[name] for name in ("network", "axis", "severity")},
                        **{"model": model, "epicentral_km": error, "floor_km": floors.get(_place(trial), np.nan)},
                        "informative": trial["severity"] in chosen.get(trial["axis"], ()),
                    }
                )
    return pd.DataFrame(rows)


def _floors(known):
    """Median floor by axis and severity; an event that the readings do not determine has an infinite one."""
    found = {}
    for record in known:
        if "floor_km" in record["result"]:
            floors = [np.inf if value is None else value for value in record["result"]["floor_km"]]
            found[_place(record["trial"])] = float(np.median(floors))
    return found


def stable(trials, chosen, model, axis) -> dict:
    """Stability of a model at the informative severities of an axis, see `seisbook.findings.robustness.stability`.

    Parameters
    ----------
    trials : list of dict
        Of `joined`.
    chosen : dict
        Of `informative`.
    model, axis : str
    """
    known = {("none", None), *((axis, severity) for severity in chosen[axis])}
    return stability([record for record in trials if _place(record["trial"]) in known], model, (axis,))


def rules(records, others, known) -> pd.DataFrame:
    """Growth at the informative severities, by the claims' rule (below 2) and by the paper's (below 1.2).

    Parameters
    ----------
    records, others, known : list of dict
        As for `joined` and `informative`.

    Returns
    -------
    DataFrame
        A row for each axis and model: `network`, `axis`, `model`; `severities`, informative ones; `growth`, the largest
        (`Estimate`), at the severity `worst`; there `epicentral_km`, `floor_km` and `over_floor`; `doubled` and
        `paper`, verdicts.
    """
    trials, chosen, floors = joined(records, others), informative(known), _floors(known)
    rows = []
    for axis, severities in chosen.items():
        for model in TITLES:
            found = stable(trials, chosen, model, axis)
            worst = next(record for record in trials if _place(record["trial"]) == (axis, found["severity"]))
            error = float(np.median(worst["result"][model]["epicentral_km"]))
            floor = floors.get((axis, found["severity"]), floors["none", None])
            rows.append(
                {
                    **{"network": worst["trial"]["network"], "axis": axis, "model": model, "severities": severities},
                    "growth": Estimate(*(found[name] for name in Estimate._fields)),
                    **{"worst": found["severity"], "epicentral_km": error, "floor_km": floor},
                    **{"over_floor": error / floor, "doubled": found["verdict"]},
                    "paper": below(found["low"], found["high"], PAPER_GROWTH),
                }
            )
    return pd.DataFrame(rows)


def rules_table(found) -> pd.DataFrame:
    """The table of `rules` as a page prints it."""
    from seisbook.measures import perturbations  # loads PyTorch, which verdicts do without

    rows = []
    for row in found.itertuples():
        about = perturbations.AXES[row.axis]
        rows.append(
            {
                "network": row.network.capitalize(),
                "perturbation": about.title,
                "model": TITLES[row.model],
                "largest growth": f"{row.growth:.2f}",
                "at": f"{row.worst:g} {about.unit}",
                "error (km)": f"{row.epicentral_km:.2f}",
                "over the floor": f"{row.over_floor:.1f}",
                f"below {DOUBLED:g}": row.doubled,
                f"below {PAPER_GROWTH:g}": row.paper,
            }
        )
    return pd.DataFrame(rows).set_index(["network", "perturbation", "model"])


def harm(records, others) -> pd.DataFrame:
    """What each perturbation does at the severity that harms the robust model most.

    Parameters
    ----------
    records, others : list of dict
        As for `joined`.

    Returns
    -------
    DataFrame
        A row for each axis: `network`, `axis`, `severity`; for each model of `TITLES` the growth of its median error
        (`Estimate`, NaN where the study has none); `epicentral_km` (`Estimate`) and `covered`, the share of labels in
        the ellipses that should hold 90 per cent, of the robust model.
    """
    by_axis, unperturbed = {}, None
    for record in joined(records, others):
        axis = record["trial"]["axis"]
        unperturbed = record if axis == "none" else unperturbed
        by_axis.setdefault(axis, []).append(record)
    rows = []
    for axis, trials in by_axis.items():
        worst = max(trials, key=lambda record: np.median(record["result"][MAIN]["epicentral_km"]))
        rows.append({"network": worst["trial"]["network"], "axis": axis, **_harm(worst, unperturbed)})
    return pd.DataFrame(rows)


def _harm(worst, unperturbed):
    ours = worst["result"][MAIN]
    growth = {
        model: ratio(
            errors["epicentral_km"], unperturbed["result"][model]["epicentral_km"][: len(errors["epicentral_km"])]
        )
        for model, errors in worst["result"].items()
        if model in TITLES
    }
    return {
        "severity": worst["trial"]["severity"],
        **growth,
        "epicentral_km": median(ours["epicentral_km"]),
        "covered": covered(ours["mahalanobis"]),
    }


def harm_table(found) -> pd.DataFrame:
    """The table of `harm` as a page prints it."""
    from seisbook.measures import perturbations  # loads PyTorch, which verdicts do without

    rows = []
    for row in found[found.axis != "none"].to_dict("records"):
        about = perturbations.AXES[row["axis"]]
        growth = {f"{TITLES[model]}, growth": row.get(model) for model in TITLES}
        rows.append(
            {
                "network": row["network"].capitalize(),
                "perturbation": about.title,
                "at": f"{row['severity']:g} {about.unit}".strip(),
                **{name: f"{value:.2f}" if isinstance(value, Estimate) else "" for name, value in growth.items()},
                "robust model (km)": f"{row['epicentral_km'].value:.2f}",
                "in the 90 % ellipse": f"{100 * row['covered']:.0f} %",
            }
        )
    return pd.DataFrame(rows).set_index(["network", "perturbation"])


def on_twin(records, bound_km) -> pd.DataFrame:
    """Each arm as the twin trained it, on new simulated events, whose labels are exact.

    Parameters
    ----------
    records : list of dict
        Of one network and the source `simulated`.
    bound_km : float
        Median Cramér-Rao bound of the epicentres of the same events, of `seisbook.findings.comparison`.

    Returns
    -------
    DataFrame
        A row for each arm: `network`, `arm`, `epicentral_km` and `over_bound` (`Estimate` over events),
        `magnitude_rmse` (`Estimate`), `covered`.
    """
    rows = []
    tested = {record["trial"]["arm"] for record in records}
    for arm in (arm for arm in ARM_TITLES if arm in tested):
        errors = errors_of(records, arm, "twin")
        error = median(errors.epicentral_km)
        rows.append(
            {
                **{"network": records[0]["trial"]["network"], "arm": arm, "epicentral_km": error},
                "over_bound": Estimate(*(value / bound_km for value in error)),
                "magnitude_rmse": rmse(errors.magnitude),
                "covered": covered(errors.mahalanobis),
            }
        )
    return pd.DataFrame(rows)


def twin_table(found) -> pd.DataFrame:
    """The table of `on_twin` as a page prints it."""
    return pd.DataFrame(
        {
            "network": found.network.str.capitalize(),
            "model": found.arm.map(ARM_TITLES),
            "epicentre (km)": [f"{value:.2f}" for value in found.epicentral_km],
            "over the bound": [f"{value:.2f}" for value in found.over_bound],
            "magnitude RMSE": [f"{value.value:.3f}" for value in found.magnitude_rmse],
            "in the 90 % ellipse": [f"{100 * value:.0f} %" for value in found.covered],
        }
    ).set_index(["network", "model"])


def arms_under_trouble(records) -> pd.DataFrame:
    """Each arm's error over the robust model's, along each axis at its most harmful severity.

    Returns
    -------
    DataFrame
        `network`, `arm`, `axis`, `severity` (where the robust model's error is largest), `ratio` (`Estimate`, paired).
    """
    rows = []
    arms = [arm for arm in ARM_TITLES if arm != MAIN and any(_is_first(r["trial"], arm) for r in records)]
    for arm in arms:
        mine = {_place(r["trial"]): r["result"]["epicentral_km"] for r in records if _is_first(r["trial"], MAIN)}
        theirs = {_place(r["trial"]): r["result"]["epicentral_km"] for r in records if _is_first(r["trial"], arm)}
        for axis in dict.fromkeys(axis for axis, _ in theirs):
            medians = {place: np.median(mine[place]) for place in theirs if place[0] == axis}
            worst = max(medians, key=medians.get)
            over = ratio(theirs[worst], mine[worst])
            rows.append({"arm": arm, "axis": axis, "severity": worst[1], "ratio": over})
    return pd.DataFrame(rows).assign(network=records[0]["trial"]["network"])


def arms_table(found) -> pd.DataFrame:
    """The table of `arms_under_trouble` as a page prints it: a column an arm, the severity beside the axis."""
    from seisbook.measures import perturbations  # loads PyTorch, which verdicts do without

    cells = {}
    for row in found.itertuples():
        about = perturbations.AXES.get(row.axis)
        where = "nothing wrong" if about is None else f"{about.title}, {row.severity:g} {about.unit}"
        cells.setdefault((row.network.capitalize(), where), {})[ARM_TITLES[row.arm]] = f"{row.ratio:.2f}"
    table = pd.DataFrame.from_dict(cells, orient="index")
    return table.set_axis(pd.MultiIndex.from_tuples(cells, names=["network", "perturbation"])).fillna("")


# -------------------------------------------------------------------------------------------------------------- quotes


@quoting
def quoted(summaries, found, arms):
    """What the prose quotes, from a name such as `robust-colombia-random-km`.

    Parameters
    ----------
    summaries : DataFrame
        Of `clean`, all networks.
    found : DataFrame
        Of `rules`, all networks.
    arms : DataFrame
        Of `arms_under_trouble`, all networks.
    """
    for row in summaries.itertuples():
        where = (MAIN, row.network, row.split) if row.arm == MAIN else (MAIN, row.network, row.arm)
        yield (*where, "km"), row.epicentral_km
        yield (*where, "over-paper"), row.over_paper
        yield (*where, "over-classical"), row.over_classical
        yield (*where, "magnitude"), row.magnitude_rmse, ".3f"
        yield (*where, "covered"), 100 * row.covered, ".0f"
    for row in found.itertuples():
        yield (row.model, row.network, row.axis, "informative"), row.growth
        yield (row.model, row.network, row.axis, "informative-km"), row.epicentral_km
        yield (row.model, row.network, row.axis, "over-floor"), row.over_floor, ".1f"
    for row in arms.itertuples():
        yield (MAIN, row.network, row.arm, row.axis), row.ratio


@quoting
def quoted_harm(harmed, twins):
    """What the prose quotes of all perturbations and of the twin, from a name such as `harm-colombia-spike-growth`.

    Parameters
    ----------
    harmed : DataFrame
        Of `harm`, all networks.
    twins : DataFrame
        Of `on_twin`, all networks.
    """
    for network, rows in harmed.groupby("network", sort=False):
        perturbed = rows[rows.axis != "none"]
        yield ("harm", network, "least-covered"), 100 * perturbed.covered.min(), ".0f"
        for row in perturbed.itertuples():
            yield ("harm", network, row.axis, "growth"), getattr(row, MAIN)
    for row in twins[twins.arm == MAIN].itertuples():
        yield ("twin", row.network, "over-bound"), row.over_bound
