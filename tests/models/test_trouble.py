import numpy as np
import pytest
import torch

from seisbook.models import trouble
from seisbook.models.robust import Onsets
from seisbook.models.trouble import KINDS, Trouble, lose_stations

RATE, SAMPLES = 50.0, 1500
SIZES = [4, 6, 5, 8]


@pytest.fixture
def traces():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(sum(SIZES), 3, SAMPLES, generator=generator)
    x[..., :500] *= 0.01
    return x / x.abs().amax((1, 2), keepdim=True)


@pytest.fixture
def onset_s():
    return torch.tensor([[10.0, 14.0]]).repeat(sum(SIZES), 1)


def struck(kind, traces, onset_s, seed=0):
    drawn = Trouble(RATE, SAMPLES, seed, {kind: 1.0})
    return drawn.strike(traces, torch.zeros(len(traces)), onset_s, SIZES)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_keeps_the_form_of_a_dataset(kind, traces, onset_s):
    before = traces.clone()
    found = struck(kind, traces, onset_s)
    assert torch.equal(traces, before)  # nothing is changed in place
    assert torch.isfinite(found.traces).all()
    peak = found.traces.abs().amax((1, 2))
    assert ((peak - 1).abs().lt(1e-3) | peak.eq(0)).all()
    assert (found.amplitude[peak == 0] < -30).all()
    assert (found.absent & found.onset_s.isfinite()).sum() == 0


def test_the_same_seed_draws_the_same(traces, onset_s):
    first, again, other = (
        Trouble(RATE, SAMPLES, seed).strike(traces, torch.zeros(23), onset_s, SIZES) for seed in (0, 0, 1)
    )
    assert torch.equal(first.traces, again.traces)
    assert not torch.equal(first.traces, other.traces)


@pytest.mark.parametrize("kind", ["joint shift", "clocks"])
def test_onsets_move_with_the_record(kind, traces, onset_s):
    found = struck(kind, traces, onset_s)
    there = found.onset_s[:, 0].isfinite()
    assert there.any()
    loud = (found.traces.abs().amax(1) > 0.05).float().argmax(-1) / RATE
    assert (loud - found.onset_s[:, 0])[there].abs().max() < 0.2


def test_what_leaves_the_window_is_absent(traces, onset_s):
    late = onset_s + torch.tensor([0.0, 14.0])
    found = [struck("joint shift", traces, late, seed) for seed in range(6)]
    assert any(each.absent[:, 1].any() for each in found)
    assert not any(each.absent[:, 0].all() for each in found)


def test_an_onset_in_a_gap_is_unknown(traces, onset_s):
    found = [struck("gap", traces, onset_s, seed) for seed in range(40)]
    unknown = [each.onset_s.isnan() & ~each.absent for each in found]
    assert any(each.any() for each in unknown)


def test_a_filter_keeps_its_band(traces, onset_s):
    found = struck("filter", traces, onset_s)
    assert not torch.equal(found.traces[: SIZES[0]], traces[: SIZES[0]])
    assert (found.amplitude <= 0.5).all()


@pytest.fixture
def dense():
    mask = torch.tensor([[True] * n + [False] * (8 - n) for n in SIZES])
    generator = torch.Generator().manual_seed(0)
    pos = 30 * torch.randn(4, 8, 3, generator=generator)
    values = [torch.zeros(4, 8, 2) for _ in range(4)]
    return Onsets(torch.zeros(4, 8, 6, 4), *values, torch.zeros(4, 8)), pos, mask, torch.zeros(4, 4)


def test_some_stations_are_lost_and_three_stay(dense, monkeypatch):
    onsets, pos, mask, y = dense
    for kind in trouble.LOSSES:
        monkeypatch.setattr(trouble, "LOSSES", {kind: 1.0})
        for seed in range(20):
            changed, moved, left = lose_stations(onsets, pos, mask, y, 50.0, np.random.default_rng(seed))
            assert (left.sum(1) >= 3).all()
            assert not (left & ~mask).any()
            assert (changed.amplitude != 0).sum() == (4 if kind == "gain" else 0)
            assert ((moved != pos).any(-1)).sum() == (4 if kind == "place" else 0)
        monkeypatch.undo()


def test_the_nearest_go_first(dense, monkeypatch):
    onsets, pos, mask, y = dense
    monkeypatch.setattr(trouble, "LOSSES", {"nearest": 1.0})
    _, _, left = lose_stations(onsets, pos, mask, y, 50.0, np.random.default_rng(0))
    distance = pos[..., :2].norm(dim=-1)
    for event in range(4):
        gone = mask[event] & ~left[event]
        assert gone.any()
        assert distance[event][gone].max() <= distance[event][left[event]].min()
