"""The attention study: agreement of attention with the analyst's choice of stations (claim C8), compared with nulls.

The *emphasis* of an analyst on a station is computed from the bulletin. It is the sum of the weights of P and S, each
from 0 to 1, and of half a point for an impulsive P. Attention may merely follow the distance, the signal-to-noise ratio
or the order of the onsets. Each of these is a *null*: a rule that uses no seismogram, or only its noise.

Only Colombia's bulletin has weights. Ridgecrest's readings come from a program. Each of them has P and S, but no
weight, onset quality or residual. The analysts of that catalogue left a location and no readings. Its stations
therefore do not differ by anything that an analyst did, and the claim in its own words cannot be tested there. On both
networks, the study tests the *purpose* of an analyst's weights instead: whether the first `TOP` stations by attention
constrain the hypocentre. The measure is their D-efficiency (`seisbook.measures.optimal_design`) among the stations that
recorded the event.

The rules were written before the study was run. The rule for Colombia uses the partial rank correlation of the rollout
of the trained model's selections with the emphasis, over the stations of an event, with distance and signal-to-noise
ratio held fixed. C8 holds if the 95 % interval of its mean over events lies above zero. C8 does not hold if it
lies below zero. The substitute rule by design applies to both networks. It compares the D-efficiency of the first `TOP`
stations by rollout with that of the first stations by each null (nearest, signal-to-noise, earliest, random). It holds
if the interval of the mean difference to the null with the highest mean efficiency lies above zero. It does not hold if
this interval lies below zero.

The seismograms are rendered from the readings: onsets, amplitudes, periods. A weight is the analyst's judgement of how
clear an onset looked. The rendered seismogram contains this judgement only through the error of the onset time. A
positive result could therefore come from distance, noise and such residuals alone. A result of zero means that the
model recovered nothing of the judgement. It does not mean that the judgement could not be recovered from the original
seismograms.

The other measurements decide nothing. They are: the same quantities by block, by magnitude and by class of event
(shallow or deep; the bulletin names a kind for four events only); the dynamic graph against the static one; the
agreement between the measures; shuffled weights; curves of deletion (the first stations left out) and insertion (only
the first stations kept); and two faults of the nearest station, `FAULTS`: noise as strong as its signal, and a clock
error of two seconds.
"""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats
from tqdm import tqdm

from seisbook.catalogues import bulletins, networks
from seisbook.catalogues.geodesy import azimuthal_gap
from seisbook.errors import UserError
from seisbook.measures import attention, optimal_design
from seisbook.measures.estimates import bootstrap_ci
from seisbook.measures.perturbations import AddedNoise, JointShift, keep_stations, offset_km
from seisbook.models import checkpoints
from seisbook.physics.traveltimes import TravelTimes
from seisbook.studies import runs
from seisbook.studies.arms import NULLS, TOP
from seisbook.studies.places import PUBLISHED, model_path
from seisbook.studies.robustness import station_codes

ANALYST = "colombia"  # the network whose bulletin has weights
MODELS = PUBLISHED
FEWEST = 6  # smallest number of stations with which an event is used
IMPULSIVE = 0.5  # added to the emphasis of an impulsive P
MEASURES = {"selection": "selection_{last}", "gradient": "gradient_{last}", "rollout": "rollout"}
CHECKS = {"integrated gradients": "integrated_gradients", "leave one out": "leave_one_out_km"}
KEPT = (1, 2, 3, 4, 5)  # numbers of first stations that are left out, or are the only ones kept
DEEP_KM = 70.0  # depth at which intermediate depths begin
FAULTS = {"noise": AddedNoise(0.0), "clock": JointShift(2.0)}
SHUFFLES = (0, 1, 2)  # seeds of the models with shuffled weights


# -------------------------------------------------------------------------------------- one row per station of an event


def emphasis(readings) -> pd.Series:
    """The analyst's emphasis on each reading, from 0 to 2.5, indexed by event and station."""
    weights = readings[["trace_p_weight", "trace_s_weight"]].fillna(0).sum(axis=1)
    points = weights + IMPULSIVE * (readings.trace_p_onset == "impulsive")
    return pd.Series(points.to_numpy(), pd.MultiIndex.from_frame(readings[["source_id", "station_code"]]))


