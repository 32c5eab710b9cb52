from dataclasses import replace

import numpy as np
import pytest
import torch

from seisbook.errors import UserError
from seisbook.measures import smoothness
from seisbook.measures.smoothness import MEASURES, dirichlet_energy, effective_rank, mad
from seisbook.models import deep
from seisbook.models.graph import GraphModel, ModelConfig

RIDGECREST = ModelConfig(window_s=30, sampling_rate_hz=50, channels=16, blocks=3, neighbours=4)


def states(b=5, n=9, c=7, seed=0):
    """Random states, positions, and events of 4 stations and more; the padding holds what must not count."""
    rng = np.random.default_rng(seed)
    mask = np.arange(n) < rng.integers(4, n + 1, (b, 1))
    u = 0.5 + rng.normal(size=(b, n, c))
    pos = 50 * rng.normal(size=(b, n, 3))
    u[~mask] = 1e3
    return u, pos, mask


def measure(name, u, pos, mask):
    if name == "dirichlet_energy":
        return dirichlet_energy(u, pos, mask, k=3)
    return {"effective_rank": effective_rank, "mad": mad}[name](u, mask)


@pytest.mark.parametrize(("name", "value"), [("effective_rank", 1), ("dirichlet_energy", 0), ("mad", 0)])
def test_equal_states_are_perfectly_smooth(name, value):
    u, pos, mask = states()
    u[:] = u[:, :1]
    np.testing.assert_allclose(measure(name, u, pos, mask), value, atol=1e-12)


@pytest.mark.parametrize(("name", "value"), [("effective_rank", 6), ("dirichlet_energy", 2), ("mad", 1)])
def test_orthogonal_states_of_one_length_are_as_rough_as_can_be_expected(name, value):
    _, pos, _ = states(n=6)
    rotation = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))[0]
    u = np.broadcast_to(3.7 * rotation[:6], (5, 6, 8))
    np.testing.assert_allclose(measure(name, u, pos, np.ones((5, 6), bool)), value)


def test_opposite_states_are_rougher_than_orthogonal_ones():
    u = np.array([[[1.0, 2.0], [-1.0, -2.0]]])
    mask = np.ones((1, 2), bool)
    assert mad(u, mask) == pytest.approx(2)
    assert dirichlet_energy(u, np.eye(2, 3)[None], mask) == pytest.approx(4)
    assert effective_rank(u, mask) == pytest.approx(1)  # one direction: what the cosine tells apart, a rank does not


@pytest.mark.parametrize("name", MEASURES)
def test_scale_of_the_states_does_not_matter(name):
    u, pos, mask = states()
    scale = np.array([1e-6, 0.1, 2, 30, 1e5])[:, None, None]
    np.testing.assert_allclose(measure(name, scale * u, pos, mask), measure(name, u, pos, mask), rtol=1e-9)


@pytest.mark.parametrize("name", MEASURES)
def test_order_of_stations_and_channels_does_not_matter(name):
    u, pos, mask = states()
    rng = np.random.default_rng(2)
    order = rng.permutation(9)
    shuffled = measure(name, u[:, order][..., rng.permutation(7)], pos[:, order], mask[:, order])
    np.testing.assert_allclose(shuffled, measure(name, u, pos, mask), rtol=1e-9)


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("filling", [0.0, -1e6, np.nan])
def test_padding_and_the_other_events_do_not_matter(name, filling):
    u, pos, mask = states()
    u, pos = np.where(mask[..., None], u, filling), np.where(mask[..., None], pos, 0.0)
    alone = [measure(name, u[i : i + 1, m], pos[i : i + 1, m], mask[i : i + 1, m])[0] for i, m in enumerate(mask)]
    np.testing.assert_allclose(measure(name, u, pos, mask), alone, rtol=1e-9)


def slow(name, u, pos, k=3):
    """One event, as the definitions are written."""
    n, norm = len(u), np.linalg.norm(u, axis=1)
    if name == "effective_rank":
        share = np.sqrt(np.maximum(np.linalg.eigvalsh(u @ u.T), 0))
        share = share[share > 0] / share.sum()
        return np.exp(-sum(p * np.log(p) for p in share))
    if name == "mad":
        pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
        return np.mean([1 - u[i] @ u[j] / (norm[i] * norm[j]) for i, j in pairs])
    edges = []
    for i in range(n):
        others = sorted((np.linalg.norm(pos[i] - pos[j]), j) for j in range(n) if j != i)
        edges += [(i, j) for _, j in others[:k]]
    return np.mean([np.sum((u[i] - u[j]) ** 2) for i, j in edges]) / np.mean(norm**2)


