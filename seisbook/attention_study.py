"""Whether attention picks the stations that an analyst would: claim C8, measured on real readings against nulls.

The *emphasis* that an analyst put on a station is what the bulletin says of it: the weights of its P and S, from 0 to 1
each, and half a point for a P that was called impulsive. Only Colombia's bulletin has weights. What attention may be a
mere stand-in for are distance, signal-to-noise ratio and the order of the onsets; each is a *null*, a rule that looks
at no seismogram, or at its noise alone.

The rule was written before the study was run: C8 holds if, among the stations of an event, the rollout of the trained
model's selections goes together with the emphasis *beyond* distance and signal-to-noise ratio, that is if the mean over
events of their partial rank correlation has a 95 % interval above zero; it does not if the interval lies below zero.
"""

import numpy as np
import pandas as pd
from tqdm import tqdm

from seisbook import attention, building, bulletins, checkpoints, experiments, networks, records
from seisbook.errors import UserError
from seisbook.robustness_study import station_codes
from seisbook.statistics import Estimate, bootstrap_ci

NAME, NETWORK = "attention", "colombia"
MODELS = experiments.PUBLISHED
FEWEST = 6  # stations of an event whose order is looked at
IMPULSIVE = 0.5  # added to the emphasis of an impulsive P
MEASURES = {"selection": "selection_{last}", "gradient": "gradient_{last}", "rollout": "rollout"}
NULLS = {"nearest": ("epicentral_km", -1), "signal-to-noise": ("snr", 1), "earliest": ("p_order", -1)}
KEPT = (2, 3, 4)  # stations that are left out, or kept alone
SHUFFLE_SEED = 0


def emphasis(readings) -> pd.Series:
    """The analyst's emphasis on each reading, from 0 to 2.5, indexed by event and station."""
    weights = readings[["trace_p_weight", "trace_s_weight"]].fillna(0).sum(axis=1)
    points = weights + IMPULSIVE * (readings.trace_p_onset == "impulsive")
    return pd.Series(points.to_numpy(), pd.MultiIndex.from_frame(readings[["source_id", "station_code"]]))


def collect(model, events, codes, points, progress=True) -> pd.DataFrame:
    """One row per station of each event that is large enough: attention, what it may stand in for, and emphasis.

    Parameters
    ----------
    model : GraphModel
    events : Events
        With their seismograms.
    codes : ndarray of str, shape (stations,)
        Of `seisbook.robustness_study.station_codes`.
    points : Series
        Of `emphasis`; a station that the analyst did not read has none: zero.
    progress : bool
    """
    large = np.flatnonzero(np.diff(events.start) >= FEWEST)
    tables = []
    for i in tqdm(large, "attention", unit="event", disable=not progress):
        table = attention.attention_table(model, events, i)
        keys = zip([str(events.source_id[i])] * len(table), codes[events.start[i] : events.start[i + 1]], strict=True)
        tables.append(table.assign(event=i, emphasis=[points.get(key, 0.0) for key in keys]))
    if not tables:
        raise UserError(f"no event has {FEWEST} stations or more: nothing to compare")
    return pd.concat(tables, ignore_index=True)


def scores(table) -> dict:
    """Each measure and null as a column in which larger means more important, by name."""
    last = max(int(name.rsplit("_", 1)[1]) for name in table if name.startswith("selection_"))
    found = {name: table[column.format(last=last)] for name, column in MEASURES.items()}
    return found | {name: sign * table[column] for name, (column, sign) in NULLS.items()}


def agreement(table, random_state=0) -> list[dict]:
    """How well each measure and null orders the stations as the analyst's emphasis does."""
    found = scores(table) | {"random": pd.Series(np.random.default_rng(random_state).random(len(table)), table.index)}
    emphasised = _by_event(table.emphasis, table)
    rows = []
    for name, values in found.items():
        one = attention.rank_agreement(_by_event(values, table), emphasised)
        rows.append({"measure": name, "tau": list(one.tau), "overlap": list(one.overlap), "events": one.events})
    return rows


def _by_event(values, table):
    return [one.to_numpy() for _, one in values.groupby(table.event)]


