"""A locator whose settings are chosen on the training events alone."""

from dataclasses import dataclass, replace

import numpy as np

from seisbook.errors import UserError

HELD = 8  # one training event of so many is held back for the choice


@dataclass
class ChosenInTraining:
    """The best of some locators on training events that are held back, then fitted to all training events.

    Parameters
    ----------
    candidates : tuple
        Locators that are dataclasses, such as `seisbook.models.classical.ClassicalLocator`, on one network.
    random_state : int
        Seed of the events that are held back.

    Attributes
    ----------
    chosen_ : estimator
        The fitted locator.
    medians_ : ndarray, shape (candidates,)
        Median epicentral error of each candidate on the events that were held back (km).
    """

    candidates: tuple
    random_state: int = 0

    def fit(self, catalogue):
        """Choose a locator, and fit it.

        Raises
        ------
        UserError
            If there are fewer events than `HELD`.
        """
        if len(catalogue) < HELD:
            raise UserError(f"{len(catalogue)} events are too few to choose a locator on: take {HELD} or more")
        order = np.random.default_rng(self.random_state).permutation(len(catalogue))
        held, shown = (catalogue.select(np.sort(part)) for part in np.split(order, [len(order) // HELD]))
        self.medians_ = np.array([_median_error(replace(one).fit(shown), held) for one in self.candidates])
        self.chosen_ = replace(self.candidates[int(self.medians_.argmin())]).fit(catalogue)
        return self

    def predict(self, catalogue):
        """Locations by the chosen locator.

        Raises
        ------
        UserError
            If none has been chosen yet.
        """
        if not hasattr(self, "chosen_"):
            raise UserError("no locator has been chosen yet: call fit first")
        return self.chosen_.predict(catalogue)

    def score(self, catalogue):
        """Minus the median epicentral error in km, events that are not located counted as infinitely far off."""
        return -_median_error(self, catalogue, self.chosen_.network)


def _median_error(locator, catalogue, network=None):
    """Median epicentral error in km; an event that is not located is infinitely far off."""
    table, events = locator.predict(catalogue), catalogue.events
    east, north = (network or locator.network).to_local(events.source_latitude_deg, events.source_longitude_deg)
    return float(np.median(np.hypot(table.east_km - east, table.north_km - north).fillna(np.inf)))
