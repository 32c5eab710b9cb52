"""Files and folders are whole or not at all, at every point at which a program can be stopped."""

import errno
import logging
import os
import re
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from seisbook import files
from seisbook.errors import UserError
from seisbook.paths import ROOT
from tests.breaking import full, interrupt, killed

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # the children run no threads
HOSTILE = ["plain", "with [brackets]", "a*b?", "név-Ä-名", "-rf", "a b'c\"d"]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def make(out, text):
    """Write a folder of two files."""
    with files.new_folder(files.destination(out)) as part:
        (part / "one").write_text(text)
        (part / "two").write_text(text)


def held(out):
    """The texts in a folder; empty if there is none."""
    return [(out / name).read_text() for name in names(out)] if out.exists() else []


# ----------------------------------------------------------------------------------------------------------- one file


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("content", [b"new", "new", lambda file: file.write(b"new")])
def test_a_file_is_written_and_replaced(tmp_path, name, content):
    path = tmp_path / "deep" / "er" / name
    assert files.write_whole(path, "old") == path
    files.write_whole(path, content)
    assert path.read_bytes() == b"new"
    assert names(path.parent) == [name]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("action", [interrupt, full])
@pytest.mark.parametrize("before", ["old", None])
def test_a_file_is_old_or_new_whichever_step_fails(tmp_path, breaker, action, before):
    path = tmp_path / "file"
    steps = breaker.stop(-1, None, lambda: files.write_whole(path, "old"))
    assert steps > 5
    for at in range(1, steps + 1):
        files.write_whole(path, before) if before else path.unlink(missing_ok=True)
        with suppress(KeyboardInterrupt, UserError):
            breaker.stop(at, action, lambda: files.write_whole(path, "new"))
        assert (path.read_text() if path.exists() else None) in (before, "new"), at
        files.write_whole(path, "next")
        assert names(tmp_path) == ["file"], at


def test_a_file_is_old_or_new_wherever_the_run_is_killed(tmp_path, breaker):
    path = files.write_whole(tmp_path / "file", "old")
    steps = breaker.stop(-1, None, lambda: files.write_whole(path, "old"))
    seen, left = set(), 0
    for at in range(1, steps + 1):
        assert killed(breaker, at, lambda: files.write_whole(path, "new"))
        seen.add(path.read_text())
        left += len(names(tmp_path)) > 1
        files.write_whole(tmp_path / "another", "")  # any file of this folder puts it right
        assert names(tmp_path) == ["another", "file"]
        files.write_whole(path, "old")
    assert seen == {"old", "new"}
    assert left, "no kill left anything: the test looks at nothing"


def test_what_a_running_process_writes_is_no_leftover(tmp_path):
    def slow(file):
        file.write(b"first")
        files.remove_leftovers(tmp_path)
        files.write_whole(tmp_path / "one", "by the other run")
        file.write(b" second")

    path = files.write_whole(tmp_path / "one", slow)
    assert path.read_text() == "first second"
    assert names(tmp_path) == ["one"]


def test_other_hidden_files_are_not_removed(tmp_path):
    others = [".one.part", ".download.part", "one.seisbook.part", ".git"]
    for name in others:
        (tmp_path / name).write_text("precious")
    (tmp_path / ".one.seisbook.part").mkdir()  # a folder
    files.write_whole(tmp_path / "one", "")
    assert names(tmp_path) == sorted([*others, "one", ".one.seisbook.part"])


def test_a_failing_writer_leaves_the_earlier_file(tmp_path):
    path = files.write_whole(tmp_path / "one", "old")

    def fails(file):
        file.write(b"half")
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        files.write_whole(path, fails)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["one"]


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    target = files.write_whole(tmp_path / "there" / "target", "old")
    link = tmp_path / "link"
    link.symlink_to(target)
    files.write_whole(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    link.unlink()
    link.symlink_to(tmp_path / "there" / "nothing yet")
    files.write_whole(link, "new")
    assert (tmp_path / "there" / "nothing yet").read_text() == "new"


def test_text_is_utf_8_whatever_the_locale(tmp_path):
    script = f"import sys; from seisbook import files; files.write_whole(sys.argv[1], {'Ñuñoa – ±'!a})"
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "text")], check=True, cwd=ROOT, env=environment)
    assert (tmp_path / "text").read_bytes() == "Ñuñoa – ±".encode()


def refused(path, write=lambda path: files.write_whole(path, "new")):
    """The message with which a path is refused, of one line."""
    with pytest.raises(UserError) as caught:
        write(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)


WRITERS = [lambda path: files.write_whole(path, "new"), lambda path: make(path, "new")]


