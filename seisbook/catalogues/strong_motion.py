"""The archive of European strong motion: streamed from a tar file, parsed safely, checked by its content.

The archive holds, for each earthquake, `event.xml` (EMSC) and up to two lists of stations in ShakeMap's format: `ESM`,
revised by people, and `RRSM`, computed within minutes of the earthquake. Members are read one after the other; nothing
is unpacked to the disk. Names of members only say what they are, they are never used as paths.

References
----------
L. Luzi et al. (2016), The Engineering Strong-Motion Database, Seismol. Res. Lett. 87(4), doi:10.1785/0220150278.
C. Cauzzi et al. (2016), Introducing the European Rapid Raw Strong-Motion database, Seismol. Res. Lett. 87(4), 977-986.
"""

import hashlib
import logging
import re
import tarfile
from pathlib import Path
from xml.parsers import expat

import pandas as pd
from tqdm import tqdm

from seisbook import yaml_text
from seisbook.catalogues import sources
from seisbook.catalogues.ground_motion import MEASURES, GroundMotion, clean
from seisbook.errors import DataError, UserError, brief
from seisbook.files import locked, write_whole
from seisbook.paths import DATA

log = logging.getLogger(__name__)
PIN = DATA / "strong_motion.yaml"
MEMBER = re.compile(
    r"(?:[^/]+/)*(?P<event>[A-Za-z0-9_.-]{1,80})/current/(?:event\.xml|[^/]+_(?P<database>ESM|RRSM)_dat\.xml)"
)
LARGEST = 20_000_000  # bytes of a member: the largest of the archive has two million
MOST = 200_000  # members
VALUES = {"acc": "pga", "vel": "pgv", "psa03": "psa03", "psa10": "psa10", "psa30": "psa30"}
EVENT = {"time": "time", "lat": "latitude", "lon": "longitude", "depth": "depth", "mag": "magnitude"}


def pin() -> dict:
    """Name, address and content hash of the archive, from `data/strong_motion.yaml`."""
    return yaml_text.parse(PIN.read_text(encoding="utf-8"))


def path() -> Path:
    """Where the archive is, or would be downloaded to."""
    name = pin()["file"]
    return sources.data_folder() / name if sources.data_folder() else sources.cache_folder() / f"{name}.download"


def is_available() -> bool:
    """Whether the archive is on this machine; never touches the internet."""
    return path().is_file()


def fetch(progress=True) -> Path:
    """Path of the archive, downloaded if need be; its content is checked when it is read.

    Raises
    ------
    UserError
        If `SEISBOOK_DATA_DIR` lacks the file, or the download fails.
    """
    archive, name = path(), pin()["file"]
    if archive.is_file():
        return archive
    if sources.data_folder():
        raise UserError(f"{archive}: missing; complete the folder, or unset SEISBOOK_DATA_DIR to have it downloaded")
    log.log(logging.INFO if progress else logging.DEBUG, "downloading %s", pin()["address"])
    with locked(archive):
        if not archive.is_file():
            write_whole(archive, lambda file: sources.download(name, pin()["address"], file, progress))
    return archive


def read(archive=None, progress=True) -> GroundMotion:
    """Ground motion of all events of the archive.

    Parameters
    ----------
    archive : path, optional
        A tar file, compressed or not, of the same content; the pinned one if not given.
    progress : bool

    Raises
    ------
    DataError
        If a file is no tar file, or its content is not the registered one.
    """
    archive = fetch(progress) if archive is None else Path(archive)
    events, components, content, remarks = parse(archive, progress)
    if content != pin()["content"]:
        raise DataError(
            f"{archive}: what it says has the hash {content}, not the registered {pin()['content']}; replace the file, "
            "or unset SEISBOOK_DATA_DIR to have it downloaded"
        )
    motion = clean(events, components)
    motion.remarks = [*remarks, *motion.remarks]
    return motion


def parse(archive, progress=True):
    """Attributes of the archive's events and components as text, their hash, and remarks on what is not XML.

    Returns
    -------
    events, components : DataFrame
        As `seisbook.catalogues.ground_motion.clean` takes them.
    content : str
        Hash of all attributes that are read, whatever the order and the packing of the members.
    remarks : list of str
    """
    events, components, said, remarks = [], [], [], []
    for member, data in _members(archive, progress):
        found = MEMBER.fullmatch(member)
        try:
            rows = _event(found["event"], data) if found["database"] is None else _components(*found.groups(), data)
        except ValueError as error:
            remarks.append(f"{member.removeprefix('./')}: left out: not XML that is read here ({error})")
            continue
        (events if found["database"] is None else components).extend(rows)
        said.append(hashlib.sha256(repr(rows).encode()).hexdigest())
    content = hashlib.sha256("".join(sorted(said)).encode()).hexdigest()[:16]
    names = [part for name in MEASURES for part in (name, f"{name}_flag")]
    columns = ["source_id", "database", "station", "latitude", "longitude", "sensor", "component", *names]
    events = pd.DataFrame(events, columns=["source_id", *EVENT.values()])
    return events, pd.DataFrame(components, columns=columns), content, sorted(remarks)


def _members(archive, progress):
    """Yield name and content of each member that is an event or a list of stations; links and devices are passed by."""
    try:
        with (
            tarfile.open(archive, "r|*") as opened,
            tqdm(desc="strong motion", unit="file", disable=None if progress else True, delay=2) as bar,
        ):
            for number, member in enumerate(opened):
                if number > MOST:
                    raise DataError(f"{archive}: more than {MOST} members: not the archive; replace the file")
                if not member.isfile() or not MEMBER.fullmatch(member.name):
                    continue
                if member.size > LARGEST:
                    raise DataError(f"{archive}: {brief(member.name)} has {member.size} bytes: replace the file")
                yield member.name, opened.extractfile(member).read()
                bar.update()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DataError(f"{archive}: not a whole tar file ({type(error).__name__}: {error}); replace it") from None


def _elements(data):
    """Yield the name, without a prefix, and the attributes of each element.

    Raises
    ------
    ValueError
        If it is not XML, or declares an entity: no station list needs one, and a few lines can unfold into gigabytes.
    """
    found, parser = [], expat.ParserCreate()
    parser.StartElementHandler = lambda name, attributes: found.append((name.rpartition(":")[2], attributes))
    parser.EntityDeclHandler = _no_entity
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from None
    return found


def _no_entity(name, *_):
    raise ValueError(f"it declares the entity {brief(name)}")


def _event(event, data):
    attributes = next((attributes for name, attributes in _elements(data) if name == "earthquake"), None)
    if attributes is None:
        raise ValueError("no element 'earthquake'")
    return [(event, *(attributes.get(name, "") for name in EVENT))]


def _components(event, database, data):
    """A row for each component: its station, its name in two parts, and value and flag of each measure."""
    rows, station, row = [], None, None
    for name, attributes in _elements(data):
        if name == "station":
            code = f"{attributes.get('netid', '')}.{attributes.get('code', '')}"
            station = (event, database, code, attributes.get("lat", ""), attributes.get("lon", ""))
        elif name == "comp" and station is not None:
            channel = attributes.get("name", "")
            row = [*station, channel[:-1], channel[-1:], *[""] * (2 * len(VALUES))]
            rows.append(row)
        elif name in VALUES and row is not None:
            place = len(station) + 2 + 2 * list(VALUES).index(name)
            row[place : place + 2] = attributes.get("value", ""), attributes.get("flag", "")
    return [tuple(row) for row in rows]
