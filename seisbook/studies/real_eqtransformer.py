r"""EQTransformer on the real seismograms of Iceland: a picker that observatories run, beside the models of the book.

The 27 events and their 12 stations are those of `seisbook.studies.real`. EQTransformer has its published weights, see
`seisbook.models.eqtransformer`, and sees the counts of the same records: a minute at 100 Hz that begins 10 s before the
first arrival. The records are shorter than that, and the rest of the minute is zero. Its picks are looked for where our
models look: from 5 s before the first arrival, the longest lead of their windows, to the end of the shortest such
window. The classical pipeline, fitted to simulated events as in `seisbook.studies.real`, locates the events with these
picks. The picker has a least probability for an onset: its authors' command takes 0.1, which decides here. 0.3 is
printed beside it.

The rule was written before an event was located with these picks. Let :math:`\rho` be the ratio of the median
epicentral error of the published robust model on displacement (study `real`) to that of the classical pipeline with
EQTransformer's picks at 0.1. The robust model is *ahead* if the 95 % interval of :math:`\rho`, which resamples events,
lies below one, *behind* if it lies above, and *undecided* otherwise. An event that gets no location counts with the
largest error of all. What had been seen before: the shares of picks within half a second of the source's, for three
orders of the components, which the package does not document; the order with the largest share is taken.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from seisbook.catalogues import networks, sources
from seisbook.catalogues.catalogue import Catalogue
from seisbook.datasets import build
from seisbook.models import eqtransformer
from seisbook.models.classical import ClassicalLocator
from seisbook.physics import simulation
from seisbook.studies import iceland, real_twin, runner

LEAD_S = 10.0
LEAST = {"quick": (0.1,), "paper": (0.1, 0.3)}
ARRIVALS = ["trace_p_arrival_sample", "trace_s_arrival_sample"]


def trials(network, source, profile) -> list[dict]:
    """One trial for each least probability of a pick."""
    common = {"network": network, "source": source, "profile": profile}
    return [{**common, "least_probability": least} for least in LEAST[profile]]


def config(trial) -> dict:
    """Configuration of a trial: the weights, and the events that fit the classical pipeline."""
    return {"weights": eqtransformer.SHA256, "twin": [iceland.TWIN_EVENTS, iceland.TWIN_SEED], "lead_s": LEAD_S}


def group(trial):
    """Trials that share the picker's probabilities."""
    return trial["network"]


def prepare(network, source, profile) -> None:
    """Fetch the weights before the workers start."""
    eqtransformer.fetch()


def run(trials) -> list[dict]:
    """Results of the trials of one network, in order.

    Returns
    -------
    list of dict
        `epicentral_km` and `depth_km` of each event, None where it was not located; `p_off_s` and `s_off_s`, pick minus
        the source's pick where the source has one, None where EQTransformer has none.
    """
    place = networks.load(trials[0]["network"])
    catalogue = build.read(place, "waveform", None, 0)
    minute = {"length_s": eqtransformer.SAMPLES / eqtransformer.RATE_HZ, "sampling_rate_hz": eqtransformer.RATE_HZ}
    wide = replace(place, window=replace(place.window, lead_s=(LEAD_S, LEAD_S), **minute))
    records = list(build.recorded(catalogue, wide, sources.folder(trials[0]["network"])))
    model = eqtransformer.load()
    heard = [eqtransformer.probabilities(model, record.waveforms) for record in records]
    twin = simulation.simulate(place, iceland.TWIN_EVENTS, iceland.TWIN_SEED)
    classical = ClassicalLocator(place, progress=False).fit(twin)
    return [_result(trial, place, catalogue, records, heard, classical) for trial in trials]


def _result(trial, place, catalogue, records, heard, classical):
    shortest, longest = place.window.lead_s
    between = LEAD_S - longest, LEAD_S - longest + place.window.length_s - (longest - shortest)
    picks = [eqtransformer.onsets(found, *between, trial["least_probability"]) for found in heard]
    picked = _catalogue(catalogue, records, picks)
    events = real_twin.real_events(trial["network"], "counts")
    located = classical.predict(picked).reindex(events.source_id.astype(str))
    off = located[iceland.LABELS].to_numpy(float) - events.y.numpy()
    offsets = np.concatenate([_offsets(*pair) for pair in zip(records, picks, strict=True)])
    return {
        **{"epicentral_km": _listed(np.hypot(*off[:, :2].T)), "depth_km": _listed(off[:, 2])},
        **{f"{wave}_off_s": _listed(offsets[:, k][~np.isinf(offsets[:, k])]) for k, wave in enumerate("ps")},
    }


def _offsets(record, onset_s):
    """Pick minus the source's pick (stations, 2); NaN without a pick, infinity without the source's."""
    known = record.traces[ARRIVALS].to_numpy(float) / eqtransformer.RATE_HZ
    return np.where(np.isfinite(known), onset_s - known, np.inf)


def _catalogue(catalogue, records, picks):
    """The catalogue with these picks in the place of its own."""
    tables = [_readings(*pair) for pair in zip(records, picks, strict=True)]
    events = catalogue.events.reset_index()
    return Catalogue.from_rows(catalogue.network, catalogue.source, events, pd.concat(tables, ignore_index=True))


def _readings(record, onset_s):
    traces = record.traces
    start = (traces.trace_start_time - traces.source_origin_time).dt.total_seconds().to_numpy()
    columns = {"source_id": record.source_id, "station_code": traces.station_code.to_numpy()}
    for wave, onset in zip("ps", onset_s.T, strict=True):
        columns[f"path_{wave}_travel_s"] = start + onset
        columns[f"trace_{wave}_status"] = np.where(np.isnan(onset), "", "automatic")
        columns[f"trace_{wave}_weight"] = np.where(np.isnan(onset), np.nan, 1.0)
    return pd.DataFrame(columns)


def _listed(values):
    return [None if np.isnan(value) else round(float(value), 3) for value in values]


STUDY = runner.Study("real-eqtransformer", trials, run, config, prepare, group, batch=2)
