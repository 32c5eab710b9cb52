import numpy as np
import torch

from seisbook.catalogues.schema import Window
from seisbook.models.real_training import COPIES, single_records

WINDOW = Window(length_s=20.0, sampling_rate_hz=50.0, lead_s=(2.0, 5.0))


def test_windows_of_a_record_hold_its_onsets_where_the_motion_is():
    x = np.zeros((2, 3, 3000), "float32")
    x[:, :, 500:] = 1.0
    events = single_records(x, np.array([[10.0, 14.0], [10.0, np.nan]]), WINDOW)
    assert len(events) == 2 * COPIES
    assert events.x.shape == (2 * COPIES, 3, 1000)
    for trace, onset in zip(events.x, events.onset_s, strict=True):
        assert abs(int((trace[0] > 0).int().argmax()) / 50 - float(onset[0])) <= 0.02
    assert torch.isnan(events.onset_s[1, 1])
    assert torch.isfinite(events.onset_s[0, 1])
    assert len({round(float(onset), 3) for onset in events.onset_s[:, 0]}) > COPIES


def test_a_record_that_ends_early_is_filled_with_zeros_and_has_no_onset_there():
    x = np.ones((1, 3, 600), "float32")
    events = single_records(x, np.array([[10.0, 50.0]]), WINDOW)
    assert events.x.shape[-1] == 1000
    assert float(events.x[0, 0, -1]) == 0.0
    assert events.onset_s[:, 1].isnan().all()
