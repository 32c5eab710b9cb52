import re

import numpy as np
import obspy
import pandas as pd
import pytest

from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.networks import Network
from seisbook.catalogues.schema import MagnitudeRelation, Station, VelocityModel, Window
from seisbook.datasets import waveforms
from seisbook.errors import DataError, UserError

ORIGIN = obspy.UTCDateTime("2020-01-01T23:59:58")
WINDOW = Window(20.0, 50.0, (2.0, 3.0))
NETWORK = Network(
    name="toy",
    title="Toy",
    reference="made up",
    utc_offset_h=0,
    velocity_model=VelocityModel([0.0], [6.0], 1.75, "half-space"),
    magnitude=MagnitudeRelation(1.11, 0.00189, -2.09, 0.2, "IASPEI"),
    window=WINDOW,
    pick_scatter_s=(0.05, 0.1),
    pick_scatter_per_100km_s=0.1,
    dominant_period_s=(0.2, 1.2),
    minimum_stations=1,
    stations=[Station("AAA", 10.0, 10.0, 0.0), Station("BBB", 10.1, 10.0, 0.0), Station("CCC", 10.0, 10.1, 0.0)],
)


def trace(station="AAA", channel="HHZ", rate=100.0, onset_s=5.0, length_s=60.0, start_s=-20.0, **header):
    """Quiet noise, and from the onset on (seconds after the origin) a strong decaying 4 Hz wave."""
    rng = np.random.default_rng(sum(map(ord, station + channel)))
    time = start_s + np.arange(round(length_s * rate)) / rate
    after = np.maximum(time - onset_s, 0)
    data = rng.standard_normal(len(time)) + 1000 * (time >= onset_s) * np.sin(2 * np.pi * 4 * after) * np.exp(-after)
    header = {"station": station, "channel": channel, "sampling_rate": rate, "starttime": ORIGIN + start_s, **header}
    return obspy.Trace(data, header)


def three(station="AAA", **keywords):
    return obspy.Stream([trace(station, f"HH{c}", **keywords) for c in "ZNE"])


def catalogue(travel_s=5.0):
    events = [
        {
            "source_id": "one",
            "source_origin_time": pd.Timestamp(ORIGIN.ns, tz="UTC"),
            "source_latitude_deg": 10.0,
            "source_longitude_deg": 9.8,
            "source_depth_km": 5.0,
        }
    ]
    readings = [{"source_id": "one", "station_code": "AAA", "path_p_travel_s": travel_s, "trace_p_status": "manual"}]
    return Catalogue.from_rows("toy", "waveform", events, readings)


def onset_sample(series):
    """First sample that stands out of the noise before it."""
    return int(np.argmax(np.abs(series) > 100))


@pytest.mark.parametrize("rate", [20.0, 40.0, 62.5, 100.0, 250.0])
@pytest.mark.parametrize("shift", [0.0, 0.0137])
def test_resampling_keeps_the_onset_time(rate, shift):
    """Within two samples of either rate, whatever the rate and the phase of the sampling."""
    stream = obspy.Stream([trace(rate=rate, start_s=-20 + shift)])
    array, table = waveforms.cut(stream, ["AAA"], ORIGIN + 2, WINDOW)
    assert array.shape == (1, 3, 1000)
    assert array.dtype == np.float32
    assert abs(onset_sample(array[0, 0]) - 3 * 50) <= 2 * max(1, 50 / rate)
    assert table.trace_missing_components["AAA"] == 2
    assert table.trace_unit["AAA"] == "counts"


def test_resampling_does_not_alias():
    fast = trace(rate=200.0)
    fast.data = 1000 * np.sin(2 * np.pi * 90 * np.arange(len(fast)) / 200)
    array, _ = waveforms.cut(obspy.Stream([fast]), ["AAA"], ORIGIN, WINDOW)
    assert np.abs(array[0, 0]).max() < 10


def test_gap_is_flagged_and_zero():
    stream = three()
    whole = stream.pop(0)
    stream += obspy.Stream([whole.slice(endtime=ORIGIN + 8), whole.slice(starttime=ORIGIN + 10)])
    array, table = waveforms.cut(stream, ["AAA"], ORIGIN + 2, WINDOW)
    assert table.trace_has_gap["AAA"]
    assert table.trace_missing_share["AAA"] == pytest.approx(2 / 20 / 3, abs=0.003)
    assert (array[0, 0, 302:398] == 0).all()
    assert np.abs(array[0, 1, 302:398]).max() > 0
    assert abs(onset_sample(array[0, 0]) - 150) <= 2


