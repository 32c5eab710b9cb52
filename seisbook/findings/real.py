"""What the study of real seismograms says: each ingredient of the renderer, a few real events, and the critic.

Rules and targets are those of `seisbook.studies.real`. Errors of an arm's seeds belong to the same events. A resample
therefore draws events, each with the errors of all seeds.
"""

import numpy as np
import pandas as pd

from seisbook.findings.quotations import printed, quoting, text
from seisbook.findings.robustness import DOUBLED, stability
from seisbook.measures.estimates import Estimate, below, estimate, resampled
from seisbook.studies import runner

NAME, NETWORK, SOURCE = "real", "iceland", "waveform"
OUTSIDE, OUTSIDE_KM = "ridgecrest_august", 2.0  # network of the outside test, and the target of its median error
LOCATED, SIZED = "median epicentral error (km)", "magnitude RMSE, calibrated by other events"
PUBLISHED, LAST, ZERO_SHOT = "published", "real onsets too", "velocity too"
CLASSICAL = {"classical, own picks": "classical, own picks", "classical, source's picks": "classical, source's picks"}
TITLES = {
    PUBLISHED: "robust model, as published",
    "rendered": "rendered as in all chapters",
    "real noise": "real noise",
    "real texture": "real texture",
    "noise and texture": "real noise and texture",
    "site terms too": "real noise, texture and sites",
    ZERO_SHOT: "the same, half of it velocity",
    LAST: "the same, and real onsets",
    **CLASSICAL,
}
IN_LEDGER = {
    PUBLISHED: "robust model",
    ZERO_SHOT: "robust model, real noise and texture",
    LAST: "robust model, real noise, texture and onsets",
}
"""What the ledger calls the models that it judges."""
UNITS = {"counts": "counts of velocity", "displacement": "displacement"}
JUDGED = (ZERO_SHOT, LAST)
RUNGS = {
    "real noise": "rendered",
    "real texture": "rendered",
    "noise and texture": "rendered",
    "site terms too": "noise and texture",
    ZERO_SHOT: "site terms too",
    LAST: ZERO_SHOT,
}
"""Each ingredient, and the arm that has all but it."""
TARGETS = {"epicentre_km": 0.9, "nine_in_ten_km": 5.0, "depth_bias_km": 0.5, "picks": 0.8, "magnitude_rmse": 0.3}
TUNED_KM = 0.7  # with 20 real events
CRITIC = 0.75  # area under the curve
NEAR_S = 0.5
SHAKEN = {
    "C5": {"band_pass": "octave bands"},
    "C6": {"joint_shift": "joint shifts", "independent_shift": "clock errors"},
}
"""Claims on perturbations, with their axes."""


def load(profile="paper", network=NETWORK) -> list[dict]:
    """Records of the study, see `seisbook.studies.runner.read`."""
    return runner.read(NAME, network, SOURCE, profile)


def outside(profile="paper") -> np.ndarray:
    """Epicentral errors (km) of the published Ridgecrest model on the four real events of August 2019."""
    (record,) = load(profile, OUTSIDE)
    return np.array(record["result"]["epicentral_km"])


def of(records, test, **wanted) -> list[dict]:
    """Records of a test whose trials have these values."""
    wanted = {"test": test, **wanted}
    return [record for record in records if wanted.items() <= record["trial"].items()]


def labels(records) -> np.ndarray:
    """Published east, north and depth (km) and magnitude of the real events (events, 4)."""
    found = of(records, "informative")[0]["result"]["labels"]
    return np.array([found[str(i)] for i in range(len(found))], float)


# ------------------------------------------------------------------------------------------------------------ the arms


def pooled(values, statistic=np.median) -> Estimate:
    """Statistic of errors (events, seeds) with its interval over events."""
    values = np.asarray(values, float)

    def of_events(index, axis):
        return statistic(values[index.astype(int)], axis=(-2, -1))

    return estimate(resampled(np.arange(len(values)), of_events))


