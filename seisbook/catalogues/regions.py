"""Regions of measured ground motion: bounds, names, and the size of the simulated twin.

A region is one YAML file, `data/regions/<name>.yaml` for those that the book ships, any path for a user's own. Unlike a
network (`seisbook.catalogues.networks`), a region has no list of stations and no velocity model: its stations are those
that recorded the events inside its bounds.
"""

from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from seisbook import provenance, yaml_text
from seisbook.catalogues.geodesy import azimuthal_equidistant
from seisbook.catalogues.networks import _mistake
from seisbook.catalogues.schema import Count, Latitude, Longitude, Magnitude, Number, Text, strict
from seisbook.errors import DataError, UserError
from seisbook.paths import DATA

FOLDER = DATA / "regions"


@strict
class Twin:
    """The size of a region's simulated twin.

    Parameters
    ----------
    stations : int
        Number of stations in the region.
    stations_per_event : int
        Median number of stations that record an event.
    magnitude : (float, float)
        Smallest and largest magnitude.
    """

    stations: Annotated[Count, Field(ge=8, le=10_000)]
    stations_per_event: Annotated[Count, Field(ge=8, le=1000)]
    magnitude: tuple[Magnitude, Magnitude]


@strict
class Region:
    """A region of measured ground motion, as its YAML file describes it.

    Parameters
    ----------
    name, title : str
        Short name (file names, command line) and the one that figures print.
    reference : str
        Source of the data.
    latitude_deg, longitude_deg : (float, float)
        Bounds of the epicentres, south to north and west to east.
    minimum_stations : int
        Stations that an event needs.
    farthest_km : float
        Largest epicentral distance of a station.
    twin : Twin
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
    title: Annotated[Text, Field(pattern=r"^[^<>`{}$\\]*$")]
    reference: Text
    latitude_deg: tuple[Latitude, Latitude]
    longitude_deg: tuple[Longitude, Longitude]
    minimum_stations: Annotated[Count, Field(ge=2, le=1000)]
    farthest_km: Annotated[Number, Field(gt=0, le=2000)]
    twin: Twin

    @model_validator(mode="after")
    def _ordered(self):
        for name in ("latitude_deg", "longitude_deg"):
            low, high = getattr(self, name)
            if not low < high:
                raise ValueError(f"{name} must be [smaller, larger]")
        return self

    @property
    def centre(self) -> tuple[float, float]:
        """Latitude and longitude of the middle of the bounds, the origin of local coordinates."""
        return sum(self.latitude_deg) / 2, sum(self.longitude_deg) / 2

    def to_local(self, latitude, longitude):
        """East and north of the centre in km, on the azimuthal equidistant plane."""
        return azimuthal_equidistant(latitude, longitude, self.centre)

    def holds(self, latitude, longitude):
        """Whether points lie inside the bounds."""
        (south, north), (west, east) = self.latitude_deg, self.longitude_deg
        return (latitude >= south) & (latitude <= north) & (longitude >= west) & (longitude <= east)


def available() -> list[str]:
    """Names of the regions that the book ships."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def is_region(name: str | Path) -> bool:
    """Whether a name is that of a shipped region, or the path of a YAML file that describes one."""
    path = _path(name)
    if path.parent == FOLDER or not path.is_file():
        return path.is_file()
    try:
        said = yaml_text.parse(path.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return isinstance(said, dict) and "latitude_deg" in said


@provenance.stage
def load(name: str | Path) -> Region:
    """Read and check a region.

    Parameters
    ----------
    name : str or Path
        The name of a shipped region, or the path of a YAML file.

    Raises
    ------
    UserError
        If there is no such region; the message lists those that exist.
    DataError
        If the file does not fit the schema; the message names the file and the key.
    """
    path = _path(name)
    if not path.is_file():
        raise UserError(f"no region '{name}': choose one of {', '.join(available())}, or give the path of a YAML file")
    region = _read(path, path.stat().st_mtime_ns)
    provenance.note(f"region:{name}", provenance.digest(region))
    return region


@provenance.stage
def _content(name):
    """Hash of a region as it is read now; None if there is no such file."""
    path = _path(name)
    return provenance.digest(_read(path, path.stat().st_mtime_ns)) if path.is_file() else None


provenance.IDENTITIES["region"] = _content


def _path(name):
    return Path(name) if str(name).endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"


@lru_cache(maxsize=16)
def _read(path, changed):
    try:
        return TypeAdapter(Region).validate_python(yaml_text.parse(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise DataError(f"{path}: {_mistake(error)}") from None
    except ValueError as error:  # UnicodeDecodeError is one
        raise DataError(f"{path}: not a YAML file that is read here ({error})") from None
