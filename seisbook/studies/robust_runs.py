"""Robust models for use: trained on the twin and on the training part of a fold, tested on the rest, and kept.

The trainings are those of the main arm of `seisbook.studies.robust`, with the same seeds, so that a kept model is one
whose errors the study has recorded.
"""

from pathlib import Path

from seisbook import provenance
from seisbook.catalogues import networks
from seisbook.measures import evaluation
from seisbook.measures.splits import FOLDS
from seisbook.models import checkpoints, robust_checkpoints
from seisbook.models.names import ROBUST
from seisbook.models.robust_training import RobustLocator
from seisbook.paths import BUILD
from seisbook.studies import robust_models
from seisbook.studies.pretraining import allow, never, timed_fit

PUBLISHED = (("colombia", "random", 0), ("ridgecrest", "random", 0), ("iceland", "twin", 0))
"""Network, split and fold of the models in `data/models`; Iceland's has seen no real seismogram."""


def path_of(network, split="random", fold=0, profile="paper") -> Path:
    """Path of a robust model: in `data/models` if it is published, else in `_build/models`."""
    published = profile == "paper" and (str(network), split, fold) in PUBLISHED
    folder = checkpoints.MODELS if published else BUILD / "models" / profile
    return folder / f"{Path(network).stem}-{ROBUST}-{split}-{fold}.safetensors"


def key(network, split, fold, profile) -> dict:
    """Provenance key of a robust model."""
    place, recipe = networks.load(network), robust_models.RECIPES[profile]
    trained = {"recipe": recipe, "twin_seed": robust_models.TWIN_SEED}
    return provenance.key("robust", network=place.name, split=split, fold=fold, folds=FOLDS, **trained)


def train(network, split="random", fold=0, profile="paper", progress=True, may_replace=never) -> Path:
    """Train and test a robust model, and keep it, unless a current one exists.

    Parameters
    ----------
    network : str
    split : {"random", "time", "twin"}
        For `twin`, the model of the network's twin, which has seen no real event; it is tested on new simulated ones.
    fold : int
        Number of the fold; 0 for the twin.
    profile : {"quick", "paper"}
    progress : bool
    may_replace : callable
        See `seisbook.studies.runs.run`.

    Returns
    -------
    Path
        Path of the weights; the card beside them holds the summary of the test errors.

    Raises
    ------
    UserError
        If a published model may not be replaced, or code has changed since the last commit.
    """
    path = path_of(network, split, fold, profile)
    made_of = key(network, split, fold, profile)
    state = checkpoints.state(path, made_of)
    if state.name in ("current", "unverified"):
        return path
    if path.parent == checkpoints.MODELS:
        allow(path, state, may_replace)
    with provenance.watched() as inputs:
        locator, held, seconds = trained(network, split, fold, profile, progress)
    metrics = {"train_s": seconds, **tested(locator, held)}
    return robust_checkpoints.save(path, locator, _data(split, fold), metrics, made_of, inputs)


def trained(network, split, fold, profile, progress=False):
    """A fitted locator, the test events, and the seconds that the training on real events took."""
    if split == "twin":
        locator = robust_models.locator(network, robust_models.MAIN, profile, 0)
        locator.model_ = locator.start_from
        return locator, robust_models.new_events(network, profile), 0.0
    train, held = robust_models.parts(network, split, fold)
    locator, seconds = timed_fit(robust_models.locator(network, robust_models.MAIN, profile, fold), train, progress)
    return locator, held, seconds


def tested(locator: RobustLocator, events) -> dict:
    """Summary of the errors of some events, see `seisbook.measures.evaluation.summarise_errors`."""
    return evaluation.summarise_errors(evaluation.errors(locator.predict(events), events))


def _data(split, fold):
    if split == "twin":
        return {"source": "simulated", "seed": robust_models.TWIN_SEED}
    return {"source": "bulletin", "seed": 0, "split": split, "fold": fold, "folds": FOLDS}
