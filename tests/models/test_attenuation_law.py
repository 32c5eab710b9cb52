"""The attenuation law: what was put into the twin comes out again."""

import numpy as np
import pytest

from seisbook.errors import UserError
from seisbook.models.amplitude_source import locate
from seisbook.models.attenuation_law import AttenuationLaw
from seisbook.physics import field_simulation
from seisbook.physics.attenuation import design
from tests.models.made_fields import parts, twin


@pytest.fixture(scope="module")
def law():
    return AttenuationLaw().fit(twin()[0])


def test_the_law_of_the_twin_is_found(law):
    terms = design([3.8, 4.0, 4.6], [50.0, 120.0, 80.0], 10.0)
    assert terms @ law.coefficients_.T == pytest.approx(terms @ field_simulation.LAW.T, abs=0.12)
    assert law.expected(4.6, 80.0, 10.0) == pytest.approx(terms[2] @ law.coefficients_.T)
    assert law.expected(4.6, 80.0, 10.0, 2) == pytest.approx(terms[2] @ law.coefficients_[2])


def test_the_standard_deviations_are_found(law):
    assert law.event_sd_ == pytest.approx(field_simulation.EVENT, abs=0.05)
    assert law.site_sd_ == pytest.approx(field_simulation.SITE, abs=0.06)
    smaller = 0.2  # event terms take what all stations of an event share of the smooth residual
    assert law.within_sd_.min() > 0.9 * smaller
    assert law.within_sd_.max() < field_simulation.WITHIN


def test_the_terms_of_the_twin_are_found(law):
    fields, truth = twin()
    assert np.corrcoef(law.event_terms_[:, 1], truth.event_terms[:, 1])[0, 1] > 0.85
    site = np.array([int(code[4:]) for code in fields.codes])[fields.station]
    terms, left = law.site_terms(fields)
    known = left[:, 1] < 0.25
    assert np.corrcoef(terms[known, 1], truth.site_terms[site[known], 1])[0, 1] > 0.75


def test_wrong_values_do_not_move_the_law(law):
    fields, _ = twin()
    spoilt = fields.select(range(len(fields)))
    wrong = np.random.default_rng(0).random(len(spoilt.values)) < 0.02
    spoilt.values[wrong] += 3
    again = AttenuationLaw().fit(spoilt)
    assert again.expected(4.5, 80.0, 10.0) == pytest.approx(law.expected(4.5, 80.0, 10.0), abs=0.02)


def test_an_event_does_not_see_its_own_values_in_the_terms_of_its_stations(law):
    fields, _ = twin()
    counts = np.bincount(fields.station, minlength=len(fields.codes))
    once = counts[fields.station] == 1
    terms, left = law.site_terms(fields)
    assert once.any()
    assert terms[once] == pytest.approx(0, abs=1e-9)
    assert left[once] == pytest.approx(1)
    train, test = parts()
    fitted = AttenuationLaw().fit(train)
    moved = test.select(range(len(test)))
    moved.values[:] += 1
    assert np.array_equal(fitted.site_terms(test)[0], fitted.site_terms(moved)[0])


def test_too_few_events_are_refused():
    with pytest.raises(UserError, match="too few"):
        AttenuationLaw().fit(twin()[0].select(range(5)))


def test_a_source_is_found_from_amplitudes(law):
    fields, _ = twin()
    large = np.argsort(-fields.sizes)[:15]
    miss, size = [], []
    for i in large:
        rows = fields.rows(i)
        source = locate(law, fields.values[rows], fields.pos[rows], (4.0, 0.5))
        miss.append(np.hypot(*(source.epicentre - fields.epicentre[i])))
        size.append(source.magnitude - fields.magnitude[i])
    assert np.median(miss) < 25
    assert np.sqrt(np.mean(np.square(size))) < 0.5
    nothing = locate(law, np.full((3, 5), np.nan), np.zeros((3, 2)), (4.0, 0.5))
    assert nothing.magnitude == 4.0
