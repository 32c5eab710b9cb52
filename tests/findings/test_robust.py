import numpy as np
import pytest

from seisbook.errors import DataError, UserError
from seisbook.findings import claims, robust
from seisbook.findings.robust import MAIN, PAPER
from seisbook.studies import robust as study
from seisbook.studies import runner

N = 60
SEVERITIES = {"band_pass": (1.0, 4.0), "joint_shift": (1.0, 8.0), "independent_shift": (0.1, 1.0), "spike": (10.0,)}


def errors(scale, seed=0):
    rng = np.random.default_rng(seed)
    km = scale * rng.lognormal(0, 0.3, N)
    return {
        "epicentral_km": km.tolist(),
        "depth_km": rng.normal(0, 2, N).tolist(),
        "magnitude": rng.normal(0, 0.1, N).tolist(),
        "mahalanobis": rng.uniform(0, 4, N).tolist(),
    }


def record(arm, result, split="random", fold=0, seed=0, axis="none", severity=None):
    names = ("arm", "split", "fold", "seed", "axis", "severity")
    trial = dict(zip(names, (arm, split, fold, seed, axis, severity), strict=True))
    return {"trial": {"network": "atoll", **trial}, "result": result, "state": "current", "commit": "abc"}


@pytest.fixture
def records():
    """The robust model at 1 km on three folds, twice as bad under any trouble of the largest severity."""
    found = [record(MAIN, errors(1.0, fold), fold=fold) for fold in range(3)]
    found += [record(MAIN, errors(1.1), seed=1), record("no edges", errors(1.5)), record(MAIN, errors(1.2), "time")]
    for axis, severities in SEVERITIES.items():
        for severity in severities:
            worse = 2.5 if severity == severities[-1] else 1.05
            found.append(record(MAIN, errors(worse), axis=axis, severity=severity))
            found.append(record("no edges", errors(3 * worse), axis=axis, severity=severity))
    return found


@pytest.fixture
def known():
    """All but the largest severities are informative; the floor is half a kilometre, and one event has none."""
    found = [{"trial": {"axis": "none", "severity": None}, "result": {"informative": False, "floor_km": [0.5] * N}}]
    for axis in robust.INFORMATIVE:
        for severity in SEVERITIES[axis]:
            result = {"informative": severity != SEVERITIES[axis][-1], "floor_km": [0.5, None, *[0.5] * (N - 2)]}
            found.append({"trial": {"axis": axis, "severity": severity}, "result": result})
    return found


@pytest.fixture
def others():
    """The paper's model at 4 km, ten times as bad under trouble, and the classical pipeline."""
    trials = [("none", None), *((axis, severity) for axis in SEVERITIES for severity in SEVERITIES[axis])]
    made = []
    for axis, severity in trials:
        result = {PAPER: errors(4.0 if axis == "none" else 40.0), "classical": errors(2.0)}
        trial = {"network": "atoll", "axis": axis, "severity": severity}
        made.append({"trial": trial, "result": result, "state": "current", "commit": "abc"})
    return made


def run_of(model, split, fold):
    table = errors({PAPER: 4.0, "classical": 2.0}[model], fold)
    order = np.arange(N) if model == PAPER else np.arange(N)[::-1]
    return {"errors": {"source_id": [f"e{i}" for i in order], "epicentral_km": np.array(table["epicentral_km"])[order]}}


def test_names_are_those_of_the_study():
    assert set(robust.ARM_TITLES) == set(study.ARMS)
    assert robust.MAIN == study.MAIN


def test_errors_of_several_folds(records):
    assert len(robust.errors_of(records)) == 3 * N
    assert len(robust.errors_of(records, fold=1)) == N
    assert robust.errors_of(records, seed=1).epicentral_km.median() == pytest.approx(1.1, rel=0.1)


def test_clean_is_paired_by_event(records):
    table = robust.clean(records, run_of).set_index(["arm", "split"])
    ours = table.loc[(MAIN, "random")]
    assert (ours.folds, ours.seeds, ours.events) == (3, 2, 3 * N)
    # the same draws at another scale: the ratio has no scatter at all, whatever the order of the other's events
    assert ours.over_paper == pytest.approx((0.25, 0.25, 0.25))
    assert ours.over_classical == pytest.approx((0.5, 0.5, 0.5))
    assert ours.seeds_km[0] < ours.seeds_km[1]
    assert table.loc[("no edges", "random")].folds == 1
    assert 0 < ours.covered < 1


def test_harm_is_growth_at_the_severity_that_harms_the_robust_model_most(records, others):
    found = robust.harm(records, others).set_index("axis")
    assert found.loc["band_pass", "severity"] == 4.0
    assert found.loc["band_pass", MAIN].value == pytest.approx(2.5)
    assert found.loc["band_pass", PAPER].value == pytest.approx(10.0)
    assert 0 < found.loc["spike", "covered"] < 1
    page = robust.harm_table(robust.harm(records, others))
    assert "none" not in page.index.get_level_values("perturbation")
    assert page["robust model, growth"].iloc[0].startswith("2.50")


def test_a_method_without_entries_on_an_axis_has_no_growth_there(records, others):
    for record in others:
        if record["trial"]["axis"] == "spike":
            del record["result"]["classical"]
    page = robust.harm_table(robust.harm(records, others))
    assert (page["classical, picking by itself, growth"] == "").sum() == 1


