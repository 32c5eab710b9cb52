"""The table of runs says what the notebooks say."""

import nbformat
import pytest

from seisbook.book import chapters, executions, notebooks

PAPERMILL = {"start_time": "2026-11-05T21:17:03.5", "duration": 125.2, "parameters": {"profile": "quick"}}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "–"), (0.2, "1 s"), (40.4, "40 s"), (60, "1 min"), (125, "2 min 5 s"), (4215, "1 h 10 min"), (3600, "1 h")],
)
def test_a_time_is_said_in_words(seconds, text):
    assert executions.duration(seconds) == text


def test_a_run_is_a_row(tmp_path):
    path = tmp_path / "01_data.ipynb"
    about = {"run": {**executions.of_run(PAPERMILL), "code": "abc1234"}}
    notebooks.write(nbformat.v4.new_notebook(metadata={"seisbook": about}), path)
    row, _, versions = executions.table([path]).replace("\xa0", " ").splitlines()[2:]
    assert row == "| {doc}`01_data` | 5 Nov 2026 | quick | 2 min 5 s | `abc1234` |"
    assert versions.startswith("- Versions, all chapters: Python 3")
    assert "PyTorch 2" in versions


def test_a_chapter_that_keeps_no_run_has_a_row_of_its_evidence(tmp_path):
    path = tmp_path / "02_model.ipynb"
    evidence = {"kind": "chapter/02_model", "date": "2026-11-05", "seconds": 0.0, "commit": "abc1234"}
    notebooks.write(nbformat.v4.new_notebook(metadata={"seisbook": {"evidence": evidence}}), path)
    row, _, versions = executions.table([path]).replace("\xa0", " ").splitlines()[2:]
    assert row == "| {doc}`02_model` | 5 Nov 2026 | paper | – | `abc1234` |"
    assert "NumPy 2" in versions


def test_chapters_on_other_versions_are_told_apart(tmp_path):
    paths = [tmp_path / name for name in ("01_data.ipynb", "02_model.ipynb")]
    for path, number in zip(paths, ("3.11.1", "3.12.0"), strict=True):
        run = {**executions.of_run(PAPERMILL), "versions": {"python": number}}
        notebooks.write(nbformat.v4.new_notebook(metadata={"seisbook": {"run": run}}), path)
    lines = executions.table(paths).splitlines()[-2:]
    assert lines == ["- Versions, {doc}`01_data`: Python 3.11.1", "- Versions, {doc}`02_model`: Python 3.12.0"]


def test_a_chapter_that_was_never_run_has_dashes(tmp_path):
    path = notebooks.write(nbformat.v4.new_notebook(), tmp_path / "01_data.ipynb")
    assert executions.table([path]).count("–") == 5


def test_every_chapter_of_the_book_is_a_row():
    assert executions.table(chapters.chapters()).count("| {doc}`") == len(chapters.chapters())
