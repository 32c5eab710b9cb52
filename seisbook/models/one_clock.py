"""A worked example of robust location: four stations around an event, and one of their clocks is wrong.

Everything is simulated: arrival times are computed in a network's velocity model, and get reading errors that are drawn
from a normal distribution. The depth is known, so each event has two unknown coordinates and its origin time. The steps
are those of `seisbook.models.gauss_newton`, with which the robust model locates.
"""

from typing import NamedTuple

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from seisbook.models.gauss_newton import ArrivalTimes, Prior, Residuals, step, student_weight
from seisbook.physics.timetable import Timetable

STATIONS_KM = (-22.0, -13.0), (17.0, -21.0), (25.0, 14.0), (-14.0, 20.0)  # east and north
DEPTH_KM = 8.0
WIDTH_KM = 16.0  # of the square in which events lie
READING_S = 0.1  # standard deviation of a reading
STEPS = 30  # redescending weights converge slowly
KNOWN_KM = 0.01  # standard deviation of a depth that is known
LONGEST_KM = 20.0  # of a step


class Readings(NamedTuple):
    """Events with their onsets: `times`, an `ArrivalTimes`; `source` (B, 3) and `pos` (N, 3) in km; `onset` (B, N, 2),
    P and S in s.
    """

    times: ArrivalTimes
    source: Tensor
    pos: Tensor
    onset: Tensor


class Location(NamedTuple):
    """Hypocentres after each step, `path` (STEPS + 1, B, 3) in km; at the last one residuals (B, N, 2) in s, and the
    `weight` of each onset, as a share of a perfect onset's: 1 for all in least squares.
    """

    path: Tensor
    residual_s: Tensor
    weight: Tensor


def readings(place, late_s, number=1, random_state=0) -> Readings:
    """Simulated readings of events at four stations.

    Parameters
    ----------
    place : seisbook.catalogues.networks.Network
        Whose velocity model gives the travel times.
    late_s : sequence of float
        How late each station's clock is, in s.
    number : int
        Events.
    random_state : int
        Of their epicentres and of the reading errors. They do not depend on `late_s`.
    """
    draw = torch.Generator().manual_seed(random_state)
    pos = F.pad(torch.tensor(STATIONS_KM), (0, 1))
    source = F.pad(WIDTH_KM * (torch.rand((number, 2), generator=draw) - 0.5), (0, 1), value=DEPTH_KM)
    times = ArrivalTimes(Timetable(place.velocity_model, place.window.length_s), (READING_S, READING_S), 0.0)
    r = torch.cdist(source[:, :2], pos[:, :2])
    travel = times.travel(r, torch.full_like(r, DEPTH_KM), torch.zeros_like(r))
    error = READING_S * torch.randn(travel.shape, generator=draw)
    return Readings(times, source, pos, travel + error + torch.tensor(late_s)[:, None])


def locate(found, redescending) -> Location:
    """Locate events from the middle of the stations, by least squares or with redescending weights.

    Redescending weights begin at the location of least squares: what they find depends on where they begin.

    Parameters
    ----------
    found : Readings
    redescending : bool
        Weights of Student's t, renewed in each step; otherwise all onsets weigh the same.
    """
    pos = found.pos.expand(len(found.onset), -1, -1)
    start = F.pad(pos[..., :2].mean(1), (0, 1), value=DEPTH_KM)
    path = [locate(found, False).path[-1] if redescending else start]
    for _ in range(STEPS):
        path.append(_moved(path[-1], _residuals(found, path[-1], pos), redescending))
    last = _residuals(found, path[-1], pos)
    return Location(torch.stack(path), last.value, share(last.value, redescending))


def share(residual_s, redescending) -> Tensor:
    """Weight of an onset by its residual in s, as a share of a perfect onset's."""
    if not redescending:
        return torch.ones_like(residual_s)
    return student_weight(residual_s, READING_S) / student_weight(torch.zeros(1), READING_S)


def errors(found, location) -> Tensor:
    """Epicentral errors (B,) in km."""
    return (location.path[-1] - found.source)[:, :2].norm(dim=-1)


def sweep(place, lates_s, number, random_state=0) -> pd.DataFrame:
    """Errors of the same events with the second station's clock ever later, by both kinds of weights.

    Parameters
    ----------
    place, number, random_state : see `readings`
    lates_s : sequence of float

    Returns
    -------
    DataFrame
        `late_s`, `redescending`, `epicentral_km`: a row for each event.
    """
    parts = []
    for late_s in lates_s:
        found = readings(place, (0.0, late_s, 0.0, 0.0), number, random_state)
        for redescending in (False, True):
            km = errors(found, locate(found, redescending)).numpy()
            parts.append(pd.DataFrame({"late_s": late_s, "redescending": redescending, "epicentral_km": km}))
    return pd.concat(parts, ignore_index=True)


def _residuals(found, x, pos) -> Residuals:
    valid = torch.ones_like(found.onset, dtype=torch.bool)
    return found.times.residuals(x, pos, found.onset, torch.zeros_like(found.onset), valid)


def _moved(x, residuals, redescending):
    prior = Prior(torch.tensor(DEPTH_KM), torch.tensor(KNOWN_KM), 10 * DEPTH_KM)
    weight = share(residuals.value, redescending) / READING_S**2
    weight = F.pad(weight, (0, 1))  # none for S minus P
    return step(x, residuals, weight, prior, LONGEST_KM)[0]
