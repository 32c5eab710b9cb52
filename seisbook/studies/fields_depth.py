r"""The study of depth on fields: do many blocks make the stations' states the same, and does concatenation help?

Events of the other studies have some 4 to 16 stations. Here only test events with 20 or more stations count, and they
have up to 200. Half of an event's stations are hidden. The models have 1, 2, 4, 8 and 16 blocks and about as many
parameters as the field model with three blocks. Their graph is dynamic or static. The readout takes the states of all
blocks side by side (`multiscale`), or that of the last block alone (`last`). The models are not handed the conditional
normal, which could hide what the blocks lose. Training is that of `seisbook.studies.fields` with half as many epochs,
because sixteen blocks are slow. The first of its folds is tested.

The rule for claim C4 was written before the study was run, and is that of `seisbook.findings.smoothing`. At the
greatest depth, for each graph, two things are compared, with 95 % intervals that resample events: the ratio of the root
mean square errors at hidden stations, multi-scale over last; and the mean average distance (MAD) of the stations'
states after the last block. The claim is *supported* if the interval of the ratio lies below 1 *and* the interval of
the multi-scale model's MAD lies above that of the other; *not supported* if neither holds; *inconclusive* otherwise,
and if one of the models diverged.

Each model is trained once. The intervals do not include the scatter between seeds.
"""

import itertools

import numpy as np

from seisbook.measures import field_smoothness
from seisbook.models.field_depth import equal_width, parameters
from seisbook.models.field_methods import hide
from seisbook.models.field_model import FieldConfig
from seisbook.models.field_training import FieldNetwork, FieldTraining
from seisbook.studies import fields_trouble, runner
from seisbook.studies.fields import EVENTS, INFORMATION

DEPTHS = {"quick": (1, 2), "paper": (1, 2, 4, 8, 16)}
TRAINING = {"quick": FieldTraining(epochs=2, patterns=1), "paper": FieldTraining(epochs=8)}
ARMS = tuple(itertools.product(("dynamic", "static"), ("multiscale", "last")))
HIDDEN = 0.5
PARAMETERS = parameters(FieldConfig(informed=False))
AGAIN = 0.05
"""Relative difference of root mean square errors when a model is trained again on another processor."""


def trials(network, source, profile) -> list[dict]:
    """Each depth with each graph and readout; the greatest depth comes first, because it decides."""
    common = {"network": network, "source": source, "profile": profile}
    return [
        {**common, "graph": graph, "readout": readout, "blocks": blocks, "fold": 0}
        for blocks in reversed(DEPTHS[profile])
        for graph, readout in ARMS
    ]


def run(trials) -> list[dict]:
    """Train and measure, one trial after the other.

    Returns
    -------
    list of dict
        For each trial: `channels`, `parameters`; `loss` by epoch; `diverged`; and, unless it has, `square` and `count`
        of each test event, see `seisbook.measures.reconstruction.scores`, and `similarity`, see
        `seisbook.measures.field_smoothness`.
    """
    return [_trained(**trial) for trial in trials]


def _trained(network, source, profile, graph, readout, blocks, fold):
    train, test = fields_trouble._parts(network, source, profile)[fold]
    config = _config(graph, readout, blocks)
    method = FieldNetwork(INFORMATION["all"], config, TRAINING[profile], fold).fit(train)
    result = {"channels": config.channels, "parameters": parameters(config), "loss": _short(method.history_)}
    observed = hide(test, HIDDEN)
    result["diverged"] = not np.isfinite(method.predict(test, observed).mean).all()
    if not result["diverged"]:
        alike = field_smoothness.similarity(method, test, observed)
        result |= fields_trouble._scored(method, test, test, observed)
        result["similarity"] = {name: _short(values) for name, values in alike.items()}
    return result


def _config(graph, readout, blocks):
    return equal_width(FieldConfig(graph=graph, readout=readout, blocks=blocks, informed=False), PARAMETERS)


def _short(values):
    """Values for JSON with four digits; None where one is not finite."""
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values]


def summary(result) -> dict[str, float]:
    """Root mean square error at hidden stations, which a second run must reproduce."""
    return {} if result["diverged"] else {"rmse": float(np.sqrt(sum(result["square"]) / sum(result["count"])))}


def config(trial) -> dict:
    """Configuration of a trial: the model and its training."""
    return {
        "model": _config(trial["graph"], trial["readout"], trial["blocks"]),
        "training": TRAINING[trial["profile"]],
        "events": EVENTS[trial["profile"]],
        "hidden": HIDDEN,
        "fewest": fields_trouble.FEWEST,
    }


STUDY = runner.Study("fields-depth", trials, run, config, fields_trouble.prepare, summary=summary, tolerance=AGAIN)
