from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from seisbook.catalogues.geodesy import distance_azimuth
from seisbook.datasets import build
from seisbook.models.classical import ClassicalLocator
from seisbook.models.picker import catalogue_from_traces, pick_onsets
from seisbook.physics.traveltimes import TravelTimes
from tests.made_up import TOY


@pytest.fixture(scope="module")
def locator(catalogue, travel_times):
    return ClassicalLocator(TOY, travel_times, progress=False).fit(catalogue)


def epicentral_km(table, events):
    distance, _ = distance_azimuth(
        table.latitude, table.longitude, events.source_latitude_deg, events.source_longitude_deg
    )
    return pd.Series(distance, table.index)


@pytest.fixture(scope="module")
def rendered(catalogue):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "TravelTimes", lambda model: TravelTimes(model, 200, 60))
        return list(build.rendered(catalogue.head(30), TOY))


def test_picker_finds_the_onsets_that_were_rendered(rendered):
    errors = {"p": [], "s": []}
    for record in rendered:
        for wave, onset in zip("ps", pick_onsets(record.waveforms, 50.0), strict=True):
            errors[wave].append(onset - record.traces[f"trace_{wave}_arrival_sample"].to_numpy() / 50)
    for wave, least in (("p", 0.8), ("s", 0.8)):
        error = np.concatenate(errors[wave])
        assert np.mean(np.abs(error) < 0.1) > least
        assert abs(np.nanmedian(error)) < 0.03


def test_picker_moves_with_the_trace(rendered):
    waveforms = rendered[0].waveforms
    p, s = pick_onsets(waveforms, 50.0)
    later = np.concatenate([waveforms[..., :50], waveforms], axis=-1)[..., :1500]
    p_later, s_later = pick_onsets(later, 50.0)
    assert np.nanmedian(p_later - p) == pytest.approx(1.0, abs=0.05)
    assert np.nanmedian(s_later - s) == pytest.approx(1.0, abs=0.05)


def test_picker_leaves_out_what_has_no_onset():
    noise = np.random.default_rng(1).standard_normal((1, 3, 1500))
    broken = np.where(np.arange(1500) == 700, np.nan, noise)
    for traces in (np.zeros((2, 3, 1500)), broken, noise[..., :100]):
        p, s = pick_onsets(traces, 50.0)
        assert np.isnan(p).all()
        assert np.isnan(s).all()


def test_automatic_catalogue_is_made_of_seismograms_alone(catalogue, rendered, locator):
    few = catalogue.head(30)
    automatic = catalogue_from_traces(few, rendered, 50.0, progress=False)
    pd.testing.assert_frame_equal(automatic.events, few.events)
    assert set(automatic.readings.trace_p_status) <= {"automatic", ""}
    merged = automatic.readings.merge(few.readings, on=["source_id", "station_code"])
    assert len(merged) == len(automatic.readings) == len(few.readings)
    assert (merged.path_p_travel_s_x - merged.path_p_travel_s_y).abs().median() < 0.05
    ratio = np.log10(merged.trace_amplitude_nm_x / merged.trace_amplitude_nm_y)
    assert abs(ratio.median()) < 0.02
    assert not (merged.path_p_travel_s_x == merged.path_p_travel_s_y).any()
    hidden = ["path_p_travel_s", "path_s_travel_s", "trace_amplitude_nm", "trace_p_arrival_sample"]
    blind = [replace(record, traces=record.traces.drop(columns=hidden)) for record in rendered]
    again = catalogue_from_traces(few, blind, 50.0, progress=False)
    pd.testing.assert_frame_equal(again.readings, automatic.readings)
    assert epicentral_km(locator.predict(automatic), few.events).median() < 2
