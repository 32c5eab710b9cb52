"""Catalogues in the text formats that people have: each file is made up after the format's description."""

import numpy as np
import pandas as pd
import pytest

from seisbook.catalogues import associators, hypo71, hypodd, hypoinverse
from seisbook.catalogues.bulletins import read_catalogue
from seisbook.errors import DataError
from tests.catalogues.text_files import (
    ARC_A,
    ARC_A_S,
    ARC_B,
    ARC_END,
    ARC_SUMMARY,
    GAMMA,
    HYPO71_A,
    HYPO71_B,
    HYPO71_END,
    HYPO71_SUMMARY,
    PHA_HEAD,
    PYOCTO,
)


def only(values):
    (value,) = list(values)
    return value


def has_all_columns_of(catalogue):
    """The place of the one event that every file here holds: 46.5 N, 7.25 E, 8 km, M 2.1."""
    event = only(catalogue.events.itertuples())
    assert event.source_origin_time == pd.Timestamp("2020-03-05T10:59:57.5Z")
    assert event.source_latitude_deg == pytest.approx(46.5)
    assert event.source_longitude_deg == pytest.approx(7.25)
    assert event.source_depth_km == pytest.approx(8.0)
    assert event.source_magnitude == pytest.approx(2.1)
    readings = catalogue.readings.set_index("station_code")
    assert readings.index.tolist() == ["AAAA", "BBB"]
    assert readings.loc["AAAA", "path_p_travel_s"] == pytest.approx(4.75)
    assert readings.loc["AAAA", "path_s_travel_s"] == pytest.approx(8.25)
    assert readings.loc["BBB", "path_p_travel_s"] == pytest.approx(6.0)
    assert np.isnan(readings.loc["BBB", "path_s_travel_s"])
    return readings


# --------------------------------------------------------------------------------------------------------------- HypoDD
@pytest.fixture
def pha(tmp_path):
    def write(*lines, encoding="utf-8"):
        path = tmp_path / "events.pha"
        path.write_bytes("\r\n".join(lines).encode(encoding))
        return path

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_hypodd(pha, encoding):
    path = pha(PHA_HEAD + "4711", "AAAA 4.75 -0.800 P", "AAAA 8.25 0.500 S", "BBB 6.0 0.0 P", encoding=encoding)
    catalogue = read_catalogue(path, "alps")
    readings = has_all_columns_of(catalogue)
    event = only(catalogue.events.itertuples())
    assert event.Index == "alps_4711"
    assert event.source_latitude_uncertainty_km == pytest.approx(0.5)
    assert event.source_longitude_uncertainty_km == pytest.approx(0.5)
    assert event.source_depth_uncertainty_km == pytest.approx(0.8)
    assert readings.trace_p_weight.tolist() == [0.8, 0.0]
    assert readings.loc["AAAA", "trace_s_weight"] == 0.5
    assert catalogue.skipped == []


def test_hypodd_damage_costs_its_line(pha):
    path = pha(
        PHA_HEAD + "1",
        "AAAA 4.75 1.0 P",
        "BBB six 1.0 P",
        "CCC 6.0 1.0",
        "DDD nan 1.0 P",
        PHA_HEAD.replace(" 3 ", "13 ", 1) + "2",
        "EEE 6.0 1.0 P",
        PHA_HEAD.replace("10 59", "12 59") + "3",
        "F\xd1F 7.0 1.0 P",
        encoding="latin-1",
    )
    catalogue = read_catalogue(path, "alps")
    assert catalogue.events.index.tolist() == ["alps_1", "alps_3"]
    assert catalogue.readings.station_code.tolist() == ["AAAA", "FÑF"]
    assert [line.split(": ")[0].rpartition(":")[2] for line in catalogue.skipped] == ["3", "4", "5", "6", "7"]
    assert "events.pha:6: event left out: it cannot be read (" in catalogue.skipped[3]


def test_two_hypodd_events_of_one_time_keep_their_numbers(pha):
    far = PHA_HEAD.replace("46.5000", "48.5000")
    catalogue = read_catalogue(pha(PHA_HEAD + "8", "AAAA 4.75 1.0 P", far + "9", "AAAA 4.75 1.0 P"), "alps")
    assert sorted(catalogue.events.index) == ["alps_8", "alps_9"]


