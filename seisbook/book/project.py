"""The final project of a workshop: locate a twin's events whose truth only the teacher holds, scored by one command.

The learners get `training.xml`, events with hypocentres, magnitudes and picks, and `test.xml`, events with picks alone.
The teacher keeps `truth.csv`. Both come from the simulated twin of a shipped network, whose stations got delays and
site terms that no description knows. The seed is drawn anew each time and kept nowhere, so nobody can simulate the same
events again. The points were written before anybody was scored.
"""

import secrets
from dataclasses import replace
from pathlib import Path

import numpy as np
import obspy
import pandas as pd

from seisbook import files
from seisbook.book.workshop import FOLDER
from seisbook.catalogues import networks, quakeml
from seisbook.catalogues.geodesy import distance_azimuth
from seisbook.datasets import picked_events
from seisbook.errors import UserError, one_line
from seisbook.measures.estimates import bootstrap_ci
from seisbook.measures.evaluation import root_mean_square
from seisbook.physics import simulation

PROJECT = FOLDER / "project"
TRUTH = PROJECT / "teacher" / "truth.csv"
COLUMNS = {
    "latitude_deg": (-90, 90),
    "longitude_deg": (-180, 180),
    "depth_km": (-10, 800),
    "magnitude": (-3, 10),
    "radius90_km": (0, 20_000),
}
"""Columns of an answer after `event`, with the least and the largest value."""
N_TRAINING, N_TEST = 400, 100
DELAY_S, S_OVER_P, SITE = 0.15, 1.7, 0.15  # standard deviations of the hidden terms; delay of S over that of P
SHARES = (0.5, 0.25, 0.1, 0.05)  # of the error of guessing the middle of the training events: a point for each
SIZES = (0.5, 0.3, 0.2, 0.1)  # magnitude RMSE: a point for each
COVERED = (0.3, 0.2, 0.1, 0.05)  # distance of the share within the radius from 90 %: a point for each


def make(network="ridgecrest", progress=True) -> list[Path]:
    """Write the learners' files and the teacher's truth of a new project; those of an earlier one are replaced.

    Returns
    -------
    list of Path
        `learner/training.xml`, `learner/test.xml`, `learner/answer.csv` and `teacher/truth.csv`.
    """
    place = networks.load(network)
    twin = _hidden_twin(place, progress)
    training, test = twin.select(slice(None, N_TRAINING)), twin.select(slice(N_TRAINING, None))
    with files.new_folder(PROJECT) as folder:
        learner, teacher = folder / "learner", folder / "teacher"
        learner.mkdir()
        teacher.mkdir()
        quakeml.write(training, learner / "training.xml")
        quakeml.write(test, learner / "test.xml")
        _forget_origins(learner / "test.xml")
        names = picked_events.read(learner / "test.xml", place).events.index
        _table(test, names).to_csv(teacher / "truth.csv")
        middle = training.events[["source_latitude_deg", "source_longitude_deg", "source_depth_km"]].median()
        guess = [[*middle, training.events.source_magnitude.median(), 0.0]] * len(names)
        guess = pd.DataFrame(guess, pd.Index(names, name="event"), list(COLUMNS)).round(4)
        guess.to_csv(learner / "answer.csv")
    return [PROJECT / "learner" / name for name in ("training.xml", "test.xml", "answer.csv")] + [TRUTH]


def _hidden_twin(place, progress):
    """Events of the twin of a network whose stations have delays and site terms that are drawn anew; no text."""
    seed = secrets.randbits(100)
    rng, number = np.random.default_rng(seed), len(place.stations)
    delays, sites = rng.normal(0, DELAY_S, number), rng.normal(0, SITE, number)
    stations = [
        replace(one, p_term_s=float(delay), s_term_s=float(S_OVER_P * delay), site_term=float(site))
        for one, delay, site in zip(place.stations, delays, sites, strict=True)
    ]
    number = N_TRAINING + N_TEST
    twin = simulation.simulate(replace(place, stations=stations), number, seed + 1, progress=progress)
    twin.events["source_text"] = ""  # a report would say where the event was
    return twin


def _forget_origins(path):
    """Write a QuakeML file again with picks and amplitudes alone, in the order of time."""
    events = obspy.read_events(str(path), format="QUAKEML")
    for event in events:
        event.origins, event.magnitudes, event.preferred_origin_id = [], [], None
    events.events.sort(key=lambda event: min(pick.time for pick in event.picks))
    files.write_whole(path, lambda file: events.write(file, format="QUAKEML"))


