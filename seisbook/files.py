"""Writing files and folders: whole or not at all, whatever stops the program, and one run at a time.

What is being written lies under a hidden name beside its place, which ends in `.seisbook.part`, and gets its own name
when it is complete. A run that is killed leaves such a file behind, and the next run that writes there removes it. A
lock tells what a killed run has left from what another run is writing: the kernel releases the lock of a process that
ends.
"""

import ctypes
import errno
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from seisbook.errors import UserError

try:
    import fcntl
except ImportError:  # Windows has other locks: there, two runs that write the same folder are not noticed
    fcntl = None

log = logging.getLogger(__name__)
PART, OLD, LOCK = ".seisbook.part", ".seisbook.old", ".seisbook.lock"  # ends of the hidden names
RENAME_EXCHANGE, AT_FDCWD = 2, -100  # of Linux's renameat2
REMEDIES = {
    errno.ENOSPC: "make room there, or choose another folder",
    errno.EDQUOT: "make room there, or choose another folder",
    errno.EFBIG: "raise the largest size of a file, `ulimit -f unlimited`, or write less",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "choose a folder that you may write to",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOTDIR: "a part of the path is a file: choose another folder",
    errno.EEXIST: "a part of the path is a file: choose another folder",
    errno.EISDIR: "a folder has this name: choose another name",
    errno.ELOOP: "its links lead in a circle: choose another folder",
    errno.EBUSY: "a disk is mounted there: choose a folder inside it",
    errno.EXDEV: "a disk is mounted there: choose a folder inside it",
    errno.EMFILE: "raise the number of open files, `ulimit -n 4096`",
    errno.ENFILE: "close other programs",
    errno.EIO: "the disk fails: choose another one",
}
"""What helps when something cannot be written, by the number of the error."""


# ---------------------------------------------------------------------------------------------------------------- files


def write_whole(path, content: bytes | str | Callable[[BinaryIO], object]) -> Path:
    """Write a file, whole or not at all; a link stays, and the file that it leads to is replaced.

    Parameters
    ----------
    path : path
        Missing folders are made.
    content : bytes, str or callable
        Text is written as UTF-8. A function gets the open file and writes into it.

    Returns
    -------
    Path

    Raises
    ------
    UserError
        If it cannot be written; the message says why and what helps. An earlier file is still there.
    """
    target = resolved(path)
    content = content.encode() if isinstance(content, str) else content
    part = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(target.parent)
        with _new_part(target) as file:
            part = Path(file.name)
            _fill(file, content)
            part.chmod(0o644)  # a temporary file is private
            if fcntl is None:
                file.close()  # Windows renames no open file; elsewhere it stays locked until it has its name
            os.replace(part, target)
            _sync(target.parent)
    except OSError as error:
        raise refusal(path, error, part) from None
    finally:
        if part is not None:
            _remove(part)
    return Path(path)


def _fill(file, content):
    if callable(content):
        content(file)
    else:
        file.write(content)
    file.flush()  # a full disk may show only now
    os.fsync(file.fileno())


def _new_part(target):
    """A locked file with a hidden name beside its place."""
    named = {"prefix": f".{target.name}.", "suffix": PART, "dir": target.parent}
    while True:
        file = tempfile.NamedTemporaryFile(delete=False, **named)  # noqa: SIM115 (the caller closes it)
        try:
            _lock(file.fileno(), wait=True)
            if os.fstat(file.fileno()).st_nlink:
                return file
        except BaseException:
            file.close()
            _remove(file.name)
            raise
        file.close()  # another run took it for a leftover before it was locked


def remove_leftovers(folder) -> None:
    """Remove the hidden files that killed runs left in a folder; what a run is still writing is locked, and stays."""
    with os.scandir(folder) as entries:
        found = [entry.path for entry in entries if is_leftover(entry.name) and entry.is_file(follow_symlinks=False)]
    for path in found:
        with suppress(OSError), _opened(path) as descriptor:
            if _lock(descriptor) and _is_at(descriptor, path):
                _remove(path)


def is_leftover(name: str) -> bool:
    """Whether a file or folder of this name is a temporary one of this module."""
    return name.startswith(".") and name.endswith((PART, OLD, LOCK))


def _remove(path):
    """Remove a hidden file; if that fails, the next run does it."""
    with suppress(OSError):
        Path(path).unlink()


def _sync(folder):
    """Let the disk keep a new name; some file systems cannot be told to."""
    with suppress(OSError), _opened(folder) as descriptor:
        os.fsync(descriptor)


