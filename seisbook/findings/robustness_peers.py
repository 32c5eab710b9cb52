"""What the study of perturbed peers says: whose errors grow less, and whose are smaller."""

import numpy as np
import pandas as pd

from seisbook.errors import DataError
from seisbook.findings.quotations import quoting
from seisbook.findings.robustness import GROUPS, _unperturbed
from seisbook.measures.estimates import below, estimate, resampled
from seisbook.models.names import PEERS

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
        for peer in PEERS:
            ratios = [estimate(np.exp(a - b)) for a, b in zip(mine, _worst(theirs, peer, axes), strict=True)]
            verdicts = [below(ratio.low, ratio.high, 1.0) for ratio in ratios]
            rows.append([ours[0]["trial"]["network"], group, peer, *ratios, *verdicts])
    return pd.DataFrame(rows, columns=["network", "group", "peer", "growth", "error", "robust", "accurate"])


def _check_paired(ours, theirs):
    sizes = {len(_unperturbed(trials)[name]["epicentral_km"]) for trials, name in ((ours, OURS), (theirs, PEERS[0]))}
    if [record["trial"] for record in ours] != [record["trial"] for record in theirs] or len(sizes) > 1:
        raise DataError("the studies robustness and robustness-peers are not of the same events: run both again")


def _worst(records, model, axes):
    """Logarithms of growth and error at the most harmful severity, means over the axes; (1 + resamples,) each."""
    worst = [resampled(_errors(records, model, axis)).max(0) for axis in axes]
    error = np.mean(np.log(worst), axis=0)
    return error - np.log(resampled(_unperturbed(records)[model]["epicentral_km"])), error


def counts(table) -> pd.DataFrame:
    """How many peers our model is more and less robust than, and more and less accurate, by network and group.

    Parameters
    ----------
    table : DataFrame
        Of `compare`, of one network or several.
    """
    marks = {
        "more robust": table.robust == "supported",
        "less robust": table.robust == "not supported",
        "more accurate": table.accurate == "supported",
        "less accurate": table.accurate == "not supported",
        "peers": 1,
    }
    return table.assign(**marks).groupby(["network", "group"], sort=False)[[*marks]].sum()


@quoting
def quoted(table, records):
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
    for name, value in counts(table).sum().items():
        yield ("peers", name), value, ""
    for row in table.itertuples():
        yield (row.network, row.group, row.peer, "growth"), row.growth
        yield (row.network, row.group, row.peer, "error"), row.error
    for name, trials in records.items():
        for axis in dict.fromkeys(record["trial"]["axis"] for record in trials if record["trial"]["axis"] != "none"):
            growths = [_largest(trials, peer, axis) for peer in PEERS]
            yield (name, "peers", axis, "least"), min(growths), ".1f"


def _largest(records, model, axis):
    """Growth of the median error at the most harmful severity."""
    worst = max(np.median(_errors(records, model, axis), axis=1))
    return worst / np.median(_unperturbed(records)[model]["epicentral_km"])


def _errors(records, model, axis):
    """Epicentral errors (severities, events) along an axis."""
    return [record["result"][model]["epicentral_km"] for record in records if record["trial"]["axis"] == axis]
