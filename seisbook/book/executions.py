"""Which chapter was run when, in which profile, how long, on which versions: the table of the book's page on it."""

import platform
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from seisbook import provenance
from seisbook.book import notebooks

PACKAGES = {"torch": "PyTorch", "numpy": "NumPy", "matplotlib": "Matplotlib"}
"""Packages that the table names; `requirements.lock` has all of them."""
UNKNOWN = "–"  # in place of what a chapter does not say of its run


def of_run(papermill: dict) -> dict:
    """What is kept with a chapter of its run, from the metadata that papermill has written."""
    return {
        "started": papermill["start_time"][:16],
        "seconds": round(papermill["duration"] or 0.0, 1),
        "profile": papermill["parameters"].get("profile", "paper"),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "code": provenance.code_version(),
    }


def table(executed: list[Path]) -> str:
    """Runs of some executed or published chapters as a table in MyST, in the order in which they are given.

    A chapter that was published before runs were kept has the day, the commit and the versions of its evidence.
    """
    lines = ["| chapter | run on | profile | took | code | versions |", "|---|---|---|---|---|---|"]
    for path in executed:
        lines.append(f"| {{doc}}`{path.stem}` | {' | '.join(_cells(path))} |")
    return "\n".join(lines) + "\n"


def _cells(path):
    """Day, profile, time, commit and versions of a chapter's run."""
    kept = notebooks.content(path)["metadata"].get("seisbook", {})
    if not (run := kept.get("run")):
        run = _from_evidence(kept.get("evidence", {}))
    when = datetime.fromisoformat(run["started"]) if run["started"] else None
    day = when.strftime("%d %B %Y").lstrip("0") if when else UNKNOWN
    names = {"python": "Python", **PACKAGES}
    versions = ", ".join(f"{names[name]} {run['versions'][name]}" for name in names if name in run["versions"])
    commit = f"`{run['code']}`" if run["code"] else UNKNOWN
    return day, run["profile"] or UNKNOWN, duration(run["seconds"]), commit, versions or UNKNOWN


def _from_evidence(evidence):
    """The same of a published chapter that keeps no run; published chapters are run in the profile `paper`."""
    versions = provenance.witnesses().get(evidence.get("kind"), {}).get("packages", {})
    return {
        "started": evidence.get("date", ""),
        "seconds": evidence.get("seconds", 0.0),
        "profile": "paper" if evidence else "",
        "versions": versions,
        "code": evidence.get("commit", ""),
    }


def duration(seconds: float) -> str:
    """A time in words: `40 s`, `2 min 5 s`, `1 h 10 min`; a dash if it is not known."""
    if not seconds:
        return UNKNOWN
    minutes, rest = divmod(max(round(seconds), 1), 60)
    hours, minutes = divmod(minutes, 60)
    parts = (hours, "h"), (minutes, "min"), (0 if hours else rest, "s")
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
