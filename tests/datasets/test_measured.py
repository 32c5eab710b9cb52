"""Amplitudes that were predicted from the label are counted, and no magnitude is scored on them."""

import json

import numpy as np
import pandas as pd
import pytest

from seisbook.catalogues import networks, quakeml
from seisbook.datasets import build, measured
from seisbook.datasets.events import Events
from seisbook.datasets.graphs import EventDataset
from seisbook.physics import simulation


def metadata(*statuses):
    """Traces of events a, b, ... with these statuses, a word each."""
    rows = [(letter, status) for letter, words in zip("abc", statuses, strict=False) for status in words.split()]
    return pd.DataFrame(rows, columns=["source_id", "trace_amplitude_status"])


def test_an_event_with_one_measured_amplitude_is_measured():
    table = metadata("observed predicted", "predicted predicted", "simulated predicted")
    assert measured.unmeasured(table).tolist() == ["b"]
    assert measured.unmeasured(table.drop(columns="trace_amplitude_status")).empty, "recorded seismograms are measured"


def test_what_is_said():
    assert measured.describe(measured.counts(metadata("observed predicted"))) == (
        "1 observed, 1 predicted from the magnitude"
    )
    assert measured.describe(measured.counts(metadata("predicted predicted"))) == (
        "0 observed, 2 predicted from the magnitude; none measured of 1 events, whose magnitudes are not scored"
    )
    assert measured.describe(measured.counts(metadata("simulated"))) == "1 simulated"
    assert measured.describe(measured.counts(pd.DataFrame({"source_id": ["a"]}))) == "of recorded seismograms"


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """A dataset of six events; of the last three no amplitude was read."""
    folder = tmp_path_factory.mktemp("half")
    catalogue = simulation.simulate(networks.load("ridgecrest"), 6, 3)
    silent = catalogue.readings.source_id.isin(catalogue.events.index[3:])
    catalogue.readings.loc[silent, "trace_amplitude_nm"] = np.nan
    path = quakeml.write(catalogue, folder / "a.xml")
    return build.build("ridgecrest", "bulletin", folder / "set", catalogue_files=[path], progress=False), ~silent


def test_card_and_description_count_amplitudes_and_magnitude_types(half):
    folder, read = half
    card = json.loads((folder / "dataset.json").read_text())
    assert card["amplitudes"] == {"observed": read.sum(), "predicted": (~read).sum()}
    assert card["magnitude_types"] == {"ML": 6}
    text = build.describe(folder)
    assert (
        f"amplitudes          {read.sum()} observed, {(~read).sum()} predicted from the magnitude; none measured of 3 "
        in text
    )
    assert "none for 0 events; 6 ML" in text


def test_magnitudes_without_a_measured_amplitude_are_no_labels(half):
    folder, _ = half
    events = Events.from_dataset(EventDataset(folder), progress=False)
    table = pd.read_csv(folder / "metadata.csv")
    lost = np.isin(events.source_id, measured.unmeasured(table))
    assert lost.sum() == 3
    assert (events.y[:, 3].isnan().numpy() == lost).all()
    assert not events.y[:, :3].isnan().any()


def test_an_event_of_which_only_amplitudes_were_read_is_left_out():
    catalogue = simulation.simulate(networks.load("ridgecrest"), 3, 3)
    bare, silent = catalogue.events.index[:2]
    onsets = ["path_p_travel_s", "path_s_travel_s"]
    catalogue.readings.loc[catalogue.readings.source_id == bare, onsets] = np.nan
    catalogue.readings = catalogue.readings[catalogue.readings.source_id != silent]
    found = build.with_onsets(catalogue)
    assert found.events.index.tolist() == [silent, catalogue.events.index[2]], "`rendered` says that nobody read one"
    assert found.skipped == [f"{bare}: event left out: only amplitudes of it were read"]
