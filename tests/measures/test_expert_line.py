import numpy as np
import pytest

from seisbook.catalogues import geodesy
from seisbook.catalogues.catalogue import Catalogue
from seisbook.errors import UserError
from seisbook.measures import expert_line, seismicity
from tests.made_up import event


def test_expert_line_from_formal_errors_leaves_out_fixed_coordinates():
    names = [f"source_{axis}_uncertainty_km" for axis in ("latitude", "longitude", "depth")]
    rng = np.random.default_rng(0)
    events = [
        event(f"e{i}", **dict(zip(names, (3 * k, 4 * k, 6 * k), strict=True)))
        for i, k in enumerate(rng.uniform(0.8, 1.2, 99))
    ]
    events += [event("fixed", **dict(zip(names, (300, 400, 0), strict=True))), event("none")]
    line = expert_line.expert_line(Catalogue.from_rows("cross", "bulletin", events, []))
    assert line.epicentre_km.low < 5 < line.epicentre_km.high
    assert line.depth_km.value == pytest.approx(1.2 * line.epicentre_km.value)
    assert line.magnitude_sd is None
    assert line.events == 99


def test_expert_line_between_two_catalogues():
    rng = np.random.default_rng(0)
    catalogue = Catalogue.from_rows("cross", "bulletin", [event(f"e{i}") for i in range(400)], [])
    catalogue.events["palm_latitude_deg"] = 4.0 + 2 / geodesy.KM_PER_DEGREE
    catalogue.events["palm_longitude_deg"] = -74.0
    catalogue.events["palm_depth_km"] = 10 - np.abs(rng.normal(0, 1.5, 400))
    catalogue.events["palm_magnitude"] = 2.0 + rng.normal(0.1, 0.2, 400)
    line = expert_line.expert_line(catalogue)
    assert line.epicentre_km.value == pytest.approx(2, abs=0.01)
    assert line.depth_km.low < 0.6745 * 1.5 < line.depth_km.high
    assert line.magnitude_bias.low < 0.1 < line.magnitude_bias.high
    assert line.magnitude_sd.low < 0.2 < line.magnitude_sd.high


def test_exact_labels_have_no_expert_line():
    with pytest.raises(UserError, match=r"source 'simulated'.*no expert line"):
        expert_line.expert_line(Catalogue.from_rows("cross", "simulated", [event("a")], []))


def test_expert_line_of_ridgecrest_is_the_published_difference(real_data, bulletin):
    """PALM against the Southern California network: 1.46 km (median), +0.10 ± 0.20 magnitude units."""
    line = expert_line.expert_line(bulletin("ridgecrest", None))
    assert line.epicentre_km.value == pytest.approx(1.46, abs=0.03)
    assert line.magnitude_bias.value == pytest.approx(0.10, abs=0.02)
    assert line.magnitude_sd.value == pytest.approx(0.20, abs=0.02)


def test_expert_line_of_colombia_is_the_median_formal_error(real_data, bulletin):
    """Median formal errors of the February bulletin: 3.5 km north, 4.1 km east, 6.7 km in depth."""
    catalogue = bulletin("colombia", None)
    line = expert_line.expert_line(catalogue)
    assert np.hypot(3.5, 4.1) - 0.3 < line.epicentre_km.value < np.hypot(3.5, 4.1) + 0.6
    assert line.depth_km.value == pytest.approx(6.7, abs=0.1)
    pairs = catalogue.readings
    ratio = seismicity.wadati(pairs.path_p_travel_s, pairs.path_s_travel_s, pairs.source_id)
    assert ratio.value == pytest.approx(1.775, abs=0.015)
