"""Seismograms from a data centre that misbehaves: each fault costs what it must, and nothing half is kept."""

import json
import shutil
from dataclasses import asdict, replace

import numpy as np
import obspy
import pandas as pd
import pytest

from seisbook import cli
from seisbook.catalogues import bulletins, networks
from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.schema import Station
from seisbook.datasets import build, fdsn, fetched, fetched_events, fetching, library, store, waveforms
from seisbook.datasets.graphs import EventDataset
from seisbook.errors import DataError, UserError
from seisbook.studies import runner
from tests import loopback
from tests.breaking import interrupt, killed
from tests.datasets import test_waveforms

NETWORK = replace(
    test_waveforms.NETWORK, stations=[replace(one, network="TO") for one in test_waveforms.NETWORK.stations]
)
ORIGINS = [obspy.UTCDateTime("2020-01-01T00:00:00") + 600 * i for i in range(3)]
REFUSALS = ("Authentication failed", "too much data")
"""What asking again does not change."""


def catalogue(origins=ORIGINS, codes=("AAA", "BBB")):
    events = [
        {
            "source_id": f"toy_{i}",
            "source_origin_time": pd.Timestamp(origin.ns, tz="UTC"),
            "source_latitude_deg": 10.05,
            "source_longitude_deg": 10.05,
            "source_depth_km": 5.0,
            "source_magnitude": 2.0,
        }
        for i, origin in enumerate(origins)
    ]
    readings = [
        {"source_id": one["source_id"], "station_code": code, "path_p_travel_s": 5.0, "trace_p_status": "manual"}
        for one in events
        for code in codes
    ]
    return Catalogue.from_rows("toy", "waveform", events, readings)


@pytest.fixture(autouse=True)
def no_waits(monkeypatch):
    monkeypatch.setattr(fdsn, "WAITS_S", (0.0, 0.0))
    monkeypatch.setattr(fdsn, "SECONDS_OF_SILENCE", 0.5)


@pytest.fixture
def centre():
    with loopback.running(
        loopback.made_up(catalogue(), NETWORK), loopback.responses(loopback.instruments(NETWORK.stations))
    ) as centre:
        yield centre


def fetch(centre, folder, events=None, network=NETWORK):
    return fetching.fetch(network, catalogue() if events is None else events, centre.address, folder, progress=False)


def test_an_event_is_fetched_once_and_whole(centre, tmp_path):
    outcome = fetch(centre, tmp_path / "toy")
    assert (outcome.whole, outcome.asked, outcome.skipped, outcome.failed) == (3, 3, {}, {})
    assert sorted(path.name for path in (tmp_path / "toy").iterdir()) == [
        "index.json", "responses.xml", "toy_0.mseed", "toy_1.mseed", "toy_2.mseed",
    ]  # fmt: skip
    assert len(centre.asked_for("dataselect")) == 3
    assert len(centre.asked_for("station")) == 1
    assert fetch(centre, tmp_path / "toy").whole == 3
    assert len(centre.asked) == 4  # the second run asked for nothing


def test_stations_that_read_the_event_are_asked_for_around_every_window(centre, tmp_path):
    fetch(centre, tmp_path / "toy")
    lines = [line.split() for line in centre.asked_for("dataselect")[0].splitlines()]
    assert {line[1] for line in lines} == {"AAA", "BBB"}
    start, end = (obspy.UTCDateTime(lines[0][i]) - ORIGINS[0] for i in (4, 5))
    least, most = NETWORK.window.lead_s
    lost = 0.05 * (end - start)  # by the taper when the response is removed
    assert start + lost <= 5 - most - 9
    assert end - lost >= 5 - least + NETWORK.window.length_s + 9


def test_what_was_fetched_is_what_the_server_has(centre, tmp_path):
    fetch(centre, tmp_path / "toy")
    stream = waveforms.read_stream(tmp_path / "toy" / "toy_1.mseed")
    sent = centre.archive.select(station="BBB", channel="HHN")[1]
    kept = stream.select(station="BBB", channel="HHN")[0]
    assert kept.stats.starttime == sent.stats.starttime
    np.testing.assert_array_equal(kept.data, sent.data)


