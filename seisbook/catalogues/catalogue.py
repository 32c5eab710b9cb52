"""A catalogue in memory: one table of events, one of readings, whatever file or simulator they came from.

The columns are SeisBench's where SeisBench has a name for the thing. Times of arrival are kept relative to the origin
time, in seconds, so that nothing rolls over at midnight.

Columns of `events`, indexed by `source_id`:

=================================  =========================================================================
source_origin_time                 UTC, `datetime64[ns, UTC]`
source_latitude_deg                degrees
source_longitude_deg               degrees
source_depth_km                    km below sea level
source_magnitude                   the label (NaN if the source gives none)
source_magnitude_type              `ML`, ... (empty if the source does not say)
source_latitude_uncertainty_km     formal standard error towards north, as the source states it (NaN if none)
source_longitude_uncertainty_km    towards east
source_depth_uncertainty_km        in depth
source_type                        event class (`tectonic`, `deep_nest`, ...; `unknown` where the source does not say)
source_text                        bulletin text, verbatim (empty if none)
source_text_kind                   `observed`, `templated` or empty
=================================  =========================================================================

Columns of `readings`, one row per event and station:

==================================  =========================================================================
source_id                           the event
station_code                        the station
path_p_travel_s, path_s_travel_s    onset minus origin time, s (NaN where not read)
trace_p_status, trace_s_status      `manual`, `automatic`, `simulated`, or empty where there is no onset
trace_p_onset, trace_s_onset        `impulsive`, `emergent`, or empty
trace_p_weight, trace_s_weight      the analyst's weight, 1 (full) to 0 (not used); NaN where not read
trace_p_polarity                    `positive`, `negative`, or empty
path_p_residual_s, ...s_residual_s  the locator's residual, s (NaN where not stated)
trace_amplitude_nm                  peak ground displacement in the Wood-Anderson band, nm (NaN where not read)
trace_amplitude_period_s            its period, s
==================================  =========================================================================
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

EVENT_COLUMNS = {
    "source_origin_time": "datetime64[ns, UTC]",
    "source_latitude_deg": float,
    "source_longitude_deg": float,
    "source_depth_km": float,
    "source_magnitude": float,
    "source_magnitude_type": str,
    "source_latitude_uncertainty_km": float,
    "source_longitude_uncertainty_km": float,
    "source_depth_uncertainty_km": float,
    "source_type": str,
    "source_text": str,
    "source_text_kind": str,
}
READING_COLUMNS = {
    "source_id": str,
    "station_code": str,
    "path_p_travel_s": float,
    "path_s_travel_s": float,
    "trace_p_status": str,
    "trace_s_status": str,
    "trace_p_onset": str,
    "trace_s_onset": str,
    "trace_p_weight": float,
    "trace_s_weight": float,
    "trace_p_polarity": str,
    "path_p_residual_s": float,
    "path_s_residual_s": float,
    "trace_amplitude_nm": float,
    "trace_amplitude_period_s": float,
}


def _typed(rows, columns):
    """A table with `columns` first, in order; what a source does not give is NaN or an empty string."""
    table = pd.DataFrame(rows)
    for name, kind in columns.items():
        if name not in table:
            table[name] = "" if kind is str else (np.nan if kind is float else pd.NaT)
        table[name] = table[name].fillna("").astype(str) if kind is str else _as_type(table[name], kind)
    return table[[*columns, *(name for name in table if name not in columns)]]


def _as_type(column, kind):
    """Numbers as they are; times by way of pandas' own conversion, which alone accepts a column without any."""
    return pd.to_datetime(column, utc=True).astype(kind) if "datetime" in str(kind) else column.astype(kind)


@dataclass
class Catalogue:
    """Events and readings of one network from one source.

    Parameters
    ----------
    network : str
        Name of the network.
    source : {"bulletin", "simulated", "waveform"}
    events, readings : DataFrame
        As described in the module's documentation.
    skipped : list of str
        What the reader left out and why, one line each, with file and line number.
    """

    network: str
    source: str
    events: pd.DataFrame
    readings: pd.DataFrame
    skipped: list[str] = field(default_factory=list)

    @classmethod
    def from_rows(cls, network, source, events, readings, skipped=()):
        """Build from lists of dicts: `events` with the key `source_id`, both with any of the documented columns.

        Columns that are not documented above (a second location, a quality letter) are kept, after those that are.
        """
        table = _typed(events, {"source_id": str, **EVENT_COLUMNS}).set_index("source_id")
        return cls(network, source, table, _typed(readings, READING_COLUMNS), list(skipped))

    def __len__(self):
        return len(self.events)

    def arrays(self) -> dict:
        """The columns of both tables by name, for the hash of its content."""
        tables = {"events": self.events.reset_index(), "readings": self.readings}
        return {f"{name}.{column}": table[column].to_numpy() for name, table in tables.items() for column in table}

    def select(self, index):
        """The events at `index` (positions, a slice, or booleans), in that order, with their readings."""
        events = self.events.iloc[index]
        readings = self.readings[self.readings.source_id.isin(events.index)].reset_index(drop=True)
        return Catalogue(self.network, self.source, events, readings, self.skipped)

    def head(self, n):
        """The first `n` events, with their readings."""
        return self.select(slice(n))
