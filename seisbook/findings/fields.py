"""What the fields study says: errors by method, ratios to the conditional normal, and the verdict on claim C0."""

import numpy as np
import pandas as pd

import seisbook.catalogues.regions  # noqa: F401 (it tells the identity of regions)
from seisbook import records as files
from seisbook.catalogues.ground_motion import LABELS, MEASURES
from seisbook.findings.quotations import quoting
from seisbook.measures import splits
from seisbook.measures.estimates import Estimate, below
from seisbook.measures.reconstruction import error_of, ratio_of
from seisbook.studies import runner

REGIONS = {"greece": "Greece", "italy": "Italy"}
WHERE = "measured", "paper"  # source and profile of the studies that decide
PEER, MAIN = "conditional normal", "dynamic"
THRESHOLD = 1.02
NAMES = {name: label.split(" (")[0] for name, label in LABELS.items()}  # of the measures, without units
TITLES = {
    "law": "attenuation law",
    "event term": "law and event term",
    "inverse distance": "inverse distance",
    "conditional normal": "conditional normal (ShakeMap)",
    "gaussian process": "Gaussian process (gpytorch)",
    "dynamic": "dynamic graph on the conditional normal",
    "static": "static graph on the conditional normal",
    "none": "no edges, on the conditional normal",
    "alone": "dynamic graph alone",
    "attention": "attention over stations alone",
    "convolution": "convolution on a fixed graph alone",
}
TOLD = {
    "all": "source and stations' terms known",
    "no site terms": "source known",
    "no source": "stations' terms known",
}


def published(region, study="fields") -> list[dict]:
    """Records of a region's study, as `seisbook.studies.runner.read` returns them; none if it has not been run."""
    path = files.RESULTS / "studies" / f"{study}-{region}-{'-'.join(WHERE)}.json"
    return runner.read(study, region, *WHERE) if path.is_file() else []


def judged(records) -> list[dict]:
    """Ratios that decide claim C0 in one region: `information`, `value`, `low`, `high`, `verdict`, `n_runs`."""
    rows = table(records).xs(MAIN, level="method")
    return [
        {"information": told, "value": row.ratio, "low": row.low, "high": row.high}
        | {"verdict": row.verdict, "n_runs": splits.FOLDS}
        for told, row in rows.iterrows()
    ]


def table(records) -> pd.DataFrame:
    """Errors of each method with each information, over all shares, folds and measures.

    Parameters
    ----------
    records : list of dict
        Each a `trial` and its `result`, as `seisbook.studies.runner.load` and `read` return them.

    Returns
    -------
    DataFrame
        Indexed by `information` and `method`: `rmse` (log10) with `rmse_low` and `rmse_high`; `ratio` to the
        conditional normal with the same information, with `low` and `high`; `covered`, the share of the values in
        their 90 % interval; `crps`; `values`, the number of hidden values; `verdict` of the rule, of the models.
    """
    sums = _by_event(records)
    rows = {}
    for (told, method), (square, count) in sums.items():
        peer = sums.get((told, PEER))
        if peer is None or len(peer[0]) != len(square):  # folds are missing: nothing to be compared with
            continue
        error, ratio = error_of(square, count), ratio_of(square, peer[0])
        rows[told, method] = {
            **dict(zip(("rmse", "rmse_low", "rmse_high"), error, strict=True)),
            **dict(zip(("ratio", "low", "high"), ratio, strict=True)),
            **_calibration(records, told, method),
            "values": int(count.sum()),
            "verdict": below(ratio.low, ratio.high, THRESHOLD) if method not in _REFERENCE else "",
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["information", "method"])


_REFERENCE = ("law", "event term", "inverse distance", "conditional normal")


def by_share(records) -> pd.DataFrame:
    """Root mean square error of each method by the share of hidden stations, over all folds and measures.

    Returns
    -------
    DataFrame
        Columns `information`, `method`, `hidden` (share), `rmse`, `low`, `high`.
    """
    shares = list(next(iter(records[0]["result"].values())))
    rows = []
    for share in shares:
        for (told, method), sums in _by_event(records, [share]).items():
            estimate = dict(zip(("rmse", "low", "high"), error_of(*sums), strict=True))
            rows.append({"information": told, "method": method, "hidden": float(share), **estimate})
    return pd.DataFrame(rows)


