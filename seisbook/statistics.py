"""What a catalogue says about itself: geometry, completeness, Vp/Vs, residuals, and how well its experts agree.

Every estimate that the book prints comes with an interval, the `Estimate` of this module.
"""

import logging
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from seisbook.errors import UserError
from seisbook.networks import azimuthal_equidistant

logger = logging.getLogger(__name__)

INTERVAL = (2.5, 97.5)  # percentiles of every confidence interval in the book
SECOND_LOCATION = ["palm_latitude_deg", "palm_longitude_deg", "palm_depth_km", "palm_magnitude"]


class Estimate(NamedTuple):
    """A statistic and its 95 % confidence interval."""

    value: float
    low: float
    high: float

    def __format__(self, spec):
        spec = spec or ".4g"
        return f"{self.value:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"

    def __str__(self):
        return format(self)


def below(low, high, threshold) -> str:
    """Verdict on "it is below the threshold" from an interval: supported below, not supported above, else neither."""
    return "supported" if high < threshold else "not supported" if low > threshold else "inconclusive"


def above(low, high, threshold=0.0) -> str:
    """Verdict on "it is above the threshold" from an interval, see `below`."""
    return below(-high, -low, -threshold)


def distance_azimuth(latitude, longitude, to_latitude, to_longitude):
    """Great-circle distance, and the azimuth in which the second point lies as seen from the first (spherical Earth).

    Parameters
    ----------
    latitude, longitude, to_latitude, to_longitude : array_like
        Degrees; they broadcast.

    Returns
    -------
    distance : ndarray
        Kilometres, on a sphere of 6371 km (within 0.6 % of the ellipsoid).
    azimuth : ndarray
        Degrees clockwise from north, 0 to 360.

    Examples
    --------
    >>> distance, azimuth = distance_azimuth(4.0, -74.0, 4.0, -73.0)
    >>> print(f"{distance:.1f} km, {azimuth:.1f} degrees")
    110.9 km, 90.0 degrees
    """
    east, north = azimuthal_equidistant(
        np.asarray(to_latitude, float),
        np.asarray(to_longitude, float),
        np.broadcast_arrays(np.asarray(latitude, float), np.asarray(longitude, float)),
    )
    return np.hypot(east, north), np.degrees(np.arctan2(east, north)) % 360


def path_geometry(catalogue, network):
    """Distance and azimuth of every reading.

    Parameters
    ----------
    catalogue : Catalogue
    network : Network
        Its stations; a reading at a station that it lacks gets NaN, and the log says how many there are.

    Returns
    -------
    DataFrame
        With the index of `catalogue.readings`: `path_ep_distance_km`, `path_azimuth_deg` (from the epicentre towards
        the station) and `path_hyp_distance_km` (straight, from the hypocentre to the station at its elevation).
    """
    readings = catalogue.readings
    event = catalogue.events.reindex(readings.source_id)
    station = network.station_table().reindex(readings.station_code)
    unknown = int(station.latitude.isna().sum())
    if unknown:
        logger.warning("%d of %d readings are at stations that network %s lacks", unknown, len(readings), network.name)
    distance, azimuth = distance_azimuth(
        event.source_latitude_deg.to_numpy(),
        event.source_longitude_deg.to_numpy(),
        station.latitude.to_numpy(),
        station.longitude.to_numpy(),
    )
    vertical = event.source_depth_km.to_numpy() + station.elevation_m.to_numpy() / 1000
    columns = {
        "path_ep_distance_km": distance,
        "path_azimuth_deg": azimuth,
        "path_hyp_distance_km": np.hypot(distance, vertical),
    }
    return pd.DataFrame(columns, index=readings.index)


def azimuthal_gap(azimuths):
    """The widest sector around the epicentre without a station.

    Parameters
    ----------
    azimuths : array_like
        Azimuths of the stations, degrees; NaN are left out.

    Returns
    -------
    float
        Degrees; 360 for a single azimuth, NaN for none.
    """
    azimuths = np.asarray(azimuths, float)
    azimuths = np.sort(azimuths[np.isfinite(azimuths)] % 360)
    if not azimuths.size:
        return np.nan
    return float(np.diff(azimuths, append=azimuths[0] + 360).max())


