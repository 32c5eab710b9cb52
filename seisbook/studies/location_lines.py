"""Locations of many events as lines of JSON in a file: a run that was stopped goes on where it was."""

import hashlib
import json
from pathlib import Path

from seisbook.errors import UserError
from seisbook.studies import new_locations

BEGIN = b'{"model": "'  # of each line


def write(model, inputs, path, methods=(), progress=True) -> int:
    """Locate new events and append a line for each to a file; events that have a line are not located again.

    Parameters
    ----------
    model : path
        Of a robust model.
    inputs : list of path
        See `seisbook.datasets.new_events.opened`.
    path : path
        Each line is `seisbook.studies.new_locations.record`, and `model`, its name with the hash of its weights.
    methods : list of str
        Other locators to ask.
    progress : bool

    Returns
    -------
    int
        Number of events located.

    Raises
    ------
    UserError
        If the file holds something else, or was begun with another model.
    """
    by, count = {"model": _signature(Path(model))}, 0
    done = _done(Path(path), by["model"])
    opened = new_locations.opened(model, inputs, methods, progress, done)
    with opened as new, Path(path).open("a", encoding="utf-8") as file:
        for one, said in new.events:
            file.write(json.dumps(by | new_locations.record(one, said)) + "\n")
            count += 1
    return count


def _signature(model):
    """Name of a model, and the beginning of its weights' hash."""
    weights = model if model.suffix == ".safetensors" else model.with_name(f"{model.name}.safetensors")
    content = weights.read_bytes() if weights.is_file() else b""  # what is missing is said where the model is opened
    return f"{weights.stem} {hashlib.sha256(content).hexdigest()[:16]}"


def _done(path, model) -> set[str]:
    """Events that have a line; a last line without an end, where a run was killed, is cut off."""
    if not path.is_file():
        return set()
    done = set()
    with path.open("rb+") as file:
        while line := file.readline():
            if not line.endswith(b"\n") and line.startswith(BEGIN[: len(line)]):
                file.truncate(file.tell() - len(line))
                break
            done.add(_event(line, path, model))
    return done


def _event(line, path, model):
    try:
        known = json.loads(line)
        name, by = known["source_id"], known["model"]
    except (ValueError, KeyError, TypeError):
        raise UserError(
            f"{path}: holds other lines than those of `seisbook locate --lines`: name another file"
        ) from None
    if by != model:
        raise UserError(f"{path}: begun with another model, {by}: name another file")
    return name
