r"""The classical pipeline: picks, layered travel times, a grid search with a robust likelihood, local magnitude.

What an observatory uses, and so what a learned locator has to be compared with. The onsets :math:`t_i` of an event are
explained by a hypocentre `x` and an origin time `o`; with Laplace-distributed errors

.. math:: -\ln L(x, o) = \sum_i \frac{\sqrt 2}{\sigma_i(x)} |t_i - o - T_i(x)| + \ln \sigma_i(x)

where :math:`T_i` is the travel time in the network's layered model plus the station's correction, and
:math:`\sigma_i` the network's pick scatter, which grows with distance, over the analyst's weight. The best `o` for a
given `x` is the weighted median of :math:`t_i - T_i(x)`; what remains is searched over three coordinates, first on a
grid over the network, then on grids that shrink around the best nodes of the one before. Only differences between
onsets enter, never the catalogue's origin time.

Who is favoured: the Colombian labels were computed from *these* picks and weights in *this* velocity model (with the
analysts' locator, SEISAN's HYPOCENTER), so that there this pipeline repeats their work more than it competes with it.
The labels at Ridgecrest come from other picks, more stations and another model.

References
----------
A. Lomax, J. Virieux, P. Volant and C. Berge (2000), Probabilistic earthquake location in 3D and layered models, in:
Advances in Seismic Event Location, Kluwer, 101-134.

N. Maeda (1985), A method for reading and checking phase times in auto-processing system of seismic wave data, Zisin 38,
365-379: the AIC picker.
"""

import logging
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from obspy.signal.filter import highpass
from obspy.signal.trigger import aic_simple, recursive_sta_lta
from tqdm import tqdm

from seisbook.catalogue import Catalogue
from seisbook.errors import UserError
from seisbook.networks import KM_PER_DEGREE, Network
from seisbook.statistics import distance_azimuth, path_geometry, travel_time_residuals
from seisbook.traveltimes import TravelTimes

logger = logging.getLogger(__name__)

EPICENTRES, DEPTHS = 2500, 8  # nodes of the first grid
MARGIN, MARGIN_KM = 0.15, 20.0  # of the search around the stations: part of their extent, and at least so many km
COARSE_ONSETS = 24  # that the first grid looks at: the earliest, which are the most accurate
CANDIDATES = 6  # nodes around which the next grid lies
SHRINK, LEVELS = 0.6, 13  # of the grids' steps from one to the next: 0.6 ** 13 of 25 km are 30 m
NEIGHBOURS = np.stack(np.meshgrid(*[[-1.0, 0.0, 1.0]] * 3, indexing="ij"), -1).reshape(-1, 3)
SHRINKAGE = 4.0  # readings at which a station's correction is half of its median residual
LEAST_ONSETS = 3
LOWEST_WEIGHT = 0.25  # of an onset that the analyst did not use, where there are too few others
DIFFERENCE_KM = 1.0  # of numerical derivatives of travel times
HIGHPASS_HZ = 2.0  # of the automatic picker: above the oceans' microseism
SHORT_S, LONG_S, TRIGGER = 0.5, 4.0, 3.0  # averages, and their ratio that counts as a trigger
LEAST_S_MINUS_P_S = 0.3
LOCATED = ["east_km", "north_km", "depth_km", "origin_s"]


# -------------------------------------------------------------------------------------------------------------- locator


