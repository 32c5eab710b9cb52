"""Robust models on disk: as those of `seisbook.models.checkpoints`, with the Earth that a model computes in.

The card holds velocity model, magnitude relation and scatter of the onsets. A model can therefore be used where the
file of its network is not at hand, and a later change of that file does not change the model.
"""

from typing import Literal

import torch
from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from seisbook.catalogues.schema import MagnitudeRelation, VelocityModel
from seisbook.errors import DataError
from seisbook.models import checkpoints
from seisbook.models.names import ROBUST
from seisbook.models.robust import RobustConfig, RobustModel
from seisbook.models.robust_training import RobustLocator, RobustTraining

STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=STRICT)
class Ground:
    """What a robust model takes from its network: see `seisbook.catalogues.networks.Network`.

    `centre`, latitude and longitude, is the origin of the coordinates in which the model knows its stations.
    """

    velocity_model: VelocityModel
    magnitude: MagnitudeRelation
    pick_scatter_s: tuple[float, float]
    pick_scatter_per_100km_s: float
    centre: tuple[float, float]

    @classmethod
    def of(cls, network) -> "Ground":
        """The ground of a network."""
        return cls(**{name: getattr(network, name) for name in cls.__dataclass_fields__})


@dataclass(frozen=True, config=STRICT)
class RobustCard:
    """What a checkpoint of a robust model is; fields as those of `seisbook.models.checkpoints.Card`.

    Parameters
    ----------
    architecture : str
    config : RobustConfig
    training : RobustTraining
    ground : Ground
    network : str
    data, metrics : dict
    """

    architecture: Literal["robust"]
    config: RobustConfig
    training: RobustTraining
    ground: Ground
    network: str
    data: dict
    metrics: dict

    @classmethod
    def of(cls, locator, data, metrics) -> "RobustCard":
        """Card of a fitted `seisbook.models.robust_training.RobustLocator`."""
        network = locator.network
        return cls(ROBUST, locator.config, locator.training, Ground.of(network), network.name, data, metrics)

    def locator(self, model) -> RobustLocator:
        """Estimator for predictions with the model that `load` gives with this card."""
        found = RobustLocator(self.ground, self.config, self.training)
        found.model_ = model
        return found


def _build(card):
    with torch.random.fork_rng(devices=[]):  # the initial weights are thrown away: draw no random number for them
        return RobustModel(card.config, card.ground)


FORM = checkpoints.Form(RobustCard, _build, derived=("graph.timetable.slowness",))


def save(path, locator, data, metrics, key=None, inputs=None):
    """Write a fitted locator's model and its card, see `seisbook.models.checkpoints.save`.

    Parameters
    ----------
    path : path
    locator : RobustLocator
    data, metrics : dict
        For the card.
    key, inputs : dict, optional
        See `seisbook.provenance`.

    Returns
    -------
    Path
        Path of the weights.
    """
    return checkpoints.save(path, locator.model_, RobustCard.of(locator, data, metrics), key, inputs, FORM)


def load(path) -> tuple[RobustModel, RobustCard]:
    """Read a model, in evaluation mode, and its card; errors as those of `seisbook.models.checkpoints.load`."""
    card, tensors = checkpoints.read(path, FORM)
    model = _build(card)
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    if set(missing) != set(FORM.derived) & set(model.state_dict()) or unexpected:
        raise DataError(f"{path}: tensor {[*unexpected, *missing][0]} does not fit: {checkpoints.REMEDY}")
    return model.eval(), card
