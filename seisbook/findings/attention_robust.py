"""What the attention study of the robust model says: its measures beside the nulls, and the verdicts on claim C8."""

import numpy as np
import pandas as pd

from seisbook.findings.quotations import quoting
from seisbook.measures.estimates import above, bootstrap_ci
from seisbook.studies.arms import NULLS, TOP

MEASURES = {
    "information": "information on the epicentre",
    "ungated": "information without gates",
    "gate": "gates",
    "selection": "largest messages",
}
"""Measures of `seisbook.studies.attention_robust`, as tables call them."""
DESIGNED = ("information", "ungated")
QUANTITIES = ("analyst", "nearest", "beyond", "efficiency")
FEWEST_ANALYSED = 2  # events with a value of an analyst; a network without an analyst has none


def values(records, measure, quantity) -> np.ndarray:
    """A quantity of each event, averaged over the seeds; NaN where no seed has one.

    Parameters
    ----------
    records : list of dict
        Of one network, as `seisbook.studies.runner.read` returns them.
    measure : str
        One of `MEASURES`, or an order of `nulls`, which has the quantity `efficiency` only.
    quantity : str
        One of `QUANTITIES`.
    """
    by_seed = [
        record["result"]["measures"][measure][quantity] if measure in MEASURES else record["result"]["nulls"][measure]
        for record in records
    ]
    by_seed = np.array(by_seed, float)
    counted = np.isfinite(by_seed).sum(0)
    return np.where(counted, np.nansum(by_seed, 0) / np.maximum(counted, 1), np.nan)


def kind(measure) -> str:
    """Whether a measure was designed or emerged from training."""
    return "designed" if measure in DESIGNED else "emergent"


def best_null(records) -> str:
    """The null whose first stations are the most efficient in the mean."""
    return max((*NULLS, "random"), key=lambda null: values(records, null, "efficiency").mean())


def verdicts(records) -> list[dict]:
    """C8 by the rules of `seisbook.studies.attention_robust`, for each measure of one network.

    Returns
    -------
    list of dict
        `network`, `measure`, `kind` (`designed` or `emergent`), `rule` (`emphasis` or `design`), `measured`, `value`,
        `low`, `high`, `events`, `verdict`.
    """
    null, rows = best_null(records), []
    for measure, title in MEASURES.items():
        about, said = {"measure": measure, "kind": kind(measure)}, f"{title} ({kind(measure)})"
        beyond = values(records, measure, "beyond")
        if np.isfinite(beyond).sum() >= FEWEST_ANALYSED:
            text = f"partial rank correlation with the analyst's emphasis: {said}, robust model"
            rows.append({**about, "rule": "emphasis", "measured": text, **_judged(beyond)})
        gain = values(records, measure, "efficiency") - values(records, null, "efficiency")
        text = f"D-efficiency of {TOP} stations: {said}, minus that by the best null ({null}), robust model"
        rows.append({**about, "rule": "design", "measured": text, **_judged(gain)})
    return [{"network": records[0]["trial"]["network"], **row} for row in rows]


def _judged(sample):
    value, low, high = bootstrap_ci(sample, np.mean)
    events = int(np.isfinite(sample).sum())
    return {"value": value, "low": low, "high": high, "events": events, "verdict": above(low, high)}


def tabulate(records) -> pd.DataFrame:
    """Each measure and null of one network.

    Returns
    -------
    DataFrame
        Indexed by `order`: `kind` (`designed`, `emergent` or `null`); `analyst`, Kendall's tau with the analyst's
        emphasis; `beyond`, the partial rank correlation; `efficiency`, the D-efficiency of the first stations, each an
        `Estimate` or None.
    """
    taus = {row["measure"]: row["tau"] for row in records[0]["result"]["agreement"] or ()}
    rows = {}
    for measure in MEASURES:
        estimates = {name: _estimate(values(records, measure, name)) for name in ("analyst", "beyond", "efficiency")}
        rows[measure] = {"kind": kind(measure), **estimates}
    for null in (*NULLS, "random"):
        efficiency = _estimate(values(records, null, "efficiency"))
        rows[null] = {"kind": "null", "analyst": taus.get(null), "beyond": None, "efficiency": efficiency}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("order")


def _estimate(sample):
    return bootstrap_ci(sample, np.mean) if np.isfinite(sample).sum() >= FEWEST_ANALYSED else None


def gates_add(records) -> dict:
    """What the gates change in the information on the epicentre: mean differences over events, each an `Estimate`."""
    differences = {
        name: values(records, "information", name) - values(records, "ungated", name)
        for name in ("analyst", "beyond", "efficiency")
    }
    return {name: _estimate(sample) for name, sample in differences.items()}


@quoting
def quoted(networks):
    """What the prose quotes, such as `robust-colombia-gate-beyond`.

    Parameters
    ----------
    networks : dict of str to list of dict
        Records by network.
    """
    for name, records in networks.items():
        yield ("robust", name, "events"), len(values(records, "gate", "efficiency")), ","
        for row in tabulate(records).itertuples():
            for quantity in ("analyst", "beyond", "efficiency"):
                yield ("robust", name, row.Index, quantity), getattr(row, quantity)
        for quantity, estimate in gates_add(records).items():
            yield ("robust", name, "gates-add", quantity), estimate
        for row in verdicts(records):
            yield ("robust", name, row["measure"], row["rule"], "verdict"), row["verdict"], "s"
            yield ("robust", name, row["measure"], row["rule"], "gain"), row
