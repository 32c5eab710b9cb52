"""The robustness study: trained models on the same test events, perturbed along one axis at a time.

Nothing is trained. The models are those of the first random fold that the book ships; the events are that fold's test
events, real readings with rendered seismograms, which no model has seen. Every model sees the same perturbed events, so
that what counts is paired: each event's error with and without the perturbation.

The classical pipeline takes part on the first hundred of these events: it picks the perturbed seismograms itself, with
station corrections from the training part of the real bulletin. It has no analyst here, as the models have none. Wrong
coordinates are left out: it knows its stations by name, and an error in an event's coordinates does not reach it.

Two rules were written before the study was run. A model is *stable* along some axes (claims C5 and C6) if its median
epicentral error at the most harmful severity is below twice the unperturbed one, see `stability`; and the *breakdown*
severity of an axis is that at which it reaches twice.
"""

from functools import cache

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from scipy.stats import spearmanr

from seisbook import bulletins, checkpoints, evaluation, experiments, networks, robustness, simulation, studies
from seisbook.catalogue import Catalogue
from seisbook.classical import ClassicalLocator, catalogue_from_traces
from seisbook.datasets import EventRecord
from seisbook.errors import UserError
from seisbook.statistics import INTERVAL, Estimate, below

MODELS = experiments.PUBLISHED
DOUBLED = 2.0  # growth of the error at which a model counts as broken down
NARROW_BANDS = ("band_pass",)
JOINT_SHIFTS, OWN_SHIFTS = ("joint_shift",), ("independent_shift",)
RESAMPLES = 2000
GROUPS = {
    "narrow bands": ("band_pass", "low_pass", "high_pass"),
    "shifts and noise": ("joint_shift", "independent_shift", "added_noise"),
    "missing stations": ("random_dropout", "nearest_dropout", "sector_dropout"),
    "one station that lies": (
        *("gain_error", "polarity_flip", "swapped_components", "clipping"),
        *("gap", "spike", "dead_channel", "wrong_coordinates"),
    ),
}
"""Axes by what goes wrong."""
ALIKE = 1.25  # factor up to which growths of the error count as the same
CLASSICAL_AXES = ("none", *(axis for axis in robustness.AXES if axis != "wrong_coordinates"))
CLASSICAL_EVENTS = 100  # which it takes ten times as long to pick and locate as a model needs to read
SAME_PLACE_KM = 0.01
QUICK_AXES, QUICK_EVENTS = ("band_pass", "joint_shift"), 60


def trials(network, source, profile) -> list[dict]:
    """The unperturbed events, and each axis at each of its severities that the sampling rate can hold."""
    common = {"network": network, "source": source, "profile": profile}
    rate = networks.load(network).window.sampling_rate_hz
    axes = QUICK_AXES if profile == "quick" else tuple(robustness.AXES)
    perturbed = [(axis, severity) for axis in axes for severity in robustness.severities(axis, rate)]
    return [{**common, "axis": axis, "severity": severity} for axis, severity in [("none", None), *perturbed]]


def run(trials) -> list[dict]:
    """Errors of each method on the events of each trial: `epicentral_km`, `depth_km`, `magnitude` of each event."""
    return [_tested(**trial) for trial in trials]


def _tested(network, source, profile, axis, severity):
    events = _events(network, source, profile)
    if axis != "none":
        rate = networks.load(network).window.sampling_rate_hz
        events = robustness.AXES[axis].make(severity).apply(events, rate, progress=False)
    found = {model: _predicted(*_trained(network, model), events) for model in MODELS}
    if axis in CLASSICAL_AXES:
        found["classical"] = _located(network, source, events.select(np.arange(min(CLASSICAL_EVENTS, len(events)))))
    return found


def _predicted(model, card, events):
    return evaluation.rounded(evaluation.errors(experiments.as_locator(model, card).predict(events), events))