def test_gap_outside_the_window_is_no_gap():
    stream = obspy.Stream([trace().slice(endtime=ORIGIN - 8), trace().slice(starttime=ORIGIN - 6)])
    _, table = waveforms.cut(stream, ["AAA"], ORIGIN + 2, WINDOW)
    assert not table.trace_has_gap["AAA"]


def test_nan_samples_are_a_gap():
    stream = three()
    stream[2].data[2900:3000] = np.nan
    array, table = waveforms.cut(stream, ["AAA"], ORIGIN + 2, WINDOW)
    assert np.isfinite(array).all()
    assert table.trace_has_gap["AAA"]
    assert table.trace_missing_share["AAA"] == pytest.approx(1 / 20 / 3, abs=0.003)


def test_all_nan_component_is_missing():
    stream = three()
    stream[1].data[:] = np.nan
    array, table = waveforms.cut(stream, ["AAA"], ORIGIN + 2, WINDOW)
    assert table.trace_missing_components["AAA"] == 1
    assert (array[0, 1] == 0).all()


def test_flat_component_is_flagged():
    stream = three()
    stream[1].data[:] = 17.0
    array, table = waveforms.cut(stream, ["AAA"], ORIGIN + 2, WINDOW)
    assert table.trace_is_flat["AAA"]
    assert (array[0, 1] == 0).all()
    assert np.abs(array[0, 0]).max() > 100


def test_numbered_components_and_the_fuller_instrument():
    """HH1 and HH2 stand for N and E; a lone short-period vertical does not displace three broadband components."""
    stream = obspy.Stream([trace(channel=channel) for channel in ("HH2", "HHZ", "HH1", "EHZ")])
    stream.select(channel="HH1")[0].data *= 10
    array, table = waveforms.cut(stream, ["AAA"], ORIGIN + 2, WINDOW)
    peaks = np.abs(array[0]).max(axis=1)
    assert peaks[1] > 5 * peaks[0]
    assert peaks[1] > 5 * peaks[2]
    assert table.trace_missing_components["AAA"] == 0


def test_vertical_may_be_called_3():
    """Of 1, 2 and 3 the third is the vertical; beside a Z it is not used."""
    stream = obspy.Stream([trace(channel=f"BN{digit}") for digit in "123"])
    stream.select(channel="BN3")[0].data *= 10
    array, table = waveforms.cut(stream, ["AAA"], ORIGIN + 2, WINDOW)
    peaks = np.abs(array[0]).max(axis=1)
    assert peaks[0] > 5 * peaks[1]
    assert table.trace_missing_components["AAA"] == 0
    beside, _ = waveforms.cut(stream + trace(channel="BNZ"), ["AAA"], ORIGIN + 2, WINDOW)
    assert np.abs(beside[0, 0]).max() < peaks[0] / 5


@pytest.mark.parametrize("slow", ["Z", "NE"])
def test_components_may_have_rates_of_their_own(slow):
    stream = obspy.Stream([trace(channel=f"HH{c}", rate=40.0 if c in slow else 100.0) for c in "ZNE"])
    array, table = waveforms.cut(stream, ["AAA"], ORIGIN + 2, WINDOW)
    assert table.trace_missing_components["AAA"] == 0
    assert table.trace_missing_share["AAA"] == 0
    for component in range(3):
        assert abs(onset_sample(array[0, component]) - 150) <= 3


def test_pieces_of_one_component_at_another_rate_are_a_gap():
    whole = trace()
    slow = trace(rate=50.0, length_s=2.0, start_s=8.0)
    slow.stats.calib = 2.0
    stream = obspy.Stream([whole.slice(endtime=ORIGIN + 8), slow, whole.slice(starttime=ORIGIN + 10)])
    _, table = waveforms.cut(stream, ["AAA"], ORIGIN + 2, WINDOW)
    assert table.trace_has_gap["AAA"]


