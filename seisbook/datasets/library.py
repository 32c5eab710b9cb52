"""Events by name: each dataset is built once, kept under `_build/data`, and read into memory."""

import tempfile
from functools import lru_cache
from pathlib import Path

import pandas as pd

from seisbook import provenance
from seisbook.catalogues import networks, sources
from seisbook.datasets.events import Events
from seisbook.files import locked
from seisbook.paths import BUILD

BUILDER, RECORDINGS = "seisbook.datasets.build:build", "seisbook.datasets.recordings:build"
FETCHED = "seisbook.datasets.fetched_events:build"


@provenance.stage
def load_events(network, source, n_events=None, random_state=0, progress=True, catalogue_files=None) -> Events:
    """Events of a network from one source, built unless that has been done with the code as it is.

    Parameters
    ----------
    network : Network
    source : {"bulletin", "simulated", "waveform"}
        Seismograms of a bulletin's events are those that `seisbook data fetch --waveforms` has left here.
    n_events : int, optional
        The first so many; all if not given.
    random_state : int
    progress : bool
    catalogue_files : list of path, optional
        Instead of the network's own bulletin.
    """
    if source == "bulletin" and not catalogue_files:
        catalogue_files = networks.bulletin_of(network)
    name = name_of(network.name, source, n_events, random_state, catalogue_files)
    with provenance.unwatched():
        folder = _built(name, network, source, n_events, random_state, progress, catalogue_files)
        events, content = _read(folder, f"events:{name}", progress)
    provenance.note(f"events:{name}", content)
    return events


def load_metadata(network, source, n_events=None, random_state=0, progress=True) -> pd.DataFrame:
    """Metadata of the traces behind `load_events`, one row per trace."""
    name = name_of(network.name, source, n_events, random_state)
    with provenance.unwatched():
        folder = _built(name, network, source, n_events, random_state, progress)
    from seisbook.datasets.unstated import metadata_without_unstated

    table = pd.read_csv(folder / "metadata.csv", dtype={"source_id": str, "station_code": str})
    return metadata_without_unstated(table, folder)


def _built(name, network, source, n_events, random_state, progress, catalogue_files=None):
    """Folder of a dataset, which is built if it is not there and no other worker is building it."""
    builder, files = _made_of(network, source, catalogue_files)
    folder = BUILD / "data" / f"{name}-{_stamp(network, files, builder)}"
    if not folder.is_dir():
        from seisbook.datasets import build, fetched_events, recordings  # ObsPy, which finding a built one does without

        with locked(folder.with_name(f"{folder.name}.build")):
            if not folder.is_dir():
                what = network, folder, n_events, random_state, progress
                if builder == FETCHED:
                    fetched_events.build(*what)
                elif recordings.are_known(network.name, source, catalogue_files):
                    recordings.build(*what)
                else:
                    files = {"catalogue_files": catalogue_files, "progress": progress}
                    build.build(network, source, folder, n_events, random_state, **files)
    return folder


def _made_of(network, source, catalogue_files):
    """What builds a dataset, and the files that tell one state of it from another."""
    if source != "waveform":
        return BUILDER, catalogue_files
    from seisbook.datasets import fetched  # loads ObsPy

    if fetched.are_wanted(network.name, source, catalogue_files):
        return FETCHED, fetched.index_files(network.name)  # more may be fetched later
    return BUILDER if network.name == "iceland" else RECORDINGS, catalogue_files


def name_of(network, source, n_events, random_state, catalogue_files=None) -> str:
    """Name of a dataset, such as `colombia-bulletin-all-0`."""
    files = [Path(path).stem for path in catalogue_files or ()]
    return "-".join([network, source, str(n_events or "all"), str(random_state), *files])


def _stamp(network, catalogue_files, builder=BUILDER):
    """Hash of what a dataset is built with, beside its name."""
    files = [Path(path).read_bytes().hex() for path in catalogue_files or ()]
    return provenance.digest([network, files, provenance.code_hash(builder)])


def make(name) -> Events:
    """Events of this name, built from the start in a folder that is removed again."""
    from seisbook.datasets import build

    network, source, size, seed, *stems = name.split("-", 4)
    files = [sources.fetch(known) for known in sources.registry() if Path(known).stem in stems]
    size = None if size == "all" else int(size)
    with tempfile.TemporaryDirectory() as folder:
        built = build.build(
            network, source, Path(folder) / name, size, int(seed), catalogue_files=files, progress=False
        )
        return _events(built, False)


@lru_cache(maxsize=3)  # many models are trained on the same events, one after the other
def _read(folder, name, progress):
    events = in_memory(folder, progress)
    return events, provenance.content_of(name, events.arrays())


def in_memory(folder, progress=False) -> Events:
    """Events of a dataset of `seisbook.datasets.recordings` or `build`; labels that its source lacks are NaN."""
    from seisbook.datasets.unstated import without_unstated

    return without_unstated(_events(folder, progress), folder)


def _events(folder, progress):
    from seisbook.datasets.graphs import EventDataset  # PyG is not loaded by who only asks for a key

    return Events.from_dataset(EventDataset(folder), progress)
