import json
import re

import numpy as np
import pytest

from seisbook.catalogues import networks
from seisbook.figures import robustness as robustness_figures
from seisbook.measures import perturbations
from seisbook.models import checkpoints, inspection
from seisbook.studies.places import model_path


@pytest.fixture(scope="module")
def event(events):
    """One simulated event, the model that looks at it, and the sampling rate."""
    network = networks.load("ridgecrest")
    model, _ = checkpoints.load(model_path("ridgecrest", "dynamic", "random", 0, "paper"))
    return events.select([inspection.clear_event(events)]), model, network.window.sampling_rate_hz


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