@dataclass
class ClassicalLocator:
    """Grid-search location and local magnitude, with station corrections learnt from a catalogue.

    Parameters
    ----------
    network : Network
    travel_times : TravelTimes, optional
        Of the network's velocity model.
    station_corrections : bool
        Whether onsets are corrected by the stations' median residuals. It helps where the labels come from another
        model (Ridgecrest) and not where they come from this one (Colombia).
    progress : bool
        Show a bar.

    Attributes
    ----------
    corrections_ : DataFrame
        Indexed by station code: `p_s`, `s_s`, the medians of the training residuals of P and S, and `magnitude`, that
        of the station's magnitudes minus the label; each drawn towards 0 where there are few readings.
    magnitude_constant_ : float
        What the network's magnitude relation is too low by.
    """

    network: Network
    travel_times: TravelTimes | None = field(default=None, repr=False)
    station_corrections: bool = True
    progress: bool = True

    def fit(self, catalogue):
        """Learn station corrections, the magnitude's constant and the extent of the search from labelled events.

        The station terms in the network's YAML file were measured on the whole bulletin, test events included: they are
        not used.

        Raises
        ------
        UserError
            If the catalogue has no reading.
        """
        if not len(catalogue.readings):
            raise UserError("there is no reading to fit the classical locator to: the fold is empty")
        self._travel_times = self.travel_times or TravelTimes(self.network.velocity_model)
        self._stations, self._centre = self.network.station_table(), self.network.centre
        self._places = self._stations[["latitude", "longitude", "elevation_m"]].to_numpy(float).T
        residuals = travel_time_residuals(catalogue, self.network, self._travel_times)
        station = catalogue.readings.station_code
        terms = {}
        for wave in "ps":
            used = _weights(catalogue.readings, wave) > 0
            terms[f"{wave}_s"] = self._station_median(residuals[f"{wave}_residual_s"][used], station)
        self.corrections_ = pd.DataFrame(terms) * float(self.station_corrections)
        self._fit_magnitude(catalogue)
        self._grid = self._first_grid(catalogue)
        return self

    def _fit_magnitude(self, catalogue):
        """Station corrections of magnitude, then the constant that leaves no bias of the events' magnitudes."""
        distance = path_geometry(catalogue, self.network).path_hyp_distance_km
        label = catalogue.readings.source_id.map(catalogue.events.source_magnitude)
        residual = self._station_magnitudes(catalogue.readings, distance) - label
        constant = float(np.nan_to_num(residual.median()))
        self.corrections_["magnitude"] = self._station_median(residual - constant, catalogue.readings.station_code)
        left = residual - catalogue.readings.station_code.map(self.corrections_.magnitude)
        of_event = left.groupby(catalogue.readings.source_id).mean()
        self.magnitude_constant_ = -float(np.nan_to_num(of_event.median()))

    def _station_median(self, values, station):
        """Median of each station's values, drawn towards 0 where there are few; 0 where there are none."""
        of_station = values.dropna().groupby(station)
        count = of_station.size()
        return (of_station.median() * count / (count + SHRINKAGE)).reindex(self._stations.index).fillna(0.0)

    def _station_magnitudes(self, readings, hypocentral_km):
        """Each reading's magnitude by the network's relation; NaN where there is no amplitude."""
        amplitude = readings.trace_amplitude_nm.where(readings.trace_amplitude_nm > 0)
        return self.network.magnitude.magnitude(np.log10(amplitude), hypocentral_km)

    def _first_grid(self, catalogue):
        """Nodes of the first grid, epicentral distances from and travel times to all stations, and its spacing."""
        east, north = self.network.to_local(self._stations.latitude.to_numpy(), self._stations.longitude.to_numpy())
        count = catalogue.readings.station_code.value_counts().reindex(self._stations.index).fillna(0)
        often = (count >= 0.01 * len(catalogue)).to_numpy()  # stations that read hardly anything are far abroad
        low, high = (np.array([end(axis[often]) for axis in (east, north)]) for end in (np.min, np.max))
        margin = max(MARGIN * (high - low).max(), MARGIN_KM)
        step = np.sqrt(np.prod(high - low + 2 * margin) / EPICENTRES)
        axes = [np.arange(a - margin, b + margin + step, step) for a, b in zip(low, high, strict=True)]
        top, bottom = min(0.0, catalogue.events.source_depth_km.min()), 1.1 * catalogue.events.source_depth_km.max() + 1
        self._depths = top, bottom
        depths = top + (bottom - top) * np.linspace(0, 1, DEPTHS) ** 1.5  # denser where most earthquakes are
        nodes = np.stack(np.meshgrid(*axes, depths, indexing="ij"), -1).reshape(-1, 3)
        distance, time = self._paths(nodes, np.arange(len(self._stations)))
        spacing = np.array([step, step, (bottom - top) / DEPTHS])
        return nodes, distance.astype("float32"), time.astype("float32"), spacing

    def _paths(self, nodes, station):
        """Epicentral distances and P travel times (nodes, stations) from points of the local frame."""
        latitude, longitude = to_geographic(nodes[:, :1], nodes[:, 1:2], self._centre)
        to_latitude, to_longitude, elevation = self._places[:, station]
        distance, _ = distance_azimuth(latitude, longitude, to_latitude, to_longitude)
        return distance, self._travel_times.p(distance, nodes[:, 2:], elevation)

    def predict(self, catalogue):
        """Locate events and compute their magnitudes.

        Parameters
        ----------
        catalogue : Catalogue
            Only the differences between an event's onsets are used, with their weights, and its amplitudes. Onsets of
            weight 0 are left out if four others remain.

        Returns
        -------
        DataFrame
            Indexed by `source_id`, in the catalogue's order:

            - `east_km`, `north_km` (the network's local frame), `latitude`, `longitude`, `depth_km`;
            - `magnitude`, the mean over the stations that read an amplitude, as observatories take it (NaN without
              any);
            - `rms_s`, the weighted residual, and `n_onsets`;
            - `east_uncertainty_km`, `north_uncertainty_km`, `east_north_correlation`, `depth_uncertainty_km`: standard
              errors linearised at the solution, for onset errors as large as the network's pick scatter; infinite where
              the onsets do not determine the hypocentre;
            - `magnitude_uncertainty`, from the scatter of station magnitudes.

            An event with fewer than three onsets is NaN; the log counts them.

        Raises
        ------
        UserError
            If the locator has not been fitted.
        """
        if not hasattr(self, "corrections_"):
            raise UserError("the classical locator has no station corrections yet: call fit first")
        onsets = self._onsets(catalogue)
        start = np.searchsorted(onsets.event, np.arange(len(catalogue) + 1))
        columns = [onsets[name].to_numpy() for name in ("station", "wave", "time", "weight")]
        located = np.full((len(catalogue), len(LOCATED)), np.nan)
        for event in tqdm(range(len(catalogue)), "locating", unit="event", disable=not self.progress):
            rows = slice(start[event], start[event + 1])
            if rows.stop - rows.start >= LEAST_ONSETS:
                located[event] = self._locate(*(column[rows] for column in columns))
        lost = int(np.isnan(located[:, 0]).sum())
        if lost:
            logger.warning("%d of %d events have fewer than %d onsets: not located", lost, len(catalogue), LEAST_ONSETS)
        table = pd.DataFrame(located, catalogue.events.index, LOCATED)
        table["latitude"], table["longitude"] = to_geographic(table.east_km, table.north_km, self._centre)
        table = table.join(self._magnitudes(catalogue, table)).join(self._formal_errors(onsets, table))
        return table.drop(columns="origin_s")

    def score(self, catalogue):
        """Minus the median epicentral error in km: larger is better."""
        table, events = self.predict(catalogue), catalogue.events
        east, north = self.network.to_local(events.source_latitude_deg, events.source_longitude_deg)
        return -float(np.nanmedian(np.hypot(table.east_km - east, table.north_km - north)))

    def _onsets(self, catalogue):
        """The onsets to be used, event after event, earliest first, in seconds after the event's first."""
        readings, tables = catalogue.readings, []
        event = catalogue.events.index.get_indexer(readings.source_id)
        station = self._stations.index.get_indexer(readings.station_code)
        for wave, name in enumerate("ps"):
            columns = {
                "event": event,
                "station": station,
                "wave": wave,
                "time": readings[f"path_{name}_travel_s"].to_numpy(float),
                "weight": _weights(readings, name).to_numpy(float),
                "term": self.corrections_[f"{name}_s"].to_numpy()[station],
            }
            tables.append(pd.DataFrame(columns)[np.isfinite(columns["time"])])
        table = pd.concat(tables).query("event >= 0 and station >= 0")
        table = table.sort_values(["event", "time"], kind="stable", ignore_index=True)
        trusted = table.weight > 0
        table = table[trusted | (trusted.groupby(table.event).transform("sum") < 4)]
        first = table.time.groupby(table.event).transform("min")
        return table.assign(time=table.time - first - table.term, weight=table.weight.clip(lower=LOWEST_WEIGHT)).drop(
            columns="term"
        )

    def _locate(self, station, wave, time, weight):
        """Search for the hypocentre of one event from its onsets, earliest first; returns the values of `LOCATED`."""
        nodes, distance, p_time, step = self._grid
        early = slice(COARSE_ONSETS)
        paths = distance[:, station[early]], p_time[:, station[early]]
        misfit, _ = self._misfit(*paths, wave[early], time[early], weight[early])
        near, column = np.unique(station, return_inverse=True)
        for _ in range(LEVELS):
            best = np.argpartition(misfit, CANDIDATES)[:CANDIDATES]
            step = step * SHRINK
            nodes = (nodes[best, None] + NEIGHBOURS * step).reshape(-1, 3)
            nodes[:, 2] = nodes[:, 2].clip(*self._depths)
            distance, p_time = self._paths(nodes, near)
            misfit, origin = self._misfit(distance[:, column], p_time[:, column], wave, time, weight)
        best = misfit.argmin()
        return *nodes[best], origin[best]

    def _misfit(self, distance, p_time, wave, time, weight):
        """Minus log likelihood (nodes,) at the best origin time, and that time.

        `distance` and `p_time` have the shape (nodes, onsets), the others (onsets,).
        """
        kind = distance.dtype  # the first grid is in single precision, for speed
        ratio = np.array([1.0, self.network.velocity_model.vp_vs], kind)[wave]
        residual = time.astype(kind) - ratio * p_time
        inverse = weight.astype(kind) / onset_scatter(self.network, wave, distance)
        origin = weighted_median(residual, inverse)
        return (np.sqrt(kind.type(2)) * np.abs(residual - origin[:, None]) * inverse - np.log(inverse)).sum(1), origin

    def _magnitudes(self, catalogue, table):
        """Mean of the corrected station magnitudes at the located hypocentre, and its standard error."""
        events = catalogue.events.assign(
            source_latitude_deg=table.latitude, source_longitude_deg=table.longitude, source_depth_km=table.depth_km
        )
        readings = catalogue.readings
        located = Catalogue(catalogue.network, catalogue.source, events, readings)
        distance = path_geometry(located, self.network).path_hyp_distance_km
        magnitude = self._station_magnitudes(readings, distance) + self.magnitude_constant_
        magnitude -= readings.station_code.map(self.corrections_.magnitude)
        of_event = magnitude.groupby(readings.source_id)
        error = self.network.magnitude.scatter / np.sqrt(of_event.count().where(lambda n: n > 0))
        columns = {"magnitude": of_event.mean(), "magnitude_uncertainty": error}
        return pd.DataFrame(columns).reindex(catalogue.events.index)

    def _formal_errors(self, onsets, table):
        """Residual, number of onsets and linearised standard errors of located events."""
        at = table.iloc[onsets.event]
        latitude, longitude, elevation = self._places[:, onsets.station]
        wave = onsets.wave.to_numpy()
        path = distance_azimuth(at.latitude.to_numpy(), at.longitude.to_numpy(), latitude, longitude)
        onset = onset_slopes(self._travel_times, wave, *path, at.depth_km.to_numpy(), elevation)
        weight = onsets.weight.to_numpy() / onset_scatter(self.network, wave, path[0])
        residual = onsets.time.to_numpy() - at.origin_s.to_numpy() - onset[0]
        event, n = onsets.event.to_numpy(), len(table)
        chi = np.bincount(event, weight**2 * residual**2, n)
        covariance = _covariance(onset[1] * weight[:, None], event, n)
        deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        with np.errstate(invalid="ignore"):
            columns = {
                "rms_s": np.sqrt(chi / np.bincount(event, weight**2, n)),
                "n_onsets": np.bincount(event, minlength=n),
                "east_uncertainty_km": deviation[:, 0],
                "north_uncertainty_km": deviation[:, 1],
                "east_north_correlation": covariance[:, 0, 1] / (deviation[:, 0] * deviation[:, 1]),
                "depth_uncertainty_km": deviation[:, 2],
            }
        return pd.DataFrame(columns, table.index)


