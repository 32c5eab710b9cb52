import numpy as np
import pytest

from seisbook import claims, experiments, robustness, robustness_study, studies
from seisbook.errors import UserError

CALM = np.random.default_rng(0).uniform(1, 3, 200)


def record(axis, severity, factor, scatter=0.0):
    errors = CALM * factor * np.exp(scatter * np.random.default_rng(1).normal(size=len(CALM)))
    result = {"epicentral_km": errors.tolist(), "depth_km": CALM.tolist(), "magnitude": (0.1 * factor * CALM).tolist()}
    trial = {"network": "colombia", "source": "bulletin", "profile": "paper", "axis": axis, "severity": severity}
    return {"trial": trial, "result": {"dynamic": result, "static": result}, "code": "abc"}


@pytest.fixture
def records():
    noise = zip(robustness.AXES["added_noise"].severities, (1.0, 1.1, 1.5, 2.5, 4.0, 9.0), strict=True)
    bands = zip((0.5, 1.0, 2.0), (3.0, 1.2, 1.0), strict=True)
    return [
        record("none", None, 1.0),
        *(record("added_noise", severity, factor) for severity, factor in noise),
        *(record("band_pass", severity, factor) for severity, factor in bands),
        *(record("joint_shift", severity, 1.0, 0.05) for severity in (0.5, 1.0)),
        record("independent_shift", 0.1, 1.9, 1.0),
    ]


def test_all_severities_that_the_sampling_can_hold_are_tried():
    trials = robustness_study.trials("colombia", "bulletin", "paper")
    assert [one["axis"] for one in trials].count("none") == 1
    assert {one["axis"] for one in trials} == {"none", *robustness.AXES}
    bands = [one["severity"] for one in trials if one["axis"] == "band_pass"]
    assert bands == [0.5, 1.0, 2.0, 4.0]  # at 20 samples a second
    assert len({robustness_study.recipe(one)["hash"] for one in trials}) == len(trials)


def test_growth_is_paired(records):
    table = robustness_study.tabulate(records).set_index(["axis", "severity", "model"])
    row = table.loc["added_noise", 5.0, "dynamic"]
    assert row.growth == pytest.approx(2.5)
    assert row.low == pytest.approx(2.5)  # every event grows alike: nothing to resample
    assert row.high == pytest.approx(2.5)
    assert row.magnitude_growth == pytest.approx(2.5)
    shifted = table.loc["joint_shift", 0.5, "dynamic"]
    assert shifted.low < 1 < shifted.high


def test_the_worst_severity_decides(records):
    found = robustness_study.stability(records, "dynamic", ("band_pass",))
    assert (found["severity"], found["verdict"]) == (0.5, "not supported")
    assert robustness_study.stability(records, "dynamic", ("joint_shift",))["verdict"] == "supported"
    assert robustness_study.stability(records, "dynamic", ("independent_shift",))["verdict"] == "inconclusive"
    with pytest.raises(UserError, match="clipping"):
        robustness_study.stability(records, "dynamic", ("clipping",))


def test_breakdown_is_where_the_error_doubles(records):
    table = robustness_study.breakdown(robustness_study.tabulate(records))
    noise, bands, joint, own = (table.loc[name, "dynamic"] for name in table.index)
    assert float(noise) == pytest.approx(7.5)  # half-way between 10 and 5 dB
    assert bands == "0.5"
    assert joint == "none up to 1"
    assert own.startswith(("before", "none"))


def test_curves_have_a_panel_an_axis(records):
    figure = robustness_study.severity_curves(robustness_study.tabulate(records))
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert len(shown) == 4
    assert [text.get_text() for text in shown[0].get_xticklabels()] == ["30", "20", "10", "5", "0", "-5"]


def test_claims_follow(records, monkeypatch):
    monkeypatch.setattr(studies, "load", lambda study, network, source, profile: records)
    assert [one.verdict for one in claims.claims("C5")] == ["not supported"] * 2
    assert [one.verdict for one in claims.claims("C6")] == ["supported", "inconclusive"] * 2
    assert "worst at 0.5" in claims.claims("C5")[0].measured


def test_models_are_tested_on_perturbed_events():
    trials = {one["axis"]: one for one in robustness_study.trials("ridgecrest", "simulated", "quick")}
    calm, band = robustness_study.run([trials["none"], trials["band_pass"]])
    assert set(calm) == set(experiments.PUBLISHED)
    assert {len(one["epicentral_km"]) for one in (*calm.values(), *band.values())} == {robustness_study.QUICK_EVENTS}
    assert calm["dynamic"] != band["dynamic"]
    assert calm["dynamic"] != calm["static"]
