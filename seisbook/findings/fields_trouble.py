"""What the study of sensors that lie says: how errors grow, and what a second screen of the stations is worth."""

import numpy as np
import pandas as pd

from seisbook.findings.fields import REGIONS, listed
from seisbook.findings.quotations import quoting
from seisbook.measures.estimates import Estimate, below
from seisbook.measures.reconstruction import ratio_of

KINDS = {
    "clean": "no trouble",
    "unit": "a hundred times too large",
    "dead": "dead, at the level of noise",
    "misplaced": "misplaced by 50 km",
}
METHODS = {
    "event term": "law and event term",
    "conditional normal": "conditional normal (ShakeMap's rule)",
    "screened": "conditional normal, second screen",
}
PEER, SCREENED, CLEAN = "conditional normal", "screened", "clean"
ROBUST = 1.05
WORDS = {"supported": "robust", "not supported": "not robust", "inconclusive": "open"}


def table(records) -> pd.DataFrame:
    """Errors with trouble among the observed stations.

    Parameters
    ----------
    records : list of dict
        Each a `trial` and its `result`, as `seisbook.studies.runner.load` and `read` return them.

    Returns
    -------
    DataFrame
        Indexed by `method` and `kind`: `rmse` (log10); `growth` over the same method's error without trouble, with
        `low`, `high` and `word`; `events`.
    """
    rows = {}
    for method in records[0]["result"]:
        clean = _sums(records, method, CLEAN)[0]
        for kind in KINDS:
            square, count = _sums(records, method, kind)
            growth = ratio_of(square, clean)
            word = WORDS[below(growth.low, growth.high, ROBUST)] if kind != CLEAN else ""
            numbers = dict(zip(("growth", "low", "high"), growth, strict=True))
            rmse = float(np.sqrt(square.sum() / count.sum()))
            rows[method, kind] = {"rmse": rmse, **numbers, "word": word, "events": len(square)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["method", "kind"])


def screens(records) -> pd.DataFrame:
    """Error with the second screen over that of the conditional normal, with the same trouble.

    Returns
    -------
    DataFrame
        Indexed by `kind`: `ratio`, `low`, `high`, and `verdict` on "the second screen helps".
    """
    rows = {}
    for kind in KINDS:
        ratio = ratio_of(*(_sums(records, method, kind)[0] for method in (SCREENED, PEER)))
        numbers = dict(zip(("ratio", "low", "high"), ratio, strict=True))
        rows[kind] = {**numbers, "verdict": below(ratio.low, ratio.high, 1.0)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("kind")


@quoting
def quoted(records):
    """What the prose quotes, all regions in a row, from a name such as `trouble-unit-screened-growth`.

    Parameters
    ----------
    records : dict of str to list of dict
        By the region's name, records as `table` takes them.
    """
    tables = {REGIONS[region]: table(one) for region, one in records.items()}
    ratios = {REGIONS[region]: screens(one) for region, one in records.items()}
    events = {region: f"{found.events.iloc[0]}" for region, found in tables.items()}
    yield ("trouble", "events"), listed(events), ""
    for kind in KINDS:
        for method in METHODS:
            rows = {region: found.loc[(method, kind)] for region, found in tables.items()}
            texts = {r: f"{Estimate(row.growth, row.low, row.high):.3f} ({row.word})" for r, row in rows.items()}
            yield ("trouble", kind, method, "growth"), listed(texts), ""
        rows = {region: found.loc[kind] for region, found in ratios.items()}
        texts = {r: f"{Estimate(row.ratio, row.low, row.high):.3f} ({row.verdict})" for r, row in rows.items()}
        yield ("trouble", kind, "screen"), listed(texts), ""


def _sums(records, method, kind):
    """Sums of squared errors and counts of all events, one fold after the other."""
    ordered = sorted(records, key=lambda record: record["trial"]["fold"])
    parts = [record["result"][method][kind] for record in ordered]
    return [np.concatenate([part[name] for part in parts]) for name in ("square", "count")]
