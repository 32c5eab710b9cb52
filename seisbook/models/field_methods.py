r"""Reconstruction of a field from some of its stations: the interface of all methods, and the simple ones.

Every method sees the same: the values of the observed stations, and what its `Information` allows. It predicts all five
measures at every station, or at any other point, each as a Student-t distribution with :math:`\nu = 4` about a mean.
The factor of the scales is fitted so that 90 % of the values at hidden stations of *training* events lie in the 90 %
interval.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from scipy import stats
from tqdm import tqdm

from seisbook.catalogues.ground_motion import MEASURES
from seisbook.datasets.fields import Fields
from seisbook.models.amplitude_source import Source, locate
from seisbook.models.attenuation_law import AttenuationLaw
from seisbook.models.error_model import TAIL

LEVEL = 0.9
REACH = stats.t.ppf((1 + LEVEL) / 2, TAIL)  # half width of the 90 % interval in scales
CALIBRATION_EVENTS = 300
HIDDEN = (0.3, 0.5, 0.75, 0.9, 0.95)
"""Shares of an event's stations that are hidden in the tests."""


@dataclass(frozen=True)
class Information:
    """What a method is told besides the values of the observed stations.

    Parameters
    ----------
    source : bool
        Epicentre, depth and magnitude; otherwise they are estimated from the observed values.
    site_terms : bool
        How much each station differs from the law, learnt from other events.
    """

    source: bool = True
    site_terms: bool = True


class Scene(NamedTuple):
    """One event, as a method sees it. `n` stations or points.

    `pos` (n, 2) in km; `prior` (n, 5), the law with the stations' `terms` (n, 5); `residual` (n, 5), observed value
    minus prior, NaN where nothing is observed; `left` (n, 5), share of the variance of the stations' terms that is
    left; `source`, as it is known to the method; `observed` (n,).
    """

    pos: np.ndarray
    prior: np.ndarray
    terms: np.ndarray
    residual: np.ndarray
    left: np.ndarray
    source: Source
    observed: np.ndarray


class Reconstruction(NamedTuple):
    """Mean and scale of the Student-t distributions, each (rows, 5), log10."""

    mean: np.ndarray
    scale: np.ndarray


def hide(fields, share, random_state=0) -> np.ndarray:
    """Which stations stay observed if a share of each event's stations is hidden at random: (rows,) of bool.

    At least one station of each event is observed, and at least one hidden. It depends on the event's name, its
    stations and the arguments, not on the other events.
    """
    observed = np.zeros(len(fields.values), bool)
    for i, name in enumerate(fields.source_id):
        n = fields.sizes[i]
        seed = [random_state, round(1000 * share), *str(name).encode()]
        kept = np.clip(round((1 - share) * n), 1, max(n - 1, 1))
        observed[fields.start[i] + np.random.default_rng(seed).permutation(n)[:kept]] = True
    return observed


