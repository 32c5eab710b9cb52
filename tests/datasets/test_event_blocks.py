import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from seisbook.datasets import build, event_blocks
from seisbook.datasets.graphs import open_for
from seisbook.errors import DataError
from seisbook.models.graph import ModelConfig


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("blocks") / "twin"
    build.build("ridgecrest", "simulated", path, n_events=6, random_state=5, progress=False)
    return path


def _config(dataset):
    card = open_for(dataset, ModelConfig()).card
    return ModelConfig(window_s=card["window_s"], sampling_rate_hz=card["sampling_rate_hz"])


def _same(one, other):
    assert set(one.keys()) == set(other.keys())
    for name in ("x", "pos", "amplitude", "onset", "mask", "y"):
        assert one[name].dtype == other[name].dtype
        torch.testing.assert_close(one[name], other[name], rtol=0, atol=1e-5, equal_nan=True)
    assert (one.source_id, one.begin_s, one.num_nodes) == (other.source_id, other.begin_s, other.num_nodes)


def test_the_same_graphs(folder):
    config, centre = _config(folder), (35.6, -117.5)
    expected, found = open_for(folder, config, centre), event_blocks.open_blocks(folder, config, centre)
    assert set(found._block) == set(expected.source_ids), "each event is read in one piece"
    for i in range(len(expected)):
        _same(found[i], expected[i])


def test_another_rate_is_resampled(folder):
    config = ModelConfig(window_s=60, sampling_rate_hz=10)
    expected, found = open_for(folder, config), event_blocks.open_blocks(folder, config)
    assert not found._block
    _same(found[0], expected[0])


def test_events_stored_otherwise(folder):
    opened = event_blocks.open_blocks(folder, _config(folder))
    traces, names = opened.metadata.copy(), opened.source_ids
    rows = [np.flatnonzero(traces.source_id == name) for name in names[:3]]
    traces.loc[traces.index[rows[0][1]], "trace_start_time"] = "2000-01-01T00:00:00Z"
    traces.loc[traces.index[rows[1][:2]], "trace_name"] = traces.trace_name.iloc[rows[1][1::-1]].to_numpy()
    traces.loc[traces.index[rows[2][0]], "trace_component_order"] = "ENZ"
    assert set(event_blocks._blocks(traces, opened.sampling_rate_hz)) == set(names[3:])
    unnamed = traces[traces.source_id.notna()].assign(source_id=pd.NA)
    assert event_blocks._blocks(unnamed, opened.sampling_rate_hz) == {}


def test_a_sample_that_is_not_finite(folder, tmp_path):
    opened = event_blocks.open_blocks(shutil.copytree(folder, tmp_path / "copy"), _config(folder))
    opened._data = {opened._block[opened.source_ids[0]]: np.full((1, 3, 5), np.nan)}
    assert opened[0].x.isfinite().all(), "it is read again, trace by trace"
    opened.waveforms.get_waveforms = lambda rows: np.full((len(rows), 3, 5), np.nan)
    with pytest.raises(DataError, match="NaN or infinite"):
        opened[0]
