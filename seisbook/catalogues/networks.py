"""Seismic networks: stations, velocity model, magnitude relation and the seismicity of the simulated twin.

A network is one YAML file, `data/networks/<name>.yaml` for those that the book ships, any path for a user's own. The
dataclasses below are its schema; a value that does not fit is refused with the file and the key. Its `stations` are a
list, or the path of a station file (SEISAN, CSV or StationXML) relative to it.
"""

from dataclasses import field
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from seisbook.catalogues.geodesy import azimuthal_equidistant
from seisbook.errors import DataError, UserError
from seisbook.paths import DATA

NETWORKS = ("colombia", "ridgecrest")
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Positive = Annotated[float, Field(gt=0)]
SourceType = Literal["tectonic", "deep_nest", "induced", "offshore", "volcanic", "quarry_blast"]
strict = dataclass(frozen=True, config=ConfigDict(extra="forbid"))


@strict
class Station:
    """A station and what the simulated twin has to know of its site.

    Parameters
    ----------
    code, network : str
        Station and network code.
    latitude, longitude : float
        Degrees.
    elevation_m : float
        Metres above sea level.
    site_term : float
        Mean residual of log10 amplitude at this site against the magnitude relation (log10 units).
    p_term_s, s_term_s : float
        Mean delay of P and S at this site against the velocity model (s): sediments, a mountain's root, a slow clock.
    noise_level : float
        Ambient noise between the Peterson (1993) low- (0) and high-noise (1) models, linear in dB.
    position_from : {"station_file", "readings"}
        Whether the coordinates were published or solved from the bulletin's distances and azimuths.
    """

    code: str
    latitude: Latitude
    longitude: Longitude
    elevation_m: Annotated[float, Field(ge=-11000, le=9000)]
    network: str = ""
    site_term: Annotated[float, Field(ge=-2, le=2)] = 0.0
    p_term_s: Annotated[float, Field(ge=-5, le=5)] = 0.0
    s_term_s: Annotated[float, Field(ge=-5, le=5)] = 0.0
    noise_level: Annotated[float, Field(ge=0, le=1)] = 0.5
    position_from: Literal["station_file", "readings"] = "station_file"


@strict
class VelocityModel:
    """A stack of flat homogeneous layers: `vp_km_s[i]` holds below `top_km[i]`, the last one to any depth."""

    top_km: list[float]
    vp_km_s: list[Positive]
    vp_vs: Annotated[float, Field(gt=1.2, lt=3)]
    source: str

    @model_validator(mode="after")
    def _layers(self):
        if len(self.top_km) != len(self.vp_km_s):
            raise ValueError(f"top_km has {len(self.top_km)} entries and vp_km_s has {len(self.vp_km_s)}")
        if not np.all(np.diff(self.top_km) > 0):
            raise ValueError("top_km must increase downwards")
        return self


@strict
class MagnitudeRelation:
    r"""Local magnitude from ground displacement in the Wood-Anderson band.

    .. math:: M_L = \log_{10} A_\mathrm{nm} + b \log_{10} R_\mathrm{km} + c R_\mathrm{km} + d

    with `R` the hypocentral distance and `A` half the peak-to-peak, or the zero-to-peak, amplitude in nm. `scatter` is
    the standard deviation of one station's magnitude around the event's, after its site term (log10 units).
    """

    b: float
    c: float
    d: float
    scatter: Positive
    source: str

    def log_amplitude(self, magnitude, hypocentral_km):
        """Expected log10 of the peak displacement in nm, without site term."""
        r = np.maximum(hypocentral_km, 1.0)
        return magnitude - self.b * np.log10(r) - self.c * r - self.d

    def magnitude(self, log_amplitude, hypocentral_km):
        """Station magnitude from log10 of the peak displacement in nm; the inverse of `log_amplitude`."""
        r = np.maximum(hypocentral_km, 1.0)
        return log_amplitude + self.b * np.log10(r) + self.c * r + self.d


