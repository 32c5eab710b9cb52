"""What a result was made of, and whether it still follows from the code and the data: the only place that knows.

A result is kept with four things.

- Its *key*: the stage that made it, the resolved configuration, and the trial.
- Its *inputs*: hashes of the content of what went in: networks, events, catalogues, weights, other records. Nobody
  declares them: whatever is loaded while a result is made notes itself (`note`).
- The hash of its own *content*, so that a digit changed by hand is noticed.
- The *evidence* that it follows from the code: when trials of its kind were run again, at which commit, how far the
  numbers were from the recorded ones, and the *witness*, a hash of the code that these runs reached.

So a result is *current*; *unverified* if its witness has moved; *stale* if its key or an input has moved; *refuted* if
trials that were run again disagree with it; or *damaged*. A change of the code that makes the same arrays stops at the
arrays: what was made from them keeps its inputs.
"""

import hashlib
import json
import logging
import re
import subprocess
from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, is_dataclass
from functools import cache, wraps
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seisbook import records, witness
from seisbook.errors import DataError, UserError
from seisbook.paths import DATA, ROOT

log = logging.getLogger(__name__)
WITNESSES = records.RESULTS / "witness.json"
DATASETS = records.RESULTS / "datasets.json"
LOCK = ROOT / "requirements.lock"
CODE = ("seisbook", "data/networks", "data/registry.txt", "requirements.lock")  # what makes a record's commit
FOLDERS = {"runs": "run", "studies": "study"}  # kinds of inputs in folders of `data/results`
STATES = ("current", "unverified", "stale", "refuted", "damaged", "missing")


# --------------------------------------------------------------------------------------------------------------- hashes


def canonical(value, **options) -> str:
    """JSON text of plain values, dataclasses, arrays and paths, with sorted keys."""
    return json.dumps(value, sort_keys=True, default=_plain, **{"allow_nan": False, **options})


def plain(value):
    """A value as JSON returns it: keys in their order, infinite numbers as they are."""
    return json.loads(json.dumps(value, default=_plain))


