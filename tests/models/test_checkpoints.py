import json
import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from seisbook import records
from seisbook.catalogues import networks
from seisbook.errors import DataError, UserError
from seisbook.models import checkpoints, peers
from seisbook.models.augmentation import TrainingConfig
from seisbook.models.checkpoints import Card
from seisbook.models.graph import ModelConfig

SMALL = ModelConfig(channels=16, blocks=2, neighbours=3, window_s=25.6)
DATA = {"source": "simulated", "seed": 0, "n_events": 300}


def made(name="dynamic", config=SMALL, **changes):
    """A model with random weights, and its card."""
    torch.manual_seed(1)
    model = peers.build(name, config).eval()
    training = TrainingConfig(epochs=3)
    recipe = checkpoints.recipe(name, "ridgecrest", model.config, training, DATA)
    card = Card(name, model.config, training, "ridgecrest", DATA, {"epicentral_km": 1.5}, "abc1234", recipe)
    return model, replace(card, **changes)


def predict(model):
    g = torch.Generator().manual_seed(0)
    n = int(model.config.window_s * model.config.sampling_rate_hz)
    x, pos = torch.randn(2, 5, 3, n, generator=g), 30 * torch.randn(2, 5, 3, generator=g)
    with torch.no_grad():
        return model(x, pos, torch.randn(2, 5, generator=g), torch.ones(2, 5, dtype=torch.bool))


@pytest.fixture
def saved(tmp_path):
    return checkpoints.save(tmp_path / "models" / "ridgecrest_dynamic", *made())


def rewrite(weights_file, change):
    """Change the tensors of a checkpoint and let the card's hash follow, as somebody's own tool might."""
    tensors = safetensors.torch.load_file(weights_file)
    change(tensors)
    safetensors.torch.save_file(tensors, weights_file)
    edit(weights_file, sha256=checkpoints.hashlib.sha256(weights_file.read_bytes()).hexdigest())


def edit(weights_file, drop=(), **changes):
    card_file = weights_file.with_suffix(".json")
    content = {**json.loads(card_file.read_text()), **changes}
    card_file.write_text(json.dumps({key: value for key, value in content.items() if key not in drop}))


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
    assert content["code"] == "abc1234"
    assert len(content["recipe"]["hash"]) == 16


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


@pytest.mark.parametrize("failing", [0, 1])
def test_a_save_that_fails_leaves_no_half(saved, monkeypatch, failing):
    """Before the first renaming the old checkpoint stays; between the two, the hash refuses the mixture."""
    before = checkpoints.load(saved)[1]
    calls = []

    def replace_file(source, target):
        calls.append(target)
        if len(calls) > failing:
            raise OSError("disk gone")
        Path(source).rename(target)

    model, card = made(metrics={"epicentral_km": 0.1})
    with torch.no_grad():
        next(model.parameters()).add_(1.0)
    monkeypatch.setattr(checkpoints.os, "replace", replace_file)
    with pytest.raises(OSError, match="disk gone"):
        checkpoints.save(saved, model, card)
    assert len(list(saved.parent.iterdir())) == 2
    if failing == 0:
        assert checkpoints.load(saved)[1] == before
    else:
        with pytest.raises(DataError, match="hash"):
            checkpoints.load(saved)


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
        ({"config": {"channels": -1}}, "config: no model can be built"),
        ({"config": {"graph": "magic"}}, r"config\.graph"),
        ({"training": 3}, "training"),
        ({"metrics": None}, "metrics"),
        ({"mood": "good"}, "mood"),
        ({"sha256": 5}, "sha256"),
        ({"drop": ["recipe"]}, "recipe"),
        ({"drop": ["sha256"]}, "sha256"),
    ],
)
def test_a_card_that_does_not_fit_is_refused_with_file_and_key(saved, changes, place):
    edit(saved, **changes)
    with pytest.raises(DataError, match=f"{saved.with_suffix('.json')}: {place}") as caught:
        checkpoints.load(saved)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00", '{"sha256": "0"}'])
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


# ------------------------------------------------------------------------------------------------------------- recipes


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """A copy of the library's source to change: a function from module name, old and new text."""
    folder = tmp_path / "seisbook"
    shutil.copytree(checkpoints.MODULES, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(checkpoints, "MODULES", folder)

    def change(module, old, new):
        path = folder / f"{module}.py"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))
        checkpoints._code.cache_clear()

    yield change
    checkpoints._code.cache_clear()


def test_a_record_is_current_until_its_recipe_changes(modules):
    record = json.loads(json.dumps({"model": "dynamic", "recipe": checkpoints.recipe("dynamic", "ridgecrest", SMALL)}))
    assert checkpoints.is_current(record)
    modules("training", "TAIL = 4.0", "TAIL = 5.0")
    assert not checkpoints.is_current(record)
    modules("training", "TAIL = 5.0", "TAIL = 4.0")
    assert checkpoints.is_current(record)


