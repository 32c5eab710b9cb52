"""A region's conditional normal on disk: what maps of new earthquakes are drawn with, without the region's own data.

A checkpoint has the form of those in `seisbook.models.checkpoints`: tensors and a card, nothing pickled. The card holds
what the model takes from its region, so that a map needs no other file.
"""

from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from seisbook.catalogues.ground_motion import MEASURES
from seisbook.catalogues.schema import Latitude, Longitude
from seisbook.errors import DataError
from seisbook.models import checkpoints
from seisbook.models.attenuation_law import TERMS, AttenuationLaw
from seisbook.models.conditional_normal import ConditionalNormal
from seisbook.models.coregionalisation import Coregionalisation
from seisbook.models.field_methods import CALIBRATION_EVENTS, Information, calibrate, hide_variously

NAME = "conditional-normal"
STRICT = ConfigDict(extra="forbid")
KNOWN, UNKNOWN = 0, 1  # rows of `factor`: of scales where the source is known, and where it is estimated
COVARIANCES = ("event", "spatial", "own")
POSITIVE = ("event_sd", "site_sd", "within_sd", "range_km", "factor")
ROUNDING = -1e-9  # smallest eigenvalue of a covariance that was written with rounding


@dataclass(frozen=True, config=STRICT)
class Sizes:
    """Number of stations with a term, and of ranges of the covariance."""

    stations: Annotated[int, Field(ge=1, le=100_000)]
    ranges: Annotated[int, Field(ge=1, le=20)]


@dataclass(frozen=True, config=STRICT)
class FieldCard:
    """What the checkpoint of a conditional normal is.

    Parameters
    ----------
    architecture : str
    config : Sizes
    region, title : str
        See `seisbook.catalogues.regions.Region`.
    centre : (float, float)
        Latitude and longitude of the origin of local coordinates.
    farthest_km : float
        Largest epicentral distance of a station.
    stations : tuple of str
        Network and station code of each station with a term.
    data, metrics : dict
    """

    architecture: Literal["conditional-normal"]
    config: Sizes
    region: str
    title: str
    centre: tuple[Latitude, Longitude]
    farthest_km: Annotated[float, Field(gt=0, le=2000)]
    stations: tuple[str, ...]
    data: dict
    metrics: dict


class RegionalNormal(torch.nn.Module):
    """The numbers of a fitted conditional normal as tensors of 64 bits: log10, km.

    Parameters
    ----------
    config : Sizes
    """

    def __init__(self, config: Sizes):
        super().__init__()
        self.config = config
        measures, stations, ranges = len(MEASURES), config.stations, config.ranges
        shapes = {
            "coefficients": (measures, TERMS),
            **dict.fromkeys(("event_sd", "site_sd", "within_sd", "usual_left"), (measures,)),
            **dict.fromkeys(("site_sum", "site_count"), (stations, measures)),
            "usual_magnitude": (2,),
            "event": (measures, measures),
            "spatial": (ranges, measures, measures),
            "own": (measures, measures),
            "range_km": (ranges,),
            "factor": (2, measures),
        }
        for name, shape in shapes.items():
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))

    @classmethod
    def of(cls, method: ConditionalNormal, fields) -> "RegionalNormal":
        """The numbers of a method that was fitted to these fields, with the factor of an unknown source, too."""
        law, covariance = method.law_, method.covariance_
        made = cls(Sizes(law.stations_, len(covariance.range_km)))
        values = {
            "coefficients": law.coefficients_,
            "event_sd": law.event_sd_,
            "site_sd": law.site_sd_,
            "within_sd": law.within_sd_,
            "usual_left": method.usual_left_,
            "site_sum": law._site_sum,
            "site_count": law._site_count,
            "usual_magnitude": method.usual_,
            **{name: getattr(covariance, name) for name in (*COVARIANCES, "range_km")},
            "factor": np.array([method.factor_, _factor_without_source(method, fields)]),
        }
        for name, value in values.items():
            getattr(made, name).copy_(torch.as_tensor(np.array(value, float)))
        return made

    def method(self, knows_source: bool) -> ConditionalNormal:
        """The method, for events at whose stations terms are known or not: the station after the last is a new one."""
        found = ConditionalNormal(Information(source=knows_source, site_terms=True))
        number = {name: value.numpy() for name, value in self.named_buffers()}
        law = AttenuationLaw()
        law.coefficients_ = number["coefficients"]
        law.event_sd_, law.site_sd_, law.within_sd_ = (number[f"{name}_sd"] for name in ("event", "site", "within"))
        law.stations_, law._events = self.config.stations + 1, {}
        law._site_sum, law._site_count = (_with_a_new_one(number[f"site_{name}"]) for name in ("sum", "count"))
        found.law_, found.usual_left_ = law, number["usual_left"]
        found.usual_ = tuple(number["usual_magnitude"].tolist())
        found.covariance_ = Coregionalisation(*(number[name] for name in (*COVARIANCES, "range_km")))
        found.factor_ = number["factor"][KNOWN if knows_source else UNKNOWN]
        return found