def by_measure(records, information, method) -> pd.DataFrame:
    """Mean error, coverage and CRPS of a method: one row for each measure, one column for each number and share."""
    results = [r["result"][method] for r in records if _is(r, information, method)]
    shares = list(results[0])
    columns = {
        (name, float(share)): np.mean([result[share][name] for result in results], axis=0)
        for name in ("rmse", "covered", "crps")
        for share in shares
    }
    return pd.DataFrame(columns, index=pd.Index(MEASURES, name="measure"))


def verdict(tables) -> str:
    """The ledger's word on claim C0, by the rule of `seisbook.studies.fields`.

    Parameters
    ----------
    tables : list of DataFrame
        From `table`, one for each region.
    """
    words = [word for found in tables for word in found.xs(MAIN, level="method").verdict]
    if "not supported" in words:
        return "not supported"
    return "supported" if words and set(words) == {"supported"} else "inconclusive"


def printed(tables) -> pd.DataFrame:
    """Errors and ratios of several regions as text, by what a method is told and by method.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By the region's title, from `table`.
    """
    rows = {}
    for region, found in tables.items():
        for told, what in TOLD.items():
            for method, title in TITLES.items():
                if (told, method) in found.index:
                    row = found.loc[(told, method)]
                    cells = {"error": f"{Estimate(row.rmse, row.rmse_low, row.rmse_high):.3f}"}
                    cells["ratio"] = f"{Estimate(row.ratio, row.low, row.high):.3f}" if method != PEER else ""
                    cells |= {"in 90 %": f"{row.covered:.0%}", "CRPS": f"{row.crps:.3f}"}
                    rows.setdefault((what, title), {}).update({(region, key): value for key, value in cells.items()})
    return pd.DataFrame.from_dict(rows, orient="index").fillna("").rename_axis(["told", "method"])


@quoting
def quoted(tables):
    """What the prose quotes, all regions in a row, from a name such as `fields-all-dynamic-ratio`.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By the region's title, from `table`.
    """
    for told in TOLD:
        for method in TITLES:
            rows = {
                region: found.loc[(told, method)] for region, found in tables.items() if (told, method) in found.index
            }
            ratios = {region: f"{Estimate(row.ratio, row.low, row.high):.3f}" for region, row in rows.items()}
            yield ("fields", told, method, "ratio"), listed(ratios), ""
            yield ("fields", told, method, "factor"), listed({r: f"{10**row.rmse:.2f}" for r, row in rows.items()}), ""
            yield ("fields", told, method, "covered"), listed({r: f"{row.covered:.0%}" for r, row in rows.items()}), ""


def listed(values) -> str:
    """Text of values by region: `1 in Greece and 2 in Italy`."""
    return " and ".join(f"{value} in {region}" for region, value in values.items())


def _is(record, information, method):
    return record["trial"]["information"] == information and method in record["result"]


def _by_event(records, shares=None):
    """Sums of squares and counts of each event, over shares, by information and method; one fold after the other."""
    found = {}
    for record in sorted(records, key=lambda record: record["trial"]["fold"]):
        for method, result in record["result"].items():
            chosen = [result[share] for share in shares or result]
            sums = [np.sum([scores[name] for scores in chosen], axis=0) for name in ("square", "count")]
            found.setdefault((record["trial"]["information"], method), []).append(sums)
    return {key: tuple(np.concatenate(part) for part in zip(*sums, strict=True)) for key, sums in found.items()}


def _calibration(records, information, method):
    """Coverage and CRPS, averaged over folds, shares and measures."""
    results = [r["result"][method] for r in records if _is(r, information, method)]
    return {
        name: float(np.mean([scores[name] for result in results for scores in result.values()]))
        for name in ("covered", "crps")
    }
