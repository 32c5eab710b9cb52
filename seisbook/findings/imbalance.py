"""What the imbalance study says: errors of the largest tenth, the remedies, and the verdict on claim C7."""

import numpy as np
import pandas as pd

from seisbook.findings.quotations import quoting
from seisbook.measures.estimates import Estimate, below, bootstrap_ci, estimate, resampled

JUDGED = 0.2  # share of the large events that is left in the claim's test


# ------------------------------------------------------------------------------------------------------------- analysis


def tabulate(records) -> pd.DataFrame:
    """Magnitude errors by share kept, remedy and size of the test events, seeds together.

    Parameters
    ----------
    records : list of dict
        Of `seisbook.studies.runner.load`.

    Returns
    -------
    DataFrame
        `network`, `kept`, `remedy`, `events` ("largest tenth" or "others"), `n_large` (training events), and `bias` and
        `rmse`, each an `Estimate` with its interval over test events.
    """
    rows = []
    for (network, kept, remedy), results in _by_arm(records).items():
        errors, large = np.array([result["magnitude"] for result in results]), np.array(results[0]["large"])
        for name, chosen in (("largest tenth", large), ("others", ~large)):
            square = bootstrap_ci((errors[:, chosen] ** 2).mean(0), np.mean)
            row = {"network": network, "kept": kept, "remedy": remedy, "events": name}
            row |= {"n_large": results[0]["n_large"], "bias": bootstrap_ci(errors[:, chosen].mean(0), np.mean)}
            rows.append({**row, "rmse": Estimate(*(float(end) for end in np.sqrt(square)))})
    return pd.DataFrame(rows)


def verdict(records, threshold) -> dict:
    """C7: the magnitude's RMSE of the largest tenth where one in five large training events is left.

    Returns
    -------
    dict
        `value`, `low`, `high`, `n_runs`, `verdict`.
    """
    table = tabulate(records).set_index(["kept", "remedy", "events"])
    rmse = table.loc[(JUDGED, "none", "largest tenth"), "rmse"]
    runs = sum((record["trial"]["kept"], record["trial"]["remedy"]) == (JUDGED, "none") for record in records)
    return {**rmse._asdict(), "n_runs": runs, "verdict": below(rmse.low, rmse.high, threshold)}


def helps(records) -> pd.DataFrame:
    """Whether each remedy helps: the largest tenth's RMSE over that without a remedy, paired by event.

    Returns
    -------
    DataFrame
        `network`, `kept`, `remedy`, `n_large`, `found`, the ratio as an `Estimate` over test events, `verdict`; and
        `others`, the same ratio of all smaller events: what the remedy costs them.
    """
    by_arm = _by_arm(records)
    squares = {arm: np.square([result["magnitude"] for result in results]).mean(0) for arm, results in by_arm.items()}
    rows = []
    for (network, kept, remedy), results in by_arm.items():
        if remedy != "none":
            pair = np.stack([squares[network, kept, remedy], squares[network, kept, "none"]])
            large = np.array(results[0]["large"])
            ratio, others = (_rmse_ratio(pair[:, chosen]) for chosen in (large, ~large))
            row = {"network": network, "kept": kept, "remedy": remedy, "n_large": results[0]["n_large"]}
            rows.append({**row, "found": ratio, "verdict": below(ratio.low, ratio.high, 1.0), "others": others})
    return pd.DataFrame(rows)


@quoting
def quoted(records):
    """What the prose quotes: ratios by names such as `colombia-balanced-0.2`, and `...-others` of smaller events.

    Parameters
    ----------
    records : dict of str to list of dict
        By network, of `seisbook.studies.runner.load`.
    """
    for name, trials in records.items():
        for row in helps(trials).itertuples():
            yield (name, row.remedy, f"{row.kept:g}"), row.found
            yield (name, row.remedy, f"{row.kept:g}", "others"), row.others


def _rmse_ratio(squares):
    """Ratio of the root mean squares of two rows, over the events that they share."""
    return estimate(np.sqrt(np.divide(*resampled(squares, np.mean))))


def _by_arm(records):
    """Results of all seeds by network, share kept and remedy."""
    by_arm = {}
    for record in records:
        trial = record["trial"]
        by_arm.setdefault((trial["network"], trial["kept"], trial["remedy"]), []).append(record["result"])
    return by_arm
