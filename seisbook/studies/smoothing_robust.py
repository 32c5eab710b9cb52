r"""The smoothing study of the robust model: similarity of its stations' states, by block and by depth (claim C4).

The design is that of `seisbook.studies.smoothing`: models of different depth and the same number of parameters, whose
graph is dynamic or static, and whose readout is multi-scale or uses the last block alone. What differs is the model.
It is the graph part of the robust model (`seisbook.models.robust`), with Gauss-Newton steps on travel times after each
block. The stem is that of the network's twin, which has seen no real event. It reads the events of the first random
fold once. The graph part is trained from random weights on the training part.

The rule was written before the study was run. It is that of the older study, `seisbook.findings.smoothing.verdict`, and
applies to each graph and network at the greatest depth. C4 is supported if the multi-scale model has smaller epicentral
errors than the model that reads the last block (95 % interval of the mean logarithm of their paired ratio below 0), and
if its stations' states differ more (interval of the last block's MAD above the other's). It is not supported if neither
holds, and inconclusive if one of the two holds. Models of 4 and 16 blocks were trained after the results of 2 and 8 had
been looked at, with rule and training unchanged.

The rule's first half is harder to fulfil here than for the paper's model. The epicentre of the robust model comes from
onsets and travel times. The readout only corrects it by a few per cent of the network's scale of distances.

A training has a third of the epochs that the robust model itself has, since its cost grows with the number of blocks.
"""

from dataclasses import dataclass, replace

import torch

from seisbook.catalogues import networks
from seisbook.datasets.events import Batch, Events
from seisbook.errors import UserError
from seisbook.measures import evaluation
from seisbook.measures.smoothness import profile
from seisbook.models.deep import graph_parameters
from seisbook.models.deep_robust import DeepRobustModel, equal_width
from seisbook.models.robust import SILENT, Onsets, dense
from seisbook.models.robust_training import RobustLocator, RobustTraining, of_events
from seisbook.studies import robust_models, runner, smoothing
from seisbook.studies.robust_models import MAIN, RECIPES, TWIN_SEED, ReadFold

TRAINING = {
    "quick": RobustTraining(stem_epochs=0, graph_epochs=1, copies=1),
    "paper": RobustTraining(stem_epochs=0, graph_epochs=4),
}


def run(trials) -> list[dict]:
    """Train and measure, one trial after the other.

    Returns
    -------
    list of dict
        For each trial the entries of `seisbook.studies.smoothing.run`.
    """
    return [_trained(trial) for trial in trials]


def config(trial) -> dict:
    """Configuration of a trial: model, training, and how the stem was trained on the twin."""
    recipe = RECIPES[trial["profile"]]
    model = robust_models.configuration(MAIN, networks.load(trial["network"]))
    stem = [recipe.twin_events, TWIN_SEED, recipe.twin, recipe.training.copies]
    return {"model": model, "training": TRAINING[trial["profile"]], "stem": stem}


def prepare(network, source, profile) -> None:
    """Train the stem on the twin and let it read the events, before the workers start."""
    robust_models.first_fold_readings(network, source, profile)


@dataclass(frozen=True)
class HeardEvents:
    """Events and what a stem found in them, in the form in which `seisbook.measures.smoothness` asks for events.

    Parameters
    ----------
    events : Events
        Without their seismograms.
    features : Onsets
        What the stem found at their stations.
    """

    events: Events
    features: Onsets

    def __len__(self):
        return len(self.events)

    def batch(self, index) -> Batch:
        """A dense batch; a silent station, which the model leaves out, is no station here."""
        batch = self.events.batch(index)
        found = of_events(self.features, self.events, index)
        features = dense(found._replace(state=found.state.float()), batch.mask)
        return replace(batch, features=features, mask=batch.mask & (features.amplitude > SILENT))


def _trained(trial):
    read = _read(trial["network"], trial["source"], trial["profile"])
    (shown, readings), (held, (found, *_)) = read.part(read.fold.train), read.part(read.fold.test)
    locator = _locator(trial)
    result = {
        "channels": locator.config.channels,
        "parameters": graph_parameters(locator.start_from),
        "n_train": len(shown),
        "n_test": len(held),
    }
    prediction = _prediction(locator, shown, readings, held, found)
    result |= {"loss": [entry["loss"] for entry in locator.history_], "diverged": prediction is None}
    if prediction is not None:
        errors = evaluation.errors(prediction, held)
        result |= {
            "summary": evaluation.summarise_errors(errors),
            "epicentral_km": [float(f"{value:.3g}") for value in errors.epicentral_km],
            "measures": smoothing._rows(profile(locator.model_, HeardEvents(held, found), progress=False)),
        }
    return smoothing._rounded(result)


def _read(network, source, profile):
    """The first random fold, read by the stem, without the seismograms, which nothing asks for any more."""
    read = robust_models.first_fold_readings(network, source, profile)
    return ReadFold(replace(read.fold, events=replace(read.fold.events, x=None)), read.readings)


def _locator(trial):
    """An estimator whose graph part has the trial's blocks, graph and readout, and random weights."""
    network = networks.load(trial["network"])
    model = replace(robust_models.configuration(MAIN, network), graph=trial["graph"], readout=trial["readout"])
    model = equal_width(trial["blocks"], model, network)
    torch.manual_seed(trial["seed"])
    start = DeepRobustModel(model, network)
    return RobustLocator(network, model, TRAINING[trial["profile"]], trial["seed"], start)


def _prediction(locator, shown, readings, held, found):
    """Prediction for the test events after training; None if the loss or the prediction is not finite."""
    try:
        prediction = locator.fit_graph(shown, readings, progress=False).predict(held, found)
    except torch.linalg.LinAlgError:  # a normal matrix that is not finite has no factors
        return None
    except UserError as error:
        if "diverged" not in str(error):
            raise
        return None
    return prediction if all(torch.isfinite(value).all() for value in prediction) else None


STUDY = runner.Study("smoothing-robust", smoothing.trials, run, config, prepare)
