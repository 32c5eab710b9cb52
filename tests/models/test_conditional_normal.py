"""The conditional normal: closed forms, the two steps of Engler et al. (2022), and what it may not see."""

from functools import partial
from itertools import product

import numpy as np
import pytest

from seisbook.models import coregionalisation
from seisbook.models.conditional_normal import ConditionalNormal, condition
from seisbook.models.coregionalisation import Coregionalisation
from seisbook.models.field_gaussian import GaussianProcess, LikelihoodFit
from seisbook.models.field_methods import REACH, EventTerm, Information, hide
from seisbook.physics import field_simulation
from tests.models.made_fields import parts, twin

TAU, PHI, RANGE = 0.6, 0.8, 13.0
NOTHING = np.zeros((5, 5))


def independent(tau=TAU, phi=PHI, own=0.0):
    """Five measures that know nothing of each other, each with the same numbers."""
    one = np.eye(5)
    return Coregionalisation(tau**2 * one, np.array([phi**2 * one]), own * one, np.array([RANGE]))


def correlated(rng):
    """Any valid model."""

    def matrix():
        root = rng.normal(size=(5, 5)) / 4
        return root @ root.T

    return Coregionalisation(
        matrix(), np.array([matrix(), matrix()]), matrix() + 0.01 * np.eye(5), np.array([9.0, 70.0])
    )


def scene(rng, n, observed):
    residual = np.where(np.arange(n)[:, None] < observed, rng.normal(size=(n, 5)), np.nan)
    return residual, rng.uniform(0, 60, (n, 2)), np.arange(n) < observed


def test_one_station_on_a_line():
    r"""A station observes 1: at a distance `d`, :math:`(\tau^2 + \phi^2 e^{-d/a}) / (\tau^2 + \phi^2)` is expected."""
    along = np.array([0.0, 5.0, 13.0, 60.0, 1e5])
    residual = np.full((len(along), 5), np.nan)
    residual[0] = 1.0
    observed = along == 0
    mean, variance = condition(independent(), residual, np.column_stack([along, 0 * along]), observed, np.zeros((5, 5)))
    share = (TAU**2 + PHI**2 * np.exp(-along / RANGE)) / (TAU**2 + PHI**2)
    assert mean[1:, 2] == pytest.approx(share[1:])
    assert variance[1:, 2] == pytest.approx((TAU**2 + PHI**2) * (1 - share[1:] ** 2))
    assert mean[-1] == pytest.approx(TAU**2 / (TAU**2 + PHI**2))  # far away only the event's term is left: 0.36


def test_far_stations_give_the_event_term():
    r"""`n` stations far from each other observe 1: elsewhere, :math:`n \tau^2 / (n \tau^2 + \phi^2)` is expected."""
    n = 4
    pos = np.column_stack([1e4 * np.arange(n + 1), np.zeros(n + 1)])
    observed = np.arange(n + 1) < n
    residual = np.where(observed[:, None], 1.0, np.nan) * np.ones(5)
    mean, variance = condition(independent(), residual, pos, observed, np.zeros((n + 1, 5)))
    assert mean[n] == pytest.approx(n * TAU**2 / (n * TAU**2 + PHI**2))
    assert variance[n] == pytest.approx(PHI**2 + TAU**2 * PHI**2 / (n * TAU**2 + PHI**2))
    assert mean[0] == pytest.approx((n - 1) * TAU**2 / ((n - 1) * TAU**2 + PHI**2))  # from the others


def test_one_step_equals_the_two_steps_of_engler_et_al():
    """Estimate the event's term of all measures, condition the rest on what remains, and add both uncertainties."""
    rng = np.random.default_rng(3)
    model = correlated(rng)
    residual, pos, observed = scene(rng, 9, 6)
    mean, variance = condition(model, residual, pos, observed, np.zeros((9, 5)))
    within = Coregionalisation(NOTHING, model.spatial, model.own, model.range_km)
    distance = np.hypot(*(pos[:, None] - pos[None]).transpose(2, 0, 1))
    full = within.covariance(distance)
    full[np.arange(9), :, np.arange(9)] += model.own
    full = full.reshape(45, 45)
    a, b = slice(0, 30), slice(30, 45)  # observed, hidden
    one = np.tile(np.eye(5), (6, 1))  # each station has the event's term of each measure
    inverse = np.linalg.inv(full[a, a])
    left = np.linalg.inv(np.linalg.inv(model.event) + one.T @ inverse @ one)
    term = left @ one.T @ inverse @ residual[:6].ravel()
    gain = full[b, a] @ inverse
    expected = np.tile(np.eye(5), (3, 1)) @ term + gain @ (residual[:6].ravel() - one @ term)
    carried = np.tile(np.eye(5), (3, 1)) - gain @ one
    covariance = full[b, b] - gain @ full[a, b] + carried @ left @ carried.T
    assert mean[6:].ravel() == pytest.approx(expected)
    assert variance[6:].ravel() == pytest.approx(np.diag(covariance))


