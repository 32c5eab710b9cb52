"""Trained models on disk.

A checkpoint is two files side by side: `<name>.safetensors`, the weights, and `<name>.json`, a card that says what they
are and what they were made of. Nothing is unpickled: a checkpoint from somebody else cannot run code.
"""

import dataclasses
import glob
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import safetensors.torch
import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from safetensors import SafetensorError

import seisbook.catalogues.networks  # noqa: F401 (it tells the identity of networks)
from seisbook import files, provenance, records
from seisbook.errors import DataError, UserError, brief
from seisbook.models import peers
from seisbook.models.augmentation import TrainingConfig
from seisbook.models.graph import ModelConfig
from seisbook.paths import DATA

MODELS = DATA / "models"
REMEDY = "restore both files of the checkpoint, or train again"


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Card:
    """What a checkpoint is.

    Parameters
    ----------
    architecture : str
        Name for `seisbook.models.peers.build`.
    config : ModelConfig
        The model's.
    training : TrainingConfig
    network : str
        Name of the network.
    data : dict
        What it was trained on: `source`, `seed`, `n_events`, and what else there is to say.
    metrics : dict
        Such as those of `seisbook.measures.evaluation.summarise_errors`.
    """

    architecture: str
    config: ModelConfig
    training: TrainingConfig
    network: str
    data: dict
    metrics: dict

    @classmethod
    def of(cls, locator, network, data, metrics) -> "Card":
        """Card of a fitted `seisbook.models.training.Locator`."""
        return cls(locator.architecture, locator.model_.config, locator.training, network, data, metrics)


@dataclasses.dataclass(frozen=True)
class Form:
    """What the checkpoints of one family of models hold.

    Parameters
    ----------
    card : type
        Of their cards.
    build : callable
        Function of a card that returns a model of its architecture.
    derived : tuple of str
        Tensors that `build` computes, so that they are not stored.
    """

    card: type
    build: Callable
    derived: tuple[str, ...] = ()


@provenance.stage
def save(path, model, card, key=None, inputs=None, form=None) -> Path:
    """Write a model and its card, whole or not at all.

    Parameters
    ----------
    path : path
        With or without the suffix `.safetensors`.
    model : Module
        Of `seisbook.models.peers.build`.
    card : Card
        Or that of another form.
    key, inputs : dict, optional
        What the model was made of, see `seisbook.provenance`.
    form : Form, optional
        By default that of the models of `seisbook.models.peers`.

    Returns
    -------
    Path
        Of the weights; the card lies beside them.

    Raises
    ------
    UserError
        If the card does not describe the model, a weight is not finite, or JSON cannot hold the card.
    """
    weights_file, card_file = _files(path)
    form = form or PAPER
    _check_card(model, card, card_file, form)
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in _stored(model, form).items()}
    broken = [name for name, value in tensors.items() if not torch.isfinite(value).all()]
    if broken:
        raise UserError(f"{weights_file}: not written: {broken[0]} is not finite; training diverged, train again")
    weights = safetensors.torch.save(tensors)
    try:
        content = json.loads(provenance.canonical({**asdict(card), "sha256": hashlib.sha256(weights).hexdigest()}))
    except (TypeError, ValueError) as error:
        raise UserError(f"{card_file}: not written: {error}: keep plain finite values in data and metrics") from None
    text = records.text_of(content, provenance.provenance(key or {"stage": "own"}, inputs or {}), indent=1)
    _write_pair(weights_file, weights, card_file, text, content["sha256"])
    return weights_file


def load(path):
    """Read a model and its card.

    Parameters
    ----------
    path : path
        With or without suffix.

    Returns
    -------
    model : Module
        On the CPU, in evaluation mode.
    card : Card

    Raises
    ------
    UserError
        If there is no such checkpoint; the message lists those beside it.
    DataError
        If a file is missing, damaged or belongs to another checkpoint, the architecture is unknown, or the weights are
        not those of the card's model; the message names the file and the place.
    """
    card, tensors = _read(path)
    model = _build(card)
    model.load_state_dict(tensors)
    return model.eval(), card


