r"""The fields study: how well hidden stations of measured fields are predicted, by method and by what it is told.

Every event of a region is tested once, in the fold that holds it out. Of its stations, 30, 50, 75, 90 and 95 % are
hidden, and each method predicts all five measures there, with their spread. A method is told what `INFORMATION` says:

- `all`: the source, and how much each station differs from the law, learnt from other events;
- `no site terms`: the source only;
- `no source`: the stations' terms only; it estimates the source from the observed values.

The arm `reference` holds the attenuation law, the law with the event's term, inverse distance, and the conditional
normal, which ShakeMap uses. The other arms are models: `dynamic`, `static` and `none` correct the conditional normal on
the three kinds of graph, and `alone` is the dynamic model without the conditional normal. Two published ways to pass
messages, attention over all observed stations and convolution on a fixed graph, have the inputs and the training of
`alone`.

At first only `dynamic` and `none` were run in Greece. The other arms there were run later, with the same training.

The rule for claim C0 was written before the study was run. For each region and each information, let :math:`\rho` be
the ratio of the root mean square error of the arm `dynamic` to that of the conditional normal with the same
information, over all hidden values of all shares, folds and measures, in log10 units with errors cut at 2 (a factor of
a hundred).
The claim is *supported* there if the 95 % interval of :math:`\rho`, which resamples events, lies below 1.02; *not
supported* if it lies above; *inconclusive* otherwise. The ledger's row is *supported* only if it is supported for every
region and information, and *not supported* if it is not supported for one of them.

Each model is trained once. The intervals do not include the scatter between seeds.

What had been seen before: an earlier form of the reference methods was scored on the test part of the first fold. The
forms of covariance that the conditional normal chooses from were decided on a fifth of the first fold's training part,
whose events are test events of the other folds. One informed model was scored on the same part for Italy. Its size and
its training were set by their cost.
"""

import numpy as np

from seisbook import provenance
from seisbook.datasets.fields import load_fields
from seisbook.measures import reconstruction, splits
from seisbook.models.conditional_normal import ConditionalNormal
from seisbook.models.field_methods import HIDDEN, EventTerm, Information, InverseDistance, LawAlone, hide
from seisbook.models.field_model import FieldConfig
from seisbook.models.field_training import FieldNetwork, FieldTraining
from seisbook.studies import runner

INFORMATION = {
    "all": Information(source=True, site_terms=True),
    "no site terms": Information(source=True, site_terms=False),
    "no source": Information(source=False, site_terms=True),
}
REFERENCE = {
    "law": LawAlone,
    "event term": EventTerm,
    "inverse distance": InverseDistance,
    "conditional normal": ConditionalNormal,
}
ARMS = {
    "dynamic": FieldConfig(graph="dynamic"),
    "alone": FieldConfig(graph="dynamic", informed=False),
    "static": FieldConfig(graph="static"),
    "none": FieldConfig(graph="none"),
    "attention": FieldConfig(graph="attention", informed=False),
    "convolution": FieldConfig(graph="convolution", informed=False, blocks=2),
}
MAIN = "dynamic"  # the arm of the rule
TRAINING = {"quick": FieldTraining(epochs=2, patterns=1), "paper": FieldTraining()}
EVENTS = {"quick": 100, "paper": None}
FOLDS = {"quick": 1, "paper": splits.FOLDS}
AGAIN = 0.03
"""Relative difference of root mean square errors when a model is trained again on another processor."""


def trials(network, source, profile) -> list[dict]:
    """Each arm with each information on each fold; those that the rule compares come first."""
    common = {"network": network, "source": source, "profile": profile}
    return [
        {**common, "arm": arm, "information": information, "fold": fold}
        for arms in (("reference", MAIN), [arm for arm in ARMS if arm != MAIN])
        for information in INFORMATION
        for arm in arms
        for fold in range(FOLDS[profile])
    ]


def run(trials) -> list[dict]:
    """Results of the trials: for each method and share of hidden stations, see `reconstruction.scores`."""
    return [_tested(**trial) for trial in trials]


def _tested(network, source, profile, arm, information, fold):
    train, test = parts(network, source, profile)[fold]
    told = INFORMATION[information]
    if arm == "reference":
        methods = {name: method(told) for name, method in REFERENCE.items()}
    else:
        methods = {arm: FieldNetwork(told, ARMS[arm], TRAINING[profile], fold)}
    return {name: _scored(method.fit(train), test) for name, method in methods.items()}


def _scored(method, test):
    """Scores by share of hidden stations, with few digits."""
    found = {}
    for share in HIDDEN:
        observed = hide(test, share)
        numbers = reconstruction.scores(method.predict(test, observed), test, observed)
        found[f"{share:g}"] = {name: [float(f"{value:.4g}") for value in values] for name, values in numbers.items()}
    return found


def summary(result) -> dict[str, float]:
    """Root mean square error of each method over all shares, which a second run must reproduce."""
    numbers = {}
    for name, shares in result.items():
        square, count = (sum(np.sum(scores[key]) for scores in shares.values()) for key in ("square", "count"))
        numbers[name] = float(np.sqrt(square / count))
    return numbers


def config(trial) -> dict:
    """Configuration of a trial: the shares, and of a model its configuration and training."""
    common = {"hidden": HIDDEN, "events": EVENTS[trial["profile"]], "information": INFORMATION[trial["information"]]}
    if trial["arm"] == "reference":
        return common
    return {**common, "model": ARMS[trial["arm"]], "training": TRAINING[trial["profile"]]}


def prepare(network, source, profile):
    """Build the data set before the workers start."""
    parts(network, source, profile)


@provenance.remember
def parts(network, source, profile):
    """Training and test part of each fold, as pairs of `seisbook.datasets.fields.Fields`."""
    fields = load_fields(network, source, EVENTS[profile], 0, False)
    index = splits.folds(fields.source_id, fields.origin_time, "random")
    return [tuple(fields.select(part) for part in fold) for fold in index]


STUDY = runner.Study("fields", trials, run, config, prepare, summary=summary, tolerance=AGAIN)
