r"""The learning curve on fields: how the error at hidden stations falls with events and with stations in training.

A part of the training events is kept, one in eight, one in four, half or all, with all of their stations. Or all events
are kept, and of the network's stations one in four, half or all. The stations that are left out are withheld from
training altogether. In the test they are there: half of the stations of each test event are hidden, and the others are
observed. Errors at hidden stations are kept apart by the smallest share of the network that holds the station, and
those at stations that no training event has. Source and terms of the stations in training are given. The methods are
the law with the event's term, the conditional normal, and the models that correct it on the dynamic graph and without
edges. Each is fitted to what is kept. In Italy all five folds are tested. In Greece, which has six times as many
events, two are. What is kept is drawn once a fold, and a smaller share is a part of a larger one.

The rules were written before the study was run. Errors are root mean squares over all measures, log10, cut at 2; 95 %
intervals resample test events. For each region:

- *events, level*: the error of the arm `dynamic` at all hidden stations with half of the events, over that with all;
- *stations, level*: its error with one in four stations over that with half, at hidden stations that are new to both.
  A curve *is level* if the interval of the ratio lies below 1.02, it *still falls* if it lies above, and else it is
  *open*;
- *events, ratio* and *stations, ratio*: the error of the arm `dynamic` over that of the conditional normal, with one in
  eight events at all hidden stations, and with one in four stations at those that are new. *Supported* if the interval
  lies below 1.02, the limit of claim C0, *not supported* if it lies above, *inconclusive* otherwise.

Each model is trained once. The intervals do not include the scatter between seeds.
"""

from dataclasses import replace

import numpy as np

from seisbook.datasets.fields import ROW_ARRAYS, Fields
from seisbook.measures import reconstruction
from seisbook.models.field_methods import hide
from seisbook.models.field_training import FieldNetwork
from seisbook.studies import fields, runner

EVENTS, STATIONS = (0.125, 0.25, 0.5, 1.0), (0.25, 0.5, 1.0)
METHODS, ARMS = ("event term", "conditional normal"), ("dynamic", "none")
FOLDS = {"greece": 2}  # others: all
HIDDEN = 0.5  # share of a test event's stations
LEAST = 3  # stations of a training event, after some are withheld


def trials(network, source, profile) -> list[dict]:
    """Each share of events with all stations, and each share of stations with all events, on each fold."""
    common = {"network": network, "source": source, "profile": profile}
    shares = [(share, 1.0) for share in EVENTS] + [(1.0, share) for share in STATIONS[:-1]]
    folds = min(fields.FOLDS[profile], FOLDS.get(network, fields.FOLDS[profile]))
    return [
        {**common, "events": events, "stations": stations, "fold": fold}
        for fold in range(folds)
        for events, stations in shares
    ]


def run(trials) -> list[dict]:
    """Results of the trials: sizes of the training part, and sums of squared errors by method and kind of station."""
    return [_tested(**trial) for trial in trials]


def _tested(network, source, profile, events, stations, fold):
    every, test = fields.parts(network, source, profile)[fold]
    train = of_stations(of_events(every, events, fold), kept(every.station, stations, fold))
    told = fields.INFORMATION["all"]
    methods = {name: fields.REFERENCE[name](told) for name in METHODS}
    methods |= {arm: FieldNetwork(told, fields.ARMS[arm], fields.TRAINING[profile], fold) for arm in ARMS}
    groups = grouped(test.station, every.station, fold)
    scores = {name: _scored(method.fit(train), test, groups) for name, method in methods.items()}
    return {"n_events": len(train), "n_stations": len(np.unique(train.station)), "scores": scores}


def _scored(method, test, groups):
    """Sums of squares and counts of each event, at the hidden stations of each group."""
    observed, found = hide(test, HIDDEN), {}
    prediction = method.predict(test, observed)
    for name, rows in groups.items():
        scores = reconstruction.scores(prediction, test, observed | ~rows)
        found[name] = {key: [float(f"{value:.4g}") for value in scores[key]] for key in ("square", "count")}
    return found


def grouped(station, known, random_state) -> dict[str, np.ndarray]:
    """Rows whose station is in the smallest share of the network, in the next one, in all of it, and in none.

    Parameters
    ----------
    station, known : ndarray of int
        Stations of the rows, and those that occur in training.
    random_state : int

    Returns
    -------
    dict of str to ndarray of bool
        By the share as text, and `never`.
    """
    groups, before = {}, np.zeros(len(station), bool)
    for share in STATIONS:
        rows = np.isin(station, kept(known, share, random_state))
        groups[f"{share:g}"], before = rows & ~before, rows
    return groups | {"never": ~before}


def of_events(part, share, random_state) -> Fields:
    """A share of the events, drawn at random, in their order."""
    order = np.random.default_rng([random_state, 0]).permutation(len(part))
    return part.select(np.sort(order[: round(share * len(part))]))


def kept(station, share, random_state) -> np.ndarray:
    """A share of the stations that occur, drawn at random."""
    order = np.random.default_rng([random_state, 1]).permutation(np.unique(station))
    return np.sort(order[: round(share * len(order))])


def of_stations(part, stations) -> Fields:
    """The events with these stations only; an event of which fewer than `LEAST` are left is left out."""
    rows = np.isin(part.station, stations)
    start = np.concatenate([[0], np.cumsum(rows)])[part.start]
    part = replace(part, **{name: getattr(part, name)[rows] for name in ROW_ARRAYS}, start=start)
    return part.select(np.flatnonzero(part.sizes >= LEAST))


def summary(result) -> dict[str, float]:
    """Root mean square error of each method, which a second run must reproduce."""
    numbers = {}
    for name, groups in result["scores"].items():
        square, count = (sum(np.sum(scores[key]) for scores in groups.values()) for key in ("square", "count"))
        numbers[name] = float(np.sqrt(square / count))
    return numbers


def config(trial) -> dict:
    """Configuration of a trial: the models, their training, and what is hidden."""
    return {
        "models": {arm: fields.ARMS[arm] for arm in ARMS},
        "training": fields.TRAINING[trial["profile"]],
        "dataset": fields.EVENTS[trial["profile"]],
        **{"methods": METHODS, "hidden": HIDDEN, "least": LEAST},
    }


STUDY = runner.Study("fields-learning", trials, run, config, fields.prepare, summary=summary, tolerance=fields.AGAIN)
