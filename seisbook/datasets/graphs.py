"""Events as graphs: one PyG `Data` an event, one node a station, as many nodes as the event has stations."""

import logging

import numpy as np
import pandas as pd
import torch
from torch_geometric.data import Data

from seisbook.catalogues.geodesy import azimuthal_equidistant
from seisbook.datasets.opening import AGAIN, open_dataset
from seisbook.datasets.waveforms import resample
from seisbook.errors import DataError, UserError

log = logging.getLogger(__name__)
PLACE = ["station_latitude_deg", "station_longitude_deg"]
ONSETS = ["trace_p_arrival_sample", "trace_s_arrival_sample"]
SAME_RATE = 1e-4  # relative difference that is no reason to resample, as in SeisBench
LEAD = 0.1  # of a window that is cut before the first onset; within the leads of the shipped networks


class EventDataset(torch.utils.data.Dataset):
    """Events of a SeisBench dataset as PyG graphs, one node a station, as many nodes as the event has stations.

    Traces of an event are put on one time axis by their start times; what a trace does not cover is zero. A trace with
    another sampling rate is resampled.

    Parameters
    ----------
    dataset : path or seisbench.data.WaveformDataset
        A SeisBook dataset, or any SeisBench dataset with several stations an event.
    cache : bool
        Keep waveforms in memory after they have been read once.
    sampling_rate_hz : float, optional
        Common rate; the one that most traces have, if not given.

    Attributes
    ----------
    card : dict
        Provenance of a SeisBook dataset; empty if another program wrote it.
    metadata : DataFrame
        One row per trace.
    source_ids : list of str
        Events, in the order of the file.
    centre : (float, float)
        Latitude and longitude of the origin of local coordinates: the network's, or the mean station's.
    sampling_rate_hz : float
    unit : str
        Of the traces; empty if the dataset does not state it.
    samples : int or None
        Length that each event is cut or padded to; None, as at first, leaves it as it is. A longer record is cut a
        tenth of that length before its first onset.
    """

    def __init__(self, dataset, cache=False, sampling_rate_hz=None):
        opened = open_dataset(dataset, cache)
        self.card, self.waveforms, self.metadata = opened.card, opened.waveforms, opened.metadata
        self.place, self.unit = opened.place, opened.unit
        self.rows = self.metadata.groupby("source_id", sort=False).indices
        self.source_ids = list(self.rows)
        stations = self.metadata.drop_duplicates("station_code" if "station_code" in self.metadata else PLACE)
        self.centre = tuple(self.card.get("centre") or stations[PLACE].mean())
        own_rate = getattr(dataset, "sampling_rate", None)  # that SeisBench was asked for
        self.sampling_rate_hz = float(
            sampling_rate_hz
            or own_rate
            or self.metadata.trace_sampling_rate_hz[self.metadata.source_id.notna()].mode()[0]
        )
        self.samples = None

    def __len__(self):
        return len(self.source_ids)

    def __repr__(self):
        return f"EventDataset({len(self)} events, {len(self.metadata)} traces)"

    def warn_unless_nm(self) -> None:
        """Say in the log that magnitudes mean nothing if traces are not ground displacement in nm, as models expect."""
        if self.unit != "nm":
            unit = self.unit or "not stated"
            log.warning("%s: its unit is %s, the model's is nm: its magnitudes mean nothing", self.place, unit)

    def __getitem__(self, index) -> Data:
        """Return one event.

        Returns
        -------
        torch_geometric.data.Data
            `x` (stations, 3, samples) float32; `pos` (stations, 3) east, north, up in km from `centre`; `amplitude`
            (stations,) log10 of the trace's peak, in the unit of `x`; `onset` (stations, 2) P and S samples (NaN where
            there is none) and its `mask`; `y` (1, 4) epicentre east and north, depth in km, magnitude; `begin_s`, the
            first sample in seconds after the start of the event's first trace.
        """
        rows = self.rows[self.source_ids[index]]
        traces = self.metadata.iloc[rows]
        rates = traces.trace_sampling_rate_hz.to_numpy()
        x, shift = _align(self._read(rows, rates), traces, self.sampling_rate_hz)
        onset = traces[ONSETS].to_numpy(float)
        if not self._is_common(rates):
            onset = onset * (self.sampling_rate_hz / rates)[:, None]
        x, onset, begin = self._fitted(x, onset + shift[:, None])
        onset = torch.from_numpy(onset).float()
        peak = np.abs(x).max(axis=(1, 2))
        return Data(
            x=torch.from_numpy(x),
            pos=torch.from_numpy(self._positions(traces)).float(),
            amplitude=torch.from_numpy(np.log10(np.maximum(peak, np.finfo(np.float32).tiny))).float(),
            onset=onset,
            mask=torch.isfinite(onset),
            y=torch.from_numpy(self._target(traces.iloc[0])).float(),
            source_id=self.source_ids[index],
            begin_s=begin / self.sampling_rate_hz,
            num_nodes=len(rows),
        )

    def _is_common(self, rates):
        return (np.abs(rates / self.sampling_rate_hz - 1) < SAME_RATE).all()

    def _read(self, rows, rates):
        """Traces (rows, 3, samples) at the common rate; where one is shorter than the others, zeros follow."""
        try:
            if self._is_common(rates):
                waveforms = self.waveforms.get_waveforms(rows)
            else:
                waveforms = _padded([self._resampled(row, rate) for row, rate in zip(rows, rates, strict=True)])
        except Exception as error:  # SeisBench and h5py raise whatever a damaged file leads them to
            name = self.metadata.trace_name.iloc[rows[0]]
            reason = " ".join(str(error).split())[:200]
            raise DataError(f"{self.place}: damaged (trace {name} and its event's others: {reason}): {AGAIN}") from None
        if not (finite := np.isfinite(waveforms).all(axis=(1, 2))).all():
            name = self.metadata.trace_name.iloc[rows[int(finite.argmin())]]
            raise DataError(f"{self.place}: trace {name} has samples that are NaN or infinite: {AGAIN}")
        return waveforms

    def _resampled(self, row, rate):
        """One trace at the common rate."""
        waveform = self.waveforms.get_waveforms([row])[0]
        if self._is_common(rate):
            return waveform
        time = np.arange(waveform.shape[1]) / rate
        wanted = np.arange(max(1, round(len(time) * self.sampling_rate_hz / rate))) / self.sampling_rate_hz
        return np.stack([resample(component, time, wanted, rate, self.sampling_rate_hz) for component in waveform])

    def _fitted(self, x, onset):
        """Traces and onsets of an event, cut or padded to `samples`, and the first sample that is kept.

        An onset outside of the traces is none.
        """
        begin = 0
        if self.samples is not None:
            first = np.min(onset, initial=np.inf, where=np.isfinite(onset))
            first = 0 if np.isinf(first) else round(first - LEAD * self.samples)
            begin = max(0, min(first, x.shape[2] - self.samples))
            x, onset = x[:, :, begin : begin + self.samples], onset - begin
            x = np.pad(x, [(0, 0), (0, 0), (0, self.samples - x.shape[2])])
        return x, np.where((onset >= 0) & (onset < x.shape[2]), onset, np.nan), begin

    def _positions(self, traces):
        east, north = azimuthal_equidistant(traces.station_latitude_deg, traces.station_longitude_deg, self.centre)
        return np.column_stack([east, north, traces.station_elevation_m.fillna(0) / 1000])

    def _target(self, trace):
        east, north = azimuthal_equidistant(trace.source_latitude_deg, trace.source_longitude_deg, self.centre)
        return np.array([[east, north, trace.source_depth_km, trace.source_magnitude]], dtype=float)


