r"""Noise that changes by the hour: what all stations of a network share, measured on real records.

The level of a record's noise is the logarithm of its root mean square before P. Less the median of its station, and
averaged over the stations that recorded one event, it says how noisy that hour was for all of them: wind, rain, a sea.

The twin's events draw from these levels. Every hour of its calendar has one of them, and all stations share it. Whether
one hour resembles the next cannot matter to a model that sees events one by one, so the order of the levels is lost.

Where it breaks down: a cause that reaches a few stations alone, such as a road, is not told from the scatter of
records.
"""

import numpy as np
import pandas as pd

from seisbook.physics.rendering import noise_level_of, noise_rms_nm
from seisbook.physics.texture import BEFORE_ONSET_S, LEAST_NOISE_S

LEAST_STATIONS = 5  # of an event whose hour is measured


def levels(traces, log_peak, p_s, station, event, sampling_rate_hz) -> pd.Series:
    """Noise level of each event's hour, common to its stations.

    Parameters
    ----------
    traces : ndarray, shape (records, 3, samples)
        Scaled to any peak.
    log_peak : ndarray, shape (records,)
        log10 of what one unit of a trace stands for, such as nm.
    p_s : ndarray, shape (records,)
        P in seconds after the first sample; NaN where it is not known.
    station, event : sequence, shape (records,)
    sampling_rate_hz : float

    Returns
    -------
    Series
        log10 of the factor by which the noise exceeds the usual one, by event, of events with `LEAST_STATIONS`.
    """
    rows = []
    for i in np.flatnonzero(p_s - BEFORE_ONSET_S >= LEAST_NOISE_S):
        noise = traces[i, :, : round((p_s[i] - BEFORE_ONSET_S) * sampling_rate_hz)]
        rms = (noise - noise.mean(-1, keepdims=True)).std()
        if rms > 0:
            rows.append((station[i], event[i], np.log10(rms) + log_peak[i]))
    table = pd.DataFrame(rows, columns=["station", "event", "level"])
    table["level"] -= table.groupby("station")["level"].transform("median")
    found = table.groupby("event")["level"].agg(["mean", "size"])
    return found["mean"][found["size"] >= LEAST_STATIONS]


def daily_share(level, hour) -> float:
    """Share of the variance of levels that a cosine of 24 hours explains (least squares).

    Parameters
    ----------
    level, hour : ndarray, shape (events,)
    """
    turn = 2 * np.pi * np.asarray(hour) / 24
    terms = np.column_stack([np.cos(turn), np.sin(turn), np.ones(len(turn))])
    left = level - terms @ np.linalg.lstsq(terms, level)[0]
    return float(1 - left.var() / np.var(level))


def changed(readings, known, sampling_rate_hz, random_state=0) -> pd.DataFrame:
    """Readings of a twin whose noise changes by the hour.

    Parameters
    ----------
    readings : DataFrame
        With `source_origin_time` and `trace_noise_level`.
    known : ndarray
        Levels that were measured, see `levels`.
    sampling_rate_hz : float
    random_state : int

    Returns
    -------
    DataFrame
        The same with another `trace_noise_level`, between Peterson's models.
    """
    hour = pd.to_datetime(readings.source_origin_time, format="ISO8601").dt.floor("h")
    number, hours = pd.factorize(hour, sort=True)
    drawn = np.random.default_rng(random_state).choice(known, len(hours))[number]
    rms = noise_rms_nm(readings.trace_noise_level.to_numpy(float), sampling_rate_hz) * 10**drawn
    return readings.assign(trace_noise_level=noise_level_of(rms, sampling_rate_hz))
