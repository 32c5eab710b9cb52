"""The two ways in which SeisBook fails on purpose: each message is one line with a place and a remedy."""

from reprlib import Repr

_BRIEF = Repr()
_BRIEF.maxlevel, _BRIEF.maxlist, _BRIEF.maxtuple, _BRIEF.maxdict = 2, 3, 3, 3
_BRIEF.maxstring = _BRIEF.maxother = 60


class UserError(Exception):
    """A mistake that the user can mend (a wrong name, a malformed file); the command line exits with 2.

    The message names the file, the place in it, and the remedy, on one line, whatever text it repeats.
    """

    def __init__(self, message=""):
        super().__init__(one_line(str(message)))

    def _render_traceback_(self):
        """What Jupyter shows in place of the calls that led here, which do not concern the user."""
        return [f"{type(self).__name__}: {self}"]


class DataError(UserError):
    """An input file that is malformed, truncated or not what its registry entry says it is."""


def brief(value) -> str:
    """How a message shows a value from a file: on one line, and short however large the value is.

    Examples
    --------
    >>> brief("a" * 1000)
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaa...aaaaaaaaaaaaaaaaaaaaaaaaaaaa'"
    """
    try:
        return " ".join(_BRIEF.repr(value).split())
    except ValueError:  # Python writes no integer of more than 4300 digits
        return f"a very large {type(value).__name__}"


def one_line(text: str, longest: int = 1500) -> str:
    r"""Text for a terminal: without line breaks and control characters, and cut in the middle if it is very long.

    Examples
    --------
    >>> one_line("a\x1b[2J\nb")
    'a\\x1b[2J b'
    """
    shown = "".join(_shown(character) for character in text)
    return shown if len(shown) <= longest else f"{shown[: longest - 505]} ... {shown[-500:]}"


def _shown(character):
    if character.isprintable():
        return character
    return " " if character.isspace() else character.encode("unicode_escape").decode()
