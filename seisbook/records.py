"""Records: the numbers that the book prints, as JSON files in `data/results`, with what they were computed from."""

import json
import os
import tempfile
from pathlib import Path

import seisbook
from seisbook.errors import DataError, UserError
from seisbook.paths import DATA

RESULTS = DATA / "results"


def write(name: str, content: dict, folder: Path | None = None) -> Path:
    """Write a record, whole or not at all.

    Parameters
    ----------
    name : str
        File name without suffix.
    content : dict
    folder : Path, optional
        Instead of `data/results`.

    Returns
    -------
    Path
    """
    path = (folder or RESULTS) / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".part", delete=False) as file:
        json.dump({"seisbook": seisbook.__version__, **content}, file, indent=1)
        file.write("\n")
    os.replace(file.name, path)
    path.chmod(0o644)
    return path


def read(name: str) -> dict:
    """Read a record.

    Raises
    ------
    UserError
        If there is none of this name; the message lists those that exist.
    DataError
        If it is not valid JSON.
    """
    path = RESULTS / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(other.stem for other in RESULTS.glob("*.json")))
        raise UserError(f"{path}: no such record; there are: {known}")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path}: not valid JSON ({error}): restore the file from the repository") from None
