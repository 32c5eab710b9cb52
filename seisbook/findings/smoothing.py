"""What the smoothing study says: its table, and the verdict on claim C4."""

import numpy as np
import pandas as pd

from seisbook.catalogues.networks import NETWORKS
from seisbook.measures.estimates import bootstrap_ci

STUDIES = {"smoothing": NETWORKS, "smoothing-robust": NETWORKS}
"""Studies that decide C4, and the networks with their results; each study has a figure of its name."""
MODELS = {"smoothing": "", "smoothing-robust": ", robust model"}  # as the ledger calls them


def verdict(records) -> pd.DataFrame:
    """Whether concatenation counters over-smoothing (C4), by a rule that was set before the study was run.

    At the greatest depth, for each graph: the claim is *supported* if the multi-scale model's epicentral errors are
    smaller than those of the model that reads the last block (95 % interval of the mean logarithm of their paired ratio
    below 0) *and* its stations' states differ more (interval of the last block's MAD above the other's); *not
    supported* if neither holds; *inconclusive* otherwise.

    Parameters
    ----------
    records : list of dict
        As `tabulate` takes them.

    Returns
    -------
    DataFrame
        Indexed by `graph`: `error_ratio` (geometric mean of multi-scale over last) with `low` and `high`, the MADs of
        both, `verdict`. A model that diverged has none, and the verdict is then *inconclusive*.
    """
    deepest = max(record["trial"]["blocks"] for record in records)
    results = {
        (record["trial"]["graph"], record["trial"]["readout"]): record["result"]
        for record in records
        if record["trial"]["blocks"] == deepest and record["trial"]["seed"] == 0
    }
    graphs = sorted({graph for graph, _ in results})
    rows = [_judged(results[graph, "multiscale"], results[graph, "last"], deepest) for graph in graphs]
    return pd.DataFrame(rows, index=pd.Index(graphs, name="graph"))


def _judged(multiscale, last, deepest):
    if multiscale["diverged"] or last["diverged"]:
        return {"verdict": "inconclusive"}
    logs = np.log(multiscale["epicentral_km"]) - np.log(last["epicentral_km"])
    ratio = bootstrap_ci(logs, np.mean)
    ours, theirs = (next(row for row in arm["measures"] if row["block"] == deepest) for arm in (multiscale, last))
    better, apart = ratio.high < 0, ours["mad_low"] > theirs["mad_high"]
    words = {2: "supported", 1: "inconclusive", 0: "not supported"}
    return {
        **dict(zip(("error_ratio", "low", "high"), np.exp(ratio), strict=True)),
        "mad_multiscale": ours["mad"],
        "mad_last": theirs["mad"],
        "verdict": words[int(better) + int(apart)],
    }


def tabulate(records) -> pd.DataFrame:
    """The study's records as one table, for the figures.

    Parameters
    ----------
    records : list of dict
        Each a `trial` and its `result`, as `seisbook.studies.runner.load` returns them.

    Returns
    -------
    DataFrame
        One row for each trial and row of its `profile`, with the trial's keys, `channels`, `parameters`, `diverged`,
        the median `epicentral_km` on the test events and its 95 % interval, `epicentral_km_low` and `_high`, and the
        profile's columns. A trial that diverged has one row, without measures.
    """
    from seisbook.measures.smoothness import MEASURES, interval_columns  # loads PyTorch, which verdicts do without

    rows = []
    for record in records:
        trial, result = record["trial"], record["result"]
        head = {**trial, **{name: result[name] for name in ("channels", "parameters", "diverged")}}
        if not result["diverged"]:
            error = result["summary"]["epicentral_km"]
            head |= interval_columns("epicentral_km", (error["median"], *error["ci"]))
        rows += [{**head, **row} for row in result.get("measures", [{"block": None}])]
    names = [f"{name}{end}" for name in (*MEASURES, "epicentral_km") for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows)
    return table.reindex(columns=[*table.columns, *(name for name in names if name not in table)])
