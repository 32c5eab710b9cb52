"""Station terms: what the readings at a place have in common that no velocity model and no magnitude relation says."""

import torch
from torch import Tensor, nn

SAME_PLACE_KM = 0.5
SHRINK = 4  # a term is the median over n readings, times n / (n + 4)


class StationTerms(nn.Module):
    """Terms of P and S (s) and of log amplitudes, by place. A place that was not learnt has none.

    Attributes
    ----------
    places : Tensor, shape (places, 2)
        East and north in km.
    terms : Tensor, shape (places, 3)
    """

    places: Tensor
    terms: Tensor

    def __init__(self):
        super().__init__()
        self.register_buffer("places", torch.zeros(0, 2))
        self.register_buffer("terms", torch.zeros(0, 3))

    def learn(self, pos: Tensor, residuals: Tensor, known: Tensor) -> None:
        """Take the shrunk medians of residuals.

        Parameters
        ----------
        pos : Tensor, shape (readings, 3)
            In km.
        residuals : Tensor, shape (readings, 3)
            Of P, S and log amplitude.
        known : Tensor of bool, shape (readings, 3)
        """
        self.places, index = torch.unique(pos[:, :2].round(decimals=2), dim=0, return_inverse=True)
        at = [index == place for place in range(len(self.places))]
        terms = [[_shrunk_median(residuals[i, j][known[i, j]]) for j in range(3)] for i in at]
        self.terms = torch.tensor(terms, dtype=torch.float32)

    def keep(self, times: bool, amplitudes: bool) -> None:
        """Set the terms of onsets, or those of amplitudes, to zero unless they are to be kept."""
        self.terms = self.terms * torch.tensor([times, times, amplitudes]).float()

    def _load_from_state_dict(self, state_dict, prefix, *others):
        """Take as many places as were saved."""
        for name in ("places", "terms"):
            if prefix + name in state_dict:
                setattr(self, name, torch.empty_like(state_dict[prefix + name]))
        super()._load_from_state_dict(state_dict, prefix, *others)

    def forward(self, pos: Tensor) -> Tensor:
        """Terms (..., 3) of stations (..., 3)."""
        if not len(self.places):
            return pos.new_zeros(*pos.shape[:-1], 3)
        distance, nearest = torch.cdist(pos[..., :2].flatten(0, -2), self.places).min(-1)
        terms = torch.where((distance < SAME_PLACE_KM)[:, None], self.terms[nearest], 0.0)
        return terms.unflatten(0, pos.shape[:-1])


def _shrunk_median(values):
    return float(values.median()) * len(values) / (len(values) + SHRINK) if len(values) else 0.0
