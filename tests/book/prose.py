"""What the chapters say, for tests that hold a sentence against the record that it is about."""

from functools import cache

import nbformat

from seisbook.paths import ROOT


@cache
def prose(chapter):
    """What a reader reads of a chapter: text and captions, a space between any two words."""
    parts = []
    for cell in nbformat.read(ROOT / "book" / f"{chapter}.ipynb", as_version=4).cells:
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        parts.append(cell.source if cell.cell_type == "markdown" else figure.get("caption", ""))
    return " ".join(" ".join(parts).split())


def says(chapter, *sentences):
    """Assert that a chapter still has these sentences."""
    for sentence in sentences:
        assert sentence in prose(chapter), f"{chapter} no longer says: {sentence}"