@pytest.mark.parametrize("write", WRITERS)
def test_what_cannot_be_written_is_one_line_with_a_remedy(tmp_path, write):
    (tmp_path / "file").write_text("")
    (tmp_path / "circle").symlink_to("circle")
    assert "is a file: choose another folder" in refused(tmp_path / "file" / "set", write)
    assert "File name too long): choose a shorter name" in refused(tmp_path / ("n" * 300), write)
    assert "in a circle" in refused(tmp_path / "circle", write)
    assert names(tmp_path) == ["circle", "file"]


def test_a_folder_of_that_name_is_not_replaced_by_a_file(tmp_path):
    (tmp_path / "set").mkdir()
    assert "a folder has this name" in refused(tmp_path / "set")
    assert names(tmp_path) == ["set"]


@pytest.mark.parametrize("write", WRITERS)
def test_a_folder_that_is_read_only(tmp_path, write):
    """In a process without the rights of the super-user, who may write everywhere."""
    (tmp_path / "shut").mkdir(mode=0o555)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    child = os.fork()
    if not child:
        try:
            os.getuid() or os.setuid(65534)
            message = refused(tmp_path / "shut" / "one", write)
            os._exit(0 if "choose a folder that you may write to" in message else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert names(tmp_path / "shut") == []


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "make room"), (errno.EROFS, "may write to"), (errno.EFBIG, "ulimit -f"), (errno.EIO, "disk fails")],
)
def test_the_remedy_follows_from_the_error(tmp_path, number, remedy):
    def fails(file):
        raise OSError(number, os.strerror(number))

    message = refused(tmp_path / "one", lambda path: files.write_whole(path, fails))
    assert os.strerror(number) in message
    assert remedy in message


def test_a_file_that_cannot_be_read_is_not_said_to_be_written(tmp_path):
    def copies(file):
        file.write((tmp_path / "source").read_bytes())

    with pytest.raises(FileNotFoundError, match="source"):
        files.write_whole(tmp_path / "one", copies)
    with pytest.raises(FileNotFoundError, match="source"), files.new_folder(tmp_path / "set") as part:
        (part / "file").write_bytes((tmp_path / "source").read_bytes())
    assert names(tmp_path) == []


# -------------------------------------------------------------------------------------------------------------- folders


@pytest.fixture(params=["in one step", "by two renamings"])
def swapping(request, monkeypatch):
    """Both ways in which a folder takes the place of another."""
    if request.param == "by two renamings":
        monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    return request.param


@pytest.mark.parametrize("name", HOSTILE)
def test_a_folder_is_written_and_replaced(tmp_path, swapping, name):
    out = tmp_path / "deep" / name
    make(out, "old")
    make(out, "new")
    assert held(out) == ["new", "new"]
    assert names(out.parent) == [name]
    assert out.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("action", [interrupt, full])
@pytest.mark.parametrize("before", ["old", None])
def test_a_folder_is_old_or_new_whichever_step_fails(tmp_path, breaker, swapping, action, before):
    out = tmp_path / "set"
    make(out, "old")
    steps = breaker.stop(-1, None, lambda: make(out, "old"))
    for at in range(1, steps + 1):
        if before is None and out.exists():
            for path in out.iterdir():
                path.unlink()
            out.rmdir()
        with suppress(KeyboardInterrupt, UserError):
            breaker.stop(at, action, lambda: make(out, "new"))
        whole = ([before] * 2 if before else [], ["new", "new"])
        if swapping == "by two renamings" and not out.exists():
            files.settle(out)
        assert held(out) in whole, at
        make(out, "old")
        assert names(tmp_path) == ["set"], at


def test_a_folder_is_old_or_new_wherever_the_run_is_killed(tmp_path, breaker, swapping, caplog):
    out = tmp_path / "set"
    make(out, "old")
    steps = breaker.stop(-1, None, lambda: make(out, "old"))
    seen, left, absent = set(), 0, 0
    for at in range(1, steps + 1):
        assert killed(breaker, at, lambda: make(out, "new"))
        left += names(tmp_path) != ["set"]
        absent += not out.exists()
        with pytest.raises(ZeroDivisionError), files.new_folder(out):
            raise ZeroDivisionError  # a next run that fails puts it right, too
        assert held(out) in (["old", "old"], ["new", "new"]), at
        seen.add(held(out)[0])
        make(out, "old")
        assert names(tmp_path) == ["set"], at
    assert seen == {"old", "new"}
    assert left
    assert absent == (0 if swapping == "in one step" else 1)
    assert ("restored" in caplog.text) == (absent > 0)