# -------------------------------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    "fault",
    [
        loopback.status(500),
        loopback.status(502),
        loopback.status(503),
        loopback.status(429),
        loopback.status(404),
        loopback.garbage(),
        loopback.garbage(loopback.HTML),
        loopback.broken_off,
        loopback.torn,
        loopback.hanging,
    ],
)
@pytest.mark.parametrize("service", ["dataselect", "station"])
def test_a_fault_that_passes_costs_a_second_request(centre, tmp_path, fault, service):
    centre.faults[service] = [fault]
    outcome = fetch(centre, tmp_path / "toy")
    assert (outcome.whole, outcome.failed) == (3, {})
    assert len(centre.asked_for(service)) == (4 if service == "dataselect" else 2)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (loopback.status(500), "Internal server error"),
        (loopback.status(403), "Authentication failed"),
        (loopback.status(413), "too much data"),
        (loopback.garbage(), "no whole miniSEED"),
        (loopback.garbage(loopback.HTML), "no whole miniSEED"),
        (loopback.broken_off, "broke off after"),
        (loopback.torn, "no whole miniSEED"),
        (loopback.hanging, "Timed Out"),
    ],
)
def test_a_fault_that_stays_costs_its_event_and_is_asked_for_again(centre, tmp_path, fault, said):
    centre.faults["dataselect"] = [fault] * (1 if said in REFUSALS else 3)
    outcome = fetch(centre, tmp_path / "toy")
    assert "toy_0" in outcome.failed
    assert said in outcome.failed["toy_0"]
    assert "\n" not in outcome.failed["toy_0"]
    assert not (tmp_path / "toy" / "toy_0.mseed").exists()
    requests = len(centre.asked_for("dataselect")) - outcome.whole
    assert requests == (1 if said in REFUSALS else 3)
    centre.faults.clear()
    assert fetch(centre, tmp_path / "toy").whole == 3
    assert "toy_0" not in fetched.read_index(tmp_path / "toy")["failed"]


def test_an_answer_has_a_largest_size_and_a_longest_time(centre, tmp_path, monkeypatch):
    monkeypatch.setattr(fdsn, "MOST_BYTES", 1e6)
    centre.faults["dataselect"] = [loopback.endless]
    assert "more than 1 MB" in fetch(centre, tmp_path / "toy").failed["toy_0"]
    monkeypatch.setattr(fdsn, "SECONDS_IN_ALL", 0.3)
    centre.faults["dataselect"] = [loopback.dripping] * 3
    assert "not complete after 0.3 s" in fetch(centre, tmp_path / "toy").failed["toy_0"]


def test_no_data_is_an_answer_and_is_not_asked_for_again(centre, tmp_path):
    centre.faults["dataselect"] = [loopback.status(204)]
    outcome = fetch(centre, tmp_path / "toy")
    assert (outcome.whole, outcome.failed) == (2, {})
    assert outcome.skipped == {"toy_0": "it has no data"}
    asked = len(centre.asked)
    assert fetch(centre, tmp_path / "toy").skipped == outcome.skipped
    assert len(centre.asked) == asked


def test_a_server_that_keeps_failing_is_left_alone(centre, tmp_path):
    origins = [ORIGINS[0] + 600 * i for i in range(9)]
    centre.archive = loopback.made_up(catalogue(origins), NETWORK)
    centre.faults["dataselect"] = [loopback.status(403)] * 9
    centre.faults["dataselect"].insert(0, lambda handler, content: handler.send(content))
    with pytest.raises(UserError, match=r"5 events in a row failed .* of 1 are kept: give the same command again"):
        fetch(centre, tmp_path / "toy", catalogue(origins))
    assert len(centre.asked_for("dataselect")) == 6
    centre.faults.clear()
    assert fetch(centre, tmp_path / "toy", catalogue(origins)).whole == 9


@pytest.mark.parametrize("fault", [loopback.garbage(loopback.HTML), loopback.status(500), loopback.status(204)])
def test_without_responses_nothing_is_fetched(centre, tmp_path, fault):
    centre.faults["station"] = [fault] * 3
    with pytest.raises(UserError, match="no responses of the stations of toy") as caught:
        fetch(centre, tmp_path / "toy")
    assert "\n" not in str(caught.value)
    assert not centre.asked_for("dataselect")
    centre.faults.clear()
    assert fetch(centre, tmp_path / "toy").whole == 3


