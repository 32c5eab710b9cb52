"""Real seismograms of a bulletin's events, as `seisbook data fetch --waveforms` leaves them on this machine.

A network's folder holds one miniSEED file an event, the StationXML of its stations, and an index. The index names the
server, says of every event that was asked for what came of it, and has the hash of every file. Labels and onsets are
those of the bulletin. From here on the records take the path of a user's own miniSEED and StationXML, see
`seisbook.datasets.fetched_events`.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from seisbook.catalogues import bulletins, sources
from seisbook.errors import DataError, UserError

INDEX, RESPONSES = "index.json", "responses.xml"
FOLDER = "fdsn"
"""Folder of all that came from data centres, beside the registered files."""


def are_wanted(network, source, files=()) -> bool:
    """Whether it is the fetched records that are asked for: recorded events of a shipped bulletin, no user's files."""
    return source == "waveform" and not files and str(network) in bulletins.BULLETINS


def folder(network: str) -> Path:
    """Folder of a network's fetched records, in `SEISBOOK_DATA_DIR` or in the user's cache."""
    return (sources.data_folder() or sources.cache_folder()) / FOLDER / network


def index_files(network: str) -> list[Path]:
    """The index of a network's records, if some were fetched: it tells one state of the folder from another."""
    path = folder(network) / INDEX
    return [path] if path.is_file() else []


def read_index(place: Path) -> dict:
    """The index of a folder: `about` (network, server, window), `files` (hashes), `events`, `skipped`, `failed`.

    Raises
    ------
    DataError
        If it is damaged.
    """
    path = Path(place) / INDEX
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if all(isinstance(found[name], dict) for name in ("about", "files", "events", "skipped", "failed")):
            return found
    except (OSError, ValueError, RecursionError, TypeError, KeyError):
        pass
    raise DataError(f"{path}: a damaged index: remove the folder {place}, and fetch its records again")


def is_whole(place: Path, index: dict, name: str) -> bool:
    """Whether a file of a folder is the one that its index knows."""
    return sources.is_whole(place / name, index["files"].get(name, ""))


def catalogue(network: str) -> bulletins.Catalogue:
    """The events of a network's bulletin whose records were fetched.

    Raises
    ------
    UserError
        If none were.
    DataError
        If the index is damaged.
    """
    place = folder(network)
    events = read_index(place)["events"] if index_files(network) else {}
    if not events:
        raise UserError(
            f"{network}: no seismograms of its events in {place}: fetch them from the internet with "
            f"`seisbook data fetch {network} --waveforms`"
        )
    whole = bulletins.read_bulletin(network)
    found = whole.select(np.flatnonzero(whole.events.index.isin(list(events))))
    without = len(whole) - len(found)
    remarks = [f"{network}: {without} of {len(whole)} events left out: no seismograms of them were fetched"]
    return replace(found, source="waveform", skipped=[*whole.skipped, *remarks * bool(without)])


def records(network: str) -> tuple[Path, Path]:
    """Folder of a network's miniSEED files, and the file of responses, each with the hash that the index has.

    Raises
    ------
    DataError
        If a file is missing or damaged.
    """
    place = folder(network)
    index = read_index(place)
    for name in index["files"]:
        if not is_whole(place, index, name):
            raise DataError(
                f"{place / name}: missing or changed since it was fetched: `seisbook data fetch {network} --waveforms` "
                "fetches it again"
            )
    return place, place / RESPONSES
