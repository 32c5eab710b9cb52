"""What the augmentation study says: ratios to training on events as they are, and two verdicts."""

import pandas as pd

from seisbook.findings.quotations import quoting
from seisbook.measures.estimates import below, estimate, resampled

# ------------------------------------------------------------------------------------------------------------- analysis


def tabulate(records) -> pd.DataFrame:
    """Each arm's median epicentral error over that of `as they are`, and the verdicts of the rules.

    Parameters
    ----------
    records : list of dict
        Of `seisbook.studies.runner.load`.

    Returns
    -------
    DataFrame
        `network`, `axis` and `severity` of the test, `arm`, `matching` (whether the arm was trained with that axis),
        `epicentral_km`, `ratio` (an `Estimate`), `worst` (whether the severity is the most harmful one of its axis).
    """
    from seisbook.studies.augmentation import EVERYTHING  # loads PyTorch, which importing this module does without

    plain = _medians(records[0])
    tests = records[0]["result"]["tests"]
    worst = _worst(tests, plain)
    rows = []
    for record in records:
        arm, medians = record["trial"]["arm"], _medians(record)
        for i, test in enumerate(tests):
            rows.append(
                {
                    "network": record["trial"]["network"],
                    **{name: test[name] for name in ("axis", "severity")},
                    "arm": arm,
                    "matching": arm in (test["axis"], EVERYTHING),
                    "epicentral_km": float(medians[i, 0]),
                    "ratio": estimate(medians[i] / plain[i]),
                    "worst": i in worst,
                }
            )
    return pd.DataFrame(rows)


def _worst(tests, plain):
    """The most harmful test of each axis for the model that was trained on the events as they are."""
    by_axis = {}
    for i, test in enumerate(tests):
        by_axis.setdefault(test["axis"], []).append(i)
    return {max(indices, key=lambda i: plain[i, 0]) for indices in by_axis.values()}


def _medians(record):
    """Median errors of each test, shape (tests, 1 + resamples), the same resamples for all; the first one is of all."""
    return resampled([test["epicentral_km"] for test in record["result"]["tests"]])


def verdicts(records) -> pd.DataFrame:
    """Whether each matching augmentation helps where it is needed most, and what it costs elsewhere.

    Returns
    -------
    DataFrame
        `network`, `axis`, `severity`, `arm`; `found`, the ratio at that severity; `helps`, the verdict on it; `calm`,
        the ratio on the unperturbed events, and `costs`: "no" unless its interval lies above 1.
    """
    table = tabulate(records)
    calm = table[table.axis == "none"].set_index("arm").ratio
    rows = table[table.matching & table.worst & (table.axis != "none")]
    return pd.DataFrame(
        [
            {
                **{name: row[name] for name in ("network", "axis", "severity", "arm")},
                "found": row.ratio,
                "helps": below(row.ratio.low, row.ratio.high, 1.0),
                "calm": calm[row.arm],
                "costs": "yes" if calm[row.arm].low > 1 else "no",
            }
            for _, row in rows.iterrows()
        ]
    )


@quoting
def quoted(records):
    """What the prose quotes: ratios by names such as `colombia-band_pass-all`, and `colombia-calm-all` for the price.

    Parameters
    ----------
    records : dict of str to list of dict
        By network, of `seisbook.studies.runner.load`.
    """
    from seisbook.studies.augmentation import EVERYTHING, N_TRAIN  # loads PyTorch

    yield ("augmented-events",), N_TRAIN["paper"], ""
    for name, trials in records.items():
        for row in verdicts(trials).itertuples():
            yield (name, row.axis, "all" if row.arm == EVERYTHING else "matching"), row.found
            yield (name, "calm", row.arm), row.calm
