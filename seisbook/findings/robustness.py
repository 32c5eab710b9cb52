"""What the robustness study says: growth of errors, breakdown severities, verdicts on C5 and C6."""

import numpy as np
import pandas as pd
import scipy  # `scipy.stats` takes a second to load, and is loaded when it is first used

from seisbook.errors import UserError
from seisbook.findings.quotations import quoting
from seisbook.measures.estimates import below, estimate, resampled

DOUBLED = 2.0  # growth of the error at which a model counts as broken down
NARROW_BANDS = ("band_pass",)
JOINT_SHIFTS, OWN_SHIFTS = ("joint_shift",), ("independent_shift",)
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


# ------------------------------------------------------------------------------------------------------------- analysis


def tabulate(records) -> pd.DataFrame:
    """Growth of the errors by axis, severity and model.

    Parameters
    ----------
    records : list of dict
        Of `seisbook.studies.runner.load`.

    Returns
    -------
    DataFrame
        `network`, `axis`, `severity`, `model`; the median `epicentral_km`; its `growth`, the ratio to the unperturbed
        one, with the 95 % interval `low`, `high` over events, paired; `magnitude_rmse` and `magnitude_growth`.
    """
    calm, perturbed = _unperturbed(records), [record for record in records if record["trial"]["axis"] != "none"]
    growths = {model: _growths_by_trial(perturbed, calm, model) for model in calm}
    rows = []
    for i, record in enumerate(perturbed):
        for model, errors in record["result"].items():
            growth = estimate(growths[model][i])
            rmse, before = (_root_mean_square(each["magnitude"]) for each in (errors, calm[model]))
            rows.append(
                {
                    **{name: record["trial"][name] for name in ("network", "axis", "severity")},
                    "model": model,
                    "epicentral_km": float(np.median(errors["epicentral_km"])),
                    **{"growth": growth.value, "low": growth.low, "high": growth.high},
                    **{"magnitude_rmse": rmse, "magnitude_growth": rmse / before},
                }
            )
    return pd.DataFrame(rows)


def _root_mean_square(errors):
    return np.sqrt(np.nanmean(np.square(errors)))


def _unperturbed(records):
    return next(record["result"] for record in records if record["trial"]["axis"] == "none")


def _growths_by_trial(perturbed, calm, model):
    """Growths (1 + resamples,) of a model, by the position of each trial in which it was tested."""
    tested = [i for i, record in enumerate(perturbed) if model in record["result"]]
    growths = _growths([perturbed[i]["result"][model] for i in tested], calm[model])
    return dict(zip(tested, growths.T, strict=True))


def _growths(perturbed, calm, random_state=0):
    """Ratios of median epicentral errors (1 + resamples, perturbations); the first row is of the events themselves."""
    before, *after = resampled([errors["epicentral_km"] for errors in (calm, *perturbed)], random_state=random_state)
    return (np.array(after) / before).T


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
    chosen = [record for record in records if record["trial"]["axis"] in axes]
    if not chosen:
        raise UserError(f"the robustness study has none of the axes {', '.join(axes)}")
    growths = _growths([record["result"][model] for record in chosen], _unperturbed(records)[model])
    largest = estimate(growths.max(1))
    worst = chosen[int(growths[0].argmax())]["trial"]
    where = {"axis": worst["axis"], "severity": worst["severity"]}
    return {**largest._asdict(), **where, "verdict": below(largest.low, largest.high, DOUBLED)}


def breakdown(table) -> pd.DataFrame:
    """Severity at which the median epicentral error has doubled, by axis and model, as text with its unit.

    Between the severities that were tried it is interpolated, linearly in the growth; of octave bands, which have no
    order of harm, those are listed in which the error has doubled.

    Parameters
    ----------
    table : DataFrame
        Of `tabulate`.
    """
    from seisbook.measures import perturbations  # loads PyTorch, which verdicts do without

    cells = {}
    for (name, model), rows in table.groupby(["axis", "model"], sort=False):
        axis = perturbations.AXES[name]
        cells.setdefault(f"{axis.title} ({axis.unit})", {})[model] = _breakdown(name, rows)
    return pd.DataFrame.from_dict(cells, orient="index").fillna("")


def _breakdown(name, rows):
    severity, growth = rows.severity.to_numpy(float), rows.growth.to_numpy()
    broken = np.flatnonzero(growth >= DOUBLED)
    if not len(broken):
        return f"none up to {severity[-1]:g}" if name not in NARROW_BANDS else "none"
    if name in NARROW_BANDS:
        return ", ".join(f"{band:g}" for band in severity[broken])
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
        Of `seisbook.studies.runner.load`, for one network.

    Returns
    -------
    DataFrame
        A row a group: number of `perturbations`; `real`, `twin`, geometric means of the growths, and their `ratio`
        (`seisbook.measures.estimates.Estimate`); Spearman's `rank_correlation` of the growths; `verdict`.
    """
    rows = {}
    for name, axes in GROUPS.items():
        logs = np.stack([_log_growths(records, axes, seed) for seed, records in enumerate((real, twin))])
        means = np.exp([*logs.mean(2), (logs[1] - logs[0]).mean(1)])
        estimates = [estimate(replicates) for replicates in means]
        rows[name] = {
            "perturbations": logs.shape[2],
            **dict(zip(("real", "twin", "ratio"), estimates, strict=True)),
            "rank_correlation": float(scipy.stats.spearmanr(*logs[:, 0]).statistic),
            "verdict": _alike(estimates[-1]),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _log_growths(records, axes, random_state, model="dynamic"):
    """Logarithms of `_growths` along some axes, in the order of the trials."""
    chosen = [record["result"][model] for record in records if record["trial"]["axis"] in axes]
    return np.log(_growths(chosen, _unperturbed(records)[model], random_state))


def _alike(ratio):
    if ratio.low > 1 / ALIKE and ratio.high < ALIKE:
        return "agree"
    return "differ" if ratio.low > ALIKE or ratio.high < 1 / ALIKE else "inconclusive"


@quoting
def quoted(records):
    """What the prose quotes, from a name such as `colombia-band_pass-growth`.

    Parameters
    ----------
    records : dict of str to list of dict
        By network, or another name for the records, of `seisbook.studies.runner.load`.
    """
    for name, trials in records.items():
        errors = _unperturbed(trials)["dynamic"]["epicentral_km"]
        calm, perturbed = np.median(errors), [record for record in trials if record["trial"]["axis"] != "none"]
        yield (name, "events"), len(errors), ","
        yield (name, "calm-km"), calm
        for axis in dict.fromkeys(record["trial"]["axis"] for record in perturbed):
            worst = stability(trials, "dynamic", (axis,))
            yield (name, axis, "growth"), worst
            yield (name, axis, "km"), worst["value"] * calm, ".1f"
        for record in perturbed:
            growth = np.median(record["result"]["dynamic"]["epicentral_km"]) / calm
            yield (name, record["trial"]["axis"], f"{record['trial']['severity']:g}"), growth
