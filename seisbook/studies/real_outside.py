"""Two outside tests on real seismograms: onsets at Uturuncu, and earthquakes of Mexico.

Models that have been trained on rendered seismograms alone meet records of two networks that took no part in their
training, in their renderer, or in a choice of the book. The seismograms are ground displacement in nm above 1.25 Hz.
Rules and targets were written before a model had been tested on one of these records.

*Onsets.* The 50 events of Uturuncu (Bolivia) have P and S picks of an analyst. The published robust models of
Ridgecrest and of Iceland's twin find onsets in the same windows, as does the automatic picker of the classical
pipeline. The arms of `seisbook.studies.real` are not tested here, because their noise, texture or onsets come from
Uturuncu. What is measured is the share of the picks, of P and of S, that have an onset within 0.5 s. A pick where a
method finds no onset counts as missed. The target is that of `seisbook.studies.real`, 80 %.

*Earthquakes.* OpenEEW's 17 earthquakes of Mexico have magnitudes from 4.1 to 7.4. They were recorded by 13 to 21
low-cost accelerometers each, whose clocks are off by up to a second. The source states no depths, and no onset was
picked. The model is that of the network's simulated twin, as `seisbook train --network mexico` makes it: 500 simulated
events, from the weights of the shipped model whose window is most similar, Colombia's. The network's file holds
choices alone; nothing in it was measured on one of the 17 records. Beside the model are the same onsets in an untrained
graph part (robust Gauss-Newton steps on travel times), the classical pipeline with its own picks, and a guess, the
median of the twin's events. Targets: median epicentral error at most 20 km, nine in ten within 60 km, root mean square
error of the magnitude at most 0.3. Amplitudes are in nm, so magnitudes are taken as they are. The model *locates
better* than another method if the 95 % interval of the ratio of median epicentral errors lies below one, and *worse* if
it lies above one.

A target is *met* if the whole 95 % interval lies on its side, *missed* if it lies on the other, else *undecided*.
Intervals are over events, all picks of an event together.

What the tests leave out: the windows of Mexico begin 5 to 15 s before a P onset that was predicted from the catalogue;
in an application, a trigger would have to place them. Peterson's models end below the noise of these devices, so the
twin is too quiet. The high-pass takes the largest part of the motion of large earthquakes away.
"""

import numpy as np

from seisbook import provenance
from seisbook.catalogues import networks
from seisbook.datasets import build
from seisbook.datasets.known_recordings import records_of
from seisbook.datasets.library import load_events
from seisbook.errors import UserError
from seisbook.measures import evaluation
from seisbook.models import robust_checkpoints
from seisbook.models.classical import ClassicalLocator
from seisbook.models.picker import catalogue_from_traces, pick_onsets
from seisbook.models.robust import RobustModel
from seisbook.models.robust_training import RobustLocator
from seisbook.physics import simulation
from seisbook.studies import iceland, own_robust, robust_models, runner, runs
from seisbook.studies.places import MODELS
from seisbook.studies.robust_models import MAIN, TWIN_SEED

ONSETS, EARTHQUAKES = "uturuncu", "mexico"
PICKER, TWIN, CLASSICAL, GUESS = "picker", "twin", "classical", "guess"
READERS = {
    "ridgecrest": MODELS / "ridgecrest-robust-random-0",
    "iceland": iceland.MODELS_OF_THE_TWIN["robust model"],
}
"""Published models whose stems find onsets."""
METHODS = {ONSETS: (*READERS, PICKER), EARTHQUAKES: (TWIN, CLASSICAL, GUESS)}


def trials(network, source, profile) -> list[dict]:
    """A trial for each method of a network.

    Raises
    ------
    UserError
        If it is none of the two networks of this study.
    """
    if network not in METHODS:
        raise UserError(
            f"{network}: the study real-outside tests {' and '.join(METHODS)}: give one of them as --network"
        )
    where = {"network": network, "source": source, "profile": profile}
    return [{**where, "method": method} for method in METHODS[network]]


def config(trial) -> dict:
    """Configuration of a trial: how the twin's model is trained, if there is one."""
    return {"recipe": own_robust.RECIPES[trial["profile"]]} if trial["method"] == TWIN else {}


