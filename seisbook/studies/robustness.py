"""The robustness study: trained models on the same test events, perturbed along one axis at a time.

Nothing is trained. The book ships the models of the first random fold. The events are the test events of this fold:
real readings with rendered seismograms. No model was trained on them. Every model sees the same perturbed events, so
the errors of each event with and without the perturbation can be paired.

The classical pipeline takes part with the first hundred of these events. It picks the perturbed seismograms
automatically and uses station corrections from the training part of the real bulletin. Like the models, it has no help
from an analyst. It takes no part in the axis of wrong coordinates: it looks stations up by code, so wrong coordinates
in the event never reach it.

Two rules were written before the study was run. A model is *stable* along some axes (claims C5 and C6) if its median
epicentral error at the most harmful severity is below twice the unperturbed error, see `stability`. The *breakdown*
severity of an axis is the severity at which the error reaches twice the unperturbed error.
"""

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from seisbook import provenance
from seisbook.catalogues import bulletins, networks
from seisbook.catalogues.catalogue import Catalogue
from seisbook.datasets.library import load_events
from seisbook.datasets.store import EventRecord
from seisbook.measures import evaluation, perturbations, splits
from seisbook.models import checkpoints
from seisbook.models.classical import ClassicalLocator
from seisbook.models.picker import catalogue_from_traces
from seisbook.physics import simulation
from seisbook.studies import runner, runs
from seisbook.studies.places import PUBLISHED, model_path

MODELS = PUBLISHED
CLASSICAL_AXES = ("none", *(axis for axis in perturbations.AXES if axis != "wrong_coordinates"))
CLASSICAL_EVENTS = 100  # picking and locating an event takes ten times as long as a model needs
SAME_PLACE_KM = 0.01
QUICK_AXES, QUICK_EVENTS = ("band_pass", "joint_shift"), 60


def trials(network, source, profile) -> list[dict]:
    """The trial without perturbation, and each axis at each severity that is possible at the sampling rate."""
    common = {"network": network, "source": source, "profile": profile}
    rate = networks.load(network).window.sampling_rate_hz
    axes = QUICK_AXES if profile == "quick" else tuple(perturbations.AXES)
    perturbed = [(axis, severity) for axis in axes for severity in perturbations.severities(axis, rate)]
    return [{**common, "axis": axis, "severity": severity} for axis, severity in [("none", None), *perturbed]]


def run(trials) -> list[dict]:
    """Results of the trials: for each method, `epicentral_km`, `depth_km` and `magnitude` error of each event."""
    return [_tested(**trial) for trial in trials]


def _tested(network, source, profile, axis, severity):
    events = _events(network, source, profile)
    if axis != "none":
        rate = networks.load(network).window.sampling_rate_hz
        events = perturbations.AXES[axis].make(severity).apply(events, rate, progress=False)
    errors = {model: _predicted(*_trained(network, model), events) for model in MODELS}
    if axis in CLASSICAL_AXES:
        errors["classical"] = _located(network, source, events.select(np.arange(min(CLASSICAL_EVENTS, len(events)))))
    return errors


def _predicted(model, card, events):
    return evaluation.rounded(evaluation.errors(runs.as_locator(model, card).predict(events), events))


def _located(network, source, events):
    """Errors of the classical pipeline; an event without a location or magnitude gets the training events' medians."""
    locator, guess = _fitted(network, source)
    names = events.source_id.astype(str)
    locations = locator.predict(picked(events, locator.network))
    estimate = locations.reindex(names)[["east_km", "north_km", "depth_km", "magnitude"]].to_numpy(float)
    estimate = np.where(np.isnan(estimate), guess, estimate)
    return evaluation.rounded(evaluation.hypocentral_errors(estimate, events.y.numpy(), names))


def picked(events, network) -> Catalogue:
    """Catalogue of events with automatic readings of their seismograms.

    Parameters
    ----------
    events : Events
        With their seismograms in nm. Stations are recognised by their positions; a station elsewhere is left out.
    network : Network

    Returns
    -------
    Catalogue
        Times count from the first sample of each window, so only their differences have a meaning.
    """
    codes = station_codes(events, network)
    names, time = events.source_id.astype(str), pd.Timestamp("2000-01-01", tz="UTC")
    rows = [{"source_id": name, "source_origin_time": time} for name in names]
    catalogue = Catalogue.from_rows(network.name, "simulated", rows, [])
    records = _records(events, names, codes, time)
    return catalogue_from_traces(catalogue, records, network.window.sampling_rate_hz, progress=False)


def station_codes(events, network) -> np.ndarray:
    """Codes of all stations of all events, found by their positions; empty where the network has no such station."""
    stations = network.station_table()
    places = np.column_stack(network.to_local(stations.latitude, stations.longitude))
    distance, nearest = cKDTree(places).query(events.pos[:, :2].numpy())
    return np.where(distance < SAME_PLACE_KM, stations.index.to_numpy()[nearest], "")


def _records(events, names, codes, time):
    """Yield the events as records with windows that begin at the origin time."""
    for i, name in enumerate(names):
        rows = slice(events.start[i], events.start[i + 1])
        known = codes[rows] != ""
        waveforms = events.x[rows].float().numpy() * 10 ** events.amplitude[rows].numpy()[:, None, None]
        traces = pd.DataFrame(
            {"station_code": codes[rows][known], "trace_start_time": time, "source_origin_time": time}
        )
        yield EventRecord(name, traces, waveforms[known])


def config(trial) -> dict:
    """Configuration of a trial: the models, and the number of events for the classical pipeline."""
    return {"models": MODELS, "classical_events": CLASSICAL_EVENTS * (trial["axis"] in CLASSICAL_AXES)}


def prepare(network, source, profile):
    """Read the events, before the workers start."""
    _events(network, source, profile)


@provenance.remember
def _events(network, source, profile):
    """Test events of the first random fold, or simulated events on which no model was trained."""
    if source == "bulletin":
        return runs.parts_of(_trained(network, "dynamic")[1], False)[1]
    size = QUICK_EVENTS if profile == "quick" else runs.TWIN_EVENTS
    return load_events(networks.load(network), source, size, runs.TWIN_SEED, False)


@provenance.remember
def _trained(network, model):
    return checkpoints.load(model_path(network, model, "random", 0, "paper"))


@provenance.remember
def _fitted(network, source):
    """The classical pipeline fitted to the training events, and the median labels of these events."""
    network = networks.load(network)
    if source == "bulletin":
        catalogue = bulletins.read_bulletin(network)
        events = catalogue.events
        train, _ = splits.folds(events.index, events.source_origin_time, "random")[0]
        catalogue = catalogue.select(train)
    else:
        catalogue = simulation.simulate(network, runs.TWIN_EVENTS, runs.TWIN_SEED + 1)
    return ClassicalLocator(network, progress=False).fit(catalogue), np.nanmedian(
        runs.labels(network, catalogue), axis=0
    )


STUDY = runner.Study("robustness", trials, run, config, prepare, tolerance=provenance.LOCATED_AGAIN)
