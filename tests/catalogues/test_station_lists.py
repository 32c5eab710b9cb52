"""Lists of stations: both formats say the same, and what is none is refused in one line."""

import json

import numpy as np
import pytest

from seisbook.catalogues import regions, station_lists
from seisbook.catalogues.ground_motion import MEASURES
from seisbook.errors import DataError, UserError
from seisbook.physics import field_simulation
from tests.made_lists import as_json, as_xml, earthquake


@pytest.fixture(scope="module")
def records():
    motion, _ = field_simulation.simulate(regions.load("greece"), 3, 5)
    return motion.records[motion.records.source_id == "twin-00001"].reset_index(drop=True)


def test_xml_and_json_say_the_same(tmp_path, records):
    (tmp_path / "a.xml").write_text(as_xml(records))
    (tmp_path / "b.json").write_text(as_json(records))
    one, other = station_lists.read(tmp_path / "a.xml"), station_lists.read(tmp_path / "b.json")
    assert one.origin is other.origin is None
    kept = records.sort_values("station").reset_index(drop=True)
    for found in (one, other):
        assert found.records.station.tolist() == kept.station.tolist()
        columns = ["latitude", "longitude", *MEASURES]
        assert found.records[columns].to_numpy(float) == pytest.approx(kept[columns].to_numpy(float))


def test_a_folder_has_its_origin_and_its_lists(tmp_path, records):
    (tmp_path / "event.xml").write_text(earthquake())
    (tmp_path / "x_A_RRSM_dat.xml").write_text(as_xml(records.assign(pga=records.pga + 1)))
    (tmp_path / "x_B_ESM_dat.xml").write_text(as_xml(records[:4]))
    found = station_lists.read(tmp_path)
    assert found.name == "twin-1"
    assert found.origin[:4] == (38.0, 24.0, 8.0, 5.0)
    assert f"{found.origin.time:%Y-%m-%d}" == "2020-01-01"
    by_code = found.records.set_index("station").pga - records.set_index("station").pga
    assert by_code[records.station[:4]].abs().max() < 1e-9  # ESM comes first
    assert by_code[records.station[4:]].to_numpy() == pytest.approx(1.0)


@pytest.mark.parametrize(("changes", "depth"), [({"depth": None}, np.nan), ({"depth": "x"}, np.nan)])
def test_an_origin_needs_a_place_and_a_magnitude_only(tmp_path, changes, depth):
    (tmp_path / "event.xml").write_text(earthquake(**changes, time="never"))
    found = station_lists.read(tmp_path / "event.xml")
    assert found.origin.time is None
    assert np.isnan(found.origin.depth_km) == np.isnan(depth)
    assert found.records.empty
    (tmp_path / "event.xml").write_text(earthquake(mag="None"))
    assert station_lists.read(tmp_path / "event.xml").origin is None


def feature(**changes):
    amplitude = {"name": "pga", "value": 1.0, "units": "%g", "flag": "0"}
    channel = {"name": "HNE", "amplitudes": [{**amplitude, **changes}]}
    about = {"code": "NN.A", "network": "NN", "channels": [channel]}
    return {"properties": about, "geometry": {"coordinates": [24.0, 38.0]}}


@pytest.mark.parametrize(
    ("changes", "log10"),
    [
        ({}, 0.0),
        ({"units": "g"}, 2.0),
        ({"units": "pctg", "flag": ""}, 0.0),
        ({"units": "cm/s"}, None),
        ({"units": "furlong"}, None),
        ({"flag": "T"}, None),
        ({"value": "null"}, None),
        ({"value": 10**400}, None),
        ({"value": [1]}, None),
        ({"name": "sa(9.9)"}, None),
    ],
)
def test_amplitudes_have_the_unit_that_they_name(tmp_path, changes, log10):
    (tmp_path / "a.json").write_text(json.dumps({"features": [feature(**changes)]}))
    found = station_lists.read(tmp_path / "a.json").records.pga.tolist()
    assert found == ([] if log10 is None else [pytest.approx(log10)])


def test_felt_reports_and_odd_features_are_passed_by(tmp_path):
    felt = feature()
    felt["properties"]["station_type"] = "macroseismic"
    odd = [None, 1, {}, {"properties": []}, {"properties": {"channels": [None, {"amplitudes": [1]}]}}]
    odd.append({**feature(), "geometry": {"coordinates": ["x", None]}})
    (tmp_path / "a.json").write_text(json.dumps({"features": [felt, *odd, feature()]}))
    found = station_lists.read(tmp_path / "a.json")
    assert found.records.station.tolist() == ["NN.A"]
    assert any("1 felt reports left out" in text for text in found.remarks)
    assert any("4 stations left out, without channels" in text for text in found.remarks)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "neither XML nor JSON"),
        (b"\x80\x04\x95pickle", "neither XML nor JSON"),
        (b"{", "Expecting"),
        (b'{"features": 1}', "no list 'features'"),
        (b'{"a":' + b"[" * 100_000, "give a station list"),
        (b"{\xff\xfe}", "give a station list"),
        (b"<other/>", "no element 'earthquake' or 'stationlist'"),
        (b"<stationlist>", "no element found"),
        (b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><stationlist>&b;</stationlist>', "declares the entity"),
        (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><station>&a;</station>', "declares the entity"),
    ],
)
def test_hostile_files_are_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "a.xml"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        station_lists.read(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_files_empty_folders_and_long_files_are_named(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"no\.xml: cannot be read"):
        station_lists.read(tmp_path / "no.xml")
    with pytest.raises(UserError, match=r"holds none of event\.xml"):
        station_lists.read(tmp_path)
    (tmp_path / "event.xml").write_text(earthquake())
    monkeypatch.setattr(station_lists, "LARGEST", 10)
    with pytest.raises(DataError, match="no list of stations is so long"):
        station_lists.read(tmp_path)


def test_names_hold_nothing_that_commands(tmp_path):
    text = earthquake("a&lt;script&gt;$x$\x7f" + 200 * "y")
    (tmp_path / "event.xml").write_text(text)
    name = station_lists.read(tmp_path).name
    assert name.startswith("ascriptx")
    assert len(name) <= station_lists.LONGEST_NAME
