"""Paths of the records and models of runs, and names of the models that are kept."""

from pathlib import Path

from seisbook import records
from seisbook.models.names import PEERS
from seisbook.paths import BUILD, DATA

MODELS = DATA / "models"
PUBLISHED = ("dynamic", "static")  # models of the first random fold that the chapters use
KEPT = (*PUBLISHED, *PEERS)  # models of the first random fold that are kept in `data/models`


def runs_folder(profile) -> Path:
    """Folder of the records of runs: `data/results` for the profile `paper`, `_build` for other profiles."""
    return (records.RESULTS if profile == "paper" else BUILD / "results") / "runs"


def record_path(network, model, split, fold, profile) -> Path:
    """Path of the record of one run."""
    return runs_folder(profile) / f"{Path(network).stem}-{model}-{split}-{fold}.json"


def model_path(network, model, split, fold, profile) -> Path:
    """Path of the model of one run: published models are in `data/models`, others in `_build`."""
    published = profile == "paper" and model in KEPT and (split, fold) == ("random", 0)
    folder = MODELS if published else BUILD / "models" / profile
    return folder / f"{Path(network).stem}-{model}-{split}-{fold}.safetensors"
