"""What the study of depth on fields says: error and similarity of the stations' states by depth, and claim C4."""

import numpy as np
import pandas as pd

from seisbook.findings.quotations import quoting
from seisbook.measures.estimates import Estimate, bootstrap_ci
from seisbook.measures.reconstruction import error_of, ratio_of

STUDY, REGION = "fields-depth", "italy"
SIMILARITY = ("mad", "effective_rank", "dirichlet_energy")
ARMS = (("dynamic", "multiscale"), ("dynamic", "last"), ("static", "multiscale"), ("static", "last"))


def table(records) -> pd.DataFrame:
    """Errors at hidden stations, and similarity of the states after the last block, by depth.

    Parameters
    ----------
    records : list of dict
        Each a `trial` and its `result`, as `seisbook.studies.runner.load` and `read` return them.

    Returns
    -------
    DataFrame
        Indexed by `graph`, `readout` and `blocks`: `channels`, `parameters`; `rmse` (log10) and each of `SIMILARITY`
        with `_low` and `_high`; `events`. A model that diverged has NaN there.
    """
    rows = {}
    for record in records:
        trial, result = record["trial"], record["result"]
        row = {name: result[name] for name in ("channels", "parameters")}
        if not result["diverged"]:
            row |= _columns("rmse", error_of(result["square"], result["count"]))
            for name in SIMILARITY:
                row |= _columns(name, bootstrap_ci(np.array(result["similarity"][name], float), np.mean))
            row["events"] = len(result["square"])
        rows[trial["graph"], trial["readout"], trial["blocks"]] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["graph", "readout", "blocks"]).sort_index()


def judged(records, blocks=None) -> pd.DataFrame:
    """Claim C4 at the greatest depth, by the rule of `seisbook.studies.fields_depth`.

    Parameters
    ----------
    records : list of dict
        As `table` takes them.
    blocks : int, optional
        Another depth than the greatest one, at which the rule decides nothing.

    Returns
    -------
    DataFrame
        Indexed by `graph`: `value`, the ratio of the errors, multi-scale over last, with `low` and `high`;
        `mad_multiscale`, `mad_last`, each an `Estimate`; `blocks`; `verdict`. NaN where a model diverged.
    """
    blocks = blocks or max(record["trial"]["blocks"] for record in records)
    found = {
        (record["trial"]["graph"], record["trial"]["readout"]): record["result"]
        for record in records
        if record["trial"]["blocks"] == blocks
    }
    graphs = sorted({graph for graph, _ in found})
    rows = [{"blocks": blocks, **_judged(found[graph, "multiscale"], found[graph, "last"])} for graph in graphs]
    return pd.DataFrame(rows, index=pd.Index(graphs, name="graph"))


def _judged(multiscale, last):
    if multiscale["diverged"] or last["diverged"]:
        return {**dict.fromkeys(("value", "low", "high"), np.nan), "verdict": "inconclusive"}
    ratio = ratio_of(multiscale["square"], last["square"])
    ours, theirs = (bootstrap_ci(np.array(one["similarity"]["mad"], float), np.mean) for one in (multiscale, last))
    holds = int(ratio.high < 1) + int(ours.low > theirs.high)
    words = {2: "supported", 1: "inconclusive", 0: "not supported"}
    return {**ratio._asdict(), "mad_multiscale": ours, "mad_last": theirs, "verdict": words[holds]}


@quoting
def quoted(records):
    """What the prose quotes, from a name such as `depth-dynamic-16-ratio`.

    Parameters
    ----------
    records : list of dict
        As `table` takes them.
    """
    found = table(records)
    yield ("depth", "events"), int(found.events.max()), ","
    yield ("depth", "blocks"), int(found.index.unique("blocks").max()), ","
    for blocks in found.index.unique("blocks"):
        for graph, row in judged(records, blocks).iterrows():
            yield ("depth", graph, f"{blocks}", "ratio"), Estimate(row.value, row.low, row.high), ".3f"
            yield ("depth", graph, f"{blocks}", "verdict"), row.verdict, "s"
    for (graph, readout, blocks), row in found.iterrows():
        rank = _text(row, "effective_rank", ".1f")
        yield ("depth", graph, readout, f"{blocks}", "effective_rank"), rank, "s"


def _columns(name, estimate):
    return dict(zip((name, f"{name}_low", f"{name}_high"), estimate, strict=True))


def _text(row, name, digits):
    return format(Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"]), digits)
