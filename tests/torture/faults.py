"""Writers that are stopped at each step, by broken disks and by each other, and that meet a wrong clock."""

import ctypes
import os
import random
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import nbformat
import yaml

from seisbook import files, provenance, records
from seisbook.book import chapters
from seisbook.catalogues import networks, quakeml
from seisbook.catalogues.bulletins import read_catalogue
from seisbook.datasets import build, store
from seisbook.errors import UserError
from seisbook.models import checkpoints
from seisbook.physics import simulation
from tests.breaking import Breaker, full, interrupt, killed
from tests.torture import examples
from tests.torture.kills import leftovers
from tests.torture.outcome import Tally, fault_of_message, in_child, start

NEW_MOUNTS, PRIVATE, READ_ONLY = 0x00020000, 0x4000 | 0x40000, 0x1 | 0x20  # of Linux's unshare and mount
NEW_USER = 0x10000000
YEAR_S = 365 * 86400

MADE_OF = provenance.provenance({}, {})


@dataclass(frozen=True)
class Writer:
    """Something that is written, in two versions.

    Parameters
    ----------
    name : str
    write : callable
        Function of a folder and of a version, 0 or 1.
    read : callable
        Function of the folder; returns the version that is there, and raises if it is not whole.
    """

    name: str
    write: Callable[[Path, int], object]
    read: Callable[[Path], int]


def writers(folder: Path) -> list[Writer]:
    """One of everything that the library writes."""
    network = networks.load(examples.small_network(folder))
    catalogues = [simulation.simulate(network, 2, seed) for seed in (0, 1)]
    events = [list(build.rendered(one, network)) for one in catalogues]
    card = build.card(catalogues[0], network, 0)
    model, about = checkpoints.load(examples.checkpoint(folder / "made"))
    seen = [one.events.source_origin_time.iloc[0] for one in catalogues]
    bare = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")])
    bare.metadata["seisbook"] = {}

    def restamp(place, version):
        if not (place / "a.ipynb").exists():
            nbformat.write(bare, place / "a.ipynb")
        chapters.restamp(place / "a.ipynb", {"version": version})

    def dataset(place, version):
        store.write(events[version], place / "set", card | {"random_state": version}, 20.0, progress=False)

    def opened(place):
        examples.opened(place / "set")
        return store.read_card(place / "set")["random_state"]

    return [
        Writer(
            "file",
            lambda place, version: files.write_whole(place / "file", str(version) * 9000),
            lambda place: _same((place / "file").read_text(), 9000),
        ),
        Writer("folder", _write_folder, _read_folder),
        Writer(
            "record",
            lambda place, version: records.write(
                place / "a.json", {"n": version, "km": [0.5] * 999}, provenance.provenance({}, {})
            ),
            lambda place: records.read(place / "a.json")[1]["n"],
        ),
        Writer("dataset", dataset, opened),
        Writer(
            "checkpoint",
            lambda place, version: checkpoints.save(place / "a", model, replace(about, data={"seed": version})),
            lambda place: checkpoints.load(place / "a")[1].data["seed"],
        ),
        Writer(
            "QuakeML",
            lambda place, version: quakeml.write(catalogues[version], place / "a.xml"),
            lambda place: _index(read_catalogue(place / "a.xml", "small"), seen),
        ),
        Writer("chapter", restamp, lambda place: chapters.origin(place / "a.ipynb")["evidence"]["version"]),
    ]


def _same(text, length):
    if len(text) != length or len(set(text)) != 1:
        raise ValueError("a file that is not whole")
    return int(text[0])


def _write_folder(place, version):
    with files.new_folder(files.destination(place / "folder")) as part:
        for name in "ab":
            (part / name).write_text(str(version) * 9000)


def _read_folder(place):
    versions = {_same((place / "folder" / name).read_text(), 9000) for name in "ab"}
    if len(versions) != 1 or len(list((place / "folder").iterdir())) != 2:
        raise ValueError("a folder that is not whole")
    return versions.pop()


def _index(catalogue, seen):
    times = catalogue.events.source_origin_time
    found = [i for i, time in enumerate(seen) if abs(times - time).dt.total_seconds().min() < 0.1]
    if len(times) != 2 or len(found) != 1:
        raise ValueError("a catalogue that is not whole")
    return found[0]


