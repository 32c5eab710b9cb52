"""What a network consists of: stations, velocity model, magnitude relation, window, zones of seismicity."""

from typing import Annotated, Literal

import numpy as np
from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass


def _no_truth_value(value):
    """Refuse what YAML makes of `yes` and `no`: Python would calculate with 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("give a number, not yes or no")
    return value


Number = Annotated[float, BeforeValidator(_no_truth_value)]
Count = Annotated[int, BeforeValidator(_no_truth_value)]
Text = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
"""Text that figures and pages print: no control characters."""
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,8}$")]
"""Code of a station: SEED's 5 characters and the 8 of newer standards; it becomes part of file names and pages."""
NetworkCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,8}$")]
Latitude = Annotated[Number, Field(ge=-90, le=90)]
Longitude = Annotated[Number, Field(ge=-180, le=180)]
Elevation = Annotated[Number, Field(ge=-11000, le=9000)]
"""Metres, from the deepest trench to the highest summit."""
Depth = Annotated[Number, Field(ge=0, le=700)]
"""Kilometres: no earthquake is deeper."""
Speed = Annotated[Number, Field(ge=0.1, le=15)]
"""Kilometres per second: P is slower in no mud and faster nowhere in the Earth (13.7 above the core)."""
Magnitude = Annotated[Number, Field(ge=-5, le=10)]
"""From cracking rock samples to more than the largest earthquake, 9.5."""
Extent = Annotated[Number, Field(gt=0, le=5000)]
"""Kilometres: a standard deviation of an eighth of the Earth's circumference is no zone any more."""
Seconds = Annotated[Number, Field(gt=0, le=1000)]
"""Scatter of onsets and periods: beyond a quarter of an hour it is a mistake in the unit."""
Hour = Annotated[Number, Field(ge=0, le=24)]
SAMPLES = (16, 1_000_000)
"""Fewest samples of a seismogram in which two onsets can be told apart, and most that a computer's memory can bear."""
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

    code: Code
    latitude: Latitude
    longitude: Longitude
    elevation_m: Elevation
    network: NetworkCode = ""
    site_term: Annotated[Number, Field(ge=-2, le=2)] = 0.0
    p_term_s: Annotated[Number, Field(ge=-5, le=5)] = 0.0
    s_term_s: Annotated[Number, Field(ge=-5, le=5)] = 0.0
    noise_level: Annotated[Number, Field(ge=0, le=1)] = 0.5
    position_from: Literal["station_file", "readings"] = "station_file"


@strict
class VelocityModel:
    """A stack of flat homogeneous layers: `vp_km_s[i]` holds below `top_km[i]`, the last one to any depth."""

    top_km: Annotated[list[Annotated[Number, Field(ge=-10, le=6371)]], Field(min_length=1, max_length=1000)]
    vp_km_s: list[Speed]
    vp_vs: Annotated[Number, Field(gt=1.2, lt=3)]
    source: Text

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

    b: Annotated[Number, Field(ge=0, le=5)]  # geometrical spreading: 0.5 to 3 in all published relations
    c: Annotated[Number, Field(ge=-0.1, le=0.1)]  # attenuation; 0.1 is a magnitude unit every 10 km
    d: Annotated[Number, Field(ge=-15, le=15)]  # the unit: nm, counts or millimetres
    scatter: Annotated[Number, Field(gt=0, lt=3)]
    source: Text

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

    length_s: Annotated[Number, Field(gt=0, le=100_000)]  # a day
    sampling_rate_hz: Annotated[Number, Field(gt=0, le=1e7)]  # as in a laboratory
    lead_s: tuple[Seconds, Seconds]

    @model_validator(mode="after")
    def _possible(self):
        fewest, most = SAMPLES
        if not fewest <= self.samples <= most:
            raise ValueError(
                f"length_s times sampling_rate_hz makes {self.samples} samples: choose them to make {fewest} to {most}"
            )
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

    name: Text
    source_type: SourceType
    latitude: Latitude
    longitude: Longitude
    depth_km: Depth
    length_km: Extent
    width_km: Extent
    depth_spread_km: Depth
    b_value: Annotated[Number, Field(ge=0.1, le=5)]  # swarms reach 3; below 0.1 all events are the largest
    magnitude_min: Magnitude
    magnitude_max: Magnitude
    share: Annotated[Number, Field(gt=0, le=1)]
    strike_deg: Annotated[Number, Field(ge=0, le=360)] = 0.0
    hours: tuple[Hour, Hour] = (0.0, 24.0)

    @model_validator(mode="after")
    def _magnitudes(self):
        if not self.magnitude_min < self.magnitude_max:
            raise ValueError("magnitude_min must be less than magnitude_max")
        return self
