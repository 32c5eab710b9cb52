"""New events for a model to locate, from whatever files there are: a dataset, picks, or recorded seismograms."""

import logging
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path

import obspy

from seisbook.catalogues.formats import format_of
from seisbook.catalogues.stations import read_stations
from seisbook.datasets import build, picked_events, recorded_events, store
from seisbook.datasets.event_blocks import open_blocks
from seisbook.datasets.waveforms import ENDINGS, read_stream
from seisbook.errors import DataError, UserError

log = logging.getLogger(__name__)
MOST_REMARKS = 10  # that the log gets


@contextmanager
def opened(inputs, network, config, centre):
    """Open new events as a dataset of `seisbook.datasets.graphs`, which is there as long as the context.

    Parameters
    ----------
    inputs : list of path
        One dataset; or catalogues with picks, which are rendered; or files and folders of waveforms, with StationXML
        for coordinates and responses.
    network : Network
        The model's: stations that the files do not place, and the window.
    config : seisbook.models.graph.ModelConfig
    centre : (float, float)
        Latitude and longitude of the origin of the model's coordinates.

    Yields
    ------
    EventDataset
    dict of str to list of str
        What has to be said of an event, by its `source_id`.

    Raises
    ------
    UserError
        If there is no such file, or files of different kinds are mixed.
    """
    inputs = [Path(path) for path in inputs]
    if missing := [path for path in inputs if not path.exists()]:
        raise UserError(f"{missing[0]}: no such file or folder: check the path")
    if len(inputs) == 1 and any(inputs[0].glob("metadata*.csv")):
        yield open_blocks(inputs[0], config, centre), {}
        return
    with tempfile.TemporaryDirectory(prefix="seisbook-") as folder:
        notes = _build(inputs, network, Path(folder) / "new")
        yield open_blocks(Path(folder) / "new", config, centre), notes


def _build(inputs, network, folder) -> dict:
    """Write a dataset of the events, and return what has to be said of them."""
    kinds = by_kind(inputs)
    if kinds["waveform"] and kinds["event"]:
        raise UserError(f"{kinds['event'][0]}: picks beside waveforms: give one of the two")
    if not kinds["waveform"] and not kinds["event"]:
        raise UserError(f"{inputs[0]}: neither a dataset nor a file with picks or waveforms: check the path")
    return (_recorded if kinds["waveform"] else _picked)(kinds, network, folder)


def by_kind(inputs) -> dict[str, list[Path]]:
    """Files by what they hold: `waveform`, `inventory`, `event`; in folders, what is neither is passed over."""
    kinds = {"waveform": [], "inventory": [], "event": []}
    for path in inputs:
        inside = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        for file in inside:
            kind = _kind(file)
            if kind or not path.is_dir():
                kinds[kind or "event"].append(file)
    return kinds


def _kind(path):
    if path.suffix[1:].lower() in ENDINGS:
        return "waveform"
    for kind in ("event", "inventory", "waveform"):
        try:
            if format_of(path, kind):
                return kind
        except (DataError, OSError):
            continue
    return ""


def _picked(kinds, network, folder):
    """Write the events of catalogues with picks."""
    stations = _stations(kinds, network)
    network, notes = replace(network, stations=stations), {}
    catalogues = [picked_events.read(path, network) for path in kinds["event"]]
    log.warning("these seismograms are rendered from picks: no waveform was given")
    events = (one for catalogue in catalogues for one in picked_events.records(catalogue, network, notes))
    remarks = [line for catalogue in catalogues for line in catalogue.skipped]
    _say(remarks)
    card = build.card(catalogues[0], network, 0)
    store.write(_some(events, kinds["event"], remarks), folder, card, network.window.sampling_rate_hz)
    return notes


def _recorded(kinds, network, folder):
    """Write the events of recorded seismograms."""
    streams, remarks = [], []
    for path in kinds["waveform"]:
        try:
            streams.append(read_stream(path))
        except DataError as error:
            remarks.append(f"file left out: {error}")
    network = replace(network, stations=_stations(kinds, network))
    inventory = _responses(kinds["inventory"])
    card = {
        "network": network.name,
        "source": "waveform",
        "unit": "nm" if inventory else "counts",
        "centre": network.centre,
        "window_s": network.window.length_s,
        "sampling_rate_hz": network.window.sampling_rate_hz,
        "skipped": remarks,
    }
    events = recorded_events.records(streams, network, inventory, remarks)
    store.write(_some(events, kinds["waveform"], remarks), folder, card, network.window.sampling_rate_hz)
    _say(remarks)
    return {}


def _some(events, paths, remarks):
    """The events, of which there must be one."""
    events = iter(events)
    first = next(events, None)
    if first is None:
        why = remarks[-1] if remarks else "they hold no P or S onset"
        raise UserError(f"{paths[0]}: no event found in {len(paths)} files: {why}")
    return chain([first], events)


def _stations(kinds, network):
    """The stations that the inventories place, and the network's others; the network's terms stay with a station."""
    own = {station.code: station for station in network.stations}
    for path in kinds["inventory"]:
        for station in read_stations(path):
            known = own.get(station.code, station)
            place = {name: getattr(station, name) for name in ("latitude", "longitude", "elevation_m")}
            own[station.code] = replace(known, **place)
    return list(own.values())


def _responses(paths):
    """The inventory of all files, or None if none of its channels has a response."""
    whole = obspy.Inventory()
    for path in paths:
        whole += build._read_inventory(path)
    channels = [channel for net in whole for station in net for channel in station]
    return whole if any(one.response and one.response.response_stages for one in channels) else None


def _say(remarks):
    for line in remarks[:MOST_REMARKS]:
        log.warning(line)
    if len(remarks) > MOST_REMARKS:
        log.warning("and %d remarks more", len(remarks) - MOST_REMARKS)
