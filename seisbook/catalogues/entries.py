"""An event as a bulletin has it: ObsPy's event, with its place in the file.

The readers of text formats turn their lines into these, and `seisbook.catalogues.bulletins` makes a catalogue of them.
"""

from dataclasses import dataclass

from obspy import UTCDateTime
from obspy.core.event import Arrival, Event, Magnitude, Origin, Pick, WaveformStreamID

from seisbook.catalogues.texts import printable

ANALYST_WEIGHT = {"": 1.0, "0": 1.0, "1": 0.75, "2": 0.5, "3": 0.25, "4": 0.0, "9": 0.0}
"""Weight of HYPO71's codes, which SEISAN and hypoinverse use too; 9 is a clock that is not trusted."""
POLARITY = {"U": "positive", "C": "positive", "+": "positive", "D": "negative", "-": "negative"}
ONSET = {"I": "impulsive", "E": "emergent"}


@dataclass(frozen=True)
class Entry:
    """One event of a bulletin.

    Parameters
    ----------
    event : obspy.core.event.Event
        With one origin at least; picks, arrivals and amplitudes as the file has them.
    place : str
        File and line number.
    number : str
        The bulletin's own identifier of the event; empty if it has none.
    text : str or None
        What analysts wrote about it; None if that is in the event's comments.
    """

    event: Event
    place: str
    number: str = ""
    text: str | None = ""


def new_event(
    time: UTCDateTime,
    latitude: float,
    longitude: float,
    depth_km: float,
    magnitude: float | None = None,
    magnitude_type: str = "",
) -> Event:
    """An event with one origin and at most one magnitude; degrees and km."""
    event = Event(origins=[Origin(time=time, latitude=latitude, longitude=longitude, depth=1000 * depth_km)])
    if magnitude is not None:
        event.magnitudes = [Magnitude(mag=magnitude, magnitude_type=magnitude_type or None)]
    return event


def add_onset(
    event: Event,
    station: str,
    phase: str,
    time: UTCDateTime,
    weight: float = 1.0,
    residual_s: float | None = None,
    **kept,
):
    """Add a pick and its arrival to an event.

    Parameters
    ----------
    event : Event
        With one origin.
    station, phase : str
    time : UTCDateTime
    weight : float
        From 1 (full) to 0 (not used).
    residual_s : float, optional
    **kept
        `onset`, `polarity` and `evaluation_mode` of the pick, as ObsPy calls their values.
    """
    pick = Pick(time=time, waveform_id=WaveformStreamID(station_code=station), phase_hint=phase, **kept)
    event.picks.append(pick)
    arrival = Arrival(pick_id=pick.resource_id, phase=phase, time_weight=weight, time_residual=residual_s)
    event.origins[0].arrivals.append(arrival)


def said(error: Exception) -> str:
    """What an error says, as a part of a remark: on one line, and not at length."""
    return printable(" ".join(str(error).split()))[:100]


def reason(error: Exception) -> str:
    """Kind of an error and what it says; for those of other libraries, whose words alone mean little."""
    return f"{type(error).__name__}: {said(error)}"
