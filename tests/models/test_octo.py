import sys
import tempfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.geodesy import distance_azimuth
from seisbook.errors import UserError
from seisbook.models import octo
from seisbook.models.chosen import ChosenInTraining
from seisbook.models.classical import ClassicalLocator
from seisbook.models.octo import OctoLocator
from tests.made_up import TOY

pytest.importorskip("pyocto")


@pytest.fixture(scope="module")
def catalogue(catalogue):
    return catalogue.head(100)


@pytest.fixture(scope="module")
def locator(catalogue, travel_times):
    return OctoLocator(TOY, travel_times, progress=False).fit(catalogue)


@pytest.fixture(scope="module")
def located(catalogue, locator):
    return locator.predict(catalogue)


def with_events(catalogue, **columns):
    return Catalogue(catalogue.network, catalogue.source, catalogue.events.assign(**columns), catalogue.readings)


def errors_km(table, events):
    labels = events.source_latitude_deg, events.source_longitude_deg
    return pd.Series(distance_azimuth(table.latitude, table.longitude, *labels)[0], table.index)


def test_events_are_found_and_located_from_picks_that_name_no_event(catalogue, travel_times, located):
    assert located.index.equals(catalogue.events.index)
    assert located.east_km.notna().mean() > 0.95
    ours = errors_km(located, catalogue.events)
    classical = ClassicalLocator(TOY, travel_times, progress=False)
    theirs = errors_km(classical.fit(catalogue).predict(catalogue), catalogue.events)
    assert ours.median() < 2 * theirs.median()
    assert (located.magnitude - catalogue.events.source_magnitude).abs().median() < 0.2


def test_station_terms_are_taken_off_the_onsets(catalogue, travel_times, locator):
    """Station S01 of the toy network reads late; the terms of the training events say by how much."""
    assert locator.corrections_.p_s["S01"] == pytest.approx(0.5, abs=0.15)
    plain = OctoLocator(TOY, travel_times, station_corrections=False, progress=False).fit(catalogue)
    with_terms, without = (
        one._picks(catalogue).set_index(["source_id", "station", "phase"]) for one in (locator, plain)
    )
    late = (without.time - with_terms.time).xs("S01", level="station").xs("P", level="phase")
    np.testing.assert_allclose(late, locator.corrections_.p_s["S01"])


def test_labels_do_not_leak(catalogue, locator, located):
    """PyOcto sees absolute times of onsets, not where, when or how large an event was."""
    labels = {"source_latitude_deg": 0.0, "source_longitude_deg": 0.0, "source_depth_km": 1.0, "source_magnitude": 9.0}
    later = catalogue.events.source_origin_time + pd.Timedelta(hours=5)
    moved = locator.predict(with_events(catalogue, source_origin_time=later, **labels))
    pd.testing.assert_frame_equal(moved, located)


def test_an_event_with_too_few_picks_is_nan(catalogue, locator):
    first = catalogue.readings.source_id.iloc[0]
    few = catalogue.readings[(catalogue.readings.source_id != first) | ~catalogue.readings.source_id.duplicated()]
    table = locator.predict(Catalogue(catalogue.network, catalogue.source, catalogue.events, few))
    assert table.loc[first, ["east_km", "depth_km", "latitude", "magnitude"]].isna().all()
    assert table.east_km.notna().sum() > 0.9 * len(table)


def test_picks_without_weight_are_used_only_where_there_are_few(catalogue, locator):
    first = catalogue.readings.source_id.iloc[0]
    mine = catalogue.readings.source_id == first
    weights = {f"trace_{wave}_weight": np.where(mine, 0.0, 1.0) for wave in "ps"}
    weights["trace_p_weight"][1:4] = 0.0
    changed = Catalogue(catalogue.network, catalogue.source, catalogue.events, catalogue.readings.assign(**weights))
    picks = locator._picks(changed)
    assert (picks.source_id == first).sum() == catalogue.readings[mine].filter(like="travel_s").filter(
        regex="^path"
    ).notna().sum().sum()


def test_the_travel_times_lie_in_a_folder_that_goes(catalogue, locator, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    locator.predict(catalogue.head(20))
    assert not list(tmp_path.iterdir())


def test_the_table_holds_travel_times(locator, travel_times):
    step = locator._step * octo.TABLE
    np.testing.assert_allclose(locator._table[40, 10], travel_times.p(40 * step, 10 * step))


def test_what_is_missing_is_said(catalogue, travel_times, monkeypatch):
    with pytest.raises(UserError, match="call fit first"):
        OctoLocator(TOY).predict(catalogue)
    monkeypatch.setitem(sys.modules, "pyocto", None)
    with pytest.raises(UserError, match=r"seisbook\[associators\]"):
        OctoLocator(TOY, travel_times).fit(catalogue.head(50)).predict(catalogue.head(5))


def test_training_events_choose_the_station_terms(catalogue, travel_times):
    """Terms help where each station reads late or early by seconds."""
    with_terms = ClassicalLocator(TOY, travel_times, progress=False)
    candidates = replace(with_terms, station_corrections=False), with_terms
    late_s = {f"S{i:02d}": 2.0 * (i % 3 - 1) for i in range(15)}
    readings = catalogue.readings
    late = readings.assign(path_p_travel_s=readings.path_p_travel_s + readings.station_code.map(late_s))
    late = Catalogue(catalogue.network, catalogue.source, catalogue.events, late).head(80)
    found = ChosenInTraining(candidates).fit(late)
    assert found.chosen_.station_corrections
    assert found.medians_[1] < found.medians_[0]
    np.testing.assert_array_equal(found.predict(late).east_km, with_terms.fit(late).predict(late).east_km)
    assert found.score(late) == pytest.approx(-np.median(errors_km(found.predict(late), late.events)), rel=1e-3)


def test_a_candidate_that_finds_nothing_is_not_chosen(catalogue, travel_times):
    shared = {"travel_times": travel_times, "progress": False}
    blind = OctoLocator(TOY, tolerance_s=-1.0, **shared)  # no residual is as small
    found = ChosenInTraining((blind, ClassicalLocator(TOY, **shared))).fit(catalogue.head(50))
    assert found.medians_[0] == np.inf
    assert type(found.chosen_) is ClassicalLocator


def test_nothing_is_chosen_on_too_few_events(catalogue, travel_times):
    chosen = ChosenInTraining((ClassicalLocator(TOY, travel_times),))
    with pytest.raises(UserError, match="too few"):
        chosen.fit(catalogue.head(4))
    with pytest.raises(UserError, match="call fit first"):
        chosen.predict(catalogue)