def _table(test, names):
    """True hypocentres and magnitudes by the names that the events get from the learners' file, in the order of it."""
    first_s = test.readings.groupby("source_id")[["path_p_travel_s", "path_s_travel_s"]].min().min(axis=1)
    first = test.events.source_origin_time + pd.to_timedelta(first_s.reindex(test.events.index), unit="s")
    columns = ["source_latitude_deg", "source_longitude_deg", "source_depth_km", "source_magnitude"]
    table = test.events.loc[first.sort_values().index, columns].set_axis(list(COLUMNS)[:4], axis=1)
    return table.set_axis(pd.Index(names, name="event"))


# -------------------------------------------------------------------------------------------------------------- scoring


def score(path, truth=None) -> str:
    """Errors and points of an answer, as text.

    Parameters
    ----------
    path : path
        CSV with the columns `event` and those of `COLUMNS`, a row for each test event.
    truth : path, optional
        The teacher's file; default: that of the project which was made last on this machine.

    Raises
    ------
    UserError
        If a file is missing or malformed: one line with the file, the place and the remedy.
    """
    right, answer = read(truth or TRUTH, list(COLUMNS)[:4]), read(path)
    if unknown := [name for name in answer.index if name not in right.index]:
        raise UserError(f"{path}: event {unknown[0]!r} is not in the test set: copy the names from answer.csv")
    if missing := [name for name in right.index if name not in answer.index]:
        raise UserError(f"{path}: no row for {len(missing)} of {len(right)} events, such as {missing[0]!r}: add them")
    return _report(answer.loc[right.index], right)


def read(path, columns=tuple(COLUMNS)) -> pd.DataFrame:
    """Table of an answer or of the truth, indexed by `event`, with numbers in their ranges.

    Raises
    ------
    UserError
        As `score`.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
    except FileNotFoundError:
        remedy = "`seisbook workshop project` makes it" if Path(path) == TRUTH else "check the path"
        raise UserError(f"{path}: no such file: {remedy}") from None
    except (OSError, ValueError) as error:  # pandas' errors of parsing are ValueErrors
        raise UserError(one_line(f"{path}: not a CSV file ({error}): save it as CSV in UTF-8")) from None
    if missing := [name for name in ("event", *columns) if name not in table]:
        raise UserError(f"{path}: line 1: no column {missing[0]!r}: the columns are event, {', '.join(columns)}")
    if (again := table.event.duplicated()).any():
        line = again.idxmax() + 2
        raise UserError(one_line(f"{path}: line {line}: event {table.event[line - 2]!r} occurs twice: keep one row"))
    numbers = {name: _numbers(path, table[name], name) for name in columns}
    return pd.DataFrame(numbers).set_axis(pd.Index(table.event, name="event"))


def _numbers(path, texts, name):
    """Numbers of a column, each within its range."""
    values, (least, most) = pd.to_numeric(texts, errors="coerce"), COLUMNS[name]
    wrong = ~values.between(least, most)
    if wrong.any():
        line = wrong.idxmax()
        told = f"{path}: line {line + 2}: {name} is {texts[line]!r}: give a number from {least} to {most}"
        raise UserError(one_line(told))
    return values.to_numpy(float)


def _report(answer, right):
    """Errors with intervals and the points that they give."""
    away = _epicentral_km(answer, right)
    middle = right.assign(**right[["latitude_deg", "longitude_deg"]].median())
    share = np.median(away) / np.median(_epicentral_km(middle, right))
    size = root_mean_square(answer.magnitude - right.magnitude)
    covered = float(np.mean(away <= answer.radius90_km))
    points = _points(share, SHARES), _points(size, SIZES), _points(abs(covered - 0.9), COVERED)
    depth = bootstrap_ci(np.abs(answer.depth_km - right.depth_km).to_numpy())
    lines = [
        f"{len(right)} events",
        f"epicentre   median error {bootstrap_ci(away):.2f} km, {share:.0%} of that of guessing the middle",
        f"depth       median error {depth:.2f} km",
        f"magnitude   RMSE {size:.2f}",
        f"radius90_km holds {covered:.0%} of the epicentres; 90% were promised",
        f"points      {points[0]} + {points[1]} + {points[2]} = {sum(points)} of 12 (epicentre, magnitude, radius)",
    ]
    return "\n".join(lines)


def _points(value, levels):
    """A point for each level that a value is at or below."""
    return sum(value <= level for level in levels)


def _epicentral_km(one, other):
    """Distances between epicentres, event by event."""
    places = (table[name].to_numpy() for table in (one, other) for name in ("latitude_deg", "longitude_deg"))
    return distance_azimuth(*places)[0]
