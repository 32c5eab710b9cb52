r"""The study of felt reports: do reports of people improve a field that few stations measured?

The events of a region with reports in three or more cells are tested once each, in the fold that holds them out. None,
one or three of their stations are observed, or all but 30 %. The conditional normal predicts all five measures at
hidden stations, without and with reports. With none, one and three stations, the same stations are hidden. What a
method is told:

- `source`: the source of the catalogue;
- `magnitude off`: the same, with a magnitude that is wrong by 0.5, upwards or downwards by the event's name;
- `no source`: nothing; the source is estimated from the observed values and the reports.

Stations' terms are known in all three. Intensity becomes peak velocity by an equation. The arms:

- `none`: no reports;
- `published`: reports, converted by the equation of Worden et al. (2012);
- `refitted`: reports, converted by an equation that is fitted to pairs of a cell and a station within 2 km, of training
  events, with an error that all cells of an event share;
- `shuffled`: a control, as `refitted`: each cell has the intensity of a cell of another test event;
- `expected`: a control, as `refitted`: each cell has the intensity that the magnitude (as told) and the distance give,
  by a law fitted to the reports of training events; without a source, the mean intensity of training events.

The rule was written before a result was seen. For each region, kind of information, number of stations and equation,
let :math:`\rho` be the ratio of the root mean square error with reports to that without, over all hidden values, in
log10 units with errors cut at 2, and :math:`\rho_s, \rho_e` the ratios to the two controls. The 95 % intervals resample
events. *Reports improve the field* is *supported* if the intervals of all three lie below 1; *not supported* if one of
the three intervals lies above 1; *inconclusive* otherwise. The controls use the refitted equation. The published one is
therefore compared with `none` alone, and its word is that of :math:`\rho` alone.

*Reports correct the bias of the source* (claim C10 on fields) is decided alike, by :math:`\rho` alone, from errors of
each event: of the event's term (`source` and `magnitude off`; its truth is the term from all stations of the event, for
the same source), and of magnitude and epicentre (`no source`), as root mean squares, of the epicentre as medians.

The equations themselves are compared with instruments: the intensity of each cell within 2 km of a station, less the
intensity that the equation gives for the station's peak velocity, as mean (bias) and standard deviation (scatter), on
test events, with intervals over events. An equation is *unbiased* if the interval of the bias holds zero.

What had been seen before: numbers of cells and answers, and a test of the program on simulated events. No tolerance, no
size of squares and no threshold was chosen by a result.
"""

import numpy as np

from seisbook import provenance
from seisbook.datasets.felt import PGV, load_felt
from seisbook.datasets.fields import load_fields
from seisbook.measures import splits
from seisbook.measures.reconstruction import FARTHEST
from seisbook.models.amplitude_source import Source
from seisbook.models.felt_normal import FeltNormal
from seisbook.models.field_methods import hide
from seisbook.physics.attenuation import design
from seisbook.physics.felt_intensity import WORDEN, refit
from seisbook.studies import runner

TOLD = ("source", "magnitude off", "no source")
STATIONS = ("0", "1", "3", "70 %")
ARMS = ("none", "published", "refitted", "shuffled", "expected")
FEW = 3  # stations that are never hidden where few are observed
HIDDEN = 0.3
OFF = 0.5  # error of a magnitude that is off
PAIR_KM = 2.0
EVENTS = {"quick": 100, "paper": None}
FOLDS = {"quick": 1, "paper": splits.FOLDS}
AGAIN = 0.005
"""Relative difference of root mean square errors on another processor: a coarse grid may choose another source."""


def trials(network, source, profile) -> list[dict]:
    """One trial a fold."""
    return [{"network": network, "source": source, "profile": profile, "fold": fold} for fold in range(FOLDS[profile])]


def run(trials) -> list[dict]:
    """Results of the trials: `scores` by information, stations and arm; `pairs` of cells and stations; `equation`."""
    return [_tested(**trial) for trial in trials]


