import logging

import numpy as np
import pandas as pd
import pytest
from obspy import UTCDateTime
from obspy.core.event import (
    Amplitude,
    Arrival,
    Catalog,
    Event,
    Magnitude,
    Origin,
    Pick,
    QuantityError,
    WaveformStreamID,
)

from seisbook.catalogues import bulletins, networks
from seisbook.catalogues.bulletins import read_bulletin, read_catalogue, read_nordic
from seisbook.catalogues.geodesy import distance_azimuth
from seisbook.errors import DataError, UserError
from tests.catalogues.nordic_lines import TITLES, header, pick, text


@pytest.fixture
def read(tmp_path):
    def read(*blocks):
        path = tmp_path / "made-up.out"
        path.write_text("\n\n".join("\n".join(block) for block in blocks) + "\n\n", encoding="latin-1")
        return read_nordic(path, network="test")

    return read


def only(table):
    assert len(table) == 1
    return table.iloc[0]


def test_header_becomes_an_event(read):
    catalogue = read([*header(), text("Epicentro: ALTO - PEÑA"), TITLES, pick()])
    event = only(catalogue.events)
    assert event.name == "test_20200305101030"
    assert event.source_origin_time == pd.Timestamp("2020-03-05T10:10:30.5Z")
    assert (event.source_latitude_deg, event.source_longitude_deg, event.source_depth_km) == (4.5, -74.25, 12.5)
    assert (event.source_magnitude, event.source_magnitude_type) == (2.3, "ML")
    assert event.source_latitude_uncertainty_km == pytest.approx(2.5, abs=0.01)
    assert event.source_longitude_uncertainty_km == pytest.approx(3.5, abs=0.01)
    assert event.source_depth_uncertainty_km == pytest.approx(4.5, abs=0.01)
    assert event.source_text == "Epicentro: ALTO - PEÑA"
    assert event.source_text_kind == "observed"
    assert event.source_type == "unknown"
    assert catalogue.skipped == []


def test_readings_of_a_station_merge(read):
    lines = [
        pick("AAAA", "IP", second=35.25, polarity="C", residual="0.12"),
        pick("AAAA", "ES", second=39.75, component="HN", weight="2", residual="-0.30"),
        pick("AAAA", " I", second=41, amplitude="120.5", period="0.30"),
        pick("AAAA", " I", second=42, component="HN", amplitude="250.5", period="0.44"),
    ]
    reading = only(read([*header(), TITLES, *lines]).readings)
    assert reading.path_p_travel_s == pytest.approx(4.75)
    assert reading.path_s_travel_s == pytest.approx(9.25)
    assert (reading.trace_p_onset, reading.trace_s_onset) == ("impulsive", "emergent")
    assert (reading.trace_p_weight, reading.trace_s_weight) == (1.0, 0.5)
    assert reading.trace_p_polarity == "positive"
    assert (reading.path_p_residual_s, reading.path_s_residual_s) == (0.12, -0.30)
    assert reading.trace_p_status == "manual"
    assert (reading.trace_amplitude_nm, reading.trace_amplitude_period_s) == (250.5, 0.44)


@pytest.mark.parametrize(
    ("code", "weight"), [(" ", 1), ("0", 1), ("1", 0.75), ("2", 0.5), ("3", 0.25), ("4", 0), ("9", 0)]
)
def test_weights(read, code, weight):
    assert only(read([*header(), TITLES, pick(weight=code)]).readings).trace_p_weight == weight


def test_p_without_s_and_s_without_p(read):
    readings = read([*header(), TITLES, pick("AAAA"), pick("BBBBB", "ES", second=50)]).readings.set_index(
        "station_code"
    )
    assert np.isnan(readings.loc["AAAA", "path_s_travel_s"])
    assert np.isnan(readings.loc["AAAA", "trace_s_weight"])
    assert readings.loc["AAAA", "trace_s_status"] == ""
    assert np.isnan(readings.loc["BBBBB", "path_p_travel_s"])
    assert readings.loc["BBBBB", "path_s_travel_s"] == pytest.approx(19.5)


def test_amplitude_without_onset(read):
    reading = only(read([*header(), TITLES, pick("AAAA", " I", second=41, amplitude="12.0", period="0.30")]).readings)
    assert reading.trace_amplitude_nm == 12
    assert np.isnan(reading.path_p_travel_s)
    assert reading.trace_p_status == ""


def test_named_amplitude_is_in_nm_too(read):
    reading = only(
        read([*header(), TITLES, pick("AAAA", " IAML", second=41, amplitude="12.0", period="0.30")]).readings
    )
    assert reading.trace_amplitude_nm == pytest.approx(12)