def _column(runs, name):
    """Values (events, seeds) of a column; NaN where a value is not known."""
    return np.array([record["result"][name] for record in runs], float).T


def _rmse(values, axis):
    return np.sqrt(np.nanmean(np.square(values), axis=axis))


def ladder(records, arms=TITLES) -> pd.DataFrame:
    """Each arm on the real seismograms.

    Parameters
    ----------
    records : list of dict
    arms : iterable of str

    Returns
    -------
    DataFrame
        A row for each arm and unit: `arm`, `unit`, number of `seeds`; `epicentre_km`, `nine_in_ten_km`,
        `depth_bias_km` (median of estimate minus label), `depth_km` (median of the absolute error), `magnitude_rmse`
        (calibrated by other events), `solver_km` (the same onsets in an untrained graph part), all `Estimate`; shares
        of `p_picks` and `s_picks` within `NEAR_S`; `seeds_km`, the least and the largest median of the epicentral
        error. The classical pipelines have no onsets of a stem and one unit.
    """
    rows = []
    for arm in arms:
        for unit in UNITS if arm not in CLASSICAL else ("counts",):
            runs = of(records, "classical", arm=arm) or of(records, "located", arm=arm, unit=unit, axis="none")
            if runs:
                rows.append({"arm": arm, "unit": unit, **_summary(runs)})
    return pd.DataFrame(rows)


def _summary(runs):
    """Summary of an arm's runs on one unit."""
    errors = _column(runs, "epicentral_km")
    depth = _column(runs, "depth_km")
    magnitude = "calibrated" if "calibrated" in runs[0]["result"] else "magnitude"
    found = {
        "seeds": len(runs),
        "epicentre_km": pooled(errors, np.nanmedian),
        "nine_in_ten_km": pooled(errors, lambda values, axis: np.nanquantile(values, 0.9, axis=axis)),
        "depth_bias_km": pooled(depth, np.nanmedian),
        "depth_km": pooled(np.abs(depth), np.nanmedian),
        "seeds_km": (float(np.nanmedian(errors, 0).min()), float(np.nanmedian(errors, 0).max())),
        "magnitude_rmse": pooled(_column(runs, magnitude), _rmse) if magnitude in runs[0]["result"] else None,
        **dict.fromkeys(("p_picks", "s_picks", "solver_km")),
    }
    if "solver_epicentral_km" in runs[0]["result"]:
        found["solver_km"] = pooled(_column(runs, "solver_epicentral_km"))
        found |= {f"{wave}_picks": _near(runs, wave) for wave in "ps"}
    return found


def _near(runs, wave):
    """Share of the picks that the stem finds within `NEAR_S`, over all runs."""
    off = np.concatenate([record["result"][f"{wave}_off_s"] for record in runs])
    return float((np.abs(off) <= NEAR_S).mean())


def ladder_table(rows, titles=TITLES) -> pd.DataFrame:
    """The table of `ladder` as a page prints it, each arm by its title."""
    cells = {}
    for row in rows.itertuples():
        picks = "" if row.p_picks is None or np.isnan(row.p_picks) else f"{row.p_picks:.0%} / {row.s_picks:.0%}"
        cells[titles[row.arm], "" if row.arm in CLASSICAL else UNITS[row.unit]] = {
            "epicentre (km)": (row.epicentre_km,),
            "nine in ten (km)": f"{row.nine_in_ten_km.value:.1f}",
            "depth, median error (km)": f"{row.depth_bias_km.value:+.2f}",
            "P / S within 0.5 s": picks,
            "magnitude RMSE": "" if row.magnitude_rmse is None else f"{row.magnitude_rmse.value:.2f}",
        }
    return printed(cells)


