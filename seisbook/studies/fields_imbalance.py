r"""The imbalance study on fields: large earthquakes in the test when training has few of them or none.

Training events of magnitude 5.5 and more are thinned out as in `seisbook.studies.imbalance`: all are kept, one in
five, or none. All smaller ones stay. Every large event of a region is tested in the fold that holds it out, with the
shares of hidden stations of `seisbook.studies.fields`. Source and stations' terms are known. Every method is fitted to
the thinned events. The arm `reference` holds the attenuation law, the law with the event's term, inverse distance and
the conditional normal. The arm `dynamic` corrects the conditional normal on the dynamic graph, and `alone` is the
dynamic model without the conditional normal; they are not trained without any large event. The quick profile has few
events, so events of 4.0 and more are large there.

The rules were written before the study was run. Errors are root mean squares at hidden stations over all shares, folds
and measures, log10, cut at 2; 95 % intervals resample the large events. For claim C7 on fields, the errors of the arm
`dynamic` are judged where one in five large events is left:

- *growth*, over its own error with all large events in training: the claim is *supported* if the interval lies below
  1.05, *not supported* if it lies above, *inconclusive* otherwise;
- *ratio*, over the error of the conditional normal that was thinned in the same way: *supported* if the interval lies
  below 1.02, which is the limit of claim C0, *not supported* if it lies above, *inconclusive* otherwise.

The same numbers of the other methods, and theirs without any large event, stand beside it and decide nothing. Each
model is trained once a fold. The intervals do not include the scatter between seeds. Which events are left is drawn
once. The arm `alone` was added after the others had been seen; it decides nothing.
"""

import numpy as np

from seisbook.models.field_training import FieldNetwork
from seisbook.studies import fields, runner

LARGE = {"quick": 4.0, "paper": 5.5}  # smallest magnitude of a large event
KEPT = (0.2, 1.0)
ARMS = {"reference": (*KEPT, 0.0), "dynamic": KEPT, "alone": KEPT}
"""Arms, and the shares of the large training events that are kept."""


def trials(network, source, profile) -> list[dict]:
    """Each arm with each share of large events that is kept, on each fold."""
    common = {"network": network, "source": source, "profile": profile}
    return [
        {**common, "arm": arm, "kept": kept, "fold": fold}
        for arm, shares in ARMS.items()
        for kept in shares
        for fold in range(fields.FOLDS[profile])
    ]


def run(trials) -> list[dict]:
    """Results of the trials: numbers of training events, and by method and share of hidden stations the scores."""
    return [_tested(**trial) for trial in trials]


def _tested(network, source, profile, arm, kept, fold):
    train, test = fields.parts(network, source, profile)[fold]
    index, n_large = thinned(train.magnitude, LARGE[profile], kept, fold)
    train, test = train.select(index), test.select(np.flatnonzero(test.magnitude >= LARGE[profile]))
    told = fields.INFORMATION["all"]
    if arm == "reference":
        methods = {name: method(told) for name, method in fields.REFERENCE.items()}
    else:
        methods = {arm: FieldNetwork(told, fields.ARMS[arm], fields.TRAINING[profile], fold)}
    scores = {name: fields._scored(method.fit(train), test) for name, method in methods.items()}
    return {"n_train": len(train), "n_large": n_large, "scores": scores}


def thinned(magnitude, limit, kept, random_state) -> tuple[np.ndarray, int]:
    """Positions of the events that are left, in their order, and how many of them are large.

    Parameters
    ----------
    magnitude : ndarray, shape (events,)
    limit : float
        Smallest magnitude of a large event.
    kept : float
        Share of the large events that is kept, drawn at random.
    random_state : int
        A smaller share is a part of a larger one.
    """
    large = np.random.default_rng(random_state).permutation(np.flatnonzero(magnitude >= limit))
    large = large[: round(kept * len(large))]
    return np.sort(np.concatenate([np.flatnonzero(magnitude < limit), large])), len(large)


def summary(result) -> dict[str, float]:
    """Root mean square error of each method, which a second run must reproduce."""
    return fields.summary(result["scores"])


def config(trial) -> dict:
    """Configuration of a trial: that of the study `fields`, and which events are large."""
    return {**fields.config({**trial, "information": "all"}), "large": LARGE[trial["profile"]]}


STUDY = runner.Study("fields-imbalance", trials, run, config, fields.prepare, summary=summary, tolerance=fields.AGAIN)