def _held(writer, place, allowed):
    """What is wrong with what is there."""
    try:
        version = writer.read(place)
    except Exception as error:
        return f"not whole: {type(error).__name__}: {' '.join(str(error).split())[:100]}"
    return None if version in allowed else f"version {version} where {sorted(allowed)} may be"


def _again(writer, place):
    """What is wrong after the same is written once more."""
    writer.write(place, 1)
    left = leftovers(place)
    return f"left behind for ever: {Path(left[0]).name}" if left else _held(writer, place, {1})


# -------------------------------------------------------------------------------------------------------- crash points


def crash_points(writer, folder, breaker, stride=1) -> Tally:
    """Stop a writer at each of its steps with the system: killed, interrupted, and by a full disk."""
    tally = Tally(f"crash points: {writer.name}")
    place = folder / writer.name
    place.mkdir()
    writer.write(place, 0)
    steps = breaker.stop(-1, None, lambda: writer.write(place, 0))
    for at in range(1, steps + 1, stride):
        for action in (None, interrupt, full):
            writer.write(place, 0)
            what = f"step {at} of {steps}, {action.__name__ if action else 'killed'}"
            complaint = _stopped(writer, place, breaker, at, action) or _again(writer, place)
            tally.note(what, complaint, refused=action is full)
    return tally


def _stopped(writer, place, breaker, at, action):
    """What is wrong after a writer was stopped."""
    if action is None:
        killed(breaker, at, lambda: writer.write(place, 1))
        return _held(writer, place, {0, 1})
    try:
        breaker.stop(at, action, lambda: writer.write(place, 1))
    except KeyboardInterrupt:
        pass
    except UserError as error:
        if fault := fault_of_message(str(error)):
            return fault
    except OSError as error:
        if action is not full:
            return f"{type(error).__name__} instead of an interruption"
    if left := [name for name in leftovers(place) if not name.endswith(files.LOCK)]:  # the next run removes a lock
        return f"left behind: {Path(left[0]).name}"
    return _held(writer, place, {0, 1})


# --------------------------------------------------------------------------------------------------------- broken disks


