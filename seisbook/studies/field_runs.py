"""Conditional normals for use: fitted to all events of a region, and kept for the maps of new earthquakes."""

from pathlib import Path

import numpy as np

from seisbook import provenance
from seisbook.catalogues import regions
from seisbook.datasets.fields import load_fields
from seisbook.errors import UserError
from seisbook.models import checkpoints, field_checkpoints
from seisbook.models.conditional_normal import ConditionalNormal
from seisbook.models.field_checkpoints import NAME
from seisbook.paths import BUILD
from seisbook.studies.pretraining import allow, never

PUBLISHED = ("greece", "italy")
"""Regions whose conditional normal is in `data/models`."""


def path_of(region) -> Path:
    """Path of a region's conditional normal: in `data/models` if it is published, else in `_build/models`."""
    folder = checkpoints.MODELS if str(region) in PUBLISHED else BUILD / "models" / "paper"
    return folder / f"{Path(region).stem}-{NAME}.safetensors"


def find(model) -> Path:
    """Path of the conditional normal of a region, or of the checkpoint that a path names.

    Raises
    ------
    UserError
        If there is none of this name; for a region, the message gives the command that makes it.
    """
    if not regions.is_region(model):
        if Path(model).name == model and not Path(model).with_suffix(".json").is_file():
            raise UserError(f"no model '{model}': choose one of {', '.join(PUBLISHED)}, or give a checkpoint's path")
        return Path(model)
    path = path_of(model)
    if not path.is_file():
        command = f"seisbook train --network {model} --model {NAME}"
        raise UserError(f"{path}: there is no such file: make it with `{command}`")
    return path


def key(region) -> dict:
    """Provenance key of a region's conditional normal."""
    return provenance.key(NAME, region=regions.load(region).name, events="all")


def train(region, source="measured", progress=True, may_replace=never) -> Path:
    """Fit a region's conditional normal to all of its events, and keep it, unless a current one exists.

    Parameters
    ----------
    region : str
        As `seisbook.catalogues.regions.load` takes it.
    source : {"measured", "simulated"}
    progress : bool
    may_replace : callable
        See `seisbook.studies.runs.run`.

    Returns
    -------
    Path
        Path of the tensors.

    Raises
    ------
    UserError
        If a published model may not be replaced, or code has changed since the last commit.
    """
    path, made_of = path_of(region), key(region)
    state = checkpoints.state(path, made_of)
    if state.name in ("current", "unverified"):
        return path
    if path.parent == checkpoints.MODELS:
        allow(path, state, may_replace)
    with provenance.watched() as inputs:
        method, fields = fitted(region, source, progress)
    data = {"source": source, "events": len(fields), "values": int(np.isfinite(fields.values).sum())}
    place = regions.load(region)
    return field_checkpoints.save(path, method, fields, place, data, numbers(method), made_of, inputs)


def fitted(region, source, progress=False):
    """The method, and the fields that it was fitted to."""
    fields = load_fields(region, source, None, 0, progress)
    return ConditionalNormal().fit(fields, progress), fields


def numbers(method) -> dict[str, float]:
    """Standard deviations of the law's terms and of what remains, averaged over the measures, log10."""
    law = method.law_
    return {name: float(getattr(law, f"{name}_").mean()) for name in ("event_sd", "site_sd", "within_sd")}