def collect(model, events, codes, points=None, checks=True, progress=True) -> pd.DataFrame:
    """Table of attention, nulls and emphasis, with one row per station of each event with at least `FEWEST` stations.

    Parameters
    ----------
    model : GraphModel
    events : Events
        With their seismograms.
    codes : ndarray of str, shape (stations,)
        Station codes, from `seisbook.studies.robustness.station_codes`.
    points : Series, optional
        Emphasis of the readings, from `emphasis`. A station that the analyst did not read gets zero. Without `points`,
        the emphasis of all stations is NaN.
    checks : bool
        See `seisbook.measures.attention.attention_table`.
    progress : bool

    Returns
    -------
    DataFrame
        The columns of `seisbook.measures.attention.attention_table`, and `event` (position), `station_code`,
        `emphasis`, `east_km`, `north_km` (from the label's epicentre), `elevation_km`, and the label's `depth_km`,
        `magnitude`.
    """
    large = np.flatnonzero(np.diff(events.start) >= FEWEST)
    tables = []
    for i in tqdm(large, "attention", unit="event", disable=None if progress else True):
        table = attention.attention_table(model, events, i, checks=checks)
        rows = slice(events.start[i], events.start[i + 1])
        keys = [(str(events.source_id[i]), code) for code in codes[rows]]
        read = [np.nan if points is None else points.get(key, 0.0) for key in keys]
        columns = {"event": i, "station_code": codes[rows], "emphasis": read}
        columns |= dict(zip(("east_km", "north_km"), offset_km(events, i).T, strict=True))
        columns |= {"elevation_km": events.pos[rows, 2].numpy()}
        columns |= dict(zip(("depth_km", "magnitude"), events.y[i, 2:].tolist(), strict=True))
        tables.append(table.assign(**columns))
    if not tables:
        raise UserError(f"no event has {FEWEST} stations or more: nothing to compare")
    return pd.concat(tables, ignore_index=True)


def scores(table) -> dict:
    """Each measure and null as a column in which larger means more important, by name."""
    last = _last(table)
    columns = {name: table[column.format(last=last)] for name, column in MEASURES.items()}
    return columns | {name: sign * table[column] for name, (column, sign) in NULLS.items()}


def _last(table):
    """Number of the last block."""
    return max(int(name.rsplit("_", 1)[1]) for name in table if name.startswith("selection_"))


def _with_random(found, random_state=0):
    values = next(iter(found.values()))
    return found | {"random": pd.Series(np.random.default_rng(random_state).random(len(values)), values.index)}


def _by_event(values, table):
    return [group.to_numpy() for _, group in values.groupby(table.event)]


def _order(values):
    """Positions from the largest value to the smallest, NaN last."""
    return np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")


def _mean(values):
    return list(bootstrap_ci(values, np.mean))


# ----------------------------------------------------------------------------------------------------- with the analyst


def agreement(table, random_state=0) -> list[dict]:
    """Rank agreement of each measure and null with the analyst's emphasis."""
    emphasised = _by_event(table.emphasis, table)
    rows = []
    for name, values in _with_random(scores(table), random_state).items():
        rank_agreement = attention.rank_agreement(_by_event(values, table), emphasised, TOP)
        rows.append(
            {
                "measure": name,
                "tau": list(rank_agreement.tau),
                "overlap": list(rank_agreement.overlap),
                "events": rank_agreement.events,
            }
        )
    return rows


def beyond(*tables) -> list[dict]:
    """Partial rank correlation of each measure with the emphasis, distance and signal-to-noise ratio held fixed.

    Parameters
    ----------
    *tables : DataFrame
        Tables of one model, or of several models on the same events. The correlations of several models are averaged
        event by event.
    """
    rows = []
    for name in MEASURES:
        correlations = pd.concat([_partial(table, name) for table in tables], axis=1).mean(axis=1).dropna()
        if correlations.empty:
            raise UserError(f"{name} follows from distance and signal-to-noise ratio in every event: nothing is beyond")
        rows.append({"measure": name, "correlation": _mean(correlations), "events": len(correlations)})
    return rows


def _partial(table, name):
    """Partial rank correlation of a measure with the emphasis for each event, indexed by the event's position."""
    values = scores(table)[name]
    return pd.Series(
        {
            event: attention.partial_rank_correlation(
                values[stations.index], stations.emphasis, stations[["epicentral_km", "snr"]]
            )
            for event, stations in table.groupby("event")
        }
    )


