"""`seisbook shake`: from files to files, with the published models."""

import json
import re
import tarfile

import pytest

from seisbook import cli
from seisbook.catalogues import regions, strong_motion
from seisbook.physics import field_simulation
from tests.made_lists import as_json, as_xml, earthquake

REAL = "20210303_0000071"  # Thessaly, magnitude 6.3


@pytest.fixture
def shake(capsys):
    def shake(*words):
        try:
            code = cli.main(["shake", *map(str, words)])
        except SystemExit as stopped:
            code = stopped.code
        said = capsys.readouterr()
        return code, said.out, said.err

    return shake


@pytest.fixture(scope="module")
def twin():
    motion, _ = field_simulation.simulate(regions.load("greece"), 3, 5)
    event = motion.events.iloc[1]
    records = motion.records[motion.records.source_id == motion.events.index[1]].reset_index(drop=True)
    values = {"lat": event.source_latitude_deg, "lon": event.source_longitude_deg}
    values |= {"depth": event.source_depth_km, "mag": event.source_magnitude}
    return records, earthquake(**values)


@pytest.fixture
def folder(tmp_path, twin):
    records, origin = twin
    (tmp_path / "event.xml").write_text(origin)
    (tmp_path / "all_dat.xml").write_text(as_xml(records))
    return tmp_path


def test_a_folder_becomes_all_files(shake, folder):
    out = [folder / name for name in ("map.png", "grid.xml", "lines.geojson", "map.tif")]
    code, said, errors = shake(folder, "--model", "greece", "--measure", "pga", "--out", *out)
    assert (code, errors) == (0, "")
    assert "strongest   pga" in said
    assert all(path.stat().st_size > 5000 for path in out)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(("count", "warning"), [(3, "3 stations only"), (1, "1 station only"), (0, "no station")])
def test_few_stations_end_well_with_one_line(shake, folder, twin, caplog, count, warning):
    records, _ = twin
    (folder / "all_dat.xml").write_text(as_xml(records[:count]))
    code, _, _ = shake(folder, "--model", "greece", "--out", folder / "grid.xml")
    assert code == 0
    assert (folder / "grid.xml").is_file()
    assert [record.message for record in caplog.records if warning in record.message]


def test_json_alone_is_located(shake, tmp_path, twin):
    (tmp_path / "stationlist.json").write_text(as_json(twin[0]))
    code, said, _ = shake(tmp_path / "stationlist.json", "--model", "greece", "--out", tmp_path / "a.geojson")
    assert code == 0
    assert "estimated from the amplitudes" in said
    kinds = {f["properties"]["kind"] for f in json.loads((tmp_path / "a.geojson").read_text())["features"]}
    assert kinds == {"median", "factor", "epicentre", "station"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "nowhere"], "no model 'nowhere': choose one of greece, italy"),
        (["--model", "greece", "--out", "map.jpg"], "no format of a map"),
        (["--model", "greece", "--magnitude", "99"], "give a number from -1 to 10"),
        (["--model", "greece", "--epicentre", "-33", "150"], "choose the model of its region"),
        (["--model", "greece", "--reach", "nan"], "--reach nan"),
        (["--model", "greece", "--depth", "deep"], "invalid float value"),
        (["--model", "data/models/greece-conditional-normal.json/x"], "no such checkpoint"),
    ],
)
def test_mistakes_are_one_line(shake, folder, words, message):
    code, _, errors = shake(folder, "--out", folder / "grid.xml", *words)
    assert code == 2
    assert message in errors
    assert len([line for line in errors.splitlines() if line.startswith("seisbook")]) == 1
    assert not (folder / "grid.xml").exists()


def test_the_help_has_an_example(shake):
    code, said, _ = shake("--help")
    assert code == 0
    assert re.search(r"seisbook shake \S+ --model greece", said)


def test_a_real_earthquake(shake, real_data, tmp_path):
    with tarfile.open(strong_motion.path()) as archive:
        for member in archive:
            if f"/{REAL}/current/" in member.name and member.name.endswith(".xml"):
                (tmp_path / member.name.rpartition("/")[2]).write_bytes(archive.extractfile(member).read())
    code, said, _ = shake(tmp_path, "--model", "greece", "--out", tmp_path / "map.png")
    assert code == 0
    assert f"earthquake  {REAL}: 39.760 N, 22.210 E" in said
    used, listed = map(int, re.search(r"(\d+) used of (\d+)", said).groups())
    assert 70 < used <= listed < 90