def geometry(catalogue, network):
    """How well each event is surrounded by the stations that read an onset of it.

    Returns
    -------
    DataFrame
        Indexed by `source_id`: `n_stations`, `azimuthal_gap_deg`, `nearest_station_km` (epicentral). An event that no
        known station read has 0 stations, a gap of 360 and NaN.
    """
    readings = catalogue.readings
    onset = readings.path_p_travel_s.notna() | readings.path_s_travel_s.notna()
    paths = path_geometry(catalogue, network)
    onset &= paths.path_ep_distance_km.notna()
    of_event = paths[onset].groupby(readings.source_id[onset])
    table = pd.DataFrame(
        {
            "n_stations": of_event.path_azimuth_deg.size(),
            "azimuthal_gap_deg": of_event.path_azimuth_deg.agg(azimuthal_gap),
            "nearest_station_km": of_event.path_ep_distance_km.min(),
        }
    ).reindex(catalogue.events.index)
    table["n_stations"] = table.n_stations.fillna(0).astype(int)
    table["azimuthal_gap_deg"] = table.azimuthal_gap_deg.fillna(360.0)
    return table


def _binned(magnitudes, bin_width):
    """Finite magnitudes as whole numbers of bins."""
    magnitudes = np.asarray(magnitudes, float)
    return np.round(magnitudes[np.isfinite(magnitudes)] / bin_width).astype(int)


def completeness(magnitudes, bin_width=0.1):
    """Magnitude of completeness by maximum curvature: the fullest bin of the frequency distribution, plus 0.2.

    Parameters
    ----------
    magnitudes : array_like
        NaN are left out.
    bin_width : float

    Raises
    ------
    UserError
        If there is no magnitude.

    References
    ----------
    S. Wiemer and M. Wyss (2000), BSSA 90, 859-869, doi:10.1785/0119990114; the correction of 0.2 from J. Woessner and
    S. Wiemer (2005), BSSA 95, 684-698, doi:10.1785/0120040007.
    """
    bins = _binned(magnitudes, bin_width)
    if not bins.size:
        raise UserError("completeness: no finite magnitude; check the column source_magnitude of the catalogue")
    values, counts = np.unique(bins, return_counts=True)
    return float(np.round(values[counts.argmax()] * bin_width + 0.2, 6))


def b_value(magnitudes, completeness, bin_width=0.1):
    r"""Slope of the Gutenberg-Richter law by maximum likelihood, and its standard error.

    .. math:: b = \frac{\log_{10} e}{\bar M - (M_c - \Delta M / 2)}, \qquad
        \sigma_b = \ln(10)\, b^2 \sqrt{\frac{\sum_i (M_i - \bar M)^2}{n (n - 1)}}

    over the magnitudes of at least :math:`M_c`, rounded to bins of :math:`\Delta M`.

    Parameters
    ----------
    magnitudes : array_like
        NaN are left out.
    completeness : float
        Magnitude of completeness.
    bin_width : float

    Returns
    -------
    b, standard_error : float

    Raises
    ------
    UserError
        If fewer than two different magnitudes reach the completeness.

    References
    ----------
    K. Aki (1965), Bull. Earthq. Res. Inst. 43, 237-239; T. Utsu (1966) for the correction of half a bin; Y. Shi and
    B. A. Bolt (1982), BSSA 72, 1677-1687, for the standard error.
    """
    bins = _binned(magnitudes, bin_width)
    magnitudes = bins[bins >= round(completeness / bin_width)] * bin_width
    if np.unique(magnitudes).size < 2:
        raise UserError(
            f"b_value: fewer than two magnitudes above {completeness:g}; lower the magnitude of completeness"
        )
    b = np.log10(np.e) / (magnitudes.mean() - (completeness - bin_width / 2))
    return float(b), float(np.log(10) * b**2 * magnitudes.std(ddof=1) / np.sqrt(magnitudes.size))


def _interval(value, replicates):
    return Estimate(float(value), *(float(end) for end in np.percentile(replicates, INTERVAL)))


