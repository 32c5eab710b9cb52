"""Parameters of chapters fit, or one line says what is wrong, whoever sets them."""

import papermill
import pytest

from seisbook.book import chapters, parameters
from seisbook.errors import UserError
from seisbook.paths import BOOK

CHAPTER = "07_your_network"
FIT = {"profile": "quick", "seed": 0, "n_events": 0}


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
        ({"In": ["", '# Parameters\nprofile = "quick"\ncatalogue = "mine.xml"\n']}, "has no parameter 'catalogue'"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(UserError, match=f"{CHAPTER}.*{message}"):
        parameters.check(CHAPTER, {**FIT, **change})


def test_variables_of_the_chapter_are_no_parameters():
    parameters.check(CHAPTER, {**FIT, "In": ["x = 1", "# Parameters\nseed = 3\n"], "x": 1, "folder": "a"})


def test_papermill_alone_stops_with_one_line(tmp_path):
    with pytest.raises(papermill.PapermillExecutionError) as caught:
        papermill.execute_notebook(
            BOOK / f"{CHAPTER}.ipynb", tmp_path / "out.ipynb", {"profile": "quick", "catalogue": "mine.xml"}, cwd=BOOK
        )
    assert caught.value.ename == "UserError"
    assert caught.value.traceback == [f"UserError: {caught.value.evalue}"]
    assert caught.value.evalue == f"{CHAPTER}.ipynb has no parameter 'catalogue': choose among profile, seed, n_events"