def _weights(readings, wave):
    """The analyst's weights of the onsets; 1 where none is stated."""
    return readings[f"trace_{wave}_weight"].fillna(1.0)


def onset_scatter(network, wave, distance):
    """Standard deviation of onsets (s) of P (`wave` 0) and S (1) at epicentral distances."""
    near = np.asarray(network.pick_scatter_s, distance.dtype)[wave]
    return np.hypot(near, np.asarray(network.pick_scatter_per_100km_s / 100, distance.dtype) * distance)


def weighted_median(values, weights):
    """Weighted median along the last axis: where the weights of the ordered values reach half of their sum."""
    order = np.argsort(values, axis=-1)
    total = np.cumsum(np.take_along_axis(weights, order, -1), axis=-1)
    middle = (total < total[..., -1:] / 2).sum(-1, keepdims=True)
    return np.take_along_axis(values, np.take_along_axis(order, middle, -1), -1)[..., 0]


def to_geographic(east_km, north_km, centre):
    """Latitude and longitude of points of the local frame: the inverse of `networks.azimuthal_equidistant`."""
    lat0, lon0 = np.radians(centre)
    c = np.radians(np.hypot(east_km, north_km) / KM_PER_DEGREE)
    azimuth = np.arctan2(east_km, north_km)
    latitude = np.arcsin(np.sin(lat0) * np.cos(c) + np.cos(lat0) * np.sin(c) * np.cos(azimuth))
    along = np.arctan2(np.sin(azimuth) * np.sin(c) * np.cos(lat0), np.cos(c) - np.sin(lat0) * np.sin(latitude))
    return np.degrees(latitude), (np.degrees(lon0 + along) + 180) % 360 - 180