def _located(network, source, events):
    """The classical pipeline; an event that it cannot locate or size gets the training events' medians."""
    locator, guess = _fitted(network, source)
    names = events.source_id.astype(str)
    found = locator.predict(picked(events, locator.network))
    estimate = found.reindex(names)[["east_km", "north_km", "depth_km", "magnitude"]].to_numpy(float)
    estimate = np.where(np.isnan(estimate), guess, estimate)
    return evaluation.rounded(evaluation.hypocentral_errors(estimate, events.y.numpy(), names))


def picked(events, network) -> Catalogue:
    """A catalogue of events in memory, with automatic readings of their seismograms.

    Parameters
    ----------
    events : Events
        With their seismograms in nm; stations are recognised by their places, one that is elsewhere is left out.
    network : Network

    Returns
    -------
    Catalogue
        Times count from the first sample of each window, so that only their differences mean anything.
    """
    codes = station_codes(events, network)
    names, time = events.source_id.astype(str), pd.Timestamp("2000-01-01", tz="UTC")
    rows = [{"source_id": name, "source_origin_time": time} for name in names]
    catalogue = Catalogue.from_rows(network.name, "simulated", rows, [])
    records = _records(events, names, codes, time)
    return catalogue_from_traces(catalogue, records, network.window.sampling_rate_hz, progress=False)


def station_codes(events, network) -> np.ndarray:
    """Codes of all stations of all events, by their places; empty for one that the network does not have there."""
    stations = network.station_table()
    places = np.column_stack(network.to_local(stations.latitude, stations.longitude))
    distance, nearest = cKDTree(places).query(events.pos[:, :2].numpy())
    return np.where(distance < SAME_PLACE_KM, stations.index.to_numpy()[nearest], "")


def _records(events, names, codes, time):
    """The events as records, whose windows begin at the origin time."""
    for i, name in enumerate(names):
        rows = slice(events.start[i], events.start[i + 1])
        known = codes[rows] != ""
        waveforms = events.x[rows].float().numpy() * 10 ** events.amplitude[rows].numpy()[:, None, None]
        traces = pd.DataFrame(
            {"station_code": codes[rows][known], "trace_start_time": time, "source_origin_time": time}
        )
        yield EventRecord(name, traces, waveforms[known])


def recipe(trial) -> dict:
    """What a trial's result follows from: the trained models, and what is done to the events."""
    trained = [_trained(trial["network"], model)[1].recipe["hash"] for model in MODELS]
    code = {
        **checkpoints.code_of("robustness"),
        **checkpoints.code_of("classical"),
        "robustness_study": checkpoints.code_of_parts(
            _tested, _predicted, _located, picked, station_codes, _records, _events, _fitted
        ),
    }
    methods = [*trained, CLASSICAL_EVENTS * (trial["axis"] in CLASSICAL_AXES)]
    return checkpoints.recipe("dynamic", trial["network"], methods, code, trial)


def prepare(network, source, profile):
    """Read the events, once for all."""
    _events(network, source, profile)


@cache
def _events(network, source, profile):
    """Test events of the first random fold, or as many simulated ones that no model was trained on."""
    if source == "bulletin":
        return experiments.parts_of(_trained(network, "dynamic")[1], False)[1]
    size = QUICK_EVENTS if profile == "quick" else experiments.TWIN_EVENTS
    return experiments.load_events(networks.load(network), source, size, experiments.TWIN_SEED, False)


@cache
def _trained(network, model):
    return checkpoints.load(experiments.model_path(network, model, "random", 0, "paper"))


@cache
def _fitted(network, source):
    """The classical pipeline with station corrections from the training events, and those events' median labels."""
    network = networks.load(network)
    if source == "bulletin":
        catalogue = bulletins.read_bulletin(network)
        events = catalogue.events
        train, _ = experiments.folds(events.index, events.source_origin_time, "random")[0]
        catalogue = catalogue.select(train)
    else:
        catalogue = simulation.simulate(network, experiments.TWIN_EVENTS, experiments.TWIN_SEED + 1)
    return ClassicalLocator(network, progress=False).fit(catalogue), np.nanmedian(
        experiments.labels(network, catalogue), axis=0
    )


