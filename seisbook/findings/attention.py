"""The record of the attention study: what it says of both networks, the verdicts on claim C8, and what prose quotes."""

from seisbook.catalogues import networks
from seisbook.findings import summaries
from seisbook.measures.estimates import Estimate
from seisbook.studies import attention as attention_study
from seisbook.studies.attention import NULLS, TOP

NAME = "attention"


def compute(progress=True) -> dict:
    """What attention does in the trained models on the real bulletins."""
    return {"networks": {name: attention_study.measure(name, progress) for name in networks.NETWORKS}}


def load() -> dict:
    """Read the record, see `seisbook.provenance.load`."""
    return summaries.load(NAME)


def verdicts(content, model="dynamic") -> list[dict]:
    """C8 by the rules of `seisbook.studies.attention`.

    Returns
    -------
    list of dict
        One a network and rule: `network`, `rule` (`emphasis` or `design`), `measured`, `value`, `low`, `high`,
        `events`, `verdict`.
    """
    rows = []
    for name, one in content["networks"].items():
        found = one["models"][model]
        if found["beyond"] is not None:
            row = next(row for row in found["beyond"] if row["measure"] == "rollout")
            text = "partial rank correlation of attention and the analyst's emphasis"
            rows.append(_verdict(name, "emphasis", text, row["correlation"], row["events"]))
        null = best_null(found)
        text = f"D-efficiency of {TOP} stations by attention, minus that by the best null ({null['order']})"
        rows.append(_verdict(name, "design", text, null["rollout_above"], null["events"]))
    return rows


def best_null(found):
    """The row of `seisbook.studies.attention.design` of the null with the most efficient choice of stations."""
    nulls = [row for row in found["design"] if row["order"] in (*NULLS, "random")]
    return max(nulls, key=lambda row: row["efficiency"][0])


def _verdict(network, rule, measured, estimate, events):
    value, low, high = estimate
    word = "supported" if low > 0 else "not supported" if high < 0 else "inconclusive"
    found = {"network": network, "rule": rule, "measured": measured, "value": value, "low": low, "high": high}
    return {**found, "events": events, "verdict": word}


def quoted(content) -> dict:
    """What the prose quotes of the dynamic models: from a name such as `colombia-rollout-tau` to its text."""
    texts = {}
    for name, one in content["networks"].items():
        found = {**one["models"]["dynamic"], **one}
        texts[f"{name}-events"] = f"{found['events']:,}"
        texts[f"{name}-shuffled-efficiency"] = _text(found["shuffled_efficiency"])
        texts[f"{name}-alike"] = _text(one["contrast"]["alike"])
        for row in found["agreement"] or ():
            texts[f"{name}-{row['measure']}-tau"] = _text(row["tau"])
            texts[f"{name}-{row['measure']}-overlap"] = f"{row['overlap'][0]:.2f}"
        for key in ("beyond", "shuffled"):
            for row in found[key] or ():
                texts[f"{name}-{row['measure']}-{key}"] = _text(row["correlation"])
        for row in found["design"]:
            texts[f"{name}-{row['order']}-efficiency"] = _text(row["efficiency"])
            texts[f"{name}-{row['order']}-gap"] = f"{row['gap_deg'][0]:.0f}"
            texts[f"{name}-above-{row['order']}"] = _text(row["rollout_above"])
        for row in found["between"]:
            texts["-".join([name, *row["measures"]]).replace(" ", "-")] = f"{row['tau'][0]:.2f}"
        for row in found["deletion"]:
            texts[f"{name}-{row['order']}-{row['arm']}-{row['k']}"] = f"{row['epicentral_km']:.1f}"
        for row in found["faults"]:
            for key in ("share", "share_spoilt"):
                texts[f"{name}-{row['fault']}-{key}"] = _text(row[key])
            for key in ("error_km", "error_spoilt_km", "error_without_km"):
                texts[f"{name}-{row['fault']}-{key}"] = f"{row[key][0]:.2f}"
        for key, value in one["contrast"].items():
            texts[f"{name}-contrast-{key}"] = "" if value is None else _text(value)
    return texts


def _text(estimate):
    return f"{Estimate(*estimate):.2f}"