def test_a_failing_run_leaves_the_earlier_folder(tmp_path):
    make(tmp_path / "set", "old")
    with pytest.raises(UserError, match="No such file"), files.new_folder(tmp_path / "set") as part:
        (part / "half" / "made").write_text("")
    assert held(tmp_path / "set") == ["old", "old"]
    assert names(tmp_path) == ["set"]


@pytest.mark.parametrize("there", ["a folder", "nothing"])
def test_a_link_to_a_folder_stays(tmp_path, there):
    target = tmp_path / "elsewhere" / "target"
    if there == "a folder":
        make(target, "old")
    (tmp_path / "link").symlink_to(target)
    make(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert held(target) == ["new", "new"]
    assert names(tmp_path) == ["elsewhere", "link"]
    assert names(target.parent) == ["target"]


@pytest.mark.parametrize("out", [".", "../here", "sub/.."])
def test_the_folder_that_one_is_in(tmp_path, monkeypatch, out):
    (tmp_path / "here" / "sub").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    make(out, "new")
    assert held(tmp_path / "here") == ["new", "new"]
    assert names(Path()) == ["one", "two"], "the process stayed in the folder that was removed"
    assert names(tmp_path) == ["here"]


def test_the_place_of_a_mounted_disk_is_refused_before_the_work():
    assert "a disk is mounted there: choose a folder inside it" in refused("/", files.destination)


def test_a_second_run_is_refused_and_the_first_one_finishes(tmp_path):
    out = tmp_path / "set"
    with files.new_folder(out) as part:
        assert "another run is writing it: wait" in refused(out, lambda path: make(path, "second"))
        (part / "one").write_text("first")
    assert held(out) == ["first"]
    assert names(tmp_path) == ["set"]


# ---------------------------------------------------------------------------------------------------------------- locks


def test_locked_runs_go_one_after_the_other(tmp_path, caplog):
    """In threads, whose locks exclude each other as those of processes do."""
    inside, most = [], []

    def work():
        for _ in range(20):
            with files.locked(tmp_path / "one"):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.0005)
                inside.pop()

    caplog.set_level(logging.ERROR)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 80
    assert max(most) == 1
    assert names(tmp_path) == []


HOLD = """
    import sys, time
    from seisbook import files
    with files.locked(sys.argv[1]):
        print("locked", flush=True)
        time.sleep(60)
"""


def test_a_lock_ends_with_its_process(tmp_path, caplog):
    command = [sys.executable, "-c", textwrap.dedent(HOLD), str(tmp_path / "one")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout.readline() == "locked\n"
    assert "another run" in refused(tmp_path / "one", lambda path: files.locked(path, wait=False).__enter__())
    threading.Timer(0.2, process.kill).start()
    with files.locked(tmp_path / "one"):
        assert process.wait() == -9
    process.stdout.close()
    assert "waiting until it is done" in caplog.text
    assert names(tmp_path) == []


# ---------------------------------------------------------------------------------------------------------------- space


def test_a_full_disk_leaves_the_earlier_file_and_no_litter(small_disk):
    path = files.write_whole(small_disk / "one", "old")
    for content in (b"x" * 100_000, lambda file: file.write(b"x" * 100_000)):
        message = refused(path, lambda path, content=content: files.write_whole(path, content))
        assert "No space left on device): make room there" in message
    assert path.read_text() == "old"
    assert names(small_disk) == ["one"]


def test_a_full_disk_leaves_the_earlier_folder_and_no_litter(small_disk):
    make(small_disk / "set", "old")
    assert "make room there" in refused(small_disk / "set", lambda path: make(path, "x" * 100_000))
    assert held(small_disk / "set") == ["old", "old"]
    assert names(small_disk) == ["set"]


def test_what_does_not_fit_is_not_begun(small_disk):
    out = small_disk / "deep" / "set"
    files.check_space(out, 50_000)
    assert "needs about 0.1 MB, but the disk has 0.1 MB left: make room" in refused(
        out, lambda path: files.check_space(path, 100_000)
    )


# --------------------------------------------------------------------------------------------------------- nothing else

MOVES = {
    "seisbook/files.py",
    "seisbook/book/chapters.py",  # a notebook that failed, out of the way
    "seisbook/datasets/store.py",  # in a folder that nobody sees yet
    "seisbook/models/checkpoints.py",  # the last step of a pair
    "seisbook/studies/runner.py",  # a damaged record, out of the way
}
"""Files of the library that rename something, each with the reason."""


def test_no_other_module_renames_files_or_makes_temporary_ones():
    text = re.compile(r"os\.(replace|rename)\(|NamedTemporaryFile|mkdtemp|mkstemp|make_archive")
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "seisbook").rglob("*.py")
        if text.search(path.read_text(encoding="utf-8"))
    }
    assert found == MOVES, "write with `files.write_whole` or `files.new_folder`"