def mounted(size, work):
    """Do `work`, a function of a folder, with a small disk mounted for this process alone; empty before it starts.

    Raises
    ------
    PermissionError
        If this machine lets nobody mount.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    as_user = 0 if os.getuid() == 0 else NEW_USER
    place = Path(os.environ["TMPDIR"]) / "disk"
    place.mkdir(exist_ok=True)
    options = f"size={size}".encode()
    for done in (
        lambda: libc.unshare(NEW_MOUNTS | as_user),
        lambda: libc.mount(b"none", b"/", None, PRIVATE, None),
        lambda: libc.mount(b"tmpfs", bytes(place), b"tmpfs", 0, options),
    ):
        if done():
            raise PermissionError(ctypes.get_errno(), "no disk can be mounted here")
    return work(place, lambda: libc.mount(b"none", bytes(place), None, READ_ONLY, None))


def broken_disks(all_writers, folder, sizes) -> list[Tally]:
    """Write on disks that are too small or read-only, and with a limit on the size of files."""
    kinds = [Tally("full disk"), Tally("read-only disk"), Tally("limit on files")]
    for writer in all_writers:
        for size in sizes:
            what = f"{writer.name}, {size} bytes"
            _in_child(kinds[0], what, partial(mounted, size, _filled(writer)), folder)
            _in_child(kinds[2], what, partial(_limited, writer, folder, size), folder)
        _in_child(kinds[1], writer.name, partial(mounted, 1 << 24, _protected(writer)), folder)
    return kinds


def _in_child(tally, what, work, folder):
    def answer():
        try:
            return work()
        except PermissionError as error:
            return {"left_out": error.strerror}
        except Exception as error:
            return {"bad": f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"}

    value, code = in_child(answer, folder / "said.txt", 200)
    if value is None:
        tally.note(what, f"the process ended with {code}")
    elif "left_out" in value:
        tally.left_out = value["left_out"]
    else:
        tally.note(what, value.get("bad"), value.get("refused", False))


def _filled(writer):
    """Write version 1 beside version 0 on a disk that gets fuller by what is there."""

    def work(place, protect):
        try:
            writer.write(place, 0)
        except UserError as error:
            left = leftovers(place)
            return {"refused": True, "bad": fault_of_message(str(error)) or (f"left behind: {left[0]}" if left else "")}
        return _second(writer, place)

    return work


def _second(writer, place):
    try:
        writer.write(place, 1)
    except UserError as error:
        left = leftovers(place)
        held = f"left behind: {left[0]}" if left else _held(writer, place, {0})
        return {"refused": True, "bad": fault_of_message(str(error)) or held}
    return {"bad": _held(writer, place, {1})}


def _protected(writer):
    def work(place, protect):
        writer.write(place, 0)
        if protect():
            raise PermissionError(ctypes.get_errno(), "no disk can be made read-only here")
        return _second(writer, place)

    return work


def _limited(writer, folder, size):
    place = folder / f"limited-{writer.name}-{size}"
    place.mkdir()
    writer.write(place, 0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    return _second(writer, place)


# ---------------------------------------------------------------------------------------------- two writers, and clocks


def two_writers(writer, folder, pairs, rng) -> Tally:
    """Write two versions at the same time."""
    tally = Tally(f"two writers: {writer.name}")
    place = folder / f"two-{writer.name}"
    place.mkdir()
    writer.write(place, 0)
    for i in range(pairs):
        delays = 0.0, rng.random() * 0.02
        works = [partial(_waits, delays[version], partial(writer.write, place, version)) for version in (0, 1)]
        runs = [start(work, folder / f"two{version}.txt") for version, work in enumerate(works)]
        ends = [run.wait(200) for run in runs]
        bad = next((f"the process ended with {code}" for _, code in ends if code), None)
        bad = bad or next((value for value, _ in ends if value), None) or _held(writer, place, {0, 1})
        tally.note(f"pair {i}", bad or _again(writer, place))
    return tally


def _waits(seconds, work):
    time.sleep(seconds)
    try:
        work()
    except UserError as error:
        return fault_of_message(str(error))
    return ""


def wrong_clock(all_writers, folder) -> Tally:
    """Replace what was written in the future, and read a network that was changed with an older time."""
    tally = Tally("clock set back")
    for writer in all_writers:
        place = folder / f"clock-{writer.name}"
        place.mkdir()
        writer.write(place, 0)
        for path in [place, *place.rglob("*")]:
            os.utime(path, (time.time() + YEAR_S,) * 2)
        tally.note(writer.name, _again(writer, place))
    for years in (1, -1, 0):
        tally.note(f"network changed {years} years later", _changed_network(folder, years))
    return tally


def _changed_network(folder, years):
    path = folder / f"clock{years}.yaml"
    content = {**examples.NETWORK, "title": "before"}
    path.write_text(yaml.safe_dump(content))
    networks.load(path)
    then = path.stat().st_mtime
    path.write_text(yaml.safe_dump(content | {"title": "after, and longer"}))
    os.utime(path, (then + years * YEAR_S,) * 2)
    return None if networks.load(path).title.startswith("after") else "an old network, read from a file that is new"


# ------------------------------------------------------------------------------------------------------------ campaign


def campaign(folder: Path, n: int, progress=print, seed=0) -> list[Tally]:
    """Stop every writer at each of its steps (or at every `100 / n`-th), and give them broken disks and each other.

    Parameters
    ----------
    n : int
        Share of the steps, in percent.
    """
    breaker, rng, all_writers = Breaker(), random.Random(seed), writers(folder)
    stride = max(1, round(100 / n))
    tallies = []
    for writer in all_writers:
        tallies.append(crash_points(writer, folder, breaker, stride))
        tallies.append(two_writers(writer, folder, max(1, round(8 / stride)), rng))
        progress(f"{writer.name}: {tallies[-2].tried} crash points, {tallies[-2].n_bad} bad")
    sizes = [1 << i for i in range(12, 21)][:: min(stride, 4)]
    tallies += broken_disks(all_writers, folder, sizes)
    return [*tallies, wrong_clock(all_writers, folder)]
