"""The lock file, pyproject.toml and environment.yml describe one environment, and it is the one that runs."""

import ast
import hashlib
import importlib.metadata
import os
import re
import runpy
import subprocess
import sys
import tomllib
import zipfile

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from seisbook import __version__
from seisbook.book import lock as lock_file
from seisbook.errors import DataError
from seisbook.paths import ROOT

FIXED = ["jupyter-book", "torch", "torch-geometric", "obspy", "matplotlib", "cartopy", "papermill", "pytest", "nbval"]


LOCKS = [ROOT / "requirements.lock", ROOT / "requirements-cuda.lock", ROOT / ".ci" / "uv.lock"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def declared(extras=("associators", "dev", "onnx", "workshop")):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    chosen = [text for name in extras for text in project["optional-dependencies"][name]]
    return [Requirement(text) for text in project["dependencies"] + chosen]


def test_lock_holds_every_declared_dependency():
    lock = lock_file.pins()
    for requirement in declared():
        name = canonicalize_name(requirement.name)
        assert name in lock, f"{name} is declared in pyproject.toml and not locked"
        assert requirement.specifier.contains(lock[name]), f"{name} {lock[name]} is locked against {requirement}"


def test_packages_that_the_book_is_built_on_are_declared():
    assert set(FIXED) <= {requirement.name for requirement in declared()}


def test_every_package_of_the_library_is_installed():
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    there = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "seisbook").rglob("__init__.py")}
    assert set(tools["setuptools"]["packages"]) == there


def test_environment_yml_brings_the_interpreter_and_post_build_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert [entry.partition("=")[0] for entry in environment["dependencies"]] == ["python", "pip"]
    python = environment["dependencies"][0]
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert Requirement(f"python{requires}").specifier.contains(python.split("=")[1] + ".0")
    assert os.access(ROOT / "postBuild", os.X_OK)
    assert "./postBuild $(BIN)/python" in (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_package_of_a_lock_has_the_hashes_of_its_files(path):
    text = path.read_text()
    paragraphs = re.findall(r"^\w.*\n(?:[ \t].*\n)*", text, re.M)
    assert "".join(paragraphs) == re.sub(r"^#.*\n", "", text, flags=re.M)
    for paragraph in paragraphs:
        assert re.fullmatch(r"[\w.-]+==[\w.+!-]+( ; [^\\\n]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n", paragraph), (
            paragraph
        )
    assert "://" not in text


@pytest.mark.parametrize("name", ["Makefile", "postBuild", "seisbook/book/workshop.py", "book/workshop.md"])
def test_what_installs_a_lock_asks_for_hashes(name):
    lines = re.findall(r".*\bpip\b.*(?:-r|--requirement)\b.*", (ROOT / name).read_text())
    assert lines
    assert [line for line in lines if "--require-hashes" not in line] == []


def test_pip_refuses_a_file_with_another_hash(tmp_path):
    """A wheel of our own, from a folder, so that no package index is asked."""
    wheel = tmp_path / "one-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("one-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: one\nVersion: 1.0\n")
        archive.writestr("one-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("one-1.0.dist-info/RECORD", "")
    right, wrong = hashlib.sha256(wheel.read_bytes()).hexdigest(), 64 * "0"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-index", "--require-hashes"]
    for digest, code in ((right, 0), (wrong, 1)):
        (tmp_path / "one.lock").write_text(f"one==1.0 \\\n    --hash=sha256:{digest}\n")
        command += ["--find-links", str(tmp_path), "--dest", str(tmp_path / "got"), "-r", str(tmp_path / "one.lock")]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == code, done.stderr
    assert "DO NOT MATCH THE HASHES" in done.stderr


def test_the_lock_writer_puts_each_build_of_torch_into_its_file():
    write = runpy.run_path(str(ROOT / ".ci" / "lock"))["texts"]
    names = [f"torch-2.13.0-cp311-cp311-{system}.whl" for system in ("win_amd64", "manylinux_2_28_x86_64")]
    files = [
        {"url": f"place/{name}", "hashes": {"sha256": 64 * digit}} for name, digit in zip(names, "12", strict=True)
    ]
    source = {"url": "place/one-1.tar.gz", "hashes": {"sha256": 64 * "4"}}
    packages = [
        {"name": "one", "version": "1", "marker": "sys_platform == 'win32'", "sdist": source},
        {"name": "nvidia-cublas", "version": "13.1", "wheels": [{**source, "hashes": {"sha256": 64 * "3"}}]},
        {"name": "torch", "version": "2.13.0", "wheels": files},
    ]
    book, cuda = write(packages).values()
    assert "one==1 ; sys_platform == 'win32' \\\n    --hash=sha256:4444" in book
    assert book.count("--hash") == 3  # among them that of the build for processors, which no index lists
    assert 64 * "1" in book
    assert 64 * "2" in cuda
    assert 64 * "3" in cuda
    assert cuda.count("--hash") == 2


def test_pins_are_those_of_this_system(tmp_path):
    path = tmp_path / "one.lock"
    path.write_text("# none\nOne_two==1.0 ; sys_platform == 'nowhere'\nThree.four==2.0.post1 \\\n    --hash=sha256:0\n")
    assert lock_file.pins(path) == {"three-four": "2.0.post1"}


@pytest.mark.parametrize("line", ["one", "one>=1,<2", "one =="])
def test_a_line_without_a_version_is_named(tmp_path, line):
    path = tmp_path / "one.lock"
    path.write_text(line)
    with pytest.raises(DataError, match=rf"one\.lock: '{line}' is no"):
        lock_file.pins(path)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path):
    used = re.findall(r"uses: *(.*)", path.read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_only_a_job_that_runs_nothing_of_ours_may_write(path):
    """No script, no checkout, no package: what gets the right to publish is one pinned action."""
    workflow = yaml.safe_load(path.read_text())
    rights = {name: job.get("permissions", workflow["permissions"]) for name, job in workflow["jobs"].items()}
    assert set(workflow["permissions"].values()) <= {"read"}
    for name, job in workflow["jobs"].items():
        if set(rights[name].values()) - {"read"}:
            assert (path.name, name, rights[name]) == ("publish.yml", "deploy", {"pages": "write", "id-token": "write"})
            assert [step["uses"].partition("@")[0] for step in job["steps"]] == ["actions/deploy-pages"]
        if any("run" in step for step in job["steps"]):
            assert rights[name] == {"contents": "read"}


def test_what_runs_is_what_is_locked():
    lock = lock_file.pins()
    assert {name: importlib.metadata.version(name).split("+")[0] for name in lock} == lock


def test_every_import_of_the_library_is_declared():
    extras = ("associators", "dev", "onnx", "workshop", "encoders")
    names = {canonicalize_name(requirement.name) for requirement in declared(extras)}
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
