"""Breakdown severities as numbers, on growths with a known answer."""

import pandas as pd
import pytest

from seisbook.errors import UserError
from seisbook.figures import breakdowns as figures
from seisbook.findings.breakdowns import breakdowns


def _rows(network, axis, model, growths):
    return pd.DataFrame(
        [
            {"network": network, "axis": axis, "severity": severity, "model": model, "growth": growth}
            for severity, growth in growths.items()
        ]
    )


@pytest.fixture
def table():
    shift = {0.5: 1.0, 1.0: 1.5, 2.0: 2.5, 4.0: 1.2}
    return pd.concat(
        [
            _rows("colombia", "joint_shift", "dynamic", shift),
            _rows("colombia", "joint_shift", "classical", dict.fromkeys(shift, 1.0)),
            _rows("colombia", "band_pass", "dynamic", {1.0: 3.0, 2.0: 1.0, 4.0: 2.0, 8.0: 1.0}),
            _rows("ridgecrest", "joint_shift", "dynamic", dict.fromkeys(shift, 2.0)),
        ]
    )


def test_the_share_counts_the_severities_before_the_error_has_doubled(table):
    found = breakdowns(table).set_index(["network", "axis", "model"])
    assert found.share.to_dict() == {
        ("colombia", "joint_shift", "dynamic"): 0.5,
        ("colombia", "joint_shift", "classical"): 1.0,
        ("colombia", "band_pass", "dynamic"): 0.5,
        ("ridgecrest", "joint_shift", "dynamic"): 0.0,
    }
    assert found.severity.tolist() == ["1.5", "none up to 4", "1, 4", "before 0.5"]
    assert found.title.iloc[0] == "shift of all stations together (s)"


def test_each_cell_shows_its_number(table):
    fig = figures.heat_map(breakdowns(table))
    panels = [axis for axis in fig.axes if axis.texts]
    assert [axis.get_title("left") for axis in panels] == ["Colombia", "Ridgecrest"]
    assert sorted(text.get_text() for text in panels[0].texts) == ["1, 4", "1.5", "none", "not tested"]
    assert {text.get_text() for text in panels[1].texts} == {"before 0.5", "not tested"}
    assert len(panels[0].texts) == len(panels[1].texts) == 4
    with pytest.raises(UserError, match="nothing to draw"):
        figures.heat_map(breakdowns(table).iloc[:0])
