r"""Robust models as ONNX files, which other programs run without PyTorch and without this library.

A file holds the whole way from seismograms to the location: stem, station terms, travel times, graph part. Numbers of
events and of stations are free. PyTorch's exporter follows a model's computation and writes it down. It lacks linear
systems, interpolation in three dimensions, and a few smaller operations; `WrittenOut` replaces them by what ONNX has.
"""

import copy
import io
import json
import warnings
from dataclasses import asdict

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from seisbook.catalogues.geodesy import KM_PER_DEGREE
from seisbook.errors import UserError
from seisbook.models.error_model import TAIL
from seisbook.models.graph import FAR
from seisbook.models.origins import origins
from seisbook.models.robust import SILENT, AttentionBlock, Onsets, RobustModel
from seisbook.models.station_terms import SAME_PLACE_KM, StationTerms

OPSET = 17
STATIONS = ("seismograms", "positions", "mask", "onsets", "weights")  # of one axis for events, and one for stations
INPUTS = {
    "seismograms": "float32 (events, stations, 3, samples): ground displacement in nm; up, north, east; 0 in padding",
    "positions": "float32 (events, stations, 3): east, north and up in km from the centre; 0 in padding",
    "mask": "bool (events, stations): whether there is a station; an event has at least one",
}
OUTPUTS = {
    "epicentre": "float32 (events, 2): east and north in km from the centre",
    "depth": "float32 (events,): km below sea level",
    "magnitude": "float32 (events,)",
    "epicentre_tril": "float32 (events, 2, 2): lower Cholesky factor of the epicentre's scale matrix, in km",
    "depth_scale": "float32 (events,): scale of the depth's error in km",
    "magnitude_scale": "float32 (events,): scale of the magnitude's error",
    "origin_time": "float32 (events,): s after the first sample",
    "onsets": "float32 (events, stations, 2): P and S in s after the first sample",
    "weights": "float32 (events, stations, 2): of the onsets in the location, 0 to 1; 0 where there is no onset",
}


# ----------------------------------------------------------------------------------------------------- written out


class WrittenOut(TorchFunctionMode):
    """While it is active, operations that ONNX lacks are carried out by those that it has."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        """Carry out a function of PyTorch, or what replaces it."""
        return REPLACED.get(function, function)(*args, **(kwargs or {}))


def distances(a: Tensor, b: Tensor, *others, **how) -> Tensor:
    """Distances (..., N, M) between points (..., N, D) and (..., M, D)."""
    return (a[..., :, None, :] - b[..., None, :, :]).square().sum(-1).sqrt()


def inverse(matrix: Tensor) -> Tensor:
    r"""Inverse of 3 x 3 matrices (..., 3, 3): with rows `a`, `b`, `c`, the columns are those of

    .. math:: (b \times c,\; c \times a,\; a \times b) \,/\, a \cdot (b \times c)
    """
    a, b, c = matrix.unbind(-2)
    columns = torch.stack([_cross(b, c), _cross(c, a), _cross(a, b)], -1)
    return columns / (a * columns[..., 0]).sum(-1)[..., None, None]


def _cross(a, b):
    i, j = [1, 2, 0], [2, 0, 1]
    return a[..., i] * b[..., j] - a[..., j] * b[..., i]


def solve(matrix: Tensor, vector: Tensor) -> Tensor:
    """Solution (..., 3) of 3 x 3 systems with symmetric positive definite matrices, by Cholesky's factorisation."""
    lower = cholesky(matrix)
    x = []
    for i in range(3):
        x.append((vector[..., i] - sum(lower[..., i, j] * x[j] for j in range(i))) / lower[..., i, i])
    for i in (2, 1, 0):
        x[i] = (x[i] - sum(lower[..., j, i] * x[j] for j in range(i + 1, 3))) / lower[..., i, i]
    return torch.stack(x, -1)


def cholesky(matrix: Tensor) -> Tensor:
    """Lower Cholesky factors of small positive definite matrices (..., n, n)."""
    n = matrix.shape[-1]
    rows = [[torch.zeros_like(matrix[..., 0, 0]) for _ in range(n)] for _ in range(n)]
    for j in range(n):
        for i in range(j, n):
            left = matrix[..., i, j] - sum(rows[i][k] * rows[j][k] for k in range(j))
            rows[i][j] = left.sqrt() if i == j else left / rows[j][j]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def interpolated(table: Tensor, at: Tensor, *others, **how) -> Tensor:
    """Trilinear interpolation in one table (1, 1, h, z, r) at places (1, 1, 1, n, 3) between -1 and 1: (n,)."""
    sizes = torch.tensor(table.shape[:1:-1])
    place = (at[0, 0, 0].clamp(-1, 1) + 1) / 2 * (sizes - 1)
    low = torch.minimum(place.floor(), sizes - 2.0)
    share, low = place - low, low.long()
    strides = torch.tensor([1, table.shape[4], table.shape[4] * table.shape[3]])
    corner, values = (low * strides).sum(-1), table.flatten()
    result = 0
    for r in (0, 1):
        for z in (0, 1):
            for h in (0, 1):
                side = torch.tensor([r, z, h])
                weight = torch.where(side.bool(), share, 1 - share).prod(-1)
                result = result + weight * values[corner + (side * strides).sum()]
    return result