STUDY = studies.Study("robustness", trials, run, recipe, prepare)


# ------------------------------------------------------------------------------------------------------------- analysis


def tabulate(records) -> pd.DataFrame:
    """Growth of the errors by axis, severity and model.

    Parameters
    ----------
    records : list of dict
        Of `seisbook.studies.load`.

    Returns
    -------
    DataFrame
        `network`, `axis`, `severity`, `model`; the median `epicentral_km`; its `growth`, the ratio to the unperturbed
        one, with the 95 % interval `low`, `high` over events, paired; `magnitude_rmse` and `magnitude_growth`.
    """
    calm = _unperturbed(records)
    rows = []
    for record in records:
        if record["trial"]["axis"] == "none":
            continue
        for model, errors in record["result"].items():
            replicates = _growths([errors], calm[model])[:, 0]
            low, high = np.percentile(replicates[1:], INTERVAL)
            rmse, before = (np.sqrt(np.nanmean(np.square(one["magnitude"]))) for one in (errors, calm[model]))
            rows.append(
                {
                    "network": record["trial"]["network"],
                    "axis": record["trial"]["axis"],
                    "severity": record["trial"]["severity"],
                    "model": model,
                    "epicentral_km": float(np.median(errors["epicentral_km"])),
                    **{"growth": replicates[0], "low": low, "high": high},
                    **{"magnitude_rmse": rmse, "magnitude_growth": rmse / before},
                }
            )
    return pd.DataFrame(rows)


def _unperturbed(records):
    return next(one["result"] for one in records if one["trial"]["axis"] == "none")


def _growths(perturbed, calm, random_state=0):
    """Ratios of median epicentral errors (1 + resamples, perturbations); the first row is of the events themselves."""
    before = np.array(calm["epicentral_km"])
    after = np.array([one["epicentral_km"] for one in perturbed])
    chosen = np.random.default_rng(random_state).integers(len(before), size=(RESAMPLES, len(before)))
    chosen = np.vstack([np.arange(len(before)), chosen])
    medians = np.array([np.median(one[chosen], axis=1) for one in after])
    return (medians / np.median(before[chosen], axis=1)).T


def stability(records, model, axes) -> dict:
    """Whether a model is stable along some axes: the growth of its error at the most harmful severity.

    The interval is that of the largest growth over all severities, events resampled, so that it knows that the worst of
    several was picked. *Supported* if it lies below 2, *not supported* if above, *inconclusive* otherwise.

    Returns
    -------
    dict
        `value` (the growth), `low`, `high`, `axis` and `severity` (where it is largest), `verdict`.

    Raises
    ------
    UserError
        If the study has none of these axes.
    """
    chosen = [one for one in records if one["trial"]["axis"] in axes]
    if not chosen:
        raise UserError(f"the robustness study has none of the axes {', '.join(axes)}")
    growths = _growths([one["result"][model] for one in chosen], _unperturbed(records)[model])
    low, high = np.percentile(growths[1:].max(1), INTERVAL)
    worst = chosen[int(growths[0].argmax())]["trial"]
    where = {"axis": worst["axis"], "severity": worst["severity"]}
    return {
        "value": float(growths[0].max()),
        "low": float(low),
        "high": float(high),
        **where,
        "verdict": below(low, high, DOUBLED),
    }


def breakdown(table) -> pd.DataFrame:
    """Severity at which the median epicentral error has doubled, by axis and model, as text with its unit.

    Between the severities that were tried it is interpolated, linearly in the growth; of octave bands, which have no
    order of harm, those are listed in which the error has doubled.

    Parameters
    ----------
    table : DataFrame
        Of `tabulate`.
    """
    cells = {}
    for (name, model), rows in table.groupby(["axis", "model"], sort=False):
        axis = robustness.AXES[name]
        cells.setdefault(f"{axis.title} ({axis.unit})", {})[model] = _breakdown(name, rows)
    return pd.DataFrame.from_dict(cells, orient="index").fillna("")


