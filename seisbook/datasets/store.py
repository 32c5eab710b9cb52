"""Datasets: seismograms and labels on disk, in SeisBench's layout.

A dataset is a folder with `waveforms.hdf5` (one array per event: stations, components Z N E, samples), `metadata.csv`
(one row per trace) and `dataset.json` (a card: what it holds and how it was made). `seisbench.data.WaveformDataset`
opens it, and `seisbook.datasets.graphs.EventDataset` reads it as graphs. The card holds the hashes of the other two
files and of itself, which are compared when the dataset is opened. Texts in `metadata.csv` that a spreadsheet would
take for formulas have an apostrophe in front (`seisbook.datasets.spreadsheets`).
"""

import hashlib
import io
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from tqdm import tqdm

from seisbook import files
from seisbook.catalogues.schema import Latitude, Longitude
from seisbook.datasets import spreadsheets
from seisbook.errors import DataError, UserError

FILES = ("waveforms.hdf5", "metadata.csv", "dataset.json")
COMPONENTS = "ZNE"
MADE_BY = "made_by"  # attribute of our HDF5 files: without a card they are incomplete, and not another program's
ROWS_TOGETHER = 256  # events
LABELS = {"source_origin_time", "source_latitude_deg", "source_longitude_deg", "source_depth_km"}  # none may be missing
ROW_BYTES = 700  # of a trace's row in the metadata


@dataclass
class EventRecord:
    """Seismograms and metadata of one event, as every source yields them and `write` stores them.

    Parameters
    ----------
    source_id : str
    traces : DataFrame
        One row per station: the metadata columns, in the order of `waveforms`.
    waveforms : ndarray of float32, shape (stations, 3, samples)
        Components Z, N, E.
    """

    source_id: str
    traces: pd.DataFrame
    waveforms: np.ndarray


def write(records: Iterable[EventRecord], out, card: dict, sampling_rate_hz: float, total=None, progress=True) -> Path:
    """Write a dataset, event by event, so that memory does not grow with their number.

    The folder appears under its name only when it is complete: until then its files lie, under names that no reader
    opens, in a hidden folder beside it. SeisBench's own writer is not used because it keeps the metadata of the whole
    dataset in memory and, on an error, closes what it has as if it were whole.

    Parameters
    ----------
    records : iterable of EventRecord
    out : path
        Folder to make. An earlier dataset there is replaced; anything else is left alone.
    card : dict
        Provenance, kept as `dataset.json` with the counts of events and traces; must state the waveforms' `unit`.
    sampling_rate_hz : float
    total : int, optional
        Number of events, for the progress bar.
    progress : bool

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UserError
        If `out` holds something that is not a dataset, or cannot be written, or there is no event.
    """
    place = writable(out)
    with files.new_folder(place) as part:
        bar = tqdm(records, total=total, unit="event", disable=None if progress else True)
        counts = _write_parts(bar, part, sampling_rate_hz, card["unit"])
        if not counts["n_events"]:
            raise UserError(f"{out}: there is no event to write: {_why_none(card.get('skipped', []))}")
        hashes = {name: _sha256(part / f"{name}.part") for name in FILES[:2]}
        text = json.dumps(_sealed({**card, **counts}, hashes), indent=1, default=str, allow_nan=False)
        (part / f"{FILES[2]}.part").write_text(text + "\n", encoding="utf-8")
        for name in FILES:
            os.replace(part / f"{name}.part", part / name)
    return Path(out)


def writable(out) -> Path:
    """Path of the folder that `write` will make, with links followed.

    Raises
    ------
    UserError
        If `write` would refuse it. Whoever works long before it writes asks this first.
    """
    place = files.destination(out)
    try:
        _refuse_foreign(place)
    except OSError as error:
        raise files.refusal(out, error) from None
    return place


def size_of(n_traces, n_samples) -> float:
    """About how many bytes a dataset takes."""
    return n_traces * (len(COMPONENTS) * n_samples * np.dtype("float32").itemsize + ROW_BYTES)


def _refuse_foreign(out):
    """Only an empty folder, or one that holds a dataset of ours and nothing else, may be replaced."""
    if not out.exists():
        return
    inside = {path.name for path in out.iterdir()} if out.is_dir() else {"not a folder"}
    if inside - set(FILES):
        raise UserError(
            f"{out}: not a SeisBook dataset alone, since it holds {min(inside - set(FILES))}: choose another folder"
        )
    if inside and not _is_our_card(out / FILES[2]):
        raise UserError(f"{out}: exists and is not a SeisBook dataset: choose another folder, or remove it first")


def _is_our_card(path):
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(card, dict) and {"unit", "n_events", "n_traces"} <= set(card)


def _write_parts(records, part, sampling_rate_hz, unit):
    events = traces = 0
    waveforms, metadata = (part / f"{name}.part" for name in FILES[:2])
    with (
        _DiskFile(waveforms) as disk,
        h5py.File(disk, "w") as file,
        metadata.open("w", newline="", encoding="utf-8") as table,
    ):
        file.attrs[MADE_BY] = "SeisBook"
        data_format = file.create_group("data_format")
        for key, value in {
            "dimension_order": "CW",
            "component_order": COMPONENTS,
            "unit": unit,
            "sampling_rate": sampling_rate_hz,
        }.items():
            data_format.create_dataset(key, data=value)
        data = file.create_group("data")
        waiting = []
        for record in records:
            _refuse_not_finite(record)
            block = f"event{events:06d}"
            data.create_dataset(block, data=record.waveforms)
            disk.check()
            waiting.append(_trace_rows(record, block, sampling_rate_hz))
            events, traces = events + 1, traces + len(record.traces)
            if len(waiting) == ROWS_TOGETHER:
                _append(waiting, table)
        _append(waiting, table)
    return {"n_events": events, "n_traces": traces}


