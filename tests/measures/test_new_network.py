"""A network described from its bulletin: what the twin was made with comes back, and real bulletins give what is known.

A stranger's files: no test gives the library the description that the book ships of these networks.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from seisbook import cli
from seisbook.catalogues import bulletins, geodesy, networks, quakeml, station_places
from seisbook.catalogues.schema import VelocityModel
from seisbook.errors import UserError
from seisbook.measures import magnitude_fit, network_report, new_network, station_checks, velocity_fit
from seisbook.physics import layered_rays, simulation
from seisbook.physics.traveltimes import TravelTimes
from tests.made_up import TOY

CHANGED = pd.Timestamp("2018-02-15", tz="UTC")  # when the clock and the gain of two stations did


@pytest.fixture(scope="module")
def files(tmp_path_factory, catalogue):
    """A bulletin and a station file of the toy network."""
    folder = tmp_path_factory.mktemp("files")
    quakeml.write(catalogue, folder / "events.xml")
    _write_stations(folder / "stations.csv", TOY.stations)
    return folder


def _write_stations(path, stations):
    rows = [f"{one.code},{one.latitude},{one.longitude},{one.elevation_m}" for one in stations]
    path.write_text("\n".join(["code,latitude,longitude,elevation_m", *rows]) + "\n")


@pytest.fixture(scope="module")
def draft(files):
    return new_network.draft([files / "events.xml"], files / "stations.csv", name="toy")


def test_what_the_bulletin_was_made_with_comes_back(draft):
    found = draft.network
    assert found.velocity_model.vp_vs == pytest.approx(TOY.velocity_model.vp_vs, rel=0.01)
    path = np.array([10.0, 40.0, 80.0]), np.array([8.0, 8.0, 8.0])
    times = layered_rays.first_p(found.velocity_model.top_km, found.velocity_model.vp_km_s, *path)
    np.testing.assert_allclose(times, np.hypot(*path) / 6.0, atol=0.15)
    for r in (15.0, 40.0):
        assert found.magnitude.magnitude(2.0, r) == pytest.approx(TOY.magnitude.magnitude(2.0, r), abs=0.12)
    assert found.pick_scatter_s == pytest.approx(TOY.pick_scatter_s, rel=0.5)
    assert found.magnitude.scatter == pytest.approx(TOY.magnitude.scatter, abs=0.05)
    assert found.window == TOY.window
    terms, true = (one.station_table().reindex(["S00", "S01", "S05"]) for one in (found, TOY))
    assert terms.site_term["S00"] - terms.site_term["S05"] == pytest.approx(0.4, abs=0.15)
    assert terms.p_term_s["S01"] - terms.p_term_s["S05"] == pytest.approx(true.p_term_s["S01"], abs=0.15)


def test_the_text_is_the_network_and_its_twin_resembles_the_bulletin(draft, tmp_path, catalogue):
    path = tmp_path / "toy.yaml"
    network_report.write(draft, path)
    assert networks.load(path) == draft.network
    assert (tmp_path / "toy.html").read_text().startswith("<!doctype html>")
    twin = simulation.simulate(draft.network, 200, 1)
    for name in ("source_latitude_deg", "source_depth_km", "source_magnitude"):
        assert twin.events[name].median() == pytest.approx(catalogue.events[name].median(), abs=3)
    stations = [one.readings.groupby("source_id").size().median() for one in (twin, catalogue)]
    assert stations[0] == pytest.approx(stations[1], abs=2)


def test_range_and_claims_are_those_of_the_events(draft, catalogue):
    box = new_network.validity(draft.catalogue.events)
    assert box["depth_km"][1] == pytest.approx(catalogue.events.source_depth_km.quantile(0.99), abs=0.01)
    text = network_report.as_text(draft)
    assert "300 events" in text
    assert "locations against those of experts: no" in text
    assert "magnitudes: yes" in text


def test_longitudes_go_on_across_the_antimeridian(draft):
    events = draft.catalogue.events.assign(source_longitude_deg=np.where(np.arange(300) % 2, 179.8, -179.9))
    low, high = new_network.validity(events)["longitude"]
    assert (low, high) == (179.8, 180.1)


def test_a_station_that_no_file_has_is_left_out_and_said(files, tmp_path):
    _write_stations(tmp_path / "some.csv", TOY.stations[:-1])
    found = new_network.draft([files / "events.xml"], tmp_path / "some.csv", name="toy")
    missing = TOY.stations[-1].code
    assert missing not in found.network.station_table().index
    assert f"1 unknown, their readings are left out: {missing}" in network_report.as_text(found)


def test_without_coordinates_the_remedy_is_named(files, capsys, tmp_path):
    out = tmp_path / "my.yaml"
    assert cli.main(["network", "new", "--bulletin", str(files / "events.xml"), "--out", str(out)]) == 2
    assert "--stations" in capsys.readouterr().err
    assert not out.exists()


def test_the_command_writes_a_file_that_loads(files, tmp_path, capsys):
    out = tmp_path / "My network-2.yaml"
    command = ["--bulletin", str(files / "events.xml"), "--stations", str(files / "stations.csv"), "--out", str(out)]
    assert cli.main(["network", "new", *command]) == 0
    assert networks.load(out).name == "my_network_2"
    assert "Clocks and gains that changed\n  none" in capsys.readouterr().out


def test_too_few_readings_for_a_velocity_model_name_the_remedy(draft):
    with pytest.raises(UserError, match="--velocity"):
        velocity_fit.fit_velocity(draft.catalogue.head(3), draft.network)


def test_no_layer_is_faster_than_the_upper_mantle(catalogue):
    """Origin times that are late by seconds make distant onsets seem absurdly fast."""
    paths, _, _ = velocity_fit._onsets(catalogue, TOY, 0)
    readings = catalogue.readings.copy()
    fast = layered_rays.first_p(np.array([0.0, 4, 8, 12]), np.array([5.0, 11, 14, 16.5]), *paths)
    readings.loc[readings.path_p_travel_s.notna(), "path_p_travel_s"] = fast
    fit = velocity_fit.fit_velocity(replace(catalogue, readings=readings), TOY)
    assert max(fit.model.vp_km_s) <= velocity_fit.FASTEST_KM_S


def test_an_unusual_model_is_said(draft):
    assert "unusual" not in network_report.as_text(draft)
    wrong = replace(draft, network=replace(draft.network, velocity_model=VelocityModel([0.0], [8.5], 2.9, "fitted")))
    text = network_report.as_text(wrong)
    assert "unusual Vp/Vs 2.9: check the bulletin's origin times" in text
    assert "unusual P velocity 8.5 km/s" in text


def test_a_bulletin_without_picks_is_called_so(files, tmp_path, capsys):
    catalogue = bulletins.read_catalogue(files / "events.xml", "toy")
    quakeml.write(replace(catalogue, readings=catalogue.readings.iloc[:0]), tmp_path / "bare.xml")
    words = ["--bulletin", str(tmp_path / "bare.xml"), "--stations", str(files / "stations.csv")]
    assert cli.main(["network", "new", *words, "--out", str(tmp_path / "my.yaml")]) == 2
    error = capsys.readouterr().err
    assert "bare.xml: no event has an onset at a station: give a bulletin with picks" in error
    assert error.count("\n") == 1


def test_a_bulletin_without_amplitudes_or_magnitudes_gets_choices(draft, files, tmp_path):
    bare = bulletins.read_catalogue(files / "events.xml", "toy")
    bare.readings["trace_amplitude_nm"] = np.nan
    bare.events["source_magnitude"] = np.nan
    quakeml.write(bare, tmp_path / "bare.xml")
    found = new_network.draft([tmp_path / "bare.xml"], files / "stations.csv", name="bare")
    assert found.network.magnitude == magnitude_fit.HUTTON_BOORE
    assert "a choice" in found.comments["magnitude"]
    assert "a choice" in found.zone_comments[0]
    (tmp_path / "bare.yaml").write_text(found.text())
    assert networks.load(tmp_path / "bare.yaml") == found.network


def test_a_clock_and_a_gain_that_change_are_found_and_nothing_else(draft, catalogue):
    changed = replace(catalogue, readings=catalogue.readings.copy())
    late = changed.readings.source_id.map(catalogue.events.source_origin_time) > CHANGED
    s03, s07 = (changed.readings.station_code == code for code in ("S03", "S07"))
    changed.readings.loc[late & s03, ["path_p_travel_s", "path_s_travel_s"]] += 1.0
    changed.readings.loc[late & s07, "trace_amplitude_nm"] *= 3
    found = station_checks.steps(changed, draft.network)
    assert {(one.station, one.what) for one in found} == {
        ("S03", "P delay (s)"),
        ("S03", "S delay (s)"),
        ("S07", "log10 amplitude"),
    }
    assert all(abs(one.when - CHANGED) < pd.Timedelta(days=3) for one in found)
    clock = next(one for one in found if one.what == "P delay (s)")
    assert clock.after - clock.before == pytest.approx(1.0, abs=0.2)
    assert not station_checks.steps(catalogue, draft.network)


def test_a_station_at_the_wrong_place_is_found_and_no_other(draft, catalogue):
    moved = [replace(one, longitude=one.longitude + 0.2) if one.code == "S09" else one for one in TOY.stations]
    found = station_checks.misplaced(catalogue, replace(TOY, stations=moved))
    assert list(found) == ["S09"]
    assert "towards 2" in found["S09"]  # west of the wrong place
    assert not station_checks.misplaced(catalogue, TOY)


@pytest.mark.parametrize(("top", "speed"), [([0.0], [6.0]), ([0.0, 5.0, 16.0], [5.0, 6.2, 7.4])])
def test_exact_rays_agree_with_the_marched_table(top, speed):
    rng = np.random.default_rng(0)
    r, z, h = rng.uniform(0, 150, 500), rng.uniform(0, 30, 500), rng.uniform(0, 3, 500)
    table = TravelTimes(VelocityModel(top, speed, 1.75, "made up"), 200, 60)
    difference = layered_rays.first_p(top, speed, r, z, h) - table.p(r, z, 1000 * h)
    assert np.abs(difference).max() < 0.05


def test_readings_place_a_station_that_the_file_puts_elsewhere(catalogue):
    paths = geodesy.path_geometry(catalogue, TOY)
    rows = catalogue.readings.station_code == "S02"
    events = catalogue.events.loc[catalogue.readings.source_id[rows]]
    geometry = paths[rows].rename(columns={"path_ep_distance_km": "distance_km", "path_azimuth_deg": "azimuth_deg"})
    geometry["latitude"] = events.source_latitude_deg.to_numpy()
    geometry["longitude"] = events.source_longitude_deg.to_numpy()
    true = TOY.stations[2]
    wrong = replace(true, latitude=true.latitude + 1)
    for listed in ({}, {"S02": wrong}):
        found = station_places.place("S02", geometry, listed)
        assert found.station.position_from == "readings"
        assert found.station.latitude == pytest.approx(true.latitude, abs=0.01)
    assert found.moved_km == pytest.approx(111, abs=2)
    assert station_places.place("S02", geometry, {"S02": true}).station == true


# ------------------------------------------------------------------------------------------------------ real bulletins


def _apart_km(found, shipped):
    """Distance between the places of the same stations."""
    ours, theirs = found.station_table(), shipped.station_table()
    both = ours.index.intersection(theirs.index)
    ours, theirs = ours.loc[both], theirs.loc[both]
    return geodesy.distance_azimuth(ours.latitude, ours.longitude, theirs.latitude, theirs.longitude)[0]


def _late_s(found, shipped, km, depth_km):
    """Difference of the P times of two velocity models."""
    r, z = np.array(km, float), np.full(len(km), float(depth_km))
    times = [
        layered_rays.first_p(one.velocity_model.top_km, one.velocity_model.vp_km_s, r, z) for one in (found, shipped)
    ]
    return np.abs(times[0] - times[1])


def test_a_stranger_describes_ridgecrest(real_data):
    folder = real_data / "ridgecrest"
    found = new_network.draft(
        [folder / "eg_pal_ct_full.pha"], folder / "example_pal_format1.sta", name="stranger"
    ).network
    shipped = networks.load("ridgecrest")
    assert {one.code for one in found.stations} == {one.code for one in shipped.stations}
    assert _apart_km(found, shipped).max() < 0.1
    assert found.velocity_model.vp_vs == pytest.approx(shipped.velocity_model.vp_vs, rel=0.01)
    assert _late_s(found, shipped, (10, 30, 60), 6).max() < 0.4
    assert found.window == shipped.window
    assert found.pick_scatter_s == pytest.approx(shipped.pick_scatter_s, abs=0.1)
    terms, known = (one.station_table() for one in (found, shipped))
    assert terms.site_term.corr(known.site_term.reindex(terms.index)) > 0.8


def test_a_stranger_describes_colombia_without_a_station_file(real_data):
    draft = new_network.draft([real_data / "colombia" / "rsnc-2018-02.out"], name="stranger")
    found, shipped = draft.network, networks.load("colombia")
    apart = _apart_km(found, shipped)
    assert len(apart) > 80
    assert np.quantile(apart, 0.95) < 1.5
    assert found.velocity_model.vp_vs == pytest.approx(shipped.velocity_model.vp_vs, rel=0.01)
    assert _late_s(found, shipped, (20, 50, 150, 300, 500), 10).max() < 0.7
    assert found.window == shipped.window
    for r in (30.0, 100.0, 300.0):
        assert found.magnitude.magnitude(3.0, r) == pytest.approx(shipped.magnitude.magnitude(3.0, r), abs=0.15)
    nest = max(found.zones, key=lambda zone: zone.share)
    assert (nest.latitude, nest.longitude, nest.depth_km) == pytest.approx((6.82, -73.17, 143), abs=1)
