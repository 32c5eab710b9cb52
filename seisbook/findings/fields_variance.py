"""What the variance study on fields says: the ratio of the graphs' data-induced variances, and claim C3."""

import numpy as np
import pandas as pd

from seisbook.findings.quotations import quoting
from seisbook.measures import variance, variance_ratio
from seisbook.measures.estimates import Estimate

STUDY, REGION = "fields-variance", "italy"
GRAPHS = ("dynamic", "static")


def predictions(records, graph) -> np.ndarray:
    """Predicted peak velocity of one graph, log10: (events, partitions, seeds, places).

    Parameters
    ----------
    records : list of dict
        Each a `trial` and its `result`, as `seisbook.studies.runner.load` and `read` return them.
    graph : str
        One of `GRAPHS`.
    """
    found = {
        (record["trial"]["partition"], record["trial"]["seed"]): record["result"]["external"]
        for record in records
        if record["trial"]["graph"] == graph
    }
    partitions, seeds = (sorted(set(part)) for part in zip(*found, strict=True))
    cells = [[found[partition, seed] for seed in seeds] for partition in partitions]
    return np.array(cells, float).transpose(2, 0, 1, 3)


def judged(records) -> dict:
    """Claim C3, by the rule of `seisbook.studies.fields_variance`: `value`, `low`, `high`, `verdict`, `n_runs`."""
    ratio = variance_ratio.ratio(*(predictions(records, graph) for graph in GRAPHS))
    return {**ratio._asdict(), "verdict": ratio.verdict, "n_runs": len(records)}


def detectable(records) -> float:
    """The ratio nearest to 1 that the study would have found with 80 % probability."""
    arms = (predictions(records, graph) for graph in GRAPHS)
    return variance_ratio.minimum_detectable_ratio(variance_ratio.design(*arms))


def table(records) -> pd.DataFrame:
    """How far the predictions move with the training data and with the seed, by graph.

    Returns
    -------
    DataFrame
        Indexed by `graph`: `data`, `seed` and `residual`, root of the mean over events and places of each variance
        component, log10; `rmse`, mean over trainings of the error at hidden stations; `runs`.
    """
    rows = {}
    for graph in GRAPHS:
        y = predictions(records, graph)
        mean = variance.event_components(y).mean() / y.shape[-1]
        errors = [record["result"]["rmse"] for record in records if record["trial"]["graph"] == graph]
        spread = {name: float(np.sqrt(max(value, 0.0))) for name, value in mean.items()}
        rows[graph] = {**spread, "rmse": float(np.mean(errors)), "runs": len(errors)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("graph")


@quoting
def quoted(records):
    """What the prose quotes, from a name such as `moves-ratio`.

    Parameters
    ----------
    records : list of dict
        As `predictions` takes them.
    """
    row = judged(records)
    yield ("moves", "ratio"), Estimate(row["value"], row["low"], row["high"]), ".2f"
    yield ("moves", "verdict"), row["verdict"], "s"
    yield ("moves", "runs"), row["n_runs"], ","
    yield ("moves", "events"), len(predictions(records, GRAPHS[0])), ","
    yield ("moves", "detectable"), detectable(records), ".2f"
    for graph, numbers in table(records).iterrows():
        yield ("moves", graph, "rmse"), numbers.rmse, ".3f"
