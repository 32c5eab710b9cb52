"""Opening datasets: SeisBook's own, and any other in SeisBench's layout.

A dataset may be damaged, and it may come from a stranger. Before anything is made of it, this is checked:

- the hashes and counts of its card, if it is SeisBook's;
- that its HDF5 files refer to no other file;
- that every trace is where the table says;
- that places, times, rates and samples are finite numbers in a range that is possible.
"""

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import seisbench
from seisbench.data import MultiWaveformDataset, WaveformDataset

from seisbook.datasets import spreadsheets
from seisbook.datasets.store import COMPONENTS, FILES, MADE_BY, read_card
from seisbook.errors import DataError, UserError

log = logging.getLogger(__name__)
AGAIN = "build the dataset again, or get another copy of it"
NUMBERS = {
    "source_latitude_deg": (-90, 90),
    "source_longitude_deg": (-180, 360),
    "source_depth_km": (-10, 800),
    "station_latitude_deg": (-90, 90),
    "station_longitude_deg": (-180, 360),
    "trace_sampling_rate_hz": (0.01, 1e6),
}
"""Columns without which an event is no graph, with the range of what is possible."""
OPTIONAL_NUMBERS = {
    "source_magnitude": (-5, 10),
    "station_elevation_m": (-12_000, 9_000),
    "trace_p_arrival_sample": (-1e9, 1e9),
    "trace_s_arrival_sample": (-1e9, 1e9),
}
"""Columns that may lack values, or be absent: no magnitude, sea level, no onset."""
RENAMED = {"1": "N", "2": "E", "3": "Z"}
APART_S = 3600  # between the first samples of an event's traces: more is a mistake, and would fill the memory
EXPANSION = 2000  # of compressed samples; what claims more has not been stored
TOGETHER = 2**24  # samples that are checked at a time


@dataclass
class OpenedDataset:
    """A dataset that has been checked.

    Parameters
    ----------
    card : dict
        SeisBook's card, or an empty one if another program wrote the dataset.
    waveforms : seisbench.data.WaveformDataset or MultiWaveformDataset
        Gives traces as (traces, components Z N E, samples).
    metadata : DataFrame
        One row per trace, in the order of `waveforms`, with every column that is needed.
    place : str
        Where it was opened, for messages.
    unit : str
        Of the samples; empty if the dataset does not state it.
    """

    card: dict
    waveforms: WaveformDataset | MultiWaveformDataset
    metadata: pd.DataFrame
    place: str
    unit: str


def open_dataset(dataset, cache=False) -> OpenedDataset:
    """Open a dataset and check it.

    Parameters
    ----------
    dataset : path, seisbench.data.WaveformDataset or MultiWaveformDataset
        Folder of a SeisBook dataset or of any SeisBench dataset, or what SeisBench has opened.
    cache : bool
        Keep waveforms in memory after they have been read once.

    Raises
    ------
    UserError
        If the folder holds no dataset.
    DataError
        If a file is damaged, refers to another file, or lacks a column; the message names file and place.

    Notes
    -----
    All files of a folder are read once, to compare their hashes with the card's (about 0.1 s for 100 MB), or to find
    samples that are not finite where there is no hash.
    """
    if isinstance(dataset, (WaveformDataset, MultiWaveformDataset)):
        card, opened = {}, _copy(dataset)
        for part in _parts(opened):
            _check_files(part.path)
        hashed = False
    else:
        card, opened = _open_folder(Path(dataset), cache)
        hashed = "sha256" in card
    metadata = spreadsheets.restored(_checked(opened)) if card else _checked(opened)
    if not hashed:
        for part in _parts(opened):
            _check_traces(part, scan=not isinstance(dataset, (WaveformDataset, MultiWaveformDataset)))
    if card:
        _check_counts(card, metadata, Path(dataset))
    with _quiet_seisbench():
        for part in _parts(opened):
            _name_components(part)
        opened.sampling_rate, opened.missing_components = None, "pad"
        opened.component_order, opened.dimension_order = COMPONENTS, "NCW"
    unit = card.get("unit") or str(_parts(opened)[0].data_format.get("unit", ""))
    return OpenedDataset(card, opened, metadata, _place(opened), unit)


def _parts(dataset):
    return dataset.datasets if isinstance(dataset, MultiWaveformDataset) else [dataset]


def _copy(dataset):
    """A dataset of its own, so that what the caller has keeps its settings."""
    with _quiet_seisbench():
        return MultiWaveformDataset(dataset.datasets) if len(_parts(dataset)) > 1 else _parts(dataset)[0].copy()


