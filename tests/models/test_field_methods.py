"""What all methods of reconstruction share: hiding stations, and the simple methods."""

import numpy as np
import pytest

from seisbook.models.field_methods import (
    HIDDEN,
    EventTerm,
    Information,
    InverseDistance,
    LawAlone,
    event_term,
    hide,
    hide_variously,
)
from tests.models.made_fields import parts


@pytest.mark.parametrize("share", HIDDEN)
def test_a_share_of_each_event_is_hidden(share):
    _, test = parts()
    observed = hide(test, share)
    kept = np.array([observed[test.rows(i)].sum() for i in range(len(test))])
    assert (kept >= 1).all()
    assert (kept < test.sizes).all()
    assert np.abs(kept - (1 - share) * test.sizes).max() <= 1
    assert not np.array_equal(observed, hide(test, share, 1))


def test_what_is_hidden_does_not_depend_on_the_other_events():
    _, test = parts()
    alone = test.select([7])
    assert np.array_equal(hide(alone, 0.5), hide(test, 0.5)[test.rows(7)])


def test_various_shares_are_those_of_the_tests():
    train, _ = parts()
    observed = hide_variously(train)
    share = np.array([1 - observed[train.rows(i)].mean() for i in range(len(train))])
    assert share.min() < 0.35
    assert share.max() > 0.9


def test_the_event_term_in_closed_form():
    residual = np.full((4, 5), 1.0)
    residual[3] = np.nan
    term, left = event_term(residual, np.full((4, 5), 0.8), np.full(5, 0.6))
    assert term == pytest.approx(3 * 0.36 / (3 * 0.36 + 0.64))
    assert left == pytest.approx(0.36 * 0.64 / (3 * 0.36 + 0.64))


def test_methods_rank_as_what_they_know():
    train, test = parts()
    observed = hide(test, 0.3)
    known = {method: method(Information(site_terms=True)).fit(train).score(test, observed) for method in METHODS}
    blind = {method: method(Information(site_terms=False)).fit(train).score(test, observed) for method in METHODS}
    assert known[EventTerm] > known[LawAlone]
    assert known[EventTerm] > blind[EventTerm] > blind[LawAlone]


METHODS = (LawAlone, EventTerm)


def test_inverse_distance_is_a_weighted_mean():
    train, test = parts()
    method = InverseDistance().fit(train)
    event = test.select([0])
    observed = hide(event, 0.5)
    mean = method.predict(event, observed).mean
    at = np.flatnonzero(~observed)[0]
    weight = 1 / (np.hypot(*(event.pos[observed] - event.pos[at]).T) + 1) ** 2
    assert mean[at] == pytest.approx((weight[:, None] * event.values[observed]).sum(0) / weight.sum(), abs=1e-4)
    only = np.arange(event.sizes[0]) == 3
    lone = method.predict(event, only)
    assert lone.mean[5] == pytest.approx(event.values[3], abs=1e-4)
    assert np.isfinite(lone.mean).all()
