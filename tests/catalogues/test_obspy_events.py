"""Which origin, picks and amplitudes of an observatory's event count."""

import numpy as np
import pytest
from obspy import UTCDateTime
from obspy.core.event import Amplitude, Arrival, Catalog, Event, Magnitude, Origin, Pick, WaveformStreamID

from seisbook.catalogues.bulletins import read_catalogue

TIME = UTCDateTime(2021, 5, 6, 7)


def origin(at=TIME, **columns):
    return Origin(**{"time": at, "latitude": 46.0, "longitude": 7.0, "depth": 8000.0} | columns)


def pick(travel=3.0, station="AAA", name="P", **columns):
    stream = WaveformStreamID("XX", station, "", "HHZ") if station else None
    return Pick(**{"time": TIME + travel, "waveform_id": stream, "phase_hint": name} | columns)


def used(pick, **columns):
    return Arrival(**{"pick_id": pick.resource_id, "phase": pick.phase_hint or "P"} | columns)


def amplitude(value=2e-7, station="BBB", **columns):
    stream = WaveformStreamID("XX", station) if station else None
    return Amplitude(generic_amplitude=value, waveform_id=stream, **{"type": "IAML", "unit": "m"} | columns)


def event(origins, picks=(), **columns):
    return Event(origins=list(origins), picks=list(picks), magnitudes=[Magnitude(mag=2.0)], **columns)


@pytest.fixture
def read(tmp_path):
    def read(*events):
        path = tmp_path / "a.xml"
        Catalog(list(events)).write(str(path), format="QUAKEML")
        return read_catalogue(path, "test")

    return read


def sound(hour=1):
    """An event with which nothing is wrong."""
    return event([origin(TIME + 3600 * hour)])


# ---------------------------------------------------------------------------------------------------------- the event


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (event([origin(time=None)]), "event 1 left out: its origin has no time"),
        (event([origin(UTCDateTime(1600, 1, 1))]), "event 1 left out: it has no origin time between 1677 and 2262"),
        (event([origin(depth=None)]), "event 1 left out: it has no hypocentre"),
        (event([origin(latitude=None)]), "event 1 left out: it has no hypocentre"),
        (event([]), "event 1 left out: it has no hypocentre"),
        (event([origin(evaluation_status="rejected")]), "event 1 left out: its origin was rejected"),
        (event([origin()], event_type="not existing"), "event 1 left out: its type is 'not existing'"),
        (event([origin(longitude=-200.0)]), "event 1 left out: its longitude -200 is not within"),
    ],
)
def test_an_event_without_what_is_needed_costs_only_itself(read, bad, why):
    catalogue = read(bad, sound())
    assert len(catalogue) == 1
    (remark,) = catalogue.skipped
    assert remark.endswith(why) or f"a.xml: {why}" in remark


def test_an_origin_that_was_not_rejected_is_taken_if_none_is_preferred(read):
    catalogue = read(event([origin(TIME + 5, evaluation_status="rejected"), origin()]))
    assert catalogue.events.source_origin_time.iloc[0].second == 0


def test_the_preferred_origin_decides_even_if_it_was_rejected(read):
    bad = event([origin(), origin(TIME + 5, evaluation_status="rejected")])
    bad.preferred_origin_id = bad.origins[1].resource_id
    assert not len(read(bad))


def test_an_origin_that_is_not_there_cannot_be_preferred(read):
    one = event([origin()])
    one.preferred_origin_id = origin().resource_id
    assert len(read(one)) == 1


@pytest.mark.parametrize(
    ("kinds", "preferred", "taken"),
    [("mb ML", None, "ML"), ("mb Mw", None, "mb"), ("ML Mw", 1, "Mw"), ("MLv mb", None, "MLv")],
)
def test_which_magnitude_is_taken_is_said(read, kinds, preferred, taken):
    one = event([origin()])
    one.magnitudes = [Magnitude(mag=i, magnitude_type=kind) for i, kind in enumerate(kinds.split(), 2)]
    if preferred is not None:
        one.preferred_magnitude_id = one.magnitudes[preferred].resource_id
    assert read(one).events.source_magnitude_type.tolist() == [taken]


def test_a_rejected_magnitude_is_not_taken(read):
    one = event([origin()])
    one.magnitudes = [Magnitude(mag=9.0, evaluation_status="rejected"), Magnitude(mag=1.0)]
    assert read(one).events.source_magnitude.tolist() == [1.0]


# ---------------------------------------------------------------------------------------------------------- its picks


def test_a_pick_that_the_origin_does_not_use_does_not_count(read):
    analyst, machine = pick(5.0, evaluation_mode="manual"), pick(3.0, evaluation_mode="automatic")
    catalogue = read(event([origin(arrivals=[used(analyst, time_weight=0.3)])], [machine, analyst]))
    (row,) = catalogue.readings.itertuples()
    assert (row.path_p_travel_s, row.trace_p_status, row.trace_p_weight) == (5.0, "manual", 0.3)
    assert catalogue.skipped[0].endswith("a.xml: event 1: 1 pick left out, that the event's origin does not use (P 1)")


def test_without_any_arrival_all_picks_count(read):
    catalogue = read(event([origin()], [pick(), pick(5.0, name="S"), pick(4.0, "BBB", "Pg")]))
    assert catalogue.readings.path_p_travel_s.tolist() == [3.0, 4.0]
    assert not catalogue.skipped