def beyond(table) -> list[dict]:
    """Partial rank correlation of each measure with the emphasis, distance and signal-to-noise ratio held fixed."""
    rows = []
    for name in MEASURES:
        values = scores(table)[name]
        each = [
            attention.partial_rank_correlation(values[one.index], one.emphasis, one[["epicentral_km", "snr"]])
            for _, one in table.groupby("event")
        ]
        each = np.array([value for value in each if np.isfinite(value)])
        if not len(each):
            raise UserError(f"{name} follows from distance and signal-to-noise ratio in every event: nothing is beyond")
        rows.append({"measure": name, "correlation": list(bootstrap_ci(each, np.mean)), "events": len(each)})
    return rows


def deletion(model, events, table, random_state=0, progress=True) -> list[dict]:
    """Median error when the first stations of an order are left out, or kept alone: by attention, nulls, at random."""
    some = events.select(np.unique(table.event))
    rng = np.random.default_rng(random_state)
    orders = {name: scores(table)[name] for name in ("rollout", "nearest", "signal-to-noise")}
    orders["random"] = pd.Series(rng.random(len(table)), table.index)
    rows = []
    for name, values in orders.items():
        order = [np.argsort(-np.nan_to_num(one, nan=-np.inf), kind="stable") for one in _by_event(values, table)]
        curve = attention.deletion_curve(model, some, order, KEPT, progress)
        found = attention.summarise_deletion(curve).reset_index()
        rows += [{"order": name, **row} for row in found.to_dict("records")]
    return rows


def record(progress=True):
    """Compute the record from the trained models and the real bulletin, and write it.

    Returns
    -------
    Path
    """
    content = {"code": building.code_version(), "network": NETWORK, "models": {}}
    points = emphasis(bulletins.read_bulletin(NETWORK).readings)
    for name in MODELS:
        model, card = checkpoints.load(_path(name))
        _, events = experiments.parts_of(card, progress)
        codes = station_codes(events, networks.load(NETWORK))
        table = collect(model, events, codes, points, progress)
        shuffled = attention.shuffle_weights(model, SHUFFLE_SEED)
        content["models"][name] = {
            "recipe": card.recipe["hash"],
            "events": int(table.event.nunique()),
            "agreement": agreement(table),
            "beyond": beyond(table),
            "shuffled": beyond(collect(shuffled, events, codes, points, progress)),
            "deletion": deletion(model, events, table, progress=progress),
        }
    return records.write(NAME, content)


def _path(name):
    return experiments.model_path(NETWORK, name, "random", 0, "paper")


def load() -> dict:
    """Read the record, unless a model has changed since.

    Raises
    ------
    UserError
        If so.
    """
    content = records.read(NAME)
    checkpoints.check_models(NAME, {_path(name): one["recipe"] for name, one in content["models"].items()})
    return content


def verdict(content, model="dynamic") -> dict:
    """C8: `value`, `low`, `high` of the partial rank correlation of the rollout, `events`, `verdict`."""
    row = next(one for one in content["models"][model]["beyond"] if one["measure"] == "rollout")
    value, low, high = row["correlation"]
    word = "supported" if low > 0 else "not supported" if high < 0 else "inconclusive"
    return {"value": value, "low": low, "high": high, "events": row["events"], "verdict": word}


def quoted(content, model="dynamic") -> dict:
    """What the prose quotes, from a name such as `rollout-tau` to the text that stands there."""
    one = content["models"][model]
    texts = {"events": f"{one['events']:,}"}
    for row in one["agreement"]:
        texts[f"{row['measure']}-tau"] = f"{Estimate(*row['tau']):.2f}"
        texts[f"{row['measure']}-overlap"] = "{:.2f}".format(row["overlap"][0])
    for name in ("beyond", "shuffled"):
        for row in one[name]:
            texts[f"{row['measure']}-{name}"] = f"{Estimate(*row['correlation']):.2f}"
    for row in one["deletion"]:
        texts[f"{row['order']}-{row['arm']}-{row['k']}"] = f"{row['epicentral_km']:.1f}"
    return texts
