"""Uturuncu, Bolivia: NonLinLoc's locations and picks of 50 events of June 2011 (network XP, Hudson et al.).

The source gives one `.hyp` file and one miniSEED file an event. The miniSEED file begins at the origin time of the
location and is named after it. There are no magnitudes.
"""

from pathlib import Path

import obspy
import pandas as pd

from seisbook.catalogues import obspy_events
from seisbook.catalogues.bulletins import entries_of
from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.formats import read_file
from seisbook.catalogues.plausibility import possible_catalogue
from seisbook.catalogues.remarks import Remarks
from seisbook.catalogues.schema import Station
from seisbook.errors import UserError

HYPOCENTRES, SEISMOGRAMS = "NLLoc_data", "mseed_data"
RESPONSES = "instrument_gain_data/IRISDMC-Plutons_dataless.dataless"
NAME = "%Y%m%d%H%M%S"
"""An event is called after the second of its origin time, as its miniSEED file is."""


def read_uturuncu(folder) -> Catalogue:
    """Read the catalogue of the Uturuncu events.

    Parameters
    ----------
    folder : path
        `uturuncu` of the real data.

    Returns
    -------
    Catalogue
        50 events of network `uturuncu` without magnitudes. The additional columns `trace_p_uncertainty_s` and
        `trace_s_uncertainty_s` of the readings are the standard errors of the picks. The locator's weight of a reading
        is 0 where its onset lies outside the grid or far from the location. An onset before the origin time is left
        out with a remark, because the record of the event does not cover it.

    Raises
    ------
    UserError
        If the folder holds no `.hyp` file.
    DataError
        If a file is not one of NonLinLoc; the message names it.
    """
    paths = sorted((Path(folder) / HYPOCENTRES).glob("*.hyp"))
    if not paths:
        raise UserError(f"{Path(folder) / HYPOCENTRES}: holds no .hyp files: name the folder of the Uturuncu events")
    remarks, events, readings = Remarks(), [], []
    for entry in (entry for path in paths for entry in entries_of(path, remarks)[0]):
        event, rows = obspy_events.rows(entry.event, entry.place, remarks) or (None, [])
        if event is None:
            continue
        source_id = pd.Timestamp(event["source_origin_time"]).strftime(NAME)
        events.append({**event, "source_id": source_id, "source_text": "", "source_text_kind": ""})
        readings += [{**row, "source_id": source_id} for row in _with_errors(rows, entry.event)]
    catalogue = possible_catalogue("uturuncu", "waveform", events, readings, remarks.close())
    return _in_the_record(catalogue)


def read_uturuncu_stations(folder) -> list[Station]:
    """Stations of the file of responses, at their places of June 2011."""
    during = obspy.UTCDateTime(2011, 6, 15)
    inventory = read_file(Path(folder) / RESPONSES, "inventory").select(time=during)
    return [
        Station(one.code, round(one.latitude, 4), round(one.longitude, 4), round(one.elevation), network.code)
        for network in inventory
        for one in network
    ]


def _with_errors(rows, event):
    """Add the standard error of each pick that became an onset."""
    times = {(pick.waveform_id.station_code, pick.phase_hint): pick.time_errors.uncertainty for pick in event.picks}
    for row in rows:
        for wave in "ps":
            row[f"trace_{wave}_uncertainty_s"] = times.get((row["station_code"], wave.upper()))
    return rows


def _in_the_record(catalogue):
    """The catalogue without onsets before the origin time, at which every record begins."""
    early = catalogue.readings.path_p_travel_s < 0
    names = catalogue.readings.source_id[early] + ": P at " + catalogue.readings.station_code[early]
    catalogue.skipped += [
        f"{name} left out: it is before the origin time, and the record begins there" for name in names
    ]
    catalogue.readings = catalogue.readings[~early].reset_index(drop=True)
    return catalogue
