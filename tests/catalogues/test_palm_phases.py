import numpy as np
import pytest

from seisbook.catalogues import bulletins, palm_phases

TEXT = """2019-07-04T16:13:43.280000Z,35.712728,-117.495329,15.39,1.6,0
CI.TOW2,2019-07-04T16:13:48.528000Z,2019-07-04T16:13:53.308000Z,1.66e-07,1350.6
CI.SRT,2019-07-04T16:13:47.888000Z,-1,nan,2198.2
2019-07-04T16:20:00.000000Z,35.7,-117.4,5.0,nan,1
CI.CCC,-1,2019-07-04T16:20:04.500000Z,4.4e-07,908.2
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "events.pha").write_text(TEXT)
    return tmp_path / "events.pha"


def test_events_and_readings_are_read(path):
    found = bulletins.read_catalogue(path, "mine")
    assert found.events.source_depth_km.tolist() == [15.39, 5.0]
    assert found.events.source_magnitude.isna().tolist() == [False, True]
    first, second, third = found.readings.itertuples()
    assert first.station_code == "TOW2"
    assert (first.path_p_travel_s, first.path_s_travel_s) == (5.248, 10.028)
    assert first.trace_amplitude_nm == pytest.approx(166)
    assert np.isnan([second.path_s_travel_s, second.trace_amplitude_nm, third.path_p_travel_s]).all()
    assert (second.trace_s_status, third.trace_s_status) == ("", "automatic")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("35.712728", "x", ":1: event left out"),
        ("CI.SRT,2019-07-04T16:13:47", "CI.SRT,2019-17-04T16:13:47", ":3: reading left out"),
        ("CI.CCC", "CI.", ":5: reading left out"),
    ],
)
def test_a_damaged_line_costs_itself(path, old, new, said):
    lines = TEXT.replace(old, new)
    if new == "x":  # the file is still recognised by a whole event before the damaged one
        lines = "2019-07-04T10:00:00Z,35,-117,5,1,9\nCI.AAA,2019-07-04T10:00:02Z,-1,nan,1\n" + lines
        said = ":3: event left out"
    path.write_text(lines)
    found = bulletins.read_catalogue(path, "mine")
    assert any(said in line for line in found.skipped)
    assert len(found.readings) >= 1


def test_other_files_are_not_taken_for_it():
    assert palm_phases.recognise(TEXT.splitlines())
    assert not palm_phases.recognise(["code,latitude,longitude,elevation_m", "A,1,2,3"])
    assert not palm_phases.recognise(TEXT.splitlines()[:1])
