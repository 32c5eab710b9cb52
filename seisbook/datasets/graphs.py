"""Events as graphs: one PyG `Data` an event, one node a station, as many nodes as the event has stations."""

from pathlib import Path

import numpy as np
import pandas as pd
import seisbench.data
import torch
from torch_geometric.data import Data

from seisbook.catalogues.geodesy import azimuthal_equidistant
from seisbook.datasets import spreadsheets
from seisbook.datasets.store import COMPONENTS, read_card


class EventDataset(torch.utils.data.Dataset):
    """Events of a SeisBench dataset as PyG graphs, one node a station, as many nodes as the event has stations.

    Traces of an event are put on one time axis by their start times; what a trace does not cover is zero.

    Parameters
    ----------
    dataset : path or seisbench.data.WaveformDataset
        A SeisBook dataset, or any SeisBench dataset with several stations an event.
    cache : bool
        Keep waveforms in memory after they have been read once.

    Attributes
    ----------
    metadata : DataFrame
        One row per trace.
    source_ids : list of str
        Events, in the order of the file.
    centre : (float, float)
        Latitude and longitude of the origin of local coordinates: the network's, or the mean station's.
    """

    def __init__(self, dataset, cache=False):
        self.card = {}
        if not isinstance(dataset, (seisbench.data.WaveformDataset, seisbench.data.MultiWaveformDataset)):
            self.card = read_card(dataset)
            dataset = seisbench.data.WaveformDataset(
                Path(dataset),
                component_order=COMPONENTS,
                dimension_order="NCW",
                cache="full" if cache else None,
            )
        dataset.component_order = COMPONENTS
        dataset.dimension_order = "NCW"
        self.waveforms = dataset
        self.metadata = spreadsheets.restored(dataset.metadata) if self.card else dataset.metadata
        self.rows = self.metadata.groupby("source_id", sort=False).indices
        self.source_ids = list(self.rows)
        stations = self.metadata.drop_duplicates("station_code")
        self.centre = tuple(
            self.card.get("centre") or (stations.station_latitude_deg.mean(), stations.station_longitude_deg.mean())
        )

    def __len__(self):
        return len(self.source_ids)

    def __repr__(self):
        return f"EventDataset({len(self)} events, {len(self.metadata)} traces)"

    def __getitem__(self, index) -> Data:
        """Return one event.

        Returns
        -------
        torch_geometric.data.Data
            `x` (stations, 3, samples) float32; `pos` (stations, 3) east, north, up in km from `centre`; `amplitude`
            (stations,) log10 of the trace's peak, in the unit of `x`; `onset` (stations, 2) P and S samples (NaN where
            there is none) and its `mask`; `y` (1, 4) epicentre east and north, depth in km, magnitude.
        """
        rows = self.rows[self.source_ids[index]]
        traces = self.metadata.iloc[rows]
        x, shift = _align(self.waveforms.get_waveforms(rows), traces)
        onset = traces.reindex(columns=["trace_p_arrival_sample", "trace_s_arrival_sample"]).to_numpy(float)
        onset = torch.from_numpy(onset + shift[:, None]).float()
        peak = np.abs(x).max(axis=(1, 2))
        return Data(
            x=torch.from_numpy(x),
            pos=torch.from_numpy(self._positions(traces)).float(),
            amplitude=torch.from_numpy(np.log10(np.maximum(peak, np.finfo(np.float32).tiny))).float(),
            onset=onset,
            mask=torch.isfinite(onset),
            y=torch.from_numpy(self._target(traces.iloc[0])).float(),
            source_id=self.source_ids[index],
            num_nodes=len(rows),
        )

    def _positions(self, traces):
        east, north = azimuthal_equidistant(traces.station_latitude_deg, traces.station_longitude_deg, self.centre)
        return np.column_stack([east, north, traces.station_elevation_m.fillna(0) / 1000])

    def _target(self, trace):
        east, north = azimuthal_equidistant(trace.source_latitude_deg, trace.source_longitude_deg, self.centre)
        return np.array([[east, north, trace.source_depth_km, trace.source_magnitude]], dtype=float)


def _align(waveforms, traces):
    """Put traces on one time axis; return them and the shift, in samples, that each one got."""
    start = pd.to_datetime(traces.trace_start_time, format="ISO8601", utc=True)
    delay = (start - start.min()).dt.total_seconds().to_numpy()
    shift = np.rint(delay * traces.trace_sampling_rate_hz.to_numpy()).astype(int)
    if not shift.any():
        return np.ascontiguousarray(waveforms, dtype=np.float32), shift
    samples = waveforms.shape[2]
    aligned = np.zeros((len(waveforms), waveforms.shape[1], samples + shift.max()), dtype=np.float32)
    columns = shift[:, None] + np.arange(samples)
    aligned[np.arange(len(waveforms))[:, None], :, columns] = waveforms.transpose(0, 2, 1)
    return aligned, shift