# --------------------------------------------------------------------------------------------------- Cramér-Rao bound


def onset_slopes(travel_times, wave, distance_km, azimuth_deg, depth_km, elevation_m):
    """Travel times, and how onsets change with the hypocentre and the origin time.

    Parameters
    ----------
    travel_times : TravelTimes
    wave : ndarray of int, shape (onsets,)
        0 for P, 1 for S.
    distance_km, azimuth_deg : ndarray, shape (onsets,)
        From the epicentre to the station.
    depth_km, elevation_m : ndarray, shape (onsets,)

    Returns
    -------
    time : ndarray, shape (onsets,)
        Seconds.
    slopes : ndarray, shape (onsets, 4)
        Derivatives by east, north and depth of the hypocentre (s/km) and by the origin time (1), by central differences
        over `DIFFERENCE_KM`, the spacing of the table of travel times where it is widest.
    """
    ratio = np.where(wave == 0, 1.0, travel_times.velocity_model.vp_vs)
    near, far = np.maximum(distance_km - DIFFERENCE_KM, 0), distance_km + DIFFERENCE_KM
    top, bottom = depth_km - DIFFERENCE_KM, depth_km + DIFFERENCE_KM
    along = (travel_times.p(far, depth_km, elevation_m) - travel_times.p(near, depth_km, elevation_m)) / (far - near)
    down = (travel_times.p(distance_km, bottom, elevation_m) - travel_times.p(distance_km, top, elevation_m)) / (
        bottom - top
    )
    slopes = np.stack([*(_towards(azimuth_deg) * (ratio * along)), ratio * down, np.ones(len(ratio))], axis=1)
    return ratio * travel_times.p(distance_km, depth_km, elevation_m), slopes


