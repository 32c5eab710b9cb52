"""Labels that a source does not state, although a dataset must hold a number: they are NaN in memory."""

import pandas as pd

from seisbook.datasets.events import Events
from seisbook.datasets.store import read_card

UNSTATED = "unstated"
"""Key of a dataset's card: the columns of the metadata that hold a number only because one is needed."""
PLACES = {"source_depth_km": 2, "source_magnitude": 3}  # in `Events.y`


def without_unstated(events: Events, folder) -> Events:
    """The events of a dataset, with NaN for the labels that its source does not state."""
    for name in read_card(folder).get(UNSTATED, ()):
        events.y[:, PLACES[name]] = float("nan")
    return events


def metadata_without_unstated(table: pd.DataFrame, folder) -> pd.DataFrame:
    """The metadata of a dataset, with NaN for the labels that its source does not state."""
    return table.assign(**{name: float("nan") for name in read_card(folder).get(UNSTATED, ())})
