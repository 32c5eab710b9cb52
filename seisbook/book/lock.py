"""The locked environment: exact versions of the packages that this machine needs.

In a lock file, a package has a line `name==version`, with a marker if only some systems need it, and the hashes of its
files below it. `requirements.lock` holds what the book runs on.
"""

import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from seisbook.errors import DataError
from seisbook.paths import ROOT

LOCK = ROOT / "requirements.lock"
PIN = re.compile(r"^\w[^\\\n]*", re.M)


def pins(path=None) -> dict[str, str]:
    """Versions that a lock file sets for this system, by the normalised name of the package.

    Parameters
    ----------
    path : path, optional
        `requirements.lock` if none is given.

    Raises
    ------
    DataError
        If a line is no `name==version`.
    """
    locked, path = {}, Path(path or LOCK)
    for line in PIN.findall(path.read_text(encoding="utf-8")):
        try:
            requirement = Requirement(line)
            (exact,) = requirement.specifier
        except ValueError:  # of which packaging's own error is a kind
            raise DataError(
                f"{path}: '{line.strip()}' is no `name==version`: write the file with `make lock`"
            ) from None
        if requirement.marker is None or requirement.marker.evaluate():
            locked[canonicalize_name(requirement.name)] = exact.version
    return locked