# ---------------------------------------------------------------------------------------------------------- hypoinverse
def archive(tmp_path, *lines):
    path = tmp_path / "events.arc"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_hypoinverse(tmp_path):
    catalogue = read_catalogue(
        archive(tmp_path, ARC_SUMMARY, "$1 shadow", ARC_A, "$ ", ARC_A_S, ARC_B, ARC_END), "alps"
    )
    readings = has_all_columns_of(catalogue)
    event = only(catalogue.events.itertuples())
    assert (event.Index, event.source_magnitude_type) == ("alps_4711", "ML")
    assert event.source_latitude_uncertainty_km == pytest.approx(0.5)
    assert event.source_depth_uncertainty_km == pytest.approx(0.8)
    assert readings.trace_p_weight.tolist() == [0.75, 1.0]
    assert readings.loc["AAAA", "trace_s_weight"] == 0.5
    assert readings.trace_p_onset.tolist() == ["impulsive", ""]
    assert readings.trace_p_polarity.tolist() == ["positive", "negative"]
    assert readings.loc["AAAA", "path_p_residual_s"] == pytest.approx(0.12)
    assert readings.trace_amplitude_nm.isna().all()
    assert "events.arc: 1 amplitudes not read" in only(catalogue.skipped)


def test_hypoinverse_south_and_west(tmp_path):
    summary = ARC_SUMMARY[:18] + "S" + ARC_SUMMARY[19:26] + " " + ARC_SUMMARY[27:]
    event = only(read_catalogue(archive(tmp_path, summary, ARC_A, ARC_END), "alps").events.itertuples())
    assert (event.source_latitude_deg, event.source_longitude_deg) == (-46.5, -7.25)


def test_hypoinverse_magnitude_without_weight_is_none(tmp_path):
    none = ARC_SUMMARY[:146] + " " * 7 + ARC_SUMMARY[153:]
    assert read_catalogue(archive(tmp_path, none, ARC_A), "alps").events.source_magnitude.tolist() == [1.9]
    none = none[:100] + "   0" + none[104:]
    assert read_catalogue(archive(tmp_path, none, ARC_A), "alps").events.source_magnitude.isna().all()


def test_hypoinverse_damage_costs_its_line(tmp_path):
    no_day = ARC_SUMMARY.replace("20200305", "20200231")
    broken = ARC_B.replace(" 3.50", " 3.x0")
    path = archive(
        tmp_path, ARC_SUMMARY, ARC_A, broken, ARC_END, no_day, ARC_B, ARC_END, ARC_SUMMARY.replace("1059", "1259")
    )
    catalogue = read_catalogue(path, "alps")
    assert len(catalogue) == 2
    assert catalogue.readings.station_code.tolist() == ["AAAA"]
    places = [line.split(": ")[0].rpartition(":")[2] for line in catalogue.skipped]
    assert places == ["3", "5", "6"]


# --------------------------------------------------------------------------------------------------------------- HYPO71
LATER = HYPO71_A.replace("1100", "1300")


@pytest.mark.parametrize("summary", [HYPO71_SUMMARY, " " + HYPO71_SUMMARY, "20" + HYPO71_SUMMARY])
def test_hypo71_with_its_summary_before(tmp_path, summary):
    path = tmp_path / "swarm.pha"
    path.write_text("\n".join([summary, HYPO71_A, HYPO71_B, HYPO71_END]))
    catalogue = read_catalogue(path, "alps")
    readings = has_all_columns_of(catalogue)
    assert readings.trace_p_weight.tolist() == [0.75, 1.0]
    assert readings.loc["AAAA", "trace_s_weight"] == 0.5
    assert (readings.loc["AAAA", "trace_p_onset"], readings.loc["AAAA", "trace_s_onset"]) == ("impulsive", "emergent")
    assert readings.trace_p_polarity.tolist() == ["positive", "negative"]
    assert catalogue.skipped == []


@pytest.mark.parametrize("given", ["swarm.pha", "swarm.sum"])
def test_hypo71_with_summaries_beside(tmp_path, given):
    later = HYPO71_SUMMARY.replace(" 1059", " 1259")
    (tmp_path / "swarm.sum").write_text(f"  DATE    ORIGIN    LAT N    LONG W    DEPTH\n{later}\n{HYPO71_SUMMARY}\n")
    (tmp_path / "swarm.pha").write_text("\n".join([HYPO71_A, HYPO71_B, HYPO71_END, LATER, HYPO71_END]))
    catalogue = read_catalogue(tmp_path / given, "alps")
    assert len(catalogue) == 2
    assert catalogue.readings.groupby("source_id").size().tolist() == [2, 1]
    assert np.allclose(catalogue.readings.path_p_travel_s, [4.75, 6.0, 4.75])


