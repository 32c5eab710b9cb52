"""What the study of associators says: each arm's errors, over those of the book's model and of the classical pipeline.

The runs of both were tested on the same events, so that each ratio is paired by event.
"""

import numpy as np
import pandas as pd

from seisbook.errors import DataError
from seisbook.findings.comparison import TITLES
from seisbook.findings.quotations import printed, quoting
from seisbook.measures.estimates import Estimate, estimate, resampled

TITLES_OF_ARMS = {
    "pyocto": "PyOcto",
    "pyocto with station terms": "PyOcto, station terms",
    "classical, terms chosen": "classical, terms chosen",
}
COMPARED = "dynamic", "classical"  # models of `seisbook.studies.runs`


def tabulate(records, run_of) -> pd.DataFrame:
    """Each arm, and each of the runs that it is compared with, on all test events of the folds.

    Parameters
    ----------
    records : list of dict
        Of `seisbook.studies.runner.load`, of one network.
    run_of : callable
        Of `seisbook.findings.robust.runs_of`.

    Returns
    -------
    DataFrame
        A row for each arm and run: `network`, `arm`, `folds`, `events`; `epicentral_km` and `depth_km`, medians of the
        absolute errors; `over_dynamic` and `over_classical`, ratios of median epicentral errors, paired by event (all
        `Estimate`, with intervals over events). Of an arm alone, not of a run: `found`, the share of events that it
        located; `ms`, its time for one event, the mean over folds; `with_terms`, the number of folds in which it used
        station terms.

    Raises
    ------
    DataError
        If an arm and a run were not tested on the same events.
    """
    found = {arm: [record for record in records if record["trial"]["arm"] == arm] for arm in TITLES_OF_ARMS}
    folds = sorted({record["trial"]["fold"] for record in records})
    runs = {
        model: pd.concat([_errors_of(run_of(model, "random", fold)["errors"]) for fold in folds]) for model in COMPARED
    }
    network, events = records[0]["trial"]["network"], runs["classical"].index
    arms = {arm: pd.concat([_errors_of(record["result"]) for record in parts]) for arm, parts in found.items()}
    rows = []
    for name, table in {**arms, **runs}.items():
        if set(table.index) != set(events):
            raise DataError(f"{network}: {name} was not tested on the events of the runs: run the study again")
        row = {"network": network, "arm": name, "folds": len(folds), **_summary(table.loc[events], runs, events)}
        rows.append(row | (_of_arm(found[name]) if name in found else {}))
    return pd.DataFrame(rows)


def _errors_of(result):
    columns = {name: result[name] for name in ("epicentral_km", "depth_km")}
    return pd.DataFrame(columns, index=result["source_id"]).abs()


def _summary(table, runs, events):
    """Medians, and ratios to the medians of the runs, from the same resamples of the events."""
    others = [runs[model].epicentral_km.loc[events] for model in COMPARED]
    epicentre, depth, *theirs = resampled([table.epicentral_km, table.depth_km, *others])
    ratios = {f"over_{model}": estimate(epicentre / their) for model, their in zip(COMPARED, theirs, strict=True)}
    return {"events": len(events), "epicentral_km": estimate(epicentre), "depth_km": estimate(depth), **ratios}


def _of_arm(parts):
    results = [record["result"] for record in parts]
    return {
        "found": float(np.mean(np.concatenate([result["found"] for result in results]))),
        "ms": float(np.mean([result["ms"] for result in results])),
        "with_terms": sum(result["terms"] for result in results),
    }


def verdict(ratio: Estimate) -> str:
    """The rule: `ahead` if the interval of a ratio lies below 1, `behind` if it lies above 1, `level` otherwise."""
    return "ahead" if ratio.high < 1 else "behind" if ratio.low > 1 else "level"


def table(summary) -> pd.DataFrame:
    """The table of `tabulate`, of one network, as a page prints it."""
    rows = {}
    for row in summary.itertuples():
        arm = row.arm in TITLES_OF_ARMS
        rows[TITLES_OF_ARMS[row.arm] if arm else TITLES[row.arm]] = {
            "epicentre (km)": (row.epicentral_km,),
            "over dynamic": "" if row.arm == "dynamic" else (row.over_dynamic,),
            "over classical": "" if row.arm == "classical" else (row.over_classical,),
            "depth (km)": (row.depth_km.value,),
            "found (%)": (100 * row.found, ".1f") if arm else "",
            "folds with terms": f"{row.with_terms:.0f} of {row.folds}" if arm else "",
            "ms an event": (row.ms, ".0f") if arm else "",
        }
    return printed(rows)


@quoting
def quoted(tables):
    """What the prose quotes: from a name such as `colombia-pyocto-over-dynamic` to the text that stands there.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By network, of `tabulate`.
    """
    for name, rows in tables.items():
        yield (name, "associator-folds"), rows.folds.iloc[0], ""
        for row in rows[rows.arm.isin(TITLES_OF_ARMS)].itertuples():
            key = name, row.arm.replace(",", "")
            yield (*key, "km"), row.epicentral_km
            yield (*key, "folds-with-terms"), row.with_terms, ".0f"
            for model in COMPARED:
                ratio = getattr(row, f"over_{model}")
                yield (*key, "over", model), ratio
                yield (*key, "against", model), verdict(ratio), ""
