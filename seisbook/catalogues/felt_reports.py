"""What people reported feeling: mean intensities of cells, from the archive of European strong motion.

EMSC asks the users of its page and its application what they felt, and publishes for each earthquake the mean intensity
of every cell of one kilometre with three or more answers. The archive (`seisbook.catalogues.strong_motion`) holds these
lists in ShakeMap's format, one file an earthquake. A cell that EMSC flags, or whose place, intensity or number of
answers cannot be, is left out and counted.

References
----------
R. Bossu et al. (2018), LastQuake: from rapid information to global seismic risk reduction, International Journal of
Disaster Risk Reduction 28, doi:10.1016/j.ijdrr.2018.02.024.
"""

import hashlib
import re
import tarfile
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from seisbook import provenance, yaml_text
from seisbook.catalogues import fields, strong_motion
from seisbook.errors import DataError, brief
from seisbook.paths import DATA

PIN = DATA / "felt_reports.yaml"
MEMBER = re.compile(r"(?:[^/]+/)*(?P<event>[A-Za-z0-9_.-]{1,80})/current/[^/]+_REPORTED-INTENSITY_dat\.xml[^/]*")
COLUMNS = {"lat": "latitude", "lon": "longitude", "intensity": "intensity", "nresp": "answers"}
COLUMNS |= {"intensity_stddev2": "sd", "intensity_flag": "flag"}
POSSIBLE = {"latitude": (-90, 90), "longitude": (-180, 180), "intensity": (1, 12), "answers": (1, 1e7), "sd": (0, 12)}
MOST_CELLS = 20_000  # of a file: the largest of the archive has a thousand


class FeltReports(NamedTuple):
    """Cells of all earthquakes, and what was left out.

    `cells` is a DataFrame with the columns `source_id`, `latitude`, `longitude`, `intensity` (mean of the answers),
    `answers` (their number) and `sd` (standard deviation of that mean, as EMSC states it; it falls with the number of
    answers).
    """

    cells: pd.DataFrame
    remarks: list[str]


def read(archive=None) -> FeltReports:
    """Read the reports of all earthquakes of the archive.

    Parameters
    ----------
    archive : path, optional
        A tar file of the same content; the pinned one if not given.

    Raises
    ------
    DataError
        If a file is no tar file, or its reports are not the registered ones.
    """
    archive = strong_motion.fetch() if archive is None else Path(archive)
    rows, content, remarks = parse(archive)
    expected = yaml_text.parse(PIN.read_text(encoding="utf-8"))["content"]
    if content != expected:
        raise DataError(f"{archive}: its felt reports have the hash {content}, not {expected}: replace the file")
    provenance.note("catalogue:felt-reports", content)
    found = clean(rows)
    return found._replace(remarks=[*remarks, *found.remarks])


def parse(archive) -> tuple[pd.DataFrame, str, list[str]]:
    """Attributes of all cells as text, their hash whatever the order of the files, and remarks on what is not XML."""
    rows, said, remarks = [], [], []
    for event, name, data in _members(archive):
        try:
            cells = _cells(data)
        except ValueError as error:
            remarks.append(f"{name.removeprefix('./')}: left out: not a list of felt reports ({error})")
            continue
        rows += [(event, *cell) for cell in cells]
        said.append(hashlib.sha256(repr((event, cells)).encode()).hexdigest())
    table = pd.DataFrame(rows, columns=["source_id", *COLUMNS.values()])
    return table, hashlib.sha256("".join(sorted(said)).encode()).hexdigest()[:16], sorted(remarks)


def _members(archive):
    """Yield event, name and content of each list of reports; links and devices are passed by."""
    try:
        with tarfile.open(archive, "r|*") as opened:
            for number, member in enumerate(opened):
                found = MEMBER.fullmatch(member.name)
                if number > strong_motion.MOST or (found and member.size > strong_motion.LARGEST):
                    raise DataError(f"{archive}: too large at {brief(member.name)}: not the archive; replace the file")
                if found and member.isfile():
                    yield found["event"], member.name, opened.extractfile(member).read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DataError(f"{archive}: not a whole tar file ({type(error).__name__}: {error}); replace it") from None


def _cells(data):
    elements = strong_motion._elements(data)
    cells = [tuple(found.get(key, "") for key in COLUMNS) for name, found in elements if name == "station"]
    if not elements or elements[0][0] != "stationlist":
        raise ValueError("no element 'stationlist'")
    if len(cells) > MOST_CELLS:
        raise ValueError(f"{len(cells)} cells")
    return cells


def clean(rows) -> FeltReports:
    """Numbers of the possible cells, each once."""
    remarks, flagged = [], rows.flag != "0"
    numbers = pd.DataFrame({name: [_possible(text, *ends) for text in rows[name]] for name, ends in POSSIBLE.items()})
    odd = numbers.isna().any(axis=1).to_numpy() & ~flagged.to_numpy()
    cells = numbers.assign(source_id=rows.source_id.to_numpy(str))[~odd & ~flagged.to_numpy()]
    once = cells.drop_duplicates(["source_id", "latitude", "longitude"])
    counts = {
        "flagged by EMSC": flagged.sum(),
        "with impossible values": odd.sum(),
        "listed twice": len(cells) - len(once),
    }
    remarks += [f"{count} cells left out, {why}" for why, count in counts.items() if count]
    return FeltReports(once[["source_id", *POSSIBLE]].reset_index(drop=True), remarks)


def _possible(text, low, high):
    try:
        value = fields.number(text)
    except ValueError:
        return float("nan")
    return value if low <= value <= high else float("nan")
