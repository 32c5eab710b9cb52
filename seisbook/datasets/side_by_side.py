"""One event's seismograms as the instruments gave them, and as the renderer makes them from the same readings."""

from typing import NamedTuple

import numpy as np

from seisbook.catalogues import networks, sources
from seisbook.datasets import build
from seisbook.physics.texture import displacement

RENDERED, REAL, SIMULATED = "rendered from the readings", "real", "rendered from a simulated event"


class Section(NamedTuple):
    """Ground displacement of one event at its stations, nearest first.

    `traces` (stations, 3, samples), Z, N, E, in any unit; `onset_s` (stations, 2), P and S, and `start_s` (stations,),
    the first sample, in seconds after the origin time; `codes`; `distance_km` (stations,) from the epicentre;
    `sampling_rate_hz`.
    """

    traces: np.ndarray
    onset_s: np.ndarray
    start_s: np.ndarray
    codes: list
    distance_km: np.ndarray
    sampling_rate_hz: float


def sections(network: str, number: int) -> dict[str, Section]:
    """Sections of one event of a network whose records are in counts of ground velocity, such as Iceland's.

    Parameters
    ----------
    network : str
    number : int
        Of the event, in the order of the catalogue.

    Returns
    -------
    dict of str to Section
        `RENDERED` and `REAL`, of the stations that have both; without the real records on this machine, `SIMULATED`
        alone, of an event of the twin.
    """
    place = networks.load(network)
    if not sources.is_available(network):
        twin = build.read(place, "simulated", number + 1, 0).select([number])
        return {SIMULATED: _section(next(build.rendered(twin, place, 0)), place)}
    event = build.read(place, "waveform", None, 0).select([number])
    made = _section(next(build.rendered(event, place, 0)), place)
    seen = _section(next(build.recorded(event, place, sources.folder(network))), place)
    moved = displacement(seen.traces.astype(float), seen.sampling_rate_hz)
    both = [code for code in made.codes if code in seen.codes]
    return {RENDERED: _of_stations(made, both), REAL: _of_stations(seen._replace(traces=moved), both)}


def _section(record, place):
    """Section of an `EventRecord`."""
    rows, rate = record.traces, place.window.sampling_rate_hz
    start = (rows.trace_start_time - rows.source_origin_time).dt.total_seconds().to_numpy()
    onset = rows[["trace_p_arrival_sample", "trace_s_arrival_sample"]].to_numpy(float) / rate + start[:, None]
    distance = rows.path_ep_distance_km.to_numpy(float)
    found = Section(record.waveforms, onset, start, list(rows.station_code), distance, rate)
    return _of_stations(found, [found.codes[i] for i in np.argsort(distance)])


def _of_stations(section, codes):
    """The section of some of its stations, in their order."""
    rows = [section.codes.index(code) for code in codes]
    chosen = {name: getattr(section, name)[rows] for name in ("traces", "onset_s", "start_s", "distance_km")}
    return section._replace(codes=codes, **chosen)
