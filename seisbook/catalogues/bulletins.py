"""Real bulletins as catalogues: the shipped networks' own, NORDIC and other text formats, and whatever ObsPy reads."""

import logging
import warnings
from pathlib import Path

from seisbook import provenance
from seisbook.catalogues import (
    amplitudes,
    associators,
    duplicates,
    hypo71,
    hypodd,
    hypoinverse,
    networks,
    nordic,
    obspy_events,
    palm_phases,
    sources,
)
from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.entries import Entry, reason
from seisbook.catalogues.formats import UnknownFormat, format_of, read_file
from seisbook.catalogues.networks import Network
from seisbook.catalogues.palm import read_palm
from seisbook.catalogues.remarks import Remarks
from seisbook.catalogues.texts import first_lines_of
from seisbook.errors import DataError, UserError

log = logging.getLogger(__name__)
BULLETINS = {
    "colombia": {
        "2018-02": ["colombia/rsnc-2018-02.out"],
        "1997-2015": ["colombia/rsnc-puerto-gaitan-1997-2015.out"],
        "all": ["colombia/rsnc-puerto-gaitan-1997-2015.out", "colombia/rsnc-2018-02.out"],
    },
    "ridgecrest": {"2019-07": ["ridgecrest/eg_pal_ct_full.pha", "ridgecrest/scsn-2019.catalog"]},
}
TEXT_FORMATS = (hypodd, hypoinverse, hypo71, associators)
NAMES = (*(one.NAME for one in TEXT_FORMATS), palm_phases.NAME)
KNOWN = ("QuakeML", "SCML", "NORDIC", *NAMES, "NonLinLoc", "IMS 1.0", "GSE2")
XML = ("QUAKEML", "SCML", "SC3ML")


@provenance.stage
def read_bulletin(network: Network | str, period: str | None = None) -> Catalogue:
    """The real bulletin of a shipped network, or of a user's own whose file names it.

    Parameters
    ----------
    network : Network or str
        `colombia` or `ridgecrest`; or one of `networks.load`, see `networks.bulletin_of`.
    period : str, optional
        Colombia: `2018-02` (the default), `1997-2015` or `all`. Ridgecrest has one period.

    Returns
    -------
    Catalogue
        Readings at stations that the network's file does not list are left out; `skipped` counts them.

    Raises
    ------
    UserError
        If the network has no bulletin or no such period, or its files cannot be had.
    DataError
        If a file is not the registered one, or cannot be read.
    """
    network = network if isinstance(network, Network) else networks.load(network)
    if files := networks.bulletin_of(network):
        return read_files(files, network)
    if network.name not in BULLETINS:
        known = ", ".join(BULLETINS)
        raise UserError(f"no bulletin of '{network.name}': choose one of {known}, or give your own with --catalogue")
    period = period or next(iter(BULLETINS[network.name]))
    catalogue = read_period(network, period)
    name = f"catalogue:{network.name}-{period}"
    provenance.note(name, provenance.content_of(name, catalogue.arrays()))
    return catalogue


def read_period(network: Network, period: str) -> Catalogue:
    """One period of a network's bulletin, see `read_bulletin`."""
    periods = BULLETINS[network.name]
    if period not in periods:
        raise UserError(f"{network.name} has no period '{period}': choose one of {', '.join(periods)}")
    paths = [sources.fetch(name) for name in periods[period]]
    read = read_palm(*paths) if network.name == "ridgecrest" else read_nordic(*paths, network=network.name)
    return at_known_stations(read, network)


def at_known_stations(catalogue: Catalogue, network: Network) -> Catalogue:
    """The catalogue without the readings at stations that the network does not list; `skipped` says how many."""
    known = catalogue.readings.station_code.isin([station.code for station in network.stations])
    unknown = catalogue.readings.station_code[~known].value_counts()
    skipped = list(catalogue.skipped)
    if len(unknown):
        counts = ", ".join(f"{code} {count}" for code, count in unknown.items())
        skipped.append(
            f"{network.name}: {unknown.sum()} readings left out, at {len(unknown)} unknown stations ({counts})"
        )
        log.info(skipped[-1])
    readings = catalogue.readings[known].reset_index(drop=True)
    return Catalogue(catalogue.network, catalogue.source, catalogue.events, readings, skipped)


# -------------------------------------------------------------------------------------------------------- SEISAN NORDIC


