import json
import os
import pickle
import shutil
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch

from seisbook import provenance, records
from seisbook.errors import DataError, UserError
from seisbook.models import checkpoints, peers
from seisbook.models.augmentation import TrainingConfig
from seisbook.models.checkpoints import Card
from seisbook.models.graph import ModelConfig
from tests.breaking import full, interrupt, killed

SMALL = ModelConfig(channels=16, blocks=2, neighbours=3, window_s=25.6)
DATA = {"source": "simulated", "seed": 0, "n_events": 300}
KEY, INPUTS = provenance.key("test", config=SMALL, seed=0), {"file:not/here.txt": "content"}


def made(name="dynamic", config=SMALL, **changes):
    """A model with random weights, and its card."""
    torch.manual_seed(1)
    model = peers.build(name, config).eval()
    training = TrainingConfig(epochs=3)
    card = Card(name, model.config, training, "ridgecrest", DATA, {"epicentral_km": 1.5})
    return model, replace(card, **changes)


def predict(model):
    g = torch.Generator().manual_seed(0)
    n = int(model.config.window_s * model.config.sampling_rate_hz)
    x, pos = torch.randn(2, 5, 3, n, generator=g), 30 * torch.randn(2, 5, 3, generator=g)
    with torch.no_grad():
        return model(x, pos, torch.randn(2, 5, generator=g), torch.ones(2, 5, dtype=torch.bool))


@pytest.fixture
def saved(tmp_path):
    return checkpoints.save(tmp_path / "models" / "ridgecrest_dynamic", *made(), KEY, INPUTS)


def rewrite(weights_file, change):
    """Change the tensors of a checkpoint and let the card's hash follow, as somebody's own tool might."""
    tensors = safetensors.torch.load_file(weights_file)
    change(tensors)
    safetensors.torch.save_file(tensors, weights_file)
    edit(weights_file, sha256=checkpoints.hashlib.sha256(weights_file.read_bytes()).hexdigest())


def edit(weights_file, drop=(), **changes):
    card_file = weights_file.with_suffix(".json")
    kept, content = records.read(card_file)
    content = {key: value for key, value in {**content, **changes}.items() if key not in drop}
    records.write(card_file, content, kept)


# --------------------------------------------------------------------------------------------------------- checkpoints


@pytest.mark.parametrize("name", peers.NAMES)
def test_every_architecture_comes_back_as_it_was(name, tmp_path):
    model, card = made(name)
    path = checkpoints.save(tmp_path / name, model, card)
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"{name}.json", f"{name}.safetensors"]
    again, same = checkpoints.load(path)
    assert same == card
    assert type(again) is type(model)
    assert not again.training
    for one, other in zip(predict(model), predict(again), strict=True):
        assert torch.equal(one, other)


