"""New events from a reader's files, located by a robust model from its file: what `seisbook locate` prints."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from seisbook.datasets import new_events
from seisbook.measures import location
from seisbook.measures.location import Location
from seisbook.models import robust_checkpoints
from seisbook.studies import own_robust


class Found(NamedTuple):
    """Locations, one after the other as they are made; the `EventDataset` of the events; and the model's `Network`."""

    locations: Iterator[Location]
    dataset: object
    network: object


@contextmanager
def opened(model, inputs, progress=True):
    """Locate new events with a model.

    Parameters
    ----------
    model : path
        Of a robust model.
    inputs : list of path
        See `seisbook.datasets.new_events.opened`.
    progress : bool

    Yields
    ------
    Found
        Good as long as the context lasts.
    """
    trained, card = robust_checkpoints.load(model)
    network, known = own_robust.network_of(card), card.data.get("range")
    with new_events.opened(inputs, network, card.config, card.ground.centre) as (dataset, notes):
        yield Found(location.locate(card.locator(trained), dataset, progress, known, notes), dataset, network)