# ------------------------------------------------------------------------------------------------- with the best design


def designs(table, network, random_state=0) -> pd.DataFrame:
    """D-efficiency and azimuthal gap of the first `TOP` stations by each measure, block and null, event by event.

    Returns
    -------
    DataFrame
        One row for each event and order: `event`, `order`, `efficiency` (see
        `seisbook.measures.optimal_design.efficiency`), `gap_deg` (azimuthal gap of the first stations). The orders are
        those of `scores`, `selection_1` and so on for each block, `random`, and `D-optimal`, the best choice.
    """
    orders = _with_random(scores(table), random_state)
    orders |= {f"selection_{block}": table[f"selection_{block}"] for block in range(1, _last(table) + 1)}
    times = TravelTimes(network.velocity_model)
    rows = []
    for event, stations in table.groupby("event"):
        information = _information(stations, network, times)
        best = optimal_design.best_set(information, TOP)
        sets = {name: _order(values[stations.index].to_numpy())[:TOP] for name, values in orders.items()}
        sets["D-optimal"] = best
        efficiencies = optimal_design.efficiency(information, list(sets.values()), best)
        azimuth = np.degrees(np.arctan2(stations.east_km, stations.north_km)).to_numpy()
        gaps = [azimuthal_gap(azimuth[chosen]) for chosen in sets.values()]
        rows += [
            {"event": event, "order": order, "efficiency": value, "gap_deg": gap}
            for order, value, gap in zip(sets, efficiencies, gaps, strict=True)
        ]
    return pd.DataFrame(rows)


def _information(one, network, times):
    place = one[["east_km", "north_km"]].to_numpy()
    return optimal_design.station_information(network, times, place, one.depth_km.iloc[0], 1000 * one.elevation_km)


def design(found) -> list[dict]:
    """Mean efficiency and median azimuthal gap of each order of `designs`, and the rollout's mean gain over it."""
    efficiency = found.pivot(index="event", columns="order", values="efficiency")
    gap = found.pivot(index="event", columns="order", values="gap_deg")
    return [
        {
            "order": name,
            "efficiency": _mean(efficiency[name]),
            "gap_deg": list(bootstrap_ci(gap[name])),
            "rollout_above": _mean(efficiency.rollout - efficiency[name]),
            "events": len(efficiency),
        }
        for name in found.order.unique()
    ]


# --------------------------------------------------------------------------------------- where, and how much they agree


def blocks(table, found) -> list[dict]:
    """Agreement of each block's selections with nulls and analyst, and their mean efficiency, from first to last block.

    Parameters
    ----------
    table : DataFrame
        Table of `collect`.
    found : DataFrame
        Table of `designs`.
    """
    orders = {"nearest": -table.epicentral_km, "signal-to-noise": table.snr, "analyst": table.emphasis}
    if table.emphasis.isna().all():
        del orders["analyst"]
    rows = []
    for block in range(1, _last(table) + 1):
        name = f"selection_{block}"
        taus = {
            order: list(attention.rank_agreement(_by_event(table[name], table), _by_event(values, table), TOP).tau)
            for order, values in orders.items()
        }
        rows.append({"block": block, "tau": taus, "efficiency": _mean(found[found.order == name].efficiency)})
    return rows


def between(table) -> list[dict]:
    """Rank agreement of each pair of measures: selections, gradients, rollout, and the two checks of `CHECKS`."""
    columns = {name: scores(table)[name] for name in MEASURES}
    columns |= {name: table[column].abs() for name, column in CHECKS.items()}
    rows = []
    for first, second in combinations(columns, 2):
        values = [_by_event(columns[name], table) for name in (first, second)]
        rows.append({"measures": [first, second], "tau": list(attention.rank_agreement(*values, TOP).tau)})
    return rows


