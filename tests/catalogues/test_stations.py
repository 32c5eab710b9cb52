import logging

import numpy as np
import pytest
from obspy.core.inventory import Inventory, Network, Station
from pyproj import Geod

from seisbook.catalogues.stations import locate_from_readings, read_seisan_velocity, read_stations
from seisbook.errors import DataError, UserError

GEOD = Geod(ellps="WGS84")

SEISAN = """RESET TEST(02)=500.0
RESET TEST(75)=1.0

 HEAD
  AAAA0450.40N 7419.22W2987  0.00
  BBB 0164.06N 7923.10W  35  0.00
  CCCC0030.00S 7654.00W 500 0.00
  DDDD  49.43N 7758.28W4230
  EEEE 115.00N 7723.48W
 FFFFF0430.00N 7500.00E -71
  AAAA0450.40N 7419.22W2987  0.00
 GGGGG0433.36N 7539.62W 1554 0.00   trailing words
 RELOC
 Inter
  hhh    7.09S 7834.27W4510

  4.8       0.0
  6.6       4.0
  8.0      32.0      N
  8.2     100.0

100.  100. 800. 1.78  100  2.0  2.0
TST
"""


@pytest.fixture
def seisan(tmp_path):
    path = tmp_path / "STATION0.HYP"
    path.write_text(SEISAN)
    return path


def test_seisan_stations(seisan):
    stations = {station.code: station for station in read_stations(seisan)}
    assert list(stations) == ["AAAA", "BBB", "CCCC", "DDDD", "EEEE", "FFFFF", "GGGGG", "hhh"]
    assert stations["AAAA"].latitude == pytest.approx(4 + 50.40 / 60, abs=1e-6)
    assert stations["AAAA"].longitude == pytest.approx(-(74 + 19.22 / 60), abs=1e-6)
    assert stations["BBB"].latitude == pytest.approx(1 + 64.06 / 60, abs=1e-6)  # more than 60 minutes
    assert stations["CCCC"].latitude == pytest.approx(-0.5)
    assert stations["DDDD"].latitude == pytest.approx(49.43 / 60, abs=1e-6)  # no degrees
    assert stations["EEEE"].elevation_m == 0
    assert (stations["FFFFF"].longitude, stations["FFFFF"].elevation_m) == (75.0, -71)
    assert stations["GGGGG"].elevation_m == 1554  # one column too far to the right
    assert stations["hhh"].latitude == pytest.approx(-7.09 / 60, abs=1e-6)


def test_seisan_station_that_moves_is_logged(tmp_path, caplog):
    path = tmp_path / "STATION0.HYP"
    path.write_text("  AAAA0450.40N 7419.22W2987  0.00\n  AAAA0550.40N 7419.22W2987  0.00\n")
    with caplog.at_level(logging.WARNING):
        (station,) = read_stations(path)
    assert station.latitude == pytest.approx(5.84)
    assert "STATION0.HYP:2: station AAAA moves from its place in line 1" in caplog.text


def test_seisan_velocity(seisan, tmp_path):
    model = read_seisan_velocity(seisan)
    assert model.top_km == [0.0, 4.0, 32.0, 100.0]
    assert model.vp_km_s == [4.8, 6.6, 8.0, 8.2]
    assert model.vp_vs == 1.78
    without = tmp_path / "OTHER.HYP"
    without.write_text("  AAAA0450.40N 7419.22W2987  0.00\n")
    with pytest.raises(DataError, match=r"OTHER\.HYP: no velocity model"):
        read_seisan_velocity(without)