def run(trials) -> list[dict]:
    """Results of the trials, in order.

    Returns
    -------
    list of dict
        Of Uturuncu, for P and S: `p_event`, the number of the event of each pick, and `p_off_s`, onset found minus
        pick in seconds (None where none was found). Of Mexico: `epicentral_km`, signed errors `magnitude`, and
        `estimate` (east, north, depth, magnitude) of each event; of the twin's model also `solver_epicentral_km`.
    """
    tests = {ONSETS: _onsets, EARTHQUAKES: _earthquakes}
    return [tests[trial["network"]](trial) for trial in trials]


def _recorded(network):
    """The real events of a network."""
    return load_events(networks.load(network), "waveform", None, 0, False)


# --------------------------------------------------------------------------------------------------------------- onsets


def _onsets(trial):
    """How far a method's onsets are from the analyst's picks."""
    events = _recorded(trial["network"])
    if trial["method"] == PICKER:
        rate = networks.load(trial["network"]).window.sampling_rate_hz
        found = np.column_stack(pick_onsets(events.x.float().numpy(), rate))
    else:
        found = runs.locator_of(*runs.load(READERS[trial["method"]])).read(events).onset_s.numpy()
    off, number = found - events.onset_s.numpy(), np.repeat(np.arange(len(events)), np.diff(events.start))
    result = {}
    for wave, column, picked in zip("ps", off.T, events.onset_s.isfinite().numpy().T, strict=True):
        result[f"{wave}_event"] = number[picked].tolist()
        result[f"{wave}_off_s"] = _listed(column[picked])
    return result


def _listed(values):
    """Values of five digits, None where one is not finite."""
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values]


# ---------------------------------------------------------------------------------------------------------- earthquakes


def _earthquakes(trial):
    """Errors of a method on the earthquakes."""
    events = _recorded(trial["network"])
    if trial["method"] != TWIN:
        estimates = {CLASSICAL: _classical, GUESS: _guess}[trial["method"]](trial["network"], events)
        return _errors(estimates, events)
    locator = trained(trial["network"], trial["profile"])
    found = locator.read(events)
    result = _errors(evaluation.estimates(locator.predict(events, found)), events)
    alone = RobustLocator(locator.network, locator.config)
    alone.model_ = RobustModel(locator.config, locator.network).eval()
    alone.model_.graph.depth_prior = locator.model_.graph.depth_prior
    by_solver = alone.predict(events, found._replace(state=found.state * 0))
    return {**result, "solver_epicentral_km": _errors(evaluation.estimates(by_solver), events)["epicentral_km"]}


def _errors(estimates, events):
    """Errors of estimates (events, 4); the labels have no depth."""
    off = estimates - events.y.double().numpy()
    errors = {"epicentral_km": _listed(np.hypot(off[:, 0], off[:, 1])), "magnitude": _listed(off[:, 3])}
    return {**errors, "estimate": [_listed(row) for row in estimates]}


@provenance.remember
def trained(network, profile) -> RobustLocator:
    """The robust model of a network's twin, from the weights of the shipped model with the most similar window."""
    place, recipe = networks.load(network), own_robust.RECIPES[profile]
    events = load_events(place, "simulated", recipe.twin_events, TWIN_SEED, False)
    start = RobustModel(robust_models.configuration(MAIN, place), place)
    shipped, own = robust_checkpoints.load(own_robust.shipped_for(place))[0], dict(start.named_parameters())
    weights = {name: value for name, value in shipped.named_parameters() if own[name].shape == value.shape}
    start.load_state_dict(weights, strict=False)
    return RobustLocator(place, start.config, recipe.twin, 0, start).fit(events, progress=False)


def _classical(network, events):
    """Estimates of the classical pipeline, which simulated events have fitted, with its own picks."""
    place = networks.load(network)
    catalogue = build.read(place, "waveform", None, 0)
    with records_of(network) as (folder, responses):
        recorded = build.recorded(catalogue, place, folder, build._read_inventory(responses), 0)
        picked = catalogue_from_traces(catalogue, recorded, place.window.sampling_rate_hz, False)
    twin = simulation.simulate(place, iceland.TWIN_EVENTS, iceland.TWIN_SEED)
    located = ClassicalLocator(place, progress=False).fit(twin).predict(picked)
    return located.loc[events.source_id.astype(str), iceland.LABELS].to_numpy(float)


def _guess(network, events):
    """The median of the twin's events, for each event."""
    place = networks.load(network)
    labels = runs.labels(place, simulation.simulate(place, iceland.TWIN_EVENTS, iceland.TWIN_SEED))
    return np.tile(np.median(labels, axis=0), (len(events), 1))


STUDY = runner.Study("real-outside", trials, run, config)
