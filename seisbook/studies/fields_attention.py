r"""The attention study on fields: do the stations that a trained graph listens to tell most of the field elsewhere?

No analyst marks stations of a field. As in `seisbook.studies.attention`, the *purpose* of such a choice is tested. Half
of an event's stations are hidden, and events with 10 or more observed ones count. Each order of the observed stations
picks the first three. How much these say about the hidden stations is their mutual information by the conditional
normal, over that of the D-optimal three (`seisbook.measures.field_design`): their *efficiency*, for peak velocity.

Two orders emerged from the training of the dynamic graph without the conditional normal: `selection`, by the messages
that hidden stations take in the last block, and `influence`, by how much the prediction changes if a station is left
out (`seisbook.measures.field_attention`). The nulls are `nearest` to the epicentre, `central` (smallest mean distance
to the hidden stations), `untrained` (the selection of a model of the same kind before training), and `random`.

The rule for claim C8 was written before the study was run. For each region and each of the two orders, it takes the
efficiency of the order's three stations minus that of the null with the highest mean efficiency there. The claim is
*supported* if the 95 % interval of the mean difference over events lies above zero, *not supported* if it lies below,
*inconclusive* otherwise.

What the three stations are worth in practice stands beside it and decides nothing: the error of the conditional normal
at the hidden stations if it sees no others.

There is one training for each region, on the first fold of `seisbook.studies.fields`.
"""

import copy

import numpy as np
import torch

from seisbook.measures import field_attention, field_design, reconstruction
from seisbook.models.conditional_normal import ConditionalNormal
from seisbook.models.field_methods import hide
from seisbook.models.field_model import FieldModel
from seisbook.models.field_training import FieldNetwork
from seisbook.studies import runner
from seisbook.studies.arms import TOP
from seisbook.studies.fields import ARMS, EVENTS, INFORMATION, TRAINING, parts, prepare

ARM, HIDDEN, FEWEST = "alone", 0.5, 10
AGAIN = 0.05
"""Relative difference of mean efficiencies when the model is trained again on another processor."""


def trials(network, source, profile) -> list[dict]:
    """One training."""
    return [{"network": network, "source": source, "profile": profile, "fold": 0}]


def run(trials) -> list[dict]:
    """Results of the trials.

    Returns
    -------
    list of dict
        For each trial, by order: by event `efficiency`, and `square` and `count` of the conditional normal that sees
        the three stations alone, see `seisbook.measures.reconstruction.scores`.
    """
    return [_measured(**trial) for trial in trials]


def _measured(network, source, profile, fold):
    train, test = parts(network, source, profile)[fold]
    observed = hide(test, HIDDEN)
    many = np.flatnonzero(np.bincount(test.event[observed], minlength=len(test)) >= FEWEST)
    test = test.select(many)
    model = FieldNetwork(INFORMATION["all"], ARMS[ARM], TRAINING[profile], fold).fit(train)
    return chosen(model, ConditionalNormal().fit(train), test, fold)


def chosen(model, normal, test, random_state) -> dict:
    """Efficiency and error of each order's first stations, see `run`.

    Parameters
    ----------
    model : FieldNetwork
        Fitted.
    normal : ConditionalNormal
        Fitted.
    test : Fields
        Events with enough stations.
    random_state : int
    """
    observed, fresh, rng = hide(test, HIDDEN), untrained(model, random_state), np.random.default_rng(random_state)
    efficiency, kept = {}, {}
    for i, scene in enumerate(model.scenes(test, observed)):
        pair = field_design.covariances(normal, scene)
        sets = _first(model, fresh, scene, rng) | {"D-optimal": field_design.best_set(*pair, TOP)}
        told = field_design.information(*pair, list(sets.values()))
        seen = test.start[i] + np.flatnonzero(scene.observed)
        for order, value, stations in zip(sets, told / told[-1], sets.values(), strict=True):
            efficiency.setdefault(order, []).append(float(f"{value:.4g}"))
            kept.setdefault(order, np.zeros(len(observed), bool))[seen[stations]] = True
    return {order: {"efficiency": efficiency[order], **_error(normal, test, observed, kept[order])} for order in kept}


def untrained(model, random_state) -> FieldNetwork:
    """The same method with the weights that it had before training."""
    torch.manual_seed(random_state)
    fresh = copy.copy(model)
    fresh.model_ = FieldModel(model.config).eval()
    return fresh


def _first(model, fresh, scene, rng):
    """The first stations of each order, as positions among the observed ones."""
    seen, hidden = scene.pos[scene.observed], scene.pos[~scene.observed]
    worth = {
        "selection": field_attention.selected(model, scene),
        "influence": field_attention.influence(model, scene),
        "nearest": -np.hypot(*(seen - scene.source.epicentre).T),
        "central": -np.hypot(*(seen[:, None] - hidden[None]).transpose(2, 0, 1)).mean(1),
        "untrained": field_attention.selected(fresh, scene),
        "random": rng.random(len(seen)),
    }
    return {order: np.argsort(-values, kind="stable")[:TOP] for order, values in worth.items()}


def _error(normal, test, observed, kept):
    """Sums of squared errors at the hidden stations, and their counts, if only these stations are seen."""
    scores = reconstruction.scores(normal.predict(test, kept), test, observed)
    return {key: [float(f"{value:.4g}") for value in scores[key]] for key in ("square", "count")}


def summary(result) -> dict[str, float]:
    """Mean efficiency of each order, which a second run must reproduce."""
    return {order: float(np.mean(found["efficiency"])) for order, found in result.items()}


def config(trial) -> dict:
    """Configuration of a trial: the model, its training and the design."""
    return {
        "model": ARMS[ARM],
        "training": TRAINING[trial["profile"]],
        "events": EVENTS[trial["profile"]],
        **{"hidden": HIDDEN, "fewest": FEWEST, "stations": TOP},
    }


STUDY = runner.Study("fields-attention", trials, run, config, prepare, summary=summary, tolerance=AGAIN)
