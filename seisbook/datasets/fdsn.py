"""One data centre: ObsPy's client of the FDSN web services, with limits on its patience and on what it accepts.

A server may be busy, be silent, break off, or send a web page in place of a seismogram. ObsPy's client raises a
different error for each of these, waits for as long as some bytes arrive, and keeps whatever comes in memory. Here, an
answer has a longest time and a largest size, it is read before it counts, and a request that stumbled is made again
after a while.
"""

import http.client
import io
import logging
import tempfile
import time
import urllib.error
import urllib.request
import warnings
from functools import partial
from pathlib import Path

import obspy
from obspy.clients.fdsn import Client
from obspy.clients.fdsn.header import (
    URL_MAPPINGS,
    FDSNBadRequestException,
    FDSNException,
    FDSNForbiddenException,
    FDSNNoDataException,
    FDSNRequestTooLargeException,
    FDSNUnauthorizedException,
)
from obspy.io.mseed import InternalMSEEDWarning

from seisbook.catalogues.formats import read_file
from seisbook.errors import DataError, UserError, one_line

log = logging.getLogger(__name__)
SECONDS_OF_SILENCE, SECONDS_IN_ALL = 30.0, 600.0  # after which an answer is given up
MOST_BYTES = 300e6  # of one answer: the responses of a whole country's network have 50 MB
WAITS_S = (2.0, 10.0, 30.0)  # before a request is made again
LONGEST = 160  # letters of what a server says
FINAL = (
    FDSNBadRequestException,
    FDSNUnauthorizedException,
    FDSNForbiddenException,
    FDSNRequestTooLargeException,
)
"""Refusals that asking again does not change."""
PASSING = (FDSNException, http.client.HTTPException, OSError, DataError)
"""What may be gone when the request is made again; `OSError` holds broken connections and time-outs."""


class NoData(Exception):
    """The server has nothing of what was asked for."""


class Failed(Exception):
    """A request came to nothing, however often it was made; the message says why."""


class _Broken(urllib.error.URLError):
    """An answer that did not arrive as a whole; ObsPy's client expects errors of this kind."""

    def __str__(self):
        return str(self.reason)


class _TooLarge(_Broken):
    """An answer was larger than it may be."""


class _Limits(urllib.request.BaseHandler):
    """Puts limits on the reading of every answer."""

    def http_response(self, request, response):
        response.read = partial(_read_within_limits, response)
        return response

    https_response = http_response


def _read_within_limits(response, amount=-1):
    """All that a server sends: ObsPy always asks for the whole answer, and does not close it."""
    announced, parts, size, start = response.headers.get("Content-Length"), [], 0, time.monotonic()
    with response:
        while announced is None or size < int(announced):
            part = _next_part(response)
            if not part:
                break
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                raise _TooLarge(f"its answer has more than {MOST_BYTES / 1e6:g} MB")
            if time.monotonic() - start > SECONDS_IN_ALL:
                raise _Broken(f"its answer was not complete after {SECONDS_IN_ALL:g} s")
    if announced is not None and size < int(announced):
        raise _Broken(f"its answer broke off after {size} of {int(announced)} bytes")
    return b"".join(parts)


def _next_part(response):
    try:
        return response.read1()
    except (http.client.HTTPException, OSError) as error:
        raise _Broken(f"its answer broke off: {_said(error)}") from None


class _Client(Client):
    """ObsPy's client with the limits; it asks for no compression, which would hide how large an answer is."""

    def __init__(self, name):
        super().__init__(name, timeout=SECONDS_OF_SILENCE, use_gzip=False)

    def _set_opener(self, user, password):
        super()._set_opener(user, password)
        self._url_opener.add_handler(_Limits())