def bootstrap_ci(values, statistic=np.median, n=2000, random_state=0):
    """A statistic of a sample with its percentile-bootstrap interval (95 %).

    Parameters
    ----------
    values : array_like
        Independent observations along the first axis; rows with a NaN are left out.
    statistic : callable
        From such a sample to a number.
    n : int
        Resamples.
    random_state : int

    Returns
    -------
    Estimate

    Raises
    ------
    UserError
        If no observation is finite.
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values).reshape(len(values), -1).all(axis=1)]
    if not len(values):
        raise UserError("bootstrap_ci: no finite value to resample; check the columns that the statistic is made of")
    rng = np.random.default_rng(random_state)
    replicates = [statistic(values[rng.integers(len(values), size=len(values))]) for _ in range(n)]
    return _interval(statistic(values), replicates)


def robust_std(values):
    """Standard deviation of the Gaussian that has the sample's median absolute deviation; NaN are left out."""
    values = np.asarray(values, float)
    return float(1.4826 * np.nanmedian(np.abs(values - np.nanmedian(values))))


def wadati(p_travel, s_travel, source_id, n=1000, random_state=0):
    r"""Vp/Vs from the travel times of P and S, without any model of the structure.

    .. math:: t_S - t_P = (v_P / v_S - 1)\, t_P

    The slope is the one with the least absolute deviations among the lines through the origin (a weighted median of the
    ratios), so that a misread S does not turn it. Its interval resamples *events*: the readings of one event share the
    error of its origin time.

    Parameters
    ----------
    p_travel, s_travel : array_like, shape (readings,)
        Seconds after the origin time; pairs with a NaN, and P at or before the origin, are left out.
    source_id : array_like, shape (readings,)
        The event of each pair.
    n : int
        Resamples.
    random_state : int

    Returns
    -------
    Estimate
        Vp/Vs.

    Raises
    ------
    UserError
        If no reading has both onsets.

    References
    ----------
    K. Wadati (1933), Geophys. Mag. 7, 101-111.
    """
    p, s = np.asarray(p_travel, float), np.asarray(s_travel, float)
    keep = np.isfinite(p) & np.isfinite(s) & (p > 0)
    if not keep.any():
        raise UserError("wadati: no reading has both a P and an S onset; check path_p_travel_s and path_s_travel_s")
    p, s, event = p[keep], s[keep], np.unique(np.asarray(source_id)[keep], return_inverse=True)[1]
    order = np.argsort(s / p)
    ratio, weight, event = (s / p)[order], p[order], event[order]
    rng = np.random.default_rng(random_state)
    events = event.max() + 1
    resamples = (np.bincount(rng.integers(events, size=events), minlength=events) for _ in range(n))
    return _interval(
        _weighted_median(ratio, weight), [_weighted_median(ratio, weight * times[event]) for times in resamples]
    )


def _weighted_median(ordered, weight):
    """Where the weights of the ordered values reach half of their sum."""
    total = np.cumsum(weight)
    return ordered[np.searchsorted(total, total[-1] / 2)]


def travel_time_residuals(catalogue, network, travel_times):
    """Onsets read minus onsets computed in the layered model from the catalogue's hypocentre and origin time.

    Parameters
    ----------
    catalogue : Catalogue
    network : Network
    travel_times : TravelTimes
        Anything with `p(epicentral_km, depth_km, elevation_m)` and `s(...)` in seconds.

    Returns
    -------
    DataFrame
        With the index of `catalogue.readings`: `path_ep_distance_km`, `p_residual_s`, `s_residual_s`. They hold the
        errors of reading, of the model *and* of the catalogue's own location.
    """
    readings = catalogue.readings
    distance = path_geometry(catalogue, network).path_ep_distance_km
    depth = readings.source_id.map(catalogue.events.source_depth_km).to_numpy(float)
    elevation = readings.station_code.map(network.station_table().elevation_m).to_numpy(float)
    path = distance.to_numpy(), depth, elevation
    return pd.DataFrame(
        {
            "path_ep_distance_km": distance,
            "p_residual_s": readings.path_p_travel_s - travel_times.p(*path),
            "s_residual_s": readings.path_s_travel_s - travel_times.s(*path),
        }
    )


