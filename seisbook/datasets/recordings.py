"""Datasets of the recorded seismograms that the book knows, in ground displacement where the responses are known.

A seismogram of a seismometer or an accelerometer becomes ground displacement above 1.25 Hz in nm by one path: ObsPy
removes the response down to displacement, which integrates once or twice, and a causal high-pass follows
(`seisbook.datasets.waveforms.cut`). A user's own miniSEED and StationXML take the same path through
`seisbook data build --source waveform --catalogue ... --waveforms ... --inventory ...`.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from seisbook.catalogues import networks
from seisbook.catalogues.networks import Network
from seisbook.datasets import build as datasets
from seisbook.datasets import known_recordings, store
from seisbook.datasets.measured import PREDICTED
from seisbook.datasets.unstated import UNSTATED

BUILT_AS_A_USER_S = ("iceland",)
"""Networks whose records `seisbook.datasets.build` reads as they are: miniSEED in counts, without responses."""


def are_known(network, source, files=()) -> bool:
    """Whether events are built here: recorded ones of a network that the book knows, none of a user's own files."""
    known = set(known_recordings.SOURCES) - set(BUILT_AS_A_USER_S)
    return source == "waveform" and not files and str(network) in known


def build(network, out, n_events=None, random_state=0, progress=True) -> Path:
    """Make a dataset of a network's recorded seismograms.

    Parameters
    ----------
    network : Network or str
        One of `known_recordings.SOURCES`.
    out : path
        Folder to make.
    n_events : int, optional
        The first so many; all if not given.
    random_state : int
        Of the lead of the windows.
    progress : bool

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UserError
        If the book has no records of the network, or they cannot be had.
    DataError
        If a file is damaged; the message names it.
    """
    store.writable(out)
    network = network if isinstance(network, Network) else networks.load(network)
    catalogue = datasets.read(network, "waveform", n_events)
    with known_recordings.records_of(network.name) as (folder, responses):
        inventory = datasets._read_inventory(responses) if responses else None
        events = map(_without_predictions, datasets.recorded(catalogue, network, folder, inventory, random_state))
        about = no_depth(catalogue) | datasets.card(
            catalogue, network, random_state, unit="nm" if responses else "counts"
        )
        return store.write(events, out, about, network.window.sampling_rate_hz, len(catalogue), progress)


def no_depth(catalogue) -> dict:
    """What the card says where the source states no depth: a dataset must hold one, so it holds 0 km instead."""
    return {UNSTATED: ["source_depth_km"]} if catalogue.events.source_depth_km.isna().all() else {}


def make(name: str, out) -> Path:
    """Make the dataset that has this name among the records, such as `uturuncu-waveform-all-0`."""
    network, _, size, seed = name.split("-")
    return build(network, out, None if size == "all" else int(size), int(seed), progress=False)


def _without_predictions(record):
    """The record of an event without onsets that only said where its window lies; an unstated depth is 0 km."""
    rows = record.traces.fillna({"source_depth_km": 0.0})
    for wave in "ps":
        predicted = rows[f"trace_{wave}_status"] == PREDICTED
        rows.loc[predicted, [f"path_{wave}_travel_s", f"trace_{wave}_arrival_sample"]] = np.nan
        rows.loc[predicted, f"trace_{wave}_status"] = ""
    return replace(record, traces=rows)