def test_missing_values_and_the_stations_themselves():
    rng = np.random.default_rng(4)
    model = correlated(rng)
    residual, pos, observed = scene(rng, 7, 5)
    residual[1, 2] = residual[3, 0] = np.nan
    mean, variance = condition(model, residual, pos, observed, np.zeros((7, 5)))
    distance = np.hypot(*(pos[:, None] - pos[None]).transpose(2, 0, 1))
    full = model.covariance(distance)
    full[np.arange(7), :, np.arange(7)] += model.own
    full, flat = full.reshape(35, 35), residual.ravel()
    for station in (0, 6):  # an observed one, from the others, and a hidden one
        target = np.arange(5 * station, 5 * station + 5)
        known = np.setdiff1d(np.flatnonzero(np.isfinite(flat)), target)
        gain = full[np.ix_(target, known)] @ np.linalg.inv(full[np.ix_(known, known)])
        assert mean[station] == pytest.approx(gain @ flat[known], abs=1e-3)
        left = full[np.ix_(target, target)] - gain @ full[np.ix_(known, target)]
        assert variance[station] == pytest.approx(np.diag(left), abs=1e-3)


def test_without_an_observation_the_law_is_left():
    model = independent(own=0.1)
    mean, variance = condition(model, np.full((3, 5), np.nan), np.zeros((3, 2)), np.zeros(3, bool), np.zeros((3, 5)))
    assert not mean.any()
    assert variance == pytest.approx(TAU**2 + PHI**2 + 0.1)


def test_the_covariance_of_the_twin_is_found():
    fields, truth = twin()
    distance = fields.epicentral_km
    mean = ConditionalNormal().fit(fields).law_.predict(fields)
    assert distance.shape[0] == len(mean)
    site = np.array([int(code[4:]) for code in fields.codes])[fields.station]
    model = coregionalisation.fit(fields.values - mean - truth.site_terms[site], fields.pos, fields.start)
    for matrix in (model.event, *model.spatial, model.own):
        assert np.linalg.eigvalsh(matrix).min() > -1e-9
    event, within = field_simulation.EVENT**2, field_simulation.WITHIN**2
    assert model.variance == pytest.approx(event + within, rel=0.25)
    near, far = (np.diag(model.covariance([[d]])[0, :, 0]) for d in (10.0, 150.0))
    smooth = field_simulation.SMOOTH * within
    assert near == pytest.approx(event + smooth * np.exp(-10 / field_simulation.RANGE_KM), rel=0.25)
    assert far == pytest.approx(event, rel=0.4)


METHODS = {
    "conditional normal": ConditionalNormal,
    "process": partial(GaussianProcess, fitting=LikelihoodFit(epochs=4)),
}


@pytest.fixture(scope="module", params=product(METHODS, [(True, True), (True, False), (False, True)]))
def fitted(request):
    method, told = request.param
    return METHODS[method](Information(*told)).fit(parts()[0])


def test_it_beats_the_event_term_and_knows_its_errors(fitted):
    _, test = parts()
    observed = hide(test, 0.3)
    rival = EventTerm(fitted.information).fit(parts()[0])
    assert fitted.score(test, observed) > rival.score(test, observed)
    mean, scale = fitted.predict(test, observed)
    inside = np.abs(mean - test.values)[~observed] < REACH * scale[~observed]
    assert 0.8 < np.nanmean(inside) < 0.97


def test_hidden_values_are_not_seen(fitted):
    _, test = parts()
    observed = hide(test, 0.5)
    moved = test.select(range(len(test)))
    moved.values[~observed] += 5
    assert np.array_equal(fitted.predict(test, observed).mean, fitted.predict(moved, observed).mean)


def test_an_unknown_source_is_not_seen():
    train, test = parts()
    method = ConditionalNormal(Information(source=False)).fit(train)
    observed = hide(test, 0.5)
    moved = test.select(range(len(test)))
    moved.magnitude[:] += 1
    moved.epicentre[:] += 30
    moved.depth_km[:] += 30
    assert np.array_equal(method.predict(test, observed).mean, method.predict(moved, observed).mean)


def test_a_map_agrees_with_the_stations_that_it_passes():
    train, test = parts()
    method = ConditionalNormal(Information(site_terms=False)).fit(train)
    event = test.select([0])
    observed = hide(event, 0.5)
    everywhere = method.predict(event, observed)
    found = method.predict_at(event, observed, event.pos[~observed])
    assert found.mean == pytest.approx(everywhere.mean[~observed])
    assert found.scale == pytest.approx(everywhere.scale[~observed])


def test_a_station_that_lies_is_not_used():
    train, test = parts()
    method = ConditionalNormal().fit(train)
    observed = hide(test, 0.3)
    lying = test.select(range(len(test)))
    first = test.start[:-1] + np.array([np.flatnonzero(observed[test.rows(i)])[0] for i in range(len(test))])
    lying.values[first] += 3
    honest, spoilt = (method.score(one, observed) for one in (test, lying))
    assert spoilt > 1.1 * honest  # scores are negative