def amplitude_residuals(catalogue, network):
    r"""Amplitudes read against those that the network's magnitude relation expects, in log10 units.

    .. math:: \log_{10} A_\mathrm{read} - (M - b \log_{10} R - c R - d)

    Returns
    -------
    DataFrame
        With the index of `catalogue.readings`: `path_hyp_distance_km`, `amplitude_residual` as above, and
        `station_residual`, the same after the station's site term.
    """
    readings = catalogue.readings
    distance = path_geometry(catalogue, network).path_hyp_distance_km
    magnitude = readings.source_id.map(catalogue.events.source_magnitude).to_numpy(float)
    amplitude = readings.trace_amplitude_nm.where(readings.trace_amplitude_nm > 0)
    residual = np.log10(amplitude) - network.magnitude.log_amplitude(magnitude, distance)
    site = readings.station_code.map(network.station_table().site_term).to_numpy(float)
    return pd.DataFrame(
        {"path_hyp_distance_km": distance, "amplitude_residual": residual, "station_residual": residual - site}
    )


@dataclass(frozen=True)
class ExpertLine:
    """The error that the experts' own catalogue carries: what `near-expert` is measured against.

    Parameters
    ----------
    meaning : str
        What the numbers are, in words.
    epicentre_km, depth_km : Estimate
        Medians.
    magnitude_bias, magnitude_sd : Estimate or None
        Mean difference and standard deviation between two catalogues (the median of magnitudes rounded to 0.1 would not
        move); None where the network has one catalogue only.
    events : int
        How many events decide.
    """

    meaning: str
    epicentre_km: Estimate
    depth_km: Estimate
    magnitude_bias: Estimate | None
    magnitude_sd: Estimate | None
    events: int


def expert_line(catalogue, random_state=0):
    """How far an expert is from the truth, as far as the catalogue can tell.

    Where a second group located the same events (Ridgecrest: PALM beside the Southern California network), it is the
    difference between the two; elsewhere (Colombia) the formal errors that the analysts' locator states, which leave
    out what its velocity model gets wrong.

    Parameters
    ----------
    catalogue : Catalogue
    random_state : int
        Of the bootstrap.

    Returns
    -------
    ExpertLine

    Raises
    ------
    UserError
        If the catalogue has neither, as a simulated one whose labels are exact.
    """
    errors = expert_errors(catalogue)
    second = "magnitude" in errors
    return ExpertLine(
        meaning="difference between two catalogues" if second else "formal error of the location",
        epicentre_km=bootstrap_ci(errors.epicentre_km, random_state=random_state),
        depth_km=bootstrap_ci(errors.depth_km, random_state=random_state),
        magnitude_bias=bootstrap_ci(errors.magnitude, np.mean, random_state=random_state) if second else None,
        magnitude_sd=bootstrap_ci(errors.magnitude, _sd, random_state=random_state) if second else None,
        events=len(errors),
    )


def _sd(values):
    return np.std(values, ddof=1)


def expert_errors(catalogue):
    """The errors behind `expert_line`, event by event.

    Returns
    -------
    DataFrame
        Indexed by `source_id`: `epicentre_km`, `depth_km` and, where two catalogues are compared, `magnitude` (the
        second minus the label). Formal errors that are not positive (a coordinate held fixed) are left out.

    Raises
    ------
    UserError
        If the catalogue has neither a second location nor formal errors.
    """
    events = catalogue.events
    if set(SECOND_LOCATION) <= set(events.columns):
        errors = _second_location(events).dropna(subset="epicentre_km")
    else:
        errors = _formal_errors(events)
    if errors.empty:
        raise UserError(
            f"network {catalogue.network}, source '{catalogue.source}': no formal errors and no second location, hence "
            "no expert line; take it from the bulletin (source='bulletin')"
        )
    logger.info("expert errors of %s: %d of %d events have them", catalogue.network, len(errors), len(events))
    return errors


def _second_location(events):
    distance, _ = distance_azimuth(
        events.source_latitude_deg, events.source_longitude_deg, events.palm_latitude_deg, events.palm_longitude_deg
    )
    return pd.DataFrame(
        {
            "epicentre_km": distance,
            "depth_km": (events.palm_depth_km - events.source_depth_km).abs(),
            "magnitude": events.palm_magnitude - events.source_magnitude,
        },
        index=events.index,
    )


def _formal_errors(events):
    names = [f"source_{axis}_uncertainty_km" for axis in ("latitude", "longitude", "depth")]
    north, east, depth = (events[name] for name in names)
    errors = pd.DataFrame({"epicentre_km": np.hypot(north, east), "depth_km": depth})
    return errors[(events[names] > 0).all(axis=1)]