def _with_a_new_one(rows):
    return np.concatenate([rows, np.zeros((1, rows.shape[1]))])


def _factor_without_source(method, fields):
    """Factor of the scales where the source has to be estimated, as `FieldMethod.fit` finds it."""
    blind = ConditionalNormal(Information(source=False, site_terms=True))
    blind.__dict__ |= {name: value for name, value in vars(method).items() if name != "information"}
    blind.factor_ = np.ones(len(MEASURES))
    chosen = np.random.default_rng(0).permutation(len(fields))[:CALIBRATION_EVENTS]
    part = fields.select(np.sort(chosen))
    observed = hide_variously(part)
    return calibrate(blind.predict(part, observed), part.values, ~observed)


FORM = checkpoints.Form(FieldCard, lambda card: RegionalNormal(card.config))


def save(path, method, fields, region, data, metrics, key=None, inputs=None):
    """Write a fitted method and its card, see `seisbook.models.checkpoints.save`.

    Parameters
    ----------
    path : path
    method : ConditionalNormal
    fields : Fields
        What it was fitted to.
    region : Region
    data, metrics : dict
        For the card.
    key, inputs : dict, optional
        See `seisbook.provenance`.

    Returns
    -------
    Path
        Path of the tensors.
    """
    made = RegionalNormal.of(method, fields)
    place = {name: getattr(region, name) for name in ("title", "centre", "farthest_km")}
    stations = tuple(str(code) for code in fields.codes)
    card = FieldCard(NAME, made.config, region.name, stations=stations, data=data, metrics=metrics, **place)
    return checkpoints.save(path, made, card, key, inputs, FORM)


def load(path) -> tuple[RegionalNormal, FieldCard]:
    """Read a conditional normal and its card; errors as those of `seisbook.models.checkpoints.load`."""
    card, tensors = checkpoints.read(path, FORM)
    made = RegionalNormal(card.config)
    made.load_state_dict(tensors)
    _check(path, made, card)
    return made, card


def _check(path, made, card):
    """Refuse numbers that no fit gives: the covariance of some stations would have no inverse."""
    wrong = ""
    if len(card.stations) != card.config.stations:
        wrong = f"the card names {len(card.stations)} stations, and the tensors hold {card.config.stations}"
    for name, value in made.named_buffers():
        if not torch.isfinite(value).all() or (name in POSITIVE and not (value > 0).all()):
            wrong = f"tensor {name} has a value that cannot be"
    for name in COVARIANCES if not wrong else ():
        if not torch.linalg.eigvalsh(getattr(made, name)).min() >= ROUNDING:
            wrong = f"tensor {name} is no covariance"
    if wrong:
        raise DataError(f"{path}: {wrong}: {checkpoints.REMEDY}")
