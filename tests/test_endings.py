"""How commands end: exit codes, signals, and never a traceback."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from seisbook import cli, endings
from seisbook.errors import DataError, UserError
from seisbook.paths import ROOT

COMMAND = [sys.executable, "-m", "seisbook.cli"]
BUILD = [*COMMAND, "data", "build", "--network", "ridgecrest", "--source", "simulated", "--events", "100", "--out"]
SLOW = """
    import sys, time
    from seisbook import endings, files

    def command():
        with files.new_folder(files.destination(sys.argv[1])) as part:
            (part / "half").write_text("")
            print("begun", flush=True)
            time.sleep(60)

    sys.exit(endings.carry_out(command))
"""


@pytest.fixture(autouse=True)
def logs(tmp_path, monkeypatch):
    """Folder of the logs, away from the user's."""
    monkeypatch.delenv(endings.DEBUG, raising=False)
    monkeypatch.setattr(endings, "log_folder", lambda: tmp_path / "logs")
    return tmp_path / "logs"


def ends_with(error, **options):
    """Exit code of a command that raises an error."""

    def command():
        raise error

    return endings.carry_out(command, **options)


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (UserError("a: b: c"), 2, "a: b: c"),
        (DataError("x.json: line 1: no"), 2, "x.json: line 1: no"),
        (UserError("two\nlines"), 2, "two lines"),
        (RuntimeError("the machine\nis on fire"), 1, "the machine is on fire"),
        (MemoryError(), 1, "not enough memory: close other programs, or use fewer --jobs or --events"),
        (
            PermissionError(13, "Permission denied", "/x"),
            1,
            "/x: Permission denied: choose a folder that you may write",
        ),
        (OSError(28, "No space left on device"), 1, "No space left on device: make room there, or choose another"),
        (UserError("evil \x1b[2J name \x00"), 2, "evil \\x1b[2J name \\x00"),
        (KeyboardInterrupt(), 130, "interrupted; nothing incomplete was left behind"),
    ],
)
def test_what_was_foreseen_is_one_line(error, code, line, capsys, logs):
    assert ends_with(error) == code
    printed = capsys.readouterr().err
    assert printed.startswith(f"seisbook: {line}")
    assert printed.count("\n") == 1
    assert not logs.exists()


@pytest.mark.parametrize(
    "error",
    [ValueError("odd\nvalue"), KeyError("key"), RecursionError("too deep"), AssertionError(), TypeError("é\ud800")],
)
def test_what_was_not_foreseen_is_one_line_and_a_log(error, capsys, logs):
    assert ends_with(error) == 1
    printed = capsys.readouterr().err
    assert printed.startswith(f"seisbook: unexpected {type(error).__name__}: ")
    assert printed.count("\n") == 1
    (log,) = logs.iterdir()
    assert str(log) in printed
    text = log.read_text()
    assert "Traceback (most recent call last)" in text
    assert "in ends_with" in text or "in command" in text
    assert " ".join(sys.argv) in text


def test_a_long_message_is_shortened(capsys):
    assert ends_with(ValueError("x" * 10_000)) == 1
    assert len(capsys.readouterr().err) < 700


def test_a_log_that_cannot_be_written_goes_to_the_temporary_folder(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(endings, "log_folder", lambda: tmp_path / "file" / "logs")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    assert ends_with(ValueError("odd")) == 1
    (log,) = (tmp_path / "temporary").iterdir()
    assert str(log) in capsys.readouterr().err


def test_a_log_that_can_be_written_nowhere_is_no_further_error(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(endings, "log_folder", lambda: tmp_path / "file")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "file"))
    assert ends_with(ValueError("odd")) == 1
    assert "again with --traceback" in capsys.readouterr().err


@pytest.mark.parametrize("error", [ValueError("odd"), UserError("wrong")])
def test_developers_see_where_an_error_arose(error, monkeypatch):
    with pytest.raises(type(error)):
        ends_with(error, traceback=True)
    monkeypatch.setenv(endings.DEBUG, "1")
    with pytest.raises(type(error)):
        ends_with(error)


def test_the_option_reaches_the_command(tmp_path):
    with pytest.raises(UserError, match="not a SeisBook dataset"):
        cli.main(["--traceback", "data", "info", str(tmp_path)])


def test_an_interruption_that_a_library_turns_into_its_own_error_is_one(capsys):
    def command():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
        except KeyboardInterrupt:
            raise ImportError("cannot import name 'x' from partially initialised module") from None

    assert endings.carry_out(command) == 143
    assert capsys.readouterr().err == "seisbook: stopped by SIGTERM; nothing incomplete was left behind\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cleans_up_and_the_handlers_come_back(number, capsys):
    before, cleaned = signal.getsignal(number), []

    def command():
        try:
            os.kill(os.getpid(), number)
            time.sleep(10)
        finally:
            cleaned.append(True)

    assert endings.carry_out(command) == 128 + number
    assert cleaned
    assert signal.getsignal(number) is before
    assert capsys.readouterr().err.count("\n") == 1


def test_a_signal_where_nothing_can_be_raised_is_given_again(capsys):
    class Odd:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.01)

    def command():
        one = Odd()
        del one
        time.sleep(10)

    assert endings.carry_out(command) == 143
    assert "Traceback" not in capsys.readouterr().err


def test_a_signal_that_was_ignored_stays_so():
    """As under `nohup`."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert endings.carry_out(lambda: os.kill(os.getpid(), signal.SIGHUP)) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


# ------------------------------------------------------------------------------------------------------- real processes


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_process_that_is_stopped_leaves_nothing(tmp_path, number):
    command = [sys.executable, "-c", textwrap.dedent(SLOW), str(tmp_path / "set")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "begun\n"
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert errors.startswith("seisbook: ")
    assert errors.endswith("nothing incomplete was left behind\n")
    assert errors.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("loaded", ["numpy", "obspy.core"])
def test_ctrl_c_while_libraries_are_loaded_prints_no_traceback(tmp_path, loaded):
    """Python tells on standard error what it has loaded."""
    command = [sys.executable, "-X", "importtime", *COMMAND[1:], *BUILD[3:], str(tmp_path / "set")]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line.partition("|")[2].partition("|")[2].strip().startswith(f"{loaded}."):
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "seisbook: interrupted; nothing incomplete was left behind\n" in errors
    assert not list(tmp_path.iterdir())


def test_a_reader_that_ends_first_is_no_error():
    reading, writing = os.pipe()
    os.close(reading)
    script = "import sys; from seisbook import endings; sys.exit(endings.carry_out(lambda: print('x' * 100_000)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert done.returncode == endings.BROKEN_PIPE
    assert done.stderr == b""


def test_what_the_terminal_cannot_show_is_escaped():
    script = "import sys; from seisbook import endings; endings.prepare_output(); print('\\u00f1 \\ud800')"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "\\xf1 \\ud800\n")
