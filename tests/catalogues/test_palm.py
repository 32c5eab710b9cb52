import numpy as np
import pandas as pd
import pytest

from seisbook.catalogues.palm import match_events, read_palm, read_scsn
from seisbook.errors import DataError


def only(table):
    assert len(table) == 1
    return table.iloc[0]


# --- PALM and SCSN --------------------------------------------------------------------------------------------------
SCSN = """# made up
2020 01 01  00 00 10.00  35 30.00-117 30.00 A 1.5      5.00 45     0.10 11111111
2020 01 01  00 00 59.99  35 30.00-117 30.00 B 2.5     12.50 45     0.10 22222222
2020 01 01  00 01 60.00  35  6.00-117  3.00 C         -0.50  9     0.10 33333333
"""


def test_scsn_columns(tmp_path):
    path = tmp_path / "scsn.catalog"
    path.write_text(SCSN)
    table = read_scsn(path)
    assert table.latitude_deg.tolist() == pytest.approx([35.5, 35.5, 35.1])
    assert table.longitude_deg.tolist() == pytest.approx([-117.5, -117.5, -117.05])
    assert table.depth_km.tolist() == [5, 12.5, -0.5]
    assert table.origin_time[2] == pd.Timestamp("2020-01-01T00:02:00Z")
    assert table.magnitude[:2].tolist() == [1.5, 2.5]
    assert np.isnan(table.magnitude[2])
    assert table.number.tolist() == ["11111111", "22222222", "33333333"]
    path.write_text(SCSN + "2020 01 01  00 00 xx.00  35 30.00-117 30.00 A 1.5      5.00\n")
    with pytest.raises(DataError, match=r"scsn\.catalog:5: not in SCSN's columns"):
        read_scsn(path)


def places(*rows):
    table = pd.DataFrame(rows, columns=["origin_time", "latitude_deg", "longitude_deg"])
    table["origin_time"] = pd.Timestamp("2020-01-01T00:00:00Z") + pd.to_timedelta(table.origin_time, unit="s")
    return table


def test_matching_is_one_to_one():
    one = places((0.0, 35.5, -117.5), (1.0, 35.5, -117.5), (50.0, 35.5, -117.5), (90.0, 35.5, -117.5))
    # both of the first two lie nearest to the first label; the last is too far off in place
    other = places((0.9, 35.5, -117.5), (2.5, 35.5, -117.5), (50.5, 35.5, -117.5), (90.0, 35.9, -117.5))
    first, second = match_events(one, other, 3, 15)
    assert dict(zip(first.tolist(), second.tolist(), strict=True)) == {0: 0, 1: 1, 2: 2}


def test_matching_takes_the_nearer_and_leaves_the_rest():
    one = places((0.0, 35.5, -117.5), (0.5, 35.5, -117.5))
    other = places((0.4, 35.5, -117.5))
    first, second = match_events(one, other, 3, 15)
    assert (first.tolist(), second.tolist()) == ([1], [0])
    first, _ = match_events(one, places((99.0, 35.5, -117.5)), 3, 15)
    assert len(first) == 0


