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
    """Runs of some executed or published chapters as a table in MyST, and below it the versions that they ran on.

    A chapter that was published before runs were kept has the day, the commit and the versions of its evidence.
    """
    lines = ["| chapter | run on | profile | took | code |", "|---|---|---|---|---|"]
    by_versions = {}
    for path in executed:
        run = _run_of(path)
        lines.append(f"| {{doc}}`{path.stem}` | {' | '.join(_cells(run))} |")
        by_versions.setdefault(_versions(run), []).append(path.stem)
    lines.append("")
    for versions, stems in by_versions.items():
        which = "all chapters" if len(by_versions) == 1 else ", ".join(f"{{doc}}`{stem}`" for stem in stems)
        lines.append(f"- Versions, {which}: {versions}")
    return "\n".join(lines) + "\n"


def _run_of(path):
    """What a notebook keeps of its run."""
    kept = notebooks.content(path)["metadata"].get("seisbook", {})
    return kept.get("run") or _from_evidence(kept.get("evidence", {}))


def _cells(run):
    """Day, profile, time and commit of a run."""
    when = datetime.fromisoformat(run["started"]) if run["started"] else None
    day = when.strftime("%d %b %Y").lstrip("0").replace(" ", "\N{NO-BREAK SPACE}") if when else UNKNOWN
    commit = f"`{run['code']}`" if run["code"] else UNKNOWN
    return day, run["profile"] or UNKNOWN, duration(run["seconds"]), commit


def _versions(run):
    names = {"python": "Python", **PACKAGES}
    return ", ".join(f"{names[name]} {run['versions'][name]}" for name in names if name in run["versions"]) or UNKNOWN


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
