r"""One embedding with two heads: the source of an event, and the field at stations that are hidden.

`SharedModel` is the model of `seisbook.models.source_network` with a second head. It reads the states of the same
blocks at each node, and predicts the five values there. A hidden station is a node that receives messages and sends
none. Its values are replaced by zeros, so that the second task alone is the training of masked nodes. It needs no
source and no label.

References
----------
Z. Hou et al. (2022), GraphMAE: self-supervised masked graph autoencoders, Proc. KDD, doi:10.1145/3534678.3539321.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from seisbook.models.field_methods import Reconstruction
from seisbook.models.field_training import field_loss
from seisbook.models.source_network import (
    LOG_SCALE,
    OUT,
    REGION_KM,
    UNIT_KM,
    Seen,
    SourceConfig,
    SourceModel,
    SourceNetwork,
    _batch,
    source_loss,
)

TASKS = ("source", "field")


class SharedModel(SourceModel):
    """The model of the source, with a head that predicts the values at each node.

    Parameters
    ----------
    config : SourceConfig
    """

    def __init__(self, config: SourceConfig):
        super().__init__(config)
        c = config.channels
        self.field = nn.Sequential(nn.Linear(c * (config.blocks + 3), 2 * c), nn.GELU(), nn.Linear(2 * c, 2 * OUT))

    def forward(self, seen: Seen) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Mean and scale of the source (B, 4), and of the values at all nodes (B, n, 5), in standard deviations."""
        at_node, pooled = self.embedded(seen)
        mean, log_scale = self.field(at_node).chunk(2, -1)
        return self.source(seen, at_node, pooled), (mean, log_scale.clamp(*LOG_SCALE).exp())


@dataclass
class SharedNetwork(SourceNetwork):
    """A model of both tasks with its training: `fit`, `predict` (sources), `reconstruct` (fields).

    Parameters
    ----------
    config : SourceConfig
    training : SourceTraining
    random_state : int
    tasks : sequence of {"source", "field"}
        Whose losses are added up.
    start : dict of str to Tensor, optional
        Parameters from which training starts, of a model with the same configuration; random ones if not given.
    """

    tasks: tuple[str, ...] = TASKS
    start: dict[str, Tensor] | None = None

    def _model(self):
        model = SharedModel(self.config)
        if self.start is not None:
            model.load_state_dict(self.start)
        return model

    def _loss(self, fields, corrected, chosen, rng):
        parts = [self._masked(fields, corrected, i, self._drawn(fields.sizes[i], rng), rng) for i in chosen]
        seen, centres = _batch([part[:2] for part in parts])
        source, field = self.model_(seen)
        loss = 0.0
        if "source" in self.tasks:
            target = self._targets(fields, chosen, centres)
            loss = loss + source_loss(*source, torch.from_numpy(target.astype(np.float32)))
        if "field" in self.tasks:
            target = nn.utils.rnn.pad_sequence([part[2] for part in parts], True, torch.nan)
            loss = loss + field_loss(*field, target)
        return loss

    def _masked(self, fields, corrected, i, visible, rng):
        """What the model sees of an event, the centre of its positions, and the hidden values (n, 5).

        The hidden stations come last. Only the visible ones define the centre.
        """
        seen, centre = self._seen(fields, corrected, i, visible)
        others = rng.permutation(np.setdiff1d(np.arange(fields.sizes[i]), visible))
        rows = fields.start[i] + np.sort(others[: max(self.training.most_stations - len(visible), 0)])
        values = self._standard(corrected[0][rows])
        target = np.concatenate([np.full((len(visible), OUT), np.nan), values]).astype(np.float32)
        return self._joined(seen, centre, fields, corrected, rows), centre, torch.from_numpy(target)

    def _joined(self, seen, centre, fields, corrected, rows):
        """The visible stations, then hidden ones at these rows."""
        pos, left = fields.pos[rows], corrected[1][rows]
        nothing = np.zeros((len(rows), 2 * OUT))
        place = np.column_stack([(pos - centre) / UNIT_KM, np.zeros(len(pos))])
        hidden = (np.concatenate([nothing, left, pos / REGION_KM], 1), place, np.zeros(len(rows)))
        tensors = (torch.from_numpy(part.astype(np.float32)) for part in hidden)
        features, place, mask = (
            torch.cat([one, other.to(one.dtype)]) for one, other in zip(seen, tensors, strict=True)
        )
        return Seen(features, place, mask)

    @torch.no_grad()
    def predict(self, fields) -> np.ndarray:
        """East and north in km, depth in km, and magnitude of each event: (events, 4)."""
        corrected, rows = self._corrected(fields), []
        for i in range(len(fields)):
            seen, centres = _batch([self._seen(fields, corrected, i)])
            rows.append(self._source(self.model_(seen)[0][0][0], centres[0]))
        return np.array(rows)

    @torch.no_grad()
    def reconstruct(self, fields, observed) -> Reconstruction:
        """Values at the hidden stations, log10; an observed station has its own value, and the spread of its measure.

        Parameters
        ----------
        fields : Fields
        observed : ndarray of bool, shape (rows,)
        """
        corrected = self._corrected(fields)
        terms = fields.values - corrected[0]
        mean, scale = fields.values.astype(float), np.tile(self.spread_, (len(fields.values), 1)).astype(float)
        for i in range(len(fields)):
            visible = np.flatnonzero(observed[fields.rows(i)])
            rows = np.flatnonzero(~observed[fields.rows(i)]) + fields.start[i]
            seen, centre = self._seen(fields, corrected, i, visible)
            batch, _ = _batch([(self._joined(seen, centre, fields, corrected, rows), centre)])
            found = (part[0, len(visible) :].double().numpy() for part in self.model_(batch)[1])
            mean[rows], scale[rows] = (part * self.spread_ for part in found)
            mean[rows] += self.middle_ + terms[rows]
        return Reconstruction(mean, scale)
