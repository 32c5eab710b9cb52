"""The imbalance study: errors on large events when the training set has few of them, and three remedies.

The largest tenth of the training events is thinned out. All test events stay. The study recipe is trained on the
remaining events: the graph part is trained, and the stem comes from the network's twin, which has large events too.
Three common *remedies* are compared with it:

- `balanced`: training events are drawn so that all magnitudes are equally frequent;
- `reweighted`: all training events are used as they are, but the weight of an event in the loss is larger if its
  magnitude is rare;
- `transferred`: the graph part starts from the other network's trained model, and the stem of that model reads the
  events instead of the twin's stem; see `seisbook.studies.transfer`.

The rule for remedies was written before the last two of them were run. It uses the ratio of the RMSE of the largest
tenth with a remedy to that without one, paired by event, for the same number of large training events. A remedy *helps*
if the interval of this ratio lies below 1, see `helps`.

The rule for claim C7 was written before the study was run. The claim holds if the magnitude RMSE of the largest tenth
of the test events stays below the paper's 0.15 when one in five of the large training events is left, see `verdict`.
"""

from dataclasses import replace

import numpy as np
import torch

from seisbook.catalogues import networks
from seisbook.measures import evaluation
from seisbook.models.ensembles import EnsembleLocator
from seisbook.models.losses import estimate_loss, negative_log_likelihood
from seisbook.models.training import Locator
from seisbook.studies import recipes, runner, transfer
from seisbook.studies.fold import first_fold_read
from seisbook.studies.pretraining import pretrain
from seisbook.studies.variance import STEPS, TRAINING

SHARE = 0.1  # share of the training events, the largest ones, that is thinned out
KEPT = {"quick": (1.0, 0.0), "paper": (1.0, 0.5, 0.2, 0.1, 0.0)}
SEEDS = {"quick": 1, "paper": 2}
REMEDIES = ("none", "balanced", "reweighted", "transferred")
NEED_SOME = ("balanced", "reweighted")  # remedies that need some large events in the training set
BIN = 0.5  # width of the magnitude bins that `balanced` and `reweighted` use


def trials(network, source, profile) -> list[dict]:
    """Each share of large events that is kept, with each remedy that works with this share."""
    common = {"network": network, "source": source, "profile": profile}
    arms = [(kept, remedy) for kept in KEPT[profile] for remedy in REMEDIES if kept or remedy not in NEED_SOME]
    return [{**common, "kept": kept, "remedy": how, "seed": i} for i in range(SEEDS[profile]) for kept, how in arms]


def run(trials) -> list[dict]:
    """Results of the trials, trained one by one: numbers of training events, and errors of all test events."""
    return [(_remedied if trial["remedy"] in REMEDIES[2:] else _trained)(**trial) for trial in trials]


def config(trial) -> dict:
    """Configuration of a trial: the training, the steps, the share that is thinned out and the width of the bins."""
    profile = trial["profile"]
    return {"training": TRAINING, "steps": STEPS[profile], "share": SHARE, "bin": BIN}


def prepare(network, source, profile):
    """Train the model on the twin and let its stem read the events, before the workers start."""
    pretrain(network, "dynamic", profile, False)
    first_fold_read(network, source, profile)


def _trained(network, source, profile, kept, remedy, seed):
    fold = first_fold_read(network, source, profile)
    events, train, test = fold.events, fold.train, fold.test
    limit = np.nanquantile(events.y[train, 3].numpy(), 1 - SHARE)
    subset, n_large = _training_set(events.y[:, 3].numpy(), train, limit, kept, remedy, seed)
    epochs = max(1, round(STEPS[profile] * TRAINING.batch_size / len(subset)))
    config = recipes.model_config(networks.load(network))
    locator = EnsembleLocator("dynamic", config, replace(TRAINING, graph_epochs=epochs), (seed,))
    predicted = locator.fit(events, [subset], progress=False).predict(events, test)
    label = events.y[test].numpy()
    error = predicted.magnitude[0].numpy() - label[:, 3]
    epicentral = np.hypot(*(predicted.epicentre[0].numpy() - label[:, :2]).T)
    sized = np.isfinite(error)
    return {
        "n_train": len(subset),
        "n_large": n_large,
        "large": (label[sized, 3] > limit).tolist(),
        "magnitude": [float(f"{value:.4g}") for value in error[sized]],
        "epicentral_km": [float(f"{value:.4g}") for value in epicentral[sized]],
    }


