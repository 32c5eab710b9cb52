"""Fields: events with the ground motion at their stations, in one compressed file on disk and as arrays in memory.

A *field* is the motion of the ground everywhere in an earthquake. Stations sample it. Here a node has five values in
place of a seismogram, see `seisbook.catalogues.ground_motion`.
"""

import io
import json
import zipfile
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

import seisbook
from seisbook import files, provenance
from seisbook.catalogues import regions, strong_motion
from seisbook.catalogues.ground_motion import LABELS, MEASURES, GroundMotion
from seisbook.catalogues.regions import Region
from seisbook.errors import DataError, UserError
from seisbook.files import locked
from seisbook.paths import BUILD
from seisbook.physics import field_simulation

ARRAYS, CARD = "fields.npz", "dataset.json"
SOURCES = ("measured", "simulated")
SIMULATED_EVENTS = 300
REMARKS = 10  # that a description prints
PLACES = 0.01  # km: coordinates are known no better


@dataclass(frozen=True)
class Fields:
    """Events and their stations' values, one event after the other.

    Parameters
    ----------
    source_id : ndarray of str, shape (events,)
    origin_time : ndarray of datetime64[ms], shape (events,)
    epicentre : ndarray, shape (events, 2)
        East and north in km.
    depth_km, magnitude : ndarray, shape (events,)
        A depth that is not known is NaN.
    start : ndarray of int, shape (events + 1,)
        The stations of event `i` are the rows `start[i]` to `start[i + 1]` of the arrays that follow.
    values : ndarray, shape (rows, 5)
        log10 of `MEASURES`, NaN where there is none.
    pos : ndarray, shape (rows, 2)
        East and north in km.
    station : ndarray of int, shape (rows,)
        Place of the station in `codes`.
    codes : ndarray of str, shape (stations,)
    """

    source_id: np.ndarray
    origin_time: np.ndarray
    epicentre: np.ndarray
    depth_km: np.ndarray
    magnitude: np.ndarray
    start: np.ndarray
    values: np.ndarray
    pos: np.ndarray
    station: np.ndarray
    codes: np.ndarray

    def __len__(self):
        return len(self.source_id)

    @property
    def sizes(self) -> np.ndarray:
        """Number of stations of each event."""
        return np.diff(self.start)

    @property
    def event(self) -> np.ndarray:
        """Number of the event of each row."""
        return np.repeat(np.arange(len(self)), self.sizes)

    @property
    def epicentral_km(self) -> np.ndarray:
        """Epicentral distance of each row in km."""
        return np.hypot(*(self.pos - self.epicentre[self.event]).T)

    def rows(self, i) -> slice:
        """Rows of event `i`."""
        return slice(self.start[i], self.start[i + 1])

    def select(self, index) -> "Fields":
        """The events at `index`, in that order; `codes` stays."""
        index = np.asarray(index, int)
        rows = np.concatenate([np.arange(self.start[i], self.start[i + 1]) for i in index] or [np.arange(0)])
        per_event = {name: getattr(self, name)[index] for name in EVENT_ARRAYS}
        per_row = {name: getattr(self, name)[rows] for name in ROW_ARRAYS}
        return replace(self, **per_event, **per_row, start=np.concatenate([[0], np.cumsum(self.sizes[index])]))

    def thinned(self, most, rng) -> "Fields":
        """The same events with at most so many stations each, drawn by a random generator."""
        kept = [
            np.sort(self.start[i] + rng.permutation(size)[:most]) if size > most else np.arange(*self.start[i : i + 2])
            for i, size in enumerate(self.sizes)
        ]
        rows = np.concatenate(kept)
        start = np.concatenate([[0], np.cumsum([len(part) for part in kept])])
        return replace(self, **{name: getattr(self, name)[rows] for name in ROW_ARRAYS}, start=start)

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @classmethod
    def from_motion(cls, motion: GroundMotion, region: Region) -> "Fields":
        """Arrays of tables of ground motion, with positions in the region's local coordinates."""
        records = motion.records.sort_values(["source_id", "station"], kind="stable")
        events = motion.events.loc[sorted(motion.events.index)]
        counts = records.groupby("source_id").size().reindex(events.index, fill_value=0)
        station, codes = pd.factorize(records.station, sort=True)
        return cls(
            source_id=events.index.to_numpy(str),
            origin_time=events.source_origin_time.dt.tz_localize(None).to_numpy("datetime64[ms]"),
            epicentre=_local(region, events.source_latitude_deg, events.source_longitude_deg),
            depth_km=events.source_depth_km.to_numpy(np.float32),
            magnitude=events.source_magnitude.to_numpy(np.float32),
            start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
            values=records[list(MEASURES)].to_numpy(np.float32).round(4),
            pos=_local(region, records.latitude, records.longitude),
            station=station.astype(np.int32),
            codes=codes.to_numpy(str),
        )


EVENT_ARRAYS = ("source_id", "origin_time", "epicentre", "depth_km", "magnitude")
ROW_ARRAYS = ("values", "pos", "station")


def _local(region, latitude, longitude):
    places = np.column_stack(region.to_local(latitude.to_numpy(), longitude.to_numpy()))
    return (np.round(places / PLACES) * PLACES).astype(np.float32)


# ----------------------------------------------------------------------------------------------------------------- disk


