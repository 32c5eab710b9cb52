import copy
import importlib.util
import sys
from dataclasses import replace

import numpy as np
import pytest
import yaml
from obspy.geodetics import gps2dist_azimuth

from seisbook.catalogues import geodesy, networks
from seisbook.errors import DataError, UserError
from seisbook.paths import DATA

VALID = {
    "name": "test",
    "title": "Test",
    "reference": "made up",
    "utc_offset_h": -5,
    "velocity_model": {"top_km": [0, 10], "vp_km_s": [5, 7], "vp_vs": 1.75, "source": "made up"},
    "magnitude": {"b": 1.1, "c": 0.002, "d": -2.0, "scatter": 0.2, "source": "made up"},
    "window": {"length_s": 30, "sampling_rate_hz": 50, "lead_s": [2, 5]},
    "pick_scatter_s": [0.1, 0.2],
    "pick_scatter_per_100km_s": 0.1,
    "dominant_period_s": [0.2, 1.2],
    "minimum_stations": 4,
    "stations": [
        {"code": "AAA", "latitude": 4.0, "longitude": -74.0, "elevation_m": 100},
        {"code": "BBB", "latitude": 5.0, "longitude": -73.0, "elevation_m": 2000},
    ],
    "zones": [
        {
            "name": "only",
            "source_type": "tectonic",
            "latitude": 4.5,
            "longitude": -73.5,
            "depth_km": 10,
            "length_km": 5,
            "width_km": 5,
            "depth_spread_km": 2,
            "b_value": 1.0,
            "magnitude_min": 1,
            "magnitude_max": 5,
            "share": 1.0,
        }
    ],
}


@pytest.fixture
def write(tmp_path):
    def write(*keys, value=None, drop=False):
        content = copy.deepcopy(VALID)
        place = content
        for key in keys[:-1]:
            place = place[key]
        if drop:
            del place[keys[-1]]
        elif keys:
            place[keys[-1]] = value
        path = tmp_path / "net.yaml"
        path.write_text(yaml.safe_dump(content))
        return path

    return write


def test_valid_file_loads(write):
    network = networks.load(write())
    assert network.window.samples == 1500
    assert network.station_table().loc["BBB", "elevation_m"] == 2000
    assert network.centre == pytest.approx((4.5, -73.5))