@dataclass(frozen=True)
class Summary:
    """What a catalogue amounts to: the content of a record, and what tables and figures of catalogues are made of.

    Parameters
    ----------
    network, source : str
    events, stations, p_onsets, s_onsets, amplitudes, texts : int
        Counts.
    stations_per_event : list of float
        Quartiles.
    azimuthal_gap_deg, nearest_station_km : float
        Medians.
    completeness : float
    b_value, vp_vs : Estimate
    residuals : dict of str to float
        Robust standard deviations of `p_residual_s`, `s_residual_s` and `station_residual` (log10 amplitude after site
        terms), and of the onsets' after each station's median is taken off (`p_within_station_s`, ...).
    neighbour_correlation : float
        See `neighbour_correlation`.
    expert_line : ExpertLine or None
        None where labels are exact.
    distributions : dict of str to list of float
        Quantiles, evenly spaced in probability, of those residuals, of `n_stations` and of the experts' errors.
    """

    network: str
    source: str
    events: int
    stations: int
    p_onsets: int
    s_onsets: int
    amplitudes: int
    texts: int
    stations_per_event: list
    azimuthal_gap_deg: float
    nearest_station_km: float
    completeness: float
    b_value: Estimate
    vp_vs: Estimate
    residuals: dict
    neighbour_correlation: float
    expert_line: ExpertLine | None
    distributions: dict

    @classmethod
    def from_record(cls, record):
        """Return the summary that `dataclasses.asdict` and JSON made plain."""
        line = record["expert_line"]
        if line:
            line = ExpertLine(**{key: Estimate(*v) if isinstance(v, list) else v for key, v in line.items()})
        estimates = {key: Estimate(*record[key]) for key in ("b_value", "vp_vs")}
        return cls(**{**record, **estimates, "expert_line": line})

    def table(self):
        """The numbers as text, a Series for a table of catalogues."""
        low, middle, high = self.stations_per_event
        return pd.Series(
            {
                "source": self.source,
                "events": f"{self.events:,}",
                "stations": f"{self.stations}",
                "P / S onsets": f"{self.p_onsets:,} / {self.s_onsets:,}",
                "amplitudes": f"{self.amplitudes:,}",
                "stations per event (quartiles)": f"{low:.0f} / {middle:.0f} / {high:.0f}",
                "azimuthal gap (median, °)": f"{self.azimuthal_gap_deg:.0f}",
                "nearest station (median, km)": f"{self.nearest_station_km:.0f}",
                "completeness": f"{self.completeness:.1f}",
                "b-value [95 %]": f"{self.b_value:.2f}",
                "Vp/Vs [95 %]": f"{self.vp_vs:.3f}",
                "P / S residual (robust sd, s)": "{p_residual_s:.2f} / {s_residual_s:.2f}".format(**self.residuals),
                "the same within a station": "{p_within_station_s:.2f} / {s_within_station_s:.2f}".format(
                    **self.residuals
                ),
                "correlation between neighbouring events": f"{self.neighbour_correlation:.2f}",
                "log amplitude residual (robust sd)": f"{self.residuals['station_residual']:.2f}",
            }
        )

    def quoted(self):
        """What the book's prose quotes of a real catalogue: from a name to the text that stands there."""
        line = self.expert_line
        texts = {
            name: f"{getattr(self, name):,}" for name in ("events", "stations", "p_onsets", "s_onsets", "amplitudes")
        }
        texts |= {name: f"{getattr(self, name):.0f}" for name in ("azimuthal_gap_deg", "nearest_station_km")}
        texts |= {name: f"{value:.2f}" for name, value in self.residuals.items()}
        texts |= {"neighbour_correlation": f"{self.neighbour_correlation:.2f}"}
        texts |= {"n_stations": f"{self.stations_per_event[1]:.0f}", "b_value": f"{self.b_value:.2f}"}
        texts |= {"vp_vs": f"{self.vp_vs:.3f}", "completeness": f"{self.completeness:.1f}"}
        texts |= {"expert_epicentre": f"{line.epicentre_km:.2f}", "expert_depth": f"{line.depth_km:.1f}"}
        if line.magnitude_sd is not None:
            texts["expert_magnitude"] = f"{line.magnitude_bias.value:+.2f} ± {line.magnitude_sd.value:.2f}"
        return texts


