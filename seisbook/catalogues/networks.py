"""Seismic networks: stations, velocity model, magnitude relation and the seismicity of the simulated twin.

A network is one YAML file, `data/networks/<name>.yaml` for those that the book ships, any path for a user's own. Its
schema is the dataclasses of `seisbook.catalogues.schema`; a value that does not fit is refused with the file and the
key. Its `stations` are a list, or the path of a station file relative to it, in any format that
`seisbook.catalogues.stations` reads. `bulletin`, which only a user's own file has, is the path of its bulletin relative
to it, or a list of paths; `bulletin_of` returns them.
"""

import hashlib
import re
from dataclasses import field
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import pandas as pd
from pydantic import Field, TypeAdapter, ValidationError, field_validator, model_validator

from seisbook import provenance, yaml_text
from seisbook.catalogues.geodesy import azimuthal_equidistant
from seisbook.catalogues.schema import (
    Count,
    MagnitudeRelation,
    Number,
    Seconds,
    Station,
    Text,
    VelocityModel,
    Window,
    Zone,
    strict,
)
from seisbook.errors import DataError, UserError, brief
from seisbook.paths import DATA

NETWORKS = ("colombia", "ridgecrest")
HALF_CIRCLE = 180.0  # degrees
LONGEST_NAME, LONGEST_PATH = 255, 4096  # characters of a file's name, and of its path
_BULLETINS = {}  # files of own bulletins, by the hash of their network, as far as networks were loaded


@strict
class Network:
    """A seismic network, as its YAML file describes it.

    Parameters
    ----------
    name, title : str
        Short name (file names, command line) and the one that figures print.
    reference : str
        Where stations and bulletin come from.
    utc_offset_h : float
        Local time minus UTC, for the working hours of quarries.
    pick_scatter_s : (float, float)
        Standard deviation of P and S onsets about the 1-D model and the station's term, near the source (s).
    pick_scatter_per_100km_s : float
        Growth of that standard deviation with distance, for the Earth that is not layered.
    dominant_period_s : (float, float)
        Median dominant period of a magnitude-0 event's amplitude reading, and its growth factor per magnitude unit.
    minimum_stations : int
        Stations that must record an event for the network to report it.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
    title: Text
    reference: Text
    utc_offset_h: Annotated[Number, Field(ge=-12, le=14)]
    velocity_model: VelocityModel
    magnitude: MagnitudeRelation
    window: Window
    pick_scatter_s: tuple[Seconds, Seconds]
    pick_scatter_per_100km_s: Annotated[Number, Field(ge=0, le=1000)]
    dominant_period_s: tuple[Seconds, Annotated[Number, Field(ge=0.1, le=10)]]
    minimum_stations: Annotated[Count, Field(ge=1, le=10_000)]
    stations: Annotated[list[Station], Field(min_length=1)]
    zones: list[Zone] = field(default_factory=list)

    @field_validator("title")
    @classmethod
    def _words(cls, title):
        """Chapters print the title as Markdown, and figures as a heading: neither may take it for markup."""
        if sign := re.search(r"[<>`{}$\\\x00-\x1f\x7f]", title):
            raise ValueError(f"a title has no {sign[0]!r}, which pages and figures take for markup")
        return title

    @model_validator(mode="after")
    def _consistent(self):
        codes = [station.code for station in self.stations]
        repeated = sorted({code for code in codes if codes.count(code) > 1})
        if repeated:
            raise ValueError(f"station codes occur twice: {', '.join(repeated)}")
        share = sum(zone.share for zone in self.zones)
        if self.zones and abs(share - 1) > 1e-3:
            raise ValueError(f"the shares of the zones add up to {share:.3f}, not to 1")
        return self

    def station_table(self) -> pd.DataFrame:
        """The stations as a table indexed by code: latitude, longitude, elevation_m, site_term, noise_level, ..."""
        return pd.DataFrame([vars(station) for station in self.stations]).set_index("code")

    @property
    def centre(self) -> tuple[float, float]:
        """Latitude and longitude of the mean station, the origin of local coordinates."""
        table = self.station_table()
        longitude = table.longitude
        if longitude.max() - longitude.min() > HALF_CIRCLE:  # the stations lie on both sides of the antimeridian
            longitude = longitude % 360
        mean = float(longitude.mean())
        return float(table.latitude.mean()), mean - 360 if mean > HALF_CIRCLE else mean

    def to_local(self, latitude, longitude):
        """East and north of the network's centre in km, on the azimuthal equidistant plane."""
        return azimuthal_equidistant(latitude, longitude, self.centre)


def is_shipped(name: str | Path) -> bool:
    """Whether a network is one that the book ships, and not a user's own file."""
    return str(name) in available()


def available() -> list[str]:
    """Names of the networks that the book ships."""
    return sorted(path.stem for path in (DATA / "networks").glob("*.yaml"))