@contextmanager
def _opened(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


# -------------------------------------------------------------------------------------------------------------- folders


@contextmanager
def new_folder(out):
    """Yield an empty folder that takes the place of `out` when the context ends, unless it ends with an error.

    Parameters
    ----------
    out : path
        Folder to make or to replace, after `destination`.

    Raises
    ------
    UserError
        If the folder cannot be written, or another run is writing it.
    """
    part = hidden(out, PART)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with locked(out, wait=False):
            settle(out)
            part.mkdir()
            try:
                yield part
                swap_folder(part, out)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise refusal(out, error, part) from None


def destination(out) -> Path:
    """Path of a folder that will be written, with links followed.

    Raises
    ------
    UserError
        If another folder can never take its place, so that all work would be in vain.
    """
    path = resolved(out)
    try:
        if path.is_mount():
            raise _error(errno.EBUSY)
        path.exists()  # notices a name that is too long
        nearest = next(folder for folder in path.parents if folder.exists())
    except OSError as error:
        raise refusal(out, error) from None
    if not nearest.is_dir():
        raise refusal(out, _error(errno.ENOTDIR))
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise refusal(out, _error(errno.EACCES))
    return path


def swap_folder(part, out) -> None:
    """Put a complete folder in the place of `out`, and remove what was there.

    Wherever this is stopped, the earlier or the new folder is whole. Where the system cannot exchange two names in one
    step, the earlier folder may then lie under a hidden name, from which `settle` restores it.

    Parameters
    ----------
    part, out : Path
        On the same file system.
    """
    for path in part.rglob("*"):
        if path.is_file():
            with _opened(path) as descriptor:
                os.fsync(descriptor)
    here = out.exists() and out.samefile(os.curdir)
    if not out.exists():
        os.replace(part, out)
    elif not _exchange(part, out):
        _rename_both(part, out)
    if here:
        os.chdir(out)  # else this process would stay in the folder that goes
    _sync(out.parent)
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(hidden(out, OLD), ignore_errors=True)


def _exchange(one, other):
    """Exchange two names in one step; false where the system or the file system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # not Linux
        return False
    if rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise _error(number)


def _rename_both(part, out):
    old = hidden(out, OLD)
    shutil.rmtree(old, ignore_errors=True)
    os.replace(out, old)
    try:
        os.replace(part, out)
    except BaseException:
        settle(out)
        raise


def settle(out) -> None:
    """Put right what killed runs left of a folder: restore it if it was being replaced, and remove what was unfinished.

    Whoever calls this holds the lock of the folder.
    """
    part, old = hidden(out, PART), hidden(out, OLD)
    if old.is_dir() and not out.exists():
        os.replace(old, out)
        log.warning("%s: restored: an earlier run was stopped while it replaced this folder", out)
    for folder in (old, part):
        shutil.rmtree(folder, ignore_errors=True)
    remove_leftovers(out.parent)


def check_space(folder, needed: float) -> None:
    """Refuse to begin what the disk cannot hold.

    Parameters
    ----------
    folder : path
        It need not exist yet.
    needed : float
        Bytes.

    Raises
    ------
    UserError
        If the disk has less room; the message has both numbers.
    """
    nearest = next(path for path in (Path(folder), *Path(folder).parents) if path.exists())
    free = shutil.disk_usage(nearest).free
    if free < needed:
        raise UserError(
            f"{folder}: needs about {needed / 1e6:,.1f} MB, but the disk has {free / 1e6:,.1f} MB left: "
            f"{REMEDIES[errno.ENOSPC]}"
        )


def hidden(path, end: str) -> Path:
    """Hidden name beside a path, with one of the ends `PART`, `OLD` and `LOCK`."""
    return path.with_name(f".{path.name}{end}")


# ---------------------------------------------------------------------------------------------------------------- locks


@contextmanager
def locked(path, wait=True):
    """Let no other run write `path` meanwhile.

    Parameters
    ----------
    path : path
        File or folder. Missing folders above it are made.
    wait : bool
        Whether to wait for another run. If not, it is refused.

    Raises
    ------
    UserError
        If another run is writing it, and `wait` is false.
    """
    lock = hidden(Path(path), LOCK)
    if fcntl is None:
        yield
        return
    try:
        descriptor = _take(lock, path, wait)
    except OSError as error:
        raise refusal(path, error) from None
    try:
        yield
    finally:
        try:
            _remove(lock)
        finally:
            os.close(descriptor)


def _take(lock, path, wait):
    """Descriptor of a lock file that this process holds."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if _lock(descriptor) is False:
                if not wait:
                    raise UserError(f"{path}: another run is writing it: wait until it is done, or choose another name")
                log.warning("%s: another run is writing it: waiting until it is done", path)
                _lock(descriptor, wait=True)
            if _is_at(descriptor, lock):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # who held the lock has removed its file: make a new one


def _lock(descriptor, wait=False):
    """Lock an open file: true if that is done, false if another process has the lock, None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:  # some network drives
        return None
    return True


def _is_at(descriptor, path):
    """Whether an open file still has this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), Path(path).stat())
    except FileNotFoundError:
        return False


# --------------------------------------------------------------------------------------------------------------- errors


def resolved(path) -> Path:
    """Absolute path with links followed.

    Raises
    ------
    UserError
        If links lead in a circle, or the folder that one is in was removed.
    """
    try:
        return Path(path).resolve()
    except FileNotFoundError as error:
        raise UserError(f"{path}: the folder that you are in was removed: enter another one") from error
    except (OSError, RuntimeError):
        raise refusal(path, _error(errno.ELOOP)) from None


def refusal(path, error: OSError, part=None) -> OSError | UserError:
    """The error to raise instead of one of the system: it names the path that the user knows, the reason, and a remedy.

    Parameters
    ----------
    path : path
        What was to be written.
    error : OSError
    part : path, optional
        Where it was being written. An error with a file elsewhere is returned as it is: that file could not be read.
    """
    names = [name for name in (error.filename, error.filename2) if isinstance(name, str | bytes | os.PathLike)]
    if part is not None and names and not any(_belongs(Path(os.fsdecode(name)), Path(path)) for name in names):
        return error
    return UserError(f"{path}: cannot be written ({reason(error)}): {remedy(error)}")


def _belongs(name, path):
    """Whether a name is that of a path, of a folder above it, or one that this module has beside it."""
    name, path = Path(os.path.realpath(name)), Path(os.path.realpath(path))
    if path.is_relative_to(name):
        return True
    inside = name.relative_to(path.parent).parts if name.is_relative_to(path.parent) else ("",)
    return inside[0] == path.name or inside[0].startswith(f".{path.name}.")


def _error(number):
    return OSError(number, os.strerror(number))


def reason(error: OSError) -> str:
    """What the system says, such as `No space left on device`."""
    return error.strerror or " ".join(str(error).split()) or type(error).__name__


def remedy(error: OSError) -> str:
    """What helps against an error of the system when something is written."""
    return REMEDIES.get(error.errno, "choose another folder")