def _place(dataset):
    return ", ".join(dict.fromkeys(str(part.path) for part in _parts(dataset)))


@contextmanager
def _quiet_seisbench():
    """Without SeisBench's warnings: what they are about is checked here, and becomes an error with a place."""
    before = seisbench.logger.level
    seisbench.logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        seisbench.logger.setLevel(before)


# --------------------------------------------------------------------------------------------------------------- files


def _open_folder(path, cache):
    """Card and dataset of a folder."""
    if (path / FILES[2]).is_file():
        card = read_card(path)
    elif list(path.glob("metadata*.csv")) and list(path.glob("waveforms*.hdf5")):
        card = {}
    else:
        raise UserError(
            f"{path}: not a SeisBook dataset (no {FILES[2]}), nor another one of SeisBench's layout (no metadata.csv "
            "with waveforms.hdf5): make one with `seisbook data build`"
        )
    made_here = _check_files(path)
    if made_here and not card:
        raise DataError(f"{path}: damaged ({FILES[2]} is missing): build the dataset again")
    try:
        with _quiet_seisbench():
            return card, WaveformDataset(
                path, component_order=COMPONENTS, dimension_order="NCW", cache="full" if cache else None
            )
    except KeyError as error:
        raise DataError(f"{path / FILES[1]}: no column {error}: {AGAIN}") from None
    except IndexError:  # SeisBench looks at the first row
        raise DataError(f"{path / FILES[1]}: no traces: {AGAIN}") from None
    except Exception as error:  # pandas, h5py and SeisBench raise whatever a damaged file leads them to
        raise DataError(f"{path / FILES[1]}: damaged ({_line(error)}): {AGAIN}") from None


def _line(error):
    return " ".join(str(error).split())[:200] or type(error).__name__


def _check_files(path):
    """Refuse HDF5 files that are damaged or refer to other files; say whether one of them was made by SeisBook."""
    if (path / "chunks").is_file() and "/" in (path / "chunks").read_text(encoding="utf-8", errors="replace"):
        raise DataError(f"{path / 'chunks'}: names files of other folders: {AGAIN}")
    made_here = [_check_hdf5(file) for file in sorted(path.glob("waveforms*.hdf5"))]
    return any(made_here)


def _check_hdf5(path):
    try:
        with h5py.File(path, "r") as file:  # a visit ends with the first answer that is not None
            fault = file.visititems_links(_fault_of_link) or file.visititems(_fault_of_storage)
            if fault is None and "data" not in file:
                fault = "damaged (no group data)"
            made_here = MADE_BY in file.attrs
    except Exception as error:  # h5py raises whatever a damaged file leads it to
        fault = f"damaged ({_line(error)})"
    if fault is not None:
        raise DataError(f"{path}: {fault}: {AGAIN}")
    return made_here


def _fault_of_link(name, link):
    return None if isinstance(link, h5py.HardLink) else f"{name} is a link to other data, which is not followed"


def _fault_of_storage(name, item):
    """What is wrong with an array of an HDF5 file, or None."""
    if not isinstance(item, h5py.Dataset):
        return None
    if item.external or item.is_virtual:
        return f"{name} lies in another file, which is not opened"
    if name.startswith("data/") and (item.dtype.kind not in "fiu" or item.ndim < 2):
        return f"{name} is no array of samples ({item.dtype}, {item.ndim} dimensions)"
    if item.nbytes > EXPANSION * max(item.id.get_storage_size(), 1):
        return f"{name} claims {item.nbytes} bytes that were never written"
    return None


def _check_counts(card, metadata, path):
    for name, found in (("n_traces", len(metadata)), ("n_events", metadata.source_id.nunique())):
        if card[name] != found:
            raise DataError(
                f"{path / FILES[1]}: damaged ({name} is {found}, {card[name]} in {FILES[2]}): build the dataset again"
            )


# --------------------------------------------------------------------------------------------------------------- table


