import json
from dataclasses import replace

import pytest

from seisbook import cli
from seisbook.errors import UserError
from seisbook.findings import claims, comparison, real, smoothing, summaries
from seisbook.findings import variance as variance_results
from seisbook.measures import seismicity
from seisbook.measures.estimates import Estimate
from seisbook.studies import runner

LINE = Estimate(5.0, 4.0, 6.0)
VERIFIED = {"commit": "abc", "state": "current"}


def _entry(network, epicentre=(4.0, 3.5, 4.5), magnitude=(0.1, 0.09, 0.11), split="random", model="dynamic"):
    return {
        "network": network,
        "source": "bulletin",
        "profile": "paper",
        "model": model,
        "split": split,
        "epicentral_km": {"median": epicentre[0], "ci": list(epicentre[1:])},
        "magnitude": {"rmse": magnitude[0], "ci": list(magnitude[1:])},
    }


def _ratio(value, verdict, quantity="epicentre"):
    about = {"recipe": "study", "split": "random", "statistic": "mean", "quantity": quantity}
    return {**about, "value": value, "low": value - 0.1, "high": value + 0.1, "verdict": verdict, "n_runs": 150}


@pytest.fixture
def known(monkeypatch):
    """Records with known intervals."""
    models = {**VERIFIED, "entries": [_entry("colombia"), _entry("ridgecrest", (8.0, 7.0, 9.0))]}
    few = {"value": 5.5, "low": 5.0, "high": 6.5, "n_train": 400, "n_runs": 15}
    one = {"few": few, "ratios": [_ratio(0.8, "supported"), _ratio(1.2, "not supported", "magnitude")]}
    summary = seismicity.Summary.from_record(summaries.load("catalogues")["colombia"])
    line = replace(summary.expert_line, epicentre_km=LINE)
    monkeypatch.setattr(claims.Summary, "from_record", lambda content: replace(summary, expert_line=line))
    monkeypatch.setattr(comparison, "load", lambda: models)
    monkeypatch.setattr(claims, "_robust_model", lambda read: [])  # see test_robust.py
    monkeypatch.setattr(claims, "_variance_robust", lambda read: [])  # see test_variance_robust.py
    monkeypatch.setattr(claims, "_variance_fields", lambda read: [])  # see test_fields_variance.py
    monkeypatch.setattr(claims, "_real", lambda read, name: [])  # see test_real.py
    monkeypatch.setattr(variance_results, "load", lambda: {**VERIFIED, "networks": {"colombia": one}})
    return models


def _verdicts(name, network):
    return [one.verdict for one in claims.claims(name) if one.network == network]


def test_verdicts_follow_the_rules(known):
    assert _verdicts("C1", "colombia") == ["supported", "inconclusive"]  # all events; few events
    assert _verdicts("C1", "ridgecrest") == ["not supported"]
    assert _verdicts("C2", "colombia") == ["supported"]
    known["entries"] = [
        _entry("colombia", magnitude=(0.15, 0.14, 0.16)),
        _entry("ridgecrest", magnitude=(0.3, 0.2, 0.4)),
    ]
    assert _verdicts("C2", "colombia") == ["inconclusive"]
    assert _verdicts("C2", "ridgecrest") == ["not supported"]
    assert _verdicts("C3", "colombia") == ["supported", "not supported"]


def test_other_models_and_splits_are_not_the_claim(known):
    known["entries"] += [_entry("colombia", split="twin"), _entry("colombia", model="static")]
    assert len(_verdicts("C2", "colombia")) == 1
    known["entries"] += [_entry("colombia", split="time")]
    assert [one.measured for one in claims.claims("C2")][:2] == [
        "magnitude RMSE, random folds",
        "magnitude RMSE, blocks of time",
    ]


def test_smoothing_is_judged_on_what_was_recorded():
    tested = [one for one in claims.claims("C4") if one.source == "bulletin"]  # of fields, see test_fields_depth.py
    places = [(study, name) for study, names in smoothing.STUDIES.items() for name in names]
    trials = {place: runner.load(runner.find(place[0]), place[1], "bulletin", "paper") for place in places}
    assert [one.verdict for one in tested] == [v for found in trials.values() for v in smoothing.verdict(found).verdict]
    assert {one.commit for one in tested} == {one["commit"] for found in trials.values() for one in found}
    robust = {one.network for one in tested if "robust model" in one.measured}
    assert robust == set(smoothing.STUDIES["smoothing-robust"])


def test_a_claim_whose_record_is_refuted_says_so(known):
    assert {one.state for one in claims.claims("C1", "C2", "C3")} == {"current"}
    known["state"] = "refuted"
    (one, *_) = claims.claims("C2")
    assert (one.verdict, one.state, one.said) == ("supported", "refuted", "supported (its record is refuted)")
    assert "**supported (its record is refuted)**" in claims.measurements([one])
    assert claims.table([one]).verdict.tolist() == ["supported (its record is refuted)"]