def _towards(azimuth_deg):
    """Change of the epicentral distance for an epicentre moved 1 km to the east, and to the north."""
    return -np.stack([np.sin(np.radians(azimuth_deg)), np.cos(np.radians(azimuth_deg))])


def _covariance(rows, event, n):
    """Inverse of each event's information, the sum of its rows' outer products: (n, parameters, parameters).

    `rows` has the shape (rows, parameters), in units of the standard deviation. Rows and columns of parameters that an
    event's information leaves open are infinite.
    """
    information = np.zeros((n, rows.shape[1], rows.shape[1]))
    np.add.at(information, event, rows[:, :, None] * rows[:, None, :])
    information[~np.isfinite(information).all((1, 2))] = 0
    values, vectors = np.linalg.eigh(information)
    known = values > 1e-10 * np.maximum(values[:, -1:], 1e-10)
    covariance = (vectors * (known / np.where(known, values, 1))[:, None]) @ np.swapaxes(vectors, 1, 2)
    unknown = ((vectors**2 * ~known[:, None]).sum(2)) > 1e-6
    covariance[unknown[:, :, None] | unknown[:, None, :]] = np.inf
    return covariance


def cramer_rao(network, catalogue, travel_times):
    r"""The Cramér-Rao bound of hypocentre and magnitude, event by event: no unbiased method has smaller errors.

    The onsets that were read are Gaussian about the layered model's, with the standard deviation
    :math:`\sigma_i(r)` of the network's pick scatter, and so are log amplitudes about the magnitude relation's, with
    its scatter :math:`\sigma_A`. With the parameters :math:`\theta` = (east, north, depth, origin time, magnitude), the
    Fisher information is

    .. math::
        J = \sum_i \frac{\nabla T_i \nabla T_i^\top + 2\, \nabla\sigma_i \nabla\sigma_i^\top}{\sigma_i^2}
            + \sum_j \frac{\nabla a_j \nabla a_j^\top}{\sigma_A^2}

    over onsets `i` (with :math:`\partial T_i / \partial o = 1`) and amplitudes `j` (with
    :math:`a = M - b \log_{10} R - c R - d`); the term in :math:`\nabla\sigma_i` is what the growth of the scatter with
    distance tells. Every unbiased estimate has a covariance of at least :math:`J^{-1}`, in each of whose diagonal
    elements the other parameters, the origin time among them, are unknown.

    Parameters
    ----------
    network : Network
    catalogue : Catalogue
        With exact labels: a simulated one. Of a bulletin the bound is that of the network's description, at the labels.
    travel_times : TravelTimes
        Of the network's velocity model.

    Returns
    -------
    DataFrame
        Indexed by `source_id`: `epicentral_km`, the root of the trace of the bound's 2 x 2 block, hence of the mean
        *squared* epicentral error (for a circular Gaussian error the median is 0.83 of it, for a long ellipse 0.67);
        `depth_km`, `magnitude`, `origin_time_s`, standard deviations. Infinite where the readings do not determine the
        event.

    Notes
    -----
    The bound knows nothing of *where* earthquakes occur. An estimator that has learnt the seismicity, or that none is
    above the surface, is biased towards it and can be better than the bound, most of all for events with few readings.
    Nor does the bound count what the stations that did *not* read the event tell, or the period, whose information on
    magnitude is below 1 % of the amplitude's.

    References
    ----------
    S. M. Kay (1993), Fundamentals of Statistical Signal Processing: Estimation Theory, Prentice Hall, chapter 3.
    """
    readings = catalogue.readings.reset_index(drop=True)
    known = Catalogue(catalogue.network, catalogue.source, catalogue.events, readings)
    path = path_geometry(known, network)
    event = catalogue.events.index.get_indexer(readings.source_id)
    depth = catalogue.events.source_depth_km.to_numpy()[event]
    elevation = network.station_table().elevation_m.reindex(readings.station_code).to_numpy()
    distance, azimuth = path.path_ep_distance_km.to_numpy(), path.path_azimuth_deg.to_numpy()
    rows, of_event = [], []
    for wave, name in enumerate("ps"):
        read = readings[f"path_{name}_travel_s"].notna().to_numpy() & np.isfinite(distance)
        at = distance[read], azimuth[read], depth[read], elevation[read]
        rows += _onset_rows(network, travel_times, np.full(read.sum(), wave), *at)
        of_event += [event[read]] * 2
    read = (readings.trace_amplitude_nm > 0).to_numpy() & np.isfinite(distance)
    rows.append(_amplitude_rows(network.magnitude, distance[read], azimuth[read], (depth + elevation / 1000)[read]))
    of_event.append(event[read])
    covariance = _covariance(np.concatenate(rows), np.concatenate(of_event), len(catalogue))
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    columns = {
        "epicentral_km": np.sqrt(variance[:, 0] + variance[:, 1]),
        "depth_km": np.sqrt(variance[:, 2]),
        "magnitude": np.sqrt(variance[:, 4]),
        "origin_time_s": np.sqrt(variance[:, 3]),
    }
    return pd.DataFrame(columns, catalogue.events.index)


