r"""ONNX files of robust models, each compared with PyTorch before it is written.

Both compute in single precision. Where an event hardly determines its depth, rounding alone moves the result, also from
one run of PyTorch to the next with the stations in another order. The rule, for outputs `a` of the file and `b` of
PyTorch and the changes `c` of `b` with the order of the stations:

.. math:: \frac{|a - b|}{1 + |b|} \le \max\left(10^{-4},\; 10 \max_c \frac{|c - b|}{1 + |b|}\right)

for the largest values of each event over all outputs, in all events but one in fifty.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from seisbook import files
from seisbook.datasets.library import load_events
from seisbook.errors import UserError
from seisbook.models import checkpoints, onnx_export, robust_checkpoints
from seisbook.models.names import ROBUST
from seisbook.studies.own_robust import network_of

TOLERANCE = 1e-4
ROUNDING = 10  # times what rounding alone was seen to do
EXCUSED = 0.02  # of the events: rounding may exchange two neighbours, or two values beside a median
EVENTS, SEED, BATCH = 96, 2, 16
ORDERS = 4  # of the stations


@dataclass(frozen=True)
class Agreement:
    """How an ONNX file agrees with PyTorch on simulated events.

    Parameters
    ----------
    difference : ndarray, shape (events,)
        Largest over all outputs, relative to the value plus one.
    rounding : ndarray, shape (events,)
        The same between PyTorch and PyTorch with the stations in another order.
    """

    difference: np.ndarray
    rounding: np.ndarray

    @property
    def holds(self) -> bool:
        """Whether the rule of this module is met."""
        allowed = np.maximum(TOLERANCE, ROUNDING * self.rounding)
        return bool((self.difference > allowed).mean() <= EXCUSED)

    def __str__(self):
        within, own = ((values <= TOLERANCE).sum() for values in (self.difference, self.rounding))
        return (
            f"{within} of {len(self.difference)} simulated events agree with PyTorch to {TOLERANCE:g} in all outputs, "
            f"median difference {np.median(self.difference):.1e}, largest {self.difference.max():.1e}; PyTorch with "
            f"the stations in another order: {own} of {len(self.rounding)}, largest {self.rounding.max():.1e}"
        )


def write(model, out, progress=True) -> tuple[Path, Agreement]:
    """Write a robust model as an ONNX file, unless the file would disagree with PyTorch.

    Parameters
    ----------
    model : path
        Of a robust model.
    out : path
    progress : bool

    Raises
    ------
    UserError
        If it is no robust model with travel times, `onnx` or `onnxruntime` is not installed, or the rule of this module
        is not met.
    """
    if (kind := checkpoints.architecture_of(model)) not in ("", ROBUST):
        raise UserError(f"{model}: a model of the kind {kind}: only robust models can be exported")
    trained, card = robust_checkpoints.load(model)
    content = onnx_export.exported(trained, card)
    events = load_events(network_of(card), "simulated", EVENTS, SEED, progress)
    found = agreement(content, trained, events)
    if not found.holds:
        raise UserError(f"{out}: not written: {found}: use the model with `seisbook locate`")
    return files.write_whole(out, content), found


def agreement(content, model, events) -> Agreement:
    """Compare the content of an ONNX file with a model on events, some alone and some in padded batches.

    Raises
    ------
    UserError
        If `onnxruntime` is not installed.
    """
    running, whole = session(content), onnx_export.WholeWay(model).eval()
    together = [np.arange(first, min(first + BATCH, len(events))) for first in range(0, len(events), BATCH)]
    rng, differences, roundings = np.random.default_rng(SEED), [], []
    for index in [*together, *(part[:1] for part in together)]:
        inputs = inputs_of(events, index)
        expected = _by_torch(whole, inputs)
        values = running.run(
            None, {name: value.numpy() for name, value in zip(onnx_export.INPUTS, inputs, strict=True)}
        )
        differences.append(_apart([torch.from_numpy(value) for value in values], expected))
        orders = [torch.from_numpy(rng.permutation(inputs[0].shape[1])) for _ in range(ORDERS)]
        roundings.append(torch.stack([_apart(_in_order(whole, inputs, one), expected) for one in orders]).amax(0))
    return Agreement(torch.cat(differences).numpy(), torch.cat(roundings).numpy())


def inputs_of(events, index) -> tuple[Tensor, Tensor, Tensor]:
    """Seismograms in nm, positions and mask of some events, padded: inputs of an ONNX file."""
    batch = events.batch(index)
    seismograms = torch.zeros(*batch.mask.shape, *batch.traces.shape[1:])
    seismograms[batch.mask] = batch.traces.float() * 10 ** batch.amplitude[batch.mask][:, None, None]
    return seismograms, batch.pos, batch.mask


class _Directly(TorchFunctionMode):
    """Distances from differences of coordinates: the matrix product that PyTorch prefers errs by some 50 m."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if function is torch.cdist:
            kwargs["compute_mode"] = "donot_use_mm_for_euclid_dist"
        return function(*args, **kwargs)


@torch.no_grad()
def _by_torch(whole, inputs):
    with _Directly():
        return whole(*inputs)


def _in_order(whole, inputs, order):
    """Outputs with the stations in another order, put back into the first one."""
    found = dict(zip(onnx_export.OUTPUTS, _by_torch(whole, [value[:, order] for value in inputs]), strict=True))
    back = order.argsort()
    return [value[:, back] if name in onnx_export.STATIONS else value for name, value in found.items()]


def _apart(values, expected):
    """Largest difference of each event over all outputs, relative to the value plus one."""
    each = [((a - b).abs() / (1 + b.abs())).reshape(len(b), -1).amax(1) for a, b in zip(values, expected, strict=True)]
    return torch.stack(each).amax(0)


def session(content):
    """The content of an ONNX file, to be run on one thread."""
    try:
        import onnxruntime
    except ImportError:
        raise UserError("the package onnxruntime is not installed: pip install onnx onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
