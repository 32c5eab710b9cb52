"""How good a located catalogue is: errors with intervals, strata, calibration, and fair comparisons.

Errors are made once, event by event, by `errors` (of a learned model) or `hypocentral_errors` (of any locator); what
else is in this module reads that table. Kilometres, magnitude units, distances on the network's local plane.
"""

import logging

import numpy as np
import pandas as pd
from scipy import stats

from seisbook.errors import UserError
from seisbook.measures.calibration import crps_student_t
from seisbook.measures.estimates import bootstrap_ci
from seisbook.models.error_model import TAIL

log = logging.getLogger(__name__)


def hypocentral_errors(estimate, y, source_id) -> pd.DataFrame:
    """Errors of located events, whatever located them.

    Parameters
    ----------
    estimate, y : array_like, shape (events, 4)
        East, north and depth in km, magnitude; `y` is the label, whose magnitude may be NaN.
    source_id : array_like, shape (events,)

    Returns
    -------
    DataFrame
        Indexed by `source_id`: `epicentral_km`, `depth_km` (signed, positive if too deep), `hypocentral_km`,
        `magnitude` (signed, positive if too large; NaN without a label).

    Raises
    ------
    UserError
        If there is no event, the numbers of events differ, or a location is not finite. An event that a method fails to
        locate cannot be passed over: its errors would look smaller than those of a method that tries.
    """
    estimate, y = np.asarray(estimate, float), np.asarray(y, float)
    if not len(y) or not len(estimate) == len(y) == len(source_id):
        raise UserError(
            f"errors: {len(estimate)} predictions for {len(y)} events: predict the same events, and at least one"
        )
    difference = estimate - y
    lost = ~np.isfinite(difference[:, :3]).all(1) | (np.isfinite(y[:, 3]) & ~np.isfinite(estimate[:, 3]))
    if lost.any():
        raise UserError(
            f"errors: {lost.sum()} of {len(y)} events have no finite prediction, the first one is "
            f"{np.asarray(source_id)[lost][0]}: locate it, or leave it out for every method"
        )
    epicentral = np.hypot(difference[:, 0], difference[:, 1])
    columns = {
        "epicentral_km": epicentral,
        "depth_km": difference[:, 2],
        "hypocentral_km": np.hypot(epicentral, difference[:, 2]),
        "magnitude": difference[:, 3],
    }
    return pd.DataFrame(columns, index=pd.Index(source_id, name="source_id"))


def estimates(prediction) -> np.ndarray:
    """East, north, depth (km) and magnitude that a model predicts, as an array (events, 4)."""
    columns = *prediction.epicentre.unbind(-1), prediction.depth, prediction.magnitude
    return np.column_stack([column.detach().cpu().double().numpy() for column in columns])


def errors(prediction, events) -> pd.DataFrame:
    r"""Errors of a model's predictions, and where they lie in the distributions that it predicted.

    Parameters
    ----------
    prediction : seisbook.models.graph.Prediction
    events : seisbook.datasets.events.Events
        The same events, in the same order.

    Returns
    -------
    DataFrame
        The columns of `hypocentral_errors`, and

        - `mahalanobis`: :math:`\lVert L^{-1} r \rVert` of the epicentre, with `L` the predicted Cholesky factor;
        - `ellipse_km`: :math:`\sqrt{\det L}`, the mean radius of the predicted ellipse at distance 1: times
          a radius of `ellipse_radius` or `SplitConformal`, that of the circle of equal area;
        - `depth_pit`, `magnitude_pit`: the predicted Student-t distribution function at the label, uniform on
          [0, 1] if the predicted uncertainty is right;
        - `depth_crps_km`, `magnitude_crps`: see `crps_student_t`.
    """
    values = {name: value.detach().cpu().double().numpy() for name, value in prediction._asdict().items()}
    y = events.y.cpu().double().numpy()
    estimate = estimates(prediction)
    table = hypocentral_errors(estimate, y, events.source_id)
    tril = values["epicentre_tril"]
    first = (y[:, 0] - estimate[:, 0]) / tril[:, 0, 0]  # forward substitution in L z = r
    second = (y[:, 1] - estimate[:, 1] - tril[:, 1, 0] * first) / tril[:, 1, 1]
    table["mahalanobis"] = np.hypot(first, second)
    table["ellipse_km"] = np.sqrt(tril[:, 0, 0] * tril[:, 1, 1])
    for column, name, unit in ((2, "depth", "_km"), (3, "magnitude", "")):
        label, location, scale = y[:, column], values[name], values[f"{name}_scale"]
        table[f"{name}_pit"] = stats.t.cdf((label - location) / scale, TAIL)
        table[f"{name}_crps{unit}"] = crps_student_t(label, location, scale, TAIL)
    return table