class Server:
    """A data centre that gives seismograms and responses.

    Parameters
    ----------
    name : str
        One of the names that ObsPy knows, such as `SCEDC`, or an address such as `http://127.0.0.1:8080`.

    Raises
    ------
    UserError
        If there is no such server, or it has not both services, `dataselect` and `station`.
    """

    def __init__(self, name):
        self.name = name
        if name.isalpha() and name.upper() not in URL_MAPPINGS:
            raise UserError(f"{name}: no server of this name: give an address, or one of {', '.join(URL_MAPPINGS)}")
        try:
            self._client = _patiently(lambda: _client(name))
        except (Failed, NoData) as error:
            raise UserError(
                f"{name}: the server cannot be asked ({error}): connect to the internet, try again later, or give "
                "another with --server"
            ) from None
        if missing := {"dataselect", "station"} - set(self._client.services):
            raise UserError(f"{name}: a server without the service {min(missing)}: give another with --server")

    def inventory(self, codes, start, end, box) -> bytes:
        """StationXML of stations with their responses.

        Parameters
        ----------
        codes : list of str
            Codes of the stations, of whatever network.
        start, end : UTCDateTime
            Channels that were open at some time between.
        box : dict
            `minlatitude`, `maxlatitude`, `minlongitude`, `maxlongitude`: elsewhere, others have the same codes.

        Raises
        ------
        NoData, Failed
        """
        wanted = {"station": ",".join(codes), "startbefore": end, "endafter": start, "level": "response", **box}
        return _patiently(lambda: _inventory(self._bytes(self._client.get_stations, **wanted)))

    def seismograms(self, bulk) -> obspy.Stream:
        """Seismograms of some channels.

        Parameters
        ----------
        bulk : list of tuple
            Network, station, location, channel, start and end of each.

        Raises
        ------
        NoData, Failed
        """
        return _patiently(lambda: _seismograms(self._bytes(self._client.get_waveforms_bulk, bulk)))

    @staticmethod
    def _bytes(ask, *arguments, **options):
        answer = io.BytesIO()
        ask(*arguments, filename=answer, **options)
        if not answer.getvalue():
            raise NoData("its answer is empty")
        return answer.getvalue()


def _client(name):
    """ObsPy's client, which reads how the services of a server describe themselves."""
    try:
        return _Client(name)
    except (*PASSING, ValueError):
        raise
    except Exception as error:  # ObsPy raises whatever a page that is no description leads it to
        raise DataError(f"its services do not describe themselves ({_said(error)})") from None


def _patiently(ask):
    """What a request returns, made again after each of `WAITS_S` if it stumbles."""
    for wait_s in (*WAITS_S, None):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of ObsPy about parameters that a server does not list
                return ask()
        except FDSNNoDataException:
            raise NoData("it has no data") from None
        except (*FINAL, _TooLarge, ValueError) as error:  # ObsPy raises ValueError for an address that is none
            raise Failed(_said(error)) from None
        except PASSING as error:
            if wait_s is None:
                raise Failed(_said(error)) from None
            log.warning("%s: asked again in %g s", _said(error), wait_s)
        time.sleep(wait_s)


def _said(error):
    """What a server said, on one short line."""
    text = " ".join(str(error).replace("Detailed response of server:", "").split()) or type(error).__name__
    return one_line(text, longest=10 * LONGEST)[:LONGEST].rstrip(" .")


def _inventory(content):
    """StationXML as it came, once ObsPy has read it."""
    with tempfile.TemporaryDirectory(prefix="seisbook-") as folder:
        path = Path(folder) / "responses.xml"
        path.write_bytes(content)
        try:
            read_file(path, "inventory")
        except Exception as error:  # ObsPy raises whatever its readers raise
            raise DataError(f"its answer is no StationXML ({_said(error)})") from None
    return content


def _seismograms(content):
    """The traces of miniSEED, every record of it whole."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", InternalMSEEDWarning)
            stream = obspy.read(io.BytesIO(content), format="MSEED")
    except Exception as error:  # ObsPy raises whatever its reader raises
        raise DataError(f"its answer is no whole miniSEED ({_said(error)})") from None
    if not stream or len(content) % min(trace.stats.mseed.record_length for trace in stream):
        raise DataError("its answer is no whole miniSEED (its last record is broken off)")
    return stream
