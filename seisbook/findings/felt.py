"""What the study of felt reports says: errors with and without reports, bias of the source, equations of intensity."""

import numpy as np
import pandas as pd

from seisbook.findings.fields import REGIONS, listed
from seisbook.findings.fields_inversion import STATISTICS
from seisbook.findings.quotations import quoting
from seisbook.measures.estimates import Estimate, below, bootstrap_ci, estimate, resampled
from seisbook.measures.reconstruction import error_of, ratio_of
from seisbook.physics.felt_intensity import WORDEN, Conversion

TOLD = {
    "source": "source known",
    "magnitude off": "magnitude wrong by 0.5",
    "no source": "source unknown",
}
ARMS = {
    "published": "reports, published equation",
    "refitted": "reports, refitted equation",
    "shuffled": "control: another earthquake's reports",
    "expected": "control: what magnitude and distance give",
}
NONE, CONTROLS = "none", ("shuffled", "expected")
ERRORS = {
    "event_term": "event's term of peak velocity (log10)",
    "magnitude": "magnitude",
    "epicentral_km": "epicentre (km)",
}
EQUATIONS = {"published": "Worden et al. (2012)", "refitted": "refitted to training events"}
RATIO = ("ratio", "low", "high")


def table(records) -> pd.DataFrame:
    """Errors at hidden stations with and without reports.

    Parameters
    ----------
    records : list of dict
        Each a `trial` and its `result`, as `seisbook.studies.runner.load` and `read` return them.

    Returns
    -------
    DataFrame
        Indexed by `told`, `stations` (observed) and `arm`: `rmse` (log10) with `rmse_low` and `rmse_high`; `ratio` to
        the error without reports with `low` and `high`; `verdict` on "reports improve the field", empty for controls;
        `events`.
    """
    rows = {}
    for told in TOLD:
        for stations in _stations(records):
            sums = {arm: _joined(records, told, stations, arm, ("square", "count")) for arm in (NONE, *ARMS)}
            square = {arm: one[0] for arm, one in sums.items()}
            for arm, (squares, count) in sums.items():
                error, ratio = error_of(squares, count), ratio_of(squares, square[NONE])
                rows[told, stations, arm] = {
                    **dict(zip(("rmse", "rmse_low", "rmse_high"), error, strict=True)),
                    **dict(zip(RATIO, ratio, strict=True)),
                    "verdict": _verdict(arm, square),
                    "events": len(squares),
                }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["told", "stations", "arm"])


def _verdict(arm, square):
    """The rule's word: the published equation against no reports, the refitted one against the controls, too."""
    if arm in (NONE, *CONTROLS):
        return ""
    others = (NONE, *CONTROLS) if arm == "refitted" else (NONE,)
    words = {below(*ratio_of(square[arm], square[other])[1:], 1.0) for other in others}
    return words.pop() if len(words) == 1 else "not supported" if "not supported" in words else "inconclusive"


def sources(records) -> pd.DataFrame:
    """Errors of event's term, magnitude and epicentre with and without reports.

    Returns
    -------
    DataFrame
        Indexed by `told`, `error`, `stations` and `arm`: `value`, the root mean square, of the epicentre the median;
        `ratio` to that without reports with `low` and `high`; `verdict` on "it is below 1", empty for controls.
    """
    rows = {}
    for told in TOLD:
        for error in ERRORS:
            if error not in records[0]["result"]["scores"][told]["0"][NONE]:
                continue
            for stations in _stations(records):
                values = {arm: _joined(records, told, stations, arm, (error,))[0] for arm in (NONE, *ARMS)}
                for arm in values:
                    rows[told, error, stations, arm] = _compared(error, values[arm], values[NONE], arm)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["told", "error", "stations", "arm"])


def _compared(error, values, without, arm):
    statistic = STATISTICS.get(error, STATISTICS["magnitude"])
    one, other = resampled(np.stack([values, without]), statistic)
    ratio = estimate(one / other)
    word = "" if arm in (NONE, *CONTROLS) else below(ratio.low, ratio.high, 1.0)
    return {"value": one[0], **dict(zip(RATIO, ratio, strict=True)), "verdict": word}


def pairs(records) -> pd.DataFrame:
    """Pairs of a cell and a station of test events.

    Returns
    -------
    DataFrame
        `event` (text), `velocity` (log10 of cm/s), `intensity`, `sd`, `answers`, and `published` and `refitted`:
        intensity less what the equation gives for the velocity.
    """
    parts = []
    for record in records:
        part = pd.DataFrame(record["result"]["pairs"])
        part["event"] = [f"{record['trial']['fold']}-{event:.0f}" for event in part.event]
        for name, equation in (("published", WORDEN), ("refitted", refitted(record))):
            part[name] = part.intensity - equation.intensity(part.velocity.to_numpy())
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def refitted(record) -> Conversion:
    """The equation of a fold."""
    found = record["result"]["equation"]
    numbers = {name: found[name] for name in ("intensity_sd", "velocity_sd", "shared_sd")}
    return Conversion((), (found["intercept"],), (found["slope"],), **numbers)


