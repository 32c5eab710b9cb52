r"""The study of sensors that lie: how much wrong values among the observed stations spoil the rest of a field.

Every event with 20 or more stations is tested once, in the fold that holds it out. Half of its stations are hidden. Of
the observed ones, 10 % lie, at least one, drawn at random. The kinds of trouble:

- `clean`: nothing;
- `unit`: all values are a hundred times too large;
- `dead`: all values are those of noise, the smallest hundredth of the training values;
- `misplaced`: the station's place is wrong by 50 km, in a random direction.

The source and the stations' terms are known. The methods are the attenuation law, which looks at no station, the law
with the event's term, the conditional normal with ShakeMap's rule (a station that is more than three standard
deviations from the law is not used), and the same with a second screen: a station is left out as well if it contradicts
what the other stations say (`seisbook.models.screened_normal`).

The rule was written before a result was seen. Errors are root mean squares over all measures at hidden stations, log10,
cut at 2; 95 % intervals resample events. For each region and kind of trouble:

- the *growth* of a method is its error with trouble over its error without. A method is *robust* if the interval lies
  below 1.05, *not robust* if it lies above, *open* otherwise;
- *the second screen helps* is *supported* if the interval of its error over that of the conditional normal, with the
  same trouble, lies below 1; *not supported* if it lies above; *inconclusive* otherwise. Without trouble, the same
  ratio is its price.

What had been seen before: one fold of a simulated twin. Neither screen was tried on measured values with such trouble.
The graph network on the conditional normal is not tested here: it would have to be trained on all folds again.
"""

from dataclasses import replace

import numpy as np

from seisbook import provenance
from seisbook.datasets.fields import load_fields
from seisbook.measures import reconstruction, splits
from seisbook.models.conditional_normal import ConditionalNormal
from seisbook.models.field_methods import EventTerm, LawAlone, hide
from seisbook.models.screened_normal import ScreenedNormal
from seisbook.studies import runner

METHODS = {
    "law": LawAlone,
    "event term": EventTerm,
    "conditional normal": ConditionalNormal,
    "screened": ScreenedNormal,
}
KINDS = ("clean", "unit", "dead", "misplaced")
HIDDEN, LYING, FEWEST = 0.5, 0.1, 20
FACTOR, MOVED_KM, FLOOR = 100.0, 50.0, 1.0  # of a unit; of a place; percentile of noise
EVENTS = {"quick": 100, "paper": None}
FOLDS = {"quick": 1, "paper": splits.FOLDS}
AGAIN = 0.005
"""Relative difference of root mean square errors on another processor."""


def trials(network, source, profile) -> list[dict]:
    """One trial a fold."""
    return [{"network": network, "source": source, "profile": profile, "fold": fold} for fold in range(FOLDS[profile])]


def run(trials) -> list[dict]:
    """Results of the trials: by method and kind of trouble, sums of squared errors and counts of each event."""
    return [_tested(**trial) for trial in trials]


def _tested(network, source, profile, fold):
    train, test = _parts(network, source, profile)[fold]
    observed = hide(test, HIDDEN)
    lying = liars(test, observed)
    floor = np.nanpercentile(train.values, FLOOR, axis=0)
    spoilt = {kind: spoil(test, lying, kind, floor) for kind in KINDS}
    found = {}
    for name, method in METHODS.items():
        fitted = method().fit(train)
        found[name] = {kind: _scored(fitted, fields, test, observed) for kind, fields in spoilt.items()}
    return found


def _scored(method, fields, test, observed):
    scores = reconstruction.scores(method.predict(fields, observed), test, observed)
    return {key: [float(f"{value:.4g}") for value in scores[key]] for key in ("square", "count")}


def liars(fields, observed) -> np.ndarray:
    """Which of the observed stations lie (rows,): a share of `LYING` of each event's, drawn by the event's name."""
    lying = np.zeros(len(observed), bool)
    for i, name in enumerate(fields.source_id):
        seen = fields.start[i] + np.flatnonzero(observed[fields.rows(i)])
        rng = np.random.default_rng([5, *str(name).encode()])
        lying[rng.permutation(seen)[: max(round(LYING * len(seen)), 1)]] = True
    return lying


def spoil(fields, lying, kind, floor):
    """The fields with one kind of trouble at the stations that lie.

    Parameters
    ----------
    fields : Fields
    lying : ndarray of bool, shape (rows,)
    kind : str
        Of `KINDS`.
    floor : ndarray, shape (5,)
        Values of a dead sensor, log10.
    """
    values, pos = fields.values.copy(), fields.pos.copy()
    if kind == "unit":
        values[lying] += np.log10(FACTOR)
    elif kind == "dead":
        values[lying] = floor
    elif kind == "misplaced":
        angle = np.random.default_rng(6).uniform(0, 2 * np.pi, lying.sum())
        pos[lying] += (MOVED_KM * np.column_stack([np.sin(angle), np.cos(angle)])).astype(pos.dtype)
    return replace(fields, values=values, pos=pos)


def summary(result) -> dict[str, float]:
    """Root mean square error of each method with each kind of trouble, which a second run must reproduce."""
    return {
        f"{name}, {kind}": float(np.sqrt(sum(scores["square"]) / sum(scores["count"])))
        for name, kinds in result.items()
        for kind, scores in kinds.items()
    }


def config(trial) -> dict:
    """Configuration of a trial."""
    return {
        **{"events": EVENTS[trial["profile"]], "kinds": KINDS, "methods": tuple(METHODS)},
        **{"hidden": HIDDEN, "lying": LYING, "fewest": FEWEST, "factor": FACTOR, "moved_km": MOVED_KM, "floor": FLOOR},
    }


def prepare(network, source, profile):
    """Build the data set before the workers start."""
    _parts(network, source, profile)


@provenance.remember
def _parts(network, source, profile):
    """Training part of each fold, and the events of the test part that have many stations."""
    fields = load_fields(network, source, EVENTS[profile], 0, False)
    parts = []
    for train, test in splits.folds(fields.source_id, fields.origin_time, "random"):
        parts.append((fields.select(train), fields.select(test[fields.sizes[test] >= FEWEST])))
    return parts


STUDY = runner.Study("fields-trouble", trials, run, config, prepare, summary=summary, tolerance=AGAIN)
