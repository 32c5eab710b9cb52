import numpy as np
import pytest

from seisbook.measures import realism

RATE, ONSET = 50.0, (3.0, 6.0)


def records(n, decay_s=2.0, seed=0):
    rng = np.random.default_rng(seed)
    time = np.arange(1000) / RATE
    groups = [np.where(time >= at, np.exp(-np.maximum(time - at, 0) / decay_s), 0) for at in ONSET]
    shape = 0.2 * groups[0] + groups[1]
    return rng.standard_normal((n, 3, 1000)) * (shape + 0.01)


def judged(*parts):
    tables = [realism.statistics(x, [ONSET] * len(x), RATE) for x in parts]
    return realism.critic(*tables, np.arange(len(parts[0])) % 8)


def test_a_critic_cannot_tell_records_of_one_kind_apart():
    found = judged(records(120), records(120, seed=1))
    assert 0.35 < found["area"] < 0.65
    assert len(found["scores"]) == 240


def test_a_critic_tells_another_coda():
    assert judged(records(120), records(120, decay_s=0.5, seed=1))["area"] > 0.95


def test_statistics_do_not_depend_on_the_scale():
    x = records(5)
    one, other = (realism.statistics(factor * x, [ONSET] * 5, RATE).to_numpy() for factor in (1, 1e6))
    assert one == pytest.approx(other, abs=1e-6)
