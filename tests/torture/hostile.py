"""Hostile inputs, made by combination: code, entities, bombs, links, and texts that are commands elsewhere."""

import gzip
import io
import json
import os
import pickle
import re
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch
import yaml

from seisbook.paths import BUILD
from tests.torture import examples
from tests.torture.mutations import RECORDED, ended
from tests.torture.outcome import SECONDS, Hang, Refusal, Tally, deadline, fault_of_message, in_child, place_of

MEMORY = 1 << 30  # bytes that an attempt may take
SECRET = "a secret of another file"
BUILD_SMALL = ("data", "build", "--events", "2", "--out", "new", "--network")
CATALOGUE = (*BUILD_SMALL, "small.yaml", "--source", "bulletin", "--catalogue")


@dataclass(frozen=True)
class Attack:
    """A hostile input.

    Parameters
    ----------
    name : str
    make : callable
        Writes it, in the working folder.
    argv : tuple of str
        The command that meets it.
    judge : callable, optional
        What is wrong afterwards, in the working folder.
    """

    name: str
    make: Callable[[], object]
    argv: tuple[str, ...]
    judge: Callable[[], str | None] = lambda: None


# ----------------------------------------------------------------------------------------------------------- code


class Touch:
    """Makes the canary when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch canary",)


class Eval:
    """Makes the canary by way of Python's own functions."""

    def __reduce__(self):
        return eval, ("open('canary', 'w')",)


def _zipped(content, name):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)
    return file.getvalue()


def _torch(one):
    file = io.BytesIO()
    torch.save({"weight": one}, file)
    return file.getvalue()


def _numpy(one):
    file = io.BytesIO()
    np.save(file, np.array([one], object), allow_pickle=True)
    return file.getvalue()


def pickles() -> dict[str, bytes]:
    """Pickles that make the canary, by kind."""
    marked = pickle.dumps((Touch(), "obspy.core.stream", "obspy.core.event", "obspy.core.inventory"), 0)
    return {
        "pickle": pickle.dumps(Touch()),
        "pickle of ObsPy's kind": b"(S'obspy.core.stream'\nS'obspy.core.event'\nt0" + marked,
        "evaluating pickle": pickle.dumps(Eval(), 2),
        "PyTorch file": _torch(Touch()),
        "NumPy file": _numpy(Touch()),
        "NumPy archive": _zipped(_numpy(Touch()), "a.npy"),
    }


def places(content: bytes) -> dict[str, Attack]:
    """Every place in which a file is read, with this content in it."""

    def put(name):
        def make():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_bytes(content)

        return make

    def stations(name):
        def make():
            put(name)()
            Path("own.yaml").write_text(yaml.safe_dump({**examples.NETWORK, "stations": name}))

        return make

    recorded = (*RECORDED, "--out", "new", "--waveforms")
    simulated = ("--source", "simulated")
    return {
        "waveforms": Attack("", put("archive/small_20200305101030.m"), (*recorded, "archive")),
        "inventory": Attack("", put("responses.xml"), (*recorded, "archive", "--inventory", "responses.xml")),
        **{
            f"catalogue {end}": Attack("", put(f"events{end}"), (*CATALOGUE, f"events{end}"))
            for end in (".xml", ".out", ".pha", ".csv", ".arc")
        },
        **{
            f"stations {end}": Attack("", stations(f"places{end}"), (*BUILD_SMALL, "own.yaml", *simulated))
            for end in (".csv", ".HYP", ".xml", ".txt")
        },
        "network": Attack("", put("own.yaml"), (*BUILD_SMALL, "own.yaml", *simulated)),
        "card": Attack("", put("set/dataset.json"), ("data", "info", "set")),
        "table": Attack("", partial(_unsealed, put("set/metadata.csv")), ("data", "info", "set")),
        "samples": Attack("", partial(_unsealed, put("set/waveforms.hdf5")), _evaluate("set")),
        "weights": Attack("", put("models/small-dynamic.safetensors"), _evaluate("set")),
        "model's card": Attack("", put("models/small-dynamic.json"), _evaluate("set")),
        "record": Attack("", lambda: _run_record(content), ("results", "--profile", "quick")),
    }