def rungs(records) -> pd.DataFrame:
    """What each ingredient buys: the ratio of median epicentral errors with it over without it.

    Returns
    -------
    DataFrame
        `arm`, `over`, `unit`, `ratio` (`Estimate` over events) and `verdict`: *helps*, *harms* or *undecided*.
    """
    rows = []
    for arm, over in RUNGS.items():
        for unit in UNITS:
            pair = [of(records, "located", arm=one, unit=unit, axis="none") for one in (arm, over)]
            if all(pair):
                rows.append({"arm": arm, "over": over, "unit": unit, **helped(*pair)})
    return pd.DataFrame(rows)


def helped(runs, without) -> dict:
    """What an ingredient buys: `ratio` (`Estimate`) of the median errors of runs with it over those without it, and
    `verdict`: *helps*, *harms* or *undecided*.
    """
    found = _ratio(*(_column(one, "epicentral_km") for one in (runs, without)))
    return {"ratio": found, "verdict": "helps" if found.high < 1 else "harms" if found.low > 1 else "undecided"}


def _ratio(ours, theirs):
    """Ratio of the medians of errors (events, seeds) of the same events."""

    def of_events(index, axis):
        chosen = index.astype(int)
        return np.median(ours[chosen], axis=(-2, -1)) / np.median(theirs[chosen], axis=(-2, -1))

    return estimate(resampled(np.arange(len(ours)), of_events))


def detectable(rows) -> float:
    """Factor by which an ingredient would have to change the median error to be seen, in the median of `rungs`.

    It is the half width of the ratio's interval on a logarithmic scale. An ingredient that changes the error by less
    has an interval that contains one, if the interval lies about the ratio.
    """
    return float(np.median([np.sqrt(row.ratio.high / row.ratio.low) for row in rows.itertuples()]))


def events_needed(rows, factor, n_events) -> float:
    """Events of which the intervals of `rungs` would be narrow enough for a factor: they narrow with the root."""
    return n_events * (np.log(detectable(rows)) / np.log(factor)) ** 2


def rungs_table(rows, titles=TITLES) -> pd.DataFrame:
    """The table of `rungs` as a page prints it, each arm by its title."""
    cells = {}
    for row in rows.itertuples():
        cell = cells.setdefault((titles[row.arm], f"over: {titles[row.over]}"), {})
        cell[f"ratio, {UNITS[row.unit]}"], cell[f"it, {UNITS[row.unit]}"] = (row.ratio,), row.verdict
    return printed(cells)


def targets(records, judged=JUDGED) -> pd.DataFrame:
    """Each target, for the arms that are judged: what was found, and whether it is met with every seed.

    Parameters
    ----------
    records : list of dict
    judged : iterable of str
        Arms.

    Returns
    -------
    DataFrame
        `arm`, `unit`, `target`, `found` (of all seeds together), `threshold`, `met`.
    """
    rows = []
    for arm in judged:
        for unit in UNITS:
            runs = of(records, "located", arm=arm, unit=unit, axis="none")
            if not runs:
                continue
            each = [_numbers(_summary([run])) for run in runs]
            together = _numbers(_summary(runs))
            for name, (value, threshold, is_least) in together.items():
                met = all((one[name][0] >= threshold) if is_least else (one[name][0] <= threshold) for one in each)
                rows.append(
                    {"arm": arm, "unit": unit, "target": name, "found": value, "threshold": threshold, "met": met}
                )
    return pd.DataFrame(rows)


def _numbers(summary):
    """Value, threshold, and whether that is a least one, by target."""
    return {
        "epicentre, median (km)": (summary["epicentre_km"].value, TARGETS["epicentre_km"], False),
        "epicentre, nine in ten (km)": (summary["nine_in_ten_km"].value, TARGETS["nine_in_ten_km"], False),
        "depth, size of the median error (km)": (
            abs(summary["depth_bias_km"].value),
            TARGETS["depth_bias_km"],
            False,
        ),
        "P within 0.5 s": (summary["p_picks"], TARGETS["picks"], True),
        "S within 0.5 s": (summary["s_picks"], TARGETS["picks"], True),
        "magnitude RMSE, calibrated": (summary["magnitude_rmse"].value, TARGETS["magnitude_rmse"], False),
    }


