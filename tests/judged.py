"""The claims with their verdicts, which takes some fifteen seconds, once in a process of the tests."""

from functools import cache

from seisbook.findings import claims


@cache
def every():
    """All claims of the committed records."""
    return tuple(claims.claims())