def strange(reason):
    """Traces of station BBB that cannot be used."""
    stream = three("BBB")
    if reason == "an hour off":
        for one in stream:
            one.stats.starttime += 3600
    elif reason == "of 1970":
        for one in stream:
            one.stats.starttime = obspy.UTCDateTime(0)
    elif reason == "flat":
        for one in stream:
            one.data[:] = 5.0
    elif reason == "too large":
        for one in stream:
            one.data[::2] = 1e300
    elif reason == "slow":
        stream = three("BBB", rate=1.0)
    elif reason == "unknown component":
        stream = obspy.Stream([trace("BBB", channel="HDF")])
    return stream


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("an hour off", "lies outside the window .*: check its clock"),
        ("of 1970", "record from 1970-01-01.* lies outside the window"),
        ("flat", "all its components are flat"),
        ("too large", "numbers too large|cannot be cut"),
        ("slow", "at least 2.5 Hz has data in the window"),
        ("unknown component", "only HDF"),
    ],
)
def test_a_record_that_cannot_be_used_costs_its_station(reason, message):
    """Not the event, and it becomes no row of zeros."""
    remarks = []
    array, table = waveforms.cut(three() + strange(reason), ["AAA", "BBB"], ORIGIN + 2, WINDOW, remarks=remarks)
    assert table.index.tolist() == ["AAA"]
    assert np.isfinite(array).all()
    assert len(remarks) == 1
    assert re.fullmatch(f"station BBB left out: .*({message}).*", remarks[0])


def test_a_component_of_zeros_is_a_remark():
    remarks = []
    stream = three()[:2]
    stream[1].data[:] = 3.0
    waveforms.cut(stream, ["AAA"], ORIGIN + 2, WINDOW, remarks=remarks)
    assert remarks == ["station AAA: no signal on N, E, zeros in its place"]


def test_trend_and_offset_are_removed():
    stream = three(onset_s=1e3)
    for one in stream:
        one.data += 5000 + 10 * np.arange(len(one))
    array, _ = waveforms.cut(stream, ["AAA"], ORIGIN + 2, WINDOW)
    assert np.abs(array.mean(axis=-1)).max() < 0.5


def test_record_shorter_than_the_window_is_padded_and_counted():
    array, table = waveforms.cut(three(length_s=32.0), ["AAA"], ORIGIN + 2, WINDOW)
    assert table.trace_missing_share["AAA"] == pytest.approx(0.5, abs=0.003)
    assert (array[0, :, 510:] == 0).all()
    assert not table.trace_has_gap["AAA"]


def inventory_of(*channels, response="flat"):
    """An inventory of station AAA, whose sensor has a flat sensitivity of 1e6 counts/(m/s), unless it has none."""
    flat = obspy.core.inventory.response.Response.from_paz(
        [], [], stage_gain=1e6, input_units="M/S", output_units="COUNTS"
    )
    response = {"flat": flat, "none": None, "empty": obspy.core.inventory.response.Response()}[response]
    made = [
        obspy.core.inventory.Channel(name, "", 10.0, 10.0, 0.0, 0.0, 0, -90, sample_rate=100.0, response=response)
        for name in channels
    ]
    station = obspy.core.inventory.Station("AAA", 10.0, 10.0, 0.0, channels=made)
    return obspy.Inventory([obspy.core.inventory.Network("XX", [station])], source="test")


@pytest.mark.parametrize("response", ["none", "empty"])
def test_a_channel_without_its_response_costs_its_station(response):
    """Whether the channel is not in the inventory (BBB), or has a response without content (AAA)."""
    stream, remarks = three(network="XX") + three("BBB", network="XX"), []
    inventory = inventory_of("HHZ", "HHN", "HHE", response=response)
    array, table = waveforms.cut(stream, ["AAA", "BBB"], ORIGIN + 2, WINDOW, inventory, remarks)
    assert not len(table)
    assert array.shape == (0, 3, 1000)
    assert [line.split(":")[0] for line in remarks] == ["station AAA left out", "station BBB left out"]
    assert all("add the channel to the station inventory" in line and "\n" not in line for line in remarks)


def test_response_is_removed_to_nanometres():
    """The displacement of a 5 Hz wave of 100 nm comes back."""
    inventory = inventory_of("HHZ")
    one = trace(network="XX")
    time = np.arange(len(one)) / 100
    one.data = 100e-9 * 2 * np.pi * 5 * np.cos(2 * np.pi * 5 * time) * 1e6
    array, table = waveforms.cut(obspy.Stream([one]), ["AAA"], ORIGIN + 2, WINDOW, inventory)
    assert table.trace_unit["AAA"] == "nm"
    assert np.abs(array[0, 0]).max() == pytest.approx(100, rel=0.05)
    one.stats.channel = "BHZ"
    with pytest.raises(DataError, match=r"XX\.AAA\.\.BHZ: .*add the channel"):
        waveforms.cut(obspy.Stream([one]), ["AAA"], ORIGIN + 2, WINDOW, inventory)


