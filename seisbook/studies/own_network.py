"""A network of one's own: what its model may begin with, compared on the same test events.

The chapter that uses this has no bulletin of its own, so it makes one: of a network that differs from its description
in what a description cannot know, see `as_it_is`.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from seisbook.measures import evaluation
from seisbook.measures.estimates import Estimate
from seisbook.models.training import Locator
from seisbook.studies import runs

SITE = 0.25  # standard deviation of the stations' site terms (log10 units), between those of the two real networks
DELAY_S = 0.15  # and of their delays of P; those of S are twice as long, as under sediments


def as_it_is(network, random_state=0):
    """The network as the Earth has it: with site terms and delays that nobody has measured yet.

    It stands in for reality in the chapter. It breaks down where the real Earth is less kind: delays that change with
    azimuth, a velocity model that is wrong, analysts that err.

    Parameters
    ----------
    network : Network
    random_state : int

    Returns
    -------
    Network
    """
    rng = np.random.default_rng(random_state)
    changed = []
    for station in network.stations:
        delay = DELAY_S * rng.standard_normal()
        terms = {"site_term": SITE * rng.standard_normal(), "p_term_s": delay, "s_term_s": 2 * delay}
        changed.append(replace(station, **terms))
    return replace(network, stations=changed)


def compare(train, test, twin, borrowed, pretraining, training, random_state=0) -> dict:
    """Errors on the test events by what the model began with.

    Parameters
    ----------
    train, test, twin : Events
        Of one's own bulletin, and of the twin.
    borrowed : GraphModel
        Of another network, with the same window.
    pretraining, training : TrainingConfig
        On the twin, and on one's own events.
    random_state : int

    Returns
    -------
    dict of str to DataFrame
        By arm, a table of `seisbook.measures.evaluation.errors`.
    """
    config = borrowed.config
    on_twin = Locator("dynamic", config, pretraining, random_state).fit(twin, progress=False)
    own = {"random weights": None, "another network's model": borrowed, "the twin's model": on_twin.model_}
    error_tables = {}
    for name, start in own.items():
        if start is not None:
            untouched = Locator("dynamic", config, training)
            untouched.model_ = start
            error_tables[f"{name}, as it is"] = evaluation.errors(untouched.predict(test), test)
        locator = Locator("dynamic", config, training, random_state, start_from=start).fit(train, progress=False)
        error_tables[f"{name}, then one's own events"] = evaluation.errors(locator.predict(test), test)
    return error_tables


def classical(network, catalogue, train, test) -> pd.DataFrame:
    """Errors of the classical pipeline on the test events, with station corrections from the training events.

    Parameters
    ----------
    network : Network
    catalogue : Catalogue
        With the events of both.
    train, test : Events

    Returns
    -------
    DataFrame
        As `seisbook.measures.evaluation.hypocentral_errors`.
    """
    parts = [catalogue.select(catalogue.events.index.isin(events.source_id)) for events in (train, test)]
    result = runs.locate_classically(network, *parts, progress=False)
    return pd.DataFrame(result["errors"]).set_index("source_id")


def table(found) -> pd.DataFrame:
    """The arms' errors with their 95 % intervals over the test events."""
    rows = {}
    for name, errors in found.items():
        summary = evaluation.summarise_errors(errors)
        rows[name] = {
            "events": len(errors),
            "epicentre (km)": f"{_estimate(summary['epicentral_km'], 'median'):.1f}",
            "depth (km)": f"{_estimate(summary['depth_km'], 'median'):.1f}",
            "magnitude RMSE": f"{_estimate(summary['magnitude'], 'rmse'):.2f}",
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _estimate(summary, key):
    return Estimate(summary[key], *summary["ci"])
