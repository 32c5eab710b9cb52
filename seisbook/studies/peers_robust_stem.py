r"""Published kinds of graph part on the stem of the robust model: what sets ours apart when all read the same onsets.

The arms are those of `seisbook.models.peer_graphs`, none of which knows travel times, and the robust model itself. All
arms share one stem, as the network's twin trained it with every kind of trouble. It has seen no real event, it reads
the events once, and no arm trains it. So the graph parts alone differ. Each one is trained on the twin first, then on
the training part of a fold of the bulletin, with the loss, the perturber and the copies of the robust model.

The twin decides on the recipe, never the fold:

1. The learning rate of each arm is that of `RATES` whose loss on new events of Colombia's twin is least after a few
   epochs. The switches of the paper's block share one rate. `CHOSEN` holds the rates, for both networks. A test
   compares them with the records.
2. All graph parts without travel times have the same number of epochs, on the twin and on the fold. Records of half as
   many epochs on Colombia's twin say for some arms how far the loss on new events has levelled off. The robust model
   keeps its own recipe, which has fewer epochs, in smaller batches.

The rule was written before any real event was located. With :math:`\tilde e` the median epicentral error over the test
events of all folds, the robust model is *ahead of* an arm if the 95 % interval of

.. math:: \frac{\tilde e_\mathrm{robust}}{\tilde e_\mathrm{arm}}

lies below one, *behind* it if the interval lies above one, and *undecided* otherwise. The interval resamples events,
the same for both. The same ratio over the paper's block is printed beside it. Intervals are not corrected for the
number of arms. Three of the five random folds are trained. The first one is trained with two seeds, whose range is
printed, and the other folds once. There was no time for more, which was decided before any real event was located.

Trouble strikes the test events of the first fold at one severity for each axis, `TROUBLE`. Octave, joint shift and
clock errors are the most harmful ones that are informative on both networks (see `seisbook.measures.informative`). What
goes wrong at single stations has the most harmful severity of `seisbook.measures.perturbations`. A growth is the median
error under trouble over that of the same model and events without.

Arms of `ON_THE_TWIN` take the paper's block apart, to see why attention over stations differs from it. They see
events of Colombia's twin alone.
"""

import json
import logging
from dataclasses import dataclass, replace

import numpy as np
import safetensors
import safetensors.torch

from seisbook import files, provenance
from seisbook.catalogues import networks
from seisbook.datasets.events import Events
from seisbook.datasets.library import load_events
from seisbook.measures import evaluation, perturbations, splits
from seisbook.models.peer_graphs import KINDS, PeerLocator, PeerModel, without_time
from seisbook.models.robust import Onsets, RobustConfig
from seisbook.models.robust_training import RobustTraining, location_loss
from seisbook.paths import BUILD
from seisbook.studies import robust_models, runner
from seisbook.studies.robust_models import MAIN, TWIN_SEED

log = logging.getLogger(__name__)
PAPER = "paper's block"
SWITCHES = ("static graph", "no edges", "all neighbours", "softmax")
"""Arms that are switches of the paper's block, whose learning rate they take."""
ON_THE_TWIN = ("all neighbours", "softmax")
PUBLISHED = (
    *("transformer with feedback", "transformer", PAPER, "deep sets with feedback", "graph attention"),
    *("edges in feature space", "geographic convolution", "maximum over stations", "no edges", "static graph"),
)
ARMS = (MAIN, *PUBLISHED)
"""Arms that see the bulletin."""
TUNED_ON = "colombia"
RATES = (1e-3, 2e-3, 4e-3)
CHOSEN = {
    PAPER: 4e-3,
    "transformer": 4e-3,
    "transformer with feedback": 4e-3,
    "graph attention": 4e-3,
    "deep sets with feedback": 4e-3,
    "edges in feature space": 2e-3,
    "geographic convolution": 4e-3,
    "maximum over stations": 2e-3,
}
"""Learning rate by kind; chosen on the twin. A kind without one waits."""
HALVED = (PAPER, "transformer with feedback")
"""Arms that the twin of `TUNED_ON` also trains half as long."""
TROUBLE = {
    "band_pass": 2.0,
    "joint_shift": 2.0,
    "independent_shift": 0.2,
    "clipping": 0.05,
    "spike": 100.0,
    "dead_channel": 3,
    "wrong_coordinates": 50.0,
}
"""Severity along each axis of `seisbook.studies.robust.COMPARED`."""
COLUMNS = ("epicentral_km",)


@dataclass(frozen=True)
class Size:
    """Numbers of a profile.

    Parameters
    ----------
    short, long : int
        Epochs on the twin, to choose a rate and before the bulletin; `long` is even.
    epochs : int
        Epochs on the training part of a fold.
    events : int
        Events in a step: twice as many cost hardly more.
    copies : int
        Troubled copies of the twin's events.
    folds, seeds : int
    axes : tuple of str
        Of `TROUBLE`.
    """

    short: int
    long: int
    epochs: int
    events: int
    copies: int
    folds: int
    seeds: int
    axes: tuple[str, ...]


