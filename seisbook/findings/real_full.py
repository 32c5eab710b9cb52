"""What the ladder on the whole recipe says: each real ingredient in as many events as the published model saw.

Rules and targets are those of `seisbook.studies.real_full`; ratios and intervals are made as in
`seisbook.findings.real`.
"""

import numpy as np
import pandas as pd

from seisbook.findings import real
from seisbook.findings.quotations import quoting

NAME = "real-full"
RENDERED, FULL, HOURLY, ONSETS = "rendered", "full twin", "hourly noise", "real onsets"
TITLES = {
    RENDERED: "rendered as in all chapters",
    FULL: "full twin: real noise, texture and sites",
    HOURLY: "the same, noise changes by the hour",
    ONSETS: "full twin, and real onsets",
}
RUNGS = {FULL: RENDERED, HOURLY: FULL, ONSETS: FULL}
"""Each ingredient, and the arm that has all but it."""
SMALLER = {RENDERED: "rendered", FULL: real.ZERO_SHOT, ONSETS: real.LAST}
"""Arms of the study `real` that differ in the number of events alone."""
JUDGED = (FULL, ONSETS)
FEWER = "a third of the events"


def load(profile="paper") -> list[dict]:
    """Records of the study, see `seisbook.studies.runner.read`; a test is as one of `real` without a perturbation."""
    found = real.runner.read(NAME, real.NETWORK, real.SOURCE, profile)
    return [{**record, "trial": {**record["trial"], "axis": "none"}} for record in found]


def ladder(records) -> pd.DataFrame:
    """Each arm on the real seismograms, see `seisbook.findings.real.ladder`."""
    return real.ladder(records, TITLES)


def ladder_table(rows) -> pd.DataFrame:
    """The table of `ladder` as a page prints it."""
    return real.ladder_table(rows, TITLES)


def rungs(records, others) -> pd.DataFrame:
    """What each ingredient buys in the whole recipe, and what three times as many events buy.

    Parameters
    ----------
    records : list of dict
        Of `load`.
    others : list of dict
        Of `seisbook.findings.real.load`.

    Returns
    -------
    DataFrame
        `arm`, `over` (an arm, or `FEWER`), `unit`, `ratio` of median epicentral errors (`Estimate` over events) and
        `verdict`: *helps*, *harms* or *undecided*.
    """
    pairs = [(arm, over, records, over) for arm, over in RUNGS.items()]
    pairs += [(arm, FEWER, others, smaller) for arm, smaller in SMALLER.items()]
    rows = []
    for arm, over, where, name in pairs:
        for unit in real.UNITS:
            runs = real.of(records, "located", arm=arm, unit=unit)
            without = real.of(where, "located", arm=name, unit=unit, axis="none")
            rows.append({"arm": arm, "over": over, "unit": unit, **real.helped(runs, without)})
    return pd.DataFrame(rows)


def rungs_table(rows) -> pd.DataFrame:
    """The table of `rungs` as a page prints it."""
    return real.rungs_table(rows, {**TITLES, FEWER: FEWER})


def targets(records) -> pd.DataFrame:
    """Each target, for the arms that are judged, see `seisbook.findings.real.targets`."""
    return real.targets(records, JUDGED)


def targets_table(rows) -> pd.DataFrame:
    """The table of `targets` as a page prints it."""
    return real.targets_table(rows, TITLES)


@quoting
def quoted(records):
    """What the prose quotes, such as `full-rendered-counts-km` and `full-hours`."""
    for row in ladder(records).itertuples():
        yield ("full", row.arm, row.unit, "km"), row.epicentre_km
    met = targets(records).met
    yield ("full", "targets", "met"), int(met.sum()), "d"
    yield ("full", "targets", "all"), len(met), "d"
    level = np.array(real.of(records, "hours")[0]["result"]["level"])
    yield ("full", "hours"), len(level), "d"
    yield ("full", "hours", "noisiest"), 10 ** level.max(), ".1f"
