from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import seisbook.physics.traveltimes
from seisbook.catalogues import bulletins, geodesy, networks
from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.geodesy import KM_PER_DEGREE, distance_azimuth, to_geographic
from seisbook.catalogues.networks import Network
from seisbook.catalogues.schema import MagnitudeRelation, Station, VelocityModel, Window, Zone
from seisbook.datasets import build
from seisbook.errors import UserError
from seisbook.models.classical import ClassicalLocator, weighted_median
from seisbook.models.picker import catalogue_from_traces, pick_onsets
from seisbook.physics import simulation
from seisbook.physics.bounds import cramer_rao
from seisbook.physics.traveltimes import TravelTimes

rng = np.random.default_rng(0)
NETWORK = Network(
    name="toy",
    title="Toy",
    reference="made up",
    utc_offset_h=-5,
    velocity_model=VelocityModel([0.0], [6.0], 1.75, "half-space"),
    magnitude=MagnitudeRelation(1.11, 0.00189, -2.09, 0.2, "IASPEI"),
    window=Window(30.0, 50.0, (2.0, 5.0)),
    pick_scatter_s=(0.05, 0.1),
    pick_scatter_per_100km_s=0.1,
    dominant_period_s=(0.2, 1.2),
    minimum_stations=5,
    stations=[
        Station(
            f"S{i:02d}",
            *rng.uniform(9.5, 10.5, 2).tolist(),
            500.0,
            site_term=0.4 * (i == 0),
            p_term_s=0.5 * (i == 1),
            s_term_s=0.9 * (i == 1),
        )
        for i in range(15)
    ],
    zones=[Zone("fault", "tectonic", 10.0, 10.0, 8.0, 20.0, 10.0, 3.0, 1.0, 1.0, 5.0, 1.0, strike_deg=45.0)],
)
PICKS = ["path_p_travel_s", "path_s_travel_s"]


@pytest.fixture(scope="module")
def travel_times(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seisbook.physics.traveltimes.pooch, "os_cache", lambda name: tmp_path_factory.mktemp("cache"))
        return TravelTimes(NETWORK.velocity_model, 200, 60)


@pytest.fixture(scope="module")
def catalogue(travel_times):
    return simulation.simulate(NETWORK, 300, 0, travel_times)


@pytest.fixture(scope="module")
def locator(catalogue, travel_times):
    return ClassicalLocator(NETWORK, travel_times, progress=False).fit(catalogue)


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
    table = ClassicalLocator(NETWORK, travel_times, progress=False).fit(known).predict(known)
    assert epicentral_km(table, known.events).max() < 0.3
    assert (table.depth_km - known.events.source_depth_km).abs().quantile(0.95) < 0.5
    assert table.rms_s.max() < 0.02
    east, north = NETWORK.to_local(table.latitude, table.longitude)
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
    table, bound = located, cramer_rao(NETWORK, catalogue, travel_times)
    ratio = epicentral_km(table, catalogue.events) / bound.epicentral_km
    assert 0.8 < ratio.median() / 0.83 < 1.4
    magnitude = (table.magnitude - catalogue.events.source_magnitude).abs() / bound.magnitude
    assert 0.9 < magnitude.median() / 0.6745 < 1.3


def test_formal_errors_cover_gaussian_scatter(catalogue, located):
    table, events = located, catalogue.events
    east, north = NETWORK.to_local(events.source_latitude_deg, events.source_longitude_deg)
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
    plain = ClassicalLocator(NETWORK, travel_times, station_corrections=False, progress=False).fit(catalogue)
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
    other = ClassicalLocator(NETWORK, travel_times, progress=False).fit(raised)
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
        ClassicalLocator(NETWORK, travel_times).fit(part(catalogue, []))
    with pytest.raises(UserError, match="call fit first"):
        ClassicalLocator(NETWORK, travel_times).predict(catalogue)


def test_fit_leaves_the_parameters_alone(catalogue, locator):
    assert "station_corrections=True" in repr(locator)
    assert ClassicalLocator(NETWORK).travel_times is None