def _onset_rows(network, travel_times, wave, distance_km, azimuth_deg, depth_km, elevation_m):
    """Information of onsets, as rows of derivatives over the standard deviation: by their mean, and by its growth."""
    sigma = onset_scatter(network, wave, distance_km)
    _, slopes = onset_slopes(travel_times, wave, distance_km, azimuth_deg, depth_km, elevation_m)
    mean, growth = np.zeros((2, len(wave), 5))
    mean[:, :4] = slopes / sigma[:, None]
    slope = (network.pick_scatter_per_100km_s / 100) ** 2 * distance_km / sigma
    growth[:, :2] = (_towards(azimuth_deg) * (np.sqrt(2) * slope / sigma)).T
    return [mean, growth]


def _amplitude_rows(relation, distance_km, azimuth_deg, vertical_km):
    """Information of log amplitudes, as rows of derivatives over the standard deviation."""
    hypocentral = np.hypot(distance_km, vertical_km)
    slope = np.where(hypocentral > 1, -relation.b / (np.log(10) * np.maximum(hypocentral, 1)) - relation.c, 0)
    rows = np.zeros((len(distance_km), 5))
    rows[:, :2] = (_towards(azimuth_deg) * (slope * distance_km / np.maximum(hypocentral, 1))).T
    rows[:, 2] = slope * vertical_km / np.maximum(hypocentral, 1)
    rows[:, 4] = 1
    return rows / relation.scatter