def test_iterate_yields_all_stations_with_data(tmp_path):
    stream = three() + three("BBB", onset_s=6.0)
    stream.write(tmp_path / "one.mseed", format="MSEED")
    cat = catalogue()
    files = waveforms.event_files(tmp_path, cat)
    (source_id, rows, array, start), *more = waveforms.iterate(cat, files, NETWORK, WINDOW)
    assert not more
    assert source_id == "one"
    assert rows.station_code.tolist() == ["AAA", "BBB"]
    assert array.shape == (2, 3, 1000)
    assert 2 <= 5 - start <= 3
    assert rows.trace_p_arrival_sample[0] == pytest.approx((5 - start) * 50)
    assert np.isnan(rows.trace_p_arrival_sample[1])
    assert rows.trace_p_status.tolist() == ["manual", ""]
    assert abs(onset_sample(array[0, 0]) - rows.trace_p_arrival_sample[0]) <= 2
    assert rows.path_ep_distance_km[0] == pytest.approx(21.9, abs=0.1)
    again = next(waveforms.iterate(cat, files, NETWORK, WINDOW))
    np.testing.assert_array_equal(array, again[2])


def test_files_go_to_the_event_that_they_are_named_after(tmp_path):
    events = [{"source_id": name, "source_origin_time": pd.Timestamp(0, tz="UTC")} for name in ("e1", "e10", "e1_2")]
    cat = Catalogue.from_rows("toy", "waveform", events, [])
    for name in ("e1.m", "e1_AAA.mseed", "e10.m", "e1_2.m", "e1_2_BBB.m", "e11.m", "e.m", "e1.event"):
        (tmp_path / name).touch()
    found = waveforms.event_files(tmp_path, cat)
    names = {source_id: [path.name for path in paths] for source_id, paths in found.items()}
    assert names == {"e1": ["e1.m", "e1_AAA.mseed"], "e10": ["e10.m"], "e1_2": ["e1_2.m", "e1_2_BBB.m"]}
    assert waveforms.files_of_no_event(tmp_path, cat) == [
        f"{tmp_path / 'e.m'}: file left out: its name begins with the source_id of no event: "
        "name it like e1.mseed, or e1.STATION.SAC"
    ]


@pytest.mark.parametrize(
    ("name", "format"),
    [("AAA.SAC", "SAC"), ("BBB.seed", "MSEED"), ("MSD", "MSEED"), ("gse2", "GSE2"), ("TEST__003", "MSEED")],
)
def test_waveform_files_have_many_names(tmp_path, name, format):
    """Known endings in upper and lower case, and unknown ones if the content is a waveform format."""
    one = trace()
    one.data = (100 * one.data).astype(np.int32)
    one.write(str(tmp_path / f"one.{name}"), format=format)
    (tmp_path / "one.txt").write_text("the analyst's notes\n")
    cat = catalogue()
    assert waveforms.event_files(tmp_path, cat) == {"one": [tmp_path / f"one.{name}"]}
    assert not waveforms.files_of_no_event(tmp_path, cat)
    assert len(list(waveforms.iterate(cat, waveforms.event_files(tmp_path, cat), NETWORK, WINDOW))) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [(slice(3000), "truncated"), (b"not waveforms", "not a waveform file"), (b"", "it is empty")],
)
def test_a_bad_file_costs_what_it_holds(tmp_path, content, reason):
    """The event is made of its other file; without one, it is left out."""
    three().write(tmp_path / "one.mseed", format="MSEED", reclen=512)
    whole = (tmp_path / "one.mseed").read_bytes()
    (tmp_path / "one.mseed").write_bytes(whole[content] if isinstance(content, slice) else content)
    three("BBB").write(tmp_path / "one_b.mseed", format="MSEED")
    cat = catalogue()
    (event,) = waveforms.iterate(cat, waveforms.event_files(tmp_path, cat), NETWORK, WINDOW)
    assert event[1].station_code.tolist() == ["BBB"]
    (tmp_path / "one_b.mseed").unlink()
    assert not list(waveforms.iterate(cat, waveforms.event_files(tmp_path, cat), NETWORK, WINDOW))
    again, *bad, lost = cat.skipped
    assert bad == [again]
    assert again.startswith(f"one: file left out: {tmp_path / 'one.mseed'}: ")
    assert reason in again
    assert "\n" not in again
    assert lost.startswith("one: event left out: none of its waveform files can be read")


def test_what_an_event_lacks_is_said(tmp_path):
    three("ZZZ").write(tmp_path / "one.mseed", format="MSEED")
    for cat, files, reason in (
        (catalogue(), {}, "no waveform file is named after it: name it one.mseed, or one.STATION.SAC"),
        (catalogue(np.nan), {"one": "x"}, "no onset"),
        (catalogue(), {"one": tmp_path / "one.mseed"}, "its files hold ZZZ, no station of network toy"),
    ):
        assert not list(waveforms.iterate(cat, files, NETWORK, WINDOW))
        assert cat.skipped[-1].startswith(f"one: event left out: {reason}")


