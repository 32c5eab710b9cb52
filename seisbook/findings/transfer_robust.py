"""What the transfer study of the robust model says, beside the paper's model on the same events and draws."""

import pandas as pd

from seisbook.errors import DataError
from seisbook.findings import transfer
from seisbook.findings.quotations import quoting
from seisbook.findings.robustness import DOUBLED
from seisbook.findings.transfer import _replicates
from seisbook.measures.estimates import below, estimate

PAPER = "paper, "  # begins the names of the starts of the paper's model
TITLES = {"other": "other network", "twin": "own twin", "random": "random weights"}
SIZES = (0, 25, 50, 100, 200)


# ------------------------------------------------------------------------------------------------------------- analysis


def joined(records, others) -> list[dict]:
    """Trials of the robust model and those of the paper's model, whose starts get names that begin with `PAPER`.

    Both studies test the same events in the same order.

    Parameters
    ----------
    records, others : list of dict
        Of `seisbook.studies.runner.load`: of the studies `transfer-robust` and `transfer`, of one network.

    Raises
    ------
    DataError
        If they are not of the same number of test events.
    """
    sizes = {len(record["result"]["epicentral_km"]) for record in [*records, *others]}
    if len(sizes) > 1:
        raise DataError(f"transfer-robust: not of the events of the study transfer ({sizes}): run both again")
    renamed = [{**one, "trial": {**one["trial"], "start": PAPER + one["trial"]["start"]}} for one in others]
    return [*records, *renamed]


def tabulate(records, others) -> pd.DataFrame:
    """Errors of both models by start and number of events, see `seisbook.findings.transfer.tabulate`."""
    return transfer.tabulate(joined(records, others))


def verdicts(records, others) -> pd.DataFrame:
    """The three rules of `seisbook.findings.transfer.verdicts` for the robust model, and two on its first answers.

    *Physics transfers* if, without any event, the robust model of the other network errs less than the paper's model of
    the other network: a ratio below 1. *The first model is good* if it is below `DOUBLED` times the error of the robust
    model trained on all events.

    Returns
    -------
    DataFrame
        `network`, `ratio` (what over what), `found`, an `Estimate`, `threshold`, `verdict`.
    """
    replicates = _replicates(joined(records, others), "epicentral_km")
    first, paper, complete = (replicates[arm] for arm in (("other", 0), (f"{PAPER}other", 0), ("twin", None)))
    rows = transfer.verdicts(records).assign(threshold=1.0).to_dict("records")
    for name, values, threshold in (
        ("robust over the paper's model, other network, no events", first / paper, 1.0),
        ("other network without events over own twin and all events", first / complete, DOUBLED),
    ):
        ratio = estimate(values)
        row = {"network": records[0]["trial"]["network"], "ratio": name, "found": ratio, "threshold": threshold}
        rows.append({**row, "verdict": below(ratio.low, ratio.high, threshold)})
    return pd.DataFrame(rows)


def table(tabulated) -> pd.DataFrame:
    """Median epicentral errors in km as a page prints them: a row a model and start, a column a number of events."""
    rows = {}
    for row in tabulated[tabulated.quantity == "epicentral_km"].itertuples():
        model = "paper's" if row.start.startswith(PAPER) else "robust"
        start = TITLES.get(row.start.removeprefix(PAPER))
        if start:
            size = "all" if pd.isna(row.n_train) else int(row.n_train)
            rows.setdefault((row.network.capitalize(), start, model), {})[size] = f"{row.estimate:.1f}"
    index = pd.MultiIndex.from_tuples(sorted(rows), names=["network", "start", "model"])
    cells = [rows[name] for name in index]
    return pd.DataFrame(cells, index).reindex(columns=[*SIZES, "all"]).fillna("")


# -------------------------------------------------------------------------------------------------------------- quotes

RULES = ("helps", "twin", "pay", "physics", "good")


@quoting
def quoted(records, others):
    """What the prose quotes, from a name such as `robust-colombia-other-0` or `robust-colombia-transfer-physics`.

    Parameters
    ----------
    records, others : dict of str to list of dict
        By network, see `joined`.
    """
    for name, trials in records.items():
        for row in transfer.tabulate(trials).itertuples():
            size = "all" if pd.isna(row.n_train) else int(row.n_train)
            about = "" if row.quantity == "epicentral_km" else row.quantity
            yield ("robust", name, row.start, size, about), row.estimate, ".3g"
        for row, rule in zip(verdicts(trials, others[name]).itertuples(), RULES, strict=True):
            yield ("robust", name, "transfer", rule), row.found
