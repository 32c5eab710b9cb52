"""Twins with real texture, and the real Icelandic seismograms that models of these twins are tested on.

The texture and the noise come from Uturuncu alone. No trace of Iceland takes part in a training of an arm.
"""

from dataclasses import replace

import numpy as np
import torch

from seisbook import provenance
from seisbook.catalogues import networks, sources
from seisbook.datasets import build
from seisbook.datasets.events import Events
from seisbook.datasets.library import load_events, load_metadata
from seisbook.datasets.real_records import WINDOW, uturuncu
from seisbook.measures.perturbations import rescaled
from seisbook.models.real_training import RealOnsetLocator, single_records
from seisbook.models.robust_training import RobustTraining
from seisbook.physics import texture as textures
from seisbook.physics.texture import Ingredients, Texture
from seisbook.studies import iceland, robust_models
from seisbook.studies.robust_models import MAIN, TWIN_SEED

ARMS = {
    "rendered": None,
    "real noise": Ingredients(noise=True),
    "real texture": Ingredients(texture=True),
    "noise and texture": Ingredients(noise=True, texture=True),
    "site terms too": Ingredients(noise=True, texture=True, site=True),
    "velocity too": Ingredients(noise=True, texture=True, site=True, velocity=True),
    "real onsets too": Ingredients(noise=True, texture=True, site=True, velocity=True),
}
"""What of a rendering is real; the last arm's stem sees the real records of Uturuncu and their picks, too."""
REAL_ONSETS = "real onsets too"
UNITS = ("counts", "displacement")
TRAININGS = {
    "quick": (100, RobustTraining(stem_epochs=1, graph_epochs=1, copies=1)),
    "paper": (1000, RobustTraining(stem_epochs=4, graph_epochs=8, copies=2)),
}
"""Events of the twin by profile, and the training: the published recipe, on a third of its events."""


@provenance.remember
def texture_for(network) -> Texture:
    """Texture of the real records of Uturuncu, for the window of a network."""
    records = uturuncu()
    return textures.measure(*records, WINDOW.sampling_rate_hz, networks.load(network).window)


def with_texture(network, metadata, ingredients, random_state=0):
    """Seismograms of events that were rendered before, rendered again with real texture.

    Parameters
    ----------
    network : str
    metadata : DataFrame
        A row for each trace, as `seisbook.datasets.library.load_metadata` returns them.
    ingredients : Ingredients
    random_state : int

    Returns
    -------
    ndarray of float32, shape (stations, 3, samples)
    """
    place, texture = networks.load(network), texture_for(network)
    codes = [station.code for station in place.stations]
    rng, parts = np.random.default_rng(random_state), []
    for number, (_, rows) in enumerate(metadata.groupby("source_id", sort=False)):
        if number % textures.SOURCE_EVENTS == 0:
            owners = textures.draw_sources(codes, texture, rng)
        parts.append(textures.render_event(rows, place.window, texture, ingredients, random_state, owners))
    return np.concatenate(parts)


def twin(network, profile, arm) -> Events:
    """Events of the twin, their seismograms rendered as an arm says."""
    place, (size, _) = networks.load(network), TRAININGS[profile]
    events = load_events(place, "simulated", size, TWIN_SEED, False)
    if ARMS[arm] is None:
        return events
    metadata = load_metadata(place, "simulated", size, TWIN_SEED, False)
    metadata = metadata.set_index("source_id").loc[events.source_id].reset_index()
    made = torch.from_numpy(with_texture(network, metadata, ARMS[arm]))
    x, amplitude = rescaled(made, torch.zeros(len(made)))
    return replace(events, x=x, amplitude=amplitude)


@provenance.remember
def trained(network, profile, arm, seed) -> RealOnsetLocator:
    """The robust model, trained on an arm's twin."""
    place, (_, training) = networks.load(network), TRAININGS[profile]
    real = None
    if arm == REAL_ONSETS:
        records = uturuncu()
        velocity = textures.resampled(records.velocity, WINDOW.sampling_rate_hz, place.window.sampling_rate_hz)
        both = [velocity, textures.displacement(velocity, place.window.sampling_rate_hz)]
        real = single_records(np.concatenate(both), np.concatenate([records.onset_s] * 2), place.window, seed)
    config = robust_models.configuration(MAIN, place)
    return RealOnsetLocator(place, config, training, seed, real=real).fit(twin(network, profile, arm), progress=False)


# ---------------------------------------------------------------------------------------------------- real seismograms


@provenance.remember
def real_events(network, unit) -> Events:
    """The real events of a network, as counts of velocity or as displacement.

    Events of other networks than Iceland are displacement when they are loaded: their responses are known.
    """
    place = networks.load(network)
    events = load_events(place, "waveform", None, 0, False)
    return (
        events
        if unit == "counts" or network != iceland.NETWORK
        else iceland.displacement(events, place.window.sampling_rate_hz)
    )


def padded(events: Events, samples) -> Events:
    """Events whose seismograms go on with silence, up to the length of a model's window."""
    return replace(events, x=torch.nn.functional.pad(events.x, (0, samples - events.x.shape[-1])))


def offsets(events: Events, graph) -> np.ndarray:
    """Magnitude of each station minus the label, at the label (events, stations); NaN where one is missing."""
    shape = len(events), -1
    amplitude = events.amplitude.reshape(shape)
    each = graph.station_magnitudes(events.y[:, :3], events.pos.reshape(*shape, 3), amplitude) - events.y[:, 3:]
    return torch.where(amplitude > -30.0, each, torch.nan).detach().numpy()


def calibrated(events: Events, offset) -> Events:
    """Events whose log amplitudes are lowered by an offset (events or 1, stations)."""
    lowered = events.amplitude.reshape(len(events), -1) - torch.from_numpy(np.asarray(offset)).float()
    return replace(events, amplitude=lowered.flatten())


def station_medians(offset) -> np.ndarray:
    """Median offset of each station (1, stations), that of all where a station has none."""
    with np.errstate(all="ignore"):
        found = np.array([np.median(one[np.isfinite(one)]) if np.isfinite(one).any() else np.nan for one in offset.T])
    return np.where(np.isfinite(found), found, np.nanmedian(offset))[None]


def rendered_again(network) -> list:
    """Records (`EventRecord`) of the real events, rendered from their readings."""
    place = networks.load(network)
    catalogue = build.read(place, "waveform", None, 0)
    return list(build.rendered(catalogue, place, 0))


def recordings(network) -> list:
    """Records (`EventRecord`) of the real events as the instruments gave them."""
    place = networks.load(network)
    return list(build.recorded(build.read(place, "waveform", None, 0), place, sources.folder(network)))