def test_card_says_what_the_model_is(saved):
    content = json.loads(saved.with_suffix(".json").read_text())
    assert content["architecture"] == "dynamic"
    assert content["config"]["channels"] == 16
    assert content["training"]["epochs"] == 3
    assert content["data"] == DATA
    assert content["metrics"] == {"epicentral_km": 1.5}
    assert content["network"] == "ridgecrest"
    assert content["provenance"]["key"] == KEY == json.loads(json.dumps(KEY))
    assert content["provenance"]["inputs"] == INPUTS
    assert content["sha256"] == checkpoints.hashlib.sha256(saved.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", ["", ".safetensors", ".json"])
def test_any_of_its_names_finds_it(saved, suffix):
    assert checkpoints.load(f"{saved.with_suffix('')}{suffix}")[1].network == "ridgecrest"


def test_a_dot_in_the_name_is_no_suffix(tmp_path):
    path = checkpoints.save(tmp_path / "dynamic_0.1", *made())
    assert path.name == "dynamic_0.1.safetensors"
    assert checkpoints.load(tmp_path / "dynamic_0.1")[1].architecture == "dynamic"


def test_same_model_same_bytes(tmp_path):
    files = [checkpoints.save(tmp_path / name, *made()) for name in "ab"]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_loading_draws_no_random_number(saved):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    checkpoints.load(saved)
    assert torch.equal(torch.rand(3), expected)


def test_numpy_metrics_are_kept_as_numbers(tmp_path):
    model, card = made(metrics={"rmse": np.float64(0.25), "n": np.int64(3), "ci": np.array([0.5, 1.0])})
    path = checkpoints.save(tmp_path / "one", model, card)
    assert checkpoints.load(path)[1].metrics == {"rmse": 0.25, "n": 3, "ci": [0.5, 1.0]}


# ------------------------------------------------------------------------------------------------- what is not written


def other():
    """Another model with another card than `made` makes."""
    model, card = made(metrics={"epicentral_km": 0.1})
    with torch.no_grad():
        next(model.parameters()).add_(1.0)
    return model, card


def held(path):
    """The error of the card and a weight of the model: both of the earlier pair or both of the new one."""
    model, card = checkpoints.load(path)
    return card.metrics["epicentral_km"], round(next(model.parameters()).flatten()[0].item(), 4)


@pytest.fixture
def pairs(tmp_path):
    """What `held` returns for either pair."""
    return [held(checkpoints.save(tmp_path / f"{i}" / "one", *given())) for i, given in enumerate((made, other))]


@pytest.mark.parametrize("action", [full, interrupt])
def test_a_save_that_fails_leaves_the_earlier_pair_or_the_new_one(saved, pairs, breaker, action):
    steps = breaker.stop(-1, None, lambda: checkpoints.save(saved, *made(), KEY, INPUTS))
    assert len(set(pairs)) == 2
    model, card = other()
    for at in range(1, steps + 1):
        with suppress(KeyboardInterrupt, UserError):
            breaker.stop(at, action, lambda: checkpoints.save(saved, model, card, KEY, INPUTS))
        assert held(saved) in pairs, at
        checkpoints.save(saved, *made(), KEY, INPUTS)
        assert held(saved) == pairs[0]
        assert sorted(path.suffix for path in saved.parent.iterdir()) == [".json", ".safetensors"]


@pytest.mark.parametrize("first", [False, True])
def test_a_checkpoint_is_whole_wherever_the_run_is_killed(saved, pairs, breaker, first):
    model, card = other()
    checkpoints.save(saved, *made(), KEY, INPUTS)  # what is done once in a process is no step of a save
    clear(saved.parent, first)
    steps = breaker.stop(-1, None, lambda: checkpoints.save(saved, *made(), KEY, INPUTS))
    seen, waited = set(), 0
    for at in range(1, steps + 1):
        clear(saved.parent, first)
        assert killed(breaker, at, lambda: checkpoints.save(saved, model, card, KEY, INPUTS))
        card_is_there = saved.with_suffix(".json").is_file()
        seen.add(held(saved) if card_is_there else None)
        assert checkpoints.state(saved, KEY).name == ("unverified" if card_is_there else "missing")
        waited += card_is_there and checkpoints._current(saved, held_hash(saved)) != saved
        with suppress(KeyboardInterrupt):  # a next run that is stopped at its start
            breaker.stop(3, interrupt, lambda: checkpoints.save(saved, model, card, KEY, INPUTS))
        assert not card_is_there or held(saved) in pairs
        checkpoints.save(saved, *made(), KEY, INPUTS)
        assert held(saved) == pairs[0]
        assert sorted(path.suffix for path in saved.parent.iterdir()) == [".json", ".safetensors"]
    assert seen == {None if first else pairs[0], pairs[1]}
    assert first or waited, "no kill between the two files: the test looks at nothing"


def clear(folder, first):
    """Take away the earlier pair, if the save is to be the first one."""
    for path in folder.iterdir() if first else ():
        path.unlink()


def held_hash(path):
    return records.read(path.with_suffix(".json"))[1]["sha256"]


def test_names_that_begin_alike_do_not_take_each_others_weights(tmp_path):
    for name in ("dynamic", "dynamic_0", "dynamic_0.1", "dynamic[1]*"):
        waiting = checkpoints._waiting(tmp_path / f"{name}.safetensors", "0123456789abcdef")
        waiting.write_bytes(b"")
        assert checkpoints._all_waiting(tmp_path / f"{name}.safetensors") == [waiting]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_a_card_that_json_cannot_hold_is_refused(tmp_path, value):
    with pytest.raises(UserError, match=r"one\.json: not written.*plain finite values"):
        checkpoints.save(tmp_path / "one", *made(metrics={"rmse": value}))
    assert not list(tmp_path.iterdir())


def test_diverged_weights_are_refused(tmp_path):
    model, card = made()
    with torch.no_grad():
        model.head[0].bias[0] = torch.nan
    with pytest.raises(UserError, match=r"head\.0\.bias is not finite"):
        checkpoints.save(tmp_path / "one", model, card)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "changes",
    [{"architecture": "gcn"}, {"architecture": "static"}, {"config": replace(SMALL, channels=32)}],
)
def test_a_card_of_another_model_is_refused(tmp_path, changes):
    model, card = made()
    with pytest.raises(UserError, match=r"one\.json: not written: .* is another model than the GraphModel"):
        checkpoints.save(tmp_path / "one", model, replace(card, **changes))
    assert not list(tmp_path.iterdir())