def _checked(dataset):
    """The table of a dataset, with numbers where numbers belong, and with the columns that another program left out."""
    metadata = dataset.metadata.copy()
    place = f"{_place(dataset)}/{FILES[1]}"
    needed = {"trace_name", "source_id", "trace_start_time", "trace_component_order", *NUMBERS}
    if missing := [name for name in sorted(needed) if name not in metadata or metadata[name].isna().all()]:
        raise DataError(f"{place}: no column {', '.join(missing)}, or none of its values: add it, it cannot be guessed")
    of_event = metadata.source_id.notna()
    if not of_event.all():
        log.warning("%s: %d traces without source_id left out", place, (~of_event).sum())
    for name, (low, high) in {**NUMBERS, **OPTIONAL_NUMBERS}.items():
        given = metadata[name] if name in metadata else pd.Series(np.nan, metadata.index)
        values = pd.to_numeric(given, errors="coerce")
        wrong = given.notna() & ~values.between(low, high)
        if name in NUMBERS:
            wrong |= given.isna()
        _refuse(metadata, wrong & of_event, name, f"no number from {low:g} to {high:g}", place)
        if name not in metadata or values.dtype != metadata[name].dtype:
            metadata[name] = values
    if "source_origin_time" not in metadata:
        metadata["source_origin_time"] = pd.NaT
    _check_start_times(metadata, of_event, place)
    return metadata


def _check_start_times(metadata, of_event, place):
    start = pd.to_datetime(metadata.trace_start_time, format="ISO8601", utc=True, errors="coerce")
    _refuse(metadata, start.isna() & of_event, "trace_start_time", "no ISO 8601 time", place)
    late = start - start.groupby(metadata.source_id).transform("min") > pd.Timedelta(seconds=APART_S)
    _refuse(metadata, late, "trace_start_time", "over an hour after that of another trace of the event", place)


def _refuse(metadata, wrong, name, why, place):
    if wrong.any():
        row = metadata[wrong].iloc[0]
        where = f"row {row.get('index', row.name) + 1}, trace {row.trace_name}"
        raise DataError(f"{place}: {where}: {name} is {row.get(name)}, {why}: {AGAIN}")


# -------------------------------------------------------------------------------------------------------------- traces


def _check_traces(dataset, scan):
    """Refuse traces that are not in the HDF5 files where the table says; `scan` reads their samples, too."""
    order = dataset.data_format["dimension_order"]
    if sorted(order) != ["C", "W"]:
        raise DataError(f"{dataset.path}: dimension_order is {order}, neither CW nor WC: {AGAIN}")
    for chunk, traces in dataset.metadata.groupby("trace_chunk", sort=False):
        path = dataset.path / f"waveforms{chunk}.hdf5"
        names = traces.trace_name.astype(str).str.partition("$")
        with h5py.File(path, "r") as file:
            for block, rows in names.groupby(0, sort=False):
                samples = file["data"].get(block)
                if not isinstance(samples, h5py.Dataset):
                    raise DataError(f"{path}: damaged (no block {block}): {AGAIN}")
                for where, components in zip(rows[2], traces.trace_component_order[rows.index], strict=True):
                    if _shape(dataset, samples, where, order)[0] != len(str(components)):
                        what = f"trace {block}${where} is not there with components {components}"
                        raise DataError(f"{path}: damaged ({what}): {AGAIN}")
                if scan and not _is_finite(samples):
                    raise DataError(f"{path}: block {block} has samples that are NaN or infinite: {AGAIN}")


def _shape(dataset, samples, where, order):
    """Numbers of components and samples of one trace; zeros if it lies outside its block."""
    try:
        parts = dataset._parse_location(where or ":")
        index = [range(size)[part] for part, size in zip(parts, samples.shape, strict=False)]
    except (ValueError, IndexError, TypeError):
        return 0, 0
    left = [len(one) for one in index if isinstance(one, range)] + list(samples.shape[len(parts) :])
    if len(left) != 2 or not all(left):
        return 0, 0
    return left[order.index("C")], left[order.index("W")]


def _is_finite(samples):
    step = max(1, TOGETHER // max(1, int(np.prod(samples.shape[1:]))))
    return all(np.isfinite(samples[first : first + step]).all() for first in range(0, len(samples), step))


def _name_components(dataset):
    """Call 1, 2 and 3 north, east and vertical, unless there are such already, so that SeisBench finds them."""
    orders = dataset.metadata["trace_component_order"]
    names = {order: _renamed(str(order).upper(), dataset.path) for order in orders.unique()}
    if any(order != name for order, name in names.items()):
        dataset.metadata["trace_component_order"] = orders.map(names)


def _renamed(order, path):
    renamed = "".join(RENAMED[one] if RENAMED.get(one, one) not in order else one for one in order)
    if not set(renamed) & set(COMPONENTS):
        raise DataError(f"{path}: trace_component_order is {order}, without Z, N, E, 1, 2 or 3: {AGAIN}")
    if others := set(renamed) - set(COMPONENTS):
        log.warning("%s: components %s are not read", path, ", ".join(sorted(others)))
    return renamed
