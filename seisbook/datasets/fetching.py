"""Fetch the real seismograms of a bulletin's events from a data centre: `seisbook data fetch NAME --waveforms`.

For every event, the stations that read it are asked for, in the window from which `seisbook.datasets.waveforms` cuts.
An event is fetched whole or not at all, and one that is complete is not asked for again.

ObsPy's mass downloader is not used. It takes any file that exists for a complete one, also one that broke off. It asks
for the available channels anew for every event, of which a bulletin has thousands. It keeps the reason for which
something is missing in its log only. Here one request gets the responses of all stations, and one bulk request gets the
seismograms of an event.
"""

import hashlib
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import obspy
from tqdm import tqdm

from seisbook import files
from seisbook.catalogues.formats import read_file
from seisbook.catalogues.geodesy import distance_azimuth
from seisbook.datasets import fetched
from seisbook.datasets.fdsn import Failed, NoData, Server
from seisbook.datasets.fetched import INDEX, RESPONSES
from seisbook.datasets.waveforms import COMPONENTS, SLOWEST_HZ
from seisbook.errors import UserError

SERVERS = {"colombia": "EARTHSCOPE", "ridgecrest": "SCEDC"}
"""The data centre that is asked for a network's records, by a name that ObsPy knows."""
BANDS = ("HH", "EH", "BH", "SH", "HN", "HL", "EN", "BN")
"""Kinds of channels, from what is preferred: seismometers before accelerometers, fast before slow."""
NEAR_KM = 10.0  # a station further away from the bulletin's place has the same code, but is another one
BOX_DEG = 0.2  # around the network's stations
TAPER = 0.05  # of a record's length at either end, which is lost when the response is removed
MARGIN_S = 10.0  # beside it, for the filters to settle
BYTES_A_SAMPLE = 2  # of compressed miniSEED, about
MOST_FAILURES = 5  # events one after the other, after which a server is left alone


class Channel(NamedTuple):
    """A channel of a station, and when it was open."""

    network: str
    station: str
    location: str
    code: str
    rate_hz: float
    start: obspy.UTCDateTime | None
    end: obspy.UTCDateTime | None

    def is_open(self, time) -> bool:
        """Whether it was open at a time."""
        return (self.start is None or self.start <= time) and (self.end is None or time <= self.end)


class Wanted(NamedTuple):
    """What one event needs: its channels, the beginning and the end of the record."""

    channels: list[Channel]
    start: obspy.UTCDateTime
    end: obspy.UTCDateTime

    def bulk(self):
        """The event's request."""
        return [(*channel[:4], self.start, self.end) for channel in self.channels]

    def size(self):
        """Bytes that its records have, about."""
        return sum(channel.rate_hz for channel in self.channels) * (self.end - self.start) * BYTES_A_SAMPLE


@dataclass
class Outcome:
    """What was fetched: the folder, how many events of how many, and why the others were not, by `source_id`."""

    folder: Path
    asked: int
    whole: int
    skipped: dict[str, str]
    failed: dict[str, str]
    remarks: list[str]

    def __str__(self):
        lines = [f"{self.folder}: seismograms of {self.whole} of {self.asked} events"]
        for what, reasons in (("without data", self.skipped), ("failed, asked for again next time", self.failed)):
            if reasons:
                name, reason = next(iter(reasons.items()))
                lines.append(f"{len(reasons)} {what}: {name}: {reason}" + ", ..." * (len(reasons) > 1))
        return "\n".join([*lines, *self.remarks])


def fetch(network, catalogue, server=None, folder=None, progress=True) -> Outcome:
    """Fetch the records of a catalogue's events that are not here yet.

    Parameters
    ----------
    network : Network
    catalogue : Catalogue
        Its readings say which stations are asked for, and where the window of an event lies.
    server : str, optional
        As for `seisbook.datasets.fdsn.Server`; that of `SERVERS` if not given.
    folder : path, optional
        Where to keep them; `seisbook.datasets.fetched.folder` if not given.
    progress : bool

    Returns
    -------
    Outcome

    Raises
    ------
    UserError
        If the folder holds records of another server or window, the server cannot be asked, knows none of the stations
        or fails `MOST_FAILURES` times in a row, or something cannot be written. What was fetched before is kept.
    """
    folder, remarks = Path(folder or fetched.folder(network.name)), []
    with files.locked(folder / INDEX, wait=False):
        index = _open_index(folder, network, server)
        todo = [one for one in catalogue.events.index if not _is_done(folder, index, one)]
        if todo:
            remarks = _fetch(index, todo, network, catalogue, folder, progress)
    return _outcome(folder, index, catalogue, remarks)