def digest(value) -> str:
    """Hash of a value that `canonical` can write."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:16]


def digest_arrays(arrays) -> str:
    """Hash of arrays by name: their types, shapes and bytes."""
    total = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        array = np.ascontiguousarray(array.astype(str) if array.dtype.hasobject else array)
        total.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    return total.hexdigest()[:16]


def _plain(value):
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a {type(value).__name__} cannot be kept as JSON")


# --------------------------------------------------------------------------------------------------------------- inputs

_WATCHERS: ContextVar[tuple] = ContextVar("watchers", default=())
STAGES = set()  # code of the functions whose results are inputs


def stage(function: Callable) -> Callable:
    """Mark a function that no witness looks into: what it returns is an input that it notes, or it only stores."""
    STAGES.add(function.__code__)
    return function


@contextmanager
def watched():
    """Collect the inputs that are loaded meanwhile: a dictionary of their hashes by name."""
    inputs = {}
    token = _WATCHERS.set((*_WATCHERS.get(), inputs))
    try:
        yield inputs
    finally:
        _WATCHERS.reset(token)


@contextmanager
def unwatched():
    """Let nothing be noted meanwhile: what a stage loads stands behind what it returns."""
    token = _WATCHERS.set(())
    try:
        yield
    finally:
        _WATCHERS.reset(token)


def note(name: str, content: str) -> None:
    """Tell whoever watches that this input was loaded."""
    for inputs in _WATCHERS.get():
        inputs[name] = content


def remember(function: Callable) -> Callable:
    """Keep what a function returns for its arguments; handing it out again counts as loading its inputs again."""
    kept = {}

    @wraps(function)
    def remembered(*arguments):
        if arguments not in kept:
            with watched() as inputs:
                kept[arguments] = function(*arguments), inputs
        value, inputs = kept[arguments]
        for name, content in inputs.items():
            note(name, content)
        return value

    remembered.cache_clear = kept.clear
    return remembered


def identity(name: str) -> str | None:
    """Hash of an input's content as it is now; None if it is not here, so that nothing can be said of it.

    Parameters
    ----------
    name : str
        `network:`, `events:`, `catalogue:`, `model:`, `run:`, `study:`, `record:` or `file:`, and what it is called.
    """
    kind, _, what = name.partition(":")
    return IDENTITIES[kind](what)


def _of_record(folder):
    return lambda name: (
        records.split(folder / f"{name}.json")[0]["content"] if (folder / f"{name}.json").is_file() else None
    )


def _of_model(name):
    card = DATA / "models" / f"{name}.json"
    return records.read(card)[1]["sha256"][:16] if card.is_file() else None


def _of_file(name):
    path = DATA / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else None


def _of_data(name):
    return known_data().get(name, {}).get("content")


# the hash of a network's content is added by `seisbook.catalogues.networks`, which reads it
IDENTITIES: dict[str, Callable[[str], str | None]] = {
    "events": lambda name: _of_data(f"events:{name}"),
    "catalogue": lambda name: _of_data(f"catalogue:{name}"),
    "model": _of_model,
    "run": _of_record(records.RESULTS / "runs"),
    "study": _of_record(records.RESULTS / "studies"),
    "record": _of_record(records.RESULTS),
    "file": _of_file,
}


@cache
def known_data() -> dict:
    """Content and fingerprint of the data of the records, by name such as `events:colombia-bulletin-all-0`."""
    return records.read(DATASETS)[1]["data"] if DATASETS.is_file() else {}


class Fingerprint(NamedTuple):
    """Numbers by which data that were made on another machine are known again: sizes, and sums of each array."""

    sizes: list
    sums: list

    @classmethod
    def of(cls, arrays):
        """Fingerprint of arrays by name; of text and times, their hash stands for the size."""
        numbers = {name: value for name, value in sorted(arrays.items()) if np.issubdtype(value.dtype, np.number)}
        others = {name: value for name, value in arrays.items() if name not in numbers}
        sizes = [list(value.shape) for value in numbers.values()] + [digest_arrays(others)]
        sums = [float(f"{np.nansum(np.abs(value.astype(np.float64))):.10g}") for value in numbers.values()]
        return cls(sizes, sums)

    def alike(self, sizes, sums) -> bool:
        """Whether it is the same data, but for the last digits of another processor's arithmetic."""
        return self.sizes == sizes and np.allclose(self.sums, sums, rtol=SAME_DATA)


def content_of(name: str, arrays: dict) -> str:
    """Hash of data that were loaded; those alike the data of the records, but for last digits, have their hash."""
    content, known = digest_arrays(arrays), known_data().get(name)
    alike = known and Fingerprint.of(arrays).alike(*known["fingerprint"])
    return known["content"] if alike else content


# ----------------------------------------------------------------------------------------------------------- tolerances

FLOOR = 0.1  # km, magnitude units, shares: smaller numbers are held against this one, not against themselves
SAME_DATA = 1e-5  # relative, of the sums of arrays that were made again on another machine


class Tolerance(NamedTuple):
    """How far errors that were computed again may be from the recorded ones.

    Parameters
    ----------
    quantiles : float
        Relative difference of their median and their 90 % quantile.
    event : float
        Relative difference of a single event's error ...
    share : float
        ... that so many of the events must keep.
    """

    quantiles: float
    event: float
    share: float

    def differences(self, recorded, found):
        """Largest relative difference of the quantiles, and the share of events within `event`."""
        recorded, found = np.abs(np.asarray(recorded, float)), np.abs(np.asarray(found, float))
        before, after = (np.quantile(values, [0.5, 0.9]) for values in (recorded, found))
        floor = 0.1 * np.median(recorded)  # an error next to nothing may double
        near = np.abs(found - recorded) <= self.event * np.maximum(recorded, floor)
        return float(np.max(np.abs(after / before - 1))), float(near.mean())

    def holds(self, recorded, found) -> bool:
        """Whether they are near enough."""
        quantiles, share = self.differences(recorded, found)
        return quantiles <= self.quantiles and share >= self.share