def test_the_twin_is_held_against_its_bound():
    made = [record(arm, errors(scale), "twin") for arm, scale in ((MAIN, 2.0), ("no edges", 4.0))]
    found = robust.on_twin(made, 2.0).set_index("arm")
    assert found.loc[MAIN].over_bound.value == pytest.approx(found.loc[MAIN].epicentral_km.value / 2)
    assert found.loc["no edges"].over_bound.value == pytest.approx(2 * found.loc[MAIN].over_bound.value)
    assert robust.twin_table(robust.on_twin(made, 2.0)).index[0] == ("Atoll", "robust model")


def test_the_printed_table_has_words(records):
    page = robust.table(robust.clean(records, run_of))
    assert page.index.names == ["network", "model"]
    assert page.loc[("Atoll", "robust model, 3 random folds"), "over the classical"] == "0.50 [0.50, 0.50]"
    assert page.loc[("Atoll", "no edges"), "seeds (km)"] == ""


def test_informative_severities_come_from_the_data(known):
    assert robust.informative(known) == {"band_pass": (1.0,), "joint_shift": (1.0,), "independent_shift": (0.1,)}


def test_rules_look_at_informative_severities_alone(records, others, known):
    found = robust.rules(records, others, known).set_index(["axis", "model"])
    ours, paper = found.loc[("band_pass", MAIN)], found.loc[("band_pass", PAPER)]
    assert ours.growth.value == pytest.approx(1.05)
    assert (ours.doubled, ours.paper, ours.worst) == ("supported", "supported", 1.0)
    assert (paper.doubled, paper.paper) == ("not supported", "not supported")
    assert ours.over_floor == pytest.approx(ours.epicentral_km / 0.5)
    page = robust.rules_table(robust.rules(records, others, known))
    assert page.loc[("Atoll", "octave band, centre frequency", "robust model"), "at"] == "1 Hz"


def test_under_trouble_has_floors_and_all_models(records, others, known):
    table = robust.under_trouble(records, others, known)
    assert set(table.model) == {MAIN, PAPER, "classical"}
    assert list(dict.fromkeys(table.model)) == list(robust.TITLES)  # the same order in every process
    assert set(table.axis) == {"none", *robust.INFORMATIVE}
    assert np.allclose(table.floor_km, 0.5)
    assert table[table.informative].severity.unique().tolist() == [1.0, 0.1]


def test_arms_over_the_robust_model(records):
    table = robust.arms_under_trouble(records)
    assert set(table.arm) == {"no edges"}
    assert table[table.axis == "none"].ratio.iloc[0].value == pytest.approx(1.5)
    assert table[table.axis == "spike"].ratio.iloc[0].value == pytest.approx(3)


def test_the_arms_are_columns(records):
    page = robust.arms_table(robust.arms_under_trouble(records))
    assert page.loc[("Atoll", "nothing wrong"), "no edges"].startswith("1.50 [")
    assert page.loc[("Atoll", "spike at one station, 10 times the peak"), "no edges"].startswith("3.00 [")


def test_studies_of_other_events_are_refused(records, others):
    with pytest.raises(DataError, match="not of the events"):
        robust.joined(records[:3], others)
    others[0]["result"][PAPER]["epicentral_km"].pop()
    with pytest.raises(DataError, match="not of the events"):
        robust.joined(records, others)


@pytest.mark.parametrize("network", ["colombia", "ridgecrest"])
def test_claims_are_those_of_the_rules(network):
    ours, others, known = (runner.read(name, network) for name in ("robust", "robustness", "informative"))
    found = robust.rules(ours, others, known).set_index(["axis", "model"])
    expected = [found.loc[("band_pass", model)] for model in (PAPER, MAIN)]
    rows = [one for one in claims.claims("C5") if one.network == network and one.evidence["figure"] == "fig-accuracy"]
    assert [one.verdict for one in rows] == [row.doubled for row in expected]
    assert [one.estimate for one in rows] == [row.growth.value for row in expected]
    sized = [one for one in claims.claims("C2") if one.network == network and "robust model" in one.measured]
    clean = robust.clean(ours, robust.runs_of(network)).set_index(["arm", "split"]).magnitude_rmse
    assert [one.estimate for one in sized] == [clean.loc[(MAIN, split)].value for split in robust.SPLITS]


def test_a_run_that_is_not_there_is_named():
    with pytest.raises(UserError, match="colombia-dynamic-random-99: no current record"):
        robust.runs_of("colombia")("dynamic", "random", 99)


def test_quotes_have_names(records, others, known):
    arms = robust.arms_under_trouble(records)
    quotes = robust.quoted(robust.clean(records, run_of), robust.rules(records, others, known), arms)
    assert quotes["robust-atoll-random-over-paper"] == "0.25 [0.25, 0.25]"
    assert quotes["dynamic-atoll-band_pass-informative"].startswith("10")
    assert "robust-atoll-no-edges-km" in quotes
    assert quotes["robust-atoll-no-edges-spike"].startswith("3.00 [")
    assert all(isinstance(text, str) for text in quotes.values())


def test_quotes_of_harm_and_of_the_twin(records, others):
    twins = robust.on_twin([record(MAIN, errors(2.0), "twin")], 2.0)
    said = robust.quoted_harm(robust.harm(records, others), twins)
    assert said["harm-atoll-band_pass-growth"].startswith("2.50")
    assert 0 <= float(said["harm-atoll-least-covered"]) <= 100
    assert said["twin-atoll-over-bound"]
