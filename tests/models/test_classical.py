import numpy as np
import pandas as pd
import pytest

from seisbook.catalogues import geodesy, networks
from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.geodesy import distance_azimuth, to_geographic
from seisbook.errors import UserError
from seisbook.models.classical import ClassicalLocator, weighted_median
from seisbook.physics.bounds import cramer_rao
from tests.made_up import TOY

PICKS = ["path_p_travel_s", "path_s_travel_s"]


@pytest.fixture(scope="module")
def locator(catalogue, travel_times):
    return ClassicalLocator(TOY, travel_times, progress=False).fit(catalogue)


@pytest.fixture(scope="module")
def located(catalogue, locator):
    return locator.predict(catalogue)


def part(catalogue, ids):
    readings = catalogue.readings[catalogue.readings.source_id.isin(ids)]
    return Catalogue(catalogue.network, catalogue.source, catalogue.events.loc[ids], readings)


def with_readings(catalogue, **columns):
    return Catalogue(catalogue.network, catalogue.source, catalogue.events, catalogue.readings.assign(**columns))


def epicentral_km(table, events):
    distance, _ = distance_azimuth(
        table.latitude, table.longitude, events.source_latitude_deg, events.source_longitude_deg
    )
    return pd.Series(distance, table.index)


def exact(catalogue):
    """The catalogue with onsets as the layered model has them, without scatter or station terms."""
    r = catalogue.readings
    plain = r.station_code != "S01"
    onsets = {
        f"path_{w}_travel_s": r[f"true_{w}_travel_s"].where(plain & r[f"path_{w}_travel_s"].notna()) for w in "ps"
    }
    return with_readings(catalogue, **onsets)


def test_exact_onsets_give_the_exact_hypocentre(catalogue, travel_times):
    known = exact(catalogue.head(60))
    table = ClassicalLocator(TOY, travel_times, progress=False).fit(known).predict(known)
    assert epicentral_km(table, known.events).max() < 0.3
    assert (table.depth_km - known.events.source_depth_km).abs().quantile(0.95) < 0.5
    assert table.rms_s.max() < 0.02
    east, north = TOY.to_local(table.latitude, table.longitude)
    np.testing.assert_allclose([table.east_km, table.north_km], [east, north], atol=1e-6)


def test_origin_time_does_not_leak(catalogue, locator):
    """A constant added to all onsets of an event, as if its origin time were unknown, changes nothing."""
    few = catalogue.head(20)
    shift = few.readings.source_id.map({name: 37.5 * i - 200 for i, name in enumerate(few.events.index)})
    shifted = with_readings(few, **{name: few.readings[name] + shift for name in PICKS})
    moved = shifted.events.assign(source_latitude_deg=0.0, source_longitude_deg=0.0, source_depth_km=1.0)
    before = locator.predict(few)
    after = locator.predict(Catalogue(few.network, few.source, moved.assign(source_magnitude=9.0), shifted.readings))
    pd.testing.assert_frame_equal(before, after, atol=1e-3)


def test_errors_are_near_the_cramer_rao_bound(catalogue, located, travel_times):
    """Station terms are known well from 300 events; medians of L1 estimates then lie a little above Gaussian ones."""
    table, bound = located, cramer_rao(TOY, catalogue, travel_times)
    ratio = epicentral_km(table, catalogue.events) / bound.epicentral_km
    assert 0.8 < ratio.median() / 0.83 < 1.4
    magnitude = (table.magnitude - catalogue.events.source_magnitude).abs() / bound.magnitude
    assert 0.9 < magnitude.median() / 0.6745 < 1.3


def test_formal_errors_cover_gaussian_scatter(catalogue, located):
    table, events = located, catalogue.events
    east, north = TOY.to_local(events.source_latitude_deg, events.source_longitude_deg)
    u = (table.east_km - east) / table.east_uncertainty_km
    v = (table.north_km - north) / table.north_uncertainty_km
    r = table.east_north_correlation
    inside = (u**2 - 2 * r * u * v + v**2) / (1 - r**2) < 5.99
    assert 0.8 < inside.mean() < 0.99
    depth = (table.depth_km - events.source_depth_km).abs() < 2 * table.depth_uncertainty_km
    assert 0.85 < depth.mean() < 1.0


def test_station_corrections_are_found(catalogue, locator):
    found = locator.corrections_
    np.testing.assert_allclose(found.loc["S01", ["p_s", "s_s"]].astype(float), [0.5, 0.9], atol=0.08)
    assert found.drop("S01")[["p_s", "s_s"]].abs().to_numpy().max() < 0.06
    difference = found.loc["S00", "magnitude"] - found.drop("S00").magnitude.median()
    assert difference == pytest.approx(0.4, abs=0.06)


def test_station_corrections_can_be_left_out(catalogue, travel_times, locator):
    plain = ClassicalLocator(TOY, travel_times, station_corrections=False, progress=False).fit(catalogue)
    assert (plain.corrections_[["p_s", "s_s"]] == 0).all(axis=None)
    assert plain.corrections_.loc["S00", "magnitude"] > 0.3
    some = part(catalogue, catalogue.readings.query("station_code == 'S01'").source_id.unique()[:80])
    assert plain.score(some) < locator.score(some) < 0


