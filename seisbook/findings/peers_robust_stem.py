"""What the study of published graph parts on the robust stem says: who is ahead when all read the same onsets.

The rule is that of `seisbook.studies.peers_robust_stem`: a ratio of median epicentral errors, paired by event.
"""

import numpy as np
import pandas as pd

from seisbook.findings.quotations import printed, quoting, text
from seisbook.findings.robust import MAIN, errors_of, median
from seisbook.measures.estimates import Estimate, estimate, resampled

PAPER = "paper's block"
ATTENTION = "attention"  # the arm of the study `robust` that has attention and travel times
SWITCHES = ("static graph", "no edges")  # of the paper's block, whose size and rate they have
TITLES = {
    MAIN: "robust model (travel times)",
    PAPER: "the paper's block",
    "static graph": "the paper's block, static graph",
    "no edges": "the paper's block, no edges",
    "transformer with feedback": "transformer, feedback",
    "transformer": "transformer",
    "deep sets with feedback": "deep sets, feedback",
    "graph attention": "graph attention (SAGE)",
    "edges in feature space": "edges in feature space (DGCNN)",
    "geographic convolution": "geographic convolution (GCN)",
    "maximum over stations": "maximum (SeismicGNN)",
    "all neighbours": "the paper's block, all stations",
    "softmax": "the paper's block, softmax",
}


def compare(records, twin) -> pd.DataFrame:
    """Each arm over all folds.

    Parameters
    ----------
    records : list of dict
        Of the study and of one network, of the source `bulletin`.
    twin : list of dict
        Of the study, of the network whose twin chose the rates, of the source `simulated`.

    Returns
    -------
    DataFrame
        A row for each arm, the best first: `network`, `arm`, `parameters` of the graph part, `rate` chosen on the twin
        (both None for the robust model), number of `folds` and `events`, `epicentral_km`, `over_paper`, the ratio to
        the paper's block, and `ours_over`, that of the robust model to the arm (all `Estimate`); `verdict` of the rule;
        `seeds_km`, the least and largest median of the first fold over seeds.
    """
    rates = chosen_rates(twin)
    parameters = {record["trial"]["arm"]: record["result"]["parameters"] for record in twin}
    ours, paper = (errors_of(_split(records), arm).epicentral_km for arm in (MAIN, PAPER))
    rows = []
    for arm in dict.fromkeys(record["trial"]["arm"] for record in records):
        errors, tuned = errors_of(_split(records), arm), PAPER if arm in SWITCHES else arm
        over = ratio(ours, errors.epicentral_km)
        rows.append(
            {
                **{"network": records[0]["trial"]["network"], "arm": arm},
                **{"parameters": parameters.get(tuned), "rate": rates.get(tuned)},
                **{"folds": errors.fold.nunique(), "events": len(errors)},
                "epicentral_km": median(errors.epicentral_km),
                "over_paper": ratio(errors.epicentral_km, paper),
                **{"ours_over": over, "verdict": "" if arm == MAIN else ahead(over)},
                "seeds_km": _seeds(records, arm),
            }
        )
    return pd.DataFrame(rows).sort_values("epicentral_km", key=lambda values: values.str[0], ignore_index=True)


def whole(published) -> pd.DataFrame:
    """Arms with travel times whose stem the fold trained too: the robust model, and attention in place of its graph.

    Parameters
    ----------
    published : list of dict
        Of the study `robust`, of one network.

    Returns
    -------
    DataFrame
        `network`, `arm`, `epicentral_km` on the first fold and `ours_over`, the robust model's error over the arm's
        (both `Estimate`).
    """
    errors = {arm: errors_of(published, arm, fold=0).epicentral_km for arm in (MAIN, ATTENTION)}
    return pd.DataFrame(
        {
            **{"network": published[0]["trial"]["network"], "arm": arm},
            **{"epicentral_km": median(found), "ours_over": ratio(errors[MAIN], found)},
        }
        for arm, found in errors.items()
    )


def _split(records):
    """Records with the name of their split, which all share."""
    return [{**record, "trial": {"split": "random", **record["trial"]}} for record in records]


def ratio(ours, theirs) -> Estimate:
    """Median of errors over that of others of the same events."""
    over, under = resampled([np.asarray(ours), np.asarray(theirs)])
    return estimate(over / under)


def ahead(ratio) -> str:
    """Verdict on the robust model from its error over another's."""
    return "ahead" if ratio.high < 1 else "behind" if ratio.low > 1 else "undecided"


def _seeds(records, arm):
    medians = [
        float(np.median(record["result"]["epicentral_km"]))
        for record in records
        if (record["trial"]["arm"], record["trial"]["fold"], record["trial"]["axis"]) == (arm, 0, "none")
    ]
    return min(medians), max(medians)


