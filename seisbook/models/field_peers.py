r"""Published ways to pass messages between stations, in place of the field model's block.

Both take the same inputs, readout, loss and training as the field model. As in `seisbook.models.field_model`, only
observed stations send, and every node receives.

References
----------
J. E. Santos et al. (2023), Development of the Senseiver for efficient field reconstruction from sparse observations,
Nat. Mach. Intell. 5, doi:10.1038/s42256-023-00746-x.
S. Bloemheuvel et al. (2022), Graph neural networks for multivariate time series regression with application to seismic
data, Int. J. Data Sci. Anal., doi:10.1007/s41060-022-00349-6 (TISER-GCN).
"""

import torch
from torch import Tensor, nn

from seisbook.models.graph import ModelConfig
from seisbook.models.peers import GraphAttention

REACH, THRESHOLD = 1.0, 0.3  # distance without weight in units of 100 km; smallest weight of an edge


class SensorAttention(nn.Module):
    """Attention of each node to all observed stations, with the offset of the two in the score.

    The idea is the Senseiver's: every query attends to every sensor. Its latent array is left out, because events have
    tens of stations, not thousands.

    Shapes: `h` (B, N, 1, C), `pos` (B, N, 3), `mask` (B, N), `relative` (B, N, 5) to `h` (B, N, 1, C).
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.enter = nn.Linear(config.channels + 5, config.channels)
        self.attention = GraphAttention(config.channels)

    def forward(self, h: Tensor, pos: Tensor, mask: Tensor, relative: Tensor) -> Tensor:
        """Return the nodes' new states."""
        entered = self.enter(torch.cat([h[:, :, 0], relative], -1))
        return self.attention(entered, pos, mask)[:, :, None]


class FixedConvolution(nn.Module):
    r"""Graph convolution on a fixed graph, as TISER-GCN has it; shapes as `SensorAttention`.

    .. math::
        H' = \tanh(D^{-1/2} (A + I) D^{-1/2} H W), \qquad
        A_{ij} = 1 - \frac{d_{ij}}{100\,\mathrm{km}} \text{ where station } j \text{ is observed and that is above } 0.3
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.linear = nn.Linear(config.channels + 5, config.channels)

    def forward(self, h: Tensor, pos: Tensor, mask: Tensor, relative: Tensor) -> Tensor:
        """Return the nodes' new states."""
        weight = 1 - torch.cdist(pos, pos) / REACH
        eye = torch.eye(mask.shape[1], dtype=weight.dtype, device=weight.device)
        weight = weight.masked_fill((weight < THRESHOLD) | ~mask[:, None, :], 0.0) * (1 - eye) + eye
        root = weight.sum(-1).rsqrt()
        adjacency = root[:, :, None] * weight * root[:, None]
        return torch.tanh(adjacency @ self.linear(torch.cat([h[:, :, 0], relative], -1)))[:, :, None]