def _evaluate(dataset):
    return "evaluate", "models/small-dynamic", "--dataset", dataset


def _unsealed(change):
    """Change a dataset, and take the hashes out of its card, as somebody who means it would."""
    change()
    path = Path("set/dataset.json")
    card = json.loads(path.read_text())
    card.pop("sha256", None)
    path.write_text(json.dumps(card))


def _run_record(content):
    folder = BUILD / "results/runs"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small-static-twin-0.json").write_bytes(content)


def _everywhere(contents, among=("",)) -> Iterator[Attack]:
    for kind, content in contents.items():
        for place, attack in places(content).items():
            if place.startswith(tuple(among)):
                yield Attack(f"{kind} as {place}", attack.make, attack.argv, attack.judge)


# ---------------------------------------------------------------------------------------------------- XML, YAML, JSON


def entities() -> dict[str, bytes]:
    """Documents with entities, by kind; those that are read show `SECRET` or take all memory."""
    levels = "".join(f'<!ENTITY a{i + 1} "{f"&a{i};" * 10}">' for i in range(9))
    declared = {
        "external entity": '<!ENTITY x SYSTEM "secret.txt">',
        "parameter entity": '<!ENTITY % p SYSTEM "secret.txt"> %p; <!ENTITY x "a">',
        "entity of the network": '<!ENTITY x SYSTEM "http://127.0.0.1:9/x">',
        "billion laughs": f'<!ENTITY a0 "lol">{levels}<!ENTITY x "&a9;">',
        "long entity": f'<!ENTITY b "{"b" * 50_000}"><!ENTITY x "{"&b;" * 50_000}">',
    }
    bodies = {
        "QuakeML": '<q:quakeml xmlns="http://quakeml.org/xmlns/bed/1.2" xmlns:q="http://quakeml.org/xmlns/quakeml/1.2">'
        '<eventParameters publicID="smi:local/a"><event publicID="smi:local/e"><description><text>&x;</text>'
        "</description></event></eventParameters></q:quakeml>",
        "StationXML": '<FDSNStationXML xmlns="http://www.fdsn.org/xml/station/1" schemaVersion="1.1">'
        "<Source>&x;</Source>"
        '<Created>2020-01-01T00:00:00</Created><Network code="XX"><Station code="AAAA"><Latitude>4.4</Latitude>'
        "<Longitude>-74.3</Longitude><Elevation>1</Elevation><Site><Name>&x;</Name></Site></Station></Network>"
        "</FDSNStationXML>",
        "SCML": '<seiscomp xmlns="http://geofon.gfz-potsdam.de/ns/seiscomp3-schema/0.11" version="0.11">'
        '<EventParameters><event publicID="&x;"></event></EventParameters></seiscomp>',
    }
    return {
        f"{kind} in {document}": f'<?xml version="1.0"?><!DOCTYPE a [{inside}]>{body}'.encode()
        for kind, inside in declared.items()
        for document, body in bodies.items()
    }


def yamls() -> dict[str, bytes]:
    """YAML that runs code, grows, or nests."""
    bomb = "a0: &a0 [x]\n" + "".join(f"a{i + 1}: &a{i + 1} [{f'*a{i},' * 10}]\n" for i in range(12))
    return {
        "YAML tag apply": b"name: !!python/object/apply:os.system ['touch canary']\n",
        "YAML tag new": b"!!python/object/new:os.system ['touch canary']\n",
        "YAML tag name": b"name: !!python/name:os.system\n",
        "YAML bomb": (bomb + "stations: *a12\nname: *a12\n").encode(),
        "deep YAML": b"name: " + b"[" * 20_000,
        "deep YAML of blocks": b"".join(b" " * i + b"a:\n" for i in range(1500)),
        "YAML circle": b"&a [*a]\n",
        "YAML circle of keys": b"&a\nname: *a\nstations: *a\n",
        "long number in YAML": b"minimum_stations: " + b"9" * 5000,
        "two YAML documents": b"a: 1\n---\nb: 2\n",
    }


