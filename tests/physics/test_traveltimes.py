import numpy as np
import pytest

import seisbook.physics.traveltimes
from seisbook.catalogues.schema import VelocityModel
from seisbook.physics.traveltimes import ELEVATION_KM, TravelTimes, tabulate

HALF_SPACE = VelocityModel([0.0], [6.0], 1.75, "half-space")
TWO_LAYERS = VelocityModel([0.0, 30.0], [6.0, 8.0], 1.78, "two layers")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """A cache for this module alone, shared by its tests so that each table is marched once."""
    folder = tmp_path_factory.getbasetemp() / "traveltimes_cache"
    monkeypatch.setattr(seisbook.physics.traveltimes.pooch, "os_cache", lambda name: folder)
    return folder


def two_layer_time(r, z, h, thickness=30.0, v1=6.0, v2=8.0):
    """Earlier of the direct ray and the head wave, for hypocentres in the upper layer."""
    direct = np.hypot(r, z + h) / v1
    tangent = v1 / np.sqrt(v2**2 - v1**2)
    legs = (thickness - z) + (thickness + h)
    head = r / v2 + legs * np.sqrt(1 / v1**2 - 1 / v2**2)
    return np.where(r >= legs * tangent, np.minimum(direct, head), direct)


def test_half_space_agrees_with_straight_rays():
    rng = np.random.default_rng(0)
    r, z, h = rng.uniform(0, 300, 2000), rng.uniform(0, 150, 2000), rng.uniform(0, 4000, 2000)
    exact = np.hypot(r, z + h / 1000) / 6
    times = TravelTimes(HALF_SPACE, 300, 150)
    assert np.abs(times.p(r, z, h) - exact).max() < 0.015
    np.testing.assert_allclose(times.s(r, z, h), times.p(r, z, h) * 1.75)


@pytest.mark.parametrize("extent", [(320, 60), (500, 60)], ids=["local grids", "wide grids"])
def test_two_layers_agree_with_direct_and_head_waves(extent):
    rng = np.random.default_rng(1)
    r, z, h = rng.uniform(0, 300, 3000), rng.uniform(0, 30, 3000), rng.uniform(0, 4, 3000)
    error = TravelTimes(TWO_LAYERS, *extent).p(r, z, 1000 * h) - two_layer_time(r, z, h)
    assert np.abs(error).max() < 0.03


def test_near_the_station_times_have_no_cusp_error():
    r, z = np.meshgrid(np.linspace(0, 2, 41), np.linspace(0, 2, 41))
    error = TravelTimes(HALF_SPACE, 300, 150).p(r, z) - np.hypot(r, z) / 6
    assert np.abs(error).max() < 0.01


def test_arguments_broadcast_and_nan_stays_nan():
    times = TravelTimes(HALF_SPACE, 300, 150)
    table = times.p(np.array([[10.0], [20.0], [np.nan]]), np.array([5.0, 10.0]))
    assert table.shape == (3, 2)
    assert np.isnan(table[2]).all()
    assert np.isfinite(table[:2]).all()
    assert times.p(0, 0, 0) == 0
    assert times.p(10, 10, 500).shape == ()


def test_beyond_the_table_times_go_on_with_the_last_slowness():
    times = TravelTimes(TWO_LAYERS, 320, 60)
    edge, beyond = times.p(320, 10), times.p(420, 10)
    assert beyond - edge == pytest.approx(100 / 8, abs=0.05)
    assert np.isfinite(times.p(100, 200))


def test_table_is_read_from_the_cache(monkeypatch):
    TravelTimes(HALF_SPACE, 40, 20)
    seisbook.physics.traveltimes._table.cache_clear()
    monkeypatch.setattr(seisbook.physics.traveltimes, "tabulate", lambda *model: pytest.fail("computed again"))
    assert TravelTimes(HALF_SPACE, 40, 20).p(30, 0) == pytest.approx(5, abs=0.01)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not an archive", "half"], ids=["empty", "garbage", "truncated"])
def test_damaged_cache_file_is_computed_again(own_cache, content):
    TravelTimes(HALF_SPACE, 41, 20)
    seisbook.physics.traveltimes._table.cache_clear()
    for file in (own_cache / "traveltimes").glob("*.npz"):
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    assert TravelTimes(HALF_SPACE, 41, 20).p(30, 0) == pytest.approx(5, abs=0.01)
    seisbook.physics.traveltimes._table.cache_clear()
    assert not list((own_cache / "traveltimes").glob(".*"))


def test_cache_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way of the cache folder")
    monkeypatch.setattr(seisbook.physics.traveltimes.pooch, "os_cache", lambda name: tmp_path / "file")
    assert TravelTimes(HALF_SPACE, 42, 20).p(30, 0) == pytest.approx(5, abs=0.01)


def test_table_covers_what_was_asked():
    r, z, slowness = tabulate(np.array([0.0]), np.array([5.0]), 50.3, 20.2)
    assert r[0] == 0
    assert r[-1] >= 50.3
    assert z[-1] >= 20.2
    assert slowness.shape == (len(ELEVATION_KM), len(z), len(r))
    np.testing.assert_allclose(slowness, 0.2, rtol=0.025)  # largest where the march starts
