"""The lock file, pyproject.toml and environment.yml describe one environment, and it is the one that runs."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from seisbook import __version__
from seisbook.paths import ROOT

FIXED = ["jupyter-book", "torch", "torch-geometric", "obspy", "matplotlib", "cartopy", "papermill", "pytest", "nbval"]


def locked():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pins}


def declared(extras=("dev", "workshop")):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    chosen = [text for name in extras for text in project["optional-dependencies"][name]]
    return [Requirement(text) for text in project["dependencies"] + chosen]


def test_lock_holds_every_declared_dependency():
    lock = locked()
    for requirement in declared():
        name = canonicalize_name(requirement.name)
        assert name in lock, f"{name} is declared in pyproject.toml and not locked"
        assert requirement.specifier.contains(lock[name]), f"{name} {lock[name]} is locked against {requirement}"


def test_packages_that_the_book_is_built_on_are_declared():
    assert set(FIXED) <= {requirement.name for requirement in declared()}


def test_environment_yml_installs_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    pip = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert pip == ["-r requirements.lock", "-e ."]
    python = next(entry for entry in environment["dependencies"] if str(entry).startswith("python="))
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert Requirement(f"python{requires}").specifier.contains(python.split("=")[1] + ".0")


def test_what_runs_is_what_is_locked():
    lock = locked()
    assert {name: importlib.metadata.version(name).split("+")[0] for name in lock} == lock


def test_every_import_of_the_library_is_declared():
    names = {canonicalize_name(requirement.name) for requirement in declared(("dev", "workshop", "encoders"))}
    distributions = importlib.metadata.packages_distributions()
    for path in (ROOT / "seisbook").rglob("*.py"):
        for module in imported(path) - sys.stdlib_module_names - {"seisbook"}:
            owners = {canonicalize_name(owner) for owner in distributions.get(module, [module])}
            assert owners & names, f"{path.name} imports {module}, which pyproject.toml does not declare"


def imported(path):
    """Top-level modules that a file imports, also inside functions."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {alias.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module.split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}


def test_version_is_one():
    assert importlib.metadata.version("seisbook") == __version__
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == __version__


@pytest.mark.parametrize("problem", ["old python", "full disk"])
def test_make_explains_what_is_missing(problem, tmp_path):
    make = (ROOT / "Makefile").read_text()
    check = re.search(r"define CHECK\n(.*?)\nendef", make, re.S).group(1)
    fake = "import shutil, sys\nfrom collections import namedtuple\n"
    fake += (
        "sys.version_info = (3, 9, 2)\n"
        if problem == "old python"
        else "shutil.disk_usage = lambda p: namedtuple('U', 'free')(1e9)\n"
    )
    result = subprocess.run([sys.executable, "-c", fake + check], capture_output=True, text=True)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert {"old python": "Python 3.11 or newer", "full disk": "1.0 GB of disk"}[problem] in result.stderr