def _tested(network, source, profile, fold):
    train, test, felt = _parts(network, source, profile)[fold]
    method = FeltNormal().fit(train)
    near = pairs(train, felt)
    equation = refit(near["velocity"], near["intensity"], near["sd"], near["event"])
    law = intensity_law(train, felt)
    scores = {told: {stations: {arm: [] for arm in ARMS} for stations in STATIONS} for told in TOLD}
    for i, name in enumerate(test.source_id):
        event = test.select([i])
        arms = _arms(event, felt[name].merged(), equation, law, _other(test, felt, i))
        for told in TOLD:
            _try(method, event, arms, _given(event, told), scores[told])
    test_pairs = {key: [round(float(v), 4) for v in values] for key, values in pairs(test, felt).items()}
    return {
        "scores": _columns(scores),
        "pairs": test_pairs,
        "equation": {
            **{"intercept": equation.intercept[0], "slope": equation.slope[0]},
            **{name: getattr(equation, name) for name in ("intensity_sd", "velocity_sd", "shared_sd")},
        },
        "cells": [len(felt[name].intensity) for name in test.source_id],
        "answers": [int(felt[name].answers.sum()) for name in test.source_id],
    }


def _try(method, event, arms, given, scores):
    """Add the scores of one event to the lists of each number of stations and each arm."""
    term = None if given is None else method.event_term(event, given)
    for stations, (observed, hidden) in _patterns(event).items():
        for arm, (cells_of, conversion) in arms.items():
            found = method.told(event, observed, cells_of(given), conversion, given)
            scores[stations][arm].append(_scored(event, hidden, found, term))


# ----------------------------------------------------------------------------------------------------------- the inputs


def pairs(fields, felt) -> dict[str, np.ndarray]:
    """Cells within `PAIR_KM` of a station that measured peak velocity: each with the nearest one.

    Returns
    -------
    dict of ndarray
        `event` (number), `velocity` (log10 of cm/s), `intensity`, `sd`, `answers`.
    """
    found = {name: [] for name in ("event", "velocity", "intensity", "sd", "answers")}
    for i, name in enumerate(fields.source_id):
        cells, rows = felt[name], fields.rows(i)
        velocity = fields.values[rows, PGV]
        distance = np.hypot(*(cells.pos[:, None] - fields.pos[rows][None]).transpose(2, 0, 1))
        distance = np.where(np.isfinite(velocity), distance, np.inf)
        nearest = distance.argmin(1)
        kept = np.flatnonzero(distance.min(1) <= PAIR_KM)
        part = (np.full(len(kept), i), velocity[nearest[kept]], cells.intensity[kept], cells.sd[kept])
        for key, values in zip(found, (*part, cells.answers[kept]), strict=True):
            found[key].append(values)
    return {key: np.concatenate(values) for key, values in found.items()}


def intensity_law(fields, felt) -> tuple[np.ndarray, float]:
    """Coefficients (7,) of intensity on the terms of the attenuation law, by least squares over all cells; its mean."""
    rows = [_terms(_source(fields, i), felt[name].pos) for i, name in enumerate(fields.source_id)]
    intensity = np.concatenate([felt[name].intensity for name in fields.source_id])
    return np.linalg.lstsq(np.concatenate(rows), intensity, rcond=1e-6)[0], float(intensity.mean())


def _terms(source, pos):
    return design(source.magnitude, np.hypot(*(pos - source.epicentre).T), source.depth_km)


def _source(fields, i):
    return Source(fields.epicentre[i].astype(float), float(fields.depth_km[i]), float(fields.magnitude[i]))


def _arms(event, cells, equation, law, other):
    """Of each arm, its cells as a function of the source that is told, and its equation."""
    coefficients, usual = law

    def expected(source):
        if source is None:
            return cells._replace(intensity=np.full(len(cells.intensity), usual))
        return cells._replace(intensity=np.clip(_terms(source, cells.pos) @ coefficients, 1, 12))

    rng = np.random.default_rng([1, *str(event.source_id[0]).encode()])
    shuffled = cells._replace(intensity=rng.choice(other.intensity, len(cells.intensity)))
    return {
        "none": (lambda source: None, None),
        "published": (lambda source: cells, WORDEN),
        "refitted": (lambda source: cells, equation),
        "shuffled": (lambda source: shuffled, equation),
        "expected": (expected, equation),
    }


