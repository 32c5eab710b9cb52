r"""The conditional normal with felt reports: converted intensities are further observations of peak velocity.

A cell of reports observes the log10 of peak velocity at its place with a variance of its own and one that all cells of
the event share, see `seisbook.physics.felt_intensity`:

.. math:: z_c = y_{\mathrm{PGV}}(x_c) + \eta + \epsilon_c, \qquad
    \eta \sim N(0, \sigma_\eta^2),\; \epsilon_c \sim N(0, \sigma_c^2)

Values of stations and cells are conditioned on in one step, with the covariance that was fitted to stations. Nothing is
known of the ground under a cell, so it has a station's whole variance. ShakeMap takes reports in the same way, without
the shared error (Worden et al. 2018).
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from seisbook.datasets.felt import PGV, Cells
from seisbook.models.amplitude_source import Source, locate
from seisbook.models.conditional_normal import DEVIATION, ConditionalNormal
from seisbook.physics.felt_intensity import Conversion


class Told(NamedTuple):
    """What stations and cells say of one event.

    `mean` (n, 5), log10, at all stations; `event_term`, that of peak velocity, log10; `source`, as it was given or
    found.
    """

    mean: np.ndarray
    event_term: float
    source: Source


class Observations(NamedTuple):
    """Single values: place `pos` (n, 2) in km, number `at` of the place, number `measure`, residual `value`.

    `noise` (n, n) is the covariance of their errors.
    """

    pos: np.ndarray
    at: np.ndarray
    measure: np.ndarray
    value: np.ndarray
    noise: np.ndarray


class FeltNormal(ConditionalNormal):
    """The conditional normal, for one event at a time, with or without felt reports: `fit`, `told`."""

    def told(self, event, observed, cells: Cells | None = None, conversion: Conversion | None = None, source=None):
        """Predict all stations of one event from the observed ones and from reports.

        Parameters
        ----------
        event : Fields
            One event.
        observed : ndarray of bool, shape (n,)
            Stations whose values are seen.
        cells : Cells, optional
            Reports; none if not given.
        conversion : Conversion, optional
            Of their intensities.
        source : Source, optional
            If it is not given, it is estimated from the observed values and the reports (`amplitude_source.locate`).

        Returns
        -------
        Told
        """
        terms, left = self._site_terms(event)
        pos, values = event.pos.astype(float), np.where(observed[:, None], event.values, np.nan)
        felt = np.full((0, 5), np.nan) if cells is None else _velocities(cells, conversion)
        places = pos if cells is None else np.concatenate([pos, cells.pos])
        if source is None:
            source = locate(self.law_, np.concatenate([values - terms, felt]), places, self.usual_)
        prior = self._law(source, pos) + terms
        seen = self._stations(pos, values - prior, left)
        if cells is not None:
            seen = _together(seen, self._reports(cells, felt, conversion, source))
        mean, event_term = self._posterior(seen, pos)
        return Told(prior + mean, event_term, source)

    def event_term(self, event, source) -> float:
        """Event's term of peak velocity from all stations of an event, for a source."""
        return self.told(event, np.ones(len(event.values), bool), source=source).event_term

    def _stations(self, pos, residual, left):
        """Observed values of stations that do not deviate too much."""
        used = self.used(_Seen(residual, left))
        at, measure = np.nonzero(np.isfinite(used))
        extra = np.maximum(self.law_.site_sd_**2 * (left - self.usual_left_), 0)
        return Observations(pos[at], at, measure, used[at, measure], np.diag(extra[at, measure]))

    def _reports(self, cells, felt, conversion, source):
        """Converted intensities that do not deviate too much."""
        residual = felt[:, PGV] - self._law(source, cells.pos)[:, PGV]
        extra = max(self.law_.site_sd_[PGV] ** 2 * (1 - self.usual_left_[PGV]), 0)
        own = conversion.sd(cells.intensity, cells.sd) ** 2 + extra
        total = self.covariance_.variance[PGV] + own + conversion.shared_sd**2
        kept = np.flatnonzero(np.abs(residual) <= DEVIATION * np.sqrt(total))
        noise = np.diag(own[kept]) + conversion.shared_sd**2
        return Observations(cells.pos[kept], kept, np.full(len(kept), PGV), residual[kept], noise)

    def _posterior(self, seen, pos):
        """Mean residuals at places (n, 5), and the event's term of peak velocity."""
        if not len(seen.value):
            return np.zeros((len(pos), 5)), 0.0
        model = self.covariance_
        same = seen.at[:, None] == seen.at[None]
        matrix = seen.noise + same * model.own[seen.measure[:, None], seen.measure[None]]
        matrix += _covariance(model, seen.pos, seen.measure, seen.pos, seen.measure)
        weights = cho_solve(cho_factor(matrix, lower=True), seen.value)
        every = np.repeat(pos, 5, axis=0), np.tile(np.arange(5), len(pos))
        mean = _covariance(model, *every, seen.pos, seen.measure) @ weights
        return mean.reshape(-1, 5), float(model.event[PGV, seen.measure] @ weights)


class _Seen(NamedTuple):
    """The part of a scene that `ConditionalNormal.used` looks at."""

    residual: np.ndarray
    left: np.ndarray


def _velocities(cells, conversion):
    """Values (n, 5), of which the peak velocity is known."""
    values = np.full((len(cells.intensity), 5), np.nan)
    values[:, PGV] = conversion.velocity(cells.intensity)
    return values


def _together(one, other):
    """Observations of stations and of cells, whose places have numbers of their own."""
    after = one.at.max(initial=-1) + 1
    noise = np.zeros((len(one.value) + len(other.value),) * 2)
    noise[: len(one.value), : len(one.value)] = one.noise
    noise[len(one.value) :, len(one.value) :] = other.noise
    other = other._replace(at=other.at + after)
    parts = [np.concatenate(pair) for pair in zip(one[:4], other[:4], strict=True)]
    return Observations(*parts, noise)


def _covariance(model, pos, measure, other, other_measure):
    """Covariance (n, m) of single values at different places."""
    distance = np.hypot(*(pos[:, None] - other[None]).transpose(2, 0, 1))
    pair = measure[:, None], other_measure[None]
    total = np.broadcast_to(model.event[pair], distance.shape).copy()
    for matrix, reach in zip(model.spatial, model.range_km, strict=True):
        total += matrix[pair] * np.exp(-distance / reach)
    return total
