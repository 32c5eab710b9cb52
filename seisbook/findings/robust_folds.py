"""Trouble and the robust model on all five random folds; the rule is that of `seisbook.studies.robust_folds`."""

import pandas as pd

from seisbook.findings.quotations import printed, quoting
from seisbook.findings.robust import covered, errors_of, median, ratio


def compare(records, first) -> pd.DataFrame:
    """Growth of the median epicentral error under each condition: on the first fold, on the others and on all.

    Parameters
    ----------
    records : list of dict
        Of the study `robust-folds`, of one network.
    first : list of dict
        Of the study `robust`, of the same network; it has the first fold.

    Returns
    -------
    DataFrame
        `network`, `axis`, `severity`, number of `events`, `epicentral_km` over all folds (`Estimate`), `growth` over
        all folds (`Estimate`), `growth_first` and `growth_others` (both `Estimate`), `confirmed`, and `covered`, the
        share of labels in the ellipses that should hold 90 per cent.
    """
    conditions = list(dict.fromkeys((r["trial"]["axis"], r["trial"]["severity"]) for r in records))
    calm = _errors(records, first, "none", None)
    return pd.DataFrame(
        {"network": records[0]["trial"]["network"], "axis": axis, "severity": severity}
        | _row(_errors(records, first, axis, severity), calm)
        for axis, severity in conditions
        if axis != "none"
    )


def _errors(records, first, axis, severity):
    """Errors of the first fold and of the other folds."""
    return [
        errors_of(found, axis=axis, severity=severity, **one) for found, one in ((first, {"fold": 0}), (records, {}))
    ]


def _row(struck, calm):
    whole, before = pd.concat(struck), pd.concat(calm)
    first, others = (ratio(one.epicentral_km, other.epicentral_km) for one, other in zip(struck, calm, strict=True))
    return {
        "events": len(whole),
        "epicentral_km": median(whole.epicentral_km),
        "growth": ratio(whole.epicentral_km, before.epicentral_km),
        "growth_first": first,
        "growth_others": others,
        "confirmed": bool(others.low <= first.value <= others.high),
        "covered": covered(whole.mahalanobis),
    }


def table(compared) -> pd.DataFrame:
    """The table of `compare`, of one or more networks, as a page prints it."""
    from seisbook.measures import perturbations  # loads PyTorch, which verdicts do without

    rows = {}
    for row in compared.itertuples():
        about = perturbations.AXES[row.axis]
        rows[row.network.capitalize(), f"{about.title}, {row.severity:g} {about.unit}"] = {
            "error (km)": (row.epicentral_km,),
            "growth, all folds": (row.growth,),
            "growth, first fold": (row.growth_first,),
            "growth, other folds": (row.growth_others,),
            "confirmed": "yes" if row.confirmed else "no",
            "in the 90 % ellipses (%)": (100 * row.covered, ".0f"),
        }
    return printed(rows).rename_axis(index=["network", "trouble"])


@quoting
def quoted(compared):
    """What the prose quotes: `folds-confirmed`, and growths such as `folds-colombia-spike`.

    Parameters
    ----------
    compared : DataFrame
        Of `compare`, all networks.
    """
    yield ("folds", "confirmed"), f"{compared.confirmed.sum()} of {len(compared)}", ""
    for network, rows in compared.groupby("network"):
        yield ("folds", network, "covered", "least"), 100 * rows.covered.min(), ".0f"
        yield ("folds", network, "covered", "most"), 100 * rows.covered.max(), ".0f"
        for row in rows.itertuples():
            yield ("folds", network, row.axis, f"{row.severity:g}"), row.growth
