r"""What the readings say against a station: coordinates that do not fit, and a clock or a gain that changed.

Wrong coordinates show as delays that follow the azimuth, late on one side and early on the other. A change shows as a
step of the residuals over time, which Pettitt's test finds: with ranks `R` of `n` values in the order of time,

.. math:: U_k = 2 \sum_{i \le k} R_i - k (n + 1), \quad K = \max_k |U_k|, \quad p \approx 2 e^{-6 K^2 / (n^3 + n^2)}.

References
----------
A. N. Pettitt (1979), A non-parametric approach to the change-point problem, Applied Statistics 28, 126-135.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from seisbook.catalogues.geodesy import azimuthal_gap, path_geometry
from seisbook.measures.estimates import robust_std
from seisbook.measures.network_terms import event_centred
from seisbook.physics.residuals import amplitude_residuals

FEWEST = 20  # values of a station, for a test
LEAST_PART = 5  # values on each side of a step
CHANCE = 0.001  # that one of all stations shows a step by chance
LEAST_STEP = {"P delay (s)": 0.2, "S delay (s)": 0.3, "log10 amplitude": 0.2}
MOVED_KM = 5.0  # a station that seems nearer to its coordinates is not suspected
SURE = 4.0  # standard errors
WIDEST_GAP_DEG = 150.0  # without events, around a station that can be judged
SPEED_KM_S = 6.0  # of P, from a delay to a distance
ABSURD_S = 10.0  # median delay that no structure causes


@dataclass(frozen=True)
class Step:
    """A change at a station: of what, when, medians before and after, and the number of values."""

    station: str
    what: str
    when: pd.Timestamp
    before: float
    after: float
    values: int


def steps(catalogue, network) -> list[Step]:
    """Changes over time of the stations' delays and amplitudes.

    Parameters
    ----------
    catalogue : Catalogue
        With readings at stations of the network alone.
    network : Network

    Notes
    -----
    Where earthquakes wander, paths change with them; a step at one station of several at the same time and place is
    the instrument's.
    """
    readings = catalogue.readings
    centred = event_centred(network, catalogue)
    values = {"P delay (s)": centred["p"], "S delay (s)": centred["s"]}
    values["log10 amplitude"] = amplitude_residuals(catalogue, network).station_residual
    time = readings.source_id.map(catalogue.events.source_origin_time)
    found = []
    for what, series in values.items():
        groups = [(code, group.dropna()) for code, group in series.groupby(readings.station_code)]
        tested = [(code, group) for code, group in groups if len(group) >= FEWEST]
        for code, group in tested:
            one = _step(group.to_numpy(), time[group.index], CHANCE / len(tested))
            if one and abs(one[2] - one[1]) >= max(LEAST_STEP[what], robust_std(group) / 2):
                found.append(Step(code, what, *one, len(group)))
    return found


def _step(values, time, chance):
    """When a series changes, and its medians before and after; None unless that is sure."""
    order = np.argsort(time.to_numpy())
    values, n = values[order], len(values)
    statistic = 2 * np.cumsum(rankdata(values)) - np.arange(1, n + 1) * (n + 1)
    inside = slice(LEAST_PART - 1, n - LEAST_PART)
    at = LEAST_PART - 1 + int(np.abs(statistic[inside]).argmax())
    if 2 * np.exp(-6 * statistic[at] ** 2 / (n**3 + n**2)) > chance:
        return None
    return time.iloc[order[at + 1]], float(np.median(values[: at + 1])), float(np.median(values[at + 1 :]))


def misplaced(catalogue, network) -> dict[str, str]:
    r"""Stations whose P delays say that their coordinates, or their clock, are wrong: a sentence for each code.

    The delays of a station are fitted with :math:`a + b \sin\alpha + c \cos\alpha` of the azimuth from the
    epicentre. The last two, times 6 km/s, are how far the station seems to lie off. A station with events on one side
    alone is not judged: there, structure does the same.
    """
    centred = event_centred(network, catalogue)["p"]
    azimuth = np.radians(path_geometry(catalogue, network).path_azimuth_deg)
    found = {}
    for code, delay in centred.groupby(catalogue.readings.station_code):
        delay = delay.dropna()
        if len(delay) >= FEWEST // 2 and abs(delay.median()) > ABSURD_S:
            found[code] = f"its P is {delay.median():+.0f} s late in the median: check its coordinates and its clock"
        elif len(delay) >= FEWEST and azimuthal_gap(np.degrees(azimuth[delay.index])) < WIDEST_GAP_DEG:
            east, north, error = _offset(delay.to_numpy(), azimuth[delay.index].to_numpy())
            away = float(np.hypot(east, north))
            if away > max(MOVED_KM, SURE * error):
                towards = np.degrees(np.arctan2(east, north)) % 360
                found[code] = f"its P delays put it {away:.0f} km from its coordinates, towards {towards:.0f} degrees"
    return found


def _offset(delay, azimuth):
    """East, north and standard error (km) of how far a station seems to lie off its coordinates."""
    design = np.column_stack([np.ones(len(delay)), np.sin(azimuth), np.cos(azimuth)])
    near = np.abs(delay - np.median(delay)) <= 5 * max(robust_std(delay), 0.1)
    design, delay = design[near], delay[near]
    values, *_ = np.linalg.lstsq(design, delay, rcond=None)
    scatter = max(robust_std(delay - design @ values), 0.05)
    covariance = np.linalg.pinv(design.T @ design)
    error = SPEED_KM_S * scatter * np.sqrt(max(covariance[1, 1] + covariance[2, 2], 0.0))
    return SPEED_KM_S * values[1], SPEED_KM_S * values[2], float(error)
