"""What a network consists of: stations, velocity model, magnitude relation, window, zones of seismicity."""

from typing import Annotated, Literal

import numpy as np
from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Positive = Annotated[float, Field(gt=0)]
SourceType = Literal["tectonic", "deep_nest", "induced", "offshore", "volcanic", "quarry_blast"]
strict = dataclass(frozen=True, config=ConfigDict(extra="forbid", allow_inf_nan=False))


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
