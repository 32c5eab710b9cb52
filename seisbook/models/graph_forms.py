r"""Forms of the graph that a block of the robust model rebuilds: which edges there are, and what they weigh.

The paper's graph links each station with its nearest ones, and measures distances half in geography and half in the
states of the stations. Which stations are linked is a choice that has no gradient: training cannot learn it. The forms
here give a graph that is rebuilt two better chances:

- *nearest in residuals*: the states make way for the residuals of the last hypocentre. Stations whose onsets are off in
  the same way are then neighbours.
- *learnt edges*: all other stations are candidates. Each message is multiplied by a gate

  .. math:: g_{ij} = \sigma\Bigl(a - \sum_m b_m d^2_{m,ij}\Bigr), \qquad b_m > 0,

  before the maximum is taken, with the squared distances :math:`d^2_m` in geography, states and residuals, each over
  its mean over the pairs of stations. A block learns its `a` and `b`: how far an edge reaches, in which space. Messages
  are not negative, so that a gate near zero cuts an edge.
- *learnt edges, geography alone*: the same gate on positions alone. Such a graph is not rebuilt.

Letters as in `seisbook.models.graph`.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seisbook.models.graph import FAR, _relative
from seisbook.models.robust import PLACE_FEATURES, ResidualBlock, RobustConfig, RobustModel

LAGS = slice(PLACE_FEATURES, PLACE_FEATURES + 3)  # residuals of P, of S and of S minus P, compressed
STATIC, NO_EDGES, PAPER = "static graph", "no edges", "the paper's graph"
RESIDUALS, LEARNT, LEARNT_STATIC = "nearest in residuals", "learnt edges", "learnt edges, geography alone"
FORMS = (STATIC, NO_EDGES, PAPER, RESIDUALS, LEARNT_STATIC, LEARNT)
GRAPHS = {STATIC: "static", NO_EDGES: "none"}


class NearestInResiduals(ResidualBlock):
    """The paper's block, whose neighbours are near in geography and have similar residuals.

    Shapes as for `seisbook.models.graph.STGCBlock`; `relative` has 14 features.
    """

    def forward(self, h: Tensor, pos: Tensor, mask: Tensor, relative: Tensor) -> Tensor:
        """Return the state after a convolution in time and one over the graph."""
        h = h + F.gelu(self.temporal(h))
        u = self.norm(h.mean(2))
        message = self.own(torch.cat([u, relative], -1))
        neighbour, valid = self.neighbours(relative[..., LAGS], pos, mask)
        node = self.out(self.aggregate(u, pos, message, neighbour, valid))
        node = node + self.update(u + node)
        return h + node[:, :, None]


class LearntEdges(ResidualBlock):
    """A block in which all other stations are candidates, and a gate on each edge is learnt.

    Parameters
    ----------
    config : RobustConfig
    rebuilt : bool
        Whether gates see states and residuals, too, and not positions alone.

    Shapes as for `seisbook.models.graph.STGCBlock`; `relative` has 14 features.
    """

    def __init__(self, config: RobustConfig, rebuilt: bool):
        super().__init__(config)
        self.rebuilt = rebuilt
        self.reach = nn.Parameter(torch.tensor(2.0))
        self.falls = nn.Parameter(torch.full((3 if rebuilt else 1,), 0.5))

    def forward(self, h: Tensor, pos: Tensor, mask: Tensor, relative: Tensor) -> Tensor:
        """Return the state after a convolution in time and one over the graph."""
        h = h + F.gelu(self.temporal(h))
        u = self.norm(h.mean(2))
        own = self.own(torch.cat([u, relative], -1))
        sender = self.other(u) + self.offset(pos)
        received = sender[:, None] - sender[:, :, None]  # (B, i, j, C)
        pair = mask[:, :, None] & mask[:, None, :] & ~torch.eye(mask.shape[1], dtype=torch.bool)
        gate = self.gates(u, pos, relative, pair)
        message = (F.relu(own[:, :, None] + received) * gate[..., None]).amax(2)
        node = self.out(torch.where(pair.any(-1)[..., None], message, F.relu(own)))
        node = node + self.update(u + node)
        return h + node[:, :, None]

    def gates(self, u: Tensor, pos: Tensor, relative: Tensor, pair: Tensor) -> Tensor:
        """Weights of the edges (B, N, N), 0 where there is no pair of stations."""
        spaces = (pos, u, relative[..., LAGS]) if self.rebuilt else (pos,)
        squared = torch.stack([_relative(_squared(values), pair) for values in spaces], -1)
        edge = self.reach - (F.softplus(self.falls) * squared).sum(-1)
        return edge.masked_fill(~pair, -FAR).sigmoid()


def _squared(values):
    """Squared distances (B, N, N) between rows; `cdist` has no gradient at distance 0."""
    return (values[:, :, None] - values[:, None]).square().sum(-1)


class GraphFormModel(RobustModel):
    """A robust model without a stem, with a form of the graph in all its blocks.

    Parameters
    ----------
    config : RobustConfig
        That of the robust model.
    network : seisbook.catalogues.networks.Network
    form : str
        One of `FORMS`.
    """

    def __init__(self, config: RobustConfig, network, form: str):
        super().__init__(config, network)
        self.stem = nn.Identity()
        self.graph.blocks = nn.ModuleList(_block(config, form) for _ in range(config.blocks))


def _block(config, form):
    if form == RESIDUALS:
        return NearestInResiduals(config)
    return LearntEdges(config, form == LEARNT) if form in (LEARNT, LEARNT_STATIC) else ResidualBlock(config)
