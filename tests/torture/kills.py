"""Runs of the command line that are killed at any moment: afterwards everything is whole, and the same command goes on.

Each run is a process of its own that inherits the loaded library, so that a kill meets the work and not the imports.
"""

import hashlib
import json
import logging
import random
import re
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from seisbook import cli, records
from seisbook.book import chapters, workshop
from seisbook.catalogues import sources
from seisbook.models import checkpoints
from seisbook.paths import BUILD, ROOT
from seisbook.studies import recipes, runner, runs
from tests.torture import project
from tests.torture.outcome import Tally, start

LEFTOVER = re.compile(r"\.(part|old)$|\.part\.|\.seisbook\.\w+$|^tmp")
PATIENCE = 600  # seconds, for a run that is not killed
TRIES = 4  # to kill a run before it has ended


@dataclass(frozen=True)
class Job:
    """A command, and how to see whether its result is whole.

    Parameters
    ----------
    argv : tuple of str
    before : callable
        Makes the earlier result.
    state : callable
        Describes the result that is there; raises if it is not whole.
    kills : int
        In a full campaign.
    """

    argv: tuple[str, ...]
    before: Callable[[], None]
    state: Callable[[], object]
    kills: int

    @property
    def name(self):
        return " ".join(self.argv[:2] if self.argv[0] != "train" else self.argv[:1])


def jobs(folder: Path) -> list[Job]:
    """All commands, with the files that they need in `folder`."""
    make_small()
    network, out = "small", folder / "out/set"
    simulated = ("data", "build", "--network", network, "--source", "simulated", "--events", "60", "--out", str(out))
    whole = folder / "whole"
    _run([*simulated[:-1], str(whole), "--seed", "1"], folder)
    chapter, executed = ROOT / "book" / f"{project.SMALL}.ipynb", BUILD / "quick" / f"{project.SMALL}.ipynb"
    committed = chapter.read_bytes()
    return [
        Job(simulated, lambda: _copy(whole, out), lambda: _content(out), 24),
        Job(("data", "fetch"), lambda: _remove(sources.cache_folder()), lambda: _content(sources.cache_folder()), 16),
        Job(
            ("train", "--network", "small", "--model", "static", "--split", "twin", "--profile", "quick"),
            lambda: _remove(BUILD / "models", BUILD / "results", BUILD / "data"),
            _models_and_records,
            14,
        ),
        Job(
            ("study", "run", "torture", "--network", "small", "--profile", "quick"),
            lambda: _remove(BUILD / "studies"),
            _trials,
            16,
        ),
        Job(("workshop", "learners"), lambda: _remove(workshop.FOLDER), lambda: _content(workshop.FOLDER), 14),
        Job(
            ("book", "run", "--chapter", "00"),
            lambda: _remove(executed),
            lambda: _executed(executed),
            10,
        ),
        Job(
            ("book", "publish", "--chapter", "00"),
            lambda: _unpublished(chapter, committed),
            lambda: _executed(chapter, published=True),
            10,
        ),
    ]


def make_small():
    """Shrink the quick profile and add the study, in this process and in all that it starts."""
    quick = recipes.PROFILES["quick"]
    one = replace(quick.pretraining, epochs=1, graph_epochs=1)
    recipes.PROFILES["quick"] = replace(quick, twin_events=40, pretraining=one)
    runs.TWIN_EVENTS = 12
    runner.STUDIES["torture"] = "tests.torture.study"


def _copy(folder, out):
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(folder, out)


def _remove(*paths):
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)
        Path(path).unlink(missing_ok=True) if not Path(path).is_dir() else None


def _unpublished(chapter, committed):
    chapter.write_bytes(committed)
    _remove(BUILD / "paper")


# ------------------------------------------------------------------------------------------------- what is whole


def _content(folder):
    """Hash of each file in a folder that has its name; nothing if there is none."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not LEFTOVER.search(path.name))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _models_and_records():
    """Names of the models and records, all of which can be read."""
    weights, results = sorted((BUILD / "models").rglob("*.safetensors")), sorted((BUILD / "results").rglob("*.json"))
    for path in weights:
        checkpoints.load(path)
    for path in results:
        records.read(path)
    return {path.name: "whole" for path in weights + results}


def _trials():
    """Names of the records of trials, all of which can be read."""
    found = [path for path in (BUILD / "studies").rglob("*.json") if not path.name.startswith(".")]
    for path in found:
        json.loads(path.read_text(encoding="utf-8"))
    return {path.name: "whole" for path in found}


def _executed(notebook, published=False):
    """Texts that a notebook's cells put out; nothing if it is not there or not published."""
    if not notebook.is_file():
        return {}
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    texts = [str(output.get("data")) for cell in cells for output in cell.get("outputs", [])]
    if published and texts and chapters.state(notebook).name == "damaged":
        raise ValueError("a published chapter whose outputs are not those of its provenance")
    return {"outputs": texts} if texts else {}


