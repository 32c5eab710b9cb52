"""Executing chapters: parameters, logs, what is kept, what a published chapter was made of; with tiny notebooks."""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import nbformat
import papermill
import pytest

from seisbook import cli, provenance
from seisbook.book import chapters, notebooks
from seisbook.errors import DataError, UserError
from tests.breaking import full, interrupt

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
    assert done.returncode == 130, done.stderr
    assert (shelf / "_build/quick/a.ipynb").is_file()
    assert not (shelf / "_build/quick/b.ipynb").exists()


def test_chapters_that_run_at_the_same_time_come_back_in_their_order(shelf):
    """The first waits for what the second writes, so that one after the other would never end."""
    done = f"pathlib.Path({str(shelf / 'done')!r})"
    wait = f"import pathlib, time\nwhile not {done}.exists():\n    time.sleep(0.1)\nprint('first')"
    first = notebook(shelf / "a.ipynb", wait)
    second = notebook(shelf / "b.ipynb", f"import pathlib\n{done}.touch()\nprint('second')")
    asked = [(one, shelf / "_build/quick" / one.name, {"profile": "quick"}) for one in (first, second)]
    executed = chapters.execute_all(asked, progress=False, n_jobs=2)
    assert executed == [output for _, output, _ in asked]
    assert [outputs(path)[-1] for path in executed] == ["first", "second"]


def test_a_failure_of_one_is_said_whatever_else_runs(shelf):
    chapter = {name: notebook(shelf / f"{name}.ipynb", cell) for name, cell in {"a": "1 / 0", "b": "print()"}.items()}
    asked = [(one, shelf / "_build/quick" / one.name, {"profile": "quick"}) for one in chapter.values()]
    with pytest.raises(RuntimeError, match=r"a.ipynb: cell 3 failed \(ZeroDivisionError"):
        chapters.execute_all(asked, progress=False, n_jobs=2)
    assert not (shelf / "_build/quick/a.ipynb").exists()


def test_a_worker_that_dies_is_said_with_what_to_do(shelf):
    deadly = notebook(shelf / "a.ipynb", "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)")
    asked = [(deadly, shelf / "_build/quick/a.ipynb", {"profile": "quick"})]
    with pytest.raises(RuntimeError, match="run again with fewer --jobs"):
        chapters.execute_all(asked, progress=False, n_jobs=2)


def test_a_stopped_run_leaves_no_kernel_behind(shelf):
    here = f"pathlib.Path({str(shelf)!r}, f'{{os.getpid()}}.kernel')"
    says = f"import os, pathlib, time\n{here}.touch()\ntime.sleep(120)"
    asked = [
        (str(notebook(shelf / f"{name}.ipynb", says)), str(shelf / "_build/quick" / f"{name}.ipynb")) for name in "ab"
    ]
    code = (
        "from pathlib import Path; from seisbook import endings; from seisbook.book import chapters\n"
        f"asked = [(Path(one), Path(out), {{'profile': 'quick'}}) for one, out in {asked!r}]\n"
        "raise SystemExit(endings.carry_out(lambda: chapters.execute_all(asked, False, 2) and 0))"
    )
    run = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    kernels = _eventually(lambda: found if len(found := list(shelf.glob("*.kernel"))) == 2 else None)
    run.terminate()
    assert run.wait(timeout=60) == 143
    assert not list((shelf / "_build/quick").glob("*.ipynb"))
    assert _eventually(lambda: not any(Path("/proc", path.stem).exists() for path in kernels))


def _eventually(found, seconds=60):
    """What a function finds, as soon as it finds something."""
    end = time.monotonic() + seconds
    while not (result := found()) and time.monotonic() < end:
        time.sleep(0.1)
    return result


@pytest.fixture
def published(shelf, monkeypatch):
    """A chapter that reads a record and calls a function of the library, published."""
    monkeypatch.setattr(chapters.sources, "is_available", lambda network: True)
    cells = "from seisbook import records\nlen(records.read(records.path_of('recorded'))[1])"
    cells = cells, "from seisbook.measures import splits\nlen(splits.random_folds(10, 2))"
    chapter = notebook(shelf / "a.ipynb", *cells)
    assert chapters.state(chapter) == ("stale", "its outputs do not say what they were made of")
    chapters.publish(chapter, progress=False)
    return chapter


def test_a_published_chapter_says_what_it_was_made_of(published, monkeypatch):
    made_of = chapters.origin(published)
    assert made_of["key"] == chapters.key(published)
    assert made_of["inputs"] == {"record:recorded": provenance.identity("record:recorded")}
    assert chapters.state(published) == ("unverified", "it was never run again")
    reached = chapters.origin(chapters.BUILD / "paper" / published.name)["reached"]
    assert "seisbook.measures.splits:random_folds" in reached
    assert not any(name.startswith("seisbook.records") for name in reached)  # what keeps books decides nothing
    monkeypatch.setitem(provenance.IDENTITIES, "record", lambda name: "another")
    assert chapters.state(published) == ("stale", "an input has changed: record:recorded")


def rewritten(chapter, change):
    content = json.loads(chapter.read_text())
    change(content["cells"])
    chapter.write_text(json.dumps(content))
    return chapters.state(chapter)


def test_a_published_chapter_follows_from_its_code_and_not_from_its_text(published):
    def remark(cells):
        cells.append({"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# A remark"})
        cells[1]["metadata"]["mystnb"] = {"figure": {"caption": "another"}}

    assert rewritten(published, remark).name == "unverified"
    changed = rewritten(published, lambda cells: cells[1].update(source="print(2)"))
    assert changed == ("stale", "its configuration has changed: code")


