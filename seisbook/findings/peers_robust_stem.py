"""What the study of published graph parts on the robust stem says: who is ahead when all read the same onsets.

The rule is that of `seisbook.studies.peers_robust_stem`: a ratio of median epicentral errors, paired by event. Beside
each kind stands the same kind *as published*, a whole system of `seisbook.studies.runs` with a stem of its own, on the
same test events.

On the twin each arm has one training and no interval. There a rule of thumb says what makes attention differ from the
paper's block, see `apart`. It was written before any long training was looked at.
"""

import numpy as np
import pandas as pd

from seisbook.catalogues.networks import NETWORKS
from seisbook.errors import DataError
from seisbook.findings.answers import PLACES
from seisbook.findings.quotations import printed, quoting, text
from seisbook.findings.robust import MAIN, errors_of, median, ratio
from seisbook.measures.estimates import Estimate

PAPER = "paper's block"
ATTENTION = "attention"  # the arm of the study `robust` that has attention and travel times
SWITCHES = ("static graph", "no edges")  # of the paper's block, whose size and rate they have
RUNS = {
    PAPER: "dynamic",
    "static graph": "static",
    "no edges": "none",
    "transformer": "transformer",
    "graph attention": "attention",
    "edges in feature space": "dgcnn",
    "geographic convolution": "gcn",
    "maximum over stations": "seismicgnn",
}
"""The model of `seisbook.studies.runs` that is a kind's whole system, with a stem of its own."""
BESIDE = "transformer with feedback"  # all stations and a softmax, otherwise built like the paper's block
TRIED = {"all neighbours": "all stations in place of the nearest ones", "softmax": "a softmax in place of the maximum"}
"""Switches that take the paper's block apart, on one twin, and what each does."""
HALF = 0.5  # share of a difference in loss that a switch has to close to explain it
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


def compare(records, twin, run_of) -> pd.DataFrame:
    """Each arm over all folds.

    Parameters
    ----------
    records : list of dict
        Of the study and of one network, of the source `bulletin`.
    twin : list of dict
        Of the study, of the network whose twin chose the rates, of the source `simulated`.
    run_of : callable
        Of `seisbook.findings.robust.runs_of`.

    Returns
    -------
    DataFrame
        A row for each arm, the best first: `network`, `arm`, `parameters` of the graph part, `rate` chosen on the twin
        (both None for the robust model), number of `folds` and `events`, `epicentral_km`, `over_paper`, the ratio to
        the paper's block, and `ours_over`, that of the robust model to the arm (all `Estimate`); `verdict` of the rule;
        `seeds_km`, the least and largest median of the first fold over seeds. Of the kinds in `RUNS` also the error of
        the whole system, `published_km`, `ours_over_published`, the robust model's error over that, and
        `over_published`, the error with our stem over it; None for other arms.

    Raises
    ------
    DataError
        If a whole system was not tested on the events of the study.
    """
    rates = chosen_rates(twin)
    parameters = {record["trial"]["arm"]: record["result"]["parameters"] for record in twin}
    split = _split(records)
    ours, paper = (errors_of(split, arm).epicentral_km for arm in (MAIN, PAPER))
    rows = []
    for arm in dict.fromkeys(record["trial"]["arm"] for record in records):
        errors, tuned = errors_of(split, arm), PAPER if arm in SWITCHES else arm
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
                **_as_published(arm, errors, ours, run_of),
            }
        )
    return pd.DataFrame(rows).sort_values("epicentral_km", key=lambda values: values.str[0], ignore_index=True)


def _as_published(arm, errors, ours, run_of):
    """Whole system of a kind beside its graph part on our stem, and beside the robust model."""
    if arm not in RUNS:
        return dict.fromkeys(("published_km", "ours_over_published", "over_published"))
    found = [_in_order(RUNS[arm], fold, run_of) for fold in errors.fold.unique()]
    published = np.concatenate(found)
    if len(published) != len(errors):
        raise DataError(f"peers-robust-stem: not of the events of the runs of {RUNS[arm]}: run the study again")
    return {
        "published_km": median(published),
        "ours_over_published": ratio(ours, published),
        "over_published": ratio(errors.epicentral_km, published),
    }


