"""The structure of the library in words: `make structure`, or `python -m tests.structure`.

The packages are floors, and a module imports only from its own floor and from those below. This file reads the imports
from the syntax trees, those inside functions too, so that nothing of the library has to be imported or installed.
"""

import ast
from dataclasses import dataclass, field
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[1] / "seisbook"
FLOORS = (
    "base",
    "catalogues",
    "physics",
    "datasets",
    "models",
    "measures",
    "studies",
    "findings",
    "figures",
    "book",
    "cli",
)
"""From the ground to the top. `base` and `cli` are modules in the top folder, the others are packages."""
COMMANDS = "commands"
"""The package of the larger commands, which belongs to the floor `cli`."""


@dataclass(frozen=True)
class Module:
    """A module as its text says it is.

    Parameters
    ----------
    name : str
        With dots, such as `seisbook.models.graph`; a package has the name of its folder.
    is_package : bool
        Whether the file is an `__init__.py`.
    lines : int
    tree : ast.Module
    imports : frozenset of str
        Modules of the library that it imports.
    named : frozenset of str
        Modules of the packages whose full name is a text in it: a registry imports them when they are asked for.
    """

    name: str
    is_package: bool
    lines: int
    tree: ast.Module = field(repr=False)
    imports: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()

    @property
    def floor(self) -> str:
        """The package, or `base` or `cli`."""
        parts = self.name.split(".")
        if COMMANDS in parts[1:2]:
            return "cli"
        return parts[1] if len(parts) > 1 and parts[1] in FLOORS else "base"

    @property
    def purpose(self) -> str:
        """First sentence of the docstring."""
        return " ".join((ast.get_docstring(self.tree) or "").split("\n\n")[0].split()).split(". ")[0]


def read(library: Path = LIBRARY) -> dict[str, Module]:
    """All modules of the library by name."""
    trees = {}
    for path in sorted(library.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        parts = (library.name, *path.relative_to(library).with_suffix("").parts)
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        trees[name] = is_package, len(text.splitlines()), ast.parse(text, str(path))
    return {
        name: Module(name, is_package, lines, tree, _imports(name, tree, trees), _named(name, tree, trees))
        for name, (is_package, lines, tree) in trees.items()
    }


def _imports(name, tree, known):
    top, found = name.split(".")[0], set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == top}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{name}, line {node.lineno}: a relative import: write the module's full name")
            if node.module.split(".")[0] == top:
                full = (f"{node.module}.{alias.name}" for alias in node.names)
                found |= {one if one in known else node.module for one in full}
    return frozenset(found)


def _named(name, tree, known):
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return frozenset(text for text in texts if text.count(".") > 1 and text in known and text != name)


def arrows(modules) -> set[tuple[str, str]]:
    """Pairs of a module and another floor that it imports from."""
    return {
        (module.name, modules[other].floor)
        for module in modules.values()
        for other in module.imports | module.named
        if other in modules and modules[other].floor != module.floor
    }


def upward(modules) -> list[str]:
    """Imports from a higher floor, each as `importer -> imported`."""
    return sorted(
        f"{module.name} -> {other}"
        for module in modules.values()
        for other in module.imports | module.named
        if other in modules and FLOORS.index(modules[other].floor) > FLOORS.index(module.floor)
    )


def circles(modules) -> list[list[str]]:
    """Sets of modules that import each other, directly or through others; a module that imports itself is one, too."""
    reached = {name: _reach(modules, name) for name in modules}
    found = {frozenset(other for other in reached[name] if name in reached[other]) for name in modules}
    return sorted(sorted(circle) for circle in found if circle)


def _reach(modules, start):
    found, ahead = set(), [start]
    while ahead:
        new = {other for other in modules[ahead.pop()].imports if other in modules} - found
        found |= new
        ahead += new
    return found


def picture(modules) -> str:
    """The floors from top to ground: what each is for, its size, and its arrows to the floors below."""
    pairs = arrows(modules)
    to_base = sum(floor == "base" for _, floor in pairs)
    files = [module for module in modules.values() if not module.is_package]
    return "\n".join(
        [
            f"{'':11}{'modules':>8}{'lines':>8}",
            *(_storey(modules, floor) for floor in reversed(FLOORS)),
            f"{'all':11}{len(files):>8}{sum(module.lines for module in modules.values()):>8,}",
            "",
            "Modules of the package at the left that import from the package above the column:",
            f"{'':11}" + "".join(f"  {floor}" for floor in reversed(FLOORS[:-1])) + "  all",
            *(_row(modules, pairs, floor) for floor in reversed(FLOORS[1:])),
            f"{len(pairs) - to_base} arrows between packages, {to_base} more to the base",
        ]
    )


def resolves(modules, dotted) -> bool:
    """Whether a dotted name is that of a module, of a top-level name in one, or of a name in a class of one."""
    name, names = dotted, []
    while name not in modules:
        name, _, last = name.rpartition(".")
        names.insert(0, last)
        if not name:
            return False
    scope = modules[name].tree
    for one in names:
        bound = bindings(scope)
        if one not in bound:
            return False
        scope = bound[one]
        if not isinstance(scope, ast.ClassDef):  # what an object or an imported module holds is not in the text
            break
    return True


def bindings(scope) -> dict[str, ast.AST]:
    """Names that a module or a class binds at its top level, each with the statement that does it."""
    bound = {}
    for node in _statements(scope.body):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound[node.name] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {(alias.asname or alias.name).split(".")[0]: node for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = (one for target in targets for one in ast.walk(target) if isinstance(one, ast.Name))
            bound |= {one.id: node for one in names}
    return bound


def _statements(body):
    """Statements, also those in the branches of an `if` or a `try`."""
    for node in body:
        if isinstance(node, ast.If | ast.Try):
            yield from _statements([*node.body, *node.orelse])
        else:
            yield node


def _storey(modules, floor):
    own = [module for module in modules.values() if module.floor == floor]
    if floor == "base":
        names = sorted(module.name.split(".")[1] for module in own if not module.is_package)
        purpose = f"What every floor stands on: {', '.join(names)}."
    else:
        said = modules[f"{next(iter(modules)).split('.')[0]}.{floor}"].purpose
        name, _, rest = said.partition(": ")
        purpose = rest if name.lower().removeprefix("the ") == floor else said
    size = sum(not module.is_package for module in own), sum(module.lines for module in own)
    return f"{floor:11}{size[0]:>8}{size[1]:>8,}  {purpose[:1].upper()}{purpose[1:]}"


def _row(modules, pairs, floor):
    counts = {other: sum(modules[name].floor == floor and to == other for name, to in pairs) for other in FLOORS[:-1]}
    cells = (f"  {count or '·':>{len(other)}}" for other, count in reversed(counts.items()))
    return f"{floor:11}" + "".join(cells) + f"  {sum(counts.values()):>3}"


if __name__ == "__main__":
    print(picture(read()))
