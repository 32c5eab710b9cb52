"""Second opinions on new events, the stations' influence, and the command that prints and draws both."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from seisbook import cli
from seisbook.catalogues import networks
from seisbook.datasets import build
from seisbook.errors import UserError
from seisbook.measures import location
from seisbook.measures.second_opinion import Adviser, advised, at_stations
from seisbook.measures.station_influence import influence
from seisbook.models import checkpoints, robust_checkpoints
from seisbook.physics.traveltimes import TravelTimes
from tests.measures.test_location import opened

MODEL = checkpoints.MODELS / "ridgecrest-robust-random-0"
NETWORK = networks.load("ridgecrest")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("second") / "new"
    return build.build("ridgecrest", "simulated", path, n_events=8, random_state=78, progress=False)


@pytest.fixture(scope="module")
def found(folder):
    model, card = robust_checkpoints.load(MODEL)
    return list(location.locate(card.locator(model), opened(folder), progress=False))


@pytest.mark.parametrize("method", ["classical", "pyocto"])
def test_another_locator_agrees_on_most_events(method, folder, found):
    if method == "pyocto":
        pytest.importorskip("pyocto")
    said = Adviser(method, opened(folder), NETWORK).opinions(found)
    assert len(said) == len(found)
    assert np.nanmedian([one.apart_km for one in said]) < 2
    assert sum(one.disagrees for one in said) < len(found) / 2


def test_a_location_that_was_moved_is_contradicted(folder, found):
    moved = [replace(one, latitude=one.latitude + 0.5, remarks=()) for one in found]
    for one, (opinion,) in advised(moved, [Adviser("classical", opened(folder), NETWORK)]):
        assert opinion.disagrees
        assert 45 < opinion.apart_km < 65
        assert one.remarks[0].startswith("classical: ")


def test_the_onsets_are_the_models_own(folder, found):
    """The classical locator looks at no label and at no pick of the dataset."""
    blank = opened(folder)
    columns = [f"trace_{wave}_arrival_sample" for wave in "ps"]
    blank.metadata = blank.metadata.assign(**dict.fromkeys(columns, np.nan), source_latitude_deg=np.nan)
    first, again = (Adviser("classical", one, NETWORK).opinions(found) for one in (opened(folder), blank))
    assert first == again


def test_pyocto_needs_picks_and_names_the_remedy(folder, found, monkeypatch, capsys):
    blank = opened(folder)
    columns = [f"trace_{wave}_arrival_sample" for wave in "ps"]
    blank.metadata = blank.metadata.assign(**dict.fromkeys(columns, np.nan))
    with pytest.raises(UserError, match="no picks to give to PyOcto"):
        Adviser("pyocto", blank, NETWORK)
    monkeypatch.setitem(sys.modules, "pyocto", None)
    assert cli.main(["locate", str(folder), "--model", str(MODEL), "--beside", "pyocto"]) == 2
    assert "PyOcto is not installed: pip install" in capsys.readouterr().err


def test_influence_is_a_share_and_the_nearest_stations_have_most_of_it(folder, found):
    traces, times = opened(folder).metadata, TravelTimes(NETWORK.velocity_model)
    for one in found:
        network = at_stations(NETWORK, traces[traces.source_id == one.source_id])
        share = influence(one, network, times)
        assert share.sum() == pytest.approx(1)
        assert set(share.index) == {arrival.station for arrival in one.arrivals}
    doubted = replace(one, arrivals=tuple(replace(a, weight=1e-6) for a in one.arrivals[:1]) + one.arrivals[1:])
    assert influence(doubted, network, times)[one.arrivals[0].station] < share[one.arrivals[0].station]


def test_few_onsets_share_by_weight(folder, found):
    two = replace(found[0], arrivals=found[0].arrivals[:2])
    network = at_stations(NETWORK, opened(folder).metadata)
    assert influence(two, network, TravelTimes(NETWORK.velocity_model)).sum() == pytest.approx(1)


def test_the_command_prints_opinions_and_draws_a_map_for_each_event(folder, tmp_path, capsys):
    words = ["locate", str(folder), "--model", str(MODEL), "--check", "--map", str(tmp_path / "m.png")]
    assert cli.main(words) == 0
    assert "classical is away by" in capsys.readouterr().out
    maps = sorted(tmp_path.glob("m-*.png"))
    assert len(maps) == 8
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in maps)
    assert cli.main([*words[:5], "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["opinions"][0]["method"] for line in lines} == {"classical"}


def test_a_map_is_a_png_and_that_is_said_before_anything_is_located(capsys):
    assert cli.main(["locate", "nowhere", "--model", str(MODEL), "--map", "m.pdf"]) == 2
    assert "ends with .png" in capsys.readouterr().err