def _breakdown(name, rows):
    severity, growth = rows.severity.to_numpy(float), rows.growth.to_numpy()
    broken = np.flatnonzero(growth >= DOUBLED)
    if not len(broken):
        return f"none up to {severity[-1]:g}" if name not in NARROW_BANDS else "none"
    if name in NARROW_BANDS:
        return ", ".join(f"{one:g}" for one in severity[broken])
    first = broken[0]
    if first == 0:
        return f"before {severity[0]:g}"
    part = (DOUBLED - growth[first - 1]) / (growth[first] - growth[first - 1])
    where = severity[first - 1] + part * (severity[first] - severity[first - 1])
    return f"{float(f'{where:.2g}'):g}"


def against_twin(real, twin) -> pd.DataFrame:
    r"""Whether our model's errors grow on simulated readings as they do on real ones, by group of perturbations.

    .. math:: \rho = \exp \operatorname{mean}_a (\ln g_a^\mathrm{twin} - \ln g_a^\mathrm{real})

    with :math:`g_a` the growth of the median epicentral error under perturbation :math:`a`, an axis at a severity. The
    interval resamples the events of both. The rule was written before the two were compared: growths *agree* if the
    interval lies within a factor of 1.25 of 1, *differ* if it lies beyond on one side, else neither can be said.

    Parameters
    ----------
    real, twin : list of dict
        Of `seisbook.studies.load`, for one network.

    Returns
    -------
    DataFrame
        A row a group: number of `perturbations`; `real`, `twin`, geometric means of the growths, and their `ratio`
        (`seisbook.statistics.Estimate`); Spearman's `rank_correlation` of the growths; `verdict`.
    """
    rows = {}
    for name, axes in GROUPS.items():
        logs = np.stack([_log_growths(found, axes, seed) for seed, found in enumerate((real, twin))])
        means = np.exp([*logs.mean(2), (logs[1] - logs[0]).mean(1)])
        estimates = [estimate(one) for one in means]
        rows[name] = {
            "perturbations": logs.shape[2],
            **dict(zip(("real", "twin", "ratio"), estimates, strict=True)),
            "rank_correlation": float(spearmanr(*logs[:, 0]).statistic),
            "verdict": _alike(estimates[-1]),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def estimate(replicates) -> Estimate:
    """A statistic and its 95 % interval, from its value and then those of the resamples."""
    return Estimate(*(float(one) for one in (replicates[0], *np.percentile(replicates[1:], INTERVAL))))


def _log_growths(records, axes, random_state, model="dynamic"):
    """Logarithms of `_growths` along some axes, in the order of the trials."""
    chosen = [one["result"][model] for one in records if one["trial"]["axis"] in axes]
    return np.log(_growths(chosen, _unperturbed(records)[model], random_state))


def _alike(ratio):
    if ratio.low > 1 / ALIKE and ratio.high < ALIKE:
        return "agree"
    return "differ" if ratio.low > ALIKE or ratio.high < 1 / ALIKE else "inconclusive"


def quoted(records) -> dict:
    """What the prose quotes, from a name such as `colombia-band_pass-growth`.

    Parameters
    ----------
    records : dict of str to list of dict
        By network, or another name for the records, of `seisbook.studies.load`.
    """
    texts = {}
    for name, found in records.items():
        errors = _unperturbed(found)["dynamic"]["epicentral_km"]
        calm = np.median(errors)
        texts[f"{name}-events"], texts[f"{name}-calm-km"] = f"{len(errors):,}", f"{calm:.2f}"
        table = tabulate(found)
        for axis in dict.fromkeys(table.axis):
            worst = stability(found, "dynamic", (axis,))
            texts[f"{name}-{axis}-growth"] = f"{Estimate(worst['value'], worst['low'], worst['high']):.2f}"
            texts[f"{name}-{axis}-km"] = f"{worst['value'] * calm:.1f}"
            texts[f"{name}-{axis}-severity"] = f"{worst['severity']:g}"
        for row in table[table.model == "dynamic"].itertuples():
            texts[f"{name}-{row.axis}-{row.severity:g}"] = f"{row.growth:.2f}"
    return texts