@pytest.mark.parametrize(("delay", "count"), [(0.4, 1), (40.0, 0)])
def test_picks_of_another_origin_count_only_if_it_agrees(read, delay, count):
    """A relocated origin often comes without arrivals; so does an origin of a wrong event."""
    one = pick(3.0)
    both = event([origin(TIME - delay), origin(arrivals=[used(one, time_residual=0.1)])], [one])
    both.preferred_origin_id = both.origins[0].resource_id
    catalogue = read(both)
    assert len(catalogue.readings) == count
    assert len(catalogue.skipped) == 1 - count
    if count:
        row = catalogue.readings.iloc[0]
        assert row.path_p_travel_s == pytest.approx(3.4)
        assert np.isnan(row.path_p_residual_s), "the residual belongs to the other origin"


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (pick(station=None), "without a station code (waveformID) (P without station 1)"),
        (pick(time=None), "without a time (P 1)"),
        (pick(evaluation_status="rejected"), "that were rejected (P 1)"),
        (pick(name="PKP"), "of phases other than P and S (PKP 1)"),
        (pick(name=None), "of phases other than P and S (no name 1)"),
    ],
)
def test_a_pick_that_says_nothing_costs_only_itself(read, tmp_path, bad, why):
    if bad.time is None:
        bad.time = UTCDateTime(1999, 9, 9)  # ObsPy does not write a pick without a time
    catalogue = read(event([origin()], [pick(station="BBB"), bad]))
    if "time" in why:
        path = tmp_path / "a.xml"
        path.write_text(path.read_text().replace("<value>1999-09-09T00:00:00.000000Z</value>", ""))
        catalogue = read_catalogue(path, "test")
    assert catalogue.readings.station_code.tolist() == ["BBB"]
    assert catalogue.skipped[0].endswith(f"a.xml: event 1: 1 pick left out, {why}")


def test_other_phases_are_counted_by_name(read):
    picks = [pick(i, name=name) for i, name in enumerate(("PcP", "pP", "PcP", "PGA", "IPU0"), 3)]
    catalogue = read(event([origin()], picks))
    assert catalogue.readings.path_p_travel_s.tolist() == [7.0]
    (remark,) = catalogue.skipped
    assert "4 picks left out, of phases other than P and S (PcP 2, pP 1, PGA 1)" in remark


def test_a_pick_a_day_before_is_not_shifted_by_a_day(read):
    catalogue = read(event([origin()], [pick(3.0 - 86400)]))
    assert catalogue.readings.empty
    assert "P at AAA left out: its travel time is -86397 s" in catalogue.skipped[0]


@pytest.mark.parametrize(
    ("stated", "weight"), [(None, 1.0), (0.0, 0.0), (0.4, 0.4), (-1.0, 1.0), (-0.5, 0.5), (1.7, 1.0)]
)
def test_weights_are_from_zero_to_one(read, stated, weight):
    one = pick()
    found = read(event([origin(arrivals=[used(one, time_weight=stated)])], [one]))
    assert found.readings.trace_p_weight.tolist() == [weight]


# ------------------------------------------------------------------------------------------------------ its amplitudes


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"type": "IAMs_20", "period": 20.0}, "of a type that is not a Wood-Anderson seismometer's (IAMs_20 1)"),
        ({"unit": None}, "without a known unit of length (IAML 1)"),
        ({"unit": "dimensionless"}, "without a known unit of length (IAML 1)"),
        ({"evaluation_status": "rejected"}, "that were rejected (IAML 1)"),
        ({"station": None}, "without a station code (waveformID) (IAML 1)"),
    ],
)
def test_an_amplitude_that_is_no_wood_anderson_s_is_left_out(read, changes, why):
    catalogue = read(event([origin()], [pick()], amplitudes=[amplitude(**changes)]))
    assert catalogue.readings.trace_amplitude_nm.isna().all()
    assert catalogue.skipped[0].endswith(f"event 1: 1 amplitude left out, {why}")


def test_the_largest_amplitude_of_a_station_is_taken(read):
    found = read(event([origin()], [pick()], amplitudes=[amplitude(2e-7, period=0.3), amplitude(3e-7, period=0.4)]))
    row = found.readings.set_index("station_code").loc["BBB"]
    assert (row.trace_amplitude_nm, row.trace_amplitude_period_s) == (pytest.approx(300.0), 0.4)


def test_an_amplitude_may_name_its_station_by_its_pick(read):
    one = pick(station="CCC", name="IAML")
    found = read(event([origin()], [one], amplitudes=[amplitude(station=None, pick_id=one.resource_id)]))
    assert found.readings.station_code.tolist() == ["CCC"]
    assert not found.skipped, "the pick of an amplitude is no phase that is missing"


def test_millimetres_are_understood_although_obspy_drops_them(read, tmp_path):
    read(event([origin()], [pick()], amplitudes=[amplitude(1.04, type="AML")]))
    path = tmp_path / "a.xml"
    path.write_text(path.read_text().replace("<unit>m</unit>", "<unit>mm</unit>"))
    found = read_catalogue(path, "test").readings.set_index("station_code")
    assert found.trace_amplitude_nm["BBB"] == pytest.approx(500.0)
