"""A data centre on this machine: the FDSN services `dataselect` and `station`, which can be told to misbehave."""

import io
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import obspy
from obspy.clients.fdsn.header import DEFAULT_PARAMETERS, OPTIONAL_PARAMETERS

from seisbook.catalogues import accelerometers

WADL = """<?xml version="1.0"?>
<application xmlns="http://wadl.dev.java.net/2009/02"><resources base="http://127.0.0.1/fdsnws/{service}/1/">
<resource path="query"><method id="query" name="GET"><request>{parameters}</request></method></resource>
</resources></application>"""
HTML = b"<!DOCTYPE html><html><body>Please log in to the wireless network.</body></html>"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(None)

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def answer(self, bulk):
        service, _, what = self.path.removeprefix("/fdsnws/").partition("/1/")
        if what.startswith("application.wadl"):
            if service in self.server.services:
                return self.server.describe(self, wadl(service))
            return self.send(b"", 404)
        if not what.startswith("query"):
            return self.send(b"", 404)
        self.server.asked.append((service, bulk or self.path))
        faults = self.server.faults.get(service, [])
        fault = faults.pop(0) if faults else None
        content = self.server.seismograms(bulk) if service == "dataselect" else self.server.responses
        if fault is not None:
            return fault(self, content)
        self.send(content, 200 if content else 204)

    def send(self, content, code=200, announced=None):
        self.send_response(code)
        self.send_header("Content-Length", str(len(content) if announced is None else announced))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(content)

    def log_message(self, *arguments):
        pass


def wadl(service):
    names = {name[0] if isinstance(name, tuple) else name for name in (*DEFAULT_PARAMETERS[service],)}
    names |= set(OPTIONAL_PARAMETERS[service])
    parameters = "".join(f'<param name="{name}" style="query" type="xs:string"/>' for name in sorted(names))
    return WADL.format(service=service, parameters=parameters).encode()


# -------------------------------------------------------------------------------------------------------------- faults


def status(code, text=b"Error: the archive is being repaired"):
    """Answer with a status."""
    return lambda handler, content: handler.send(b"" if code == 204 else text, code)


def garbage(content=b"\x00\xff" * 4000):
    """Answer with something else."""
    return lambda handler, _: handler.send(content)


def broken_off(handler, content):
    """Announce everything, and send a part of it."""
    handler.send(content[: len(content) // 2], announced=len(content))


def torn(handler, content):
    """Send a part that ends within a record, and announce no more."""
    handler.send(content[: len(content) // 2 + 7])


def endless(handler, content):
    """Announce nothing, and never stop."""
    handler.send_response(200)
    handler.end_headers()
    with suppress(OSError):
        while True:
            handler.wfile.write(bytes(65536))


def hanging(handler, content):
    """Say nothing for longer than anybody waits."""
    with suppress(OSError):
        handler.server.let_go.wait(20)


def dripping(handler, content):
    """Send a byte now and then, so that the server is never silent."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    with suppress(OSError):
        for byte in content:
            handler.wfile.write(bytes([byte]))
            if handler.server.let_go.is_set():
                break
            time.sleep(0.02)


# -------------------------------------------------------------------------------------------------------------- server


class Centre(ThreadingHTTPServer):
    """The server: `archive` (an obspy Stream), `responses` (StationXML), `faults` (lists by service), `asked`."""

    daemon_threads = True

    def __init__(self, archive, responses):
        super().__init__(("127.0.0.1", 0), Handler)
        self.archive, self.responses = archive, responses
        self.faults, self.asked, self.services = {}, [], ("dataselect", "station")
        self.describe = Handler.send  # how the services describe themselves
        self.let_go = threading.Event()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def asked_for(self, service):
        """Requests of a service so far."""
        return [what for name, what in self.asked if name == service]

    def seismograms(self, bulk):
        """Whole traces that overlap what is asked for, as miniSEED: a data centre need not cut its records."""
        chosen = obspy.Stream()
        for line in bulk.splitlines():
            words = line.split()
            if len(words) != 6:
                continue
            network, station, location, channel = (word.replace("--", "") for word in words[:4])
            start, end = map(obspy.UTCDateTime, words[4:])
            for trace in self.archive.select(network=network, station=station, location=location, channel=channel):
                if trace.stats.starttime <= end and trace.stats.endtime >= start:
                    chosen += trace
        return written(chosen)


def written(stream):
    """The bytes of a stream as miniSEED."""
    file = io.BytesIO()
    if stream:
        stream.write(file, format="MSEED", reclen=512)
    return file.getvalue()


def responses(inventory):
    """The bytes of an inventory as StationXML."""
    file = io.BytesIO()
    inventory.write(file, format="STATIONXML")
    return file.getvalue()


def instruments(stations, band="HH", counts=1e9):
    """StationXML of stations with one three-component instrument each, whose channels are of this band."""
    made = accelerometers.of_accelerometers(stations, counts)
    for station in (station for network in made for station in network):
        for channel in station:
            channel.code, channel.sample_rate = band + channel.code[2], 100.0
    return made


@contextmanager
def running(archive, responses):
    """A data centre as long as the context."""
    centre = Centre(archive, responses)
    thread = threading.Thread(target=centre.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield centre
    finally:
        centre.let_go.set()
        centre.shutdown()
        centre.server_close()
        thread.join()


# ---------------------------------------------------------------------------------------------------- made-up records


def trace(network, station, component, onset, length_s=120.0, rate_hz=100.0):
    """A seismogram in whole counts, about an onset (UTCDateTime): noise, and then a decaying wave of 4 Hz."""
    rng = np.random.default_rng(sum(map(ord, station + component)) + int(onset.timestamp))
    time = np.arange(round(length_s * rate_hz)) / rate_hz - length_s / 2
    after = np.maximum(time, 0)
    data = rng.standard_normal(len(time)) + 1000 * (time >= 0) * np.sin(2 * np.pi * 4 * after) * np.exp(-after)
    header = {"network": network, "station": station, "channel": f"HH{component}", "sampling_rate": rate_hz}
    return obspy.Trace(np.round(100 * data).astype("int32"), {**header, "starttime": onset - length_s / 2})


def made_up(catalogue, network) -> obspy.Stream:
    """Three components at every station of a network, about the events of a catalogue."""
    made = obspy.Stream()
    for when in catalogue.events.source_origin_time:
        origin = obspy.UTCDateTime(when.isoformat())
        for station in network.stations:
            made += obspy.Stream([trace(station.network, station.code, one, origin + 5) for one in "ZNE"])
    return made
