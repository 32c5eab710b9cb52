"""What the study of the rebuilt graph's forms says; its rule is that of `seisbook.studies.graph_forms`."""

import numpy as np
import pandas as pd

from seisbook.findings.quotations import printed, quoting
from seisbook.measures.estimates import Estimate, bootstrap_ci

STATIC, NO_EDGES = "static graph", "no edges"
LEARNT_STATIC = "learnt edges, geography alone"
CONTROLS = {
    "the paper's graph": (STATIC, NO_EDGES),
    "nearest in residuals": (STATIC, NO_EDGES),
    "learnt edges": (STATIC, NO_EDGES, LEARNT_STATIC),
}
"""Forms of the rebuilt graph, and the fixed graphs that each is compared with."""
ALL, CLEAN, CLOCKS = "all conditions", "none", "independent_shift"
SHOWN = {ALL: "all conditions", CLEAN: "without trouble", CLOCKS: "wrong clocks"}
"""What ratios are printed of; the first one decides."""


def compare(records) -> pd.DataFrame:
    """Each form of the rebuilt graph over each of its controls, on one network.

    Parameters
    ----------
    records : list of dict
        Of the study.

    Returns
    -------
    DataFrame
        `network`, `form`, `control`, `condition` (one of `SHOWN`), and `ratio` (`Estimate`): the geometric mean, over
        events, seeds and conditions, of the ratio of the epicentral errors.
    """
    logs = _logs(records)
    network = records[0]["trial"]["network"]
    return pd.DataFrame(
        {
            **{"network": network, "form": form, "control": control, "condition": condition},
            "ratio": _ratio(logs[form], logs[control], condition),
        }
        for form, controls in CONTROLS.items()
        for control in controls
        for condition in SHOWN
    )


def _logs(records):
    """Logarithms of the errors by form and by condition: arrays (seeds, events)."""
    found = {}
    for record in records:
        trial, errors = record["trial"], np.array(record["result"]["epicentral_km"])
        found.setdefault(trial["form"], {}).setdefault(trial["axis"], []).append(np.log(np.maximum(errors, 1e-3)))
    return {form: {axis: np.stack(rows) for axis, rows in axes.items()} for form, axes in found.items()}


def _ratio(ours, theirs, condition):
    axes = list(ours) if condition == ALL else [condition]
    by_event = np.concatenate([ours[axis] - theirs[axis] for axis in axes]).mean(0)
    return Estimate(*np.exp(bootstrap_ci(by_event, np.mean)))


def medians(records) -> pd.DataFrame:
    """Median epicentral error (km) of each form under each condition, over seeds: `form`, `axis`, `severity`, `km`."""
    errors = {}
    for record in records:
        trial = record["trial"]
        key = trial["network"], trial["form"], trial["axis"], trial["severity"]
        errors.setdefault(key, []).append(np.median(record["result"]["epicentral_km"]))
    names = ("network", "form", "axis", "severity")
    return pd.DataFrame({**dict(zip(names, key, strict=True)), "km": np.mean(found)} for key, found in errors.items())


def verdicts(compared) -> pd.Series:
    """Verdict of the rule by `network` and `form`."""
    deciding = compared[compared.condition == ALL]
    return deciding.groupby(["network", "form"], sort=False).ratio.agg(lambda ratios: _verdict(list(ratios)))


def _verdict(ratios):
    if all(ratio.high < 1 for ratio in ratios):
        return "supported"
    return "not supported" if any(ratio.low > 1 for ratio in ratios) else "inconclusive"


def table(compared) -> pd.DataFrame:
    """The table of `compare`, of one or more networks, as a page prints it, with the verdicts."""
    rows, said = {}, verdicts(compared)
    for row in compared.itertuples():
        cells = rows.setdefault((row.network.capitalize(), row.form, row.control), {})
        cells[SHOWN[row.condition]] = (row.ratio,)
        cells["earns its place"] = said[row.network, row.form]
    return printed(rows).rename_axis(index=["network", "form of the graph", "over"])


def medians_table(found) -> pd.DataFrame:
    """The table of `medians` as a page prints it: a row a form, a column a condition."""
    from seisbook.measures import perturbations  # loads PyTorch, which verdicts do without

    rows = {}
    for row in found.itertuples():
        about = perturbations.AXES.get(row.axis)
        column = "no trouble" if about is None else f"{about.title}, {row.severity:g} {about.unit}"
        rows.setdefault((row.network.capitalize(), row.form), {})[f"{column} (km)"] = (row.km,)
    return printed(rows).rename_axis(index=["network", "form of the graph"])


@quoting
def quoted(compared):
    """What the prose quotes: ratios such as `forms-colombia-learnt-edges-static-graph`.

    Parameters
    ----------
    compared : DataFrame
        Of `compare`, all networks.
    """
    for row in compared.itertuples():
        condition = "" if row.condition == ALL else {CLEAN: "clean", CLOCKS: "clocks"}[row.condition]
        yield ("forms", row.network, _plain(row.form), _plain(row.control), condition), row.ratio


def _plain(form):
    return form.replace("'", "").replace(",", "")