@pytest.mark.parametrize(
    ("keys", "value", "drop", "said"),
    [
        (("title",), None, True, "title: Field required"),
        (("velocity_model", "vp_vs"), None, True, "velocity_model.vp_vs: Field required"),
        (("colour",), "red", False, "colour: no such key"),
        (("stations", 1, "height"), 3.0, False, "stations.1.height: no such key"),
        (("minimum_stations",), "many", False, "minimum_stations: Input should be a valid integer"),
        (("stations", 0, "latitude"), 94.0, False, "stations.0.latitude: Input should be less than or equal to 90"),
        (("stations", 0, "latitude"), float("nan"), False, "stations.0.latitude"),
        (("stations", 1, "code"), "AAA", False, "station codes occur twice: AAA"),
        (("stations",), [], False, "stations: List should have at least 1 item"),
        (("zones", 0, "share"), 0.7, False, "the shares of the zones add up to 0.700, not to 1"),
        (("zones", 0, "source_type"), "alien", False, "zones.0.source_type"),
        (("velocity_model", "top_km"), [0, 10, 20], False, "top_km has 3 entries and vp_km_s has 2"),
        (("velocity_model", "top_km"), [10, 0], False, "top_km must increase downwards"),
        (("window", "lead_s"), [5, 2], False, "lead_s must be"),
        (("window", "length_s"), float("inf"), False, "window.length_s: Input should be a finite number"),
        (("window", "length_s"), 0.2, False, "makes 10 samples: choose them to make 16 to 1000000"),
        (("window", "sampling_rate_hz"), 1e6, False, "makes 30000000 samples"),
        (("velocity_model", "vp_km_s"), [5, 6000], False, "velocity_model.vp_km_s.1: Input should be less"),
        (("velocity_model", "top_km"), [0, float("nan")], False, "velocity_model.top_km.1: Input should be a finite"),
        (("magnitude", "c"), float("-inf"), False, "magnitude.c: Input should be a finite number"),
        (("magnitude", "scatter"), 3, False, "magnitude.scatter: Input should be less than 3"),
        (("pick_scatter_s",), [0.1, float("inf")], False, "pick_scatter_s.1: Input should be a finite number"),
        (("pick_scatter_per_100km_s",), 1e300, False, "pick_scatter_per_100km_s: Input should be less"),
        (("dominant_period_s",), [0.2, 1e9], False, "dominant_period_s.1: Input should be less"),
        (("minimum_stations",), 10**30, False, "minimum_stations: Input should be less"),
        (("utc_offset_h",), 10**400, False, "utc_offset_h: Input should be a valid number"),
        (("zones", 0, "hours"), [-1, 5], False, "zones.0.hours.0: Input should be greater"),
        (("zones", 0, "b_value"), 0.0, False, "zones.0.b_value"),
        (("zones", 0, "magnitude_max"), 11, False, "zones.0.magnitude_max: Input should be less"),
        (("zones", 0, "magnitude_min"), 5, False, "zones.0: magnitude_min must be less than magnitude_max"),
        (("zones", 0, "length_km"), 1e5, False, "zones.0.length_km: Input should be less"),
        (("stations", 0, "elevation_m"), True, False, "stations.0.elevation_m: give a number, not yes or no"),
        (("stations", 0, "code"), "", False, "stations.0.code: String should match"),
        (("stations", 0, "code"), "AA\n", False, "stations.0.code: String should match"),
        (("stations", 0, "code"), "<b>", False, "stations.0.code: String should match"),
        (("stations", 0, "network"), "X X", False, "stations.0.network: String should match"),
        (("title",), "bell \x07", False, "title: String should match"),
        (("x" * 10**5,), 1, False, "no such key: check its spelling"),
        (("reference",), ["y" * 100] * 100, False, "reference: Input should be a valid string"),
        (("stations",), "z" * 10**5, False, "stations: neither a list nor the name of a file"),
    ],
)
def test_mistakes_name_file_and_key(write, keys, value, drop, said):
    path = write(*keys, value=value, drop=drop)
    with pytest.raises(DataError) as caught:
        networks.load(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("title: Test\n", "key 'title' is given twice"),
        ("more: " + "{a: " * 5000, "levels of nesting"),
        ("a: &a [1]\nb: &b [*a, *a]\nc: &c [*b, *c]\n", "an alias refers to what holds it"),
    ],
)
def test_harmful_yaml_is_refused_with_its_file(write, text, said):
    path = write()
    path.write_text(path.read_text() + text)
    with pytest.raises(DataError, match=rf"net\.yaml: not a YAML file that is read here \(.*{said}"):
        networks.load(path)


@pytest.mark.parametrize(
    ("longitudes", "centre"),
    [([179.0, -179.0], 180.0), ([178.0, -179.5], 179.25), ([179.5, -178.0], -179.25), ([-74.0, 10.0], -32.0)],
)
def test_the_centre_lies_between_the_stations_also_across_the_antimeridian(write, longitudes, centre):
    network = networks.load(write())
    stations = [replace(one, longitude=x) for one, x in zip(network.stations, longitudes, strict=True)]
    network = replace(network, stations=stations)
    assert network.centre[1] == pytest.approx(centre)
    table = network.station_table()
    east, north = network.to_local(table.latitude, table.longitude)
    metres, _, _ = gps2dist_azimuth(4.0, longitudes[0], 5.0, longitudes[1])
    assert np.hypot(*np.diff([east, north])[:, 0]) == pytest.approx(metres / 1000, rel=0.02)


def test_what_was_decided_about_a_station_file_is_a_remark_of_the_network(write, tmp_path):
    (tmp_path / "low.csv").write_text("code,lat,lon,elevation\nONE,4,-74,3\nTWO,5,-73,8\n")
    path = write("stations", value="low.csv")
    assert [station.elevation_m for station in networks.load(path).stations] == [3, 8]
    (remark,) = networks.station_remarks(path)
    assert "low.csv: elevations are taken for metres" in remark
    assert networks.station_remarks("ridgecrest") == []


