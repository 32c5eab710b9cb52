"""Studies on the bulletin of a user's own network: its events, its folds, and refusals in one line."""

import json

import pytest

from seisbook import cli, provenance, records
from seisbook.catalogues import bulletins, networks, quakeml
from seisbook.catalogues.network_yaml import item, to_yaml
from seisbook.datasets import build, library
from seisbook.physics import simulation
from seisbook.studies import fold, frozen_stem, own_bulletins, robust_models, runner
from tests.made_up import TOY
from tests.studies.test_robust import RECIPE

OWN = 90


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A YAML file that names a bulletin beside it, and another one that names none."""
    folder = tmp_path_factory.mktemp("own")
    quakeml.write(simulation.simulate(TOY, OWN, 5), folder / "events.xml")
    zones = [line for zone in TOY.zones for line in item({k: v for k, v in vars(zone).items() if k != "hours"}, {})]
    (folder / "my.yaml").write_text(to_yaml(TOY, zones, {}, ["made up"], ["events.xml"]))
    (folder / "bare.yaml").write_text(to_yaml(TOY, zones, {}, ["made up"]))
    with pytest.MonkeyPatch.context() as patch:
        for module in (library, robust_models, runner):
            patch.setattr(module, "BUILD", folder / "build")
        yield folder


def test_folds_are_those_of_the_own_bulletin(bench):
    with provenance.watched() as inputs:
        found = fold.first_fold(str(bench / "my.yaml"), "bulletin", "quick")
    assert len(found.events) == OWN
    assert len(found.test) == OWN / 5
    assert f"network:{bench / 'my.yaml'}" in inputs
    assert set(found.events.source_id) == set(bulletins.read_catalogue(bench / "events.xml", "toy").events.index)


def test_a_changed_bulletin_makes_records_stale_and_a_network_without_one_keeps_its_hash(bench):
    assert networks.content(bench / "bare.yaml") == provenance.digest(networks.load(bench / "bare.yaml"))
    name = f"network:{bench / 'my.yaml'}"
    before, text = provenance.identity(name), (bench / "events.xml").read_bytes()
    (bench / "events.xml").write_bytes(text + b"\n")
    assert provenance.identity(name) != before
    (bench / "events.xml").unlink()
    networks.load(bench / "my.yaml")  # it can be loaded without
    (bench / "events.xml").write_bytes(text)


def test_data_are_built_of_the_bulletin_that_the_file_names(bench, tmp_path):
    path = build.build(bench / "my.yaml", "bulletin", tmp_path / "mine", n_events=5, progress=False)
    assert "5 events" in build.describe(path)


def test_a_study_runs_on_it_to_its_merged_file(bench, monkeypatch, capsys):
    monkeypatch.setattr(records, "RESULTS", bench / "results")
    monkeypatch.setattr(provenance, "code_version", lambda: "abc1234")
    monkeypatch.setitem(robust_models.RECIPES, "quick", RECIPE)
    monkeypatch.setattr(frozen_stem.robust_models, "RECIPES", robust_models.RECIPES)
    words = ["variance-robust", "--network", str(bench / "my.yaml"), "--profile", "quick", "--source", "bulletin"]
    assert cli.main(["study", "run", *words]) == 0
    assert "0 missing" in capsys.readouterr().out
    assert cli.main(["study", "merge", *words]) == 0
    merged = bench / "results" / "studies" / "variance-robust-my-bulletin-quick.json"
    assert capsys.readouterr().out.strip() == str(merged)
    assert len(json.loads(merged.read_text())["records"]) == len(
        runner.find("variance-robust").trials(str(bench / "my.yaml"), "bulletin", "quick")
    )
    (record, *_) = runner.load(runner.find("variance-robust"), str(bench / "my.yaml"), "bulletin", "quick")
    assert len(record["result"]["external"]) == OWN / 5


@pytest.mark.parametrize(
    ("study", "file", "message"),
    [
        ("transfer", "my.yaml", "chapter 7 compares the starts"),
        ("alignment", "my.yaml", "only shipped networks have"),
        ("variance", "bare.yaml", "add a line such as `bulletin: events.xml`"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(bench, study, file, message, capsys):
    assert cli.main(["study", "run", study, "--network", str(bench / file), "--source", "bulletin"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_too_few_events_are_counted(bench, tmp_path):
    quakeml.write(simulation.simulate(TOY, 20, 5), tmp_path / "events.xml")
    (tmp_path / "my.yaml").write_text((bench / "my.yaml").read_text())
    with pytest.raises(own_bulletins.UserError, match=r"events\.xml: 20 events with readings are too few"):
        own_bulletins.refuse_unfit("variance", tmp_path / "my.yaml", "bulletin")


def test_every_study_is_possible_or_has_a_reason():
    assert set(own_bulletins.POSSIBLE) <= set(runner.STUDIES)
    assert set(own_bulletins.INSTEAD) <= set(runner.STUDIES)


@pytest.mark.parametrize("value", ["3", "[1]", '"a\\nb"', "{a: b}"])
def test_a_bulletin_that_is_no_path_is_refused(bench, tmp_path, value):
    text = (bench / "bare.yaml").read_text().replace("utc_offset_h:", f"bulletin: {value}\nutc_offset_h:", 1)
    (tmp_path / "net.yaml").write_text(text)
    with pytest.raises(networks.DataError, match=r"net\.yaml: bulletin: neither"):
        networks.load(tmp_path / "net.yaml")
