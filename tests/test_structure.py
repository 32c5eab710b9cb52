"""The library's structure: floors, circles, sizes, and names in prose that exist."""

import ast
import json
import re
import shutil
import subprocess
import sys

import pytest

from seisbook.paths import BOOK, DATA, ROOT
from tests import structure

MOST_LINES = 600
LONG = {
    "seisbook.measures.attention": "all measures share one walk through the blocks, which none of them makes public",
    "seisbook.measures.perturbations": "fifteen perturbations of one interface; a third of the lines are docstrings",
    "seisbook.studies.runner": "records, workers and clusters keep one promise: a trial is done once",
}
"""Modules that may be longer, each with the reason."""
MOST_ARROWS = 1.25
"""Between packages, for each module; the ground floor, on which all stand, is not counted."""
SUFFIXES = {"css", "hdf5", "mplstyle", "pdf", "tex", "zip"}
PROSE = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile", "_config.yml")),
    *sorted(BOOK.glob("*.md")),
    *sorted((ROOT / "benchmarks").iterdir()),
    *sorted(DATA.glob("*/make.py")),
    *sorted(DATA.glob("*/README.md")),
    *sorted((ROOT / "seisbook").rglob("*.py")),
]
CHAPTERS = sorted(BOOK.glob("*.ipynb"))


@pytest.fixture(scope="module")
def modules():
    return structure.read()


# --------------------------------------------------------------------------------------------------------------- floors


def test_imports_point_downwards(modules):
    found = structure.upward(modules)
    assert not found, "move what is imported to a lower floor, or the importer to a higher one"


def test_no_modules_import_each_other_in_a_circle(modules):
    found = structure.circles(modules)
    assert not found, "move what both need into one of them, or into a third below both"


def test_packages_hold_nothing_but_their_docstring(modules):
    """A package that imported its modules would make an arrow to one of them an arrow to all of them."""
    for floor in structure.FLOORS[1:-1]:
        package = modules[f"seisbook.{floor}"]
        assert package.is_package
        assert [type(node) for node in package.tree.body] == [ast.Expr], package.name


def test_every_folder_is_a_floor(modules):
    packages = {name.split(".")[1] for name, module in modules.items() if module.is_package and "." in name}
    assert packages == set(structure.FLOORS) - {"base", "cli"} | {structure.COMMANDS}


def test_packages_hang_together_by_few_arrows(modules):
    between = [name for name, floor in structure.arrows(modules) if floor != "base"]
    assert 0 < len(between) < MOST_ARROWS * len(modules), structure.picture(modules)


def test_every_module_says_what_it_is_for(modules):
    assert not [name for name, module in modules.items() if len(module.purpose) < 15]


def test_modules_can_be_read_in_one_sitting(modules):
    long = {name: module.lines for name, module in modules.items() if module.lines > MOST_LINES}
    assert set(long) == set(LONG), f"{long}: split what is not in LONG, and take out of LONG what is no longer so long"


# --------------------------------------------------------------------------------------------------- they can fail