# --------------------------------------------------------------------------------------------------- automatic picker


def pick_onsets(waveforms, sampling_rate_hz):
    """Pick P and S automatically.

    P triggers the ratio of short- to long-term averages on the vertical, and is put where the Akaike information
    criterion (AIC) around the trigger says that noise turns into signal; S is where it says so on the horizontals,
    between P and their peak.

    Parameters
    ----------
    waveforms : ndarray, shape (stations, 3, samples)
        Z, N, E.
    sampling_rate_hz : float

    Returns
    -------
    p_s, s_s : ndarray, shape (stations,)
        Seconds after the first sample; NaN where there is no onset to be found.
    """
    filtered = highpass(np.asarray(waveforms, float), HIGHPASS_HZ, sampling_rate_hz, corners=2)  # causal
    picks = [_pick_station(station, sampling_rate_hz) for station in filtered]
    p, s = np.array(picks, float).reshape(-1, 2).T / sampling_rate_hz
    return p, s


def _pick_station(trace, rate):
    """P and S of one station in samples (NaN where there is none) from its filtered components."""
    short, long = round(SHORT_S * rate), round(LONG_S * rate)
    if trace.shape[1] <= long or not np.isfinite(trace).all() or not trace[0].any():
        return np.nan, np.nan  # too short, broken, or flat
    triggered = np.flatnonzero(recursive_sta_lta(trace[0], short, long) > TRIGGER)
    if not len(triggered):
        return np.nan, np.nan
    begin = max(0, triggered[0] - long)
    p = begin + _turning_point(aic_simple(trace[0, begin : triggered[0] + short]))
    first = p + round(LEAST_S_MINUS_P_S * rate)
    if trace.shape[1] - first < rate:
        return p, np.nan
    peak = first + np.argmax(trace[1, first:] ** 2 + trace[2, first:] ** 2)
    window = slice(p, peak + round(0.1 * rate) + 1)
    s = p + _turning_point(aic_simple(trace[1, window]) + aic_simple(trace[2, window]))
    return p, (s if s >= first - 1 else np.nan)


