"""What an attempt ended as: fine, refused in one line, or bad, and the counts of these."""

import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from seisbook.errors import UserError

SECONDS = 10  # of processor time that an attempt may take
PATIENCE = 12  # times as long by the clock on a busy machine
LONGEST = 2000  # characters of a message
PARENT_DIES = 1  # of Linux's prctl
EXAMPLES = 3  # kept of each kind of fault


class Hang(BaseException):
    """An attempt that takes too long; no `except Exception` of the library stops it."""


class Refusal(Exception):
    """What the command line said when it refused."""


@dataclass
class Tally:
    """Counts of the outcomes of one kind of attempt.

    Parameters
    ----------
    name : str
    tried, fine, refused : int
    bad : dict
        What was wrong, with the number of times and the first few attempts.
    left_out : str
        Why nothing was tried, if the machine cannot do it.
    seconds : float
    """

    name: str
    tried: int = 0
    fine: int = 0
    refused: int = 0
    bad: dict = field(default_factory=dict)
    left_out: str = ""
    seconds: float = 0.0

    @property
    def n_bad(self) -> int:
        """Number of attempts that ended badly."""
        return sum(one["times"] for one in self.bad.values())

    def note(self, attempt, complaint="", refused=False):
        """Count one attempt; a complaint makes it bad."""
        self.tried += 1
        if complaint:
            self.blame(attempt, complaint)
        elif refused:
            self.refused += 1
        else:
            self.fine += 1

    def blame(self, attempt, complaint):
        """Enter what was wrong with an attempt."""
        entry = self.bad.setdefault(complaint, {"times": 0, "attempts": []})
        entry["times"] += 1
        if len(entry["attempts"]) < EXAMPLES:
            entry["attempts"].append(str(attempt)[:400])

    def attempt(self, what, work, names=()):
        """Do `work`, which returns what is wrong with its result, and count how it ends.

        Parameters
        ----------
        what : str
            The attempt in a few words.
        work : callable
            Returns a complaint, or nothing if its result is sound.
        names : tuple of str
            Of the files, one of which a refusal has to name.
        """
        try:
            with deadline():
                complaint = work()
        except (UserError, Refusal) as error:
            self.note(f"{what}: {error}", fault_of_message(str(error), names), refused=True)
        except Hang:
            self.note(what, f"longer than {SECONDS} s")
        except Exception as error:
            self.note(f"{what}: {' '.join(str(error).split())[:120]}", f"{type(error).__name__} at {place_of(error)}")
        else:
            self.note(what, complaint)

    @classmethod
    def of(cls, content):
        """The tally that was written as JSON."""
        return cls(**content)

    def content(self):
        """As plain values."""
        return asdict(self)


def fault_of_message(text, names=()) -> str:
    """What is wrong with the message of a refusal; empty if it is one printable line that names the file."""
    if not text.strip():
        return "refused without a message"
    if not text.isprintable():
        return "a message with control characters or of several lines"
    if len(text) > LONGEST:
        return f"a message of more than {LONGEST} characters"
    if names and not any(name in text for name in names):
        return "a message that names no file"
    return ""


def place_of(error) -> str:
    """The last line of the library that an exception passed."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"{os.sep}seisbook{os.sep}" in frame.filename]
    frame = (ours or frames)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"


@contextmanager
def deadline(seconds=SECONDS):
    """Raise `Hang` in what takes longer: in processor time, so that a busy machine makes nothing bad."""

    def stop(number, frame):
        raise Hang

    before = {number: signal.signal(number, stop) for number in (signal.SIGPROF, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, seconds * PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


# ----------------------------------------------------------------------------------------------- processes of their own


@dataclass
class Child:
    """A process that was forked to do one thing.

    Parameters
    ----------
    pid : int
    output : path
        What it printed.
    answer : int
        File that its answer is read from.
    """

    pid: int
    output: Path
    answer: int

    def wait(self, seconds):
        """Wait until it ends, and end it after so many seconds.

        Returns
        -------
        value
            What its work returned; None if it did not come to that.
        code : int
            Exit code, negative if a signal ended it; `-signal.SIGXCPU` stands for the end of its time.
        """
        text, end = b"", time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.answer], [], [], max(0.0, end - time.monotonic()))[0]:
                part = os.read(self.answer, 1 << 20)
                if not part:
                    break
                text += part
        late = time.monotonic() >= end
        if late:
            self.kill(signal.SIGKILL)
        os.close(self.answer)
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.kill(signal.SIGKILL)  # what it started must not outlive it
        return (json.loads(text) if text else None), (-signal.SIGXCPU if late else code)

    def stop(self, number):
        """Send a signal to it alone."""
        os.kill(self.pid, number)

    def kill(self, number):
        """Send a signal to it and to what it started."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return

    def printed(self) -> str:
        """What it printed."""
        return self.output.read_text(encoding="utf-8", errors="replace") if self.output.exists() else ""


def start(work, output, memory=None) -> Child:
    """Fork a process, in a group of its own, that does `work`; it inherits everything that is loaded.

    Parameters
    ----------
    work : callable
        Returns what JSON can hold.
    output : path
        File for what it prints.
    memory : int, optional
        Bytes that it may take beyond what it inherits.
    """
    reads, writes = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        os.close(writes)
        return Child(pid, Path(output), reads)
    code = 70
    try:
        os.close(reads)
        os.setsid()
        ctypes.CDLL(None).prctl(PARENT_DIES, signal.SIGKILL)  # Linux: it does not outlive a campaign that is stopped
        _print_into(output)
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (_address_space() + memory,) * 2)
        value = work()
        os.write(writes, json.dumps(value).encode())
        code = value if isinstance(value, int) else 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _print_into(path):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    null = os.open(os.devnull, os.O_RDONLY)
    for number, target in ((0, null), (1, descriptor), (2, descriptor)):
        os.dup2(target, number)
    sys.stdin, sys.stdout, sys.stderr = (open(n, mode, closefd=False) for n, mode in ((0, "r"), (1, "w"), (2, "w")))  # noqa: SIM115


def _address_space():
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def in_child(work, output, seconds=60, memory=None):
    """Do `work` in a process of its own; return its value and its exit code, see `Child.wait`."""
    return start(work, output, memory).wait(seconds)
