"""The files of a reader in chapter 7: described, located, and compared as those of the atoll are."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from seisbook.catalogues import networks, quakeml
from seisbook.catalogues.network_yaml import item, to_yaml
from seisbook.datasets import library
from seisbook.physics import simulation
from seisbook.studies import own_files, own_network, own_robust
from tests.made_up import TOY
from tests.studies.test_robust import RECIPE

OWN = 90


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Files of the toy network, as a reader has them."""
    folder = tmp_path_factory.mktemp("own")
    quakeml.write(simulation.simulate(TOY, OWN, 5), folder / "events.xml")
    rows = [f"{one.code},{one.latitude},{one.longitude},{one.elevation_m}" for one in TOY.stations]
    (folder / "stations.csv").write_text("\n".join(["code,latitude,longitude,elevation_m", *rows]))
    zones = [line for zone in TOY.zones for line in item({k: v for k, v in vars(zone).items() if k != "hours"}, {})]
    (folder / "my.yaml").write_text(to_yaml(TOY, zones, {}, ["made up"]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(own_robust.RECIPES, "quick", RECIPE)
        for module in (own_robust, library):
            patch.setattr(module, "BUILD", folder / "build")
        yield folder


@pytest.fixture(scope="module")
def files(bench):
    return own_files.of_reader(bench, bench / "events.xml", network_file=str(bench / "my.yaml"))


def test_a_description_is_made_of_a_bulletin(bench, tmp_path):
    files = own_files.of_reader(tmp_path, str(bench / "events.xml"), stations=str(bench / "stations.csv"))
    assert files.network == tmp_path / "events.yaml"
    assert networks.load(files.network) == files.draft.network
    assert "was made from the bulletin" in files.said
    assert own_files.description(files, tmp_path).columns.tolist() == ["measured"]


def test_a_description_that_is_given_is_used_and_nothing_is_written_beside_it(bench, files, tmp_path):
    before = sorted(path.name for path in bench.iterdir())
    assert networks.load(files.network).velocity_model == TOY.velocity_model
    assert "is your file" in files.said
    assert files.reality is None
    assert own_files.description(files, tmp_path).columns.tolist() == ["given"]
    mine = files.dataset(tmp_path / "mine")
    bulletin = files.bulletin()
    path = own_files.robust_model(files, mine, len(bulletin), "quick", tmp_path)
    assert path.parent == tmp_path
    assert sorted(path.name for path in bench.iterdir() if path.name != "build") == before
    held = bulletin.events.index[:12].to_numpy()
    table = own_files.located(path, own_files.unlocated(files, bulletin, held, tmp_path), bulletin)
    assert len(table) == own_files.SHOWN
    assert table["classical is away by"].str.contains("km").all()
    assert table["bulletin is away by"].str.endswith(" km").all()


def test_with_few_events_the_model_is_that_of_the_twin(files, tmp_path):
    mine = files.dataset(tmp_path / "few", 10)
    path = own_files.robust_model(files, mine, 10, "quick", tmp_path)
    assert "range of validity" in own_robust.describe(path)


def test_recorded_waveforms_of_the_held_events_are_found(files, tmp_path):
    bulletin = files.bulletin(3)
    first, second, _ = bulletin.events.index
    for name in (f"{first}.mseed", f"{first}_2.mseed", f"{second}.mseed"):
        (tmp_path / name).touch()
    recorded = replace(files, source="waveform", waveforms=tmp_path)
    found = own_files.unlocated(recorded, bulletin, np.array([first]), tmp_path)
    assert [path.name for path in found] == [f"{first}.mseed", f"{first}_2.mseed"]
    assert "recorded" in recorded.said


def test_the_borrowed_model_has_the_window_of_the_network():
    model = own_network.borrowed(TOY)
    assert model.config.window_s == TOY.window.length_s
    assert model.config.sampling_rate_hz == TOY.window.sampling_rate_hz


def test_a_ratio_is_smaller_where_every_event_says_so():
    rng = np.random.default_rng(0)
    errors = {name: rng.uniform(1, 2, 40) for pair in own_network.RATIOS.values() for name in pair}
    errors[own_network.TWIN + own_network.THEN_OWN] = 0.1 * errors[own_network.OTHER + own_network.THEN_OWN]
    index = [f"e{i}" for i in range(40)]
    tables = {name: pd.DataFrame({"epicentral_km": values}, index=index) for name, values in errors.items()}
    verdict = own_network.ratios(tables).smaller
    assert verdict["own twin over other network, own events"] == "supported"
    assert verdict["other network over random weights, own events"] == "inconclusive"
