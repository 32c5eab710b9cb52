"""An automatic picker of P and S onsets (Akaike information criterion), and a catalogue made with it."""

import numpy as np
import pandas as pd
from obspy.signal.filter import highpass
from obspy.signal.trigger import aic_simple, recursive_sta_lta
from tqdm import tqdm

from seisbook.catalogues.catalogue import Catalogue
from seisbook.models.classical import HIGHPASS_HZ, LEAST_S_MINUS_P_S, LONG_S, SHORT_S, TRIGGER


def pick_onsets(waveforms, sampling_rate_hz):
    """Pick P and S automatically.

    P triggers the ratio of short- to long-term averages on the vertical, and is put where the Akaike information
    criterion (AIC) around the trigger says that noise turns into signal; S is where it says so on the horizontals,
    between P and their peak.

    Parameters
    ----------
    waveforms : ndarray, shape (stations, 3, samples)
        Z, N, E.
    sampling_rate_hz : float

    Returns
    -------
    p_s, s_s : ndarray, shape (stations,)
        Seconds after the first sample; NaN where there is no onset to be found.
    """
    filtered = highpass(np.asarray(waveforms, float), HIGHPASS_HZ, sampling_rate_hz, corners=2)  # causal
    picks = [_pick_station(station, sampling_rate_hz) for station in filtered]
    p, s = np.array(picks, float).reshape(-1, 2).T / sampling_rate_hz
    return p, s


def _pick_station(trace, rate):
    """P and S of one station in samples (NaN where there is none) from its filtered components."""
    short, long = round(SHORT_S * rate), round(LONG_S * rate)
    if trace.shape[1] <= long or not np.isfinite(trace).all() or not trace[0].any():
        return np.nan, np.nan  # too short, broken, or flat
    triggered = np.flatnonzero(recursive_sta_lta(trace[0], short, long) > TRIGGER)
    if not len(triggered):
        return np.nan, np.nan
    begin = max(0, triggered[0] - long)
    p = begin + _turning_point(aic_simple(trace[0, begin : triggered[0] + short]))
    first = p + round(LEAST_S_MINUS_P_S * rate)
    if trace.shape[1] - first < rate:
        return p, np.nan
    peak = first + np.argmax(trace[1, first:] ** 2 + trace[2, first:] ** 2)
    window = slice(p, peak + round(0.1 * rate) + 1)
    s = p + _turning_point(aic_simple(trace[1, window]) + aic_simple(trace[2, window]))
    return p, (s if s >= first - 1 else np.nan)


def _turning_point(criterion):
    """Sample that begins the signal: after the least value, ends aside, where the variances are of a few samples."""
    return 3 + np.argmin(criterion[2:-3]) if len(criterion) > 6 else 0


def catalogue_from_traces(catalogue, records, sampling_rate_hz, progress=True):
    """The catalogue with automatic readings of its seismograms in the place of its own.

    Parameters
    ----------
    catalogue : Catalogue
        A simulated one, say.
    records : iterable of EventRecord
        Its seismograms, in nm: `seisbook.datasets.build.rendered(catalogue, network)`. Nothing of their readings is
        used but where the stations are; an event that is not in the catalogue is left out.
    sampling_rate_hz : float
    progress : bool
        Show a bar.

    Returns
    -------
    Catalogue
        The same events. Its readings have onsets by `pick_onsets` with the status `automatic`, full weight and, as
        amplitude, the largest absolute value of the three components from P on; none where there is no P.
    """
    tables = []
    for record in tqdm(records, "picking", len(catalogue), unit="event", disable=None if progress else True):
        if record.source_id in catalogue.events.index:
            tables.append(_automatic_readings(record, sampling_rate_hz))
    readings = pd.concat(tables, ignore_index=True) if tables else catalogue.readings.iloc[:0]
    events = catalogue.events.reset_index()
    return Catalogue.from_rows(catalogue.network, catalogue.source, events, readings, catalogue.skipped)


def _automatic_readings(record, rate):
    """One event's readings from its seismograms, in seconds after the origin time as catalogues have them."""
    traces, onsets = record.traces, pick_onsets(record.waveforms, rate)
    start = (traces.trace_start_time - traces.source_origin_time).dt.total_seconds().to_numpy()
    peak = np.abs(record.waveforms).max(axis=1)
    after = np.arange(peak.shape[1]) / rate >= np.nan_to_num(onsets[0])[:, None]
    amplitude = np.where(after, peak, 0).max(axis=1)
    columns = {"source_id": record.source_id, "station_code": traces.station_code.to_numpy()}
    for wave, onset in zip("ps", onsets, strict=True):
        columns[f"path_{wave}_travel_s"] = start + onset
        columns[f"trace_{wave}_status"] = np.where(np.isnan(onset), "", "automatic")
        columns[f"trace_{wave}_weight"] = np.where(np.isnan(onset), np.nan, 1.0)
    columns["trace_amplitude_nm"] = np.where(np.isnan(onsets[0]), np.nan, amplitude)
    return pd.DataFrame(columns)
