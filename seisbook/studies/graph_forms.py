r"""The study of the rebuilt graph: whether some form of it earns its place in the robust model.

The forms are those of `seisbook.models.graph_forms`. Everything else is the same for all of them: the stem, as the
network's twin trained it with every kind of trouble, reads the events once. The graph part, with its Gauss-Newton steps
on travel times, is trained from random weights on the training part of the first random fold of the bulletin, by the
recipe of the robust model. So no form has a start that suits another one better. The published model, whose graph part
was trained on the twin first, is more accurate than any of these. Each form is trained with three seeds.

The test events are shown as they are, and struck by four kinds of trouble at the most harmful severity of
`seisbook.measures.perturbations`: clocks that are wrong, a station in a wrong place, a dead station, and the three
nearest stations missing. Wrong clocks are where an earlier trial saw a rebuilt graph ahead.

The rule was written before the study was run. For a form and a control, let :math:`r` be the geometric mean, over test
events, seeds and conditions, of the ratio of the form's epicentral error to the control's, paired. Its 95 % interval
resamples events. A form of the rebuilt graph *earns its place* on a network (supported) if the interval of each control
lies below one. It does not (not supported) if the interval of some control lies above one. Otherwise it is undecided
(inconclusive). The controls are `static graph` and `no edges`, and for `learnt edges` also the same edges with
geography alone. Intervals are not corrected for the three forms and the two networks. The same ratio without trouble,
and under wrong clocks alone, is printed and decides nothing.
"""

from dataclasses import replace

import torch

from seisbook.catalogues import networks
from seisbook.measures import evaluation
from seisbook.models.graph_forms import FORMS, GRAPHS, GraphFormModel
from seisbook.models.robust_training import RobustLocator, RobustTraining
from seisbook.studies import robust_models, runner
from seisbook.studies.peers_robust_stem import troubled
from seisbook.studies.robust_models import MAIN, RECIPES, TWIN_SEED

CONDITIONS = {
    "none": None,
    "independent_shift": 1.0,
    "wrong_coordinates": 50.0,
    "dead_channel": 3,
    "nearest_dropout": 3,
}
"""Perturbation of the test events, and its severity."""
SEEDS = {"quick": 1, "paper": 3}
TRAINING = {
    "quick": RobustTraining(stem_epochs=0, graph_epochs=1, copies=1),
    "paper": RobustTraining(stem_epochs=0),
}
COLUMNS = ("epicentral_km",)


def trials(network, source, profile) -> list[dict]:
    """Each form with each seed under each condition; all forms of one seed come before those of the next."""
    common = {"network": network, "source": source, "profile": profile}
    return [
        {**common, "form": form, "seed": seed, "axis": axis, "severity": severity}
        for seed in range(SEEDS[profile])
        for form in FORMS
        for axis, severity in CONDITIONS.items()
    ]


def config(trial) -> dict:
    """Configuration of a trial: model, training, and how the stem was trained on the twin."""
    recipe = RECIPES[trial["profile"]]
    stem = [recipe.twin_events, TWIN_SEED, recipe.twin, recipe.training.copies]
    return {"model": _configuration(trial), "training": TRAINING[trial["profile"]], "stem": stem}


def group(trial):
    """Trials of one training, which is then tested under each condition."""
    return tuple(trial[name] for name in ("network", "source", "form", "seed"))


def prepare(network, source, profile) -> None:
    """Train the stem on the twin and let it read the events, before the workers start."""
    robust_models.first_fold_readings(network, source, profile)


def run(trials) -> list[dict]:
    """Results of the trials of one group, in order.

    Returns
    -------
    list of dict
        `epicentral_km` of each test event. For a form that learns its edges also `reach` and `falls`, the numbers `a`
        and `b` of `seisbook.models.graph_forms` in each block.
    """
    locator = _trained(trials[0])
    blocks = locator.model_.graph.blocks
    learnt = {} if not hasattr(blocks[0], "falls") else {"reach": _listed(blocks, "reach"), "falls": _slopes(blocks)}
    return [{**_tested(locator, trial), **learnt} for trial in trials]


def _configuration(trial):
    model = robust_models.configuration(MAIN, networks.load(trial["network"]))
    return replace(model, graph=GRAPHS.get(trial["form"], model.graph))


def _trained(trial):
    """An estimator whose graph part has the trial's form, trained on the fold from random weights."""
    network, model = networks.load(trial["network"]), _configuration(trial)
    torch.manual_seed(trial["seed"])
    start = GraphFormModel(model, network, trial["form"])
    locator = RobustLocator(network, model, TRAINING[trial["profile"]], trial["seed"], start)
    read = robust_models.first_fold_readings(trial["network"], trial["source"], trial["profile"])
    return locator.fit_graph(*read.part(read.fold.train), progress=False)


def _tested(locator, trial):
    network, source, profile = trial["network"], trial["source"], trial["profile"]
    if trial["axis"] == "none":
        read = robust_models.first_fold_readings(network, source, profile)
        held, (found, *_) = read.part(read.fold.test)
    else:
        held, found = troubled(network, source, profile, trial["axis"], trial["severity"])
    return evaluation.rounded(evaluation.errors(locator.predict(held, found), held), COLUMNS)


def _listed(blocks, name):
    return [round(getattr(block, name).item(), 3) for block in blocks]


def _slopes(blocks):
    return [[round(value, 3) for value in torch.nn.functional.softplus(block.falls).tolist()] for block in blocks]


STUDY = runner.Study("graph-forms", trials, run, config, prepare, group, batch=len(CONDITIONS))