def test_hypo71_readings_without_hypocentres(tmp_path):
    path = tmp_path / "swarm.pha"
    path.write_text("\n".join([HYPO71_A, HYPO71_B, HYPO71_END]))
    with pytest.raises(DataError, match=r"swarm\.pha: a HYPO71 phase list has no hypocentres; .* as swarm\.sum"):
        read_catalogue(path, "alps")
    (tmp_path / "swarm.sum").write_text(HYPO71_SUMMARY + "\n")
    path.write_text("\n".join([HYPO71_A, HYPO71_B, HYPO71_END, LATER, HYPO71_END, "CCCC  no reading at all"]))
    catalogue = read_catalogue(path, "alps")
    assert catalogue.readings.station_code.tolist() == ["AAAA", "BBB"]
    assert "swarm.pha:4: 1 readings left out: no hypocentre" in catalogue.skipped[0]
    assert "swarm.pha:6: reading left out" in catalogue.skipped[1]


def test_hypo71_clock_correction_and_damage(tmp_path):
    path = tmp_path / "swarm.pha"
    late = HYPO71_B[:65] + " 0.50"
    path.write_text(
        "\n".join(
            [
                HYPO71_SUMMARY,
                late,
                HYPO71_A.replace(" 2.25", " 2-25"),
                HYPO71_END,
                HYPO71_SUMMARY.replace("200305", "200231"),
            ]
        )
    )
    catalogue = read_catalogue(path, "alps")
    assert only(catalogue.readings.path_p_travel_s) == pytest.approx(6.5)
    assert [line.split(": ")[0].rpartition(":")[2] for line in catalogue.skipped] == ["5", "3"]


# ------------------------------------------------------------------------------------------------------------ CSV pairs
def written(folder, tables):
    for name, text in tables.items():
        (folder / name).write_text(text)
    (folder / "stations.csv").write_text("code,latitude,longitude,elevation_m\nAAAA,46,7,500\n")
    return folder


@pytest.mark.parametrize("given", ["", "gamma_events.csv", "gamma_picks.csv"])
def test_gamma(tmp_path, given):
    catalogue = read_catalogue(written(tmp_path, GAMMA) / given, "alps")
    readings = has_all_columns_of(catalogue)
    assert catalogue.events.index.tolist() == ["alps_0"]
    assert readings.trace_p_status.tolist() == ["automatic", "automatic"]
    assert readings.trace_p_weight.tolist() == [1.0, 1.0]
    assert readings.trace_amplitude_nm.isna().all()
    assert "gamma_picks.csv: 1 picks left out: they belong to no event" in only(catalogue.skipped)


