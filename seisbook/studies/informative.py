"""How informative each perturbation is, and how small an error could be under it; see `seisbook.measures.informative`.

Nothing is trained. The events are the test events of the first random fold, which the studies `robustness` and `robust`
perturb.
"""

import numpy as np

from seisbook import provenance
from seisbook.catalogues import networks
from seisbook.datasets.library import load_events
from seisbook.measures import informative, perturbations, splits
from seisbook.physics.traveltimes import TravelTimes
from seisbook.studies import runner

FLOORED = ("none", "band_pass", "independent_shift", "random_dropout", "nearest_dropout", "sector_dropout")
"""Axes under which onsets are fewer or less certain: what is wrong with one station leaves the others' floor."""
RULED = ("band_pass", "joint_shift", "independent_shift")  # axes that the rules speak of
QUICK_AXES = ("joint_shift",)


def trials(network, source, profile) -> list[dict]:
    """The events as they are, and each axis at each severity that is possible at the sampling rate."""
    rate = networks.load(network).window.sampling_rate_hz
    axes = QUICK_AXES if profile == "quick" else tuple(dict.fromkeys((*RULED, *FLOORED[1:])))
    places = [("none", None), *((axis, severity) for axis in axes for severity in perturbations.severities(axis, rate))]
    common = {"network": network, "source": source, "profile": profile}
    return [{**common, "axis": axis, "severity": severity} for axis, severity in places]


def config(trial) -> dict:
    """Configuration of a trial: the numbers of the rules."""
    rules = informative.LEAST_RATIO, informative.LARGEST_CLOCK_S, informative.RESOLUTION
    return {"rules": rules, "floor": trial["axis"] in FLOORED}


def run(trials) -> list[dict]:
    """Results of the trials: `informative`; `floor_km` of each event on the axes `FLOORED`, None without a bound; the
    median `signal_to_noise` of an octave band.
    """
    return [_asked(**trial) for trial in trials]


def _asked(network, source, profile, axis, severity):
    events, place = _events(network), networks.load(network)
    found = {"informative": severity in _informative(network).get(axis, ())}
    if axis in FLOORED:
        left = events
        if axis.endswith("dropout"):
            rate = place.window.sampling_rate_hz
            left = perturbations.AXES[axis].make(severity).apply(events, rate, progress=False)
        times, doubt = TravelTimes(place.velocity_model), informative.doubt_s(axis, severity)
        floor = informative.floor_km(left, place, times, *doubt)
        found["floor_km"] = [float(f"{value:.5g}") if np.isfinite(value) else None for value in floor]
    if axis == "band_pass":
        ratio = informative.signal_to_noise(events, place.window.sampling_rate_hz, severity)
        found["signal_to_noise"] = round(float(np.nanmedian(ratio)), 3)
    return found


@provenance.remember
def _events(network):
    events = load_events(networks.load(network), "bulletin", None, 0, False)
    _, test = splits.folds(events.source_id, events.origin_time, "random")[0]
    return events.select(test)


@provenance.remember
def _informative(network):
    return informative.severities(_events(network), networks.load(network))


def summary(result) -> dict[str, float]:
    """Numbers that a second run must reproduce."""
    found = {"informative": float(result["informative"]), "signal_to_noise": result.get("signal_to_noise", 1.0)}
    floors = [np.inf if value is None else value for value in result.get("floor_km", [1.0])]
    return {**found, "floor_km": float(np.median(floors))}


STUDY = runner.Study("informative", trials, run, config, summary=summary, tolerance=provenance.SAME_WEIGHTS.quantiles)
