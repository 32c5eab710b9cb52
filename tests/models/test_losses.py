import numpy as np
import pytest
import scipy.stats
import torch

from seisbook.models import losses
from seisbook.models.graph import Prediction


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