def nearest(distance: Tensor, k: int, largest: bool) -> tuple[Tensor, Tensor]:
    """The `k` smallest of distances (B, N, N), also where there are fewer stations: what is missing is `FAR`."""
    k, n = int(k), distance.shape[-1]
    found, index = F.pad(distance, (0, k), value=FAR).topk(k, largest=largest)
    return found, index.clamp(max=n - 1)


def reshaped(x: Tensor, *shape) -> Tensor:
    """A reshape; the number of stations, first of three axes in the stem, is left free: the tracer would fix it."""
    return x.flatten(1).unflatten(1, [int(n) for n in shape[1:]]) if len(shape) == 3 else x.reshape(*shape)


def log_sum(a: Tensor, b: Tensor) -> Tensor:
    """Logarithm of the sum of two exponentials."""
    return torch.maximum(a, b) + (-(a - b).abs()).exp().log1p()


def inverse_sinh(x: Tensor) -> Tensor:
    """Inverse hyperbolic sine, exact for small numbers, too."""
    size = x.abs()
    return x.sign() * (size + x**2 / (1 + (x**2 + 1).sqrt())).log1p()


def diagonal(values: Tensor) -> Tensor:
    """Square matrix with a vector on its diagonal."""
    return values * torch.eye(len(values))


def unit_matrix(n: int, dtype=torch.float32, **how) -> Tensor:
    """Unit matrix (n, n), also of bool."""
    steps = torch.arange(n)
    return (steps[:, None] == steps).to(dtype)


def chosen(condition: Tensor, a, b) -> Tensor:
    """Values of `a` where a condition holds, else of `b`; also if both are bool."""
    if isinstance(a, Tensor) and a.dtype == torch.bool:
        return (condition & a) | (~condition & b)
    return torch.where(condition, a, b)


REPLACED = {
    torch.cdist: distances,
    torch.linalg.solve: solve,
    torch.linalg.inv: inverse,
    torch.linalg.cholesky: cholesky,
    F.grid_sample: interpolated,
    Tensor.topk: nearest,
    Tensor.reshape: reshaped,
    torch.logaddexp: log_sum,
    torch.asinh: inverse_sinh,
    Tensor.asinh: inverse_sinh,
    torch.diag: diagonal,
    torch.eye: unit_matrix,
    torch.where: chosen,
}


# ----------------------------------------------------------------------------------------------------------- model


