"""Reading felt reports: what is taken, what is left out with a remark, and what is refused."""

import io
import tarfile

import pytest

from seisbook.catalogues import felt_reports, strong_motion
from seisbook.datasets.felt import FEWEST_CELLS, load_felt
from seisbook.datasets.fields import load_fields
from seisbook.errors import DataError

CELL = {"lat": 38.1, "lon": 24.1, "intensity": 3.5, "nresp": 4, "intensity_stddev2": 0.3, "intensity_flag": 0}


def cell(**changed):
    return "<station {}/>".format(" ".join(f'{key}="{value}"' for key, value in {**CELL, **changed}.items()))


def listed(*cells, name="e1", head=""):
    text = f"{head}<stationlist>{''.join(cells)}</stationlist>"
    return {f"./202001/{name}/current/{name}_REPORTED-INTENSITY_dat.xml.test": text}


@pytest.fixture
def pack(tmp_path):
    def pack(*parts):
        path = tmp_path / "archive.tar.xz"
        with tarfile.open(path, "w:xz") as opened:
            for name, text in {name: text for part in parts for name, text in part.items()}.items():
                info = tarfile.TarInfo(name)
                info.size = len(text.encode())
                opened.addfile(info, io.BytesIO(text.encode()))
        return path

    return pack


@pytest.fixture
def found(pack):
    def found(*parts):
        rows, _, remarks = felt_reports.parse(pack(*parts))
        cleaned = felt_reports.clean(rows)
        return cleaned._replace(remarks=[*remarks, *cleaned.remarks])

    return found


def test_a_cell_is_read(found):
    cells, remarks = found(listed(cell()))
    assert cells.to_dict("records") == [
        {"source_id": "e1", "latitude": 38.1, "longitude": 24.1, "intensity": 3.5, "answers": 4.0, "sd": 0.3}
    ]
    assert remarks == []


@pytest.mark.parametrize(
    ("key", "value"),
    [("lat", 91), ("lon", "x"), ("intensity", "nan"), ("intensity", 13), ("nresp", -1), ("intensity_stddev2", "")],
)
def test_an_impossible_cell_is_left_out_and_counted(found, key, value):
    cells, remarks = found(listed(cell(), cell(**{"lat": 38.2, key: value})))
    assert len(cells) == 1
    assert remarks == ["1 cells left out, with impossible values"]


def test_flagged_and_repeated_cells_are_left_out(found):
    cells, remarks = found(listed(cell(), cell(), cell(lat=38.2, intensity_flag=1)), listed(cell(), name="e2"))
    assert cells.source_id.tolist() == ["e1", "e2"]
    assert remarks == ["1 cells left out, flagged by EMSC", "1 cells left out, listed twice"]


@pytest.mark.parametrize(
    "text", ["<stationlist", "<other/>", '<!DOCTYPE x [<!ENTITY a "b">]><stationlist/>', "", "\x00"]
)
def test_what_is_no_list_is_left_out_with_one_line(found, text):
    cells, remarks = found(listed(cell()), {"./1/e9/current/e9_REPORTED-INTENSITY_dat.xml": text})
    assert cells.source_id.tolist() == ["e1"]
    assert len(remarks) == 1
    assert remarks[0].startswith("1/e9/current/e9_REPORTED-INTENSITY_dat.xml: left out: not a list of felt reports (")
    assert "\n" not in remarks[0]


def test_too_many_cells_are_refused(found, monkeypatch):
    monkeypatch.setattr(felt_reports, "MOST_CELLS", 1)
    cells, remarks = found(listed(cell(), cell(lat=38.2)), listed(cell(), name="e2"))
    assert cells.source_id.tolist() == ["e2"]
    assert remarks[0].endswith("(2 cells)")


def test_the_order_of_files_does_not_matter_and_other_content_is_refused(pack):
    parts = listed(cell()), listed(cell(), name="e2")
    contents = [felt_reports.parse(pack(*order))[1] for order in (parts, parts[::-1])]
    assert contents[0] == contents[1] != felt_reports.parse(pack(*parts[:1]))[1]
    with pytest.raises(DataError, match="replace the file"):
        felt_reports.read(pack(*parts))


@pytest.mark.parametrize("cut", [0, 10, 150])
def test_a_damaged_archive_is_refused(pack, cut):
    path = pack(listed(cell()))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError, match="not a whole tar file"):
        felt_reports.parse(path)


@pytest.mark.skipif(not strong_motion.is_available(), reason="the archive of strong motion is not on this machine")
def test_the_archive_has_the_registered_reports():
    reports = felt_reports.read()
    assert len(reports.cells) == 29_854
    assert reports.remarks == ["152 cells left out, flagged by EMSC"]


@pytest.mark.skipif(not strong_motion.is_available(), reason="the archive of strong motion is not on this machine")
@pytest.mark.parametrize(("region", "events"), [("greece", 246), ("italy", 64)])
def test_events_of_a_region_have_reports(region, events):
    fields = load_fields(region, "measured", progress=False)
    felt = load_felt(region, "measured", fields)
    chosen = felt.reported(fields)
    assert len(chosen) == events
    assert all(len(felt[name].intensity) >= FEWEST_CELLS for name in fields.source_id[chosen])
