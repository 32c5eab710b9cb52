from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

from seisbook.catalogues import bulletins, networks, quakeml
from seisbook.catalogues.catalogue import Catalogue
from seisbook.physics import simulation
from tests.breaking import interrupt


@pytest.fixture(scope="module")
def catalogue():
    return simulation.simulate(networks.load("ridgecrest"), 20, 3)


def test_what_is_written_is_read_again(catalogue, tmp_path):
    path = quakeml.write(catalogue, tmp_path / "events.xml")
    found = bulletins.read_catalogue(path, "ridgecrest")
    assert len(found) == len(catalogue)
    assert not found.skipped
    ours = catalogue.events.sort_values("source_origin_time")
    theirs = found.events.sort_values("source_origin_time")
    shift = (ours.source_origin_time.to_numpy() - theirs.source_origin_time.to_numpy()).astype("timedelta64[us]")
    assert np.abs(shift.astype(int)).max() <= 1
    for name in ("source_latitude_deg", "source_longitude_deg", "source_depth_km", "source_magnitude"):
        np.testing.assert_allclose(theirs[name], ours[name], rtol=1e-9, err_msg=name)
    keys = pd.Series(theirs.index, index=ours.index)
    left = catalogue.readings.assign(source_id=catalogue.readings.source_id.map(keys)).set_index(
        ["source_id", "station_code"]
    )
    right = found.readings.set_index(["source_id", "station_code"]).reindex(left.index)
    for name, error in (("path_p_travel_s", 1e-4), ("path_s_travel_s", 1e-4), ("trace_amplitude_nm", 1e-3)):
        np.testing.assert_allclose(right[name], left[name], atol=error, rtol=1e-6, err_msg=name)
    assert set(right.trace_p_status) == {"automatic", ""}, "a simulated onset passes for an analyst's"
    assert (right.trace_p_onset == left.trace_p_onset.where(left.path_p_travel_s.notna(), "")).all()


def test_an_event_may_lack_magnitude_readings_and_text(tmp_path):
    event = {"source_id": "a", "source_origin_time": "2020-01-01", "source_latitude_deg": 1.0}
    event |= {"source_longitude_deg": 2.0, "source_depth_km": 3.0}
    path = quakeml.write(Catalogue.from_rows("mine", "bulletin", [event], []), tmp_path / "one.xml")
    found = bulletins.read_catalogue(path, "mine")
    assert np.isnan(found.events.source_magnitude.iloc[0])
    assert len(found.readings) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["one.xml"]


def test_characters_that_xml_cannot_hold_are_replaced(tmp_path):
    event = {"source_id": "a", "source_origin_time": "2020-01-01", "source_latitude_deg": 1.0}
    event |= {"source_longitude_deg": 2.0, "source_depth_km": 3.0, "source_magnitude": 1.0}
    event |= {"source_text": "Peña\x00 \x1b[2J\ud800 \U0001f30b", "source_magnitude_type": "M\x07L"}
    reading = {"source_id": "a", "station_code": "A\x0bB", "path_p_travel_s": 1.0}
    catalogue = Catalogue.from_rows("mine", "bulletin", [event], [reading])
    found = bulletins.read_catalogue(quakeml.write(catalogue, tmp_path / "one.xml"), "mine")
    assert found.events.source_text.tolist() == [
        "Peña\N{REPLACEMENT CHARACTER} \N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER} \U0001f30b"
    ]
    assert found.readings.station_code.tolist() == ["A\N{REPLACEMENT CHARACTER}B"]


def test_a_catalogue_is_old_or_new_whichever_step_fails(tmp_path, breaker):
    event = {"source_id": "a", "source_origin_time": "2020-01-01", "source_latitude_deg": 1.0}
    event |= {"source_longitude_deg": 2.0, "source_depth_km": 3.0}
    one, two = (Catalogue.from_rows("mine", "bulletin", [{**event, "source_id": name}], []) for name in "ab")
    path = quakeml.write(one, tmp_path / "events.xml")
    before = path.read_bytes()
    steps = breaker.stop(-1, None, lambda: quakeml.write(one, path))
    for at in range(1, steps + 1):
        with suppress(KeyboardInterrupt):
            breaker.stop(at, interrupt, lambda: quakeml.write(two, path))
        assert path.read_bytes() == before or len(bulletins.read_catalogue(path, "mine")) == 1
        assert path.read_bytes().endswith(b"</q:quakeml>\n") or path.read_bytes().endswith(b"</q:quakeml>")
        quakeml.write(one, path)
        assert [entry.name for entry in tmp_path.iterdir()] == ["events.xml"]