def build(region, source, out, n_events=None, random_state=0, progress=True) -> Path:
    """Make the data set of a region.

    Parameters
    ----------
    region : Region, str or path
        It, the name of a shipped one, or a YAML file.
    source : {"measured", "simulated"}
    out : path
        Folder to make, with `fields.npz` and `dataset.json`.
    n_events : int, optional
        The first so many; all if not given (of a simulation: 300).
    random_state : int
        Of the simulation.
    progress : bool

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    UserError
        If the source is not one of these, the archive is not to be had, or no event remains.
    """
    region = region if isinstance(region, Region) else regions.load(region)
    motion = read(region, source, n_events, random_state, progress)
    made = Fields.from_motion(motion, region)
    made = made.select(np.arange(min(n_events or len(made), len(made))))
    if not len(made):
        raise UserError(f"{region.name}: no event with {region.minimum_stations} stations: widen the region's bounds")
    card = {
        "region": region.name,
        "title": region.title,
        "source": source,
        "centre": region.centre,
        "measures": LABELS,
        "random_state": random_state,
        "seisbook": seisbook.__version__,
        "remarks": motion.remarks,
    }
    with files.new_folder(files.destination(out)) as folder:
        files.write_whole(folder / ARRAYS, lambda file: np.savez_compressed(file, **made.arrays()))
        files.write_whole(folder / CARD, json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    return Path(out)


def read(region, source, n_events=None, random_state=0, progress=True) -> GroundMotion:
    """Ground motion of a region from a source, see `build`."""
    if source == "simulated":
        return field_simulation.simulate(region, n_events or SIMULATED_EVENTS, random_state)[0].inside(region)
    if source != "measured":
        raise UserError(f"no source '{source}' of ground motion: choose one of {', '.join(SOURCES)}")
    return strong_motion.read(progress=progress).inside(region)


def is_fields(path) -> bool:
    """Whether a folder holds a data set of ground motion."""
    return (Path(path) / ARRAYS).is_file()


def open_fields(path) -> tuple[Fields, dict]:
    """Open a data set of ground motion.

    Returns
    -------
    Fields
    dict
        The content of `dataset.json`.

    Raises
    ------
    DataError
        If the files are damaged.
    """
    path = Path(path)
    try:
        with np.load(io.BytesIO((path / ARRAYS).read_bytes()), allow_pickle=False) as arrays:
            opened = Fields(**{part.name: arrays[part.name] for part in fields(Fields)})
        card = json.loads((path / CARD).read_text(encoding="utf-8"))
        _check(opened)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not a data set of ground motion ({error}): build it again") from None
    return opened, card


def _check(opened):
    rows, events = len(opened.values), len(opened)
    if opened.start[-1] != rows or len(opened.start) != events + 1 or (np.diff(opened.start) < 0).any():
        raise ValueError("its events do not add up to its rows")
    wrong = [name for name in ROW_ARRAYS if len(getattr(opened, name)) != rows]
    wrong += [name for name in EVENT_ARRAYS if len(getattr(opened, name)) != events]
    if wrong or opened.values.shape[1:] != (len(MEASURES),):
        raise ValueError(f"arrays of different lengths: {', '.join(wrong) or 'values'}")


def describe(path) -> str:
    """What a data set of ground motion holds, in a few lines."""
    opened, card = open_fields(path)
    sizes = opened.sizes
    known = np.isfinite(opened.values).sum(0)
    lines = [
        f"{path}: {card['title']}, source {card['source']}, {len(opened)} events, {len(opened.values)} station records",
        f"stations per event  {sizes.min()} to {sizes.max()}, median {np.median(sizes):.0f}; "
        f"{len(np.unique(opened.station))} stations",
        f"magnitude           {_range(opened.magnitude)}",
        f"depth (km)          {_range(opened.depth_km)}",
        f"distance (km)       {_range(opened.epicentral_km)}",
        *(f"{name:19} {count} values of {LABELS[name]}" for name, count in zip(MEASURES, known, strict=True)),
        f"remarks             {len(card['remarks'])}; the last ones:",
        *(f"  {line}" for line in card["remarks"][-REMARKS:]),
    ]
    return "\n".join(lines)


def _range(values):
    low, middle, high = np.nanpercentile(values, [0, 50, 100])
    return f"{low:.1f} to {high:.1f}, median {middle:.1f}"


# -------------------------------------------------------------------------------------------------------------- library


@provenance.stage
def load_fields(region, source=None, n_events=None, random_state=0, progress=True) -> Fields:
    """Fields of a region, built unless that has been done.

    Parameters
    ----------
    region : str or path
        As `seisbook.catalogues.regions.load` takes it.
    source : {"measured", "simulated"}, optional
        By default the measured fields if the archive is on this machine, and else the simulated twin.
    n_events : int, optional
    random_state : int
    progress : bool
    """
    source = source or ("measured" if strong_motion.is_available() else "simulated")
    with provenance.unwatched():
        place = regions.load(region)
        name = "-".join([place.name, source, str(n_events or "all"), str(random_state)])
        opened, content = _read(_built(name, place, source, n_events, random_state, progress))
    provenance.note(f"events:{name}", content)
    return opened


def _built(name, region, source, n_events, random_state, progress):
    made_by = provenance.code_hash("seisbook.datasets.fields:build")
    stamp = provenance.digest([region, made_by, strong_motion.pin() if source == "measured" else ""])
    folder = BUILD / "data" / f"{name}-{stamp}"
    if not folder.is_dir():
        with locked(folder.with_name(f"{folder.name}.build")):
            if not folder.is_dir():
                build(region, source, folder, n_events, random_state, progress)
    return folder


@lru_cache(maxsize=4)
def _read(folder):
    opened, _ = open_fields(folder)
    return opened, provenance.digest_arrays(opened.arrays())
