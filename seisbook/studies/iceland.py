"""Test on real seismograms: models trained on rendered seismograms only, and the 27 events of the Icelandic example.

The models are trained on the simulated twin of the Icelandic stations, whose events lie all over the area under the
stations. The 27 events were not used to simulate it, with one exception: the network's magnitude relation and the
scatter of its picks were measured on them. All test data are real: the three components, the noise, and the locations
and magnitudes that the source published. The seismograms are counts of ground velocity without an instrument response.
The renderer produces ground displacement in nm.
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
from seisbook.models.classical import ClassicalLocator
from seisbook.models.picker import catalogue_from_traces
from seisbook.physics import simulation
from seisbook.physics.rendering import WOOD_ANDERSON_HZ
from seisbook.studies import runs
from seisbook.studies.places import MODELS

NAME, NETWORK = "recorded", "iceland"
MODELS_OF_THE_TWIN = {
    "model": MODELS / f"{NETWORK}-twin-dynamic-paper",
    "robust model": MODELS / f"{NETWORK}-robust-twin-0",
}
TWIN_EVENTS, TWIN_SEED = 500, 2  # simulated events that fit the classical pipeline and give the median estimate
LABELS = ["east_km", "north_km", "depth_km", "magnitude"]


def displacement(events, sampling_rate_hz):
    """Convert seismograms of ground velocity to displacement above 1.25 Hz, the quantity that the renderer produces.

    The seismograms are integrated and filtered (Butterworth, 2nd order, causal). Then they are scaled to unit peak
    again. The log10 of the scale is added to the log amplitude.

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
    """Convert amplitudes to nm, with one factor for each station and event.

    The factor is the median ratio of the source's amplitude to that of the seismogram, at this station, over the
    *other* events.


    Parameters
    ----------
    events : Events
        All with the same stations.
    catalogue : Catalogue
        With amplitudes in nm.
    codes : list of str
        Codes of the stations, in the order of the events' rows.

    Returns
    -------
    Events
        A station without an amplitude of another event gets the median factor of the other stations.
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
    """Estimates of the 27 events by each method: arrays (events, 4) by name of the method, in the order of `labels`.

    Raises
    ------
    UserError
        If the real seismograms are not available.
    """
    network = networks.load(NETWORK)
    if not sources.is_available(NETWORK):
        raise UserError("the Icelandic seismograms are not on this machine: set SEISBOOK_DATA_DIR, or `make data`")
    catalogue = build.read(network, "waveform", None, 0)
    events = load_events(network, "waveform", None, 0, progress)
    codes = [station.code for station in network.stations]
    rate = network.window.sampling_rate_hz
    moved = displacement(events, rate)
    shown = {"counts of velocity": events, "displacement": moved}
    shown["displacement, calibrated"] = calibrated(moved, catalogue, codes)
    by_method = {}
    for name, path in MODELS_OF_THE_TWIN.items():
        locator = runs.locator_of(*runs.load(path))
        by_method |= {f"{name}, {what}": evaluation.estimates(locator.predict(one)) for what, one in shown.items()}
    twin = simulation.simulate(network, TWIN_EVENTS, TWIN_SEED)
    picked = catalogue_from_traces(
        catalogue, build.recorded(catalogue, network, sources.folder(NETWORK)), rate, progress
    )
    classical = ClassicalLocator(network, progress=progress).fit(twin)
    for name, picks in (("classical, the source's picks", catalogue), ("classical, own picks", picked)):
        by_method[name] = classical.predict(picks).loc[events.source_id.astype(str), LABELS].to_numpy(float)
    by_method["classical, own picks"][:, 3] = np.nan  # its amplitudes are in counts, so it gives no magnitude
    middle = np.median(runs.labels(network, twin), axis=0)
    return {**by_method, "the twin's median": np.tile(middle, (len(events), 1))}


def labels() -> np.ndarray:
    """Published hypocentres and magnitudes (events, 4), in the order of `estimates`."""
    return load_events(networks.load(NETWORK), "waveform", None, 0, False).y.numpy()
