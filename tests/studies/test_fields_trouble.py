"""The study of sensors that lie, on a simulated twin: which lie, how, and what it does to the methods."""

import numpy as np
import pytest

from seisbook.measures.reconstruction import scores
from seisbook.models.conditional_normal import ConditionalNormal
from seisbook.models.field_methods import hide
from seisbook.models.screened_normal import ScreenedNormal
from seisbook.studies import fields_trouble, runner

TWIN = {"network": "italy", "source": "simulated", "profile": "quick"}


@pytest.fixture(scope="module")
def parts():
    return fields_trouble._parts(*TWIN.values())[0]


def test_the_study_is_known():
    assert runner.find("fields-trouble") is fields_trouble.STUDY
    assert len(fields_trouble.trials("italy", "measured", "paper")) == fields_trouble.FOLDS["paper"]


def test_one_observed_station_in_ten_lies(parts):
    _, test = parts
    observed = hide(test, fields_trouble.HIDDEN)
    lying = fields_trouble.liars(test, observed)
    assert not (lying & ~observed).any()
    for i in range(len(test)):
        rows = test.rows(i)
        assert lying[rows].sum() == max(round(0.1 * observed[rows].sum()), 1)
    assert test.sizes.min() >= fields_trouble.FEWEST


def test_each_kind_does_what_it_says_and_to_liars_only(parts):
    _, test = parts
    lying, floor = np.arange(len(test.values)) % 7 == 0, np.full(5, -4.0)
    made = {kind: fields_trouble.spoil(test, lying, kind, floor) for kind in fields_trouble.KINDS}
    for one in made.values():
        assert np.array_equal(one.values[~lying], test.values[~lying], equal_nan=True)
        assert np.array_equal(one.pos[~lying], test.pos[~lying])
    assert np.allclose(made["unit"].values[lying] - test.values[lying], 2, equal_nan=True)
    assert (made["dead"].values[lying] == -4).all()
    moved = np.hypot(*(made["misplaced"].pos[lying] - test.pos[lying]).T)
    assert moved == pytest.approx(fields_trouble.MOVED_KM, abs=0.1)


def test_the_second_screen_leaves_out_a_station_that_contradicts_its_neighbours(parts):
    train, test = parts
    methods = ConditionalNormal().fit(train), ScreenedNormal().fit(train)
    event = test.select([0])
    observed = np.ones(len(event.values), bool)
    liar = int(np.argmin(event.epicentral_km))
    spoilt = event.values.copy()
    spoilt[liar] += 0.9  # less than three standard deviations from the law, and far from what its neighbours say
    (scene,) = methods[1].scenes(type(event)(**{**event.arrays(), "values": spoilt}), observed)
    used = [np.isfinite(method.used(scene)).any(1) for method in methods]
    assert used[1].sum() <= used[0].sum()
    assert used[1].sum() >= 0.8 * len(observed)


def test_results_are_sums_by_event(parts):
    train, test = parts
    observed = hide(test, fields_trouble.HIDDEN)
    method = fields_trouble.EventTerm().fit(train)
    found = fields_trouble._scored(method, test, test, observed)
    expected = scores(method.predict(test, observed), test, observed)
    assert found["square"] == pytest.approx(expected["square"], rel=1e-3)
    assert len(found["count"]) == len(test)