def targets_table(rows, titles=TITLES) -> pd.DataFrame:
    """The table of `targets` as a page prints it, each arm by its title."""
    cells = {}
    for row in rows.itertuples():
        sign = "at least" if "within" in row.target else "at most"
        cell = cells.setdefault(f"{row.target}: {sign} {row.threshold:g}", {})
        cell[f"{titles[row.arm]}, {UNITS[row.unit]}"] = f"{row.found:.2f}, {'met' if row.met else 'not met'}"
    return printed(cells)


# ------------------------------------------------------------------------------------------------------ a few events


def learning(records) -> pd.DataFrame:
    """Errors after a few real events, on the events of other blocks of time.

    Returns
    -------
    DataFrame
        `unit`, `events` shown (0 for none), `epicentre_km`, `depth_bias_km`, `magnitude_rmse`, `s_km` (all `Estimate`
        over events, each with its draws).
    """
    rows = []
    for unit in UNITS:
        first = of(records, "located", arm=LAST, seed=0, unit=unit, axis="none")
        few = sorted({record["trial"]["few"] for record in of(records, "tuned", unit=unit)})
        for number in (0, *few):
            runs = first if number == 0 else of(records, "tuned", unit=unit, few=number)
            columns = {name: _by_event(runs, name) for name in ("epicentral_km", "depth_km", "calibrated", "magnitude")}
            sizes = columns["calibrated" if number == 0 else "magnitude"]
            rows.append(
                {
                    **{"unit": unit, "events": number, "epicentre_km": pooled(columns["epicentral_km"], np.nanmedian)},
                    "depth_bias_km": pooled(columns["depth_km"], np.nanmedian),
                    "magnitude_rmse": pooled(sizes, _rmse),
                }
            )
    return pd.DataFrame(rows)


def _by_event(runs, name):
    """Values (events, draws) of a column, NaN where a draw did not test the event."""
    first = runs[0]["result"]
    tests = [run["result"].get("event", range(len(first[name]))) for run in runs]
    draws = {}
    for positions, run in zip(tests, runs, strict=True):
        for event, value in zip(positions, run["result"][name], strict=True):
            draws.setdefault(event, []).append(np.nan if value is None else value)
    most = max(map(len, draws.values()))
    return np.array([values + [np.nan] * (most - len(values)) for _, values in sorted(draws.items())])


def learning_table(rows) -> pd.DataFrame:
    """The table of `learning` as a page prints it."""
    cells = {}
    for row in rows.itertuples():
        cells[UNITS[row.unit], row.events] = {
            "epicentre (km)": (row.epicentre_km,),
            "depth, median error (km)": f"{row.depth_bias_km.value:+.2f}",
            "magnitude RMSE": (row.magnitude_rmse,),
        }
    return printed(cells).rename_axis(["signals", "real events"])


# ---------------------------------------------------------------------------------------------------------- the critic


def critics(records) -> pd.DataFrame:
    """Area under the curve of the critic of each arm's rendering: `arm`, `records`, `area` (`Estimate` over records),
    `met`.
    """
    rows = []
    for record in of(records, "critic"):
        scores = np.array(record["result"]["scores"]).reshape(2, -1)
        rows.append(
            {
                **{"arm": record["trial"]["arm"], "records": record["result"]["records"]},
                "area": estimate(resampled(np.arange(scores.shape[1]), _area_of(scores), n=400)),
                "met": record["result"]["area"] < CRITIC,
            }
        )
    return pd.DataFrame(rows)


def _area_of(scores):
    """Function of resamples that gives the area, the share of pairs in which the real record has the larger score."""

    def area(index, axis):
        chosen = np.atleast_2d(index.astype(int))
        found = []
        for one in chosen:
            rendered, real = scores[0][one], scores[1][one]
            order = np.sort(rendered)
            ranks = (np.searchsorted(order, real, "left") + np.searchsorted(order, real, "right")) / 2
            found.append(ranks.mean() / len(rendered))
        return np.array(found)

    return area