def test_a_number_changed_by_hand_in_a_published_chapter_is_noticed(published):
    assert chapters.printed(published) == {"cell 1, number 0": 1.0, "cell 2, number 0": 2.0}
    state = rewritten(published, lambda cells: cells[2]["outputs"][0]["data"].update({"text/plain": ["3"]}))
    assert state == ("damaged", "its outputs are not those that were published")


def test_evidence_leaves_the_outputs_of_a_chapter_as_they_are(published, monkeypatch):
    before = json.loads(published.read_text())["cells"]
    evidence = {"kind": "chapter/a", "witness": "0", "commit": "abc1234", "agrees": True, "largest_difference": 0.0}
    chapters.restamp(published, evidence)
    assert json.loads(published.read_text())["cells"] == before
    assert chapters.state(published) == (
        "unverified",
        "code that it was made with has changed: no run of its kind was traced",
    )
    monkeypatch.setattr(provenance, "moved_code", lambda kind, before: "")
    assert chapters.state(published).name == "current"
    chapters.restamp(published, {**evidence, "agrees": False})
    assert chapters.state(published).name == "refuted"
    assert sorted(path.name for path in published.parent.iterdir()) == ["_build", "a.ipynb"]


def test_executing_a_chapter_for_readers_traces_no_calls(shelf):
    chapter = notebook(shelf / "a.ipynb", "from seisbook.measures import splits\nlen(splits.random_folds(10, 2))")
    (executed,) = chapters.run([chapter], "quick", {}, progress=False)
    assert chapters.origin(executed)["reached"] == []


@pytest.mark.parametrize(
    ("read", "name"),
    [
        ("results/models.json", "record:models"),
        ("results/runs/colombia-gcn-random-0.json", "run:colombia-gcn-random-0"),
        ("results/studies/transfer-colombia-bulletin-paper.json", "study:transfer-colombia-bulletin-paper"),
        ("models/colombia-dynamic-random-0.safetensors", "model:colombia-dynamic-random-0"),
        ("networks/colombia.yaml", "network:colombia"),
        ("registry.txt", "file:registry.txt"),
        ("results/witness.json", ""),
        ("results/datasets.json", ""),
        ("call seisbook.cli:main", ""),
    ],
)
def test_what_a_kernel_reads_is_an_input_whose_content_is_known(read, name):
    assert chapters._input(read) == name
    assert not name or provenance.identity(name)


def test_nothing_is_published_without_the_real_data(shelf, monkeypatch):
    monkeypatch.setattr(chapters.sources, "is_available", lambda network: network != "colombia")
    with pytest.raises(UserError, match="SEISBOOK_DATA_DIR"):
        chapters.publish(notebook(shelf / "a.ipynb"), progress=False)


@each_chapter
def test_published_outputs_belong_to_the_records(path):
    state = chapters.state(path)
    told = f"{path.name}: {state.reason}: run `seisbook book publish --chapter {path.stem}`"
    assert state.name in ("current", "unverified"), told


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


# ------------------------------------------------------------------------------------------------- whole or not at all


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"\xff\xfe", b'{"cells": [{}], "metadata": {}}', b"[" * 100_000, b'{"cells": 3}']
)
def test_a_damaged_chapter_is_one_line(shelf, damage, capsys):
    chapter = shelf / "a.ipynb"
    chapter.write_bytes(damage)
    for read in (chapters.state, chapters.key, chapters.printed, lambda path: chapters.run([path], "quick", {})):
        with pytest.raises(DataError, match=r"a\.ipynb: not a notebook") as caught:
            read(chapter)
        assert "\n" not in str(caught.value)


def test_a_damaged_executed_chapter_is_executed_again(shelf, caplog):
    chapter = notebook(shelf / "a.ipynb", "print(seed)")
    (executed,) = chapters.run([chapter], "quick", {}, progress=False)
    executed.write_text(executed.read_text()[:-20])
    chapters.run([chapter], "quick", {}, progress=False)
    assert "0" in outputs(executed)
    assert "a.ipynb: not a notebook" in caplog.text
    assert sorted(path.name for path in executed.parent.iterdir()) == ["a.ipynb", "a.log"]


@pytest.mark.parametrize("action", [full, interrupt])
def test_evidence_is_written_whole_or_not_at_all(shelf, breaker, action):
    chapter = notebook(shelf / "a.ipynb", "print(seed)")
    made = notebooks.read(chapter)
    made.metadata["seisbook"] = {"key": {}}
    notebooks.write(made, chapter)
    before = chapter.read_bytes()
    steps = breaker.stop(-1, None, lambda: chapters.restamp(chapter, {}))
    for at in range(1, steps + 1):
        chapter.write_bytes(before)
        with suppress(KeyboardInterrupt, UserError, OSError):
            breaker.stop(at, action, lambda: chapters.restamp(chapter, {"agrees": True}))
        assert chapter.read_bytes() == before or chapters.origin(chapter)["evidence"] == {"agrees": True}
        chapters.restamp(chapter, {"agrees": True})
        assert [path.name for path in shelf.iterdir()] == ["a.ipynb"]


def test_a_notebook_is_written_with_the_bytes_of_nbformat(shelf):
    chapter = notebook(shelf / "a.ipynb", "print('é')")
    before = chapter.read_bytes()
    notebooks.write(notebooks.read(chapter), chapter)
    assert chapter.read_bytes() == before