class WholeWay(nn.Module):
    """A robust model from seismograms in nm to location and origin time, see `INPUTS` and `OUTPUTS`."""

    def __init__(self, model: RobustModel):
        super().__init__()
        self.model = copy.deepcopy(model)
        self.model.graph.stations = TermsOfAll(model.graph.stations)
        for block in self.model.graph.blocks:
            if isinstance(block, AttentionBlock):
                block.attention = Attention(block.attention)

    def forward(self, seismograms: Tensor, positions: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs, in order."""
        real = mask.flatten().nonzero()[:, 0]
        traces = seismograms.flatten(0, 1)[real]
        found = self.model.read(traces, traces.new_zeros(1))[0]
        onsets = Onsets(*(_padded(value, mask) for value in found))
        prediction = self.model.locate(onsets, positions, mask)
        hypocentre = torch.cat([prediction.epicentre, prediction.depth[:, None]], 1)
        heard = mask & (onsets.amplitude > SILENT)
        fit = origins(self.model, onsets, positions, heard, hypocentre)
        return *prediction[:6], fit.time_s, onsets.onset_s, fit.weight


class TermsOfAll(StationTerms):
    """Station terms of dense batches, of which the tracer leaves both numbers free; see `StationTerms`."""

    def __init__(self, learnt: StationTerms):
        super().__init__()
        self.places, self.terms = learnt.places, learnt.terms

    def forward(self, pos: Tensor) -> Tensor:
        """Terms (B, N, 3) of stations (B, N, 3)."""
        if not len(self.places):
            return torch.zeros_like(pos)
        distance, nearest = distances(pos[..., :2], self.places).min(-1)
        return torch.where((distance < SAME_PLACE_KM)[..., None], self.terms[nearest], 0.0)


class Attention(nn.Module):
    """The multi-head attention of `AttentionBlock`, of any number of stations; interface of PyTorch's."""

    def __init__(self, learnt: nn.MultiheadAttention):
        super().__init__()
        self.learnt = learnt

    def forward(self, x: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor, need_weights: bool):
        """Return the stations' values (B, N, C), and no weights; query, key and value are one tensor."""
        inside = F.linear(x, self.learnt.in_proj_weight, self.learnt.in_proj_bias)
        query, key, value = (
            one.unflatten(-1, (self.learnt.num_heads, -1)).transpose(1, 2) for one in inside.chunk(3, -1)
        )
        score = query @ key.transpose(-1, -2) / self.learnt.head_dim**0.5
        share = score.masked_fill(key_padding_mask[:, None, None], -FAR).softmax(-1)
        return self.learnt.out_proj((share @ value).transpose(1, 2).flatten(2)), None


def _padded(values, mask):
    """Values of the real stations (stations, ...) in their places of a dense batch (B, N, ...), by what ONNX has."""
    counts = mask.long().sum(1, keepdim=True)
    place = (mask.long().cumsum(1) - 1 + counts.cumsum(0) - counts).clamp(min=0)
    return torch.where(mask[(..., *[None] * (values.ndim - 1))], values[place], 0.0)


# ------------------------------------------------------------------------------------------------------------- file


def exported(model: RobustModel, card) -> bytes:
    """Content of an ONNX file.

    Parameters
    ----------
    model : RobustModel
        With travel times.
    card : seisbook.models.robust_checkpoints.RobustCard

    Raises
    ------
    UserError
        If the model has no travel times, or the package `onnx` is not installed.
    """
    if not card.config.physics:
        raise UserError("the model has no travel times and gives no origin time: choose one with physics")
    try:
        import onnx
    except ImportError:
        raise UserError("the package onnx is not installed: pip install onnx onnxruntime") from None
    file = onnx.load_from_string(_traced(WholeWay(model).eval(), _example(card)))
    for value in (*file.graph.input, *file.graph.output):
        value.doc_string = (INPUTS | OUTPUTS)[value.name]
    onnx.helper.set_model_props(file, metadata(card))
    return file.SerializeToString()


def metadata(card) -> dict[str, str]:
    """What a file says of itself: network, unit, window, centre of the coordinates, errors, and the model's card."""
    config = card.config
    plain = {
        "network": card.network,
        "unit": "nm",
        "components": "ZNE",
        "window_s": config.window_s,
        "sampling_rate_hz": config.sampling_rate_hz,
        "samples": round(config.window_s * config.sampling_rate_hz),
        "centre": list(card.ground.centre),
        "km_per_degree": KM_PER_DEGREE,
        "degrees_of_freedom": TAIL,
        "range": card.data.get("range", {}),
        "card": {"config": asdict(config), "training": asdict(card.training), "metrics": card.metrics},
        "inputs": INPUTS,
        "outputs": OUTPUTS,
    }
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in plain.items()}


def _example(card):
    """Two events of other numbers of stations, for the tracer to follow; a bang at each station, later when farther."""
    samples = round(card.config.window_s * card.config.sampling_rate_hz)
    mask = torch.arange(7) < torch.tensor([[5], [7]])
    positions = torch.randn(2, 7, 3, generator=torch.Generator().manual_seed(0)) * mask[..., None]
    positions = positions * torch.tensor([card.config.distance_scale_km / 4] * 2 + [0.0])
    since = torch.arange(samples) / samples - 0.2 - positions[..., None, :1].norm(dim=-1, keepdim=True) / 2e3
    bang = torch.where(since > 0, (-20 * since).exp() * (400 * since).sin(), 0.0) * 1e3
    return bang.expand(-1, -1, 3, -1) * mask[..., None, None], positions, mask


@torch.no_grad()
def _traced(whole, example):
    """The computation as an ONNX file, by the exporter that needs no further package."""
    axes = {name: {0: "events"} | ({1: "stations"} if name in STATIONS else {}) for name in (*INPUTS, *OUTPUTS)}
    file = io.BytesIO()
    with warnings.catch_warnings(), WrittenOut():
        warnings.simplefilter("ignore")  # it is the older exporter, and it warns of each constant of the model
        torch.onnx.export(
            whole,
            example,
            file,
            dynamo=False,
            opset_version=OPSET,
            input_names=list(INPUTS),
            output_names=list(OUTPUTS),
            dynamic_axes=axes,
        )
    return file.getvalue()
