"""Maps of the ground motion of new earthquakes, with their uncertainty, from lists of stations: `seisbook shake`.

The conditional normal of a region (`seisbook.models.field_checkpoints`) predicts all five measures on a grid. Without a
station it gives the attenuation law; without an origin it estimates one from the amplitudes.
"""

import logging
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from seisbook.catalogues import station_lists
from seisbook.catalogues.geodesy import KM_PER_DEGREE, azimuthal_equidistant, distance_azimuth, to_geographic
from seisbook.catalogues.ground_motion import LABELS, MEASURES
from seisbook.catalogues.station_lists import Origin, StationList
from seisbook.datasets.fields import Fields
from seisbook.errors import UserError
from seisbook.models import field_checkpoints
from seisbook.models.field_maps import predict_map
from seisbook.models.field_methods import LEVEL, REACH, Scene

log = logging.getLogger(__name__)
SIDE = 100  # points along each side of a map
FEW = 5  # stations: with fewer, a line warns
LOCATING = 3  # stations that an epicentre needs at least
REACHES_KM = 60.0, 300.0  # half the width of a map: at magnitude 4, and at most
GROWTH = 0.23  # log10 of the half width for each unit of magnitude: that of the distance at which motion is equal
FARTHEST_NORTH = 80.0  # degrees: nearer to a pole, a map is no longer a square
BOUNDS = {
    "latitude": (-90, 90),
    "longitude": (-180, 180),
    "--depth": (0, 700),
    "--magnitude": (-1, 10),
    "--reach": (5, 1000),
}
NORMAL = REACH / stats.norm.ppf((1 + LEVEL) / 2)
"""Standard deviation of the normal distribution with the same 90 % interval, in scales of the Student-t."""


class Grid(NamedTuple):
    """Latitudes from north to south, longitudes from west to east, degrees."""

    latitude: np.ndarray
    longitude: np.ndarray


@dataclass(frozen=True)
class Shaking:
    """A map of ground motion.

    Parameters
    ----------
    name : str
        Of the earthquake.
    region : str
        Name of the region whose model was used.
    origin : Origin
    is_estimated : bool
        Whether the origin was estimated from the amplitudes.
    grid : Grid
    mean, scale : ndarray, shape (latitudes, longitudes, 5)
        Median and scale of the Student-t distributions, log10.
    stations : DataFrame
        `station`, `latitude`, `longitude`, and observed `MEASURES`, log10; `used`, whether the map follows any of them.
    remarks : list of str
    """

    name: str
    region: str
    origin: Origin
    is_estimated: bool
    grid: Grid
    mean: np.ndarray
    scale: np.ndarray
    stations: pd.DataFrame
    remarks: list[str] = field(default_factory=list)

    def label(self, measure) -> str:
        """Name and unit of a measure."""
        return LABELS[measure]

    def median(self, measure) -> np.ndarray:
        """Median of a measure (latitudes, longitudes), in its unit."""
        return 10 ** self.mean[..., MEASURES.index(measure)]

    def factor(self, measure) -> np.ndarray:
        """Factor by which 90 % of the values of a measure are within its median (latitudes, longitudes)."""
        return 10 ** (REACH * self.scale[..., MEASURES.index(measure)])

    @property
    def sd(self) -> np.ndarray:
        """Standard deviation of the normal distribution with the same 90 % interval, log10, see `mean`."""
        return NORMAL * self.scale


def origin_of(listed: StationList, epicentre=None, depth_km=None, magnitude=None) -> Origin | None:
    """The origin that a list has, with what is given in its place; None if there is neither.

    Parameters
    ----------
    listed : StationList
    epicentre : (float, float), optional
        Latitude and longitude in degrees.
    depth_km, magnitude : float, optional

    Raises
    ------
    UserError
        If a number cannot be, or a part of the origin is missing.
    """
    given = {"--depth": depth_km, "--magnitude": magnitude}
    given |= dict(zip(("latitude", "longitude"), epicentre or (None, None), strict=True))
    for name, value in given.items():
        low, high = BOUNDS[name]
        if value is not None and not low <= value <= high:
            raise UserError(f"{name} {value:g}: give a number from {low:g} to {high:g}")
    if all(value is None for value in given.values()):
        return listed.origin
    if listed.origin is None and (epicentre is None or magnitude is None):
        raise UserError("the files have no origin: give --epicentre and --magnitude, or neither, to have it estimated")
    base = listed.origin or Origin(*epicentre, np.nan, magnitude)
    place = {} if epicentre is None else dict(zip(("latitude", "longitude"), epicentre, strict=True))
    others = {"depth_km": depth_km, "magnitude": magnitude}
    return base._replace(**place, **{name: value for name, value in others.items() if value is not None})


