"""What the chapters say, for tests that hold a sentence against the record that it is about."""

import re
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


def paragraphs(path):
    """Yield each paragraph and point of a list, with what is glued into it; no exercise, table, code or formula."""
    cells = nbformat.read(path, as_version=4).cells
    texts = _glued(cells)
    for cell in cells:
        if cell.cell_type == "markdown":
            for block in re.split(r"\n\s*\n|\n(?=[-*] |\d+\. )", NO_PROSE.sub("", cell.source)):
                if not block.startswith(("#", "|", "    ", "(", "```", ":")):
                    yield GLUE.sub(lambda match: texts.get(match[1], match[1]), block)


def numbers(paragraph) -> list[str]:
    """The numbers that a reader meets in it: an estimate with its interval is one; years, names and code are none."""
    return NUMBER.findall(NO_NUMBER.sub("", paragraph))


NO_PROSE = re.compile(r"```\{(?:exercise|solution|math|selftest)\}.*?\n```|\$\$.*?\$\$", re.S)
GLUE = re.compile(r"\{glue:text\}`([^`]*)`")
NUMBER = re.compile(r"(?<![\w.,–-])[−-]?\d[\d,.]*\b(?!-\w)")
NO_NUMBER = re.compile(
    r"\[[^\]]*\d[^\]]*\]"  # an interval
    r"|\{[\w:]+\}`[^`]*`|`[^`]*`|\]\([^)]*\)|<[^>]*>|\$[^$]*\$"  # roles, code, addresses, formulas
    r"|^\d+\. "  # the point of a list
    r"|\b\d+ % (?=interval|confidence|ellipse|range)"  # which interval
    r"|\b(?:19|20)\d\d\b"  # years
    r"|\bVersion \d+|\bChapter \d+",
    re.M,
)


def _glued(cells):
    """What the committed outputs glue, by name."""
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    glued = [output for output in outputs if "scrapbook" in output.get("metadata", {})]
    mime = "application/papermill.record/text/plain"
    return {one.metadata["scrapbook"]["name"]: one.data.get(mime, "").strip("'\"") for one in glued}
