"""The published robust model on the real seismograms of a bulletin's events, which a reader has fetched.

`seisbook data fetch ridgecrest --waveforms` leaves them on a machine. Only test events of the model's fold count. The
same events with seismograms rendered from their readings stand in the record of the study `robust`, so that the two are
compared event by event. This file holds no record: what was fetched differs from reader to reader.
"""

import numpy as np
import pandas as pd

from seisbook import records
from seisbook.catalogues import networks
from seisbook.datasets.library import load_events
from seisbook.errors import UserError
from seisbook.measures import evaluation
from seisbook.studies import places, runner, runs

MODEL = "robust-random-0"
KINDS = ("rendered", "waveform")
ERRORS = ["epicentral_km", "depth_km", "magnitude"]


def errors(network, source) -> tuple[pd.DataFrame, ...]:
    """Errors on rendered test events, and with `waveform` on the fetched ones, too, see `rendered` and `recorded`.

    Parameters
    ----------
    network : str
        `ridgecrest` or `colombia`.
    source : {"rendered", "waveform"}

    Raises
    ------
    UserError
        If the source is another one; see also `recorded`.
    """
    if source not in KINDS:
        raise UserError(f"source is {source!r}: give one of {', '.join(KINDS)}")
    return (rendered(network),) if source == "rendered" else (rendered(network), recorded(network))


def rendered(network) -> pd.DataFrame:
    """Errors of the published model on its rendered test events, `ERRORS` by `source_id`, from records.

    Raises
    ------
    UserError
        If the network has no published model.
    """
    if not (places.MODELS / f"{network}-{MODEL}.safetensors").is_file():
        raise UserError(f"{network}: no published model was trained on its bulletin: give ridgecrest or colombia")
    kept = records.read(places.record_path(network, "dynamic", "random", 0, "paper"))[1]
    for record in runner.read("robust", network):
        trial = record["trial"]
        if (trial["arm"], trial["seed"], trial["axis"]) == ("robust", 0, "none"):
            columns = {name: record["result"][name] for name in ERRORS}
            return pd.DataFrame(columns, index=pd.Index(kept["errors"]["source_id"], name="source_id"), dtype=float)
    raise UserError(f"{network}: the record of the study robust lacks the published model: restore it")


def recorded(network) -> pd.DataFrame:
    """Errors of the published model on the fetched seismograms of its test events, `ERRORS` by `source_id`.

    Raises
    ------
    UserError
        If the network has no published model, nothing was fetched, or no test event is among it.
    """
    held = rendered(network).index
    events = load_events(networks.load(network), "waveform", None, 0, False)
    tested = np.flatnonzero(np.isin(events.source_id.astype(str), held))
    if not len(tested):
        raise UserError(
            f"{network}: none of the {len(events)} events with fetched seismograms is a test event of the model: fetch "
            f"more with `seisbook data fetch {network} --waveforms`"
        )
    chosen = events.select(tested)
    locator = runs.locator_of(*runs.load(places.MODELS / f"{network}-{MODEL}"))
    return evaluation.errors(locator.predict(chosen), chosen)[ERRORS]