def draw(checkpoint, paths, epicentre=None, depth_km=None, magnitude=None, reach_km=None) -> Shaking:
    """Read a model and the files of an earthquake, and draw its map, see `origin_of` and `shake`.

    Parameters
    ----------
    checkpoint : path
        Of a conditional normal.
    paths : list of path
        See `seisbook.catalogues.station_lists.read`.
    epicentre : (float, float), optional
    depth_km, magnitude, reach_km : float, optional
    """
    model, listed = field_checkpoints.load(checkpoint), station_lists.read(*paths)
    return shake(*model, listed, origin_of(listed, epicentre, depth_km, magnitude), reach_km)


def shake(normal, card, listed: StationList, origin: Origin | None = None, reach_km=None) -> Shaking:
    """Draw the map of an earthquake.

    Parameters
    ----------
    normal, card
        From `seisbook.models.field_checkpoints.load`.
    listed : StationList
    origin : Origin, optional
        In place of the one that the list has. Without both, it is estimated from the amplitudes.
    reach_km : float, optional
        Distance of the map's edges from the epicentre; by the magnitude if not given.

    Returns
    -------
    Shaking

    Raises
    ------
    UserError
        If there is neither a station nor an origin, or the earthquake is far from the model's region.
    """
    origin = origin or listed.origin
    stations = _near(listed.records, origin, card)
    method = normal.method(knows_source=origin is not None)
    remarks = [*listed.remarks, *_warned(len(stations), origin)]
    scene = scene_of(method, card, stations, origin)
    found = origin or _located(scene, card)
    _check_region(found, card)
    grid = grid_about(found, reach_km)
    mean, scale = predict_map(method, scene, points_of(grid, card))
    shape = (len(grid.latitude), len(grid.longitude), len(MEASURES))
    used = np.isfinite(method.used(scene)).any(1) if len(stations) else np.zeros(0, bool)
    remarks += _not_used(stations, used)
    table = stations.assign(used=used)
    return Shaking(
        listed.name, card.region, found, origin is None, grid, mean.reshape(shape), scale.reshape(shape), table, remarks
    )


def scene_of(method, card, stations, origin: Origin | None) -> Scene:
    """The earthquake as the method sees it; a station without a term is a new one."""
    number = {code: place for place, code in enumerate(card.stations)}
    index = np.array([number.get(code, len(number)) for code in stations.station], int)
    pos = np.column_stack(azimuthal_equidistant(stations.latitude, stations.longitude, card.centre))
    place = [0.0, 0.0] if origin is None else _local(origin.latitude, origin.longitude, card)
    depth, magnitude = (np.nan, np.nan) if origin is None else (origin.depth_km, origin.magnitude)
    fields = Fields(
        source_id=np.array([""]),
        origin_time=np.array(["NaT"], "datetime64[ms]"),
        epicentre=np.array([place], float),
        depth_km=np.array([depth]),
        magnitude=np.array([magnitude]),
        start=np.array([0, len(stations)]),
        values=stations[list(MEASURES)].to_numpy(float),
        pos=pos.reshape(-1, 2),
        station=index,
        codes=np.array([*card.stations, ""]),
    )
    (scene,) = method.scenes(fields, np.ones(len(stations), bool))
    return scene


def _local(latitude, longitude, card):
    return np.stack(azimuthal_equidistant(np.asarray(latitude), np.asarray(longitude), card.centre), -1)


def _located(scene, card):
    latitude, longitude = to_geographic(*scene.source.epicentre, card.centre)
    return Origin(float(latitude), float(longitude), scene.source.depth_km, scene.source.magnitude)