def test_a_server_that_is_none_is_refused_in_one_line(tmp_path, centre):
    for server, said in [
        ("http://127.0.0.1:9", "cannot be asked"),
        ("NOBODY", "no server of this name"),
        ("not an address", "cannot be asked"),
    ]:
        with pytest.raises(UserError, match=said) as caught:
            fetching.fetch(NETWORK, catalogue(), server, tmp_path / "toy", progress=False)
        assert "\n" not in str(caught.value)
    centre.services = ("station",)
    with pytest.raises(UserError, match="without the service dataselect"):
        fetch(centre, tmp_path / "toy")
    assert not (tmp_path / "toy").exists() or not list((tmp_path / "toy").iterdir())


@pytest.mark.parametrize(
    "fault",
    [
        *(loopback.garbage(content) for content in (loopback.HTML, b"<a/>", b"")),
        *(loopback.broken_off, loopback.hanging, loopback.endless, loopback.status(503)),
    ],
)
def test_a_server_that_does_not_describe_itself_is_refused_in_one_line(centre, tmp_path, fault, monkeypatch):
    monkeypatch.setattr(fdsn, "MOST_BYTES", 1e6)
    centre.describe = fault
    with pytest.raises(UserError, match="the server cannot be asked") as caught:
        fetch(centre, tmp_path / "toy")
    assert "\n" not in str(caught.value)


# ---------------------------------------------------------------------------------------------------------- seismograms


def test_duplicated_and_overlapping_records_are_kept_once_in_the_dataset(centre, tmp_path):
    whole = dataset(centre, tmp_path / "whole")
    repeated = [one.slice(one.stats.starttime + 40, one.stats.endtime - 30) for one in centre.archive]
    centre.archive += obspy.Stream(repeated)
    np.testing.assert_allclose(dataset(centre, tmp_path / "twice")[0].x, whole[0].x, rtol=1e-4, atol=1e-2)


def test_a_gap_is_flagged(centre, tmp_path):
    pieces = obspy.Stream()
    for one in centre.archive:
        middle = one.stats.starttime + 70
        pieces += obspy.Stream([one.slice(endtime=middle), one.slice(starttime=middle + 3)])
    centre.archive = pieces
    assert dataset(centre, tmp_path).metadata.trace_has_gap.all()


def test_a_station_of_the_same_code_elsewhere_is_not_asked_for(centre, tmp_path):
    elsewhere = Station("AAA", 10.0, 10.5, 0.0, network="XX")
    stations = [elsewhere, *NETWORK.stations[1:]]
    centre.responses = loopback.responses(loopback.instruments(stations))
    outcome = fetch(centre, tmp_path / "toy")
    assert not any("XX" in what for what in centre.asked_for("dataselect"))
    assert outcome.remarks == [f"stations unknown to {centre.address}: AAA"]


def test_channels_that_were_not_asked_for_are_left_out(centre, tmp_path):
    wrong = loopback.trace("TO", "DDD", "Z", ORIGINS[0])

    def with_another(handler, content):
        handler.send(content + loopback.written(obspy.Stream([wrong])))

    def another(handler, content):
        handler.send(loopback.written(obspy.Stream([wrong])))

    centre.faults["dataselect"] = [with_another, another]
    outcome = fetch(centre, tmp_path / "toy")
    assert outcome.failed == {"toy_1": "its answer holds TO.DDD..HHZ, nothing that was asked for"}
    assert {one.stats.station for one in waveforms.read_stream(tmp_path / "toy" / "toy_0.mseed")} == {"AAA", "BBB"}
    assert fetched.read_index(tmp_path / "toy")["events"]["toy_0"] == ["not asked for, left out: TO.DDD..HHZ"]


def test_one_sensor_of_a_station_is_asked_for(tmp_path):
    """Three components come before one, and a seismometer before an accelerometer; both only while they were open."""
    stations = NETWORK.stations[:1]
    inventory = loopback.instruments(stations, "HN")
    inventory += loopback.instruments(stations, "BH")
    closed = loopback.instruments(stations, "HH")
    for channel in closed[0][0]:
        channel.end_date = ORIGINS[0] - 1
    inventory += closed
    single = loopback.instruments(stations, "EH")
    single[0][0].channels = single[0][0].channels[:1]
    channels = fetching.channels_of(inventory + single, NETWORK)["AAA"]
    assert [one.code for one in fetching._one_sensor(channels, ORIGINS[0])] == ["BHZ", "BHN", "BHE"]
    assert [one.code for one in fetching._one_sensor(channels, ORIGINS[0] - 9)] == ["HHZ", "HHN", "HHE"]


