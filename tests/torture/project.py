"""A copy of the project in a temporary folder, with small data of its own, in which the campaign does its damage."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import yaml

from tests.torture import examples

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("seisbook", "tests", "book", "data/networks", "data/geography", "data/results/witness.json")
FILES = ("_config.yml", "pyproject.toml", "requirements.lock")
SMALL = "00_small"  # a chapter of three cells
DOWNLOADS = {"colombia/small.out": 1 << 20, "ridgecrest/small.pha": 1 << 19}  # name and size


def copy(top: Path) -> Path:
    """Copy what the command line needs into `top / "project"`, add a small chapter and commit it.

    Parameters
    ----------
    top : Path
        An empty folder.

    Returns
    -------
    Path
        Root of the copy.
    """
    root = top / "project"
    for part in PARTS:
        (root / part).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        elif (ROOT / part).is_file():
            shutil.copy(ROOT / part, root / part)
    for name in FILES:
        shutil.copy(ROOT / name, root / name)
    (root / "data/models").mkdir()
    examples.small_network(root / "data/networks")
    _small_chapter(root)
    register(root, "http://127.0.0.1:9")  # a port at which nobody answers
    (root / ".gitignore").write_text("*\n!/seisbook/\n!/seisbook/**\n__pycache__/\n")
    author = ("-c", "user.name=campaign", "-c", "user.email=campaign@localhost", "-c", "commit.gpgsign=false")
    for command in (("init", "--quiet"), ("add", "--all"), (*author, "commit", "--quiet", "--message", "Copy")):
        subprocess.run(["git", "-C", str(root), *command], check=True, capture_output=True)
    return root


def _small_chapter(root):
    given = 'profile = "paper"  # size of the run\nn_events = 500  # events that it takes'
    parameters = nbformat.v4.new_code_cell(given, metadata={"tags": ["parameters"]})
    cells = [parameters, *map(nbformat.v4.new_code_cell, ("import time\ntime.sleep(0.5)\nn_events", "profile"))]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), root / "book" / f"{SMALL}.ipynb")
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    toc["parts"][0]["chapters"].insert(0, {"file": f"book/{SMALL}"})
    (root / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False), encoding="utf-8")


def download(name) -> bytes:
    """Content of a file that the local server offers."""
    return hashlib.sha256(name.encode()).digest() * (DOWNLOADS[name] // 32)


def register(root, address):
    """Write the registry of downloads, all from one address."""
    lines = [f"{name} {hashlib.sha256(download(name)).hexdigest()} {address}/{name}" for name in DOWNLOADS]
    (root / "data/registry.txt").write_text("# name sha256 address\n" + "\n".join(lines) + "\n")


def run(root: Path, arguments) -> dict[str, list[dict]]:
    """Run parts of the campaign in the copy; return their tallies by part, as plain values."""
    top = root.parent
    folders = {"XDG_CACHE_HOME": top / "cache", "JUPYTER_RUNTIME_DIR": top / "runtime", "TMPDIR": top / "tmp"}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    ours = {"SEISBOOK_DATA_DIR", "PYTHONPATH"}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    paths = [str(root), *(path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep)[1:] if path)]
    environment |= {name: str(folder) for name, folder in folders.items()}
    environment |= {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    answer = top / "tallies.json"
    command = [sys.executable, "-m", "tests.torture.within", str(answer), *map(str, arguments)]
    subprocess.run(command, cwd=root, env=environment, check=True)
    return json.loads(answer.read_text(encoding="utf-8"))
