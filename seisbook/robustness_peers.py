r"""The learned peers on the perturbed events of `seisbook.robustness_study`: who bears more, our model or theirs?

The peers are those of `seisbook.peers`, trained on the first random fold by the recipe that all models share; the book
ships them. They see the very events, perturbed in the very way, that our model has seen, so that errors are paired by
event. It is a study of its own: what our models and the classical pipeline gave does not depend on it.

Two rules were written before the study was run, both for each peer, network and group of axes (`GROUPS`). With
:math:`e_{a,s}` the median epicentral error of our model along axis :math:`a` at severity :math:`s`, :math:`e_0` that on
unperturbed events, and the peer's primed,

.. math:: \rho = \exp \operatorname{mean}_a \Bigl(\ln \max_s \frac{e_{a,s}}{e_0}
    - \ln \max_s \frac{e'_{a,s}}{e'_0}\Bigr)

compares the growths of the two, each at the severity that harms that model most, over the axes of the group. Our model
is *more robust* than the peer if the 95 % interval of :math:`\rho` lies below one, *less robust* if above, else neither
can be said. The interval resamples events, the same for both models, and picks the severities anew each time. A growth
flatters whoever starts from large errors, so that the second rule leaves :math:`e_0` out: our model is *more accurate*
where it is worst if the interval of the ratio of the errors, not of their growths, lies below one.

No interval is corrected for how many there are: of the forty comparisons of a rule (two networks, four groups, five
peers) two would come out decided if there were no difference at all. Each model is one training: that another seed
would have given another growth is in no interval.
"""

import numpy as np
import pandas as pd

from seisbook import checkpoints, networks, peers, robustness, robustness_study, studies
from seisbook.errors import DataError
from seisbook.robustness_study import GROUPS, _events, _growths, _predicted, _trained, _unperturbed, estimate
from seisbook.statistics import below

MODELS = tuple(peers.PEERS)
OURS = "dynamic"


def run(trials) -> list[dict]:
    """Errors of each peer on the events of each trial: `epicentral_km`, `depth_km`, `magnitude` of each event."""
    return [_tested(**trial) for trial in trials]


def _tested(network, source, profile, axis, severity):
    events = _events(network, source, profile)
    if axis != "none":
        rate = networks.load(network).window.sampling_rate_hz
        events = robustness.AXES[axis].make(severity).apply(events, rate, progress=False)
    return {model: _predicted(*_trained(network, model), events) for model in MODELS}


def recipe(trial) -> dict:
    """What a trial's result follows from: the trained peers, and what is done to the events."""
    trained = [_trained(trial["network"], model)[1].recipe["hash"] for model in MODELS]
    parts = checkpoints.code_of_parts(_tested, _predicted, _events)
    code = {**checkpoints.code_of("robustness"), "robustness_peers": parts}
    return checkpoints.recipe(MODELS[0], trial["network"], trained, code, trial)


STUDY = studies.Study("robustness-peers", robustness_study.trials, run, recipe, robustness_study.prepare)


# ------------------------------------------------------------------------------------------------------------- analysis


def compare(ours, theirs) -> pd.DataFrame:
    """Growths and errors of our model over those of each peer, by group of axes, and the verdicts of the two rules.

    Parameters
    ----------
    ours, theirs : list of dict
        Of `seisbook.studies.load`: of the studies `robustness` and `robustness-peers` for one network.

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
        for axis in robustness.AXES:
            growths = [_largest(found, peer, axis) for peer in MODELS]
            texts |= {
                f"{name}-peers-{axis}-{word}": f"{end(growths):.1f}" for word, end in (("least", min), ("most", max))
            }
    return texts


def _largest(records, model, axis):
    """Growth of the median error at the most harmful severity."""
    errors = [one["result"][model]["epicentral_km"] for one in records if one["trial"]["axis"] == axis]
    return max(np.median(errors, axis=1)) / np.median(_unperturbed(records)[model]["epicentral_km"])