def test_better_of_two_onsets(read):
    lines = [pick(second=36, weight="4"), pick(second=37), pick(second=38), pick(second=35, weight="1")]
    reading = only(read([*header(), TITLES, *lines]).readings)
    assert reading.path_p_travel_s == pytest.approx(6.5)  # full weight, and the earlier of the two
    assert reading.trace_p_weight == 1


@pytest.mark.parametrize("hour", [0, 24])
def test_midnight(read, hour):
    block = [*header("2020  3 5 2359 50.0"), TITLES, pick(hour=hour, minute=0, second=12.5)]
    catalogue = read(block)
    assert only(catalogue.readings).path_p_travel_s == pytest.approx(22.5)


def test_midnight_in_the_month_and_year(read):
    catalogue = read([*header("2019 1231 2359 59.0"), TITLES, pick(hour=24, minute=0, second=4.0)])
    assert only(catalogue.readings).path_p_travel_s == pytest.approx(5.0)


def test_seconds_of_sixty(read):
    catalogue = read([*header("2020  3 5 1059 60.0"), TITLES, pick(hour=10, minute=59, second=64.0)])
    assert only(catalogue.events).source_origin_time == pd.Timestamp("2020-03-05T11:00:00Z")
    assert only(catalogue.readings).path_p_travel_s == pytest.approx(4.0)


def test_missing_magnitude_is_nan_and_kept(read):
    catalogue = read([*header(magnitude=""), TITLES, pick()])
    assert np.isnan(only(catalogue.events).source_magnitude)


def test_local_magnitude_before_moment_magnitude(read):
    assert only(read([*header(magnitude=" 4.5LTST 5.1WTST"), TITLES, pick()]).events).source_magnitude == 4.5


def test_undetermined_error_is_nan(read):
    lines = header()
    lines[1] = lines[1].replace("3.5  4.5", "3.5999.9")
    event = only(read([*lines, TITLES, pick()]).events)
    assert np.isnan(event.source_depth_uncertainty_km)
    assert event.source_longitude_uncertainty_km == pytest.approx(3.5, abs=0.01)


@pytest.mark.parametrize(
    ("flag", "kind"), [("V", "volcanic"), ("E", "quarry_blast"), ("P", "quarry_blast"), (" ", "unknown")]
)
def test_event_kind_is_what_the_source_says(read, flag, kind):
    assert only(read([*header(kind=f"L{flag}"), TITLES, pick()]).events).source_type == kind


def test_no_hypocentre_is_reported(read):
    catalogue = read([*header(place=" " * 20), TITLES, pick()], [*header(number="20200305101031"), TITLES, pick()])
    assert list(catalogue.events.index) == ["test_20200305101031"]
    assert "made-up.out:1: event left out: it has no hypocentre" in only(pd.Series(catalogue.skipped))


def test_duplicated_event_keeps_more_readings(read):
    one = [*header(), TITLES, pick("AAAA")]
    two = [*header("2020  3 5 1010 31.2", number="20200305101031"), TITLES, pick("AAAA"), pick("BBBB")]
    apart = [
        *header("2020  3 5 1010 31.0", place="  7.500 -74.250 12.5", number="20200305101032"),
        TITLES,
        pick("CCCC"),
    ]
    catalogue = read(one, two)
    assert list(catalogue.events.index) == ["test_20200305101031"]
    assert catalogue.readings.station_code.tolist() == ["AAAA", "BBBB"]
    assert "made-up.out:1: event left out: it repeats" in only(pd.Series(catalogue.skipped))
    assert len(read(one, apart)) == 2


def test_events_of_one_number_stay_apart(read):
    catalogue = read([*header(), TITLES, pick()], [*header("2020  3 5 1110 30.5"), TITLES, pick(hour=11)])
    assert list(catalogue.events.index) == ["test_20200305101030", "test_20200305101030_2"]
    assert catalogue.readings.source_id.tolist() == list(catalogue.events.index)


def test_missing_titles_are_repaired(read):
    catalogue = read([*header(), pick()])
    assert only(catalogue.readings).path_p_travel_s == pytest.approx(4.75)
    assert "repaired: the block has readings but no line of column titles" in only(pd.Series(catalogue.skipped))


def test_reading_over_a_spectral_line_is_left_out(read):
    spliced = " SPEC AAAIP     D 1010 45.00" + " " * 52
    catalogue = read([*header(), TITLES, spliced, pick()])
    assert catalogue.readings.station_code.tolist() == ["AAAA"]
    assert "made-up.out:5: repaired: a reading is printed over a SPEC line" in only(pd.Series(catalogue.skipped))


