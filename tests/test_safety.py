"""No file of this project unpickles, evaluates or passes to a shell what it has read."""

import ast
import json

import pytest

from seisbook.book import workshop
from seisbook.paths import BOOK, DATA, ROOT
from tests import structure

CODE = [
    *sorted((ROOT / "seisbook").rglob("*.py")),
    *sorted((ROOT / "tests").rglob("*.py")),
    *sorted((ROOT / "benchmarks").glob("*.py")),
    *sorted(DATA.glob("*/*.py")),
    *sorted(BOOK.glob("_*/*.py")),
    ROOT / ".ci" / "lock",
]
CHAPTERS = sorted(BOOK.glob("*.ipynb"))
UNPICKLERS = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib.load"}
NEVER = {
    *("eval", "exec", "__import__", "builtins.eval", "builtins.exec", "pandas.eval"),
    *("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "tempfile.mktemp"),
    *("pandas.read_pickle", "numpy.lib.format.read_array", "numpy.DataSource", "torch.hub.load", "torch.jit.load"),
    *("shutil.unpack_archive", "ssl._create_unverified_context"),
    *(f"yaml.{name}{many}" for name in ("unsafe_load", "full_load") for many in ("", "_all")),
}
"""Functions that run what they are given, by full name."""
FORMATLESS = {"obspy.read", "obspy.read_events", "obspy.read_inventory"}
SAFE_LOADERS = {"yaml.SafeLoader", "yaml.CSafeLoader", "getattr(yaml, 'CSafeLoader', yaml.SafeLoader)"}
ALLOWED = {
    "tests/book/test_exercises.py": {"runs.query"},  # with two words of its own
    "tests/test_readme.py": {"exec"},  # this project's front page
    "tests/catalogues/test_formats.py": {
        "obspy.read",
        "import pickle",
        "pickle.dumps",
    },  # a hostile file, and what it does
    "tests/test_errors.py": {"import pickle", "pickle.dumps", "pickle.loads"},  # an error goes to another process
    "tests/torture/hostile.py": {"import pickle", "numpy.save", "pickle.dumps"},  # hostile files, and what they try
    "tests/models/test_checkpoints.py": {"import pickle", "pickle.dumps"},  # a file that is refused
    "tests/book/test_verification.py": {
        "import pickle",
        "pickle.dumps",
        "pickle.loads",
    },  # of its own object
}
"""What a test may do, each with the reason."""


class Unsafe(ast.NodeVisitor):
    """Calls of a module that could run what a file says, as (line, call)."""

    def __init__(self, tree):
        self.names, self.values, self.found = {}, {}, []
        self.visit(tree)

    def visit_Import(self, node):
        for alias in node.names:
            self.names[alias.asname or alias.name.split(".")[0]] = (
                alias.name if alias.asname else alias.name.split(".")[0]
            )
            if alias.name in UNPICKLERS:
                self.found.append((node.lineno, f"import {alias.name}"))

    def visit_ImportFrom(self, node):
        for alias in node.names:
            self.names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            if {node.module, f"{node.module}.{alias.name}"} & UNPICKLERS:
                self.found.append((node.lineno, f"import {node.module}"))

    def visit_Assign(self, node):
        for target in node.targets:
            self.values[ast.unparse(target)] = ast.unparse(node.value)
        self.generic_visit(node)

    def visit_Call(self, node):
        name, given = self.full_name(node.func), {one.arg: ast.unparse(one.value) for one in node.keywords}
        if (
            name in NEVER
            or name.partition(".")[0] in UNPICKLERS
            or name in UNPICKLERS
            or self.is_unsafe(name, node, given)
        ):
            self.found.append((node.lineno, name))
        self.generic_visit(node)

    def full_name(self, function):
        first, *rest = ast.unparse(function).split(".")
        return ".".join([self.names.get(first, first), *rest])

    def is_unsafe(self, name, node, given):
        method = name.rpartition(".")[2]
        positional = [ast.unparse(one) for one in node.args]
        if name in ("yaml.load", "yaml.load_all"):
            loader = given.get("Loader") or (positional[1:] or [""])[0]
            return self.values.get(loader, loader) not in SAFE_LOADERS
        return (
            ("shell" in given and given["shell"] != "False")
            or (name == "torch.load" and given.get("weights_only") != "True")
            or (name == "numpy.load" and given.get("allow_pickle") != "False")
            or given.get("allow_pickle", "False") != "False"
            or (name in FORMATLESS and "format" not in given)
            or (method in ("extractall", "extract") and given.get("filter") != "'data'")
            or given.get("verify") == "False"
            or given.get("escape") == "False"
            or (method == "parser" and given.get("resolve_entities") == "True")
            or (method in ("query", "eval") and any(isinstance(one, ast.JoinedStr) for one in node.args))
        )


def unsafe(text):
    return Unsafe(ast.parse(text)).found


def code_of(chapter):
    """Code cells of a chapter, and the code of its exercises and solutions, without Jupyter's magic lines."""
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    sources += [code for one in workshop.exercises(chapter) for code in (one.check, one.solution)]
    return "\n".join(line for source in sources for line in source.splitlines() if not line.lstrip().startswith("%"))


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_runs_what_it_reads(path):
    allowed = ALLOWED.get(str(path.relative_to(ROOT)), set())
    assert [(line, call) for line, call in unsafe(path.read_text(encoding="utf-8")) if call not in allowed] == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_no_chapter_runs_what_it_reads(path):
    assert unsafe(code_of(path)) == []


def test_exceptions_are_needed():
    for name, calls in ALLOWED.items():
        assert {call for _, call in unsafe((ROOT / name).read_text(encoding="utf-8"))} == calls, name


def test_the_library_is_read():
    assert len(CODE) > len(structure.read()) > 100


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from pickle import loads",
        "import joblib\njoblib.load(path)",
        "from joblib import load\nload(path)",
        "import torch\ntorch.load(path)",
        "import torch\ntorch.load(path, weights_only=False)",
        "import numpy as np\nnp.load(path)",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "import pandas as pd\npd.read_pickle(path)",
        "eval(text)",
        "def late():\n    exec(text)",
        "import subprocess\nsubprocess.run(text, shell=True)",
        "import os\nos.system(text)",
        "from os import popen\npopen(text)",
        "import yaml\nyaml.load(text, yaml.Loader)",
        "import yaml\nyaml.load(text, Loader=yaml.FullLoader)",
        "import yaml\nyaml.load(text)",
        "from yaml import unsafe_load as safe\nsafe(text)",
        "import obspy\nobspy.read(path)",
        "from obspy import read_events\nread_events(path)",
        "import tarfile\ntarfile.open(path).extractall(folder)",
        "import requests\nrequests.get(address, verify=False)",
        "table.to_html(escape=False)",
        "table.query(f'code == {code}')",
    ],
)
def test_it_would_be_noticed(line):
    assert unsafe(line)


@pytest.mark.parametrize(
    "line",
    [
        "import torch\ntorch.load(path, weights_only=True)",
        "import numpy as np\nnp.load(path, allow_pickle=False)",
        "import yaml\nyaml.safe_load(text)",
        "import yaml\nLOADER = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)\nyaml.load(text, LOADER)",
        "import ast\nast.literal_eval(text)",
        "model.eval()",
        "import obspy\nobspy.read(path, format='MSEED')",
        "import subprocess\nsubprocess.run([program, text])",
        "from safetensors.torch import load\nload(content)",
        "table.query('event >= 0')",
    ],
)
def test_what_is_safe_is_let_through(line):
    assert not unsafe(line)


def test_html_for_notebooks_is_made_in_one_place():
    """`style.filled` escapes there; a table is escaped by pandas, unless it is told not to or is given a style."""
    modules = structure.read()
    importers = {
        name
        for name, module in modules.items()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.module == "IPython.display"
        if {alias.name for alias in node.names} & {"HTML", "Markdown", "SVG", "Javascript", "Latex"}
    }
    assert importers == {"seisbook.figures.style"}
    assert not [name for name, module in modules.items() if "render_links" in ast.unparse(module.tree)]
