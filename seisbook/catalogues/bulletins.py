"""Real bulletins as catalogues: the shipped networks' own, SEISAN NORDIC, and whatever else ObsPy reads."""

import io
import logging
import re
import warnings
from pathlib import Path

import pandas as pd
from obspy.geodetics import degrees2kilometers
from obspy.io.nordic.core import read_nordic as obspy_read_nordic
from tqdm import tqdm

from seisbook import provenance
from seisbook.catalogues import amplitudes, duplicates, networks, obspy_events, sources
from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.formats import format_of, read_file
from seisbook.catalogues.networks import Network
from seisbook.catalogues.palm import read_palm
from seisbook.catalogues.remarks import Remarks
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
PHASE_HEADER = " STAT SP IPHASW D HRMM SECON CODA AMPLIT PERI AZIMU VELO AIN AR TRES W  DIS CAZ7"  # codespell:ignore
ADMINISTRATION = re.compile(r" ?(ACTION|OLDACT|SPEC)")  # text-line tags that hold bookkeeping and spectra
XML = ("QUAKEML", "SCML", "SC3ML")


@provenance.stage
def read_bulletin(network: Network | str, period: str | None = None) -> Catalogue:
    """The real bulletin of a shipped network.

    Parameters
    ----------
    network : Network or str
        `colombia` or `ridgecrest`.
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
        Files of event blocks that blank lines separate (Latin-1).
    network : str
        Name of the network, the prefix of every `source_id`.

    Returns
    -------
    Catalogue
        Every event with a hypocentre. The magnitude is the bulletin's ML. Text lines are kept verbatim, but for the
        administrative ones. `skipped` lists, with file and line number, what was left out or repaired: events without a
        hypocentre, duplicated events, readings or whole events that ObsPy cannot read.

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
    found, remarks = [], Remarks()
    for path in map(Path, paths):
        blocks = _nordic_blocks(path)
        with warnings.catch_warnings():
            # ObsPy warns of every header column that QuakeML has no place for
            warnings.simplefilter("ignore")
            for number, lines in tqdm(blocks, desc=path.name, unit="event", leave=False, delay=2, disable=None):
                event = _nordic_event(path, number, lines, remarks.lines)
                rows = event and obspy_events.rows(event, f"{path}:{number}", remarks, nordic=True)
                if rows:
                    text = "\n".join(_nordic_text(lines))
                    rows[0].update(source_text=text, source_text_kind="observed" if text else "")
                    found.append(rows)
    return duplicates.assemble(network, found, remarks)


def reading_geometry(*paths: str | Path) -> pd.DataFrame:
    """Epicentre, and distance (km) and azimuth (degrees) to the station, of every reading of NORDIC files.

    Returns
    -------
    DataFrame
        Columns `station_code`, `latitude`, `longitude`, `distance_km`, `azimuth_deg`: what
        `seisbook.catalogues.stations.locate_from_readings` needs.
    """
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in map(Path, paths):
            for number, lines in _nordic_blocks(path):
                event = _nordic_event(path, number, lines, [])
                if event is not None and event.origins[0].latitude is not None:
                    rows += _geometry_rows(event)
    return pd.DataFrame(rows, columns=["station_code", "latitude", "longitude", "distance_km", "azimuth_deg"])


def _geometry_rows(event):
    origin = event.origins[0]
    stations = {pick.resource_id.id: pick.waveform_id.station_code for pick in event.picks}
    for arrival in origin.arrivals:
        if arrival.distance is not None and arrival.azimuth is not None:
            code = stations[arrival.pick_id.id]
            yield code, origin.latitude, origin.longitude, degrees2kilometers(arrival.distance), arrival.azimuth


def _nordic_blocks(path):
    """Event blocks of a file: (number of the first line, lines)."""
    if not path.is_file():
        raise UserError(f"{path}: no such bulletin; check the path")
    blocks, block = [], []
    for number, line in enumerate(path.read_text(encoding="latin-1").splitlines(), 1):
        if line.strip():
            if not block:
                blocks.append((number, block))
            block.append(line)
        elif block:
            block = []
    if not any(lines[0].ljust(80)[79] == "1" for _, lines in blocks):
        raise DataError(f"{path}: no NORDIC event (an 80-column line that ends in '1'); use read_catalogue instead")
    return blocks


def _nordic_event(path, first, lines, skipped):
    """ObsPy's event of one block, mended where a line keeps ObsPy from reading it; None if nothing helps."""
    tagged = [(first + i, line.ljust(80)[:80]) for i, line in enumerate(lines)]
    picks = [(number, line) for number, line in tagged if line[79] in " 4"]
    header = [line for _, line in tagged if line[79] in "1EHI7"]
    if picks and not any(line[79] == "7" for line in header):
        skipped.append(f"{path}:{first}: repaired: the block has readings but no line of column titles; one was added")
        header.append(PHASE_HEADER)
    spliced = [number for number, line in picks if line.startswith(" SPEC")]
    for number in spliced:
        skipped.append(f"{path}:{number}: repaired: a reading is printed over a SPEC line; the line was left out")
    picks = [(number, line) for number, line in picks if number not in spliced]
    try:
        return _through_obspy(header + [line for _, line in picks])
    except Exception:  # ObsPy's reader raises whatever its slices run into
        return _without_bad_readings(path, first, header, picks, skipped)


def _without_bad_readings(path, first, header, picks, skipped):
    """The event without the readings that ObsPy cannot read."""
    try:
        _through_obspy(header)
    except Exception as error:
        skipped.append(f"{path}:{first}: event left out: its header cannot be read ({_reason(error)})")
        return None
    good = []
    for number, line in picks:
        try:
            _through_obspy([*header, line])
            good.append(line)
        except Exception as error:
            skipped.append(f"{path}:{number}: reading left out: it cannot be read ({_reason(error)})")
    return _through_obspy(header + good)


def _through_obspy(lines):
    return obspy_read_nordic(io.StringIO("\n".join(lines) + "\n\n"))[0]


def _reason(error):
    return f"{type(error).__name__}: {' '.join(str(error).split())[:100]}"


def _nordic_text(lines):
    """Text of a block (line types 2 and 3), without column 1, which is always blank."""
    tagged = [line.ljust(80) for line in lines]
    return [line[1:79].rstrip() for line in tagged if line[79] in "23" and not ADMINISTRATION.match(line)]


# -------------------------------------------------------------------------------------------- anything that ObsPy reads


def read_catalogue(path: str | Path, network: str) -> Catalogue:
    """Read a catalogue in any format that ObsPy knows: QuakeML, HypoDD, GSE2, NORDIC, ...

    Parameters
    ----------
    path : str or Path
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
        If ObsPy cannot read it.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such catalogue; check the path")
    if _looks_nordic(path):
        return read_nordic(path, network=network)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            catalogue = read_file(path, "event")
    except Exception as error:  # one kind per format
        raise DataError(f"{path}: ObsPy cannot read it ({_reason(error)}); export it as QuakeML or NORDIC") from None
    remarks, units = Remarks(), _amplitude_units(path)
    found = [
        obspy_events.rows(event, f"{path}: event {i}", remarks, units=units) for i, event in enumerate(catalogue, 1)
    ]
    return duplicates.assemble(network, [rows for rows in found if rows], remarks)


def _amplitude_units(path):
    return amplitudes.stated_units(path) if format_of(path, "event") in XML else {}


def _looks_nordic(path):
    with path.open(encoding="latin-1") as file:
        first = next((line.rstrip("\r\n") for line in file if line.strip()), "")
    return bool(re.match(r"^ \d{4} [ \d]{2}[ \d]{2}.{69}1$", first))