def leftovers(*folders) -> list[str]:
    """Temporary files in folders."""
    found = (path for folder in folders for path in folder.rglob("*") if ".git" not in path.parts)
    return sorted(str(path) for path in found if LEFTOVER.search(path.name))


# ---------------------------------------------------------------------------------------------------------- the kills


def _run(argv, folder):
    child = start(lambda: cli.main(list(argv)), folder / "said.txt")
    _, code = child.wait(PATIENCE)
    if code:
        raise RuntimeError(f"{argv} ended with {code}: {child.printed()[-500:]}")


def kill_often(job, n, rng, folder) -> Tally:
    """Kill so many runs of a command, half of them by SIGKILL, and look at what they left."""
    tally = Tally(f"killed: {job.name}")
    job.before()
    earlier, begin = job.state(), time.monotonic()
    _run(job.argv, folder)
    seconds, new = time.monotonic() - begin, job.state()
    for i in range(n):
        number = (signal.SIGKILL, signal.SIGTERM)[i % 2]
        moment = (i + rng.random()) / n * seconds
        job.before()
        what = f"{number.name} after {moment:.2f} of {seconds:.2f} s"
        _judge(tally, what, lambda: _killed(job, number, moment, folder, earlier, new))  # noqa: B023
    return tally


def _judge(tally, what, work):
    try:
        complaint = work()
    except Exception as error:
        complaint = f"{type(error).__name__}: {' '.join(str(error).split())[:150]}"
    tally.note(what, complaint)


def _killed(job, number, moment, folder, earlier, new):
    """What is wrong after a run was killed, and after the same command was given again."""
    for _ in range(TRIES):
        child = start(lambda: cli.main(list(job.argv)), folder / "said.txt")
        time.sleep(moment)
        child.stop(number)
        _, code = child.wait(PATIENCE)
        if code:
            break
        job.before()
        moment *= 0.7
    said = child.printed()
    found = job.state()
    mixed = {name: value for name, value in found.items() if value not in (earlier.get(name), new.get(name))}
    lost = {name for name in earlier if name in new} - set(found)
    if mixed or lost:
        return f"neither the earlier nor the new: {sorted(mixed) or sorted(lost)}"
    if number == signal.SIGTERM and "Traceback" in said:
        return "a traceback after SIGTERM"
    if number == signal.SIGTERM and (left := leftovers(ROOT, folder, sources.cache_folder())):
        return f"left behind after SIGTERM: {Path(left[0]).name}"
    _run(job.argv, folder)
    if job.state() != new:
        return "the same command, given again, made something else"
    left = leftovers(ROOT, folder, sources.cache_folder())
    return f"left behind for ever: {Path(left[0]).name}" if left else None


class Slow(BaseHTTPRequestHandler):
    """Sends a registered file in small parts."""

    def do_GET(self):
        content = project.download(self.path.strip("/"))
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            for first in range(0, len(content), 1 << 16):
                self.wfile.write(content[first : first + (1 << 16)])
                time.sleep(0.01)
        except OSError:
            return

    def log_message(self, *args):
        pass


def campaign(folder: Path, n: int, progress=print, seed=0) -> list[Tally]:
    """Kill about `n` runs in all; the kinds' shares are those of a full campaign."""
    logging.disable(logging.WARNING)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    serving = start(server.serve_forever, folder / "served.txt")
    server.server_close()
    project.register(ROOT, f"http://127.0.0.1:{server.server_port}")
    rng, tallies = random.Random(seed), []
    try:
        known = jobs(folder)
        whole = sum(job.kills for job in known)
        for job in known:
            begin = time.monotonic()
            tallies.append(kill_often(job, max(1, round(job.kills * n / whole)), rng, folder))
            tallies[-1].seconds = time.monotonic() - begin
            progress(f"{tallies[-1].name}: {tallies[-1].tried} tried, {tallies[-1].n_bad} bad")
    finally:
        serving.stop(signal.SIGKILL)
        serving.wait(10)
    return tallies