def test_unreadable_reading_costs_only_itself(read):
    broken = pick("BBBB").replace("1010 35.25", "1o1o 35.25")
    catalogue = read([*header(), TITLES, pick("AAAA"), broken, pick("CCCC")])
    assert catalogue.readings.station_code.tolist() == ["AAAA", "CCCC"]
    assert "made-up.out:6: reading left out" in only(pd.Series(catalogue.skipped))


def test_unreadable_event_costs_only_itself(read):
    broken = [*header("2020 13 5 1010 30.5"), TITLES, pick()]
    catalogue = read(
        [*header(), TITLES, pick()], broken, [*header("2020  3 6 1010 30.5", number="20200306101030"), TITLES, pick()]
    )
    assert len(catalogue) == 2
    assert "made-up.out:7: event left out: its header cannot be read" in only(pd.Series(catalogue.skipped))


def test_text_is_verbatim_without_administration(read):
    admin = [text("OLDACT:UP  20-03-05 12:00"), text("SPEC AAAA HZ MO 15.0"), text("ACTION:UP")]
    felt = [" Evento Sentido".ljust(79) + "2", text("Reportado como sentido en:"), text("ALTO,  BAJO (REGIÓN)")]
    event = only(read([*header(), *admin, text("Epicentro: ALTO"), *felt, TITLES, pick()]).events)
    assert event.source_text == "Epicentro: ALTO\nEvento Sentido\nReportado como sentido en:\nALTO,  BAJO (REGIÓN)"


def test_event_without_readings(read):
    catalogue = read(header())
    assert len(catalogue) == 1
    assert catalogue.readings.empty
    assert catalogue.readings.path_p_travel_s.dtype == float


def test_not_a_bulletin(tmp_path):
    path = tmp_path / "x.out"
    path.write_text("dear diary\n")
    with pytest.raises(DataError, match=r"x\.out: no NORDIC event"):
        read_nordic(path, network="test")
    with pytest.raises(UserError, match="no such bulletin"):
        read_nordic(tmp_path / "none.out", network="test")


# --- any catalogue --------------------------------------------------------------------------------------------------


@pytest.fixture
def quakeml(tmp_path):
    origin = Origin(time=UTCDateTime(2020, 3, 5, 10), latitude=4.5, longitude=-74.25, depth=12500.0)
    origin.latitude_errors = QuantityError(0.02)
    wave = WaveformStreamID("XX", "AAAA", "", "HHZ")
    p = Pick(time=origin.time + 5, waveform_id=wave, phase_hint="P", evaluation_mode="automatic", polarity="negative")
    s = Pick(time=origin.time + 9, waveform_id=wave, phase_hint="S", onset="emergent")
    arrivals = [
        Arrival(pick_id=p.resource_id, phase="Pn", time_weight=0.6, time_residual=0.1),
        Arrival(pick_id=s.resource_id, phase="Sg"),
    ]
    origin.arrivals = arrivals
    wrong = Origin(time=origin.time + 100, latitude=0.0, longitude=0.0, depth=0.0)
    event = Event(
        event_type="quarry blast",
        origins=[wrong, origin],
        magnitudes=[Magnitude(mag=9.9, magnitude_type="mb"), Magnitude(mag=2.4, magnitude_type="ML")],
        picks=[p, s],
        amplitudes=[
            Amplitude(generic_amplitude=2.5e-7, unit="m", period=0.4, waveform_id=wave),
            Amplitude(generic_amplitude=17.0, unit="s", type="END", waveform_id=wave),
        ],
    )
    event.preferred_origin_id = origin.resource_id
    event.preferred_magnitude_id = event.magnitudes[1].resource_id
    path = tmp_path / "catalogue.xml"
    Catalog([event, Event()]).write(path, format="QUAKEML")
    return path


def test_quakeml(quakeml):
    catalogue = read_catalogue(quakeml, "test")
    event = only(catalogue.events)
    assert event.name == "test_2020030510000000"
    assert (event.source_latitude_deg, event.source_depth_km) == (4.5, 12.5)
    assert event.source_latitude_uncertainty_km == pytest.approx(2.224, abs=0.01)
    assert (event.source_magnitude, event.source_type) == (2.4, "quarry_blast")
    reading = only(catalogue.readings)
    assert (reading.path_p_travel_s, reading.path_s_travel_s) == (5, 9)
    assert (reading.trace_p_weight, reading.trace_s_weight) == (0.6, 1.0)
    assert (reading.trace_p_status, reading.trace_p_polarity) == ("automatic", "negative")
    assert reading.trace_amplitude_nm == pytest.approx(250)
    assert "event 2 left out: it has no hypocentre" in only(pd.Series(catalogue.skipped))


