r"""Second opinions on new events: where other locators put them, and whether both disagree by more than their errors.

The classical locator gets the onsets that the model found and used. PyOcto gets the picks of the reader's own file.
Two epicentres that are `d` apart *disagree* if

.. math:: d^\top (S + C)^{-1} d > \rho^2,

with the scale matrix `S` of the model's ellipse, the covariance `C` of the other locator (zero for PyOcto, which states
none), and the radius :math:`\rho` of the model's 90 % ellipse. Depths disagree if they differ by more than 1.64 of
their common standard deviations.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.geodesy import azimuthal_equidistant
from seisbook.errors import UserError
from seisbook.measures.calibration import ellipse_radius
from seisbook.measures.location import CONFIDENCE, Location
from seisbook.models.known_terms import KnownTermsLocator, KnownTermsOcto

LOCATORS = {"classical": KnownTermsLocator, "pyocto": KnownTermsOcto}
NORMAL_90 = 1.645  # standard deviations within which 90 per cent of a normal variable lie
ERRORS = ["east_uncertainty_km", "north_uncertainty_km", "east_north_correlation", "depth_uncertainty_km"]


@dataclass(frozen=True)
class Opinion:
    """What another locator says of an event.

    Parameters
    ----------
    method : str
        One of `LOCATORS`.
    latitude, longitude, depth_km : float
        NaN if it did not locate the event.
    apart_km : float
        Distance between the epicentres.
    deeper_km : float
        Its depth minus the model's.
    disagrees : bool
        Whether epicentres or depths disagree.
    """

    method: str
    latitude: float
    longitude: float
    depth_km: float
    apart_km: float
    deeper_km: float
    disagrees: bool

    @property
    def remark(self) -> str:
        """A remark on a location that this locator contradicts, or an empty text."""
        if not self.disagrees:
            return ""
        way = "deeper" if self.deeper_km > 0 else "shallower"
        return f"{self.method}: {self.apart_km:.1f} km away, {abs(self.deeper_km):.1f} km {way}"


@dataclass
class Adviser:
    """Another locator, ready for the events of a dataset.

    Parameters
    ----------
    method : str
        One of `LOCATORS`.
    dataset : seisbook.datasets.graphs.EventDataset
    network : Network
        Velocity model, and terms of the stations that it knows. Coordinates are those of the dataset.

    Raises
    ------
    UserError
        If the dataset names no stations, or PyOcto is asked and there are no picks.
    """

    method: str
    dataset: object = field(repr=False)
    network: object = field(repr=False)

    def __post_init__(self):
        traces = self.dataset.metadata
        if "station_code" not in traces:
            raise UserError(f"{self.dataset.place}: no station codes: a second opinion needs the column station_code")
        if self.method == "pyocto" and not len(self._picks(self.dataset.source_ids)):
            raise UserError(
                f"{self.dataset.place}: no picks to give to PyOcto: leave out --beside, or give a catalogue"
            )
        self.network = at_stations(self.network, traces)
        heard = traces[["source_id", "station_code"]].to_dict("records")
        everything = Catalogue.from_rows(self.network.name, "bulletin", [{"source_id": ""}], heard)
        self._locator = LOCATORS[self.method](self.network, progress=False).fit(everything)

    def opinions(self, locations) -> list[Opinion]:
        """What the locator says of some events, in their order."""
        names = [one.source_id for one in locations]
        rows = self._picks(names) if self.method == "pyocto" else _arrivals(locations)
        events = [{"source_id": one.source_id, "source_origin_time": one.time} for one in locations]
        times = {one.source_id: one.time for one in locations}
        table = self._locator.predict(
            Catalogue.from_rows(self.network.name, "bulletin", events, _readings(rows, times))
        )
        table = table.reindex(columns=[*table.columns.union(ERRORS)]).loc[names]
        return [_opinion(self.method, one, row) for one, (_, row) in zip(locations, table.iterrows(), strict=True)]

    def _picks(self, names):
        """Onsets that somebody picked: event, station, phase and time."""
        traces = self.dataset.metadata
        rows = self.dataset.rows
        traces = traces.iloc[np.concatenate([rows[name] for name in names])]
        start = pd.to_datetime(traces.trace_start_time, format="ISO8601", utc=True)
        found = []
        for wave in "ps":
            picked = traces[f"trace_{wave}_arrival_sample"].notna()
            if f"trace_{wave}_status" in traces:
                picked &= traces[f"trace_{wave}_status"] != "predicted"
            late = traces[f"trace_{wave}_arrival_sample"] / traces.trace_sampling_rate_hz
            table = traces.assign(time=start + pd.to_timedelta(late, unit="s"))[picked]
            found += [
                (name, code, wave.upper(), time)
                for name, code, time in zip(table.source_id, table.station_code.astype(str), table.time, strict=True)
            ]
        return found


def at_stations(network, traces):
    """A network with the stations of a dataset's traces; terms are those of the network's stations of the same code."""
    known = {station.code: station for station in network.stations}
    found = []
    for row in traces.drop_duplicates("station_code").itertuples():
        height = row.station_elevation_m if np.isfinite(row.station_elevation_m) else 0.0
        place = {"latitude": row.station_latitude_deg, "longitude": row.station_longitude_deg, "elevation_m": height}
        station = known.get(str(row.station_code), replace(network.stations[0], p_term_s=0.0, s_term_s=0.0))
        found.append(replace(station, code=str(row.station_code), **{k: float(v) for k, v in place.items()}))
    return replace(network, stations=found)


def advised(locations, advisers):
    """Yield each location with the opinions on it; a disagreement becomes a remark.

    Parameters
    ----------
    locations : list of Location
    advisers : list of Adviser
    """
    opinions = [adviser.opinions(locations) for adviser in advisers]
    for one, said in zip(locations, zip(*opinions, strict=True) if opinions else [()] * len(locations), strict=True):
        remarks = tuple(opinion.remark for opinion in said if opinion.remark)
        yield replace(one, remarks=one.remarks + remarks), said


def _arrivals(locations):
    return [
        (one.source_id, arrival.station, arrival.phase, arrival.time) for one in locations for arrival in one.arrivals
    ]


def _readings(rows, times):
    """Rows of a catalogue's readings: seconds after the model's origin time, of which only differences matter."""
    found = {}
    for name, code, phase, time in rows:
        reading = found.setdefault((name, code), {"source_id": name, "station_code": code})
        reading[f"path_{phase.lower()}_travel_s"] = (time - times[name]).total_seconds()
    return list(found.values())


def _opinion(method, location: Location, row):
    centre = location.latitude, location.longitude
    offset = np.array(azimuthal_equidistant(row.latitude, row.longitude, centre), float)
    deeper = row.depth_km - location.depth_km
    scale = _scale(location)
    if method == "classical":
        scale = scale + _covariance(row)
    with np.errstate(invalid="ignore"):
        far = np.isfinite(scale).all() and offset @ np.linalg.solve(scale, offset) > ellipse_radius(CONFIDENCE) ** 2
        depth_error = np.hypot(location.depth_error_km, np.nan_to_num(row.depth_uncertainty_km, posinf=np.inf))
        deep = abs(deeper) > NORMAL_90 * depth_error
    place = float(row.latitude), float(row.longitude), float(row.depth_km)
    return Opinion(method, *place, float(np.hypot(*offset)), float(deeper), bool(far or deep))


def _scale(location):
    """Scale matrix (2, 2), east and north, of which the ellipse is a contour; km squared."""
    azimuth = np.radians(location.azimuth_deg)
    along = np.array([np.sin(azimuth), np.cos(azimuth)])
    across = np.array([along[1], -along[0]])
    major, minor = np.array([location.major_km, location.minor_km]) / ellipse_radius(CONFIDENCE)
    return major**2 * np.outer(along, along) + minor**2 * np.outer(across, across)


def _covariance(row):
    east, north = row.east_uncertainty_km, row.north_uncertainty_km
    both = row.east_north_correlation * east * north
    return np.array([[east**2, both], [both, north**2]])