def by_event(table, found) -> pd.DataFrame:
    """Summary of the rollout of each event, indexed by event.

    Returns
    -------
    DataFrame
        `magnitude`, `depth_km`, `nearest` (Kendall's tau of the rollout with *nearest first*), `analyst` (with the
        emphasis), `beyond` (see `beyond`), `efficiency`, `gain` (efficiency minus that of the nearest stations).
        Without emphasis, `analyst` and `beyond` are NaN.
    """
    efficiency = found.pivot(index="event", columns="order", values="efficiency")
    groups = table.groupby("event")
    columns = groups[["magnitude", "depth_km"]].first()
    return columns.assign(
        nearest=[_tau(stations.rollout, -stations.epicentral_km) for _, stations in groups],
        analyst=[_tau(stations.rollout, stations.emphasis) for _, stations in groups],
        beyond=_partial(table, "rollout"),
        efficiency=efficiency.rollout,
        gain=efficiency.rollout - efficiency.nearest,
    )


def _tau(one, other):
    return stats.kendalltau(one, other).statistic if other.notna().all() else np.nan


QUANTITIES = ("nearest", "analyst", "beyond", "efficiency", "gain")  # of `by_event`


def strata(frame) -> list[dict]:
    """Means of the quantities of `by_event` for thirds of the magnitudes, and for shallow and for deep events."""
    thirds = pd.qcut(frame.magnitude, 3, duplicates="drop")
    parts = {
        ("magnitude", f"M {third.left:.1f} to {third.right:.1f}"): thirds == third for third in thirds.cat.categories
    }
    deep = frame.depth_km >= DEEP_KM
    if deep.any() and not deep.all():
        parts |= {("class", f"shallower than {DEEP_KM:g} km"): ~deep, ("class", f"{DEEP_KM:g} km or deeper"): deep}
    return [
        {"by": by, "stratum": name, "events": int(part.sum()), **_quantities(frame[part])}
        for (by, name), part in parts.items()
    ]


def contrast(frames, tables) -> dict:
    """Mean difference of the dynamic and the static graph, paired by event, and the agreement of their rollouts."""
    dynamic, static = (frames[name] for name in ("dynamic", "static"))
    rollouts = [_by_event(tables[name].rollout, tables[name]) for name in ("dynamic", "static")]
    alike = attention.rank_agreement(*rollouts, TOP)
    return {"alike": list(alike.tau), **_quantities(dynamic - static)}


def _quantities(frame):
    return {name: _mean(frame[name]) if frame[name].notna().any() else None for name in QUANTITIES}


# ------------------------------------------------------------------------------------------------------- does it matter


def deletion(model, events, table, network, random_state=0, progress=True) -> list[dict]:
    """Median error when the first stations of an order are left out, or are the only ones kept.

    The orders are those by rollout, by distance and by signal-to-noise ratio, a random order, and `D-optimal`. The
    order `D-optimal` adds one station at a time: the one that adds most to the information on the hypocentre.
    """
    selected = events.select(np.unique(table.event)).read_by(model)
    times, values = TravelTimes(network.velocity_model), scores(table)
    values = _with_random({name: values[name] for name in ("rollout", "nearest", "signal-to-noise")}, random_state)
    orders = {name: [_order(stations) for stations in _by_event(column, table)] for name, column in values.items()}
    orders["D-optimal"] = [
        optimal_design.greedy_order(_information(stations, network, times)) for _, stations in table.groupby("event")
    ]
    rows = []
    for name, order in orders.items():
        curve = attention.deletion_curve(model, selected, order, KEPT, progress)
        summary = attention.summarise_deletion(curve).reset_index()
        rows += [{"order": name, **row} for row in summary.to_dict("records")]
    return rows


def spoil_nearest(events, perturbation, sampling_rate_hz):
    """Perturb the station nearest to the epicentre of each event, and no other station.

    Parameters
    ----------
    events : Events
        With their seismograms.
    perturbation : seisbook.measures.perturbations.Perturbation
        Perturbation of seismograms. The onset times of the events do not change.
    sampling_rate_hz : float

    Returns
    -------
    events : Events
    struck : ndarray of int, shape (events,)
        Rows of the perturbed stations in the tensors of the events.
    """
    changed = perturbation.apply(events, sampling_rate_hz, progress=False)
    struck = np.array([events.start[i] + np.hypot(*offset_km(events, i).T).argmin() for i in range(len(events))])
    x, amplitude = events.x.clone(), events.amplitude.clone()
    x[struck], amplitude[struck] = changed.x[struck], changed.amplitude[struck]
    return replace(events, x=x, amplitude=amplitude), struck