def _other(test, felt, i):
    """Merged cells of another test event, drawn by the event's name."""
    rng = np.random.default_rng([2, *str(test.source_id[i]).encode()])
    return felt[test.source_id[rng.choice(np.delete(np.arange(len(test)), i))]].merged()


def _patterns(event):
    """Which stations are observed, and which are hidden and scored, by their number."""
    size = len(event.values)
    rank = np.random.default_rng([3, *str(event.source_id[0]).encode()]).permutation(size)
    found = {stations: (rank < int(stations), rank >= FEW) for stations in STATIONS[:-1]}
    most = hide(event, HIDDEN)
    return {**found, STATIONS[-1]: (most, ~most)}


def _given(event, told):
    """The source as it is told; None if it is not."""
    if told == "no source":
        return None
    source = _source(event, 0)
    if told == "source":
        return source
    sign = np.random.default_rng([4, *str(event.source_id[0]).encode()]).choice([-1, 1])
    return source._replace(magnitude=source.magnitude + sign * OFF)


# --------------------------------------------------------------------------------------------------------------- scores


def _scored(event, hidden, found, term):
    """Numbers of one prediction; what is not asked for is None. `term` is the true one, if a source is told."""
    known = hidden[:, None] & np.isfinite(event.values)
    error = np.clip((event.values - found.mean)[known], -FARTHEST, FARTHEST)
    truth = _source(event, 0)
    return {
        "square": float((error**2).sum()),
        "count": int(known.sum()),
        "event_term": None if term is None else found.event_term - term,
        "magnitude": found.source.magnitude - truth.magnitude if term is None else None,
        "epicentral_km": float(np.hypot(*(found.source.epicentre - truth.epicentre))) if term is None else None,
    }


def _columns(scores):
    """Lists of numbers by event in place of lists of dictionaries, without those that nobody asked for."""
    if isinstance(scores, dict):
        return {key: _columns(value) for key, value in scores.items()}
    columns = {key: [_short(row[key]) for row in scores] for key in scores[0]}
    return {key: values for key, values in columns.items() if values[0] is not None}


def _short(value):
    return None if value is None else float(f"{value:.4g}")


def summary(result) -> dict[str, float]:
    """Root mean square error of each arm over all stations, by information, which a second run must reproduce."""
    numbers = {}
    for told, by_stations in result["scores"].items():
        for arm in ARMS:
            square, count = (sum(sum(by[arm][key]) for by in by_stations.values()) for key in ("square", "count"))
            numbers[f"{told}, {arm}"] = float(np.sqrt(square / count))
    return numbers


def config(trial) -> dict:
    """Configuration of a trial."""
    return {
        "events": EVENTS[trial["profile"]],
        "stations": STATIONS,
        "arms": ARMS,
        "few": FEW,
        "hidden": HIDDEN,
        "magnitude_off": OFF,
        "pair_km": PAIR_KM,
        "published": WORDEN,
    }


def prepare(network, source, profile):
    """Build the data set before the workers start."""
    _parts(network, source, profile)


@provenance.remember
def _parts(network, source, profile):
    """Of each fold the training events, the test events with reports, and the reports."""
    fields = load_fields(network, source, EVENTS[profile], 0, False)
    felt = load_felt(network, source, fields)
    parts = []
    for train, test in splits.folds(fields.source_id, fields.origin_time, "random"):
        tested = fields.select(test)
        parts.append((fields.select(train), tested.select(felt.reported(tested)), felt))
    return parts


STUDY = runner.Study("felt", trials, run, config, prepare, summary=summary, tolerance=AGAIN)
