from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
import torch

from seisbook.errors import UserError
from seisbook.models import augmentation, losses, training
from seisbook.models.augmentation import TrainingConfig
from seisbook.models.graph import ModelConfig, Prediction
from seisbook.models.training import Locator

CONFIG = ModelConfig(window_s=30, sampling_rate_hz=50, channels=16, blocks=2)
SHORT = TrainingConfig(epochs=4, graph_epochs=2, batch_size=8, learning_rate=3e-3)


@pytest.fixture(scope="module")
def fitted(events):
    return Locator(config=CONFIG, training=SHORT).fit(events, progress=False)


def test_events_hold_what_the_dataset_holds(dataset, events):
    assert len(events) == 60
    for i in (0, 17, 59):
        one, batch = dataset[i], events.batch(np.array([i]))
        assert batch.mask.all()
        torch.testing.assert_close(batch.pos[0], one.pos)
        torch.testing.assert_close(batch.onset_s, one.onset / 50, equal_nan=True)
        peak = one.x.abs().amax((1, 2), keepdim=True)
        torch.testing.assert_close(batch.traces.float(), one.x / peak, atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(batch.y, one.y)


def test_selection_is_the_same_events_in_the_order_asked_for(events):
    part = events.select([5, 2, 9])
    assert part.source_id.tolist() == events.source_id[[5, 2, 9]].tolist()
    for at, i in enumerate((5, 2, 9)):
        torch.testing.assert_close(part.batch(np.array([at])).traces, events.batch(np.array([i])).traces)


def test_batch_is_padded_behind_the_mask(events):
    index = np.array([0, 1, 2, 3])
    batch = events.batch(index)
    sizes = np.diff(events.start)[index]
    assert batch.mask.sum(1).tolist() == sizes.tolist()
    assert len(batch.traces) == len(batch.onset_s) == sizes.sum()
    torch.testing.assert_close(batch.pos[batch.mask], torch.cat([events.batch(np.array([i])).pos[0] for i in index]))


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


def prediction(n=3, **changes):
    values = {
        "epicentre": torch.zeros(n, 2),
        "depth": torch.full((n,), 10.0),
        "magnitude": torch.full((n,), 2.0),
        "epicentre_tril": torch.tensor([[3.0, 0.0], [1.0, 2.0]]).expand(n, 2, 2),
        "depth_scale": torch.full((n,), 4.0),
        "magnitude_scale": torch.full((n,), 0.2),
        "embedding": torch.zeros(n, 1),
        "estimates": torch.zeros(n, 1, 3),
    }
    return Prediction(**(values | changes))


def test_likelihood_is_that_of_scipys_student_t():
    y = torch.tensor([[1.0, 2.0, 12.0, 2.3], [-4.0, 0.0, 9.0, 1.5], [0.0, 0.0, 10.0, 2.0]])
    loss = losses.negative_log_likelihood(prediction(), y)
    tril = np.array([[3.0, 0.0], [1.0, 2.0]])
    plane = scipy.stats.multivariate_t(shape=tril @ tril.T, df=losses.TAIL)
    expected = -np.column_stack(
        [
            plane.logpdf(y[:, :2].numpy()),
            scipy.stats.t.logpdf(y[:, 2], losses.TAIL, 10, 4),
            scipy.stats.t.logpdf(y[:, 3], losses.TAIL, 2, 0.2),
        ]
    )
    differences = expected - loss.numpy()  # constants only
    assert np.ptp(differences, axis=0) == pytest.approx(0, abs=1e-5)


def test_missing_magnitude_counts_nothing_and_sends_no_gradient():
    magnitude = torch.full((1,), 2.0, requires_grad=True)
    loss = losses.negative_log_likelihood(prediction(1, magnitude=magnitude), torch.tensor([[0.0, 0, 10, torch.nan]]))
    assert loss[0, 2] == 0
    loss.sum().backward()
    assert magnitude.grad.item() == 0


def test_onset_loss_is_least_at_the_true_onset():
    onset = torch.tensor([[4.1, torch.nan]])
    values = []
    for at in (20, 30):
        logits = torch.zeros(1, 2, 50)
        logits[0, :, at : at + 2] = 8.0
        values.append(losses.onset_loss(logits, onset, 0.2).item())
    assert values[0] < 1 < values[1]
    assert losses.onset_loss(torch.zeros(1, 2, 50), torch.full((1, 2), torch.nan), 0.2) == 0


@pytest.mark.parametrize("shift_s", [0.0, 1.0])
def test_augmentation_moves_onsets_with_the_traces_and_leaves_labels(events, shift_s):
    batch = events.batch(np.arange(6))
    quiet = replace(SHORT, time_shift_s=shift_s, noise=0.0, station_dropout=0.0)
    for seed in range(4):
        made = augmentation.augment(batch, quiet, 50.0, torch.Generator().manual_seed(seed))
        moved = (made.onset_s - batch.onset_s)[batch.onset_s.isfinite()]
        samples = round(moved[0].item() * 50)
        assert abs(samples) <= 50 * shift_s
        torch.testing.assert_close(moved, torch.full_like(moved, samples / 50), atol=1e-4, rtol=0)
        inner = slice(60, -60)
        torch.testing.assert_close(made.traces[..., inner], torch.roll(batch.traces, samples, -1).float()[..., inner])
        torch.testing.assert_close(made.amplitude, batch.amplitude)
        assert made.y is batch.y


def test_station_dropout_leaves_four(events):
    batch = events.batch(np.arange(20))
    hard = replace(SHORT, station_dropout=0.99)
    made = augmentation.augment(batch, hard, 50.0, torch.Generator().manual_seed(0))
    assert (made.mask <= batch.mask).all()
    assert made.mask.sum(1).min() == 4
    assert len(made.traces) == made.mask.sum()


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
