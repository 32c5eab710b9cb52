"""What the attention study on fields says: how much the stations that a graph listens to tell, and claim C8."""

import numpy as np
import pandas as pd

from seisbook.findings.fields import REGIONS, listed
from seisbook.findings.quotations import quoting
from seisbook.measures.estimates import Estimate, above, bootstrap_ci
from seisbook.measures.reconstruction import error_of, ratio_of

STUDY = "fields-attention"
MEASURES = {"selection": "largest messages", "influence": "influence on the prediction"}
NULLS = {
    "nearest": "nearest to the epicentre",
    "central": "nearest to the hidden stations",
    "untrained": "largest messages before training",
    "random": "drawn at random",
}
BEST = "D-optimal"
TITLES = {BEST: "D-optimal", **MEASURES, **NULLS}


def table(records) -> pd.DataFrame:
    """What the first stations of each order are worth, in one region.

    Parameters
    ----------
    records : list of dict
        Each a `trial` and its `result`, as `seisbook.studies.runner.load` and `read` return them.

    Returns
    -------
    DataFrame
        Indexed by `order`: `efficiency`, mean over events; `rmse`, error (log10) at hidden stations of the conditional
        normal that sees these stations alone; `ratio` and `random`, of that error to the error with the D-optimal ones
        and with ones drawn at random; each an `Estimate`; `events`.
    """
    rows, (best, drawn) = {}, (_values(records, order, "square") for order in (BEST, "random"))
    for order in TITLES:
        square, count = (_values(records, order, name) for name in ("square", "count"))
        efficiency = bootstrap_ci(_values(records, order, "efficiency"), np.mean)
        errors = {"rmse": error_of(square, count), "ratio": ratio_of(square, best), "random": ratio_of(square, drawn)}
        rows[order] = {"efficiency": efficiency, **errors, "events": len(square)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("order")


def best_null(records) -> str:
    """The null whose stations have the highest mean efficiency."""
    return max(NULLS, key=lambda null: _values(records, null, "efficiency").mean())


def judged(records) -> list[dict]:
    """Claim C8 in one region, by the rule of `seisbook.studies.fields_attention`.

    Returns
    -------
    list of dict
        For each measure: `order`, `measured`, `value`, `low`, `high`, `null`, `events`, `verdict`, `n_runs`.
    """
    null, rows = best_null(records), []
    for order, title in MEASURES.items():
        gain = _values(records, order, "efficiency") - _values(records, null, "efficiency")
        value, low, high = bootstrap_ci(gain, np.mean)
        text = f"information of three stations on the field elsewhere: {title}, minus that by the best null ({null})"
        about = {"order": order, "measured": text, "null": null, "events": len(gain), "n_runs": len(records)}
        rows.append({**about, "value": value, "low": low, "high": high, "verdict": above(low, high)})
    return rows


@quoting
def quoted(records):
    """What the prose quotes, all regions in a row, from a name such as `listens-selection-gain`.

    Parameters
    ----------
    records : dict of str to list of dict
        By the region's name, records as `table` takes them.
    """
    tables = {REGIONS[region]: table(one) for region, one in records.items()}
    yield ("listens", "events"), listed({region: found.events.iloc[0] for region, found in tables.items()}), ""
    nulls = {REGIONS[region]: NULLS[best_null(one)] for region, one in records.items()}
    yield ("listens", "null"), listed({region: f"“{null}”" for region, null in nulls.items()}), ""
    for order in MEASURES:
        yield ("listens", order, "random"), listed({r: f"{found.random[order]:.2f}" for r, found in tables.items()}), ""
        rows = {REGIONS[region]: _row(judged(one), order) for region, one in records.items()}
        texts = {
            r: f"{Estimate(row['value'], row['low'], row['high']):.2f} ({row['verdict']})" for r, row in rows.items()
        }
        yield ("listens", order, "gain"), listed(texts), ""


def _row(rows, order):
    return next(row for row in rows if row["order"] == order)


def _values(records, order, name):
    """A number of each event, of all records."""
    return np.concatenate([record["result"][order][name] for record in records]).astype(float)
