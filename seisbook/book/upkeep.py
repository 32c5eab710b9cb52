"""States of all published results, and the commands that renew the outdated ones, in the right order.

Records, trained models and published chapters each store their provenance (`seisbook.provenance`). The command
`seisbook results --check` lists the states, `--verify` runs a sample of the unverified results again, and `--renew`
recomputes those that are stale, refuted, missing or damaged. To recompute all of them takes hours. Each command does
only what is missing, so it can be stopped at any time and started again.
"""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seisbook import provenance, records
from seisbook.catalogues.networks import NETWORKS
from seisbook.findings import summaries
from seisbook.measures.splits import FOLDS
from seisbook.models.names import NAMES, PEERS
from seisbook.paths import ROOT
from seisbook.provenance import State
from seisbook.studies.places import KEPT, MODELS, record_path

RUNS = {
    "random": (*NAMES, "classical"),
    "time": ("dynamic", "classical"),
    "twin": ("dynamic", "static", *PEERS, "classical"),
}
"""Models that are compared on each split."""
AGAIN = ("stale", "refuted", "missing", "damaged")  # states in which a result has to be made again


@dataclass(frozen=True)
class Step:
    """A command, and the files that it makes again.

    Parameters
    ----------
    command : str
    files : dict of Path to State
    """

    command: str
    files: dict[Path, State]

    @property
    def outdated(self) -> bool:
        """Whether a file has to be made again."""
        return any(state.name in AGAIN for state in self.files.values())


def steps() -> Iterator[Step]:
    """Yield all steps; the state of a step is read only when it is reached, since earlier steps can make it outdated.

    Yields
    ------
    Step
    """
    from seisbook.book import chapters
    from seisbook.studies import field_runs
    from seisbook.studies.robust_runs import PUBLISHED

    yield Step("seisbook data record", {provenance.DATASETS: provenance.state(provenance.DATASETS)})
    yield _twins()
    for network in NETWORKS:
        for split, models in RUNS.items():
            yield _trainings(network, split, models)
    for where in PUBLISHED:
        yield _robust(*where)
    for region in field_runs.PUBLISHED:
        card = field_runs.path_of(region).with_suffix(".json")
        state = provenance.state(card, field_runs.key(region))
        yield Step(f"seisbook train --network {region} --model {field_runs.NAME} --force", {card: state})
    for path in sorted((records.RESULTS / "studies").glob("*-paper.json")):
        yield _study(path)
    for name in summaries.SUMMARIES:
        path = records.path_of(name)
        yield Step(f"seisbook results --record {name}", {path: provenance.state(path, summaries.key(name))})
    for chapter in chapters.chapters():
        yield Step(f"seisbook book publish --chapter {chapter.stem}", {chapter: chapters.state(chapter)})


def _twins():
    from seisbook.studies.pretraining import twin_key

    files = {}
    for path in sorted(MODELS.glob("*-twin-*-*.json")):
        network, _, model, profile = path.stem.split("-")
        files[path] = provenance.state(path, twin_key(network, model, profile))
    return Step("seisbook train --split twin --model dynamic --force", files)


def _trainings(network, split, models):
    from seisbook.studies.runs import run_key

    files = {}
    for model in models:
        for fold in [0] if split == "twin" else range(FOLDS):
            path = record_path(network, model, split, fold, "paper")
            key = run_key(network, model, split, fold, "paper")
            files[path] = provenance.state(path, key)
            card = MODELS / f"{path.stem}.json"
            if split == "random" and fold == 0 and model in KEPT:
                files[card] = provenance.state(card, key)
    return Step(f"seisbook train --network {network} --split {split} --model {' '.join(models)} --force", files)


def _robust(network, split, fold):
    from seisbook.studies import robust_runs

    card = robust_runs.path_of(network, split, fold).with_suffix(".json")
    state = provenance.state(card, robust_runs.key(network, split, fold, "paper"))
    command = f"seisbook train --network {network} --model robust --split {split} --fold {fold} --force"
    return Step(command, {card: state})


def _study(path):
    from seisbook.studies import runner

    name, network, source, profile = path.stem.rsplit("-", 3)
    state = runner.state(runner.find(name), network, source, profile)
    return Step(study_command(path.stem), {path: state})


def study_command(record: str) -> str:
    """Command that makes the record of a study again, such as `robust-colombia-bulletin-paper`."""
    name, network, source, profile = record.rsplit("-", 3)
    place = f"{name} --network {network} --source {source} --profile {profile}"
    return f"seisbook study run {place} && seisbook study merge {place}"


def report(found) -> str:
    """Text with the state of each file on a line of its own, and the command below files that have to be made again."""
    lines = []
    for step in found:
        for path, state in step.files.items():
            reason = f": {state.reason}" if state.reason else ""
            lines.append(f"{state.name:10}  {path.relative_to(ROOT)}{reason}")
        if step.outdated:
            lines.append(f"            renewed by: {step.command}")
    states = [state.name for step in found for state in step.files.values()]
    counts = ", ".join(f"{states.count(name)} {name}" for name in provenance.STATES if name in states)
    if "unverified" in states:
        lines.append("            verified by: seisbook results --verify")
    return "\n".join([*lines, f"{len(states)} results: {counts}"])


def renew() -> None:
    """Carry out all outdated steps in order, each command in its own process.

    Raises
    ------
    RuntimeError
        If a command fails; what it has done is kept.
    """
    for step in steps():
        if step.outdated:
            for command in step.command.split(" && "):
                print(command, flush=True)
                _carry_out(command)


def _carry_out(command):
    done = subprocess.run([sys.executable, "-m", "seisbook.cli", *shlex.split(command)[1:]], check=False)
    if done.returncode:
        raise RuntimeError(f"`{command}` failed: see above; what was done is kept, mend it and run again")


def verify(names=(), progress=True) -> tuple[str, bool]:
    """Run trials of all unverified kinds of results again, or of the named kinds, and write the evidence.

    Returns
    -------
    text : str
        Outcome of each kind, one line each.
    refuted : bool
        Whether the trials of any kind disagree with its records.
    """
    from seisbook.book import verification

    kinds = verification.find(names) if names else [kind for kind in verification.kinds() if _is_unverified(kind)]
    outcomes = verification.verify(kinds, progress)
    return verification.report(outcomes), any(not outcome.agrees for outcome in outcomes)


def _is_unverified(kind):
    return any(provenance.state(path).name in ("unverified", "refuted") for path in kind.files)
