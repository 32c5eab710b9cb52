"""The study of a reader's own network: errors by the initial weights of its model, on the same test events.

The chapter has no real bulletin of such a network, so it simulates one. The simulated network has site terms and delays
that its description does not contain, see `as_it_is`.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from seisbook.measures import evaluation
from seisbook.measures.estimates import Estimate, below, estimate, resampled
from seisbook.models import checkpoints, peers
from seisbook.models.training import Locator
from seisbook.physics.layered_rays import first_p
from seisbook.studies import own_robust, places, recipes, runs

SITE = 0.25  # standard deviation of the site terms (log10 units), between those of the two real networks
STARTS = RANDOM, OTHER, TWIN = "random weights", "another network's model", "the twin's model"
AS_IT_IS, THEN_OWN, CLASSICAL = ", as it is", ", then one's own events", "classical pipeline"
RATIOS = {
    "other network over random weights, own events": (OTHER + THEN_OWN, RANDOM + THEN_OWN),
    "own twin over other network, own events": (TWIN + THEN_OWN, OTHER + THEN_OWN),
    "own events over none, own twin": (TWIN + THEN_OWN, TWIN + AS_IT_IS),
    "own twin with own events over classical pipeline": (TWIN + THEN_OWN, CLASSICAL),
}
"""What is compared with what: the first three as in `seisbook.findings.transfer.verdicts`."""
DELAY_S = 0.15  # standard deviation of the P delays; S delays are twice as long, as under sediments


def as_it_is(network, random_state=0):
    """Copy of a network with random site terms and delays, which nobody has measured yet.

    It stands in for reality in the chapter. It breaks down where the real Earth is more difficult: delays change with
    azimuth, the velocity model is wrong, and analysts make errors.

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


def described(**networks) -> pd.DataFrame:
    """What descriptions say, side by side: numbers that have a meaning by themselves.

    Parameters
    ----------
    **networks : Network
        By the heading of their column, such as `measured` and `true`.
    """
    return pd.DataFrame({name: _spoken(network) for name, network in networks.items()}).round(2)


def _spoken(network):
    model, near = network.velocity_model, np.array([10.0, 30.0])
    times = first_p(model.top_km, model.vp_km_s, near, np.full(2, 10.0))
    return {
        "Vp/Vs": model.vp_vs,
        **{f"P over {km:.0f} km from a depth of 10 km (s)": time for km, time in zip(near, times, strict=True)},
        "scatter of P (s)": network.pick_scatter_s[0],
        "scatter of S (s)": network.pick_scatter_s[1],
        "magnitude of 100 nm at 30 km": float(network.magnitude.magnitude(2.0, 30.0)),
        "scatter of a station's magnitude": network.magnitude.scatter,
    }


def against_truth(terms, reality) -> pd.DataFrame:
    """Correlation of measured station terms with the true ones.

    Parameters
    ----------
    terms : DataFrame
        Columns `p_residual_s`, `s_residual_s` and `site_term`, by station.
    reality : Network
        As `as_it_is` makes it.
    """
    true = reality.station_table().reindex(terms.index)
    columns = {"p_residual_s": "p_term_s", "s_residual_s": "s_term_s", "site_term": "site_term"}
    found = {name: terms[name].corr(true[column]) for name, column in columns.items()}
    return pd.DataFrame({"correlation with the truth": found}).round(2)


def borrowed(network):
    """The shipped model `dynamic` of another network with the most similar window, in this network's units.

    Parameters
    ----------
    network : Network

    Returns
    -------
    GraphModel
        Its weights hold in units of the window, see `seisbook.studies.transfer`.
    """
    other = own_robust.shipped_for(network).stem.split("-")[0]
    trained, _ = checkpoints.load(places.MODELS / f"{other}-dynamic-random-0")
    model = peers.build("dynamic", recipes.model_config(network))
    model.load_state_dict(trained.state_dict())
    return model.eval()


def compare(train, test, twin, borrowed, pretraining, training, random_state=0) -> dict:
    """Errors on the test events for each choice of initial weights.

    Parameters
    ----------
    train, test, twin : Events
        Training and test events of one's own bulletin, and events of the twin.
    borrowed : GraphModel
        Model of another network, with the same window.
    pretraining, training : TrainingConfig
        Configuration of the training on the twin, and of that on one's own events.
    random_state : int

    Returns
    -------
    dict of str to DataFrame
        Table of `seisbook.measures.evaluation.errors` for each arm.
    """
    config = borrowed.config
    on_twin = Locator("dynamic", config, pretraining, random_state).fit(twin, progress=False)
    own = dict(zip(STARTS, (None, borrowed, on_twin.model_), strict=True))
    error_tables = {}
    for name, start in own.items():
        if start is not None:
            untouched = Locator("dynamic", config, training)
            untouched.model_ = start
            error_tables[f"{name}{AS_IT_IS}"] = evaluation.errors(untouched.predict(test), test)
        locator = Locator("dynamic", config, training, random_state, start_from=start).fit(train, progress=False)
        error_tables[f"{name}{THEN_OWN}"] = evaluation.errors(locator.predict(test), test)
    return error_tables


def classical(network, catalogue, train, test) -> pd.DataFrame:
    """Errors of the classical pipeline on the test events, with station corrections from the training events.

    Parameters
    ----------
    network : Network
    catalogue : Catalogue
        Catalogue that holds the training and the test events.
    train, test : Events

    Returns
    -------
    DataFrame
        Errors as `seisbook.measures.evaluation.hypocentral_errors` returns them.
    """
    parts = [catalogue.select(catalogue.events.index.isin(events.source_id)) for events in (train, test)]
    result = runs.locate_classically(network, *parts, progress=False)
    return pd.DataFrame(result["errors"]).set_index("source_id")


def table(found) -> pd.DataFrame:
    """Table of the errors of each arm, with 95 % intervals over the test events."""
    rows = {}
    for name, errors in found.items():
        summary = evaluation.summarise_errors(errors)
        sizes = summary["magnitude"]
        rows[name] = {
            "events": len(errors),
            "epicentre (km)": f"{_estimate(summary['epicentral_km'], 'median'):.1f}",
            "depth (km)": f"{_estimate(summary['depth_km'], 'median'):.1f}",
            "magnitude RMSE": "not scored" if sizes["rmse"] is None else f"{_estimate(sizes, 'rmse'):.2f}",
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _estimate(summary, key):
    return Estimate(summary[key], *summary["ci"])


def ratios(found) -> pd.DataFrame:
    """Ratios of median epicentral errors with 95 % intervals over the test events, paired by event, and a verdict.

    *Smaller* is supported if the interval lies below 1, not supported if above, inconclusive otherwise. There is one
    training each, so the interval does not hold the luck of the training.

    Parameters
    ----------
    found : dict of str to DataFrame
        Of `compare`, and that of `classical` under `CLASSICAL`.
    """
    rows = {}
    for name, arms in RATIOS.items():
        pair = pd.concat([found[arm].epicentral_km for arm in arms], axis=1).dropna()
        above, under = resampled(pair.to_numpy().T)
        ratio = estimate(above / under)
        rows[name] = {"ratio of errors": f"{ratio:.2f}", "smaller": below(ratio.low, ratio.high, 1.0)}
    return pd.DataFrame.from_dict(rows, orient="index")