def _fetch(index, todo, network, catalogue, folder, progress):
    """Fetch some events, and return what is to say of the stations."""
    server = Server(index["about"]["server"])
    _fetch_responses(server, network, catalogue, folder, index)
    channels = channels_of(read_file(folder / RESPONSES, "inventory"), network)
    if not channels:
        raise UserError(f"{server.name}: none of the stations of {network.name} there: give another with --server")
    wanted = {one: _wanted(one, catalogue, network, channels) for one in todo}
    files.check_space(folder, sum(one.size() for one in wanted.values()))
    _fetch_events(server, wanted, folder, index, progress)
    lacking = [station.code for station in network.stations if station.code not in channels]
    return [f"stations unknown to {server.name}: {', '.join(lacking)}"] if lacking else []


def _outcome(folder, index, catalogue, remarks):
    names = catalogue.events.index
    whole = sum(name in index["events"] for name in names)
    skipped, failed = ({n: index[kind][n] for n in names if n in index[kind]} for kind in ("skipped", "failed"))
    return Outcome(folder, len(names), whole, skipped, failed, remarks)


# --------------------------------------------------------------------------------------------------------------- index


def _open_index(folder, network, server):
    """The folder's index, or a new one; that of another network, server or window is refused."""
    index = fetched.read_index(folder) if (folder / INDEX).is_file() else None
    server = server or (index["about"].get("server") if index else SERVERS.get(network.name))
    if not server:
        raise UserError(f"{network.name}: no data centre is known for it: give one with --server")
    about = {"network": network.name, "server": server, "window": json.loads(json.dumps(asdict(network.window)))}
    if index is None:
        return {"about": about, "files": {}, "events": {}, "skipped": {}, "failed": {}}
    if changed := [key for key in about if index["about"].get(key) != about[key]]:
        held = index["about"].get(changed[0])
        raise UserError(f"{folder}: holds records of another {changed[0]} ({held}): choose or remove the folder")
    return index


def _is_done(folder, index, source_id):
    """Whether an event needs no request: the server had nothing of it, or its file is whole."""
    return source_id in index["skipped"] or fetched.is_whole(folder, index, _file(source_id))


def _file(source_id):
    return f"{source_id}.mseed"


def _keep(folder, index, name, content):
    """Write a file, and then the index that knows it."""
    files.write_whole(folder / name, content)
    index["files"][name] = hashlib.sha256(content).hexdigest()
    _write_index(folder, index)


def _write_index(folder, index):
    files.write_whole(folder / INDEX, json.dumps(index, indent=0, sort_keys=True) + "\n")


# ------------------------------------------------------------------------------------------------------------ stations


def _fetch_responses(server, network, catalogue, folder, index):
    """Fetch the StationXML of the network's stations, unless it is here."""
    if fetched.is_whole(folder, index, RESPONSES):
        return
    times = catalogue.events.source_origin_time
    during = (obspy.UTCDateTime(one.isoformat()) for one in (times.min(), times.max()))
    codes = sorted(station.code for station in network.stations)
    try:
        content = server.inventory(codes, *during, _box(network))
    except (NoData, Failed) as error:
        raise UserError(
            f"{server.name}: no responses of the stations of {network.name} ({error}): try again later, or give "
            "another server with --server"
        ) from None
    _keep(folder, index, RESPONSES, content)


def _box(network):
    """Latitudes and longitudes around the network, or nothing if it lies on both sides of the antimeridian."""
    table = network.station_table()
    box = {}
    for axis in ("latitude", "longitude"):
        box |= {f"min{axis}": table[axis].min() - BOX_DEG, f"max{axis}": table[axis].max() + BOX_DEG}
    far = box["maxlongitude"] - box["minlongitude"] > 180
    return {} if far else {name: round(float(value), 4) for name, value in box.items()}


