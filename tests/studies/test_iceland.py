import types

import numpy as np
import pandas as pd
import pytest
import torch

from seisbook import provenance
from seisbook.catalogues import networks
from seisbook.datasets.events import Events
from seisbook.errors import UserError
from seisbook.figures import robustness as robustness_figures
from seisbook.findings import iceland
from seisbook.models import checkpoints
from seisbook.studies import iceland as iceland_study
from seisbook.studies import pretraining, robust_runs

RATE = 50.0


def events_of(traces, amplitude, n_stations):
    """Events that all have the same stations."""
    n = len(traces) // n_stations
    return Events(
        x=torch.as_tensor(traces).half(),
        pos=torch.zeros(len(traces), 3),
        amplitude=torch.as_tensor(amplitude, dtype=torch.float32),
        onset_s=torch.full((len(traces), 2), torch.nan),
        start=np.arange(n + 1) * n_stations,
        y=torch.zeros(n, 4),
        source_id=np.array([f"e{i}" for i in range(n)]),
        origin_time=np.array(["2014-08-24"] * n, "datetime64[ns]"),
    )


def test_displacement_is_the_integral_of_velocity():
    """Of a sine, its amplitude over 2 pi times its frequency."""
    time = np.arange(1000) / RATE
    velocity = np.array([[np.cos(2 * np.pi * hz * time)] * 3 for hz in (3.0, 6.0)])
    found = iceland_study.displacement(events_of(velocity, [2.0, 2.0], 2), RATE)
    expected = 2.0 + np.log10(1 / (2 * np.pi * np.array([3.0, 6.0])))
    np.testing.assert_allclose(found.amplitude, expected, atol=0.05)
    assert found.x.abs().amax((1, 2)).tolist() == [1, 1]


def test_calibration_uses_other_events_only():
    gains, size = np.array([1.0, 2.0, 3.0]), np.arange(4.0)
    in_nm = size[:, None] + np.zeros(3)
    amplitude = (in_nm + gains).ravel()
    rows = [
        {"source_id": f"e{i}", "station_code": code, "trace_amplitude_nm": 10 ** in_nm[i, j]}
        for i in range(4)
        for j, code in enumerate("ABC")
        if code != "C"  # nothing was read there
    ]
    catalogue = types.SimpleNamespace(readings=pd.DataFrame(rows))
    made = events_of(np.ones((12, 3, 10)), amplitude, 3)
    found = iceland_study.calibrated(made, catalogue, list("ABC")).amplitude.reshape(4, 3).numpy()
    np.testing.assert_allclose(found[:, :2], in_nm[:, :2], atol=1e-5)
    np.testing.assert_allclose(found[:, 2], in_nm[:, 2] + 3 - 1.5, atol=1e-5)  # the others' median
    rows[0]["trace_amplitude_nm"] *= 1000  # of the first event at A: it must not change that event
    catalogue.readings = pd.DataFrame(rows)
    again = iceland_study.calibrated(made, catalogue, list("ABC")).amplitude.reshape(4, 3).numpy()
    assert again[0, 0] == found[0, 0]


def test_errors_are_summed_up_where_there_are_any():
    truth = np.zeros((5, 4))
    good, half = np.tile([3.0, 4.0, -2.0, 0.1], (5, 1)), np.full((5, 4), np.nan)
    half[:2, :3] = 1.0
    found = iceland.summarise({"good": good, "half": half}, truth)
    assert found["good"]["epicentral_km"] == [5, 5, 5]
    assert found["good"]["depth_km"][0] == 2
    assert found["good"]["magnitude_bias"][0] == pytest.approx(0.1)
    assert found["half"]["n_located"] == 2
    assert found["half"]["magnitude_rmse"] is None
    assert iceland.table(found).loc["half", "magnitude bias"] == ""
    assert iceland.quoted(found)["iceland-good-km"] == "5.0 [5.0, 5.0]"


def test_nothing_of_the_real_events_is_in_the_twin():
    (zone,) = networks.load("iceland").zones
    stations = networks.load("iceland").station_table()
    assert zone.latitude == pytest.approx(stations.latitude.mean(), abs=1e-3)
    assert zone.longitude == pytest.approx(stations.longitude.mean(), abs=1e-3)


def test_the_record_is_that_of_the_model(monkeypatch):
    content = iceland.load()
    assert len(content["methods"]) == 9
    paper, robust = iceland_study.MODELS_OF_THE_TWIN.values()
    for path, key in (
        (paper, pretraining.twin_key("iceland", "dynamic", "paper")),
        (robust, robust_runs.key("iceland", "twin", 0, "paper")),
    ):
        assert checkpoints.state(path, key).name in ("current", "unverified")
        assert content["inputs"][f"model:{path.name}"] == provenance.identity(f"model:{path.name}")
    monkeypatch.setitem(provenance.IDENTITIES, "model", lambda name: "another")
    with pytest.raises(UserError, match=r"recorded\.json: stale: an input has changed: model:iceland-"):
        iceland.load()


def test_without_the_seismograms_it_is_said(monkeypatch):
    monkeypatch.setattr(iceland_study.sources, "is_available", lambda network: False)
    with pytest.raises(UserError, match="SEISBOOK_DATA_DIR"):
        iceland_study.estimates(False)


def test_the_record_is_what_the_real_seismograms_give(real_data):
    found, truth = iceland_study.estimates(False), iceland_study.labels()
    kept = iceland.load()["methods"]
    assert truth.shape == (27, 4)
    for name, row in iceland.summarise(found, truth).items():
        assert row["n_located"] == kept[name]["n_located"]
        assert row["epicentral_km"][0] == pytest.approx(kept[name]["epicentral_km"][0], rel=0.02)
    stations = np.column_stack(networks.load("iceland").to_local(64.8, -16.9)).repeat(2, 0)
    figure = robustness_figures.recorded_events(found, truth, stations)
    assert len(figure.axes) == 6
