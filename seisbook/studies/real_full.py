"""The ladder on the whole recipe: each real ingredient in as many events as the published model was trained on.

The study `real` had time for a third of the published model's events. Here every arm is the published recipe as it
stands: 3,000 events of Iceland's twin, four passes of the stem, eight of the graph part, with every kind of trouble.
Arms differ in what is real in the rendering alone:

- `rendered`: nothing, as in all chapters. The first seed is the published model itself;
- `full twin`: noise, texture and sites of Uturuncu, and half of the events as velocity, which are all ingredients of
  rendering that `real` has;
- `hourly noise`: the same, and the level of the noise changes from hour to hour for all stations together, as it does
  at Uturuncu, see `seisbook.physics.hourly_noise`;
- `real onsets`: the full twin, and the stem also learns from the picks of the real records of Uturuncu.

The tests are those of `real`: the 27 real events of Iceland, as counts and as displacement. No trace of Iceland takes
part in a training.

The rule was written before an arm of this study was trained. An ingredient *helps* if the 95 % interval over events of
the ratio of median epicentral errors, with it over without it, lies below one, *harms* if it lies above, and is
*undecided* otherwise; both seeds of an arm count as observations of the same event. On both kinds of signals, the full
twin is compared with `rendered`, and `hourly noise` and `real onsets` with the full twin. Beside the ingredients, three
times as many events are compared: `rendered`, the full twin and `real onsets`, each with the same arm of `real`. The
full twin and `real onsets` are judged by the targets of `real`, each of which has to be met with both seeds.

A training takes about three minutes of one core. So nothing of the recipe was cut, and time for two seeds was left, as
many as `real` has.

What had been seen before: the results of `real`, and the levels of noise at Uturuncu. A cosine of 24 hours explains
little of those levels, so no daily cycle is drawn.
"""

from dataclasses import replace

import numpy as np
import torch

from seisbook import provenance
from seisbook.catalogues import networks
from seisbook.datasets.library import load_events, load_metadata
from seisbook.datasets.real_records import WINDOW, uturuncu
from seisbook.measures.perturbations import rescaled
from seisbook.models.real_training import RealOnsetLocator, single_records
from seisbook.physics import hourly_noise
from seisbook.physics import texture as textures
from seisbook.studies import real, real_twin, robust_models, runner
from seisbook.studies.robust_models import MAIN, RECIPES, TWIN_SEED

RENDERED, FULL, HOURLY, ONSETS = "rendered", "full twin", "hourly noise", "real onsets"
ARMS = {
    RENDERED: None,
    FULL: real_twin.ARMS["velocity too"],
    HOURLY: real_twin.ARMS["velocity too"],
    ONSETS: real_twin.ARMS["velocity too"],
}
"""What of a rendering is real."""
UNITS = real_twin.UNITS
HOURS = "hours"
SEEDS = {"quick": 1, "paper": 2}
HOURS_FROM = "uturuncu"


def trials(network, source, profile) -> list[dict]:
    """The measured hours, and each arm with each seed on both kinds of signals."""
    common = {"network": network, "source": source, "profile": profile}
    arms = (HOURLY,) if profile == "quick" else ARMS
    located = [
        {"test": "located", "arm": arm, "seed": seed, "unit": unit}
        for arm in arms
        for seed in range(SEEDS[profile])
        for unit in UNITS
    ]
    return [{**common, **one} for one in ({"test": HOURS, "arm": ""}, *located)]


def config(trial) -> dict:
    """Configuration of a trial: what its arm renders, and the training."""
    recipe = RECIPES[trial["profile"]]
    return {"training": [recipe.twin_events, recipe.twin, TWIN_SEED], "ingredients": ARMS.get(trial["arm"])}


def group(trial):
    """Trials of one training."""
    return tuple(trial.get(name) for name in ("network", "profile", "arm", "seed"))


def run(trials) -> list[dict]:
    """Results of the trials of one group, in order.

    Returns
    -------
    list of dict
        Of `hours`: the `level` of each event's hour at Uturuncu (log10), and the `daily_share` of their variance. Of a
        test `located`: what `seisbook.studies.real` says of one.
    """
    return [_hours() if trial["test"] == HOURS else _locate(trial) for trial in trials]


def _hours():
    found, share = hours()
    return {"level": [round(float(value), 3) for value in found], "daily_share": round(share, 3)}


def _locate(trial):
    network = trial["network"]
    events, locator = real_twin.real_events(network, trial["unit"]), trained(*group(trial))
    offset = real_twin.offsets(events, locator.model_.graph)
    others = np.concatenate([real_twin.station_medians(np.delete(offset, i, 0)) for i in range(len(events))])
    found = real._errors(locator, events, real_twin.calibrated(events, others))
    return {**found, **real._by_solver(locator, events, network)}


@provenance.remember
def trained(network, profile, arm, seed):
    """The robust model (`RobustLocator`) that an arm's twin has trained."""
    if (profile, arm, seed) == ("paper", RENDERED, 0):
        return real._of_arm({"network": network, "arm": real.PUBLISHED})
    place = networks.load(network)
    onsets = _onsets(place.window, seed) if arm == ONSETS else None
    settings = robust_models.configuration(MAIN, place), RECIPES[profile].twin, seed
    return RealOnsetLocator(place, *settings, real=onsets).fit(twin(network, profile, arm), progress=False)


def _onsets(window, seed):
    """Real records of Uturuncu with their picks, as velocity and as displacement."""
    records, rate = uturuncu(), window.sampling_rate_hz
    velocity = textures.resampled(records.velocity, WINDOW.sampling_rate_hz, rate)
    both = np.concatenate([velocity, textures.displacement(velocity, rate)])
    return single_records(both, np.concatenate([records.onset_s] * 2), window, seed)


@provenance.remember
def twin(network, profile, arm):
    """Events of the twin (`Events`), their seismograms rendered as an arm says."""
    place = networks.load(network)
    asked = place, "simulated", RECIPES[profile].twin_events, TWIN_SEED, False
    events = load_events(*asked)
    if ARMS[arm] is None:
        return events
    readings = _readings(events, asked)
    if arm == HOURLY:
        readings = hourly_noise.changed(readings, hours()[0].to_numpy(), place.window.sampling_rate_hz)
    made = torch.from_numpy(real_twin.with_texture(network, readings, ARMS[arm]))
    x, amplitude = rescaled(made, torch.zeros(len(made)))
    return replace(events, x=x, amplitude=amplitude)


@provenance.remember
def hours():
    """Noise level of each hour that was measured at Uturuncu (Series), and the share of a daily cycle."""
    place = networks.load(HOURS_FROM)
    asked = place, "waveform", None, 0, False
    events = load_events(*asked)
    names = _readings(events, asked).station_code.to_numpy()
    number = np.repeat(np.arange(len(events)), np.diff(events.start))
    traces, peak, p_s = events.x.float().numpy(), events.amplitude.numpy(), events.onset_s.numpy()[:, 0]
    found = hourly_noise.levels(traces, peak, p_s, names, number, place.window.sampling_rate_hz)
    time = events.origin_time[found.index]
    hour = (time - time.astype("datetime64[D]")) / np.timedelta64(1, "h")
    return found, hourly_noise.daily_share(found.to_numpy(), hour)


def _readings(events, asked):
    """Metadata of the traces of events, in their order."""
    return load_metadata(*asked).set_index("source_id").loc[events.source_id.astype(str)].reset_index()


STUDY = runner.Study("real-full", trials, run, config, group=group, batch=2)
