"""What else can be made of an analyst's picks: the associator PyOcto, and the classical pipeline with a choice.

All arms get the onsets of the bulletin and the network's layered velocity model, as the classical pipeline of
`seisbook.studies.runs` does. They are tested on the same events, those of the five random folds.

- `pyocto`: PyOcto in the layered model as it is.
- `pyocto with station terms`: the onsets are corrected by station terms, which are learnt from the training events.
- `classical, terms chosen`: the training events decide whether the classical pipeline corrects onsets by station terms.
  An eighth of them is held back, the pipeline is fitted to the others with and without terms, and the smaller median
  error on those held back wins. The winner is fitted to all training events. No test event has a part in it.

Nothing else is chosen. PyOcto's tolerance of residuals is its own default, its cells scale with the network. A trial of
PyOcto with similar settings on the first fold was known before this study. These settings were tried on its training
events alone.

An event that is not found gets the medians of the training events, as in all comparisons of the book. Of each arm the
share of found events is recorded, too.

The rules were written before the study was run. The first fold was run alone at first, and its result was known when
the other folds were added. They look at the median epicentral error of all test events of these
folds, over that of the runs of `dynamic` and of `classical`, paired by event, with an interval over events. An arm is
*ahead* of such a run if the interval lies below 1, *behind* if it lies above 1, and *level* otherwise. See
`seisbook.findings.associators`.
"""

import logging
import time

import numpy as np

from seisbook import provenance
from seisbook.catalogues import bulletins, networks
from seisbook.errors import UserError
from seisbook.measures import evaluation, splits
from seisbook.models.chosen import HELD, ChosenInTraining
from seisbook.models.classical import ClassicalLocator
from seisbook.models.octo import FEWEST, OctoLocator
from seisbook.physics.traveltimes import TravelTimes
from seisbook.studies import runner

log = logging.getLogger(__name__)
OCTO = {"pyocto": False, "pyocto with station terms": True}  # arms of PyOcto, and whether they use station terms
CHOSEN = "classical, terms chosen"
LOCATED = ["east_km", "north_km", "depth_km"]


def trials(network, source, profile) -> list[dict]:
    """Each arm on each of the folds."""
    common = {"network": network, "source": source, "profile": profile, "split": "random"}
    return [{**common, "fold": fold, "arm": arm} for fold in range(splits.FOLDS) for arm in (*OCTO, CHOSEN)]


def config(trial) -> dict:
    """Configuration of a trial: number of folds, and what its locator is made of."""
    octo = {"terms": OCTO[trial["arm"]], "fewest": FEWEST} if trial["arm"] in OCTO else {"held": HELD}
    return {"folds": splits.FOLDS, **octo}


def run(trials) -> list[dict]:
    """Results of the trials.

    Each holds, of the test events, `source_id`, `epicentral_km`, `depth_km` (signed) and `found`; `terms`,
    whether station terms were used; and `ms`, the time for one event.
    """
    return [_tested(**trial) for trial in trials]


def _tested(network, source, profile, split, fold, arm):
    if source != "bulletin":
        raise UserError(f"associators: the source {source} has no analyst's picks: give --source bulletin")
    train, test = _parts(network, split, fold)
    locator = _locator(networks.load(network), arm).fit(train)
    start = time.perf_counter()
    table = locator.predict(test)
    seconds = time.perf_counter() - start
    errors, found = _errors(table, train, test, networks.load(network))
    return {
        "source_id": test.events.index.tolist(),
        **evaluation.rounded(errors, ("epicentral_km", "depth_km")),
        "found": found.tolist(),
        "terms": getattr(locator, "chosen_", locator).station_corrections,
        "ms": round(1000 * seconds / len(test), 1),
    }


@provenance.remember
def _parts(network, split, fold):
    """The training and the test events of a fold."""
    catalogue = bulletins.read_bulletin(networks.load(network))
    events = catalogue.events
    return [catalogue.select(part) for part in splits.folds(events.index, events.source_origin_time, split)[fold]]


def _locator(network, arm):
    """The locator of an arm, not fitted yet."""
    shared = {"network": network, "travel_times": TravelTimes(network.velocity_model), "progress": False}
    if arm in OCTO:
        return OctoLocator(station_corrections=OCTO[arm], **shared)
    return ChosenInTraining(tuple(ClassicalLocator(station_corrections=terms, **shared) for terms in (False, True)))


def _errors(table, train, test, network):
    """Errors of all test events, and which were found; the others get the training events' medians."""
    estimate, labels = table.reindex(test.events.index)[LOCATED].to_numpy(), _places(network, test)
    found = np.isfinite(estimate).all(axis=1)
    if not found.all():
        log.warning("%d of %d events are not located: they get the medians", (~found).sum(), len(found))
    estimate = np.where(found[:, None], estimate, np.median(_places(network, train), axis=0))
    magnitude = np.full((len(found), 1), np.nan)  # no arm is asked for one
    columns = np.hstack([estimate, magnitude]), np.hstack([labels, magnitude])
    return evaluation.hypocentral_errors(*columns, test.events.index), found


def _places(network, catalogue):
    """Labels (events, 3) of a catalogue: east, north, depth (km)."""
    events = catalogue.events
    east, north = network.to_local(events.source_latitude_deg, events.source_longitude_deg)
    return np.column_stack([east, north, events.source_depth_km])


STUDY = runner.Study("associators", trials, run, config, tolerance=provenance.LOCATED_AGAIN)
