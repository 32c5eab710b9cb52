"""What the study of inversion says: errors of sources from amplitudes, ratios between methods, and the targets."""

import numpy as np
import pandas as pd

from seisbook.findings.fields import REGIONS, listed
from seisbook.findings.quotations import quoting
from seisbook.measures.estimates import Estimate, below, estimate, resampled

TITLES = {
    "grid": "grid search with the attenuation law",
    "dynamic": "network, dynamic graph",
    "static": "network, static graph",
    "none": "network, no edges",
}
TARGETS = {"greece": {"epicentral_km": 12.0, "magnitude": 0.22}}
"""Median epicentral error in km and root mean square error of magnitude, by region."""
COMPARISONS = (("dynamic", "grid"), ("dynamic", "none"), ("dynamic", "static"))
WORDS = {"supported": "reached", "not supported": "missed", "inconclusive": "open"}


def _rms(values, axis=-1):
    return np.sqrt(np.mean(np.square(values), axis=axis))


STATISTICS = {"epicentral_km": np.median, "magnitude": _rms}
"""How the errors of events become one number."""


def table(records, region="") -> pd.DataFrame:
    """Errors of each method over all folds, with intervals that resample events.

    Parameters
    ----------
    records : list of dict
        Each a `trial` and its `result`, as `seisbook.studies.runner.load` and `read` return them.
    region : str
        Its name, for the targets.

    Returns
    -------
    DataFrame
        Indexed by `method`: `epicentral_km`, the median, and `magnitude`, the root mean square, each with `_low`,
        `_high` and `_target`, which says whether the target is reached, missed or open, and is empty without a target;
        `depth_km`, the median of the absolute errors where the catalogue has a depth; `events`.
    """
    rows = {}
    for method in _methods(records):
        found = errors(records, method)
        rows[method] = {"events": len(found["epicentral_km"]), "depth_km": np.nanmedian(np.abs(found["depth_km"]))}
        for name, statistic in STATISTICS.items():
            value = estimate(resampled(found[name], statistic))
            columns = dict(zip((name, f"{name}_low", f"{name}_high"), value, strict=True))
            rows[method] |= columns | {f"{name}_target": _reached(value, TARGETS.get(region, {}).get(name))}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def comparisons(records) -> pd.DataFrame:
    """Ratios of errors of two methods, paired by event, with the verdict "it is below 1".

    Returns
    -------
    DataFrame
        Indexed by `method` and `other`: for `epicentral_km` and `magnitude` the ratio, `_low`, `_high`, `_verdict`.
    """
    rows, known = {}, _methods(records)
    for method, other in COMPARISONS:
        if method not in known or other not in known:
            continue
        pair = errors(records, method), errors(records, other)
        if len(pair[0]["magnitude"]) != len(pair[1]["magnitude"]):  # folds are missing: nothing to be compared with
            continue
        rows[method, other] = {}
        for name, statistic in STATISTICS.items():
            one, two = resampled(np.stack([found[name] for found in pair]), statistic)
            ratio = estimate(one / two)
            columns = dict(zip((name, f"{name}_low", f"{name}_high"), ratio, strict=True))
            rows[method, other] |= columns | {f"{name}_verdict": below(ratio.low, ratio.high, 1.0)}
    index = pd.MultiIndex.from_tuples(list(rows), names=["method", "other"])
    return pd.DataFrame(list(rows.values()), index=index)


def errors(records, method) -> dict[str, np.ndarray]:
    """Errors of all events, one fold after the other; NaN where the catalogue has no depth."""
    chosen = sorted((r for r in records if r["trial"]["arm"] == method), key=lambda record: record["trial"]["fold"])
    names = ("epicentral_km", "depth_km", "magnitude")
    return {name: np.concatenate([np.array(r["result"][name], float) for r in chosen]) for name in names}


def in_words(found: pd.DataFrame) -> pd.DataFrame:
    """A table for readers: titles of methods, and each number with its interval.

    Parameters
    ----------
    found : DataFrame
        From `table`.
    """
    rows = {
        TITLES[method]: {
            "epicentre, median (km)": _text(row, "epicentral_km", ".1f"),
            "magnitude, root mean square": _text(row, "magnitude", ".2f"),
            "depth, median (km)": f"{row.depth_km:.1f}",
        }
        for method, row in found.iterrows()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


@quoting
def quoted(records):
    """What the prose quotes, all regions in a row, from a name such as `inversion-dynamic-grid-magnitude`.

    Parameters
    ----------
    records : dict of str to list of dict
        By the region's name, records as `table` takes them.
    """
    ratios = {REGIONS[region]: comparisons(one) for region, one in records.items()}
    for pair in COMPARISONS:
        for name in STATISTICS:
            rows = {region: found.loc[pair] for region, found in ratios.items() if pair in found.index}
            texts = {r: f"{_text(row, name, '.2f')} ({row[f'{name}_verdict']})" for r, row in rows.items()}
            yield ("inversion", *pair, name), listed(texts), ""
    for region, targets in TARGETS.items():
        if region in records:
            row = table(records[region], region).loc["dynamic"]
            for name in targets:
                yield ("inversion", region, name, "target"), row[f"{name}_target"], ""


def _text(row, name, form):
    return format(Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"]), form)


def _methods(records):
    """Methods of which there are records, in the order of `TITLES`."""
    known = {record["trial"]["arm"] for record in records}
    return [name for name in TITLES if name in known]


def _reached(value, target):
    return "" if target is None else WORDS[below(value.low, value.high, target)]