def test_read_catalogue_hands_nordic_over(read, tmp_path):
    first = read([*header(), text("Epicentro: ALTO"), TITLES, pick()])
    second = read_catalogue(tmp_path / "made-up.out", "test")
    pd.testing.assert_frame_equal(first.events, second.events)
    assert second.events.source_text.tolist() == ["Epicentro: ALTO"]


def test_hypodd(tmp_path):
    path = tmp_path / "events.pha"
    path.write_text(
        "# 2020  3  5 10 10 30.50   4.5000  -74.2500   12.50  2.3  0.1  0.2  0.1        77\n"
        "AAAA  4.75 1.000 P\nAAAA  9.25 0.500 S\n"
    )
    catalogue = read_catalogue(path, "test")
    reading = only(catalogue.readings)
    assert reading.path_p_travel_s == pytest.approx(4.75)
    assert (reading.trace_p_weight, reading.trace_s_weight) == (1.0, 0.5)


def test_unreadable_catalogue(tmp_path):
    path = tmp_path / "x.xml"
    path.write_text("nothing that ObsPy knows")
    with pytest.raises(DataError, match=r"x\.xml: in no format that is known here: QuakeML, .*HypoDD"):
        read_catalogue(path, "test")
    with pytest.raises(UserError, match="no such catalogue"):
        read_catalogue(tmp_path / "none.xml", "test")


# --- the real bulletins ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def february(real_data, bulletin):
    return bulletin("colombia", None)


def test_unknown_bulletins():
    with pytest.raises(UserError, match="choose one of colombia, ridgecrest"):
        read_bulletin("iceland")
    with pytest.raises(UserError, match="choose one of 2018-02, 1997-2015, all"):
        read_bulletin("colombia", period="1850")


def test_readings_at_unknown_stations_are_counted(read, caplog):
    catalogue = read([*header(), TITLES, pick("CHI"), pick("XXXX"), pick("YYYY")])
    with caplog.at_level(logging.INFO):
        kept = bulletins.at_known_stations(catalogue, networks.load("colombia"))
    assert kept.readings.station_code.tolist() == ["CHI"]
    assert "2 readings left out, at 2 unknown stations (XXXX 1, YYYY 1)" in only(pd.Series(kept.skipped))


def test_february(february):
    # 1,095 events, of which one is entered twice
    assert len(february) == 1094
    assert sum("it repeats" in line for line in february.skipped) == 1
    assert not any("cannot be read" in line for line in february.skipped)
    assert any("23561: repaired" in line for line in february.skipped)
    assert february.events.index.is_unique
    assert february.events.source_magnitude.notna().all()
    readings = february.readings
    assert readings.station_code.nunique() in range(93, 99)
    assert readings.path_p_travel_s.notna().sum() == pytest.approx(10304, rel=0.005)
    assert readings.path_s_travel_s.notna().sum() == pytest.approx(10200, rel=0.005)
    assert readings.trace_amplitude_nm.notna().sum() == pytest.approx(8358, rel=0.005)
    assert not readings.duplicated(["source_id", "station_code"]).any()
    assert readings.groupby("source_id").size().quantile([0.25, 0.5, 0.75]).tolist() == [5, 7, 12]
    assert (february.events.source_text.str.contains("Epicentro:")).all()
    assert not february.events.source_text.str.contains("OLDACT|SPEC|ACTION").any()
    assert (february.events.source_type == "volcanic").sum() == 3
    events = february.events
    assert events.source_latitude_uncertainty_km.median() == pytest.approx(3.5, abs=0.1)
    assert events.source_longitude_uncertainty_km.median() == pytest.approx(4.1, abs=0.1)
    assert events.source_depth_uncertainty_km.median() == pytest.approx(6.7, abs=0.2)


def test_puerto_gaitan(real_data, bulletin):
    catalogue = bulletin("colombia", "1997-2015")
    assert len(catalogue) == 870
    assert catalogue.events.source_magnitude.isna().sum() == 1
    assert len(catalogue.readings) > 8000


def test_ridgecrest(real_data, bulletin):
    catalogue = bulletin("ridgecrest", None)
    events = catalogue.events
    assert len(events) == 2196
    assert events.index.is_unique
    apart, _ = distance_azimuth(
        events.source_latitude_deg, events.source_longitude_deg, events.palm_latitude_deg, events.palm_longitude_deg
    )
    assert np.median(apart) == pytest.approx(1.46, abs=0.01)
    assert (events.palm_magnitude - events.source_magnitude).median() == pytest.approx(0.1, abs=0.02)
    assert catalogue.readings.groupby("source_id").size().between(4, 10).all()
    assert catalogue.readings.trace_amplitude_period_s.isna().all()
