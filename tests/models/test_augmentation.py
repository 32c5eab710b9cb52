from dataclasses import replace

import numpy as np
import pytest
import torch

from seisbook.models import augmentation
from seisbook.models.augmentation import TrainingConfig

SHORT = TrainingConfig(epochs=4, graph_epochs=2, batch_size=8, learning_rate=3e-3)


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
