"""The transfer study: errors after training on the first events of a new network, by the initial weights.

A model is trained on 25, 50, 100 or 200 real events of a network and tested on the test part of its first random fold.
Its initial weights, the *start*, are one of these:

- `other`: the trained model of the *other* network, which was trained on that network's twin and real bulletin;
- `twin`: the model of the network's own simulated twin. It was not trained on any real seismogram or label. But this
  twin is not that of an unknown network: its zones, station terms, noise and scatter were measured on the whole
  bulletin;
- `random`: random weights.

Both trained starts are also tested without any training event, the start `other` in two ways. First, in the *units of
the other network*. The model's unit of time is a sixth of the window, and its unit of distance is the path of a P wave
in that time. The weights of one network therefore fit the units of the other. In these units, an earthquake at
Ridgecrest looks four times as large as in Colombia, together with its window and stations, and the decay of its
amplitudes with distance is wrong. Fine-tuning uses this version. Second, `resampled`: the units and the sampling rate
of the model's training stay, and the seismograms are resampled. The physics is then right, and the model sees a very
small (or large) network.

All trainings of a network take the same number of steps with the same batch size, at half of the learning rate that was
best on the twin. Trainings from random weights use the full rate and three times as many steps. Nothing was tuned on
the test events. The study is compared with the book's model of the network, which was trained on its twin and *all*
training events.

Three rules were written before the study was run. Each uses the ratio of two median epicentral errors, with an interval
over test events and draws of the training events, see `verdicts`.
"""

from dataclasses import replace

import numpy as np
import torch
from scipy.signal import resample_poly

from seisbook import provenance
from seisbook.catalogues import networks
from seisbook.measures import evaluation, perturbations
from seisbook.models import checkpoints, peers
from seisbook.models.training import Locator
from seisbook.studies import recipes, runner, runs
from seisbook.studies.fold import first_fold
from seisbook.studies.places import model_path
from seisbook.studies.pretraining import pretrain, pretrained

STARTS = ("other", "twin", "random")
UNTRAINED = ("other", "resampled", "twin")  # models that are tested without any training event
SIZES = {"quick": (32,), "paper": (25, 50, 100, 200)}
PARTITIONS = {"quick": 1, "paper": 2}  # draws of the training events; each has its own seed
STEPS = {"quick": (10, 20), "paper": (60, 300)}  # training steps of the whole model, then of all but the stem
FROM_RANDOM = 3  # factor of the steps for trainings from random weights
BATCH = 8
ALL = None  # stands for all training events and the book's recipe


def other(network) -> str:
    """Name of the other network, whose model is transferred."""
    return next(name for name in networks.NETWORKS if name != network)


def trials(network, source, profile) -> list[dict]:
    """Tests without any training event, then each start with each number of events.

    All trials of one draw come before those of the next, so a study that is stopped early has fewer draws.
    """
    common = {"network": network, "source": source, "profile": profile}
    none = [{**common, "start": start, "n_train": 0, "partition": 0} for start in UNTRAINED]
    none.append({**common, "start": "twin", "n_train": ALL, "partition": 0})
    drawn = [(i, n, start) for i in range(PARTITIONS[profile]) for n in SIZES[profile] for start in STARTS]
    return none + [{**common, "start": start, "n_train": n, "partition": i} for i, n, start in drawn]


def run(trials) -> list[dict]:
    """Results of the trials: `epicentral_km`, `depth_km` and `magnitude` error of each test event."""
    return [_tested(**trial) for trial in trials]


def config(trial) -> dict:
    """Configuration of a trial: numbers of steps, batch size and recipe."""
    steps = {"steps": STEPS[trial["profile"]], "from_random": FROM_RANDOM, "batch": BATCH}
    return {**steps, "recipe": recipes.PROFILES[trial["profile"]]}


def prepare(network, source, profile):
    """Train the model on the twin and read the events, before the workers start."""
    pretrain(network, "dynamic", profile, False)
    first_fold(network, source, profile)


def _tested(network, source, profile, start, n_train, partition):
    fold = first_fold(network, source, profile)
    held = fold.held
    if start == "resampled" or n_train is ALL:
        model, card = _published(other(network) if start == "resampled" else network)
        held = _resampled(held, networks.load(network).window.sampling_rate_hz, card.config.sampling_rate_hz)
        return evaluation.rounded(evaluation.errors(runs.as_locator(model, card).predict(held), held))
    model, rate = _started(network, profile, start, partition)
    locator = Locator("dynamic", model.config, _training(profile, start, rate, n_train), partition, model)
    if n_train:
        chosen = np.random.default_rng(partition).permutation(fold.train)[:n_train]  # a larger draw contains a smaller
        locator.fit(fold.events.select(chosen), progress=False)
    else:
        locator.model_ = model
    return evaluation.rounded(evaluation.errors(locator.predict(held), held))


def _started(network, profile, start, partition):
    """The model that training starts from, in this network's units, and the learning rate."""
    twin, card = pretrained(network, "dynamic", profile)
    if start == "twin":
        return twin, card.training.learning_rate / 2
    torch.manual_seed(partition)
    model = peers.build("dynamic", twin.config)
    if start == "random":
        return model, card.training.learning_rate
    model.load_state_dict(_published(other(network))[0].state_dict())
    return model, card.training.learning_rate / 2


def _training(profile, start, rate, n_train):
    """Training configuration with a number of epochs that gives the same number of steps for each number of events."""
    times = FROM_RANDOM if start == "random" else 1
    batches = max(1, round(n_train / BATCH))
    epochs, graph_epochs = (max(1, round(times * steps / batches)) for steps in STEPS[profile])
    settings = {"learning_rate": rate, "batch_size": BATCH, "epochs": epochs, "graph_epochs": graph_epochs}
    return replace(recipes.PROFILES[profile].training, **settings)


def _resampled(events, from_hz, to_hz):
    """The same events at another sampling rate."""
    if from_hz == to_hz:
        return events
    x = torch.from_numpy(resample_poly(events.x.float().numpy(), round(to_hz), round(from_hz), axis=-1))
    x, amplitude = perturbations.rescaled(x, events.amplitude)
    return replace(events, x=x, amplitude=amplitude)


@provenance.remember
def _published(network):
    return checkpoints.load(model_path(network, "dynamic", "random", 0, "paper"))


@provenance.remember
def borrowed(network, source, profile):
    """The other network's model in this network's units, and all events, read by its stem."""
    model, _ = _started(network, profile, "other", 0)
    return model, first_fold(network, source, profile).events.read_by(model)


STUDY = runner.Study("transfer", trials, run, config, prepare)
