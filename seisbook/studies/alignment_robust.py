"""The alignment study with the robust model as the event tower: claims C9 and C10 by the same rules.

Texts, labels, controls, folds and rules are those of `seisbook.studies.alignment`. Only the event tower differs. The
vector of an event holds the principal components of the robust model's embedding and its estimates. The tower is the
robust model as the simulated twin trained it (`seisbook.studies.robust_models`), so no real event and no simulated test
event takes part in its training, as in that study. The residuals of C10 are those of robust models trained on the other
random folds of the bulletin: the graph part alone, while the stem stays as the twin trained it.

Trials that compare *aligners*, and not towers, are left out: a loss with a single positive, random word vectors, and
texts that are known of a part of the events only.

One rule is new, and was written before the study was run. The robust model is the *better tower* if the paired
difference of recall at five, or of balanced accuracy, to the paper's model has a 95 % interval over events above zero.
"""

from dataclasses import replace

import numpy as np
import torch

from seisbook import provenance
from seisbook.catalogues import networks
from seisbook.datasets import reports
from seisbook.datasets.events import joined
from seisbook.measures import evaluation
from seisbook.models.robust import RobustModel
from seisbook.studies import alignment as alignment_study
from seisbook.studies import robust_models, runner
from seisbook.studies.alignment import (
    CONTROLS,
    Corpus,
    _control,
    _events_of,
    _fold,
    _Judgement,
    _split,
    _without,
)
from seisbook.studies.robust_models import MAIN, RECIPES, TWIN_SEED

OF_ALIGNERS = ("single positive", "random words")  # arms that say nothing about the tower

# --------------------------------------------------------------------------------------------------------------- trials


def trials(network, source, profile) -> list[dict]:
    """The trials of the alignment study that the tower takes part in, and their controls."""
    return [trial for trial in alignment_study.trials(network, source, profile) if _of_the_tower(trial)]


def _of_the_tower(trial):
    return trial["part"] == "residuals" or (trial["arm"] not in OF_ALIGNERS and trial["paired"] == 1.0)


def run(trials) -> list[dict]:
    """Results of the trials, like those of `seisbook.studies.alignment`."""
    return [
        _located(**_without(trial, "part", "source")) if trial["part"] == "residuals" else _judged(trial)
        for trial in trials
    ]


def config(trial) -> dict:
    """Configuration of a trial: of the tower's trainings, and of the alignment if the trial is not of the residuals."""
    recipe = RECIPES[trial["profile"]]
    tower = {"tower": [recipe.twin_events, TWIN_SEED, recipe.twin]}
    if trial["part"] == "residuals":
        return {**tower, "training": recipe.training}
    return {**tower, **alignment_study.config(trial)}


def prepare(network, source, profile):
    """Train the event tower on the twin and read the events, before the workers start."""
    robust_models.of_the_twin(network, MAIN, profile)
    corpus(network, source, profile)


STUDY = runner.Study("alignment-robust", trials, run, config, prepare, summary=alignment_study.summary)


# ----------------------------------------------------------------------------------------------------------- one trial


def _located(network, profile, fold):
    """Estimates for the test events of one fold of the bulletin, by the model that the other folds trained."""
    _, (held, readings) = robust_models.fold_of(network, fold, profile)
    estimates = evaluation.estimates(robust_models.of_the_fold(network, fold, profile).predict(held, readings[0]))
    return {"source_id": held.source_id.tolist(), "estimates": np.round(estimates, 4).tolist()}


@provenance.remember
def corpus(network, source, profile="paper") -> Corpus:
    """The corpus of the alignment study, with the embedding and the estimates of the robust model of the twin."""
    given = alignment_study.corpus(network, source, profile)
    events = joined(*_events_of(networks.load(network), source, profile)[1])
    place = {name: i for i, name in enumerate(events.source_id)}
    events = events.select([place[name] for name in given.source_id])
    tower = robust_models.locator(network, MAIN, profile, 0)
    torch.manual_seed(0)
    untrained = RobustModel(tower.config, tower.network)
    tower.model_ = untrained
    blank = tower.predict(events).embedding.numpy()
    tower.model_ = tower.start_from
    seen = tower.predict(events)
    found = {"estimates": evaluation.estimates(seen), "embedding": seen.embedding.numpy(), "untrained": blank}
    return replace(given, **found)


def _judged(trial):
    """Result of one trial, over all folds."""
    given = corpus(trial["network"], trial["source"], trial["profile"])
    texts = np.array(reports.mask(given.texts, trial["masking"], given.kind))
    nothing = [np.full(len(texts), np.nan) for _ in range(3)]
    unseen, unknown = np.zeros(len(texts), bool), np.full(len(texts), -1)
    found = _Judgement(nothing[0], unseen, unknown, nothing[1], [], [], [], nothing[2])
    for train, test in _split(given, trial["split"]):
        found.seen[test] = np.isin(texts[test], texts[train])
        (_control if trial["arm"] in CONTROLS else _fold)(trial, given, texts, train, test, found)
    names = given.names
    return {
        "classes": names,
        "truth": [names.index(event_class) if event_class in names else -1 for event_class in given.classes],
        **{name: _listed(getattr(found, name)) for name in ("rank", "centred", "margin")},
        "gallery": found.gallery,
        "gap": np.round(found.gap, 3).tolist(),
        "text_rank": found.text_rank,
        "seen": found.seen.astype(int).tolist(),
        "predicted": found.predicted.tolist() if (found.predicted >= 0).any() else None,
    }


def _listed(values):
    """Numbers with three decimals, None where there is none; None if there is none at all."""
    return None if np.isnan(values).all() else [None if np.isnan(v) else round(float(v), 3) for v in values]