@provenance.stage
def _read(path):
    """Card and tensors of a checkpoint of the models of `seisbook.models.peers`."""
    return read(path, PAPER)


@provenance.stage
def read(path, form):
    """Card and tensors of a checkpoint that is whole; errors as those of `load`.

    Parameters
    ----------
    path : path
    form : Form
    """
    weights_file, card_file = _files(path)
    if not weights_file.is_file() and not card_file.is_file():
        known = ", ".join(sorted(other.stem for other in weights_file.parent.glob("*.safetensors"))) or "none"
        raise UserError(f"{weights_file}: no such checkpoint; in its folder there are: {known}")
    card, kept, digest = _read_card(card_file, form.card)
    tensors, found = _read_weights(_current(weights_file, digest))
    _check_tensors(tensors, _stored(_described(card, card_file, form), form), weights_file)
    if found != digest:
        raise DataError(f"{weights_file}: its hash is not the one in {card_file.name} (key sha256): {REMEDY}")
    _note(weights_file, kept, digest)
    return card, tensors


def _note(weights_file, kept, digest):
    """A published model is an input; one that was made on this machine stands for its own inputs."""
    if weights_file.parent == MODELS:
        provenance.note(f"model:{weights_file.stem}", digest[:16])
        return
    for name, content in kept["inputs"].items():
        provenance.note(name, content)


def require(path, key, command):
    """Read a model that a result needs.

    Parameters
    ----------
    path : path
    key : dict
        Its key as it is now.
    command : str
        What makes it.

    Raises
    ------
    UserError
        If it is missing, or was made by another configuration or from other inputs.
    """
    found = state(path, key)
    if found.name in ("missing", "stale"):
        raise UserError(f"{_files(path)[0]}: {found.reason}: make it with `{command}`")
    return load(path)


def state(path, key=None) -> provenance.State:
    """State of a checkpoint, see `seisbook.provenance.state`."""
    weights_file, card_file = _files(path)
    if not weights_file.is_file():
        return provenance.State("missing", "there is no such file")
    return provenance.state(card_file, key)


def _files(path):
    path = Path(path)
    stem = path.with_suffix("") if path.suffix in (".safetensors", ".json") else path
    return stem.with_name(f"{stem.name}.safetensors"), stem.with_name(f"{stem.name}.json")


def _check_card(model, card, card_file, form):
    """Refuse a card from which `load` would build another model than the one that is saved."""
    described = form.build(card)
    same = type(described) is type(model) and described.config == model.config == card.config
    expected, given = _stored(described, form), _stored(model, form)
    if not same or set(expected) != set(given) or not all(_fits(given[name], expected[name]) for name in expected):
        raise UserError(
            f"{card_file}: not written: architecture '{card.architecture}' with the card's config is another model "
            f"than the {type(model).__name__} to be saved: give the model's own name and config"
        )


def _stored(model, form):
    """Tensors of a model that its checkpoint holds."""
    return {name: value for name, value in model.state_dict().items() if name not in form.derived}


def _fits(value, expected):
    """Whether a tensor can take the place of another; one without rows stands for any number of them."""
    same = value.shape[1:] == expected.shape[1:] and value.ndim == expected.ndim
    return same and value.dtype == expected.dtype and (expected.shape[:1] in ((0,), value.shape[:1]))


def _described(card, card_file, form):
    """Build the model that a card from disk describes."""
    try:
        model = form.build(card)
    except UserError as error:
        raise DataError(f"{card_file}: architecture: {error}") from None
    except (RuntimeError, ValueError, ArithmeticError, AssertionError) as error:
        text = " ".join(str(error).split())
        raise DataError(f"{card_file}: config: no model can be built of it ({text}): {REMEDY}") from None
    if model.config != card.config:
        raise DataError(f"{card_file}: config: not that of architecture '{card.architecture}': {REMEDY}")
    return model


def _build(card):
    with torch.random.fork_rng(devices=[]):  # the initial weights are thrown away: draw no random number for them
        return peers.build(card.architecture, card.config)


PAPER = Form(Card, _build)
"""Of the models of `seisbook.models.peers`."""


