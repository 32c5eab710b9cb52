"""Reading the archive of strong motion: what is taken, what is left out with a remark, and what is refused."""

import io
import tarfile

import numpy as np
import pytest

from seisbook.catalogues import strong_motion
from seisbook.catalogues.ground_motion import MEASURES, clean
from seisbook.errors import DataError, UserError

EVENT = '<?xml version="1.0"?><earthquake id="{id}" lat="38" lon="24" depth="{depth}" mag="{mag}" time="{time}"/>'
TIME = "2020-01-01T00:00:00Z"
PLACES = {"NN.AAA": (38.1, 24.1), "NN.BBB": (38.3, 24.0), "NN.CCC": (37.6, 24.4)}


def event(name="e1", depth="5", mag="4.5", time=TIME):
    return {f"./000/{name}/current/event.xml": EVENT.format(id=name, depth=depth, mag=mag, time=time)}


def component(name="HN.HNE", value="0.1", flag="0", **others):
    values = {"acc": value, "vel": value, "psa03": value, "psa10": value, "psa30": value, **others}
    inside = "".join(f'<{key} value="{each}" flag="{flag}"/>' for key, each in values.items())
    return f'<comp name="{name}">{inside}</comp>'


def station(*components, code="AAA", lat=38.1, lon=24.1):
    return f'<station code="{code}" netid="NN" lat="{lat}" lon="{lon}">{"".join(components)}</station>'


def stations(*parts, name="e1", database="RRSM", head='<!DOCTYPE earthquake SYSTEM "stationlist.dtd">'):
    letter = "A" if database == "RRSM" else "B"
    text = f'<?xml version="1.0"?>{head}<stationlist xmlns="x.y">{"".join(parts)}</stationlist>'
    return {f"./000/{name}/current/{name}_{letter}_{database}_dat.xml": text}


@pytest.fixture
def pack(tmp_path):
    def pack(members, mode="w:xz"):
        path = tmp_path / "archive.tar"
        with tarfile.open(path, mode) as opened:
            for name, text in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(text.encode())
                opened.addfile(info, io.BytesIO(text.encode()))
        return path

    return pack


@pytest.fixture
def motion(pack):
    def motion(*members):
        events, components, _, remarks = strong_motion.parse(pack({k: v for part in members for k, v in part.items()}))
        cleaned = clean(events, components)
        cleaned.remarks = [*remarks, *cleaned.remarks]
        return cleaned

    return motion


def test_a_value_is_the_geometric_mean_of_the_horizontals(motion):
    both = station(component("HN.HNE", "0.1"), component("HN.HNN", "0.4"), component("HN.HNZ", "9"))
    found = motion(event(), stations(both))
    assert found.records.station.tolist() == ["NN.AAA"]
    assert found.records[list(MEASURES)].to_numpy() == pytest.approx(np.log10(0.2))
    assert found.events.loc["e1"].source_magnitude == 4.5


def test_components_1_2_3_are_two_horizontals_and_a_vertical(motion):
    three = station(component("HN.EN1", "0.1"), component("HN.EN2", "0.4"), component("HN.EN3", "9"))
    assert motion(event(), stations(three)).records.pga[0] == pytest.approx(np.log10(0.2))


def test_the_revised_database_comes_first_and_its_refusal_holds(motion):
    automatic = stations(*(station(component(value="1"), code=code) for code in ("AAA", "CCC")))
    revised = stations(station(component(value="0.1")), station(component(flag="1"), code="CCC"), database="ESM")
    found = motion(event(), automatic, revised)
    assert found.records.station.tolist() == ["NN.AAA"]
    assert found.records.pgv.tolist() == [pytest.approx(-1)]
    assert "1 components of RRSM left out: ESM flags the same record" in found.remarks
    assert "5 values left out, flagged by their database" in found.remarks


def test_impossible_values_are_counted_and_nothing_else_of_the_station_is_lost(motion):
    odd = station(component("HN.HNE", acc="1e112", vel="0", psa03="nan", psa10="-1", psa30="x"), component("HN.HNN"))
    found = motion(event(), stations(odd, station(component(value="1e112"), code="BBB", lat=38.3)))
    assert found.records.station.tolist() == ["NN.AAA"]
    assert found.records[list(MEASURES)].to_numpy() == pytest.approx(-1)
    assert "1 values left out, zero" in found.remarks
    assert "9 values left out, not between 1e-07 and 1000" in found.remarks


def test_stations_without_coordinates_are_left_out(motion):
    places = [("AAA", 38.1), ("BBB", "x"), ("CCC", 91), ("DDD", "nan")]
    found = motion(event(), stations(*(station(component(), code=code, lat=lat) for code, lat in places)))
    assert found.records.station.tolist() == ["NN.AAA"]
    assert "3 components left out, at stations without possible coordinates" in found.remarks