def equations(records) -> pd.DataFrame:
    """Bias and scatter of the equations against instruments, in units of intensity.

    Returns
    -------
    DataFrame
        Indexed by `equation`: `bias` and `scatter`, each with `_low` and `_high` over events; `verdict`, whether the
        interval of the bias holds zero; `pairs` and `events`.
    """
    found, rows = pairs(records), {}
    for name in EQUATIONS:
        grouped = found.assign(square=found[name] ** 2, one=1.0).groupby("event")
        sums = grouped[[name, "square", "one"]].sum().to_numpy()
        bias, scatter = bootstrap_ci(sums, _mean), bootstrap_ci(sums, _scatter)
        rows[name] = {
            **dict(zip(("bias", "bias_low", "bias_high"), bias, strict=True)),
            **dict(zip(("scatter", "scatter_low", "scatter_high"), scatter, strict=True)),
            "verdict": "unbiased" if bias.low <= 0 <= bias.high else "biased",
            **{"pairs": len(found), "events": len(sums)},
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("equation")


def _mean(sums):
    return sums[:, 0].sum() / sums[:, 2].sum()


def _scatter(sums):
    return np.sqrt(sums[:, 1].sum() / sums[:, 2].sum() - _mean(sums) ** 2)


def counts(records) -> dict[str, int]:
    """Numbers of tested events, their cells and answers, and of pairs of a cell and a station."""
    results = [record["result"] for record in records]
    return {
        "events": sum(len(result["cells"]) for result in results),
        "cells": sum(sum(result["cells"]) for result in results),
        "answers": sum(sum(result["answers"]) for result in results),
        "pairs": sum(len(result["pairs"]["event"]) for result in results),
    }


# ----------------------------------------------------------------------------------------------------------------- text


def in_words(tables) -> pd.DataFrame:
    """A table for readers: errors without reports, and ratios with reports and controls, of several regions.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By the region's title, from `table`.
    """
    rows = {}
    for title, found in tables.items():
        for told, what in TOLD.items():
            for stations in found.index.unique("stations"):
                of = found.xs((told, stations), level=("told", "stations"))
                cells = {"no reports: error": f"{of.rmse[NONE]:.3f}"}
                cells |= {name: f"{Estimate(*of.loc[arm, list(RATIO)]):.2f}" for arm, name in ARMS.items()}
                words = {arm: of.verdict[arm] for arm in ("published", "refitted")}
                cells["reports improve the field"] = "; ".join(f"{arm}: {word}" for arm, word in words.items())
                rows[title, what, stations] = cells
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["region", "told", "stations"])


@quoting
def quoted(records):
    """What the prose quotes, all regions in a row, from a name such as `felt-source-1-refitted-ratio`.

    Parameters
    ----------
    records : dict of str to list of dict
        By the region's name, records as `table` takes them.
    """
    yield from _quoted_counts(records)
    fields = {region: table(one) for region, one in records.items()}
    biases = {region: sources(one) for region, one in records.items()}
    for told in TOLD:
        for stations in ("0", "1", "3", "70 %"):
            for arm in ARMS:
                rows = {REGIONS[region]: one.loc[(told, stations, arm)] for region, one in fields.items()}
                short = stations.removesuffix(" %")
                yield ("felt", told, short, arm, "ratio"), listed(_ratios(rows)), ""
                yield ("felt", told, short, arm, "verdict"), listed({r: row.verdict for r, row in rows.items()}), ""
                for error in ERRORS:
                    rows = {
                        REGIONS[region]: one.loc[(told, error, stations, arm)]
                        for region, one in biases.items()
                        if (told, error, stations, arm) in one.index
                    }
                    yield ("felt", told, short, arm, error), listed(_ratios(rows, "verdict")), ""


def _ratios(rows, word=""):
    """Ratios by region as text, with the verdict in brackets if its column is named and it is not empty."""
    words = {region: f" ({row[word]})" if word and row[word] else "" for region, row in rows.items()}
    return {region: f"{Estimate(*row[list(RATIO)]):.2f}{words[region]}" for region, row in rows.items()}


def _quoted_counts(records):
    numbers = {REGIONS[region]: counts(one) for region, one in records.items()}
    for name in ("events", "answers"):
        yield ("felt", name), listed({region: f"{found[name]:,}" for region, found in numbers.items()}), ""
    compared = {REGIONS[region]: equations(one) for region, one in records.items()}
    for equation in EQUATIONS:
        columns = ["bias", "bias_low", "bias_high"]
        values = {region: f"{Estimate(*found.loc[equation, columns]):.2f}" for region, found in compared.items()}
        yield ("felt", equation, "bias"), listed(values), ""


def _stations(records):
    return list(records[0]["result"]["scores"]["source"])


def _joined(records, told, stations, arm, names):
    """Columns of all events, one fold after the other."""
    ordered = sorted(records, key=lambda record: record["trial"]["fold"])
    parts = [record["result"]["scores"][told][stations][arm] for record in ordered]
    return [np.concatenate([part[name] for part in parts]) for name in names]
