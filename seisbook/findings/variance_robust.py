"""What the variance study of the robust model says: its graphs beside each other, and the verdict on claim C3.

The analysis is that of `seisbook.findings.variance`, on trials whose arms have other names.
"""

import numpy as np
import pandas as pd

from seisbook.findings import variance as variance_results
from seisbook.findings.quotations import quoting
from seisbook.findings.variance import QUANTITIES
from seisbook.measures import variance, variance_ratio

NAMES = {"robust": "dynamic", "static graph": "static"}  # of the arms, as `seisbook.findings.variance` calls them
JUDGED = {"split": "random", "statistic": "mean"}  # what the ratio that decides has
MODELS = {"paper": "the paper's model", "robust": "robust model"}


def renamed(trials) -> list[dict]:
    """Trials whose arms have the names of the first study, so that its functions can be asked about them."""
    return [{**record, "trial": {**record["trial"], "arm": _name(record["trial"]["arm"])}} for record in trials]


def _name(arm):
    return NAMES.get(arm, arm)


def ratios(trials) -> pd.DataFrame:
    """Data-induced variance with the dynamic graph over that with the static one, on the same partitions and seeds.

    Parameters
    ----------
    trials : list of dict
        Of `seisbook.studies.runner.read`, of one network.

    Returns
    -------
    DataFrame
        A row for each split that was trained, statistic and quantity: `network`, `split`, `statistic` over events,
        `quantity`; `value`, `low`, `high` and `verdict`, see `seisbook.measures.variance_ratio`; `n_runs`.
    """
    trials = renamed(trials)
    designs = [("random", "mean"), ("random", "median"), ("time", "mean")]
    done = {record["trial"]["split"] for record in trials}
    rows = []
    for split, statistic in (design for design in designs if design[0] in done):
        arms = _paired(trials, split)
        for quantity, columns in QUANTITIES.items():
            ratio = variance_ratio.ratio(*(y[..., columns] for y in arms), statistic)
            row = {"split": split, "statistic": statistic, "quantity": quantity, **ratio._asdict()}
            rows.append({**row, "verdict": ratio.verdict, "n_runs": 2 * int(np.prod(arms[0].shape[1:3]))})
    return pd.DataFrame(rows).assign(network=trials[0]["trial"]["network"])


def _paired(trials, split):
    """Predictions of both graphs by trainings on the same partitions with the same seeds."""
    arms = "dynamic", "static"
    cells = [{_cell(record["trial"]) for record in trials if record["trial"]["arm"] == arm} for arm in arms]
    shared = [record for record in trials if _cell(record["trial"]) in cells[0] & cells[1]]
    return [variance_results.predictions(shared, arm, split=split) for arm in arms]


def _cell(trial):
    return trial["split"], trial["partition"], *trial["seeds"]


def judged(found) -> pd.DataFrame:
    """The ratios that decide claim C3: means over events, dynamic graph over static graph, random partitions."""
    rows = found[np.all([found[name] == value for name, value in JUDGED.items()], axis=0)]
    return rows[rows.quantity != "depth"]


def forest(found) -> pd.DataFrame:
    """Ratios over the static graph, for `seisbook.figures.variance.ratio_forest`; those that decide come first."""
    words = found.split.map({"random": "", "time": ", time blocks"}) + found.statistic.map(
        {"mean": "", "median": ", median"}
    )
    return found.assign(source="bulletin", quantity=found.quantity + words)


def detectable(trials) -> float:
    """The ratio of the epicentre's variances nearest to 1 that the study would have found with 80 % probability."""
    arms = _paired(renamed(trials), "random")
    return variance_ratio.minimum_detectable_ratio(
        variance_ratio.design(*(y[..., QUANTITIES["epicentre"]] for y in arms))
    )


def detected(ratio) -> str:
    """What a study would have found, as words: `ratio` as of `detectable`, 0 if it would have found no reduction."""
    return f"a reduction to {ratio:.2f} of its size" if ratio else "no reduction, however large"


def spread(trials, model) -> pd.DataFrame:
    """How far the epicentres of the external events move with the training data and with the seed.

    Parameters
    ----------
    trials : list of dict
        Of one network, of this study or of the first one.
    model : str
        One of `MODELS`.

    Returns
    -------
    DataFrame
        A row for the dynamic and for the static graph: `network`, `model`, `arm`, number of `runs`; `epicentral_km`,
        the mean over trainings of the median error; `data_km2`, `seed_km2` and `residual_km2`, medians over events of
        the variance components.
    """
    trials = renamed(trials)
    runs = variance_results.tabulate(trials).query("part == 'crossed' and split == 'random'")
    rows = []
    for arm in ("dynamic", "static"):
        y = variance_results.predictions(trials, arm)[..., QUANTITIES["epicentre"]]
        parts = variance.event_components(y)[list(variance.Variances._fields)].median().add_suffix("_km2")
        error = {"runs": int(np.prod(y.shape[1:3])), "epicentral_km": runs[runs.arm == arm].epicentral_km.mean()}
        rows.append({"arm": arm, **error, **parts})
    return pd.DataFrame(rows).assign(network=trials[0]["trial"]["network"], model=model)


def table(spreads) -> pd.DataFrame:
    """The table of `spread` as a page prints it."""
    page = spreads.assign(network=spreads.network.str.capitalize(), model=spreads.model.map(MODELS))
    page["error (km)"] = spreads.epicentral_km.map("{:.2f}".format)
    titles = {"data_km2": "training data (km²)", "seed_km2": "seed (km²)", "residual_km2": "both together (km²)"}
    for column, title in titles.items():
        page[title] = spreads[column].map("{:.2g}".format)
    kept = ["network", "model", "arm"]
    return page.rename(columns={"runs": "trainings"}).set_index(kept)[["trainings", "error (km)", *titles.values()]]


@quoting
def quoted(found, spreads, detectables):
    """What the prose quotes, from a name such as `robust-colombia-epicentre-random-ratio`.

    Parameters
    ----------
    found : DataFrame
        Of `ratios`, all networks.
    spreads : DataFrame
        Of `spread`, all networks, of the robust model and of the paper's.
    detectables : dict of str to float
        Of `detectable`, by network.
    """
    for row in found[found.statistic == "mean"].itertuples():
        yield ("robust", row.network, row.quantity, row.split, "ratio"), [row.value, row.low, row.high]
    for row in judged(found).itertuples():
        yield ("robust", row.network, row.quantity, "verdict"), row.verdict, "s"
        yield ("robust", row.network, "ratio-runs"), row.n_runs, ","
    for row in spreads.itertuples():
        yield (row.model, row.network, row.arm, "data-m"), 1000 * max(row.data_km2, 0) ** 0.5, ".0f"
        yield (row.model, row.network, row.arm, "luck-m"), 1000 * max(row.seed_km2 + row.residual_km2, 0) ** 0.5, ".0f"
    for name, ratio in detectables.items():
        yield ("robust", name, "detectable"), ratio
        yield ("robust", name, "detected"), detected(ratio), "s"
