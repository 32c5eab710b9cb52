import numpy as np
import pytest
import torch

from seisbook.models import onnx_export

GENERATOR = np.random.default_rng(0)


def _positive(n):
    a = torch.from_numpy(GENERATOR.normal(size=(5, n, 4)))
    return a @ a.mT


@pytest.mark.parametrize("n", [2, 3])
def test_cholesky(n):
    matrix = _positive(n)
    torch.testing.assert_close(onnx_export.cholesky(matrix), torch.linalg.cholesky(matrix))


def test_inverse_and_solve():
    matrix, vector = _positive(3), torch.from_numpy(GENERATOR.normal(size=(5, 3)))
    torch.testing.assert_close(onnx_export.inverse(matrix), torch.linalg.inv(matrix))
    torch.testing.assert_close(onnx_export.solve(matrix, vector), torch.linalg.solve(matrix, vector))


def test_interpolated_also_at_and_beyond_the_edges():
    table = torch.from_numpy(GENERATOR.normal(size=(1, 1, 3, 4, 6)))
    at = torch.from_numpy(GENERATOR.uniform(-1.3, 1.3, size=(1, 1, 1, 200, 3)))
    at[..., :3, :] = torch.tensor([-1.0, 0.0, 1.0])[:, None]
    how = {"padding_mode": "border", "align_corners": True}
    expected = torch.nn.functional.grid_sample(table, at, **how).flatten()
    torch.testing.assert_close(onnx_export.interpolated(table, at, **how), expected)


def test_nearest_where_there_are_fewer_than_k():
    distance = torch.tensor([[[onnx_export.FAR, 2.0], [2.0, onnx_export.FAR]]])
    found, index = onnx_export.nearest(distance, 4, largest=False)
    assert found.shape == index.shape == (1, 2, 4)
    assert (found[..., 0] == 2).all()
    assert (found[..., 1:] == onnx_export.FAR).all()
    assert index[..., 0].tolist() == [[1, 0]]
    assert index.max() == 1


@pytest.mark.parametrize("x", [torch.linspace(-50, 50, 101), torch.logspace(-8, 0, 9)])
def test_inverse_sinh(x):
    torch.testing.assert_close(onnx_export.inverse_sinh(x), x.asinh())
