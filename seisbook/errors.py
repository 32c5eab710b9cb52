"""The two ways in which SeisBook fails on purpose: each message is one line with a place and a remedy."""


class UserError(Exception):
    """A mistake that the user can mend (a wrong name, a malformed file); the command line exits with 2.

    The message names the file, the place in it, and the remedy, on one line.
    """


class DataError(UserError):
    """An input file that is malformed, truncated or not what its registry entry says it is."""