def rounded(errors, columns=("epicentral_km", "depth_km", "magnitude")) -> dict:
    """Some columns of a table of errors as lists of five digits, as a study keeps them."""
    return {name: [float(f"{value:.5g}") for value in errors[name]] for name in columns}


def summarise_errors(errors, random_state=0) -> dict:
    """Summary of errors, as a record holds it, with 95 % bootstrap intervals over events.

    Parameters
    ----------
    errors : DataFrame
        Table of `errors` or `hypocentral_errors`.
    random_state : int
        Seed of the bootstrap.

    Returns
    -------
    dict
        `epicentral_km`, `depth_km` (of the absolute error, and its signed `bias`) and `hypocentral_km`: `median`, its
        interval `ci` [low, high], `mean`, `p90`, `rmse`. `magnitude`: `rmse`, its `ci`, `bias`, `sd` and `mae` over the
        events that have a magnitude; all None if none has. Plain numbers, for JSON.

    Raises
    ------
    UserError
        If the table is empty.
    """
    if errors.empty:
        raise UserError("summarise_errors: there is no event: the fold or the selection is empty")
    summary = {
        name: _distances(errors[name].abs(), random_state) for name in ("epicentral_km", "depth_km", "hypocentral_km")
    }
    summary["depth_km"]["bias"] = float(errors.depth_km.mean())
    return {**summary, "magnitude": _magnitudes(errors.magnitude.dropna(), random_state)}


def describe(summary) -> str:
    """The numbers of `summarise_errors` as text, a line each."""
    names = {"epicentral_km": "epicentre (km)", "depth_km": "depth (km)", "hypocentral_km": "hypocentre (km)"}
    line = "{:16} median {median:.2f} [{ci[0]:.2f}, {ci[1]:.2f}], mean {mean:.2f}, 90 % {p90:.2f}, RMSE {rmse:.2f}"
    lines = [line.format(title, **summary[name]) for name, title in names.items()]
    if summary["magnitude"]["rmse"] is not None:
        line = "{:16} RMSE {rmse:.3f} [{ci[0]:.3f}, {ci[1]:.3f}], bias {bias:+.3f}, MAE {mae:.3f}"
        lines.append(line.format("magnitude", **summary["magnitude"]))
    return "\n".join(lines)


def _distances(values, random_state):
    median = bootstrap_ci(values, random_state=random_state)
    return {
        "median": median.value,
        "ci": [median.low, median.high],
        "mean": float(values.mean()),
        "p90": float(values.quantile(0.9)),
        "rmse": root_mean_square(values),
    }


def _magnitudes(values, random_state):
    if values.empty:
        return dict.fromkeys(("rmse", "ci", "bias", "sd", "mae"))
    rmse = bootstrap_ci(values, root_mean_square, random_state=random_state)
    return {
        "rmse": rmse.value,
        "ci": [rmse.low, rmse.high],
        "bias": float(values.mean()),
        "sd": float(values.std()) if len(values) > 1 else None,
        "mae": float(values.abs().mean()),
    }


def root_mean_square(values) -> float:
    """Root of the mean square of some errors."""
    return float(np.sqrt(np.mean(np.square(values))))
