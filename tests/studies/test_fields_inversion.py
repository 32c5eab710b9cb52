"""The study of inversion: its trials, what a network may see, and that it learns."""

import numpy as np
import pytest
import torch

from seisbook.measures import splits
from seisbook.models.source_network import SourceConfig, SourceNetwork, SourceTraining, _batch, source_loss
from seisbook.studies import fields_inversion as study
from seisbook.studies import runner
from tests.models.made_fields import parts

SHORT = SourceTraining(steps=150)


@pytest.fixture(scope="module")
def fitted():
    return SourceNetwork(SourceConfig(), SHORT).fit(parts()[0])


def test_the_study_is_known_and_its_trials_differ():
    assert runner.find("fields-inversion") is study.STUDY
    trials = study.trials("greece", "measured", "paper")
    keys = {runner.provenance.digest(runner.trial_key(study.STUDY, trial)) for trial in trials}
    assert len(keys) == len(trials) == 4 * splits.FOLDS
    assert "model" not in study.config(trials[0])


@pytest.mark.parametrize("arm", ["grid", "dynamic", "none"])
def test_results_hold_the_errors_of_each_event(arm):
    trial = {"network": "greece", "source": "simulated", "profile": "quick", "arm": arm, "fold": 0}
    (result,) = study.run([trial])
    _, test = study.parts("greece", "simulated", "quick")[0]
    assert {len(values) for values in result.values()} == {len(test)}
    assert all(np.isfinite(list(study.STUDY.summary(result).values())))


def test_a_depth_that_is_not_known_has_no_error():
    _, test = parts()
    test = test.select(range(3))
    test.depth_km[1] = np.nan
    found = np.column_stack([test.epicentre + np.array([3, 4]), np.full(3, 10.0), test.magnitude + 0.5])
    result = study.errors(found, test)
    assert result["epicentral_km"] == pytest.approx([5, 5, 5], rel=1e-3)
    assert result["depth_km"][1] is None
    assert result["magnitude"] == pytest.approx([0.5] * 3, rel=1e-3)


def test_a_network_learns_where_and_how_large(fitted):
    train, test = parts()
    found = fitted.predict(test)
    middle = np.tile(train.epicentre.mean(0), (len(test), 1))
    assert np.median(np.hypot(*(found[:, :2] - test.epicentre).T)) < 40
    assert np.median(np.hypot(*(middle - test.epicentre).T)) > 100
    assert np.sqrt(np.mean((found[:, 3] - test.magnitude) ** 2)) < 0.6 * test.magnitude.std()


def test_the_source_is_not_seen(fitted):
    _, test = parts()
    moved = test.select(range(len(test)))
    moved.epicentre[:] += 50
    moved.magnitude[:] += 1
    moved.depth_km[:] += 20
    assert np.array_equal(fitted.predict(test), fitted.predict(moved))


def test_neither_padding_nor_the_order_of_stations_matters(fitted):
    _, test = parts()
    corrected = fitted._corrected(test)
    seen = [fitted._seen(test, corrected, i) for i in range(4)]
    with torch.no_grad():
        together = fitted.model_(_batch(seen)[0])[0]
        alone = torch.cat([fitted.model_(_batch([one])[0])[0] for one in seen])
        order = np.random.default_rng(0).permutation(test.sizes[0])
        turned = fitted.model_(_batch([fitted._seen(test, corrected, 0, order)])[0])[0]
    assert torch.allclose(together, alone, atol=1e-4)
    assert torch.allclose(turned[0], alone[0], atol=1e-4)


def test_the_loss_leaves_out_what_is_not_known():
    mean, scale = torch.zeros(2, 4), torch.ones(2, 4)
    target = torch.tensor([[1.0, 1.0, torch.nan, 1.0], [1.0, 1.0, 0.0, 1.0]])
    found = source_loss(mean, scale, target)
    assert found.item() == pytest.approx(3 * 2.5 * np.log1p(1 / 4))
