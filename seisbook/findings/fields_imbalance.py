"""What the imbalance study on fields says: errors on large earthquakes that training lacks, and claim C7."""

import numpy as np
import pandas as pd

from seisbook.findings.fields import PEER
from seisbook.findings.quotations import quoting
from seisbook.measures.estimates import Estimate, below
from seisbook.measures.reconstruction import error_of, ratio_of

STUDY, REGION = "fields-imbalance", "greece"
MAIN, JUDGED, ALL = "dynamic", 0.2, 1.0  # the arm of the rule; share of the large events that is left; all of them
LIMITS = {"growth": 1.05, "ratio": 1.02}
SAID = {
    "growth": "error on events of 5.5 and more relative to that with all, one in five left in training",
    "ratio": "error on events of 5.5 and more relative to the conditional normal, one in five left in training",
}


def table(records) -> pd.DataFrame:
    """Errors on the large events by method and share of the large training events that is kept.

    Parameters
    ----------
    records : list of dict
        Each a `trial` and its `result`, as `seisbook.studies.runner.load` and `read` return them.

    Returns
    -------
    DataFrame
        Indexed by `method` and `kept`: `n_large`, large events in a fold's training, mean over folds; `rmse` (log10);
        `growth`, over the same method's error with all of them; `ratio`, over the error of the conditional normal with
        the same events; each with `_low` and `_high`; `events`, large test events.
    """
    sums = _sums(records)
    n_large = {kept: _n_large(records, kept) for _, kept in sums}
    rows = {}
    for (method, kept), (square, count) in sums.items():
        rows[method, kept] = {"n_large": n_large[kept], "events": len(square)}
        rows[method, kept] |= _columns("rmse", error_of(square, count))
        rows[method, kept] |= _columns("growth", ratio_of(square, sums[method, ALL][0]))
        rows[method, kept] |= _columns("ratio", ratio_of(square, sums[PEER, kept][0]))
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["method", "kept"]).sort_index()


def judged(records) -> list[dict]:
    """Claim C7 by the rules of `seisbook.studies.fields_imbalance`.

    Returns
    -------
    list of dict
        For each rule: `rule`, `value`, `low`, `high`, `threshold`, `verdict`, `n_runs`.
    """
    row, rows = table(records).loc[(MAIN, JUDGED)], []
    for rule, limit in LIMITS.items():
        value, low, high = (float(row[f"{rule}{end}"]) for end in ("", "_low", "_high"))
        about = {"rule": rule, "threshold": limit, "verdict": below(low, high, limit)}
        kept = {"growth": (JUDGED, ALL), "ratio": (JUDGED,)}[rule]
        runs = sum(record["trial"]["arm"] == MAIN and record["trial"]["kept"] in kept for record in records)
        rows.append({**about, "value": value, "low": low, "high": high, "n_runs": runs})
    return rows


@quoting
def quoted(records):
    """What the prose quotes, from a name such as `imbalance-dynamic-0.2-growth`.

    Parameters
    ----------
    records : list of dict
        As `table` takes them.
    """
    found = table(records)
    yield ("imbalance", "events"), int(found.events.iloc[0]), ","
    for (method, kept), row in found.iterrows():
        yield ("imbalance", f"{kept:g}", "large"), row.n_large, ".0f"
        for name in ("rmse", "growth", "ratio"):
            yield ("imbalance", method, f"{kept:g}", name), _text(row, name), "s"
    for row in judged(records):
        yield ("imbalance", row["rule"], "verdict"), row["verdict"], "s"


def _sums(records):
    """Sums of squares and counts of each large event, over all shares, by method and share kept."""
    parts = {}
    for record in sorted(records, key=lambda record: record["trial"]["fold"]):
        for method, shares in record["result"]["scores"].items():
            both = [np.sum([scores[name] for scores in shares.values()], axis=0) for name in ("square", "count")]
            parts.setdefault((method, record["trial"]["kept"]), []).append(both)
    return {key: tuple(np.concatenate(part) for part in zip(*both, strict=True)) for key, both in parts.items()}


def _n_large(records, kept):
    """Large events in a fold's training, mean over folds."""
    return float(np.mean([record["result"]["n_large"] for record in records if record["trial"]["kept"] == kept]))


def _columns(name, estimate):
    return dict(zip((name, f"{name}_low", f"{name}_high"), estimate, strict=True))


def _text(row, name):
    return format(Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"]), ".3f")
