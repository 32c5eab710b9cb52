"""Which records are older than the code, and the commands that renew them, in the order in which they build on another.

A record, a trained model and a published chapter each say what they were made of. `make check-results` compares that
with the code and the data as they are; `make paper` carries out what is out of date, hours of it if all is. Each
command does only what is missing, so that it may be stopped at any time and given again.
"""

import importlib
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seisbook import records
from seisbook.book import chapters
from seisbook.catalogues.networks import NETWORKS
from seisbook.errors import DataError, UserError
from seisbook.measures import splits
from seisbook.models import checkpoints, peers
from seisbook.paths import ROOT
from seisbook.studies import experiments, recipes, runner

RUNS = {
    "random": (*peers.NAMES, "classical"),
    "time": ("dynamic", "classical"),
    "twin": ("dynamic", "static", *peers.PEERS, "classical"),
}
"""Models that are compared on each split."""
RECORDS = {
    "models": "seisbook.findings.comparison",
    "variance": "seisbook.findings.variance",
    "recorded": "seisbook.studies.iceland",
    "attention": "seisbook.findings.attention",
    "alignment": "seisbook.findings.alignment",
}
"""Records that sum up runs and studies, and the module whose `record` makes each and whose `load` checks it."""


@dataclass(frozen=True)
class Step:
    """A command, and the files that it renews.

    Parameters
    ----------
    command : str
    files : dict of Path to str
        Why each is out of date; empty if it is not.
    """

    command: str
    files: dict[Path, str]

    @property
    def outdated(self) -> bool:
        """Whether there is something to do."""
        return any(self.files.values())


def steps() -> Iterator[Step]:
    """All steps, each looked at only when it is asked for: what an earlier one renews may put a later one out of date.

    Yields
    ------
    Step
    """
    catalogues = records.RESULTS / "catalogues.json"
    yield Step("seisbook data record", {catalogues: _reason(catalogues.load_catalogues)})
    for network in NETWORKS:
        for split, models in RUNS.items():
            yield _trainings(network, split, models)
    for path in sorted((records.RESULTS / "studies").glob("*-paper.json")):
        yield _study(path)
    for name, module in RECORDS.items():
        path = records.RESULTS / f"{name}.json"
        yield Step(f"seisbook results --record {name}", {path: _reason(importlib.import_module(module).load)})
    for chapter in chapters.chapters():
        yield Step(f"seisbook book publish --chapter {chapter.stem}", {chapter: chapters.outdated(chapter)})


def _trainings(network, split, models):
    found = experiments.all_runs("paper")
    folds = [0] if split == "twin" else range(splits.FOLDS)
    wanted = [experiments.record_path(network, model, split, fold, "paper") for model in models for fold in folds]
    files = {path: _state(found.get(path.stem)) for path in wanted}
    if split == "random":
        names = [f"{network}-{model}-random-0" for model in recipes.KEPT]
        for path in (experiments.MODELS / f"{name}.safetensors" for name in (f"{network}-twin-dynamic-paper", *names)):
            files[path] = _state(_card(path))
    return Step(f"seisbook train --network {network} --split {split} --model {' '.join(models)}", files)


def _card(path):
    try:
        return checkpoints.load(path)[1]
    except UserError:
        return None


def _state(record):
    if record is None:
        return "it is missing or damaged"
    return "" if checkpoints.is_current(record) else "its code or its data have changed since"


def _study(path):
    name, network, source, profile = path.stem.rsplit("-", 3)
    place = f"{name} --network {network} --source {source} --profile {profile}"
    reason = _reason(runner.load, runner.find(name), network, source, profile)
    return Step(f"seisbook study run {place} && seisbook study merge {place}", {path: reason})


def _reason(load, *arguments):
    """Why a record cannot be loaded, on one line."""
    try:
        load(*arguments)
    except (UserError, DataError) as error:
        return str(error)
    return ""


def report(found) -> str:
    """The state of every file, a line each; the command under those that are out of date."""
    lines = []
    for step in found:
        for path, reason in step.files.items():
            lines.append(f"{'stale  ' if reason else 'current'}  {path.relative_to(ROOT)}{reason and ': '}{reason}")
        if step.outdated:
            lines.append(f"         renewed by: {step.command}")
    stale = sum(bool(reason) for step in found for reason in step.files.values())
    return "\n".join([*lines, f"{stale} of {sum(len(step.files) for step in found)} out of date"])


def renew():
    """Carry out all steps that are out of date, in order, each in a process of its own.

    Raises
    ------
    RuntimeError
        If one fails; what it has done is kept.
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
