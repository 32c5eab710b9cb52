"""What the outside tests on real seismograms say: onsets at Uturuncu, and earthquakes of Mexico.

Rules and targets are those of `seisbook.studies.real_outside`. A resample draws events, each with all of its picks.
"""

import numpy as np
import pandas as pd

from seisbook.findings.quotations import printed, quoting
from seisbook.findings.real import NEAR_S, TARGETS
from seisbook.measures import evaluation
from seisbook.measures.estimates import above, below, estimate, resampled
from seisbook.studies import runner

NAME, SOURCE = "real-outside", "waveform"
ONSETS, EARTHQUAKES = "uturuncu", "mexico"
READERS = {
    "ridgecrest": "robust model of Ridgecrest",
    "iceland": "robust model of Iceland's twin",
    "picker": "automatic picker",
}
TWIN, SOLVER = "twin", "solver"
METHODS = {
    TWIN: "robust model of the twin",
    SOLVER: "its onsets, untrained graph part",
    "classical": "classical, own picks",
    "guess": "median of the twin's events",
}
WORDS = {"supported": "met", "not supported": "missed", "inconclusive": "undecided"}
RELATION = {"supported": "better", "not supported": "worse", "inconclusive": "undecided"}
MEDIAN_KM, NINE_IN_TEN_KM = 20.0, 60.0
LOST = {"epicentral_km": 20_000.0, "magnitude": 10.0}
"""Error of an event that a method does not locate: the other side of the Earth, and more than any magnitude."""


def load(network, profile="paper") -> list[dict]:
    """Records of the study on a network, see `seisbook.studies.runner.read`."""
    return runner.read(NAME, network, SOURCE, profile)


def _results(records):
    """Results by method; the untrained graph part on the onsets of the twin's model is a method of its own."""
    found = {record["trial"]["method"]: record["result"] for record in records}
    if TWIN in found:
        found[SOLVER] = {"epicentral_km": found[TWIN]["solver_epicentral_km"]}
    return found


# --------------------------------------------------------------------------------------------------------------- onsets


def onsets(records) -> pd.DataFrame:
    """Shares of the picks that have an onset within `NEAR_S`, by method and wave.

    Returns
    -------
    DataFrame
        `method`, `wave`, number of `picks`, `share` (`Estimate` over events), and whether the target is *met*,
        *missed* or *undecided*, `target`.
    """
    found, rows = _results(records), []
    for method in READERS:
        for wave in "ps":
            event, off = found[method][f"{wave}_event"], np.array(found[method][f"{wave}_off_s"], float)
            share = _share(np.array(event), np.abs(off) <= NEAR_S)
            target = WORDS[above(share.low, share.high, TARGETS["picks"])]
            rows.append({"method": method, "wave": wave, "picks": len(off), "share": share, "target": target})
    return pd.DataFrame(rows)


def _share(event, near):
    """Share of the picks that are near, with its interval over events."""
    picks, hits = np.bincount(event), np.bincount(event, near)

    def of_events(index, axis):
        chosen = index.astype(int)
        return hits[chosen].sum(axis) / picks[chosen].sum(axis)

    return estimate(resampled(np.flatnonzero(picks), of_events))


def onsets_table(rows) -> pd.DataFrame:
    """The table of `onsets` as a page prints it."""
    cells = {}
    for row in rows.itertuples():
        cell = cells.setdefault(READERS[row.method], {})
        wave = f"{row.wave.upper()}, {row.picks} picks"
        cell[f"{wave}: within {NEAR_S:g} s"], cell[f"{wave}: target"] = (row.share,), row.target
    return printed(cells)


# ---------------------------------------------------------------------------------------------------------- earthquakes


def errors(records, name) -> dict[str, np.ndarray]:
    """Errors of each event by method; an event that a method did not locate is as wrong as `LOST` says."""
    found = _results(records)
    known = {method: np.array(found[method][name], float) for method in METHODS if name in found[method]}
    return {method: np.where(np.isfinite(values), values, LOST[name]) for method, values in known.items()}


