"""Robust models of many blocks at an equal number of parameters: what the study `smoothing-robust` trains."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from seisbook.errors import UserError
from seisbook.models.deep import STEM_CHANNELS, graph_parameters
from seisbook.models.graph import Prediction
from seisbook.models.robust import Onsets, PhysicalGraph, RobustConfig, RobustModel


class DeepPhysicalGraph(PhysicalGraph):
    """A `PhysicalGraph` with a width of its own: a linear layer takes the stem's 64 channels to it.

    Parameters
    ----------
    config : RobustConfig
        Its `channels` are those of the graph part.
    network : seisbook.catalogues.networks.Network

    Shapes: `forward` takes `Onsets` with a state (B, N, t, 64).
    """

    def __init__(self, config: RobustConfig, network):
        super().__init__(config, network)
        self.enter = nn.Linear(STEM_CHANNELS, config.channels)

    def forward(self, onsets: Onsets, pos: Tensor, mask: Tensor) -> Prediction:
        """Locate and size a batch of events."""
        return super().forward(onsets._replace(state=self.enter(onsets.state)), pos, mask)


class DeepRobustModel(RobustModel):
    """A `RobustModel` without a stem, for events that the stem of another model has read.

    Parameters
    ----------
    config : RobustConfig
        Its `channels` are those of the graph part.
    network : seisbook.catalogues.networks.Network
    """

    def __init__(self, config: RobustConfig, network):
        super().__init__(config, network)
        self.stem = nn.Identity()
        self.graph = DeepPhysicalGraph(config, network)

    @property
    def blocks(self) -> nn.ModuleList:
        """The blocks of the graph part, whose states `seisbook.measures.smoothness` measures."""
        return self.graph.blocks

    def read(self, traces: Tensor, amplitude: Tensor) -> tuple[Onsets, Tensor, Tensor]:
        """Refuse: there is no stem.

        Raises
        ------
        UserError
        """
        raise UserError("a DeepRobustModel reads no seismograms: let the stem of a RobustLocator read them")


def equal_width(blocks, config: RobustConfig, network, parameters=None) -> RobustConfig:
    """The configuration with so many blocks whose `DeepRobustModel` has about a given number of parameters.

    Parameters
    ----------
    blocks : int
    config : RobustConfig
        All other settings.
    network : seisbook.catalogues.networks.Network
    parameters : int, optional
        Number for the graph part; by default that of the default `RobustModel`, which has three blocks.

    Returns
    -------
    RobustConfig
        `channels` is the number that comes closest; `seisbook.models.deep.graph_parameters` counts the parameters.
    """
    if parameters is None:
        parameters = _size(RobustModel, RobustConfig(), network)
    narrow, widths = (4, 8, 12), np.arange(4, 257)
    counts = [_size(DeepRobustModel, replace(config, blocks=blocks, channels=c), network) for c in narrow]
    sizes = np.polyval(np.polyfit(narrow, counts, 2), widths)  # the number of parameters is quadratic in the width
    return replace(config, blocks=blocks, channels=int(widths[np.abs(sizes - parameters).argmin()]))


def _size(kind, config, network):
    with torch.device("meta"):  # counts without memory and without random numbers
        return graph_parameters(kind(config, network))
