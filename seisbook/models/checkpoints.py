"""Trained models on disk, and whether what records say still follows from the code as it is.

A checkpoint is two files side by side: `<name>.safetensors`, the weights, and `<name>.json`, a card that says what they
are. Nothing is unpickled: a checkpoint from somebody else cannot run code.
"""

import hashlib
import inspect
import io
import json
import os
import tempfile
import time
import tokenize
from dataclasses import asdict, is_dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from safetensors import SafetensorError

from seisbook import records
from seisbook.catalogues import networks
from seisbook.errors import DataError, UserError
from seisbook.models import peers
from seisbook.models.augmentation import TrainingConfig
from seisbook.models.graph import ModelConfig
from seisbook.paths import DATA

REMEDY = "restore both files of the checkpoint, or train again"
# ------------------------------------------------------------------------------------------------------------- recipes


MODULES = Path(__file__).parent
# What turns a bulletin or a twin into events. Not `building`, `datasets` and `statistics`, of which results need a few
# lines only: each new figure or message would make all results look out of date.
DATA_MODULES = (
    "networks",
    "catalogue",
    "bulletins",
    "palm",
    "traveltimes",
    "simulation",
    "completion",
    "rendering",
    "graphs",
)


def recipe(architecture, network, *parts) -> dict:
    """What a result or a model is made by, to be kept with it; see `is_current`.

    Parameters
    ----------
    architecture : str
        A name of `seisbook.models.peers.NAMES`, `classical`, or `data` for events that no model has touched.
    network : str or path
        Of a shipped network, or a YAML file.
    *parts
        Whatever else decides the result: configuration dataclasses, and plain values that JSON can hold (source, seed,
        number of events, split).

    Returns
    -------
    dict
        `architecture`, `network`, `parts` (as JSON returns them) and `hash`, see `recipe_hash`.
    """
    parts = json.loads(_json(parts))
    digest = recipe_hash(*parts, architecture=architecture, network=network)
    return {"architecture": architecture, "network": str(network), "parts": parts, "hash": digest}


def recipe_hash(*parts, architecture, network) -> str:
    """Hash of a configuration and of all code and network description that it is carried out with.

    The code is that of the modules which make the data and which the architecture consists of, without comments and
    docstrings; the network is what its YAML file describes, not how it is written. The code is read once per process,
    for what has been imported is what runs.

    Raises
    ------
    UserError
        If there is no such architecture or network.
    """
    shipped = DATA / "networks" / f"{network}.yaml"
    changed = shipped.stat().st_mtime_ns if shipped.is_file() else time.monotonic_ns()  # a user's own is read each time
    described = _network(str(network), changed)
    code = code_of(*DATA_MODULES, *_modules_of(architecture))
    return hashlib.sha256(_json([architecture, parts, described, code]).encode()).hexdigest()[:16]


def is_current(record) -> bool:
    """Whether a record, or a card, was made by the recipe as it is now.

    Parameters
    ----------
    record : dict or Card
        With the dictionary of `recipe` as its `recipe`.

    Returns
    -------
    bool
        False also where there is no recipe, or its network or architecture is no more.
    """
    kept = record.recipe if isinstance(record, Card) else record.get("recipe")
    try:
        digest = recipe_hash(*kept["parts"], architecture=kept["architecture"], network=kept["network"])
        return kept["hash"] == digest
    except (KeyError, TypeError, UserError):
        return False


def check_models(name, recipes):
    """Refuse the record `name` if a model that it is about is not the one that it was made from, or is out of date.

    Parameters
    ----------
    name : str
        Of the record, see `seisbook.records`.
    recipes : dict of path to str
        The hash of each model's recipe that the record keeps, by the checkpoint's path.

    Raises
    ------
    UserError
        If so; the message names the record and the model.
    """
    for path, digest in recipes.items():
        card = load(path)[1]
        if card.recipe["hash"] != digest or not is_current(card):
            raise UserError(
                f"{records.RESULTS / name}.json: the model {Path(path).name} has changed since: "
                "run `seisbook results --record`"
            )


def _modules_of(architecture):
    if architecture == "data":  # events alone
        return ()
    if architecture == "classical":
        return ("classical",)
    if architecture in peers.OURS:
        return ("model", "training")
    if architecture in peers.NAMES:
        return ("model", "training", "peers")
    raise UserError(f"no architecture {architecture!r}: choose one of {', '.join((*peers.NAMES, 'classical'))}")


@lru_cache(maxsize=8)
def _network(name, changed):
    """What a network's YAML file describes; read again only if it has changed: a study has hundreds of recipes."""
    return asdict(networks.load(name))


def code_of(*modules) -> dict:
    """Hash of each of these modules' code, to be a part of a recipe that they decide on too."""
    return {name: _code(MODULES / f"{name}.py") for name in modules}


@cache
def code_of_parts(*parts) -> str:
    """Hash of functions and classes: for modules in which a new figure must not make results out of date."""
    source = "\n".join(inspect.getsource(part) for part in parts)
    return hashlib.sha256(without_comments(source).encode()).hexdigest()[:16]


@cache
def _code(path):
    """Hash of a module, without what only people read."""
    return hashlib.sha256(without_comments(path.read_text(encoding="utf-8")).encode()).hexdigest()


