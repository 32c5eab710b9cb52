"""New events from a reader's files, located by a robust model from its file: what `seisbook locate` prints."""

from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice

import numpy as np

from seisbook.datasets import new_events
from seisbook.measures import location
from seisbook.measures.second_opinion import Adviser, advised, at_stations
from seisbook.measures.station_influence import influence
from seisbook.studies import own_robust

PERCENT = 100 * location.CONFIDENCE  # of ellipses


@dataclass
class NewLocations:
    """New events of a dataset, located as they are asked for.

    Parameters
    ----------
    events : iterator of (Location, tuple of Opinion)
        Each event's location, and what other locators say of it.
    dataset : seisbook.datasets.graphs.EventDataset
    network : Network
        Of the model.
    """

    events: object
    dataset: object
    network: object

    def drawing(self, one) -> tuple:
        """Stations of an event by code, and the share of each in its location, for a map."""
        traces = self.dataset.metadata.iloc[self.dataset.rows[one.source_id]]
        network = at_stations(self.network, traces)
        return network.station_table(), influence(one, network)


@contextmanager
def opened(model, inputs, methods=(), progress=True, done=()):
    """Locate new events with a model.

    Parameters
    ----------
    model : path
        Of a robust model.
    inputs : list of path
        See `seisbook.datasets.new_events.opened`.
    methods : list of str
        Other locators to ask, see `seisbook.measures.second_opinion.LOCATORS`.
    progress : bool
    done : set of str
        Events, by `source_id`, that are left out.

    Yields
    ------
    NewLocations
        Good as long as the context lasts.
    """
    locator, card = own_robust.locator_of(model)
    network, known = own_robust.network_of(card), card.data.get("range")
    with new_events.opened(inputs, network, card.config, card.ground.centre) as (dataset, notes):
        dataset.source_ids = [name for name in dataset.source_ids if name not in done]
        advisers = [Adviser(method, dataset, network) for method in methods]
        located = location.locate(locator, dataset, progress, known, notes)
        yield NewLocations(_asked(located, advisers), dataset, network)


def _asked(located, advisers):
    """The locations with opinions on them, some hundreds at a time."""
    while chunk := list(islice(located, location.CHUNK if advisers else 1)):
        yield from advised(chunk, advisers)


def table(found):
    """Locations as a bulletin prints them, and how far away other locators put them.

    Parameters
    ----------
    found : list of (Location, tuple of Opinion)
    """
    printed = location.table([one for one, _ in found])
    for column, opinions in enumerate(zip(*(said for _, said in found), strict=True)):
        words = [_words(one) for one in opinions]
        printed.insert(9 + column, f"{opinions[0].method} is away by", words)
    return printed


def _words(one):
    if not np.isfinite(one.apart_km):
        return "not found"
    return f"{one.apart_km:.1f} km, {one.deeper_km:+.1f} km in depth{' (!)' * one.disagrees}"


def record(one, opinions) -> dict:
    """A location as plain values for JSON, with `opinions` if anybody was asked."""
    plain = [{k: None if v != v else v for k, v in asdict(opinion).items()} for opinion in opinions]
    return location.record(one) | ({"opinions": plain} if plain else {})