def critics_table(rows) -> pd.DataFrame:
    """The table of `critics` as a page prints it."""
    return printed(
        {
            TITLES[row.arm]: {"ROC area": (row.area,), f"below {CRITIC:g}": "yes" if row.met else "no"}
            for row in rows.itertuples()
        }
    )


def statistics(records, arm) -> pd.DataFrame:
    """What the critic looked at: `statistic`, `kind` (rendered or real) and `value`, a row for each record."""
    found = of(records, "critic", arm=arm)[0]["result"]["statistics"]
    parts = [
        pd.DataFrame({"statistic": name, "kind": kind, "value": values})
        for name, pair in found.items()
        for kind, values in zip(("rendered", "real"), pair, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def single_areas(records) -> pd.DataFrame:
    """ROC area of each statistic by itself, at least one half: a row for each statistic, a column for each arm."""
    cells = {}
    for record in of(records, "critic"):
        for name, (made, real) in record["result"]["statistics"].items():
            area = _area_of(np.array([made, real]))(np.arange(len(real)), None)[0]
            cells.setdefault(name, {})[TITLES[record["trial"]["arm"]]] = max(area, 1 - area)
    return pd.DataFrame.from_dict(cells, orient="index")


def measured_table(records) -> pd.DataFrame:
    """What was measured on the real records of Uturuncu, as a page prints it: quartiles."""
    found = of(records, "texture")[0]["result"]["quartiles"]
    columns = ("lower quartile", "median", "upper quartile")
    return printed(
        {WORDS[name]: dict(zip(columns, ((v, ".2f") for v in values), strict=True)) for name, values in found.items()}
    )


WORDS = {
    **{
        f"{wave}_{letter}": f"{wave.upper()}, {component}, over S"
        for wave in "ps"
        for letter, component in zip("zrt", ("vertical", "radial", "transverse"), strict=True)
    },
    "p_rise_s": "P, onset to peak (s)",
    "s_rise_s": "S, onset to peak (s)",
    "p_decay": "P coda, decay over the renderer's",
    "s_decay": "S coda, decay over the renderer's",
    "kappa_s": "kappa (s)",
    "site_hz": "resonance of the site (Hz)",
    "site_gain": "gain at the resonance",
}
"""Names of what was measured, in words."""


# --------------------------------------------------------------------------------------------------------- the verdicts


def shaken(records, arm, unit, axis) -> dict:
    """Stability of an arm at the informative severities of an axis, see `seisbook.findings.robustness.stability`."""
    severities = of(records, "informative")[0]["result"]["severities"][axis]
    runs = of(records, "located", arm=arm, seed=0, unit=unit)
    known = [
        {"trial": run["trial"], "result": {arm: {"epicentral_km": run["result"]["epicentral_km"]}}}
        for run in runs
        if run["trial"]["axis"] == "none"
        or (run["trial"]["axis"], run["trial"]["severity"]) in {(axis, s) for s in severities}
    ]
    return stability(known, arm, (axis,))


def verdicts(records, promised) -> list[dict]:
    """Rows of the ledger on real seismograms.

    Parameters
    ----------
    records : list of dict
    promised : float
        Root mean square error of the magnitude that C2 promises.

    Returns
    -------
    list of dict
        `claim`, `network`, `measured`, `value`, `low`, `high`, `threshold`, `verdict`, `n_runs`; of what is measured,
        `what`, `unit` and `model` by themselves. C1 compares the median epicentral error with the target, C2 the error
        of the magnitude, calibrated by other events, with what the claim promises; C5 and C6 follow the rule of
        `seisbook.studies.robustness`.
    """
    rows = []
    for arm in (PUBLISHED, *JUDGED):
        for unit in UNITS:
            if runs := of(records, "located", arm=arm, unit=unit, axis="none"):
                about = {"arm": arm, "unit": unit, "n_runs": len(runs)}
                located, sized = pooled(_column(runs, "epicentral_km")), pooled(_column(runs, "calibrated"), _rmse)
                rows.append(_row("C1", LOCATED, located, TARGETS["epicentre_km"], **about))
                rows.append(_row("C2", SIZED, sized, promised, **about))
    for claim, axes in SHAKEN.items():
        for arm in (PUBLISHED, LAST):
            for unit in UNITS:
                rows += [_shaken_row(records, claim, arm, unit, *axis) for axis in axes.items()]
    return sorted(filter(None, rows), key=lambda row: row["claim"])


def outside_verdicts(records) -> list[dict]:
    """Row of the ledger on the real events of August 2019 at Ridgecrest, as those of `verdicts`."""
    found = pooled(_column(records, "epicentral_km"))
    about = {"arm": PUBLISHED, "unit": "displacement", "n_runs": len(records), "network": OUTSIDE}
    return [_row("C1", LOCATED, found, OUTSIDE_KM, **about)]


def _shaken_row(records, claim, arm, unit, axis, what):
    if not of(records, "informative")[0]["result"]["severities"][axis]:
        return None  # no severity leaves an answer in the data
    found = shaken(records, arm, unit, axis)
    about = {"arm": arm, "unit": unit, "n_runs": 1, "verdict": found["verdict"]}
    row = _row(claim, f"growth of the epicentral error, informative {what}", found, DOUBLED, **about)
    return {**row, "measured": f"{row['measured']}, worst at {found['severity']:g}"}


def _row(claim, what, found, threshold, *, arm, unit, n_runs, verdict=None, network=NETWORK):
    """A row of `verdicts`; without a verdict of another rule, that on the value being below the threshold."""
    found = found if isinstance(found, dict) else found._asdict()
    ends = {name: found[name] for name in Estimate._fields}
    model = {"what": what, "unit": unit, "model": IN_LEDGER[arm]}
    about = {"claim": claim, "network": network, "measured": f"{what}, {UNITS[unit]}, {IN_LEDGER[arm]}", **model}
    verdict = verdict or below(ends["low"], ends["high"], threshold)
    return {**about, **ends, "threshold": threshold, "verdict": verdict, "n_runs": n_runs}


def verdicts_table(rows) -> pd.DataFrame:
    """The rows of `verdicts` as a page prints them."""
    cells = {}
    for row in rows:
        cells[row["claim"], row["measured"]] = {
            "found": text(row),
            "against": f"{row['threshold']:g}",
            "verdict": row["verdict"],
        }
    return printed(cells)


@quoting
def quoted(records):
    """What the prose quotes, such as `real-rendered-counts-km` and `real-critic-rendered`."""
    for row in ladder(records).itertuples():
        arm = row.arm.replace(",", "").replace("'", "")
        yield ("real", arm, row.unit, "km"), row.epicentre_km
        yield ("real", arm, row.unit, "median-km"), row.epicentre_km.value
    rows = rungs(records)
    yield ("real", "detectable"), detectable(rows), ".1f"
    n_events = len(of(records, "located", axis="none")[0]["result"]["epicentral_km"])
    yield ("real", "needed"), round(events_needed(rows, 1.2, n_events), -1), ".0f"
    for row in learning(records).itertuples():
        yield ("real", "tuned", row.events, row.unit, "km"), row.epicentre_km
    for row in critics(records).itertuples():
        yield ("real", "critic", row.arm), row.area
    for arm, areas in single_areas(records).items():
        for statistic, area in areas.items():
            yield ("real", "critic", arm, statistic), area
    texture = of(records, "texture")[0]["result"]
    for name in ("records", "noise_pieces", "stations"):
        yield ("real", "texture", name.replace("_", "-")), texture[name], "d"
    met = targets(records).met
    yield ("real", "targets", "met"), int(met.sum()), "d"
    yield ("real", "targets", "all"), len(met), "d"


@quoting
def outside_quoted():
    """The median epicentral error of the outside test, `real-outside-km`."""
    yield ("real", "outside", "km"), float(np.median(outside())), ".1f"
