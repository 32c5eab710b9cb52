"""Records: numbers that the book prints, as JSON files in `data/results`, each with what it was made of.

The first line of a record holds its provenance, the other lines its content, so that the one can be read, and the other
hashed, without parsing megabytes of numbers.
"""

import hashlib
import json
import re
from pathlib import Path

from seisbook import files
from seisbook.errors import DataError, UserError
from seisbook.paths import DATA

RESULTS = DATA / "results"
NUMBER = r"(?<=[:\[,\s]){}(?=[,\]}}\s])"  # where JSON has a number


def write(path, content: dict, provenance: dict, indent=None) -> Path:
    """Write a record, whole or not at all.

    Parameters
    ----------
    path : path
    content : dict
        Finite numbers, text, lists and dictionaries.
    provenance : dict
        Of `seisbook.provenance.provenance`; the hash of the content is added to it.
    indent : int, optional
        As for `json.dumps`; compact without.
    """
    return files.write_whole(path, text_of(content, provenance, indent))


def text_of(content: dict, provenance: dict, indent=None) -> str:
    """Text of a record: a line of provenance, then its content."""
    return _joined(provenance, body_of(content, indent))


def restamp(path, provenance: dict) -> Path:
    """Write another provenance into a record whose content stays."""
    return files.write_whole(path, _joined(provenance, split(path)[1]))


def _joined(provenance, body):
    head = json.dumps({"provenance": {**provenance, "content": hash_of(body)}}, separators=(",", ":"), allow_nan=False)
    return f"{head[:-1]},\n{body}"


def body_of(content: dict, indent=None) -> str:
    """All lines of a record but the first one.

    An interval without an end is written as 1e999, which JSON allows and which is read as infinity again.

    Raises
    ------
    ValueError
        If a number is NaN.
    """
    text = json.dumps(content, indent=indent, separators=None if indent else (",", ":"))
    if re.search(NUMBER.format("NaN"), text):
        raise ValueError("a number is NaN: say None where there is none")
    text = re.sub(NUMBER.format("(-?)Infinity"), r"\g<1>1e999", text)
    return text[1:].lstrip("\n") + "\n"


def hash_of(body: str) -> str:
    """Hash of a record's content."""
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def split(path) -> tuple[dict, str]:
    """Return the provenance of a record and the text of its content.

    Raises
    ------
    UserError
        If there is no such file; the message lists those beside it.
    DataError
        If its first line is no provenance.
    """
    path = Path(path)
    try:
        head, _, body = path.read_text(encoding="utf-8").partition("\n")
        kept = json.loads(head.removesuffix(",") + "}")["provenance"]
        _check(kept)
        return kept, body
    except FileNotFoundError:
        known = ", ".join(sorted(other.stem for other in path.parent.glob("*.json")))
        raise UserError(f"{path}: no such record; there are: {known or 'none'}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:  # RecursionError: nested without end
        raise DataError(f"{path}: line 1: no provenance ({error}): restore the file from the repository") from None


def _check(provenance):
    """Refuse a provenance without the parts that every record has."""
    for name, kind in {"key": dict, "inputs": dict, "content": str}.items():
        if not isinstance(provenance[name], kind):
            raise TypeError(f"{name} is malformed")
    if not isinstance(provenance.get("evidence", {}), dict | None):
        raise TypeError("evidence is malformed")


def read(path) -> tuple[dict, dict]:
    """Return the provenance and the content of a record.

    Raises
    ------
    UserError, DataError
        As `split`; also if the content is not the one that was written, or not valid JSON.
    """
    provenance, body = split(path)
    try:
        content = json.loads("{" + body)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not valid JSON ({error}): restore the file from the repository") from None
    if provenance["content"] != hash_of(body):
        raise DataError(f"{path}: its content is not the one that was written: restore the file from the repository")
    return provenance, content


def path_of(name: str) -> Path:
    """File of the record of this name."""
    return RESULTS / f"{name}.json"
