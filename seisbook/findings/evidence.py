"""Where each claim's evidence stands: the figure that shows a row, its chapter, and the records that decide it."""

from pathlib import Path
from typing import NamedTuple

from seisbook import records


class Shown(NamedTuple):
    """Chapter of a figure, and the records from which its claims are judged.

    Parameters
    ----------
    chapter : str
        Page of the chapter, without its suffix.
    records : tuple of str
        Names of studies, or of summaries in `seisbook.findings.summaries`.
    """

    chapter: str
    records: tuple[str, ...]


FIGURES = {
    "fig-forest": Shown("book/02_model", ("models",)),
    "fig-smoothing": Shown("book/02_model", ("smoothing",)),
    "fig-smoothing-robust": Shown("book/02_model", ("smoothing-robust",)),
    "fig-learning": Shown("book/03_cv_variance", ("variance",)),
    "fig-ratios": Shown("book/03_cv_variance", ("variance",)),
    "fig-ratios-robust": Shown("book/03_cv_variance", ("variance-robust",)),
    "fig-bands": Shown("book/04_robustness", ("robustness",)),
    "fig-shifts": Shown("book/04_robustness", ("robustness",)),
    "fig-arms": Shown("book/09_robust_model", ("robust",)),
    "fig-accuracy": Shown("book/09_robust_model", ("robust", "robustness", "informative")),
    "fig-imbalance": Shown("book/04_robustness", ("imbalance",)),
    "fig-imbalance-robust": Shown("book/09_robust_model", ("imbalance-robust",)),
    "fig-agreement": Shown("book/05_attention", ("attention",)),
    "fig-design": Shown("book/05_attention", ("attention",)),
    "fig-rests-on": Shown("book/05_attention", ("attention-robust",)),
    "fig-retrieval": Shown("book/06_text_alignment", ("alignment",)),
    "fig-zeroshot": Shown("book/06_text_alignment", ("alignment",)),
    "fig-withheld": Shown("book/06_text_alignment", ("alignment",)),
    "fig-correction": Shown("book/06_text_alignment", ("alignment",)),
    "fig-towers": Shown("book/06_text_alignment", ("alignment-robust",)),
    "fig-correction-robust": Shown("book/06_text_alignment", ("alignment-robust",)),
    "fig-real-verdicts": Shown("book/10_real_seismograms", ("real",)),
    "fig-fields-forest": Shown("book/08_fields", ("fields",)),
    "fig-fields-variance": Shown("book/08_fields", ("fields-variance",)),
    "fig-fields-depth": Shown("book/08_fields", ("fields-depth",)),
    "fig-fields-imbalance": Shown("book/08_fields", ("fields-imbalance",)),
    "fig-fields-attention": Shown("book/08_fields", ("fields-attention",)),
}
"""Figures by name. A figure that moves to another chapter is moved here, and nowhere else."""
SUMMARISED = ("alignment", "alignment-robust", "attention", "models", "variance")
"""Names of `FIGURES` that are summaries of other records; two of them are names of studies, too."""


def files(figure, network, source, profile) -> list[Path]:
    """Records that decide the rows of a figure on one network."""
    place = f"{network}-{source}-{profile}"
    return [
        records.path_of(name) if name in SUMMARISED else records.RESULTS / "studies" / f"{name}-{place}.json"
        for name in FIGURES[figure].records
    ]


def summed_up(path, network, source) -> dict[str, list[str]]:
    """Names of the records that one sums up for a network, by their kind: `study`, `run`, `model`."""
    known = {"study": f"-{network}-{source}-", "run": f"{network}-dynamic-", "model": f"{network}-"}
    found = {kind: [] for kind in known}
    for one in records.split(path)[0]["inputs"]:
        kind, _, name = one.partition(":")
        if kind in known and known[kind] in name:
            found[kind].append(name)
    return found
