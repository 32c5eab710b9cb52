"""How a command ends: its exit code, and one line instead of a traceback."""

import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import contextmanager, suppress

from seisbook.errors import UserError, one_line

DEBUG = "SEISBOOK_DEBUG"  # environment variable with which tracebacks are shown
STOPS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
BROKEN_PIPE = 141  # exit code of a program whose reader is gone, such as `head`
LONGEST = 300  # letters of an unexpected message
AGAIN_S = 0.1  # after which a signal is given again to a program that could not be stopped where it was


class Stopped(KeyboardInterrupt):
    """A signal that asks the program to end: Ctrl-C, `kill`, or a terminal that was closed."""


def carry_out(command: Callable[[], int | None], traceback=False) -> int:
    """Run a command and return its exit code.

    Parameters
    ----------
    command : callable
        Returns the exit code; None is 0.
    traceback : bool
        Whether to let errors pass, so that Python prints a traceback. So does the environment variable
        `SEISBOOK_DEBUG`.

    Returns
    -------
    int
        That of the command; 1 for a failure, 2 for a mistake of the user's; 130, 143 or 129 if Ctrl-C, SIGTERM or
        SIGHUP stopped it; 141 if nobody reads its output any more.
    """
    stopped = []
    try:
        with _stops(stopped):
            try:
                code = command() or 0
            except SystemExit:  # of argparse, which has printed something
                _flush()
                raise
            _flush()
            return code
    except SystemExit:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) or stopped:  # libraries turn an interruption into errors of their own
            return _stopped_by(stopped[-1] if stopped else signal.SIGINT)
        if traceback or os.environ.get(DEBUG) or not isinstance(error, Exception):
            raise
        return _fail(error)


@contextmanager
def _stops(stopped):
    """Let the signals that end a program raise an exception, so that it cleans up; they are noted in a list."""

    def stop(number, frame):
        stopped.append(number)
        raise Stopped(number)

    def unraisable(said):
        if isinstance(said.exc_value, Stopped):  # raised where nothing can be raised: try again a little later
            again = threading.Timer(AGAIN_S, os.kill, (os.getpid(), said.exc_value.args[0]))
            again.daemon = True
            again.start()
        else:
            hook(said)

    hook, before = sys.unraisablehook, {}
    if threading.current_thread() is threading.main_thread():
        heeded = [number for number in STOPS if signal.getsignal(number) != signal.SIG_IGN]  # `nohup` ignores one
        before = {number: signal.signal(number, stop) for number in heeded}
    sys.unraisablehook = unraisable
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


def _stopped_by(number):
    how = "interrupted" if number == signal.SIGINT else f"stopped by {signal.Signals(number).name}"
    _say(f"{how}; nothing incomplete was left behind")
    return 128 + number


def _fail(error):
    """Say in one line what went wrong, and return the exit code."""
    from seisbook import files

    if isinstance(error, BrokenPipeError) and _is_unread():
        _discard_output()
        return BROKEN_PIPE
    if isinstance(error, UserError):
        _say(error)
        return 2
    if isinstance(error, MemoryError):
        _say("not enough memory: close other programs, or use fewer --jobs or --events")
    elif isinstance(error, OSError) and error.errno is not None:
        place = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes | os.PathLike) else ""
        _say(f"{place}{files.reason(error)}: {files.remedy(error)}")
    elif type(error) is RuntimeError or isinstance(error, OSError):
        _say(error if str(error) else type(error).__name__)
    else:
        _say(f"unexpected {type(error).__name__}: {_shortened(error)}: {_kept(error)}")
    return 1


def _shortened(error):
    text = " ".join(str(error).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def _kept(error):
    """Write the traceback of an unexpected error into a log, and say where it is."""
    import datetime
    import platform
    import tempfile
    import traceback
    from pathlib import Path

    from seisbook import __version__, files

    now = datetime.datetime.now(datetime.UTC)
    about = (
        f"seisbook {__version__}, Python {platform.python_version()}, {platform.platform()}, {now:%Y-%m-%dT%H:%M:%SZ}"
    )
    text = f"{about}\n{' '.join(sys.argv)}\n\n{''.join(traceback.format_exception(error))}"
    name = f"seisbook-{now:%Y%m%dT%H%M%S}-{os.getpid()}.log"
    for folder in (log_folder, lambda: Path(tempfile.gettempdir())):
        with suppress(Exception):
            path = files.write_whole(folder() / name, text.encode(errors="backslashreplace"))
            return f"this is a fault of SeisBook: please report it with {path}"
    return "this is a fault of SeisBook: run the command again with --traceback, and report it"


def log_folder():
    """Folder for the logs of unexpected errors, in the user's cache."""
    import pooch

    return pooch.os_cache("seisbook") / "logs"


def _say(message):
    """Print one line on standard error, after what was printed before; what could command a terminal is escaped."""
    _flush(quietly=True)
    with suppress(OSError, AttributeError):
        print(f"seisbook: {one_line(' '.join(str(message).split()))}", file=sys.stderr, flush=True)


def _flush(quietly=False):
    """Write out what was printed; if it cannot be written, nothing more is, and the result is false."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
        return True
    except OSError as error:
        unread = isinstance(error, BrokenPipeError) and _is_unread()
        if not unread:  # whoever looks at the error asks again
            _discard_output()
        if not quietly:
            raise
        return False


def _discard_output():
    """Print nothing more: Python would complain once more when it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _is_unread():
    """Whether the program that was to read the output has ended."""
    with suppress(OSError, ValueError, AttributeError):
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return bool(poll.poll(0))
    return False


def prepare_output() -> None:
    """Print what the terminal's encoding lacks as escapes, and say nothing of log lines that cannot be printed."""
    logging.raiseExceptions = bool(os.environ.get(DEBUG))
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")
