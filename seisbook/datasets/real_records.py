"""Real records of volcano-tectonic earthquakes under Uturuncu (Bolivia, June 2011), from which texture is measured.

The 50 events were recorded by up to 22 stations. Their seismograms begin at the origin time, and have P picks and some
S picks that were published with NonLinLoc's locations. They are used for what they look like, never as labels of place.
"""

from typing import NamedTuple

import numpy as np
import obspy

from seisbook import provenance
from seisbook.catalogues import sources
from seisbook.catalogues.schema import Window
from seisbook.datasets.waveforms import cut, read_stream
from seisbook.errors import DataError

NETWORK = "uturuncu"
WINDOW = Window(length_s=60.0, sampling_rate_hz=100.0, lead_s=(1.0, 1.0))  # nothing is cut by the lead


class RealRecords(NamedTuple):
    """Records with their picks: `velocity` (records, 3, samples) in counts, Z, N, E; `onset_s` (records, 2), P and S in
    seconds after the first sample, NaN where none was picked; `azimuth_deg` (records,) from the epicentre; `station`
    (records,).
    """

    velocity: np.ndarray
    onset_s: np.ndarray
    azimuth_deg: np.ndarray
    station: np.ndarray


@provenance.remember
def uturuncu() -> RealRecords:
    """Records with a P pick.

    Raises
    ------
    UserError
        If the files are not on this machine and cannot be fetched.
    """
    folder = sources.folder(NETWORK)
    parts = []
    for path in sorted((folder / "NLLoc_data").glob("*.hyp")):
        event = obspy.read_events(str(path), format="NLLOC_HYP")[0]
        name = event.origins[0].time.strftime("%Y%m%d%H%M%S")
        found = folder / "mseed_data" / f"{name}.m"
        if found.is_file():
            parts.append(_of_event(event, read_stream(found)))
    records = RealRecords(*(np.concatenate(values) for values in zip(*filter(None, parts), strict=True)))
    arrays = {"velocity": records.velocity, "onset_s": records.onset_s}
    provenance.note(f"file:{NETWORK}", provenance.digest_arrays(arrays))
    return records


def _of_event(event, stream):
    """Records of an event, or None if none can be used."""
    start = min(trace.stats.starttime for trace in stream)
    picks = {}
    azimuth = {arrival.pick_id: arrival.azimuth for arrival in event.origins[0].arrivals}
    for pick in event.picks:
        where = picks.setdefault(pick.waveform_id.station_code, [np.nan, np.nan, 0.0])
        if pick.phase_hint in ("P", "S"):
            where["PS".index(pick.phase_hint)] = pick.time - start
            where[2] = azimuth.get(pick.resource_id) or where[2]
    codes = sorted(code for code, found in picks.items() if found[0] > 0)
    try:
        waveforms, table = cut(stream, codes, start, WINDOW, None, [])
    except DataError:
        return None
    if not len(table):
        return None
    known = np.array([picks[code] for code in table.index])
    return waveforms, known[:, :2], known[:, 2], table.index.to_numpy(str)
