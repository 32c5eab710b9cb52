r"""Which stations the epicentre of a robust model rests on: by design, and by what was learnt.

The last Gauss-Newton step of `seisbook.models.robust` sums up what each onset says of the epicentre. Station `j` adds

.. math:: I_j = \sum_{w \in \{P, S\}} g_{jw} t_{jw} (a_{jw}^e)^2 + g_{jw} t_{jw} (a_{jw}^n)^2

to the trace of the information on east and north, and the same for S minus P. Here :math:`a` is the slope of the travel
time (s/km), without the weighted mean that the origin time takes up. :math:`t` is Student's weight of the residual
(1/s²). :math:`g` is the *gate*, a factor that the last block says. The share :math:`I_j / \sum_i I_i` is an attention
that is *designed*: slopes and Student's weights are formulas, and only the gates are learnt.

What *emerged* from training are the gates alone, and the stations that the largest messages of the last block come
from (`seisbook.measures.attention`).
"""

from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch

from seisbook.datasets.events import NodeFeatures
from seisbook.errors import UserError
from seisbook.measures.attention import _chosen, _circumstances, _follow, _shares
from seisbook.models.robust import SILENT, RobustModel, dense
from seisbook.models.robust_training import of_events


def information_table(model: RobustModel, events, index, found) -> pd.DataFrame:
    """Shares of one event's stations in what its epicentre rests on, beside what may explain them.

    Parameters
    ----------
    model : RobustModel
        With travel times and graph convolutions; it is put in evaluation mode.
    events : Events
        With their seismograms.
    index : int
        Position of the event.
    found : Onsets
        What the model's stem found at the stations of all events.

    Returns
    -------
    DataFrame
        Indexed by station. `information`, share of the information on the epicentre; `ungated`, the same without the
        gates; `gate`, sum of the gates of P and S; `selection`, share of the largest messages of the last block; and
        the columns `source_id`, `epicentral_km`, `snr`, `p_confidence`, `p_order` of
        `seisbook.measures.attention.attention_table`.

    Raises
    ------
    UserError
        If the model has no travel times, or takes no maximum over neighbours.
    """
    if not model.config.physics or model.config.mixing != "graph":
        raise UserError("information_table: this model has no gates or no maximum: use one with travel times and graph")
    event, of_one = events.select([index]), of_events(found, events, [index])
    said = NodeFeatures(of_one.state, of_one.onset_s, of_one.log_probability, of_one.amplitude)
    columns = {"source_id": event.source_id[0], **_parts(model, event, of_one)}
    columns |= _circumstances(event, said, model.config.sampling_rate_hz)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(event.pos), name="station"))


@torch.no_grad()
def _parts(model, event, found):
    """What the epicentre of one event rests on, by name: arrays of its stations."""
    batch = event.batch(np.array([0]))
    onsets = dense(found._replace(state=found.state.float()), batch.mask)
    walked = SimpleNamespace(blocks=model.graph.blocks, eval=model.eval)  # the blocks are those of the graph part
    with _steps(model.graph) as steps:
        last = _follow(walked, onsets, batch.pos, batch.mask).steps[-1]
    residuals, weight = steps[-1]
    gate = model.graph.say[-1](last.h.mean(2))[..., 2:].clamp(-7, 4).exp()
    heard = onsets.amplitude > SILENT
    chosen = _chosen(last).flatten().numpy()
    return {
        "information": _share(_information(residuals.slope, weight)),
        "ungated": _share(_information(residuals.slope, weight / gate)),
        "gate": (gate[..., :2].sum(-1) * heard)[0].numpy(),
        "selection": _shares(chosen, np.ones(len(chosen)), len(event.pos)),
    }


@contextmanager
def _steps(graph):
    """Keep the residuals and the weights of the Gauss-Newton steps that a graph part makes meanwhile."""
    kept, step = [], graph._step

    def keeping(x, residuals, weight):
        kept.append((residuals, weight))
        return step(x, residuals, weight)

    graph._step = keeping
    try:
        yield kept
    finally:
        del graph._step


def _information(slope, weight):
    """Each station's part (B, N) of the trace of the information on east and north, in 1/km²."""
    w, a = weight[..., :2, None], slope[..., :2]
    mean = (w * a).sum((1, 2), keepdim=True) / w.sum((1, 2), keepdim=True).clamp(min=1e-9)
    lag = a[:, :, 1] - a[:, :, 0]
    return (w * (a - mean) ** 2).sum((2, 3)) + (weight[..., 2:] * lag**2).sum(-1)


def _share(part):
    """Parts of one event (1, N) as shares of their sum."""
    return (part / part.sum()).double().numpy()[0]