def _refuse_not_finite(record):
    """A sample that is NaN, a label that is missing, or an infinite number would spoil what is trained on it."""
    if not (finite := np.isfinite(record.waveforms).all(axis=(1, 2))).all():
        station = record.traces.station_code.iloc[int(finite.argmin())]
        raise DataError(
            f"event {record.source_id}: the seismogram of station {station} is NaN or infinite: check the network's "
            "numbers and the event's readings"
        )
    for name, values in record.traces.items():
        if (name in LABELS and values.isna().any()) or (values.dtype.kind == "f" and np.isinf(values).any()):
            raise DataError(
                f"event {record.source_id}: {name} is missing or infinite: check the network's numbers and the readings"
            )


class _DiskFile(io.RawIOBase):
    """A file for HDF5 to write, in which a full disk is an error and no crash.

    HDF5 writes once more when it closes a file, and the process crashes if that fails. Here, nothing that HDF5 writes
    fails: the first error is kept, what comes after it is thrown away, and `check` raises the error.
    """

    def __init__(self, path):
        self._file = Path(path).open("w+b", buffering=0)  # noqa: SIM115 (closed with this one)
        self._error = None

    def check(self):
        """Raise the error that has been kept."""
        if self._error is not None:
            raise self._error

    def write(self, data):
        """Write all of the data, or keep the error."""
        with memoryview(data).cast("B") as left:
            self._try(lambda: self._write_all(left))
            return len(left)

    def _write_all(self, data):
        done = 0
        while done < len(data):
            done += self._file.write(data[done:])

    def truncate(self, size=None):
        """Set the size, or keep the error."""
        self._try(lambda: self._file.truncate(size))
        return size

    def _try(self, step):
        try:
            if self._error is None:
                step()
        except BaseException as error:  # an interruption, too, must not reach HDF5
            self._error = error

    def readinto(self, buffer):
        return self._file.readinto(buffer)

    def seek(self, offset, whence=io.SEEK_SET):
        return self._file.seek(offset, whence)

    def tell(self):
        return self._file.tell()

    def readable(self):
        return True

    def writable(self):
        return True

    def seekable(self):
        return True

    def __exit__(self, *raised):
        """Close the file and raise the error that has been kept, instead of what HDF5 made of it."""
        self.close()
        self.check()

    def close(self):
        self._file.close()
        super().close()


def _why_none(skipped):
    return f"{skipped[-1]} (the last of {len(skipped)} remarks)" if skipped else "the catalogue is empty"


def _append(waiting, table):
    """Write rows together, for pandas takes longer to begin than to write; the first ones bring the header."""
    if waiting:
        spreadsheets.guarded(pd.concat(waiting)).to_csv(
            table, header=table.tell() == 0, index=False, float_format="%.10g"
        )
        waiting.clear()


def _trace_rows(record, block, sampling_rate_hz):
    n_components, n_samples = record.waveforms.shape[1:]
    names = [f"{block}${i},:{n_components},:{n_samples}" for i in range(len(record.traces))]
    return record.traces.assign(
        trace_name=names,
        trace_sampling_rate_hz=sampling_rate_hz,
        trace_npts=n_samples,
        trace_component_order=COMPONENTS,
    )


# ---------------------------------------------------------------------------------------------------------------- card


class Card(BaseModel):
    """What a card must hold, of whatever else it holds."""

    model_config = ConfigDict(allow_inf_nan=False)
    network: str
    source: str
    unit: str
    n_events: int = Field(gt=0)
    n_traces: int = Field(gt=0)
    centre: tuple[Latitude, Longitude] | None = None
    window_s: float | None = Field(None, gt=0)
    sampling_rate_hz: float | None = Field(None, gt=0)
    skipped: list[str] = []
    sha256: dict[str, str] = {}


def read_card(path) -> dict:
    """Return the card of a dataset, after checking that the folder is one and that its files are those of the card.

    Raises
    ------
    UserError
        If the folder is no dataset.
    DataError
        If a file is missing, the card cannot be read, or a file's hash is not that of the card.
    """
    path = Path(path)
    if not (path / FILES[2]).is_file():
        raise UserError(f"{path}: not a SeisBook dataset (no {FILES[2]}): make one with `seisbook data build`")
    missing = [name for name in FILES if not (path / name).is_file()]
    if missing:
        raise DataError(f"{path}: {', '.join(missing)} is missing: build the dataset again")
    card = _parsed(path / FILES[2])
    if "sha256" in card:
        hashes = {name: _sha256(path / name) for name in FILES[:2]}
        found = _sealed({key: value for key, value in card.items() if key != "sha256"}, hashes)["sha256"]
        if damaged := [name for name in FILES if card["sha256"].get(name) != found[name]]:
            raise DataError(f"{path / damaged[0]}: damaged (not the content that was written): build the dataset again")
    return card


def _parsed(path):
    """The content of a card, with what `Card` asks for."""
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        Card.model_validate(card)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "top level"
        raise DataError(f"{path}: damaged ({key}: {first['msg']}): build the dataset again") from None
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: damaged (not valid JSON: {reason}): build the dataset again") from None
    return card


def _sha256(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sealed(card, hashes):
    """A card with the hashes of the other files and, under its own name, of what else it says."""
    text = json.dumps(card, sort_keys=True, default=str)
    return {**card, "sha256": {**hashes, FILES[2]: hashlib.sha256(text.encode()).hexdigest()}}
