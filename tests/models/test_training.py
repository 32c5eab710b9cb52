from dataclasses import replace

import numpy as np
import pytest
import torch

from seisbook.errors import UserError
from seisbook.models import training
from seisbook.models.augmentation import TrainingConfig
from seisbook.models.graph import ModelConfig
from seisbook.models.training import Locator

CONFIG = ModelConfig(window_s=30, sampling_rate_hz=50, channels=16, blocks=2)
SHORT = TrainingConfig(epochs=4, graph_epochs=2, batch_size=8, learning_rate=3e-3)


@pytest.fixture(scope="module")
def fitted(events):
    return Locator(config=CONFIG, training=SHORT).fit(events, progress=False)


def test_training_lowers_the_loss_and_locates_better_than_at_random(events, fitted):
    losses = [entry["loss"] for entry in fitted.history_]
    assert losses[-1] < losses[0] - 1
    constant = (events.y[:, :2] - events.y[:, :2].median(0).values).norm(dim=-1).median().item()
    assert -fitted.score(events) < constant


def test_same_seed_same_model(events, fitted):
    again = Locator(config=CONFIG, training=SHORT).fit(events, progress=False)
    assert again.history_ == fitted.history_
    other = Locator(config=CONFIG, training=SHORT, random_state=1).fit(events, progress=False)
    assert other.history_ != fitted.history_


def test_prediction_keeps_the_order_of_the_events(events, fitted):
    whole = fitted.predict(events)
    part = fitted.predict(events, [40, 3, 21])
    torch.testing.assert_close(part.epicentre, whole.epicentre[[40, 3, 21]], atol=1e-2, rtol=1e-4)


def test_start_from_a_trained_model_does_not_change_it(events, fitted):
    before = {name: value.clone() for name, value in fitted.model_.state_dict().items()}
    tuned = Locator(config=CONFIG, training=replace(SHORT, epochs=1), start_from=fitted.model_).fit(
        events, progress=False
    )
    assert tuned.history_[0]["loss"] < fitted.history_[0]["loss"]
    assert all(torch.equal(before[name], value) for name, value in fitted.model_.state_dict().items())


def test_validation_events_are_not_trained_on(events, monkeypatch):
    seen = []
    original = training.batches
    monkeypatch.setattr(
        training,
        "batches",
        lambda order, size, keep_last=False: seen.append(set(order)) or original(order, size, keep_last),
    )
    locator = Locator(config=CONFIG, training=replace(SHORT, epochs=1, graph_epochs=0, validation=0.2))
    kept, held = locator._split(len(events), torch.Generator().manual_seed(0))
    locator.fit(events, progress=False)
    assert not set(kept) & set(held)
    assert len(held) == 12
    trained = [chunk for chunk in seen if len(chunk) == 48]
    assert trained
    assert all(not chunk & set(held) or chunk <= set(held) for chunk in seen if len(chunk) != 48)


def test_too_few_events_and_empty_folds_are_said(events, fitted):
    with pytest.raises(UserError, match="too few"):
        Locator(config=CONFIG, training=SHORT).fit(events.select(np.arange(5)), progress=False)
    with pytest.raises(UserError, match="fold is empty"):
        fitted.predict(events, [])


def test_diverging_loss_is_said(events):
    broken = events.select(np.arange(30))
    broken.y = broken.y.clone()
    broken.y[:, 0] = torch.inf
    with pytest.raises(UserError, match="diverged"):
        Locator(config=CONFIG, training=replace(SHORT, validation=0)).fit(broken, progress=False)
