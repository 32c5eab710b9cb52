"""The campaign within a copy of the project: `python -m tests.torture.within ANSWER FOLDER PART=N ...`."""

import json
import logging
import sys
import warnings
from pathlib import Path

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

import papermill  # noqa: E402, F401 (what the commands import when they are called is loaded once, here)

import seisbook.book.workshop  # noqa: E402
import seisbook.findings.claims  # noqa: E402
import seisbook.findings.summaries  # noqa: E402
import seisbook.studies.runs  # noqa: E402, F401
from seisbook.paths import ROOT  # noqa: E402
from tests.torture import examples, faults, hostile, kills, mutations  # noqa: E402

CAMPAIGNS = {
    "faults": faults.campaign,
    "hostile": hostile.campaign,
    "mutations": mutations.campaign,
    "kills": kills.campaign,
}


def main(answer, *parts):
    """Run parts, each given as its name and number of attempts, and write their tallies."""
    tallies = {}
    for part in parts:
        name, _, n = part.partition("=")
        folder = ROOT.parent / name
        folder.mkdir()
        examples.small_network(folder)
        found = CAMPAIGNS[name](folder, int(n), progress=lambda line: print(line, file=sys.stderr, flush=True))
        tallies[name] = [tally.content() for tally in found]
    Path(answer).write_text(json.dumps(tallies), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
