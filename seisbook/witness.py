"""The code that a run reached, hashed so that only what can change a result changes the hash.

A run is traced: `traced` notes which functions of the library were called. `Source.table` then hashes each of them from
its syntax tree, with whatever else the library holds that they refer to by name: constants, fields of classes, and
functions that this run happened not to call. Names of local variables, docstrings, annotations, and the texts of
messages are taken out first, and so are validators: what they let in is an input. Functions that
`seisbook.provenance.stage` marks are not followed: what they return is an input, whose content is known, or they only
store something.
"""

import ast
import hashlib
import sys
import threading
from contextlib import contextmanager
from functools import cache, cached_property, lru_cache
from pathlib import Path

PACKAGE = Path(__file__).parent
QUIET = {"log", "logger", "warnings"}  # what is said to these decides nothing
LABELS = {"desc", "unit"}  # keywords of progress bars
NAMED = ("id", "arg", "name")  # fields that may hold a local variable's name
UNREAD = {"ctx", "type_comment", "type_params", "kind", "simple", "returns", "annotation"}
STAGE = "stage"  # name of the decorator that ends the walk
BOOKKEEPING = ("errors", "files", "paths", "provenance", "records", "witness")
ASIDE = {f"seisbook.{name}" for name in (*BOOKKEEPING, "catalogues.sources", "studies.runner", "book.verification")}
"""Modules that keep books or files, and decide on no number."""


# ------------------------------------------------------------------------------------------------------------- tracing


@contextmanager
def traced(stages):
    """Note the functions of the library that are called.

    Parameters
    ----------
    stages : set of code
        Code objects of stages: neither they nor what they call is noted.

    Yields
    ------
    set of str
        Names such as `seisbook.models.graph:GraphModel.pool`, complete when the context ends.
    """
    reached, codes, depth = set(), {}, threading.local()

    def profile(frame, event, _):
        code = frame.f_code
        if code in stages:
            if event in ("call", "return"):
                depth.inside = getattr(depth, "inside", 0) + (1 if event == "call" else -1)
        elif event == "call" and code not in codes and not getattr(depth, "inside", 0):
            codes[code] = frame.f_globals.get("__name__", "")

    before = sys.getprofile()
    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        yield reached
    finally:
        sys.setprofile(before)
        threading.setprofile(before)
        reached.update(filter(None, (_name(code, module) for code, module in codes.items())))


def _name(code, module):
    """Name of the outermost function that a code object belongs to; empty if it is not of the library."""
    if module in ASIDE or not module.startswith("seisbook") or not Path(code.co_filename).is_relative_to(PACKAGE):
        return ""
    name = code.co_qualname.split(".<locals>")[0]
    return "" if name.startswith("<") else f"{module}:{name}"


# ------------------------------------------------------------------------------------------------------------- hashing


@lru_cache(maxsize=4)
def source(package=PACKAGE) -> "Source":
    """The library's source as it is when it is first asked for: what has been imported is what runs."""
    return Source(package)


class Source:
    """The source of the library, read module by module as it is needed.

    Parameters
    ----------
    package : Path
        Folder of the package `seisbook`, this one or a copy of it.
    """

    def __init__(self, package=PACKAGE):
        self.package = Path(package)
        self._modules = {}
        self._hashes = {}

    def table(self, reached) -> dict[str, str]:
        """Hash of each function that was reached, and of what these refer to; an empty one where there is none now.

        Of a class, the methods that were reached count; of one that was only referred to, all of them.

        Parameters
        ----------
        reached : iterable of str
            Of `traced`.
        """
        reached, table = set(reached), {}
        classes = {name.rpartition(".")[0] for name in reached if "." in name.partition(":")[2]}
        waiting = sorted(reached)
        while waiting:
            name = waiting.pop()
            if name not in table and name.partition(":")[0] not in ASIDE:
                table[name], others = self._hashed(name)
                waiting += [other for other in others if other in reached or other.rpartition(".")[0] not in classes]
        return dict(sorted(table.items()))

    def imports(self, names) -> set[str]:
        """Top-level packages of others that the modules of some functions import."""
        modules = {name.partition(":")[0] for name in names}
        return set().union(*(self._module(module).foreign for module in modules)) - sys.stdlib_module_names

    def _hashed(self, name):
        """Hash of one function, class or constant, and the names that it refers to."""
        if name not in self._hashes:
            module, _, qualified = name.partition(":")
            self._hashes[name] = self._module(module).hashed(qualified)
        return self._hashes[name]

    def _module(self, name):
        if name not in self._modules:
            path = self.package.joinpath(*name.split(".")[1:])
            file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
            text = file.read_text(encoding="utf-8") if file.is_file() else ""
            self._modules[name] = _Module(name, text, self.package)
        return self._modules[name]


