r"""Measured ground motion: one value of each of five measures for each station and event, in log10 units.

================  =======================================  =======
measure           what                                     unit
================  =======================================  =======
``pga``           peak ground acceleration                 %g
``pgv``           peak ground velocity                     cm/s
``psa03``         spectral acceleration at 0.3 s, 5 %      %g
``psa10``         spectral acceleration at 1 s, 5 %        %g
``psa30``         spectral acceleration at 3 s, 5 %        %g
================  =======================================  =======

A value is the logarithm of the geometric mean of the two horizontal components,
:math:`y = (\log_{10} a_1 + \log_{10} a_2) / 2`.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from seisbook.catalogues.geodesy import distance_azimuth
from seisbook.catalogues.remarks import event_left_out

MEASURES = ("pga", "pgv", "psa03", "psa10", "psa30")
LABELS = {
    "pga": "peak acceleration (%g)",
    "pgv": "peak velocity (cm/s)",
    "psa03": "spectral acceleration, 0.3 s (%g)",
    "psa10": "spectral acceleration, 1 s (%g)",
    "psa30": "spectral acceleration, 3 s (%g)",
}
POSSIBLE = 1e-7, 1e3
"""Smallest and largest value of any measure: below is less than any noise, above is ten times gravity."""
DEEPEST_KM = 700.0
SAME_SITE_KM = 0.1  # stations that are closer are one site
MOVED_KM = 1.0  # a station whose stated positions differ by more gets a remark
EVENT_COLUMNS = {
    "source_origin_time": "datetime64[ns, UTC]",
    "source_latitude_deg": float,
    "source_longitude_deg": float,
    "source_depth_km": float,
    "source_magnitude": float,
}


@dataclass
class GroundMotion:
    """Events with the ground motion that was measured at their stations.

    Parameters
    ----------
    events : DataFrame
        Indexed by `source_id`: `source_origin_time`, `source_latitude_deg`, `source_longitude_deg`, `source_depth_km`
        (NaN where not known) and `source_magnitude`.
    records : DataFrame
        One row for each event and station: `source_id`, `station` (network and station code), `latitude`, `longitude`,
        and a column for each of `MEASURES`, log10, NaN where there is no possible value.
    remarks : list of str
        What was left out, and why.
    """

    events: pd.DataFrame
    records: pd.DataFrame
    remarks: list[str] = field(default_factory=list)

    def inside(self, region) -> "GroundMotion":
        """The events of a region that have enough stations within its farthest distance.

        Parameters
        ----------
        region : Region
        """
        events = self.events[region.holds(self.events.source_latitude_deg, self.events.source_longitude_deg)]
        records = self.records[self.records.source_id.isin(events.index)]
        at = events.reindex(records.source_id)
        distance, _ = distance_azimuth(
            at.source_latitude_deg, at.source_longitude_deg, records.latitude, records.longitude
        )
        near = records[distance <= region.farthest_km]
        counts = near.groupby("source_id").size().reindex(events.index, fill_value=0)
        kept = events[counts >= region.minimum_stations]
        remarks = [
            f"{len(records) - len(near)} station records left out, farther than {region.farthest_km:g} km",
            f"{len(events) - len(kept)} events left out, with fewer than {region.minimum_stations} stations",
        ]
        records = near[near.source_id.isin(kept.index)].reset_index(drop=True)
        return GroundMotion(kept, records, [*self.remarks, *remarks])


# ------------------------------------------------------------------------------------------------------------- cleaning


def clean(events, components) -> GroundMotion:
    """Possible values of known events and places: one record for each event and site.

    Parameters
    ----------
    events : DataFrame
        Columns `source_id`, `time`, `latitude`, `longitude`, `depth`, `magnitude`, as text.
    components : DataFrame
        Columns `source_id`, `database` (`ESM` or `RRSM`), `station`, `latitude`, `longitude`, `sensor` (location and
        channel without its last letter), `component` (the last letter), and for each of `MEASURES` its value as text
        and, with `_flag` appended, its flag.

    Returns
    -------
    GroundMotion
    """
    remarks = []
    events = _possible_events(events, remarks)
    components = components[components.source_id.isin(events.index)]
    components = _not_rejected(_possible_places(components, remarks), remarks)
    values = _possible_values(components, remarks)
    records = _horizontals(components, values, remarks)
    records = _at_sites(_first_database(records, remarks), remarks)
    return GroundMotion(events, records, remarks)


def _possible_events(events, remarks):
    """Events with a time, a place and a magnitude; a depth that cannot be is not known."""
    table = pd.DataFrame(
        {
            "source_origin_time": pd.to_datetime(events.time, utc=True, errors="coerce", format="ISO8601").to_numpy(),
            "source_latitude_deg": _number(events.latitude, -90, 90),
            "source_longitude_deg": _number(events.longitude, -180, 180),
            "source_depth_km": _number(events.depth, 0, DEEPEST_KM),
            "source_magnitude": _number(events.magnitude, -1, 10),
        },
        index=pd.Index(events.source_id.astype(str), name="source_id"),
    )
    table["source_origin_time"] = pd.to_datetime(table.source_origin_time, utc=True)
    names = {"source_origin_time": "a time", "source_latitude_deg": "a place", "source_magnitude": "a magnitude"}
    for column, what in names.items():
        bad = table[column].isna() | (table.source_longitude_deg.isna() & (what == "a place"))
        remarks += [event_left_out(name, f"without {what}") for name in table.index[bad]]
        table = table[~bad]
    shallow = int(table.source_depth_km.isna().sum())
    remarks += [f"{shallow} events without a possible depth: their depth counts as not known"] * bool(shallow)
    return table.sort_index()


def _number(text, low, high):
    """Numbers from text, NaN where there is none between `low` and `high`."""
    number = pd.to_numeric(pd.Series(list(text), dtype=object), errors="coerce").to_numpy(float)
    with np.errstate(invalid="ignore"):
        return np.where((number >= low) & (number <= high), number, np.nan)


def _possible_places(components, remarks):
    latitude, longitude = _number(components.latitude, -90, 90), _number(components.longitude, -180, 180)
    bad = np.isnan(latitude) | np.isnan(longitude) | ((latitude == 0) & (longitude == 0))
    remarks += [f"{bad.sum()} components left out, at stations without possible coordinates"] * bool(bad.any())
    return components.assign(latitude=latitude, longitude=longitude)[~bad]


def _not_rejected(components, remarks):
    """Without automatic values of a record that people flagged when they revised it."""
    flagged = (components[[f"{name}_flag" for name in MEASURES]] == "1").any(axis=1)
    keys = pd.MultiIndex.from_frame(components[["source_id", "station"]])
    rejected = keys[flagged & (components.database == "ESM")].unique()
    bad = (components.database == "RRSM") & keys.isin(rejected)
    remarks.append(f"{bad.sum()} components of RRSM left out: ESM flags the same record")
    return components[~bad]


def _possible_values(components, remarks):
    """log10 of the values (components, measures), NaN where one is flagged or impossible."""
    values = np.column_stack([_number(components[name], -np.inf, np.inf) for name in MEASURES])
    flagged = np.column_stack([components[f"{name}_flag"] != "0" for name in MEASURES])
    odd = ~flagged & ~((values >= POSSIBLE[0]) & (values <= POSSIBLE[1]))
    zero = odd & (values == 0)
    remarks.append(f"{flagged.sum()} values left out, flagged by their database")
    remarks.append(f"{zero.sum()} values left out, zero")
    remarks.append(f"{(odd & ~zero).sum()} values left out, not between {POSSIBLE[0]:g} and {POSSIBLE[1]:g}")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(flagged | odd, np.nan, np.log10(np.abs(values)))


def _horizontals(components, values, remarks):
    """Mean of the two horizontals, of the sensor that has both; vertical components end with Z or 3."""
    keys = ["source_id", "database", "station"]
    rows = components[[*keys, "latitude", "longitude", "sensor"]].copy()
    rows[list(MEASURES)] = values
    horizontal = ~components.component.isin(["Z", "3", ""])
    used = rows[horizontal & rows[list(MEASURES)].notna().any(axis=1)]
    grouped = used.groupby([*keys, "sensor"], sort=True)
    means = grouped[[*MEASURES, "latitude", "longitude"]].mean()
    means["components"] = grouped.size()
    means = means.reset_index().sort_values([*keys, "components", "sensor"], ascending=[True] * 3 + [False, True])
    chosen = means.drop_duplicates(keys)
    more, single = len(means) - len(chosen), int((chosen.components == 1).sum())
    remarks.append(f"{more} records of second sensors left out: the one with both horizontals stands for the station")
    remarks.append(f"{single} records have one horizontal component")
    return chosen.drop(columns=["sensor", "components"])


def _first_database(records, remarks):
    """The revised value (ESM) where a station has both."""
    ordered = records.sort_values(["source_id", "station", "database"])  # ESM comes before RRSM
    chosen = ordered.drop_duplicates(["source_id", "station"])
    remarks.append(f"{len(ordered) - len(chosen)} records of RRSM left out: ESM has the same")
    return chosen.reset_index(drop=True)


def _at_sites(records, remarks):
    """One record for each event and site: stations closer than `SAME_SITE_KM` are one, at its median position."""
    places = records.groupby("station")[["latitude", "longitude"]].agg(["median", "min", "max"])
    if places.empty:
        return records.drop(columns="database")
    latitude, longitude = places["latitude"]["median"], places["longitude"]["median"]
    spread, _ = distance_azimuth(*(places[name][end] for end in ("min", "max") for name in ("latitude", "longitude")))
    moved = places.index[spread > MOVED_KM]
    remarks += [f"station {name}: stated positions differ by more than {MOVED_KM:g} km" for name in moved]
    site = _sites(latitude.to_numpy(), longitude.to_numpy())
    table = pd.DataFrame({"latitude": latitude, "longitude": longitude, "site": site})
    first = table.reset_index().groupby("site").first()
    table = first.loc[site].set_index(table.index)  # the first code in the alphabet names the site
    merged = int((table.station != table.index).sum())
    remarks.append(f"{merged} stations merged with one that is closer than {1000 * SAME_SITE_KM:g} m")
    at = table.loc[records.station]
    records = records.assign(**{name: at[name].to_numpy() for name in ("station", "latitude", "longitude")})
    ordered = records.sort_values(["source_id", "station", "database"], kind="stable")
    chosen = ordered.drop_duplicates(["source_id", "station"])
    remarks.append(f"{len(ordered) - len(chosen)} records left out: another sensor at the same site")
    return chosen.drop(columns="database").reset_index(drop=True)


def _sites(latitude, longitude):
    """Number of the site of each station: stations are linked if they are closer than `SAME_SITE_KM`."""
    radius = 6371.0
    lat, lon = np.radians(latitude), np.radians(longitude)
    points = radius * np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    pairs = cKDTree(points).query_pairs(SAME_SITE_KM, output_type="ndarray")
    links = coo_matrix((np.ones(len(pairs)), pairs.T), shape=(len(points),) * 2)
    return connected_components(links, directed=False)[1]
