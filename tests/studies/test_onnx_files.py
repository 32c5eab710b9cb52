import copy
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch

from seisbook.catalogues.geodesy import to_geographic
from seisbook.cli import main
from seisbook.datasets.library import load_events
from seisbook.models import checkpoints, onnx_export, robust_checkpoints
from seisbook.models.robust import RobustConfig, RobustModel
from seisbook.paths import ROOT
from seisbook.studies import onnx_files, own_robust

onnx = pytest.importorskip("onnx", reason="the optional package onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the optional package onnxruntime is not installed")
MODEL = checkpoints.MODELS / "ridgecrest-robust-random-0"


@pytest.fixture(scope="module")
def shipped():
    """A shipped model, its card, some simulated events, and the content of its ONNX file."""
    model, card = robust_checkpoints.load(MODEL)
    events = load_events(own_robust.network_of(card), "simulated", 20, 2, progress=False)
    return model, card, events, onnx_export.exported(model, card)


def test_agrees_with_pytorch(shipped):
    model, _, events, content = shipped
    found = onnx_files.agreement(content, model, events)
    assert found.holds
    assert np.median(found.difference) < onnx_files.TOLERANCE / 3
    assert len(found.difference) == 22, "20 in batches, and the first of each batch alone"


def test_another_model_is_noticed(shipped):
    model, _, events, content = shipped
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.graph.vote[2].bias += 0.01
    found = onnx_files.agreement(content, other, events.select(range(4)))
    assert not found.holds
    assert (found.difference > onnx_files.TOLERANCE).all()


def test_readme_runs_it_without_this_library(shipped, tmp_path):
    model, card, events, content = shipped
    code = re.search(r"```python\n(import json.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    guard = "import sys\nsys.modules.update(torch=None, seisbook=None)\n"
    (tmp_path / "my-robust.onnx").write_bytes(content)
    seismograms, positions, mask = onnx_files.inputs_of(events, [0])
    east, north, up = positions[0].double().numpy().T
    places = np.array([to_geographic(x, y, card.ground.centre) for x, y in zip(east, north, strict=True)]).T
    station = {"latitude": places[0], "longitude": places[1], "elevation_km": up}
    np.savez(tmp_path / "event.npz", seismograms=seismograms[0].numpy(), **station)
    path = os.pathsep.join(sys.path)
    run = [sys.executable, "-c", guard + code]
    out = subprocess.run(
        run, cwd=tmp_path, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    printed = dict(line.split(" ", 1) for line in out.stdout.splitlines())
    assert list(printed) == list(onnx_export.OUTPUTS)
    expected = onnx_files._by_torch(onnx_export.WholeWay(model), (seismograms, positions, mask))
    for name, value in zip(onnx_export.OUTPUTS, expected, strict=True):
        np.testing.assert_allclose(json.loads(printed[name]), value[0], rtol=1e-3, atol=1e-2)


def test_says_what_it_is(shipped):
    _, card, _, content = shipped
    file = onnx.load_from_string(content)
    said = {entry.key: entry.value for entry in file.metadata_props}
    assert (said["network"], said["unit"], said["components"]) == ("ridgecrest", "nm", "ZNE")
    assert float(said["window_s"]) == card.config.window_s
    assert int(said["samples"]) == file.graph.input[0].type.tensor_type.shape.dim[3].dim_value
    assert json.loads(said["card"])["metrics"] == card.metrics
    assert {value.name: value.doc_string for value in file.graph.input} == onnx_export.INPUTS
    assert {value.name: value.doc_string for value in file.graph.output} == onnx_export.OUTPUTS


def test_attention_and_no_learnt_station(shipped):
    _, card, events, _ = shipped
    torch.manual_seed(0)
    config = RobustConfig(**{**card.config.__dict__, "mixing": "attention", "blocks": 1})
    changed = robust_checkpoints.RobustCard(**{**card.__dict__, "config": config})
    model = RobustModel(config, card.ground).eval()
    content = onnx_export.exported(model, changed)
    assert onnx_files.agreement(content, model, events.select(range(8))).holds


def test_other_models_are_refused(tmp_path, capsys):
    words = ["--model", str(checkpoints.MODELS / "ridgecrest-dynamic-random-0"), "--out", str(tmp_path / "x.onnx")]
    assert main(["export", *words]) == 2
    assert "only robust models can be exported" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