@pytest.mark.parametrize(
    ("text", "code", "elevation", "network"),
    [
        ("code,latitude,longitude,elevation_m\nAAA,64.5,-17.25,1381\n", "AAA", 1381, ""),
        ("Latitude,Longitude,Elevation,Name\n64.5,-17.25,1.381,AAA\n", "AAA", 1381, ""),
        ("Latitude,Longitude,Elevation(km),Name\n64.5,-17.25,1.381,AAA\n", "AAA", 1381, ""),
        ("XX.AAA,64.5,-17.25,1381.0,100.\n", "AAA", 1381, "XX"),
    ],
)
def test_csv_dialects(tmp_path, text, code, elevation, network):
    path = tmp_path / "stations.csv"
    path.write_text(text)
    (station,) = read_stations(path)
    assert (station.code, station.network) == (code, network)
    assert (station.latitude, station.longitude) == (64.5, -17.25)
    assert station.elevation_m == pytest.approx(elevation)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("s.csv", "code,latitude,longitude,elevation_m\nAAA,4,-74,10\nBBB,x,-74,10\n", "s.csv:3: expected"),
        ("s.csv", "code,latitude,longitude,elevation_m\nAAA,4\n", "s.csv:2: expected"),
        ("s.csv", "code,latitude,longitude,elevation_m\nAAA,94,-74,10\n", "s.csv:2: code 'AAA', latitude 94"),
        ("s.csv", "code,latitude,longitude,elevation_m\nAAA,4,-74,28000\n", "s.csv:2: elevation 28000 m"),
        ("s.csv", "code,latitude,height\nAAA,4,10\n", "s.csv:1: no column for longitude, elevation"),
        ("s.csv", "", "s.csv: no station found"),
        ("S.HYP", "  AAAA0450.40N 7419.22W2987\n  BBB   7.09S 7419.22W2987\n", "S.HYP:2: not a SEISAN station line"),
        ("s.xml", "<html></html>", "s.xml: not a StationXML file"),
    ],
)
def test_mistakes_name_the_line(tmp_path, name, text, said):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_stations(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(UserError, match="no such station file"):
        read_stations(tmp_path / "none.csv")


def test_stationxml(tmp_path):
    stations = [Station("AAA", 4.0, -74.0, 2600.0), Station("BBB", -5.0, -73.0, 10.0)]
    Inventory([Network("CM", stations=stations)], source="test").write(tmp_path / "s.xml", format="STATIONXML")
    one, two = read_stations(tmp_path / "s.xml")
    assert (one.code, one.network, one.elevation_m) == ("AAA", "CM", 2600.0)
    assert two.latitude == -5.0


def bulletin_readings(latitude, longitude, n, rng):
    """Distances and azimuths of random events, rounded as bulletins round them."""
    latitudes, longitudes = latitude + rng.uniform(-2, 2, n), longitude + rng.uniform(-2, 2, n)
    azimuths, _, metres = GEOD.inv(longitudes, latitudes, np.full(n, longitude), np.full(n, latitude))
    km = np.asarray(metres) / 1000
    distances = np.where(km < 100, km.round(1), km.round(0))
    return latitudes, longitudes, distances, np.asarray(azimuths).round() % 360


@pytest.mark.parametrize("n", [2, 5, 40])
def test_station_from_readings(n):
    rng = np.random.default_rng(3)
    latitude, longitude, misfit = locate_from_readings(*bulletin_readings(6.25, -72.5, n, rng))
    _, _, metres = GEOD.inv(longitude, latitude, -72.5, 6.25)
    assert metres < 1500
    assert misfit < 2
    if n == 40:
        assert metres < 150


def test_station_from_readings_bears_outliers():
    latitudes, longitudes, distances, azimuths = bulletin_readings(6.25, -72.5, 40, np.random.default_rng(4))
    azimuths[:8] += 120
    latitude, longitude, _ = locate_from_readings(latitudes, longitudes, distances, azimuths)
    _, _, metres = GEOD.inv(longitude, latitude, -72.5, 6.25)
    assert metres < 1500


def test_station_without_readings():
    with pytest.raises(UserError, match="no reading gives"):
        locate_from_readings([], [], [], [])


def test_real_station_files(real_data):
    stations = {station.code: station for station in read_stations(real_data / "colombia" / "STATION0.HYP")}
    assert len(stations) > 500
    assert stations["RVRD"].latitude == pytest.approx(1 + 64.06 / 60, abs=1e-6)
    assert len(read_stations(real_data / "ridgecrest" / "example_pal_format1.sta")) == 14
    iceland = read_stations(real_data / "iceland" / "iceland_stations.txt")
    assert len(iceland) == 12
    assert 600 < min(station.elevation_m for station in iceland) < 1500
    model = read_seisan_velocity(real_data / "colombia" / "STATION0.HYP")
    assert model.top_km == [0, 4, 25, 32, 40, 100]
    assert model.vp_vs == 1.78
