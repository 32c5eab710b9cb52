"""What a result was made of, and whether it still follows from the code and the data."""

import subprocess

from seisbook.paths import ROOT


def code_version() -> str:
    """The commit of the code, with `+` if files have changed since; empty outside a repository."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
