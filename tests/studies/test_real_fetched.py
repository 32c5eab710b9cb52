"""The published model on fetched seismograms: made-up records of a bulletin's events, from a server on this machine."""

import numpy as np
import pytest

from seisbook.catalogues import networks
from seisbook.datasets import fetched, fetching, library
from seisbook.errors import UserError
from seisbook.findings import real_fetched as findings
from seisbook.studies import real_fetched
from tests import loopback

EVENTS = 4


@pytest.fixture
def fetch(bulletin, real_data, tmp_path, monkeypatch):
    """Function that fetches records of events, given by their positions in the bulletin."""
    network = networks.load("ridgecrest")
    monkeypatch.setattr(fetched, "folder", lambda name: tmp_path / "fdsn" / name)
    monkeypatch.setattr(library, "BUILD", tmp_path)

    def run(positions):
        events = bulletin("ridgecrest").select(positions)
        responses = loopback.responses(loopback.instruments(network.stations))
        with loopback.running(loopback.made_up(events, network), responses) as centre:
            fetching.fetch(network, events, centre.address, progress=False)

    return run


def is_tested(bulletin):
    """Which events of the bulletin are test events of the published model."""
    return np.isin(bulletin("ridgecrest").events.index, real_fetched.rendered("ridgecrest").index)


def test_only_test_events_count_each_beside_itself_rendered(fetch, bulletin):
    tested = is_tested(bulletin)
    fetch(np.sort(np.concatenate([np.flatnonzero(tested)[:EVENTS], np.flatnonzero(~tested)[:2]])))
    rows = findings.compare(*real_fetched.errors("ridgecrest", "waveform"))
    assert list(rows.events) == [EVENTS, EVENTS]
    seen, made = (row.epicentre_km.value for row in rows.itertuples())
    rendered = real_fetched.rendered("ridgecrest").epicentral_km
    assert made == pytest.approx(rendered[real_fetched.recorded("ridgecrest").index].median())
    assert seen > made  # the made-up records know nothing of the places of their events
    assert rows.ratio[0].value == pytest.approx(seen / made)
    assert list(findings.table(rows).index) == ["real, as recorded", "the same events, rendered"]


def test_without_a_test_event_the_line_says_how_to_fetch_more(fetch, bulletin):
    fetch(np.flatnonzero(~is_tested(bulletin))[:2])
    with pytest.raises(UserError, match=r"none of the 2 events .* fetch more with `seisbook data fetch ridgecrest"):
        real_fetched.errors("ridgecrest", "waveform")


def test_without_fetched_records_the_line_says_how_to_fetch_them(real_data, tmp_path, monkeypatch):
    monkeypatch.setattr(fetched, "folder", lambda name: tmp_path / name)
    with pytest.raises(UserError, match=r"no seismograms of its events in .* fetch them from the internet with"):
        real_fetched.errors("ridgecrest", "waveform")


@pytest.mark.parametrize("network", ["iceland", "uturuncu", "mexico", "ridgecrest_august"])
def test_a_network_without_a_bulletin_is_refused_in_one_line(network):
    with pytest.raises(UserError, match=f"{network}: no published model .*: give ridgecrest or colombia"):
        real_fetched.errors(network, "waveform")


@pytest.mark.parametrize(("network", "events"), [("ridgecrest", 440), ("colombia", 219)])
def test_all_rendered_test_events_are_those_of_the_record(network, events):
    rows = findings.compare(*real_fetched.errors(network, "rendered"))
    assert list(rows.events) == [events]
    assert rows.ratio[0] is None
    assert findings.table(rows)["real over rendered"].tolist() == [""]


def test_another_source_is_refused():
    with pytest.raises(UserError, match="source is 'bulletin': give one of rendered, waveform"):
        real_fetched.errors("ridgecrest", "bulletin")
