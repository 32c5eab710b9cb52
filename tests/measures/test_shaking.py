"""Maps of new earthquakes: what few stations mean, and that each file says what the map says."""

import io
import json
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image

from seisbook.catalogues.geodesy import to_geographic
from seisbook.catalogues.ground_motion import MEASURES
from seisbook.catalogues.station_lists import Origin, StationList
from seisbook.errors import UserError
from seisbook.figures import shaking as drawing
from seisbook.measures import shaking, shaking_files
from seisbook.models import field_checkpoints
from seisbook.models.conditional_normal import ConditionalNormal
from tests.models.made_fields import REGION, parts


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    method = ConditionalNormal().fit(parts()[0])
    path = tmp_path_factory.mktemp("model") / "one"
    field_checkpoints.save(path, method, parts()[0], REGION, {"source": "simulated"}, {})
    return field_checkpoints.load(path)


@pytest.fixture(scope="module")
def listed():
    """The test event of the twin with most stations."""
    fields = parts()[1]
    event = fields.select([int(np.argmax(fields.sizes))])
    latitude, longitude = to_geographic(*event.pos.T.astype(float), REGION.centre)
    records = pd.DataFrame({"station": event.codes[event.station], "latitude": latitude, "longitude": longitude})
    records[list(MEASURES)] = event.values
    north, east = to_geographic(*event.epicentre[0].astype(float), REGION.centre)
    origin = Origin(float(north), float(east), float(event.depth_km[0]), float(event.magnitude[0]))
    return StationList("twin", records, origin, [])


@pytest.fixture(scope="module")
def found(model, listed):
    return shaking.shake(*model, listed)


def first(listed, count, origin=True):
    return StationList("twin", listed.records[:count], listed.origin if origin else None, [])


def test_a_map_is_centred_and_follows_its_stations(found, listed):
    assert found.mean.shape == found.scale.shape == (shaking.SIDE, shaking.SIDE, 5)
    assert found.grid.latitude.mean() == pytest.approx(listed.origin.latitude, abs=1e-5)
    assert found.grid.longitude.mean() == pytest.approx(listed.origin.longitude, abs=1e-5)
    assert np.diff(found.grid.latitude).max() < 0 < np.diff(found.grid.longitude).min()
    middle = np.unravel_index(np.argmax(found.mean[..., 0]), found.mean.shape[:2])
    assert np.abs(np.array(middle) - shaking.SIDE / 2).max() < shaking.SIDE / 3
    assert not found.is_estimated


def test_fewer_stations_are_less_certain_and_a_line_says_so(model, listed, caplog):
    wide = [shaking.shake(*model, first(listed, count)).scale.mean() for count in (0, 1, 3, len(listed.records))]
    assert wide == sorted(wide, reverse=True)
    assert [record.message for record in caplog.records] == [
        "no station: the map is the attenuation law alone, for the origin as it is given",
        "1 station only: beyond them the map is hardly more than the attenuation law",
        "3 stations only: beyond them the map is hardly more than the attenuation law",
    ]


def test_without_a_station_the_map_is_the_law(model, listed):
    law = shaking.shake(*model, first(listed, 0))
    method = model[0].method(knows_source=True)
    points = shaking.points_of(law.grid, model[1])
    centre = shaking._local(law.origin.latitude, law.origin.longitude, model[1])
    expected = method.law_.expected(law.origin.magnitude, np.hypot(*(points - centre).T), law.origin.depth_km)
    assert law.mean.reshape(-1, 5) == pytest.approx(expected)


def test_an_origin_is_estimated_from_the_amplitudes(model, listed, caplog):
    found = shaking.shake(*model, first(listed, len(listed.records), origin=False))
    assert found.is_estimated
    assert found.origin.magnitude == pytest.approx(listed.origin.magnitude, abs=1.0)
    assert found.origin.latitude == pytest.approx(listed.origin.latitude, abs=0.5)
    assert "estimated from the amplitudes" in caplog.text
    caplog.clear()
    one = shaking.shake(*model, first(listed, 1, origin=False))
    assert "the epicentre is a guess" in caplog.text
    assert one.scale.mean() > found.scale.mean()


def test_nothing_is_refused(model, listed):
    with pytest.raises(UserError, match="neither a station nor an origin"):
        shaking.shake(*model, first(listed, 0, origin=False))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epicentre": (38, 24)}, "the files have no origin"),
        ({"magnitude": 5.0}, "the files have no origin"),
        ({"epicentre": (138, 24), "magnitude": 5.0}, "latitude 138: give a number from -90 to 90"),
        ({"epicentre": (38, np.nan), "magnitude": 5.0}, "longitude nan: give a number"),
        ({"epicentre": (38, 24), "magnitude": np.inf}, "--magnitude inf: give a number"),
        ({"epicentre": (38, 24), "magnitude": 5.0, "depth_km": -1}, "--depth -1: give a number from 0 to 700"),
    ],
)
def test_an_origin_that_cannot_be_is_refused(listed, given, message):
    with pytest.raises(UserError, match=message):
        shaking.origin_of(first(listed, 3, origin=False), **given)


def test_what_is_given_takes_the_place_of_what_the_files_say(listed):
    assert shaking.origin_of(listed) == listed.origin
    assert shaking.origin_of(listed, magnitude=7.0) == listed.origin._replace(magnitude=7.0)
    found = shaking.origin_of(first(listed, 3, origin=False), (38.0, 24.0), None, 5.0)
    assert found[:2] == (38.0, 24.0)
    assert np.isnan(found.depth_km)