def test_missing_files_are_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.mseed: no such waveform file"):
        waveforms.read_stream(tmp_path / "gone.mseed")
    with pytest.raises(UserError, match=r"no \.event files"):
        waveforms.read_iceland(tmp_path)
    (tmp_path / "a.event").write_text("EventID,DT,X\n1,2020-01-01,3\n")
    with pytest.raises(DataError, match=r"a\.event: line 1: no GAU_ErrX"):
        waveforms.read_iceland(tmp_path)


EXAMPLE = {
    ".event": "EventID,DT,X,Y,Z,GAU_ErrX,GAU_ErrY,GAU_ErrZ,ML\n1,2020-01-01T00:00:00.5Z,10.0,20.0,5.0,1,1,1,1.5\n",
    ".picks": "Station,Phase,PickTime,PickError,Residual\nAAA,P,2020-01-01T00:00:05.5Z,0.1,0.01\nAAA,S,-1,-1,-1\n",
    ".amps": "id,S_amp,S_freq\nXX.AAA..HHN,0.5,4.0\n",
}


@pytest.mark.parametrize(
    ("ending", "old", "new", "message"),
    [
        (".event", "2020-01-01T00:00:00.5Z", "yesterday", "line 2: DT is yesterday, which is no time"),
        (".event", "20.0", "-", "line 2: Y is -, which is no number"),
        (".event", "5.0", "inf", "line 2: Z is inf, which is no number"),
        (".event", "10.0", "", "line 2: an event without origin time or hypocentre"),
        (".event", "ML\n1", "ML\n1,1", "line 2: more values than names"),
        (
            ".picks",
            "2020-01-01T00:00:05.5Z",
            "2020-01-01T00:0",
            "line 2: PickTime is 2020-01-01T00:0, which is no time",
        ),
        (".picks", "AAA,S,-1,-1,-1", "AAA", "line 3: Phase is nan, which is no phase"),
        (".picks", "0.01", "0$.1", "line 2: Residual is 0$.1, which is no number"),
        (".amps", "XX.AAA..HHN", "XXE", "line 2: id is XXE, which is no channel"),
        (".amps", "0.5", "x", "line 2: S_amp is x, which is no number"),
        (".amps", "id", "\xff", "cannot be read"),
    ],
)
def test_damaged_icelandic_files_are_named_with_their_line(tmp_path, ending, old, new, message):
    for other, text in EXAMPLE.items():
        (tmp_path / f"a{other}").write_text(text)
    assert len(waveforms.read_iceland(tmp_path).readings) == 1
    (tmp_path / f"a{ending}").write_text(EXAMPLE[ending].replace(old, new, 1), encoding="latin-1")
    with pytest.raises(DataError, match=rf"a\{ending}: {re.escape(message)}"):
        waveforms.read_iceland(tmp_path)


def test_iceland(real_data):
    cat = waveforms.read_iceland(real_data / "iceland")
    assert len(cat) == 27
    assert cat.events.source_magnitude.notna().sum() == 26
    assert cat.events.source_depth_km.between(0, 10).all()
    assert (cat.readings.path_s_travel_s > cat.readings.path_p_travel_s)[
        cat.readings[["path_p_travel_s", "path_s_travel_s"]].notna().all(axis=1)
    ].all()
    network = Network(
        **{
            **vars(NETWORK),
            "stations": [Station(code, 64.8, -17.0, 800.0) for code in sorted(set(cat.readings.station_code))],
        }
    )
    window = Window(20.0, 50.0, (2.0, 5.0))
    records = list(waveforms.iterate(cat, waveforms.event_files(real_data / "iceland", cat), network, window))
    assert not cat.skipped
    assert [array.shape for _, _, array, _ in records] == [(12, 3, 1000)] * 27
    rows = pd.concat([rows for _, rows, _, _ in records])
    assert not rows.trace_has_gap.any()
    assert (rows.trace_missing_components == 0).all()
    ratios = []
    for _, rows, array, _ in records:
        for row, traces in zip(rows.itertuples(), array, strict=True):
            if row.trace_p_arrival_sample > 60:
                onset = round(row.trace_p_arrival_sample)
                ratios.append(np.std(traces[0, onset : onset + 25]) / np.std(traces[0, onset - 50 : onset - 5]))
    assert np.median(ratios) > 2  # the picks are where the ground begins to move
