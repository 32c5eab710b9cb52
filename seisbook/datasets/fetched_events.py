"""Datasets of the fetched seismograms of a bulletin's events, in ground displacement."""

from pathlib import Path

from seisbook.catalogues import networks
from seisbook.catalogues.networks import Network
from seisbook.datasets import build as datasets
from seisbook.datasets import fetched, store


def build(network, out, n_events=None, random_state=0, progress=True) -> Path:
    """Make a dataset of the records that `seisbook data fetch --waveforms` has left on this machine.

    Parameters
    ----------
    network : Network or str
        One with a shipped bulletin.
    out : path
        Folder to make.
    n_events : int, optional
        The first so many of those that were fetched; all if not given.
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
        If nothing was fetched.
    DataError
        If a file is missing or damaged; the message names it.
    """
    store.writable(out)
    network = network if isinstance(network, Network) else networks.load(network)
    catalogue = datasets.read(network, "waveform", n_events)
    folder, responses = fetched.records(network.name)
    inventory = datasets._read_inventory(responses)
    events = datasets.recorded(catalogue, network, folder, inventory, random_state)
    about = datasets.card(catalogue, network, random_state)
    return store.write(events, out, about, network.window.sampling_rate_hz, len(catalogue), progress)
