"""The transfer study of the robust model: its errors after training on the first events of a new network.

Events, draws, numbers of steps and rules are those of `seisbook.studies.transfer`, and so are the test events: the test
part of the first random fold of the real bulletin. The model differs. The robust model carries *physics*: travel times
in the network's velocity model, the scatter of onsets about them, and a magnitude relation. These, and the units of the
window, are the new network's own. Velocity models and relations are published, and so known before the first event. The
scatter, and Ridgecrest's ratio of velocities, were measured on the bulletin. What a start brings along are the weights:

- `other`: those of the *other* network's robust model: its stem was trained on that network's twin, its graph part on
  the twin and then on the training events of the real bulletin;
- `twin`: those that the network's own simulated twin trained;
- `random`: random weights. They are trained on `JUDGED` events only, the number that a rule looks at.

Nothing that was learnt at the stations of the other network is taken over: the model begins without station terms, and
with the same broad depth prior everywhere. Both are then learnt from the training events. Each start is also tested
without any training event. A start in resampled seismograms, which the older study has, is left out, since the travel
times already have the right units.

As in that study, trained starts are trained at half of the rates of the recipe, and random weights at the full rates
with three times as many steps. Stem and graph part are both trained. In one step the stem sees about as many
seismograms as in the recipe, the graph part `BATCH` events.

The three rules of the older study are used again. Two are new, and were written before the study was run. *Physics
transfers* if, without any event, the error from the other network's weights is below that of the paper's model from the
other network's weights. The *first model is good* if its error, from the other network's weights and without any event,
is below twice that of the robust model whose graph part was trained on the network's own twin and all training events.
Both use the ratio of median epicentral errors, with an interval over test events, see
`seisbook.findings.transfer_robust.verdicts`.
"""

from dataclasses import replace

import numpy as np
import torch

from seisbook.catalogues import networks
from seisbook.measures import evaluation
from seisbook.models.robust import RobustModel
from seisbook.models.robust_training import RobustLocator
from seisbook.studies import robust_models, runner
from seisbook.studies.fold import first_fold
from seisbook.studies.robust_models import MAIN, RECIPES, TWIN_SEED
from seisbook.studies.transfer import ALL, BATCH, FROM_RANDOM, PARTITIONS, SIZES, STARTS, STEPS, other

JUDGED = 100  # training events


def trials(network, source, profile) -> list[dict]:
    """Tests without any training event, the model of all events, then each start with each number of events.

    All trials of one draw come before those of the next, so a study that is stopped early has fewer draws.
    """
    common = {"network": network, "source": source, "profile": profile}
    none = [{**common, "start": start, "n_train": 0, "partition": 0} for start in STARTS]
    none.append({**common, "start": "twin", "n_train": ALL, "partition": 0})
    sizes = sorted(SIZES[profile], key=lambda n: n != JUDGED)  # what the rules look at comes first
    arms = [(n, start) for n in sizes for start in STARTS if start != "random" or n == sizes[0]]
    drawn = [(i, n, start) for i in range(PARTITIONS[profile]) for n, start in arms]
    return none + [{**common, "start": start, "n_train": n, "partition": i} for i, n, start in drawn]


def run(trials) -> list[dict]:
    """Results of the trials: `epicentral_km`, `depth_km` and `magnitude` error of each test event."""
    return [_tested(**trial) for trial in trials]


def config(trial) -> dict:
    """Configuration of a trial: numbers of steps, batch size and recipe."""
    steps = {"steps": STEPS[trial["profile"]], "from_random": FROM_RANDOM, "batch": BATCH}
    return {**steps, "recipe": RECIPES[trial["profile"]], "twin_seed": TWIN_SEED}


def prepare(network, source, profile):
    """Train the models of both twins and read the events, before the workers start."""
    for name in (network, other(network)):
        robust_models.of_the_twin(name, MAIN, profile)
    first_fold(network, source, profile)


def _tested(network, source, profile, start, n_train, partition):
    fold = first_fold(network, source, profile)
    if n_train is ALL:
        locator = robust_models.of_the_fold(network, 0, profile)
        return evaluation.rounded(evaluation.errors(locator.predict(fold.held), fold.held))
    place, model = networks.load(network), started(network, profile, start, partition)
    if n_train:
        chosen = np.random.default_rng(partition).permutation(fold.train)[:n_train]  # a larger draw contains a smaller
        shown = fold.events.select(chosen)
        training = _training(profile, start, shown)
        locator = RobustLocator(place, model.config, training, partition, model).fit(shown, progress=False)
    else:
        locator = RobustLocator(place, model.config, RECIPES[profile].training, partition)
        locator.model_ = model
    return evaluation.rounded(evaluation.errors(locator.predict(fold.held), fold.held))


def started(network, profile, start, partition) -> RobustModel:
    """The model that training starts from: weights of a start, physics and units of this network.

    Parameters
    ----------
    network, profile : str
    start : str
        One of `STARTS`.
    partition : int
        Number of the draw, which seeds random weights.
    """
    if start == "twin":
        return robust_models.of_the_twin(network, MAIN, profile)
    torch.manual_seed(partition)
    place = networks.load(network)
    model = RobustModel(robust_models.configuration(MAIN, place), place)
    if start == "other":
        weights = dict(robust_models.of_the_fold(other(network), 0, profile).model_.named_parameters())
        model.load_state_dict(weights, strict=False)  # its buffers are physics, station terms and prior: not taken over
    return model.eval()


def _training(profile, start, events):
    """Training configuration with numbers of epochs that give the same number of steps for each number of events."""
    recipe = RECIPES[profile].training
    times, share = (FROM_RANDOM, 1.0) if start == "random" else (1, 0.5)
    per_step = max(1, round(recipe.traces * len(events) / len(events.pos)))
    batches = max(1, round(len(events) / per_step)), max(1, round(len(events) / BATCH))
    epochs = [max(1, round(times * steps / of_epoch)) for steps, of_epoch in zip(STEPS[profile], batches, strict=True)]
    rates = {"stem_rate": share * recipe.stem_rate, "graph_rate": share * recipe.graph_rate}
    return replace(recipe, stem_epochs=epochs[0], graph_epochs=epochs[1], events=BATCH, **rates)


STUDY = runner.Study("transfer-robust", trials, run, config, prepare)