def architecture_of(path) -> str:
    """Architecture that the card of a checkpoint names; empty if it names none, or there is no card."""
    card_file = _files(path)[1]
    return str(records.read(card_file)[1].get("architecture", "")) if card_file.is_file() else ""


def _write_pair(weights_file, weights, card_file, text, digest):
    """Write both files of a checkpoint so that the earlier or the new pair is whole at every moment.

    The new weights lie beside the earlier ones, under a name with their hash, until the card with this hash is written.
    """
    with files.locked(weights_file):
        try:
            _settle(weights_file, card_file)
            if not card_file.is_file():  # there is no earlier pair to keep
                files.write_whole(weights_file, weights)
                files.write_whole(card_file, text)
                return
            new = files.write_whole(_waiting(weights_file, digest), weights)
            files.write_whole(card_file, text)
            os.replace(new, weights_file)
        except OSError as error:
            raise files.refusal(weights_file, error) from None


def _settle(weights_file, card_file):
    """Finish or undo what a killed run left between two steps of `_write_pair`."""
    for left in _all_waiting(weights_file):
        try:
            named = left == _waiting(weights_file, _digest(card_file))
        except DataError:
            named = False
        if named:
            os.replace(left, weights_file)
        else:
            left.unlink()


def _all_waiting(weights_file):
    return list(weights_file.parent.glob(glob.escape(f".{weights_file.stem}.") + 16 * "[0-9a-f]" + ".safetensors"))


def _waiting(weights_file, digest):
    """File of the weights with this hash until the card names them."""
    return weights_file.with_name(f".{weights_file.stem}.{digest[:16]}.safetensors")


def _current(weights_file, digest):
    """File of the weights that the card names: where a run was killed, they may still wait."""
    waiting = _waiting(weights_file, digest)
    return waiting if waiting.is_file() else weights_file


def _digest(path):
    """Hash of the weights that a card names."""
    return _read_content(path)[1]["sha256"]


def _read_content(path):
    """Return what the checkpoint was made of, and what its card says."""
    try:
        kept, content = records.read(path)
    except DataError as error:
        raise DataError(f"{str(error).rpartition(': ')[0]}: {REMEDY}") from None
    except UserError:
        raise DataError(f"{path}: the checkpoint's card is missing: {REMEDY}") from None
    if not isinstance(content.get("sha256"), str):
        raise DataError(f"{path}: sha256: the hash of the weights is missing: {REMEDY}")
    return kept, content


def _read_card(path, kind):
    """Return the card, what the checkpoint was made of, and the hash of its weights."""
    kept, content = _read_content(path)
    digest = content.pop("sha256")
    try:
        return TypeAdapter(kind).validate_python(content), kept, digest
    except ValidationError as error:
        first = error.errors()[0]
        key = brief(".".join(str(part) for part in first["loc"]))[1:-1]
        raise DataError(f"{path}: {key}: {first['msg'].removeprefix('Value error, ')}: {REMEDY}") from None


def _read_weights(path):
    """Return the tensors by name, and the file's hash."""
    try:
        content = path.read_bytes()
        return safetensors.torch.load(content), hashlib.sha256(content).hexdigest()
    except FileNotFoundError:
        raise DataError(f"{path}: the checkpoint's weights are missing: {REMEDY}") from None
    except (SafetensorError, KeyError, ValueError) as error:  # KeyError: a number format that PyTorch lacks
        raise DataError(f"{path}: not a safetensors file, or damaged ({error}): {REMEDY}") from None


def _check_tensors(tensors, expected, path):
    for name, value in expected.items():
        if name not in tensors:
            raise DataError(f"{path}: tensor {name} is missing: {REMEDY}")
        found = tensors[name]
        if not _fits(found, value):
            raise DataError(
                f"{path}: tensor {name} has shape {tuple(found.shape)} and {found.dtype}, "
                f"the card's model {tuple(value.shape)} and {value.dtype}: {REMEDY}"
            )
    extra = sorted(set(tensors) - set(expected))
    if extra:
        raise DataError(f"{path}: tensor {extra[0]} does not belong to the card's model: {REMEDY}")