def _turning_point(criterion):
    """Sample that begins the signal: after the least value, ends aside, where the variances are of a few samples."""
    return 3 + np.argmin(criterion[2:-3]) if len(criterion) > 6 else 0


def catalogue_from_traces(catalogue, records, sampling_rate_hz, progress=True):
    """The catalogue with automatic readings of its seismograms in the place of its own.

    Parameters
    ----------
    catalogue : Catalogue
        A simulated one, say.
    records : iterable of EventRecord
        Its seismograms, in nm: `seisbook.building.rendered(catalogue, network)`. Nothing of their readings is used but
        where the stations are; an event that is not in the catalogue is left out.
    sampling_rate_hz : float
    progress : bool
        Show a bar.

    Returns
    -------
    Catalogue
        The same events. Its readings have onsets by `pick_onsets` with the status `automatic`, full weight and, as
        amplitude, the largest absolute value of the three components from P on; none where there is no P.
    """
    tables = []
    for record in tqdm(records, "picking", len(catalogue), unit="event", disable=not progress):
        if record.source_id in catalogue.events.index:
            tables.append(_automatic_readings(record, sampling_rate_hz))
    readings = pd.concat(tables, ignore_index=True) if tables else catalogue.readings.iloc[:0]
    events = catalogue.events.reset_index()
    return Catalogue.from_rows(catalogue.network, catalogue.source, events, readings, catalogue.skipped)


def _automatic_readings(record, rate):
    """One event's readings from its seismograms, in seconds after the origin time as catalogues have them."""
    traces, onsets = record.traces, pick_onsets(record.waveforms, rate)
    start = (traces.trace_start_time - traces.source_origin_time).dt.total_seconds().to_numpy()
    peak = np.abs(record.waveforms).max(axis=1)
    after = np.arange(peak.shape[1]) / rate >= np.nan_to_num(onsets[0])[:, None]
    amplitude = np.where(after, peak, 0).max(axis=1)
    columns = {"source_id": record.source_id, "station_code": traces.station_code.to_numpy()}
    for wave, onset in zip("ps", onsets, strict=True):
        columns[f"path_{wave}_travel_s"] = start + onset
        columns[f"trace_{wave}_status"] = np.where(np.isnan(onset), "", "automatic")
        columns[f"trace_{wave}_weight"] = np.where(np.isnan(onset), np.nan, 1.0)
    columns["trace_amplitude_nm"] = np.where(np.isnan(onsets[0]), np.nan, amplitude)
    return pd.DataFrame(columns)
