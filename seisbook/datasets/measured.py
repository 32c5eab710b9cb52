"""Which amplitudes of a dataset were measured, and which were predicted from the label.

A seismogram that is rendered needs an amplitude. Where the bulletin has none, it is predicted from the event's
magnitude (`seisbook.physics.missing_readings`). If none of an event's amplitudes was measured, its seismograms repeat
its label: that a model finds this magnitude in them proves nothing, and it is not scored.
"""

import pandas as pd

STATUS, PREDICTED = "trace_amplitude_status", "predicted"
UNMEASURED = "unmeasured_events"


def unmeasured(metadata) -> pd.Index:
    """Events none of whose amplitudes was measured, or drawn by a simulation.

    Parameters
    ----------
    metadata : DataFrame
        One row per trace. Without the column `trace_amplitude_status` all seismograms were recorded.
    """
    if STATUS not in metadata:
        return pd.Index([])
    predicted = (metadata[STATUS] == PREDICTED).groupby(metadata.source_id).all()
    return predicted.index[predicted]


def counts(metadata) -> dict:
    """Number of amplitudes by status, and of the events of `unmeasured`; empty if all seismograms were recorded."""
    if STATUS not in metadata:
        return {}
    statuses = {name: int(number) for name, number in metadata[STATUS].value_counts().items()}
    read = {} if "simulated" in statuses else {"observed": 0}
    return {**read, **statuses, UNMEASURED: len(unmeasured(metadata))}


def describe(found) -> str:
    """What `counts` found, on one line."""
    if not found:
        return "of recorded seismograms"
    line = ", ".join(f"{number} {name}" for name, number in found.items() if name != UNMEASURED)
    line = line.replace(PREDICTED, f"{PREDICTED} from the magnitude")
    none = found[UNMEASURED]
    return line + f"; none measured of {none} events, whose magnitudes are not scored" * (none > 0)