@pytest.mark.parametrize(
    ("states", "worst"),
    [(["current"], "current"), (["unverified", "current"], "unverified"), (["unverified", "refuted"], "refuted")],
)
def test_the_worst_state_of_the_records_that_decide_is_that_of_the_claim(states, worst):
    read = [{"commit": f"abc{i}", "state": state} for i, state in enumerate(states)]
    assert claims._verified(read) == (", ".join(f"abc{i}" for i in range(len(states))), worst)


def test_each_claim_has_a_table_of_its_measurements(known):
    text = claims.measurements(claims.claims("C2", "C3"))
    assert text.count("{dropdown}") == text.count("| network |") == 2
    assert text.count("**supported**") == 3
    assert text.count("**not supported**") == 1
    assert "{numref}`fig-ratios`" in text
    assert claims.STATEMENTS["C3"] in text


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        ((4.0193, 3.693, 4.284), "4.02 [3.69, 4.28]"),
        ((14.71, 10.9, 19.83), "14.7 [10.9, 19.8]"),
        ((0.99971, 0.99899, 1.0004), "0.9997 [0.9990, 1.0004]"),
        ((-0.000637, -0.00191, 0.0), "−0.0006 [−0.0019, 0.0000]"),
        ((0.0, 0.0, float("inf")), "0.00 [0.00, ∞]"),
        ((2.0, 2.0, 2.0), "2.00 [2.00, 2.00]"),
    ],
)
def test_an_estimate_shows_as_many_digits_as_its_interval_allows(known, estimate, text):
    one = replace(claims.claims("C2")[0], **dict(zip(("estimate", "ci_low", "ci_high"), estimate, strict=True)))
    assert one.found == text
    assert one.against == "0.15"


@pytest.mark.parametrize(
    ("estimate", "threshold", "found", "against"),
    [
        ((0.9863, 0.9829, 0.9895), 1.02, "−1.37 % [−1.71, −1.05]", "+2 %"),
        ((1.0004, 0.9996, 1.0012), 1.0, "+0.040 % [−0.040, +0.120]", "0 %"),
        ((1.138, 1.091, 1.192), 1.0, "+13.8 % [+9.1, +19.2]", "0 %"),
        ((0.999996, 0.9, 1.1), 1.0, "+0 % [−10, +10]", "0 %"),
    ],
)
def test_a_ratio_of_errors_shows_as_a_change_in_per_cent(known, estimate, threshold, found, against):
    changed = dict(zip(("estimate", "ci_low", "ci_high"), estimate, strict=True))
    one = replace(claims.claims("C2")[0], **changed, threshold=threshold, measured="error relative to another")
    assert (one.found, one.against) == (found, against)


def test_every_claim_says_how_it_is_tested():
    assert list(claims.TESTED_BY) == list(claims.STATEMENTS) == list(claims.TESTS)


def test_an_unknown_claim_is_named(capsys):
    with pytest.raises(UserError, match=r"C99.*C1, C2"):
        claims.claims("C99")
    assert cli.main(["claims", "C99"]) == 2
    assert "C99" in capsys.readouterr().err


def test_the_command_prints_what_the_records_say(known, capsys):
    assert cli.main(["claims", "C1", "C3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["id"] for one in found] == ["C1", "C1", "C1", "C3", "C3"]
    fields = {"id", "statement", "network", "source", "profile", "estimate", "ci_low", "ci_high", "threshold"}
    assert all(fields | {"verdict", "evidence", "n_runs", "commit", "state"} <= set(one) for one in found)
    assert all(one["threshold"] == LINE.high for one in found if one["id"] == "C1")
    assert {one["commit"] for one in found} == {"abc"}
    assert cli.main(["claims", "C1", "C4"]) == 0
    assert "inconclusive" in capsys.readouterr().out


def test_real_seismograms_have_rows_of_their_own():
    """What the studies of real seismograms say is counted like everything else, and says that its signals are real."""
    tested = claims.claims("C1", "C2", "C5", "C6")
    recorded = [claim for claim in tested if claim.source == real.SOURCE]
    rows = real.verdicts(real.load(), claims.MAGNITUDE_RMSE) + real.outside_verdicts(real.load(network=real.OUTSIDE))
    assert {claim.signals for claim in recorded} == {"real"}
    assert "real" not in {claim.signals for claim in tested if claim not in recorded}
    assert sorted((one.id, one.network, one.measured, one.verdict) for one in recorded) == sorted(
        (row["claim"], row["network"], row["measured"], row["verdict"]) for row in rows
    )
    assert {claim.place for claim in recorded} == {"Iceland", "Ridgecrest August"}
