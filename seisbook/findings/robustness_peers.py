"""What the study of perturbed peers says: whose errors grow less, and whose are smaller."""

import numpy as np
import pandas as pd

from seisbook.errors import DataError
from seisbook.findings.robustness import GROUPS, _growths, _unperturbed, estimate
from seisbook.measures import perturbations
from seisbook.measures.estimates import below
from seisbook.studies.robustness_peers import MODELS

OURS = "dynamic"


# ------------------------------------------------------------------------------------------------------------- analysis


def compare(ours, theirs) -> pd.DataFrame:
    """Growths and errors of our model over those of each peer, by group of axes, and the verdicts of the two rules.

    Parameters
    ----------
    ours, theirs : list of dict
        Of `seisbook.studies.runner.load`: of the studies `robustness` and `robustness-peers` for one network.

    Returns
    -------
    DataFrame
        `network`, `group`, `peer`; `growth` and `error`, the ratios at the most harmful severities (`Estimate`);
        `robust` and `accurate`, the verdicts on each being below one.

    Raises
    ------
    DataError
        If the two studies are not of the same perturbations and events.
    """
    _check_paired(ours, theirs)
    rows = []
    for group, axes in GROUPS.items():
        mine = _worst(ours, OURS, axes)
        for peer in MODELS:
            found = [estimate(np.exp(a - b)) for a, b in zip(mine, _worst(theirs, peer, axes), strict=True)]
            verdicts = [below(one.low, one.high, 1.0) for one in found]
            rows.append([ours[0]["trial"]["network"], group, peer, *found, *verdicts])
    return pd.DataFrame(rows, columns=["network", "group", "peer", "growth", "error", "robust", "accurate"])


def _check_paired(ours, theirs):
    sizes = {len(_unperturbed(found)[name]["epicentral_km"]) for found, name in ((ours, OURS), (theirs, MODELS[0]))}
    if [one["trial"] for one in ours] != [one["trial"] for one in theirs] or len(sizes) > 1:
        raise DataError("the studies robustness and robustness-peers are not of the same events: run both again")


def _worst(records, model, axes):
    """Logarithms of growth and error at the most harmful severity, means over the axes; (1 + resamples,) each."""
    calm = _unperturbed(records)[model]
    unit = {"epicentral_km": np.ones(len(calm["epicentral_km"]))}  # a growth from 1 km is a median in km
    by_axis = [[one["result"][model] for one in records if one["trial"]["axis"] == axis] for axis in axes]
    error = np.mean([np.log(_growths(found, unit).max(1)) for found in by_axis], axis=0)
    return error - np.log(_growths([calm], unit)[:, 0]), error


def counts(table) -> pd.DataFrame:
    """How many peers our model is more and less robust than, and more and less accurate, by network and group.

    Parameters
    ----------
    table : DataFrame
        Of `compare`, of one network or several.
    """
    found = {
        "more robust": table.robust == "supported",
        "less robust": table.robust == "not supported",
        "more accurate": table.accurate == "supported",
        "less accurate": table.accurate == "not supported",
        "peers": 1,
    }
    return table.assign(**found).groupby(["network", "group"], sort=False)[[*found]].sum()


def quoted(table, records) -> dict:
    """What the prose quotes: from a name such as `colombia-narrow-bands-gcn-growth` to the text that stands there.

    `peers-more-robust` and its like are sums of `counts` over groups and networks; `colombia-peers-spike-least` and
    `-most` are the smallest and the largest growth of the five along an axis.

    Parameters
    ----------
    table : DataFrame
        Of `compare`, of both networks.
    records : dict of str to list of dict
        The peers', by network.
    """
    texts = {f"peers-{name.replace(' ', '-')}": f"{value}" for name, value in counts(table).sum().items()}
    for row in table.itertuples():
        name = f"{row.network}-{row.group.replace(' ', '-')}-{row.peer}"
        texts |= {f"{name}-growth": f"{row.growth:.2f}", f"{name}-error": f"{row.error:.2f}"}
    for name, found in records.items():
        for axis in perturbations.AXES:
            growths = [_largest(found, peer, axis) for peer in MODELS]
            texts |= {
                f"{name}-peers-{axis}-{word}": f"{end(growths):.1f}" for word, end in (("least", min), ("most", max))
            }
    return texts


def _largest(records, model, axis):
    """Growth of the median error at the most harmful severity."""
    errors = [one["result"][model]["epicentral_km"] for one in records if one["trial"]["axis"] == axis]
    return max(np.median(errors, axis=1)) / np.median(_unperturbed(records)[model]["epicentral_km"])
