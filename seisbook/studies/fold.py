"""The first random fold of a network's events, on which the studies train and test."""

from dataclasses import dataclass

import numpy as np

from seisbook import provenance
from seisbook.catalogues import networks
from seisbook.datasets.events import Events
from seisbook.datasets.library import load_events
from seisbook.measures.splits import folds
from seisbook.studies.pretraining import pretrained

SIMULATED = {"quick": 150, "paper": 1000}  # events, by profile
SEED = 3  # of the simulated events; no stem was trained on these events


@dataclass(frozen=True)
class Fold:
    """Events, divided into training and test events.

    Parameters
    ----------
    events : Events
        Training and test events.
    train, test : ndarray of int
        Positions of the training and of the test events.
    """

    events: Events
    train: np.ndarray
    test: np.ndarray

    @property
    def shown(self) -> Events:
        """The training events."""
        return self.events.select(self.train)

    @property
    def held(self) -> Events:
        """The test events."""
        return self.events.select(self.test)


def study_events(network, source, profile, rendering=0) -> Events:
    """Events of a study: those of the real bulletin in one rendering, or new events of the simulated twin.

    Parameters
    ----------
    network : str
    source : {"bulletin", "simulated"}
    profile : {"quick", "paper"}
    rendering : int
        Seed of the rendering of real readings. It does not change simulated events, which have one rendering.
    """
    size, seed = (SIMULATED[profile], SEED) if source == "simulated" else (None, rendering)
    return load_events(networks.load(network), source, size, seed, False)


@provenance.remember
def first_fold(network, source, profile) -> Fold:
    """The first random fold, with seismograms."""
    events = study_events(network, source, profile)
    return Fold(events, *folds(events.source_id, events.origin_time, "random")[0])


@provenance.remember
def first_fold_read(network, source, profile) -> Fold:
    """The first random fold; the stem of the network's twin has read the seismograms."""
    fold = first_fold(network, source, profile)
    twin, _ = pretrained(network, "dynamic", profile)
    return Fold(fold.events.read_by(twin), fold.train, fold.test)
