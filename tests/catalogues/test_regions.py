"""Regions: what a YAML file may say."""

import pytest

from seisbook.catalogues import regions
from seisbook.errors import DataError, UserError

GREECE = (regions.FOLDER / "greece.yaml").read_text(encoding="utf-8")


def test_the_shipped_regions_can_be_read():
    assert regions.available() == ["greece", "italy"]
    for name in regions.available():
        region = regions.load(name)
        assert region.name == name
        assert region.holds(*region.centre)
        assert region.to_local(*region.centre) == (pytest.approx(0), pytest.approx(0))


def test_a_region_is_told_from_a_network(tmp_path):
    path = tmp_path / "third.yaml"
    path.write_text(GREECE)
    network = tmp_path / "network.yaml"
    network.write_text("name: x\nstations: []\n")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [")
    names = ["greece", path, "colombia", network, broken, tmp_path / "none.yaml"]
    assert [regions.is_region(name) for name in names] == [True, True, False, False, False, False]


def test_a_third_region_needs_one_file(tmp_path):
    path = tmp_path / "third.yaml"
    path.write_text(GREECE.replace("name: greece", "name: third").replace("[34.0, 42.0]", "[35.5, 42.5]"))
    assert regions.load(path).latitude_deg == (35.5, 42.5)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[34.0, 42.0]", "[42.0, 34.0]", "latitude_deg must be"),
        ("[34.0, 42.0]", "[34.0, 142.0]", "latitude_deg.1"),
        ("minimum_stations: 8", "minimum_stations: yes", "minimum_stations"),
        ("farthest_km: 600", "farthest_km: .nan", "farthest_km"),
        ("name: greece", "name: ../greece", "name"),
        ("title: Greece", "title: <b>Greece", "title"),
        ("title:", "heading:", "heading"),
        ("name: greece", "name: [", "not a YAML file"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(tmp_path, old, new, message):
    path = tmp_path / "third.yaml"
    path.write_text(GREECE.replace(old, new, 1))
    with pytest.raises(DataError, match=message) as error:
        regions.load(path)
    assert str(path) in str(error.value)


def test_an_unknown_region_is_told_the_known_ones():
    with pytest.raises(UserError, match="choose one of greece, italy"):
        regions.load("atlantis")
