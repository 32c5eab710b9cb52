"""Real seismograms: a model that has seen rendered ones only, on the 27 events of the Icelandic example.

The model is trained on the simulated twin of the Icelandic stations: events all over the area under them, in which
nothing of the 27 events was used. (The network's magnitude relation and the scatter of its picks were measured on
them.) What is real here is all of the test: three components, noise, and the locations and magnitudes that the source
published. The seismograms come in counts of ground velocity without an instrument response; the renderer makes ground
displacement in nm.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from scipy import signal

from seisbook.catalogues import networks, sources
from seisbook.datasets import build
from seisbook.datasets.library import load_events
from seisbook.errors import UserError
from seisbook.measures import evaluation
from seisbook.measures.perturbations import rescaled
from seisbook.models import checkpoints
from seisbook.models.classical import ClassicalLocator
from seisbook.models.picker import catalogue_from_traces
from seisbook.physics import simulation
from seisbook.physics.rendering import WOOD_ANDERSON_HZ
from seisbook.studies import runs
from seisbook.studies.places import MODELS

NAME, NETWORK = "recorded", "iceland"
MODEL = MODELS / f"{NETWORK}-twin-dynamic-paper"
TWIN_EVENTS, TWIN_SEED = 500, 2  # of the twin, for the classical pipeline's fit and the guess
LABELS = ["east_km", "north_km", "depth_km", "magnitude"]


def displacement(events, sampling_rate_hz):
    """Seismograms of ground velocity as displacement above 1.25 Hz, which is what is rendered.

    They are integrated and filtered (Butterworth, 2nd order, causal), and scaled to unit peak again, the log10 of the
    change being added to the log amplitude.

    Parameters
    ----------
    events : Events
        With their seismograms.
    sampling_rate_hz : float

    Returns
    -------
    Events
    """
    traces = signal.detrend(events.x.float().numpy(), axis=-1)
    filters = signal.butter(2, WOOD_ANDERSON_HZ, "highpass", fs=sampling_rate_hz, output="sos")
    moved = signal.sosfilt(filters, np.cumsum(traces, -1) / sampling_rate_hz, axis=-1)
    x, amplitude = rescaled(torch.from_numpy(moved.astype("float32")), events.amplitude)
    return replace(events, x=x, amplitude=amplitude)


def calibrated(events, catalogue, codes):
    """Amplitudes in nm: each station's factor is the median over the *other* events of what the source read there.

    Parameters
    ----------
    events : Events
        All with the same stations.
    catalogue : Catalogue
        With amplitudes in nm.
    codes : list of str
        Stations, in the events' order.

    Returns
    -------
    Events
        A station without any amplitude of another event takes the median factor of the others.
    """
    read = catalogue.readings.pivot(index="source_id", columns="station_code", values="trace_amplitude_nm")
    read = np.log10(read.reindex(index=events.source_id.astype(str), columns=codes).to_numpy(float))
    factor = read - events.amplitude.numpy().reshape(len(events), len(codes))
    amplitude = events.amplitude.clone().reshape(len(events), len(codes))
    for i in range(len(events)):
        median_factor = pd.DataFrame(np.delete(factor, i, 0)).median().to_numpy()
        amplitude[i] += torch.from_numpy(
            np.where(np.isnan(median_factor), np.nanmedian(median_factor), median_factor)
        ).float()
    return replace(events, amplitude=amplitude.flatten())


def estimates(progress=True) -> dict:
    """What each method says of the 27 events: (events, 4) by its name, in the order of `labels`.

    Raises
    ------
    UserError
        If the real seismograms cannot be had.
    """
    network = networks.load(NETWORK)
    if not sources.is_available(NETWORK):
        raise UserError("the Icelandic seismograms are not on this machine: set SEISBOOK_DATA_DIR, or `make data`")
    catalogue = build.read(network, "waveform", None, 0)
    events = load_events(network, "waveform", None, 0, progress)
    codes = [station.code for station in network.stations]
    rate = network.window.sampling_rate_hz
    model, card = checkpoints.load(MODEL)
    locator = runs.as_locator(model, card)
    moved = displacement(events, rate)
    by_method = {
        "model, counts of velocity": evaluation.estimates(locator.predict(events)),
        "model, displacement": evaluation.estimates(locator.predict(moved)),
        "model, displacement, calibrated": evaluation.estimates(locator.predict(calibrated(moved, catalogue, codes))),
    }
    twin = simulation.simulate(network, TWIN_EVENTS, TWIN_SEED)
    picked = catalogue_from_traces(
        catalogue, build.recorded(catalogue, network, sources.folder(NETWORK)), rate, progress
    )
    classical = ClassicalLocator(network, progress=progress).fit(twin)
    for name, picks in (("classical, the source's picks", catalogue), ("classical, own picks", picked)):
        by_method[name] = classical.predict(picks).loc[events.source_id.astype(str), LABELS].to_numpy(float)
    by_method["classical, own picks"][:, 3] = np.nan  # from counts, not from nm
    middle = np.median(runs.labels(network, twin), axis=0)
    return {**by_method, "the twin's median": np.tile(middle, (len(events), 1))}


def labels() -> np.ndarray:
    """Published hypocentres and magnitudes (events, 4), in the order of `estimates`."""
    return load_events(networks.load(NETWORK), "waveform", None, 0, False).y.numpy()
