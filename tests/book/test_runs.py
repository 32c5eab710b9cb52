"""Executing chapters: parameters, logs, what is kept, what a published chapter was made of; with tiny notebooks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest

from seisbook import cli
from seisbook.book import chapters
from seisbook.errors import UserError

CHAPTERS = chapters.chapters()
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A project's `book` and `_build` of its own; the records and networks are the real ones."""
    monkeypatch.setattr(chapters, "BUILD", tmp_path / "_build")
    monkeypatch.setattr(chapters, "BOOK", tmp_path)
    return tmp_path


def notebook(path, *cells):
    """A chapter with a profile, a seed, and these cells."""
    given = 'profile = "paper"  # size\nseed = 0  # of all'
    parameters = nbformat.v4.new_code_cell(given, metadata={"tags": ["parameters"]})
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    made = nbformat.v4.new_notebook(cells=[parameters, *map(nbformat.v4.new_code_cell, cells)], metadata=kernel)
    nbformat.write(made, path)
    return path


def outputs(path):
    cells = nbformat.read(path, as_version=4).cells
    return [output.get("text", "").strip() for cell in cells if cell.cell_type == "code" for output in cell.outputs]


def test_parameters_arrive_and_the_log_has_each_cell(shelf):
    chapter = notebook(shelf / "a.ipynb", "print(profile, seed)", "import sys\nprint('careful', file=sys.stderr)")
    (executed,) = chapters.run([chapter], "quick", {"seed": "7"}, progress=False)
    assert executed == shelf / "_build/quick/a.ipynb"
    assert "quick 7" in outputs(executed)
    log = executed.with_suffix(".log").read_text().splitlines()
    assert log[0].startswith("a.ipynb")
    assert "'seed': 7" in log[0]
    assert any(line.strip().endswith("completed  print(profile, seed)") and " s  " in line for line in log)
    assert "           careful" in log


def test_a_run_goes_on_where_it_failed(shelf):
    good = notebook(shelf / "a.ipynb", "import time\nprint(time.time_ns())")
    bad = notebook(shelf / "b.ipynb", "print('so far')", "1 / 0")
    with pytest.raises(RuntimeError, match=r"b.ipynb: cell 4 failed \(ZeroDivisionError.*b.ipynb and .*b.log"):
        chapters.run([good, bad], "quick", {}, progress=False)
    assert "so far" in outputs(shelf / "_build/failed/quick/b.ipynb")
    assert "ZeroDivisionError: division by zero" in (shelf / "_build/quick/b.log").read_text()
    assert not (shelf / "_build/quick/b.ipynb").exists()
    before = outputs(shelf / "_build/quick/a.ipynb")
    notebook(bad, "print('mended')")
    chapters.run([good, bad], "quick", {}, progress=False)
    assert outputs(shelf / "_build/quick/a.ipynb") == before, "a chapter that was done has been executed again"
    assert outputs(shelf / "_build/quick/b.ipynb") == ["mended"]


def test_an_interrupted_run_leaves_nothing_half_done(shelf):
    """The first chapter is kept, the one that was running is not there; Ctrl-C reaches papermill's kernel as well."""
    notebook(shelf / "a.ipynb", "print('done')")
    notebook(shelf / "b.ipynb", "import os, signal\nos.kill(os.getppid(), signal.SIGINT)\nimport time\ntime.sleep(60)")
    code = (
        "import sys; from pathlib import Path; from seisbook import cli; from seisbook.book import chapters\n"
        f"top = Path({str(shelf)!r}); chapters.BUILD = top / '_build'; chapters.BOOK = top\n"
        "chapters.chapters = lambda: [top / 'a.ipynb', top / 'b.ipynb']\n"
        "sys.exit(cli.main(['book', 'run']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1, done.stderr
    assert (shelf / "_build/quick/a.ipynb").is_file()
    assert not (shelf / "_build/quick/b.ipynb").exists()


def test_a_chapter_says_which_records_it_has_read(shelf, monkeypatch):
    chapter = notebook(shelf / "a.ipynb", "from seisbook import records\nlen(records.read('recorded'))")
    monkeypatch.setattr(chapters.sources, "is_available", lambda network: True)
    chapters.publish(chapter, progress=False)
    origin = json.loads(chapter.read_text())["metadata"]["seisbook"]
    assert list(origin["read"]) == ["results/recorded.json"]
    assert chapters.outdated(chapter) == ""
    monkeypatch.setattr(chapters, "file_hash", lambda name: "another")
    assert chapters.outdated(chapter) == "its outputs were made from another data/results/recorded.json"


def test_a_published_chapter_whose_code_has_changed_is_found(shelf, monkeypatch):
    chapter = notebook(shelf / "a.ipynb", "print(1)")
    assert "do not say" in chapters.outdated(chapter)
    monkeypatch.setattr(chapters.sources, "is_available", lambda network: True)
    chapters.publish(chapter, progress=False)
    content = json.loads(chapter.read_text())
    content["cells"][1]["source"] = "print(2)"
    chapter.write_text(json.dumps(content))
    assert "code has changed" in chapters.outdated(chapter)


def test_nothing_is_published_without_the_real_data(shelf, monkeypatch):
    monkeypatch.setattr(chapters.sources, "is_available", lambda network: network != "colombia")
    with pytest.raises(UserError, match="SEISBOOK_DATA_DIR"):
        chapters.publish(notebook(shelf / "a.ipynb"), progress=False)


@each_chapter
def test_published_outputs_belong_to_the_records(path):
    reason = chapters.outdated(path)
    assert not reason, f"{path.name}: {reason}: run `seisbook book publish --chapter {path.stem}`"


@each_chapter
def test_papermill_itself_documents_every_parameter(path):
    found = papermill.inspect_notebook(path)
    assert {"profile", "seed"} <= set(found)
    assert all(len(one["help"]) > 10 for one in found.values()), f"{path.name}: a parameter without help"


def test_plain_papermill_works_from_any_directory(tmp_path):
    (path,) = (path for path in CHAPTERS if path.stem == "01_data")
    command = [str(Path(sys.executable).with_name("papermill")), str(path), "out.ipynb", "--no-progress-bar"]
    given = [
        "-p",
        "network",
        "ridgecrest",
        "-p",
        "source",
        "simulated",
        "-p",
        "profile",
        "quick",
        "-p",
        "n_events",
        "60",
    ]
    environment = {**os.environ, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    done = subprocess.run([*command, *given], cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    texts = str(nbformat.read(tmp_path / "out.ipynb", as_version=4))
    assert "**ridgecrest**: 60 simulated events" in texts
    assert os.listdir(tmp_path) == ["out.ipynb"]  # noqa: PTH208


def test_unknown_parameters_stop_before_anything_runs(shelf, monkeypatch, capsys):
    both = [notebook(shelf / "a.ipynb", "print(1)"), notebook(shelf / "b.ipynb")]
    monkeypatch.setattr(chapters, "chapters", lambda: both)
    assert cli.main(["book", "run", "-p", "sede", "1"]) == 2
    assert "profile, seed" in capsys.readouterr().err
    assert not (shelf / "_build").exists()
