r"""The attenuation law of a region, refitted, with terms of events and of stations.

.. math:: y_{es} = \mu(M_e, r_{es}, h_e; c) + \delta B_e + \delta S_s + \delta W_{es}, \qquad
    \delta B \sim N(0, \tau^2),\; \delta S \sim N(0, \phi_S^2),\; \delta W \sim N(0, \phi^2)

for each measure. The coefficients `c`, the terms and the variances are found in turn, as Abrahamson & Youngs (1992) do.
Records far from the law get a small weight: of a hundred values, one or two are wrong by a factor of ten or more.

References
----------
N. A. Abrahamson and R. R. Youngs (1992), A stable algorithm for regression analyses using the random effects model,
Bull. Seismol. Soc. Am. 82(1), 505-510.
"""

from dataclasses import dataclass

import numpy as np

from seisbook.catalogues.ground_motion import MEASURES
from seisbook.datasets.fields import Fields
from seisbook.errors import UserError
from seisbook.physics.attenuation import TERMS, design

ROUNDS = 12  # after which no coefficient changes in its third digit
FAR = 2.5  # standard deviations at which a record has half of its weight
FEWEST = 10  # events of a fit


@dataclass
class AttenuationLaw:
    """The law and its terms: `fit`, `predict`.

    Attributes
    ----------
    coefficients_ : ndarray, shape (5, 7)
        Of the terms of `seisbook.physics.attenuation.design`.
    event_sd_, site_sd_, within_sd_ : ndarray, shape (5,)
        Standard deviations of the terms and of what remains, log10.
    event_terms_ : ndarray, shape (events, 5)
        Of the events of the fit, shrunk towards zero where few stations recorded them.
    """

    def fit(self, fields: Fields):
        """Fit the law to fields.

        Raises
        ------
        UserError
            If there are too few events.
        """
        if len(fields) < FEWEST:
            raise UserError(f"{len(fields)} events are too few to fit an attenuation law to: at least {FEWEST}")
        self.stations_ = len(fields.codes)
        self._events = {name: number for number, name in enumerate(fields.source_id)}
        known = np.isfinite(fields.values)
        y, x = np.where(known, fields.values, 0.0).astype(float), _design(fields)
        event, site = np.zeros((len(fields), 5)), np.zeros((self.stations_, 5))
        weight = known.astype(float)
        self.event_sd_ = self.site_sd_ = self.within_sd_ = np.full(5, 0.25)
        for _ in range(ROUNDS):
            target = y - event[fields.event] - site[fields.station]
            self.coefficients_ = _weighted_fit(x, target, weight)
            rest = y - x @ self.coefficients_.T
            self.within_sd_ = _robust_sd(rest - event[fields.event] - site[fields.station], known)
            z = (rest - event[fields.event] - site[fields.station]) / (FAR * self.within_sd_)
            weight = known / (1 + z**2)
            event, self.event_sd_ = self._terms(rest - site[fields.station], weight, fields.event, self.event_sd_)
            site, self.site_sd_ = self._terms(rest - event[fields.event], weight, fields.station, self.site_sd_)
        self.event_terms_ = event[: len(fields)]
        self._keep_sums(rest - event[fields.event], weight, fields)
        return self

    def _terms(self, rest, weight, group, sd):
        """Shrunk weighted means of each group, zero on average, and their standard deviation without the shrinking."""
        size = max(len(self._events), self.stations_)
        total, count = _sums(rest * weight, group, size), _sums(weight, group, size)
        ratio = (self.within_sd_ / sd) ** 2
        terms, there = total / (count + ratio), count.sum(1) > 0
        left = self.within_sd_**2 / (count + ratio)
        terms = np.where(there[:, None], terms - terms[there].mean(0), 0.0)  # the law takes their mean
        return terms, np.sqrt((terms**2 + left)[there].mean(0)).clip(0.02)

    def _keep_sums(self, rest, weight, fields):
        """What each record adds to the sum of its station, so that it can be taken out again."""
        self._own = {"sum": rest * weight, "count": weight, "station": fields.station, "start": fields.start}
        self._site_sum = _sums(rest * weight, fields.station, self.stations_)
        self._site_count = _sums(weight, fields.station, self.stations_)

    def predict(self, fields: Fields) -> np.ndarray:
        """The law, without any term: shape (rows, 5), log10."""
        return _design(fields) @ self.coefficients_.T

    def expected(self, magnitude, epicentral_km, depth_km, measure=slice(None)) -> np.ndarray:
        """The law at any magnitude, distance and depth, which broadcast: shape (..., 5), or (...) of one measure."""
        return design(magnitude, epicentral_km, depth_km) @ self.coefficients_[measure].T

    def site_terms(self, fields: Fields) -> tuple[np.ndarray, np.ndarray]:
        """Term of each row's station, learnt from *other* events, and the share of its variance that is left.

        An event that the law was fitted to is taken out of the terms of its own stations.

        Returns
        -------
        terms, left : ndarray, shape (rows, 5)
        """
        total, count = self._site_sum[fields.station].copy(), self._site_count[fields.station].copy()
        for number, name in enumerate(fields.source_id):
            if name in self._events:
                self._take_out(total, count, fields, number, self._events[name])
        ratio = (self.within_sd_ / self.site_sd_) ** 2
        return total / (count + ratio), ratio / (count + ratio)

    def _take_out(self, total, count, fields, number, trained):
        start, end = self._own["start"][trained : trained + 2]
        place = {station: start + at for at, station in enumerate(self._own["station"][start:end])}
        rows = np.arange(fields.start[number], fields.start[number + 1])
        own = np.array([place[station] for station in fields.station[rows]], int)
        total[rows] -= self._own["sum"][own]
        count[rows] = np.maximum(count[rows] - self._own["count"][own], 0.0)


def _design(fields):
    return design(fields.magnitude[fields.event], fields.epicentral_km, fields.depth_km[fields.event])


def _weighted_fit(x, y, weight):
    """Least squares of each measure with its own weights; a small ridge keeps what the data cannot tell at zero."""
    found = np.empty((len(MEASURES), TERMS))
    for measure in range(len(MEASURES)):
        w = weight[:, measure, None]
        normal = x.T @ (w * x) + 1e-6 * w.sum() * np.eye(TERMS)
        found[measure] = np.linalg.solve(normal, x.T @ (w[:, 0] * y[:, measure]))
    return found


def _robust_sd(rest, known):
    return np.array([1.4826 * np.median(np.abs(rest[known[:, i], i])) for i in range(len(MEASURES))])


def _sums(values, group, size):
    return np.column_stack([np.bincount(group, column, size) for column in values.T])
