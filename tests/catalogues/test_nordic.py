"""NORDIC files that people put together, edit and damage."""

import numpy as np
import pandas as pd
import pytest

from seisbook.catalogues import nordic
from seisbook.catalogues.bulletins import read_catalogue, read_nordic
from tests.catalogues.nordic_lines import TITLES, header, pick, text


@pytest.fixture
def path(tmp_path):
    return tmp_path / "made-up.out"


def written(path, *lines, encoding="latin-1", end="\n"):
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return path


def full(day, code="AAAA", titles=TITLES):
    """An event of a day of March 2020 with one reading 4.75 s after its origin."""
    return [*header(f"2020  3{day:2d} 1010 30.5", number=f"202003{day:02d}101030"), titles, pick(code)]


def only(values):
    (value,) = list(values)
    return value


@pytest.mark.parametrize("between", [[], [""], ["", ""], [" " * 80]])
def test_a_header_after_readings_begins_an_event(path, between):
    """Whatever stands between them; the readings go to their own event."""
    written(path, *full(5), *between, *full(6, "BBBB"), *full(7, "CCCC"))
    catalogue = read_nordic(path, network="test")
    assert catalogue.events.index.tolist() == [f"test_202003{day:02d}101030" for day in (5, 6, 7)]
    assert catalogue.readings.station_code.tolist() == ["AAAA", "BBBB", "CCCC"]
    assert np.allclose(catalogue.readings.path_p_travel_s, 4.75)
    assert catalogue.skipped == []


def test_same_header_after_readings_is_a_repeated_event(path):
    catalogue = read_nordic(written(path, *full(5), *full(5)), network="test")
    assert len(catalogue) == 1
    assert "made-up.out:6: event left out: it repeats" in only(catalogue.skipped)


def test_headers_alone_are_events_without_readings(path):
    """A compact file, whose last events are whole."""
    compact = [header(f"2020  2{day:2d} 10 0  5.0")[0] for day in (1, 2, 3, 4, 5, 6, 7)]
    catalogue = read_nordic(written(path, *compact, *full(5), "", *full(6)), network="test")
    assert len(catalogue) == 9
    assert catalogue.readings.source_id.nunique() == 2
    assert "7 events are headers without readings (lines 1, 2, 3, 4, 5, ...)" in only(catalogue.skipped)


def other(time="2020  3 5 1010 34.0", agency="PDE"):
    """A second line of type 1."""
    return header(time)[0][:45] + f"{agency:<3}" + " " * 31 + "1"


@pytest.mark.parametrize(
    ("line", "events"),
    [
        (other(), 1),
        (other("2020  3 5 1011 20.0"), 1),
        (other("2020  3 5 1012 20.0"), 2),
        (other("2020  3 5 1010 32.5", "TST"), 1),
        (other("2020  3 5 1010 40.0", "TST"), 2),
        (other("2020  3 5          ", "TST"), 1),  # further magnitudes: a date and no time
        (other("2020  3 4 2359 59.0"), 2),
    ],
)
def test_other_hypocentres_of_an_event(path, line, events):
    catalogue = read_nordic(written(path, header()[0], line, *header()[1:], TITLES, pick()), network="test")
    assert len(catalogue) == events
    if events == 1:
        assert len(catalogue.readings) == 1
        assert catalogue.events.source_origin_time.iloc[0] == pd.Timestamp("2020-03-05T10:10:30.5Z")


def test_hypocentres_that_are_not_used_are_counted(path):
    second = header("2020  3 5 1010 34.0")[0].replace("TST  5", "PDE  5")
    catalogue = read_nordic(written(path, header()[0], second, *header()[1:], TITLES, pick()), network="test")
    assert "1 further hypocentres not used: the first counts (lines 2)" in only(catalogue.skipped)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "latin-1", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(path, encoding, end):
    lines = [*header(), text("Epicentro: ALTO - PEÑA"), TITLES, pick("AAAA"), "", *full(6)]
    catalogue = read_catalogue(written(path, *lines, encoding=encoding, end=end), "test")
    assert catalogue.events.source_text.tolist() == ["Epicentro: ALTO - PEÑA", ""]
    assert catalogue.readings.station_code.tolist() == ["AAAA", "AAAA"]


