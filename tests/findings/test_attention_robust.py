import numpy as np
import pytest

from seisbook.catalogues.networks import NETWORKS
from seisbook.figures import attention_robust as figures
from seisbook.findings import attention_robust, claims
from seisbook.studies import runner

N = 60


def made(seed=0, network="colombia", beyond=0.3, efficiency=0.6, analyst=True):
    """A trial whose gates go with the analyst, and whose largest messages choose stations as chance does."""
    rng = np.random.default_rng(seed)

    def around(value, width=0.05):
        return (value + width * rng.normal(size=N)).tolist()

    measures = {
        name: {
            "analyst": around(0.2) if analyst else [None] * N,
            "nearest": around(0.2),
            "beyond": around(beyond if name == "gate" else 0.0) if analyst else [None] * N,
            "efficiency": around({"information": efficiency, "selection": 0.3}.get(name, 0.4)),
        }
        for name in attention_robust.MEASURES
    }
    levels = {"nearest": 0.4, "signal-to-noise": 0.35, "earliest": 0.45, "random": 0.3, "D-optimal": 1.0}
    result = {
        "agreement": [{"measure": "nearest", "tau": [0.4, 0.3, 0.5]}] if analyst else None,
        "measures": measures,
        "nulls": {name: around(value, 0.01) for name, value in levels.items()},
    }
    return {"trial": {"network": network, "seed": seed}, "result": result}


def verdict_of(records, measure, rule):
    (row,) = (r for r in attention_robust.verdicts(records) if (r["measure"], r["rule"]) == (measure, rule))
    return row


def test_each_measure_is_judged_by_both_rules():
    records = [made(seed) for seed in range(2)]
    assert len(attention_robust.verdicts(records)) == 2 * len(attention_robust.MEASURES)
    assert verdict_of(records, "gate", "emphasis")["verdict"] == "supported"
    assert verdict_of([made(beyond=-0.3)], "gate", "emphasis")["verdict"] == "not supported"
    assert verdict_of(records, "information", "design")["verdict"] == "supported"
    row = verdict_of(records, "selection", "design")
    assert row["verdict"] == "not supported"
    assert "(earliest)" in row["measured"]  # the best null decides
    assert row["value"] == pytest.approx(0.3 - 0.45, abs=0.02)


def test_the_text_says_what_is_designed_and_what_emerged():
    texts = {row["measure"]: row["measured"] for row in attention_robust.verdicts([made()])}
    assert all("(designed)" in texts[name] for name in ("information", "ungated"))
    assert all("(emergent)" in texts[name] for name in ("gate", "selection"))


def test_events_are_averaged_over_seeds_first():
    records = [made(seed) for seed in range(3)]
    mean = attention_robust.values(records, "gate", "beyond")
    each = [record["result"]["measures"]["gate"]["beyond"] for record in records]
    np.testing.assert_allclose(mean, np.mean(each, 0))
    records[0]["result"]["measures"]["gate"]["beyond"][0] = None  # an event that one seed has no value for
    assert attention_robust.values(records, "gate", "beyond")[0] == pytest.approx(np.mean([e[0] for e in each[1:]]))


def test_without_an_analyst_only_the_design_is_judged():
    records = [made(network="ridgecrest", analyst=False)]
    assert {row["rule"] for row in attention_robust.verdicts(records)} == {"design"}
    table = attention_robust.tabulate(records)
    assert table[["analyst", "beyond"]].isna().all(axis=None)
    assert attention_robust.gates_add(records)["beyond"] is None


def test_what_is_quoted_has_names():
    texts = attention_robust.quoted({"colombia": [made()], "ridgecrest": [made(network="ridgecrest", analyst=False)]})
    assert texts["robust-colombia-gate-emphasis-verdict"] == "supported"
    assert texts["robust-colombia-nearest-analyst"] == "0.40 [0.30, 0.50]"
    assert texts["robust-ridgecrest-gate-beyond"] == ""
    assert "robust-ridgecrest-gates-add-efficiency" in texts


def test_the_figure_has_a_panel_for_the_analyst_and_one_a_network():
    found = {"colombia": [made()], "ridgecrest": [made(network="ridgecrest", analyst=False)]}
    tables = {name: attention_robust.tabulate(records) for name, records in found.items()}
    figure = figures.rests_on(tables)
    assert [axis.get_title("left") for axis in figure.axes] == ["Colombia", "Colombia", "Ridgecrest"]
    left, middle, right = figure.axes
    assert [text.get_text() for text in left.get_yticklabels()] == list(attention_robust.MEASURES)
    assert len(middle.get_yticks()) == len(attention_robust.MEASURES) + 4
    assert not any(text.get_text() for text in right.get_yticklabels())
    assert [text.get_text() for text in figure.legends[0].texts] == ["designed", "emergent", "null"]


def test_only_what_emerged_decides_the_claim():
    tested = [one for one in claims.claims("C8") if "robust model" in one.measured]
    assert {one.network for one in tested} == set(NETWORKS)
    assert all("(emergent)" in one.measured for one in tested)
    judged = [row for name in NETWORKS for row in attention_robust.verdicts(runner.read("attention-robust", name))]
    assert [one.verdict for one in tested] == [row["verdict"] for row in judged if row["kind"] == "emergent"]