def test_an_earthquake_elsewhere_and_an_odd_reach_are_refused(model, listed):
    with pytest.raises(UserError, match="choose the model of its region"):
        shaking.shake(*model, listed, Origin(-33.0, 150.0, 10.0, 6.0))
    with pytest.raises(UserError, match="--reach 0: give a number"):
        shaking.shake(*model, listed, reach_km=0.0)


# ---------------------------------------------------------------------------------------------------------------- files


def test_grid_xml_says_what_the_map_says(found):
    root = ET.fromstring(shaking_files.grid_xml(found))
    space = "{http://earthquake.usgs.gov/eqcenter/shakemap}"
    names = [field.get("name") for field in root.iter(f"{space}grid_field")]
    assert names == ["LON", "LAT", "PGA", "PGV", "PSA03", "PSA10", "PSA30"] + [
        f"STD{name}" for name in ("PGA", "PGV", "PSA03", "PSA10", "PSA30")
    ]
    table = np.array(root.find(f"{space}grid_data").text.split(), float).reshape(-1, len(names))
    size = root.find(f"{space}grid_specification")
    assert len(table) == int(size.get("nlon")) * int(size.get("nlat")) == shaking.SIDE**2
    assert table[:, 2:7] == pytest.approx(10 ** found.mean.reshape(-1, 5), rel=1e-4)
    assert table[:, 7:] == pytest.approx(np.log(10) * found.sd.reshape(-1, 5), rel=1e-4)
    assert (table[0, 0], table[0, 1]) == (float(size.get("lon_min")), float(size.get("lat_max")))  # north-west first
    assert table[1, 0] > table[0, 0]
    assert root.find(f"{space}event").get("magnitude") == f"{found.origin.magnitude:.2f}"


def test_geojson_has_contours_stations_and_the_epicentre(found):
    content = json.loads(shaking_files.geojson(found, "pga"))
    kinds = [feature["properties"]["kind"] for feature in content["features"]]
    assert set(kinds) == {"median", "factor", "epicentre", "station"}
    assert kinds.count("station") == len(found.stations)
    (west, east), (south, north) = found.grid.longitude[[0, -1]], found.grid.latitude[[-1, 0]]
    for feature in content["features"]:
        shape = shapely.geometry.shape(feature["geometry"])
        if feature["properties"]["kind"] == "median":
            assert shapely.box(west, south, east, north).buffer(1e-4).covers(shape)
            value = np.log10(feature["properties"]["value"])
            x, y = np.array(shape.geoms[0].coords).T
            row = np.interp(y, found.grid.latitude[::-1], np.arange(shaking.SIDE))
            column = np.interp(x, found.grid.longitude, np.arange(shaking.SIDE))
            near = found.mean[::-1, :, 0][np.round(row).astype(int), np.round(column).astype(int)]
            assert np.abs(near - value).max() < 0.3


def test_geotiff_lies_where_the_map_lies(found):
    image = Image.open(io.BytesIO(shaking_files.geotiff(found, "psa10")))
    number = MEASURES.index("psa10")
    pages = []
    for page in range(image.n_frames):
        image.seek(page)
        pages.append(np.array(image))
        east, south, _ = image.tag_v2[shaking_files.PIXEL_SCALE]
        corner = image.tag_v2[shaking_files.TIEPOINT]
        assert corner[3:5] == (found.grid.longitude[0], found.grid.latitude[0])
        assert corner[3] + east * (shaking.SIDE - 1) == pytest.approx(found.grid.longitude[-1])
        assert corner[4] - south * (shaking.SIDE - 1) == pytest.approx(found.grid.latitude[-1])
        assert tuple(image.tag_v2[shaking_files.GEO_KEYS]) == shaking_files.WGS84
    assert pages[0] == pytest.approx(10 ** found.mean[..., number], rel=1e-6)
    assert pages[1] == pytest.approx(found.factor("psa10"), rel=1e-6)


def test_a_picture_has_both_panels(found):
    figure = drawing.shake_map(found, "pgv")
    assert [axis.get_title() or axis.get_title("left") for axis in figure.axes[:2]] == ["Median", "Uncertainty"]
    image = Image.open(io.BytesIO(drawing.png(found, "pgv")))
    assert image.format == "PNG"
    assert min(image.size) > 600


@pytest.mark.parametrize(("low", "high"), [(-3.0, 2.0), (0.1, 0.2), (0.05, 0.06), (-6.0, 1.0), (1.0, 1.0)])
def test_levels_are_round_and_few(low, high):
    values = np.array([low, high])
    found = shaking_files.levels(values)
    assert 2 <= len(found) <= shaking_files.MOST_BANDS + 1
    assert found[-1] >= 10**high * (1 - 1e-9)
    assert {f"{level:.0e}"[0] for level in found} <= {"1", "2", "5"}
    factors = shaking_files.factor_levels(10**values)
    assert factors[0] <= 10**low * (1 + 1e-6)
    assert factors[-1] >= 10**high * (1 - 1e-6)
    assert 2 <= len(factors) <= shaking_files.MOST_BANDS + 1


def test_all_files_are_made_before_one_is_written(found, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="no format of a map"):
        drawing.write(found, [tmp_path / "a.xml", tmp_path / "a.pickle"])

    def broken(found, measure):
        raise UserError("no")

    monkeypatch.setitem(drawing.FORMATS, ".tif", broken)
    with pytest.raises(UserError, match="no"):
        drawing.write(found, [tmp_path / "a.xml", tmp_path / "a.tif"])
    assert not list(tmp_path.iterdir())
