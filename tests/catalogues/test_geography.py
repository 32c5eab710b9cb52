import json

import pytest
import shapely

from seisbook.catalogues import geography
from seisbook.paths import DATA


@pytest.mark.parametrize("name", ["colombia", "ridgecrest", "iceland", "greece", "italy"])
def test_geography_is_valid_geojson_within_its_box(name):
    path = DATA / "geography" / f"{name}.geojson"
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["type"] == "FeatureCollection"
    west, south, east, north = {
        "colombia": (-86, -7, -64, 16), "ridgecrest": (-121, 32.5, -114, 38.5), "iceland": (-25, 63, -13, 67),
        "greece": (16, 31.5, 32.5, 44.5), "italy": (3, 34, 22, 50),
    }[name]  # fmt: skip
    for feature in content["features"]:
        shape = shapely.geometry.shape(feature["geometry"])
        assert shape.is_valid
        assert not shape.is_empty
        assert shapely.box(west, south, east, north).covers(shape)


def test_geography_puts_known_places_on_land_and_at_sea():
    land = shapely.union_all([shape for _, shape in geography.geography("colombia")["land"]])
    assert land.contains(shapely.Point(-74.08, 4.61))  # Bogotá
    assert not land.contains(shapely.Point(-78.5, 5.0))  # Pacific
    assert not land.contains(shapely.Point(-75.0, 12.0))  # Caribbean
    assert not shapely.union_all([s for _, s in geography.geography("iceland")["land"]]).contains(
        shapely.Point(-14, 63.2)
    )


def test_geography_stays_small():
    assert sum(path.stat().st_size for path in (DATA / "geography").glob("*")) < 600_000
