import re
import shlex
from dataclasses import replace

import numpy as np
import pytest

from seisbook import cli, provenance, records
from seisbook.catalogues import networks
from seisbook.errors import UserError
from seisbook.models import checkpoints
from seisbook.studies import pretraining, recipes
from seisbook.studies.pretraining import try_rates

QUICK = recipes.PROFILES["quick"]


def test_learning_rates_are_tried_on_held_out_events(events):
    config = recipes.model_config(networks.load("ridgecrest"))
    short = replace(QUICK.pretraining, epochs=1, graph_epochs=0, batch_size=8)
    few = replace(QUICK, rates=(1e-3, 3e-3), trial_events=40, trial=short)
    tried = try_rates("dynamic", config, few, events, progress=False)
    assert set(tried) == set(few.rates)
    assert all(np.isfinite(loss) for loss in tried.values())
    silly = replace(few, rates=(1e-3, 1e12))
    assert set(try_rates("dynamic", config, silly, events, False)) >= {1e-3}


def test_a_model_that_is_missing_is_not_made_and_the_command_that_makes_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(pretraining, "BUILD", tmp_path)
    path = tmp_path / "models/ridgecrest-twin-gcn-paper.safetensors"
    with pytest.raises(UserError, match=f"{path}: there is no such file: make it with `seisbook train") as caught:
        pretraining.pretrained("ridgecrest", "gcn", "paper")
    assert not list(tmp_path.iterdir())
    (command,) = re.findall("`(.+)`", str(caught.value))
    parsed = cli._parser().parse_args(shlex.split(command)[1:])
    asked = parsed.network, parsed.split, parsed.model, parsed.profile
    assert asked == ("ridgecrest", "twin", ["gcn"], "paper")


def test_the_stems_of_both_profiles_are_published_for_all_networks_of_the_comparison():
    for network in networks.NETWORKS:
        for profile in recipes.PROFILES:
            path = pretraining.twin_path(network, "dynamic", profile)
            assert path.parent == checkpoints.MODELS
            assert checkpoints.state(path, pretraining.twin_key(network, "dynamic", profile)).name in (
                "current",
                "unverified",
            )


@pytest.fixture
def shipped(bench, monkeypatch):
    """The stem of `bench` as a published one, out of date."""
    monkeypatch.setattr(checkpoints, "MODELS", bench / "models")
    path = pretraining.twin_path("ridgecrest", "dynamic", "quick").with_suffix(".json")
    kept, _ = records.split(path)
    records.restamp(path, {**kept, "inputs": {"network:ridgecrest": "of another version"}})
    yield path
    records.restamp(path, kept)


def test_a_published_stem_is_not_replaced_unless_that_is_asked_for(shipped, monkeypatch):
    monkeypatch.setattr(provenance, "code_version", lambda: "abc1234")
    before = shipped.read_bytes()
    with pytest.raises(UserError, match=r"an input has changed: network:ridgecrest: to train it again .* give --force"):
        pretraining.pretrain("ridgecrest", "dynamic", "quick", False)
    assert shipped.read_bytes() == before
    with pytest.raises(UserError, match="an input has changed: network:ridgecrest: make it with `seisbook train"):
        pretraining.pretrained("ridgecrest", "dynamic", "quick")
    pretraining.pretrain("ridgecrest", "dynamic", "quick", False, may_replace=lambda question: True)
    assert shipped.read_bytes() != before
    assert pretraining.pretrained("ridgecrest", "dynamic", "quick")[1].network == "ridgecrest"


def test_no_stem_is_published_while_code_has_changed(shipped, monkeypatch):
    monkeypatch.setattr(provenance, "code_version", lambda: "abc1234+")
    before = shipped.read_bytes()
    with pytest.raises(UserError, match="commit first"):
        pretraining.pretrain("ridgecrest", "dynamic", "quick", False, may_replace=lambda question: True)
    assert shipped.read_bytes() == before
