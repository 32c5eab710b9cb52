import numpy as np
import pytest

from seisbook.errors import UserError
from seisbook.figures import robustness as robustness_figures
from seisbook.findings import claims, robustness
from seisbook.measures import perturbations
from seisbook.studies import runner

CALM = np.random.default_rng(0).uniform(1, 3, 200)


def record(axis, severity, factor, scatter=0.0):
    errors = CALM * factor * np.exp(scatter * np.random.default_rng(1).normal(size=len(CALM)))
    result = {"epicentral_km": errors.tolist(), "depth_km": CALM.tolist(), "magnitude": (0.1 * factor * CALM).tolist()}
    trial = {"network": "colombia", "source": "bulletin", "profile": "paper", "axis": axis, "severity": severity}
    return {"trial": trial, "result": {"dynamic": result, "static": result}, "commit": "abc", "state": "current"}


@pytest.fixture
def records():
    noise = zip(perturbations.AXES["added_noise"].severities, (1.0, 1.1, 1.5, 2.5, 4.0, 9.0), strict=True)
    bands = zip((0.5, 1.0, 2.0), (3.0, 1.2, 1.0), strict=True)
    return [
        record("none", None, 1.0),
        *(record("added_noise", severity, factor) for severity, factor in noise),
        *(record("band_pass", severity, factor) for severity, factor in bands),
        *(record("joint_shift", severity, 1.0, 0.05) for severity in (0.5, 1.0)),
        record("independent_shift", 0.1, 1.9, 1.0),
    ]


def test_growth_is_paired(records):
    table = robustness.tabulate(records).set_index(["axis", "severity", "model"])
    row = table.loc["added_noise", 5.0, "dynamic"]
    assert row.growth == pytest.approx(2.5)
    assert row.low == pytest.approx(2.5)  # every event grows alike: nothing to resample
    assert row.high == pytest.approx(2.5)
    assert row.magnitude_growth == pytest.approx(2.5)
    shifted = table.loc["joint_shift", 0.5, "dynamic"]
    assert shifted.low < 1 < shifted.high


def test_the_worst_severity_decides(records):
    found = robustness.stability(records, "dynamic", ("band_pass",))
    assert (found["severity"], found["verdict"]) == (0.5, "not supported")
    assert robustness.stability(records, "dynamic", ("joint_shift",))["verdict"] == "supported"
    assert robustness.stability(records, "dynamic", ("independent_shift",))["verdict"] == "inconclusive"
    with pytest.raises(UserError, match="clipping"):
        robustness.stability(records, "dynamic", ("clipping",))


def test_breakdown_is_where_the_error_doubles(records):
    table = robustness.breakdown(robustness.tabulate(records))
    noise, bands, joint, own = (table.loc[name, "dynamic"] for name in table.index)
    assert float(noise) == pytest.approx(7.5)  # half-way between 10 and 5 dB
    assert bands == "0.5"
    assert joint == "none up to 1"
    assert own.startswith(("before", "none"))


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "agree"), (1.1, "agree"), (0.5, "differ"), (2.0, "differ")])
def test_the_twin_agrees_where_errors_grow_alike(factor, verdict):
    axes = [axis for group in robustness.GROUPS.values() for axis in group]
    assert sorted(axes) == sorted(perturbations.AXES)
    severe = [(axis, severity) for axis in axes for severity in (1, 2, 3)]
    real = [record("none", None, 1.0), *(record(*one, 1.0 + one[1]) for one in severe)]
    twin = [record("none", None, 1.0), *(record(*one, factor * (1.0 + one[1])) for one in severe)]
    table = robustness.against_twin(real, twin)
    assert set(table.verdict) == {verdict}
    assert table.perturbations.tolist() == [9, 9, 9, 24]
    assert [one.value for one in table.ratio] == pytest.approx([factor] * 4)
    assert [one.value for one in table.real] == pytest.approx([24 ** (1 / 3)] * 4)
    assert table.rank_correlation.tolist() == pytest.approx([1.0] * 4)


def test_a_wide_interval_says_neither():
    axes = [axis for group in robustness.GROUPS.values() for axis in group]
    severe = [(axis, severity) for axis in axes for severity in (1, 2)]
    real = [record("none", None, 1.0), *(record(*one, 1.0 + one[1]) for one in severe)]
    twin = [record("none", None, 1.0), *(record(*one, 1.3 * (1.0 + one[1]), 1.5) for one in severe)]
    assert set(robustness.against_twin(real, twin).verdict) == {"inconclusive"}


def test_prose_quotes_the_worst_and_each_severity(records):
    texts = robustness.quoted({"colombia": records})
    assert texts["colombia-events"] == "200"
    assert texts["colombia-added_noise-growth"] == "9.00 [9.00, 9.00]"
    assert robustness.stability(records, "dynamic", ("added_noise",))["severity"] == -5
    assert texts["colombia-calm-km"] == f"{np.median(CALM):.2f}"
    assert texts["colombia-added_noise-km"] == f"{9 * np.median(CALM):.1f}"
    assert texts["colombia-band_pass-1"] == "1.20"


def test_curves_have_a_panel_an_axis(records):
    figure = robustness_figures.severity_curves(robustness.tabulate(records))
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert len(shown) == 4
    assert [text.get_text() for text in shown[0].get_xticklabels()] == ["30", "20", "10", "5", "0", "-5"]


def test_claims_follow(records, monkeypatch):
    monkeypatch.setattr(runner, "read", lambda study, network, source, profile: records)
    monkeypatch.setattr(claims, "_informative", lambda *given: [])  # see test_robust.py
    monkeypatch.setattr(claims, "_real", lambda *given: [])  # see test_claims.py
    assert [one.verdict for one in claims.claims("C5")] == ["not supported"] * 2
    assert [one.verdict for one in claims.claims("C6")] == ["supported", "inconclusive"] * 2
    assert "worst at 0.5" in claims.claims("C5")[0].measured