def faults(locator, events) -> list[dict]:
    """Attention and error when the nearest station has one of `FAULTS`, for events with at least `FEWEST` stations.

    Returns
    -------
    list of dict
        One entry for each fault. `share` and `share_spoilt` are the station's mean share of the rollout, without and
        with the fault; `change` is the mean of their difference. `error_km`, `error_spoilt_km` and `error_without_km`
        are median epicentral errors in km: without the fault, with it, and without the station.
    """
    large = events.select(np.flatnonzero(np.diff(events.start) >= FEWEST))
    rate, rows = locator.config.sampling_rate_hz, []
    for name, perturbation in FAULTS.items():
        spoilt, struck = spoil_nearest(large, perturbation, rate)
        before, after = (_share(locator.model_, variant, struck) for variant in (large, spoilt))
        without = keep_stations(large, ~np.isin(np.arange(len(large.pos)), struck))
        row = {"fault": name, "share": _mean(before), "share_spoilt": _mean(after), "change": _mean(after - before)}
        kinds = {"error_km": large, "error_spoilt_km": spoilt, "error_without_km": without}
        rows.append(row | {kind: list(bootstrap_ci(_errors(locator, variant))) for kind, variant in kinds.items()})
    return rows


def _share(model, events, struck):
    """Share of one station of each event in the event's rollout."""
    read = events.read_by(model)
    rollouts = [attention.rollout(attention.selection(model, read, i)) for i in range(len(read))]
    return np.array([rollout[row - start] for rollout, row, start in zip(rollouts, struck, read.start, strict=False)])


def _errors(locator, events):
    return (locator.predict(events).epicentre - events.y[:, :2]).norm(dim=-1).numpy()


# ----------------------------------------------------------------------------------------------------------- altogether


def measure(name, progress=True) -> dict:
    """All results on a network that the chapter reports, from the real test events.

    Returns
    -------
    dict
        `models` holds for each model the number of `events` and the values of `agreement` and the functions after it,
        under their names. `contrast` compares the models. `deletion` and `faults` are results of the dynamic model.
        `shuffled` and `shuffled_efficiency` are its results with shuffled weights, see `SHUFFLES`.
    """
    network = networks.load(name)
    trained = {model: checkpoints.load(path_of(name, model)) for model in MODELS}
    _, events = runs.parts_of(trained["dynamic"][1], progress)
    points = emphasis(bulletins.read_bulletin(name).readings) if name == ANALYST else None
    codes = station_codes(events, network)
    tables, design_tables, frames = {}, {}, {}
    for model, (trained_model, _) in trained.items():
        tables[model] = collect(trained_model, events, codes, points, progress=progress)
        design_tables[model] = designs(tables[model], network)
        frames[model] = by_event(tables[model], design_tables[model])
    content = {"models": {}, "contrast": contrast(frames, tables)}
    for model in trained:
        content["models"][model] = {"events": len(frames[model])}
        content["models"][model] |= _summed_up(tables[model], design_tables[model], frames[model])
    model, card = trained["dynamic"]
    content["deletion"] = deletion(model, events, tables["dynamic"], network, progress=progress)
    content["faults"] = faults(runs.as_locator(model, card), events)
    return content | _shuffled(model, events, network, codes, points, progress)


def _summed_up(table, found, frame):
    read = table.emphasis.notna().any()
    return {
        "agreement": agreement(table) if read else None,
        "beyond": beyond(table) if read else None,
        "design": design(found),
        "blocks": blocks(table, found),
        "between": between(table),
        "strata": strata(frame),
    }


def _shuffled(model, events, network, codes, points, progress):
    shuffled_models = [attention.shuffle_weights(model, seed) for seed in SHUFFLES]
    tables = [
        collect(shuffled_model, events, codes, points, checks=False, progress=progress)
        for shuffled_model in shuffled_models
    ]
    design_table = pd.concat([designs(table, network) for table in tables])
    efficiency = design_table[design_table.order == "rollout"].groupby("event").efficiency.mean()
    return {"shuffled": None if points is None else beyond(*tables), "shuffled_efficiency": _mean(efficiency)}


def path_of(network, model):
    """Path of the checkpoint of a model that this study measures."""
    return model_path(network, model, "random", 0, "paper")