def test_words_do_not_make_a_record_out_of_date(modules):
    record = {"recipe": checkpoints.recipe("dynamic", "ridgecrest", SMALL)}
    modules("training", "TAIL = 4.0  # degrees", "TAIL = 4.0  # or so: degrees")
    modules("training", '"""Training and prediction:', '"""Prediction and training:')
    assert checkpoints.is_current(record)


@pytest.mark.parametrize(
    ("module", "stale"),
    [
        ("rendering", {"dynamic", "gcn", "classical"}),
        ("model", {"dynamic", "gcn"}),
        ("peers", {"gcn"}),
        ("classical", {"classical"}),
        ("figures", set()),
    ],
)
def test_only_the_modules_that_matter_count(modules, module, stale):
    kept = {name: {"recipe": checkpoints.recipe(name, "ridgecrest", SMALL)} for name in ("dynamic", "gcn", "classical")}
    path = checkpoints.MODULES / f"{module}.py"
    first = path.read_text().splitlines()[-1]
    modules(module, first, f"{first}\nCHANGED = 1")
    assert {name for name, record in kept.items() if not checkpoints.is_current(record)} == stale


def test_every_part_counts():
    def digest(name="dynamic", network="ridgecrest", config=SMALL, **data):
        return checkpoints.recipe_hash(config, {**DATA, **data}, architecture=name, network=network)

    assert digest() == digest()
    different = [
        digest(),
        digest(name="static"),
        digest(network="colombia"),
        digest(config=replace(SMALL, neighbours=4)),
        digest(seed=1),
        digest(n_events=301),
    ]
    assert len(set(different)) == len(different)


def test_the_network_counts_as_described_and_not_as_written(tmp_path):
    path = tmp_path / "mine.yaml"
    text = (networks.DATA / "networks" / "ridgecrest.yaml").read_text()
    path.write_text(text)
    record = {"recipe": checkpoints.recipe("dynamic", path, SMALL)}
    path.write_text(f"# a remark\n{text}")
    assert checkpoints.is_current(record)
    level = networks.load(path).magnitude.b
    assert f"b: {level}" in text
    path.write_text(text.replace(f"b: {level}", f"b: {level + 0.01:.4f}", 1))
    assert not checkpoints.is_current(record)
    path.unlink()
    assert not checkpoints.is_current(record)


@pytest.mark.parametrize("record", [{}, {"recipe": None}, {"recipe": {}}, {"recipe": "0123"}, {"recipe": {"parts": 3}}])
def test_a_record_without_recipe_is_not_current(record):
    assert not checkpoints.is_current(record)


def test_a_record_of_an_architecture_that_is_no_more_is_not_current():
    kept = checkpoints.recipe("dynamic", "ridgecrest")
    assert not checkpoints.is_current({"recipe": {**kept, "architecture": "oracle"}})
    with pytest.raises(UserError, match=r"no architecture 'oracle': choose one of .*classical"):
        checkpoints.recipe("oracle", "ridgecrest")


def test_card_and_record_on_disk_stay_current(saved, tmp_path, monkeypatch):
    card = checkpoints.load(saved)[1]
    assert checkpoints.is_current(card)
    assert not checkpoints.is_current(replace(card, recipe={**card.recipe, "hash": "0" * 16}))
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    records.write("one", {"recipe": card.recipe})
    assert checkpoints.is_current(records.read("one"))


def test_comments_docstrings_and_blank_lines_are_left_out():
    source = '''"""Module # docstring.

With "quotes" and é."""
x = "# no comment"  # a comment: é

class A:
    """Doc."""

    y = f"{x} # no comment"; z = """kept
# kept too"""

    def f(self):
        \'\'\'Doc
        of two lines.\'\'\'
        # a comment
        return "kept"
"""After an assignment."""
'''
    assert checkpoints.without_comments(source).split("\n") == [
        'x = "# no comment"',
        "class A:",
        '    y = f"{x} # no comment"; z = """kept',
        '# kept too"""',
        "    def f(self):",
        '        return "kept"',
    ]


def test_a_record_is_refused_when_its_model_is_another(saved, monkeypatch):
    digest = checkpoints.load(saved)[1].recipe["hash"]
    checkpoints.check_models("attention", {saved: digest})
    with pytest.raises(UserError, match=r"attention\.json: the model ridgecrest_dynamic.*--record"):
        checkpoints.check_models("attention", {saved: "other"})
    monkeypatch.setattr(checkpoints, "is_current", lambda card: False)
    with pytest.raises(UserError, match="has changed since"):
        checkpoints.check_models("attention", {saved: digest})
