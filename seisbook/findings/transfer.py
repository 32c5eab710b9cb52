"""What the transfer study says: errors by start and number of events, and three verdicts."""

import numpy as np
import pandas as pd

from seisbook.findings.quotations import quoting
from seisbook.measures.estimates import RESAMPLES, below, estimate, resampled

JUDGED = 100  # events

# ------------------------------------------------------------------------------------------------------------- analysis


QUANTITIES = {
    "epicentral_km": lambda errors, rng: resampled(errors, random_state=rng),
    "depth_km": lambda errors, rng: resampled(np.abs(errors), random_state=rng),
    "magnitude": lambda errors, rng: np.sqrt(resampled(np.square(errors), np.nanmean, random_state=rng)),
}
"""Of errors (..., events): medians of the epicentral and the absolute depth error, RMSE of the magnitude, resampled."""


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
    replicates = _replicates(records, "epicentral_km")
    ratios = {
        f"other network over random weights, {JUDGED} events": (("other", JUDGED), ("random", JUDGED)),
        f"own twin over other network, {JUDGED} events": (("twin", JUDGED), ("other", JUDGED)),
        f"{JUDGED} events over none, own twin": (("twin", JUDGED), ("twin", 0)),
    }
    rows = []
    for name, (above, under) in ratios.items():
        ratio = estimate(replicates[above] / replicates[under])
        row = {"network": records[0]["trial"]["network"], "ratio": name, "found": ratio}
        rows.append({**row, "verdict": below(ratio.low, ratio.high, 1.0)})
    return pd.DataFrame(rows)


@quoting
def quoted(records):
    """What the prose quotes: the epicentral error by a name such as `colombia-twin-100`, and more of it.

    Parameters
    ----------
    records : dict of str to list of dict
        By network, of `seisbook.studies.runner.load`.
    """
    for name, trials in records.items():
        for row in tabulate(trials).itertuples():
            size = "all" if np.isnan(row.n_train) else int(row.n_train)
            about = "" if row.quantity == "epicentral_km" else row.quantity
            yield (name, row.start, size, about), row.estimate, ".3g"
        for row, rule in zip(verdicts(trials).itertuples(), ("helps", "twin", "pay"), strict=True):
            yield (name, "transfer", rule), row.found


def _replicates(records, quantity, random_state=0):
    """A quantity's mean over draws by start and size, shape (1 + resamples,); the first one is of the data itself."""
    rng = np.random.default_rng(random_state)
    errors = np.array([record["result"][quantity] for record in records], float)
    by_arm = {}
    for record, replicates in zip(records, QUANTITIES[quantity](errors, rng), strict=True):
        by_arm.setdefault((record["trial"]["start"], record["trial"]["n_train"]), []).append(replicates)
    draws = max(map(len, by_arm.values()))
    drawn = np.vstack([np.arange(draws), rng.integers(draws, size=(RESAMPLES, draws))]).T
    return {
        arm: np.take_along_axis(np.array(of_draws), drawn % len(of_draws), 0).mean(0)
        for arm, of_draws in by_arm.items()
    }
