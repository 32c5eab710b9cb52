"""Checks whether this machine is ready for the book, for example on the evening before a workshop."""

import importlib.metadata
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from seisbook.book import lock
from seisbook.errors import UserError
from seisbook.paths import ROOT
from seisbook.studies import recipes

PYTHON = (3, 11)
DISK_GB, MEMORY_GB = 2, 4
TRAINING_S = 120  # if the trial takes longer, the chapters take too long for the breaks of a workshop
TRIAL_EVENTS = 64


class Finding(NamedTuple):
    """Result of one check: its name, whether it passed, a text, and whether the book needs it."""

    name: str
    well: bool
    text: str
    needed: bool = True


def examine() -> list[Finding]:
    """Findings of all checks; the trial training is the last."""
    checks = (python, packages, disk, memory, kernel, jupyter, real_data, training)
    return [check() for check in checks]


def report(findings) -> str:
    """Text with one line for each finding, and the verdict whether the machine is ready."""
    marks = {(True, True): "ok     ", (False, True): "MISSING", (True, False): "ok     ", (False, False): "note   "}
    lines = [f"{marks[finding.well, finding.needed]}  {finding.name:10}  {finding.text}" for finding in findings]
    missing = [finding.name for finding in findings if finding.needed and not finding.well]
    verdict = f"Not ready yet: see {', '.join(missing)}." if missing else "This machine is ready."
    return "\n".join([*lines, "", verdict])


def python() -> Finding:
    """Version of Python."""
    least, version = ".".join(map(str, PYTHON)), sys.version.split()[0]
    return Finding("Python", sys.version_info >= PYTHON, f"{version}; {least} or newer is needed")


def packages() -> Finding:
    """Installed versions of packages, compared with `requirements.lock`."""
    wanted = lock.pins()
    installed = {name: _version(name) for name in wanted}
    wrong = [f"{name} is {installed[name] or 'missing'}" for name in wanted if installed[name] != wanted[name]]
    text = f"{len(wanted)} packages as in requirements.lock"
    if wrong:
        few = ", ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else "")
        text = f"{few}: run `python -m pip install --no-deps --require-hashes --requirement requirements.lock`"
    return Finding("packages", not wrong, text)


def _version(name):
    try:
        return importlib.metadata.version(name).split("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return None


def disk() -> Finding:
    """Free disk space in the folder of the project, where the book is built."""
    free = shutil.disk_usage(ROOT).free / 1e9
    return Finding("disk", free >= DISK_GB, f"{free:.0f} GB free; {DISK_GB} GB are needed")


def memory() -> Finding:
    """Memory of the machine; some systems do not report it."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):  # Windows
        return Finding("memory", True, f"this system does not say; {MEMORY_GB} GB are needed", needed=False)
    return Finding("memory", total >= MEMORY_GB, f"{total:.0f} GB; {MEMORY_GB} GB are needed")


def kernel() -> Finding:
    """Whether the kernel of notebooks is this Python."""
    from jupyter_client import kernelspec

    try:
        command = kernelspec.get_kernel_spec("python3").argv[0]
    except kernelspec.NoSuchKernel:
        return Finding("kernel", False, "no kernel `python3`: run `python -m ipykernel install --sys-prefix`")
    here = command in ("python", "python3", sys.executable)  # Jupyter replaces the first two by its own Python
    text = "notebooks run with this Python"
    if not here:
        text = f"notebooks run with {command}: run `{sys.executable} -m ipykernel install --sys-prefix`"
    return Finding("kernel", here, text)


def jupyter() -> Finding:
    """Version of JupyterLab, which opens notebooks; other interfaces work too."""
    version = _version("jupyterlab")
    text = (
        f"JupyterLab {version}" if version else "no JupyterLab here: `pip install jupyterlab`, or open them elsewhere"
    )
    return Finding("Jupyter", version is not None, text, needed=False)


def real_data() -> Finding:
    """Whether the real bulletins are on this machine; without them, chapters run on simulated twins and say so."""
    from seisbook.catalogues import sources

    networks = sorted({name.split("/")[0] for name in sources.registry()})
    missing = [name for name in networks if not sources.is_available(name)]
    text = f"real readings of {', '.join(networks)} are here"
    if missing:
        text = f"no real readings of {', '.join(missing)}: simulated ones stand in; `seisbook data fetch` gets them"
    return Finding("real data", not missing, text, needed=False)


def training() -> Finding:
    """Trial of the whole chain: render a few simulated events, train the model on them briefly, and predict."""
    from seisbook.catalogues import networks
    from seisbook.datasets import build
    from seisbook.datasets.events import Events
    from seisbook.datasets.graphs import EventDataset
    from seisbook.models.augmentation import TrainingConfig
    from seisbook.models.training import Locator

    network, start = networks.load("ridgecrest"), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        try:
            made = build.build("ridgecrest", "simulated", Path(folder) / "twin", TRIAL_EVENTS, progress=False)
            events = Events.from_dataset(EventDataset(made), progress=False)
            config = TrainingConfig(epochs=2, graph_epochs=4, validation=0.0)
            locator = Locator("dynamic", recipes.model_config(network), config).fit(events, progress=False)
            error = -locator.score(events)
        except (UserError, RuntimeError, OSError) as failure:
            return Finding("training", False, f"a trial failed: {failure}")
    seconds = time.perf_counter() - start
    text = f"{TRIAL_EVENTS} simulated events rendered and trained on in {seconds:.0f} s"
    if seconds > TRAINING_S:
        return Finding(
            "training", False, f"{text}: slow; close other programs, and run chapters the evening before", False
        )
    return Finding("training", bool(error < float("inf")), text)
