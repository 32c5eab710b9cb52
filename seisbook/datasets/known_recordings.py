"""The recorded seismograms that the book knows: how their catalogues are read, and where their records are.

Whatever a source gives is first made what a user would bring: a catalogue, a folder of miniSEED files, and a file of
instrument responses that ObsPy reads. From there on all take the path of `seisbook.datasets.waveforms`.
"""

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from seisbook.catalogues import accelerometers, openeew, ridgecrest_august, sources, uturuncu
from seisbook.datasets import waveforms


class Source(NamedTuple):
    """How one source is read.

    Parameters
    ----------
    catalogue : callable
        From the folder of its files to a `Catalogue`.
    records : callable
        From that folder, and an empty one for what has to be converted, to the folder of miniSEED and the file of
        responses (None if there are none).
    """

    catalogue: Callable
    records: Callable


def _of_iceland(folder, made):
    return folder, None


def _of_uturuncu(folder, made):
    return folder / uturuncu.SEISMOGRAMS, folder / uturuncu.RESPONSES


def _of_ridgecrest_august(folder, made):
    stations = ridgecrest_august.read_plan_stations(folder)
    records = ridgecrest_august.records(folder)
    return accelerometers.write_records(made, records, stations, ridgecrest_august.COUNTS_PER_M_S2)


def _of_mexico(folder, made):
    return accelerometers.write_records(
        made, openeew.records(folder), openeew.read_devices(folder), openeew.COUNTS_PER_M_S2
    )


SOURCES = {
    "iceland": Source(waveforms.read_iceland, _of_iceland),
    "uturuncu": Source(uturuncu.read_uturuncu, _of_uturuncu),
    "ridgecrest_august": Source(ridgecrest_august.read_ridgecrest_august, _of_ridgecrest_august),
    "mexico": Source(openeew.read_openeew, _of_mexico),
}


@contextmanager
def records_of(network: str):
    """The records of a network, fetched if need be.

    Parameters
    ----------
    network : str
        One of `SOURCES`.

    Yields
    ------
    Path
        Folder of miniSEED files, each named after the `source_id` of its event.
    Path or None
        The instruments' responses.
    """
    with TemporaryDirectory(prefix="seisbook-") as made:
        yield SOURCES[network].records(sources.folder(network), Path(made))
