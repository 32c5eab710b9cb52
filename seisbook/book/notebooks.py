"""Notebooks on disk: read with a message that names the file, and written whole or not at all."""

import json
from pathlib import Path

from seisbook import files
from seisbook.errors import DataError


def content(path: Path) -> dict:
    """Content of a notebook as its JSON has it.

    Raises
    ------
    DataError
        If the file is no notebook.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        fields = [found["metadata"], *(cell["metadata"] for cell in found["cells"])]
        texts = [cell["source"] for cell in found["cells"]] + [cell["cell_type"] for cell in found["cells"]]
        outputs = [cell["outputs"] for cell in found["cells"] if cell["cell_type"] == "code"]
    except KeyError as error:
        raise _damaged(path, f"{error} is missing") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise _damaged(path, str(error)) from None
    kinds = [(fields, dict), (texts, str | list), (outputs, list)]
    if not all(isinstance(value, kind) for values, kind in kinds for value in values):
        raise _damaged(path, "a cell is malformed")
    return found


def _damaged(path, why):
    return DataError(f"{path}: not a notebook ({why}): restore the file, or make it again")


def read(path: Path):
    """A notebook as nbformat has it, of version 4.

    Raises
    ------
    DataError
        If the file is no notebook.
    """
    import nbformat  # loaded by who needs it: `seisbook results --check` reads the content alone

    content(path)
    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        raise _damaged(path, " ".join(str(error).split())) from None


def write(notebook, path: Path) -> Path:
    """Write a notebook, whole or not at all, with the bytes that nbformat writes."""
    import nbformat

    text = nbformat.writes(notebook)
    return files.write_whole(path, text if text.endswith("\n") else f"{text}\n")