@pytest.fixture
def copy(tmp_path):
    """A copy of two packages and of one module from a floor above."""
    library = tmp_path / "seisbook"
    for folder in ("physics", "models"):
        shutil.copytree(structure.LIBRARY / folder, library / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (library / "studies").mkdir()
    shutil.copy(structure.LIBRARY / "studies" / "runner.py", library / "studies")
    return library


@pytest.mark.parametrize(
    "line",
    [
        "from seisbook.studies import runner",
        "import seisbook.studies.runner",
        "from seisbook.studies.runner import load",
        "def late():\n    from seisbook.studies import runner",
        'REGISTRY = {"runner": "seisbook.studies.runner"}',
    ],
)
def test_an_import_from_above_is_noticed(copy, line):
    assert not structure.upward(structure.read(copy))
    path = copy / "physics" / "bounds.py"
    path.write_text(path.read_text() + f"\n\n{line}\n")
    assert structure.upward(structure.read(copy)) == ["seisbook.physics.bounds -> seisbook.studies.runner"]


@pytest.mark.parametrize(
    "line", ["from seisbook.models import peers", "def late():\n    from seisbook.models import peers"]
)
def test_a_circle_is_noticed(copy, line):
    assert not structure.circles(structure.read(copy))
    path = copy / "models" / "graph.py"
    path.write_text(path.read_text() + f"\n\n{line}\n")
    assert structure.circles(structure.read(copy)) == [["seisbook.models.graph", "seisbook.models.peers"]]


def test_a_relative_import_is_refused(copy):
    path = copy / "models" / "graph.py"
    path.write_text(path.read_text() + "\n\nfrom . import peers\n")
    with pytest.raises(ValueError, match=r"seisbook\.models\.graph, line \d+: a relative import"):
        structure.read(copy)


def test_the_command_prints_every_floor():
    """It imports nothing of the library, so that it runs where nothing is installed."""
    command = [sys.executable, "-S", "-m", "tests.structure"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = printed.splitlines()[1 : len(structure.FLOORS) + 1]
    assert [line.split()[0] for line in lines] == [*reversed(structure.FLOORS)]
    assert re.search(r"^figures +\d+ +[\d,]+  One module a chapter", printed, re.M)
    assert re.search(r"\d+ arrows between packages, \d+ more to the base$", printed)


# ------------------------------------------------------------------------------------------------------- names in prose


def missing(modules, text):
    """Dotted names and paths of the library in a text that do not exist."""
    dotted = set(re.findall(r"(?<![\w/.])seisbook(?:\.[A-Za-z_]\w*)+", text))
    files = {path for path in re.findall(r"(?<!\w)seisbook/[\w/]+\.\w+", text) if not (ROOT / path).is_file()}
    unknown = {name for name in dotted if name.split(".")[1] not in SUFFIXES and not structure.resolves(modules, name)}
    return sorted(unknown | files)


@pytest.mark.parametrize("path", PROSE, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_in_prose_exist(modules, path):
    text = path.read_text(encoding="utf-8")
    imported = dict(_imported(text)).values() if path.suffix == ".py" else ()
    unknown = missing(modules, text) + [name for name in imported if not structure.resolves(modules, name)]
    assert not unknown


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_names_in_chapters_exist(modules, path):
    """In text and code as well as in the code of exercises and solutions, which stands in the text."""
    text = "\n\n".join("".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"])
    imported = dict(_imported(text))
    used = re.findall(r"(?<![\w./])(\w+)\.([A-Za-z_]\w*)", text)
    full = {
        *imported.values(),
        *(f"{imported[a]}.{b}" for a, b in used if imported.get(a) in modules and b not in SUFFIXES),
    }
    unknown = missing(modules, text) + [name for name in sorted(full) if not structure.resolves(modules, name)]
    assert not unknown


def test_notation_names_the_module_that_defines(modules):
    page = (BOOK / "notation.md").read_text(encoding="utf-8")
    names = re.findall(r"`((?:" + "|".join(structure.FLOORS) + r")\.\w+)\.(\w+)", page)
    assert len(names) > 40
    assert not [
        f"{module}.{name}"
        for module, name in names
        if isinstance(structure.bindings(modules[f"seisbook.{module}"].tree)[name], ast.Import | ast.ImportFrom)
    ]


def _imported(text):
    """Names that a chapter imports from the library, and what each stands for."""
    pattern = r"^ *from (seisbook[\w.]*) import (\([^)]*\)|.*)$|^ *import (seisbook[\w.]+) as (\w+)$"
    for module, names, whole, alias in re.findall(pattern, text, re.M):
        if whole:
            yield alias, whole
        listed = re.sub(r"#.*", "", names).strip("() \n").split(",")
        for name in filter(None, (name.strip() for name in listed)):
            first, _, last = name.partition(" as ")
            yield last or first, f"{module}.{first}"


@pytest.mark.parametrize(
    ("name", "exists"),
    [
        ("seisbook.models.graph", True),
        ("seisbook.models.graph.GraphModel.forward", True),
        ("seisbook.studies.runner.STUDIES", True),
        ("seisbook.__version__", True),
        ("seisbook.graph", False),
        ("seisbook.models.graph.NoModel", False),
        ("seisbook.models.graph.GraphModel.backward", False),
    ],
)
def test_a_name_that_does_not_exist_is_noticed(modules, name, exists):
    assert missing(modules, f"see `{name}`.") == ([] if exists else [name])


def test_a_file_that_does_not_exist_is_noticed(modules):
    assert missing(modules, "`seisbook/model.py` and `seisbook/models/graph.py`") == ["seisbook/model.py"]