@pytest.mark.parametrize("name", MEASURES)
def test_fast_and_slow_agree(name):
    u, pos, mask = states(seed=3)
    expected = [slow(name, u[i, m], pos[i, m]) for i, m in enumerate(mask)]
    np.testing.assert_allclose(measure(name, u, pos, mask), expected, rtol=1e-6)


def test_what_is_not_defined_is_nan():
    u, pos, mask = states()
    mask[0] = np.arange(9) < 1  # a single station
    u[1] = 0
    assert effective_rank(u, mask)[0] == pytest.approx(1)
    assert np.isnan([dirichlet_energy(u, pos, mask)[0], mad(u, mask)[0]]).all()
    assert np.isnan([effective_rank(u, mask)[1], dirichlet_energy(u, pos, mask)[1], mad(u, mask)[1]]).all()
    assert np.isfinite([measure(name, u, pos, mask)[2:] for name in MEASURES]).all()


def test_averaging_over_neighbours_smooths():
    """What over-smoothing is: each round of averaging over the nearest stations lowers all measures."""
    u, pos, mask = states(n=12, c=20)
    mask[:] = True
    neighbour, _ = smoothness._nearest(pos, mask, 3)
    u[:] = np.random.default_rng(4).normal(size=u.shape) + 1
    values = []
    for _ in range(5):
        values.append([measure(name, u, pos, mask).mean() for name in MEASURES])
        u = 0.5 * u + 0.5 * u[np.arange(5)[:, None, None], neighbour].mean(2)
    assert (np.diff(values, axis=0) < 0).all()


@pytest.fixture(scope="module")
def raw(events):
    return events.select(np.arange(40))


@pytest.fixture(scope="module")
def read(raw):
    torch.manual_seed(0)
    return raw.read_by(GraphModel(replace(RIDGECREST, channels=64)))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(1)
    return deep.DeepGraphModel(RIDGECREST)


def test_states_are_those_between_the_blocks(read, model):
    index = np.array([3, 0, 7])
    found = smoothness.block_states(model, read, index)
    sizes = np.diff(read.start)[index]
    assert [u.shape for u in found.states] == [(3, sizes.max(), 16)] * 4
    assert (found.mask.sum(1) == sizes).all()
    for i, u in enumerate(found.states):  # the multi-scale readout is the largest and the mean of each of them
        largest = np.where(found.mask[..., None], u, -np.inf).max(1)
        mean = (u * found.mask[..., None]).sum(1) / sizes[:, None]
        np.testing.assert_allclose(found.embedding[:, 32 * i : 32 * (i + 1)], np.hstack([largest, mean]), atol=1e-5)
    np.testing.assert_array_equal(found.pos[found.mask], read.select(index).pos.numpy())


def test_no_hook_is_left_behind(read, model):
    smoothness.block_states(model, read, [0])
    with pytest.raises(IndexError):
        smoothness.block_states(model, read, [len(read)])
    assert not any(block._forward_hooks or block._forward_pre_hooks for block in model.blocks)


def test_profile_is_the_mean_over_events(read, model):
    table = smoothness.profile(model, read, progress=False)
    assert list(table.index) == [0, 1, 2, 3, "readout"]
    assert list(table.width) == [16, 16, 16, 16, 2 * 16 * 4]
    found = smoothness.block_states(model, read)
    for block in range(4):
        expected = dirichlet_energy(found.states[block], found.pos, found.mask, k=4).mean()
        assert table.dirichlet_energy[block] == pytest.approx(expected)
        assert table.mad[block] == pytest.approx(mad(found.states[block], found.mask).mean())
    assert table.effective_rank["readout"] == pytest.approx(effective_rank(found.embedding))
    assert table.loc["readout", ["mad", "dirichlet_energy"]].isna().all()
    for name in MEASURES:
        known = table[table[name].notna()]
        assert (known[f"{name}_low"] < known[name]).all()
        assert (known[name] < known[f"{name}_high"]).all()


def test_interval_of_the_readouts_rank_covers_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    samples = 1 + rng.normal(size=(200, 60, 20)) * np.exp(-np.arange(20) / 5)
    intervals = np.array([smoothness._jackknife(one) for one in samples])
    expected = intervals[:, 0].mean()
    covered = (intervals[:, 1] <= expected) & (expected <= intervals[:, 2])
    assert 0.9 <= covered.mean() <= 0.99


def test_seismograms_are_refused(raw, model):
    with pytest.raises(UserError, match="read_by"):
        smoothness.block_states(model, raw, [0])
    batch = raw.batch(np.array([0]))
    with pytest.raises(UserError, match="read_by"):
        model.encode(batch.traces, batch.amplitude, batch.mask)