def read_nordic(*paths: str | Path, network: str) -> Catalogue:
    """Read SEISAN NORDIC bulletins through ObsPy, event by event.

    Parameters
    ----------
    *paths : str or Path
        Files of event blocks, in UTF-8 or Latin-1. A header begins an event even if the blank line before it is
        missing; see `seisbook.catalogues.nordic`.
    network : str
        Name of the network, the prefix of every `source_id`.

    Returns
    -------
    Catalogue
        Every event with a hypocentre. The magnitude is the bulletin's ML. Text lines are kept verbatim, but for the
        administrative ones. `skipped` lists, with file and line number, what was left out or repaired: events without a
        hypocentre, duplicated events, readings or whole events that ObsPy cannot read. It counts the events that are
        headers without readings, as in compact files.

    Raises
    ------
    UserError
        If there is no such file.
    DataError
        If a file holds no NORDIC event at all.

    Notes
    -----
    ObsPy drops the text lines, and one block that it cannot read costs the whole file; hence block by block. Analyst
    weights 0 or blank, 1, 2, 3, 4 become 1, 0.75, 0.5, 0.25, 0; weight 9 (differential times only) becomes 0.
    """
    remarks = Remarks()
    entries = [entry for path in paths for entry in nordic.read(path, remarks.lines)]
    return of_entries(network, entries, {"nordic": True}, remarks)


def of_entries(network, entries, how, remarks):
    """A catalogue of what `entries_of` returns."""
    found = []
    for entry in entries:
        rows = obspy_events.rows(entry.event, entry.place, remarks, **how)
        if rows:
            if entry.text is not None:
                rows[0].update(source_text=entry.text, source_text_kind="observed" if entry.text else "")
            if entry.number:
                rows[0]["number"] = entry.number
            found.append(rows)
    return duplicates.assemble(network, found, remarks)


# ------------------------------------------------------------------------------------------------------- any catalogue


def read_catalogue(path: str | Path, network: str) -> Catalogue:
    """Read a catalogue in any of the formats that are known here; its content says which.

    Parameters
    ----------
    path : str or Path
        - NORDIC (`seisbook.catalogues.nordic`), a HypoDD phase file (`hypodd`), a hypoinverse archive (`hypoinverse`),
          PALM's phase file (`palm_phases`), HYPO71's phase list and summary cards (`hypo71`). These modules say which
          columns are read.
        - GaMMA's or PyOcto's pair of CSV files: either of them, or their folder (`associators`).
        - What ObsPy reads: QuakeML, SeisComP's SCML, NonLinLoc, IMS 1.0, GSE2, and others
          (`seisbook.catalogues.formats`).
    network : str
        Name of the network, the prefix of every `source_id`.

    Returns
    -------
    Catalogue
        Preferred origin and magnitude of every event with a hypocentre, and its P and S readings.

    Raises
    ------
    UserError
        If there is no such file.
    DataError
        If it is in no known format, or damaged.
    """
    remarks = Remarks()
    if is_palm(path):
        return duplicates.assemble(network, palm_phases.rows(path, remarks.lines), remarks)
    return of_entries(network, *entries_of(path, remarks), remarks)


def read_files(paths, network: Network) -> Catalogue:
    """One catalogue of several files in any of the formats of `read_catalogue`, at the stations of a network."""
    parts = [read_catalogue(path, network.name) for path in paths]
    return at_known_stations(duplicates.joined(parts, paths), network)


def is_palm(path: str | Path) -> bool:
    """Whether a file is a phase file of PALM, whose events are not made into ObsPy's."""
    return Path(path).is_file() and palm_phases.recognise(first_lines_of(Path(path)))


def entries_of(path: str | Path, remarks: Remarks) -> tuple[list[Entry], dict]:
    """Events of a file as ObsPy has them, with all that it says of distances and azimuths; errors as `read_catalogue`.

    Parameters
    ----------
    path : str or Path
        Of any of the formats of `read_catalogue` but PALM's.
    remarks : Remarks
        Gets what cannot be read.

    Returns
    -------
    list of Entry
    dict
        How they are made into rows: arguments of `seisbook.catalogues.obspy_events.rows`.
    """
    path = Path(path)
    if path.is_dir():
        return associators.read(path, remarks.lines), {}
    if not path.is_file():
        raise UserError(f"{path}: no such catalogue; check the path")
    lines = first_lines_of(path)
    if nordic.is_nordic(lines):
        return nordic.read(path, remarks.lines), {"nordic": True}
    for text_format in TEXT_FORMATS:
        if text_format.recognise(lines):
            return text_format.read(path, remarks.lines), {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            catalogue = read_file(path, "event")
    except UnknownFormat:
        raise DataError(f"{path}: in no format that is known here: {', '.join(KNOWN)}") from None
    except Exception as error:  # one kind per format
        raise DataError(f"{path}: ObsPy cannot read it ({reason(error)}); export it as QuakeML or NORDIC") from None
    entries = [Entry(event, f"{path}: event {i}", text=None) for i, event in enumerate(catalogue, 1)]
    return entries, {"units": _amplitude_units(path)}


def _amplitude_units(path):
    return amplitudes.stated_units(path) if format_of(path, "event") in XML else {}
