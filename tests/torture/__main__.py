"""The whole campaign and its table: `make torture`, or `python -m tests.torture [PART=N ...]`."""

import sys
import tempfile
import time
from pathlib import Path

from tests.torture import project
from tests.torture.outcome import Tally

WHOLE = {"mutations": 10_000, "hostile": 400, "faults": 100, "kills": 110}
"""Attempts of a whole campaign; of the faults, the share of the crash points in percent."""
SAMPLE = {"mutations": 300, "hostile": 25, "faults": 5, "kills": 7}
"""Attempts in the tests."""
GROUPS = {
    "mutations": "damaged inputs",
    "hostile": "hostile inputs",
    "faults": "writers stopped, broken disks, two writers, wrong clocks",
    "kills": "runs killed",
}


def campaign(attempts) -> dict[str, list[Tally]]:
    """Carry out parts of the campaign in a copy of the project; return their tallies."""
    with tempfile.TemporaryDirectory(prefix="seisbook-torture-", ignore_cleanup_errors=True) as top:
        root = project.copy(Path(top))
        answers = project.run(root, [f"{name}={n}" for name, n in attempts.items()])
    return {name: [Tally.of(content) for content in answers[name]] for name in attempts}


def table(found) -> str:
    """The counts of each kind, in Markdown."""
    lines = ["| what | tried | fine | refused in one line | bad |", "|---|---|---|---|---|"]
    for name, tallies in found.items():
        lines.append(_row(f"**{GROUPS[name]}**", tallies))
        lines += [_row(tally.name, [tally]) for tally in tallies]
    lines += [f"| {t.name}: not tried: {t.left_out} |  |  |  |  |" for ts in found.values() for t in ts if t.left_out]
    return "\n".join(lines)


def _row(name, tallies):
    counts = (sum(getattr(tally, key) for tally in tallies) for key in ("tried", "fine", "refused", "n_bad"))
    return f"| {name} | " + " | ".join(f"{count:,}" for count in counts) + " |"


def complaints(found) -> list[str]:
    """What was bad, one line for each kind of fault with an attempt that shows it."""
    return [
        f"{tally.name}: {complaint}: {entry['times']} times, such as {entry['attempts'][0]!r}"
        for tallies in found.values()
        for tally in tallies
        for complaint, entry in tally.bad.items()
    ]


def main(*parts) -> int:
    """Print the table and what was bad; return 1 if anything was."""
    begin = time.monotonic()
    chosen = {name: int(n) for name, _, n in (part.partition("=") for part in parts)} or WHOLE
    found = campaign(chosen)
    print(table(found))
    print(f"\n{time.monotonic() - begin:.0f} seconds")
    bad = complaints(found)
    print(*bad, sep="\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