@pytest.mark.parametrize("given", ["", "events.csv", "assignments.csv"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_pyocto(tmp_path, given, separator):
    tables = {name: text.replace(",", separator) for name, text in PYOCTO.items()}
    tables["events.csv"] = (
        tables["events.csv"]
        .replace("picks", "magnitude")
        .replace(f"{separator}3{separator}", f"{separator}2.1{separator}")
    )
    catalogue = read_catalogue(written(tmp_path, tables) / given, "alps")
    readings = has_all_columns_of(catalogue)
    assert catalogue.events.index.tolist() == ["alps_7"]
    assert readings.path_p_residual_s.tolist() == pytest.approx([0.05, -0.1])
    assert catalogue.skipped == []


def test_damaged_rows_are_named(tmp_path):
    tables = dict(PYOCTO)
    tables["events.csv"] += (
        "8,soon,1,2,8,3,46.5,7.25,8.0\n7,1583415997.5,1,2,8,3,46.5,7.25,8.0\n9,1583425997.5,1,2,8,3,inf,7.25,8\n"
    )
    tables["assignments.csv"] += (
        "8,3,0,XX.AAAA.,P,1583406003.5,1\n7,4,0,XX..,P,1583406003.5,1\n7,5,0,XX.CCC.,P,,1\n,6,0,CCC,P,1,1\n"
    )
    catalogue = read_catalogue(written(tmp_path, tables), "alps")
    assert catalogue.events.index.tolist() == ["alps_7"]
    assert catalogue.readings.station_code.tolist() == ["AAAA", "BBB"]
    remarks = "\n".join(catalogue.skipped)
    for place in ("events.csv:3: event", "events.csv:4: event", "events.csv:5: event", "assignments.csv:6: pick"):
        assert place in remarks
    assert "assignments.csv:7: pick left out" in remarks
    assert "1 picks left out: they belong to no event" in remarks
    assert "1 picks left out: their events are not in the table" in remarks


def test_magnitude_that_gamma_did_not_compute(tmp_path):
    tables = GAMMA | {"gamma_events.csv": GAMMA["gamma_events.csv"].replace(",2.1,", ",999,")}
    assert read_catalogue(written(tmp_path, tables), "alps").events.source_magnitude.isna().all()


def test_pairs_that_are_none(tmp_path):
    path = written(tmp_path, {"events.csv": PYOCTO["events.csv"]}) / "events.csv"
    with pytest.raises(DataError, match=r"events\.csv: found none as the table of picks of GaMMA or PyOcto"):
        read_catalogue(path, "alps")
    written(tmp_path, GAMMA | PYOCTO)
    with pytest.raises(DataError, match=r"found assignments\.csv, gamma_picks\.csv as the table of picks"):
        read_catalogue(path, "alps")


# ----------------------------------------------------------------------------------------------------------------- SCML
SCML = """<?xml version="1.0" encoding="UTF-8"?>
{dtd}<seiscomp xmlns="http://geofon.gfz{host}/ns/{schema}/{version}" version="{version}"><EventParameters>
{picks}
<origin publicID="O"><time><value>2020-03-05T10:59:57.5Z</value></time><latitude><value>46.5</value></latitude>
<longitude><value>7.25</value></longitude><depth><value>8.0</value><uncertainty>0.8</uncertainty></depth>
{arrivals}
<magnitude publicID="M"><magnitude><value>2.1</value></magnitude><type>MLv</type></magnitude></origin>
<event publicID="E"><preferredOriginID>O</preferredOriginID><preferredMagnitudeID>M</preferredMagnitudeID>
<description><text>{text}</text></description><originReference>O</originReference></event>
</EventParameters></seiscomp>"""
ONSETS = (("a", "AAAA", "P", "11:00:02.25"), ("b", "AAAA", "S", "11:00:05.75"), ("c", "BBB", "P", "11:00:03.5"))


def scml(path, dtd="", text="Alps", host="-potsdam.de", schema="seiscomp3-schema", version="0.12"):
    picks = "\n".join(
        f'<pick publicID="{name}"><time><value>2020-03-05T{time}Z</value></time><waveformID networkCode="XX" '
        f'stationCode="{station}" channelCode="HHZ"/><phaseHint>{phase}</phaseHint>'
        "<evaluationMode>manual</evaluationMode></pick>"
        for name, station, phase, time in ONSETS
    )
    arrivals = "\n".join(
        f"<arrival><pickID>{name}</pickID><phase>{phase}</phase><weight>1</weight></arrival>"
        for name, _, phase, _ in ONSETS
    )
    path.write_text(SCML.format(**locals()))
    return path


@pytest.mark.parametrize(
    ("host", "schema", "version"),
    [
        ("-potsdam.de", "seiscomp3-schema", "0.10"),
        ("-potsdam.de", "seiscomp3-schema", "0.13"),
        (".de", "seiscomp-schema", "0.14"),
    ],
)
def test_seiscomp(tmp_path, host, schema, version):
    catalogue = read_catalogue(scml(tmp_path / "events.scml", host=host, schema=schema, version=version), "alps")
    readings = has_all_columns_of(catalogue)
    assert readings.trace_p_status.tolist() == ["manual", "manual"]
    assert only(catalogue.events.source_magnitude_type) == "MLv"
    assert only(catalogue.events.source_depth_uncertainty_km) == pytest.approx(0.8)


def test_seiscomp_of_a_later_version_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"events\.scml: .*SCML version 9\.9"):
        read_catalogue(scml(tmp_path / "events.scml", version="9.9"), "alps")


def test_no_entity_of_a_file_is_read(tmp_path):
    (tmp_path / "secret").write_text("a secret")
    dtd = f'<!DOCTYPE seiscomp [<!ENTITY leak SYSTEM "file://{tmp_path / "secret"}">]>\n'
    path = scml(tmp_path / "events.scml", dtd=dtd, text="&leak;")
    try:
        catalogue = read_catalogue(path, "alps")
    except DataError:
        return
    assert "secret" not in catalogue.events.to_csv()


# -------------------------------------------------------------------------------------------------------- recognition
FILES = {
    hypodd: f"\n{PHA_HEAD} 5\nAAAA 4.75 1.0 P\n",
    hypoinverse: f"{ARC_SUMMARY}\n{ARC_A}\n",
    hypo71: f"{HYPO71_A}\n{HYPO71_B}\n",
    associators: PYOCTO["events.csv"],
}


@pytest.mark.parametrize("reader", FILES)
def test_each_format_is_recognised_as_itself_only(reader):
    lines = FILES[reader].splitlines()
    assert [other.recognise(lines) for other in FILES] == [other is reader for other in FILES]


@pytest.mark.parametrize(
    "text", ["", "\n", "nothing", "# a comment\n", "<?xml version='1.0'?>\n", "a,b\n1,2\n", "\x00\xff" * 99]
)
def test_other_files_are_refused_in_one_line(tmp_path, text):
    path = tmp_path / "catalogue"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_catalogue(path, "alps")
    assert "catalogue: in no format that is known here" in str(caught.value)
    assert "\n" not in str(caught.value)
