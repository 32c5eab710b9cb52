"""Errors of all models over all folds, from the records of their runs."""

import json
import logging

import numpy as np
import pandas as pd

import seisbook.catalogues.networks  # noqa: F401 (it tells the identity of networks)
from seisbook import provenance, records
from seisbook.errors import UserError
from seisbook.findings import summaries
from seisbook.measures import evaluation
from seisbook.measures.splits import FOLDS
from seisbook.studies.places import runs_folder

log = logging.getLogger(__name__)


def all_runs(profile="paper") -> dict:
    """The records of all runs, current or not, by name."""
    return {path.stem: records.read(path)[1] for path in sorted(runs_folder(profile).glob("*.json"))}


def current_runs(profile="paper") -> dict:
    """The records of all runs that are up to date; the log names the runs that are left out."""
    runs = {}
    for path in sorted(runs_folder(profile).glob("*.json")):
        try:
            runs[path.stem] = provenance.load(path)
        except UserError as error:
            log.warning("left out: %s", error)
    return runs


def entries(runs) -> list[dict]:
    """One entry for each network, model and split with all of its folds; the errors cover all test events."""
    grouped = {}
    for record in runs:
        grouped.setdefault((record["network"], record["model"], record["split"]), []).append(record)
    return [
        _entry(*key, fold_records)
        for key, fold_records in grouped.items()
        if len(fold_records) == (1 if key[2] == "twin" else FOLDS)
    ]


def results(profile="paper") -> list[dict]:
    """The entries of all runs that are up to date.

    The entries of the profile `paper` come from the record `models`. If that record cannot be used, they are computed
    from the runs.
    """
    if profile == "paper":
        try:
            return summaries.load("models")["entries"]
        except UserError as error:
            log.warning("%s; computed anew from the runs", error)
    return entries(current_runs(profile).values())


def _entry(network, model, split, found):
    errors = pd.concat([pd.DataFrame(record["errors"]).set_index("source_id") for record in found])
    return {
        "network": network,
        "source": found[0]["source"],
        "model": model,
        "split": split,
        "n_events": len(errors),
        **evaluation.summarise_errors(errors),
        "parameters": found[0]["parameters"],
        "learning_rate": found[0].get("learning_rate"),  # the classical pipeline has no learning rate
        "train_s": float(np.mean([record["train_s"] for record in found])),
        "profile": found[0]["profile"],
    }


def table(found) -> str:
    """The entries as a text table, one line for each entry."""
    if not found:
        raise UserError("no current results: make some with `seisbook train`")
    rows = [
        {
            "network": entry["network"],
            "model": entry["model"],
            "split": entry["split"],
            "events": entry["n_events"],
            "epicentre (km)": "{median:.2f} [{ci[0]:.2f}, {ci[1]:.2f}]".format(**entry["epicentral_km"]),
            "depth (km)": "{median:.2f} [{ci[0]:.2f}, {ci[1]:.2f}]".format(**entry["depth_km"]),
            "magnitude RMSE": "{rmse:.3f} [{ci[0]:.3f}, {ci[1]:.3f}]".format(**entry["magnitude"]),
            "seconds": f"{entry['train_s']:.0f}",
        }
        for entry in found
    ]
    return pd.DataFrame(rows).to_string(index=False)


def as_json(found) -> str:
    """The entries as JSON."""
    return json.dumps(found, indent=1)
