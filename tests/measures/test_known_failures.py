"""Groups of events in which a model fails, on tables with a known answer."""

import numpy as np
import pandas as pd

from seisbook.measures import known_failures


def tables(n=40):
    """Errors of 1 km, and of 5 km for the first six events, which have four stations."""
    index = pd.Index([f"e{i}" for i in range(n)], name="source_id")
    errors = pd.DataFrame({"epicentral_km": np.where(np.arange(n) < 6, 5.0, 1.0)}, index)
    stations = np.where(np.arange(n) < 6, 4, 9)
    columns = {"stations": stations, "gap_deg": 100.0, "depth": np.arange(n) % 7, "magnitude": np.nan}
    return errors, pd.DataFrame(columns, index)


def test_a_group_with_large_errors_is_a_known_failure():
    found = known_failures.groups(*tables())
    few = {"group": "fewer than 6 stations", "events": 6, "median_km": 5.0, "fails": True}
    assert [one for one in found if one["fails"]] == [few]
    assert "fewer than 6 stations (5.0 km, 6 events)" in known_failures.describe(found)


def test_a_small_group_is_listed_and_condemned_by_nothing():
    errors, of_events = (table.iloc[3:] for table in tables())
    found = known_failures.groups(errors, of_events)
    assert (found[0]["events"], found[0]["fails"]) == (3, False)
    assert "none in groups of 5" in known_failures.describe(found)


def test_a_group_without_events_is_left_out():
    names = [one["group"] for one in known_failures.groups(*tables())]
    assert "weakest 20 %" not in names
    assert "azimuthal gap above 180 degrees" not in names


def test_geometry_is_that_of_the_events(dataset):
    from seisbook.datasets.events import Events

    events = Events.from_dataset(dataset, progress=False)
    found = known_failures.geometry(events)
    assert found.index.tolist() == [str(name) for name in events.source_id]
    assert found.stations.sum() == len(events.pos)
    assert found.gap_deg.between(0, 360).all()