def _remedied(network, source, profile, kept, remedy, seed):
    """Result of one trial with another loss or other initial weights, which `EnsembleLocator` does not offer."""
    fold = first_fold_read(network, source, profile)
    events, train, test = fold.events, fold.train, fold.test
    magnitude, start, training = events.y[:, 3].numpy(), None, TRAINING
    if remedy == "transferred":
        start, events = transfer.borrowed(network, source, profile)
        training = replace(TRAINING, learning_rate=TRAINING.learning_rate / 2)
    limit = np.nanquantile(magnitude[train], 1 - SHARE)
    subset, n_large = _training_set(magnitude, train, limit, kept, remedy, seed)
    training = replace(
        training, epochs=max(1, round(STEPS[profile] * TRAINING.batch_size / len(subset))), graph_epochs=0
    )
    kind = Reweighted if remedy == "reweighted" else Locator
    locator = kind("dynamic", recipes.model_config(networks.load(network)), training, seed, start)
    held = events.select(test)
    errors = evaluation.errors(locator.fit(events.select(subset), progress=False).predict(held), held)
    sized = errors.magnitude.notna().to_numpy()
    large = {"n_train": len(subset), "n_large": n_large, "large": (magnitude[test][sized] > limit).tolist()}
    return {**large, **evaluation.rounded(errors[sized], ("magnitude", "epicentral_km"))}


class Reweighted(Locator):
    r"""A locator that weights the likelihood of each event by the rarity of its magnitude.

    .. math:: \ell = \frac1n \sum_i w_i \ell_i, \qquad w_i \propto 1 / n(m_i), \qquad \bar w = 1

    with :math:`n(m)` the number of training events in the magnitude bin of :math:`m`. Bins are `BIN` wide. An event
    without a magnitude gets the median magnitude. The auxiliary loss of the blocks' estimates has no weights.
    """

    def fit(self, events, progress=True):
        """Compute the weights from the events' magnitudes, and train on the events; see `Locator.fit`."""
        self.median_, self.lowest_ = events.y[:, 3].nanmedian(), 0
        bins = self._bins(events.y)
        self.lowest_ = int(bins.min())
        rarity = 1 / torch.bincount(bins - self.lowest_).clamp(min=1)
        self.weight_ = rarity / rarity[bins - self.lowest_].mean()
        return super().fit(events, progress)

    def _bins(self, y):
        magnitude = torch.where(y[:, 3].isnan(), self.median_, y[:, 3])
        return (magnitude / BIN).floor().long() - self.lowest_

    def loss(self, batch):
        """Weighted likelihood, plus the loss of the blocks' estimates."""
        prediction = self._forward(batch)[1]
        loss = self.weight_[self._bins(batch.y)] * negative_log_likelihood(prediction, batch.y).sum(-1)
        return loss.mean() + self.training.estimate_weight * estimate_loss(prediction, batch.y, self.config)


def _training_set(magnitude, train, limit, kept, remedy, seed):
    """Positions of the training events, and the number of large events among them before any remedy."""
    rng = np.random.default_rng(seed)
    is_large = magnitude[train] > limit
    large = rng.permutation(train[is_large])[: round(kept * is_large.sum())]
    subset = np.sort(np.concatenate([train[~is_large], large]))
    return (_balanced(magnitude, subset, rng) if remedy == "balanced" else subset), len(large)


def _balanced(magnitude, subset, rng):
    """Sample of the same size, drawn with replacement so that all magnitude bins are equally frequent."""
    bins = np.floor(np.nan_to_num(magnitude[subset], nan=np.nanmedian(magnitude[subset])) / BIN)
    _, bin_of_event, count = np.unique(bins, return_inverse=True, return_counts=True)
    weight = 1 / count[bin_of_event]
    return rng.choice(subset, len(subset), p=weight / weight.sum())


STUDY = runner.Study("imbalance", trials, run, config, prepare)
