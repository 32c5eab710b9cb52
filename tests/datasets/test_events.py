import numpy as np
import torch


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
