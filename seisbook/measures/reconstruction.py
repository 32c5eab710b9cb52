"""Errors of reconstructed fields at hidden stations: by event, with intervals that resample events."""

import numpy as np
import pandas as pd

from seisbook.measures.calibration import crps_student_t
from seisbook.measures.estimates import Estimate, bootstrap_ci
from seisbook.models.error_model import TAIL
from seisbook.models.field_methods import REACH

FARTHEST = 2.0
"""log10: a miss by more than a factor of a hundred counts as one by a hundred. About one value in a hundred of the data
is wrong by that much, and no method can know which."""


def scores(prediction, fields, observed) -> dict:
    """Scores of a reconstruction at the hidden stations.

    Parameters
    ----------
    prediction : Reconstruction
    fields : Fields
    observed : ndarray of bool, shape (rows,)

    Returns
    -------
    dict
        For each event, `square`, the sum of the squared errors (log10, cut at `FARTHEST`) over its hidden values, and
        `count`, their number. For each measure, `rmse`, `covered` (share of the values in their 90 % interval) and
        `crps` (continuous ranked probability score, of errors that are cut alike).
    """
    hidden = ~observed[:, None] & np.isfinite(fields.values)
    error = np.clip(np.where(hidden, fields.values - prediction.mean, 0.0), -FARTHEST, FARTHEST)
    inside = np.abs(error) <= REACH * prediction.scale
    crps = crps_student_t(error, 0.0, prediction.scale, TAIL)
    number = np.maximum(hidden.sum(0), 1)
    return {
        "square": np.bincount(fields.event, (error**2).sum(1), len(fields)),
        "count": np.bincount(fields.event, hidden.sum(1), len(fields)),
        "rmse": np.sqrt((error**2).sum(0) / number),
        "covered": (inside & hidden).sum(0) / number,
        "crps": (crps * hidden).sum(0) / number,
    }


def error_of(square, count) -> Estimate:
    """Root mean square error with its interval over events."""
    return bootstrap_ci(np.column_stack([square, count]), _rms)


def ratio_of(square, other) -> Estimate:
    """Ratio of the root mean square errors of two methods at the same stations, with its interval over events.

    Parameters
    ----------
    square, other : array_like, shape (events,)
        Sums of the squared errors of each event.
    """
    return bootstrap_ci(np.column_stack([square, other]), _rms)


def with_few(methods, fields, counts=(3, 1, 0), random_state=0) -> pd.DataFrame:
    """Errors where an event has three observed stations, one, or none: always at the same hidden stations.

    Parameters
    ----------
    methods : dict of str to FieldMethod
        Fitted.
    fields : Fields
    counts : sequence of int
        Numbers of observed stations; the fewer are a part of the more.
    random_state : int
        Of their choice.

    Returns
    -------
    DataFrame
        By number of observed stations and method: `rmse` (log10, errors cut at `FARTHEST`), `low`, `high`, and
        `covered`, the share of the values in their 90 % interval.
    """
    rng = np.random.default_rng(random_state)
    rank = np.concatenate([rng.permutation(size) for size in fields.sizes])
    never = rank < max(counts)
    rows = {}
    for count in counts:
        for name, method in methods.items():
            found = scores(method.predict(fields, rank < count), fields, never)
            shares = dict(zip(("rmse", "low", "high"), error_of(found["square"], found["count"]), strict=True))
            rows[count, name] = shares | {"covered": float(found["covered"].mean())}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["observed", "method"])


def _rms(rows):
    """Root of the ratio of two sums."""
    return np.sqrt(rows[:, 0].sum() / max(rows[:, 1].sum(), 1e-12))
