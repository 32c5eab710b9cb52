"""Records that sum up runs, studies and the real bulletins: each is computed by one module of this package."""

import importlib
from pathlib import Path

import seisbook.catalogues.networks  # noqa: F401 (it tells the identity of networks)
from seisbook import provenance, records
from seisbook.errors import UserError

SUMMARIES = {
    "catalogues": "seisbook.findings.catalogues",
    "models": "seisbook.findings.comparison",
    "variance": "seisbook.findings.variance",
    "recorded": "seisbook.findings.iceland",
    "attention": "seisbook.findings.attention",
    "alignment": "seisbook.findings.alignment",
}
"""Name of each record, and the module whose `compute` makes its content; in the order in which they are made."""
SUMMARIES.update({"alignment-robust": "seisbook.findings.alignment_robust"})  # apart: it changes no older record


def key(name: str) -> dict:
    """Key of a record."""
    return provenance.key("record", name=name)


def load(name: str) -> dict:
    """Content of a record, see `seisbook.provenance.load`."""
    return provenance.load(records.path_of(name), key(name))


def record(name: str, progress=True) -> Path:
    """Compute a record and write it.

    Raises
    ------
    UserError
        If there is no such record, code has changed since the last commit, or what it sums up is not to be had.
    """
    provenance.committed()
    content, inputs = computed(name, progress)
    return records.write(records.path_of(name), content, provenance.provenance(key(name), inputs), indent=1)


def computed(name: str, progress=True) -> tuple[dict, dict]:
    """Content of a record as it comes out now, and its inputs; nothing is written."""
    if name not in SUMMARIES:
        raise UserError(f"no record '{name}': choose among {', '.join(SUMMARIES)}")
    with provenance.watched() as inputs:
        content = importlib.import_module(SUMMARIES[name]).compute(progress)
    return provenance.plain(content), inputs
