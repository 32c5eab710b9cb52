r"""The attention study of the robust model: which stations its epicentre rests on (claim C8).

`seisbook.measures.information` measures four things at each station. Two of them are *designed*: the share of the
information on the epicentre, from slopes of travel times, Student's weights and gates (`information`), and the same
share without the gates (`ungated`), in which nothing is learnt but the onsets. Two of them *emerged* from training: the
gates alone (`gate`), and how often the last block's largest messages come from a station (`selection`).

The rules were written before the study was run. They are those of `seisbook.studies.attention`, whose functions are
used, and apply to each measure apart. *With the analyst* (Colombia, the only bulletin with weights): the partial rank
correlation of the measure with the analyst's emphasis, with distance and signal-to-noise ratio held fixed. C8 holds if
the 95 % interval of its mean over events lies above zero, and does not hold if it lies below. *By design* (both
networks): the D-efficiency of the first `TOP` stations by the measure, minus that of the null with the highest mean
efficiency. C8 holds if the interval of the mean difference lies above zero, and does not hold if it lies below.

The claim speaks of an emergent attention. The rows of `gate` and `selection` therefore decide it for this model. The
rows of `information` and `ungated` say whether the designed attention is an expert's; a positive result there is due to
its formulas.

The model is that of the study `robust`: it is trained on the training part of the first random fold, stem and graph
part, with the same seeds. The test events with six stations or more count. With several seeds, the values of each event
are averaged over them before intervals over events are computed, as `seisbook.studies.attention.beyond` does with
several models.
"""

import numpy as np
import pandas as pd

from seisbook.catalogues import bulletins, networks
from seisbook.errors import UserError
from seisbook.measures import evaluation
from seisbook.measures.information import information_table
from seisbook.measures.perturbations import offset_km
from seisbook.studies import attention, robust, robust_models, runner
from seisbook.studies.arms import NULLS
from seisbook.studies.robust_models import MAIN
from seisbook.studies.robustness import station_codes

SEEDS = {"quick": (0,), "paper": (0, 1, 2)}
COLUMNS = {"information": "rollout", "ungated": "selection_1", "gate": "gradient_2", "selection": "selection_2"}
"""Each measure, and the column of `seisbook.studies.attention` in whose place it stands."""
ORDERS = {"information": "rollout", "ungated": "selection_1", "gate": "gradient", "selection": "selection"}
"""Each measure, and its order in a table of `seisbook.studies.attention.designs`."""


def trials(network, source, profile) -> list[dict]:
    """One training for each seed."""
    return [{"network": network, "source": source, "profile": profile, "seed": seed} for seed in SEEDS[profile]]


def config(trial) -> dict:
    """Configuration of a trial: that of the study `robust`."""
    return robust.config({**trial, "arm": MAIN})


def prepare(network, source, profile) -> None:
    """Train the model on the twin and read the events, before the workers start."""
    robust_models.of_the_twin(network, MAIN, profile)
    robust_models.parts(network, "random", 0)


def run(trials) -> list[dict]:
    """Train and measure, one trial after the other.

    Returns
    -------
    list of dict
        For each trial: `epicentral_km` of the test events; `agreement`, the rows of the nulls of
        `seisbook.studies.attention.agreement`, None without an analyst; `measures`, for each measure the values of the
        events with enough stations: `analyst`, `nearest`, `beyond`, `efficiency` of
        `seisbook.studies.attention.by_event`; `nulls`, the `efficiency` of each null and of `D-optimal`.
    """
    return [_measured(trial["network"], trial["profile"], trial["seed"]) for trial in trials]


def _measured(name, profile, seed):
    train, held = robust_models.parts(name, "random", 0)
    locator = robust_models.locator(name, MAIN, profile, 10 * seed).fit(train, progress=False)  # as `robust` counts
    network = networks.load(name)
    points = attention.emphasis(bulletins.read_bulletin(name).readings) if name == attention.ANALYST else None
    table = collect(locator, held, station_codes(held, network), points)
    found = attention.designs(table, network)
    errors = evaluation.errors(locator.predict(held), held)
    return {
        **evaluation.rounded(errors, ("epicentral_km",)),
        "agreement": None if points is None else _nulls(attention.agreement(table)),
        "measures": {measure: _by_event(table, found, measure) for measure in COLUMNS},
        "nulls": {order: _values(found[found.order == order].efficiency) for order in (*NULLS, "random", "D-optimal")},
    }


def collect(locator, events, codes, points=None) -> pd.DataFrame:
    """Table of the measures in the places of `COLUMNS`, one row per station of each event with enough stations.

    Parameters
    ----------
    locator : RobustLocator
        Fitted.
    events : Events
        With their seismograms.
    codes : ndarray of str, shape (stations,)
    points : Series, optional
        Emphasis of the readings, see `seisbook.studies.attention.emphasis`.

    Returns
    -------
    DataFrame
        As `seisbook.studies.attention.collect` returns it, with the measures of this study.
    """
    found, tables = locator.read(events), []
    for i in np.flatnonzero(np.diff(events.start) >= attention.FEWEST):
        table = information_table(locator.model_, events, i, found).rename(columns=COLUMNS)
        rows = slice(events.start[i], events.start[i + 1])
        keys = [(str(events.source_id[i]), code) for code in codes[rows]]
        east, north = offset_km(events, i).T
        tables.append(
            table.assign(
                event=i,
                station_code=codes[rows],
                emphasis=[np.nan if points is None else points.get(key, 0.0) for key in keys],
                east_km=east,
                north_km=north,
                elevation_km=events.pos[rows, 2].numpy(),
                depth_km=events.y[i, 2].item(),
                magnitude=events.y[i, 3].item(),
            )
        )
    if not tables:
        raise UserError(f"no event has {attention.FEWEST} stations or more: nothing to compare")
    return pd.concat(tables, ignore_index=True)


def _nulls(rows):
    return [row for row in rows if row["measure"] in (*NULLS, "random")]


def _by_event(table, found, measure):
    """What `seisbook.studies.attention.by_event` says of a measure in the place of the rollout."""
    names = {"rollout": "other", ORDERS[measure]: "rollout"}
    orders = found.assign(order=[names.get(order, order) for order in found.order])
    frame = attention.by_event(table.assign(rollout=table[COLUMNS[measure]]), orders)
    return {name: _values(frame[name]) for name in ("analyst", "nearest", "beyond", "efficiency")}


def _values(values):
    """Values for JSON: four digits, None where there is none."""
    return [None if np.isnan(value) else float(f"{value:.4g}") for value in values.astype(float)]


STUDY = runner.Study("attention-robust", trials, run, config, prepare)