def table(compared) -> pd.DataFrame:
    """The table of `compare` as a page prints it."""
    rows = {}
    for row in compared.itertuples():
        rows[row.network.capitalize(), TITLES[row.arm]] = {
            "parameters": "" if pd.isna(row.parameters) else f"{row.parameters:,.0f}",
            "rate": "" if pd.isna(row.rate) else f"{row.rate:g}",
            "epicentre (km)": (row.epicentral_km,),
            "seeds (km)": "{:.2f} to {:.2f}".format(*row.seeds_km),
            "over the paper's block": "" if row.arm == PAPER else text(row.over_paper),
            "robust model over it": "" if row.arm == MAIN else text(row.ours_over),
            "robust model": row.verdict,
        }
    return printed(rows)


def growths(records) -> pd.DataFrame:
    """Median error of each arm under trouble over that without, on the first fold.

    Returns
    -------
    DataFrame
        `network`, `arm`, `axis`, `severity`, `growth` and `ours_over`, the robust model's error over the arm's under
        that trouble (both `Estimate`).
    """
    found = {}
    for record in records:
        trial = record["trial"]
        if (trial["fold"], trial["seed"]) == (0, 0):
            found[trial["arm"], trial["axis"], trial["severity"]] = record["result"]["epicentral_km"]
    return pd.DataFrame(
        {
            **{"network": records[0]["trial"]["network"], "arm": arm, "axis": axis, "severity": severity},
            "growth": ratio(errors, found[arm, "none", None]),
            "ours_over": ratio(found[MAIN, axis, severity], errors),
        }
        for (arm, axis, severity), errors in found.items()
        if axis != "none"
    )


def growths_table(found) -> pd.DataFrame:
    """The table of `growths` as a page prints it: a row an arm, a column an axis with its severity."""
    from seisbook.measures import perturbations  # loads PyTorch, which verdicts do without

    cells = {}
    for row in found.itertuples():
        about = perturbations.AXES[row.axis]
        column = f"{about.title}, {row.severity:g} {about.unit}"
        cells.setdefault((row.network.capitalize(), TITLES[row.arm]), {})[column] = f"{row.growth.value:.2f}"
    return pd.DataFrame.from_dict(cells, orient="index").fillna("")


# ------------------------------------------------------------------------------------------------------------ the twin


def chosen_rates(twin) -> dict[str, float]:
    """Learning rate by arm: the one whose loss on new events of the twin is least after the short training.

    Parameters
    ----------
    twin : list of dict
        Of one network.
    """
    short = min(record["trial"]["epochs"] for record in twin)
    best = {}
    for record in twin:
        trial, loss = record["trial"], record["result"]["loss"]
        if trial["epochs"] == short and loss < best.get(trial["arm"], (np.inf, None))[0]:
            best[trial["arm"]] = loss, trial["rate"]
    return {arm: rate for arm, (_, rate) in best.items()}


def trained_on_the_twin(twin) -> pd.DataFrame:
    """Each arm after the long training on the twin, on new events of the twin.

    Returns
    -------
    DataFrame
        `network`, `arm`, `parameters`, `rate`, `epochs`, `loss`, `epicentral_km`; `before`, the loss after half as many
        epochs, NaN for arms that were not trained so.
    """
    losses = {(r["trial"]["arm"], r["trial"]["epochs"]): r["result"]["loss"] for r in twin}
    longest = max(epochs for _, epochs in losses)
    names = ("network", "arm", "rate", "epochs")
    return pd.DataFrame(
        {
            **{name: record["trial"][name] for name in names},
            **record["result"],
            "before": losses.get((record["trial"]["arm"], longest // 2), np.nan),
        }
        for record in twin
        if record["trial"]["epochs"] == longest
    )


# -------------------------------------------------------------------------------------------------------------- quotes


@quoting
def quoted(compared, found, references):
    """What the prose quotes, from a name such as `stem-colombia-transformer-km`.

    Parameters
    ----------
    compared, found, references : DataFrame
        Of `compare`, `growths` and `whole`, all networks.
    """
    for row in compared.itertuples():
        where = ("stem", row.network, row.arm.replace("'", ""))
        yield (*where, "km"), row.epicentral_km
        yield (*where, "over-paper"), row.over_paper
        yield (*where, "ours-over"), row.ours_over
    for network, rows in compared.groupby("network"):
        peers = rows[rows.arm != MAIN]
        yield ("stem", network, "best"), TITLES[peers.iloc[0].arm], ""
        yield ("stem", network, "best-km"), peers.iloc[0].epicentral_km
        yield ("stem", network, "best-over"), peers.iloc[0].ours_over
        yield ("stem", network, "worst-km"), peers.iloc[-1].epicentral_km
        yield ("stem", network, "ahead"), int((peers.verdict == "ahead").sum()), "d"
        yield ("stem", network, "peers"), len(peers), "d"
        yield ("stem", network, "folds"), int(rows.folds.max()), "d"
    for row in found.itertuples():
        yield ("stem", row.network, row.arm.replace("'", ""), row.axis), row.growth
    for row in references.itertuples():
        yield ("stem", row.network, "whole", row.arm, "km"), row.epicentral_km
        yield ("stem", row.network, "whole", row.arm, "ours-over"), row.ours_over