def test_weighted_median():
    values = np.array([[3.0, 1.0, 2.0], [3.0, 1.0, 2.0]])
    np.testing.assert_array_equal(weighted_median(values, np.array([[1.0, 1, 1], [5.0, 1, 1]])), [2, 3])


def test_to_geographic_inverts_the_projection():
    latitude, longitude = np.array([4.0, -20.0, 60.0, 4.5]), np.array([-74.0, -60.0, 170.0, -74.0])
    east, north = geodesy.azimuthal_equidistant(latitude, longitude, (4.5, -74.0))
    np.testing.assert_allclose(to_geographic(east, north, (4.5, -74.0)), [latitude, longitude], atol=1e-9)


# --------------------------------------------------------------------------------------------------- Cramér-Rao bound


def ring(n=12, radius_km=40.0, depth_km=20.0):
    """An event below the centre of a ring of stations, at sea level, on the equator."""
    angle = 2 * np.pi * np.arange(n) / n
    stations = [
        Station(f"R{i:02d}", *(radius_km / KM_PER_DEGREE * np.array([np.cos(a), np.sin(a)])).tolist(), 0.0)
        for i, a in enumerate(angle)
    ]
    network = replace(NETWORK, stations=stations, pick_scatter_per_100km_s=0.0)
    event = {"source_id": "e", "source_latitude_deg": 0.0, "source_longitude_deg": 0.0, "source_depth_km": depth_km}
    event["source_origin_time"] = pd.Timestamp("2018-02-01", tz="UTC")
    readings = [{"source_id": "e", "station_code": s.code, "path_p_travel_s": 7.0} for s in stations]
    return network, Catalogue.from_rows("toy", "simulated", [event], readings)


def test_bound_of_a_ring_of_stations_is_the_textbooks(travel_times):
    """By symmetry east and north are known apart from the rest: variance 2 sigma^2 / (n p^2), p the ray parameter."""
    network, catalogue = ring()
    bound = cramer_rao(network, catalogue, travel_times).iloc[0]
    p = 40 / np.hypot(40, 20) / 6.0
    assert bound.epicentral_km == pytest.approx(np.sqrt(2 * 2 / 12) * 0.05 / p, rel=0.01)
    assert np.isinf(bound.magnitude)


def test_depth_is_unbounded_on_a_ring_of_p_onsets_alone(travel_times):
    """All stations at one distance: origin time trades off with depth, until S onsets tell them apart."""
    network, catalogue = ring()
    assert cramer_rao(network, catalogue, travel_times).depth_km.iloc[0] > 100
    both = with_readings(catalogue, path_s_travel_s=13.0)
    bound = cramer_rao(network, both, travel_times).iloc[0]
    down = 20 / np.hypot(40, 20) / 6.0 * np.array([1, 1.75])
    weight = 12 / np.array([0.05, 0.1]) ** 2
    information = np.array([[(weight * down**2).sum(), (weight * down).sum()], [(weight * down).sum(), weight.sum()]])
    assert bound.depth_km == pytest.approx(np.sqrt(np.linalg.inv(information)[0, 0]), rel=0.01)


def test_bound_of_magnitude(travel_times):
    """Scatter over the root of the number of stations, and a little more because the depth is not known."""
    network, catalogue = ring()
    bound = cramer_rao(
        network, with_readings(catalogue, path_s_travel_s=13.0, trace_amplitude_nm=100.0), travel_times
    ).iloc[0]
    alone = 0.2 / np.sqrt(12)
    assert alone < bound.magnitude < 1.05 * alone


def test_bound_falls_with_every_reading_and_grows_with_scatter(catalogue, travel_times):
    few = catalogue.head(40)
    whole = cramer_rao(NETWORK, few, travel_times)
    without = cramer_rao(NETWORK, with_readings(few, path_s_travel_s=np.nan), travel_times)
    assert (without >= whole - 1e-9).all(axis=None)
    assert (without.depth_km > 1.5 * whole.depth_km).mean() > 0.5
    coarse = cramer_rao(replace(NETWORK, pick_scatter_s=(0.2, 0.4)), few, travel_times)
    assert (coarse.epicentral_km > whole.epicentral_km).all()