def test_magnitude_constant_follows_the_labels(catalogue, travel_times, locator):
    raised = Catalogue(
        catalogue.network,
        catalogue.source,
        catalogue.events.assign(source_magnitude=catalogue.events.source_magnitude + 0.7),
        catalogue.readings,
    )
    other = ClassicalLocator(TOY, travel_times, progress=False).fit(raised)
    assert other.magnitude_constant_ - locator.magnitude_constant_ == pytest.approx(0.7)
    few = catalogue.head(10)
    np.testing.assert_allclose(other.predict(few).magnitude - locator.predict(few).magnitude, 0.7)


def test_no_amplitude_no_magnitude_but_a_location(catalogue, locator):
    table = locator.predict(with_readings(catalogue.head(3), trace_amplitude_nm=np.nan))
    assert table.magnitude.isna().all()
    assert table.east_km.notna().all()


def test_onsets_of_no_weight_are_left_out_if_four_remain(catalogue, locator):
    few = catalogue.head(10)
    first = ~few.readings.source_id.duplicated()
    wrong = few.readings.path_p_travel_s.where(~first, 400.0)
    ignored = with_readings(few, path_p_travel_s=wrong, trace_p_weight=few.readings.trace_p_weight.where(~first, 0.0))
    absent = with_readings(few, path_p_travel_s=few.readings.path_p_travel_s.where(~first))
    pd.testing.assert_frame_equal(locator.predict(ignored), locator.predict(absent))
    none_trusted = with_readings(few, trace_p_weight=0.0, trace_s_weight=0.0)
    table = locator.predict(none_trusted)
    assert epicentral_km(table, few.events).median() < 2
    assert (table.n_onsets == few.readings.groupby("source_id")[PICKS].count().sum(axis=1).loc[table.index]).all()


def test_one_onset_that_is_wrong_moves_a_well_recorded_event_little(catalogue, locator):
    count = catalogue.readings.groupby("source_id").size()
    many = part(catalogue, count.index[count >= 9][:20])
    third = many.readings.groupby("source_id").cumcount() == 2
    spoilt = with_readings(many, path_s_travel_s=many.readings.path_s_travel_s + 15.0 * third)
    assert epicentral_km(locator.predict(spoilt), many.events).median() < 2


def test_events_are_located_one_by_one(catalogue, locator, located):
    """Neither the company nor the order of events matters."""
    names = catalogue.events.index[[5, 2, 9]]
    pd.testing.assert_frame_equal(located.loc[names], locator.predict(part(catalogue, names)))


def test_too_few_onsets_are_reported_and_not_located(catalogue, locator, caplog):
    few = catalogue.head(4)
    one = few.readings.source_id == few.events.index[1]
    readings = few.readings[~one | ~one.duplicated()]
    with caplog.at_level("WARNING"):
        table = locator.predict(Catalogue(few.network, few.source, few.events, readings))
    assert table.east_km.isna().tolist() == [False, True, False, False]
    assert "1 of 4 events" in caplog.text


def test_undetermined_hypocentre_has_infinite_formal_errors(catalogue, locator):
    """P and S of two stations: four onsets, of which the two stations' mirror symmetry leaves one direction open."""
    few = catalogue.head(1)
    readings = few.readings[few.readings.path_s_travel_s.notna()].iloc[:2].iloc[[0, 0]]
    table = locator.predict(Catalogue(few.network, few.source, few.events, readings))
    assert np.isinf(table.east_uncertainty_km.iloc[0])
    assert np.isfinite(table.east_km.iloc[0])


def test_mistakes_are_named(catalogue, travel_times):
    with pytest.raises(UserError, match="fold is empty"):
        ClassicalLocator(TOY, travel_times).fit(part(catalogue, []))
    with pytest.raises(UserError, match="call fit first"):
        ClassicalLocator(TOY, travel_times).predict(catalogue)


def test_fit_leaves_the_parameters_alone(catalogue, locator):
    assert "station_corrections=True" in repr(locator)
    assert ClassicalLocator(TOY).travel_times is None


def test_weighted_median():
    values = np.array([[3.0, 1.0, 2.0], [3.0, 1.0, 2.0]])
    np.testing.assert_array_equal(weighted_median(values, np.array([[1.0, 1, 1], [5.0, 1, 1]])), [2, 3])


def test_to_geographic_inverts_the_projection():
    latitude, longitude = np.array([4.0, -20.0, 60.0, 4.5]), np.array([-74.0, -60.0, 170.0, -74.0])
    east, north = geodesy.azimuthal_equidistant(latitude, longitude, (4.5, -74.0))
    np.testing.assert_allclose(to_geographic(east, north, (4.5, -74.0)), [latitude, longitude], atol=1e-9)


# ------------------------------------------------------------------------------------------------------- real bulletins


@pytest.mark.parametrize(("name", "epicentral", "depth", "magnitude"), [("ridgecrest", 1.0, 3.0, 0.2)])
def test_real_bulletin(real_data, bulletin, name, epicentral, depth, magnitude):
    catalogue = bulletin(name, None)
    order = np.random.default_rng(0).permutation(len(catalogue))
    test, train = (part(catalogue, catalogue.events.index[chosen]) for chosen in (order[:150], order[150:]))
    table = ClassicalLocator(networks.load(name), progress=False).fit(train).predict(test)
    assert epicentral_km(table, test.events).median() < epicentral
    assert (table.depth_km - test.events.source_depth_km).abs().median() < depth
    assert np.sqrt(((table.magnitude - test.events.source_magnitude) ** 2).mean()) < magnitude