def without_comments(source: str) -> str:
    """Python source without comments, docstrings and blank lines.

    It is cut out of the text and not printed from a syntax tree, whose form differs between versions of Python.
    """
    lines = io.StringIO(source).readlines()
    tokens = [one for one in tokenize.generate_tokens(iter(lines).__next__) if one.type != tokenize.NL]
    code = [one for one in tokens if one.type != tokenize.COMMENT]
    cuts = [one for one in tokens if one.type == tokenize.COMMENT] + _bare_strings(code)
    for one in sorted(cuts, key=lambda token: token.start, reverse=True):
        (first, left), (last, right) = one.start, one.end
        lines[first - 1 : last] = [lines[first - 1][:left] + lines[last - 1][right:]]
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _bare_strings(tokens):
    """Strings that are a statement of their own."""
    begins = (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    before = [tokenize.NEWLINE, *(one.type for one in tokens)]
    after = [*(one.type for one in tokens[1:]), tokenize.ENDMARKER]
    return [
        one
        for one, previous, following in zip(tokens, before, after, strict=False)
        if one.type == tokenize.STRING and previous in begins and following == tokenize.NEWLINE
    ]


def _json(value, **options):
    return json.dumps(value, sort_keys=True, default=_plain, allow_nan=False, **options)


def _plain(value):
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a {type(value).__name__} cannot be kept as JSON")


# --------------------------------------------------------------------------------------------------------- checkpoints


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
    code : str
        `seisbook.provenance.code_version()`.
    recipe : dict
        See `recipe`.
    """

    architecture: str
    config: ModelConfig
    training: TrainingConfig
    network: str
    data: dict
    metrics: dict
    code: str
    recipe: dict


def save(path, model, card: Card) -> Path:
    """Write a model and its card, whole or not at all.

    Parameters
    ----------
    path : path
        With or without the suffix `.safetensors`.
    model : Module
        Of `seisbook.models.peers.build`.
    card : Card

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
    _check_card(model, card, card_file)
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in model.state_dict().items()}
    broken = [name for name, value in tensors.items() if not torch.isfinite(value).all()]
    if broken:
        raise UserError(f"{weights_file}: not written: {broken[0]} is not finite; training diverged, train again")
    weights = safetensors.torch.save(tensors)
    try:
        text = _json({**asdict(card), "sha256": hashlib.sha256(weights).hexdigest()}, indent=1)
    except (TypeError, ValueError) as error:
        raise UserError(f"{card_file}: not written: {error}: keep plain finite values in data and metrics") from None
    _write_whole({weights_file: weights, card_file: f"{text}\n".encode()})
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
    weights_file, card_file = _files(path)
    if not weights_file.is_file() and not card_file.is_file():
        known = ", ".join(sorted(other.stem for other in weights_file.parent.glob("*.safetensors"))) or "none"
        raise UserError(f"{weights_file}: no such checkpoint; in its folder there are: {known}")
    card, digest = _read_card(card_file)
    tensors, found = _read_weights(weights_file)
    model = _described(card, card_file)
    _check_tensors(tensors, model.state_dict(), weights_file)
    if found != digest:
        raise DataError(f"{weights_file}: its hash is not the one in {card_file.name} (key sha256): {REMEDY}")
    model.load_state_dict(tensors)
    return model.eval(), card


def _files(path):
    path = Path(path)
    stem = path.with_suffix("") if path.suffix in (".safetensors", ".json") else path
    return stem.with_name(f"{stem.name}.safetensors"), stem.with_name(f"{stem.name}.json")


def _check_card(model, card, card_file):
    """Refuse a card from which `load` would build another model than the one that is saved."""
    described = _build(card)
    shapes = [{name: value.shape for name, value in one.state_dict().items()} for one in (described, model)]
    same = type(described) is type(model) and described.config == model.config == card.config
    if not same or shapes[0] != shapes[1]:
        raise UserError(
            f"{card_file}: not written: architecture '{card.architecture}' with the card's config is another model "
            f"than the {type(model).__name__} to be saved: give the model's own name and config"
        )


def _described(card, card_file):
    """Build the model that a card from disk describes."""
    try:
        model = _build(card)
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


def _write_whole(contents):
    """Write files, each by way of a temporary one, and none before all are complete.

    Should the machine stop between the last two renamings, the hash in the card tells that weights and card differ.
    """
    parts = {}
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("wb", dir=path.parent, suffix=".part", delete=False) as file:
                parts[path] = Path(file.name)
                file.write(content)
            parts[path].chmod(0o644)
        for path, part in parts.items():
            os.replace(part, path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def _read_card(path):
    """Return the card and the hash of its weights."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: the checkpoint's card is missing: {REMEDY}") from None
    except ValueError as error:
        raise DataError(f"{path}: not valid JSON ({error}): {REMEDY}") from None
    if not isinstance(content, dict) or not isinstance(content.get("sha256"), str):
        raise DataError(f"{path}: sha256: the hash of the weights is missing: {REMEDY}")
    digest = content.pop("sha256")
    try:
        return TypeAdapter(Card).validate_python(content), digest
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{path}: {key}: {first['msg']}: {REMEDY}") from None


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
        if (found.shape, found.dtype) != (value.shape, value.dtype):
            raise DataError(
                f"{path}: tensor {name} has shape {tuple(found.shape)} and {found.dtype}, "
                f"the card's model {tuple(value.shape)} and {value.dtype}: {REMEDY}"
            )
    extra = sorted(set(tensors) - set(expected))
    if extra:
        raise DataError(f"{path}: tensor {extra[0]} does not belong to the card's model: {REMEDY}")
