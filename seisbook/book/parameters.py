"""Parameters of the chapters: which a chapter has, and whether what it is given fits them."""

import ast
from pathlib import Path

from seisbook import yaml_text
from seisbook.book import notebooks
from seisbook.errors import UserError, brief
from seisbook.paths import BOOK

PROFILES = ("quick", "paper")
CHOICES = {"profile": [PROFILES], "source": [("bulletin", "simulated"), ("measured", "simulated")]}
"""Values that a parameter may have: those of the group that the chapter's default belongs to."""
INJECTED = "# Parameters"  # first line of the cell that papermill puts behind the chapter's own


def defaults(chapter: Path) -> dict:
    """Default values by name, from the cell that is tagged `parameters`."""
    cells = notebooks.content(chapter)["cells"]
    tagged = ("".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", ()))
    return _assigned(next(tagged, ""))


def parse(chapter: Path, given: dict) -> dict:
    """Parse parameters that are given as text, and check them. Papermill itself only warns about an unknown one.

    Parameters
    ----------
    chapter : Path
    given : dict of str
        Values by name, both as the user typed them.

    Returns
    -------
    dict
        Values by name, each of the type of the chapter's default.

    Raises
    ------
    UserError
        If the chapter has no such parameter (the message lists those that it has), or a value does not fit.
    """
    known, parsed = defaults(chapter), {}
    _refuse_unknown(chapter.stem, given, known)
    for name, text in given.items():
        try:
            parsed[name] = yaml_text.parse(text)
        except ValueError:
            parsed[name] = None
        _refuse_misfit(chapter.stem, name, parsed[name], known[name], text)
    return parsed


def check(chapter: str, namespace: dict) -> None:
    """Check the parameters with which a chapter runs, whoever set them; each chapter calls this before it uses them.

    Parameters
    ----------
    chapter : str
        Name of its file, without suffix.
    namespace : dict
        The chapter's `globals()`.

    Raises
    ------
    UserError
        As `parse` does.
    """
    known = defaults(BOOK / f"{chapter}.ipynb")
    for cell in namespace.get("In", ()):  # what IPython has executed so far
        if cell.startswith(INJECTED):
            _refuse_unknown(chapter, _assigned(cell), known)
    for name, default in known.items():
        _refuse_misfit(chapter, name, namespace[name], default, namespace[name])


def _assigned(code):
    """Names and literal values that a cell assigns; a value that is no literal is None."""
    found = {}
    for node in ast.parse(code).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                found[node.targets[0].id] = None
    return found


def _refuse_unknown(chapter, given, known):
    for name in given:
        if name not in known:
            raise UserError(f"{chapter}.ipynb has no parameter {brief(name)}: choose among {', '.join(known)}")


def _refuse_misfit(chapter, name, value, default, shown):
    """Refuse a value of another type than the default; a whole number may stand for a fraction, a bool for neither."""
    whole = isinstance(default, float) and type(value) is int
    fits = type(value) is type(default) or whole
    choices = next((group for group in CHOICES.get(name, ()) if default in group), None)
    if fits and choices:
        fits = value in choices
    if fits and isinstance(value, int | float):
        fits = value >= 0
    if not fits:
        like = " or ".join(map(repr, choices or (default,)))
        raise UserError(f"{chapter}.ipynb: parameter {name} is {brief(shown)}: give a value like {like}")
