"""The Gaussian process: it is the conditional normal of the same kernel, and its parameters are the likeliest."""

import numpy as np
import pytest
import torch

from seisbook.models.conditional_normal import condition
from seisbook.models.field_gaussian import GaussianProcess, LikelihoodFit, Process, _elsewhere, _left_out, kernel_of
from seisbook.models.field_methods import Information, hide
from seisbook.physics import field_simulation
from tests.models.made_fields import parts


@pytest.fixture(scope="module")
def best():
    return GaussianProcess().fit(parts()[0])


@pytest.fixture(scope="module")
def short():
    return GaussianProcess(fitting=LikelihoodFit(epochs=2)).fit(parts()[0])


def some_event(number=3):
    """An event in which one value is missing."""
    event = parts()[1].select([number])
    event.values[event.start[0], 2] = np.nan
    return event


@pytest.mark.parametrize("share", [0.3, 0.95])
def test_it_is_the_conditional_normal_of_the_same_kernel(short, share):
    event = some_event()
    (scene,) = short.scenes(event, hide(event, share))
    mean, sd = short._predicted(scene)
    extra = short._extra(scene.left)
    shift, variance = condition(short.covariance_, short.used(scene), scene.pos, scene.observed, extra)
    assert mean == pytest.approx(scene.prior + shift, abs=1e-6)
    assert sd == pytest.approx(np.sqrt(variance), abs=1e-6)


def test_one_station_in_closed_form():
    r"""A station observes 1: at a distance `d`, :math:`\sum_k \sigma_k^2 e^{-d / a_k} / k(0)` is expected."""
    event, scales, ranges, own = 0.3, (0.2, 0.1), (8.0, 50.0), 0.05
    five = np.ones(5)
    kernel = kernel_of(event * five, [one * five for one in scales], [one * five for one in ranges])
    given = torch.zeros(1, 2).double(), torch.ones(5, 1).double(), own * torch.ones(5, 1).double()
    distance = np.array([0.5, 5.0, 60.0, 1e5])
    with torch.no_grad():
        process = Process(*given, kernel).eval()
        mean, known = _elsewhere(process, np.column_stack([distance, 0 * distance]))
        alone = _left_out(process)
    covariance = event + sum(s * np.exp(-distance / a) for s, a in zip(scales, ranges, strict=True))
    variance = event + sum(scales) + own
    assert mean == pytest.approx(np.outer(covariance / variance, five))
    assert known == pytest.approx(np.outer(covariance**2 / variance, five))
    assert alone[0] == pytest.approx(0)  # no other station
    assert alone[1] == pytest.approx(variance)


def test_one_station_and_none(short):
    event = parts()[1].select([0])
    one = short.predict(event, np.arange(event.sizes[0]) == 3)
    none = short.predict(event, np.zeros(event.sizes[0], bool))
    assert none.mean == pytest.approx(short.law_.predict(event) + short._site_terms(event)[0])
    elsewhere = np.arange(event.sizes[0]) != 3
    assert (one.scale <= none.scale + 1e-9)[elsewhere].all()
    assert not np.allclose(one.mean, none.mean, atol=0.01)


def test_the_parameters_are_the_likeliest(best, short):
    """A fit to the end: a factor on any group of parameters makes the training events less likely."""
    train = parts()[0]
    least = loss(best, train)
    assert least < loss(short, train)
    for parameter in best.kernel_.parameters():
        for step in (-0.5, 0.5):
            with torch.no_grad():
                parameter += step
                moved = loss(best, train)
                parameter -= step
            assert moved > least


def loss(method, fields):
    """Negative log of the marginal likelihood of whole events, one by one."""
    residual = torch.as_tensor(fields.values - method.law_.predict(fields) - method._site_terms(fields)[0]).double()
    noise = torch.as_tensor(
        np.maximum(method._extra(method._site_terms(fields)[1]), 0) + method.covariance_.own.diagonal()
    )
    pos = torch.as_tensor(fields.pos).double()
    total = 0.0
    for i in range(len(fields)):
        rows = fields.rows(i)
        with torch.no_grad():
            total -= method._likelihood(pos[None, rows], residual[None, rows].mT, noise[None, rows].mT).item()
    return total


def test_the_covariance_of_the_twin_is_found(best):
    model = best.covariance_
    event, within = field_simulation.EVENT**2, field_simulation.WITHIN**2
    assert np.diag(model.event) == pytest.approx(event, rel=0.5)
    near, far = (np.diag(model.covariance([[d]])[0, :, 0]) for d in (10.0, 150.0))
    smooth = field_simulation.SMOOTH * within
    assert near == pytest.approx(event + smooth * np.exp(-10 / field_simulation.RANGE_KM), rel=0.3)
    assert far == pytest.approx(event, rel=0.4)


def test_a_station_that_lies_is_not_used(short):
    _, test = parts()
    observed = hide(test, 0.3)
    lying = test.select(range(len(test)))
    first = test.start[:-1] + np.array([np.flatnonzero(observed[test.rows(i)])[0] for i in range(len(test))])
    lying.values[first] += 3
    honest, spoilt = (short.score(one, observed) for one in (test, lying))
    assert spoilt > 1.1 * honest  # scores are negative


def test_a_seed_gives_one_fit(short):
    again = GaussianProcess(fitting=LikelihoodFit(epochs=2)).fit(parts()[0]).covariance_
    assert np.array_equal(again.range_km, short.covariance_.range_km)
    other = GaussianProcess(fitting=LikelihoodFit(epochs=2), random_state=1).fit(parts()[0]).covariance_
    assert not np.array_equal(again.range_km, other.range_km)


def test_a_map_in_pieces_agrees_with_its_stations():
    method = GaussianProcess(Information(site_terms=False), LikelihoodFit(epochs=2)).fit(parts()[0])
    event = parts()[1].select([0])
    observed = hide(event, 0.5)
    everywhere = method.predict(event, observed)
    points = np.concatenate([np.random.default_rng(0).uniform(-200, 200, (1100, 2)), event.pos])
    found = method.predict_at(event, observed, points)
    at = slice(1100, None)
    assert found.mean[at][~observed] == pytest.approx(everywhere.mean[~observed])
    assert found.scale[at][~observed] == pytest.approx(everywhere.scale[~observed])