def open_for(dataset, config, centre=None) -> EventDataset:
    """Open a dataset as a model asks for it.

    Parameters
    ----------
    dataset : path
        A folder of `seisbook data build`, or any SeisBench dataset with several stations an event. Traces are resampled
        to the model's rate; events of another program's dataset are cut or padded to the model's window.
    config : seisbook.models.graph.ModelConfig
        Its window and its sampling rate are asked for.
    centre : (float, float), optional
        Latitude and longitude of the origin of the coordinates in which the model knows its stations; the dataset's own
        if the model knows none.
    """
    opened = EventDataset(dataset, sampling_rate_hz=config.sampling_rate_hz)
    if not opened.card:
        opened.samples = _samples(config)
    opened.centre = opened.centre if centre is None else centre
    opened.warn_unless_nm()
    return opened


def check_window(x, config, place) -> None:
    """Raise an error unless seismograms (stations, 3, T) have a model's window.

    Raises
    ------
    UserError
        The message names the dataset, `place`.
    """
    if x.shape[-1] != (samples := _samples(config)):
        raise UserError(
            f"{place}: windows of {x.shape[-1]} samples, the model's have {samples}: "
            "build it with the window of the model's network"
        )


def _samples(config):
    return round(config.window_s * config.sampling_rate_hz)


def _padded(waveforms):
    longest = max(one.shape[1] for one in waveforms)
    return np.stack([np.pad(one, [(0, 0), (0, longest - one.shape[1])]) for one in waveforms])


def _align(waveforms, traces, rate):
    """Put traces on one time axis; return them and the shift, in samples, that each one got."""
    start = pd.to_datetime(traces.trace_start_time, format="ISO8601", utc=True)
    delay = (start - start.min()).dt.total_seconds().to_numpy()
    shift = np.rint(delay * rate).astype(int)
    if not shift.any():
        return np.ascontiguousarray(waveforms, dtype=np.float32), shift
    samples = waveforms.shape[2]
    aligned = np.zeros((len(waveforms), waveforms.shape[1], samples + shift.max()), dtype=np.float32)
    columns = shift[:, None] + np.arange(samples)
    aligned[np.arange(len(waveforms))[:, None], :, columns] = waveforms.transpose(0, 2, 1)
    return aligned, shift