def test_palm_with_labels(tmp_path):
    (tmp_path / "scsn.catalog").write_text(SCSN)
    (tmp_path / "palm.pha").write_text(
        "2020-01-01T00:00:09.500000Z,35.51,-117.49,6.00,1.7,0\n"
        "XX.AAA,2020-01-01T00:00:12.000000Z,2020-01-01T00:00:13.500000Z,2.5e-07,99.0\n"
        "XX.BBB,2020-01-01T00:00:14.000000Z,-1,-1,99.0\n"
        "2020-01-01T00:30:00.000000Z,35.51,-117.49,6.00,1.7,1\n"
        "XX.AAA,2020-01-01T00:30:02.000000Z,2020-01-01T00:30:03.500000Z,2.5e-07,99.0\n"
    )
    catalogue = read_palm(tmp_path / "palm.pha", tmp_path / "scsn.catalog")
    event = only(catalogue.events)
    assert event.name == "ridgecrest_11111111"
    assert (event.source_magnitude, event.palm_magnitude) == (1.5, 1.7)
    assert (event.source_depth_km, event.palm_depth_km) == (5.0, 6.0)
    assert event.source_origin_time == pd.Timestamp("2020-01-01T00:00:10Z")
    readings = catalogue.readings.set_index("station_code")
    assert readings.loc["AAA", "path_p_travel_s"] == pytest.approx(2.0)  # after the label's origin time
    assert readings.loc["AAA", "trace_amplitude_nm"] == pytest.approx(250)
    assert np.isnan(readings.loc["BBB", "path_s_travel_s"])
    assert np.isnan(readings.loc["BBB", "trace_amplitude_nm"])
    assert (readings.loc["BBB", "trace_p_status"], readings.loc["BBB", "trace_s_status"]) == ("automatic", "")
    assert "1 of 2 events left out" in only(pd.Series(catalogue.skipped))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("XX.AAA,2020-01-01T00:00:12.0Z,2020-01-01T00:00:13.5Z,much,9", "palm.pha:2: expected"),
        ("XX.AAA,noon,2020-01-01T00:00:13.5Z,2e-7,9", "palm.pha:2: 'noon' is no time"),
        ("XX.AAA,2020-01-01T00:00:12.0Z", "palm.pha:2: expected"),
        ("XX.AAA,2020-01-01T00:00:12.0Z,2020-01-01T00:00:13.5Z,inf,9", "palm.pha:2: expected"),
        ("XX.AAA,2020-01-01T00:00:12.0Z,9020-01-01T00:00:13.5Z,2e-7,9", "palm.pha:2: '9020-"),
        ("XX. ,2020-01-01T00:00:12.0Z,2020-01-01T00:00:13.5Z,2e-7,9", "palm.pha:2: expected"),
        ("2020-01-01T00:00:09.500000Z,35.51", "palm.pha:2: expected"),
        ("2020-01-01T00:00:09.500000Z,nan,-117.49,6.00,1.7,0", "palm.pha:2: expected"),
        ("2020-13-01T00:00:09.500000Z,35.51,-117.49,6.00,1.7,0", "palm.pha:2: '2020-13-"),
        ("0100-01-01T00:00:09.500000Z,35.51,-117.49,6.00,1.7,0", "palm.pha:2: '0100-"),
    ],
)
def test_palm_mistakes_name_the_line(tmp_path, line, said):
    (tmp_path / "scsn.catalog").write_text(SCSN)
    (tmp_path / "palm.pha").write_text(f"2020-01-01T00:00:09.500000Z,35.51,-117.49,6.00,1.7,0\n{line}\n")
    with pytest.raises(DataError) as caught:
        read_palm(tmp_path / "palm.pha", tmp_path / "scsn.catalog")
    assert said in str(caught.value)


@pytest.mark.parametrize("date", ["20x0 01 01  00 00", "2020 13 01  00 00", "9020 01 01  00 00", "2020 01 01  24 61"])
def test_scsn_dates_name_the_line(tmp_path, date):
    path = tmp_path / "scsn.catalog"
    path.write_text(SCSN + f"{date} 10.00  35 30.00-117 30.00 A 1.5      5.00 45     0.10 11111111\n")
    with pytest.raises(DataError, match=r"scsn\.catalog:5: not in SCSN's columns"):
        read_scsn(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
def test_palm_in_other_encodings(tmp_path, encoding):
    (tmp_path / "scsn.catalog").write_text(SCSN)
    lines = "2020-01-01T00:00:09.5Z,35.51,-117.49,6.00,1.7,0\r\nX\xd1.AAA,2020-01-01T00:00:12Z,-1,-1,9\r\n"
    (tmp_path / "palm.pha").write_bytes(lines.encode(encoding))
    catalogue = read_palm(tmp_path / "palm.pha", tmp_path / "scsn.catalog")
    assert catalogue.readings.station_code.tolist() == ["AAA"]


def test_empty_phase_file(tmp_path):
    (tmp_path / "scsn.catalog").write_text(SCSN)
    (tmp_path / "palm.pha").write_text("\n")
    with pytest.raises(DataError, match=r"palm\.pha: no event found"):
        read_palm(tmp_path / "palm.pha", tmp_path / "scsn.catalog")
