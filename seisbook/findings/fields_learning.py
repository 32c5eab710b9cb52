"""What the learning curve on fields says: errors by events and by stations in training, and the words of its rules."""

import numpy as np
import pandas as pd

from seisbook.findings.fields import REGIONS, listed
from seisbook.findings.quotations import quoting
from seisbook.measures.estimates import Estimate, below
from seisbook.measures.reconstruction import error_of, ratio_of

STUDY, MAIN, PEER = "fields-learning", "dynamic", "conditional normal"
LIMIT = 1.02
EVERY, NEW_TO_BOTH, NEW = ("0.25", "0.5", "1", "never"), ("1", "never"), ("0.5", "1", "never")
"""Groups of hidden stations: all; those that are in neither a quarter nor a half of the network; not in a quarter."""
LEVEL = {"supported": "level", "not supported": "still falls", "inconclusive": "open"}
PANELS = {
    "events": ("n_events", "at all hidden stations"),
    "stations": ("n_stations", "at stations that only the whole network has"),
}
"""Axes of the curve: the number that stands for the share, and where the error is taken."""


def table(records) -> pd.DataFrame:
    """Errors of each method by what is in training.

    Parameters
    ----------
    records : list of dict
        Each a `trial` and its `result`, as `seisbook.studies.runner.load` and `read` return them.

    Returns
    -------
    DataFrame
        Indexed by `axis`, `share` and `method`: `number` of events or stations in training, mean over folds; `rmse`
        (log10), `low`, `high`. On the axis `events` at all hidden stations; on the axis `stations` at those that are
        new to a quarter and to half of the network; all of it holds most of them.
    """
    rows = {}
    for axis, (counted, _) in PANELS.items():
        groups = EVERY if axis == "events" else NEW_TO_BOTH
        for share in _shares(records, axis):
            chosen = _chosen(records, axis, share)
            number = float(np.mean([record["result"][counted] for record in chosen]))
            for method in chosen[0]["result"]["scores"]:
                error = error_of(*_sums(chosen, method, groups))
                rows[axis, share, method] = {
                    "number": number,
                    "rmse": error.value,
                    "low": error.low,
                    "high": error.high,
                }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["axis", "share", "method"])


def judged(records) -> pd.DataFrame:
    """The four rules of `seisbook.studies.fields_learning`.

    Returns
    -------
    DataFrame
        Indexed by `axis` and `rule`: `value`, `low`, `high`, `word`.
    """
    smaller, larger = {"events": 0.5, "stations": 0.25}, {"events": 1.0, "stations": 0.5}
    few, rows = {"events": 0.125, "stations": 0.25}, {}
    for axis in PANELS:
        groups = EVERY if axis == "events" else NEW_TO_BOTH
        one, other = (_sums(_chosen(records, axis, at[axis]), MAIN, groups)[0] for at in (smaller, larger))
        rows[axis, "level"] = _judged(ratio_of(one, other), LEVEL)
        groups = EVERY if axis == "events" else NEW
        one, other = (_sums(_chosen(records, axis, few[axis]), method, groups)[0] for method in (MAIN, PEER))
        rows[axis, "ratio"] = _judged(ratio_of(one, other), {})
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["axis", "rule"])


@quoting
def quoted(records):
    """What the prose quotes, all regions in a row, from a name such as `learning-events-level`.

    Parameters
    ----------
    records : dict of str to list of dict
        By the region's name, records as `table` takes them.
    """
    found = {REGIONS[region]: judged(one) for region, one in records.items()}
    for axis in PANELS:
        for rule in ("level", "ratio"):
            rows = {region: table.loc[(axis, rule)] for region, table in found.items()}
            texts = {r: f"{Estimate(row.value, row.low, row.high):.3f} ({row.word})" for r, row in rows.items()}
            yield ("learning", axis, rule), listed(texts), ""


def _judged(ratio, words):
    word = below(ratio.low, ratio.high, LIMIT)
    return {"value": ratio.value, "low": ratio.low, "high": ratio.high, "word": words.get(word, word)}


def _shares(records, axis):
    return sorted({record["trial"][axis] for record in records})


def _chosen(records, axis, share):
    """Records with this share on an axis, and all of the other, one fold after the other."""
    other = {"events": "stations", "stations": "events"}[axis]
    found = [one for one in records if one["trial"][axis] == share and one["trial"][other] == 1.0]
    return sorted(found, key=lambda record: record["trial"]["fold"])


def _sums(records, method, groups):
    """Sum of squares and count of each test event, over groups of hidden stations."""
    scores = [[record["result"]["scores"][method][group] for group in groups] for record in records]
    return tuple(
        np.concatenate([np.sum([part[name] for part in parts], axis=0) for parts in scores])
        for name in ("square", "count")
    )
