"""Records of accelerometers as miniSEED and StationXML, where a source gives neither."""

from pathlib import Path

import numpy as np
import obspy
from obspy.core.inventory import Channel, Inventory, Network, Response, Site, Station

COMPONENTS = ("HNZ", "HNN", "HNE")
RESPONSES = "responses.xml"


def write_records(folder, records, stations, counts_per_m_s2) -> tuple[Path, Path]:
    """Write one miniSEED file an event, and the response of all instruments.

    Parameters
    ----------
    folder : path
    records : iterable of (str, obspy Stream)
        The `source_id` and the traces of each event, with channels of `COMPONENTS`.
    stations : list of seisbook.catalogues.schema.Station
    counts_per_m_s2 : float
        What a sample of 1 stands for: the response is flat to acceleration.

    Returns
    -------
    Path, Path
        The folder, and the StationXML file.
    """
    folder = Path(folder)
    for source_id, stream in records:
        stream.write(folder / f"{source_id}.mseed", format="MSEED", encoding="FLOAT32")
    path = folder / RESPONSES
    of_accelerometers(stations, counts_per_m_s2).write(path, format="STATIONXML")
    return folder, path


def of_accelerometers(stations, counts_per_m_s2) -> Inventory:
    """Inventory of stations with three components of an accelerometer, flat to acceleration."""
    response = Response.from_paz([], [], counts_per_m_s2, 1.0, "M/S**2", "COUNTS")
    networks = {}
    for one in stations:
        place = {"latitude": one.latitude, "longitude": one.longitude, "elevation": one.elevation_m}
        channels = [Channel(name, "", **place, depth=0.0, response=response) for name in COMPONENTS]
        networks.setdefault(one.network, []).append(Station(one.code, **place, channels=channels, site=Site(one.code)))
    return Inventory([Network(code, stations=own) for code, own in networks.items()], source="seisbook")


def trace(station, component, start, sampling_rate_hz, samples) -> obspy.Trace:
    """One component as ObsPy has it: `component` is Z, N or E, `start` seconds since 1970."""
    header = {
        "network": station.network,
        "station": station.code,
        "channel": f"HN{component}",
        "starttime": obspy.UTCDateTime(start),
        "sampling_rate": sampling_rate_hz,
    }
    return obspy.Trace(np.asarray(samples, np.float32), header)