@strict
class Window:
    """How seismograms are cut: length, sampling rate, and the range of the random lead before the first arrival."""

    length_s: Positive
    sampling_rate_hz: Positive
    lead_s: tuple[Positive, Positive]

    @model_validator(mode="after")
    def _lead(self):
        if not self.lead_s[0] <= self.lead_s[1] < self.length_s:
            raise ValueError("lead_s must be [shortest, longest], both shorter than length_s")
        return self

    @property
    def samples(self) -> int:
        """Number of samples of one trace."""
        return round(self.length_s * self.sampling_rate_hz)


@strict
class Zone:
    """A seismicity zone of the simulated twin: a Gaussian cloud of hypocentres with a Gutenberg-Richter law.

    Parameters
    ----------
    name : str
    source_type : str
        Event class that its events carry.
    latitude, longitude, depth_km : float
        Centre.
    length_km, width_km : float
        Standard deviations along and across strike.
    strike_deg : float
        Azimuth of the long axis.
    depth_spread_km : float
        Standard deviation of depth (events above the surface are reflected downwards).
    b_value : float
    magnitude_min, magnitude_max : float
        Range of the truncated Gutenberg-Richter law.
    share : float
        Fraction of the network's events.
    hours : (float, float)
        Local hours of the day in which events occur; a quarry works in daylight.
    """

    name: str
    source_type: SourceType
    latitude: Latitude
    longitude: Longitude
    depth_km: Annotated[float, Field(ge=0, le=700)]
    length_km: Positive
    width_km: Positive
    depth_spread_km: Annotated[float, Field(ge=0)]
    b_value: Positive
    magnitude_min: float
    magnitude_max: float
    share: Annotated[float, Field(gt=0, le=1)]
    strike_deg: Annotated[float, Field(ge=0, le=360)] = 0.0
    hours: tuple[float, float] = (0.0, 24.0)


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

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: str
    reference: str
    utc_offset_h: Annotated[float, Field(ge=-12, le=14)]
    velocity_model: VelocityModel
    magnitude: MagnitudeRelation
    window: Window
    pick_scatter_s: tuple[Positive, Positive]
    pick_scatter_per_100km_s: Annotated[float, Field(ge=0)]
    dominant_period_s: tuple[Positive, Positive]
    minimum_stations: Annotated[int, Field(ge=1)]
    stations: Annotated[list[Station], Field(min_length=1)]
    zones: list[Zone] = field(default_factory=list)

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
        return float(table.latitude.mean()), float(table.longitude.mean())

    def to_local(self, latitude, longitude):
        """East and north of the network's centre in km, on the azimuthal equidistant plane."""
        return azimuthal_equidistant(latitude, longitude, self.centre)


def available() -> list[str]:
    """Names of the networks that the book ships."""
    return sorted(path.stem for path in (DATA / "networks").glob("*.yaml"))


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
    path = Path(name) if str(name).endswith((".yaml", ".yml")) else DATA / "networks" / f"{name}.yaml"
    if not path.is_file():
        raise UserError(f"no network '{name}': choose one of {', '.join(available())}, or give the path of a YAML file")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a YAML file ({' '.join(str(error).split())})") from None
    if isinstance(content, dict) and isinstance(content.get("stations"), str):
        from seisbook.catalogues.stations import read_stations

        content["stations"] = read_stations(path.parent / content["stations"])
    try:
        return TypeAdapter(Network).validate_python(content)
    except ValidationError as error:
        raise DataError(f"{path}: {_mistake(error)}") from None


def _mistake(error):
    """One line about what is wrong, a key that the schema does not know first: it explains one that is missing."""
    first = min(error.errors(), key=lambda mistake: mistake["type"] != "unexpected_keyword_argument")
    key = ".".join(str(part) for part in first["loc"]) or "top level"
    if first["type"] == "unexpected_keyword_argument":
        return f"{key}: no such key: check its spelling"
    value = "" if first["type"] == "missing" else f" (found: {str(first['input'])[:60]!r})"
    return f"{key}: {first['msg']}{value}"
