"""Settings of a robust model and its training as somebody types them, `name=value`, checked before any training."""

from dataclasses import replace
from typing import get_type_hints

from pydantic import TypeAdapter, ValidationError

from seisbook.errors import UserError
from seisbook.models.robust import RobustConfig
from seisbook.models.robust_training import RobustTraining

OF_THE_NETWORK = {"window_s": "length_s", "sampling_rate_hz": "sampling_rate_hz"}
"""Fields that the network's file decides, by their name there under `window`."""
TRAINING_LIMITS = {
    "stem_epochs": (0, 1000),
    "graph_epochs": (1, 1000),
    "traces": (1, 10_000),
    "events": (1, 1000),
    "copies": (0, 100),
    "stem_rate": (1e-7, 1),
    "graph_rate": (1e-7, 1),
    "weight_decay": (0, 1),
    "clip": (1e-6, 1e6),
}
"""Bounds of `RobustTraining`; those of the model are in its class."""


def parse(texts) -> dict[str, dict]:
    """Values of settings, by name, of the model (`config`) and of its training (`training`).

    Parameters
    ----------
    texts : list of str
        Such as `neighbours=6`; names are fields of `seisbook.models.robust.RobustConfig` or of
        `seisbook.models.robust_training.RobustTraining`.

    Raises
    ------
    UserError
        If a name is unknown, belongs to the network's file or is given twice, or a value is of another type or outside
        its bounds.
    """
    kinds = {"config": get_type_hints(RobustConfig), "training": get_type_hints(RobustTraining)}
    known = {name: part for part, hints in kinds.items() for name in hints if name not in OF_THE_NETWORK}
    found = {"config": {}, "training": {}}
    for text in texts:
        name, given, value = text.partition("=")
        if name in OF_THE_NETWORK:
            raise UserError(f"{text}: change window: {OF_THE_NETWORK[name]} in the network's file instead")
        if name not in known or not given:
            raise UserError(f"{text}: give NAME=VALUE with one of these names: {', '.join(known)}")
        if any(name in part for part in found.values()):
            raise UserError(f"{text}: {name} is given twice: leave one out")
        found[known[name]][name] = _value(text, value, kinds[known[name]][name])
    for name, value in found["config"].items():
        changed(RobustConfig(), {name: value})
    for name, value in found["training"].items():
        _check_training(name, value)
    return found


def changed(config, values):
    """A configuration with other values; one outside of its bounds is a `UserError`."""
    try:
        return replace(config, **values)
    except ValueError as error:
        raise UserError(str(error)) from None


def _value(text, value, kind):
    try:
        return TypeAdapter(kind).validate_strings(value)
    except ValidationError as error:
        raise UserError(f"{text}: {error.errors()[0]['msg'].lower()}") from None


def _check_training(name, value):
    least, most = TRAINING_LIMITS.get(name, (value, value))
    if not least <= value <= most:
        raise UserError(f"{name} must be from {least:g} to {most:g}")
