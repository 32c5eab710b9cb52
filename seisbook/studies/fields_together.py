r"""Does a shared embedding help? Source and field from the same blocks, together and apart, and after masked nodes.

One model has two heads, see `seisbook.models.shared_network`. From the values at some stations of an event it finds the
source, and the values at the hidden stations. It is told neither the source nor an onset. Every event of Italy is
tested once, in the fold that holds it out. Greece, which has six times as many events, has two folds. The arms differ
in what the model is trained for:

- `source` and `field`: for one task alone;
- `together`: for both tasks at once, with the same batches and the same number of steps;
- `source after masking` and `field after masking`: for one task, from the parameters of a model that was trained to
  predict the hidden values of *all* events of the other region. No event of the region itself has a part in that.

The source is found from all stations of a test event, as in `seisbook.studies.fields_inversion`. Of the field, 30 and
50 % of the stations are hidden: training hides up to 60 %.

The rule was written before the study was run. Three errors of each arm are compared with those of the arm that was
trained for the task alone, paired by event: the median epicentral error, the root mean square error of magnitude, and
the root mean square error of the field at hidden stations (log10, cut at 2). A ratio is *supported* if the 95 %
interval, which resamples events, lies below 1, *not supported* if it lies above, *inconclusive* otherwise. Each model
is trained once. The intervals do not include the scatter between seeds.
"""

import numpy as np

from seisbook import provenance
from seisbook.datasets.fields import load_fields
from seisbook.measures import reconstruction
from seisbook.models.field_methods import hide
from seisbook.models.shared_network import TASKS, SharedNetwork
from seisbook.models.source_network import SourceConfig
from seisbook.studies import fields, runner
from seisbook.studies.fields_inversion import AGAIN, TRAINING, errors

CONFIG = SourceConfig()
ARMS = {
    "source": ("source",),
    "field": ("field",),
    "together": TASKS,
    "source after masking": ("source",),
    "field after masking": ("field",),
}
"""What each arm is trained for; an arm `after masking` starts from another region."""
FOLDS = {"greece": 2}  # others: all
HIDDEN = (0.3, 0.5)


def trials(network, source, profile) -> list[dict]:
    """Each arm on each fold."""
    common = {"network": network, "source": source, "profile": profile}
    folds = min(fields.FOLDS[profile], FOLDS.get(network, fields.FOLDS[profile]))
    return [{**common, "arm": arm, "fold": fold} for fold in range(folds) for arm in ARMS]


def run(trials) -> list[dict]:
    """Results of the trials: `source`, errors of each event; `field`, scores by share of hidden stations."""
    return [_tested(**trial) for trial in trials]


def _tested(network, source, profile, arm, fold):
    train, test = fields.parts(network, source, profile)[fold]
    start = masked(other(network), source, profile) if arm.endswith("after masking") else None
    method = SharedNetwork(CONFIG, TRAINING[profile], fold, ARMS[arm], start).fit(train)
    found = {}
    if "source" in ARMS[arm]:
        found["source"] = errors(method.predict(test), test)
    if "field" in ARMS[arm]:
        found["field"] = {f"{share:g}": _field(method, test, hide(test, share)) for share in HIDDEN}
    return found


def _field(method, test, observed):
    scores = reconstruction.scores(method.reconstruct(test, observed), test, observed)
    return {name: [float(f"{value:.4g}") for value in scores[name]] for name in ("square", "count")}


def other(region) -> str:
    """The region whose events teach a model to fill in hidden stations: Greece, which has most; Italy for Greece."""
    return "italy" if region == "greece" else "greece"


@provenance.remember
def masked(region, source, profile):
    """Parameters of a model that was trained to predict hidden values of all events of a region."""
    every = load_fields(region, source, fields.EVENTS[profile], 0, False)
    return SharedNetwork(CONFIG, TRAINING[profile], 0, ("field",)).fit(every).model_.state_dict()


def summary(result) -> dict[str, float]:
    """Errors of each task, which a second run must reproduce."""
    numbers = {}
    if "source" in result:
        numbers["epicentral_km"] = float(np.median(result["source"]["epicentral_km"]))
        numbers["magnitude"] = float(np.sqrt(np.mean(np.square(result["source"]["magnitude"]))))
    if "field" in result:
        square, count = (sum(np.sum(part[key]) for part in result["field"].values()) for key in ("square", "count"))
        numbers["field"] = float(np.sqrt(square / count))
    return numbers


def config(trial) -> dict:
    """Configuration of a trial: the model, its training and its tasks."""
    start = other(trial["network"]) if trial["arm"].endswith("after masking") else None
    common = {"model": CONFIG, "training": TRAINING[trial["profile"]], "events": fields.EVENTS[trial["profile"]]}
    return {**common, "tasks": ARMS[trial["arm"]], "start": start, "hidden": HIDDEN}


def prepare(network, source, profile):
    """Build the data sets before the workers start."""
    fields.parts(network, source, profile)
    load_fields(other(network), source, fields.EVENTS[profile], 0, False)


STUDY = runner.Study("fields-together", trials, run, config, prepare, summary=summary, tolerance=AGAIN)