# ------------------------------------------------------------------------------------------------------ stop and resume


def test_a_killed_run_goes_on(centre, tmp_path, breaker):
    """Wherever it is killed, the next run completes it, and nothing differs from a run that was left in peace."""
    folder = tmp_path / "toy"
    fdsn.Server(centre.address)  # so that ObsPy knows the services, and the steps are those of files
    steps = breaker.stop(-1, None, lambda: fetch(centre, folder))
    whole, left = contents(folder), 0
    for at in range(1, steps + 1, max(1, steps // 15)):
        shutil.rmtree(folder, ignore_errors=True)
        killed(breaker, at, lambda: fetch(centre, folder))
        left += len(contents(folder)) < len(whole)
        assert fetch(centre, folder).whole == 3
        assert contents(folder) == whole
    assert left > 3


def contents(folder):
    """Bytes of the files of a folder by name, without hidden ones."""
    return {path.name: path.read_bytes() for path in folder.glob("[!.]*")}


def test_an_interrupted_run_asks_for_the_rest_only(centre, tmp_path, monkeypatch):
    def interrupted(handler, content):
        patch.setattr(fetching, "_keep", lambda *_: interrupt())
        handler.send(content)

    with monkeypatch.context() as patch:
        centre.faults["dataselect"] = [lambda handler, content: handler.send(content), interrupted]
        with pytest.raises(KeyboardInterrupt):
            fetch(centre, tmp_path / "toy")
    assert list(fetched.read_index(tmp_path / "toy")["events"]) == ["toy_0"]
    before = len(centre.asked_for("dataselect"))
    assert fetch(centre, tmp_path / "toy").whole == 3
    assert len(centre.asked_for("dataselect")) - before == 2
    assert len(centre.asked_for("station")) == 1


def test_a_file_that_was_damaged_is_fetched_again(centre, tmp_path):
    fetch(centre, tmp_path / "toy")
    before = (tmp_path / "toy" / "toy_1.mseed").read_bytes()
    (tmp_path / "toy" / "toy_1.mseed").write_bytes(before[:-100])
    asked = len(centre.asked_for("dataselect"))
    fetch(centre, tmp_path / "toy")
    assert (tmp_path / "toy" / "toy_1.mseed").read_bytes() == before
    assert len(centre.asked_for("dataselect")) == asked + 1


def test_a_folder_of_another_server_is_refused(centre, tmp_path):
    fetch(centre, tmp_path / "toy")
    with pytest.raises(UserError, match="holds records of another server"):
        fetching.fetch(NETWORK, catalogue(), "SCEDC", tmp_path / "toy", progress=False)
    assert fetching.fetch(NETWORK, catalogue(), None, tmp_path / "toy", progress=False).whole == 3  # its own server
    with pytest.raises(UserError, match="no data centre is known for it"):
        fetching.fetch(NETWORK, catalogue(), None, tmp_path / "new", progress=False)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"about": {}, "files": 3}', "[" * 100_000])
def test_a_damaged_index_is_refused_in_one_line(centre, tmp_path, text):
    fetch(centre, tmp_path / "toy")
    (tmp_path / "toy" / "index.json").write_text(text)
    with pytest.raises(DataError, match=r"index\.json: a damaged index: remove the folder"):
        fetch(centre, tmp_path / "toy")


# ------------------------------------------------------------------------------------------------------------- datasets


def dataset(centre, folder, events=None, network=NETWORK):
    """A dataset of fetched records, by the way of a user's own files."""
    given = catalogue() if events is None else events
    outcome = fetch(centre, folder / "records", given, network)
    return built(given, network, outcome.folder, outcome.folder / "responses.xml", folder / "set")


def built(events, network, records, responses, out):
    made = build.recorded(events, network, records, build._read_inventory(responses))
    card = build.card(events, network, 0)
    return EventDataset(store.write(made, out, card, network.window.sampling_rate_hz, progress=False))


def far_apart(events, seconds=90):
    """Events none of which lies in the record of another one."""
    chosen = []
    for i, time in enumerate(events.events.source_origin_time):
        if not chosen or (time - events.events.source_origin_time.iloc[chosen[-1]]).total_seconds() > seconds:
            chosen.append(i)
    return events.select(chosen)


def test_icelandic_events_are_the_same_from_a_data_centre_and_from_the_files(real_data, tmp_path):
    network = networks.load("iceland")
    events, archive = far_apart(build.read(network, "waveform")), obspy.Stream()
    for name in events.events.index:
        archive += waveforms.read_stream(real_data / "iceland" / f"{name}.m")
    channel, net = archive[0].stats.channel, archive[0].stats.network
    sent = loopback.instruments([replace(one, network=net) for one in network.stations], channel[:2], counts=4e8)
    (tmp_path / "responses.xml").write_bytes(loopback.responses(sent))
    with loopback.running(archive, loopback.responses(sent)) as centre:
        came = dataset(centre, tmp_path, events, network)
    files = built(events, network, real_data / "iceland", tmp_path / "responses.xml", tmp_path / "files")
    assert len(came) == len(files) == len(events) >= 4
    for one, other in zip(came, files, strict=True):
        assert one.source_id == other.source_id
        for name in ("x", "pos", "amplitude", "onset", "y"):
            np.testing.assert_array_equal(one[name].numpy(), other[name].numpy())


# --------------------------------------------------------------------------------------------------------- command line


@pytest.fixture
def ridgecrest(real_data, bulletin, monkeypatch, tmp_path):
    """A data centre with made-up records of the first events of Ridgecrest, and an empty place for what is fetched."""
    network, events = networks.load("ridgecrest"), bulletin("ridgecrest").head(3)
    monkeypatch.setattr(fetched, "folder", lambda name: tmp_path / "fdsn" / name)
    monkeypatch.setattr(bulletins, "read_bulletin", lambda network: bulletin("ridgecrest"))  # once for all tests
    made = loopback.made_up(events.select([0, 2]), network)
    with loopback.running(made, loopback.responses(loopback.instruments(network.stations))) as centre:
        yield centre


def test_the_whole_line_of_a_bulletin(ridgecrest, tmp_path, capsys, monkeypatch):
    command = ["data", "fetch", "ridgecrest", "--waveforms", "--events", "3", "--server", ridgecrest.address]
    assert cli.main(command) == 0
    assert "seismograms of 2 of 3 events" in (said := capsys.readouterr().out)
    assert "1 without data: " in said
    assert (
        cli.main(["data", "build", "--network", "ridgecrest", "--source", "waveform", "--out", str(tmp_path / "a")])
        == 0
    )
    assert "2 events" in capsys.readouterr().out
    monkeypatch.setattr(library, "BUILD", tmp_path / "build")
    events = library.load_events(networks.load("ridgecrest"), "waveform", progress=False)
    from_folder = library.in_memory(tmp_path / "a")
    np.testing.assert_array_equal(events.source_id, from_folder.source_id)
    np.testing.assert_array_equal(events.x.numpy(), from_folder.x.numpy())
    traces = library.load_metadata(networks.load("ridgecrest"), "waveform", progress=False)
    assert set(traces.source_id) == set(events.source_id)
    rendered = library.load_events(networks.load("ridgecrest"), "bulletin", 3, progress=False)
    np.testing.assert_array_equal(events.y.numpy(), rendered.select([0, 2]).y.numpy())
    assert EventDataset(tmp_path / "a").card["unit"] == "nm"


def test_what_is_fetched_later_makes_another_dataset(ridgecrest, tmp_path, monkeypatch):
    monkeypatch.setattr(library, "BUILD", tmp_path / "build")
    network, whole = networks.load("ridgecrest"), build.read(networks.load("ridgecrest"), "bulletin", 3)
    for size in (1, 2):
        chosen = whole.select([0, 2][:size])
        fetching.fetch(network, chosen, ridgecrest.address, progress=False)
        assert len(library.load_events(network, "waveform", progress=False)) == size


def test_failed_events_end_with_one(ridgecrest, capsys):
    ridgecrest.faults["dataselect"] = [loopback.status(403)]
    command = ["data", "fetch", "ridgecrest", "--waveforms", "--events", "1", "--server", ridgecrest.address]
    assert cli.main(command) == 1
    assert "1 failed, asked for again next time" in capsys.readouterr().out


def test_without_fetched_records_one_line_says_what_to_do(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(fetched, "folder", lambda name: tmp_path / name)
    for network in ("colombia", "ridgecrest"):
        command = ["data", "build", "--network", network, "--source", "waveform", "--out", str(tmp_path / "set")]
        assert cli.main(command) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert f"`seisbook data fetch {network} --waveforms`" in said


def test_a_changed_file_is_not_built_from(ridgecrest, tmp_path):
    fetching.fetch(
        networks.load("ridgecrest"), build.read(networks.load("ridgecrest"), "bulletin", 1), ridgecrest.address
    )
    path = next((tmp_path / "fdsn" / "ridgecrest").glob("*.mseed"))
    path.write_bytes(path.read_bytes()[:512])
    with pytest.raises(DataError, match=f"{path.name}: missing or changed since it was fetched"):
        fetched_events.build("ridgecrest", tmp_path / "set", progress=False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--waveforms"], "name one network"),
        (["colombia", "ridgecrest", "--waveforms"], "name one network"),
        (["colombia", "--events", "3"], "go with --waveforms"),
        (["colombia", "--waveforms", "--out", "somewhere"], "--catalogue and --out go together"),
        (["uturuncu", "--waveforms"], "no bulletin of 'uturuncu'"),
    ],
)
def test_options_that_do_not_fit_are_refused(words, said, capsys):
    assert cli.main(["data", "fetch", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_catalogue_of_ones_own(tmp_path, centre, capsys):
    """Fetched for a QuakeML file, and built as one's own files."""
    from obspy.core import event as quakeml

    made = quakeml.Catalog()
    for origin in ORIGINS[:2]:
        place = quakeml.Origin(time=origin, latitude=10.05, longitude=10.05, depth=5000)
        pick = quakeml.Pick(
            time=origin + 5, phase_hint="P", waveform_id=quakeml.WaveformStreamID(network_code="TO", station_code="AAA")
        )
        place.arrivals = [quakeml.Arrival(pick_id=pick.resource_id, phase="P")]
        made.append(quakeml.Event(origins=[place], picks=[pick], magnitudes=[quakeml.Magnitude(mag=2.0)]))
    made.write(tmp_path / "events.xml", format="QUAKEML")
    (tmp_path / "toy.yaml").write_text(json.dumps(asdict(NETWORK)))
    given = ["--catalogue", str(tmp_path / "events.xml")]
    records = tmp_path / "records"
    command = ["data", "fetch", str(tmp_path / "toy.yaml"), "--waveforms", *given, "--server", centre.address]
    assert cli.main([*command, "--out", str(records)]) == 0
    command = ["data", "build", "--network", str(tmp_path / "toy.yaml"), "--source", "waveform", *given]
    command += ["--waveforms", str(records), "--inventory", str(records / "responses.xml")]
    assert cli.main([*command, "--out", str(tmp_path / "set")]) == 0
    assert len(EventDataset(tmp_path / "set")) == 2


def test_studies_whose_design_permits_it_take_fetched_records(capsys):
    for name in runner.STUDIES:
        if name in runner.ON_FETCHED:
            runner.check_source(name, "ridgecrest", "waveform")
        else:
            with pytest.raises(UserError, match=f"{name}: not with fetched seismograms of ridgecrest"):
                runner.check_source(name, "ridgecrest", "waveform")
    runner.check_source("real", "iceland", "waveform")
    assert cli.main(["study", "status", "robust", "--network", "colombia", "--source", "waveform"]) == 2
    assert "one of the studies ablations" in capsys.readouterr().err


def test_studies_of_recorded_networks_are_those_that_can_be_run_on_them(capsys):
    for network, possible in runner.ON_RECORDED.items():
        for name in runner.STUDIES:
            if name in possible:
                runner.check_source(name, network, "waveform")
                assert runner.find(name).trials(network, "waveform", "quick")
            else:
                with pytest.raises(
                    UserError, match=f"{name}: not with the recorded seismograms of {network}, .*{possible[0]}"
                ):
                    runner.check_source(name, network, "waveform")
        runner.check_source("smoothing", network, "simulated")
    assert cli.main(["study", "run", "alignment", "--network", "iceland", "--source", "waveform"]) == 2
    assert "one of the studies real, real-eqtransformer, real-full" in capsys.readouterr().err


def test_no_study_takes_recorded_seismograms_of_an_own_network(tmp_path, capsys):
    own = tmp_path / "toy.yaml"
    own.write_text(json.dumps(asdict(NETWORK)))
    assert cli.main(["study", "run", "variance", "--network", str(own), "--source", "waveform"]) == 2
    assert "variance: not with recorded seismograms of your own network: take" in capsys.readouterr().err
