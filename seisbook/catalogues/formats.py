"""Files that ObsPy reads, in an explicit list of formats.

Without a format, ObsPy asks all of its plugins, one of which unpickles: a file from a stranger could run a command. A
file is recognised here by the plugins of `FORMATS` alone, and then read with the format that was found.

An XML file may define entities, which stand for other text. A few lines of them stand for gigabytes, and some stand for
other files of the reader's machine. QuakeML and StationXML need none, so a file that could define some is refused.
"""

import warnings
from pathlib import Path
from xml.parsers import expat

from obspy import read, read_events, read_inventory
from obspy.core.util.base import ENTRY_POINTS
from obspy.core.util.misc import buffered_load_entry_point

from seisbook.errors import DataError

FORMATS = {
    "waveform": (
        *("MSEED", "SAC", "GSE2", "GSE1", "SEISAN", "SEGY", "SU", "SEG2", "SH_ASC", "SLIST", "TSPAIR", "SACXY"),
        *("WIN", "CSS", "NNSA_KB_CORE", "AH", "KINEMETRICS_EVT", "GCF", "KNET", "REFTEK130", "RG16", "Y", "Q"),
    ),
    "event": (
        *("QUAKEML", "SCML", "SC3ML", "NLLOC_HYP", "IMS10BULLETIN", "GSE2", "CMTSOLUTION"),
        *("CSV", "CSZ", "EVENTTXT", "FNETMT", "FOCMEC", "MCHEDR", "NDK", "SCARDEC", "ZMAP"),
    ),
    "inventory": ("STATIONXML", "SCML", "SC3ML", "SEED", "XSEED", "RESP", "STATIONTXT", "INVENTORYXML"),
}
"""Formats by what they hold, the likeliest first. PICKLE is not among them. NORDIC and HypoDD have our own readers."""
UNKNOWN_ENCODING = expat.errors.codes[expat.errors.XML_ERROR_UNKNOWN_ENCODING]
READERS = {"waveform": read, "event": read_events, "inventory": read_inventory}


class UnknownFormat(DataError):
    """A file in none of `FORMATS`."""


def format_of(path, kind) -> str:
    """Name of a file's format.

    Parameters
    ----------
    path : path
    kind : {"waveform", "event", "inventory"}

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    UnknownFormat
        If it is in none of `FORMATS`; whoever reads names the file.
    DataError
        If it defines XML entities.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(path)
    _refuse_entities(path)
    known = ENTRY_POINTS[kind]
    for name in FORMATS[kind]:
        if name in known and _is_format(known[name], kind, path):
            return name
    raise UnknownFormat(f"in none of the {kind} formats that are read here")


class _Seen(Exception):
    """Raised at what ends the look into a file: its first element, or the definition of its document type."""


def _refuse_entities(path):
    """Refuse an XML file that defines a document type, the only place where entities can be defined."""
    parser, found = expat.ParserCreate(), []

    def see(kind):
        found.append(kind)
        raise _Seen

    parser.StartDoctypeDeclHandler = lambda *_: see("definition")
    parser.StartElementHandler = lambda *_: see("element")
    try:
        with Path(path).open("rb") as file:
            parser.ParseFile(file)
    except _Seen:
        pass
    except (expat.ExpatError, LookupError, ValueError) as error:  # what is not XML has no entities
        if getattr(error, "code", UNKNOWN_ENCODING) == UNKNOWN_ENCODING:
            raise DataError("its XML is in an encoding that is not known here: save it as UTF-8") from None
    if "definition" in found:
        raise DataError("it has a document type (<!DOCTYPE>), which may hide entities: remove it")


def _is_format(plugin, kind, path):
    recognise = buffered_load_entry_point(plugin.dist.name, f"obspy.plugin.{kind}.{plugin.name}", "isFormat")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what a plugin thinks of a file in another format
            return recognise(str(path))
    except Exception:  # a plugin that stumbles over a file does not know it
        return False


def read_file(path, kind, **options):
    """Stream, catalogue or inventory of a file, read by ObsPy in the format that it was recognised as.

    Parameters
    ----------
    path : path
    kind : {"waveform", "event", "inventory"}
    **options
        Of ObsPy's reader.
    """
    return READERS[kind](str(path), format=format_of(Path(path), kind), **options)