# ----------------------------------------------------------------------------------------------------- what is not read


def test_no_such_checkpoint_lists_those_there_are(saved):
    with pytest.raises(UserError, match="no such checkpoint; in its folder there are: ridgecrest_dynamic"):
        checkpoints.load(saved.parent / "colombia")


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_half_a_checkpoint_is_refused(saved, suffix):
    missing = saved.with_suffix(suffix)
    missing.unlink()
    with pytest.raises(DataError, match=f"{missing}: .* missing"):
        checkpoints.load(saved)


@pytest.mark.parametrize("content", [b"", b"\x00" * 200, pickle.dumps({"head": 1}), b'{"weights": 1}'])
def test_weights_in_another_format_are_refused(saved, content):
    saved.write_bytes(content)
    with pytest.raises(DataError, match=f"{saved}: not a safetensors file, or damaged"):
        checkpoints.load(saved)


def test_a_pickle_is_never_opened(saved, tmp_path):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    torch.save({"head": Harm()}, saved)
    with pytest.raises(DataError, match="not a safetensors file"):
        checkpoints.load(saved)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("length", [4, 100, 5000, -1])
def test_truncated_weights_are_refused(saved, length):
    saved.write_bytes(saved.read_bytes()[:length])
    with pytest.raises(DataError, match=f"{saved}: not a safetensors file, or damaged"):
        checkpoints.load(saved)


def test_one_flipped_bit_is_found(saved):
    content = bytearray(saved.read_bytes())
    content[-1000] ^= 1
    saved.write_bytes(content)
    with pytest.raises(DataError, match=f"{saved}: its hash is not the one in ridgecrest_dynamic.json"):
        checkpoints.load(saved)


def test_a_missing_tensor_is_named(saved):
    rewrite(saved, lambda tensors: tensors.pop("head.0.weight"))
    with pytest.raises(DataError, match=f"{saved}: tensor head.0.weight is missing"):
        checkpoints.load(saved)


def test_a_tensor_of_another_shape_is_named(saved):
    rewrite(saved, lambda tensors: tensors.update({"vote.bias": torch.zeros(5)}))
    with pytest.raises(DataError, match=rf"{saved}: tensor vote\.bias has shape \(5,\).*model \(2,\)"):
        checkpoints.load(saved)


def test_a_tensor_of_another_type_is_named(saved):
    rewrite(saved, lambda tensors: tensors.update({"vote.bias": tensors["vote.bias"].half()}))
    with pytest.raises(DataError, match=r"vote\.bias has .*float16, the card's model .*float32"):
        checkpoints.load(saved)


def test_a_tensor_too_many_is_named(saved):
    rewrite(saved, lambda tensors: tensors.update(another=torch.zeros(1)))
    with pytest.raises(DataError, match="tensor another does not belong"):
        checkpoints.load(saved)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"architecture": "oracle"}, "architecture: .*oracle.*dynamic"),
        ({"architecture": "static"}, "config: not that of architecture 'static'"),
        ({"config": {"channels": "many"}}, r"config\.channels"),
        ({"config": {"colour": 1}}, r"config\.colour"),
        ({"config": {"channels": -1}}, "config: channels must be from 1 to 512"),
        ({"config": {"channels": 10**6}}, "config: channels must be from 1 to 512"),
        ({"config": {"blocks": 10**7}}, "config: blocks must be from 0 to 32"),
        ({"config": {"neighbours": 10**12}}, "config: neighbours must be from"),
        ({"config": {"window_s": 1e999}}, "config: window_s must be from"),
        ({"config": {"sampling_rate_hz": 1e6}}, "config: window_s times sampling_rate_hz must be"),
        ({"config": {"sampling_rate_hz": 0}}, "config: window_s times sampling_rate_hz must be"),
        ({"config": {"graph": "magic"}}, r"config\.graph"),
        ({"training": 3}, "training"),
        ({"metrics": None}, "metrics"),
        ({"mood": "good"}, "mood"),
        ({"sha256": 5}, "sha256"),
        ({"drop": ["training"]}, "training"),
        ({"drop": ["sha256"]}, "sha256"),
    ],
)
def test_a_card_that_does_not_fit_is_refused_with_file_and_key(saved, changes, place):
    edit(saved, **changes)
    with pytest.raises(DataError, match=f"{saved.with_suffix('.json')}: {place}") as caught:
        checkpoints.load(saved)
    assert "\n" not in str(caught.value)