SAME_WEIGHTS = Tolerance(quantiles=0.01, event=0.05, share=0.99)
"""Of the same weights on data that were built anew. On the same data, errors come out again to five digits whatever the
processor. Colombia's records were made with a travel-time table from an earlier state of its code, which decides where
an onset that nobody read is rendered: that moves few events by some per cent, and quantiles by less than half a per
cent."""

LOCATED_AGAIN = 0.05
"""Relative difference of the median error of a hundred events that the classical pipeline picks and locates again: its
station terms are fitted anew, with a travel-time table that is made anew."""

SUMMED_AGAIN = 0.1
"""Relative difference of any number in a record that sums up others and is computed again as a whole. Where it looks at
Colombia's events anew, as attention does, means over some dozens of them move by more than quantiles over all."""

RETRAINED = 0.2
"""Relative difference of a trial's summary numbers when it is trained again: arithmetic differs in its last digits
between processors, training amplifies that, and the result scatters as with another seed. In the variance study, of
the pairs of trainings that differ in their seed alone, about one in a hundred differs by more in what rules look at."""


# -------------------------------------------------------------------------------------------------------------- records


def key(stage_name: str, **parts) -> dict:
    """The key of a result: its stage, and the resolved configuration and trial as JSON returns them."""
    return {"stage": stage_name, **plain(parts)}


def provenance(of: dict, inputs: dict, evidence: dict | None = None) -> dict:
    """What is kept with a result, for `seisbook.records.write`."""
    return {"key": of, "inputs": dict(sorted(inputs.items())), **({"evidence": evidence} if evidence else {})}


class State(NamedTuple):
    """Whether a record follows from code and data, and why not."""

    name: str
    reason: str = ""


def state(path, expected: dict | None = None) -> State:
    """State of a record.

    Parameters
    ----------
    path : path
    expected : dict, optional
        The key that its stage has now.
    """
    if not Path(path).is_file():
        return State("missing", "there is no such file")
    try:
        return _state(*records.split(path), expected)
    except DataError as error:
        return State("damaged", str(error))


def _state(kept, body, expected):
    if kept.get("content") != records.hash_of(body):
        return State("damaged", "its numbers are not those that were recorded: restore the file from the repository")
    try:
        return judge(kept, expected)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        return State("damaged", f"its provenance is malformed ({error!r}): restore the file from the repository")


def judge(kept: dict, expected: dict | None = None) -> State:
    """State of what has this provenance, if its content is whole."""
    if expected is not None and kept["key"] != expected:
        return State("stale", f"its configuration has changed: {_first_change(kept['key'], expected)}")
    moved = [name for name, before in kept["inputs"].items() if identity(name) not in (before, None)]
    if moved:
        return State("stale", f"an input has changed: {moved[0]}")
    evidence = kept.get("evidence")
    if not evidence:
        return State("unverified", "it was never run again")
    if not evidence["agrees"]:
        differed = f"it differed by {evidence['largest_difference']:.3g}"
        found = f"it loaded {evidence['unnamed'][0]}, which it does not name" if evidence.get("unnamed") else differed
        return State("refuted", f"run again at {evidence['commit']}, {found}")
    changed = moved_code(evidence["kind"], evidence["witness"])
    return State("unverified", f"code that it was made with has changed: {changed}") if changed else State("current")


def _first_change(before, after):
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return names[0] if names else "?"


