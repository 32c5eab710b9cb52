"""Lines of text files, whatever program wrote them.

Catalogues and station files come from Windows and Unix, in UTF-8 and Latin-1, with or without a byte order mark. Every
reader of such a file takes its lines from here, so that line numbers in messages mean the same everywhere.
"""

import codecs
import re
from pathlib import Path

from seisbook.errors import DataError

LINE_END = re.compile(rb"\r\n|\n|\r")
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def lines_of_given(path: str | Path) -> list[str]:
    """Lines of a text file that belongs to a set of files.

    Raises
    ------
    DataError
        If it is missing or cannot be read; the message names it.
    """
    try:
        return lines_of(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}): download it again") from None


def lines_of(path: str | Path) -> list[str]:
    r"""Lines of a text file, without their ends.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    list of str
        Line `n` of the file is at `n - 1`. A byte order mark is not part of the first line.

    Notes
    -----
    Lines end at ``\n``, ``\r\n`` and ``\r`` only. `str.splitlines` also ends them at control characters such as 0x85,
    which is the ellipsis of Windows-1252, and would cut a fixed-column line in two. Each line is UTF-8, or else
    Latin-1: files that were put together from several hold both.
    """
    return _lines(Path(path).read_bytes())


def first_lines_of(path: str | Path, size: int = 65536) -> list[str]:
    """Lines of the first `size` bytes of a file: enough to recognise its format, however large it is."""
    with Path(path).open("rb") as file:
        return _lines(file.read(size))


def _lines(content):
    if content.startswith(UTF16_MARKS):
        content = content.decode("utf-16", errors="replace").encode()
    lines = LINE_END.split(content.removeprefix(codecs.BOM_UTF8))
    if not lines[-1]:
        del lines[-1]
    return [_decoded(line) for line in lines]


def _decoded(line):
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def printable(text: str) -> str:
    """The text with a blank in place of every control character, which XML and terminals cannot take."""
    return CONTROL.sub(" ", text)
