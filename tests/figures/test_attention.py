import json
import re

import numpy as np
import pandas as pd
import pytest

from seisbook.errors import UserError
from seisbook.figures import attention as attention_figures
from seisbook.findings import attention as attention_results
from seisbook.studies import attention as attention_study


@pytest.fixture(scope="module")
def networks():
    return attention_results.load()["networks"]


@pytest.fixture
def table():
    columns = {"event": 4, "station_code": list("ABC"), "east_km": [0.0, 1, 0], "north_km": [0.0, 0, 2]}
    columns |= {"selection_1": [0.0, 0.25, 0.75], "selection_2": 1 / 3, "rollout": [0.0, 0.25, 0.75]}
    columns |= {"leave_one_out_km": [1.0, 2, 1], "integrated_gradients": [1.0, -2, 1], "emphasis": [2.5, 2.0, 0.0]}
    return pd.DataFrame(columns).assign(epicentral_km=1.0, magnitude=2.12, depth_km=14.0)


def test_stations_are_as_large_as_their_attention(table):
    figure = attention_figures.attention_maps(table)
    shown = [axis for axis in figure.axes if axis.axison]
    titles = [axis.get_title(loc="left") for axis in shown]
    assert titles == ["block 1", "block 2", "rollout", "moves the epicentre", "analyst's emphasis"]
    sizes = shown[0].collections[0].get_sizes()
    assert sizes[2] == pytest.approx(3 * sizes[1])
    assert sizes[0] == 0
    assert shown[3].collections[0].get_sizes()[1] == pytest.approx(450)


def test_the_faulty_station_is_ringed(table):
    both, found = {"calm": table, "noisy": table}, {"calm": [0, 0], "noisy": [1, 1]}
    figure = attention_figures.fault_maps(both, found, 2)
    for axis in figure.axes:
        assert [0.0, 2.0] in [np.ravel(line.get_xydata()).tolist() for line in axis.lines]


def test_the_explorer_holds_shares_and_needs_nothing_else(table):
    page = attention_figures.explorer(table, "simulated analyst").data
    assert not re.findall(r"https?://|\bsrc=|\bimport\b|\bfetch\b", page)
    (one,) = json.loads(re.search(r"const data = (.*);\n", page).group(1))
    assert one["name"] == "M 2.1, 14 km deep, 3 stations"
    assert one["shares"]["rollout"] == [0, 0.25, 0.75]
    assert one["shares"]["integrated gradients"] == [0.25, 0.5, 0.25]
    assert one["shares"]["simulated analyst"] == pytest.approx([0.556, 0.444, 0], abs=1e-3)
    assert set(one["shares"]) > {"block 1", "block 2", "nearness", "moves the epicentre"}
    assert "analyst" not in attention_figures.explorer(table.assign(emphasis=np.nan)).data.split("</div>")[1][:900]


def test_the_record_is_drawn_whole(networks):
    found = networks["colombia"]["models"]["dynamic"]
    left, right = attention_figures.agreement(
        found["agreement"], found["beyond"], networks["colombia"]["shuffled"]
    ).axes
    assert [text.get_text() for text in left.get_yticklabels()] == [row["measure"] for row in found["agreement"]]
    assert len(right.get_yticks()) == len(attention_study.MEASURES)
    models = {name: one["models"]["dynamic"] for name, one in networks.items()}
    figure = attention_figures.blocks({name: one["blocks"] for name, one in models.items()})
    assert [len(axis.get_xticks()) for axis in figure.axes] == [3, 3]
    figure = attention_figures.between({name: one["between"] for name, one in models.items()})
    assert [len(axis.texts) for axis in figure.axes] == [10, 10]
    rows = {
        name: {"rows": models[name]["design"], "shuffled": networks[name]["shuffled_efficiency"]} for name in models
    }
    labels = [text.get_text() for text in attention_figures.design(rows).axes[0].get_yticklabels()]
    assert labels[-1] == "rollout, shuffled"
    assert {"rollout", "random", *attention_study.NULLS} < set(labels)
    figure = attention_figures.strata({name: one["strata"] for name, one in models.items()})
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["Colombia", "Colombia", "Ridgecrest"]


def test_curves_of_deletion_begin_with_the_whole_event_and_those_of_insertion_with_one_station(networks):
    figure = attention_figures.deletion({name: one["deletion"] for name, one in networks.items()})
    removed, kept = figure.axes[:2]
    assert {line.get_label() for line in removed.lines} == set(attention_figures.ORDER_LOOKS)
    assert len(removed.lines[0].get_xdata()) == 1 + len(attention_study.KEPT)
    assert len(kept.lines[0].get_xdata()) == len(attention_study.KEPT)


@pytest.mark.parametrize("draw", ["blocks", "between", "design", "strata", "deletion"])
def test_nothing_to_draw_is_said(draw):
    with pytest.raises(UserError, match="nothing to draw"):
        getattr(attention_figures, draw)({})
