"""How alike the states of an event's stations are after the last block of a field model."""

import numpy as np
import torch

from seisbook.measures.smoothness import MEASURES, dirichlet_energy, effective_rank, mad
from seisbook.models.field_model import batch_of, nodes_of


@torch.no_grad()
def last_states(network, scene) -> np.ndarray:
    """States of all stations of a scene after the last block: (n, C), observed and hidden stations alike.

    Parameters
    ----------
    network : FieldNetwork
        Fitted.
    scene : Scene
    """
    kept = []
    hook = network.model_.blocks[-1].register_forward_hook(lambda block, given, h: kept.append(h))
    try:
        network.model_(batch_of([nodes_of(scene, network.normal_, network.information.site_terms)]))
    finally:
        hook.remove()
    return kept[0][0, :, 0].numpy()


def similarity(network, fields, observed) -> dict[str, list[float]]:
    """The measures of `seisbook.measures.smoothness` after the last block, by event.

    Parameters
    ----------
    network : FieldNetwork
        Fitted; its number of neighbours is that of the geographic graph of the Dirichlet energy.
    fields : Fields
    observed : ndarray of bool, shape (rows,)

    Returns
    -------
    dict
        A list over the events for each of `seisbook.measures.smoothness.MEASURES`.
    """
    found = {name: [] for name in MEASURES}
    for scene in network.scenes(fields, observed):
        u, mask = last_states(network, scene)[None], np.ones((1, len(scene.pos)), bool)
        found["effective_rank"].append(float(effective_rank(u, mask)[0]))
        found["dirichlet_energy"].append(
            float(dirichlet_energy(u, scene.pos[None], mask, network.config.neighbours)[0])
        )
        found["mad"].append(float(mad(u, mask)[0]))
    return found