class _Module:
    """The top level of one module."""

    def __init__(self, name, text, package):
        self.name, self.package = name, package
        self.tree = ast.parse(text)

    @cached_property
    def nodes(self):
        """Statements that define each top-level name, and methods as `Class.method`."""
        found = {}
        for node in self.tree.body:
            for name in _defined(node):
                found.setdefault(name, []).append(node)
            if isinstance(node, ast.ClassDef):
                methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
                found |= {f"{node.name}.{part.name}": [part] for part in methods}
        return found

    @cached_property
    def imported(self):
        """What each imported name stands for in the library: `module:` or `module:name`."""
        return self.aliases(ast.walk(self.tree))

    @cached_property
    def foreign(self):
        """Top-level packages of others that are imported anywhere in the module."""
        found = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
        return found - {"seisbook"}

    def aliases(self, nodes):
        """The library's names that are imported by some nodes of the module's tree."""
        found = {}
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "seisbook":
                for alias in node.names:
                    found[alias.asname or alias.name] = self._target(node.module, alias.name)
        return found

    def _target(self, module, name):
        path = self.package.joinpath(*module.split(".")[1:], name)
        return f"{module}.{name}:" if path.with_suffix(".py").is_file() else f"{module}:{name}"

    def hashed(self, qualified):
        """Hash of what defines a name (empty if nothing does), and the names of the library that it refers to."""
        texts, others = [], set()
        for node in self.nodes.get(qualified, []):
            if _is_stage(node):
                return "stage", set()
            kept = _without_methods(node) if isinstance(node, ast.ClassDef) else node
            walked, met = list(ast.walk(kept)), []
            texts.append(_written(kept, _locals_of(kept, walked), met))
            others |= self._references(met, self.aliases(walked))
            if isinstance(node, ast.ClassDef):
                methods = (part.name for part in node.body if isinstance(part, ast.FunctionDef) and not _lets_in(part))
                others |= {f"{self.name}:{node.name}.{method}" for method in methods}
        if "." in qualified:
            others.add(f"{self.name}:{qualified.split('.')[0]}")
        return (hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12] if texts else ""), others

    def _references(self, met, aliases):
        """Names of the library that some names and attributes stand for; `aliases` are imported beside them."""
        known = {**self.imported, **aliases}
        found = set()
        for node in met:
            if isinstance(node, ast.Name):
                target = known.get(node.id) or (f"{self.name}:{node.id}" if node.id in self.nodes else "")
                if target and not target.endswith(":"):
                    found.add(target)
            elif isinstance(node.value, ast.Name):
                target = known.get(node.value.id, "")
                if target.endswith(":"):
                    found.add(target + node.attr)
        return found


def _defined(node):
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    if not isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        return []
    return [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]


def _is_stage(node):
    return STAGE in _decorators(node)


def _decorators(node):
    """Names of the decorators of a function or a class, without their modules."""
    called = [one.func if isinstance(one, ast.Call) else one for one in getattr(node, "decorator_list", [])]
    return {getattr(one, "attr", "") or getattr(one, "id", "") for one in called}


def _lets_in(method):
    """Whether a method only decides which values are let in: a validator."""
    return any(name.endswith("_validator") for name in _decorators(method))


def _without_methods(node):
    """A class without its methods: bases, decorators, fields with their defaults."""
    body = [part for part in node.body if not isinstance(part, ast.FunctionDef)]
    return ast.ClassDef(node.name, node.bases, node.keywords, body, node.decorator_list)


# ---------------------------------------------------------------------------------------------------------- normal form


def _locals_of(node, walked):
    """A neutral name for each local variable, by the order in which they are bound; parameters keep theirs."""
    if not isinstance(node, ast.FunctionDef):
        return {}
    arguments = node.args
    parameters = {one.arg for one in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
    parameters |= {one.arg for one in (arguments.vararg, arguments.kwarg) if one}
    kept, bound = set(parameters), []
    for one in walked:
        if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load):
            bound.append(one.id)
        elif isinstance(one, ast.arg):
            bound.append(one.arg)
        elif isinstance(one, (ast.ExceptHandler, ast.FunctionDef)) and one is not node:
            bound.append(one.name)
        elif isinstance(one, (ast.Global, ast.Nonlocal)):
            kept.update(one.names)
    order = dict.fromkeys(name for name in bound if name and name not in kept)
    return {name: f"_{place}" for place, name in enumerate(order)}


def _written(node, names, met):
    """A node as text, the same in every version of Python: its type and its fields, without what only people read.

    The names and attributes in it are added to the list `met`.
    """
    if isinstance(node, list):
        return "[" + ",".join(text for text in (_written(one, names, met) for one in node) if text) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    if _is_mute(node):
        return ""
    if isinstance(node, ast.Raise):
        return f"Raise({_written(_kind(node.exc), names, met)})" if node.exc else "Raise()"
    if isinstance(node, (ast.Name, ast.Attribute)):
        met.append(node)
    parts = []
    for field in _fields(type(node)):
        value = getattr(node, field, None)
        if value is None or value == []:
            continue
        if isinstance(value, str) and field in NAMED and not isinstance(node, (ast.keyword, ast.alias)):
            value = names.get(value, value)
        parts.append(f"{field}={_written(value, names, met)}")
    return f"{type(node).__name__}({','.join(parts)})"


@cache
def _fields(kind):
    """The fields of a kind of node, without those that people and other versions of Python read."""
    message = {"msg"} if kind is ast.Assert else set()
    return tuple(field for field in kind._fields if field not in UNREAD | message)


def _is_mute(node):
    """Whether a statement only speaks: a docstring, or a call of a logger; or labels a progress bar."""
    if isinstance(node, ast.keyword):
        return node.arg in LABELS
    if not isinstance(node, ast.Expr):
        return False
    called = node.value.func if isinstance(node.value, ast.Call) else None
    owner = getattr(getattr(called, "value", None), "id", None)
    return isinstance(node.value, ast.Constant) or owner in QUIET


def _kind(raised):
    """The class of a raised exception, without its message."""
    return raised.func if isinstance(raised, ast.Call) else raised