def load(path, expected: dict | None = None, stale=False) -> dict:
    """Content of a record; the log says so if it is unverified or refuted.

    Parameters
    ----------
    path : path
        In `data/results` or a folder in it.
    expected : dict, optional
        The key that its stage has now.
    stale : bool
        Return one that is out of date, too, and say nothing: whoever asks looks at the `state`.

    Returns
    -------
    dict
        The content, with the `state`, the `inputs`, and the `commit` at which the record was last verified.

    Raises
    ------
    UserError
        If there is none, or it is stale.
    DataError
        If it is damaged.
    """
    kept, body = records.split(path)
    found = _state(kept, body, expected)
    if found.name == "damaged":
        raise DataError(f"{path}: damaged: {found.reason}")
    if found.name == "stale" and not stale:
        raise UserError(f"{path}: stale: {found.reason}: `seisbook results --check` says what renews it")
    if found.name != "current" and not stale:
        log.warning("%s: %s: %s", shown(path), found.name, found.reason)
    note(f"{FOLDERS.get(Path(path).parent.name, 'record')}:{Path(path).stem}", kept["content"])
    about = {"state": found.name, "reason": found.reason, "inputs": kept["inputs"], "commit": commit_of(kept)}
    try:
        return {**json.loads("{" + body), **about}
    except ValueError as error:
        raise DataError(f"{path}: not valid JSON ({error}): restore the file from the repository") from None


def shown(path) -> Path:
    """A path as messages show it: in the repository, without the folders of this machine."""
    return Path(path).relative_to(ROOT) if Path(path).is_relative_to(ROOT) else Path(path)


def commit_of(kept: dict) -> str:
    """The commit at which a record was last verified; empty if it never was."""
    return kept.get("evidence", {}).get("commit", "")


# ------------------------------------------------------------------------------------------------------------ witnesses


@cache
def witnesses() -> dict:
    """What the traced runs of each kind reached: `reached`, `table`, `packages` by kind."""
    try:
        return json.loads(WITNESSES.read_text(encoding="utf-8")) if WITNESSES.is_file() else {}
    except (ValueError, RecursionError) as error:
        raise DataError(f"{WITNESSES}: not valid JSON ({error}): restore the file from the repository") from None


def moved_code(kind: str, before: str) -> str:
    """The first name whose code has changed since a witness was taken; empty if none has.

    Parameters
    ----------
    kind : str
    before : str
        Hash of the witness, as the evidence has it.
    """
    known = witnesses().get(kind)
    if not known:
        return "no run of its kind was traced"
    now = _now(kind)
    if witness_hash(*now) == before:
        return ""
    table, packages = now
    names = [name for name in {**known["table"], **table} if known["table"].get(name) != table.get(name)]
    names += [name for name in packages if packages[name] != known["packages"].get(name)]
    return names[0].removeprefix("seisbook.") if names else "since it was verified with other code"


@cache
def _now(kind):
    known = witnesses()[kind]
    return witness.source().table(known["reached"]), locked(known["packages"])


def forget_witnesses() -> None:
    """Read the witnesses anew: those on disk have changed."""
    witnesses.cache_clear()
    _now.cache_clear()


def witness_hash(table, packages) -> str:
    """Hash of a witness."""
    return digest([table, packages])


def locked(packages) -> dict:
    """Versions of packages in `requirements.lock`."""
    versions = dict(re.findall(r"^([\w.-]+)==([\w.+-]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE))
    versions = {name.lower().replace("_", "-"): version for name, version in versions.items()}
    return {name: versions.get(name, "") for name in packages}


def code_hash(*functions: str) -> str:
    """Hash of some functions and of all that they refer to by name: part of the name of what is cached on disk.

    Parameters
    ----------
    *functions : str
        Such as `seisbook.physics.traveltimes:tabulate`.
    """
    return digest(witness.source().table(functions))


# --------------------------------------------------------------------------------------------------------------- commit


def code_version() -> str:
    """The commit of the code, with `+` if code has changed since; empty outside a repository."""
    commit = _git("rev-parse", "--short", "HEAD")
    return f"{commit}{'+' * bool(_git('status', '--porcelain', '--', *CODE))}" if commit else ""


def committed() -> str:
    """The commit of the code.

    Raises
    ------
    UserError
        If code has changed since: a record names the commit that it follows from.
    """
    commit = code_version()
    if not commit or commit.endswith("+"):
        reason = (
            f"these files have changed: {_git('status', '--porcelain', '--', *CODE).split()[1::2][:3]}"
            if commit
            else "this is no git repository"
        )
        raise UserError(f"published records name the commit that they follow from, but {reason}: commit first")
    return commit


def _git(*arguments):
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True)
        return done.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
