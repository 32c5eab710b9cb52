"""How good a located catalogue is: errors with intervals, strata, calibration, and fair comparisons.

Errors are made once, event by event, by `errors` (of a learned model) or `hypocentral_errors` (of any locator); what
else is in this module reads that table. Kilometres, magnitude units, distances on the network's local plane.
"""

import logging
import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from scipy import special, stats

from seisbook import statistics
from seisbook.errors import UserError
from seisbook.statistics import bootstrap_ci
from seisbook.training import TAIL

log = logging.getLogger(__name__)

FEWEST = 5  # events in a stratum below which a bootstrap interval means nothing


# ------------------------------------------------------------------------------------------------------------- errors


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
    prediction : seisbook.model.Prediction
    events : seisbook.training.Events
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


# ------------------------------------------------------------------------------------------------------------ summary


def summarise_errors(errors, random_state=0) -> dict:
    """The numbers that a record holds, with 95 % bootstrap intervals over events.

    Parameters
    ----------
    errors : DataFrame
        Of `errors` or `hypocentral_errors`.
    random_state : int
        Of the bootstrap.

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
        "rmse": _rmse(values),
    }


def _magnitudes(values, random_state):
    if values.empty:
        return dict.fromkeys(("rmse", "ci", "bias", "sd", "mae"))
    rmse = bootstrap_ci(values, _rmse, random_state=random_state)
    return {
        "rmse": rmse.value,
        "ci": [rmse.low, rmse.high],
        "bias": float(values.mean()),
        "sd": float(values.std()) if len(values) > 1 else None,
        "mae": float(values.abs().mean()),
    }


def _rmse(values):
    return float(np.sqrt(np.mean(np.square(values))))


# ------------------------------------------------------------------------------------------------------------- strata


def event_geometry(catalogue, network) -> pd.DataFrame:
    """What errors are stratified by.

    Returns
    -------
    DataFrame
        Indexed by `source_id`: the columns of `seisbook.statistics.geometry`, `inside` (whether the catalogue's
        epicentre lies in the convex hull of all the network's stations) and `magnitude`. That hull holds nearly all
        events that a network reports; whether the stations that read an event surround it is told by a gap below 180.
    """
    table = statistics.geometry(catalogue, network)
    stations = network.station_table()
    hull = shapely.MultiPoint(np.column_stack(network.to_local(stations.latitude, stations.longitude))).convex_hull
    events = catalogue.events.loc[table.index]
    east, north = network.to_local(events.source_latitude_deg, events.source_longitude_deg)
    return table.assign(
        inside=shapely.intersects_xy(hull, np.asarray(east), np.asarray(north)), magnitude=events.source_magnitude
    )


class Strata(NamedTuple):
    """How a column of `event_geometry` is cut: `edges` are the lower ends, the last stratum is open or ends there."""

    column: str
    title: str
    edges: tuple[float, ...]


STRATA = {
    "azimuthal_gap": Strata("azimuthal_gap_deg", "azimuthal gap (°)", (0, 90, 180, 270, 360)),
    "nearest_station": Strata("nearest_station_km", "nearest station (km)", (0, 5, 10, 20, 50, 100, np.inf)),
    "n_stations": Strata("n_stations", "stations", (0, 5, 8, 12, 20, np.inf)),
    "network": Strata("inside", "position in the network", (0, 1, 2)),
    "magnitude": Strata("magnitude", "magnitude", ()),
}


def stratify(errors, catalogue_geometry, by, random_state=0) -> pd.DataFrame:
    """Errors by one property of the events.

    Parameters
    ----------
    errors : DataFrame
        Of `errors` or `hypocentral_errors`.
    catalogue_geometry : DataFrame
        Of `event_geometry`, with all the events of `errors`.
    by : {"azimuthal_gap", "nearest_station", "n_stations", "network", "magnitude"}
    random_state : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        One row per stratum, empty ones too: `n`, `epicentral_km` (median), its 95 % interval `low_km` and `high_km`
        (NaN with fewer than 5 events), `magnitude_rmse`. A stratum holds its lower end and not its upper one, but for
        the last; events without the property (a missing magnitude) are in none.

    Raises
    ------
    UserError
        If `by` is none of these, or the geometry lacks an event.
    """
    if by not in STRATA:
        raise UserError(f"stratify: no property '{by}': choose one of {', '.join(STRATA)}")
    unknown = errors.index.difference(catalogue_geometry.index)
    if len(unknown):
        raise UserError(f"stratify: the geometry lacks {len(unknown)} events, such as {unknown[0]}: use its catalogue")
    column, title, edges = STRATA[by]
    value = catalogue_geometry[column].reindex(errors.index).to_numpy(float)
    if not np.isfinite(value).all():
        log.info("stratify by %s: %d events have none", by, (~np.isfinite(value)).sum())
    edges = np.asarray(edges or _half_magnitudes(value), float)
    labels = ["outside", "inside"] if by == "network" else _labels(edges, whole=by == "n_stations")
    last = len(labels) - 1
    stratum = np.where(np.isfinite(value), np.minimum(np.searchsorted(edges, value, "right") - 1, last), -1)
    rows = [_stratum(errors[stratum == i], random_state) for i in range(len(labels))]
    return pd.DataFrame(rows, index=pd.Index(labels, name=title))


def _half_magnitudes(values):
    values = values[np.isfinite(values)]
    if not values.size:
        raise UserError("stratify: no event has a magnitude; stratify by another property")
    low = np.floor(values.min() * 2) / 2
    return np.arange(low, values.max() + 0.5, 0.5) if values.max() > low else [low, low + 0.5]


def _labels(edges, whole=False):
    """`0-90`, ..., with an open last one as `20 and more`; of whole numbers, the last one that a stratum holds."""
    pairs = pairwise(edges)
    return [f"{low:g} and more" if np.isinf(high) else f"{low:g}–{high - whole:g}" for low, high in pairs]


def _stratum(errors, random_state):
    n = len(errors)
    magnitudes = errors.magnitude.dropna()
    enough = n >= FEWEST
    interval = bootstrap_ci(errors.epicentral_km, random_state=random_state) if enough else (np.nan,) * 3
    return {
        "n": n,
        "epicentral_km": errors.epicentral_km.median() if n else np.nan,
        "low_km": interval[1],
        "high_km": interval[2],
        "magnitude_rmse": _rmse(magnitudes) if len(magnitudes) else np.nan,
    }


# -------------------------------------------------------------------------------------------------------- calibration


def ellipse_radius(level, dof=TAIL):
    r"""Mahalanobis distance within which a bivariate Student-t variable lies with probability `level`.

    .. math:: P(\lVert L^{-1} r \rVert \le \rho) = 1 - (1 + \rho^2 / \nu)^{-\nu / 2}

    since the squared distance over two follows Fisher's F with 2 and `dof` degrees of freedom.
    """
    return np.sqrt(dof * ((1 - np.asarray(level, float)) ** (-2 / dof) - 1))


def coverage(errors, levels=(0.5, 0.68, 0.9, 0.95)) -> pd.DataFrame:
    """How often the label lies where the model said it would with probability `level`.

    Parameters
    ----------
    errors : DataFrame
        Of `errors`.
    levels : sequence of float
        Nominal probabilities, between 0 and 1.

    Returns
    -------
    DataFrame
        One row per quantity (`epicentre`: ellipse; `depth`, `magnitude`: central interval) and level: `covered`, the
        share of the `n` events, and its 95 % interval `low`, `high` (Wilson), in which events count as independent.
        Quantities that no event has a label of are left out.
    """
    levels = _levels(levels)
    tests = {
        "epicentre": (errors.mahalanobis, ellipse_radius(levels)),
        "depth": ((errors.depth_pit - 0.5).abs(), levels / 2),
        "magnitude": ((errors.magnitude_pit - 0.5).abs(), levels / 2),
    }
    rows = [
        {"quantity": quantity, "level": level, **_share(distance.dropna() <= limit)}
        for quantity, (distance, limits) in tests.items()
        for level, limit in zip(levels, limits, strict=True)
        if distance.notna().any()
    ]
    return pd.DataFrame(rows, columns=["quantity", "level", "covered", "low", "high", "n"])


def _levels(levels):
    levels = np.atleast_1d(np.asarray(levels, float))
    if not ((levels > 0) & (levels < 1)).all():
        raise UserError(f"coverage: levels must lie between 0 and 1, not {levels.tolist()}")
    return levels


def _share(inside):
    result = stats.binomtest(int(np.sum(inside)), len(inside))
    low, high = result.proportion_ci(method="wilson")
    return {"covered": float(result.statistic), "low": float(low), "high": float(high), "n": len(inside)}


def crps_student_t(y, location, scale, dof):
    r"""Continuous ranked probability score of a Student-t prediction, in the unit of `y`; smaller is better.

    .. math:: \mathrm{CRPS} = \sigma \Bigl[ z (2 F_\nu(z) - 1) + 2 f_\nu(z) \frac{\nu + z^2}{\nu - 1}
        - \frac{2 \sqrt\nu}{\nu - 1} \frac{B(\frac12, \nu - \frac12)}{B(\frac12, \frac\nu2)^2} \Bigr],
        \qquad z = (y - \mu) / \sigma

    with :math:`F_\nu, f_\nu` the distribution and density of Student's t and `B` the beta function. It is the absolute
    error if the scale is 0, and weighs accuracy and honest uncertainty in one number.

    Parameters
    ----------
    y, location, scale : array_like
        Label, predicted location and scale; they broadcast. NaN gives NaN.
    dof : float
        Degrees of freedom, greater than 1; infinity for a Gaussian.

    Returns
    -------
    ndarray

    Raises
    ------
    UserError
        If `dof` is 1 or less: the score is infinite.

    References
    ----------
    A. Jordan, F. Krüger and S. Lerch (2019), Evaluating probabilistic forecasts with scoringRules, J. Stat. Softw.
    90(12), doi:10.18637/jss.v090.i12, appendix A.
    """
    if not dof > 1:
        raise UserError(f"crps_student_t: {dof:g} degrees of freedom; the score exists for more than 1")
    z = (np.asarray(y, float) - location) / scale
    if np.isinf(dof):
        return scale * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))
    beta = np.exp(special.betaln(0.5, dof - 0.5) - 2 * special.betaln(0.5, dof / 2))
    spread = 2 * np.sqrt(dof) / (dof - 1) * beta
    reach = 2 * stats.t.pdf(z, dof) * (dof + z**2) / (dof - 1)
    return scale * (z * (2 * stats.t.cdf(z, dof) - 1) + reach - spread)


@dataclass
class SplitConformal:
    r"""Ellipses stretched until they cover: split-conformal prediction of the epicentre.

    The radius is the :math:`\lceil (n + 1)\, \mathrm{level} \rceil`-th smallest Mahalanobis distance of `n` calibration
    events that did not train the model. If they and a new event are exchangeable, the new epicentre lies in its own
    ellipse scaled by that radius with probability `level` or more, however wrong the predicted scale.

    Parameters
    ----------
    level : float
        Nominal coverage, between 0 and 1.

    Attributes
    ----------
    radius : float
        Mahalanobis distance of the ellipse's rim; its mean radius is `radius * ellipse_km`.
    stretch : float
        That radius over the one of the predicted Student-t ellipse: above 1 if the model is too sure of itself.

    References
    ----------
    J. Lei, M. G'Sell, A. Rinaldo, R. J. Tibshirani and L. Wasserman (2018), Distribution-free predictive inference for
    regression, J. Am. Stat. Assoc. 113, 1094-1111, doi:10.1080/01621459.2017.1307116.
    """

    level: float = 0.9
    radius: float = field(default=math.nan, init=False)

    def fit(self, mahalanobis):
        """Find the radius from the distances of the calibration events.

        Raises
        ------
        UserError
            If they are too few for the level: its radius would be infinite.
        """
        (level,) = _levels(self.level)
        ordered = np.sort(np.asarray(mahalanobis, float))  # NaN, an event that was not predicted, is farthest
        rank = math.ceil((len(ordered) + 1) * level - 1e-9)  # 1e-9: 0.95 * 20 is 19, whatever floating point says
        if rank > len(ordered) or np.isnan(ordered[rank - 1]):
            least = math.ceil(level / (1 - level) - 1e-9)
            raise UserError(
                f"{np.isfinite(ordered).sum()} calibration events are too few for a level of {level:g}: "
                f"give at least {least}, or lower the level"
            )
        self.radius = float(ordered[rank - 1])
        return self

    @property
    def stretch(self) -> float:
        """Radius over that of the predicted ellipse at the same level."""
        return self.radius / float(ellipse_radius(self.level))

    def covers(self, mahalanobis):
        """Whether each event's epicentre lies in its ellipse: bool, with the shape of `mahalanobis`."""
        if math.isnan(self.radius):
            raise UserError("SplitConformal has no radius yet: call fit with the distances of calibration events")
        return np.asarray(mahalanobis, float) <= self.radius


def conformal_coverage(mahalanobis, folds, level=0.9) -> pd.DataFrame:
    """Coverage of split-conformal ellipses, each fold's radius being taken from the events outside it.

    With `time_folds` this asks whether a radius found in some weeks still covers in others, which exchangeability does
    not promise: aftershocks and changes of the network come in blocks.

    Parameters
    ----------
    mahalanobis : array_like, shape (events,)
        Of predictions by models that had not trained on the event: out-of-fold, by the same folds.
    folds : list of (ndarray, ndarray)
        Of `random_folds` or `time_folds`.
    level : float

    Returns
    -------
    DataFrame
        One row per fold, and a last one `all`: `radius` (of `all`: the mean), `covered`, `low`, `high` (95 %, Wilson),
        `n`.
    """
    mahalanobis = np.asarray(mahalanobis, float)
    fitted = [SplitConformal(level).fit(mahalanobis[others]) for others, _ in folds]
    inside = [one.covers(mahalanobis[test]) for one, (_, test) in zip(fitted, folds, strict=True)]
    rows = [{"radius": one.radius, **_share(covered)} for one, covered in zip(fitted, inside, strict=True)]
    rows.append({"radius": float(np.mean([one.radius for one in fitted])), **_share(np.concatenate(inside))})
    return pd.DataFrame(rows, index=pd.Index([*range(len(folds)), "all"], name="fold"))


# ------------------------------------------------------------------------------------------- splits, and their testing


def random_folds(n, k, random_state=0) -> list[tuple[np.ndarray, np.ndarray]]:
    """`k` folds of events drawn at random: a list of (train, test) indices, each in order.

    Aftershocks have neighbours in the training part: read the errors beside those of `time_folds`.

    Raises
    ------
    UserError
        If a fold would be empty.
    """
    return _folds(np.random.default_rng(random_state).permutation(n), k)


def time_folds(origin_time, k) -> list[tuple[np.ndarray, np.ndarray]]:
    """`k` folds of events that follow each other in time: a list of (train, test) indices, each in order.

    Parameters
    ----------
    origin_time : array_like of datetime64, shape (events,)
    k : int

    Raises
    ------
    UserError
        If a fold would be empty, or an event has no origin time.
    """
    times = pd.DatetimeIndex(pd.to_datetime(origin_time, utc=True))
    if times.isna().any():
        raise UserError(
            f"time_folds: {times.isna().sum()} events have no origin time: leave them out, or split randomly"
        )
    return _folds(np.argsort(times.asi8, kind="stable"), k)


def _folds(order, k):
    if not 2 <= k <= len(order):
        raise UserError(f"{k} folds of {len(order)} events: choose from 2 to as many folds as events, or one is empty")
    tests = [np.sort(part) for part in np.array_split(order, k)]
    return [(np.setdiff1d(order, test), test) for test in tests]


class Comparison(NamedTuple):
    """Mean difference of two methods, its 95 % confidence interval, and the two-sided p-value."""

    mean: float
    low: float
    high: float
    p: float


def corrected_t_test(differences, n_train, n_test) -> Comparison:
    r"""Resampled t-test between two methods, corrected for training sets that overlap.

    .. math:: t = \bar d \Big/ \sqrt{\Bigl(\frac1J + \frac{n_\mathrm{test}}{n_\mathrm{train}}\Bigr) s^2_d}

    with `J - 1` degrees of freedom. Without the second term, folds count as independent and differences seem certain.

    Parameters
    ----------
    differences : array_like, shape (J,)
        Of the two methods' scores on the same folds and seeds, such as their median errors.
    n_train, n_test : float
        Events in a fold's training and test part (the mean, if folds differ by one).

    Returns
    -------
    Comparison

    Raises
    ------
    UserError
        If there are fewer than two differences, one is not finite, or a part is empty.

    References
    ----------
    C. Nadeau and Y. Bengio (2003), Inference for the generalization error, Mach. Learn. 52, 239-281,
    doi:10.1023/A:1024068626366.
    """
    d = np.asarray(differences, float)
    if d.ndim != 1 or len(d) < 2 or not np.isfinite(d).all():
        raise UserError(f"corrected_t_test: {d.size} differences; give two or more finite ones, one per fold")
    if n_train <= 0 or n_test <= 0:
        raise UserError(f"corrected_t_test: {n_train} training and {n_test} test events; both must be positive")
    mean, spread = float(d.mean()), float(d.std(ddof=1) * np.sqrt(1 / len(d) + n_test / n_train))
    if spread == 0:  # all differences are equal
        return Comparison(mean, mean, mean, 1.0 if mean == 0 else 0.0)
    student = stats.t(len(d) - 1)
    reach = float(student.ppf(0.975)) * spread
    return Comparison(mean, mean - reach, mean + reach, float(2 * student.sf(abs(mean) / spread)))
