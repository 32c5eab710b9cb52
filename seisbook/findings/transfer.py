"""What the transfer study says: errors by start and number of events, and three verdicts."""

import numpy as np
import pandas as pd

from seisbook.findings.robustness import estimate
from seisbook.measures.estimates import below

JUDGED = 100  # events
RESAMPLES = 2000
# ------------------------------------------------------------------------------------------------------------- analysis


QUANTITIES = {
    "epicentral_km": lambda errors: np.median(errors, -1),
    "depth_km": lambda errors: np.median(np.abs(errors), -1),
    "magnitude": lambda errors: np.sqrt(np.nanmean(errors**2, -1)),
}
"""Of errors (..., events): median epicentral error, median absolute error of the depth, RMSE of the magnitude."""


def tabulate(records) -> pd.DataFrame:
    """Errors by start and number of training events, with 95 % intervals.

    Parameters
    ----------
    records : list of dict
        Of `seisbook.studies.runner.load`.

    Returns
    -------
    DataFrame
        `network`, `start`, `n_train` (NaN for all), `quantity`, one of `QUANTITIES`, and its `estimate`, the mean over
        the draws of the training events; the interval is over test events and draws.
    """
    network = records[0]["trial"]["network"]
    return pd.DataFrame(
        [
            {"network": network, "start": start, "n_train": n, "quantity": quantity, "estimate": estimate(values)}
            for quantity in QUANTITIES
            for (start, n), values in _replicates(records, quantity).items()
        ]
    )


def verdicts(records) -> pd.DataFrame:
    """The three rules: ratios of median epicentral errors, paired by test event and by draw of the training events.

    *Transfer helps* if from the other network's model the error is below that from random weights, with `JUDGED` events
    each; *the twin is the better start* if from the network's own twin it is below that from the other network's model;
    and *the first events pay* if from the twin it is below that of the twin without any event. Each is supported if the
    interval of the ratio lies below 1, not supported if above, inconclusive otherwise.

    Returns
    -------
    DataFrame
        `network`, `ratio` (what over what), `found`, an `Estimate`, `verdict`.
    """
    found = _replicates(records, "epicentral_km")
    ratios = {
        f"other network over random weights, {JUDGED} events": (("other", JUDGED), ("random", JUDGED)),
        f"own twin over other network, {JUDGED} events": (("twin", JUDGED), ("other", JUDGED)),
        f"{JUDGED} events over none, own twin": (("twin", JUDGED), ("twin", 0)),
    }
    rows = []
    for name, (above, under) in ratios.items():
        ratio = estimate(found[above] / found[under])
        row = {"network": records[0]["trial"]["network"], "ratio": name, "found": ratio}
        rows.append({**row, "verdict": below(ratio.low, ratio.high, 1.0)})
    return pd.DataFrame(rows)


def quoted(records) -> dict:
    """What the prose quotes: the epicentral error by a name such as `colombia-twin-100`, and more of it.

    Parameters
    ----------
    records : dict of str to list of dict
        By network, of `seisbook.studies.runner.load`.
    """
    texts = {}
    for name, found in records.items():
        for row in tabulate(found).itertuples():
            size = "all" if np.isnan(row.n_train) else int(row.n_train)
            about = "" if row.quantity == "epicentral_km" else f"-{row.quantity}"
            texts[f"{name}-{row.start}-{size}{about}"] = f"{row.estimate:.3g}"
        for row, rule in zip(verdicts(found).itertuples(), ("helps", "twin", "pay"), strict=True):
            texts[f"{name}-transfer-{rule}"] = f"{row.found:.2f}"
    return texts


def _replicates(records, quantity, random_state=0):
    """A quantity's mean over draws by start and size, shape (1 + resamples,); the first one is of the data itself."""
    errors = {}
    for one in records:
        key = one["trial"]["start"], one["trial"]["n_train"]
        errors.setdefault(key, []).append(np.array(one["result"][quantity], float))
    events, draws = len(errors["twin", 0][0]), max(map(len, errors.values()))
    rng = np.random.default_rng(random_state)
    chosen = np.vstack([np.arange(events), rng.integers(events, size=(RESAMPLES, events))])
    drawn = np.vstack([np.arange(draws), rng.integers(draws, size=(RESAMPLES, draws))])
    found = {}
    for key, values in errors.items():
        each = np.array([QUANTITIES[quantity](one[chosen]) for one in values])  # (draws, 1 + resamples)
        found[key] = np.take_along_axis(each, drawn.T % len(values), 0).mean(0)
    return found