@dataclass
class FieldMethod:
    """A method: `fit`, `predict`, `score`. Subclasses say what they make of a scene.

    Parameters
    ----------
    information : Information

    Attributes
    ----------
    law_ : AttenuationLaw
    factor_ : ndarray, shape (5,)
        Of the scales, from training events.
    """

    information: Information = field(default_factory=Information)

    def fit(self, fields: Fields, progress=False):
        """Fit the law, what the method needs, and the factor of its scales."""
        self.law_ = AttenuationLaw().fit(fields)
        self.usual_ = float(fields.magnitude.mean()), float(fields.magnitude.std() + 0.1)
        self._fit(fields, progress)
        self.factor_ = np.ones(len(MEASURES))
        rng = np.random.default_rng(0)
        part = fields.select(np.sort(rng.permutation(len(fields))[:CALIBRATION_EVENTS]))
        observed = hide_variously(part)
        self.factor_ = calibrate(self.predict(part, observed, progress), part.values, ~observed)
        return self

    def _fit(self, fields, progress):
        """Fit what the method needs beside the law."""

    def predict(self, fields: Fields, observed, progress=False) -> Reconstruction:
        """Predict every station; an observed one from the *other* observed stations where the method can.

        Parameters
        ----------
        fields : Fields
        observed : ndarray of bool, shape (rows,)
            Stations whose values the method sees.
        progress : bool
        """
        bar = tqdm(self.scenes(fields, observed), total=len(fields), delay=2, disable=None if progress else True)
        parts = [self._predicted(scene) for scene in bar]
        mean, scale = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Reconstruction(mean, scale * self.factor_)

    def predict_at(self, fields: Fields, observed, points) -> Reconstruction:
        """Predict the field of one event at any points (m, 2) in km; nothing is known of the ground there.

        Raises
        ------
        ValueError
            If `fields` holds more than one event.
        """
        (scene,) = self.scenes(fields, observed)
        points = np.atleast_2d(np.asarray(points, float))
        unknown = np.full((len(points), len(MEASURES)), np.nan)
        added = scene._replace(
            pos=np.concatenate([scene.pos, points]),
            prior=np.concatenate([scene.prior, self._law(scene.source, points)]),
            terms=np.concatenate([scene.terms, np.zeros_like(unknown)]),
            residual=np.concatenate([scene.residual, unknown]),
            left=np.concatenate([scene.left, np.ones_like(unknown)]),
            observed=np.concatenate([scene.observed, np.zeros(len(points), bool)]),
        )
        mean, scale = self._predicted(added)
        return Reconstruction(mean[-len(points) :], (scale * self.factor_)[-len(points) :])

    def score(self, fields: Fields, observed) -> float:
        """Minus the root mean square error at hidden stations, log10; larger is better."""
        error = (self.predict(fields, observed).mean - fields.values)[~observed]
        return -float(np.sqrt(np.nanmean(error**2)))

    def scenes(self, fields, observed):
        """Yield each event as the method may see it."""
        terms, left = self._site_terms(fields)
        for i in range(len(fields)):
            rows = fields.rows(i)
            pos, seen = fields.pos[rows].astype(float), observed[rows]
            values = np.where(seen[:, None], fields.values[rows], np.nan)
            source = Source(fields.epicentre[i].astype(float), float(fields.depth_km[i]), float(fields.magnitude[i]))
            if not self.information.source:
                source = locate(self.law_, values - terms[rows], pos, self.usual_)
            prior = self._law(source, pos) + terms[rows]
            yield Scene(pos, prior, terms[rows], values - prior, left[rows], source, seen)

    def _law(self, source, pos):
        distance = np.hypot(*(pos - source.epicentre).T)
        return self.law_.expected(source.magnitude, distance, source.depth_km)

    def _site_terms(self, fields):
        if self.information.site_terms:
            return self.law_.site_terms(fields)
        return np.zeros_like(fields.values, float), np.ones_like(fields.values, float)

    def _total_sd(self, scene):
        """Standard deviation about the law at each station (n, 5)."""
        law = self.law_
        return np.sqrt(law.event_sd_**2 + law.within_sd_**2 + law.site_sd_**2 * scene.left)

    def _predicted(self, scene):
        """Mean and scale (n, 5) of a scene."""
        raise NotImplementedError


def hide_variously(fields, random_state=0) -> np.ndarray:
    """Which stations stay observed if each event hides one of the shares of `HIDDEN`, drawn at random."""
    patterns = np.array([hide(fields, share, random_state) for share in HIDDEN])
    chosen = np.random.default_rng(random_state).integers(len(HIDDEN), size=len(fields))
    return patterns[chosen[fields.event], np.arange(len(fields.event))]


def calibrate(prediction, values, hidden) -> np.ndarray:
    """Factor for the scales of each measure (5,), so that `LEVEL` of the hidden values lie in their interval."""
    z = np.abs(values - prediction.mean)[hidden] / prediction.scale[hidden]
    return np.nanquantile(z, LEVEL, axis=0) / REACH


# ------------------------------------------------------------------------------------------------------ simple methods


class LawAlone(FieldMethod):
    """The attenuation law, which looks at no observed value."""

    def _predicted(self, scene):
        return scene.prior, self._total_sd(scene)


class EventTerm(FieldMethod):
    """The law, raised or lowered by the event's term: the mean residual, shrunk where stations are few."""

    def _predicted(self, scene):
        spread = np.sqrt(self.law_.within_sd_**2 + self.law_.site_sd_**2 * scene.left)
        term, left = event_term(scene.residual, spread, self.law_.event_sd_)
        return scene.prior + term, np.sqrt(left + spread**2)


def event_term(residual, spread, event_sd) -> tuple[np.ndarray, np.ndarray]:
    r"""Event's term and its variance (5,) from residuals (n, 5) with standard deviations `spread` (n, 5).

    .. math:: \delta B = \frac{\tau^2 \sum_s r_s / \phi_s^2}{1 + \tau^2 \sum_s 1 / \phi_s^2}
    """
    precision = np.where(np.isfinite(residual), spread**-2.0, 0.0)
    total = 1 / event_sd**2 + precision.sum(0)
    return (precision * np.nan_to_num(residual)).sum(0) / total, 1 / total


class InverseDistance(FieldMethod):
    """Mean of the observed values, weighted by the inverse square of the distance; it knows no law and no station."""

    nearest_km = 1.0

    def _predicted(self, scene):
        value = scene.residual + scene.prior
        distance = np.hypot(*(scene.pos[:, None] - scene.pos[None]).transpose(2, 0, 1))
        np.fill_diagonal(distance, np.inf)  # an observed station is predicted from the others
        weight = np.isfinite(value) / (distance[..., None] + self.nearest_km) ** 2
        total = weight.sum(1)
        mean = (weight * np.nan_to_num(value)).sum(1) / np.maximum(total, 1e-30)
        nobody = total <= 0
        return np.where(nobody, scene.prior, mean), np.broadcast_to(np.sqrt(np.square(self.law_.site_sd_)), mean.shape)
