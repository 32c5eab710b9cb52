import json
import re
from dataclasses import replace

import numpy as np
import pytest

from seisbook.catalogues import networks
from seisbook.errors import UserError
from seisbook.figures import robustness as robustness_figures
from seisbook.findings import claims, robustness
from seisbook.measures import perturbations
from seisbook.models import checkpoints, inspection
from seisbook.studies import robustness as robustness_study
from seisbook.studies import runner
from seisbook.studies.places import PUBLISHED, model_path

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


def test_all_severities_that_the_sampling_can_hold_are_tried():
    trials = robustness_study.trials("colombia", "bulletin", "paper")
    assert [one["axis"] for one in trials].count("none") == 1
    assert {one["axis"] for one in trials} == {"none", *perturbations.AXES}
    bands = [one["severity"] for one in trials if one["axis"] == "band_pass"]
    assert bands == [0.5, 1.0, 2.0, 4.0]  # at 20 samples a second


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
    assert texts["colombia-added_noise-severity"] == "-5"
    assert texts["colombia-calm-km"] == f"{np.median(CALM):.2f}"
    assert texts["colombia-added_noise-km"] == f"{9 * np.median(CALM):.1f}"
    assert texts["colombia-band_pass-1"] == "1.20"


def test_curves_have_a_panel_an_axis(records):
    figure = robustness_figures.severity_curves(robustness.tabulate(records))
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert len(shown) == 4
    assert [text.get_text() for text in shown[0].get_xticklabels()] == ["30", "20", "10", "5", "0", "-5"]


@pytest.fixture(scope="module")
def event(events):
    """One simulated event, the model that looks at it, and the sampling rate."""
    network = networks.load("ridgecrest")
    model, _ = checkpoints.load(model_path("ridgecrest", "dynamic", "random", 0, "paper"))
    return events.select([inspection.clear_event(events)]), model, network.window.sampling_rate_hz


def test_stations_are_recognised_by_their_places(event):
    one, _, _ = event
    network = networks.load("ridgecrest")
    catalogue = robustness_study.picked(one, network)
    stations = network.station_table().loc[catalogue.readings.station_code]
    places = np.column_stack(network.to_local(stations.latitude, stations.longitude))
    np.testing.assert_allclose(places, one.pos[:, :2], atol=0.01)
    p = catalogue.readings.path_p_travel_s.to_numpy()
    assert np.nanmedian(np.abs(p - one.onset_s[:, 0].numpy())) < 0.2
    moved = replace(one, pos=one.pos + 1)  # 1 km
    assert robustness_study.picked(moved, network).readings.empty


def test_one_event_is_degraded_step_by_step(event):
    one, model, rate = event
    found = robustness_figures.degrade(model, one, "nearest_dropout", rate)
    assert [step.severity for step in found] == [None, *perturbations.severities("nearest_dropout", rate)]
    sizes = [len(step.pos) for step in found]
    assert sizes[0] == len(one.pos)
    assert sizes == sorted(sizes, reverse=True)
    label = one.y[0, :2].numpy()
    assert found[0].error_km == pytest.approx(np.hypot(*(found[0].epicentre - label)))
    figure = robustness_figures.degraded(found, label, "nearest_dropout", rate)
    assert len(figure.axes[0].lines) == len(found) == len(figure.axes[1].patches)


def test_the_explorer_needs_nothing_from_elsewhere(event):
    one, model, rate = event
    found = {"joint_shift": robustness_figures.degrade(model, one, "joint_shift", rate)}
    page = robustness_figures.explorer(found, one.y[0, :2].numpy(), rate).data
    assert not re.findall(r"__DATA__|https?://|\bsrc=|\bimport\b|\bfetch\b", page)
    data = json.loads(re.search(r"const data = (.*?);\n", page).group(1))
    steps = data["axes"][0]["steps"]
    assert [step["severity"] for step in steps][:2] == ["as it is", "0.5"]
    assert len(steps[0]["traces"]) <= robustness_figures.STATIONS
    assert max(abs(value) for value in steps[0]["traces"][0]) == 99
    assert len(page) < 100_000


def test_claims_follow(records, monkeypatch):
    monkeypatch.setattr(runner, "read", lambda study, network, source, profile: records)
    assert [one.verdict for one in claims.claims("C5")] == ["not supported"] * 2
    assert [one.verdict for one in claims.claims("C6")] == ["supported", "inconclusive"] * 2
    assert "worst at 0.5" in claims.claims("C5")[0].measured


def test_models_are_tested_on_perturbed_events():
    trials = {one["axis"]: one for one in robustness_study.trials("ridgecrest", "simulated", "quick")}
    calm, band = robustness_study.run([trials["none"], trials["band_pass"]])
    assert set(calm) == {*PUBLISHED, "classical"}
    assert {len(one["epicentral_km"]) for one in (*calm.values(), *band.values())} == {robustness_study.QUICK_EVENTS}
    assert np.median(calm["classical"]["epicentral_km"]) < 5  # it picks the rendered seismograms itself
    assert calm["dynamic"] != band["dynamic"]
    assert calm["dynamic"] != calm["static"]


def test_the_classical_pipeline_outvotes_one_bad_record():
    calm = next(iter(robustness_study.trials("ridgecrest", "simulated", "quick")))
    spike, moved = {**calm, "axis": "spike", "severity": 10.0}, {**calm, "axis": "wrong_coordinates", "severity": 10.0}
    before, after, elsewhere = robustness_study.run([calm, spike, moved])
    growth = {
        name: np.median(after[name]["epicentral_km"]) / np.median(before[name]["epicentral_km"])
        for name in ("classical", "dynamic")
    }
    assert growth["classical"] < 1.5 < growth["dynamic"]
    assert "classical" not in elsewhere  # it knows its stations by name
    assert robustness_study.config(spike) != robustness_study.config(moved)