@pytest.mark.parametrize("byte", ["\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x01", "\x00"])
def test_control_bytes_do_not_cut_lines(path, byte):
    broken = pick("BBBB").replace("1010 35.25", "1o1o 35.25")
    lines = [*header(), text(f"VOLCAN{byte}MACHIN"), TITLES, pick("AAAA"), broken]
    catalogue = read_nordic(written(path, *lines), network="test")
    assert catalogue.events.source_text.tolist() == ["VOLCAN MACHIN"]
    assert catalogue.readings.station_code.tolist() == ["AAAA"]
    assert "made-up.out:7: reading left out" in only(catalogue.skipped)


@pytest.fixture
def parsed(monkeypatch):
    """Numbers of lines that ObsPy has been given, call by call."""
    counts, parse = [], nordic.read_through_obspy

    def counted(file):
        counts.append(len(file.getvalue().splitlines()))
        return parse(file)

    monkeypatch.setattr(nordic, "read_through_obspy", counted)
    return counts


def test_unreadable_readings_cost_themselves_and_little_work(path, parsed):
    """The work grows with the number of lines, not with its square."""
    lines = []
    for hour in range(8):
        lines += [header(f"2020  3 5 {hour:2d}10 30.5")[0], TITLES]
        lines += [pick(f"A{i:03d}", hour=hour) for i in range(64)]
        lines.append(pick("BAD", hour=hour).replace("10 35.25", "1x 35.25"))
    catalogue = read_nordic(written(path, *lines), network="test")
    assert sum(parsed) < 8 * len(lines)
    assert len(catalogue) == 8
    assert len(catalogue.readings) == 8 * 64
    assert sum("reading left out" in line for line in catalogue.skipped) == 8


def test_endless_headers_do_not_stop_the_reader(path, parsed):
    others = [other(agency=f"{i:03d}") for i in range(900)]
    catalogue = read_nordic(written(path, header()[0], *others, *header()[1:], TITLES, pick()), network="test")
    assert max(parsed) < 110
    assert len(catalogue.readings) == 1
    assert any("made-up.out:1: 802 header lines left out" in line for line in catalogue.skipped)


def test_text_beyond_the_columns_costs_its_line(path):
    lines = [*header(), TITLES, pick("AAAA"), " " * 85 + "9" * 50, pick("BBBB")]
    catalogue = read_nordic(written(path, *lines), network="test")
    assert catalogue.readings.station_code.tolist() == ["AAAA", "BBBB"]
    assert "made-up.out:6: line left out: its text lies beyond column 80" in only(catalogue.skipped)


def test_readings_without_a_header_are_left_out(path):
    catalogue = read_nordic(written(path, *full(5), "", TITLES, pick("BBBB"), pick("CCCC")), network="test")
    assert catalogue.readings.station_code.tolist() == ["AAAA"]
    assert "made-up.out:7: lines 7 to 9 left out: no header" in only(catalogue.skipped)


def test_unreadable_header_keeps_its_readings_from_others(path):
    damaged = full(6, "BBBB")
    damaged[0] = damaged[0].replace("2020  3", "2020 3x")
    catalogue = read_nordic(written(path, *full(5), *damaged, *full(7, "CCCC")), network="test")
    assert catalogue.readings.station_code.tolist() == ["AAAA", "CCCC"]
    assert "made-up.out:6: event left out: its header cannot be read" in only(catalogue.skipped)


def test_unreadable_line_of_errors_costs_itself(path):
    lines = header()
    lines[0] = lines[0][:49] + " x" + lines[0][51:]
    second = header()[0][:49] + " 5" + header()[0][51:]
    catalogue = read_nordic(written(path, second, lines[0], *lines[1:], TITLES, pick()), network="test")
    assert len(catalogue.readings) == 1
    assert any("made-up.out:2: line left out: it cannot be read" in line for line in catalogue.skipped)


def test_reading_geometry(path):
    written(path, *header(), TITLES, pick("AAAA", km="40.2"), pick("BBBB", km="152."))
    geometry = nordic.reading_geometry(path).set_index("station_code")
    assert geometry.loc["AAAA", "distance_km"] == pytest.approx(40.2, abs=1e-3)
    assert geometry.loc["BBBB", "azimuth_deg"] == 90
