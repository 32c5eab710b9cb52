"""The final project: nothing of the truth reaches the learners, and an answer is scored or refused in one line."""

import re

import numpy as np
import obspy
import pandas as pd
import pytest

from seisbook import cli
from seisbook.book import project
from seisbook.catalogues import networks
from seisbook.datasets import picked_events
from seisbook.errors import UserError


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small project."""
    folder = tmp_path_factory.mktemp("workshop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(project, "PROJECT", folder / "project")
        patch.setattr(project, "TRUTH", folder / "project" / "teacher" / "truth.csv")
        patch.setattr(project, "N_TRAINING", 12)
        patch.setattr(project, "N_TEST", 8)
        project.make(progress=False)
        yield folder / "project"


@pytest.fixture
def truth(made):
    return pd.read_csv(made / "teacher" / "truth.csv")


def test_the_learners_get_picks_without_hypocentres_and_training_events_with_them(made):
    test, training = (
        obspy.read_events(str(made / "learner" / f"{name}.xml"), format="QUAKEML") for name in ("test", "training")
    )
    assert (len(training), len(test)) == (12, 8)
    assert all(event.origins and event.magnitudes for event in training)
    assert not any(event.origins or event.magnitudes or event.comments for event in test)
    assert all(event.picks for event in test)
    assert re.findall(r"<(?:latitude|longitude|depth|mag|arrival)>", (made / "learner" / "test.xml").read_text()) == []


def test_the_truth_is_that_of_the_picks_of_the_same_name(made, truth):
    """The first pick of an event is that of a station near its true epicentre."""
    network = networks.load("ridgecrest")
    read = picked_events.read(made / "learner" / "test.xml", network)
    assert list(read.events.index) == list(truth.event)
    places = {station.code: np.array([station.latitude, station.longitude]) for station in network.stations}
    right = truth.set_index("event")[["latitude_deg", "longitude_deg"]]
    nearest = [
        np.hypot(*(places[rows.station_code.iloc[rows.path_p_travel_s.fillna(np.inf).argmin()]] - right.loc[name]))
        for name, rows in read.readings.groupby("source_id")
    ]
    assert np.median(nearest) < 0.3


def test_two_projects_differ(made, monkeypatch, tmp_path):
    monkeypatch.setattr(project, "PROJECT", tmp_path / "other")
    project.make(progress=False)
    other = pd.read_csv(tmp_path / "other" / "teacher" / "truth.csv")
    assert set(other.event).isdisjoint(pd.read_csv(made / "teacher" / "truth.csv").event)


def write(path, table):
    table.to_csv(path, index=False)
    return path


def test_the_truth_itself_gets_all_points_and_the_middle_gets_few(made, truth, tmp_path, capsys):
    perfect = truth.assign(radius90_km=[*[1.0] * 7, 0.0])
    perfect.loc[7, "latitude_deg"] += 0.1  # one in eight outside
    assert cli.main(["workshop", "score", str(write(tmp_path / "a.csv", perfect))]) == 0
    assert "= 12 of 12" in capsys.readouterr().out
    points = re.search(r"= (\d+) of 12", project.score(made / "learner" / "answer.csv"))
    assert int(points[1]) <= 1


def test_rows_may_be_in_another_order(truth, tmp_path):
    answer = truth.assign(radius90_km=5.0)
    assert project.score(write(tmp_path / "a.csv", answer[::-1])) == project.score(write(tmp_path / "b.csv", answer))


MALFORMED = {
    "no column 'magnitude'": lambda table: table.drop(columns="magnitude"),
    "no row for 1 of 8 events": lambda table: table[1:],
    "is not in the test set": lambda table: table.assign(event=["x", *table.event[1:]]),
    "line 3: event .* occurs twice": lambda table: table.assign(event=[table.event[0], *table.event[:-1]]),
    "line 4: depth_km is 'deep'": lambda table: table.astype({"depth_km": str}).assign(
        depth_km=["1", "2", "deep", *["3"] * 5]
    ),
    "line 2: latitude_deg is '135.0'": lambda table: table.assign(latitude_deg=[135.0, *table.latitude_deg[1:]]),
    "line 2: magnitude is ''": lambda table: table.assign(magnitude=[None, *table.magnitude[1:]]),
    "line 2: radius90_km is '-1.0'": lambda table: table.assign(radius90_km=-1.0),
    "line 2: depth_km is 'inf'": lambda table: table.assign(depth_km=np.inf),
}


@pytest.mark.parametrize("reason", MALFORMED)
def test_a_malformed_answer_is_refused_in_one_line(truth, tmp_path, reason, capsys):
    path = write(tmp_path / "answer.csv", MALFORMED[reason](truth.assign(radius90_km=1.0)))
    assert cli.main(["workshop", "score", str(path)]) == 2
    said = capsys.readouterr().err
    assert re.search(reason, said)
    assert str(path) in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "not a CSV"), (b"\xff\xfe\x00", "not a CSV"), (None, "no such file")]
)
def test_a_file_that_is_no_table_is_refused_in_one_line(made, tmp_path, content, reason):
    path = tmp_path / "answer.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=reason) as caught:
        project.score(path)
    assert "\n" not in str(caught.value)
