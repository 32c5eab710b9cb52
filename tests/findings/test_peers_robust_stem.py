import numpy as np
import pandas as pd
import pytest

from seisbook.errors import DataError
from seisbook.findings import peers_robust_stem as findings
from seisbook.findings.peers_robust_stem import MAIN, PAPER
from seisbook.measures.estimates import Estimate
from seisbook.models import names
from seisbook.studies import peers_robust_stem as study

N = 80
SCALES = {MAIN: 1.0, PAPER: 4.0, "transformer": 2.0, "deep sets with feedback": 1.0}


def record(arm, scale, draws=0, fold=0, seed=0, axis="none", severity=None):
    km = scale * np.random.default_rng(draws).lognormal(0, 0.5, N)
    trial = {"network": "atoll", "arm": arm, "fold": fold, "seed": seed, "axis": axis, "severity": severity}
    return {"trial": trial, "result": {"epicentral_km": km.tolist()}}


@pytest.fixture
def records():
    """Errors that differ by a factor alone, on two folds; doubled by a spike, except those of the robust model."""
    found = []
    for arm, scale in SCALES.items():
        found += [record(arm, scale, fold, fold) for fold in range(2)]
        found.append(record(arm, 1.1 * scale, seed=1))
        found.append(record(arm, scale * (1 if arm == MAIN else 2), axis="spike", severity=100.0))
    return found


@pytest.fixture
def twin():
    found = []
    for arm in (PAPER, "transformer", "deep sets with feedback"):
        for rate, loss in ((1e-3, 3.0), (2e-3, 1.5 if arm == PAPER else 2.5), (4e-3, 2.0)):
            trial = {"network": "atoll", "arm": arm, "rate": rate, "epochs": 2}
            found.append({"trial": trial, "result": {"parameters": 1000, "loss": loss, "epicentral_km": loss}})
        rate = 2e-3 if arm == PAPER else 4e-3
        trial = {"network": "atoll", "arm": arm, "rate": rate, "epochs": 6}
        found.append({"trial": trial, "result": {"parameters": 1000, "loss": 1.0, "epicentral_km": 1.2}})
    half = {"network": "atoll", "arm": PAPER, "rate": 2e-3, "epochs": 3}
    return [*found, {"trial": half, "result": {"parameters": 1000, "loss": 1.1, "epicentral_km": 1.3}}]


@pytest.fixture
def published():
    place = {"network": "atoll", "split": "random", "fold": 0, "seed": 0, "axis": "none", "severity": None}
    errors = {MAIN: 0.9, findings.ATTENTION: 1.8}
    return [{"trial": {**place, "arm": arm}, "result": {"epicentral_km": [km] * N}} for arm, km in errors.items()]


def run_of(model, split, fold, size=N):
    """Whole systems whose errors are 1.5 times those of the arms in `SCALES`, in an order of their own."""
    scale = {"dynamic": SCALES[PAPER], "transformer": SCALES["transformer"]}[model]
    km = 1.5 * np.array(record("", scale, fold)["result"]["epicentral_km"])[:size]
    order = np.arange(size) if model == "dynamic" else np.random.default_rng(0).permutation(size)
    return {"errors": {"source_id": [f"event {i}" for i in order], "epicentral_km": km[order].tolist()}}


def test_names_are_those_of_the_study():
    assert set(findings.TITLES) == {*study.ARMS, *study.ON_THE_TWIN}
    assert findings.PAPER == study.PAPER
    assert set(findings.RUNS) < set(study.PUBLISHED)
    assert set(findings.TRIED) == set(study.ON_THE_TWIN)
    assert {*findings.SWITCHES, *study.ON_THE_TWIN} == set(study.SWITCHES)


def test_whole_systems_are_those_of_all_names():
    assert set(findings.RUNS.values()) == set(names.NAMES) - {"feature", "last"}


def test_ratios_are_paired_and_decide(records, twin):
    found = findings.compare(records, twin, run_of).set_index("arm")
    assert found.loc["transformer", "ours_over"] == pytest.approx((0.5, 0.5, 0.5))
    assert found.loc["transformer", "over_paper"] == pytest.approx((0.5, 0.5, 0.5))
    assert found.verdict.to_dict() == {
        MAIN: "",
        PAPER: "ahead",
        "transformer": "ahead",
        "deep sets with feedback": "undecided",
    }
    assert list(found.index[-2:]) == ["transformer", PAPER]  # the best first
    assert found.loc[PAPER, "rate"] == 2e-3
    assert (found.folds == 2).all()
    least, most = found.loc["transformer", "seeds_km"]
    assert most == pytest.approx(1.1 * least)


def test_a_whole_system_is_paired_with_its_graph_part_on_our_stem(records, twin):
    found = findings.compare(records, twin, run_of).set_index("arm")
    assert found.loc["transformer", "over_published"] == pytest.approx((1 / 1.5,) * 3)
    assert found.loc["transformer", "ours_over_published"] == pytest.approx((0.5 / 1.5,) * 3)
    assert found.loc["transformer", "published_km"].value == pytest.approx(
        1.5 * found.loc["transformer", "epicentral_km"].value
    )
    assert found.loc["deep sets with feedback", "published_km"] is None