def earthquakes(records) -> pd.DataFrame:
    """Errors on the earthquakes of Mexico, by method.

    Returns
    -------
    DataFrame
        `method`; `epicentre_km` (median), `nine_in_ten_km` and `magnitude_rmse` (None of a method that gives no
        magnitude), each an `Estimate` over events; `ratio`, median error of the twin's model over the method's, and
        `relation`, whether the twin's model is *better*, *worse* or neither; both None of the twin's model itself.
    """
    located, sized = errors(records, "epicentral_km"), errors(records, "magnitude")
    rows = []
    for method, values in located.items():
        ratio = None if method == TWIN else _of(values, lambda part, own: np.median(own) / np.median(part), located)
        rows.append(
            {
                **{"method": method, "epicentre_km": _of(values, np.median)},
                "nine_in_ten_km": _of(values, lambda part: np.quantile(part, 0.9, method="higher")),
                "magnitude_rmse": _of(sized[method], evaluation.root_mean_square) if method in sized else None,
                "ratio": ratio,
                "relation": ratio and RELATION[below(ratio.low, ratio.high, 1.0)],
            }
        )
    return pd.DataFrame(rows)


def _of(values, statistic, located=None):
    """Statistic of errors with its interval over events, of the twin's errors of the same events, too, if given."""
    known = [values] if located is None else [values, located[TWIN]]

    def of_events(index, axis):
        return np.array([statistic(*(part[chosen] for part in known)) for chosen in np.atleast_2d(index.astype(int))])

    return estimate(resampled(np.arange(len(values)), of_events))


def targets(rows) -> pd.DataFrame:
    """Targets of the twin's model: `target`, `found` (`Estimate`), `threshold`, and whether it is `met`."""
    twin = rows.set_index("method").loc[TWIN]
    held = {
        "epicentre, median (km)": (twin.epicentre_km, MEDIAN_KM),
        "epicentre, nine in ten (km)": (twin.nine_in_ten_km, NINE_IN_TEN_KM),
        "magnitude RMSE": (twin.magnitude_rmse, TARGETS["magnitude_rmse"]),
    }
    return pd.DataFrame(
        [
            {"target": name, "found": found, "threshold": level, "met": WORDS[below(found.low, found.high, level)]}
            for name, (found, level) in held.items()
        ]
    )


def earthquakes_table(rows) -> pd.DataFrame:
    """The table of `earthquakes` as a page prints it."""
    return printed(
        {
            METHODS[row.method]: {
                "epicentre (km)": (row.epicentre_km, ".0f"),
                "nine in ten (km)": (row.nine_in_ten_km, ".0f"),
                "magnitude RMSE": (row.magnitude_rmse,),
                "the twin's model over it": (row.ratio,),
                "it is": row.relation if isinstance(row.relation, str) else "",
            }
            for row in rows.itertuples()
        }
    )


@quoting
def quoted_onsets(records):
    """What the prose quotes of the onsets, such as `outside-iceland-p` and `outside-picks-p`."""
    for row in onsets(records).itertuples():
        yield ("outside", row.method, row.wave), row.share, ".0%"
        yield ("outside", "picks", row.wave), row.picks, "d"


@quoting
def quoted_earthquakes(records):
    """What the prose quotes of the earthquakes, such as `outside-twin-km`."""
    rows = earthquakes(records)
    for row in rows.itertuples():
        yield ("outside", row.method, "km"), row.epicentre_km, ".0f"
        yield ("outside", row.method, "median-km"), row.epicentre_km.value, ".0f"
        yield ("outside", row.method, "magnitude"), row.magnitude_rmse
        if row.method != TWIN:
            yield ("outside", row.method, "ratio"), row.ratio
    for name, met in zip(("median", "far", "magnitude"), targets(rows).met, strict=True):
        yield ("outside", "target", name), met, "s"
    yield ("outside", "events"), len(records[0]["result"]["epicentral_km"]), "d"
