"""What the study of one embedding for two tasks says: errors together, apart and after masked training."""

import numpy as np
import pandas as pd

from seisbook.findings import fields_inversion
from seisbook.findings.fields import REGIONS, listed
from seisbook.findings.quotations import quoting
from seisbook.measures.estimates import Estimate, below, estimate, resampled
from seisbook.measures.reconstruction import error_of, ratio_of

STUDY = "fields-together"
ALONE = {"epicentral_km": "source", "magnitude": "source", "field": "field"}
"""Arm that was trained for nothing but an error's task."""
OTHERS = {"together": "together", "after masking": "after masked nodes"}
TITLES = {
    "epicentral_km": "epicentre, median (km)",
    "magnitude": "magnitude, root mean square",
    "field": "field at hidden stations (log10)",
}


def table(records) -> pd.DataFrame:
    """Errors of each arm, and their ratios to those of the arm that was trained for the task alone.

    Parameters
    ----------
    records : list of dict
        Each a `trial` and its `result`, as `seisbook.studies.runner.load` and `read` return them.

    Returns
    -------
    DataFrame
        Indexed by `error` and `arm` (`alone`, `together`, `after masking`): `value`, `low`, `high`; `ratio`,
        `ratio_low`, `ratio_high`; `verdict` of the rule, empty of `alone`; `events`.
    """
    rows = {}
    for error, alone in ALONE.items():
        arms = {"alone": alone, "together": "together", "after masking": f"{alone} after masking"}
        base = _errors(records, alone, error)
        for name, arm in arms.items():
            found = _errors(records, arm, error)
            value, ratio = _value(found, error), _ratio(found, base, error)
            rows[error, name] = {**_columns(value, "value", "low", "high"), "events": found.shape[-1]}
            rows[error, name] |= _columns(ratio, "ratio", "ratio_low", "ratio_high")
            rows[error, name]["verdict"] = "" if arm == alone else below(ratio.low, ratio.high, 1.0)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["error", "arm"])


def in_words(tables) -> pd.DataFrame:
    """A table for readers: errors of what is trained alone, and ratios of the others to them.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By the region's title, from `table`.
    """
    rows = {}
    for region, found in tables.items():
        for error, title in TITLES.items():
            row = found.loc[(error, "alone")]
            form = ".1f" if error == "epicentral_km" else ".3f"
            rows[region, title] = {"trained alone": format(Estimate(row.value, row.low, row.high), form)}
            for arm, words in OTHERS.items():
                rows[region, title][f"{words}, ratio"] = _text(found.loc[(error, arm)])
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["region", "error"])


@quoting
def quoted(records):
    """What the prose quotes, all regions in a row, from a name such as `shared-field-together`.

    Parameters
    ----------
    records : dict of str to list of dict
        By the region's name, records as `table` takes them.
    """
    tables = {REGIONS[region]: table(one) for region, one in records.items()}
    for error in ALONE:
        for arm in OTHERS:
            texts = {region: _text(found.loc[(error, arm)]) for region, found in tables.items()}
            yield ("shared", error, arm), listed(texts), ""


def _text(row):
    return f"{Estimate(row.ratio, row.ratio_low, row.ratio_high):.2f} ({row.verdict})"


def _errors(records, arm, error):
    """Errors of all events, one fold after the other: of a source (events,), of a field sums of squares, counts."""
    chosen = [record for record in records if record["trial"]["arm"] == arm]
    if error != "field":
        sources = [{"trial": record["trial"], "result": record["result"]["source"]} for record in chosen]
        return fields_inversion.errors(sources, arm)[error]
    chosen.sort(key=lambda record: record["trial"]["fold"])
    parts = [np.sum([[share["square"], share["count"]] for share in r["result"]["field"].values()], 0) for r in chosen]
    return np.concatenate(parts, axis=1)


def _value(found, error):
    if error == "field":
        return error_of(*found)
    return estimate(resampled(found, fields_inversion.STATISTICS[error]))


def _ratio(found, base, error):
    if error == "field":
        return ratio_of(found[0], base[0])
    one, other = resampled(np.stack([found, base]), fields_inversion.STATISTICS[error])
    return estimate(one / other)


def _columns(value, *names):
    return dict(zip(names, value, strict=True))