def summarise(catalogue, network, travel_times, random_state=0):
    """Describe a catalogue by a `Summary`; `random_state` seeds the bootstraps."""
    readings, magnitudes = catalogue.readings, catalogue.events.source_magnitude
    shape = geometry(catalogue, network)
    residuals = travel_time_residuals(catalogue, network, travel_times)
    residuals = residuals.join(amplitude_residuals(catalogue, network)[["station_residual"]])
    residuals = residuals[["p_residual_s", "s_residual_s", "station_residual"]]
    within = {
        f"{wave}_within_station_s": values - values.groupby(readings.station_code).transform("median")
        for wave, values in (("p", residuals.p_residual_s), ("s", residuals.s_residual_s))
    }
    complete = completeness(magnitudes)
    b, error = b_value(magnitudes, complete)
    exact = catalogue.source == "simulated"
    errors = {} if exact else expert_errors(catalogue).add_prefix("error_")
    return Summary(
        network=catalogue.network,
        source=catalogue.source,
        events=len(catalogue),
        stations=int(readings.station_code.nunique()),
        p_onsets=int(readings.path_p_travel_s.notna().sum()),
        s_onsets=int(readings.path_s_travel_s.notna().sum()),
        amplitudes=int(readings.trace_amplitude_nm.notna().sum()),
        texts=int((catalogue.events.source_text != "").sum()),
        stations_per_event=np.percentile(shape.n_stations, [25, 50, 75]).tolist(),
        azimuthal_gap_deg=float(shape.azimuthal_gap_deg.median()),
        nearest_station_km=float(shape.nearest_station_km.median()),
        completeness=float(complete),
        b_value=Estimate(*(float(b + z * error) for z in (0, -1.96, 1.96))),
        vp_vs=wadati(readings.path_p_travel_s, readings.path_s_travel_s, readings.source_id, 1000, random_state),
        residuals={name: float(robust_std(values)) for name, values in {**residuals, **within}.items()},
        neighbour_correlation=neighbour_correlation(catalogue, within["p_within_station_s"]),
        expert_line=None if exact else expert_line(catalogue, random_state),
        distributions={
            name: quantiles(values) for name, values in {**residuals, "n_stations": shape.n_stations, **errors}.items()
        },
    )


def neighbour_correlation(catalogue, residual):
    """Rank correlation of an event's P residuals with those of its nearest neighbour at the same stations.

    Neighbouring events share their paths: what the layered model gets wrong on a path is wrong for both. The median
    residual of each event, the error of its origin time, is taken off first.

    Parameters
    ----------
    catalogue : Catalogue
    residual : Series
        With the index of `catalogue.readings`, in seconds.

    Returns
    -------
    float
        Spearman's coefficient over all pairs of readings; NaN with fewer than ten pairs.
    """
    readings, events = catalogue.readings, catalogue.events
    centre = events.source_latitude_deg.mean(), events.source_longitude_deg.mean()
    east, north = azimuthal_equidistant(events.source_latitude_deg, events.source_longitude_deg, centre)
    place = np.column_stack([east, north, events.source_depth_km])
    _, nearest = cKDTree(place).query(place, k=2)
    neighbour = pd.Series(events.index[nearest[:, 1]], index=events.index)
    value = residual - residual.groupby(readings.source_id).transform("median")
    table = pd.DataFrame({"event": readings.source_id, "station": readings.station_code, "residual": value}).dropna()
    table["neighbour"] = table.event.map(neighbour)
    pairs = table.merge(table, left_on=["neighbour", "station"], right_on=["event", "station"])
    if len(pairs) < 10:
        return float("nan")
    return float(pairs.residual_x.corr(pairs.residual_y, method="spearman"))


def quantiles(values, n=200):
    """`n` quantiles at the probabilities (i + 1/2) / n, to five digits: a sample's distribution in a record's size."""
    values = np.asarray(values, float)
    chosen = np.quantile(values[np.isfinite(values)], (np.arange(n) + 0.5) / n)
    return [float(f"{value:.5g}") for value in chosen]
