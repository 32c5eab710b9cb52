"""The conditional normal with felt reports: without them it is the conditional normal; with good ones it is better."""

import numpy as np
import pytest

from seisbook.datasets.felt import PGV, Cells
from seisbook.datasets.fields import load_fields
from seisbook.models.amplitude_source import Source
from seisbook.models.felt_normal import FeltNormal
from seisbook.models.field_methods import hide
from seisbook.physics.felt_intensity import WORDEN, Conversion

SHARP = Conversion((), (0.0,), (1.0,), 0.02, 0.02)  # intensity is the log10 of peak velocity, nearly without error


@pytest.fixture(scope="module")
def fields():
    return load_fields("greece", "simulated", 60, progress=False)


@pytest.fixture(scope="module")
def method(fields):
    return FeltNormal().fit(fields.select(range(40)))


@pytest.fixture
def event(fields):
    return fields.select([47])


def source_of(event):
    return Source(event.epicentre[0].astype(float), float(event.depth_km[0]), float(event.magnitude[0]))


def everywhere(event, change=0.0):
    """Cells at every station, which say what it measured."""
    n = len(event.values)
    return Cells(event.pos.astype(float), event.values[:, PGV] + change, np.full(n, 9.0), np.zeros(n))


def test_without_reports_it_is_the_conditional_normal(method, event):
    observed = hide(event, 0.5)
    told = method.told(event, observed, source=source_of(event))
    expected = method.predict(event, observed).mean
    assert told.mean[~observed] == pytest.approx(expected[~observed], abs=1e-6)
    nothing = method.told(event, observed & False, source=source_of(event))
    assert nothing.event_term == 0


def test_no_cells_change_nothing(method, event):
    observed, none = hide(event, 0.5), everywhere(event).at([])
    without = method.told(event, observed, source=source_of(event))
    found = method.told(event, observed, none, WORDEN, source_of(event))
    assert found.mean == pytest.approx(without.mean)


def test_good_reports_tell_the_field_and_the_event_term(method, event):
    nobody = np.zeros(len(event.values), bool)
    without = method.told(event, nobody, source=source_of(event))
    found = method.told(event, nobody, everywhere(event), SHARP, source_of(event))
    error = [np.nanmean((one.mean - event.values)[:, PGV] ** 2) for one in (without, found)]
    assert error[1] < 0.5 * error[0]
    truth = method.event_term(event, source_of(event))
    assert abs(found.event_term - truth) < 0.5 * abs(truth)


def test_an_error_that_all_cells_share_leaves_the_event_term_alone(method, event):
    nobody = np.zeros(len(event.values), bool)
    vague = Conversion((), (0.0,), (1.0,), 5.0, 0.02, shared_sd=5.0)
    found = method.told(event, nobody, everywhere(event, 0.3), vague, source_of(event))
    assert abs(found.event_term) < 0.02


def test_reports_alone_find_the_source(method, event):
    nobody = np.zeros(len(event.values), bool)
    truth = source_of(event)
    nothing, found = (method.told(event, nobody, *more).source for more in ((), (everywhere(event), SHARP)))
    away = [np.hypot(*(one.epicentre - truth.epicentre)) for one in (nothing, found)]
    assert away[1] < 0.5 * away[0]
    assert abs(found.magnitude - truth.magnitude) < 1


def test_cells_are_merged_by_their_answers():
    pos = np.array([[1.0, 1.0], [4.0, 1.0], [12.0, 1.0]])
    cells = Cells(pos, np.array([2.0, 4.0, 5.0]), np.array([30.0, 10.0, 5.0]), np.array([0.2, 0.4, 0.3]))
    merged = cells.merged()
    assert merged.intensity == pytest.approx([2.5, 5.0])
    assert merged.answers == pytest.approx([40.0, 5.0])
    assert merged.pos[0] == pytest.approx([1.75, 1.0])
    assert merged.sd[0] == pytest.approx(np.hypot(0.75 * 0.2, 0.25 * 0.4))
