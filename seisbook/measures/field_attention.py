"""Which observed stations a field model listens to: messages that hidden stations take, and stations left out."""

import numpy as np
import torch
import torch.nn.functional as F

from seisbook.measures.attention import messages
from seisbook.models.field_model import batch_of


@torch.no_grad()
def selected(network, scene) -> np.ndarray:
    """Share of the messages of each observed station among those that hidden stations take in the last block.

    A hidden station takes, in each channel, the largest message of its neighbours, see
    `seisbook.measures.attention.selection`. Messages that are zero count for nobody.

    Parameters
    ----------
    network : FieldNetwork
        Fitted, with a graph and the aggregation `max`.
    scene : Scene

    Returns
    -------
    ndarray, shape (observed,)
        The shares add up to 1.
    """
    nodes, block = batch_of([network._nodes(scene)]), network.model_.blocks[-1]
    h = network.model_.stem(nodes.features)
    for earlier in network.model_.blocks[:-1]:
        h = earlier(h, nodes.place, nodes.observed, nodes.relative)
    u = block.norm((h + F.gelu(block.temporal(h))).mean(2))
    index, valid = block.neighbours(u, nodes.place, nodes.observed)
    message = messages(block, u, nodes.place, nodes.relative, index).masked_fill(~valid[..., None], 0.0)
    largest, which = message.max(2, keepdim=True)
    sender = index[..., None].expand_as(message).gather(2, which)[0, :, 0]  # (N, C)
    taken = (largest[0, :, 0] > 0) & ~nodes.observed[0, :, None]
    count = np.bincount(sender[taken].numpy(), minlength=len(scene.pos))[scene.observed]
    return count / max(count.sum(), 1)


def influence(network, scene) -> np.ndarray:
    r"""How much the prediction at the hidden stations changes if a station is left out.

    .. math:: \Delta_j = \sqrt{\mathrm{mean}_{h, m} (\hat y_{hm}(\mathcal{S}) - \hat y_{hm}(\mathcal{S} \setminus j))^2}

    over hidden stations `h` and measures `m`.

    Parameters
    ----------
    network : FieldMethod
        Fitted.
    scene : Scene

    Returns
    -------
    ndarray, shape (observed,)
        log10 units.
    """
    hidden, changes = ~scene.observed, []
    whole = network._predicted(scene)[0][hidden]
    for station in np.flatnonzero(scene.observed):
        residual, observed = scene.residual.copy(), scene.observed.copy()
        residual[station], observed[station] = np.nan, False
        less = network._predicted(scene._replace(residual=residual, observed=observed))[0][hidden]
        changes.append(np.sqrt(np.mean((less - whole) ** 2)))
    return np.array(changes)
