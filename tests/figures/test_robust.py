import numpy as np
import pandas as pd
import pytest

from seisbook.errors import UserError
from seisbook.figures import robust
from seisbook.measures.estimates import Estimate

VALUES = {"robust": 0.4, "no edges": 0.95}


def row(arm, value, width=0.1, network="colombia"):
    over = Estimate(value, value - width, value + width)
    return {
        "network": network,
        "arm": arm,
        "over_paper": over,
        "epicentral_km": Estimate(4 * value, 3 * value, 5 * value),
    }


def test_arms_are_rows_and_marks_tell_what_is_decided():
    names = "colombia", "ridgecrest"
    table = pd.DataFrame([row(arm, value, network=name) for name in names for arm, value in VALUES.items()])
    left, right = robust.arms(table).axes
    assert left.get_title("left") == "Colombia"
    assert [text.get_text() for text in left.get_yticklabels()] == ["robust model", "no edges"]
    assert [text.get_text() for text in left.texts] == ["1.60 km", "3.80 km"]
    marks = [line for line in left.lines if line.get_marker() == "o"]
    filled, open_mark = (mark.get_markerfacecolor() for mark in marks)
    assert filled != "white"
    assert open_mark == "white"
    assert right.get_title("left") == "Ridgecrest"


@pytest.fixture
def table():
    rows = []
    for axis, severities in (("none", [None]), ("band_pass", [1.0, 2.0]), ("joint_shift", [8.0])):
        for severity in severities:
            for model, km in (("dynamic", 4.0), ("robust", 1.0)):
                rows.append(
                    {
                        **{"network": "colombia", "axis": axis, "severity": severity, "model": model},
                        "epicentral_km": Estimate(km, km / 1.2, 1.2 * km),
                        "floor_km": np.nan if axis == "joint_shift" else 0.5,
                        "informative": severity == 2.0,
                    }
                )
    return pd.DataFrame(rows)


def test_accuracy_has_a_panel_an_axis(table):
    fig = robust.accuracy(table)
    first, second = fig.axes
    assert [text.get_text() for text in first.get_xticklabels()] == ["none", "1", "2"]
    assert first.get_yscale() == "log"
    assert "Colombia" in first.get_ylabel()
    assert len(first.patches) == 2  # one shaded severity, and the floor
    assert len(second.patches) == 1
    assert np.isfinite(second.patches[-1].get_data().values).all()  # the floor of what the study has none for
    assert [text.get_text() for text in fig.legends[0].get_texts()] == [
        "the paper's model",
        "robust model",
        "floor",
        "informative",
    ]


@pytest.mark.parametrize("draw", [robust.arms, robust.accuracy])
def test_nothing_is_refused(draw):
    with pytest.raises(UserError, match="nothing to draw"):
        draw(pd.DataFrame())