SIZES = {
    "quick": Size(1, 2, 1, 8, 1, 1, 1, ("spike",)),
    "paper": Size(4, 24, 24, 64, 1, 3, 2, tuple(TROUBLE)),
}


def trials(network, source, profile) -> list[dict]:
    """Trials of the simulated twin choose the rates and train each kind; those of the bulletin compare the arms."""
    common = {"network": network, "source": source, "profile": profile}
    found = _on_the_twin(network, SIZES[profile]) if source == "simulated" else _on_the_bulletin(SIZES[profile])
    return [{**common, **one} for one in found]


def _on_the_twin(network, size):
    if network != TUNED_ON:
        return [_long(kind, size.long) for kind in filter(has_rate, PUBLISHED)]
    tried = [kind for kind in KINDS if kind not in SWITCHES]
    found = [{"arm": kind, "rate": rate, "epochs": size.short} for kind in tried for rate in RATES]
    for kind in filter(has_rate, KINDS):
        found += [_long(kind, epochs) for epochs in ((size.long // 2, size.long) if kind in HALVED else (size.long,))]
    return found


def _long(kind, epochs):
    return {"arm": kind, "rate": rate_of(kind), "epochs": epochs}


def _on_the_bulletin(size):
    trained = [(0, seed) for seed in range(size.seeds)] + [(fold, 0) for fold in range(1, size.folds)]
    found = []
    for fold, seed in trained:
        trouble = [(axis, TROUBLE[axis]) for axis in size.axes] if (fold, seed) == (0, 0) else []
        for arm in (arm for arm in ARMS if arm == MAIN or has_rate(arm)):
            found += [
                {"arm": arm, "fold": fold, "seed": seed, "axis": axis, "severity": severity}
                for axis, severity in [("none", None), *trouble]
            ]
    return found


def rate_of(kind) -> float:
    """Learning rate of a kind; switches of the paper's block have its rate."""
    return CHOSEN[_tuned(kind)]


def has_rate(kind) -> bool:
    """Whether the twin has chosen the learning rate of a kind."""
    return _tuned(kind) in CHOSEN


def _tuned(kind):
    return PAPER if kind in SWITCHES else kind


def config(trial) -> dict:
    """Configuration of a trial: how its graph part is trained, on the twin and on the fold."""
    if trial["source"] == "simulated":
        return {"twin": _twin_training(trial["profile"], trial["rate"], trial["epochs"])}
    recipe = robust_models.RECIPES[trial["profile"]]
    if trial["arm"] == MAIN:
        return {"twin": recipe.twin, "fold": recipe.training}
    size, rate = SIZES[trial["profile"]], rate_of(trial["arm"])
    return {"twin": _twin_training(trial["profile"], rate, size.long), "fold": _fold_training(trial["profile"], rate)}


def _twin_training(profile, rate, epochs):
    size = SIZES[profile]
    return RobustTraining(0, epochs, events=size.events, copies=size.copies, graph_rate=rate)


def _fold_training(profile, rate):
    size = SIZES[profile]
    return RobustTraining(0, size.epochs, events=size.events, graph_rate=rate)


def group(trial):
    """Trials of one training, which is then tested on each perturbation."""
    return tuple(trial.get(name) for name in ("network", "source", "arm", "rate", "epochs", "fold", "seed"))


def prepare(network, source, profile):
    """Train the stem, and read the events, before the workers start."""
    robust_models.of_the_twin(network, MAIN, profile)
    if source == "bulletin":
        robust_models.first_fold_readings(network, source, profile)


def run(trials) -> list[dict]:
    """Results of the trials of one group, in order.

    Returns
    -------
    list of dict
        On the twin: `parameters` of the graph part, and on new events `loss` and the median `epicentral_km`. On the
        bulletin: `epicentral_km` of each test event.
    """
    if trials[0]["source"] == "simulated":
        return [_result_on_the_twin(trial) for trial in trials]
    trained = _trained(trials[0])
    return [_tested(trained, trial) for trial in trials]


# ------------------------------------------------------------------------------------------------------------ the twin


@provenance.remember
def _twin_read(network, profile) -> tuple[Events, tuple[Onsets, ...]]:
    """The twin's training events without seismograms, and what the stem found in them and in troubled copies."""
    place, recipe = networks.load(network), robust_models.RECIPES[profile]
    events = load_events(place, "simulated", recipe.twin_events, TWIN_SEED, False)
    return _read(network, profile, events)


@provenance.remember
def _new_read(network, profile) -> tuple[Events, tuple[Onsets, ...]]:
    """New events of the twin, read in the same way."""
    return _read(network, profile, robust_models.new_events(network, profile))


def _read(network, profile, events):
    locator = robust_models.locator(network, MAIN, profile, 0)
    locator = replace(locator, training=replace(locator.training, copies=SIZES[profile].copies))
    return replace(events, x=None), tuple(locator.readings(events, progress=False))


def _untimed(found, kind):
    """Readings as a kind wants them: only the paper's own block looks at the time of states."""
    return list(found) if kind == PAPER or kind in SWITCHES else [without_time(one) for one in found]


def _locator(network, profile, kind, training, seed, start) -> PeerLocator:
    window = networks.load(network).window
    config = RobustConfig(window_s=window.length_s, sampling_rate_hz=window.sampling_rate_hz, physics=False)
    return PeerLocator(networks.load(network), config, training, seed, start, kind)


def _result_on_the_twin(trial):
    network, profile, kind = trial["network"], trial["profile"], trial["arm"]
    model = of_the_twin(network, profile, kind, trial["rate"], trial["epochs"])
    events, found = _new_read(network, profile)
    located = _locator(network, profile, kind, _twin_training(profile, trial["rate"], trial["epochs"]), 0, model)
    located.model_ = model
    predictions = [located.predict(events, one) for one in _untimed(found, kind)]
    return {
        "parameters": sum(weights.numel() for weights in model.graph.parameters()),
        "loss": float(np.mean([location_loss(one, events.y, located.config).item() for one in predictions])),
        "epicentral_km": float(evaluation.errors(predictions[0], events).epicentral_km.median()),
    }


@provenance.remember
def of_the_twin(network, profile, kind, rate, epochs) -> PeerModel:
    """A kind's model, its graph part trained on the twin: from the cache if it holds it.

    Parameters
    ----------
    network, profile, kind : str
    rate : float
    epochs : int
    """
    start = robust_models.of_the_twin(network, MAIN, profile)
    training = _twin_training(profile, rate, epochs)
    path = _cache(network, profile, kind, training)
    if not path.is_file():
        log.info("%s: training %r on the twin, rate %g, %d epochs", network, kind, rate, epochs)
        with provenance.watched() as inputs:
            events, found = _twin_read(network, profile)
            locator = _locator(network, profile, kind, training, 0, start)
            trained = locator.fit_graph(events, _untimed(found, kind), progress=False).model_
        weights = {name: value.detach() for name, value in trained.named_parameters()}
        files.write_whole(path, safetensors.torch.save(weights, {"inputs": json.dumps(inputs)}))
    model = PeerModel(_locator(network, profile, kind, training, 0, start).config, networks.load(network), kind)
    with safetensors.safe_open(path, "pt") as opened:
        inputs = json.loads(opened.metadata()["inputs"])
        model.load_state_dict({name: opened.get_tensor(name) for name in opened.keys()}, strict=False)  # noqa: SIM118
    for name, content in inputs.items():
        provenance.note(name, content)
    return model.eval()


def _cache(network, profile, kind, training):
    """File of a model of the twin, by what it is made of."""
    made_by = provenance.code_hash(
        "seisbook.models.peer_graphs:PeerLocator", "seisbook.models.robust_training:RobustLocator"
    )
    made_of = [networks.load(network), kind, robust_models.RECIPES[profile].twin_events, TWIN_SEED, training, made_by]
    name = f"{networks.load(network).name}-{provenance.digest(made_of)}.safetensors"
    return BUILD / "models" / "peers-robust-stem" / name


# -------------------------------------------------------------------------------------------------------- the bulletin


def _trained(trial):
    """The arm's estimator, its graph part trained on a fold."""
    network, profile, arm = trial["network"], trial["profile"], trial["arm"]
    read = robust_models.first_fold_readings(network, trial["source"], profile)
    train, _ = _fold(read, trial["fold"])
    seed = trial["fold"] + 10 * trial["seed"]
    if arm == MAIN:
        return robust_models.locator(network, MAIN, profile, seed).fit_graph(*read.part(train), progress=False)
    rate = rate_of(arm)
    start = of_the_twin(network, profile, arm, rate, SIZES[profile].long)
    events, found = read.part(train)
    locator = _locator(network, profile, arm, _fold_training(profile, rate), seed, start)
    return locator.fit_graph(events, _untimed(found, arm), progress=False)


def _fold(read, fold):
    """Positions of the training and of the test events of a random fold: the stem has read the events of all folds."""
    events = read.fold.events
    return splits.folds(events.source_id, events.origin_time, "random")[fold]


def _tested(locator, trial):
    network, source, profile = trial["network"], trial["source"], trial["profile"]
    if trial["axis"] == "none":
        read = robust_models.first_fold_readings(network, source, profile)
        events, (found, *_) = read.part(_fold(read, trial["fold"])[1])
    else:
        events, found = troubled(network, source, profile, trial["axis"], trial["severity"])
    (found,) = _untimed([found], trial["arm"] if trial["arm"] != MAIN else PAPER)
    return evaluation.rounded(evaluation.errors(locator.predict(events, found), events), COLUMNS)


@provenance.remember
def troubled(network, source, profile, axis, severity) -> tuple[Events, Onsets]:
    """Perturbed test events of the first fold without seismograms, and what the stem found in them."""
    held = robust_models.first_fold_readings(network, source, profile).fold.held
    rate = networks.load(network).window.sampling_rate_hz
    struck = perturbations.AXES[axis].make(severity).apply(held, rate, progress=False)
    locator = robust_models.locator(network, MAIN, profile, 0)
    locator.model_ = locator.start_from
    return replace(struck, x=None), locator.read(struck)


STUDY = runner.Study("peers-robust-stem", trials, run, config, prepare, group, batch=20)
