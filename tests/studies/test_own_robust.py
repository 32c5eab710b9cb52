"""A reader's own network from its YAML file to a kept model, by real trainings of the smallest size."""

import json

import pytest

from seisbook import cli
from seisbook.catalogues import networks
from seisbook.catalogues.network_yaml import item, to_yaml
from seisbook.datasets import build, library
from seisbook.errors import UserError
from seisbook.models import checkpoints, robust_checkpoints
from seisbook.studies import own_robust, runs
from tests.made_up import TOY
from tests.studies.test_robust import RECIPE

OWN = 60


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A YAML file, a dataset of its twin's events that stand for own ones, and the smallest recipe."""
    folder = tmp_path_factory.mktemp("own")
    zones = [line for zone in TOY.zones for line in item({k: v for k, v in vars(zone).items() if k != "hours"}, {})]
    (folder / "my.yaml").write_text(to_yaml(TOY, zones, {}, ["made up"]))
    build.build(folder / "my.yaml", "simulated", folder / "mine", n_events=OWN, random_state=5, progress=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(own_robust.RECIPES, "quick", RECIPE)
        patch.setattr(own_robust, "NEW_EVENTS", 8)
        for module in (own_robust, library):
            patch.setattr(module, "BUILD", folder / "build")
        yield folder


@pytest.fixture(scope="module")
def path(bench):
    return own_robust.train(bench / "my.yaml", bench / "mine", "quick", progress=False)


def test_the_card_says_what_the_model_knows(bench, path):
    assert path == bench / "my-robust.safetensors"
    model, card = robust_checkpoints.load(path)
    assert own_robust.network_of(card) == networks.load(bench / "my.yaml")
    assert card.ground.velocity_model == TOY.velocity_model
    assert len(card.data["trained_on"]) == 0.8 * OWN
    low, high = card.data["range"]["latitude"]
    assert 9 < low < 10 < high < 11
    assert card.metrics["epicentral_km"]["median"] > 0
    slowness, elsewhere = (
        one.graph.timetable.slowness for one in (model, robust_checkpoints.load(own_robust.shipped_for(TOY))[0])
    )
    assert abs(slowness - elsewhere).max() > 1e-3  # weights come from another network, its Earth does not


def test_it_is_tested_on_events_that_it_has_not_seen(bench, path, caplog):
    found = runs.evaluate(path, bench / "mine", progress=False)
    seen = robust_checkpoints.load(path)[1].data["trained_on"]
    assert len(found) == 0.2 * OWN
    assert not set(found.index) & set(seen)
    assert "48 events left out" in caplog.text


def test_the_twin_is_trained_once(bench, path, monkeypatch):
    monkeypatch.setattr(own_robust.RobustLocator, "fit", lambda *_: pytest.fail("trained again"))
    own_robust.of_the_twin(networks.load(bench / "my.yaml"), "quick", progress=False)


def test_without_own_events_the_model_is_that_of_the_twin(bench, capsys):
    other = bench / "twin_only.yaml"
    other.write_text((bench / "my.yaml").read_text())
    assert cli.main(["train", "--network", str(other), "--profile", "quick"]) == 0
    said = capsys.readouterr().out
    assert "latitude 9.7" in said
    assert "errors on new simulated events: the model has seen no real event" in said
    card = robust_checkpoints.load(bench / "twin_only-robust")[1]
    assert card.data["source"] == "simulated"
    assert len(runs.evaluate(bench / "twin_only-robust", bench / "mine", progress=False)) == OWN


def test_the_command_locates_with_it_and_says_what_is_outside(bench, path, capsys):
    card_file = path.with_suffix(".json")
    assert cli.main(["locate", str(bench / "mine"), "--model", str(path), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == OWN
    known = robust_checkpoints.load(path)[1].data["range"]
    deep = [one for one in lines if one["depth_km"] > known["depth_km"][1] + 3]
    assert all(any("depth outside the model's range" in text for text in one["remarks"]) for one in deep)
    assert card_file.is_file()


def test_too_few_own_events_name_the_remedy(bench):
    build.build(bench / "my.yaml", "simulated", bench / "few", n_events=10, random_state=6, progress=False)
    with pytest.raises(UserError, match="leave out --dataset"):
        own_robust.train(bench / "my.yaml", bench / "few", "quick", progress=False)


def test_what_goes_with_shipped_networks_is_refused(bench, capsys):
    assert cli.main(["train", "--network", str(bench / "my.yaml"), "--model", "dynamic"]) == 2
    assert "--model: for shipped networks" in capsys.readouterr().err
    assert cli.main(["train", "--network", "ridgecrest", "--dataset", str(bench / "mine")]) == 2
    assert "--dataset goes with" in capsys.readouterr().err
    assert cli.main(["train", "--network", "ridgecrest", "--set", "blocks=2"]) == 2
    assert "copy its file" in capsys.readouterr().err
    assert cli.main(["train", "--network", str(bench / "my.yaml"), "--folds", "2"]) == 2
    assert "--folds goes with --dataset" in capsys.readouterr().err


def test_a_changed_model_has_a_name_of_its_own_and_the_first_stays(bench, path, capsys):
    before = path.read_bytes()
    said = ["--set", "neighbours=6", "--set", "blocks=2", "--set", "weight_decay=0.1"]
    words = ["train", "--network", str(bench / "my.yaml"), "--dataset", str(bench / "mine"), "--profile", "quick"]
    assert cli.main([*words, *said, "--folds", "2"]) == 0
    printed = capsys.readouterr().out
    assert "by fold" in printed
    assert "known failures" in printed
    assert path.read_bytes() == before
    card = robust_checkpoints.load(bench / "my-robust-neighbours-6-blocks-2-weight_decay-0.1.safetensors")[1]
    assert (card.config.neighbours, card.config.blocks, card.training.weight_decay) == (6, 2, 0.1)
    assert card.data["settings"] == ["neighbours=6", "blocks=2", "weight_decay=0.1"]
    assert len(card.metrics["folds"]) == 2
    assert card.metrics["folds"][0]["epicentral_km"] == card.metrics["epicentral_km"]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("neighbors=6", "window_s"),
        ("neighbours", "give NAME=VALUE with one of these names: channels, blocks, neighbours"),
        ("neighbours=six", "neighbours=six: input should be a valid integer"),
        ("neighbours=1001", "neighbours must be from 0 to 1000"),
        ("graph=round", "graph=round: input should be 'dynamic', 'static'"),
        ("graph_rate=nan", "graph_rate must be from 1e-07 to 1"),
        ("copies=-1", "copies must be from 0 to 100"),
        ("window_s=60", "change window: length_s in the network's file"),
    ],
)
def test_settings_are_checked_before_anything_is_computed(bench, said, message, capsys):
    assert cli.main(["train", "--network", str(bench / "my.yaml"), "--set", said]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert (message in error) == (said != "neighbors=6")  # what the network's file decides is not offered


def test_a_file_without_velocities_names_the_remedy(bench, capsys):
    text = (bench / "my.yaml").read_text()
    start, end = text.index("velocity_model:"), text.index("magnitude:")
    (bench / "slow.yaml").write_text(text[:start] + text[end:])
    assert cli.main(["train", "--network", str(bench / "slow.yaml")]) == 2
    assert "seisbook network new" in capsys.readouterr().err


def test_weights_come_from_the_shipped_model_with_the_nearest_window():
    assert own_robust.shipped_for(TOY).stem == "ridgecrest-robust-random-0"
    assert own_robust.shipped_for(networks.load("colombia")).stem == "colombia-robust-random-0"
    assert own_robust.shipped_for(TOY).parent == checkpoints.MODELS