@provenance.stage
def load(name: str | Path) -> Network:
    """Read and check a network.

    Parameters
    ----------
    name : str or Path
        The name of a shipped network, or the path of a YAML file.

    Returns
    -------
    Network

    Raises
    ------
    UserError
        If there is no such network; the message lists those that exist.
    DataError
        If the file does not fit the schema; the message names the file and the key.
    """
    path = _path(name)
    if not path.is_file():
        raise UserError(f"no network '{name}': choose one of {', '.join(available())}, or give the path of a YAML file")
    network, content, _ = _read(path)
    provenance.note(f"network:{name}", content)
    return network


@provenance.stage
def content(name: str | Path) -> str | None:
    """Hash of a network as it is read now, not of how its file is written; None if there is no such file."""
    path = _path(name)
    try:
        return _read(path)[1] if path.is_file() else None
    except DataError:
        return "unreadable"


provenance.IDENTITIES["network"] = content


@provenance.stage
def bulletin_of(network: Network) -> tuple[Path, ...]:
    """Files of the bulletin that a user's own network names, in a process that has loaded it; empty without."""
    return _BULLETINS.get(provenance.digest(network), ())


@provenance.stage
def station_remarks(name: str | Path) -> list[str]:
    """What had to be decided in a network's station file, see `seisbook.catalogues.stations.read_stations`."""
    return list(_read(_path(name))[2])


def _path(name):
    return Path(name) if str(name).endswith((".yaml", ".yml")) else DATA / "networks" / f"{name}.yaml"


def _read(path):
    """What `_described` returns; a bulletin's content is a part of the network's, and so an input of studies."""
    network, content, remarks = _described(path)
    files = _bulletin(path)
    if not files:
        _BULLETINS.pop(content, None)  # of another file with the same network
        return network, content, remarks
    _BULLETINS[content] = files
    held = [_hash(file, file.stat().st_mtime_ns) if file.is_file() else "missing" for file in files]
    return network, provenance.digest([content, held]), remarks


def _bulletin(path):
    """Paths of the bulletin that a YAML file names."""
    said = _parsed(path, path.stat().st_mtime_ns)
    listed = said.get("bulletin", []) if isinstance(said, dict) else []
    names = listed if isinstance(listed, list) else [listed]
    if any(not isinstance(name, str) or not name.isprintable() or len(name) > LONGEST_PATH for name in names):
        raise DataError(f"{path}: bulletin: neither the name of a file nor a list of them (found: {brief(listed)})")
    files = tuple(path.parent / name for name in names)
    if folders := [file for file in files if file.is_dir()]:
        raise DataError(f"{path}: bulletin: {folders[0]}: a folder: name one of its files")
    return files


@lru_cache(maxsize=16)
def _hash(file, changed):
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def _described(path):
    """What `_checked` returns of a YAML file, which is read again only if one of its files has changed."""
    said = _parsed(path, path.stat().st_mtime_ns)
    listed = said.get("stations") if isinstance(said, dict) else None
    if not isinstance(listed, str):
        return _checked(path, path.stat().st_mtime_ns)
    if len(listed) > LONGEST_NAME or not listed.isprintable():
        raise DataError(f"{path}: stations: neither a list nor the name of a file (found: {brief(listed)})")
    file = path.parent / listed
    return _checked(path, path.stat().st_mtime_ns, file, file.stat().st_mtime_ns if file.is_file() else 0)


@lru_cache(maxsize=16)
def _parsed(path, changed):
    """What a YAML file says."""
    try:
        return yaml_text.parse(path.read_text(encoding="utf-8"))
    except ValueError as error:  # UnicodeDecodeError is one
        raise DataError(f"{path}: not a YAML file that is read here ({error})") from None


@lru_cache(maxsize=16)
def _checked(path, changed, station_file=None, stations_changed=0):
    """The network that a YAML file and its station file describe, the hash of its content, remarks on the stations."""
    said, remarks = _parsed(path, changed), []
    if station_file:
        from seisbook.catalogues.stations import read_stations

        said = {**said, "stations": read_stations(station_file, remarks)}
    if isinstance(said, dict):
        said = {key: value for key, value in said.items() if key != "bulletin"}
    try:
        network = TypeAdapter(Network).validate_python(said)
    except ValidationError as error:
        raise DataError(f"{path}: {_mistake(error)}") from None
    return network, provenance.digest(network), tuple(remarks)


def _mistake(error):
    """One line about what is wrong, a key that the schema does not know first: it explains one that is missing."""
    first = min(error.errors(), key=lambda mistake: mistake["type"] != "unexpected_keyword_argument")
    key = brief(".".join(str(part) for part in first["loc"]))[1:-1] or "top level"
    if first["type"] == "unexpected_keyword_argument":
        return f"{key}: no such key: check its spelling"
    if first["type"] == "missing" and key == "velocity_model":
        return f"{key}: there is none: copy one in, or fit one with `seisbook network new --bulletin ...`"
    value = "" if first["type"] == "missing" else f" (found: {brief(first['input'])})"
    return f"{key}: {first['msg'].removeprefix('Value error, ')}{value}"