# --------------------------------------------------------------------------------------------------- automatic picker


@pytest.fixture(scope="module")
def rendered(catalogue):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "TravelTimes", lambda model: TravelTimes(model, 200, 60))
        return list(build.rendered(catalogue.head(30), NETWORK))


def test_picker_finds_the_onsets_that_were_rendered(rendered):
    errors = {"p": [], "s": []}
    for record in rendered:
        for wave, onset in zip("ps", pick_onsets(record.waveforms, 50.0), strict=True):
            errors[wave].append(onset - record.traces[f"trace_{wave}_arrival_sample"].to_numpy() / 50)
    for wave, least in (("p", 0.8), ("s", 0.8)):
        error = np.concatenate(errors[wave])
        assert np.mean(np.abs(error) < 0.1) > least
        assert abs(np.nanmedian(error)) < 0.03


def test_picker_moves_with_the_trace(rendered):
    waveforms = rendered[0].waveforms
    p, s = pick_onsets(waveforms, 50.0)
    later = np.concatenate([waveforms[..., :50], waveforms], axis=-1)[..., :1500]
    p_later, s_later = pick_onsets(later, 50.0)
    assert np.nanmedian(p_later - p) == pytest.approx(1.0, abs=0.05)
    assert np.nanmedian(s_later - s) == pytest.approx(1.0, abs=0.05)


def test_picker_leaves_out_what_has_no_onset():
    noise = np.random.default_rng(1).standard_normal((1, 3, 1500))
    broken = np.where(np.arange(1500) == 700, np.nan, noise)
    for traces in (np.zeros((2, 3, 1500)), broken, noise[..., :100]):
        p, s = pick_onsets(traces, 50.0)
        assert np.isnan(p).all()
        assert np.isnan(s).all()


def test_automatic_catalogue_is_made_of_seismograms_alone(catalogue, rendered, locator):
    few = catalogue.head(30)
    automatic = catalogue_from_traces(few, rendered, 50.0, progress=False)
    pd.testing.assert_frame_equal(automatic.events, few.events)
    assert set(automatic.readings.trace_p_status) <= {"automatic", ""}
    merged = automatic.readings.merge(few.readings, on=["source_id", "station_code"])
    assert len(merged) == len(automatic.readings) == len(few.readings)
    assert (merged.path_p_travel_s_x - merged.path_p_travel_s_y).abs().median() < 0.05
    ratio = np.log10(merged.trace_amplitude_nm_x / merged.trace_amplitude_nm_y)
    assert abs(ratio.median()) < 0.02
    assert not (merged.path_p_travel_s_x == merged.path_p_travel_s_y).any()
    hidden = ["path_p_travel_s", "path_s_travel_s", "trace_amplitude_nm", "trace_p_arrival_sample"]
    blind = [replace(record, traces=record.traces.drop(columns=hidden)) for record in rendered]
    again = catalogue_from_traces(few, blind, 50.0, progress=False)
    pd.testing.assert_frame_equal(again.readings, automatic.readings)
    assert epicentral_km(locator.predict(automatic), few.events).median() < 2


# ------------------------------------------------------------------------------------------------------- real bulletins


@pytest.mark.parametrize(("name", "epicentral", "depth", "magnitude"), [("ridgecrest", 1.0, 3.0, 0.2)])
def test_real_bulletin(real_data, name, epicentral, depth, magnitude):
    catalogue = bulletins.read_bulletin(name)
    order = np.random.default_rng(0).permutation(len(catalogue))
    test, train = (part(catalogue, catalogue.events.index[chosen]) for chosen in (order[:150], order[150:]))
    table = ClassicalLocator(networks.load(name), progress=False).fit(train).predict(test)
    assert epicentral_km(table, test.events).median() < epicentral
    assert (table.depth_km - test.events.source_depth_km).abs().median() < depth
    assert np.sqrt(((table.magnitude - test.events.source_magnitude) ** 2).mean()) < magnitude
