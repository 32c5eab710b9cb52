import h5py
import numpy as np
import pytest

from seisbook.errors import DataError, UserError
from seisbook.models import eqtransformer


@pytest.fixture(scope="module")
def weights():
    try:
        return eqtransformer.fetch()
    except UserError as error:
        pytest.skip(str(error))


def test_a_picker_finds_the_onsets_of_a_clear_event(weights):
    rng = np.random.default_rng(0)
    t = np.arange(eqtransformer.SAMPLES) / eqtransformer.RATE_HZ
    x = 0.02 * rng.standard_normal((1, 3, t.size))
    for onset, size, component in ((20.0, 1.0, 0), (26.0, 3.0, 1), (26.0, 2.5, 2)):
        after = np.maximum(t - onset, 0)
        wave = size * (t >= onset) * np.exp(-after / 3) * rng.standard_normal(t.size)
        x[0, component] += wave
    found = eqtransformer.probabilities(eqtransformer.load(weights), x)
    assert found.shape == (1, 2, eqtransformer.SAMPLES)
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_allclose(eqtransformer.onsets(found, 10, 40), [[20, 26]], atol=0.3)
    assert np.isnan(eqtransformer.onsets(found, 40, 60, 0.5)).all()


def test_another_length_is_refused(weights):
    with pytest.raises(UserError, match="500 samples"):
        eqtransformer.probabilities(eqtransformer.load(weights), np.zeros((1, 3, 500)))


def test_every_number_of_the_file_is_used(weights):
    with h5py.File(weights) as file:
        layers = file["model_weights"]
        size = sum(v.size for g in layers.values() for v in _leaves(g))
    used = sum(v.numel() for name, v in eqtransformer.load(weights).state_dict().items() if "batches" not in name)
    doubled = sum(v.numel() for n, v in eqtransformer.load(weights).state_dict().items() if n.endswith("bias_hh"))
    assert used - doubled == size


def _leaves(group):
    found = []
    group.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
    return found


def test_weights_that_are_not_those_are_refused(tmp_path, monkeypatch, weights):
    monkeypatch.setattr(eqtransformer, "BUILD", tmp_path)
    monkeypatch.setattr(eqtransformer, "SHA256", "0" * 64)
    with pytest.raises((DataError, UserError), match=r"SHA-256 differs|cannot be downloaded"):
        eqtransformer.fetch()
    assert not list(tmp_path.rglob("*.h5"))
