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
from tqdm import tqdm

from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.geodesy import distance_azimuth, path_geometry, to_geographic
from seisbook.catalogues.networks import Network
from seisbook.errors import UserError
from seisbook.physics.bounds import hypocentral_covariance, onset_scatter, onset_slopes
from seisbook.physics.residuals import travel_time_residuals
from seisbook.physics.traveltimes import TravelTimes

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
HIGHPASS_HZ = 2.0  # of the automatic picker: above the oceans' microseism
SHORT_S, LONG_S, TRIGGER = 0.5, 4.0, 3.0  # averages, and their ratio that counts as a trigger
LEAST_S_MINUS_P_S = 0.3
LOCATED = ["east_km", "north_km", "depth_km", "origin_s"]


@dataclass
class ClassicalLocator:
    """Grid-search location and local magnitude, with station corrections learnt from a catalogue.

    Parameters
    ----------
    network : Network
    travel_times : TravelTimes, optional
        Travel times in the network's velocity model.
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
        By how much the network's magnitude relation is too low.
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
        for event in tqdm(range(len(catalogue)), "locating", unit="event", disable=None if self.progress else True):
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
        covariance = hypocentral_covariance(onset[1] * weight[:, None], event, n)
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


def weighted_median(values, weights):
    """Weighted median along the last axis: where the weights of the ordered values reach half of their sum."""
    order = np.argsort(values, axis=-1)
    total = np.cumsum(np.take_along_axis(weights, order, -1), axis=-1)
    middle = (total < total[..., -1:] / 2).sum(-1, keepdims=True)
    return np.take_along_axis(values, np.take_along_axis(order, middle, -1), -1)[..., 0]
