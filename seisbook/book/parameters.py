"""Parameters of the chapters: which a chapter has, and whether what it is given fits them."""

import ast
from pathlib import Path

from seisbook import yaml_text
from seisbook.book import notebooks
from seisbook.catalogues import networks
from seisbook.errors import UserError, brief
from seisbook.paths import BOOK

PROFILES = ("quick", "paper")
CHOICES = {"profile": [PROFILES], "source": [("bulletin", "simulated"), ("measured", "simulated")]}
"""Values that a parameter may have: those of the group that the chapter's default belongs to."""
REAL = (
    "real seismograms are for `seisbook book run --chapter 10 -p source waveform` and for studies, such as "
    "`seisbook study run variance --network ridgecrest --source waveform`"
)
"""What a chapter of rendered seismograms says to whoever asks for real ones."""
FILES = {"catalogue": "file or folder", "network_file": "file", "stations": "file", "waveforms": "folder"}
"""Parameters that name a reader's own files, empty where there is none, and what there must be."""
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
        parsed[name] = _path(text) if name in FILES else _value(text)
        if (name, text) == ("source", "waveform") and known[name] in CHOICES["source"][0]:
            raise UserError(f"{chapter.name}: source is 'waveform', but its seismograms are rendered: {REAL}")
        _refuse_misfit(chapter.stem, name, parsed[name], known[name], text)
    check_files(chapter.stem, {**known, **parsed})
    _check_fetched(chapter.name, {**known, **parsed})
    return parsed


def _path(text):
    """An absolute path, since a chapter runs in the folder of the book; empty if nothing is named."""
    return str(Path(text).resolve()) if text else ""


def _value(text):
    try:
        return yaml_text.parse(text)
    except ValueError:
        return None


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


def check_files(chapter: str, values: dict) -> None:
    """Check the files of a reader that parameters name; a chapter that takes some calls this after `check`.

    Parameters
    ----------
    chapter : str
        Name of its file, without suffix.
    values : dict
        Its parameters by name, or its `globals()`.

    Raises
    ------
    UserError
        If a file is not there, files do not go together, or a network has no zones for its twin.
    """
    named = {name: Path(value) for name, value in values.items() if name in FILES and value}
    for name, path in named.items():
        is_there = {"file": path.is_file, "folder": path.is_dir, "file or folder": path.exists}[FILES[name]]
        if not is_there():
            raise UserError(f"{chapter}.ipynb: {name}: {path}: no such {FILES[name]}: check the path")
    if named and "catalogue" not in named:
        raise UserError(f"{chapter}.ipynb: {next(iter(named))} goes with catalogue: give your bulletin, too")
    if {"network_file", "stations"} <= set(named):
        raise UserError(f"{chapter}.ipynb: network_file and stations: give one of them: a network's file has stations")
    if path := named.get("network_file"):
        if path.suffix not in (".yaml", ".yml"):
            raise UserError(f"{path}: not the YAML file of a network: its name ends in .yaml")
        if not networks.load(path).zones:
            raise UserError(f"{path}: zones: there are none for the twin: copy those of `seisbook network new`")


def _check_fetched(chapter, values):
    """Refuse real seismograms that are not on this machine, before a kernel starts."""
    if values.get("source") != "waveform":
        return
    from seisbook.datasets import fetched  # loads ObsPy

    network = values["network"]
    if not fetched.are_wanted(network, "waveform"):
        raise UserError(f"{chapter}: network is {network}: give ridgecrest or colombia, whose events can be fetched")
    fetched.catalogue(network)


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
