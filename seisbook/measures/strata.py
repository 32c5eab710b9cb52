"""Errors by strata: magnitude, depth, azimuthal gap, number of stations."""

import logging
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely

from seisbook.catalogues import geodesy
from seisbook.errors import UserError
from seisbook.measures.estimates import bootstrap_ci
from seisbook.measures.evaluation import root_mean_square

log = logging.getLogger(__name__)
FEWEST = 5  # events in a stratum below which a bootstrap interval means nothing


def event_geometry(catalogue, network) -> pd.DataFrame:
    """Properties of the events by which errors are stratified.

    Returns
    -------
    DataFrame
        Indexed by `source_id`: the columns of `seisbook.catalogues.geodesy.geometry`, `inside` (whether the catalogue's
        epicentre lies in the convex hull of all the network's stations) and `magnitude`. That hull holds nearly all
        events that a network reports; whether the stations that read an event surround it is told by a gap below 180.
    """
    table = geodesy.geometry(catalogue, network)
    stations = network.station_table()
    hull = shapely.MultiPoint(np.column_stack(network.to_local(stations.latitude, stations.longitude))).convex_hull
    events = catalogue.events.loc[table.index]
    east, north = network.to_local(events.source_latitude_deg, events.source_longitude_deg)
    return table.assign(
        inside=shapely.intersects_xy(hull, np.asarray(east), np.asarray(north)), magnitude=events.source_magnitude
    )


class Strata(NamedTuple):
    """How a column of `event_geometry` is cut into strata: `edges` are their lower ends and the end of the last one."""

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
        Table of `seisbook.measures.evaluation.errors` or `hypocentral_errors`.
    catalogue_geometry : DataFrame
        Table of `event_geometry`, with all the events of `errors`.
    by : {"azimuthal_gap", "nearest_station", "n_stations", "network", "magnitude"}
    random_state : int
        Seed of the bootstrap.

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
        "magnitude_rmse": root_mean_square(magnitudes) if len(magnitudes) else np.nan,
    }
