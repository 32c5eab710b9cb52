import numpy as np
import pandas as pd
import pytest

from seisbook.catalogues import networks
from seisbook.errors import UserError
from seisbook.measures import evaluation, strata
from seisbook.physics import simulation


@pytest.fixture
def errors_and_geometry():
    """Twelve events: six around 1 km, two around 10 km, four around 100 km."""
    names = [f"e{i}" for i in range(12)]
    estimate = np.zeros((12, 4))
    estimate[:, 0] = [1, 1, 1, 1, 1, 1, 10, 12, 100, 100, 100, 100]
    estimate[:, 3] = np.repeat([0.1, 0.2, 0.3], [6, 2, 4])
    geometry = pd.DataFrame(
        {
            "n_stations": np.repeat([20, 5, 4], [6, 2, 4]),
            "azimuthal_gap_deg": np.repeat([89.9, 180.0, 360.0], [6, 2, 4]),
            "nearest_station_km": np.repeat([4.0, 10.0, np.nan], [6, 2, 4]),
            "inside": np.repeat([True, False, False], [6, 2, 4]),
            "magnitude": np.repeat([1.2, 1.5, 2.5], [6, 2, 4]),
        },
        index=names,
    )
    return evaluation.hypocentral_errors(estimate, np.zeros((12, 4)), names), geometry.sample(frac=1, random_state=0)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("azimuthal_gap", {"0–90": 6, "90–180": 0, "180–270": 2, "270–360": 4}),
        (
            "nearest_station",
            {"0–5": 6, "5–10": 0, "10–20": 2, "20–50": 0, "50–100": 0, "100 and more": 0},
        ),
        ("n_stations", {"0–4": 4, "5–7": 2, "8–11": 0, "12–19": 0, "20 and more": 6}),
        ("network", {"outside": 6, "inside": 6}),
        ("magnitude", {"1–1.5": 6, "1.5–2": 2, "2–2.5": 4}),
    ],
)
def test_each_event_is_in_its_stratum(errors_and_geometry, by, expected):
    assert strata.stratify(*errors_and_geometry, by).n.to_dict() == expected


def test_strata_have_median_interval_and_magnitude(errors_and_geometry):
    table = strata.stratify(*errors_and_geometry, "azimuthal_gap")
    assert table.index.name == "azimuthal gap (°)"
    assert table.loc["0–90"].tolist() == [6, 1, 1, 1, pytest.approx(0.1)]
    few = table.loc["180–270"]
    assert few[["epicentral_km", "magnitude_rmse"]].tolist() == [11, pytest.approx(0.2)]
    assert few[["low_km", "high_km"]].isna().all()  # two events have no interval
    assert table.loc["90–180"].drop("n").isna().all()


def test_stratify_refuses_what_it_does_not_know(errors_and_geometry):
    table, geometry = errors_and_geometry
    with pytest.raises(UserError, match="no property 'mood': choose one of azimuthal_gap"):
        strata.stratify(table, geometry, "mood")
    with pytest.raises(UserError, match="lacks 1 events, such as e3"):
        strata.stratify(table, geometry.drop("e3"), "network")
    with pytest.raises(UserError, match="no event has a magnitude"):
        strata.stratify(table, geometry.assign(magnitude=np.nan), "magnitude")


def test_one_magnitude_alone_has_a_stratum(errors_and_geometry):
    table, geometry = errors_and_geometry
    assert strata.stratify(table, geometry.assign(magnitude=2.0), "magnitude").n.to_dict() == {"2–2.5": 12}


def test_event_geometry_of_the_twin():
    network = networks.load("colombia")
    catalogue = simulation.simulate(network, 60, 0)
    table = strata.event_geometry(catalogue, network)
    assert table.index.equals(catalogue.events.index)
    assert 0 < table.inside.mean() <= 1
    stations = network.station_table()
    centre = catalogue.events.assign(source_latitude_deg=network.centre[0], source_longitude_deg=network.centre[1])
    catalogue.events = centre
    assert strata.event_geometry(catalogue, network).inside.all()
    catalogue.events = centre.assign(source_latitude_deg=stations.latitude.max() + 1)
    assert not strata.event_geometry(catalogue, network).inside.any()