def test_stations_at_one_place_are_one(motion):
    near = station(component(value="0.4"), code="ABA", lat=38.1003)
    found = motion(event(), stations(station(component(value="0.1")), near, station(component(), code="BBB", lat=38.3)))
    assert found.records.station.tolist() == ["NN.AAA", "NN.BBB"]
    assert found.records.pga[0] == pytest.approx(-1)
    assert "1 stations merged with one that is closer than 100 m" in found.remarks


def test_a_station_that_moved_is_named(motion):
    members = [event(), event("e2"), stations(station(component())), stations(station(component(), lat=39), name="e2")]
    found = motion(*members)
    assert "station NN.AAA: stated positions differ by more than 1 km" in found.remarks
    assert found.records.latitude.nunique() == 1


def test_events_without_a_magnitude_are_left_out_and_an_unknown_depth_stays_unknown(motion):
    listed = [stations(station(component()), name=name) for name in ("e1", "e2", "e3")]
    found = motion(event(depth="None"), event("e2", mag="None"), event("e3", time="never"), *listed)
    assert found.events.index.tolist() == ["e1"]
    assert np.isnan(found.events.source_depth_km["e1"])
    assert "e2: event left out: without a magnitude" in found.remarks
    assert "e3: event left out: without a time" in found.remarks
    assert set(found.records.source_id) == {"e1"}


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1/x">%a;]>',
    ],
)
def test_entities_are_refused_and_the_rest_is_read(motion, head):
    found = motion(event(), stations(station(component())), stations(station(component()), name="e2", head=head))
    assert len(found.records) == 1
    assert any("e2_A_RRSM_dat.xml: left out: not XML that is read here" in line for line in found.remarks)
    assert any("it declares the entity" in line for line in found.remarks)


def test_broken_xml_is_left_out_with_a_remark(motion):
    broken = {"./000/e2/current/event.xml": "<earthquake"}
    found = motion(event(), broken, {"./000/e3/current/event.xml": "<other/>"}, stations(station(component())))
    assert len(found.events) == 1
    assert sum("left out: not XML that is read here" in line for line in found.remarks) == 2


def test_names_lead_nowhere_and_links_are_passed_by(pack, tmp_path, monkeypatch):
    path = pack({"../../e1/current/event.xml": EVENT.format(id="e1", depth=5, mag=4, time=TIME)}, "w")
    with tarfile.open(path, "a") as opened:
        link = tarfile.TarInfo("000/e2/current/event.xml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        opened.addfile(link)
    before = sorted(tmp_path.parent.rglob("*"))
    events, *_ = strong_motion.parse(path)
    assert events.source_id.tolist() == ["e1"]
    assert sorted(tmp_path.parent.rglob("*")) == before
    monkeypatch.setattr(strong_motion, "LARGEST", 10)
    with pytest.raises(DataError, match="bytes: replace the file"):
        strong_motion.parse(path)


def test_content_depends_on_what_is_said_not_on_the_packing(pack):
    members = {**event(), **event("e2"), **stations(station(component()))}
    turned = dict(reversed(list(members.items())))
    moved = {name.replace("./", "repository-0fe/data/"): text for name, text in members.items()}
    hashes = [strong_motion.parse(pack(m, mode))[2] for m, mode in ((members, "w:xz"), (turned, "w:gz"), (moved, "w"))]
    assert len(set(hashes)) == 1
    other = {**members, **stations(station(component(value="0.10001")))}
    assert strong_motion.parse(pack(other))[2] != hashes[0]


def test_other_content_is_refused(pack):
    with pytest.raises(DataError, match="not the registered"):
        strong_motion.read(pack({**event(), **stations(station(component()))}), progress=False)


@pytest.mark.parametrize("cut", [0, 10, 300])
def test_a_damaged_archive_is_refused(pack, cut):
    path = pack({**event(), **stations(station(component()))})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError, match="not a whole tar file"):
        strong_motion.parse(path)


def test_a_folder_without_the_archive_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("SEISBOOK_DATA_DIR", str(tmp_path))
    assert not strong_motion.is_available()
    with pytest.raises(UserError, match="missing; complete the folder"):
        strong_motion.fetch()


def test_the_archive_is_downloaded_once(tmp_path, monkeypatch):
    monkeypatch.delenv("SEISBOOK_DATA_DIR", raising=False)
    monkeypatch.setattr(strong_motion.sources, "cache_folder", lambda: tmp_path)
    calls = []

    def download(name, address, file, progress):
        calls.append(file.write(address.encode()))

    monkeypatch.setattr(strong_motion.sources, "download", download)
    path = strong_motion.fetch(progress=False)
    assert strong_motion.fetch(progress=False) == path
    assert len(calls) == 1
    assert path.read_bytes() == strong_motion.pin()["address"].encode()