def _in_order(model, fold, run_of):
    """Epicentral errors of a run, in the order of the test events of the fold."""
    order = run_of(RUNS[PAPER], "random", fold)["errors"]["source_id"]
    table = pd.DataFrame(run_of(model, "random", fold)["errors"]).set_index("source_id")
    return table.epicentral_km.loc[order].to_numpy()


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
            "as published (km)": text(row.published_km),
            "with our stem (km)": (row.epicentral_km,),
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
        `network`, `arm`, `axis`, `severity`, median `epicentral_km` under that trouble, `growth` and `ours_over`, the
        robust model's error over the arm's under it (both `Estimate`).
    """
    found = {}
    for record in records:
        trial = record["trial"]
        if (trial["fold"], trial["seed"]) == (0, 0):
            found[trial["arm"], trial["axis"], trial["severity"]] = record["result"]["epicentral_km"]
    return pd.DataFrame(
        {
            **{"network": records[0]["trial"]["network"], "arm": arm, "axis": axis, "severity": severity},
            "epicentral_km": float(np.median(errors)),
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
        shown = f"{row.growth.value:.2f} ({row.epicentral_km:.2f} km)"
        cells.setdefault((row.network.capitalize(), TITLES[row.arm]), {})[column] = shown
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


def twin_table(trained) -> pd.DataFrame:
    """The table of `trained_on_the_twin`, of one or more networks, as a page prints it: a row an arm.

    Parameters
    ----------
    trained : DataFrame
    """
    rows = {}
    for row in trained.itertuples():
        cells = rows.setdefault(TITLES[row.arm], {"parameters": f"{row.parameters:,}", "rate": f"{row.rate:g}"})
        before = "" if pd.isna(row.before) else f" (half as long: {row.before:.2f})"
        cells[f"{row.network.capitalize()}, loss"] = f"{row.loss:.2f}{before}"
        cells[f"{row.network.capitalize()}, epicentre (km)"] = (row.epicentral_km,)
    return printed(rows).fillna("")


def apart(trained) -> str:
    """What makes attention over stations differ from the paper's block, in words, by a rule of thumb.

    A switch of `TRIED` explains that attention has the smaller loss on new events of the twin if the paper's block with
    this switch closes at least half of the difference. Each arm has one training, so nothing is said of chance.

    Parameters
    ----------
    trained : DataFrame
        Of `trained_on_the_twin`, of one network.
    """
    loss = trained.set_index("arm").loss
    lead = loss[PAPER] - loss[BESIDE]
    if lead <= 0:
        return "the paper's block has the smaller loss, so that there is nothing to explain"
    explain = [does for arm, does in TRIED.items() if loss[PAPER] - loss[arm] >= HALF * lead]
    return f"{' and '.join(explain)} would explain it" if explain else "neither of the two explains it"


# -------------------------------------------------------------------------------------------------------------- quotes


@quoting
def quoted(compared, references, trained):
    """What the prose quotes, of all networks in one text: by a name such as `stem-folds`.

    Parameters
    ----------
    compared, references, trained : DataFrame
        Of `compare`, `whole` and `trained_on_the_twin`, all networks.
    """
    said = {}
    for network in dict.fromkeys(compared.network):
        tables = [table[table.network == network] for table in (compared, references, trained)]
        for name, value in _of_network(*tables).items():
            said.setdefault(name, []).append(f"{text(value) if isinstance(value, Estimate) else value} {_in(network)}")
    for name, values in said.items():
        yield ("stem", name), " and ".join(values), ""
    yield ("stem", "folds"), int(compared.folds.max()), "d"
    left_out = [_in(network) for network in NETWORKS if network not in set(compared.network)]
    yield ("stem", "left-out"), f"It has not been run {' and '.join(left_out)}." if left_out else "", ""


def _in(network):
    return PLACES.get(network, f"in {network.capitalize()}")


def _of_network(compared, references, trained):
    """Results by name, of one network."""
    by_arm, attention = compared.set_index("arm"), references.set_index("arm").ours_over[ATTENTION]
    return {
        **{arm.replace("'", ""): row.over_paper for arm, row in by_arm.iterrows()},
        "papers-block-over-published": by_arm.over_published[PAPER],
        "whole-attention": f"{text(attention)} ({ahead(attention)})",
        **({"apart": apart(trained)} if set(TRIED) <= set(trained.arm) else {}),
    }
