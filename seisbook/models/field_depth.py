"""Field models of many blocks at an equal number of parameters: what the study of depth trains."""

from dataclasses import replace
from functools import cache

import torch

from seisbook.models.field_model import FieldConfig, FieldModel

WIDTHS = range(4, 65)


def parameters(config: FieldConfig) -> int:
    """Number of parameters of the model with this configuration."""
    with torch.device("meta"):  # counts without memory and without random numbers
        return sum(p.numel() for p in FieldModel(config).parameters())


@cache
def equal_width(config: FieldConfig, wanted: int) -> FieldConfig:
    """The same configuration with the `channels` whose model has about the wanted number of parameters."""
    configs = [replace(config, channels=channels) for channels in WIDTHS]
    return min(configs, key=lambda one: abs(parameters(one) - wanted))