def channels_of(inventory, network) -> dict[str, list[Channel]]:
    """Usable channels of the network's stations by code; a station of the same code elsewhere is another one."""
    places = {station.code: (station.latitude, station.longitude) for station in network.stations}
    found = {}
    for net in inventory:
        for station in net:
            place = places.get(station.code)
            if place is None or distance_azimuth(*place, station.latitude, station.longitude)[0] > NEAR_KM:
                continue
            for one in filter(_is_usable, station):
                name = net.code, station.code, one.location_code, one.code
                channel = Channel(*name, one.sample_rate, one.start_date, one.end_date)
                found.setdefault(station.code, []).append(channel)
    return found


def _is_usable(channel):
    fast = channel.sample_rate and channel.sample_rate >= SLOWEST_HZ
    return fast and channel.code[:2] in BANDS and channel.code[2:] in COMPONENTS


def _one_sensor(channels, time):
    """The channels of a station's preferred sensor at a time: most components first, then the order of `BANDS`."""
    groups = {}
    for one in channels:
        if one.is_open(time):
            groups.setdefault((one.network, one.location, one.code[:2]), {})[one.code] = one

    def rank(group):
        rows = {COMPONENTS[code[2:]] for code in group}
        return len(rows), -BANDS.index(next(iter(group))[:2])

    best = max((groups[key] for key in sorted(groups)), key=rank, default={})
    return list(best.values())


# -------------------------------------------------------------------------------------------------------------- events


def _wanted(source_id, catalogue, network, channels):
    """What an event needs: one sensor of every station that read it, around all windows that may be cut."""
    rows = catalogue.readings[catalogue.readings.source_id == source_id]
    origin = obspy.UTCDateTime(ns=catalogue.events.source_origin_time[source_id].as_unit("ns").value)
    own = [one for code in rows.station_code for one in _one_sensor(channels.get(code, ()), origin)]
    first = rows[["path_p_travel_s", "path_s_travel_s"]].min(axis=None)
    if np.isnan(first):  # no onset was read, so that no window can be cut
        return Wanted([], origin, origin)
    (least, most), length = network.window.lead_s, network.window.length_s
    margin = MARGIN_S + TAPER * (length + most - least) / (1 - 2 * TAPER)
    return Wanted(own, origin + first - most - margin, origin + first - least + length + margin)


def _fetch_events(server, wanted, folder, index, progress):
    failures = 0
    bar = tqdm(wanted.items(), desc=server.name, unit="event", disable=None if progress else True)
    for source_id, one in bar:
        index["failed"].pop(source_id, None)
        try:
            content, remarks = _records(server, one)
        except NoData as error:
            index["skipped"][source_id] = str(error)
            _write_index(folder, index)
        except Failed as error:
            index["failed"][source_id] = str(error)
            _write_index(folder, index)
            failures += 1
            if failures == MOST_FAILURES:
                raise UserError(_given_up(server, index, error)) from None
            continue
        else:
            index["events"][source_id] = remarks
            _keep(folder, index, _file(source_id), content)
        failures = 0


def _given_up(server, index, error):
    return (
        f"{server.name}: {MOST_FAILURES} events in a row failed (the last one: {error}); the records of "
        f"{len(index['events'])} are kept: give the same command again later"
    )


def _records(server, wanted):
    """The miniSEED of an event, and remarks on what is not in it."""
    if not wanted.channels:
        raise NoData("no station with an onset of it is known to the server")
    stream = server.seismograms(wanted.bulk())
    asked = {channel[:4] for channel in wanted.channels}
    own, others = obspy.Stream(), set()
    for trace in stream:
        stats = trace.stats
        known = (stats.network, stats.station, stats.location, stats.channel) in asked
        if known and stats.starttime <= wanted.end and stats.endtime >= wanted.start:
            own += trace
        else:
            others.add(trace.id)
    if not own:
        raise Failed(f"its answer holds {', '.join(sorted(others)[:3])}, nothing that was asked for")
    lacking = sorted({channel.station for channel in wanted.channels} - {trace.stats.station for trace in own})
    remarks = [f"not asked for, left out: {', '.join(sorted(others))}"] if others else []
    return _mseed(own), remarks + ([f"no data of {', '.join(lacking)}"] if lacking else [])


def _mseed(stream):
    """The traces in records of one length: a server may mix lengths, and then nothing shows that a file broke off."""
    file = io.BytesIO()
    stream.write(file, format="MSEED", reclen=512)
    return file.getvalue()
