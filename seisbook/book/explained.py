"""The claims with what they rest on: as text for `seisbook claims --explain`, and as the table of the landing page."""

import json
import re
from functools import cache

from seisbook import provenance, records
from seisbook.book import notebooks
from seisbook.book.upkeep import study_command
from seisbook.findings import evidence
from seisbook.findings.claims import NOT_RUN, STATEMENTS, TESTED_BY, VERDICTS
from seisbook.paths import ROOT

RULE = "supported if the whole 95 % interval lies {} the threshold, not supported if it lies {}, otherwise inconclusive"
BELOW, ABOVE = RULE.format("below", "above"), RULE.format("above", "below")
RULES = {
    "C0": f"{BELOW}; the threshold allows an error 2 % larger",
    "C3": "supported if the whole interval of the variance ratio lies below 1; not supported if it lies above 1, or "
    "excludes a reduction by 10 %; otherwise inconclusive",
    "C4": "supported if, at the greatest depth, the interval of the error ratio lies below 1 and the stations' states "
    "differ more with concatenation; not supported if neither holds; otherwise inconclusive",
    "C5": f"{BELOW}; the interval is that of the worst severity, and knows that the worst was picked",
    "C6": f"{BELOW}; the interval is that of the worst severity, and knows that the worst was picked",
    "C8": ABOVE,
    "C9": ABOVE,
}
"""Rules of the claims in words; the others have `BELOW`."""


@cache
def section(figure: str) -> str:
    """Title of the section of its chapter in which a figure stands.

    Raises
    ------
    KeyError
        If the chapter has no figure of this name.
    """
    title = ""
    for cell in notebooks.read(ROOT / f"{evidence.FIGURES[figure].chapter}.ipynb").cells:
        if cell.cell_type == "markdown":
            headings = re.findall(r"^##+ (.*)$", cell.source, re.M)
            title = headings[-1] if headings else title
        elif cell.metadata.get("mystnb", {}).get("figure", {}).get("name") == figure:
            return title
    raise KeyError(figure)


# ------------------------------------------------------------------------------------------------------- landing page


def ledger(tested) -> str:
    """The claims as MyST for the landing page: claim, test, verdicts, and links to the sections that show them."""
    lines = ["| | claim | tested by | verdicts | shown in |", "|---|---|---|---|---|"]
    for name in dict.fromkeys(claim.id for claim in tested):
        rows = [claim for claim in tested if claim.id == name]
        shown = dict.fromkeys(claim.evidence["figure"] for claim in rows)
        links = {section(figure): f"{{ref}}`{section(figure)} <{figure}>`" for figure in reversed(shown)}
        where = " · ".join(reversed(links.values()))  # the first figure of each section
        lines.append(f"| {name} | {STATEMENTS[name]} | {TESTED_BY[name]} | {_counts(rows)} | {where} |")
    return "\n".join(lines) + "\n"


def _counts(rows):
    """How often a claim was found supported, or not."""
    counts = {verdict: sum(claim.verdict == verdict for claim in rows) for verdict in (*VERDICTS, NOT_RUN)}
    return ", ".join(f"{count} **{verdict}**" for verdict, count in counts.items() if count)


# ------------------------------------------------------------------------------------------------------- command line


def explain(tested) -> str:
    """All rows of some claims as text: rule, figure and chapter, records, trials, and the commands that redo them."""
    lines = []
    for name in dict.fromkeys(claim.id for claim in tested):
        lines += [
            f"{name}: {STATEMENTS[name]}",
            f"tested by  {TESTED_BY[name]}",
            f"rule       {RULES.get(name, BELOW)}",
        ]
        rows = [claim for claim in tested if claim.id == name]
        for number, claim in enumerate(rows, 1):
            lines += ["", *_lines(number, claim)]
        lines.append("")
    return "\n".join(lines).rstrip()


def _lines(number, claim):
    """Lines of one row of a claim."""
    figure = claim.evidence["figure"]
    paths = evidence.files(figure, claim.network, claim.source, claim.profile)
    about = [
        ("found", f"{claim.found} against {claim.threshold:.3g}: {claim.said}; {claim.signals} signals"),
        ("shown in", f"{figure}, {claim.evidence['chapter']}.ipynb, section '{section(figure)}'"),
        *(("record", text) for path in paths for text in _record(path, claim)),
        ("trainings", f"{claim.n_runs} behind this number"),
        *(("redo", command) for path in paths for command in _commands(path, claim)),
    ]
    title = f"{number}. {claim.place}, {claim.measured}"
    return [title, *(f"   {name:10}{text}" for name, text in dict.fromkeys(about))]


def _record(path, claim):
    """What is said of a record: its file, number of trials, commit at which it was verified, and state."""
    if not path.is_file():
        return [f"{provenance.shown(path)}: {NOT_RUN}"]
    kept = records.split(path)[0]
    verified = f"verified at commit {provenance.commit_of(kept) or 'none'}, state {claim.state}"
    parts = evidence.summed_up(path, claim.network, claim.source)
    summed = [path.parent / "studies" / f"{name}.json" for name in parts["study"]]
    files = [path] if path.parent.name == "studies" else summed
    trials = sum(len(json.loads("{" + records.split(file)[1])["records"]) for file in files)
    models = [name for name in parts["run"] if "-twin-" not in name] or parts["model"]
    number = f"{trials} trials" if files else f"{len(models)} trained models"
    return [f"{provenance.shown(path)}: {number}, {verified}"]


def _commands(path, claim):
    """Commands that make a record again, in their order."""
    if path.parent.name == "studies":
        return study_command(path.stem).split(" && ")
    parts = evidence.summed_up(path, claim.network, claim.source)
    commands = [command for name in parts["study"] for command in study_command(name).split(" && ")]
    splits = dict.fromkeys(name.split("-")[2] for name in parts["run"] if "-twin-" not in name)
    models = [f"seisbook train --network {claim.network} --split {split} --model dynamic" for split in splits]
    return [*commands, *models, f"seisbook results --record {path.stem}"]
