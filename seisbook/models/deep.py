"""Graph parts of many blocks at an equal number of parameters: what the smoothing study trains."""

from dataclasses import replace
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from seisbook.datasets.events import NodeFeatures
from seisbook.errors import UserError
from seisbook.models.graph import GraphModel, ModelConfig, Prediction

DEFAULT = ModelConfig()
STEM_CHANNELS = DEFAULT.channels  # of the trained stems that the studies read events with


class DeepGraphModel(GraphModel):
    """A `GraphModel` without a stem, whose graph part has a width of its own.

    In `GraphModel` the stem is as wide as the blocks. Here a linear layer takes the 64 channels that a trained stem has
    found to the width of the blocks, so that models of any depth and width train on the same events, see
    `Events.read_by`.

    Parameters
    ----------
    config : ModelConfig
        Its `channels` are those of the graph part.

    Shapes: `locate` takes `NodeFeatures` with a state (B, N, t, 64).
    """

    def __init__(self, config: ModelConfig):
        super().__init__(config)
        self.stem = nn.Identity()
        self.enter = nn.Linear(STEM_CHANNELS, config.channels)

    def encode(self, traces: Tensor, amplitude: Tensor, mask: Tensor) -> NodeFeatures:
        """Refuse: there is no stem.

        Raises
        ------
        UserError
        """
        raise UserError(
            "a DeepGraphModel reads no seismograms: give it events that a trained model has read, events.read_by(model)"
        )

    def locate(self, features: NodeFeatures, pos: Tensor, mask: Tensor) -> Prediction:
        """Run the graph part on what another model's stem found."""
        return super().locate(features._replace(state=self.enter(features.state)), pos, mask)


def graph_parameters(model) -> int:
    """Number of parameters of a model's graph part: all but the stem's."""
    return sum(p.numel() for name, p in model.named_parameters() if not name.startswith("stem."))


@cache
def equal_width(blocks, config: ModelConfig = DEFAULT, parameters=None) -> ModelConfig:
    """The configuration with so many blocks whose `DeepGraphModel` has about a given number of parameters.

    Parameters
    ----------
    blocks : int
    config : ModelConfig
        All other settings. The multi-scale readout costs parameters too: at the same depth its models are narrower.
    parameters : int, optional
        Number for the graph part; by default that of the default `GraphModel`, which has three blocks.

    Returns
    -------
    ModelConfig
        `channels` is the number that comes closest, within 4 % at up to 16 blocks; `graph_parameters` counts them.
    """
    if parameters is None:
        parameters = _size(GraphModel, DEFAULT)
    widths = np.arange(4, 513)
    # layers lead from one multiple of the width to another, so that the number is quadratic in it: three counts say all
    counts = [_size(DeepGraphModel, replace(config, blocks=blocks, channels=channels)) for channels in (4, 8, 12)]
    sizes = np.polyval(np.polyfit([4, 8, 12], counts, 2), widths)
    return replace(config, blocks=blocks, channels=int(widths[np.abs(sizes - parameters).argmin()]))


def _size(kind, config):
    with torch.device("meta"):  # counts without memory and without random numbers
        return graph_parameters(kind(config))