def _near(records, origin, card):
    """Stations within the distance that the model knows, with a value."""
    records = records[records[list(MEASURES)].notna().any(axis=1)]
    if origin is None or records.empty:
        return records.reset_index(drop=True)
    distance, _ = distance_azimuth(origin.latitude, origin.longitude, records.latitude, records.longitude)
    near = records[distance <= card.farthest_km]
    return near.reset_index(drop=True)


def _warned(count, origin):
    """Say what few stations mean for the map, in one line, and return what is to be kept with it."""
    said = []
    if not count and origin is None:
        raise UserError("neither a station nor an origin: give a station list, or --epicentre and --magnitude")
    if not count:
        said.append("no station: the map is the attenuation law alone, for the origin as it is given")
    elif origin is None and count < LOCATING:
        said.append(
            f"{_stations(count)} and no origin: the epicentre is a guess near the station with the strongest motion; "
            "give --epicentre and --magnitude"
        )
    elif origin is None:
        said.append(f"no origin: estimated from the amplitudes of {_stations(count)}; the uncertainty is wider")
    elif count < FEW:
        said.append(f"{_stations(count)} only: beyond them the map is hardly more than the attenuation law")
    for text in said:
        log.warning(text)
    return said


def _stations(count):
    return "1 station" if count == 1 else f"{count} stations"


def _not_used(stations, used):
    names = list(stations.station[~used])
    more = " and others" * (len(names) > 5)
    return [f"not used, too far from the law: {', '.join(names[:5])}{more}"] * bool(names)


def _check_region(origin, card):
    """Refuse an earthquake that is farther from the region's centre than twice its farthest distance."""
    distance, _ = distance_azimuth(*card.centre, origin.latitude, origin.longitude)
    if distance > 2 * card.farthest_km:
        raise UserError(
            f"the epicentre is {float(distance):.0f} km from the centre of {card.title}: choose the model of its region"
        )


def grid_about(origin: Origin, reach_km=None) -> Grid:
    """A square of `SIDE` by `SIDE` points about the epicentre."""
    low, high = BOUNDS["--reach"]
    if reach_km is not None and not low <= reach_km <= high:
        raise UserError(f"--reach {reach_km:g}: give a number from {low:g} to {high:g}")
    if reach_km is None:
        reach_km = min(REACHES_KM[0] * 10 ** (GROWTH * max(origin.magnitude - 4, 0)), REACHES_KM[1])
    half = reach_km / KM_PER_DEGREE
    wide = half / np.cos(np.radians(min(abs(origin.latitude), FARTHEST_NORTH)))
    latitude = np.linspace(origin.latitude + half, origin.latitude - half, SIDE)
    longitude = np.linspace(origin.longitude - wide, origin.longitude + wide, SIDE)
    return Grid(np.round(latitude, 6), np.round(longitude, 6))


def points_of(grid: Grid, card) -> np.ndarray:
    """Points of a grid, row by row from the north, in km east and north of the region's centre: (points, 2)."""
    latitude, longitude = np.meshgrid(grid.latitude, grid.longitude, indexing="ij")
    return _local(latitude, longitude, card).reshape(-1, 2)


def describe(found: Shaking, measure) -> str:
    """The map in a few lines."""
    place, median = found.origin, found.median(measure)
    depth = f"{place.depth_km:.0f} km" if np.isfinite(place.depth_km) else "not known"
    strongest = np.unravel_index(np.argmax(median), median.shape)
    how = "estimated from the amplitudes" if found.is_estimated else "as given"
    lines = [
        f"earthquake  {found.name}: {place.latitude:.3f} N, {place.longitude:.3f} E, depth {depth}, "
        f"magnitude {place.magnitude:.1f}, {how}",
        f"stations    {int(found.stations.used.sum())} used of {len(found.stations)}; model of {found.region}",
        f"strongest   {measure} {median[strongest]:.3g}, within a factor of "
        f"{found.factor(measure)[strongest]:.1f} (90 %), at {found.grid.latitude[strongest[0]]:.3f} N, "
        f"{found.grid.longitude[strongest[1]]:.3f} E",
        *(f"remark      {text}" for text in found.remarks),
    ]
    return "\n".join(lines)
