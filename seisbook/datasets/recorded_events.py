"""New events in recorded seismograms: files of events, or continuous records, in which a trigger looks for them.

A file with several stations that is not much longer than a model's window is one event, whatever else overlaps it. So
is such a stretch of the other files together. In a longer one, an event begins where the ratio of
short-term to long-term energy rises at several stations at once (ObsPy's coincidence trigger).
"""

import numpy as np
import obspy
import pandas as pd
from obspy.signal.trigger import coincidence_trigger

from seisbook.catalogues.catalogue import EVENT_COLUMNS, READING_COLUMNS
from seisbook.datasets.build import STATION_COLUMNS
from seisbook.datasets.store import EventRecord
from seisbook.datasets.waveforms import cut
from seisbook.errors import DataError
from seisbook.physics.rendering import WOOD_ANDERSON_HZ

LONG = 2.0  # windows: a record that is not longer is one event
APART = 0.5  # windows without any data between two events' files
SHORT_S, LONG_S, ON, OFF = 1.0, 10.0, 4.0, 1.5  # of the trigger
HIGHEST_HZ = 10.0
RISES, RISE_HZ = 8, 10.0  # part of a window before and after a rise, and how often one is looked for
NEAR_S = 30.0  # of a record around a window, for its filters
FEWEST_STATIONS = 3


def records(streams, network, inventory, remarks):
    """Yield an `EventRecord` for each event that is found; what is left out goes to `remarks`.

    Parameters
    ----------
    streams : list of obspy Stream
        One a file.
    network : Network
        Stations and window of the events.
    inventory : obspy Inventory or None
        Removes the instruments' responses.
    remarks : list of str
    """
    codes = [station.code for station in network.stations]
    if unknown := sorted({trace.stats.station for stream in streams for trace in stream} - set(codes)):
        remarks.append(f"stations without coordinates left out: {', '.join(unknown)}: give their StationXML")
    for stream in _together(streams, network.window.length_s):
        known = obspy.Stream([trace for trace in stream if trace.stats.station in codes])
        for start in starts(known, network):
            near = known.slice(start - NEAR_S, start + network.window.length_s + NEAR_S)
            waveforms, table = cut(near, codes, start, network.window, inventory, remarks)
            if len(table):
                yield _record(waveforms, table, start, network)
            else:
                remarks.append(f"{start}: event left out: no station has a record that can be used")


def _together(streams, length_s):
    """Files of one event each, in the order of time, and then all others as one stream."""
    events, others = [], obspy.Stream()
    for stream in streams:
        ends = [(trace.stats.starttime, trace.stats.endtime) for trace in stream]
        is_short = max(last for _, last in ends) - min(first for first, _ in ends) <= LONG * length_s
        if is_short and len({trace.stats.station for trace in stream}) >= FEWEST_STATIONS:
            events.append(stream)
        else:
            others += stream
    events.sort(key=lambda stream: min(trace.stats.starttime for trace in stream))
    return [*events, others]


def starts(stream, network) -> list:
    """First samples of the windows of all events in a stream, in the order of time."""
    length, lead = network.window.length_s, float(np.mean(network.window.lead_s))
    found = []
    for first, last in spans(stream, APART * length):
        if last - first <= LONG * length:
            rise = _rise(stream.slice(first, last), first, last, length)
            found.append(max(first, min(rise - lead, last - length)))
        else:
            times = _triggers(stream.slice(first, last), network)
            for time in times:
                if not found or time - lead > found[-1] + length / 2:
                    found.append(time - lead)
    return found


def spans(stream, apart_s) -> list[tuple]:
    """First and last times of the stretches of a stream between which no station has data for so long."""
    found = []
    for trace in sorted(stream, key=lambda trace: trace.stats.starttime):
        first, last = trace.stats.starttime, trace.stats.endtime
        if found and first <= found[-1][1] + apart_s:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found


def _rise(stream, first, last, length):
    """Time in a short record at which the energy of most stations rises most; its first sample if it fills a window."""
    width, rate = length / RISES, RISE_HZ
    time = np.arange(width, last - first - width, 1 / rate)
    if last - first <= length or not len(time):
        return first
    total = np.zeros(len(time))
    for trace in _verticals(stream, 2 * width):
        energy = np.append(0.0, np.cumsum(trace.data**2))
        own = first - trace.stats.starttime + time[:, None] + np.array([-width, 0.0, width])
        at = np.clip(np.rint(own * trace.stats.sampling_rate).astype(int), 0, len(trace.data))
        before, after = np.diff(energy[at], axis=1).T
        least = 1e-6 * energy[-1] + 1e-300
        total += np.log((after + least) / (before + least))
    return first + float(time[total.argmax()])


def _verticals(stream, shortest_s):
    """Vertical components that are long enough, in the band of the Wood-Anderson seismometer."""
    filtered = obspy.Stream()
    for trace in stream:
        rate = trace.stats.sampling_rate
        if trace.stats.channel[-1:].upper() in ("Z", "3") and trace.stats.npts > shortest_s * rate:
            one = trace.copy()
            one.data = np.ma.filled(one.data, 0).astype(float)
            one.detrend("demean").filter("bandpass", freqmin=WOOD_ANDERSON_HZ, freqmax=min(HIGHEST_HZ, 0.4 * rate))
            filtered += one
    return filtered


def _triggers(stream, network):
    """Times at which several stations see energy rise."""
    filtered = _verticals(stream, 2 * LONG_S)
    stations = len({trace.stats.station for trace in filtered})
    if stations < FEWEST_STATIONS:
        raise DataError(
            f"{stations} stations with a vertical component are too few to find events in continuous records "
            f"({FEWEST_STATIONS} are needed): give one file for each event"
        )
    fewest = min(stations, max(FEWEST_STATIONS, network.minimum_stations))
    found = coincidence_trigger("recstalta", ON, OFF, filtered, fewest, sta=SHORT_S, lta=LONG_S)
    return [one["time"] for one in found]


def _record(waveforms, table, start, network):
    """An event whose place nobody knows: it is put in the network's middle, where nobody looks at it."""
    stations = network.station_table().loc[table.index, list(STATION_COLUMNS)].rename(columns=STATION_COLUMNS)
    rows = table.join(stations).rename_axis("station_code").reset_index()
    time = pd.Timestamp(start.ns, unit="ns", tz="UTC")
    texts = {name for name, kind in {**EVENT_COLUMNS, **READING_COLUMNS}.items() if kind is str}
    empty = {name: "" if name in texts else np.nan for name in {**EVENT_COLUMNS, **READING_COLUMNS}}
    latitude, longitude = network.centre
    place = {"source_latitude_deg": latitude, "source_longitude_deg": longitude, "source_depth_km": 0.0}
    source_id = start.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-4]
    known = {"source_id": source_id, "source_origin_time": time, "trace_start_time": time, **place}
    onsets = {"trace_p_arrival_sample": np.nan, "trace_s_arrival_sample": np.nan}
    rows = rows.assign(**{name: value for name, value in (empty | known | onsets).items() if name not in rows})
    return EventRecord(source_id, rows, waveforms)
