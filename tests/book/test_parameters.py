"""Parameters of chapters fit, or one line says what is wrong, whoever sets them."""

import json
import os

import papermill
import pytest

from seisbook.book import chapters, parameters
from seisbook.catalogues import bulletins
from seisbook.datasets import fetched
from seisbook.errors import UserError
from seisbook.paths import BOOK, DATA

CHAPTER = "07_your_network"
OWN = dict.fromkeys(("catalogue", "network_file", "stations", "waveforms"), "")
FIT = {"profile": "quick", "seed": 0, "n_events": 0, **OWN}


@pytest.mark.parametrize("path", chapters.chapters(), ids=lambda path: path.stem)
def test_a_chapter_checks_its_own_parameters(path):
    parameters.check(path.stem, {**parameters.defaults(path), "In": ["", "x = 1"]})
    cells = papermill.iorw.load_notebook_node(str(path)).cells
    after = next(i for i, cell in enumerate(cells) if "parameters" in cell.metadata.tags) + 1
    assert cells[after].source == f'parameters.check("{path.stem}", globals())'


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"profile": "fast"}, "parameter profile is 'fast': give a value like 'quick' or 'paper'"),
        ({"profile": None}, "parameter profile is None"),
        ({"n_events": "40"}, "parameter n_events is '40': give a value like 0"),
        ({"n_events": -1}, "parameter n_events is -1"),
        ({"n_events": True}, "parameter n_events is True"),
        ({"seed": 1.5}, r"parameter seed is 1\.5"),
        ({"seed": [1]}, r"parameter seed is \[1\]"),
        ({"In": ["", '# Parameters\nprofile = "quick"\ncatalog = "mine.xml"\n']}, "has no parameter 'catalog'"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(UserError, match=f"{CHAPTER}.*{message}"):
        parameters.check(CHAPTER, {**FIT, **change})


@pytest.mark.parametrize("chapter", ["01_data", "02_model", "03_cv_variance", "04_robustness", "06_text_alignment"])
def test_a_chapter_of_rendered_seismograms_says_where_real_ones_are_taken(chapter):
    with pytest.raises(UserError, match=r"source is 'waveform', but .*: real seismograms .* --chapter 10") as caught:
        parameters.parse(BOOK / f"{chapter}.ipynb", {"source": "waveform"})
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"give a value like 'bulletin' or 'simulated'$"):
        parameters.parse(BOOK / f"{chapter}.ipynb", {"source": "recorded"})


def test_the_chapter_of_real_seismograms_takes_fetched_ones(real_data, tmp_path, monkeypatch):
    chapter, chosen = BOOK / "10_real_seismograms.ipynb", {"source": "waveform", "network": "colombia"}
    monkeypatch.setattr(fetched, "folder", lambda name: tmp_path)
    with pytest.raises(UserError, match=r"colombia: no seismograms of its events .* fetch them from the internet with"):
        parameters.parse(chapter, chosen)
    with pytest.raises(UserError, match="network is iceland: give ridgecrest or colombia"):
        parameters.parse(chapter, {**chosen, "network": "iceland"})
    first = bulletins.read_bulletin("colombia").events.index[0]
    index = {"about": {}, "files": {}, "events": {first: {}}, "skipped": {}, "failed": {}}
    (tmp_path / fetched.INDEX).write_text(json.dumps(index))
    assert parameters.parse(chapter, chosen) == chosen


def test_variables_of_the_chapter_are_no_parameters():
    parameters.check(CHAPTER, {**FIT, "In": ["x = 1", "# Parameters\nseed = 3\n"], "x": 1, "folder": "a"})


def test_papermill_alone_stops_with_one_line(tmp_path):
    with pytest.raises(papermill.PapermillExecutionError) as caught:
        papermill.execute_notebook(
            BOOK / f"{CHAPTER}.ipynb", tmp_path / "out.ipynb", {"profile": "quick", "catalog": "mine.xml"}, cwd=BOOK
        )
    assert caught.value.ename == "UserError"
    assert caught.value.traceback == [f"UserError: {caught.value.evalue}"]
    known = ", ".join(FIT)
    assert caught.value.evalue == f"{CHAPTER}.ipynb has no parameter 'catalog': choose among {known}"


@pytest.fixture
def own(tmp_path):
    """Files of a reader: a bulletin, stations, and a description without zones."""
    for name in ("events.xml", "stations.csv"):
        (tmp_path / name).write_text("")
    text = (DATA / "networks" / "ridgecrest.yaml").read_text(encoding="utf-8")
    (tmp_path / "whole.yaml").write_text(text)
    (tmp_path / "bare.yaml").write_text(text[: text.index("zones:")])
    return tmp_path


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"catalogue": "none.xml"}, r"catalogue: .*none\.xml: no such file or folder: check the path"),
        ({"catalogue": "events.xml", "stations": "none.csv"}, r"stations: .*none\.csv: no such file: check the path"),
        ({"catalogue": "events.xml", "waveforms": "stations.csv"}, r"waveforms: .*: no such folder"),
        ({"stations": "stations.csv"}, "stations goes with catalogue"),
        (
            {"catalogue": "events.xml", "network_file": "whole.yaml", "stations": "stations.csv"},
            "network_file and stations: give one of them",
        ),
        ({"catalogue": "events.xml", "network_file": "bare.yaml"}, r"bare\.yaml: zones: there are none"),
        ({"catalogue": "events.xml", "network_file": "stations.csv"}, r"stations\.csv: not the YAML file of a network"),
    ],
)
def test_files_of_a_reader_are_checked_before_a_kernel_starts(own, monkeypatch, given, message):
    monkeypatch.chdir(own)
    chapter = BOOK / f"{CHAPTER}.ipynb"
    with pytest.raises(UserError, match=message) as caught:
        parameters.parse(chapter, given)
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=message):
        parameters.check_files(CHAPTER, {**FIT, **given})


def test_paths_are_those_of_whoever_types_them(own, monkeypatch):
    monkeypatch.chdir(own)
    found = parameters.parse(BOOK / f"{CHAPTER}.ipynb", {"catalogue": "events.xml", "network_file": "whole.yaml"})
    assert found == {name: str(own / found[name].split("/")[-1]) for name in ("catalogue", "network_file")}
    assert parameters.parse(BOOK / f"{CHAPTER}.ipynb", {"waveforms": ""}) == {"waveforms": ""}


def test_a_changed_file_lets_the_chapter_run_again(own):
    chapter, given = BOOK / f"{CHAPTER}.ipynb", {"catalogue": str(own / "events.xml")}
    before = chapters.fingerprint(chapter, given)
    assert chapters.fingerprint(chapter, given) == before
    os.utime(own / "events.xml", (1, 1))
    assert chapters.fingerprint(chapter, given) != before
