r"""Sensors that lie, and graphs: the events, hidden stations and trouble of `seisbook.studies.fields_trouble`.

The models are those of `seisbook.studies.fields` that correct the conditional normal: on the dynamic graph, on the
static one, and without edges. They are trained on values as they are, without trouble that is made. They see the values
of stations that lie, beside what the conditional normal says without those that it leaves out.

The rule was written before the study was run. It has the limits of `seisbook.studies.fields_trouble`. For each kind of
trouble and each model, with 95 % intervals that resample events:

- the *growth* of the error over that without trouble is *robust* if the interval lies below 1.05, *not robust* if it
  lies above, *open* otherwise;
- *the graph helps* is *supported* if the interval of the model's error over that of the conditional normal, with the
  same trouble, lies below 1; *not supported* if it lies above; *inconclusive* otherwise.

Each model is trained once a fold. The intervals do not include the scatter between seeds.
"""

import numpy as np

from seisbook.models.field_methods import hide
from seisbook.models.field_training import FieldNetwork
from seisbook.studies import fields, fields_trouble, runner

GRAPHS = ("dynamic", "static", "none")


def trials(network, source, profile) -> list[dict]:
    """Each graph on each fold."""
    common = {"network": network, "source": source, "profile": profile}
    folds = range(fields.FOLDS[profile])
    return [{**common, "graph": graph, "fold": fold} for graph in GRAPHS for fold in folds]


def run(trials) -> list[dict]:
    """Results of the trials: by model and kind of trouble, sums of squared errors and counts of each event."""
    return [_tested(**trial) for trial in trials]


def _tested(network, source, profile, graph, fold):
    train, test = fields_trouble._parts(network, source, profile)[fold]
    observed = hide(test, fields_trouble.HIDDEN)
    lying = fields_trouble.liars(test, observed)
    floor = np.nanpercentile(train.values, fields_trouble.FLOOR, axis=0)
    method = FieldNetwork(fields.INFORMATION["all"], fields.ARMS[graph], fields.TRAINING[profile], fold).fit(train)
    spoilt = {kind: fields_trouble.spoil(test, lying, kind, floor) for kind in fields_trouble.KINDS}
    return {graph: {kind: fields_trouble._scored(method, one, test, observed) for kind, one in spoilt.items()}}


def config(trial) -> dict:
    """Configuration of a trial: that of the study without graphs, the model and its training."""
    model = {"model": fields.ARMS[trial["graph"]], "training": fields.TRAINING[trial["profile"]]}
    return {**fields_trouble.config(trial), "methods": (trial["graph"],), **model}


STUDY = runner.Study(
    "fields-trouble-graphs",
    trials,
    run,
    config,
    fields_trouble.prepare,
    summary=fields_trouble.summary,
    tolerance=fields.AGAIN,
)