def jsons() -> dict[str, bytes]:
    """JSON that nests, or holds what no number is."""
    return {
        "deep JSON": b'{"a": ' + b"[" * 100_000,
        "closed deep JSON": b'{"provenance":{"key":{}},\n"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        "long number in JSON": b'{"provenance":{"key":{}},\n"n_events": ' + b"9" * 5000 + b"}",
        "JSON of another kind": b"[]",
        "infinite JSON": b'{"provenance":{"key":{}},\n"n_events": 1e999, "centre": [NaN, NaN], "unit": "nm"}',
    }


# --------------------------------------------------------------------------------------------------------------- HDF5


def _block(change):
    """Replace the samples of the first event of a dataset."""
    with h5py.File("set/waveforms.hdf5", "r+") as file:
        name = next(iter(file["data"]))
        shape = file["data"][name].shape
        del file["data"][name]
        change(file, f"data/{name}", shape)


def _external_storage(file, name, shape):
    file.create_dataset(name, shape, "f4", external=[("secret.txt", 0, h5py.h5f.UNLIMITED)])


def _virtual(file, name, shape):
    layout = h5py.VirtualLayout(shape, "f4")
    layout[...] = h5py.VirtualSource("other.hdf5", "data", shape)
    file.create_virtual_dataset(name, layout)


def _link(file, name, shape, link):
    file[name] = link


def _stored(file, name, shape, size=None, dtype="f4"):
    file.create_dataset(name, shape if size is None else size, dtype)


def _huge(file, name, shape):
    file.create_dataset(name, (1 << 20, 3, 1 << 20), "f4", chunks=(1, 3, 1024), compression="gzip")


def _finite(file, name, shape, value):
    file.create_dataset(name, data=np.full(shape, value, "f4"))


def containers() -> Iterator[Attack]:
    """Datasets whose HDF5 file leads elsewhere or holds something else, opened in two ways."""
    changes = {
        "external link": partial(_link, link=h5py.ExternalLink("other.hdf5", "/data")),
        "soft link to nowhere": partial(_link, link=h5py.SoftLink("/nowhere")),
        "soft link in a circle": partial(_link, link=h5py.SoftLink("/data")),
        "external storage": _external_storage,
        "virtual dataset": _virtual,
        "texts": partial(_stored, dtype=h5py.string_dtype()),
        "references": partial(_stored, dtype=h5py.ref_dtype),
        "records": partial(_stored, dtype=np.dtype([("a", "f4")])),
        "complex numbers": partial(_stored, dtype="c8"),
        "one number": partial(_stored, size=()),
        "one dimension less": partial(_stored, size=(3, 10)),
        "too few samples": partial(_stored, size=(1, 3, 1)),
        "terabytes": _huge,
        "NaN": partial(_finite, value=np.nan),
        "infinity": partial(_finite, value=np.inf),
        "a group": lambda file, name, shape: file.create_group(name),
        "nothing": lambda file, name, shape: None,
    }
    for name, change in changes.items():
        make = partial(_unsealed, partial(_block, change))
        yield Attack(f"HDF5: {name}, evaluated", make, _evaluate("set"))
        yield Attack(f"HDF5: {name}, described", make, ("data", "info", "set"))


# -------------------------------------------------------------------------------------------------------------- texts

TEXTS = {
    "script": "</script><script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "formula": "=cmd|'/c calc'!A0",
    "other formula": "@SUM(1+1)*cmd",
    "LaTeX": r"\input{/etc/passwd}\write18{touch canary}",
    "escape": "\x1b[2J\x1b]0;owned\x07",
    "path": "../../../x",
    "absolute path": "/tmp/x",
    "two lines": "A\nB",
    "NUL": "A\0B",
    "right to left": "A\u202eB",
    "shell": "$(touch canary)",
    "long": "A" * 100_000,
    "format": "%s%n{0.__class__}",
}
SHEET_COLUMNS = ("station_code", "source_id", "source_text", "station_network_code", "source_type")


def texts() -> Iterator[Attack]:
    """Texts as station codes, names, titles and remarks of events."""
    simulated = (*BUILD_SMALL, "own.yaml", "--source", "simulated")
    for kind, text in TEXTS.items():
        for key in ("name", "title"):
            yield Attack(f"{kind} as {key}", partial(_own_network, {key: text}), simulated, _harmless)
        station = {**examples.NETWORK["stations"][0], "code": text}
        change = {"stations": [station, *examples.NETWORK["stations"][1:]]}
        yield Attack(f"{kind} as station's code", partial(_own_network, change), simulated, _harmless)
        yield Attack(f"{kind} in a station file", partial(_station_file, text), simulated, _harmless)
        yield Attack(f"{kind} in a bulletin", partial(_bulletin, text), (*CATALOGUE, "own.out"), _harmless)


def _own_network(change):
    Path("own.yaml").write_text(yaml.safe_dump({**examples.NETWORK, **change}), encoding="utf-8")


def _station_file(text):
    table = pd.DataFrame(examples.NETWORK["stations"])[["code", "latitude", "longitude", "elevation_m"]]
    table.loc[0, "code"] = text
    table.to_csv("places.csv", index=False)
    _own_network({"stations": "places.csv"})


def _bulletin(text):
    line = f" {text}"[:79].ljust(79)
    Path("own.out").write_text(
        examples.NORDIC.replace(" Epicentro: ALTO".ljust(79), line), encoding="latin-1", errors="replace"
    )


def _harmless():
    """What is wrong with the dataset that was made of a text, if one was made."""
    if not Path("new").exists():
        return None
    with Path("new/metadata.csv").open(encoding="utf-8", newline="") as file:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    for name in SHEET_COLUMNS:
        if name in table and table[name].str.match(r"^[=+@\t\r-]").any():
            return f"a formula in {name}"
    codes = table.station_code
    return None if codes.str.fullmatch(r"[A-Za-z0-9_-]{1,8}").all() else "a station code that is a command elsewhere"


# ------------------------------------------------------------------------------------------------- places and archives


def destinations() -> Iterator[Attack]:
    """Places of output that hold something of somebody else's, or lead elsewhere."""
    argv = (*BUILD_SMALL, "small.yaml", "--source", "simulated", "--out")
    link = partial(os.symlink, target_is_directory=True)
    yield Attack("a card of another program beside a thesis", _thesis, (*argv, "theirs"), _thesis_lives)
    yield Attack("our dataset beside a thesis", _thesis_in_ours, (*argv, "set"), lambda: _lives("set/thesis.txt"))
    yield Attack("a link to a thesis", lambda: (_thesis(), link("theirs", "l")), (*argv, "l"), _thesis_lives)
    yield Attack("a file", lambda: Path("theirs").write_text("thesis"), (*argv, "theirs"), lambda: _lives("theirs"))
    yield Attack("inside a file", lambda: Path("theirs").write_text("x"), (*argv, "theirs/new"))
    yield Attack("a link in a circle", lambda: link("l", "l"), (*argv, "l"))
    yield Attack("a link to nowhere", lambda: link("nowhere", "l"), (*argv, "l"))
    yield Attack("a link to the dataset", lambda: link("set", "l"), (*argv, "l"), lambda: _lives("l/dataset.json"))
    yield Attack("the folder itself", lambda: None, (*argv, "."), lambda: _lives("small.yaml"))
    yield Attack("the folder above", lambda: None, (*argv, ".."), lambda: _lives("small.yaml"))
    yield Attack("a device", lambda: None, (*argv, "/dev/null"))
    yield Attack("a name that is too long", lambda: None, (*argv, "x" * 300))


def _thesis():
    Path("theirs/sub").mkdir(parents=True)
    Path("theirs/dataset.json").write_text('{"network": "theirs"}')
    Path("theirs/sub/thesis.txt").write_text("years")


def _thesis_in_ours():
    Path("set/thesis.txt").write_text("years")


def _lives(name):
    return None if Path(name).exists() else f"{Path(name).name} was deleted"


def _thesis_lives():
    return _lives("theirs/sub/thesis.txt") or _lives("theirs/dataset.json")


def archives() -> Iterator[Attack]:
    """Archives that grow when they are unpacked, and sizes that lie."""
    grown = gzip.compress(bytes(1 << 28), 1) * 12  # 3 GB
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as file:
        entry = tarfile.TarInfo("../canary")
        entry.size = 4
        file.addfile(entry, io.BytesIO(b"evil"))
    lie = (1 << 60).to_bytes(8, "little") + b"{}"
    contents = {
        "gzip bomb": grown,
        "archive that leads out": tar.getvalue(),
        "zip": _zipped(bytes(1 << 20), "../canary"),
    }
    yield from _everywhere(contents, ("waveforms", "catalogue .xml", "inventory", "samples", "table"))
    header = json.dumps({"w": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}).encode()
    wide = len(header).to_bytes(8, "little") + header
    yield from _everywhere({"a length of an exabyte": lie, "a tensor of terabytes": wide}, ("weights",))


def attacks() -> list[Attack]:
    """All of them."""
    marked = {"deep JSON": jsons()["deep JSON"], "YAML tag apply": yamls()["YAML tag apply"]}
    xml = ("catalogue .xml", "stations .xml", "inventory")
    return [
        *_everywhere(pickles()),
        *_everywhere(entities(), xml),
        *_everywhere(yamls(), ("network",)),
        *_everywhere(jsons(), ("card", "model", "record", "samples")),
        *_everywhere(marked, ("stations .csv", "catalogue .out", "table")),
        *containers(),
        *texts(),
        *destinations(),
        *archives(),
    ]


# ------------------------------------------------------------------------------------------------------------ campaign


def campaign(folder: Path, n: int, progress=print) -> list[Tally]:
    """Let the command line meet `n` of the attacks, spread over all kinds, each in a folder and process of its own."""
    whole = folder / "whole"
    for _ in examples.examples(whole):
        continue
    (whole / "secret.txt").write_text(f"{SECRET} " * 1000)
    with h5py.File(whole / "other.hdf5", "w") as file:
        file["data"] = np.full((4, 3, 240), 7, "f4")
    tally, known = Tally("hostile inputs"), attacks()
    for attack in known[:: max(1, len(known) // n)]:
        if bad := _meet(tally, attack, whole, folder):
            progress(f"{attack.name}: {bad}")
    progress(f"hostile inputs: {tally.tried} tried, {tally.n_bad} bad")
    return [tally]


def _meet(tally, attack, whole, folder):
    place, said = folder / "place" / "inner", folder / "said.txt"
    shutil.rmtree(place.parent, ignore_errors=True)
    shutil.copytree(whole, place)
    value, code = in_child(partial(_attacked, attack, place), said, 20 * SECONDS, MEMORY)
    shutil.rmtree(BUILD / "results", ignore_errors=True)
    if value is None:
        value = {"bad": f"the process ended with {code}", "said": said.read_text(errors="replace")[-200:]}
    if list(folder.rglob("canary")) or list(whole.parent.parent.glob("canary")):
        value["bad"] = "code of the input was run"
    if not value["bad"] and (SECRET in said.read_text(errors="replace") or _told(place)):
        value["bad"] = "another file was read"
    tally.note(f"{attack.name}: {value['said']}", value["bad"], value.get("refused", False))
    return value["bad"]


def _told(place):
    made = (path for path in (place / "new").rglob("*") if path.is_file())
    return any(SECRET.encode() in path.read_bytes() for path in made)


def _attacked(attack, place):
    """How the command line ends, in plain values."""
    os.chdir(place)
    attack.make()
    try:
        with deadline():
            bad, said, refused = ended(list(attack.argv)), "", False
    except Refusal as error:
        said, refused = str(error), True
        bad = fault_of_message(said) or _unnamed(said, attack.argv[-1])
    except Hang:
        bad, said, refused = f"longer than {SECONDS} s", "", False
    except Exception as error:
        bad, said, refused = f"{type(error).__name__} at {place_of(error)}", str(error)[:200], False
    return {"bad": bad or attack.judge() or "", "said": said[:300], "refused": refused}


def _unnamed(said, last):
    """What is wrong with a refusal that names neither the input nor the place of the output."""
    named = re.search(r"[\w./-]+\.\w+|own|small|set|theirs|new|network|waveforms|archive|current results", said)
    return "" if named or last[:20] in said else "a message that names no file"