DEEP = '{"provenance": {},\n"a": ' + "[" * 100_000


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00", '{"sha256": "0"}', "[" * 100_000, DEEP])
def test_a_damaged_card_is_refused(saved, text):
    saved.with_suffix(".json").write_text(text)
    with pytest.raises(DataError, match=str(saved.with_suffix(".json"))):
        checkpoints.load(saved)


def test_the_weights_of_another_training_are_refused(saved, tmp_path):
    model, card = made()
    with torch.no_grad():
        model.vote.bias.add_(1)
    other = checkpoints.save(tmp_path / "other", model, card)
    shutil.copy(other, saved)
    with pytest.raises(DataError, match="hash"):
        checkpoints.load(saved)


# ---------------------------------------------------------------------------------------------- what it was made of


@pytest.fixture
def content(monkeypatch):
    """Content of the checkpoint's input, which a test may change."""
    now = {"not/here.txt": "content"}
    monkeypatch.setitem(provenance.IDENTITIES, "file", now.get)
    return now


def test_a_checkpoint_is_current_until_its_configuration_or_an_input_changes(saved, content):
    assert checkpoints.state(saved, KEY).name in ("current", "unverified")
    assert checkpoints.state(saved, KEY) == ("unverified", "it was never run again")
    assert checkpoints.require(saved, KEY, "seisbook train")[1].network == "ridgecrest"
    another = provenance.key("test", config=replace(SMALL, blocks=3), seed=0)
    assert checkpoints.state(saved, another) == ("stale", "its configuration has changed: config")
    content.clear()  # not here: nothing can be said of it
    assert checkpoints.state(saved, KEY).name in ("current", "unverified")
    content["not/here.txt"] = "another"
    assert checkpoints.state(saved, KEY) == ("stale", "an input has changed: file:not/here.txt")
    for key in (KEY, another):
        assert checkpoints.state(saved, key).name in ("stale", "missing", "damaged")
        with pytest.raises(UserError, match=f"{saved}: .* has changed: .*: make it with `seisbook train --model one`"):
            checkpoints.require(saved, key, "seisbook train --model one")


def test_every_part_of_a_key_counts():
    def key(name="dynamic", network="ridgecrest", config=SMALL, **data):
        return provenance.key("test", config=config, data={**DATA, **data}, model=name, network=network)

    assert key() == key()
    different = [
        key(),
        key(name="static"),
        key(network="colombia"),
        key(config=replace(SMALL, neighbours=4)),
        key(seed=1),
        key(n_events=301),
    ]
    assert len({provenance.digest(one) for one in different}) == len(different)


@pytest.mark.parametrize("suffix", ["", ".safetensors", ".json"])
def test_a_missing_checkpoint_says_what_makes_it(saved, suffix):
    path = saved.with_name(f"colombia{suffix}")
    assert checkpoints.state(path, KEY) == ("missing", "there is no such file")
    assert checkpoints.state(path, KEY).name in ("stale", "missing", "damaged")
    with pytest.raises(UserError, match=r"colombia\.safetensors: there is no such file: make it with `seisbook train`"):
        checkpoints.require(path, KEY, "seisbook train")


def test_half_a_checkpoint_is_missing(saved):
    saved.with_suffix(".json").unlink()
    assert checkpoints.state(saved, KEY).name == "missing"


def test_a_card_that_was_changed_by_hand_is_damaged(saved):
    card = saved.with_suffix(".json")
    card.write_text(card.read_text().replace('"epochs": 3', '"epochs": 4'))
    assert checkpoints.state(saved, KEY).name == "damaged"
    assert checkpoints.state(saved, KEY).name in ("stale", "missing", "damaged")


def test_a_published_model_is_an_input_and_another_stands_for_its_own(saved, monkeypatch):
    with provenance.watched() as inputs:
        checkpoints.load(saved)
    assert inputs == INPUTS
    monkeypatch.setattr(checkpoints, "MODELS", saved.parent)
    with provenance.watched() as inputs:
        checkpoints.load(saved)
    digest = records.read(saved.with_suffix(".json"))[1]["sha256"]
    assert inputs == {"model:ridgecrest_dynamic": digest[:16]}


def test_loading_changes_nothing(saved):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in saved.parent.iterdir()}
    checkpoints.load(saved)
    checkpoints.require(saved, KEY, "seisbook train")
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in saved.parent.iterdir()} == before


@pytest.mark.parametrize("path", sorted(checkpoints.MODELS.glob("*.json")), ids=lambda path: path.stem)
def test_the_identity_of_a_published_model_is_the_hash_of_its_weights(path):
    weights = path.with_suffix(".safetensors").read_bytes()
    assert provenance.identity(f"model:{path.stem}") == checkpoints.hashlib.sha256(weights).hexdigest()[:16]
