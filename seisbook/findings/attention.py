"""The record of the attention study: what it says of both networks, the verdicts on claim C8, and what prose quotes."""

from seisbook.catalogues import networks
from seisbook.findings import summaries
from seisbook.findings.quotations import quoting
from seisbook.measures.estimates import above
from seisbook.studies.arms import NULLS, TOP

NAME = "attention"


def compute(progress=True) -> dict:
    """What attention does in the trained models on the real bulletins."""
    from seisbook.studies import attention as attention_study  # loads PyTorch, which reading the record does without

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
    for name, measured in content["networks"].items():
        ours = measured["models"][model]
        if ours["beyond"] is not None:
            row = next(row for row in ours["beyond"] if row["measure"] == "rollout")
            text = "partial rank correlation with the analyst's emphasis: attention"
            rows.append(_verdict(name, "emphasis", text, row["correlation"], row["events"]))
        null = best_null(ours)
        text = f"D-efficiency of {TOP} stations: attention, minus that by the best null ({null['order']})"
        rows.append(_verdict(name, "design", text, null["rollout_above"], null["events"]))
    return rows


def best_null(measured):
    """The row of `seisbook.studies.attention.design` of the null with the most efficient choice of stations."""
    nulls = [row for row in measured["design"] if row["order"] in (*NULLS, "random")]
    return max(nulls, key=lambda row: row["efficiency"][0])


def _verdict(network, rule, measured, estimate, events):
    value, low, high = estimate
    row = {"network": network, "rule": rule, "measured": measured, "value": value, "low": low, "high": high}
    return {**row, "events": events, "verdict": above(low, high)}


@quoting
def quoted(content):
    """What the prose quotes of the dynamic models: from a name such as `colombia-rollout-tau` to its text."""
    for name, network in content["networks"].items():
        measured = {**network["models"]["dynamic"], **network}
        yield (name, "events"), measured["events"], ","
        yield (name, "shuffled-efficiency"), measured["shuffled_efficiency"]
        yield (name, "alike"), network["contrast"]["alike"]
        yield from _quoted_orders(name, measured)
        yield from _quoted_faults(name, measured)
        for key, value in network["contrast"].items():
            yield (name, "contrast", key), value
    for row in verdicts(content):
        yield (row["network"], row["rule"], "verdict"), row["verdict"], "s"


def _quoted_orders(name, measured):
    """How attention orders stations, and how others do."""
    for row in measured["agreement"] or ():
        yield (name, row["measure"], "tau"), row["tau"]
        yield (name, row["measure"], "overlap"), row["overlap"][0]
    for key in ("beyond", "shuffled"):
        for row in measured[key] or ():
            yield (name, row["measure"], key), row["correlation"]
    for row in measured["design"]:
        yield (name, row["order"], "efficiency"), row["efficiency"]
        yield (name, row["order"], "gap"), row["gap_deg"][0], ".0f"
        yield (name, "above", row["order"]), row["rollout_above"]
    for row in measured["between"]:
        yield (name, *row["measures"]), row["tau"][0]


def _quoted_faults(name, measured):
    """What becomes of the errors when stations are left out or spoilt."""
    for row in measured["deletion"]:
        yield (name, row["order"], row["arm"], row["k"]), row["epicentral_km"], ".1f"
    for row in measured["faults"]:
        for key in ("share", "share_spoilt"):
            yield (name, row["fault"], key), row[key]
        for key in ("error_km", "error_spoilt_km", "error_without_km"):
            yield (name, row["fault"], key), row[key][0]