def test_misspelt_key_is_named_and_not_the_one_that_it_leaves_missing(write):
    path = write("minimum_stations", drop=True)
    path.write_text(path.read_text() + "minimum_statoins: 4\n")
    with pytest.raises(DataError, match="minimum_statoins: no such key: check its spelling"):
        networks.load(path)


def test_stations_may_stand_in_a_file_of_their_own(write, tmp_path):
    path = write("stations", value="my_stations.csv")
    with pytest.raises(UserError, match=r"my_stations\.csv: no such station file"):
        networks.load(path)
    (tmp_path / "my_stations.csv").write_text(
        "code,latitude,longitude,elevation_m\nXX.ONE,4,-74,100\nXX.TWO,5,-73,2000\n"
    )
    network = networks.load(path)
    assert [(one.network, one.code, one.elevation_m) for one in network.stations] == [
        ("XX", "ONE", 100),
        ("XX", "TWO", 2000),
    ]


def test_not_yaml(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text("name: [unclosed\n")
    with pytest.raises(DataError, match=r"net\.yaml: not a YAML file"):
        networks.load(path)
    path.write_bytes(b"\x89HDF\r\n\x1a\n\x00\xff\xfe")
    with pytest.raises(DataError, match=r"net\.yaml: not a YAML file"):
        networks.load(path)
    path.write_text("just a sentence\n")
    with pytest.raises(DataError, match=r"net\.yaml: top level"):
        networks.load(path)


RECORDED = {"uturuncu": 24, "ridgecrest_august": 16, "mexico": 28}  # networks with seismograms, and their stations


def test_unknown_network_lists_known_ones():
    with pytest.raises(
        UserError,
        match=r"no network 'atlantis': choose one of colombia, iceland, mexico, ridgecrest, ridgecrest_august",
    ):
        networks.load("atlantis")


@pytest.mark.parametrize(
    ("name", "stations"), [("colombia", 124), ("ridgecrest", 10), ("iceland", 12), *RECORDED.items()]
)
def test_shipped_networks(name, stations):
    network = networks.load(name)
    assert network.name == name
    assert len(network.stations) == stations
    assert sum(zone.share for zone in network.zones) == pytest.approx(1)
    assert 0.1 < network.magnitude.scatter <= 0.3
    types = {"colombia": 6, "ridgecrest": 4, "iceland": 1, **dict.fromkeys(RECORDED, 1)}
    assert len({zone.source_type for zone in network.zones}) == types[name]


def test_magnitude_relation_is_hutton_and_boore():
    # M 3 is 1 mm on a Wood-Anderson record, gain 2080, at 100 km
    relation = networks.load("ridgecrest").magnitude
    assert relation.magnitude(np.log10(1e6 / 2080), 100.0) == pytest.approx(3.0, abs=0.01)
    assert relation.magnitude(relation.log_amplitude(2.5, 37.0), 37.0) == pytest.approx(2.5)


def test_local_plane_keeps_distance_and_azimuth():
    east, north = geodesy.azimuthal_equidistant(7.0, -72.0, (4.0, -74.0))
    metres, azimuth, _ = gps2dist_azimuth(4.0, -74.0, 7.0, -72.0)
    assert np.hypot(east, north) == pytest.approx(metres / 1000, rel=0.006)
    assert np.degrees(np.arctan2(east, north)) == pytest.approx(azimuth, abs=0.3)
    assert np.allclose(geodesy.azimuthal_equidistant(4.0, -74.0, (4.0, -74.0)), 0)


@pytest.mark.parametrize("name", ["ridgecrest", "iceland", *RECORDED])
def test_shipped_file_is_what_its_script_writes(real_data, name):
    path = DATA / "networks" / "make.py"
    spec = importlib.util.spec_from_file_location("make", path)
    make = importlib.util.module_from_spec(spec)
    sys.modules["make"] = make  # dataclasses look their module up
    try:
        spec.loader.exec_module(make)
        text = getattr(make, name)()
    finally:
        del sys.modules["make"]
    assert text == (DATA / "networks" / f"{name}.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("title", ["<img src=x onerror=alert(1)>", "a > b", "{raw}`x`", "$x$", "a\\b"])
def test_a_title_that_a_page_would_take_for_markup_is_refused(write, title):
    with pytest.raises(DataError, match=r"net\.yaml: title: .*markup"):
        networks.load(write("title", value=title))
