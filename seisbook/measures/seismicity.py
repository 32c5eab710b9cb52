"""Summary statistics of a catalogue: completeness, b-value, Vp/Vs, residuals."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from seisbook.catalogues.geodesy import azimuthal_equidistant, geometry
from seisbook.errors import UserError
from seisbook.measures.estimates import Estimate, percentile_interval, robust_std
from seisbook.measures.expert_line import ExpertLine, expert_errors, expert_line
from seisbook.physics.residuals import amplitude_residuals, travel_time_residuals


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


def _binned(magnitudes, bin_width):
    """Finite magnitudes as whole numbers of bins."""
    magnitudes = np.asarray(magnitudes, float)
    return np.round(magnitudes[np.isfinite(magnitudes)] / bin_width).astype(int)


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
    return percentile_interval(
        _weighted_median(ratio, weight), [_weighted_median(ratio, weight * times[event]) for times in resamples]
    )


def _weighted_median(ordered, weight):
    """Where the weights of the ordered values reach half of their sum."""
    total = np.cumsum(weight)
    return ordered[np.searchsorted(total, total[-1] / 2)]


@dataclass(frozen=True)
class Summary:
    """Summary of a catalogue, as records keep it and as tables and figures of catalogues show it.

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
        """Numbers that the book's prose quotes of a real catalogue, as texts by name."""
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