def test_a_whole_system_of_other_events_is_refused(records, twin):
    with pytest.raises(DataError, match="not of the events of the runs of dynamic: run the study again"):
        findings.compare(records, twin, lambda *which: run_of(*which, size=N - 1))


@pytest.mark.parametrize(
    ("ratio", "verdict"), [((0.5, 0.4, 0.9), "ahead"), ((1.5, 1.1, 2), "behind"), ((0.9, 0.8, 1.1), "undecided")]
)
def test_the_rule(ratio, verdict):
    assert findings.ahead(Estimate(*ratio)) == verdict


def test_growths_are_of_the_first_fold(records):
    found = findings.growths(records).set_index("arm")
    assert found.loc[PAPER, "growth"].value == pytest.approx(2)
    assert found.loc[MAIN, "growth"].value == pytest.approx(1)
    assert found.loc["transformer", "ours_over"].value == pytest.approx(0.25)
    page = findings.growths_table(findings.growths(records))
    assert page.loc[("Atoll", "transformer"), "spike at one station, 100 times the peak"].startswith("2.00 (")


def test_rates_are_chosen_by_the_loss_on_the_twin(twin):
    assert findings.chosen_rates(twin) == {PAPER: 2e-3, "transformer": 4e-3, "deep sets with feedback": 4e-3}
    trained = findings.trained_on_the_twin(twin).set_index("arm")
    assert trained.before[PAPER] == 1.1
    assert trained.before.isna().sum() == 2
    assert (trained.epochs == 6).all()


def test_the_printed_table(records, twin):
    page = findings.table(findings.compare(records, twin, run_of))
    assert page.loc[("Atoll", findings.TITLES["transformer"]), "robust model"] == "ahead"
    assert page.loc[("Atoll", findings.TITLES[MAIN]), "as published (km)"] == ""
    assert page.loc[("Atoll", findings.TITLES[PAPER]), "over the paper's block"] == ""
    page = findings.twin_table(findings.trained_on_the_twin(twin))
    assert page.loc[findings.TITLES[PAPER], "parameters"] == "1,000"
    assert page.loc[findings.TITLES[PAPER], "rate"] == "0.002"
    assert page.loc[findings.TITLES[PAPER], "Atoll, loss"] == "1.00 (half as long: 1.10)"


@pytest.mark.parametrize(
    ("attention", "neighbours", "softmax", "said"),
    [
        (1.1, 0.9, 0.9, "the paper's block has the smaller loss, so that there is nothing to explain"),
        (0.5, 0.9, 0.9, "neither of the two explains it"),
        (0.5, 0.7, 0.9, "all stations in place of the nearest ones would explain it"),
        (0.5, 0.75, 0.6, "all stations in place of the nearest ones and a softmax in place of the maximum would "),
    ],
)
def test_what_explains_the_lead_of_attention(attention, neighbours, softmax, said):
    losses = {PAPER: 1.0, findings.BESIDE: attention, "all neighbours": neighbours, "softmax": softmax}
    assert findings.apart(pd.DataFrame({"arm": losses.keys(), "loss": losses.values()})).startswith(said)


def test_quotes_have_names(records, twin, published):
    compared, trained = findings.compare(records, twin, run_of), findings.trained_on_the_twin(with_switches(twin))
    quotes = findings.quoted(compared, findings.whole(published), trained)
    assert quotes["stem-transformer"] == "0.50 [0.50, 0.50] in Atoll"
    assert quotes["stem-papers-block-over-published"] == "0.67 [0.67, 0.67] in Atoll"
    assert quotes["stem-whole-attention"] == "0.50 [0.50, 0.50] (ahead) in Atoll"
    assert quotes["stem-apart"] == "neither of the two explains it in Atoll"
    assert quotes["stem-folds"] == "2"
    assert all("'" not in name for name in quotes)


def test_quotes_of_two_networks_are_one_text(records, twin, published):
    trained = findings.trained_on_the_twin(with_switches(twin))
    tables = findings.compare(records, twin, run_of), findings.whole(published), trained
    both = [pd.concat([table.assign(network=name) for name in ("colombia", "ridgecrest")]) for table in tables]
    both[-1] = both[-1][(both[-1].network == "colombia") | ~both[-1].arm.isin(findings.TRIED)]
    quotes = findings.quoted(*both)
    assert quotes["stem-transformer"] == "0.50 [0.50, 0.50] in Colombia and 0.50 [0.50, 0.50] at Ridgecrest"
    assert quotes["stem-apart"] == "neither of the two explains it in Colombia"  # the other twin has no such arms
    assert quotes["stem-left-out"] == ""
    one = findings.quoted(*(table[table.network == "colombia"] for table in both))
    assert one["stem-transformer"] == "0.50 [0.50, 0.50] in Colombia"
    assert one["stem-left-out"] == "It has not been run at Ridgecrest."
    assert (findings.twin_table(both[-1]).loc[findings.TITLES["softmax"]] == "").any()


def with_switches(twin):
    """The twin's records with the arms that take the paper's block apart."""
    losses = {findings.BESIDE: 0.5, **dict.fromkeys(findings.TRIED, 0.9)}
    return [
        *twin,
        *(
            {
                "trial": {"network": "atoll", "arm": arm, "rate": 2e-3, "epochs": 6},
                "result": {"parameters": 1000, "loss": loss, "epicentral_km": loss},
            }
            for arm, loss in losses.items()
        ),
    ]
